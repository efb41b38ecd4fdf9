
/*
 * Skipping what no pointer leads into: 64 bytes at a time, as masks of a bit
 * a byte, the first byte being the lowest bit.
 *
 * What is skipped is read for where it ends and for nothing else: quotes,
 * backslashes and the brackets of its own kind.
 */


#ifndef _EM_JSON_SKIP_H_INCLUDED_
#define _EM_JSON_SKIP_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


#define EM_JSON_BLOCK  64


/* zero-filled but for depth and open, it is ready; may be copied */

typedef struct {
    uint64_t            depth;    /* brackets that are to be closed */
    uint64_t            string;   /* all bits set within a string, or none */
    uint8_t             escaped;  /* a backslash stands before the next byte */
    uint8_t             open;     /* '{' or '[', the closing one is 2 above */
} em_json_skip_t;


/*
 * Both read from p up to end, and no byte beyond.  They return where they
 * stopped, which is end if there must be more.
 */

typedef struct {
    const char         *name;

    /*
     * Reads an array or object from behind its opening bracket, depth being 1:
     * depth becomes 0 behind its closing one.
     */
    const uint8_t      *(*nested)(em_json_skip_t *s, const uint8_t *p,
                            const uint8_t *end);

    /*
     * Reads a string from behind its opening quote, up to its closing quote
     * or a control character, which is where it stops.
     */
    const uint8_t      *(*string)(em_json_skip_t *s, const uint8_t *p,
                            const uint8_t *end);
} em_json_kernel_t;


/* those of the files em_json_<name>.c, if the compiler could make them */
extern const em_json_kernel_t   em_json_avx2;
extern const em_json_kernel_t   em_json_sse2;
extern const em_json_kernel_t   em_json_neon;
extern const em_json_kernel_t   em_json_plain;

/* the one in use; see em_json_kernel() */
extern const em_json_kernel_t  *em_json_kernel_used;


#pragma GCC visibility pop


#endif /* _EM_JSON_SKIP_H_INCLUDED_ */
