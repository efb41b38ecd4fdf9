
/*
 * Internals of em_json, which em_select and em_path share.
 */


#ifndef _EM_JSON_STATE_H_INCLUDED_
#define _EM_JSON_STATE_H_INCLUDED_


#include <string.h>

#include "em_json.h"

/* EM_JSON_PORTABLE is for tests of the portable code */

#if defined(__SSE2__) && !defined(EM_JSON_PORTABLE)
#define EM_JSON_SSE2  1
#include <emmintrin.h>
#endif


#pragma GCC visibility push(hidden)


enum {
    sw_start = 0,
    sw_looked,                    /* the start, without em_json_quick() */
    sw_bom_1,
    sw_bom_2,
    sw_value,
    sw_first_element,             /* a value or "]" */
    sw_first_name,                /* a name or "}" */
    sw_name,
    sw_colon,
    sw_next,                      /* "," or the end of the array or object */
    sw_string,
    sw_escape,
    sw_unicode,
    sw_number,
    sw_literal,
    sw_skip,                      /* an array or object */
    sw_skip_string
};


/* the last part read of a number, which may not end after each of them */

enum {
    nm_minus = 0,
    nm_zero,
    nm_integer,
    nm_point,
    nm_fraction,
    nm_e,
    nm_e_sign,
    nm_exponent
};


/*
 * Continues a name or a captured string, from anywhere after its opening
 * quote.  Returns the position where it stopped: the end of the piece, after
 * the closing quote, or after an error.
 */
const uint8_t *em_json_string(em_json_t *j, const em_json_pointers_t *set,
    const uint8_t *p, const uint8_t *end);

/*
 * Appends len bytes to the token, or marks it as too long.  A high surrogate
 * still without a low one is appended first, as U+FFFD.
 */
void em_json_append(em_json_t *j, const void *data, size_t len);

/* continues a number; returns where it ends, or the end of the piece */
const uint8_t *em_json_number(em_json_t *j, const uint8_t *p,
    const uint8_t *end);

/* ... in a number whose state, an nm_*, is the caller's */
const uint8_t *em_json_number_read(uint8_t *number, const uint8_t *p,
    const uint8_t *end);

/* finds the pointers that lead to or through the next element of an array */
void em_json_element(em_json_t *j, const em_json_pointers_t *set);

/* finds the pointers that lead to or through the member called name */
void em_json_member(em_json_t *j, const em_json_pointers_t *set,
    const char *name, size_t len);


#define em_json_digit(c)  ((uint8_t) ((c) - '0') < 10)

/* whether a number may end after what has been read of it */

#define em_json_number_whole(number)                                          \
    ((number) == nm_zero || (number) == nm_integer                            \
     || (number) == nm_fraction || (number) == nm_exponent)


/* writes a character's 1 to 4 bytes, and returns how many they are */

static inline size_t
em_json_utf8(uint8_t *utf8, uint32_t ch)
{
    if (ch < 0x80) {
        utf8[0] = (uint8_t) ch;
        return 1;
    }

    if (ch < 0x800) {
        utf8[0] = (uint8_t) (0xc0 | ch >> 6);
        utf8[1] = (uint8_t) (0x80 | (ch & 0x3f));
        return 2;
    }

    if (ch < 0x10000) {
        utf8[0] = (uint8_t) (0xe0 | ch >> 12);
        utf8[1] = (uint8_t) (0x80 | (ch >> 6 & 0x3f));
        utf8[2] = (uint8_t) (0x80 | (ch & 0x3f));
        return 3;
    }

    utf8[0] = (uint8_t) (0xf0 | ch >> 18);
    utf8[1] = (uint8_t) (0x80 | (ch >> 12 & 0x3f));
    utf8[2] = (uint8_t) (0x80 | (ch >> 6 & 0x3f));
    utf8[3] = (uint8_t) (0x80 | (ch & 0x3f));

    return 4;
}


/* sets the top bit of the first byte, at least, that is not a digit */

static inline uint64_t
em_json_not_digits(uint64_t w)
{
    w ^= UINT64_C(0x3030303030303030);

    return ((w + UINT64_C(0x7676767676767676)) | w)
           & UINT64_C(0x8080808080808080);
}


/* returns the first byte that is not a digit, or end */

static inline const uint8_t *
em_json_digits(const uint8_t *p, const uint8_t *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

    uint64_t  w;

    while (end - p >= 8) {
        memcpy(&w, p, 8);

        w = em_json_not_digits(w);

        if (w) {
            return p + ((size_t) __builtin_ctzll(w) >> 3);
        }

        p += 8;
    }

#endif

    while (p < end && em_json_digit(*p)) {
        p++;
    }

    return p;
}


#if (EM_JSON_SSE2)

/* a mask of the quotes, backslashes and control characters */

static inline unsigned
em_json_special(__m128i v)
{
    __m128i  found;

    found = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                         _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));

    /* without unsigned comparison: min(v, 0x1f) == v */

    found = _mm_or_si128(found,
                         _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)),
                                        v));

    return (unsigned) _mm_movemask_epi8(found);
}

#endif


/*
 * Returns the first quote, backslash or control character from p on, or end:
 * a string contains other bytes as they are.
 */

static inline const uint8_t *
em_json_span(const uint8_t *p, const uint8_t *end)
{
    uint64_t  w, stop;

    static const uint64_t  ones = 0x0101010101010101;
    static const uint64_t  high = 0x8080808080808080;

#if (EM_JSON_SSE2)

    unsigned  mask;

    while (end - p >= 16) {
        mask = em_json_special(_mm_loadu_si128((const __m128i *) p));

        if (mask) {
            return p + __builtin_ctz(mask);
        }

        p += 16;
    }

#endif

    while (end - p >= 8) {
        memcpy(&w, p, 8);

        /*
         * Sets the top bit of a byte below 0x80 that is a quote, a backslash,
         * or below 0x20.  A borrow from the next byte may set a wrong bit, but
         * never without a right one.
         */

        stop = ((w ^ ones * '"') - ones) | ((w ^ ones * '\\') - ones)
               | (w - ones * 0x20);

        if (stop & ~w & high) {
            break;
        }

        p += 8;
    }

    while (p < end && *p != '"' && *p != '\\' && *p >= 0x20) {
        p++;
    }

    return p;
}


#pragma GCC visibility pop


#endif /* _EM_JSON_STATE_H_INCLUDED_ */
