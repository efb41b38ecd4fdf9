
/* em_json_block.h for any x86-64 */


#if defined(__SSE2__)

#include <emmintrin.h>
#include <stdint.h>

#include "em_json_mask.h"


#define em_kernel       em_json_sse2
#define em_kernel_name  "sse2"
#define em_target


typedef struct {
    __m128i  v[4];
} em_block_t;


static inline void
em_block_load(em_block_t *b, const uint8_t *p)
{
    b->v[0] = _mm_loadu_si128((const __m128i *) p);
    b->v[1] = _mm_loadu_si128((const __m128i *) (p + 16));
    b->v[2] = _mm_loadu_si128((const __m128i *) (p + 32));
    b->v[3] = _mm_loadu_si128((const __m128i *) (p + 48));
}


static inline uint64_t
em_block_mask(__m128i a, __m128i b, __m128i c, __m128i d)
{
    return (uint64_t) (unsigned) _mm_movemask_epi8(a)
           | (uint64_t) (unsigned) _mm_movemask_epi8(b) << 16
           | (uint64_t) (unsigned) _mm_movemask_epi8(c) << 32
           | (uint64_t) (unsigned) _mm_movemask_epi8(d) << 48;
}


static inline uint64_t
em_block_equal(const em_block_t *b, uint8_t ch)
{
    const __m128i  v = _mm_set1_epi8((char) ch);

    return em_block_mask(_mm_cmpeq_epi8(b->v[0], v),
                         _mm_cmpeq_epi8(b->v[1], v),
                         _mm_cmpeq_epi8(b->v[2], v),
                         _mm_cmpeq_epi8(b->v[3], v));
}


static inline int
em_block_has(const em_block_t *b, uint8_t ch)
{
    __m128i        low, high;
    const __m128i  v = _mm_set1_epi8((char) ch);

    low = _mm_or_si128(_mm_cmpeq_epi8(b->v[0], v),
                       _mm_cmpeq_epi8(b->v[1], v));
    high = _mm_or_si128(_mm_cmpeq_epi8(b->v[2], v),
                        _mm_cmpeq_epi8(b->v[3], v));

    return _mm_movemask_epi8(_mm_or_si128(low, high)) != 0;
}


/* without unsigned comparison: min(v, 0x1f) == v */

static inline __m128i
em_vector_control(__m128i v)
{
    return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
}


static inline uint64_t
em_block_control(const em_block_t *b)
{
    return em_block_mask(em_vector_control(b->v[0]),
                         em_vector_control(b->v[1]),
                         em_vector_control(b->v[2]),
                         em_vector_control(b->v[3]));
}


static inline __m128i
em_vector_special(__m128i v)
{
    __m128i  found;

    found = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                         _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));

    return _mm_or_si128(found, em_vector_control(v));
}


static inline int
em_block_plain(const em_block_t *b)
{
    __m128i  low, high;

    low = _mm_or_si128(em_vector_special(b->v[0]), em_vector_special(b->v[1]));
    high = _mm_or_si128(em_vector_special(b->v[2]), em_vector_special(b->v[3]));

    return _mm_movemask_epi8(_mm_or_si128(low, high)) == 0;
}


#include "em_json_block.h"

#endif
