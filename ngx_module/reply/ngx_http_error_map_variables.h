
/*
 * The variables.
 */


#ifndef _NGX_HTTP_ERROR_MAP_VARIABLES_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_VARIABLES_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


typedef enum {
    ngx_http_error_map_var_document = 0,
    ngx_http_error_map_var_code,
    ngx_http_error_map_var_class,
    ngx_http_error_map_var_title,
    ngx_http_error_map_var_status,
    ngx_http_error_map_var_upstream_status,
    ngx_http_error_map_var_upstream_codes,
    ngx_http_error_map_var_retry_after,
    ngx_http_error_map_var_verdict,
    ngx_http_error_map_var_reason,
    ngx_http_error_map_var_hold_size,
    ngx_http_error_map_var_hold_time
} ngx_http_error_map_variable_e;


/* the numbers from 100 to 999, which statuses are */
extern ngx_str_t  ngx_http_error_map_decimals[];

/* the names of the classes */
extern ngx_str_t  ngx_http_error_map_classes[];

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


/*
 * The same for the values of a mapped response that are there already: returns
 * the value, or NULL for others.
 */

static ngx_inline ngx_str_t *
ngx_http_error_map_ready_value(ngx_http_error_map_ctx_t *ctx,
    ngx_uint_t number)
{
    ngx_uint_t  n;

    static ngx_str_t  empty = ngx_null_string;

    switch (number) {

    case ngx_http_error_map_var_document:
        return &ctx->document->name;

    case ngx_http_error_map_var_code:
        return &ctx->code;

    case ngx_http_error_map_var_class:
        return ctx->entry ? &ngx_http_error_map_classes[ctx->entry->class]
                          : NULL;

    case ngx_http_error_map_var_upstream_status:
        n = ctx->upstream_status - 100;
        return (n < 900) ? &ngx_http_error_map_decimals[n] : NULL;

    case ngx_http_error_map_var_retry_after:
        return (ctx->retry_after == NGX_HTTP_ERROR_MAP_NO_RETRY) ? &empty
                                                                 : NULL;
    default:
        return NULL;
    }
}


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_VARIABLES_H_INCLUDED_ */
