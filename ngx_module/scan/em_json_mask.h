
/* portable functions for masks, see em_json_block.h */


#ifndef _EM_JSON_MASK_H_INCLUDED_
#define _EM_JSON_MASK_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


static inline uint64_t
em_mask_prefix_xor(uint64_t m)
{
    m ^= m << 1;
    m ^= m << 2;
    m ^= m << 4;
    m ^= m << 8;
    m ^= m << 16;
    m ^= m << 32;

    return m;
}


/* a loop, as 64 bytes have few brackets */

static inline size_t
em_mask_count(uint64_t m)
{
    size_t  n;

    for (n = 0; m; n++) {
        m &= m - 1;
    }

    return n;
}


#endif /* _EM_JSON_MASK_H_INCLUDED_ */
