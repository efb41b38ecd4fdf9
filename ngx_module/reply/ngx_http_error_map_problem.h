
/*
 * Problem details, RFC 9457.
 */


#ifndef _NGX_HTTP_ERROR_MAP_PROBLEM_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_PROBLEM_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/*
 * Sets text to problem details of RFC 9457; type is the prefix of the member
 * "type" or "".  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_problem(ngx_http_request_t *r, ngx_str_t *type,
    ngx_http_error_map_ctx_t *ctx, ngx_str_t *text);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_PROBLEM_H_INCLUDED_ */
