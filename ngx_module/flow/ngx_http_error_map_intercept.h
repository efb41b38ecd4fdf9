
/*
 * Replaces a response by an error page.
 */


#ifndef _NGX_HTTP_ERROR_MAP_INTERCEPT_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_INTERCEPT_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/* returns 1 if an error page is to replace the response, or 0 */
ngx_int_t ngx_http_error_map_intercepts(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx);

/*
 * Removes the response header, and saves the context for the error page.
 * Returns the status to finalize the request with, or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_intercept(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx);

/*
 * The same for a response that was held, whose caller still needs its upstream:
 * finalizes the upstream and the request in an event of its own.  A status of
 * another filter, which has refused the header, is the one to finalize with;
 * otherwise it is 0.
 */
void ngx_http_error_map_intercept_later(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_uint_t refused);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_INTERCEPT_H_INCLUDED_ */
