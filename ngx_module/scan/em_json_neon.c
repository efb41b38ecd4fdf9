
/* em_json_block.h for 64-bit ARM */


#if defined(__aarch64__) && defined(__ARM_NEON)                               \
    && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

#include <arm_neon.h>
#include <stdint.h>

#include "em_json_mask.h"


#define em_kernel       em_json_neon
#define em_kernel_name  "neon"
#define em_target


typedef struct {
    uint8x16_t  v[4];
} em_block_t;


static inline void
em_block_load(em_block_t *b, const uint8_t *p)
{
    b->v[0] = vld1q_u8(p);
    b->v[1] = vld1q_u8(p + 16);
    b->v[2] = vld1q_u8(p + 32);
    b->v[3] = vld1q_u8(p + 48);
}


/* keeps a bit of each byte, then adds neighbours three times */

static inline uint64_t
em_block_mask(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d)
{
    uint8x16_t        low, high;
    const uint8x16_t  bits = { 1, 2, 4, 8, 16, 32, 64, 128,
                               1, 2, 4, 8, 16, 32, 64, 128 };

    low = vpaddq_u8(vandq_u8(a, bits), vandq_u8(b, bits));
    high = vpaddq_u8(vandq_u8(c, bits), vandq_u8(d, bits));

    low = vpaddq_u8(low, high);
    low = vpaddq_u8(low, low);

    return vgetq_lane_u64(vreinterpretq_u64_u8(low), 0);
}


static inline uint64_t
em_block_equal(const em_block_t *b, uint8_t ch)
{
    const uint8x16_t  v = vdupq_n_u8(ch);

    return em_block_mask(vceqq_u8(b->v[0], v), vceqq_u8(b->v[1], v),
                         vceqq_u8(b->v[2], v), vceqq_u8(b->v[3], v));
}


static inline int
em_block_has(const em_block_t *b, uint8_t ch)
{
    uint8x16_t        low, high;
    const uint8x16_t  v = vdupq_n_u8(ch);

    low = vorrq_u8(vceqq_u8(b->v[0], v), vceqq_u8(b->v[1], v));
    high = vorrq_u8(vceqq_u8(b->v[2], v), vceqq_u8(b->v[3], v));

    return vmaxvq_u8(vorrq_u8(low, high)) != 0;
}


static inline uint64_t
em_block_control(const em_block_t *b)
{
    const uint8x16_t  v = vdupq_n_u8(0x20);

    return em_block_mask(vcltq_u8(b->v[0], v), vcltq_u8(b->v[1], v),
                         vcltq_u8(b->v[2], v), vcltq_u8(b->v[3], v));
}


static inline uint8x16_t
em_vector_special(uint8x16_t v)
{
    uint8x16_t  found;

    found = vorrq_u8(vceqq_u8(v, vdupq_n_u8('"')),
                     vceqq_u8(v, vdupq_n_u8('\\')));

    return vorrq_u8(found, vcltq_u8(v, vdupq_n_u8(0x20)));
}


static inline int
em_block_plain(const em_block_t *b)
{
    uint8x16_t  low, high;

    low = vorrq_u8(em_vector_special(b->v[0]), em_vector_special(b->v[1]));
    high = vorrq_u8(em_vector_special(b->v[2]), em_vector_special(b->v[3]));

    return vmaxvq_u8(vorrq_u8(low, high)) == 0;
}


#include "em_json_block.h"

#endif
