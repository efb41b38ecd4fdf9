
#include <stddef.h>

#include "em_json_state.h"


/* the members that are read at most */
#define EM_QUICK_MEMBERS  8

/* bytes of a string that are looked at first, without a loop */
#define EM_QUICK_BLOCK    16

/* ... and have been if no end was found */
#if (EM_JSON_SSE2)
#define EM_QUICK_SEEN     EM_QUICK_BLOCK
#else
#define EM_QUICK_SEEN     0
#endif

/* bytes of a long string that are looked at here, and not by the kernel */
#define EM_QUICK_STRING   64

/*
 * So many bytes may be loaded without a look at the end, for a member with a
 * short name and a number or a short string: ", ", a quote and 16 bytes, ": ", a
 * quote and 16 bytes.  The last ones of a text are copied, with zeros after them.
 */
#define EM_QUICK_AHEAD    40


typedef struct {
    const uint8_t  *last;         /* EM_QUICK_AHEAD bytes follow */
    const uint8_t  *end;
    ptrdiff_t       moved;        /* from the copy to the text */
    uint8_t         copy[2 * EM_QUICK_AHEAD];
} em_quick_t;


/* a member's name is that of no pointer, of a code, or leads further */

enum {
    name_other = 0,
    name_code,
    name_path
};


static const uint8_t *em_quick_at(em_quick_t *q, const uint8_t *p);
static inline unsigned em_quick_special(const uint8_t *p);
static const uint8_t *em_quick_name(const em_quick_t *q, const uint8_t *p);
static const uint8_t *em_quick_string(em_quick_t *q, const uint8_t *p,
    int whole);
static const uint8_t *em_quick_longer(em_quick_t *q, const uint8_t *p);
static const uint8_t *em_quick_skip(em_quick_t *q, const uint8_t *p,
    int whole);
static inline const uint8_t *em_quick_number(em_quick_t *q, const uint8_t *p);
static inline size_t em_quick_digits(const uint8_t *p);
static inline size_t em_quick_code(const em_quick_t *q, const uint8_t *p,
    const uint8_t **code);
static size_t em_quick_value(const em_quick_t *q, const uint8_t *p,
    const uint8_t **code);
static inline int em_quick_match(const em_json_pointers_t *set,
    const uint8_t *name, size_t len, size_t *pointer);
static int em_quick_match_long(const em_json_pointers_t *set,
    const uint8_t *name, size_t len, size_t *pointer);
static inline int em_quick_find(const em_json_pointers_t *set,
    const uint8_t *name, size_t len, size_t *pointer,
    int (*compare)(const void *, const void *, size_t));
static inline int em_quick_compare(const void *one, const void *two,
    size_t len);


