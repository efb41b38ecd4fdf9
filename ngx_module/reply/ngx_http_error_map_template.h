
/*
 * The template of a body: literal text, and variables that are escaped for its
 * type.
 */


#ifndef _NGX_HTTP_ERROR_MAP_TEMPLATE_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_TEMPLATE_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


/* a part of the template */

typedef struct {
    ngx_str_t                       text;    /* literal, or a variable's name */
    ngx_http_complex_value_t        value;   /* of a variable */
    unsigned                        variable:1;
    unsigned                        bare:1;  /* in JSON, outside of a string */
} ngx_http_error_map_part_t;


/*
 * Sets the type and the parts of a template; in JSON, its syntax is verified.
 * The text must remain.  NGX_OK, or NGX_ERROR with a message logged.
 */
ngx_int_t ngx_http_error_map_template_compile(ngx_conf_t *cf,
    ngx_http_error_map_body_t *body, ngx_str_t *type, ngx_str_t *text);

/*
 * Verifies that the variables of all templates exist, once all are declared.
 * NGX_OK, or NGX_ERROR with a message logged.
 */
ngx_int_t ngx_http_error_map_template_variables(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);

/* returns 1 if the type of a body is valid, as "type/subtype; name=value" */
ngx_uint_t ngx_http_error_map_template_type(ngx_str_t *type);

/*
 * Sets text to the template's, with the values that the variables have now.
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_template_text(ngx_http_request_t *r,
    ngx_http_error_map_body_t *body, ngx_str_t *text);

/*
 * Verifies JSON in parts, and marks the variables outside of strings.  Returns
 * NULL, or what is wrong with the text at *pos.
 */
char *ngx_http_error_map_template_json(ngx_array_t *parts, u_char **pos);

/* returns 1 if the text is a number, true, false or null of JSON */
ngx_uint_t ngx_http_error_map_template_json_literal(ngx_str_t *text);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_TEMPLATE_H_INCLUDED_ */
