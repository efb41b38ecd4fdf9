
/*
 * What the files of em_path share, and nobody else includes.
 */


#ifndef _EM_PATH_STATE_H_INCLUDED_
#define _EM_PATH_STATE_H_INCLUDED_


#include "em_path.h"


#pragma GCC visibility push(hidden)


typedef struct {
    em_path_t           *path;
    const char          *start;
    const char          *p;
    const char          *end;
    size_t               used;    /* bytes of path->text */
    char                *error;
} em_path_parser_t;


extern const char  em_path_deep[];
extern const char  em_path_long[];


/* the parts of a JSONPath, from "$" on; as em_path_parse() */
const char *em_path_query(em_path_parser_t *pp);

/* adds a selector; NULL if there are too many */
em_path_selector_t *em_path_selector(em_path_parser_t *pp, int kind);

/* RFC 6901: no leading zeros; "-" is an element that does not exist */
uint32_t em_path_index(const char *text, size_t len);


/* whether RFC 9535 allows the byte in .name, at its start or within */

static inline int
em_path_name_char(char c, int first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
           || (unsigned char) c >= 0x80 || (!first && c >= '0' && c <= '9');
}


#pragma GCC visibility pop


#endif /* _EM_PATH_STATE_H_INCLUDED_ */
