
/*
 * em_json_block.h for x86-64 with AVX-512, as Ice Lake and Zen 4 have it: of
 * earlier processors some become slower by 512 bits.
 */


#if defined(__x86_64__)

#include <immintrin.h>
#include <stdint.h>


#define em_kernel       em_json_avx512
#define em_kernel_name  "avx512"

#define em_target                                                             \
    __attribute__((target("avx512f,avx512bw,bmi,bmi2,pclmul,popcnt")))


typedef struct {
    __m512i  v;
} em_block_t;


static inline em_target void
em_block_load(em_block_t *b, const uint8_t *p)
{
    b->v = _mm512_loadu_si512((const void *) p);
}


static inline em_target uint64_t
em_block_equal(const em_block_t *b, uint8_t ch)
{
    return _mm512_cmpeq_epi8_mask(b->v, _mm512_set1_epi8((char) ch));
}


static inline em_target int
em_block_has(const em_block_t *b, uint8_t ch)
{
    return em_block_equal(b, ch) != 0;
}


static inline em_target uint64_t
em_block_control(const em_block_t *b)
{
    return _mm512_cmplt_epu8_mask(b->v, _mm512_set1_epi8(0x20));
}


static inline em_target int
em_block_plain(const em_block_t *b)
{
    return (em_block_equal(b, '"') | em_block_equal(b, '\\')
            | em_block_control(b))
           == 0;
}


#include "em_json_clmul.h"


/* bytes that are looked at together, one branch for all */
#define EM_SPAN  256


/*
 * 0 where a byte is a quote or a backslash, which differ in their low nibble, so
 * that one table has the byte that is special for each nibble; bytes from 0x80
 * on find 0 there.
 */

static inline em_target __m512i
em_vector_plain(__m512i v)
{
    const __m512i  special = _mm512_broadcast_i32x4(_mm_setr_epi8(
                     1, 0, '"', 0, 0, 0, 0, 0, 0, 0, 0, 0, '\\', 0, 0, 0));

    return _mm512_xor_si512(v, _mm512_shuffle_epi8(special, v));
}


/* skips plain bytes by the span; what is left may begin with some */

#define em_block_span  em_avx512_span

static inline em_target const uint8_t *
em_avx512_span(const uint8_t *p, const uint8_t *end)
{
    __m512i  v[4], low, plain;

    for ( /* void */ ; end - p >= EM_SPAN; p += EM_SPAN) {

        v[0] = _mm512_loadu_si512((const void *) p);
        v[1] = _mm512_loadu_si512((const void *) (p + 64));
        v[2] = _mm512_loadu_si512((const void *) (p + 128));
        v[3] = _mm512_loadu_si512((const void *) (p + 192));

        low = _mm512_min_epu8(_mm512_min_epu8(v[0], v[1]),
                              _mm512_min_epu8(v[2], v[3]));

        plain = _mm512_min_epu8(_mm512_min_epu8(em_vector_plain(v[0]),
                                                em_vector_plain(v[1])),
                                _mm512_min_epu8(em_vector_plain(v[2]),
                                                em_vector_plain(v[3])));

        /* no byte is 0 after saturation if none is below 0x20 */

        plain = _mm512_min_epu8(plain,
                                _mm512_subs_epu8(low, _mm512_set1_epi8(0x1f)));

        if (_mm512_testn_epi8_mask(plain, plain)) {
            break;
        }
    }

    return p;
}


#include "em_json_block.h"

#endif
