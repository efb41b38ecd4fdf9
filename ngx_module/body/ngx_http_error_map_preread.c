
#include "ngx_http_error_map_preread.h"
#include "ngx_http_error_map_util.h"


static ngx_int_t ngx_http_error_map_raw_bytes(ngx_http_error_map_raw_t *raw,
    ngx_http_error_map_source_t *source, u_char *data, size_t len);
static ngx_int_t ngx_http_error_map_raw_chunked(ngx_http_error_map_raw_t *raw,
    ngx_http_error_map_source_t *source, u_char *last);
static ngx_int_t ngx_http_error_map_raw_fastcgi(ngx_http_error_map_raw_t *raw,
    ngx_http_error_map_source_t *source, u_char *last);
#if (NGX_HTTP_CACHE)
static ngx_int_t ngx_http_error_map_preread_cache(
    ngx_http_error_map_source_t *source);
#endif


/* what is read of a cached response at a time */
#define NGX_HTTP_ERROR_MAP_READ_SIZE  32768


ngx_int_t
ngx_http_error_map_preread(ngx_http_error_map_source_t *source)
{
    off_t                      length;
    ngx_http_request_t        *r;
    ngx_http_upstream_t       *u;
    ngx_http_error_map_raw_t   raw;

    r = source->request;
    length = r->headers_out.content_length_n;

    /* no body, and perhaps no call of the body filter */

    if (length == 0) {
        return ngx_http_error_map_source_end(source);
    }

#if (NGX_HTTP_CACHE)

    if (r->cached) {
        return ngx_http_error_map_preread_cache(source);
    }

#endif

    u = r->upstream;

    if (u == NULL
        || !ngx_http_error_map_live(r)
        || u->header_sent
        || u->buffer.pos == NULL
        || ngx_http_error_map_raw_init(&raw, r, NULL, length) != NGX_OK)
    {
        return NGX_AGAIN;
    }

    if (raw.framing == NGX_HTTP_ERROR_MAP_PLAIN) {
        return ngx_http_error_map_raw_bytes(&raw, source, raw.pos,
                                            u->buffer.last - raw.pos);
    }

    return ngx_http_error_map_raw_feed(&raw, source, u->buffer.last);
}


