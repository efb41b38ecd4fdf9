
/*
 * PATHs: where in a JSON text the values of a document stand.  A PATH is a
 * JSON pointer (RFC 6901) or a JSONPath query of a subset of RFC 9535:
 *
 *   .name ['name'] ["name"]    a member
 *   [0]                        an element
 *   .* [*]                     any member or element
 *   [:]                        any element, no member
 *   [?@.name == VALUE]         members and elements that have a member called
 *                              name, the first of which is VALUE: a string, a
 *                              number, true, false or null; with != also those
 *                              that have none; @['name'] is allowed, too
 *
 * Blanks are allowed where RFC 9535 has them.
 */


#ifndef _EM_PATH_H_INCLUDED_
#define _EM_PATH_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


#define EM_PATH_SELECTORS    16   /* of one PATH */
#define EM_PATH_TEXT        256   /* more than the bytes of one PATH */
#define EM_PATH_NAME_MAX    128   /* bytes of a name */
#define EM_PATH_ERROR      1024   /* bytes of a message */

#define EM_PATH_NO_INDEX  0xffffffff


typedef enum {
    EM_PATH_TOKEN = 0,            /* of a pointer: a name or an index */
    EM_PATH_NAME,
    EM_PATH_INDEX,
    EM_PATH_ANY,
    EM_PATH_EACH,                 /* [:] */
    EM_PATH_FILTER
} em_path_selector_e;


typedef enum {
    EM_PATH_STRING = 0,
    EM_PATH_NUMBER,               /* compared as it is written */
    EM_PATH_TRUE,
    EM_PATH_FALSE,
    EM_PATH_NULL
} em_path_type_e;


typedef struct {
    uint8_t             kind;     /* em_path_selector_e */
    uint8_t             name;     /* where in text the name is, ... */
    uint8_t             len;      /* ... and its bytes */

    uint8_t             unequal;  /* FILTER: != */
    uint8_t             type;     /* FILTER: em_path_type_e of VALUE */
    uint8_t             value;    /* FILTER: where VALUE is, ... */
    uint8_t             value_len;

    uint32_t            index;    /* TOKEN, INDEX; or EM_PATH_NO_INDEX */
} em_path_selector_t;


typedef struct {
    uint8_t             nselectors;

    /* neither any child, nor [:], nor a filter: leads to one place */
    uint8_t             plain;

    /*
     * The selectors that lead to the PATH's home: all but the last, up to the
     * first that is not a name or an index.
     */
    uint8_t             home;

    em_path_selector_t  selectors[EM_PATH_SELECTORS];
    char                text[EM_PATH_TEXT];     /* names and VALUEs, unescaped */
} em_path_t;


/*
 * Parses a PATH, len bytes at text.  Returns NULL, or why it is invalid, in
 * words that follow "invalid PATH "...": "; they are constant, or in error,
 * which has EM_PATH_ERROR bytes.  The text is not needed afterwards.
 *
 * "" is the pointer to the whole text; "$" alone is invalid, as is a pointer
 * with a token "*", which would be a member of that name.
 */

const char *em_path_parse(em_path_t *path, const char *text, size_t len,
    char *error);


#pragma GCC visibility pop


#endif /* _EM_PATH_H_INCLUDED_ */
