
#include "ngx_http_error_map_module.h"


static ngx_int_t ngx_http_error_map_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static void ngx_http_error_map_string(ngx_http_variable_value_t *v,
    const void *data, size_t len);
static ngx_int_t ngx_http_error_map_integer(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, char *fmt, uintmax_t n, uintmax_t msec);


typedef enum {
    ngx_http_error_map_var_document = 0,
    ngx_http_error_map_var_code,
    ngx_http_error_map_var_class,
    ngx_http_error_map_var_title,
    ngx_http_error_map_var_status,
    ngx_http_error_map_var_upstream_status,
    ngx_http_error_map_var_retry_after,
    ngx_http_error_map_var_verdict,
    ngx_http_error_map_var_hold_size,
    ngx_http_error_map_var_hold_time
} ngx_http_error_map_variable_e;


static ngx_http_variable_t  ngx_http_error_map_vars[] = {

#define ngx_http_error_map_var(name)                                          \
    { ngx_string("error_map_" #name), NULL, ngx_http_error_map_variable,      \
      ngx_http_error_map_var_##name, NGX_HTTP_VAR_NOCACHEABLE, 0 }

    ngx_http_error_map_var(document),
    ngx_http_error_map_var(code),
    ngx_http_error_map_var(class),
    ngx_http_error_map_var(title),
    ngx_http_error_map_var(status),
    ngx_http_error_map_var(upstream_status),
    ngx_http_error_map_var(retry_after),
    ngx_http_error_map_var(verdict),
    ngx_http_error_map_var(hold_size),
    ngx_http_error_map_var(hold_time),

      ngx_http_null_variable
};


/* by ngx_http_error_map_verdict_e */

ngx_str_t  ngx_http_error_map_verdicts[] = {
    ngx_string("undecided"),
    ngx_string("none"),
    ngx_string("success"),
    ngx_string("unknown"),
    ngx_string("mapped")
};


ngx_int_t
ngx_http_error_map_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_error_map_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_uint_t                      class, status, upstream_status;
    ngx_msec_t                      msec;
    ngx_http_error_map_ctx_t       *ctx;
    ngx_http_error_map_loc_conf_t  *conf;

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->len = 0;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_error_map_filter_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_error_map_filter_module);

    if (ctx == NULL) {

        /* before there is a response nothing has been skipped */

        if (!conf->enable || r->headers_out.status == 0) {
            return NGX_OK;
        }

        if (data == ngx_http_error_map_var_verdict) {
            ngx_http_error_map_string(v, "skipped", sizeof("skipped") - 1);

        } else if (data == ngx_http_error_map_var_document && conf->document) {
            ngx_http_error_map_string(v, conf->document->name.data,
                                      conf->document->name.len);
        }

        return NGX_OK;
    }

    switch (data) {

    case ngx_http_error_map_var_document:
        ngx_http_error_map_string(v, ctx->document->name.data,
                                  ctx->document->name.len);
        return NGX_OK;

    case ngx_http_error_map_var_code:
        ngx_http_error_map_string(v, ctx->code.data, ctx->code.len);
        return NGX_OK;

    case ngx_http_error_map_var_class:

        if (ctx->verdict == NGX_HTTP_ERROR_MAP_MAPPED) {
            class = ctx->entry->class;

        } else if (ctx->verdict == NGX_HTTP_ERROR_MAP_UNKNOWN) {
            class = EM_UNKNOWN;

        } else {
            return NGX_OK;
        }

        ngx_http_error_map_string(v, em_class_names[class].data,
                                  em_class_names[class].len);
        return NGX_OK;

    case ngx_http_error_map_var_title:
        if (ctx->entry) {
            ngx_http_error_map_string(v, ctx->entry->title,
                                      ngx_strlen(ctx->entry->title));
        }

        return NGX_OK;

    case ngx_http_error_map_var_retry_after:
        if (ctx->entry == NULL
            && ctx->verdict != NGX_HTTP_ERROR_MAP_UNKNOWN)
        {
            return NGX_OK;
        }

        if (ctx->retry_after == NGX_HTTP_ERROR_MAP_NO_RETRY) {
            return NGX_OK;
        }

        return ngx_http_error_map_integer(r, v, "%uL", ctx->retry_after, 0);

    case ngx_http_error_map_var_verdict:
        ngx_http_error_map_string(v,
                             ngx_http_error_map_verdicts[ctx->verdict].data,
                             ngx_http_error_map_verdicts[ctx->verdict].len);
        return NGX_OK;

    case ngx_http_error_map_var_hold_size:
        return ngx_http_error_map_integer(r, v, "%uL",
                                          ctx->hold ? ctx->hold->size
                                                    : ctx->hold_size, 0);

    case ngx_http_error_map_var_hold_time:
        msec = ctx->hold ? ngx_current_msec - ctx->hold->start
                         : ctx->hold_time;
        return ngx_http_error_map_integer(r, v, "%uL.%03uL", msec / 1000,
                                          msec % 1000);

    default:
        break;
    }

    /* a status: a shared context has none, and it was then not changed */

    upstream_status = ctx->upstream_status;
    status = ctx->status;

    if (status == 0) {
        status = r->headers_out.status;
        upstream_status = status;

        if (r->upstream && r->upstream->headers_in.status_n) {
            upstream_status = r->upstream->headers_in.status_n;
        }
    }

    return ngx_http_error_map_integer(r, v, "%uL",
                            data == ngx_http_error_map_var_status
                            ? status : upstream_status, 0);
}


static void
ngx_http_error_map_string(ngx_http_variable_value_t *v, const void *data,
    size_t len)
{
    v->data = (u_char *) data;
    v->len = len;
}


static ngx_int_t
ngx_http_error_map_integer(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, char *fmt, uintmax_t n, uintmax_t msec)
{
    v->data = ngx_pnalloc(r->pool, NGX_INT64_LEN + sizeof(".000") - 1);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_sprintf(v->data, fmt, (uint64_t) n, (uint64_t) msec)
             - v->data;

    return NGX_OK;
}
