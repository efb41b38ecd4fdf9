
#include "ngx_http_error_map_module.h"


static ngx_int_t ngx_http_error_map_code(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_http_error_map_source_t *source);
static void ngx_http_error_map_remove_headers(ngx_http_request_t *r,
    ngx_http_error_map_header_t *header, ngx_uint_t nelts, ngx_uint_t vendor);
static ngx_int_t ngx_http_error_map_add_headers(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_array_t *headers);
static ngx_int_t ngx_http_error_map_header_value(ngx_http_request_t *r,
    ngx_http_error_map_header_t *header, ngx_str_t *value);


/* they belong to what was asked for, and not to an error */

#define ngx_http_error_map_validator(name)                                    \
    { ngx_string(name), (u_char *) name, 0,                                   \
      { { 0, NULL }, NULL, NULL, NULL, { 0 } }, NGX_DECLINED, 0 }

static ngx_http_error_map_header_t  ngx_http_error_map_validators[] = {
    ngx_http_error_map_validator("accept-ranges"),
    ngx_http_error_map_validator("etag"),
    ngx_http_error_map_validator("last-modified")
};


ngx_http_error_map_ctx_t *
ngx_http_error_map_decide(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_source_t *source,
    ngx_http_error_map_ctx_t *ctx)
{
    ngx_http_error_map_action_t    *action;
    ngx_http_error_map_document_t  *document;

    document = source->document;

    if (ctx == NULL && source->verdict == NGX_HTTP_ERROR_MAP_SUCCESS) {
        ctx = &document->success[source->success];

    } else if (ctx == NULL && source->verdict == NGX_HTTP_ERROR_MAP_NONE) {
        ctx = document->none;

    } else {

        if (ctx == NULL) {
            ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_error_map_ctx_t));
            if (ctx == NULL) {
                return NULL;
            }
        }

        ctx->verdict = source->verdict;
        ctx->document = document;
        ctx->entry = source->entry;
        ctx->upstream_status = r->headers_out.status;
        ctx->status = r->headers_out.status;
        ctx->retry_after = NGX_HTTP_ERROR_MAP_NO_RETRY;

        switch (ctx->verdict) {

        case NGX_HTTP_ERROR_MAP_SUCCESS:
            ctx->code = document->success[source->success].code;
            break;

        case NGX_HTTP_ERROR_MAP_MAPPED:
        case NGX_HTTP_ERROR_MAP_UNKNOWN:

            if (ngx_http_error_map_code(r, ctx, source) != NGX_OK) {
                return NULL;
            }

            action = ngx_http_error_map_policy_action(conf->policy, document,
                                                      ctx->entry);
            if (action) {
                ctx->retry_after = action->retry_after;

                if (action->status) {
                    ctx->status = action->status;
                }
            }

            break;

        default:
            break;
        }
    }

    ngx_http_set_ctx(r, ctx, ngx_http_error_map_filter_module);

    ngx_log_debug4(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http error map: %V \"%V\" %V, %uz bytes read",
                   &document->name, &ctx->code,
                   &ngx_http_error_map_verdicts[ctx->verdict], source->size);

    return ctx;
}


/*
 * The code as it is shown: of an unknown one, what is no printable ASCII, and
 * what would end or escape a quoted string, becomes %XX.
 */

static ngx_int_t
ngx_http_error_map_code(ngx_http_request_t *r, ngx_http_error_map_ctx_t *ctx,
    ngx_http_error_map_source_t *source)
{
    u_char      *p, *last, *code;
    em_json_t   *json;

    static u_char  hex[] = "0123456789ABCDEF";

    if (ctx->entry) {
        ctx->code.data = (u_char *) ctx->entry->code;
        ctx->code.len = source->json.len;
        return NGX_OK;
    }

    json = &source->json;

    code = ngx_pnalloc(r->pool, 3 * json->len + 1);
    if (code == NULL) {
        return NGX_ERROR;
    }

    ctx->code.data = code;

    p = (u_char *) json->token;
    last = p + json->len;

    for ( /* void */ ; p < last; p++) {

        if (*p > 0x1f && *p < 0x7f && *p != '"' && *p != '\\' && *p != '%') {
            *code++ = *p;
            continue;
        }

        *code++ = '%';
        *code++ = hex[*p >> 4];
        *code++ = hex[*p & 0xf];
    }

    ctx->code.len = code - ctx->code.data;

    return NGX_OK;
}


