
/*
 * The verdict inside nginx's upstream layer.
 */


#ifndef _NGX_HTTP_ERROR_MAP_UPSTREAM_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_UPSTREAM_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


/*
 * Wraps the handlers of the request's upstream if error_map_upstream is on; to
 * be called before a response can come.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_upstream_wrap(ngx_http_request_t *r);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_UPSTREAM_H_INCLUDED_ */
