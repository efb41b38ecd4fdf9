
#include "ngx_http_error_map_proxy_status.h"
#include "ngx_http_error_map_util.h"


char *
ngx_http_error_map_proxy_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_error_map_loc_conf_t *emlcf = conf;

    u_char      *p, ch;
    ngx_str_t   *value;
    ngx_uint_t   i, token;

    if (emlcf->proxy_status.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        ngx_str_set(&emlcf->proxy_status, "");
        return NGX_CONF_OK;
    }

    /* RFC 8941: a name is quoted unless it is a token */

    token = 1;

    for (i = 0; i < value[1].len; i++) {
        ch = value[1].data[i];

        if (ch < ' ' || ch > '~' || ch == '"' || ch == '\\' || ch == '$') {
            break;
        }

        if ((ngx_tolower(ch) < 'a' || ngx_tolower(ch) > 'z') && ch != '*'
            && (i == 0 || (!ngx_http_error_map_token(ch)
                           && ch != ':' && ch != '/')))
        {
            token = 0;
        }
    }

    if (i == 0 || i < value[1].len || ngx_strcmp(value[1].data, "on") == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" in \"error_map_proxy_status\", "
                           "it must be off or printable ASCII characters "
                           "without \", $ and \\", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (token) {
        emlcf->proxy_status = value[1];
        return NGX_CONF_OK;
    }

    p = ngx_pnalloc(cf->pool, value[1].len + 2);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    emlcf->proxy_status.data = p;
    emlcf->proxy_status.len = ngx_sprintf(p, "\"%V\"", &value[1]) - p;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_error_map_add_proxy_status(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_str_t *name)
{
    u_char           *p;
    size_t            len;
    ngx_str_t        *code;
    ngx_uint_t        class;
    ngx_table_elt_t  *h;

    class = ctx->entry ? ctx->entry->class : EM_UNKNOWN;
    code = ngx_http_error_map_is_error(ctx->verdict)
           ? &ctx->code : &ngx_http_error_map_reasons[ctx->reason];

    len = name->len + sizeof("; received-status=; details=\" none/ \"") - 1
          + NGX_INT_T_LEN + ctx->document->name.len + code->len
          + em_class_names[class].len;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    /* another line is another member, after those of the vendor's proxies */

    h = ngx_http_error_map_push_header(r);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    ngx_str_set(&h->key, "Proxy-Status");
    h->lowcase_key = (u_char *) "proxy-status";

    /* the code is printable ASCII and needs no escapes */

    h->value.data = p;
    h->value.len = ngx_sprintf(p, "%V; received-status=%ui; "
                               "details=\"%V %s%V %s\"",
                               name, ctx->upstream_status, &ctx->document->name,
                               ctx->reason ? "none/" : "", code,
                               em_class_names[class].data)
                   - p;

    return NGX_OK;
}
