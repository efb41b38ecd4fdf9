
/*
 * Adds and removes response headers.
 */


#ifndef _NGX_HTTP_ERROR_MAP_HEADER_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_HEADER_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/* the directive error_map_header */
char *ngx_http_error_map_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* returns the default headers, NULL on error */
ngx_array_t *ngx_http_error_map_default_headers(ngx_conf_t *cf);

/* returns the name bits of those of nelts headers with this vendor flag */
uint64_t ngx_http_error_map_name_bits(ngx_http_error_map_header_t *header,
    ngx_uint_t nelts, ngx_uint_t vendor);

/*
 * Removes headers sent by the vendor that only this module may set; bits are
 * the name bits of headers.
 */
void ngx_http_error_map_remove_spoofed(ngx_http_request_t *r,
    ngx_array_t *headers, uint64_t bits);

/* removes Accept-Ranges, ETag and Last-Modified, which an error cannot have */
void ngx_http_error_map_remove_validators(ngx_http_request_t *r);

/*
 * Removes what allows a cache to keep the response, and leaves what forbids it;
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_remove_freshness(ngx_http_request_t *r);

/*
 * Keeps the directive "expires" from adding headers beside those that this
 * module has added; NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_own_freshness(ngx_http_request_t *r);

/* removes validators, and headers that describe the replaced body */
void ngx_http_error_map_remove_representation(ngx_http_request_t *r);

/*
 * Allocates the headers of an error as elements of the response.  Returns NULL
 * if a value depends on more than the context, if a header replaces the
 * vendor's, or on lack of memory.
 */
ngx_array_t *ngx_http_error_map_ready_headers(ngx_pool_t *pool,
    ngx_http_error_map_ctx_t *ctx, ngx_array_t *headers);

/* adds them; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_add_ready_headers(ngx_http_request_t *r,
    ngx_array_t *ready);

/* adds the headers with their current values; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_add_headers(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_array_t *headers);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_HEADER_H_INCLUDED_ */
