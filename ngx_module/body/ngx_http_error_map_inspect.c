
#include "ngx_http_error_map_inspect.h"
#include "ngx_http_error_map_document.h"


static ngx_uint_t ngx_http_error_map_whole(ngx_http_request_t *r,
    ngx_http_error_map_response_t *response);
static ngx_int_t ngx_http_error_map_coded(
    ngx_http_error_map_loc_conf_t *conf,
    ngx_http_error_map_response_t *response);
static ngx_uint_t ngx_http_error_map_repeated(ngx_list_part_t *part,
    ngx_table_elt_t *coding);
static ngx_int_t ngx_http_error_map_test_type(
    ngx_http_error_map_loc_conf_t *conf,
    ngx_http_error_map_response_t *response);


ngx_http_error_map_reason_e
ngx_http_error_map_inspected(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf,
    ngx_http_error_map_response_t *response)
{
    ngx_int_t   coding;
    ngx_uint_t  status;

    if (r->upstream && r->upstream->upgrade) {
        return NGX_HTTP_ERROR_MAP_REASON_UPGRADE;
    }

    status = response->status;

    if (!ngx_http_error_map_has_body(status)
        || (conf->statuses
            && (status > NGX_HTTP_ERROR_MAP_STATUS_MAX
                || !(ngx_http_error_map_status_word(conf->statuses, status)
                     & ngx_http_error_map_status_bit(status)))))
    {
        return NGX_HTTP_ERROR_MAP_REASON_STATUS;
    }

    if ((status == NGX_HTTP_PARTIAL_CONTENT || ngx_http_error_map_sliced(r))
        && !ngx_http_error_map_whole(r, response))
    {
        return NGX_HTTP_ERROR_MAP_REASON_RANGE;
    }

    coding = response->coding ? ngx_http_error_map_coded(conf, response)
                              : NGX_HTTP_ERROR_MAP_IDENTITY;

    if (coding == NGX_DECLINED) {
        return NGX_HTTP_ERROR_MAP_REASON_CODING;
    }

    response->decode = coding;

    return ngx_http_error_map_test_type(conf, response)
           ? NGX_HTTP_ERROR_MAP_REASON_NONE
           : NGX_HTTP_ERROR_MAP_REASON_TYPE;
}


/*
 * Returns 1 if a 206 has the whole representation, RFC 9110, section 14.4, and
 * is not one of several slices.
 */

static ngx_uint_t
ngx_http_error_map_whole(ngx_http_request_t *r,
    ngx_http_error_map_response_t *response)
{
    u_char                          *p, *last, *slash;
    off_t                            end, complete;
    ngx_table_elt_t                 *h;
    ngx_http_error_map_main_conf_t  *emcf;

    static ngx_str_t  range = ngx_string("Content-Range");

    emcf = ngx_http_get_module_main_conf(r, ngx_http_error_map_filter_module);

    if (ngx_http_error_map_sliced(r)
        || (emcf->slice && r->ctx[emcf->slice->ctx_index]))
    {
        return 0;
    }

    h = ngx_http_error_map_next_header(response->headers, &range, NULL);

    if (h == NULL
        || ngx_http_error_map_next_header(response->headers, &range, h)
        || h->value.len < sizeof("bytes 0-0/1") - 1
        || ngx_strncasecmp(h->value.data, (u_char *) "bytes 0-", 8) != 0)
    {
        return 0;
    }

    p = h->value.data + 8;
    last = h->value.data + h->value.len;

    slash = ngx_strlchr(p, last, '/');
    if (slash == NULL) {
        return 0;
    }

    end = ngx_atoof(p, slash - p);
    complete = ngx_atoof(slash + 1, last - slash - 1);

    return end != NGX_ERROR && complete > 0 && end == complete - 1;
}


/* returns the coding, or NGX_DECLINED for one that is not to be decoded */

static ngx_int_t
ngx_http_error_map_coded(ngx_http_error_map_loc_conf_t *conf,
    ngx_http_error_map_response_t *response)
{
    ngx_int_t         coding;
    ngx_table_elt_t  *h;

    h = response->coding;

    if (h->hash == 0 || h->value.len == 0) {
        return NGX_HTTP_ERROR_MAP_IDENTITY;
    }

    coding = ngx_http_error_map_coding(&h->value);

    if (coding == NGX_DECLINED
        || (coding && !(conf->decode & 1 << coding))
        || ngx_http_error_map_repeated(response->headers, h))
    {
        return NGX_DECLINED;
    }

    return coding;
}


/* returns 1 if another header line has a coding, too */

