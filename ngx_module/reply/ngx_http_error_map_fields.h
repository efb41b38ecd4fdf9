
/*
 * The fields of an error: what the vendor says beside the code.
 */


#ifndef _NGX_HTTP_ERROR_MAP_FIELDS_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_FIELDS_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/* adds the variables $error_map_field_NAME; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_add_field_variables(ngx_conf_t *cf);

/*
 * Finds out which fields of the document the configuration uses, by its
 * variables and problem bodies; others are not looked for.
 */
void ngx_http_error_map_want_fields(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf,
    ngx_http_error_map_document_t *document);

/*
 * Keeps the fields that the reader found in the context, control characters
 * as blanks, and the vendor's "retry_after" if the policy has none.  NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_keep_fields(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_http_error_map_reader_t *reader);

/* returns a field of the context by its name, which may be empty */
ngx_str_t ngx_http_error_map_field(ngx_http_error_map_ctx_t *ctx,
    ngx_str_t *name);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_FIELDS_H_INCLUDED_ */
