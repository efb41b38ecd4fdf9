
/*
 * What the kernels for x86-64 with PCLMULQDQ and POPCNT have in common: parts of
 * what em_json_block.h needs.  em_target is defined before.
 */


/* the carry-less product with all ones */

static inline em_target uint64_t
em_mask_prefix_xor(uint64_t m)
{
    __m128i  v;

    v = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long) m),
                             _mm_set1_epi8((char) 0xff), 0);

    return (uint64_t) _mm_cvtsi128_si64(v);
}


static inline em_target size_t
em_mask_count(uint64_t m)
{
    return (size_t) _mm_popcnt_u64(m);
}
