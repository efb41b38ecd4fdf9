
/*
 * The body that replaces the vendor's, RFC 9457.
 */


#ifndef _NGX_HTTP_ERROR_MAP_PROBLEM_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_PROBLEM_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/* the directive error_map_body */
char *ngx_http_error_map_body(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Creates ctx->body, problem details of RFC 9457, and sets its headers; type
 * is the prefix of the member "type" or "".  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_problem(ngx_http_request_t *r, ngx_str_t *type,
    ngx_http_error_map_ctx_t *ctx);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_PROBLEM_H_INCLUDED_ */