static ngx_uint_t
ngx_http_error_map_repeated(ngx_list_part_t *part, ngx_table_elt_t *coding)
{
    ngx_table_elt_t  *h;

    h = NULL;

    while ((h = ngx_http_error_map_next_header(part, &coding->key, h))) {
        if (h != coding && h->value.len) {
            return 1;
        }
    }

    return 0;
}


/* ngx_http_test_content_type() for any parameters and any case */

static ngx_int_t
ngx_http_error_map_test_type(ngx_http_error_map_loc_conf_t *conf,
    ngx_http_error_map_response_t *response)
{
    u_char      ch, type[NGX_HTTP_LC_HEADER_LEN * 4];
    size_t      len;
    ngx_str_t  *t, *value;
    ngx_uint_t  hash;

    /* streams whose clients wait for each part; some must be named */

    static ngx_str_t  streams[] = {
        ngx_string("text/event-stream"),
        ngx_string("multipart/x-mixed-replace"),
        ngx_string("application/grpc"),
        ngx_null_string
    };

    value = &response->type;

    response->stream = EM_EVENT_NONE;

    if (ngx_http_error_map_skipped_type(conf, value)) {
        return 0;
    }

    /* nearly all responses */

    if (value->len >= 16
        && ngx_memcmp(value->data, "application/json", 16) == 0
        && (value->len == 16 || value->data[16] == ';'))
    {
        return conf->json;
    }

    for (len = 0; len < value->len; len++) {
        ch = value->data[len];

        if (ch == ';' || ch == ' ' || ch == '\t') {
            break;
        }
    }

    /* nearly all others, except those that may end in "+json" */

    if (!(conf->type_bits & ngx_http_error_map_type_bit(value->data, len))
        && (len < 6 || (value->data[len - 1] | 0x20) != 'n')
        && conf->types.size)
    {
        if (value->len && value->len <= NGX_HTTP_ERROR_MAP_SKIPPED_TYPE) {
            ngx_memcpy(conf->skipped, value->data, value->len);
            conf->skipped_len = value->len;
        }

        return 0;
    }

    len = ngx_min(len, sizeof(type));
    hash = ngx_hash_strlow(type, value->data, len);

    if (conf->types.size == 0) {

        /* error_map_types * */

        for (t = streams; t->len; t++) {
            if (len >= t->len && ngx_memcmp(type, t->data, t->len) == 0) {
                return 0;
            }
        }

        response->stream = em_event_find((char *) type, len);

        return 1;
    }

    if (len == 0) {
        return 0;
    }

    if (len > 5 && ngx_memcmp(&type[len - 5], "+json", 5) == 0
        && ngx_strncmp(type, "application/grpc", 16) != 0)
    {
        return 1;
    }

    if (ngx_hash_find(&conf->types, hash, type, len) == NULL) {
        return 0;
    }

    response->stream = em_event_find((char *) type, len);

    return 1;
}


ngx_http_error_map_document_t *
ngx_http_error_map_named_document(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_uint_t warn)
{
    ngx_str_t                        name;
    ngx_http_error_map_document_t   *document;
    ngx_http_error_map_main_conf_t  *emcf;

    if (ngx_http_complex_value(r, &conf->variable, &name) != NGX_OK) {
        return NULL;
    }

    emcf = ngx_http_get_module_main_conf(r, ngx_http_error_map_filter_module);

    document = ngx_http_error_map_document_find(emcf, &name);

    if (document == NULL
        && warn
        && (name.len != 3 || ngx_strncmp(name.data, "off", 3) != 0))
    {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "unknown error map document \"%V\", the response is not "
                      "inspected", &name);
    }

    return document;
}


ngx_int_t
ngx_http_error_map_conditional(ngx_http_request_t *r)
{
    return (r->headers_in.range && r->allow_ranges)
           || ((r->headers_in.if_match || r->headers_in.if_unmodified_since)
               && !r->disable_not_modified);
}


em_charset_e
ngx_http_error_map_charset(ngx_str_t *type)
{
    u_char  *p, *last, *start;

    p = type->len ? memchr(type->data, ';', type->len) : NULL;
    if (p == NULL) {
        return EM_CHARSET_UNKNOWN;
    }

    last = type->data + type->len;

    p = ngx_strlcasestrn(p, last, (u_char *) "charset=", 8 - 1);
    if (p == NULL) {
        return EM_CHARSET_UNKNOWN;
    }

    p += 8;

    if (p < last && *p == '"') {
        p++;
    }

    for (start = p; p < last; p++) {
        if (*p == '"' || *p == ';' || *p == ' ' || *p == '\t') {
            break;
        }
    }

    return em_charset_find((char *) start, p - start);
}
