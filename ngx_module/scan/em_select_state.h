
/*
 * What the files of em_select share, and nobody else includes.
 */


#ifndef _EM_SELECT_STATE_H_INCLUDED_
#define _EM_SELECT_STATE_H_INCLUDED_


#include "em_json_state.h"
#include "em_prefix.h"
#include "em_select.h"


#pragma GCC visibility push(hidden)


/* states beyond those of em_json */

enum {
    sw_prefix = sw_skip_string + 1,
    sw_peek,                      /* is an array or object empty? */
    sw_first,                     /* ... a string? */
    sw_skip_name,                 /* one that is too long */
    sw_closed,                    /* em_select_string(): past the quote, */
    sw_cut,                       /* ... more than the limit, */
    sw_malformed                  /* ... no string */
};


/* beside em_path_type_e: an array or object */
#define EM_SELECT_NESTED  5


/* where a value is, by the number of selectors that lead to it */

typedef struct {
    uint64_t                    match;    /* PATHs that lead to it */
    uint64_t                    alive;    /* ... and into it */
    uint64_t                    tested;   /* filters it decides, one level up */
    uint64_t                    unknown;  /* filters for it, undecided */
    uint64_t                    failed;   /* ... decided against it */
    uint64_t                    waits;    /* ... with something in a slot */
    uint32_t                    index;    /* of the element, in an array */
} em_select_frame_t;


/* a code or a value that is kept, be it in hand or waiting for a filter */

typedef struct {
    uintptr_t                   row;
    uint16_t                    len;      /* of a marker: which VALUE */
    uint8_t                     kind;     /* em_select_kind_e */
    uint8_t                     path;
    char                        text[];
} em_select_item_t;

#define em_select_item_size(room)                                             \
    ((offsetof(em_select_item_t, text) + (room) + 7) & ~(size_t) 7)

#define EM_SELECT_CODE_SIZE   em_select_item_size(EM_PLAN_CODE_MAX)
#define EM_SELECT_VALUE_SIZE  em_select_item_size(EM_PLAN_VALUE_MAX)


/*
 * The items follow: one a source, then one a field, then the slots of PATHs
 * with filters.  A text begins with all zero from live to frames.
 */

struct em_select_s {
    const em_plan_t            *plan;
    const em_select_calls_t    *calls;
    void                       *data;

    uint64_t                    wanted;   /* PATHs of the plan */
    uint64_t                    fields;   /* ... and fields */
    uint32_t                    texts;    /* to come, this one included */
    uint8_t                     read;     /* a text has been read */
    uint8_t                     charset;

    uint8_t                     status;   /* em_select_status_e */
    uint8_t                     kind;     /* the verdict: em_select_kind_e */
    uint8_t                     reason;   /* em_select_reason_e */
    uint8_t                     number;   /* of the source or marker */
    uint16_t                    value;    /* ... of its VALUE */
    uint8_t                     marker;   /* it is a marker */
    uint8_t                     opened;   /* bytes of the body: the first 4 */

    const uint8_t              *slash;    /* in the piece, or beyond, or NULL */

    em_prefix_t                 prefix;

    /* PATHs */
    uint64_t                    live;     /* that may still matter */
    uint64_t                    done;     /* nothing more can come */
    uint64_t                    match;    /* that lead to the value */
    uint64_t                    tested;   /* whose filter the value decides */
    uint64_t                    fired;    /* that have had the value */

    uint64_t                    wild;     /* that lead to any member */

    /* sources */
    uint64_t                    hands[3]; /* what is in hand, by its kind */
    uint64_t                    known;    /* that count */
    uint64_t                    dead;     /* that cannot count */

    /* fields */
    uint64_t                    found;    /* that have a value */
    uint64_t                    certain;  /* ... and nothing better can come */

    uint8_t                     changed;  /* something to decide from */
    uint8_t                     marked;   /* a marker has come */
    uint8_t                     mark;     /* ... its number */
    uint16_t                    mark_value;

    uint8_t                     depth;    /* arrays and objects looked into */
    uint8_t                     close;    /* the bracket that closes the last */
    uint8_t                     open;     /* that of the value */
    uint32_t                    objects;  /* by depth: a bit */

    uint8_t                     state;
    uint8_t                     name;     /* the string read is a name */
    uint8_t                     type;     /* of the value, em_path_type_e */
    uint8_t                     digits;   /* state within a number */
    uint8_t                     cut;      /* the token is not all of it */
    uint8_t                     lead;     /* half a character has been */
    uint8_t                     nhex;     /* digits of \uXXXX seen */
    uint16_t                    unit;     /* \uXXXX, a UTF-16 code unit */
    uint16_t                    high;     /* a high surrogate waits */
    uint16_t                    len;      /* bytes in token */
    uint16_t                    limit;    /* ... at most */
    const char                 *literal;  /* what is left of it */

