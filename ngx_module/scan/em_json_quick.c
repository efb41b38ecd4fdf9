
#include "em_json_state.h"


#if (EM_JSON_SSE2)

/* the longest name and the longest text of a code that are compared */
#define EM_QUICK_WORD   15

/* the longest string that is passed by, in words */
#define EM_QUICK_WORDS  8


static inline unsigned em_quick_special(__m128i v);
static inline size_t em_quick_digits(const uint8_t *p);
static inline int em_quick_match(const em_json_pointers_t *set, __m128i name,
    size_t len, size_t *pointer);


size_t
em_json_quick(const em_json_pointers_t *set, const void *data, size_t len,
    const uint8_t **code, size_t *pointer)
{
    size_t          n, words;
    __m128i         v;
    unsigned        special;
    const uint8_t  *p, *last;

    if (len < 24) {
        return 0;
    }

    /* up to here, a word can be loaded from the byte after the next one */

    p = data;
    last = p + len - 18;

    if (p[0] != '{' || p[1] != '"') {
        return 0;
    }

    p++;

    do {
        /* p is at the quote of a name */

        v = _mm_loadu_si128((const __m128i *) (p + 1));
        special = em_quick_special(v);

        if (special == 0) {
            return 0;
        }

        n = (size_t) __builtin_ctz(special);
        p += n + 1;

        if (p >= last || p[0] != '"' || p[1] != ':') {
            return 0;
        }

        p += 2;
        p += (*p == ' ');

        if (set->lengths[0] >> n & 1 && em_quick_match(set, v, n, pointer)) {

            if (em_json_digit(*p)) {
                n = em_quick_digits(p);

                if ((*p == '0' && n > 1) || (p[n] != ',' && p[n] != '}')) {
                    return 0;
                }

            } else if (*p == '"' && p < last) {
                p++;

                special = em_quick_special(
                                        _mm_loadu_si128((const __m128i *) p));
                if (special == 0) {
                    return 0;
                }

                n = (size_t) __builtin_ctz(special);

                if (p[n] != '"') {
                    return 0;
                }

            } else {
                return 0;
            }

            *code = p;

            return n;
        }

        if (*p == '"') {
            p++;
            words = EM_QUICK_WORDS;

            for ( ;; ) {

                if (p > last || words-- == 0) {
                    return 0;
                }

                special = em_quick_special(
                                        _mm_loadu_si128((const __m128i *) p));
                if (special) {
                    break;
                }

                p += 16;
            }

            p += __builtin_ctz(special);

            if (*p++ != '"') {
                return 0;
            }

        } else if (em_json_digit(*p) && p < last) {
            p += (*p == '0') ? 1 : em_quick_digits(p);

        } else {
            return 0;
        }

        if (p >= last || *p++ != ',') {
            return 0;
        }

        p += (*p == ' ');

    } while (p < last && *p == '"');

    return 0;
}


/* sets the bits of quotes, backslashes and control characters */

static inline unsigned
em_quick_special(__m128i v)
{
    __m128i  special;

    special = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                           _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));

    /* without unsigned comparison: min(v, 0x1f) == v */

    special = _mm_or_si128(special,
                           _mm_cmpeq_epi8(_mm_min_epu8(v,
                                                       _mm_set1_epi8(0x1f)),
                                          v));

    return (unsigned) _mm_movemask_epi8(special);
}


/* returns the number of digits at p, at most 8, of which all are read */

static inline size_t
em_quick_digits(const uint8_t *p)
{
    uint64_t  w;

    memcpy(&w, p, 8);

    w ^= UINT64_C(0x3030303030303030);
    w = ((w + UINT64_C(0x7676767676767676)) | w) & UINT64_C(0x8080808080808080);

    return w ? (size_t) __builtin_ctzll(w) >> 3 : 8;
}


/* returns 1 if a pointer of one token, the first one, is this name */

static inline int
em_quick_match(const em_json_pointers_t *set, __m128i name, size_t len,
    size_t *pointer)
{
    size_t                    i;
    __m128i                   text;
    unsigned                  differ;
    const em_json_pointer_t  *p;

    for (i = 0; i < set->npointers; i++) {

        p = &set->pointers[i];

        if (p->ntokens != 1 || p->tokens[0].len != len) {
            continue;
        }

        text = _mm_loadu_si128((const __m128i *) p->text);
        differ = ~(unsigned) _mm_movemask_epi8(_mm_cmpeq_epi8(text, name));

        if ((differ & ((1u << len) - 1)) == 0) {
            *pointer = i;
            return 1;
        }
    }

    return 0;
}

#else

size_t
em_json_quick(const em_json_pointers_t *set, const void *data, size_t len,
    const uint8_t **code, size_t *pointer)
{
    (void) set;
    (void) data;
    (void) len;
    (void) code;
    (void) pointer;

    return 0;
}

#endif
