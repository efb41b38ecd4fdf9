
#include "ngx_http_error_map_variables.h"
#include "ngx_http_error_map_attempts.h"
#include "ngx_http_error_map_saved.h"
#include "ngx_http_error_map_util.h"


static ngx_int_t ngx_http_error_map_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static void ngx_http_error_map_skipped_value(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_uint_t number, ngx_str_t *value);
static ngx_int_t ngx_http_error_map_number(ngx_http_request_t *r,
    ngx_str_t *value, uint64_t n);
static ngx_int_t ngx_http_error_map_seconds(ngx_http_request_t *r,
    ngx_str_t *value, ngx_msec_t msec);


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
    ngx_http_error_map_var(upstream_codes),
    ngx_http_error_map_var(retry_after),
    ngx_http_error_map_var(verdict),
    ngx_http_error_map_var(reason),
    ngx_http_error_map_var(hold_size),
    ngx_http_error_map_var(hold_time),

      ngx_http_null_variable
};


static u_char  ngx_http_error_map_digits[900][3];

ngx_str_t  ngx_http_error_map_decimals[900];

ngx_str_t  ngx_http_error_map_classes[EM_NCLASSES];


/* by ngx_http_error_map_verdict_e */

ngx_str_t  ngx_http_error_map_verdicts[] = {
    ngx_string("undecided"),
    ngx_string("none"),
    ngx_string("success"),
    ngx_string("skipped"),
    ngx_string("unknown"),
    ngx_string("mapped")
};


ngx_http_error_map_ctx_t
    ngx_http_error_map_skipped[NGX_HTTP_ERROR_MAP_REASON_DOCUMENT + 1];


