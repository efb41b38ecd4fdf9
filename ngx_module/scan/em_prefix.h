
/*
 * em_prefix: what may stand before a JSON text to hide it from a script tag:
 *
 *   )]}'  and a comma           while(1);          for(;;);
 *
 * and then, or alone, JSONP: a name of up to 128 bytes and the bracket, before
 * them "typeof name === 'function' &&" or "name &&" and, before that, an empty
 * comment or one that ends with its line.  Blanks may stand between all of them;
 * 512 bytes are allowed for it all.
 *
 * A push parser like em_json.  A UTF-8 byte order mark may come first.
 */


#ifndef _EM_PREFIX_H_INCLUDED_
#define _EM_PREFIX_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


#define EM_PREFIX_MAX   512
#define EM_PREFIX_NAME  128


typedef enum {
    EM_PREFIX_MORE = 0,           /* the next piece is needed */
    EM_PREFIX_TEXT,               /* *p is the first byte of a JSON text */
    EM_PREFIX_LITERAL,            /* the text was true, false or null */
    EM_PREFIX_MALFORMED,
    EM_PREFIX_CHARSET             /* UTF-16 or UTF-32 */
} em_prefix_status_e;


typedef enum {
    EM_PREFIX_TRUE = 0,
    EM_PREFIX_FALSE,
    EM_PREFIX_NULL
} em_prefix_literal_e;


/* zero-filled, it is ready; may be copied.  For the caller: the two first */

typedef struct {
    uint8_t             literal;  /* em_prefix_literal_e */
    uint8_t             jsonp;    /* a bracket is open */

    uint8_t             state;
    uint8_t             stage;    /* what of the prefix has been */
    uint8_t             words;    /* the name read may still be one of them */
    uint8_t             len;      /* bytes of the name, or of what must come */
    uint16_t            count;    /* bytes of the prefix */
} em_prefix_t;


/*
 * Reads from *p, up to end.  With EM_PREFIX_TEXT, *p is moved to a byte that
 * is no blank, and the rest is for another reader; with EM_PREFIX_LITERAL, to
 * what follows the literal.  A prefix is not told from a literal before the
 * byte after it.  The caller asks no more once it is not EM_PREFIX_MORE.
 *
 * Bytes that begin a JSON text other than a literal are not looked at further:
 * where the first byte of a body is "{" or "[", this need not be called.
 */

em_prefix_status_e em_prefix_feed(em_prefix_t *x, const uint8_t **p,
    const uint8_t *end);


/*
 * The body has ended: EM_PREFIX_LITERAL or EM_PREFIX_MALFORMED, or, where
 * nothing but blanks have been, EM_PREFIX_MORE.
 */

em_prefix_status_e em_prefix_end(em_prefix_t *x);


#pragma GCC visibility pop


#endif /* _EM_PREFIX_H_INCLUDED_ */
