
#include "ngx_http_error_map_codec.h"

#include <zlib.h>


/* gzip, RFC 1952, of any number of members, and deflate, RFC 1950 */


#define NGX_HTTP_ERROR_MAP_ZLIB_SIZE    4096

/* a window of 32 KB, zlib's state and the buffer */
#define NGX_HTTP_ERROR_MAP_ZLIB_MEMORY  (64 * 1024)


typedef struct {
    z_stream    stream;

    unsigned    started:1;
    unsigned    ended:1;   /* a member has, maybe the last */
    unsigned    more:1;    /* it is not the first one */

    u_char      out[NGX_HTTP_ERROR_MAP_ZLIB_SIZE];
} ngx_http_error_map_zlib_t;


static ngx_int_t ngx_http_error_map_zlib_create(
    ngx_http_error_map_decoder_t *decoder);
static ngx_int_t ngx_http_error_map_zlib_next(
    ngx_http_error_map_decoder_t *decoder, ngx_str_t *out);
static ngx_int_t ngx_http_error_map_zlib_start(
    ngx_http_error_map_decoder_t *decoder);
static ngx_uint_t ngx_http_error_map_zlib_complete(
    ngx_http_error_map_decoder_t *decoder);
static void *ngx_http_error_map_zlib_alloc(void *decoder, u_int items,
    u_int size);


const ngx_http_error_map_codec_t  ngx_http_error_map_codec_zlib = {
    ngx_http_error_map_zlib_create,
    ngx_http_error_map_zlib_next,
    ngx_http_error_map_zlib_complete
};


static ngx_int_t
ngx_http_error_map_zlib_create(ngx_http_error_map_decoder_t *decoder)
{
    ngx_http_error_map_zlib_t  *zlib;

    decoder->max = NGX_HTTP_ERROR_MAP_ZLIB_MEMORY;

    zlib = ngx_http_error_map_codec_alloc(decoder,
                                          sizeof(ngx_http_error_map_zlib_t));
    if (zlib == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(zlib, offsetof(ngx_http_error_map_zlib_t, out));

    zlib->stream.zalloc = ngx_http_error_map_zlib_alloc;
    zlib->stream.zfree = ngx_http_error_map_codec_free;
    zlib->stream.opaque = decoder;

    decoder->state = zlib;

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_zlib_next(ngx_http_error_map_decoder_t *decoder,
    ngx_str_t *out)
{
    int                         rc;
    z_stream                   *stream;
    ngx_http_error_map_zlib_t  *zlib;

    zlib = decoder->state;
    stream = &zlib->stream;

    if (!zlib->started || zlib->ended) {

        if (decoder->len == 0) {
            return NGX_AGAIN;
        }

        if (zlib->ended && decoder->coding == NGX_HTTP_ERROR_MAP_DEFLATE) {
            return NGX_DONE;
        }

        if (ngx_http_error_map_zlib_start(decoder) != NGX_OK) {
            return NGX_ABORT;
        }
    }

    stream->next_in = decoder->data;
    stream->avail_in = decoder->len;
    stream->next_out = zlib->out;
    stream->avail_out = NGX_HTTP_ERROR_MAP_ZLIB_SIZE;

    rc = inflate(stream, Z_NO_FLUSH);

    decoder->data = stream->next_in;
    decoder->len = stream->avail_in;

    out->data = zlib->out;
    out->len = NGX_HTTP_ERROR_MAP_ZLIB_SIZE - stream->avail_out;

    switch (rc) {

    case Z_STREAM_END:
        zlib->ended = 1;
        break;

    case Z_OK:
    case Z_BUF_ERROR:
        break;

    case Z_NEED_DICT:
        return NGX_DECLINED;

    case Z_MEM_ERROR:
        return NGX_ABORT;

    default:

        if (zlib->more && stream->total_out == 0) {

            /* not a member, so not part of the body */

            zlib->ended = 1;
            return NGX_DONE;
        }

        return NGX_ERROR;
    }

    return (decoder->len || stream->avail_out == 0) ? NGX_OK : NGX_AGAIN;
}


static ngx_int_t
ngx_http_error_map_zlib_start(ngx_http_error_map_decoder_t *decoder)
{
    int                         bits;
    ngx_http_error_map_zlib_t  *zlib;

    zlib = decoder->state;

    if (zlib->ended) {
        zlib->ended = 0;
        zlib->more = 1;

        return inflateReset(&zlib->stream) == Z_OK ? NGX_OK : NGX_ERROR;
    }

    bits = MAX_WBITS;

    if (decoder->coding == NGX_HTTP_ERROR_MAP_GZIP) {
        bits += 16;

    } else if ((decoder->data[0] & 0x8f) != Z_DEFLATED) {

        /* without the header of RFC 1950, as some servers send it */

        bits = -bits;
    }

    zlib->started = 1;

    return inflateInit2(&zlib->stream, bits) == Z_OK ? NGX_OK : NGX_ERROR;
}


static ngx_uint_t
ngx_http_error_map_zlib_complete(ngx_http_error_map_decoder_t *decoder)
{
    ngx_http_error_map_zlib_t  *zlib;

    zlib = decoder->state;

    return zlib->ended || (zlib->more && zlib->stream.total_out == 0);
}


static void *
ngx_http_error_map_zlib_alloc(void *decoder, u_int items, u_int size)
{
    return ngx_http_error_map_codec_alloc(decoder, (size_t) items * size);
}
