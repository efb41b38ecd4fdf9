
#include "ngx_http_error_map_reader.h"
#include "ngx_http_error_map_pattern.h"
#include "ngx_http_error_map_util.h"


static ngx_int_t ngx_http_error_map_reader_header(
    ngx_http_error_map_reader_t *reader, ngx_list_part_t *part,
    ngx_str_t *name);
static ngx_int_t ngx_http_error_map_reader_decode(
    ngx_http_error_map_reader_t *reader, u_char *data, size_t len);
static ngx_int_t ngx_http_error_map_reader_scan(
    ngx_http_error_map_reader_t *reader, u_char *data, size_t len);
static ngx_int_t ngx_http_error_map_reader_text(
    ngx_http_error_map_reader_t *reader, u_char *data, size_t len,
    ngx_uint_t wait);
static ngx_int_t ngx_http_error_map_reader_text_end(
    ngx_http_error_map_reader_t *reader, ngx_uint_t end,
    ngx_http_error_map_reason_e reason);
static ngx_int_t ngx_http_error_map_reader_scan_end(
    ngx_http_error_map_reader_t *reader);
static ngx_int_t ngx_http_error_map_reader_code(
    ngx_http_error_map_reader_t *reader, u_char *data, size_t len);
static ngx_int_t ngx_http_error_map_reader_lookup(
    ngx_http_error_map_reader_t *reader);
static ngx_int_t ngx_http_error_map_reader_answer(
    ngx_http_error_map_reader_t *reader);
static ngx_int_t ngx_http_error_map_reader_verdict(
    ngx_http_error_map_reader_t *reader, ngx_http_error_map_verdict_e verdict);
static ngx_int_t ngx_http_error_map_reader_reason(
    ngx_http_error_map_reader_t *reader, ngx_http_error_map_reason_e reason);


ngx_int_t
ngx_http_error_map_reader_init(ngx_http_error_map_reader_t *reader,
    ngx_http_request_t *r, ngx_http_error_map_document_t *document,
    size_t size, ngx_http_error_map_coding_e coding)
{
    ngx_str_t            *name;
    ngx_uint_t            i;
    ngx_list_part_t      *part;
    ngx_http_upstream_t  *u;

    reader->request = r;
    reader->document = document;
    reader->left = size;
    reader->size = 0;
    reader->verdict = NGX_HTTP_ERROR_MAP_UNDECIDED;
    reader->reason = NGX_HTTP_ERROR_MAP_REASON_NONE;
    reader->entry = NULL;
    reader->text = NULL;
    reader->decoder = NULL;
    reader->coding = coding;

    em_json_init(&reader->json);

    if (document->headers.nelts) {

        /* the header may be hidden from clients */

        u = ngx_http_error_map_response_upstream(r);

        part = u ? &u->headers_in.headers.part : &r->headers_out.headers.part;
        name = document->headers.elts;

        for (i = 0; i < document->headers.nelts; i++) {
            if (ngx_http_error_map_reader_header(reader, part, &name[i])
                == NGX_OK)
            {
                return NGX_OK;
            }
        }
    }

    if (document->pointers.npointers == 0 && document->patterns.nelts == 0) {
        return ngx_http_error_map_reader_reason(reader,
                                           NGX_HTTP_ERROR_MAP_REASON_NO_CODE);
    }

    return NGX_AGAIN;
}


/* of repeated headers, the first one whose length fits is the code */

