
/*
 * The wait for a verdict in the upstream layer.
 */


#ifndef _NGX_HTTP_ERROR_MAP_UPSTREAM_WAIT_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_UPSTREAM_WAIT_H_INCLUDED_


#include "ngx_http_error_map_upstream_ctx.h"


#pragma GCC visibility push(hidden)


/* reads on until there is a verdict; nginx still waits for the header */
void ngx_http_error_map_upstream_wait(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_upstream_t *up);

/* ends the wait, if any, and restores the handlers of the connection */
void ngx_http_error_map_upstream_stop(ngx_http_error_map_upstream_t *up);


/* the same, and frees the reader, at the end of an upstream */
void ngx_http_error_map_upstream_ended(ngx_http_request_t *r, void *up,
    ngx_int_t rc);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_UPSTREAM_WAIT_H_INCLUDED_ */
