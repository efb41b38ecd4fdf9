
#include "ngx_http_error_map_reader.h"
#include "ngx_http_error_map_pattern.h"
#include "ngx_http_error_map_total.h"
#include "ngx_http_error_map_util.h"
#include "em_seconds.h"


/* the reason, unless the memory of all responses is what did not suffice */
#define ngx_http_error_map_reader_full(reason)                                \
    (ngx_http_error_map_total_full ? NGX_HTTP_ERROR_MAP_REASON_HOLD_TOTAL     \
                                   : (reason))


static ngx_int_t ngx_http_error_map_reader_headers(
    ngx_http_error_map_reader_t *reader);
static ngx_list_part_t *ngx_http_error_map_reader_part(
    ngx_http_error_map_reader_t *reader);
static ngx_int_t ngx_http_error_map_reader_header(
    ngx_http_error_map_reader_t *reader, ngx_list_part_t *part,
    ngx_str_t *name, ngx_http_error_map_header_source_t *source,
    ngx_str_t *code);
static ngx_int_t ngx_http_error_map_reader_match(
    ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_pattern_t *pattern, ngx_str_t *value,
    ngx_str_t *found);
static ngx_int_t ngx_http_error_map_reader_start(
    ngx_http_error_map_reader_t *reader, u_char ch);
static ngx_int_t ngx_http_error_map_reader_select(
    ngx_http_error_map_reader_t *reader, u_char *data, size_t len);
static ngx_int_t ngx_http_error_map_reader_selected(
    ngx_http_error_map_reader_t *reader);
static ngx_int_t ngx_http_error_map_reader_wait(
    ngx_http_error_map_reader_t *reader);
static ngx_int_t ngx_http_error_map_reader_text_fields(
    ngx_http_error_map_reader_t *reader, ngx_uint_t end);
static ngx_int_t ngx_http_error_map_reader_field_header(
    ngx_http_error_map_reader_t *reader, ngx_http_error_map_field_t *field,
    ngx_str_t *value);
static ngx_int_t ngx_http_error_map_reader_create_text(
    ngx_http_error_map_reader_t *reader);
static ngx_int_t ngx_http_error_map_reader_decode(
    ngx_http_error_map_reader_t *reader, u_char *data, size_t len);
static ngx_int_t ngx_http_error_map_reader_scan(
    ngx_http_error_map_reader_t *reader, u_char *data, size_t len);
static ngx_int_t ngx_http_error_map_reader_stream(
    ngx_http_error_map_reader_t *reader, u_char *data, size_t len);
static ngx_int_t ngx_http_error_map_reader_stream_end(
    ngx_http_error_map_reader_t *reader);
static ngx_uint_t ngx_http_error_map_reader_pass(
    ngx_http_error_map_reader_t *reader);
static void ngx_http_error_map_reader_event(
    ngx_http_error_map_reader_t *reader);
static ngx_int_t ngx_http_error_map_reader_scan_text(
    ngx_http_error_map_reader_t *reader, u_char *data, size_t len);
static ngx_int_t ngx_http_error_map_reader_text(
    ngx_http_error_map_reader_t *reader, u_char *data, size_t len,
    ngx_uint_t wait);
static ngx_int_t ngx_http_error_map_reader_text_end(
    ngx_http_error_map_reader_t *reader, ngx_uint_t end,
    ngx_http_error_map_reason_e reason);
static ngx_int_t ngx_http_error_map_reader_scan_end(
    ngx_http_error_map_reader_t *reader);
static ngx_int_t ngx_http_error_map_reader_scan_text_end(
    ngx_http_error_map_reader_t *reader);
