
#include "ngx_http_error_map_problem.h"
#include "ngx_http_error_map_fields.h"
#include "ngx_http_error_map_header.h"
#include "ngx_http_error_map_util.h"


static u_char *ngx_http_error_map_problem_code(u_char *dst, u_char *src,
    size_t len);


static ngx_str_t  ngx_http_error_map_message = ngx_string("message");
static ngx_str_t  ngx_http_error_map_request_id = ngx_string("request_id");


char *
ngx_http_error_map_body(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_error_map_loc_conf_t *emlcf = conf;

    u_char                           ch;
    size_t                           i;
    ngx_str_t                       *value, *type;
    ngx_http_error_map_main_conf_t  *emcf;

    if (emlcf->problem != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;
    type = &emlcf->problem_type;

    if (ngx_strcmp(value[1].data, "keep") == 0 && cf->args->nelts == 2) {
        emlcf->problem = 0;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "problem") != 0
        || (cf->args->nelts == 3
            && (ngx_strncmp(value[2].data, "type=", 5) != 0
                || value[2].len == 5)))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in \"error_map_body\", it "
                           "must be \"keep\" or \"problem [type=prefix]\"",
                           (ngx_strcmp(value[1].data, "keep") == 0
                            || ngx_strcmp(value[1].data, "problem") == 0)
                           ? &value[2] : &value[1]);
        return NGX_CONF_ERROR;
    }

    emlcf->problem = 1;

    emcf = ngx_http_conf_get_module_main_conf(cf,
                                            ngx_http_error_map_filter_module);
    emcf->problem = 1;

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    type->data = value[2].data + 5;
    type->len = value[2].len - 5;

    /* RFC 3986, without escapes in JSON; "$name" would not be evaluated */

    for (i = 0; i < type->len; i++) {
        ch = type->data[i];

        if (ch <= ' ' || ch > '~' || ngx_strchr("\"<>\\^`{|}", ch)
            || (ch == '$' && ngx_tolower(type->data[i + 1]) >= 'a'
                && ngx_tolower(type->data[i + 1]) <= 'z'))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid type \"%V\" in \"error_map_body\", it "
                               "must be a prefix of a URI without variables",
                               type);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_error_map_problem(ngx_http_request_t *r, ngx_str_t *type,
    ngx_http_error_map_ctx_t *ctx)
{
    char       *title;
    u_char     *p;
    size_t      size;
    ngx_buf_t  *b;
    ngx_str_t   detail, request_id;
    ngx_uint_t  class;

    detail = ngx_http_error_map_field(ctx, &ngx_http_error_map_message);
    request_id = ngx_http_error_map_field(ctx, &ngx_http_error_map_request_id);

    title = ctx->entry ? (char *) ctx->entry->title : "unknown error code";
    class = ctx->entry ? ctx->entry->class : EM_UNKNOWN;

    /* a byte of the code needs at most 3 bytes in a URI, 6 in JSON */

    size = sizeof("{\"type\":\"about:blank\",\"title\":\"\",\"status\":,"
                  "\"vendor\":\"\",\"code\":\"\",\"class\":\"\","
                  "\"upstream_status\":,\"detail\":\"\",\"request_id\":\"\"}")
           + 6 * (detail.len + request_id.len)
           + type->len + 2 * ctx->document->name.len + 9 * ctx->raw_code.len
           + ngx_strlen(title) + em_class_names[class].len + 2 * NGX_INT_T_LEN;

    b = ngx_create_temp_buf(r->pool, size);
    if (b == NULL) {
        return NGX_ERROR;
    }

    p = b->last;

    if (type->len) {
        p = ngx_sprintf(p, "{\"type\":\"%V%V/", type, &ctx->document->name);
        p = (u_char *) ngx_escape_uri(p, ctx->raw_code.data, ctx->raw_code.len,
                                      NGX_ESCAPE_URI_COMPONENT);
    } else {
        p = ngx_sprintf(p, "{\"type\":\"about:blank");
    }

    p = ngx_sprintf(p, "\",\"title\":\"%s\",\"status\":%ui,\"vendor\":\"%V\","
                    "\"code\":\"",
                    title, ctx->status, &ctx->document->name);

    p = ngx_http_error_map_problem_code(p, ctx->raw_code.data,
                                        ctx->raw_code.len);

    p = ngx_sprintf(p, "\",\"class\":\"%s\",\"upstream_status\":%ui",
                    em_class_names[class].data, ctx->upstream_status);

    if (detail.len) {
        p = ngx_sprintf(p, ",\"detail\":\"");
        p = ngx_http_error_map_problem_code(p, detail.data, detail.len);
        *p++ = '"';
    }

    if (request_id.len) {
        p = ngx_sprintf(p, ",\"request_id\":\"");
        p = ngx_http_error_map_problem_code(p, request_id.data,
                                            request_id.len);
        *p++ = '"';
    }

    *p++ = '}';

    b->last = p;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    ctx->body = b;

    /* "If-None-Match: *" applies to the vendor's body */

    r->disable_not_modified = 1;

    ngx_http_error_map_remove_representation(r);

    ngx_http_clear_content_length(r);
    r->headers_out.content_length_n = b->last - b->pos;

    ngx_str_set(&r->headers_out.content_type, "application/problem+json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.charset.len = 0;

    return NGX_OK;
}


/* escapes as of RFC 8259; invalid UTF-8 becomes U+FFFD */

static u_char *
ngx_http_error_map_problem_code(u_char *dst, u_char *src, size_t len)
{
    size_t  n;

    while (len) {

        n = ngx_http_error_map_utf8(src, len);

        if (n) {
            dst = (u_char *) ngx_escape_json(dst, src, n);

        } else {
            dst = ngx_cpymem(dst, "\xef\xbf\xbd", 3);
            n = 1;
        }

        src += n;
        len -= n;
    }

    return dst;
}