    em_json_skip_t              skip;

    em_select_frame_t           frames[EM_PLAN_LEVELS];

    char                        token[EM_PLAN_VALUE_MAX + 8];
};


/* items by their offset */

static inline em_select_item_t *
em_select_item(const em_select_t *s, size_t offset)
{
    return (em_select_item_t *) ((char *) s + offset);
}


static inline em_select_item_t *
em_select_hand(const em_select_t *s, unsigned source)
{
    return em_select_item(s, sizeof(em_select_t)
                             + source * EM_SELECT_CODE_SIZE);
}


static inline em_select_item_t *
em_select_value(const em_select_t *s, unsigned field)
{
    return em_select_item(s, s->plan->fields + field * EM_SELECT_VALUE_SIZE);
}


/* a value that PATHs lead to begins; before anything else of it */

static inline void
em_select_enter(em_select_t *s)
{
    em_select_frame_t  *f;

    f = &s->frames[s->depth];

    f->unknown = s->match & s->plan->levels[s->depth].filtered;
    f->failed = 0;
    f->waits = 0;

    s->fired = 0;
    s->cut = 0;
    s->len = 0;
}


#define em_select_bit(n)    ((uint64_t) 1 << (n))
#define em_select_first(m)  ((unsigned) __builtin_ctzll(m))


/* em_select_match.c: which PATHs lead to the next member or element */

void em_select_member(em_select_t *s, const char *name, size_t len);
void em_select_element(em_select_t *s);

/*
 * Its bracket has been read.  Returns the state after it: one of those of what
 * is looked into, or sw_skip.
 */
int em_select_open(em_select_t *s);


/* em_select_string.c: as em_json_string(), for a name or a value */

const uint8_t *em_select_string(em_select_t *s, const uint8_t *p,
    const uint8_t *end);

/* skipping, in any charset: as the kernels do */

const uint8_t *em_select_skip_nested(em_select_t *s, const uint8_t *p,
    const uint8_t *end);
const uint8_t *em_select_skip_string(em_select_t *s, const uint8_t *p,
    const uint8_t *end);

/* keeps a part of a number as far as there is room */
void em_select_append(em_select_t *s, const uint8_t *p, size_t len);


/* em_select_value.c; most return whether nothing more is looked at */

/* PATHs that end at the value and have not had it */

#define em_select_targets(s)                                                  \
    ((s)->match & (s)->plan->levels[(s)->depth].ends & (s)->live              \
     & ~(s)->fired)

/* a string, number or literal has ended */
int em_select_scalar(em_select_t *s);

/* decides how many bytes of the value are kept, and returns that */
int em_select_limit(em_select_t *s);

/*
 * PATHs for which a string that is not empty is known well enough: those that
 * ask only if something is there, unless another one looks at the text, for
 * all that a value means is met at once.
 */
uint64_t em_select_early(em_select_t *s);

/*
 * As much of the value is known as matters to the PATHs among targets that end
 * here; each of them has it once.
 */
int em_select_begin(em_select_t *s, uint64_t targets);

/* the value has ended; match and tested are its own, depth is where it is */
int em_select_ended(em_select_t *s, unsigned depth, uint64_t match,
    uint64_t tested);


/* em_select_filter.c: what PATHs meet, on its way through their filters */

/* hands on what a PATH meets at that depth, through the filters around it */
void em_select_deliver(em_select_t *s, unsigned k, unsigned depth,
    unsigned kind, uintptr_t row, const char *text, size_t len);

/*
 * Where something that a PATH meets at that depth has to wait: the slot of the
 * deepest filter around that is undecided or has failed, and its frame; NULL
 * if there is none.
 */
em_select_item_t *em_select_slot(em_select_t *s, unsigned k, unsigned depth,
    em_select_frame_t **frame);

/* it is known of a value at that depth whether a filter selects it */
void em_select_resolve(em_select_t *s, unsigned k, unsigned depth,
    int passed);


/* em_select_verdict.c */

/* decides, if that is possible by now; whether nothing more is looked at */
int em_select_settle(em_select_t *s);

/* the text cannot be read on: what is in hand counts, if it is an error */
em_select_status_e em_select_break(em_select_t *s, em_select_reason_e reason);

/* the text has ended; whether there is another one */
int em_select_next(em_select_t *s);

/* makes s ready for a text */
void em_select_text(em_select_t *s);


#pragma GCC visibility pop


#endif /* _EM_SELECT_STATE_H_INCLUDED_ */
