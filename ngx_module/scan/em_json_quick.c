
#include "em_json_state.h"


/* the members that are read at most */
#define EM_QUICK_MEMBERS  8

/* bytes of a string that are looked at here, and not by the kernel */
#define EM_QUICK_STRING   64

/*
 * So many bytes may be loaded without a look at the end: ", " or ": ", a quote
 * and 16 bytes.  The last ones of a text are copied, with zeros after them.
 */
#define EM_QUICK_AHEAD    20


typedef struct {
    const uint8_t  *text;         /* where base is in the text */
    const uint8_t  *base;         /* the text itself, or the copy */
    const uint8_t  *last;         /* EM_QUICK_AHEAD bytes follow */
    const uint8_t  *end;
    int             whole;
    uint8_t         copy[2 * EM_QUICK_AHEAD];
} em_quick_t;


/* a member's name is that of no pointer, of a code, or leads further */

enum {
    name_other = 0,
    name_code,
    name_path
};


static const uint8_t *em_quick_copy(em_quick_t *q, const uint8_t *p);
static inline const uint8_t *em_quick_string(const em_quick_t *q,
    const uint8_t *p);
static const uint8_t *em_quick_long(const em_quick_t *q, const uint8_t *p);
static const uint8_t *em_quick_longer(const em_quick_t *q, const uint8_t *p,
    int match);
static const uint8_t *em_quick_skip(const em_quick_t *q, const uint8_t *p);
static inline int em_quick_equal(const void *one, const void *two, size_t len);
static inline int em_quick_match(const em_json_pointers_t *set,
    const uint8_t *name, size_t len, size_t *pointer);


size_t
em_json_quick(const em_json_pointers_t *set, const void *data, size_t len,
    int whole, const uint8_t **code, size_t *pointer)
{
    int             match;
    size_t          n, size;
    em_quick_t      q;
    const uint8_t  *p, *name, *value;

    p = data;

    if (len == 0 || *p != '{') {
        return 0;
    }

    q.text = p;
    q.base = p;
    q.end = p + len;
    q.whole = whole;

    if (len < EM_QUICK_AHEAD) {
        p = em_quick_copy(&q, p);

    } else {
        q.last = q.end - EM_QUICK_AHEAD;
    }

    for (n = 0; n < EM_QUICK_MEMBERS; n++) {

        /* at the opening bracket, or at a comma */

        p++;

        if (*p == ' ') {
            p++;
        }

        if (*p++ != '"') {
            return 0;
        }

        name = p;
        p = em_quick_string(&q, p);
        size = (size_t) (p - name);

        if (p > q.last) {
            p = em_quick_copy(&q, p);
        }

        if (memcmp(p, "\":", 2) != 0) {
            return 0;
        }

        p += 2;

        if (*p == ' ') {
            p++;
        }

        match = (set->lengths[0] >> (size & 63) & 1)
                ? em_quick_match(set, name, size, pointer) : name_other;

        value = p;

        if (*p == '"') {
            value++;
            p = em_quick_string(&q, value);

            if (p == q.end || *p != '"') {
                p = em_quick_longer(&q, p, match);

                if (p == q.end || *p != '"') {
                    return 0;
                }
            }

            size = (size_t) (p++ - value);

        } else if (em_json_digit(*p)) {
            p = (*p == '0') ? p + 1 : em_json_digits(p, q.end);
            size = (size_t) (p - value);

        } else if (match == name_other) {
            p = em_quick_skip(&q, p);

        } else {
            return 0;
        }

        if (match == name_code) {

            if (p == q.end || (*p != ',' && *p != '}')) {
                return 0;
            }

            *code = q.text + (value - q.base);

            return (size > EM_JSON_TOKEN_MAX) ? 0 : size;
        }

        if (p > q.last) {
            p = em_quick_copy(&q, p);
        }

        if (*p != ',') {
            return 0;
        }
    }

    return 0;
}


/* goes on in a copy of what is left of the text */

static __attribute__((noinline)) const uint8_t *
em_quick_copy(em_quick_t *q, const uint8_t *p)
{
    size_t  len;

    if (q->base == q->copy) {
        return p;
    }

    len = (size_t) (q->end - p);

    q->text += p - q->base;
    q->base = q->copy;
    q->last = &q->copy[EM_QUICK_AHEAD];
    q->end = &q->copy[len];

    memset(q->copy, 0, sizeof(q->copy));
    memcpy(q->copy, p, len);

    return q->copy;
}


/* em_json_span() for few bytes, and first for those that are loaded at once */

static inline const uint8_t *
em_quick_string(const em_quick_t *q, const uint8_t *p)
{
#if (EM_JSON_SSE2)

    uint64_t  mask;

    mask = em_json_special(_mm_loadu_si128((const __m128i *) p));

    if (mask) {
        return p + __builtin_ctzll(mask);
    }

    return em_quick_long(q, p + 16);

#else

    return em_quick_long(q, p);

#endif
}


static __attribute__((noinline)) const uint8_t *
em_quick_long(const em_quick_t *q, const uint8_t *p)
{
    return em_json_span(p, (q->end - p > EM_QUICK_STRING) ? p + EM_QUICK_STRING
                                                          : q->end);
}


/* goes on in a string after its first bytes, where only a code has no escapes */

static __attribute__((noinline)) const uint8_t *
em_quick_longer(const em_quick_t *q, const uint8_t *p, int match)
{
    em_json_skip_t  s;

    if (match == name_code) {
        return em_json_span(p, (q->end - p > EM_JSON_TOKEN_MAX)
                               ? p + EM_JSON_TOKEN_MAX : q->end);
    }

    if (!q->whole) {
        return q->end;
    }

    memset(&s, 0, sizeof(s));

    return em_json_kernel_used->string(&s, p, q->end);
}


/*
 * Skips a value that no pointer enters, no string or integer; returns the end
 * of the text if that fails, which is not the end of an object.
 */

static __attribute__((noinline)) const uint8_t *
em_quick_skip(const em_quick_t *q, const uint8_t *p)
{
    em_json_skip_t  s;

    if (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0) {
        return p + 4;
    }

    if (memcmp(p, "false", 5) == 0) {
        return p + 5;
    }

    if (!q->whole || (*p != '{' && *p != '[')) {
        return q->end;
    }

    memset(&s, 0, sizeof(s));

    s.depth = 1;
    s.open = *p;

    p = em_json_kernel_used->nested(&s, p + 1, q->end);

    return (s.depth == 0) ? p : q->end;
}


static inline int
em_quick_equal(const void *one, const void *two, size_t len)
{
#if (EM_JSON_SSE2)

    unsigned  mask;

    if (len < 16) {
        mask = _mm_movemask_epi8(_mm_cmpeq_epi8(
                                     _mm_loadu_si128((const __m128i *) one),
                                     _mm_loadu_si128((const __m128i *) two)));

        return (~mask & ((1u << len) - 1)) == 0;
    }

#endif

    return memcmp(one, two, len) == 0;
}


static inline int
em_quick_match(const em_json_pointers_t *set, const uint8_t *name, size_t len,
    size_t *pointer)
{
    int                       match;
    size_t                    i;
    const em_json_pointer_t  *p;

    match = name_other;

    for (i = 0; i < set->npointers; i++) {

        p = &set->pointers[i];

        if (p->ntokens == 0 || p->tokens[0].len != len
            || !em_quick_equal(p->text, name, len))
        {
            continue;
        }

        if (p->ntokens == 1) {
            *pointer = i;
            return name_code;
        }

        match = name_path;
    }

    return match;
}
