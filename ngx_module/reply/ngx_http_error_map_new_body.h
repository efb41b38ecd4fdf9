
/*
 * The body that replaces the vendor's.
 */


#ifndef _NGX_HTTP_ERROR_MAP_NEW_BODY_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_NEW_BODY_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/* the directive error_map_body */
char *ngx_http_error_map_body(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Creates ctx->body and sets its headers, if a response of this status has a
 * body of its own.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_create_body(ngx_http_request_t *r,
    ngx_http_error_map_body_t *body, ngx_http_error_map_ctx_t *ctx);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_NEW_BODY_H_INCLUDED_ */
