
/*
 * The end of an upstream.
 */


#ifndef _NGX_HTTP_ERROR_MAP_UPSTREAM_END_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_UPSTREAM_END_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


/*
 * Called once, when nginx finalizes the upstream with rc: before it frees or
 * keeps the connection, and before it finalizes the request.
 */
typedef void (*ngx_http_error_map_end_pt)(ngx_http_request_t *r, void *data,
    ngx_int_t rc);

/* adds a handler for the end of the request's upstream; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_upstream_end(ngx_http_request_t *r,
    ngx_http_error_map_end_pt handler, void *data);

/* returns the data that was added with the handler */
void *ngx_http_error_map_upstream_end_data(ngx_http_request_t *r,
    ngx_http_error_map_end_pt handler);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_UPSTREAM_END_H_INCLUDED_ */
