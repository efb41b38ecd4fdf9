
/*
 * The headers: their directive, what is added and what is removed.
 */


#ifndef _NGX_HTTP_ERROR_MAP_HEADER_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_HEADER_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/* the directive error_map_header */
char *ngx_http_error_map_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* returns what is added where the directive is not used, NULL on error */
ngx_array_t *ngx_http_error_map_default_headers(ngx_conf_t *cf);

/* returns a set of bits for the names of nelts headers, vendor as it is set */
uint64_t ngx_http_error_map_name_bits(ngx_http_error_map_header_t *header,
    ngx_uint_t nelts, ngx_uint_t vendor);

/*
 * Removes what only this module says from what a vendor sent; bits are those
 * of the headers' names.
 */
void ngx_http_error_map_remove_spoofed(ngx_http_request_t *r,
    ngx_array_t *headers, uint64_t bits);

/* removes what belongs to what was asked for, and not to an error */
void ngx_http_error_map_remove_validators(ngx_http_request_t *r);

/* removes what describes a body that another one takes the place of */
void ngx_http_error_map_remove_representation(ngx_http_request_t *r);

/* adds the headers as their values are now; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_add_headers(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_array_t *headers);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_HEADER_H_INCLUDED_ */
