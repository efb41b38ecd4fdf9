
#include "ngx_http_error_map_module.h"


static ngx_int_t ngx_http_error_map_preread_buf(ngx_http_request_t *r,
    ngx_buf_t *b);
static ngx_int_t ngx_http_error_map_preread_chunked(
    ngx_http_error_map_source_t *source, ngx_buf_t *b);
#if (NGX_HTTP_CACHE)
static ngx_int_t ngx_http_error_map_preread_cache(
    ngx_http_error_map_source_t *source);
#endif


/* what is read of a cached response at a time */
#define NGX_HTTP_ERROR_MAP_READ_SIZE  32768


ngx_int_t
ngx_http_error_map_preread(ngx_http_error_map_source_t *source)
{
    off_t                length;
    size_t               size;
    ngx_buf_t            b;
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = source->request;

    /* no body, and perhaps no call of the body filter */

    if (r->headers_out.content_length_n == 0) {
        return ngx_http_error_map_source_end(source);
    }

#if (NGX_HTTP_CACHE)

    if (r->cached) {
        return ngx_http_error_map_preread_cache(source);
    }

#endif

    if (ngx_http_error_map_preread_buf(r, &b) != NGX_OK) {
        return NGX_AGAIN;
    }

    length = r->headers_out.content_length_n;

    if (length == -1 && r->upstream->headers_in.chunked) {
        return ngx_http_error_map_preread_chunked(source, &b);
    }

    size = b.last - b.pos;

    if (length != -1 && (off_t) size > length) {
        size = (size_t) length;
    }

    rc = ngx_http_error_map_source_feed(source, b.pos, size);

    if (rc == NGX_AGAIN && length == (off_t) size) {
        return ngx_http_error_map_source_end(source);
    }

    return rc;
}


/*
 * Finds the part of the body that lies behind the upstream's header in its
 * buffer, if it is there as plain bytes or chunked.
 */

static ngx_int_t
ngx_http_error_map_preread_buf(ngx_http_request_t *r, ngx_buf_t *b)
{
    ngx_str_t            *module;
    ngx_http_upstream_t  *u;

    u = r->upstream;

    if (u == NULL || u->conf == NULL) {
        return NGX_DECLINED;
    }

    *b = u->buffer;

    /* FastCGI records and HTTP/2 frames are not for us to take apart */

    module = &u->conf->module;

    if (module->len == 5 && ngx_strncmp(module->data, "proxy", 5) == 0) {

        /* an HTTP/2 upstream has but the three digits here, if anything */

        if (u->headers_in.status_line.len <= 3) {
            return NGX_DECLINED;
        }

    } else if (u->headers_in.chunked) {

        /* nginx takes chunks apart for HTTP alone */

        return NGX_DECLINED;

    } else if ((module->len != 5 || ngx_strncmp(module->data, "uwsgi", 5) != 0)
               && (module->len != 4
                   || ngx_strncmp(module->data, "scgi", 4) != 0))
    {
        return NGX_DECLINED;
    }

    if (!ngx_http_error_map_live(r) || u->header_sent || b->pos == NULL) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_preread_chunked(ngx_http_error_map_source_t *source,
    ngx_buf_t *b)
{
    size_t               size;
    ngx_int_t            rc;
    ngx_http_chunked_t   chunked;
    ngx_http_request_t  *r;

    r = source->request;

    ngx_memzero(&chunked, sizeof(ngx_http_chunked_t));

    for ( ;; ) {

#if (nginx_version >= 1027002)
        rc = ngx_http_parse_chunked(r, b, &chunked, 0);
#else
        rc = ngx_http_parse_chunked(r, b, &chunked);
#endif

        if (rc == NGX_DONE) {
            return ngx_http_error_map_source_end(source);
        }

        if (rc != NGX_OK) {

            /* what is wrong in it, nginx will see for itself */

            return NGX_AGAIN;
        }

        size = b->last - b->pos;

        if ((off_t) size > chunked.size) {
            size = (size_t) chunked.size;
        }

        if (ngx_http_error_map_source_feed(source, b->pos, size) == NGX_OK) {
            return NGX_OK;
        }

        b->pos += size;
        chunked.size -= size;
    }
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