ngx_int_t
ngx_http_error_map_raw_init(ngx_http_error_map_raw_t *raw,
    ngx_http_request_t *r, u_char *start, off_t length)
{
    ngx_str_t            *module;
    ngx_http_upstream_t  *u;

    u = r->upstream;

    if (u->conf == NULL) {
        return NGX_DECLINED;
    }

    raw->framing = NGX_HTTP_ERROR_MAP_PLAIN;
    raw->pos = u->buffer.pos;
    raw->length = length;

    module = &u->conf->module;

    if (module->len == 5 && ngx_memcmp(module->data, "proxy", 5) == 0) {

        /* an HTTP/2 upstream has but the three digits here, if anything */

        if (u->headers_in.status_line.len <= 3) {
            return NGX_DECLINED;
        }

        if (length == -1 && u->headers_in.chunked) {
            raw->framing = NGX_HTTP_ERROR_MAP_CHUNKED;
            ngx_memzero(&raw->chunked, sizeof(ngx_http_chunked_t));
        }

        return NGX_OK;
    }

    /* nginx takes chunks apart for HTTP alone */

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
        raw->framing = NGX_HTTP_ERROR_MAP_FASTCGI;
        raw->pos = start;
        raw->body = u->buffer.pos;
        raw->left = 0;
        raw->padding = 0;
        raw->out = 0;

        return NGX_OK;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_error_map_raw_feed(ngx_http_error_map_raw_t *raw,
    ngx_http_error_map_source_t *source, u_char *last)
{
    ngx_int_t  rc;

    switch (raw->framing) {

    case NGX_HTTP_ERROR_MAP_CHUNKED:
        return ngx_http_error_map_raw_chunked(raw, source, last);

    case NGX_HTTP_ERROR_MAP_FASTCGI:
        return ngx_http_error_map_raw_fastcgi(raw, source, last);

    default: /* NGX_HTTP_ERROR_MAP_PLAIN */

        rc = ngx_http_error_map_raw_bytes(raw, source, raw->pos,
                                          last - raw->pos);
        raw->pos = last;

        return rc;
    }
}


/* what is behind the body's length belongs to nothing */

static ngx_int_t
ngx_http_error_map_raw_bytes(ngx_http_error_map_raw_t *raw,
    ngx_http_error_map_source_t *source, u_char *data, size_t len)
{
    off_t      rest;
    ngx_int_t  rc;

    rest = raw->length - source->size;

    if (raw->length != -1 && (off_t) len > rest) {
        len = (size_t) rest;
    }

    rc = ngx_http_error_map_source_feed(source, data, len);

    if (rc == NGX_AGAIN && raw->length == (off_t) source->size) {
        return ngx_http_error_map_source_end(source);
    }

    return rc;
}


static ngx_int_t
ngx_http_error_map_raw_chunked(ngx_http_error_map_raw_t *raw,
    ngx_http_error_map_source_t *source, u_char *last)
{
    size_t               size;
    ngx_buf_t            b;
    ngx_int_t            rc;
    ngx_http_chunked_t  *chunked;

    ngx_memzero(&b, sizeof(ngx_buf_t));

    b.pos = raw->pos;
    b.last = last;
    chunked = &raw->chunked;

    for ( ;; ) {

#if (nginx_version >= 1027002)
        rc = ngx_http_parse_chunked(source->request, &b, chunked, 0);
#else
        rc = ngx_http_parse_chunked(source->request, &b, chunked);
#endif

        raw->pos = b.pos;

        if (rc == NGX_DONE) {
            return ngx_http_error_map_source_end(source);
        }

        if (rc == NGX_ERROR) {

            /* nginx will see it for itself */

            return ngx_http_error_map_source_stop(source,
                                               NGX_HTTP_ERROR_MAP_UNDECIDED);
        }

        if (rc != NGX_OK) {
            return NGX_AGAIN;
        }

        size = b.last - b.pos;

        if ((off_t) size > chunked->size) {
            size = (size_t) chunked->size;
        }

        rc = ngx_http_error_map_source_feed(source, b.pos, size);

        b.pos += size;
        chunked->size -= size;
        raw->pos = b.pos;

        if (rc == NGX_OK) {
            return NGX_OK;
        }
    }
}


/* the records of the FastCGI specification, section 3.3 */

static ngx_int_t
ngx_http_error_map_raw_fastcgi(ngx_http_error_map_raw_t *raw,
    ngx_http_error_map_source_t *source, u_char *last)
{
    u_char  *p;
    size_t   n;

    for ( ;; ) {

        n = ngx_min(raw->left, (size_t) (last - raw->pos));
        p = raw->pos;

        raw->pos += n;
        raw->left -= n;

        /* the header is in such records, too */

        if (raw->out && raw->pos > raw->body) {

            p = ngx_max(p, raw->body);

            if (ngx_http_error_map_raw_bytes(raw, source, p, raw->pos - p)
                == NGX_OK)
            {
                return NGX_OK;
            }
        }

        if (raw->left) {
            return NGX_AGAIN;
        }

        n = ngx_min(raw->padding, (size_t) (last - raw->pos));

        raw->pos += n;
        raw->padding -= n;

        if (raw->padding || last - raw->pos < 8) {
            return NGX_AGAIN;
        }

        p = raw->pos;

        if (p[0] != 1) {
            return ngx_http_error_map_source_stop(source,
                                              NGX_HTTP_ERROR_MAP_UNDECIDED);
        }

        if (p[1] == 3) {
            /* FCGI_END_REQUEST */
            return ngx_http_error_map_source_end(source);
        }

        raw->out = (p[1] == 6);
        raw->left = p[4] << 8 | p[5];
        raw->padding = p[6];
        raw->pos += 8;
    }
}


ngx_int_t
ngx_http_error_map_raw_end(ngx_http_error_map_raw_t *raw,
    ngx_http_error_map_source_t *source)
{
    if (raw->framing == NGX_HTTP_ERROR_MAP_PLAIN && raw->length == -1) {
        return ngx_http_error_map_source_end(source);
    }

    return ngx_http_error_map_source_stop(source,
                                              NGX_HTTP_ERROR_MAP_UNDECIDED);
}


#if (NGX_HTTP_CACHE)

/*
 * A cached response lies in an open file, and so need not be held: it keeps
 * its ranges and sendfile.  Those who do not want nginx to wait for the disk
 * ask for aio.
 */

static ngx_int_t
ngx_http_error_map_preread_cache(ngx_http_error_map_source_t *source)
{
    off_t                      offset, rest;
    size_t                     size;
    u_char                    *buf;
    ssize_t                    n;
    ngx_int_t                  rc;
    ngx_http_cache_t          *c;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = source->request;
    c = r->cache;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (c == NULL || c->file.fd == NGX_INVALID_FILE || clcf->aio) {
        return NGX_AGAIN;
    }

    offset = (off_t) c->body_start;
    rest = c->length - offset;

    /* an error page that took the place of what is cached is not in its file */

    if (r->filter_finalize
        || r->err_status
        || (r->headers_out.content_length_n != -1
            && r->headers_out.content_length_n != rest))
    {
        return NGX_AGAIN;
    }

    size = ngx_min(NGX_HTTP_ERROR_MAP_READ_SIZE, source->left);

    if ((off_t) size > rest) {
        size = (size_t) rest;
    }

    buf = ngx_palloc(r->pool, size + 1);
    if (buf == NULL) {
        return NGX_AGAIN;
    }

    rc = NGX_AGAIN;

    while (rc == NGX_AGAIN && rest > 0) {

        /* one byte more tells a body of just the size from a larger one */

        n = ngx_read_file(&c->file, buf, ngx_min((off_t) size + 1, rest),
                          offset);
        if (n <= 0) {
            break;
        }

        offset += n;
        rest -= n;

        rc = ngx_http_error_map_source_feed(source, buf, n);
    }

    if (rc == NGX_AGAIN && rest == 0) {
        rc = ngx_http_error_map_source_end(source);
    }

    (void) ngx_pfree(r->pool, buf);

    return rc;
}

#endif