static ngx_int_t ngx_http_error_map_reader_found(
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
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_coding_e coding,
    em_event_format_e stream, em_charset_e charset)
{
    reader->request = r;
    reader->document = document;
    reader->left = conf->hold_size;
    reader->events = conf->events;
    reader->size = 0;
    reader->verdict = NGX_HTTP_ERROR_MAP_UNDECIDED;
    reader->reason = NGX_HTTP_ERROR_MAP_REASON_NONE;
    reader->entry = NULL;
    reader->text = NULL;
    reader->decoder = NULL;
    reader->coding = coding;

    reader->select = NULL;
    reader->charset = charset;
    reader->found = NULL;
    reader->started = 0;
    reader->searched = 0;
    reader->decided = 0;
    reader->passed = 0;
    reader->others = NGX_HTTP_ERROR_MAP_REASON_NONE;

    em_event_init(&reader->stream, stream);
    em_json_init(&reader->json);

    if (document->headers.nelts
        && ngx_http_error_map_reader_headers(reader) == NGX_OK)
    {
        return ngx_http_error_map_reader_wait(reader);
    }

    if (document->plan == NULL && document->patterns.nelts == 0) {
        return ngx_http_error_map_reader_reason(reader,
                                           NGX_HTTP_ERROR_MAP_REASON_NO_CODE);
    }

    return NGX_AGAIN;
}


/* the first line with a code decides, and the best code of the line */

static ngx_int_t
ngx_http_error_map_reader_headers(ngx_http_error_map_reader_t *reader)
{
    ngx_int_t                            rc;
    ngx_str_t                           *name, code, best;
    ngx_uint_t                           i, n, found;
    ngx_list_part_t                     *part;
    ngx_http_error_map_verdict_e         verdict;
    ngx_http_error_map_header_source_t  *header;

    part = ngx_http_error_map_reader_part(reader);
    header = reader->document->headers.elts;

    for (i = 0; i < reader->document->headers.nelts; i++) {

        name = header[i].names.elts;
        found = 0;
        verdict = NGX_HTTP_ERROR_MAP_UNDECIDED;
        ngx_str_null(&best);

        for (n = 0; n < header[i].names.nelts; n++) {

            rc = ngx_http_error_map_reader_header(reader, part, &name[n],
                                                  &header[i], &code);
            if (rc == NGX_ERROR) {
                return ngx_http_error_map_reader_reason(reader,
                                       NGX_HTTP_ERROR_MAP_REASON_PATTERN_COST);
            }

            if (rc == NGX_DECLINED) {
                continue;
            }

            (void) ngx_http_error_map_reader_code(reader, code.data, code.len);

            /* an error is better than an unlisted code than a success */

            if (!found || reader->verdict > verdict) {
                found = 1;
                best = code;
                verdict = reader->verdict;
            }
        }

        if (found) {
            return ngx_http_error_map_reader_code(reader, best.data, best.len);
        }
    }

    return NGX_DECLINED;
}


/* the upstream's headers, which may be hidden from clients, or nginx's own */

static ngx_list_part_t *
ngx_http_error_map_reader_part(ngx_http_error_map_reader_t *reader)
{
    ngx_http_request_t   *r;
    ngx_http_upstream_t  *u;

    r = reader->request;
    u = ngx_http_error_map_response_upstream(r);

    return u ? &u->headers_in.headers.part : &r->headers_out.headers.part;
}


/* of repeated headers, the first one with a code counts */

