
/* em_json_block.h for any processor, 8 bytes at a time */


#include <stdint.h>
#include <string.h>

#include "em_json_mask.h"


#define em_kernel       em_json_plain
#define em_kernel_name  "plain"
#define em_target

#define em_ones         UINT64_C(0x0101010101010101)
#define em_low          UINT64_C(0x7f7f7f7f7f7f7f7f)


typedef struct {
    uint64_t  v[8];
} em_block_t;


static inline void
em_block_load(em_block_t *b, const uint8_t *p)
{
    int  i;

    for (i = 0; i < 8; i++) {
        memcpy(&b->v[i], p + 8 * i, 8);

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        b->v[i] = __builtin_bswap64(b->v[i]);
#endif
    }
}


/* collects the inverted top bits of the bytes */

static inline uint64_t
em_word_mask(uint64_t w)
{
    return ((~w >> 7 & em_ones) * 0x0102040810204080) >> 56;
}


/* sets the top bit of each byte that is not ch, without carries between them */

static inline uint64_t
em_word_differs(uint64_t w, uint8_t ch)
{
    w ^= em_ones * ch;

    return ((w & em_low) + em_low) | w;
}


/* ... that is not below 0x20 */

static inline uint64_t
em_word_shows(uint64_t w)
{
    return ((w & em_low) + em_ones * 0x60) | w;
}


static inline uint64_t
em_block_equal(const em_block_t *b, uint8_t ch)
{
    int       i;
    uint64_t  m;

    m = 0;

    for (i = 0; i < 8; i++) {
        m |= em_word_mask(em_word_differs(b->v[i], ch)) << 8 * i;
    }

    return m;
}


static inline uint64_t
em_block_control(const em_block_t *b)
{
    int       i;
    uint64_t  m;

    m = 0;

    for (i = 0; i < 8; i++) {
        m |= em_word_mask(em_word_shows(b->v[i])) << 8 * i;
    }

    return m;
}


static inline int
em_block_has(const em_block_t *b, uint8_t ch)
{
    int       i;
    uint64_t  w;

    w = ~em_low;

    for (i = 0; i < 8; i++) {
        w &= em_word_differs(b->v[i], ch);
    }

    return w != ~em_low;
}


static inline int
em_block_plain(const em_block_t *b)
{
    int       i;
    uint64_t  w;

    w = ~em_low;

    for (i = 0; i < 8; i++) {
        w &= em_word_differs(b->v[i], '"') & em_word_differs(b->v[i], '\\')
             & em_word_shows(b->v[i]);
    }

    return w == ~em_low;
}


#include "em_json_block.h"
