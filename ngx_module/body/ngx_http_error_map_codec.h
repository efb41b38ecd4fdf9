
/*
 * One coding of a decoder: its functions, and their memory.
 */


#ifndef _NGX_HTTP_ERROR_MAP_CODEC_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_CODEC_H_INCLUDED_


#include "ngx_http_error_map_decoder.h"


#pragma GCC visibility push(hidden)


typedef struct {

    /* sets the decoder's state and max; NGX_OK or NGX_ERROR */
    ngx_int_t   (*create)(ngx_http_error_map_decoder_t *decoder);

    /* as ..._decoder.h has them; the text may exceed the size */
    ngx_int_t   (*next)(ngx_http_error_map_decoder_t *decoder, ngx_str_t *out);
    ngx_uint_t  (*complete)(ngx_http_error_map_decoder_t *decoder);
} ngx_http_error_map_codec_t;


struct ngx_http_error_map_decoder_s {
    const ngx_http_error_map_codec_t  *codec;
    ngx_http_error_map_coding_e        coding;
    void                              *state;

    u_char                            *data;    /* fed, not yet decoded */
    size_t                             len;
    size_t                             left;    /* text it may still make */

    ngx_log_t                         *log;
    ngx_queue_t                        blocks;  /* all of its memory */
    uint64_t                           memory;  /* in bytes, ... */
    uint64_t                           max;     /* ... at most */
};


extern const ngx_http_error_map_codec_t  ngx_http_error_map_codec_zlib;

#if (NGX_HTTP_ERROR_MAP_HAVE_BROTLI)
extern const ngx_http_error_map_codec_t  ngx_http_error_map_codec_brotli;
#endif

#if (NGX_HTTP_ERROR_MAP_HAVE_ZSTD)
extern const ngx_http_error_map_codec_t  ngx_http_error_map_codec_zstd;
#endif


/*
 * The allocator of a coding's library; NULL beyond the decoder's maximum.  All
 * of it is freed with the decoder, and need not be freed before.
 */
void *ngx_http_error_map_codec_alloc(void *decoder, size_t size);

/* frees the memory at p, or does nothing for NULL */
void ngx_http_error_map_codec_free(void *decoder, void *p);

/* frees all of it */
void ngx_http_error_map_codec_end(ngx_http_error_map_decoder_t *decoder);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_CODEC_H_INCLUDED_ */
