
#include "ngx_http_error_map_header.h"
#include "ngx_http_error_map_util.h"
#include "ngx_http_error_map_variables.h"


static ngx_int_t ngx_http_error_map_header_compile(ngx_conf_t *cf,
    ngx_array_t *headers, ngx_str_t *key, ngx_str_t *value);
static void ngx_http_error_map_remove_headers(ngx_http_request_t *r,
    ngx_http_error_map_header_t *header, ngx_uint_t nelts, ngx_uint_t vendor,
    uint64_t bits);
static ngx_uint_t ngx_http_error_map_describes_body(ngx_str_t *name);
static ngx_int_t ngx_http_error_map_header_value(ngx_http_request_t *r,
    ngx_http_error_map_header_t *header, ngx_str_t *value);


static ngx_str_t  ngx_http_error_map_defaults[] = {
    ngx_string("X-Error-Source"), ngx_string("$error_map_document"),
    ngx_string("X-Error-Code"), ngx_string("$error_map_code"),
    ngx_string("X-Error-Class"), ngx_string("$error_map_class"),
    ngx_string("X-Upstream-Status"), ngx_string("$error_map_upstream_status"),
    ngx_string("Retry-After"), ngx_string("$error_map_retry_after"),
    ngx_null_string
};


/* headers that nginx sets itself */

static ngx_str_t  ngx_http_error_map_reserved_headers[] = {
    ngx_string("accept-ranges"),
    ngx_string("connection"),
    ngx_string("content-encoding"),
    ngx_string("content-length"),
    ngx_string("content-range"),
    ngx_string("content-type"),
    ngx_string("date"),
    ngx_string("etag"),
    ngx_string("keep-alive"),
    ngx_string("last-modified"),
    ngx_string("location"),
    ngx_string("server"),
    ngx_string("trailer"),
    ngx_string("transfer-encoding"),
    ngx_string("upgrade"),
    ngx_null_string
};


/* headers that vendors may send, replaced by a value that is not empty */

static ngx_str_t  ngx_http_error_map_vendor_headers[] = {
    ngx_string("age"),
    ngx_string("allow"),
    ngx_string("cache-control"),
    ngx_string("content-disposition"),
    ngx_string("content-language"),
    ngx_string("expires"),
    ngx_string("link"),
    ngx_string("pragma"),
    ngx_string("proxy-status"),
    ngx_string("refresh"),
    ngx_string("retry-after"),
    ngx_string("set-cookie"),
    ngx_string("vary"),
    ngx_string("via"),
    ngx_string("warning"),
    ngx_string("www-authenticate"),
    ngx_null_string
};


#define ngx_http_error_map_validator(name)                                    \
    { ngx_string(name), (u_char *) name, 0,                                   \
      { { 0, NULL }, NULL, NULL, NULL, { 0 } }, NGX_DECLINED, 0, 0 }

static ngx_http_error_map_header_t  ngx_http_error_map_validators[] = {
    ngx_http_error_map_validator("accept-ranges"),
    ngx_http_error_map_validator("content-range"),
    ngx_http_error_map_validator("etag"),
    ngx_http_error_map_validator("last-modified")
};


/*
 * Fields that describe a body, beside Content-* and digests.  SDKs ask again
 * if a checksum is wrong.
 */

static ngx_str_t  ngx_http_error_map_representation[] = {
    ngx_string("accept-ranges"),
    ngx_string("cert-not-after"),
    ngx_string("cert-not-before"),
    ngx_string("cmsd-static"),
    ngx_string("default-style"),
    ngx_string("delta-base"),
    ngx_string("derived-from"),
    ngx_string("detached-jws"),
    ngx_string("dictionary-id"),
    ngx_string("differential-id"),
    ngx_string("digest"),
    ngx_string("etag"),
    ngx_string("im"),
    ngx_string("last-modified"),
    ngx_string("memento-datetime"),
    ngx_string("mime-version"),
    ngx_string("odata-version"),
    ngx_string("oscore"),
    ngx_string("pics-label"),
    ngx_string("schedule-tag"),
    ngx_string("signature"),
    ngx_string("signature-input"),
    ngx_string("sourcemap"),
    ngx_string("tcn"),
    ngx_string("trailer"),
    ngx_string("use-as-dictionary"),
    ngx_string("variant-vary"),
    ngx_string("x-amz-checksum-crc32"),
    ngx_string("x-amz-checksum-crc32c"),
    ngx_string("x-amz-checksum-crc64nvme"),
    ngx_string("x-amz-checksum-sha1"),
    ngx_string("x-amz-checksum-sha256"),
    ngx_string("x-amz-crc32"),
    ngx_string("x-cos-hash-crc64ecma"),
    ngx_string("x-goog-hash"),
    ngx_string("x-ms-content-crc64"),
    ngx_string("x-oss-hash-crc64ecma"),
    ngx_null_string
};


