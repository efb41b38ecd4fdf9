
#include "ngx_http_error_map_reader.h"
#include "ngx_http_error_map_util.h"


static ngx_int_t ngx_http_error_map_source_header(
    ngx_http_error_map_source_t *source, ngx_list_part_t *part,
    ngx_str_t *name);
static ngx_int_t ngx_http_error_map_source_inflate(
    ngx_http_error_map_source_t *source, u_char *data, size_t len);
static ngx_int_t ngx_http_error_map_source_scan(
    ngx_http_error_map_source_t *source, u_char *data, size_t len);
static ngx_int_t ngx_http_error_map_source_text(
    ngx_http_error_map_source_t *source, u_char *data, size_t len,
    ngx_uint_t wait);
static ngx_int_t ngx_http_error_map_source_text_end(
    ngx_http_error_map_source_t *source, ngx_uint_t end,
    ngx_http_error_map_verdict_e verdict);
static ngx_int_t ngx_http_error_map_source_scan_end(
    ngx_http_error_map_source_t *source);
static ngx_int_t ngx_http_error_map_source_code(
    ngx_http_error_map_source_t *source, u_char *data, size_t len);
static ngx_int_t ngx_http_error_map_source_lookup(
    ngx_http_error_map_source_t *source);
static ngx_int_t ngx_http_error_map_source_verdict(
    ngx_http_error_map_source_t *source, ngx_http_error_map_verdict_e verdict);


ngx_int_t
ngx_http_error_map_source_init(ngx_http_error_map_source_t *source,
    ngx_http_request_t *r, ngx_http_error_map_document_t *document,
    size_t size, ngx_uint_t gzip)
{
    ngx_str_t            *name;
    ngx_uint_t            i;
    ngx_list_part_t      *part;
    ngx_http_upstream_t  *u;

    source->request = r;
    source->document = document;
    source->left = size;
    source->size = 0;
    source->verdict = NGX_HTTP_ERROR_MAP_UNDECIDED;
    source->entry = NULL;
    source->text = NULL;
    source->gunzip = NULL;
    source->gzip = gzip;

    em_json_init(&source->json);

    if (document->headers.nelts) {

        /* an edge may hide the header from its clients */

        u = ngx_http_error_map_vendor(r);

        part = u ? &u->headers_in.headers.part : &r->headers_out.headers.part;
        name = document->headers.elts;

        for (i = 0; i < document->headers.nelts; i++) {
            if (ngx_http_error_map_source_header(source, part, &name[i])
                == NGX_OK)
            {
                return NGX_OK;
            }
        }
    }

    if (document->pointers.npointers == 0) {

        if (document->patterns.nelts == 0) {
            return ngx_http_error_map_source_verdict(source,
                                                     NGX_HTTP_ERROR_MAP_NONE);
        }

        source->json.status = EM_JSON_COMPLETE;
    }

    return NGX_AGAIN;
}


/* of a header that is repeated, the first one counts that may be a code */

