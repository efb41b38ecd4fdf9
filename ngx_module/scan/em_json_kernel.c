
#include <string.h>

#include "em_json.h"
#include "em_json_skip.h"


/* the compiled kernels, the fastest first */

static const em_json_kernel_t *const  em_json_kernels[] = {
#if defined(__x86_64__)
    &em_json_avx512,
    &em_json_avx2,
#endif

#if defined(__SSE2__)
    &em_json_sse2,
#endif

#if defined(__aarch64__) && defined(__ARM_NEON)                               \
    && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    &em_json_neon,
#endif

    &em_json_plain,
    NULL
};


const em_json_kernel_t  *em_json_kernel_used = &em_json_plain;


const char *
em_json_kernel(const char *name)
{
    const em_json_kernel_t *const  *k;

    for (k = em_json_kernels; *k; k++) {

        if (name && strcmp((*k)->name, name) != 0) {
            continue;
        }

#if defined(__x86_64__)

        if (*k == &em_json_avx512
            && !(__builtin_cpu_supports("avx512bw")
                 && __builtin_cpu_supports("avx512vbmi2")
                 && __builtin_cpu_supports("pclmul")))
        {
            continue;
        }

        if (*k == &em_json_avx2
            && !(__builtin_cpu_supports("avx2")
                 && __builtin_cpu_supports("bmi")
                 && __builtin_cpu_supports("bmi2")
                 && __builtin_cpu_supports("pclmul")
                 && __builtin_cpu_supports("popcnt")))
        {
            continue;
        }

#endif

        em_json_kernel_used = *k;

        return (*k)->name;
    }

    return NULL;
}