char *
ngx_http_error_map_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_error_map_loc_conf_t *emlcf = conf;

    ngx_str_t  *value, *reserved;

    value = cf->args->elts;

    if (cf->args->nelts == 2) {

        if (ngx_strcmp(value[1].data, "off") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "no value for header \"%V\", it must be "
                               "\"error_map_header name value\" or "
                               "\"error_map_header off\"", &value[1]);
            return NGX_CONF_ERROR;
        }

        if (emlcf->headers != NGX_CONF_UNSET_PTR) {
            return "is duplicate";
        }

        emlcf->headers = NULL;

        return NGX_CONF_OK;
    }

    if (cf->args->nelts == 4) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in \"error_map_header\", "
                           "it must be \"error_map_header name value\", with "
                           "quotes around a value with spaces", &value[3]);
        return NGX_CONF_ERROR;
    }

    if (emlcf->headers == NULL) {
        return "must not follow \"error_map_header off\"";
    }

    if (!ngx_http_error_map_header_name(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid header name \"%V\", it must consist of "
                           "letters, digits and \"-\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    for (reserved = ngx_http_error_map_reserved_headers;
         reserved->len;
         reserved++)
    {
        if (reserved->len == value[1].len
            && ngx_strncasecmp(reserved->data, value[1].data, reserved->len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "header \"%V\" cannot be set by "
                               "\"error_map_header\", nginx sets it itself",
                               &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    if (emlcf->headers == NGX_CONF_UNSET_PTR) {
        emlcf->headers = ngx_array_create(cf->pool, 4,
                                          sizeof(ngx_http_error_map_header_t));
        if (emlcf->headers == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_error_map_header_compile(cf, emlcf->headers, &value[1],
                                          &value[2])
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_error_map_header_compile(ngx_conf_t *cf, ngx_array_t *headers,
    ngx_str_t *key, ngx_str_t *value)
{
    ngx_str_t                        *vendor, name;
    ngx_uint_t                        i;
    ngx_http_error_map_header_t      *h, *first;
    ngx_http_compile_complex_value_t  ccv;

    h = ngx_array_push(headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_http_error_map_header_t));

    h->key = *key;

    h->lowcase_key = ngx_pnalloc(cf->pool, key->len);
    if (h->lowcase_key == NULL) {
        return NGX_ERROR;
    }

    h->hash = ngx_hash_strlow(h->lowcase_key, key->data, key->len);

    for (i = 0, first = headers->elts; i < headers->nelts - 1; i++) {
        if (first[i].hash == h->hash && first[i].key.len == key->len
            && ngx_strncmp(first[i].lowcase_key, h->lowcase_key, key->len)
               == 0)
        {
            h->lowcase_key = first[i].lowcase_key;
        }
    }

    h->freshness = (key->len == 7
                    && ngx_strncmp(h->lowcase_key, "expires", 7) == 0)
                   || (key->len == 13
                       && ngx_strncmp(h->lowcase_key, "cache-control", 13)
                          == 0);

    for (vendor = ngx_http_error_map_vendor_headers; vendor->len; vendor++) {
        if (vendor->len == key->len
            && ngx_strncmp(vendor->data, h->lowcase_key, key->len) == 0)
        {
            h->vendor = 1;
        }
    }

    /* a single variable of this module, the usual value, needs no script */

    h->variable = NGX_DECLINED;

    if (value->len && value->data[0] == '$') {
        name.data = value->data + 1;
        name.len = value->len - 1;

        h->variable = ngx_http_error_map_variable_number(&name);

        if (h->variable != NGX_DECLINED) {
            return NGX_OK;
        }
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = value;
    ccv.complex_value = &h->value;

    return ngx_http_compile_complex_value(&ccv);
}


ngx_array_t *
ngx_http_error_map_default_headers(ngx_conf_t *cf)
{
    ngx_str_t    *h;
    ngx_array_t  *headers;

    headers = ngx_array_create(cf->pool, 5,
                               sizeof(ngx_http_error_map_header_t));
    if (headers == NULL) {
        return NULL;
    }

    for (h = ngx_http_error_map_defaults; h->len; h += 2) {
        if (ngx_http_error_map_header_compile(cf, headers, &h[0], &h[1])
            != NGX_OK)
        {
            return NULL;
        }
    }

    return headers;
}


/* few other headers share both the length and the first letter */

static ngx_inline uint64_t
ngx_http_error_map_name_bit(ngx_str_t *key)
{
    return (uint64_t) 1 << ((key->len ? key->len + (key->data[0] | 0x20) : 0)
                            & 63);
}


uint64_t
ngx_http_error_map_name_bits(ngx_http_error_map_header_t *header,
    ngx_uint_t nelts, ngx_uint_t vendor)
{
    uint64_t    bits;
    ngx_uint_t  n;

    bits = 0;

    for (n = 0; n < nelts; n++) {
        if (header[n].vendor == vendor) {
            bits |= ngx_http_error_map_name_bit(&header[n].key);
        }
    }

    return bits;
}


void
ngx_http_error_map_remove_spoofed(ngx_http_request_t *r, ngx_array_t *headers,
    uint64_t bits)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    /* nearly always there is none */

    for (part = &r->headers_out.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (bits & ngx_http_error_map_name_bit(&h[i].key)) {
                ngx_http_error_map_remove_headers(r, headers->elts,
                                                  headers->nelts, 0, bits);
                return;
            }
        }
    }
}


void
ngx_http_error_map_remove_validators(ngx_http_request_t *r)
{
    ngx_uint_t  n, sent;

    sent = r->headers_out.accept_ranges || r->headers_out.content_range
           || r->headers_out.last_modified || r->headers_out.etag;

    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);

    r->headers_out.content_range = NULL;

    /* nginx clears the last one only, a vendor may send more */

    if (sent) {
        n = sizeof(ngx_http_error_map_validators)
            / sizeof(ngx_http_error_map_header_t);

        ngx_http_error_map_remove_headers(r, ngx_http_error_map_validators, n,
                0, ngx_http_error_map_name_bits(ngx_http_error_map_validators,
                                                n, 0));
    }
}


void
ngx_http_error_map_remove_representation(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ngx_http_error_map_remove_validators(r);

    r->headers_out.content_encoding = NULL;

    part = &r->headers_out.headers.part;

    for ( /* void */ ; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash && ngx_http_error_map_describes_body(&h[i].key)) {
                ngx_http_error_map_remove_header(r, &h[i]);
            }
        }
    }

    part = &r->headers_out.trailers.part;

    for ( /* void */ ; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            h[i].hash = 0;
        }
    }
}


