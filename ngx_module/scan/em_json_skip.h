
/*
 * Skips values that no pointer enters, 64 bytes at a time, by masks with a bit
 * for each byte; the first byte is the lowest bit.
 *
 * A value is only searched for its end: for quotes, backslashes, and brackets
 * of its own kind.
 */


#ifndef _EM_JSON_SKIP_H_INCLUDED_
#define _EM_JSON_SKIP_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


#define EM_JSON_BLOCK  64


/* ready if zero-filled except for depth and open; may be copied */

typedef struct {
    uint64_t            depth;    /* open brackets */
    uint64_t            string;   /* all bits set within a string, or none */
    uint8_t             escaped;  /* the next byte is escaped */
    uint8_t             open;     /* '{' or '[', the closing one is 2 above */
} em_json_skip_t;


/*
 * Both functions read from p up to end, and no byte beyond.  They return the
 * position where they stopped, end if more bytes are needed.
 */

typedef struct {
    const char         *name;

    /*
     * Skips an array or object, from after its opening bracket with depth 1;
     * depth is 0 after the closing bracket.
     */
    const uint8_t      *(*nested)(em_json_skip_t *s, const uint8_t *p,
                            const uint8_t *end);

    /*
     * Skips a string, from after its opening quote; stops at its closing quote
     * or at a control character.
     */
    const uint8_t      *(*string)(em_json_skip_t *s, const uint8_t *p,
                            const uint8_t *end);
} em_json_kernel_t;


/* from em_json_<name>.c, if the compiler supports them */
extern const em_json_kernel_t   em_json_avx512;
extern const em_json_kernel_t   em_json_avx2;
extern const em_json_kernel_t   em_json_sse2;
extern const em_json_kernel_t   em_json_neon;
extern const em_json_kernel_t   em_json_plain;

/* the one in use; see em_json_kernel() */
extern const em_json_kernel_t  *em_json_kernel_used;


#pragma GCC visibility pop


#endif /* _EM_JSON_SKIP_H_INCLUDED_ */
