
#include "ngx_http_error_map_codec.h"


#if (NGX_HTTP_ERROR_MAP_HAVE_BROTLI)

#include <brotli/decode.h>


/*
 * br, RFC 7932.  A window may have 16 MB, and libbrotli allocates as much of it
 * as a meta-block needs.  The text that is inspected never reaches back so far,
 * so the header is replaced by one with a smaller window.
 */


#define NGX_HTTP_ERROR_MAP_BROTLI_SIZE    4096

/* the smallest window, and libbrotli's state, prefix codes and context maps */
#define NGX_HTTP_ERROR_MAP_BROTLI_MEMORY  (512 * 1024)


typedef struct {
    BrotliDecoderState  *brotli;
    size_t               size;      /* of the text, at most */

    unsigned             started:1;

    u_char               out[NGX_HTTP_ERROR_MAP_BROTLI_SIZE];
} ngx_http_error_map_brotli_t;


static ngx_int_t ngx_http_error_map_brotli_create(
    ngx_http_error_map_decoder_t *decoder);
static ngx_int_t ngx_http_error_map_brotli_next(
    ngx_http_error_map_decoder_t *decoder, ngx_str_t *out);
static u_char ngx_http_error_map_brotli_window(u_char ch, size_t size);
static ngx_uint_t ngx_http_error_map_brotli_complete(
    ngx_http_error_map_decoder_t *decoder);


const ngx_http_error_map_codec_t  ngx_http_error_map_codec_brotli = {
    ngx_http_error_map_brotli_create,
    ngx_http_error_map_brotli_next,
    ngx_http_error_map_brotli_complete
};


static ngx_int_t
ngx_http_error_map_brotli_create(ngx_http_error_map_decoder_t *decoder)
{
    ngx_http_error_map_brotli_t  *br;

    /* a window may have twice the size, and grows from half of that */

    decoder->max = (uint64_t) decoder->left * 3
                   + NGX_HTTP_ERROR_MAP_BROTLI_MEMORY;

    br = ngx_http_error_map_codec_alloc(decoder,
                                        sizeof(ngx_http_error_map_brotli_t));
    if (br == NULL) {
        return NGX_ERROR;
    }

    br->size = decoder->left;
    br->started = 0;
    br->brotli = BrotliDecoderCreateInstance(ngx_http_error_map_codec_alloc,
                                             ngx_http_error_map_codec_free,
                                             decoder);
    decoder->state = br;

    return br->brotli ? NGX_OK : NGX_ERROR;
}


/*
 * libbrotli returns no text of a call that meets corrupt data, so each call has
 * one byte, once it has returned all of the text before.
 */

static ngx_int_t
ngx_http_error_map_brotli_next(ngx_http_error_map_decoder_t *decoder,
    ngx_str_t *out)
{
    size_t                        fed, left, room;
    u_char                        ch, *p;
    const uint8_t                *in;
    BrotliDecoderResult           rc;
    ngx_http_error_map_brotli_t  *br;

    br = decoder->state;

    p = br->out;
    room = NGX_HTTP_ERROR_MAP_BROTLI_SIZE;

    do {
        in = &ch;
        fed = 0;

        if (decoder->len && !BrotliDecoderHasMoreOutput(br->brotli)) {
            ch = *decoder->data;
            fed = 1;

            if (!br->started) {
                br->started = 1;
                ch = ngx_http_error_map_brotli_window(ch, br->size);
            }
        }

        left = fed;
        rc = BrotliDecoderDecompressStream(br->brotli, &left, &in, &room, &p,
                                           NULL);

        decoder->data += fed - left;
        decoder->len -= fed - left;

    } while (rc == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT
             && decoder->len
             && room);

    out->data = br->out;
    out->len = p - br->out;

    switch (rc) {

    case BROTLI_DECODER_RESULT_ERROR:
        return BrotliDecoderGetErrorCode(br->brotli)
               <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES
               ? NGX_ABORT : NGX_ERROR;

    case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
        return NGX_OK;

    case BROTLI_DECODER_RESULT_SUCCESS:
        return decoder->len ? NGX_DONE : NGX_AGAIN;

    default: /* BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT */
        return (decoder->len || room == 0) ? NGX_OK : NGX_AGAIN;
    }
}


/*
 * Returns the first byte with the smallest window of its form, 256 KB to 16 MB,
 * that has room for the size; other forms have smaller windows.
 */

static u_char
ngx_http_error_map_brotli_window(u_char ch, size_t size)
{
    ngx_uint_t  n;

    if ((ch & 1) == 0) {
        return ch;
    }

    for (n = 1; n < (ch >> 1 & 7); n++) {
        if (((size_t) 1 << (n + 17)) - 16 >= size) {
            return (ch & 0xf0) | n << 1 | 1;
        }
    }

    return ch;
}


static ngx_uint_t
ngx_http_error_map_brotli_complete(ngx_http_error_map_decoder_t *decoder)
{
    ngx_http_error_map_brotli_t  *br;

    br = decoder->state;

    return BrotliDecoderIsFinished(br->brotli);
}

#endif
