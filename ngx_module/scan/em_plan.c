
#include "em_json_mask.h"
#include "em_select_state.h"


static const char *em_plan_add(em_plan_t *plan, em_plan_path_t *line,
    const char *text, size_t len, char *error);
static void em_plan_levels(em_plan_t *plan, unsigned k);
static void em_plan_name(em_plan_level_t *l, const char *name, size_t len);
static void em_plan_source_end(em_plan_t *plan, unsigned i);
static size_t em_plan_slots(em_plan_t *plan, size_t size);
static int em_plan_pointers(em_plan_t *plan);
static size_t em_plan_pointer(const em_path_t *path, char *buf);


const char *
em_plan_source(em_plan_t *plan, const em_plan_str_t *word,
    const void *pattern)
{
    em_plan_source_t  *source;

    if (word && (word->len == 0 || word->len > EM_PLAN_CODE_MAX)) {
        return "a code must have 1 to 128 bytes";
    }

    memset(&plan->line, 0, sizeof(em_plan_path_t));

    plan->line.role = EM_PLAN_SOURCE;
    plan->line.owner = (uint8_t) plan->nsources;

    if (plan->nsources == EM_PLAN_PATHS) {

        /* ... as there are PATHs, and no room for one of its own */

        return NULL;
    }

    source = &plan->sources[plan->nsources++];

    if (word) {
        source->word = *word;
    }

    source->pattern = pattern;

    return NULL;
}


void
em_plan_field(em_plan_t *plan, unsigned number, unsigned line,
    const void *pattern)
{
    memset(&plan->line, 0, sizeof(em_plan_path_t));

    plan->line.role = EM_PLAN_FIELD;
    plan->line.owner = (uint8_t) number;
    plan->line.line = line;
    plan->line.pattern = pattern;

    if (number >= plan->nfields) {
        plan->nfields = number + 1;
    }
}


void
em_plan_retry(em_plan_t *plan, unsigned number, unsigned line,
    const void *pattern, int ms)
{
    em_plan_field(plan, number, line, pattern);

    plan->line.ms = (ms != 0);
    plan->field[number].retry = 1;
}


const char *
em_plan_path(em_plan_t *plan, const char *text, size_t len, char *error)
{
    uint64_t     bit;
    const char  *err;

    err = em_plan_add(plan, &plan->line, text, len, error);
    if (err) {
        return err;
    }

    bit = em_select_bit(plan->npaths - 1);

    if (plan->line.role == EM_PLAN_SOURCE) {
        plan->sources[plan->line.owner].paths |= bit;

    } else {
        plan->field[plan->line.owner].paths |= bit;
    }

    return NULL;
}


const char *
em_plan_condition(em_plan_t *plan, int unless, const char *text, size_t len,
    char *error)
{
    const char        *err;
    em_plan_path_t     line;
    em_plan_source_t  *source;

    memset(&line, 0, sizeof(em_plan_path_t));

    line.role = EM_PLAN_CONDITION;
    line.owner = plan->line.owner;

    err = em_plan_add(plan, &line, text, len, error);
    if (err) {
        return err;
    }

    if (!plan->paths[plan->npaths - 1].path.plain) {
        return "a condition must lead to one place, "
               "without any child, [:] and filter";
    }

    source = &plan->sources[line.owner];
    source->condition = em_select_bit(plan->npaths - 1);
    source->unless = (unless != 0);

    return NULL;
}


const char *
em_plan_marker(em_plan_t *plan, const char *text, size_t len,
    const em_plan_str_t *values, size_t nvalues, char *error)
{
    const char      *err;
    em_plan_path_t   line;

    memset(&line, 0, sizeof(em_plan_path_t));

    line.role = EM_PLAN_MARKER;
    line.owner = (uint8_t) plan->nmarkers;

    err = em_plan_add(plan, &line, text, len, error);
    if (err) {
        return err;
    }

    plan->markers[plan->nmarkers].values = values;
    plan->markers[plan->nmarkers].nvalues = nvalues;
    plan->nmarkers++;

    return NULL;
}


static const char *
em_plan_add(em_plan_t *plan, em_plan_path_t *line, const char *text,
    size_t len, char *error)
{
    const char      *err;
    em_plan_path_t  *p;

    if (plan->npaths == EM_PLAN_PATHS) {
        return "it is one too many, at most 64 are allowed in a document";
    }

    p = &plan->paths[plan->npaths];
    *p = *line;

    err = em_path_parse(&p->path, text, len, error);
    if (err) {
        return err;
    }

    plan->roles[p->role] |= em_select_bit(plan->npaths);
    plan->npaths++;

    return NULL;
}


