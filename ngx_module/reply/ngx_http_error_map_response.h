
/*
 * Acts on a verdict: the context, the status.
 */


#ifndef _NGX_HTTP_ERROR_MAP_RESPONSE_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_RESPONSE_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/*
 * Returns a context for a response with that status whose verdict is to come,
 * or NULL.
 */
ngx_http_error_map_ctx_t *ngx_http_error_map_create_ctx(ngx_http_request_t *r,
    ngx_http_error_map_document_t *document, ngx_uint_t status);

/*
 * Makes the context of a verdict from what the reader found, and sets it for
 * the request; ctx is the one to use or NULL.  Returns NULL on lack of memory.
 */
ngx_http_error_map_ctx_t *ngx_http_error_map_decide(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_ctx_t *ctx);

/*
 * Changes status and headers as was decided, and makes ctx->body if there is to
 * be another one; NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_respond(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx);

/* adds the headers that tell of the verdict; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_add_error_headers(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx);


/* makes the contexts that are shared by all requests; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_response_init(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_RESPONSE_H_INCLUDED_ */
