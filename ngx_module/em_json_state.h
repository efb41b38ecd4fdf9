
/*
 * What the files of em_json share, and nobody else includes.
 */


#ifndef _EM_JSON_STATE_H_INCLUDED_
#define _EM_JSON_STATE_H_INCLUDED_


#include "em_json.h"


enum {
    sw_start = 0,
    sw_bom_1,
    sw_bom_2,
    sw_value,
    sw_first_element,             /* a value or "]" */
    sw_first_name,                /* a name or "}" */
    sw_name,
    sw_colon,
    sw_next,                      /* "," or the end of the array or object */
    sw_string,
    sw_escape,
    sw_unicode,
    sw_number,
    sw_literal,
    sw_skip,                      /* an array or object */
    sw_skip_string
};


/*
 * Returns where the first byte from p on is that a string does not have as it
 * is, a quote, a backslash or a control character, or end.
 */
const uint8_t *em_json_span(const uint8_t *p, const uint8_t *end);

/*
 * Reads on in a name, or a string that is kept, from anywhere behind its
 * opening quote; returns where it stopped, which is the end of the piece, or
 * past the closing quote.
 */
const uint8_t *em_json_string(em_json_t *j, const em_json_pointers_t *set,
    const uint8_t *p, const uint8_t *end);

/*
 * Appends len bytes to the token, or marks it as too long; before them goes
 * what a high surrogate without a low one leaves behind.
 */
void em_json_append(em_json_t *j, const void *data, size_t len);

/* finds the pointers that lead to or through the member called name */
void em_json_member(em_json_t *j, const em_json_pointers_t *set,
    const char *name, size_t len);

/* is told that a string or number has ended; returns 1 if it is the code */
int em_json_found(em_json_t *j, const em_json_pointers_t *set);


#endif /* _EM_JSON_STATE_H_INCLUDED_ */
