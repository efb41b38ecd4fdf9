
#include "em_seconds.h"
#include "em_select_state.h"


static int em_select_source(em_select_t *s, unsigned k, int there);
static int em_select_code(em_select_t *s, const em_plan_source_t *source,
    em_plan_str_t *code);
static void em_select_condition(em_select_t *s, unsigned k, int there);
static void em_select_marker(em_select_t *s, unsigned k, int there);
static void em_select_field_value(em_select_t *s, unsigned k);
static int em_select_text_value(em_select_t *s, em_plan_str_t *value);
static int em_select_there(em_select_t *s);
static int em_select_equal(em_select_t *s, const em_path_t *path,
    const em_path_selector_t *selector);


static const em_plan_str_t  em_select_true = { 4, "true" };
static const em_plan_str_t  em_select_false = { 5, "false" };


int
em_select_scalar(em_select_t *s)
{
    uint64_t  targets;

    targets = em_select_targets(s);

    if (targets && em_select_begin(s, targets)) {
        return 1;
    }

    return em_select_ended(s, s->depth, s->match, s->tested);
}


int
em_select_limit(em_select_t *s)
{
    uint64_t  targets;

    targets = em_select_targets(s);

    s->limit = ((targets & s->plan->wide) | s->tested) ? EM_PLAN_VALUE_MAX
               : (targets & (s->plan->text | s->plan->there))
                 ? EM_PLAN_CODE_MAX : 0;

    return s->limit;
}


uint64_t
em_select_early(em_select_t *s)
{
    uint64_t  targets;

    targets = em_select_targets(s);

    return (targets & s->plan->text) ? 0 : targets;
}


int
em_select_begin(em_select_t *s, uint64_t targets)
{
    int       there;
    unsigned  k;
    uint64_t  bits;

    s->fired |= targets;

    there = em_select_there(s);

    for (bits = targets; bits; bits &= bits - 1) {

        k = em_select_first(bits);

        switch (s->plan->paths[k].role) {

        case EM_PLAN_SOURCE:
            if (!em_select_source(s, k, there)) {
                (void) em_select_break(s, EM_SELECT_COST);
                return 1;
            }

            break;

        case EM_PLAN_CONDITION:
            em_select_condition(s, k, there);
            break;

        case EM_PLAN_MARKER:
            em_select_marker(s, k, there);
            break;

        default: /* EM_PLAN_FIELD */
            em_select_field_value(s, k);
        }
    }

    return s->changed ? em_select_settle(s) : 0;
}


int
em_select_ended(em_select_t *s, unsigned depth, uint64_t match,
    uint64_t tested)
{
    int                        equal;
    unsigned                   k;
    uint64_t                   bits;
    const em_path_t           *path;
    const em_plan_level_t     *l;
    const em_path_selector_t  *selector;

    if (tested) {

        for (bits = tested & s->frames[depth - 1].unknown; bits;
             bits &= bits - 1)
        {
            k = em_select_first(bits);

            path = &s->plan->paths[k].path;
            selector = &path->selectors[depth - 2];

            equal = em_select_equal(s, path, selector);

            em_select_resolve(s, k, depth - 1, equal != selector->unequal);
        }

        s->wild &= s->frames[depth - 1].alive;
    }

    if (match) {

        for (bits = s->frames[depth].unknown; bits; bits &= bits - 1) {

            k = em_select_first(bits);
            path = &s->plan->paths[k].path;

            em_select_resolve(s, k, depth, path->selectors[depth - 1].unequal);
        }

        l = &s->plan->levels[depth];

        bits = match & l->homes & ~s->done;

        if (bits) {
            s->done |= bits;
            s->changed = 1;

            bits &= s->plan->roles[EM_PLAN_CONDITION];

            for ( /* void */ ; bits; bits &= bits - 1) {
                em_select_condition(s, em_select_first(bits), -1);
            }
        }
    }

    return s->changed ? em_select_settle(s) : 0;
}


/* 0 is returned if the search is to be given up */

static int
em_select_source(em_select_t *s, unsigned k, int there)
{
    int                      rc;
    unsigned                 i, kind;
    uint64_t                 bit;
    uintptr_t                row;
    em_plan_str_t            code;
    em_select_item_t        *item;
    em_select_frame_t       *f;
    const em_plan_path_t    *path;
    const em_plan_source_t  *source;

    path = &s->plan->paths[k];
    i = path->owner;
    bit = em_select_bit(k);

    source = &s->plan->sources[i];

    item = em_select_slot(s, k, s->depth, &f);

    if (item) {

        /* another filter has failed, or what waits cannot be better */

        if ((f->failed & bit)
            || ((f->waits & bit) && item->kind == EM_SELECT_ERROR))
        {
            return 1;
        }
    }

    if (source->word.len && source->pattern == NULL) {

        if (!there) {
            return 1;
        }

        code = source->word;

    } else {
        rc = em_select_code(s, source, &code);

        if (rc <= 0) {
            return rc == 0;
        }
    }

    if (path->path.plain) {
        s->live &= ~bit;
        s->done |= bit;
        s->changed = 1;
    }

    /* the same code again is no better */

    if (item == NULL) {
        item = em_select_hand(s, i);

        if (((s->hands[0] | s->hands[1] | s->hands[2]) >> i & 1) == 0
            || item->path > k)
        {
            item = NULL;
        }

    } else if ((f->waits & bit) == 0) {
        item = NULL;
    }

    if (item && item->len == code.len
        && memcmp(item->text, code.data, code.len) == 0)
    {
        return 1;
    }

    row = 0;
    kind = s->calls->classify(s->data, code.data, code.len, &row);

    em_select_deliver(s, k, s->depth, kind, row, code.data, code.len);

    return 1;
}


