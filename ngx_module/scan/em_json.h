
/*
 * em_json: finds the first string or number that stands at one of several
 * JSON pointers (RFC 6901) of a JSON text (RFC 8259) that comes in pieces.
 *
 * A push parser: no allocation, no recursion, libc only.  Token size is
 * bounded, depth costs nothing.  However the text is cut into pieces, the
 * answer is the same, and it is given at the first byte that makes it certain.
 */


#ifndef _EM_JSON_H_INCLUDED_
#define _EM_JSON_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "em_json_skip.h"


#pragma GCC visibility push(hidden)


#define EM_JSON_POINTERS     16   /* pointers of one set */
#define EM_JSON_TOKENS       16   /* reference tokens of one pointer */
#define EM_JSON_TEXT        256   /* bytes of one pointer's tokens */
#define EM_JSON_TOKEN_MAX   128   /* bytes of a code, and of a name looked at */


typedef struct {
    uint8_t             len;      /* bytes, at most EM_JSON_TOKEN_MAX */
    uint8_t             offset;   /* where in text */
    uint32_t            index;    /* as an array index, or EM_JSON_NO_INDEX */
} em_json_token_t;

#define EM_JSON_NO_INDEX  0xffffffff


typedef struct {
    size_t              ntokens;
    em_json_token_t     tokens[EM_JSON_TOKENS];
    char                text[EM_JSON_TEXT];
} em_json_pointer_t;


/* a set of pointers; zero-filled, it is the empty one */

typedef struct {
    size_t              npointers;
    em_json_pointer_t   pointers[EM_JSON_POINTERS];

    /* sets of pointers, a bit each, by the number of tokens matched so far */
    uint32_t            ends[EM_JSON_TOKENS + 1];     /* no token is left */
    uint32_t            indexes[EM_JSON_TOKENS + 1];  /* next may be an index */

    /* by the number of a token: lengths, a bit each, modulo 64 */
    uint64_t            lengths[EM_JSON_TOKENS];
} em_json_pointers_t;


typedef enum {
    EM_JSON_MORE = 0,             /* the next piece is needed */
    EM_JSON_FOUND,                /* token holds the code */
    EM_JSON_COMPLETE,             /* no code can follow */
    EM_JSON_MALFORMED             /* not JSON */
} em_json_status_e;


/*
 * The parser; it may be copied between two pieces.  Only token, len and
 * pointer are for the caller.
 */

typedef struct {
    em_json_status_e    status;

    uint8_t             state;
    uint8_t             number;   /* state within a number */
    uint8_t             name;     /* the string read is a member name */
    uint8_t             capture;  /* the string or number is kept in token */
    uint8_t             overflow; /* ... but is too long for it */
    uint8_t             nhex;     /* digits of \uXXXX seen */
    uint16_t            unit;     /* \uXXXX, a UTF-16 code unit */
    uint16_t            high;     /* a high surrogate waits for its low one */
    uint8_t             depth;    /* arrays and objects open and looked into */
    uint8_t             close;    /* the bracket that closes the last one */
    uint32_t            objects;  /* by depth: a bit */
    uint32_t            match;    /* pointers that lead to or through a value */
    const char         *literal;  /* what is left of true, false or null */

    em_json_skip_t      skip;     /* what no pointer leads into */

    size_t              pointer;  /* EM_JSON_FOUND: number of the pointer */
    size_t              len;      /* EM_JSON_FOUND: bytes in token */

    /* em_json_init() leaves from here on as it is */

    uint32_t            alive[EM_JSON_TOKENS];    /* by depth: through it */
    uint32_t            index[EM_JSON_TOKENS];    /* by depth: in an array */
    char                token[EM_JSON_TOKEN_MAX];     /* unescaped, no NUL */
} em_json_t;


/*
 * Chooses how texts are read by all parsers from now on: "avx2", "sse2",
 * "neon" or "plain", or the best way that the processor has if name is NULL.
 * Returns what was chosen, or NULL, nothing being changed, if there is no such
 * way here.  They differ in speed alone; before the first call it is "plain".
 */

const char *em_json_kernel(const char *name);


/*
 * Adds an RFC 6901 pointer, len bytes long, to the set.  Returns NULL, or
 * what is wrong with it in words that end a sentence; the set is then as it
 * was.  The text is copied.  "" is the whole document.
 */

const char *em_json_pointer_add(em_json_pointers_t *set, const char *text,
    size_t len);


/* makes the parser ready for the first piece of a text */

void em_json_init(em_json_t *j);


/*
 * Reads the next piece, len bytes at data, 0 being allowed; no byte beyond
 * is touched.  The set must be the same for all the pieces of a text.  Once
 * the status is not EM_JSON_MORE it stays and later pieces are not looked at.
 *
 * The first string or number met at the end of any pointer is the code, be
 * its member name repeated or not; a string is unescaped into UTF-8 (a lone
 * surrogate is U+FFFD), a number is taken as it is written.  One longer than
 * EM_JSON_TOKEN_MAX bytes, an empty string, and null, booleans, arrays and
 * objects, are passed over.  A UTF-8 byte order mark may come first.
 *
 * What pointers lead to or through is read as RFC 8259 has it, only that
 * strings may hold any bytes from 0x20 on.  A string that none leads to is
 * looked at for its end and for control characters; an array or object that
 * none leads into for nothing but the bracket that closes it.  What follows
 * the end of the text is not looked at.
 */

em_json_status_e em_json_feed(em_json_t *j, const em_json_pointers_t *set,
    const void *data, size_t len);


/*
 * Tells the parser that the last piece has been.  Never returns EM_JSON_MORE:
 * a text that ends too early is EM_JSON_MALFORMED.
 */

em_json_status_e em_json_end(em_json_t *j, const em_json_pointers_t *set);


#pragma GCC visibility pop


#endif /* _EM_JSON_H_INCLUDED_ */