static ngx_int_t
ngx_http_error_map_source_header(ngx_http_error_map_source_t *source,
    ngx_list_part_t *part, ngx_str_t *name)
{
    ngx_table_elt_t  *h;

    h = NULL;

    while ((h = ngx_http_error_map_next_header(part, name, h))) {

        if (h->value.len > 0 && h->value.len <= EM_CODE_MAX) {
            return ngx_http_error_map_source_code(source, h->value.data,
                                                  h->value.len);
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_error_map_source_feed(ngx_http_error_map_source_t *source,
    u_char *data, size_t len)
{
    size_t     n;
    ngx_int_t  rc;

    n = ngx_min(len, source->left);

    source->left -= n;
    source->size += n;

    if (source->gzip) {
        rc = ngx_http_error_map_source_inflate(source, data, n);

    } else if (n == len) {
        return ngx_http_error_map_source_scan(source, data, n);

    } else {
        rc = ngx_http_error_map_source_scan(source, data, n);
    }

    if (rc == NGX_AGAIN && n < len) {
        return ngx_http_error_map_source_stop(source,
                                              NGX_HTTP_ERROR_MAP_UNDECIDED);
    }

    return rc;
}


ngx_int_t
ngx_http_error_map_source_stop(ngx_http_error_map_source_t *source,
    ngx_http_error_map_verdict_e verdict)
{
    if (source->text && source->json.status != EM_JSON_MORE) {
        return ngx_http_error_map_source_text_end(source, 0, verdict);
    }

    return ngx_http_error_map_source_verdict(source, verdict);
}


/*
 * Patterns are for what is no JSON: they are searched for when it is known
 * that no pointer leads to a code, but then from the beginning.
 */

static ngx_int_t
ngx_http_error_map_source_scan(ngx_http_error_map_source_t *source,
    u_char *data, size_t len)
{
    em_json_status_e                status;
    ngx_http_error_map_document_t  *document;

    document = source->document;

    status = em_json_feed(&source->json, &document->pointers, data, len);

    if (status == EM_JSON_FOUND) {
        return ngx_http_error_map_source_lookup(source);
    }

    if (document->patterns.nelts) {
        return ngx_http_error_map_source_text(source, data, len,
                                              status == EM_JSON_MORE);
    }

    if (status == EM_JSON_MORE) {
        return NGX_AGAIN;
    }

    return ngx_http_error_map_source_verdict(source, NGX_HTTP_ERROR_MAP_NONE);
}


/* a gzip body is inflated aside, a piece at a time */

static ngx_int_t
ngx_http_error_map_source_inflate(ngx_http_error_map_source_t *source,
    u_char *data, size_t len)
{
    ngx_int_t  rc;
    ngx_str_t  text;

    if (source->gunzip == NULL) {
        source->gunzip = ngx_http_error_map_gunzip_create(source->request->pool,
                                                  source->left + source->size);
        if (source->gunzip == NULL) {
            return ngx_http_error_map_source_verdict(source,
                                               NGX_HTTP_ERROR_MAP_UNDECIDED);
        }
    }

    ngx_http_error_map_gunzip_feed(source->gunzip, data, len);

    for ( ;; ) {

        rc = ngx_http_error_map_gunzip_next(source->gunzip, &text);

        if (text.len
            && ngx_http_error_map_source_scan(source, text.data, text.len)
               == NGX_OK)
        {
            break;
        }

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (rc == NGX_DONE) {
            (void) ngx_http_error_map_source_scan_end(source);
            break;
        }

        if (rc != NGX_OK) {
            (void) ngx_http_error_map_source_stop(source,
                                    rc == NGX_ERROR
                                    ? NGX_HTTP_ERROR_MAP_NONE
                                    : NGX_HTTP_ERROR_MAP_UNDECIDED);
            break;
        }
    }

    ngx_http_error_map_gunzip_free(source->gunzip);
    source->gunzip = NULL;

    return NGX_OK;
}


ngx_int_t
ngx_http_error_map_source_end(ngx_http_error_map_source_t *source)
{
    if (source->gunzip
        && !ngx_http_error_map_gunzip_complete(source->gunzip))
    {
        return ngx_http_error_map_source_stop(source, NGX_HTTP_ERROR_MAP_NONE);
    }

    return ngx_http_error_map_source_scan_end(source);
}


static ngx_int_t
ngx_http_error_map_source_scan_end(ngx_http_error_map_source_t *source)
{
    if (em_json_end(&source->json, &source->document->pointers)
        == EM_JSON_FOUND)
    {
        return ngx_http_error_map_source_lookup(source);
    }

    return ngx_http_error_map_source_text_end(source, 1,
                                              NGX_HTTP_ERROR_MAP_NONE);
}


static ngx_int_t
ngx_http_error_map_source_text(ngx_http_error_map_source_t *source,
    u_char *data, size_t len, ngx_uint_t wait)
{
    ngx_int_t            rc;
    ngx_str_t            code;
    ngx_http_request_t  *r;

    rc = NGX_ERROR;

    if (source->text == NULL) {
        r = source->request;

        source->text = ngx_http_error_map_text_create(r->pool,
                                                r->connection->log,
                                                source->document,
                                                source->left + source->size);
    }

    if (source->text) {
        rc = ngx_http_error_map_text_feed(source->text, data, len, wait, &code);
    }

    if (rc == NGX_OK) {
        return ngx_http_error_map_source_code(source, code.data, code.len);
    }

    return (rc == NGX_AGAIN)
           ? NGX_AGAIN
           : ngx_http_error_map_source_verdict(source,
                                               NGX_HTTP_ERROR_MAP_UNDECIDED);
}


/* searches what was kept of a text; the verdict is for one without a code */

static ngx_int_t
ngx_http_error_map_source_text_end(ngx_http_error_map_source_t *source,
    ngx_uint_t end, ngx_http_error_map_verdict_e verdict)
{
    ngx_int_t  rc;
    ngx_str_t  code;

    if (source->text) {
        rc = ngx_http_error_map_text_end(source->text, end, &code);

        if (rc == NGX_OK) {
            return ngx_http_error_map_source_code(source, code.data, code.len);
        }

        if (rc == NGX_ERROR) {
            verdict = NGX_HTTP_ERROR_MAP_UNDECIDED;
        }
    }

    return ngx_http_error_map_source_verdict(source, verdict);
}


static ngx_int_t
ngx_http_error_map_source_code(ngx_http_error_map_source_t *source,
    u_char *data, size_t len)
{
    ngx_memcpy(source->json.token, data, len);
    source->json.len = len;

    return ngx_http_error_map_source_lookup(source);
}


static ngx_int_t
ngx_http_error_map_source_lookup(ngx_http_error_map_source_t *source)
{
    int                   i;
    em_json_t            *json;
    const em_document_t  *table;

    json = &source->json;
    table = source->document->table;

    i = em_success_find(table, json->token, json->len);

    if (i >= 0) {
        source->success = i;

        return ngx_http_error_map_source_verdict(source,
                                                 NGX_HTTP_ERROR_MAP_SUCCESS);
    }

    source->entry = em_entry_find(table, json->token, json->len);

    return ngx_http_error_map_source_verdict(source,
                         source->entry ? NGX_HTTP_ERROR_MAP_MAPPED
                                       : NGX_HTTP_ERROR_MAP_UNKNOWN);
}


static ngx_int_t
ngx_http_error_map_source_verdict(ngx_http_error_map_source_t *source,
    ngx_http_error_map_verdict_e verdict)
{
    source->verdict = verdict;

    return NGX_OK;
}
