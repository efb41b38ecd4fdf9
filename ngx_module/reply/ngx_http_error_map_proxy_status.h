
/*
 * The header Proxy-Status, RFC 9209.
 */


#ifndef _NGX_HTTP_ERROR_MAP_PROXY_STATUS_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_PROXY_STATUS_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/* the directive error_map_proxy_status */
char *ngx_http_error_map_proxy_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Appends a member called name to Proxy-Status, RFC 9209, with the status and
 * the code that the upstream sent.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_add_proxy_status(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_str_t *name);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_PROXY_STATUS_H_INCLUDED_ */
