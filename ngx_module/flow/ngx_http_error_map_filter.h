
/*
 * The state machine: header and body filter.
 */


#ifndef _NGX_HTTP_ERROR_MAP_FILTER_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_FILTER_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


ngx_int_t ngx_http_error_map_body_filter_init(ngx_conf_t *cf);
ngx_int_t ngx_http_error_map_header_filter_init(ngx_conf_t *cf);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_FILTER_H_INCLUDED_ */
