
/*
 * Acts on a verdict: the context, the status.
 */


#ifndef _NGX_HTTP_ERROR_MAP_RESPONSE_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_RESPONSE_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)



/*
 * Creates the context of a response with this status, still without a verdict;
 * NULL on lack of memory.
 */
ngx_http_error_map_ctx_t *ngx_http_error_map_create_ctx(ngx_http_request_t *r,
    ngx_http_error_map_document_t *document, ngx_uint_t status);

/*
 * Sets the context of the request from the verdict of the reader: ctx, or if
 * it is NULL, a shared or a new one.  Returns NULL on lack of memory.
 */
ngx_http_error_map_ctx_t *ngx_http_error_map_decide(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_ctx_t *ctx);

/*
 * Applies the verdict to status and headers, and creates ctx->body if the body
 * is to be replaced; NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_respond(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx);

/* adds the error headers and Proxy-Status; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_add_error_headers(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx);


/* creates the contexts shared by all requests; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_response_init(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_RESPONSE_H_INCLUDED_ */
