
#include "ngx_http_error_map_module.h"

#include <zlib.h>


static ngx_http_error_map_gunzip_t *ngx_http_error_map_gunzip(
    ngx_http_request_t *r, size_t size);
static ngx_int_t ngx_http_error_map_inflate(
    ngx_http_error_map_source_t *source);
static void *ngx_http_error_map_gunzip_alloc(void *opaque, u_int items,
    u_int size);
static void ngx_http_error_map_gunzip_free(void *opaque, void *address);


#define NGX_HTTP_ERROR_MAP_GUNZIP_SIZE  4096


struct ngx_http_error_map_gunzip_s {
    z_stream    stream;
    size_t      left;       /* bytes that it may still make */
    unsigned    ended:1;    /* a member has, which may have been the last */
    unsigned    more:1;     /* this is not the first one */
    u_char      out[NGX_HTTP_ERROR_MAP_GUNZIP_SIZE];
};


ngx_int_t
ngx_http_error_map_gunzip_feed(ngx_http_error_map_source_t *source,
    u_char *data, size_t len)
{
    ngx_int_t                     rc;
    ngx_http_error_map_gunzip_t  *gunzip;

    if (source->gunzip == NULL) {
        source->gunzip = ngx_http_error_map_gunzip(source->request,
                                                source->left + source->size);
        if (source->gunzip == NULL) {
            return ngx_http_error_map_source_verdict(source,
                                               NGX_HTTP_ERROR_MAP_UNDECIDED);
        }
    }

    gunzip = source->gunzip;

    gunzip->stream.next_in = data;
    gunzip->stream.avail_in = len;

    rc = ngx_http_error_map_inflate(source);

    if (rc == NGX_OK) {
        (void) inflateEnd(&gunzip->stream);
        (void) ngx_pfree(source->request->pool, gunzip);

        source->gunzip = NULL;
    }

    return rc;
}


static ngx_http_error_map_gunzip_t *
ngx_http_error_map_gunzip(ngx_http_request_t *r, size_t size)
{
    ngx_http_error_map_gunzip_t  *gunzip;

    gunzip = ngx_palloc(r->pool, sizeof(ngx_http_error_map_gunzip_t));
    if (gunzip == NULL) {
        return NULL;
    }

    gunzip->left = size;
    gunzip->ended = 0;
    gunzip->more = 0;

    gunzip->stream.zalloc = ngx_http_error_map_gunzip_alloc;
    gunzip->stream.zfree = ngx_http_error_map_gunzip_free;
    gunzip->stream.opaque = r->pool;
    gunzip->stream.next_in = NULL;
    gunzip->stream.avail_in = 0;

    /* a window of up to 32K, gzip only */

    if (inflateInit2(&gunzip->stream, MAX_WBITS + 16) != Z_OK) {
        return NULL;
    }

    return gunzip;
}


static ngx_int_t
ngx_http_error_map_inflate(ngx_http_error_map_source_t *source)
{
    int                           rc;
    size_t                        size, n;
    z_stream                     *stream;
    ngx_http_error_map_gunzip_t  *gunzip;

    gunzip = source->gunzip;
    stream = &gunzip->stream;

    do {

        if (gunzip->ended) {

            if (stream->avail_in == 0) {
                return NGX_AGAIN;
            }

            (void) inflateReset(stream);

            gunzip->ended = 0;
            gunzip->more = 1;
        }

        stream->next_out = gunzip->out;
        stream->avail_out = NGX_HTTP_ERROR_MAP_GUNZIP_SIZE;

        rc = inflate(stream, Z_NO_FLUSH);

        size = NGX_HTTP_ERROR_MAP_GUNZIP_SIZE - stream->avail_out;
        n = ngx_min(size, gunzip->left);

        gunzip->left -= n;

        if (n && ngx_http_error_map_source_scan(source, gunzip->out, n)
                 == NGX_OK)
        {
            return NGX_OK;
        }

        if (n < size) {
            return ngx_http_error_map_source_stop(source,
                                               NGX_HTTP_ERROR_MAP_UNDECIDED);
        }

        switch (rc) {

        case Z_STREAM_END:
            gunzip->ended = 1;
            break;

        case Z_MEM_ERROR:
            return ngx_http_error_map_source_stop(source,
                                               NGX_HTTP_ERROR_MAP_UNDECIDED);

        case Z_OK:
        case Z_BUF_ERROR:
            break;

        default:

            if (gunzip->more && stream->total_out == 0) {

                /* no member, so it belongs to nothing */

                gunzip->ended = 1;

                return ngx_http_error_map_source_end(source);
            }

            return ngx_http_error_map_source_stop(source,
                                                  NGX_HTTP_ERROR_MAP_NONE);
        }

    } while (stream->avail_in || stream->avail_out == 0);

    return NGX_AGAIN;
}


ngx_int_t
ngx_http_error_map_gunzip_end(ngx_http_error_map_source_t *source)
{
    ngx_http_error_map_gunzip_t  *gunzip;

    gunzip = source->gunzip;

    if (gunzip->ended || (gunzip->more && gunzip->stream.total_out == 0)) {
        return NGX_DECLINED;
    }

    return ngx_http_error_map_source_stop(source, NGX_HTTP_ERROR_MAP_NONE);
}


static void *
ngx_http_error_map_gunzip_alloc(void *opaque, u_int items, u_int size)
{
    ngx_pool_t *pool = opaque;

    return ngx_palloc(pool, items * size);
}


static void
ngx_http_error_map_gunzip_free(void *opaque, void *address)
{
    ngx_pool_t *pool = opaque;

    (void) ngx_pfree(pool, address);
}