void
em_plan_compile(em_plan_t *plan, unsigned booleans)
{
    size_t    size;
    unsigned  i, k;
    uint64_t  bit;

    plan->booleans = (uint8_t) booleans;

    for (k = 0; k < plan->npaths; k++) {

        em_plan_levels(plan, k);

        bit = em_select_bit(k);

        switch (plan->paths[k].role) {

        case EM_PLAN_CONDITION:
            plan->there |= bit;
            break;

        case EM_PLAN_MARKER:
            if (plan->markers[plan->paths[k].owner].nvalues == 0) {
                plan->there |= bit;
                break;
            }

            /* fall through */

        case EM_PLAN_FIELD:
            plan->text |= bit;
            plan->wide |= bit;
            break;
        }
    }

    for (i = 0; i < plan->nsources; i++) {
        em_plan_source_end(plan, i);
    }

    size = sizeof(em_select_t) + plan->nsources * EM_SELECT_CODE_SIZE;

    plan->fields = size;

    size += plan->nfields * EM_SELECT_VALUE_SIZE;

    plan->size = em_plan_slots(plan, size);

    plan->bytes = offsetof(em_plan_t, paths)
                  + plan->npaths * sizeof(em_plan_path_t);

    plan->plain = (booleans == 0 && em_plan_pointers(plan));
}


static void
em_plan_levels(em_plan_t *plan, unsigned k)
{
    unsigned             n;
    uint64_t             bit;
    em_plan_path_t      *p;
    em_plan_level_t     *l;
    em_path_selector_t  *s;

    p = &plan->paths[k];
    bit = em_select_bit(k);

    for (n = 0; n <= p->path.home; n++) {
        plan->levels[n].homes |= bit;
    }

    plan->levels[p->path.nselectors].ends |= bit;

    for (n = 0; n < p->path.nselectors; n++) {

        s = &p->path.selectors[n];
        l = &plan->levels[n];

        switch (s->kind) {

        case EM_PATH_FILTER:
            l->wild |= bit;

            /* its name is one of the children's */

            l[1].filtered |= bit;
            em_plan_name(&l[1], &p->path.text[s->name], s->len);
            p->filters |= 2u << n;
            break;

        case EM_PATH_ANY:
            l->wild |= bit;
            break;

        case EM_PATH_EACH:
            l->each |= bit;
            break;

        case EM_PATH_TOKEN:
        case EM_PATH_NAME:
            l->names |= bit;
            em_plan_name(l, &p->path.text[s->name], s->len);
            break;
        }

        if (s->index != EM_PATH_NO_INDEX) {
            l->indexes |= bit;

            if (s->index > l->index) {
                l->index = s->index;
            }
        }
    }
}


static void
em_plan_name(em_plan_level_t *l, const char *name, size_t len)
{
    uint8_t  first;

    first = len ? (uint8_t) name[0] : '"';

    l->lengths |= em_select_bit(len & 63);
    l->hashes |= em_select_bit(em_plan_hash(len, first));
}


static void
em_plan_source_end(em_plan_t *plan, unsigned i)
{
    unsigned           k;
    em_plan_source_t  *source;

    source = &plan->sources[i];

    if (source->condition) {
        plan->conditional |= em_select_bit(i);
    }

    if (source->word.len && source->pattern == NULL) {
        plan->there |= source->paths;

    } else {
        plan->text |= source->paths;
    }

    if (source->pattern) {
        plan->wide |= source->paths;
    }

    if (source->paths) {
        k = em_select_first(source->paths);

        source->plain = (source->paths == em_select_bit(k)
                         && source->condition == 0
                         && plan->paths[k].path.plain);
    }
}


/* gives each filter its slot; returns the size with them */

static size_t
em_plan_slots(em_plan_t *plan, size_t size)
{
    unsigned         k;
    em_plan_path_t  *p;

    for (k = 0; k < plan->npaths; k++) {

        p = &plan->paths[k];
        p->slot = (uint32_t) size;

        size += em_mask_count(p->filters)
                * (p->role == EM_PLAN_FIELD ? EM_SELECT_VALUE_SIZE
                                            : EM_SELECT_CODE_SIZE);
    }

    return size;
}


/* whether all that decides can be said by JSON pointers */

static int
em_plan_pointers(em_plan_t *plan)
{
    char               buf[2 * EM_PATH_TEXT + EM_PATH_SELECTORS];
    size_t             len;
    unsigned           i;
    em_plan_source_t  *source;

    memset(&plan->pointers, 0, sizeof(em_json_pointers_t));

    if (plan->nmarkers) {
        return 0;
    }

    for (i = 0; i < plan->nsources; i++) {

        source = &plan->sources[i];

        if (!source->plain || source->word.len || source->pattern) {
            return 0;
        }

        len = em_plan_pointer(&plan->paths[em_select_first(source->paths)].path,
                              buf);

        if (len == (size_t) -1
            || em_json_pointer_add(&plan->pointers, buf, len) != NULL)
        {
            return 0;
        }
    }

    return 1;
}


/* returns the length, or -1: an index may be no name, a name no index */

static size_t
em_plan_pointer(const em_path_t *path, char *buf)
{
    char                       *b;
    size_t                      n, i;
    const char                 *name;
    const em_path_selector_t   *s;

    b = buf;

    for (n = 0; n < path->nselectors; n++) {

        s = &path->selectors[n];
        name = &path->text[s->name];

        if (s->kind == EM_PATH_INDEX
            || (s->kind == EM_PATH_NAME && s->len
                && name[0] >= '0' && name[0] <= '9'))
        {
            return (size_t) -1;
        }

        *b++ = '/';

        for (i = 0; i < s->len; i++) {

            if (name[i] == '~' || name[i] == '/') {
                *b++ = '~';
                *b++ = (name[i] == '~') ? '0' : '1';

            } else {
                *b++ = name[i];
            }
        }
    }

    return (size_t) (b - buf);
}
