
#include "em_seconds.h"
#include "em_select_state.h"


static void em_select_decide(em_select_t *s);
static int em_select_paths_done(em_select_t *s, unsigned i);
static int em_select_idle(em_select_t *s);
static void em_select_decided(em_select_t *s, em_select_kind_e kind,
    unsigned i);
static void em_select_fields(em_select_t *s);


em_select_status_e
em_select_init(em_select_t *s, const em_plan_t *plan,
    const em_select_calls_t *calls, void *data,
    const em_select_options_t *options)
{
    unsigned  n;
    uint64_t  bits;

    memset(s, 0, offsetof(em_select_t, skip));

    s->plan = plan;
    s->calls = calls;
    s->data = data;

    s->texts = options->texts ? options->texts : 1;
    s->charset = (options->charset == EM_CHARSET_UNKNOWN)
                 ? EM_CHARSET_UTF8 : (uint8_t) options->charset;
    s->kind = EM_SELECT_NONE;

    if (!options->decided) {
        s->wanted = plan->roles[EM_PLAN_SOURCE]
                    | plan->roles[EM_PLAN_CONDITION]
                    | plan->roles[EM_PLAN_MARKER];
    }

    for (bits = options->fields; bits; bits &= bits - 1) {
        n = em_select_first(bits);

        if (plan->field[n].paths) {
            s->fields |= em_select_bit(n);
            s->wanted |= plan->field[n].paths;
        }
    }

    s->status = options->decided ? EM_SELECT_FIELDS : EM_SELECT_MORE;

    if (s->charset == EM_CHARSET_WIDE) {
        return em_select_break(s, EM_SELECT_CHARSET);
    }

    if (s->wanted == 0) {
        s->status = EM_SELECT_DONE;
        return s->status;
    }

    em_select_text(s);

    s->state = sw_prefix;

    return s->status;
}


void
em_select_text(em_select_t *s)
{
    memset(&s->live, 0,
           offsetof(em_select_t, frames) - offsetof(em_select_t, live));

    s->live = s->wanted;
    s->match = s->wanted;
    s->state = sw_value;

    s->known = (s->plan->nsources < EM_PLAN_PATHS)
               ? em_select_bit(s->plan->nsources) - 1 : ~(uint64_t) 0;
    s->known &= ~s->plan->conditional;
}


int
em_select_settle(em_select_t *s)
{
    s->changed = 0;

    if (s->status == EM_SELECT_MORE) {
        em_select_decide(s);
    }

    if (s->fields || s->status == EM_SELECT_FIELDS) {
        em_select_fields(s);
    }

    return s->status == EM_SELECT_DONE;
}


static void
em_select_decide(em_select_t *s)
{
    int                      idle;
    unsigned                 i;
    uint64_t                 errors, unlisted, successes, bits;
    const em_plan_source_t  *source;

    errors = s->hands[EM_SELECT_ERROR] & s->known;

    if (s->marked) {
        s->marked = 0;

        if (errors == 0) {
            s->marker = 1;
            s->value = s->mark_value;
            em_select_decided(s, EM_SELECT_SUCCESS, s->mark);
            return;
        }
    }

    if (errors) {

        /* markers do not matter any more */

        s->live &= ~s->plan->roles[EM_PLAN_MARKER];

        for (bits = errors; bits; bits &= bits - 1) {
            i = em_select_first(bits);
            source = &s->plan->sources[i];

            if ((source->paths & ~s->done
                 & (em_select_bit(em_select_hand(s, i)->path) - 1)) == 0)
            {
                em_select_decided(s, EM_SELECT_ERROR, i);
                return;
            }
        }

        return;
    }

    unlisted = s->hands[EM_SELECT_UNLISTED] & s->known;

    if (unlisted) {

        if (s->plan->roles[EM_PLAN_MARKER] & ~s->done) {
            return;
        }

        for (bits = unlisted; bits; bits &= bits - 1) {
            i = em_select_first(bits);

            if (s->plan->sources[i].plain || em_select_paths_done(s, i)) {
                em_select_decided(s, EM_SELECT_UNLISTED, i);
                return;
            }
        }

        return;
    }

    successes = s->hands[EM_SELECT_SUCCESS] & s->known;
    idle = 0;

    for (bits = successes; bits; bits &= bits - 1) {
        i = em_select_first(bits);

        if (s->plan->sources[i].plain) {
            em_select_decided(s, EM_SELECT_SUCCESS, i);
            return;
        }

        if (!em_select_paths_done(s, i)) {
            continue;
        }

        idle = idle ? idle : em_select_idle(s);

        if (idle > 0) {
            em_select_decided(s, EM_SELECT_SUCCESS, i);
            return;
        }
    }
}


