
#include "ngx_http_error_map_gunzip.h"

#include <zlib.h>


static void *ngx_http_error_map_gunzip_alloc(void *opaque, u_int items,
    u_int size);
static void ngx_http_error_map_gunzip_dealloc(void *opaque, void *address);


#define NGX_HTTP_ERROR_MAP_GUNZIP_SIZE  4096


struct ngx_http_error_map_gunzip_s {
    z_stream    stream;
    size_t      left;       /* bytes of output left */
    unsigned    ended:1;    /* a member has ended, perhaps the last one */
    unsigned    more:1;     /* this member is not the first one */
    u_char      out[NGX_HTTP_ERROR_MAP_GUNZIP_SIZE];
};


ngx_http_error_map_gunzip_t *
ngx_http_error_map_gunzip_create(ngx_pool_t *pool, size_t size)
{
    ngx_http_error_map_gunzip_t  *gunzip;

    gunzip = ngx_palloc(pool, sizeof(ngx_http_error_map_gunzip_t));
    if (gunzip == NULL) {
        return NULL;
    }

    gunzip->left = size;
    gunzip->ended = 0;
    gunzip->more = 0;

    gunzip->stream.zalloc = ngx_http_error_map_gunzip_alloc;
    gunzip->stream.zfree = ngx_http_error_map_gunzip_dealloc;
    gunzip->stream.opaque = pool;
    gunzip->stream.next_in = NULL;
    gunzip->stream.avail_in = 0;

    /* a window of up to 32K, gzip only */

    if (inflateInit2(&gunzip->stream, MAX_WBITS + 16) != Z_OK) {
        return NULL;
    }

    return gunzip;
}


void
ngx_http_error_map_gunzip_feed(ngx_http_error_map_gunzip_t *gunzip,
    u_char *data, size_t len)
{
    gunzip->stream.next_in = data;
    gunzip->stream.avail_in = len;
}


ngx_int_t
ngx_http_error_map_gunzip_next(ngx_http_error_map_gunzip_t *gunzip,
    ngx_str_t *out)
{
    int        rc;
    size_t     size;
    z_stream  *stream;

    stream = &gunzip->stream;
    out->len = 0;

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

    out->data = gunzip->out;
    out->len = ngx_min(size, gunzip->left);

    gunzip->left -= out->len;

    if (out->len < size) {
        return NGX_ABORT;
    }

    switch (rc) {

    case Z_STREAM_END:
        gunzip->ended = 1;
        break;

    case Z_OK:
    case Z_BUF_ERROR:
        break;

    case Z_MEM_ERROR:
        return NGX_ABORT;

    default:

        if (gunzip->more && stream->total_out == 0) {

            /* not a member, so not part of the body */

            gunzip->ended = 1;
            return NGX_DONE;
        }

        return NGX_ERROR;
    }

    return (stream->avail_in || stream->avail_out == 0) ? NGX_OK : NGX_AGAIN;
}


ngx_uint_t
ngx_http_error_map_gunzip_complete(ngx_http_error_map_gunzip_t *gunzip)
{
    return gunzip->ended || (gunzip->more && gunzip->stream.total_out == 0);
}


void
ngx_http_error_map_gunzip_free(ngx_http_error_map_gunzip_t *gunzip)
{
    ngx_pool_t  *pool;

    pool = gunzip->stream.opaque;

    (void) inflateEnd(&gunzip->stream);
    (void) ngx_pfree(pool, gunzip);
}


static void *
ngx_http_error_map_gunzip_alloc(void *opaque, u_int items, u_int size)
{
    ngx_pool_t *pool = opaque;

    return ngx_palloc(pool, items * size);
}


static void
ngx_http_error_map_gunzip_dealloc(void *opaque, void *address)
{
    ngx_pool_t *pool = opaque;

    (void) ngx_pfree(pool, address);
}