static ngx_int_t
ngx_http_error_map_reader_header(ngx_http_error_map_reader_t *reader,
    ngx_list_part_t *part, ngx_str_t *name,
    ngx_http_error_map_header_source_t *source, ngx_str_t *code)
{
    ngx_int_t         rc;
    ngx_table_elt_t  *h;

    h = NULL;

    while ((h = ngx_http_error_map_next_header(part, name, h))) {

        *code = h->value;

        if (source->pattern) {
            rc = ngx_http_error_map_reader_match(reader, source->pattern,
                                                 &h->value, code);
            if (rc == NGX_DECLINED) {
                continue;
            }

            if (rc != NGX_OK) {
                return NGX_ERROR;
            }
        }

        if (source->word.len && h->value.len) {
            *code = source->word;
        }

        if (code->len > 0 && code->len <= EM_CODE_MAX) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* applies a pattern to the first bytes of a value */

static ngx_int_t
ngx_http_error_map_reader_match(ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_pattern_t *pattern, ngx_str_t *value, ngx_str_t *found)
{
    if (ngx_http_error_map_reader_create_text(reader) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_error_map_text_value(reader->text, pattern, value->data,
                                         ngx_min(value->len,
                                                 EM_PLAN_VALUE_MAX),
                                         found);
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
    if (reader->decided) {
        ngx_http_error_map_reader_text_fields(reader, 0);
        return NGX_OK;
    }

    if (reader->passed) {
        return ngx_http_error_map_reader_reason(reader, reason);
    }

    if (reader->select && !reader->searched) {

        /* an error in hand counts */

        ngx_http_error_map_select_stop(reader->select);

        if (ngx_http_error_map_reader_selected(reader) == NGX_OK) {
            return NGX_OK;
        }

        return ngx_http_error_map_reader_reason(reader, reason);
    }

    if (reader->text && (reader->select
                         || reader->json.status != EM_JSON_MORE))
    {
        return ngx_http_error_map_reader_text_end(reader, 0, reason);
    }

    return ngx_http_error_map_reader_reason(reader, reason);
}


static ngx_int_t
ngx_http_error_map_reader_scan(ngx_http_error_map_reader_t *reader,
    u_char *data, size_t len)
{
    return reader->stream.format
           ? ngx_http_error_map_reader_stream(reader, data, len)
           : ngx_http_error_map_reader_scan_text(reader, data, len);
}


/* the end of an event is that of its text, whatever follows */

static ngx_int_t
ngx_http_error_map_reader_stream(ngx_http_error_map_reader_t *reader,
    u_char *data, size_t len)
{
    size_t              n;
    ngx_int_t           rc;
    const uint8_t      *p, *end, *text;
    em_event_status_e   status;

    p = data;
    end = data + len;

    for ( ;; ) {

        status = em_event_next(&reader->stream, &p, end, &text, &n);

        if (status == EM_EVENT_MORE) {
            return NGX_AGAIN;
        }

        if (reader->passed) {

            if (status == EM_EVENT_END) {
                ngx_http_error_map_reader_event(reader);
            }

            continue;
        }

        rc = (status == EM_EVENT_DATA)
             ? ngx_http_error_map_reader_scan_text(reader, (u_char *) text, n)
             : ngx_http_error_map_reader_scan_text_end(reader);

        if (rc == NGX_AGAIN) {
            continue;
        }

        if (!ngx_http_error_map_reader_pass(reader)) {
            return NGX_OK;
        }

        if (status == EM_EVENT_END) {
            ngx_http_error_map_reader_event(reader);
        }
    }
}


static ngx_int_t
ngx_http_error_map_reader_stream_end(ngx_http_error_map_reader_t *reader)
{
    if (!reader->decided && (reader->passed || !reader->stream.text)) {
        return ngx_http_error_map_reader_reason(reader,
                                    reader->others
                                    ? reader->others
                                    : NGX_HTTP_ERROR_MAP_REASON_EMPTY);
    }

    (void) ngx_http_error_map_reader_scan_text_end(reader);
    (void) ngx_http_error_map_reader_pass(reader);

    return NGX_OK;
}


/* returns 1 if the event has no code, and there is another one to look into */

static ngx_uint_t
ngx_http_error_map_reader_pass(ngx_http_error_map_reader_t *reader)
{
    if (reader->verdict != NGX_HTTP_ERROR_MAP_NONE) {
        return 0;
    }

    /* a JSON text without a code says more than what is not JSON */

    if (reader->others == NGX_HTTP_ERROR_MAP_REASON_NO_CODE) {
        reader->reason = reader->others;
    }

    reader->others = reader->reason;

    if (reader->events == 1) {
        return 0;
    }

    reader->events--;
    reader->passed = 1;

    return 1;
}


/* prepares the reader for the next event */

static void
ngx_http_error_map_reader_event(ngx_http_error_map_reader_t *reader)
{
    reader->verdict = NGX_HTTP_ERROR_MAP_UNDECIDED;
    reader->reason = NGX_HTTP_ERROR_MAP_REASON_NONE;
    reader->started = 0;
    reader->searched = 0;
    reader->passed = 0;

    em_json_init(&reader->json);

    if (reader->text) {
        ngx_http_error_map_text_restart(reader->text);
    }
}


/*
 * Patterns are searched once it is certain that no pointer leads to a code,
 * and then from the beginning of the body.
 */

static ngx_int_t
ngx_http_error_map_reader_scan_text(ngx_http_error_map_reader_t *reader,
    u_char *data, size_t len)
{
    em_json_status_e                status;
    ngx_http_error_map_document_t  *document;

    document = reader->document;

    if (!reader->started) {

        if (len == 0) {
            return NGX_AGAIN;
        }

        reader->started = 1;

        if (ngx_http_error_map_reader_start(reader, data[0]) != NGX_OK) {
            return ngx_http_error_map_reader_reason(reader,
                                         NGX_HTTP_ERROR_MAP_REASON_HOLD_SIZE);
        }
    }

    if (reader->select || reader->decided) {
        return ngx_http_error_map_reader_select(reader, data, len);
    }

    status = em_json_feed(&reader->json, &document->pointers, data, len);

    if (status == EM_JSON_FOUND) {
        return ngx_http_error_map_reader_found(reader);
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


/*
 * Plain sources of a JSON text are read by em_json; all else, text that hides
 * JSON and charsets included, by em_select.
 */

static ngx_int_t
ngx_http_error_map_reader_start(ngx_http_error_map_reader_t *reader, u_char ch)
{
    em_charset_e                    charset;
    ngx_http_error_map_document_t  *document;

    document = reader->document;

    if (document->plan == NULL) {
        return NGX_OK;
    }

    if (reader->select) {

        /* an event before was read by it */

        ngx_http_error_map_select_restart(reader->select);
        return NGX_OK;
    }

    charset = (document->charset != EM_CHARSET_UNKNOWN) ? document->charset
                                                        : reader->charset;

    if (reader->decided
        ? !document->json_fields
        : document->plan->plain
          && !document->json_fields
          && !document->text_fields
          && (reader->events == 1 || reader->stream.format)
          && (charset == EM_CHARSET_UTF8 || charset == EM_CHARSET_UNKNOWN)
          && (ch == '{' || ch == '['))
    {
        return NGX_OK;
    }

    if (document->ncaptures
        && ngx_http_error_map_reader_create_text(reader) != NGX_OK)
    {
        return NGX_ERROR;
    }

    reader->select = ngx_http_error_map_select_create(reader->request->pool,
                                                document, reader->text,
                                                charset,
                                                reader->stream.format
                                                ? 1 : reader->events,
                                                reader->decided);

    return reader->select ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_error_map_reader_select(ngx_http_error_map_reader_t *reader,
    u_char *data, size_t len)
{
    ngx_int_t                       rc;
    ngx_str_t                       code;
    em_select_status_e              status;
    ngx_http_error_map_document_t  *document;

    document = reader->document;

    if (reader->searched && !reader->decided) {
        return ngx_http_error_map_reader_text(reader, data, len, 0);
    }

    if (document->text_fields) {

        if (ngx_http_error_map_reader_create_text(reader) != NGX_OK
            || ngx_http_error_map_text_feed(reader->text, data, len, 1, &code)
               != NGX_AGAIN)
        {
            return ngx_http_error_map_reader_reason(reader,
                                       NGX_HTTP_ERROR_MAP_REASON_HOLD_SIZE);
        }
    }

    status = EM_SELECT_DONE;

    if (reader->select && !reader->searched) {
        status = ngx_http_error_map_select_feed(reader->select, data, len);
    }

    if (status == EM_SELECT_MORE) {

        /* patterns are searched from the beginning of the body */

        return (document->patterns.nelts && !document->text_fields)
               ? ngx_http_error_map_reader_text(reader, data, len, 1)
               : NGX_AGAIN;
    }

    if (!reader->decided) {

        rc = ngx_http_error_map_reader_selected(reader);

        if (rc == NGX_DECLINED) {

            if (document->patterns.nelts == 0) {
                return NGX_OK;
            }

            reader->searched = 1;

            return document->text_fields
                   ? ngx_http_error_map_reader_text(reader, data, 0, 0)
                   : ngx_http_error_map_reader_text(reader, data, len, 0);
        }

        if (!ngx_http_error_map_is_error(reader->verdict)) {
            return NGX_OK;
        }

        reader->decided = 1;
    }

    if (status == EM_SELECT_FIELDS) {
        return NGX_AGAIN;
    }

    return ngx_http_error_map_reader_text_fields(reader, 0);
}


/*
 * Takes the verdict of the scanner.  Returns NGX_OK, or NGX_DECLINED with the
 * reason set if there is no code.
 */

static ngx_int_t
ngx_http_error_map_reader_selected(ngx_http_error_map_reader_t *reader)
{
    em_select_verdict_t  v;

    ngx_http_error_map_select_verdict(reader->select, &v);

    if (v.code.len) {
        ngx_memcpy(reader->json.token, v.code.data, v.code.len);
    }

    reader->json.len = v.code.len;

    switch (v.kind) {

    case EM_SELECT_ERROR:
        reader->entry = (em_entry_t *) v.row;
        return ngx_http_error_map_reader_verdict(reader,
                                                 NGX_HTTP_ERROR_MAP_MAPPED);

    case EM_SELECT_UNLISTED:
        reader->entry = reader->document->table->unlisted;
        return ngx_http_error_map_reader_verdict(reader,
                                   reader->entry ? NGX_HTTP_ERROR_MAP_MAPPED
                                                 : NGX_HTTP_ERROR_MAP_UNKNOWN);

    case EM_SELECT_SUCCESS:
        reader->success = v.marker ? reader->document->table->nsuccess : v.row;
        return ngx_http_error_map_reader_verdict(reader,
                                                 NGX_HTTP_ERROR_MAP_SUCCESS);

    default: /* EM_SELECT_NONE */

        switch (v.reason) {

        case EM_SELECT_EMPTY:
            reader->reason = NGX_HTTP_ERROR_MAP_REASON_EMPTY;
            break;

        case EM_SELECT_MALFORMED:
            reader->reason = NGX_HTTP_ERROR_MAP_REASON_MALFORMED;
            break;

        case EM_SELECT_CHARSET:
            reader->reason = NGX_HTTP_ERROR_MAP_REASON_CHARSET;
            break;

        case EM_SELECT_COST:
            reader->reason = NGX_HTTP_ERROR_MAP_REASON_PATTERN_COST;
            break;

        default:
            reader->reason = NGX_HTTP_ERROR_MAP_REASON_NO_CODE;
            break;
        }

        (void) ngx_http_error_map_reader_reason(reader, reader->reason);

        return NGX_DECLINED;
    }
}


/* an error whose fields may be in the body has to wait for them */

static ngx_int_t
ngx_http_error_map_reader_wait(ngx_http_error_map_reader_t *reader)
{
    if (!ngx_http_error_map_is_error(reader->verdict)
        || (!reader->document->json_fields && !reader->document->text_fields))
    {
        return NGX_OK;
    }

    reader->decided = 1;

    return NGX_AGAIN;
}


/* searches the fields by pattern: NGX_OK when none is missing */

static ngx_int_t
ngx_http_error_map_reader_text_fields(ngx_http_error_map_reader_t *reader,
    ngx_uint_t end)
{
    ngx_int_t                       rc;
    ngx_str_t                       value;
    ngx_uint_t                      i, missing;
    ngx_http_error_map_field_t     *field;
    ngx_http_error_map_document_t  *document;

    document = reader->document;

    if (!document->text_fields || reader->text == NULL) {
        return NGX_OK;
    }

    field = document->field_lines.elts;
    missing = 0;

    if (reader->found == NULL) {
        reader->found = ngx_pcalloc(reader->request->pool,
                                    document->field_lines.nelts
                                    * sizeof(ngx_str_t));
        if (reader->found == NULL) {
            return NGX_OK;
        }
    }

    for (i = 0; i < document->field_lines.nelts; i++) {

        if (field[i].name.len
            || reader->found[i].len
            || !(document->wanted & (uint64_t) 1 << field[i].number))
        {
            continue;
        }

        rc = ngx_http_error_map_text_field(reader->text, field[i].pattern, end,
                                           &value);
        if (rc == NGX_AGAIN) {
            missing = 1;
        }

        if (rc == NGX_OK && value.len) {
            value.len = ngx_min(value.len, EM_PLAN_VALUE_MAX);

            reader->found[i].data = ngx_pstrdup(reader->request->pool, &value);

            if (reader->found[i].data) {
                reader->found[i].len = value.len;
            }
        }
    }

    return missing ? NGX_AGAIN : NGX_OK;
}


ngx_int_t
ngx_http_error_map_reader_field(ngx_http_error_map_reader_t *reader,
    ngx_uint_t number, ngx_str_t *value)
{
    ngx_str_t                    other;
    ngx_uint_t                   i, line;
    ngx_http_error_map_field_t  *field;

    line = NGX_CONF_UNSET_UINT;

    if (reader->select == NULL
        || ngx_http_error_map_select_field(reader->select, number, value,
                                           &line)
           != NGX_OK)
    {
        line = NGX_CONF_UNSET_UINT;
    }

    /* the first line that has a value counts */

    field = reader->document->field_lines.elts;

    for (i = 0; i < reader->document->field_lines.nelts; i++) {

        if (field[i].number != number || field[i].line > line) {
            continue;
        }

        if (field[i].name.len) {

            if (ngx_http_error_map_reader_field_header(reader, &field[i],
                                                       &other)
                != NGX_OK)
            {
                continue;
            }

        } else if (reader->found && reader->found[i].len) {
            other = reader->found[i];

        } else {
            continue;
        }

        line = field[i].line;
        *value = other;
    }

    return (line == NGX_CONF_UNSET_UINT) ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
ngx_http_error_map_reader_field_header(ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_field_t *field, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = NULL;

    while ((h = ngx_http_error_map_next_header(
                    ngx_http_error_map_reader_part(reader), &field->name, h)))
    {
        *value = h->value;

        if (field->pattern
            && ngx_http_error_map_reader_match(reader, field->pattern,
                                               &h->value, value)
               != NGX_OK)
        {
            continue;
        }

        if (value->len) {
            value->len = ngx_min(value->len, EM_PLAN_VALUE_MAX);
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_uint_t
ngx_http_error_map_reader_retry(ngx_http_error_map_reader_t *reader)
{
    ngx_str_t                    value;
    ngx_uint_t                   i, n, line, seconds;
    ngx_http_error_map_field_t  *field;

    line = NGX_CONF_UNSET_UINT;
    seconds = 0;

    if (reader->select
        && ngx_http_error_map_select_field(reader->select,
                                           NGX_HTTP_ERROR_MAP_RETRY_FIELD,
                                           &value, &n)
           == NGX_OK)
    {
        seconds = ngx_http_error_map_select_retry(reader->select);
        line = seconds ? n : line;
    }

    /* the first line that has a value counts */

    field = reader->document->field_lines.elts;

    for (i = 0; i < reader->document->field_lines.nelts; i++) {

        if (field[i].number == NGX_HTTP_ERROR_MAP_RETRY_FIELD
            && field[i].line < line
            && ngx_http_error_map_reader_field_header(reader, &field[i],
                                                      &value)
               == NGX_OK)
        {
            n = em_seconds((char *) value.data, value.len, field[i].ms);

            if (n) {
                seconds = n;
                line = field[i].line;
            }
        }
    }

    return seconds;
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

    ngx_http_error_map_total_full = 0;

    if (reader->decoder == NULL) {
        reader->decoder = ngx_http_error_map_decoder_create(reader->coding,
                                             reader->request->pool,
                                             reader->left + reader->size);
        if (reader->decoder == NULL) {
            return ngx_http_error_map_reader_reason(reader,
                                         ngx_http_error_map_reader_full(
                                         NGX_HTTP_ERROR_MAP_REASON_HOLD_SIZE));
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
                                         ngx_http_error_map_reader_full(
                                         NGX_HTTP_ERROR_MAP_REASON_HOLD_SIZE));

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

    if (reader->select) {
        ngx_http_error_map_select_free(reader->select);
        reader->select = NULL;
    }

    if (reader->text) {
        ngx_http_error_map_text_free(reader->text);
        reader->text = NULL;
    }
}


static ngx_int_t
ngx_http_error_map_reader_scan_end(ngx_http_error_map_reader_t *reader)
{
    return reader->stream.format
           ? ngx_http_error_map_reader_stream_end(reader)
           : ngx_http_error_map_reader_scan_text_end(reader);
}


static ngx_int_t
ngx_http_error_map_reader_scan_text_end(ngx_http_error_map_reader_t *reader)
{
    ngx_http_error_map_reason_e     reason;
    ngx_http_error_map_document_t  *document;

    document = reader->document;

    if (reader->decided) {
        (void) ngx_http_error_map_reader_text_fields(reader, 1);
        return NGX_OK;
    }

    if (reader->select) {

        if (!reader->searched) {
            ngx_http_error_map_select_end(reader->select);

            if (ngx_http_error_map_reader_selected(reader) == NGX_OK) {
                (void) ngx_http_error_map_reader_text_fields(reader, 1);
                return NGX_OK;
            }

            if (document->patterns.nelts
                && reader->reason == NGX_HTTP_ERROR_MAP_REASON_MALFORMED)
            {
                reader->reason = NGX_HTTP_ERROR_MAP_REASON_NO_CODE;
            }
        }

        return ngx_http_error_map_reader_text_end(reader, 1,
                                    reader->searched
                                    ? NGX_HTTP_ERROR_MAP_REASON_NO_CODE
                                    : reader->reason);
    }

    switch (em_json_end(&reader->json, &document->pointers)) {

    case EM_JSON_FOUND:
        return ngx_http_error_map_reader_found(reader);

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
    ngx_int_t  rc;
    ngx_str_t  code;

    rc = NGX_ERROR;
    ngx_http_error_map_total_full = 0;

    if (ngx_http_error_map_reader_create_text(reader) == NGX_OK) {
        rc = ngx_http_error_map_text_feed(reader->text, data, len, wait, &code);
    }

    if (rc == NGX_OK) {
        (void) ngx_http_error_map_reader_code(reader, code.data, code.len);

        if (ngx_http_error_map_is_error(reader->verdict)
            && reader->document->text_fields)
        {
            reader->decided = 1;
            return ngx_http_error_map_reader_text_fields(reader, 0);
        }

        return NGX_OK;
    }

    return (rc == NGX_AGAIN)
           ? NGX_AGAIN
           : ngx_http_error_map_reader_reason(reader,
                                      ngx_http_error_map_reader_full(
                                      NGX_HTTP_ERROR_MAP_REASON_PATTERN_COST));
}


static ngx_int_t
ngx_http_error_map_reader_create_text(ngx_http_error_map_reader_t *reader)
{
    ngx_http_request_t  *r;

    if (reader->text == NULL) {
        r = reader->request;

        reader->text = ngx_http_error_map_text_create(r->pool,
                                                r->connection->log,
                                                reader->document,
                                                reader->left + reader->size);
    }

    return reader->text ? NGX_OK : NGX_ERROR;
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
            (void) ngx_http_error_map_reader_code(reader, code.data, code.len);
            (void) ngx_http_error_map_reader_text_fields(reader, end);
            return NGX_OK;
        }

        if (rc == NGX_ERROR) {
            reason = NGX_HTTP_ERROR_MAP_REASON_PATTERN_COST;
        }
    }

    return ngx_http_error_map_reader_reason(reader, reason);
}


ngx_int_t
ngx_http_error_map_reader_code(ngx_http_error_map_reader_t *reader,
    const u_char *data, size_t len)
{
    int                   i;
    const em_document_t  *table;

    table = reader->document->table;

    if (table->groups == NULL) {
        i = em_success_find(table, (const char *) data, len);

        if (i >= 0) {
            reader->success = i;

            return ngx_http_error_map_reader_verdict(reader,
                                                 NGX_HTTP_ERROR_MAP_SUCCESS);
        }
    }

    /* the code of an error is needed later */

    if (data != (u_char *) reader->json.token) {
        ngx_memcpy(reader->json.token, data, len);
        reader->json.len = len;
    }

    if (table->groups) {
        return ngx_http_error_map_reader_answer(reader);
    }

    reader->entry = em_entry_find(table, reader->json.token, len);

    if (reader->entry == NULL && table->unlisted) {
        reader->entry = table->unlisted;
    }

    return ngx_http_error_map_reader_verdict(reader,
                         reader->entry ? NGX_HTTP_ERROR_MAP_MAPPED
                                       : NGX_HTTP_ERROR_MAP_UNKNOWN);
}


static ngx_int_t
ngx_http_error_map_reader_found(ngx_http_error_map_reader_t *reader)
{
    return ngx_http_error_map_reader_code(reader,
                                          (u_char *) reader->json.token,
                                          reader->json.len);
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
    reader->reason = NGX_HTTP_ERROR_MAP_REASON_NONE;

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_reader_reason(ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_reason_e reason)
{
    reader->verdict = ngx_http_error_map_reason_verdict(reason);
    reader->reason = reason;

    return NGX_OK;
}