/* 1: the value is a code; 0: it is none; -1: give up */

static int
em_select_code(em_select_t *s, const em_plan_source_t *source,
    em_plan_str_t *code)
{
    int            rc, boolean;
    em_plan_str_t  value;

    boolean = (s->type == EM_PATH_TRUE) ? EM_PLAN_TRUE
              : (s->type == EM_PATH_FALSE) ? EM_PLAN_FALSE : 0;

    if (boolean && (source->word.len || !(s->plan->booleans & boolean))) {
        return 0;
    }

    if (!em_select_text_value(s, &value)) {
        return 0;
    }

    if (source->pattern == NULL) {

        if (s->cut) {
            return 0;
        }

        *code = value;

    } else {
        code->len = 0;

        rc = s->calls->match(s->data, source->pattern, value.data, value.len,
                             code);
        if (rc <= 0) {
            return rc;
        }

        if (source->word.len) {
            *code = source->word;
        }
    }

    return code->len && code->len <= EM_PLAN_CODE_MAX;
}


/* there: -1 where nothing more can come */

static void
em_select_condition(em_select_t *s, unsigned k, int there)
{
    unsigned                 i;
    uint64_t                 bit;
    const em_plan_source_t  *source;

    i = s->plan->paths[k].owner;
    bit = em_select_bit(i);

    if (there == 0 || ((s->known | s->dead) & bit)) {
        return;
    }

    source = &s->plan->sources[i];

    s->live &= ~em_select_bit(k);
    s->changed = 1;

    if ((there > 0) != source->unless) {
        s->known |= bit;

    } else {
        s->dead |= bit;
        s->live &= ~source->paths;
    }
}


static void
em_select_marker(em_select_t *s, unsigned k, int there)
{
    size_t                   i;
    em_plan_str_t            value;
    const em_plan_marker_t  *marker;

    static const em_plan_str_t  null = { 4, "null" };

    marker = &s->plan->markers[s->plan->paths[k].owner];

    if (marker->nvalues == 0) {

        if (there) {
            em_select_deliver(s, k, s->depth, 0, 0, NULL, 0);
        }

        return;
    }

    if (s->type == EM_PATH_NULL) {
        value = null;

    } else if (!em_select_text_value(s, &value) || s->cut) {
        return;
    }

    for (i = 0; i < marker->nvalues; i++) {

        if (marker->values[i].len == value.len
            && memcmp(marker->values[i].data, value.data, value.len) == 0)
        {
            em_select_deliver(s, k, s->depth, 0, 0, NULL, i);
            return;
        }
    }
}


static void
em_select_field_value(em_select_t *s, unsigned k)
{
    em_plan_str_t           value, match;
    const em_plan_path_t   *path;

    if (!em_select_text_value(s, &value) || value.len == 0) {
        return;
    }

    path = &s->plan->paths[k];

    if (path->pattern) {
        match.len = 0;

        if (s->calls->match(s->data, path->pattern, value.data, value.len,
                            &match)
            <= 0
            || match.len == 0)
        {
            return;
        }

        value = match;
    }

    if (s->plan->field[path->owner].retry
        && em_seconds(value.data, value.len, path->ms) == 0)
    {
        return;
    }

    em_select_deliver(s, k, s->depth, 0, 0, value.data,
                      value.len < EM_PLAN_VALUE_MAX ? value.len
                                                    : EM_PLAN_VALUE_MAX);
}


/* the text of a string, a number, true or false */

static int
em_select_text_value(em_select_t *s, em_plan_str_t *value)
{
    switch (s->type) {

    case EM_PATH_STRING:
    case EM_PATH_NUMBER:
        value->data = s->token;
        value->len = s->len;
        return 1;

    case EM_PATH_TRUE:
        *value = em_select_true;
        return 1;

    case EM_PATH_FALSE:
        *value = em_select_false;
        return 1;
    }

    return 0;
}


/* an array or object is not empty if this is asked; a string may begin only */

static int
em_select_there(em_select_t *s)
{
    switch (s->type) {

    case EM_PATH_STRING:
        return s->state == sw_first || s->len || s->cut;

    case EM_PATH_NUMBER:
        return s->len != 1 || s->token[0] != '0';

    case EM_PATH_TRUE:
    case EM_SELECT_NESTED:
        return 1;
    }

    return 0;
}


static int
em_select_equal(em_select_t *s, const em_path_t *path,
    const em_path_selector_t *selector)
{
    if (selector->type != s->type) {
        return 0;
    }

    if (s->type != EM_PATH_STRING && s->type != EM_PATH_NUMBER) {
        return 1;
    }

    return !s->cut && s->len == selector->value_len
           && memcmp(s->token, &path->text[selector->value], s->len) == 0;
}
