
/*
 * The variables.
 */


#ifndef _NGX_HTTP_ERROR_MAP_VARIABLES_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_VARIABLES_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/* returns the status that the upstream sent */
ngx_uint_t ngx_http_error_map_upstream_status(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx);

extern ngx_str_t  ngx_http_error_map_verdicts[];

/* the contexts of skipped responses, by reason */
extern ngx_http_error_map_ctx_t  ngx_http_error_map_skipped[];

ngx_int_t ngx_http_error_map_add_variables(ngx_conf_t *cf);

/* returns the context that variables of the request show, or NULL */
ngx_http_error_map_ctx_t *ngx_http_error_map_variable_ctx(
    ngx_http_request_t *r);

/* returns the number of the variable called name, or NGX_DECLINED */
ngx_int_t ngx_http_error_map_variable_number(ngx_str_t *name);

/* gets the value of a variable for a decided response; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_variable_value(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_uint_t number, ngx_str_t *value);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_VARIABLES_H_INCLUDED_ */