ngx_int_t
ngx_http_error_map_respond(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx)
{
    if (conf->dry_run) {
        return NGX_OK;
    }

    /* a vendor must not be able to say what only this module says */

    if (conf->headers) {
        ngx_http_error_map_remove_headers(r, conf->headers->elts,
                                          conf->headers->nelts, 0);
    }

    if (ctx->verdict != NGX_HTTP_ERROR_MAP_MAPPED
        && ctx->verdict != NGX_HTTP_ERROR_MAP_UNKNOWN)
    {
        return NGX_OK;
    }

    if (r->headers_out.status != ctx->status) {

        r->headers_out.status = ctx->status;
        r->headers_out.status_line.len = 0;

        ngx_http_clear_accept_ranges(r);
        ngx_http_clear_last_modified(r);
        ngx_http_clear_etag(r);

        /* nginx knows of the last one only, a vendor may send more */

        ngx_http_error_map_remove_headers(r, ngx_http_error_map_validators, 3,
                                          0);
    }

    return conf->headers
           ? ngx_http_error_map_add_headers(r, ctx, conf->headers) : NGX_OK;
}


/*
 * Removes what the vendor sent by the name of one of the headers, either of
 * those that it may send in its own right, or of the others.
 */

static void
ngx_http_error_map_remove_headers(ngx_http_request_t *r,
    ngx_http_error_map_header_t *header, ngx_uint_t nelts, ngx_uint_t vendor)
{
    ngx_uint_t        i, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_out.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        for (n = 0; n < nelts; n++) {

            if (header[n].key.len == h[i].key.len
                && header[n].vendor == vendor
                && h[i].lowcase_key != header[n].lowcase_key
                && h[i].hash
                && ngx_strncasecmp(header[n].lowcase_key, h[i].key.data,
                                   h[i].key.len)
                   == 0)
            {
                h[i].hash = 0;
            }
        }
    }
}


static ngx_int_t
ngx_http_error_map_add_headers(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_array_t *headers)
{
    ngx_int_t                     rc;
    ngx_str_t                     value;
    ngx_uint_t                    i;
    ngx_table_elt_t              *h;
    ngx_http_error_map_header_t  *header;

    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {

        if (header[i].variable != NGX_DECLINED) {
            rc = ngx_http_error_map_variable_value(r, ctx, header[i].variable,
                                                   &value);
        } else {
            rc = ngx_http_error_map_header_value(r, &header[i], &value);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        if (value.len == 0) {
            continue;
        }

        if (header[i].vendor) {
            ngx_http_error_map_remove_headers(r, &header[i], 1, 1);
        }

        h = ngx_list_push(&r->headers_out.headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        h->hash = header[i].hash;
        h->key = header[i].key;
        h->lowcase_key = header[i].lowcase_key;
        h->value = value;
#if (nginx_version >= 1023000)
        h->next = NULL;
#endif
    }

    return NGX_OK;
}


/* the value of other variables may hold what ends a header line */

static ngx_int_t
ngx_http_error_map_header_value(ngx_http_request_t *r,
    ngx_http_error_map_header_t *header, ngx_str_t *value)
{
    size_t  i;

    if (ngx_http_complex_value(r, &header->value, value) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < value->len; i++) {

        if ((value->data[i] < 0x20 && value->data[i] != '\t')
            || value->data[i] == 0x7f)
        {
            ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                          "error_map_header \"%V\" is not sent, its value has "
                          "a control character", &header->key);

            value->len = 0;
        }
    }

    return NGX_OK;
}