/* names that may come to be registered follow the first two rules */

static ngx_uint_t
ngx_http_error_map_describes_body(ngx_str_t *name)
{
    u_char     *last;
    ngx_str_t  *field;

    last = name->data + name->len;

    if (name->len > 8 && ngx_strncasecmp(name->data, (u_char *) "content-", 8)
                         == 0)
    {
        return name->len < 23
               || ngx_strncasecmp(name->data + 8, (u_char *) "security-policy",
                                  15)
                  != 0;
    }

    if (name->len > 7 && ngx_strncasecmp(last - 7, (u_char *) "-digest", 7)
                         == 0)
    {
        return ngx_strncasecmp(name->data, (u_char *) "want-", 5) != 0;
    }

    for (field = ngx_http_error_map_representation; field->len; field++) {
        if (field->len == name->len
            && ngx_strncasecmp(field->data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/*
 * Removes headers sent by the vendor under the name of one of the headers with
 * this vendor flag.  Headers added by this module share lowcase_key, and stay.
 */

static void
ngx_http_error_map_remove_headers(ngx_http_request_t *r,
    ngx_http_error_map_header_t *header, ngx_uint_t nelts, ngx_uint_t vendor,
    uint64_t bits)
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

        if (h[i].hash == 0
            || !(bits & ngx_http_error_map_name_bit(&h[i].key)))
        {
            continue;
        }

        for (n = 0; n < nelts; n++) {

            if (header[n].key.len == h[i].key.len
                && header[n].vendor == vendor
                && h[i].lowcase_key != header[n].lowcase_key
                && ngx_strncasecmp(header[n].lowcase_key, h[i].key.data,
                                   h[i].key.len)
                   == 0)
            {
                ngx_http_error_map_remove_header(r, &h[i]);
            }
        }
    }
}


ngx_array_t *
ngx_http_error_map_ready_headers(ngx_pool_t *pool,
    ngx_http_error_map_ctx_t *ctx, ngx_array_t *headers)
{
    ngx_str_t                    *v;
    ngx_uint_t                    i;
    ngx_array_t                  *ready;
    ngx_table_elt_t              *h;
    ngx_http_error_map_header_t  *header;

    ready = ngx_array_create(pool, headers->nelts, sizeof(ngx_table_elt_t));
    if (ready == NULL) {
        return NULL;
    }

    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {

        v = ngx_http_error_map_ready_value(ctx, header[i].variable);

        if (v == NULL) {
            return NULL;
        }

        if (v->len == 0) {
            continue;
        }

        if (header[i].vendor || header[i].freshness) {
            return NULL;
        }

        h = ngx_array_push(ready);
        if (h == NULL) {
            return NULL;
        }

        ngx_memzero(h, sizeof(ngx_table_elt_t));

        h->hash = header[i].hash;
        h->key = header[i].key;
        h->lowcase_key = header[i].lowcase_key;
        h->value = *v;
    }

    return ready;
}


ngx_int_t
ngx_http_error_map_add_ready_headers(ngx_http_request_t *r,
    ngx_array_t *ready)
{
    ngx_uint_t        i;
    ngx_list_t       *headers;
    ngx_table_elt_t  *h, *elts;

    elts = ready->elts;
    headers = &r->headers_out.headers;

    /* nearly always */

    if (headers->last->nelts + ready->nelts <= headers->nalloc) {

        h = (ngx_table_elt_t *) headers->last->elts + headers->last->nelts;

        ngx_memcpy(h, elts, ready->nelts * sizeof(ngx_table_elt_t));

        headers->last->nelts += ready->nelts;

        return NGX_OK;
    }

    for (i = 0; i < ready->nelts; i++) {

        h = ngx_list_push(headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        *h = elts[i];
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_error_map_add_headers(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_array_t *headers)
{
    ngx_int_t                     rc;
    ngx_str_t                    *v, value;
    ngx_uint_t                    i, freshness;
    ngx_table_elt_t              *h;
    ngx_http_error_map_header_t  *header;

    freshness = 0;
    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {

        v = ngx_http_error_map_ready_value(ctx, header[i].variable);

        if (v == NULL) {
            v = &value;

            ctx->quote = 1;

            if (header[i].variable != NGX_DECLINED) {
                rc = ngx_http_error_map_variable_value(r, ctx,
                                                       header[i].variable, v);
            } else {
                rc = ngx_http_error_map_header_value(r, &header[i], v);
            }

            ctx->quote = 0;

            if (rc != NGX_OK) {
                return NGX_ERROR;
            }
        }

        if (v->len == 0) {
            continue;
        }

        if (header[i].vendor) {
            ngx_http_error_map_remove_headers(r, &header[i], 1, 1,
                            ngx_http_error_map_name_bit(&header[i].key));
        }

        if (header[i].freshness && !freshness) {
            freshness = 1;

            if (ngx_http_error_map_remove_freshness(r) != NGX_OK) {
                return NGX_ERROR;
            }
        }

        h = ngx_http_error_map_push_header(r);
        if (h == NULL) {
            return NGX_ERROR;
        }

        h->hash = header[i].hash;
        h->key = header[i].key;
        h->lowcase_key = header[i].lowcase_key;
        h->value = *v;
    }

    return freshness ? ngx_http_error_map_own_freshness(r) : NGX_OK;
}


/* the value of other variables may contain the end of a header line */

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