static ngx_int_t
ngx_http_error_map_reader_header(ngx_http_error_map_reader_t *reader,
    ngx_list_part_t *part, ngx_str_t *name)
{
    ngx_table_elt_t  *h;

    h = NULL;

    while ((h = ngx_http_error_map_next_header(part, name, h))) {

        if (h->value.len > 0 && h->value.len <= EM_CODE_MAX) {
            return ngx_http_error_map_reader_code(reader, h->value.data,
                                                  h->value.len);
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_error_map_reader_feed(ngx_http_error_map_reader_t *reader,
    u_char *data, size_t len)
{
    size_t     n;
    ngx_int_t  rc;

    n = ngx_min(len, reader->left);

    reader->left -= n;
    reader->size += n;

    if (reader->coding) {
        rc = ngx_http_error_map_reader_decode(reader, data, n);

    } else if (n == len) {
        return ngx_http_error_map_reader_scan(reader, data, n);

    } else {
        rc = ngx_http_error_map_reader_scan(reader, data, n);
    }

    if (rc == NGX_AGAIN && n < len) {
        return ngx_http_error_map_reader_stop(reader,
                                         NGX_HTTP_ERROR_MAP_REASON_HOLD_SIZE);
    }

    return rc;
}


ngx_int_t
ngx_http_error_map_reader_stop(ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_reason_e reason)
{
    if (reader->text && reader->json.status != EM_JSON_MORE) {
        return ngx_http_error_map_reader_text_end(reader, 0, reason);
    }

    return ngx_http_error_map_reader_reason(reader, reason);
}


/*
 * Patterns are searched once it is certain that no pointer leads to a code,
 * and then from the beginning of the body.
 */

static ngx_int_t
ngx_http_error_map_reader_scan(ngx_http_error_map_reader_t *reader,
    u_char *data, size_t len)
{
    em_json_status_e                status;
    ngx_http_error_map_document_t  *document;

    document = reader->document;

    status = em_json_feed(&reader->json, &document->pointers, data, len);

    if (status == EM_JSON_FOUND) {
        return ngx_http_error_map_reader_lookup(reader);
    }

    if (document->patterns.nelts) {
        return ngx_http_error_map_reader_text(reader, data, len,
                                              status == EM_JSON_MORE);
    }

    if (status == EM_JSON_MORE) {
        return NGX_AGAIN;
    }

    return ngx_http_error_map_reader_reason(reader,
                                    status == EM_JSON_MALFORMED
                                    ? NGX_HTTP_ERROR_MAP_REASON_MALFORMED
                                    : NGX_HTTP_ERROR_MAP_REASON_NO_CODE);
}


/* decodes a coded body for inspection only, a piece at a time */

static ngx_int_t
ngx_http_error_map_reader_decode(ngx_http_error_map_reader_t *reader,
    u_char *data, size_t len)
{
    ngx_int_t  rc;
    ngx_str_t  text;

    if (len == 0) {
        return NGX_AGAIN;
    }

    if (reader->decoder == NULL) {
        reader->decoder = ngx_http_error_map_decoder_create(reader->coding,
                                             reader->request->pool,
                                             reader->left + reader->size);
        if (reader->decoder == NULL) {
            return ngx_http_error_map_reader_reason(reader,
                                         NGX_HTTP_ERROR_MAP_REASON_HOLD_SIZE);
        }
    }

    ngx_http_error_map_decoder_feed(reader->decoder, data, len);

    for ( ;; ) {

        rc = ngx_http_error_map_decoder_next(reader->decoder, &text);

        if (text.len
            && ngx_http_error_map_reader_scan(reader, text.data, text.len)
               == NGX_OK)
        {
            return NGX_OK;
        }

        switch (rc) {

        case NGX_OK:
            break;

        case NGX_AGAIN:
            return NGX_AGAIN;

        case NGX_DONE:
            return ngx_http_error_map_reader_scan_end(reader);

        case NGX_DECLINED:
            return ngx_http_error_map_reader_stop(reader,
                                         NGX_HTTP_ERROR_MAP_REASON_CODING);

        case NGX_ABORT:
            return ngx_http_error_map_reader_stop(reader,
                                         NGX_HTTP_ERROR_MAP_REASON_HOLD_SIZE);

        default: /* NGX_ERROR */
            return ngx_http_error_map_reader_stop(reader,
                                         NGX_HTTP_ERROR_MAP_REASON_MALFORMED);
        }
    }
}


ngx_int_t
ngx_http_error_map_reader_end(ngx_http_error_map_reader_t *reader)
{
    if (reader->decoder
        && !ngx_http_error_map_decoder_complete(reader->decoder))
    {
        return ngx_http_error_map_reader_stop(reader,
                                         NGX_HTTP_ERROR_MAP_REASON_MALFORMED);
    }

    return ngx_http_error_map_reader_scan_end(reader);
}


void
ngx_http_error_map_reader_free(ngx_http_error_map_reader_t *reader)
{
    if (reader->decoder) {
        ngx_http_error_map_decoder_free(reader->decoder);
        reader->decoder = NULL;
    }

    if (reader->text) {
        ngx_http_error_map_text_free(reader->text);
        reader->text = NULL;
    }
}


static ngx_int_t
ngx_http_error_map_reader_scan_end(ngx_http_error_map_reader_t *reader)
{
    ngx_http_error_map_reason_e     reason;
    ngx_http_error_map_document_t  *document;

    document = reader->document;

    switch (em_json_end(&reader->json, &document->pointers)) {

    case EM_JSON_FOUND:
        return ngx_http_error_map_reader_lookup(reader);

    case EM_JSON_EMPTY:
        reason = NGX_HTTP_ERROR_MAP_REASON_EMPTY;
        break;

    case EM_JSON_MALFORMED:

        /* a text to search need not be JSON */

        reason = document->patterns.nelts
                 ? NGX_HTTP_ERROR_MAP_REASON_NO_CODE
                 : NGX_HTTP_ERROR_MAP_REASON_MALFORMED;
        break;

    default: /* EM_JSON_COMPLETE */
        reason = NGX_HTTP_ERROR_MAP_REASON_NO_CODE;
        break;
    }

    return ngx_http_error_map_reader_text_end(reader, 1, reason);
}


static ngx_int_t
ngx_http_error_map_reader_text(ngx_http_error_map_reader_t *reader,
    u_char *data, size_t len, ngx_uint_t wait)
{
    ngx_int_t            rc;
    ngx_str_t            code;
    ngx_http_request_t  *r;

    rc = NGX_ERROR;

    if (reader->text == NULL) {
        r = reader->request;

        reader->text = ngx_http_error_map_text_create(r->pool,
                                                r->connection->log,
                                                reader->document,
                                                reader->left + reader->size);
    }

    if (reader->text) {
        rc = ngx_http_error_map_text_feed(reader->text, data, len, wait, &code);
    }

    if (rc == NGX_OK) {
        return ngx_http_error_map_reader_code(reader, code.data, code.len);
    }

    return (rc == NGX_AGAIN)
           ? NGX_AGAIN
           : ngx_http_error_map_reader_reason(reader,
                                       NGX_HTTP_ERROR_MAP_REASON_PATTERN_COST);
}


/* searches the bytes kept; without a code, the reason is the one given */

static ngx_int_t
ngx_http_error_map_reader_text_end(ngx_http_error_map_reader_t *reader,
    ngx_uint_t end, ngx_http_error_map_reason_e reason)
{
    ngx_int_t  rc;
    ngx_str_t  code;

    if (reader->text) {
        rc = ngx_http_error_map_text_end(reader->text, end, &code);

        if (rc == NGX_OK) {
            return ngx_http_error_map_reader_code(reader, code.data, code.len);
        }

        if (rc == NGX_ERROR) {
            reason = NGX_HTTP_ERROR_MAP_REASON_PATTERN_COST;
        }
    }

    return ngx_http_error_map_reader_reason(reader, reason);
}


static ngx_int_t
ngx_http_error_map_reader_code(ngx_http_error_map_reader_t *reader,
    u_char *data, size_t len)
{
    ngx_memcpy(reader->json.token, data, len);
    reader->json.len = len;

    return ngx_http_error_map_reader_lookup(reader);
}


static ngx_int_t
ngx_http_error_map_reader_lookup(ngx_http_error_map_reader_t *reader)
{
    int                   i;
    em_json_t            *json;
    const em_document_t  *table;

    json = &reader->json;
    table = reader->document->table;

    if (table->groups) {
        return ngx_http_error_map_reader_answer(reader);
    }

    i = em_success_find(table, json->token, json->len);

    if (i >= 0) {
        reader->success = i;

        return ngx_http_error_map_reader_verdict(reader,
                                                 NGX_HTTP_ERROR_MAP_SUCCESS);
    }

    reader->entry = em_entry_find(table, json->token, json->len);

    return ngx_http_error_map_reader_verdict(reader,
                         reader->entry ? NGX_HTTP_ERROR_MAP_MAPPED
                                       : NGX_HTTP_ERROR_MAP_UNKNOWN);
}


/* a document that has rows of many codes */

static ngx_int_t
ngx_http_error_map_reader_answer(ngx_http_error_map_reader_t *reader)
{
    em_answer_e           answer;
    const em_document_t  *table;

    table = reader->document->table;

    answer = em_document_answer(table, reader->json.token, reader->json.len,
                                ngx_http_error_map_pattern_match,
                                reader->request->connection->log,
                                &reader->entry, &reader->success);

    if (answer == EM_ANSWER_SUCCESS) {
        return ngx_http_error_map_reader_verdict(reader,
                                                 NGX_HTTP_ERROR_MAP_SUCCESS);
    }

    if (answer == EM_ANSWER_UNLISTED) {
        reader->entry = table->unlisted;
    }

    return ngx_http_error_map_reader_verdict(reader,
                         reader->entry ? NGX_HTTP_ERROR_MAP_MAPPED
                                       : NGX_HTTP_ERROR_MAP_UNKNOWN);
}


static ngx_int_t
ngx_http_error_map_reader_verdict(ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_verdict_e verdict)
{
    reader->verdict = verdict;

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_reader_reason(ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_reason_e reason)
{
    reader->reason = reason;

    return ngx_http_error_map_reader_verdict(reader,
                                    ngx_http_error_map_reason_verdict(reason));
}
