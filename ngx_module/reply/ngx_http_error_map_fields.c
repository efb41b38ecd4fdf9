
#include "ngx_http_error_map_fields.h"
#include "ngx_http_error_map_util.h"
#include "ngx_http_error_map_variables.h"


static ngx_int_t ngx_http_error_map_field_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static size_t ngx_http_error_map_cut(u_char *data, size_t len);


static ngx_str_t  ngx_http_error_map_field_prefix =
                                                ngx_string("error_map_field_");


ngx_int_t
ngx_http_error_map_add_field_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var;

    var = ngx_http_add_variable(cf, &ngx_http_error_map_field_prefix,
                                NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = ngx_http_error_map_field_variable;

    return NGX_OK;
}


void
ngx_http_error_map_want_fields(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf,
    ngx_http_error_map_document_t *document)
{
    uint64_t                     bit;
    ngx_str_t                   *name;
    ngx_uint_t                   i, n;
    em_plan_t                   *plan;
    ngx_http_variable_t         *var;
    ngx_http_error_map_field_t  *field;
    ngx_http_core_main_conf_t   *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    var = cmcf->variables.elts;
    name = document->fields.elts;
    plan = document->plan;

    for (i = 0; i < document->fields.nelts; i++) {

        bit = (uint64_t) 1 << i;

        if (emcf->problem
            && ((name[i].len == 7
                 && ngx_strncmp(name[i].data, "message", 7) == 0)
                || (name[i].len == 10
                    && ngx_strncmp(name[i].data, "request_id", 10) == 0)))
        {
            document->wanted |= bit;
        }

        for (n = 0; n < cmcf->variables.nelts; n++) {

            if (var[n].name.len
                == ngx_http_error_map_field_prefix.len + name[i].len
                && ngx_strncmp(var[n].name.data,
                               ngx_http_error_map_field_prefix.data,
                               ngx_http_error_map_field_prefix.len)
                   == 0
                && ngx_strncmp(var[n].name.data
                               + ngx_http_error_map_field_prefix.len,
                               name[i].data, name[i].len)
                   == 0)
            {
                document->wanted |= bit;
            }
        }
    }

    if (document->retry) {
        document->wanted |= (uint64_t) 1 << NGX_HTTP_ERROR_MAP_RETRY_FIELD;
    }

    for (i = 0; plan && i < EM_PLAN_PATHS; i++) {
        if (plan->field[i].paths && (document->wanted & (uint64_t) 1 << i)) {
            document->json_fields = 1;
        }
    }

    field = document->field_lines.elts;

    for (i = 0; i < document->field_lines.nelts; i++) {
        if (field[i].name.len == 0
            && (document->wanted & (uint64_t) 1 << field[i].number))
        {
            document->text_fields = 1;
        }
    }
}


ngx_int_t
ngx_http_error_map_keep_fields(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_http_error_map_reader_t *reader)
{
    u_char      *p;
    ngx_str_t    value;
    ngx_uint_t   i, n, seconds;

    if (ctx->retry_after == NGX_HTTP_ERROR_MAP_NO_RETRY) {
        seconds = ngx_http_error_map_reader_retry(reader);

        if (seconds) {
            ctx->retry_after = seconds;
        }
    }

    n = ctx->document->fields.nelts;

    for (i = 0; i < n; i++) {

        if (!(ctx->document->wanted & (uint64_t) 1 << i)
            || ngx_http_error_map_reader_field(reader, i, &value) != NGX_OK)
        {
            continue;
        }

        if (ctx->fields == NULL) {
            ctx->fields = ngx_pcalloc(r->pool, n * sizeof(ngx_str_t));
            if (ctx->fields == NULL) {
                return NGX_ERROR;
            }
        }

        value.len = ngx_http_error_map_cut(value.data, value.len);

        ctx->fields[i].data = ngx_pstrdup(r->pool, &value);
        if (ctx->fields[i].data == NULL) {
            return NGX_ERROR;
        }

        ctx->fields[i].len = value.len;

        for (p = ctx->fields[i].data;
             p < ctx->fields[i].data + value.len;
             p++)
        {
            if (*p < 0x20 || *p == 0x7f) {
                *p = ' ';
            }
        }
    }

    return NGX_OK;
}


/* a value of the longest length may end within a character of UTF-8 */

static size_t
ngx_http_error_map_cut(u_char *data, size_t len)
{
    size_t  n;

    if (len < EM_PLAN_VALUE_MAX) {
        return len;
    }

    for (n = len; n > len - 4 && (data[n - 1] & 0xc0) == 0x80; n--) {
        /* void */
    }

    if (n > len - 4 && data[n - 1] >= 0xc0) {

        /* a lead byte, with len - n bytes after it */

        if (len - n < (data[n - 1] >= 0xf0 ? 3u : data[n - 1] >= 0xe0 ? 2u
                                                                      : 1u))
        {
            return n - 1;
        }
    }

    return len;
}


ngx_str_t
ngx_http_error_map_field(ngx_http_error_map_ctx_t *ctx, ngx_str_t *name)
{
    ngx_str_t   *field, none;
    ngx_uint_t   i;

    ngx_str_set(&none, "");

    if (ctx->fields == NULL) {
        return none;
    }

    field = ctx->document->fields.elts;

    for (i = 0; i < ctx->document->fields.nelts; i++) {
        if (field[i].len == name->len
            && ngx_strncmp(field[i].data, name->data, name->len) == 0)
        {
            return ctx->fields[i].len ? ctx->fields[i] : none;
        }
    }

    return none;
}


static ngx_int_t
ngx_http_error_map_field_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *variable = (ngx_str_t *) data;

    ngx_str_t                  name, value;
    ngx_http_error_map_ctx_t  *ctx;

    name.data = variable->data + ngx_http_error_map_field_prefix.len;
    name.len = variable->len - ngx_http_error_map_field_prefix.len;

    ngx_str_set(&value, "");

    ctx = ngx_http_error_map_variable_ctx(r);

    if (ctx && ctx->document) {
        value = ngx_http_error_map_field(ctx, &name);

        if (ctx->quote
            && ngx_http_error_map_quote(r->pool, &value) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    v->valid = 0;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->len = value.len;
    v->data = value.data;

    return NGX_OK;
}