size_t
em_json_quick(const em_json_pointers_t *set, const void *data, size_t len,
    size_t room, int whole, const uint8_t **code, size_t *pointer)
{
    int             match;
    size_t          size;
    unsigned        n, mask;
    em_quick_t      q;
    const uint8_t  *p, *name;

    p = data;

    if (len == 0 || *p != '{') {
        return 0;
    }

    q.end = p + len;
    q.last = (room < EM_QUICK_AHEAD) ? p - 1 : p + room - EM_QUICK_AHEAD;
    q.moved = 0;

    for (n = EM_QUICK_MEMBERS; n; n--) {

        /* at the opening bracket, or at a comma */

        if (p > q.last) {
            p = em_quick_at(&q, p);
            if (p == NULL) {
                return 0;
            }
        }

        if (*++p != '"' && (*p != ' ' || *++p != '"')) {
            return 0;
        }

        name = ++p;
        mask = em_quick_special(p);

        if (mask) {
            size = (unsigned) __builtin_ctz(mask);
            p += size;

        } else {
            p = em_quick_name(&q, p + EM_QUICK_SEEN);
            size = (size_t) (p - name);
            p = em_quick_at(&q, p);

            if (p == NULL) {
                return 0;
            }
        }

        if (memcmp(p, "\":", 2) != 0) {
            return 0;
        }

        p += 2;

        if (*p == ' ') {
            p++;
        }

        if (set->lengths[0] >> (size & 63) & 1) {

            match = (size < EM_QUICK_BLOCK)
                    ? em_quick_match(set, name, size, pointer)
                    : em_quick_match_long(set, name, size, pointer);

            if (match == name_code) {
                return em_quick_code(&q, p, code);
            }

            if (match == name_path && *p != '"' && !em_json_digit(*p)) {
                return 0;
            }
        }

        if (*p == '"') {
            p++;
            mask = em_quick_special(p);

            if (mask && p[(unsigned) __builtin_ctz(mask)] == '"') {
                p += (unsigned) __builtin_ctz(mask) + 1;

            } else {
                p = em_quick_string(&q, mask ? p : p + EM_QUICK_SEEN, whole);
                if (p == NULL) {
                    return 0;
                }
            }

        } else if (em_json_digit(*p)) {
            p = em_quick_number(&q, p);
            if (p == NULL) {
                return 0;
            }

        } else {
            p = em_quick_skip(&q, p, whole);
            if (p == NULL) {
                return 0;
            }
        }

        if (*p != ',') {
            return 0;
        }
    }

    return 0;
}


/*
 * Returns p, or where it is in a copy of what is left of the text, if too few
 * bytes follow; NULL at the end of the text.
 */

static __attribute__((noinline)) const uint8_t *
em_quick_at(em_quick_t *q, const uint8_t *p)
{
    size_t  len;

    if (p <= q->last) {
        return p;
    }

    if (p >= q->end || q->moved) {
        return NULL;
    }

    len = (size_t) (q->end - p);

    q->moved = p - q->copy;
    q->last = &q->copy[EM_QUICK_AHEAD];
    q->end = &q->copy[len];

    memset(q->copy, 0, sizeof(q->copy));
    memcpy(q->copy, p, len);

    return q->copy;
}


/* a mask of what ends a string in the next 16 bytes */

static inline unsigned
em_quick_special(const uint8_t *p)
{
#if (EM_JSON_SSE2)
    return em_json_special(_mm_loadu_si128((const __m128i *) p));
#else
    return 0;
#endif
}


/* the end of a name without an escape; those that are longer are rare */

static __attribute__((noinline)) const uint8_t *
em_quick_name(const em_quick_t *q, const uint8_t *p)
{
    return em_json_span(p, (q->end - p > EM_QUICK_STRING) ? p + EM_QUICK_STRING
                                                          : q->end);
}


/* the byte after a string, NULL at the end of the text */

static __attribute__((noinline)) const uint8_t *
em_quick_string(em_quick_t *q, const uint8_t *p, int whole)
{
    const uint8_t  *last;

    if (p >= q->end) {
        return NULL;
    }

    last = (q->end - p > EM_QUICK_STRING) ? p + EM_QUICK_STRING : q->end;

    p = em_json_span(p, last);

    if (p < last && *p == '"') {
        return em_quick_at(q, p + 1);
    }

    return whole ? em_quick_longer(q, p) : NULL;
}


static __attribute__((noinline)) const uint8_t *
em_quick_longer(em_quick_t *q, const uint8_t *p)
{
    em_json_skip_t  s;

    memset(&s, 0, sizeof(s));

    p = em_json_kernel_used->string(&s, p, q->end);

    return (p < q->end && *p == '"') ? em_quick_at(q, p + 1) : NULL;
}


/* the byte after a value that is no string or integer, or NULL */

static __attribute__((noinline)) const uint8_t *
em_quick_skip(em_quick_t *q, const uint8_t *p, int whole)
{
    em_json_skip_t  s;

    if (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0) {
        return p + 4;
    }

    if (memcmp(p, "false", 5) == 0) {
        return p + 5;
    }

    if (!whole || p >= q->end || (*p != '{' && *p != '[')) {
        return NULL;
    }

    memset(&s, 0, sizeof(s));

    s.depth = 1;
    s.open = *p;

    p = em_json_kernel_used->nested(&s, p + 1, q->end);

    return (s.depth == 0) ? em_quick_at(q, p) : NULL;
}