static int
em_select_paths_done(em_select_t *s, unsigned i)
{
    return (s->plan->sources[i].paths & ~s->done) == 0;
}


/* where only successes are in hand: whether nothing better can come, or -1 */

static int
em_select_idle(em_select_t *s)
{
    unsigned                 i;
    uint64_t                 bit;
    const em_plan_source_t  *source;

    for (i = 0; i < s->plan->nsources; i++) {

        source = &s->plan->sources[i];
        bit = em_select_bit(i);

        if (s->dead & bit) {
            continue;
        }

        if ((s->known & bit) == 0
            || ((source->paths & ~s->done)
                && !(source->plain && (s->hands[EM_SELECT_SUCCESS] & bit))))
        {
            return -1;
        }
    }

    return 1;
}


static void
em_select_decided(em_select_t *s, em_select_kind_e kind, unsigned i)
{
    s->kind = (uint8_t) kind;
    s->number = (uint8_t) i;

    if (kind >= EM_SELECT_SUCCESS) {
        s->status = EM_SELECT_DONE;
        return;
    }

    s->status = EM_SELECT_FIELDS;
    s->live &= s->plan->roles[EM_PLAN_FIELD];
}


/* a field is certain when the PATHs before that of its value are done */

static void
em_select_fields(em_select_t *s)
{
    int       pending;
    unsigned  n;
    uint64_t  bits, paths, bit;

    pending = 0;

    for (bits = s->fields & ~s->certain; bits; bits &= bits - 1) {

        n = em_select_first(bits);
        bit = em_select_bit(n);
        paths = s->plan->field[n].paths;

        if (s->found & bit) {
            paths &= em_select_bit(em_select_value(s, n)->path) - 1;
        }

        if (paths & ~s->done) {
            pending = 1;

        } else if (s->found & bit) {
            s->certain |= bit;
            s->live &= ~paths;
        }
    }

    if (s->status == EM_SELECT_FIELDS && !pending) {
        s->status = EM_SELECT_DONE;
    }
}


em_select_status_e
em_select_break(em_select_t *s, em_select_reason_e reason)
{
    uint64_t  errors;

    if (s->status == EM_SELECT_DONE) {
        return s->status;
    }

    if (s->status == EM_SELECT_MORE) {

        errors = s->hands[EM_SELECT_ERROR] & s->known;

        if (errors) {
            em_select_decided(s, EM_SELECT_ERROR, em_select_first(errors));

        } else if (s->read && (reason == EM_SELECT_MALFORMED
                               || reason == EM_SELECT_CHARSET))
        {
            s->reason = EM_SELECT_NO_CODE;

        } else {
            s->reason = (uint8_t) reason;
        }
    }

    s->status = EM_SELECT_DONE;

    return s->status;
}


int
em_select_next(em_select_t *s)
{
    s->read = 1;

    if (s->status == EM_SELECT_MORE && s->texts > 1) {
        s->texts--;
        em_select_text(s);
        return 1;
    }

    s->status = EM_SELECT_DONE;

    return 0;
}


void
em_select_verdict(const em_select_t *s, em_select_verdict_t *verdict)
{
    const em_select_item_t  *item;
    const em_plan_marker_t  *marker;

    memset(verdict, 0, sizeof(em_select_verdict_t));

    verdict->kind = (em_select_kind_e) s->kind;
    verdict->reason = (em_select_reason_e) s->reason;

    if (s->kind == EM_SELECT_NONE) {
        return;
    }

    verdict->source = s->number;

    if (s->marker) {
        verdict->marker = 1;

        marker = &s->plan->markers[s->number];

        if (marker->nvalues) {
            verdict->code = marker->values[s->value];
        }

        return;
    }

    item = em_select_hand(s, s->number);

    verdict->path = item->path
                    - em_select_first(s->plan->sources[s->number].paths);
    verdict->row = item->row;
    verdict->code.len = item->len;
    verdict->code.data = item->text;
}


const char *
em_select_field(const em_select_t *s, unsigned number, size_t *len,
    unsigned *line)
{
    const em_select_item_t  *item;

    if (((s->fields & s->found) >> number & 1) == 0) {
        return NULL;
    }

    item = em_select_value(s, number);

    *len = item->len;

    if (line) {
        *line = s->plan->paths[item->path].line;
    }

    return item->text;
}


uint32_t
em_select_retry(const em_select_t *s, unsigned number)
{
    size_t                   len;
    const char              *text;
    const em_plan_path_t    *path;

    text = em_select_field(s, number, &len, NULL);

    if (text == NULL) {
        return 0;
    }

    path = &s->plan->paths[em_select_value(s, number)->path];

    return em_seconds(text, len, path->ms);
}
