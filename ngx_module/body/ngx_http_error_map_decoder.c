
#include "ngx_http_error_map_codec.h"


static const struct {
    ngx_str_t                          name;
    ngx_http_error_map_coding_e        coding;
} ngx_http_error_map_coding_names[] = {

    { ngx_string("identity"), NGX_HTTP_ERROR_MAP_IDENTITY },
    { ngx_string("gzip"), NGX_HTTP_ERROR_MAP_GZIP },
    { ngx_string("x-gzip"), NGX_HTTP_ERROR_MAP_GZIP },
    { ngx_string("deflate"), NGX_HTTP_ERROR_MAP_DEFLATE },
    { ngx_string("br"), NGX_HTTP_ERROR_MAP_BROTLI },
    { ngx_string("zstd"), NGX_HTTP_ERROR_MAP_ZSTD }
};


/* by ngx_http_error_map_coding_e */

static const ngx_http_error_map_codec_t *const  ngx_http_error_map_codecs[] = {

    NULL,
    &ngx_http_error_map_codec_zlib,
    &ngx_http_error_map_codec_zlib,

#if (NGX_HTTP_ERROR_MAP_HAVE_BROTLI)
    &ngx_http_error_map_codec_brotli,
#else
    NULL,
#endif

#if (NGX_HTTP_ERROR_MAP_HAVE_ZSTD)
    &ngx_http_error_map_codec_zstd
#else
    NULL
#endif
};


#define NGX_HTTP_ERROR_MAP_CODINGS                                            \
    (sizeof(ngx_http_error_map_codecs)                                        \
     / sizeof(ngx_http_error_map_codec_t *))


ngx_int_t
ngx_http_error_map_coding(ngx_str_t *name)
{
    ngx_uint_t        i;
    const ngx_str_t  *coding;

    for (i = 0;
         i < sizeof(ngx_http_error_map_coding_names)
             / sizeof(ngx_http_error_map_coding_names[0]);
         i++)
    {
        coding = &ngx_http_error_map_coding_names[i].name;

        if (coding->len == name->len
            && ngx_strncasecmp(coding->data, name->data, name->len) == 0)
        {
            return ngx_http_error_map_coding_names[i].coding;
        }
    }

    return NGX_DECLINED;
}


ngx_uint_t
ngx_http_error_map_codings(void)
{
    ngx_uint_t  i, bits;

    for (i = 0, bits = 0; i < NGX_HTTP_ERROR_MAP_CODINGS; i++) {
        if (ngx_http_error_map_codecs[i]) {
            bits |= 1 << i;
        }
    }

    return bits;
}


ngx_http_error_map_decoder_t *
ngx_http_error_map_decoder_create(ngx_http_error_map_coding_e coding,
    ngx_pool_t *pool, size_t size)
{
    ngx_pool_cleanup_t            *cln;
    ngx_http_error_map_decoder_t  *decoder;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_http_error_map_decoder_t));
    if (cln == NULL) {
        return NULL;
    }

    decoder = cln->data;

    ngx_memzero(decoder, sizeof(ngx_http_error_map_decoder_t));

    decoder->codec = ngx_http_error_map_codecs[coding];
    decoder->coding = coding;
    decoder->left = size;
    decoder->log = pool->log;
    ngx_queue_init(&decoder->blocks);

    cln->handler = ngx_http_error_map_decoder_free;

    if (decoder->codec->create(decoder) != NGX_OK) {
        ngx_http_error_map_decoder_free(decoder);
        return NULL;
    }

    return decoder;
}


void
ngx_http_error_map_decoder_feed(ngx_http_error_map_decoder_t *decoder,
    u_char *data, size_t len)
{
    decoder->data = data;
    decoder->len = len;
}


ngx_int_t
ngx_http_error_map_decoder_next(ngx_http_error_map_decoder_t *decoder,
    ngx_str_t *out)
{
    ngx_int_t  rc;

    ngx_str_null(out);

    rc = decoder->codec->next(decoder, out);

    if (out->len > decoder->left) {
        out->len = decoder->left;
        rc = NGX_ABORT;
    }

    decoder->left -= out->len;

    return rc;
}


ngx_uint_t
ngx_http_error_map_decoder_complete(ngx_http_error_map_decoder_t *decoder)
{
    return decoder->codec->complete(decoder);
}


void
ngx_http_error_map_decoder_free(void *decoder)
{
    ngx_http_error_map_codec_end(decoder);
}
