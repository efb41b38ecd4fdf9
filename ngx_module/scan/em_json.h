
/*
 * em_json: finds the first string or number at one of several JSON pointers
 * (RFC 6901) in a JSON text (RFC 8259) that comes in pieces.
 *
 * A push parser: no allocation, no recursion, libc only.  Token size is
 * bounded, depth costs nothing.  The result does not depend on how the text
 * is cut, and is returned at the first byte that makes it certain.
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
#define EM_JSON_TOKEN_MAX   128   /* bytes of a code, and of a name compared */


typedef struct {
    uint8_t             len;      /* bytes, at most EM_JSON_TOKEN_MAX */
    uint8_t             offset;   /* in text */
    uint32_t            index;    /* as an array index, or EM_JSON_NO_INDEX */
} em_json_token_t;

#define EM_JSON_NO_INDEX  0xffffffff


typedef struct {
    size_t              ntokens;
    em_json_token_t     tokens[EM_JSON_TOKENS];
    char                text[EM_JSON_TEXT];
} em_json_pointer_t;


/* a set of pointers; a zero-filled one is empty */

typedef struct {
    size_t              npointers;
    em_json_pointer_t   pointers[EM_JSON_POINTERS];

    /* bits of pointers, by the number of tokens matched so far */
    uint32_t            ends[EM_JSON_TOKENS + 1];     /* no token is left */
    uint32_t            indexes[EM_JSON_TOKENS + 1];  /* next may be an index */

    /* bits of lengths modulo 64, by the number of a token */
    uint64_t            lengths[EM_JSON_TOKENS];
} em_json_pointers_t;


typedef enum {
    EM_JSON_MORE = 0,             /* the next piece is needed */
    EM_JSON_FOUND,                /* token holds the code */
    EM_JSON_COMPLETE,             /* no code can follow */
    EM_JSON_EMPTY,                /* nothing but blanks */
    EM_JSON_MALFORMED             /* not JSON */
} em_json_status_e;


/*
 * The parser; it may be copied between two pieces.  The caller uses status,
 * token, len and pointer only.
 */

typedef struct {
    em_json_status_e    status;

    uint8_t             state;
    uint8_t             number;   /* state within a number */
    uint8_t             name;     /* the string is a member name */
    uint8_t             capture;  /* the string or number goes to token */
    uint8_t             overflow; /* ... but is too long for it */
    uint8_t             nhex;     /* digits of \uXXXX seen */
    uint16_t            unit;     /* \uXXXX, a UTF-16 code unit */
    uint16_t            high;     /* a high surrogate waits for its low one */
    uint8_t             depth;    /* open arrays and objects being searched */
    uint8_t             close;    /* the bracket that closes the last one */
    uint32_t            objects;  /* by depth: a bit, set for an object */
    uint32_t            match;    /* pointers that lead to or through a value */
    const char         *literal;  /* the rest of true, false or null */

    em_json_skip_t      skip;     /* a value that no pointer enters */

    size_t              pointer;  /* EM_JSON_FOUND: number of the pointer */
    size_t              len;      /* EM_JSON_FOUND: bytes in token */

    /* em_json_init() leaves the rest as it is */

    uint32_t            alive[EM_JSON_TOKENS];    /* by depth: pointers */
    uint32_t            index[EM_JSON_TOKENS];    /* by depth: array index */
    char                token[EM_JSON_TOKEN_MAX];     /* unescaped, no NUL */
} em_json_t;


/*
 * Selects the kernel of all parsers from now on: "avx512", "avx2", "sse2",
 * "neon" or "plain", or the fastest that the processor supports if name is NULL.
 * Returns the name of the kernel, or NULL without any change if it is not
 * available.  Kernels differ in speed only; the default is "plain".
 */

const char *em_json_kernel(const char *name);


/*
 * Adds an RFC 6901 pointer, len bytes long, to the set; the text is copied.
 * "" is the whole document.  Returns NULL, or a constant clause that ends an
 * error message and tells a valid value; the set is unchanged then.
 */

const char *em_json_pointer_add(em_json_pointers_t *set, const char *text,
    size_t len);


/* prepares the parser for the first piece of a text */

void em_json_init(em_json_t *j);


/*
 * Reads the next piece, len bytes at data and no byte beyond; len may be 0.
 * The set must be the same for all pieces of a text.  A status other than
 * EM_JSON_MORE is final, and later pieces are ignored.
 *
 * The first string or number at the end of any pointer is the code, even if
 * its member name is repeated.  A string is unescaped into UTF-8 (a lone
 * surrogate is U+FFFD), a number is kept as written.  The search goes on
 * after one longer than EM_JSON_TOKEN_MAX bytes, an empty string, null, a
 * boolean, an array or an object.  A UTF-8 byte order mark may come first.
 *
 * Values that pointers lead to or through are parsed as in RFC 8259, except
 * that strings may contain any bytes from 0x20 on.  Other strings are only
 * searched for their end and for control characters, other arrays and objects
 * only for the closing bracket.  Bytes after the end of the text are ignored.
 */

em_json_status_e em_json_feed(em_json_t *j, const em_json_pointers_t *set,
    const void *data, size_t len);


/*
 * Ends the text.  Never returns EM_JSON_MORE: a text of blanks, or of nothing,
 * is EM_JSON_EMPTY, any other incomplete one EM_JSON_MALFORMED.
 */

em_json_status_e em_json_end(em_json_t *j, const em_json_pointers_t *set);


/*
 * Reads the usual text, of len bytes at data: an object without blanks but one
 * after each colon and comma, with its code among the first members.  Bytes that
 * follow the text in memory, room in all, may be loaded.  Of a text that is not
 * whole, long strings, arrays and objects are not skipped.  Returns the length of
 * the code, sets where it is in the text and the number of its pointer, as
 * em_json_feed() finds it; or returns 0, which tells nothing.
 */
size_t em_json_quick(const em_json_pointers_t *set, const void *data,
    size_t len, size_t room, int whole, const uint8_t **code, size_t *pointer);

/*
 * Keeps em_json_feed() from calling em_json_quick() again; for an initialized
 * parser of a text for which it has returned 0.
 */
void em_json_looked(em_json_t *j);


#pragma GCC visibility pop


#endif /* _EM_JSON_H_INCLUDED_ */
