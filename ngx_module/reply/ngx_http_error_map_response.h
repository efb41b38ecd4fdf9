
/*
 * Acts on a verdict: the context, the status.
 */


#ifndef _NGX_HTTP_ERROR_MAP_RESPONSE_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_RESPONSE_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"
#include "ngx_http_error_map_header.h"
#include "ngx_http_error_map_retry_after.h"


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

/* adds the error headers and Proxy-Status; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_add_error_headers(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx);


/* applies the verdict of an error; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_respond_error(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx);


/*
 * Applies the verdict to status and headers, and creates ctx->body if the body
 * is to be replaced; NGX_OK or NGX_ERROR.
 */

static ngx_inline ngx_int_t
ngx_http_error_map_respond(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx)
{
    if (conf->dry_run || ctx->verdict == NGX_HTTP_ERROR_MAP_SKIPPED) {
        return NGX_OK;
    }

    /* a vendor must not set headers that only this module may set */

    if (conf->headers) {
        ngx_http_error_map_remove_spoofed(r, conf->headers, conf->spoofed);
    }

    if (ngx_http_error_map_is_acted(ctx)
        && ngx_http_error_map_respond_error(r, conf, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_error_map_cap_retry_after(r, conf->policy);
}


/* creates the contexts shared by all requests; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_response_init(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_RESPONSE_H_INCLUDED_ */