/* the byte after an integer without a sign, NULL at the end of the text */

static inline const uint8_t *
em_quick_number(em_quick_t *q, const uint8_t *p)
{
    size_t  n;

    if (*p == '0') {
        return p + 1;
    }

    n = em_quick_digits(p);

    return n ? p + n : em_quick_at(q, em_json_digits(p, q->end));
}


/* the digits at p, if they are less than 8, or 0 */

static inline size_t
em_quick_digits(const uint8_t *p)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

    uint64_t  w;

    memcpy(&w, p, 8);

    w = em_json_not_digits(w);

    return w ? (unsigned) __builtin_ctzll(w) >> 3 : 0;

#else

    return 0;

#endif
}


/* the code at p, a string without escapes or an integer; returns its length */

static inline size_t
em_quick_code(const em_quick_t *q, const uint8_t *p, const uint8_t **code)
{
    size_t  len;

    len = em_quick_digits(p);

    if (len == 0 || *p == '0') {
        return em_quick_value(q, p, code);
    }

    if (p + len >= q->end || (p[len] != ',' && p[len] != '}')) {
        return 0;
    }

    *code = p + q->moved;

    return len;
}


/* the same for others than few digits */

static __attribute__((noinline)) size_t
em_quick_value(const em_quick_t *q, const uint8_t *p, const uint8_t **code)
{
    size_t          len;
    const uint8_t  *value;

    value = p;

    if (p >= q->end) {
        return 0;
    }

    if (*p == '"') {
        value = ++p;

        p = em_json_span(p, (q->end - p > EM_JSON_TOKEN_MAX)
                            ? p + EM_JSON_TOKEN_MAX + 1 : q->end);

        if (p >= q->end || *p != '"') {
            return 0;
        }

        len = (size_t) (p - value);
        p++;

    } else if (em_json_digit(*p)) {
        p = (*p == '0') ? p + 1 : em_json_digits(p, q->end);
        len = (size_t) (p - value);

    } else {
        return 0;
    }

    if (p >= q->end || (*p != ',' && *p != '}') || len > EM_JSON_TOKEN_MAX) {
        return 0;
    }

    *code = value + q->moved;

    return len;
}


/* few names are longer than what can be compared at once */

static inline int
em_quick_match(const em_json_pointers_t *set, const uint8_t *name, size_t len,
    size_t *pointer)
{
    return em_quick_find(set, name, len, pointer, em_quick_compare);
}


static __attribute__((noinline)) int
em_quick_match_long(const em_json_pointers_t *set, const uint8_t *name,
    size_t len, size_t *pointer)
{
    return em_quick_find(set, name, len, pointer, memcmp);
}


static inline int
em_quick_find(const em_json_pointers_t *set, const uint8_t *name, size_t len,
    size_t *pointer, int (*compare)(const void *, const void *, size_t))
{
    int                       match;
    size_t                    i;
    const em_json_pointer_t  *p;

    match = name_other;

    for (i = 0; i < set->npointers; i++) {

        p = &set->pointers[i];

        if (p->ntokens == 0 || p->tokens[0].len != len
            || compare(p->text, name, len) != 0)
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


/* returns 0 if less than EM_QUICK_BLOCK bytes are equal */

static inline int
em_quick_compare(const void *one, const void *two, size_t len)
{
#if (EM_JSON_SSE2)

    unsigned  equal;

    equal = _mm_movemask_epi8(_mm_cmpeq_epi8(
                                     _mm_loadu_si128((const __m128i *) one),
                                     _mm_loadu_si128((const __m128i *) two)));

    return ~equal & ((1u << len) - 1);

#else

    return memcmp(one, two, len);

#endif
}
