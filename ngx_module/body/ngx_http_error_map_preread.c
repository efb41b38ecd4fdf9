
#include "ngx_http_error_map_preread.h"
#include "ngx_http_error_map_framing.h"
#include "ngx_http_error_map_inspect.h"
#include "ngx_http_error_map_util.h"


#if (NGX_HTTP_CACHE)
static ngx_int_t ngx_http_error_map_preread_cache(
    ngx_http_error_map_reader_t *reader);
#endif


/* bytes of a cached response that are read at a time */
#define NGX_HTTP_ERROR_MAP_READ_SIZE  32768


/*
 * lua sends the header of an error of a subrequest while nginx finalizes it, and
 * nothing after it.  nginx's own error pages have a length.
 */
#define ngx_http_error_map_header_alone(r)                                    \
    ((r) != (r)->main                                                         \
     && (r)->err_status                                                       \
     && (r)->headers_out.content_length_n == -1                               \
     && !ngx_http_error_map_upstream_active(r))


ngx_int_t
ngx_http_error_map_preread(ngx_http_error_map_reader_t *reader)
{
    off_t                         length;
    ngx_http_request_t           *r;
    ngx_http_upstream_t          *u;
    ngx_http_error_map_framing_t  framing;

    r = reader->request;
    length = r->headers_out.content_length_n;

    /* without a body, the body filter may not be called */

    if (length == 0 || ngx_http_error_map_header_alone(r)) {
        return ngx_http_error_map_reader_end(reader);
    }

#if (NGX_HTTP_CACHE)

    if (r->cached) {
        return ngx_http_error_map_preread_cache(reader);
    }

#endif

    u = r->upstream;

    if (u == NULL
        || !ngx_http_error_map_upstream_active(r)
        || u->header_sent
        || u->buffer.pos == NULL
        || ngx_http_error_map_framing_init(&framing, r,
                                           ngx_http_error_map_request_buf(r),
                                           NULL, length)
           != NGX_OK)
    {
        return NGX_AGAIN;
    }

    return ngx_http_error_map_framing_feed(&framing, reader, u->buffer.last);
}


#if (NGX_HTTP_CACHE)

/*
 * A cached response is read from its open file instead of being held, and so
 * keeps ranges and sendfile.  With aio, nginx must not wait for the disk.
 */

static ngx_int_t
ngx_http_error_map_preread_cache(ngx_http_error_map_reader_t *reader)
{
    off_t                      offset, rest;
    size_t                     size;
    u_char                    *buf;
    ssize_t                    n;
    ngx_int_t                  rc;
    ngx_http_cache_t          *c;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = reader->request;
    c = r->cache;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (c == NULL
        || c->file.fd == NGX_INVALID_FILE
        || (clcf->aio && !ngx_http_error_map_bodiless(r)))
    {
        return NGX_AGAIN;
    }

    offset = (off_t) c->body_start;
    rest = c->length - offset;

    /* an error page that replaces the cached response is not in its file */

    if (r->filter_finalize
        || r->err_status
        || (r->headers_out.content_length_n != -1
            && r->headers_out.content_length_n != rest))
    {
        return NGX_AGAIN;
    }

    size = ngx_min(NGX_HTTP_ERROR_MAP_READ_SIZE, reader->left);

    if ((off_t) size > rest) {
        size = (size_t) rest;
    }

    buf = ngx_palloc(r->pool, size + 1);
    if (buf == NULL) {
        return NGX_AGAIN;
    }

    rc = NGX_AGAIN;

    while (rc == NGX_AGAIN && rest > 0) {

        /* one byte more tells a body of exactly this size from a larger one */

        n = ngx_read_file(&c->file, buf, ngx_min((off_t) size + 1, rest),
                          offset);
        if (n <= 0) {
            break;
        }

        offset += n;
        rest -= n;

        rc = ngx_http_error_map_reader_feed(reader, buf, n);
    }

    if (rc == NGX_AGAIN && rest == 0) {
        rc = ngx_http_error_map_reader_end(reader);
    }

    (void) ngx_pfree(r->pool, buf);

    return rc;
}

#endif