ngx_int_t
ngx_http_error_map_add_variables(ngx_conf_t *cf)
{
    ngx_uint_t            n;
    ngx_http_variable_t  *var, *v;

    for (n = 0; n < 900; n++) {
        (void) ngx_sprintf(ngx_http_error_map_digits[n], "%03ui", n + 100);

        ngx_http_error_map_decimals[n].data = ngx_http_error_map_digits[n];
        ngx_http_error_map_decimals[n].len = 3;
    }

    for (n = 0; n < EM_NCLASSES; n++) {
        ngx_http_error_map_classes[n].data = (u_char *) em_class_names[n].data;
        ngx_http_error_map_classes[n].len = em_class_names[n].len;
    }

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


ngx_int_t
ngx_http_error_map_variable_number(ngx_str_t *name)
{
    ngx_http_variable_t  *v;

    for (v = ngx_http_error_map_vars; v->name.len; v++) {

        /* this one must be known to be used */

        if (v->data != ngx_http_error_map_var_upstream_codes
            && ngx_http_error_map_equal(&v->name, name))
        {
            return v->data;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_error_map_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                  value;
    ngx_http_error_map_ctx_t  *ctx;

    ngx_str_set(&value, "");

    if (data == ngx_http_error_map_var_upstream_codes) {

        if (ngx_http_error_map_codes(r, &value) != NGX_OK) {
            return NGX_ERROR;
        }

    } else {

        ctx = ngx_http_error_map_variable_ctx(r);

        if (ctx
            && ngx_http_error_map_variable_value(r, ctx, data, &value)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    /* the value may still change: do not cache it, not even for the log */

    v->valid = 0;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->len = value.len;
    v->data = value.data;

    return NGX_OK;
}


ngx_http_error_map_ctx_t *
ngx_http_error_map_variable_ctx(ngx_http_request_t *r)
{
    ngx_http_error_map_ctx_t       *ctx;
    ngx_http_error_map_saved_t     *saved;
    ngx_http_error_map_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_error_map_filter_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_error_map_filter_module);

    if (ctx == NULL && (r->internal || r->filter_finalize)) {
        saved = ngx_http_error_map_saved(r);

        /* unless a response of another upstream was skipped since */

        if (saved && !(conf->enable && r->headers_out.status
                      && r->upstream != saved->upstream))
        {
            ctx = saved->ctx;
        }
    }

    /* nginx intercepted the response by its status, before any filter */

    if (ctx == NULL && conf->enable && r->headers_out.status) {
        ctx = &ngx_http_error_map_skipped[NGX_HTTP_ERROR_MAP_REASON_STATUS];
    }

    return ctx;
}


ngx_int_t
ngx_http_error_map_variable_value(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_uint_t number, ngx_str_t *value)
{
    ngx_http_error_map_hold_t  *hold;

    ngx_str_set(value, "");

    if (ctx->verdict == NGX_HTTP_ERROR_MAP_SKIPPED) {
        ngx_http_error_map_skipped_value(r, ctx, number, value);
        return NGX_OK;
    }

    switch (number) {

    case ngx_http_error_map_var_document:
        *value = ctx->document->name;
        return NGX_OK;

    case ngx_http_error_map_var_code:
        *value = ctx->code;
        return NGX_OK;

    case ngx_http_error_map_var_class:

        if (ctx->verdict == NGX_HTTP_ERROR_MAP_MAPPED) {
            *value = ngx_http_error_map_classes[ctx->entry->class];

        } else if (ngx_http_error_map_is_acted(ctx)) {
            *value = ngx_http_error_map_classes[EM_UNKNOWN];
        }

        return NGX_OK;

    case ngx_http_error_map_var_title:
        if (ctx->entry) {
            value->data = (u_char *) ctx->entry->title;
            value->len = ngx_strlen(ctx->entry->title);
        }

        return ctx->quote ? ngx_http_error_map_quote(r->pool, value) : NGX_OK;

    case ngx_http_error_map_var_verdict:
        *value = ngx_http_error_map_verdicts[ctx->verdict];
        return NGX_OK;

    case ngx_http_error_map_var_reason:
        *value = ngx_http_error_map_reasons[ctx->reason];
        return NGX_OK;

    case ngx_http_error_map_var_retry_after:
        if (!ngx_http_error_map_is_acted(ctx)
            || ctx->retry_after == NGX_HTTP_ERROR_MAP_NO_RETRY)
        {
            return NGX_OK;
        }

        return ngx_http_error_map_number(r, value, ctx->retry_after);

    case ngx_http_error_map_var_hold_size:
        hold = (ctx->phase == NGX_HTTP_ERROR_MAP_HOLD) ? ctx->hold : NULL;

        return ngx_http_error_map_number(r, value,
                                         hold ? hold->size : ctx->hold_size);

    case ngx_http_error_map_var_hold_time:
        hold = (ctx->phase == NGX_HTTP_ERROR_MAP_HOLD) ? ctx->hold : NULL;

        return ngx_http_error_map_seconds(r, value,
                                          hold ? ngx_current_msec - hold->start
                                               : ctx->hold_time);

    case ngx_http_error_map_var_status:
        return ngx_http_error_map_number(r, value,
                                         ctx->status ? ctx->status
                                                     : r->headers_out.status);

    default: /* ngx_http_error_map_var_upstream_status */
        return ngx_http_error_map_number(r, value,
                                 ngx_http_error_map_upstream_status(r, ctx));
    }
}


/* a skipped response has no other values */

static void
ngx_http_error_map_skipped_value(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_uint_t number, ngx_str_t *value)
{
    ngx_http_error_map_document_t  *document;
    ngx_http_error_map_loc_conf_t  *conf;

    switch (number) {

    case ngx_http_error_map_var_document:

        conf = ngx_http_get_module_loc_conf(r,
                                            ngx_http_error_map_filter_module);

        document = ctx->document ? ctx->document : conf->document;

        if (document) {
            *value = document->name;
        }

        break;

    case ngx_http_error_map_var_verdict:
        *value = ngx_http_error_map_verdicts[ctx->verdict];
        break;

    case ngx_http_error_map_var_reason:
        *value = ngx_http_error_map_reasons[ctx->reason];
        break;

    default:
        break;
    }
}


/* a shared context has no status: the response keeps the upstream's */

ngx_uint_t
ngx_http_error_map_upstream_status(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx)
{
    if (ctx->upstream_status) {
        return ctx->upstream_status;
    }

    if (r->upstream && r->upstream->headers_in.status_n) {
        return r->upstream->headers_in.status_n;
    }

    return r->headers_out.status;
}


static ngx_int_t
ngx_http_error_map_number(ngx_http_request_t *r, ngx_str_t *value, uint64_t n)
{
    if (n > 99 && n < 1000) {
        *value = ngx_http_error_map_decimals[n - 100];
        return NGX_OK;
    }

    value->data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    value->len = ngx_sprintf(value->data, "%uL", n) - value->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_seconds(ngx_http_request_t *r, ngx_str_t *value,
    ngx_msec_t msec)
{
    value->data = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 4);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    value->len = ngx_sprintf(value->data, "%T.%03M", (time_t) (msec / 1000),
                             msec % 1000)
                 - value->data;

    return NGX_OK;
}
