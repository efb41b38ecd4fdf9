
#include "ngx_http_error_map_framing.h"
#include "ngx_http_error_map_util.h"


static ngx_int_t ngx_http_error_map_framing_bytes(
    ngx_http_error_map_framing_t *framing, ngx_http_error_map_reader_t *reader,
    u_char *data, size_t len);
static ngx_int_t ngx_http_error_map_framing_chunked(
    ngx_http_error_map_framing_t *framing, ngx_http_error_map_reader_t *reader,
    u_char *last);
static ngx_int_t ngx_http_error_map_framing_fastcgi(
    ngx_http_error_map_framing_t *framing, ngx_http_error_map_reader_t *reader,
    u_char *last);
static ngx_int_t ngx_http_error_map_framing_chunk(
    ngx_http_error_map_framing_t *framing, ngx_http_request_t *r, u_char *last,
    size_t *size);
static ngx_int_t ngx_http_error_map_framing_record(
    ngx_http_error_map_framing_t *framing, u_char *last);


ngx_int_t
ngx_http_error_map_framing_init(ngx_http_error_map_framing_t *framing,
    ngx_http_request_t *r, ngx_buf_t *request, u_char *start, off_t length)
{
    ngx_str_t            *module;
    ngx_http_upstream_t  *u;

    u = r->upstream;

    if (u->conf == NULL) {
        return NGX_DECLINED;
    }

    framing->type = NGX_HTTP_ERROR_MAP_PLAIN;
    framing->pos = u->buffer.pos;
    framing->length = length;
    framing->ended = 0;

    module = &u->conf->module;

    if (module->len == 5 && ngx_memcmp(module->data, "proxy", 5) == 0) {

        /* frames of HTTP/2, after its connection preface */

        if (request == NULL
            || ngx_http_error_map_request_begins(request, "PRI * HTTP/2.0"))
        {
            return NGX_DECLINED;
        }

        if (length == -1 && u->headers_in.chunked) {
            framing->type = NGX_HTTP_ERROR_MAP_CHUNKED;
            ngx_memzero(&framing->chunked, sizeof(ngx_http_chunked_t));
        }

        return NGX_OK;
    }

    /* nginx parses chunks of HTTP upstreams only */

    if (u->headers_in.chunked) {
        return NGX_DECLINED;
    }

    if ((module->len == 5 && ngx_strncmp(module->data, "uwsgi", 5) == 0)
        || (module->len == 4 && ngx_strncmp(module->data, "scgi", 4) == 0))
    {
        return NGX_OK;
    }

    if (start
        && module->len == 7 && ngx_strncmp(module->data, "fastcgi", 7) == 0)
    {
        framing->type = NGX_HTTP_ERROR_MAP_FASTCGI;
        framing->pos = start;
        framing->body = u->buffer.pos;
        framing->left = 0;
        framing->padding = 0;
        framing->out = 0;

        return NGX_OK;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_error_map_framing_feed(ngx_http_error_map_framing_t *framing,
    ngx_http_error_map_reader_t *reader, u_char *last)
{
    ngx_int_t  rc;

    switch (framing->type) {

    case NGX_HTTP_ERROR_MAP_CHUNKED:
        return ngx_http_error_map_framing_chunked(framing, reader, last);

    case NGX_HTTP_ERROR_MAP_FASTCGI:
        return ngx_http_error_map_framing_fastcgi(framing, reader, last);

    default: /* NGX_HTTP_ERROR_MAP_PLAIN */

        rc = ngx_http_error_map_framing_bytes(framing, reader, framing->pos,
                                          last - framing->pos);
        framing->pos = last;

        return rc;
    }
}


/* bytes beyond the length are not part of the body */

static ngx_int_t
ngx_http_error_map_framing_bytes(ngx_http_error_map_framing_t *framing,
    ngx_http_error_map_reader_t *reader, u_char *data, size_t len)
{
    off_t      rest;
    ngx_int_t  rc;

    rest = framing->length - reader->size;

    if (framing->length != -1 && (off_t) len > rest) {
        len = (size_t) rest;
    }

    rc = ngx_http_error_map_reader_feed(reader, data, len);

    if (rc == NGX_AGAIN && framing->length == (off_t) reader->size) {
        return ngx_http_error_map_reader_end(reader);
    }

    return rc;
}


static ngx_int_t
ngx_http_error_map_framing_chunked(ngx_http_error_map_framing_t *framing,
    ngx_http_error_map_reader_t *reader, u_char *last)
{
    size_t     size;
    ngx_int_t  rc;

    for ( ;; ) {

        rc = ngx_http_error_map_framing_chunk(framing, reader->request, last,
                                              &size);

        if (rc == NGX_DONE) {
            return ngx_http_error_map_reader_end(reader);
        }

        if (rc == NGX_ERROR) {

            /* nginx will report it itself */

            return ngx_http_error_map_reader_stop(reader,
                                          NGX_HTTP_ERROR_MAP_REASON_UPSTREAM);
        }

        if (rc != NGX_OK) {
            return NGX_AGAIN;
        }

        if (ngx_http_error_map_reader_feed(reader, framing->pos - size, size)
            == NGX_OK)
        {
            return NGX_OK;
        }
    }
}


/* NGX_OK: some of a chunk lies before the position, and how much of it */

static ngx_int_t
ngx_http_error_map_framing_chunk(ngx_http_error_map_framing_t *framing,
    ngx_http_request_t *r, u_char *last, size_t *size)
{
    ngx_buf_t            b;
    ngx_int_t            rc;
    ngx_http_chunked_t  *chunked;

    ngx_memzero(&b, sizeof(ngx_buf_t));

    b.pos = framing->pos;
    b.last = last;
    chunked = &framing->chunked;

#if (NGX_HTTP_ERROR_MAP_KEEP_TRAILERS)
    rc = ngx_http_parse_chunked(r, &b, chunked, 0);
#else
    rc = ngx_http_parse_chunked(r, &b, chunked);
#endif

    framing->pos = b.pos;

    if (rc == NGX_OK) {
        *size = b.last - b.pos;

        if ((off_t) *size > chunked->size) {
            *size = (size_t) chunked->size;
        }

        framing->pos += *size;
        chunked->size -= *size;
    }

    framing->ended = (rc == NGX_DONE);

    return rc;
}


static ngx_int_t
ngx_http_error_map_framing_fastcgi(ngx_http_error_map_framing_t *framing,
    ngx_http_error_map_reader_t *reader, u_char *last)
{
    u_char     *p;
    size_t      n;
    ngx_int_t   rc;

    for ( ;; ) {

        n = ngx_min(framing->left, (size_t) (last - framing->pos));
        p = framing->pos;

        framing->pos += n;
        framing->left -= n;

        /* the header is in such records, too */

        if (framing->out && framing->pos > framing->body) {

            p = ngx_max(p, framing->body);

            if (ngx_http_error_map_framing_bytes(framing, reader, p,
                                                 framing->pos - p)
                == NGX_OK)
            {
                return NGX_OK;
            }
        }

        rc = ngx_http_error_map_framing_record(framing, last);

        if (rc == NGX_DONE) {
            return ngx_http_error_map_reader_end(reader);
        }

        if (rc == NGX_ERROR) {
            return ngx_http_error_map_reader_stop(reader,
                                          NGX_HTTP_ERROR_MAP_REASON_UPSTREAM);
        }

        if (rc != NGX_OK) {
            return NGX_AGAIN;
        }
    }
}


/* the next record, as of the FastCGI specification, section 3.3 */

static ngx_int_t
ngx_http_error_map_framing_record(ngx_http_error_map_framing_t *framing,
    u_char *last)
{
    u_char  *p;
    size_t   n;

    if (framing->left) {
        return NGX_AGAIN;
    }

    n = ngx_min(framing->padding, (size_t) (last - framing->pos));

    framing->pos += n;
    framing->padding -= n;

    if (framing->padding || last - framing->pos < 8) {
        return NGX_AGAIN;
    }

    p = framing->pos;

    /* FCGI_END_REQUEST, FCGI_STDOUT, FCGI_STDERR, all of request 1 */

    if (p[0] != 1
        || (p[1] != 3 && p[1] != 6 && p[1] != 7)
        || p[2] != 0
        || p[3] != 1)
    {
        return NGX_ERROR;
    }

    if (p[1] == 3) {
        framing->ended = 1;
        return NGX_DONE;
    }

    framing->out = (p[1] == 6);
    framing->left = p[4] << 8 | p[5];
    framing->padding = p[6];
    framing->pos += 8;

    return NGX_OK;
}


u_char *
ngx_http_error_map_framing_invalid(ngx_http_error_map_framing_t *framing,
    ngx_http_request_t *r, u_char *last)
{
    size_t     size;
    ngx_int_t  rc;

    if (framing->ended) {
        return NULL;
    }

    do {
        switch (framing->type) {

        case NGX_HTTP_ERROR_MAP_CHUNKED:
            rc = ngx_http_error_map_framing_chunk(framing, r, last, &size);
            break;

        case NGX_HTTP_ERROR_MAP_FASTCGI:
            size = ngx_min(framing->left, (size_t) (last - framing->pos));
            framing->pos += size;
            framing->left -= size;

            rc = ngx_http_error_map_framing_record(framing, last);
            break;

        default: /* NGX_HTTP_ERROR_MAP_PLAIN */
            return NULL;
        }

    } while (rc == NGX_OK);

    return (rc == NGX_ERROR) ? framing->pos : NULL;
}


ngx_int_t
ngx_http_error_map_framing_end(ngx_http_error_map_framing_t *framing,
    ngx_http_error_map_reader_t *reader)
{
    if (framing->type == NGX_HTTP_ERROR_MAP_PLAIN && framing->length == -1) {
        return ngx_http_error_map_reader_end(reader);
    }

    return ngx_http_error_map_reader_stop(reader,
                                          NGX_HTTP_ERROR_MAP_REASON_UPSTREAM);
}
