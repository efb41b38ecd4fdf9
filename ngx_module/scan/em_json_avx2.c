
/* em_json_block.h for x86-64 with AVX2, PCLMULQDQ and POPCNT */


#if defined(__x86_64__)

#include <immintrin.h>
#include <stdint.h>


#define em_kernel       em_json_avx2
#define em_kernel_name  "avx2"

/* BMI1 and BMI2 came with AVX2 */
#define em_target       __attribute__((target("avx2,bmi,bmi2,pclmul,popcnt")))


typedef struct {
    __m256i  v[2];
} em_block_t;


static inline em_target void
em_block_load(em_block_t *b, const uint8_t *p)
{
    b->v[0] = _mm256_loadu_si256((const __m256i *) p);
    b->v[1] = _mm256_loadu_si256((const __m256i *) (p + 32));
}


static inline em_target uint64_t
em_block_mask(__m256i low, __m256i high)
{
    return (uint64_t) (uint32_t) _mm256_movemask_epi8(low)
           | (uint64_t) (uint32_t) _mm256_movemask_epi8(high) << 32;
}


static inline em_target uint64_t
em_block_equal(const em_block_t *b, uint8_t ch)
{
    const __m256i  v = _mm256_set1_epi8((char) ch);

    return em_block_mask(_mm256_cmpeq_epi8(b->v[0], v),
                         _mm256_cmpeq_epi8(b->v[1], v));
}


static inline em_target int
em_block_has(const em_block_t *b, uint8_t ch)
{
    __m256i        found;
    const __m256i  v = _mm256_set1_epi8((char) ch);

    found = _mm256_or_si256(_mm256_cmpeq_epi8(b->v[0], v),
                            _mm256_cmpeq_epi8(b->v[1], v));

    return !_mm256_testz_si256(found, found);
}


/* without unsigned comparison: min(v, 0x1f) == v */

static inline em_target __m256i
em_vector_control(__m256i v)
{
    return _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v);
}


static inline em_target uint64_t
em_block_control(const em_block_t *b)
{
    return em_block_mask(em_vector_control(b->v[0]),
                         em_vector_control(b->v[1]));
}


static inline em_target __m256i
em_vector_special(__m256i v)
{
    __m256i  found;

    found = _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('"')),
                            _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\')));

    return _mm256_or_si256(found, em_vector_control(v));
}


static inline em_target int
em_block_plain(const em_block_t *b)
{
    __m256i  found;

    found = _mm256_or_si256(em_vector_special(b->v[0]),
                            em_vector_special(b->v[1]));

    return _mm256_testz_si256(found, found);
}


#include "em_json_clmul.h"


/* bytes that are looked at together, one branch for all */
#define EM_SPAN  256


/*
 * Skips plain bytes by the span; what is left may begin with some.  Quotes are
 * found together with control characters: with its second bit flipped, a quote
 * comes before all other bytes from the blank on, and after the controls.
 */

#define em_block_span  em_avx2_span

static inline em_target const uint8_t *
em_avx2_span(const uint8_t *p, const uint8_t *end)
{
    int             i;
    __m256i         v, low, slash;
    const uint8_t  *last;

    const __m256i  two = _mm256_set1_epi8(2);
    const __m256i  blank = _mm256_set1_epi8(' ');
    const __m256i  backslash = _mm256_set1_epi8('\\');

    if (end - p < EM_SPAN) {
        return p;
    }

    for (last = end - EM_SPAN; p <= last; p += EM_SPAN) {

        v = _mm256_loadu_si256((const __m256i *) p);
        low = _mm256_xor_si256(v, two);
        slash = _mm256_cmpeq_epi8(v, backslash);

#pragma GCC unroll 8
        for (i = 1; i < EM_SPAN / 32; i++) {
            v = _mm256_loadu_si256((const __m256i *) (p + 32 * i));
            low = _mm256_min_epu8(low, _mm256_xor_si256(v, two));
            slash = _mm256_or_si256(slash, _mm256_cmpeq_epi8(v, backslash));
        }

        low = _mm256_cmpeq_epi8(_mm256_min_epu8(low, blank), low);
        low = _mm256_or_si256(low, slash);

        if (!_mm256_testz_si256(low, low)) {
            break;
        }
    }

    return p;
}


#include "em_json_block.h"

#endif
