
/*
 * Acts on a verdict of the upstream layer.
 */


#ifndef _NGX_HTTP_ERROR_MAP_UPSTREAM_VERDICT_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_UPSTREAM_VERDICT_H_INCLUDED_


#include "ngx_http_error_map_upstream_ctx.h"


#pragma GCC visibility push(hidden)


/* sets the status of the response before nginx uses it */
void ngx_http_error_map_upstream_decide(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_upstream_t *up);

/*
 * Returns the context of the response that the upstream sends if the verdict
 * was reached while its header was read, or NULL.
 */
ngx_http_error_map_ctx_t *ngx_http_error_map_upstream_ctx(
    ngx_http_request_t *r, ngx_http_error_map_loc_conf_t *conf);

/*
 * Counts a response that nginx passes over: as such, and by its verdict unless
 * that is counted already.  An error is once it is decided, and others are when
 * they are sent.
 */
void ngx_http_error_map_upstream_count(ngx_http_request_t *r,
    ngx_http_error_map_upstream_t *up);

/* returns the milliseconds that the response waited in the upstream layer */
ngx_msec_t ngx_http_error_map_upstream_waited(ngx_http_request_t *r);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_UPSTREAM_VERDICT_H_INCLUDED_ */
