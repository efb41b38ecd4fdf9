
#include "ngx_http_error_map_problem.h"
#include "ngx_http_error_map_fields.h"
#include "ngx_http_error_map_util.h"


static char *ngx_http_error_map_problem_title(
    ngx_http_error_map_reason_e reason);
static u_char *ngx_http_error_map_problem_string(u_char *dst, ngx_str_t *value);


static ngx_str_t  ngx_http_error_map_message = ngx_string("message");
static ngx_str_t  ngx_http_error_map_request_id = ngx_string("request_id");


ngx_int_t
ngx_http_error_map_problem(ngx_http_request_t *r, ngx_str_t *type,
    ngx_http_error_map_ctx_t *ctx, ngx_str_t *text)
{
    char       *title;
    u_char     *p;
    size_t      size;
    ngx_str_t   detail, request_id;
    ngx_uint_t  class;

    detail = ngx_http_error_map_field(ctx, &ngx_http_error_map_message);
    request_id = ngx_http_error_map_field(ctx, &ngx_http_error_map_request_id);

    title = ctx->entry ? (char *) ctx->entry->title
                       : ngx_http_error_map_problem_title(ctx->reason);
    class = ctx->entry ? ctx->entry->class : EM_UNKNOWN;

    /* a byte of the code needs at most 3 bytes in a URI, 6 in JSON */

    size = sizeof("{\"type\":\"about:blank\",\"title\":\"\",\"status\":,"
                  "\"vendor\":\"\",\"code\":\"\",\"class\":\"\","
                  "\"upstream_status\":,\"detail\":\"\",\"request_id\":\"\"}"
                  "\"reason\":\"malformed\"")
           + 6 * (detail.len + request_id.len)
           + type->len + 2 * ctx->document->name.len + 9 * ctx->raw_code.len
           + ngx_strlen(title) + em_class_names[class].len + 2 * NGX_INT_T_LEN;

    text->data = ngx_pnalloc(r->pool, size);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    p = text->data;

    if (type->len) {
        p = ngx_sprintf(p, "{\"type\":\"%V%V", type, &ctx->document->name);

        if (ctx->raw_code.len) {
            *p++ = '/';
            p = (u_char *) ngx_escape_uri(p, ctx->raw_code.data,
                                          ctx->raw_code.len,
                                          NGX_ESCAPE_URI_COMPONENT);
        }

    } else {
        p = ngx_sprintf(p, "{\"type\":\"about:blank");
    }

    p = ngx_sprintf(p, "\",\"title\":\"%s\",\"status\":%ui,\"vendor\":\"%V\",",
                    title, ctx->status, &ctx->document->name);

    if (ctx->reason) {
        p = ngx_sprintf(p, "\"reason\":\"%V",
                        &ngx_http_error_map_reasons[ctx->reason]);

    } else {
        p = ngx_sprintf(p, "\"code\":\"");
        p = ngx_http_error_map_problem_string(p, &ctx->raw_code);
    }

    p = ngx_sprintf(p, "\",\"class\":\"%s\",\"upstream_status\":%ui",
                    em_class_names[class].data, ctx->upstream_status);

    if (detail.len) {
        p = ngx_sprintf(p, ",\"detail\":\"");
        p = ngx_http_error_map_problem_string(p, &detail);
        *p++ = '"';
    }

    if (request_id.len) {
        p = ngx_sprintf(p, ",\"request_id\":\"");
        p = ngx_http_error_map_problem_string(p, &request_id);
        *p++ = '"';
    }

    *p++ = '}';

    text->len = p - text->data;

    return NGX_OK;
}


/* what a response says that has no row: an unknown code, or a row "none" */

static char *
ngx_http_error_map_problem_title(ngx_http_error_map_reason_e reason)
{
    switch (reason) {

    case NGX_HTTP_ERROR_MAP_REASON_EMPTY:
        return "empty response";

    case NGX_HTTP_ERROR_MAP_REASON_MALFORMED:
        return "malformed response";

    case NGX_HTTP_ERROR_MAP_REASON_CHARSET:
        return "response in an unsupported charset";

    case NGX_HTTP_ERROR_MAP_REASON_NO_CODE:
        return "response without a code";

    default:
        return "unknown error code";
    }
}


static u_char *
ngx_http_error_map_problem_string(u_char *dst, ngx_str_t *value)
{
    return dst + ngx_http_error_map_escape_json(dst, value->data, value->len);
}
