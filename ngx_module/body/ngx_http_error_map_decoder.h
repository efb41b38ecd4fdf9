
/*
 * A coded body (Content-Encoding, RFC 9110, section 8.4), decoded for
 * inspection only.  A leaf: it knows of pools and of the coding's library.
 */


#ifndef _NGX_HTTP_ERROR_MAP_DECODER_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_DECODER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#pragma GCC visibility push(hidden)


typedef enum {
    NGX_HTTP_ERROR_MAP_IDENTITY = 0,
    NGX_HTTP_ERROR_MAP_GZIP,
    NGX_HTTP_ERROR_MAP_DEFLATE,
    NGX_HTTP_ERROR_MAP_BROTLI,
    NGX_HTTP_ERROR_MAP_ZSTD
} ngx_http_error_map_coding_e;


typedef struct ngx_http_error_map_decoder_s  ngx_http_error_map_decoder_t;


/* returns the coding called name, in any case, or NGX_DECLINED */
ngx_int_t ngx_http_error_map_coding(ngx_str_t *name);

/* the bits, 1 << coding, of the codings that are built in */
ngx_uint_t ngx_http_error_map_codings(void);

/* decodes at most size bytes of text; NULL on lack of memory */
ngx_http_error_map_decoder_t *ngx_http_error_map_decoder_create(
    ngx_http_error_map_coding_e coding, ngx_pool_t *pool, size_t size);

/* the next len bytes, which must stay until they have been decoded */
void ngx_http_error_map_decoder_feed(ngx_http_error_map_decoder_t *decoder,
    u_char *data, size_t len);

/*
 * Decodes into out, which is valid until the next call and may be empty.
 * Returns NGX_OK if there is more to decode, NGX_AGAIN if it must be fed
 * first, NGX_DONE if the rest is not part of the body, NGX_ERROR if the body
 * is corrupt, NGX_DECLINED if it needs a dictionary, or a window that is
 * larger than RFC 9659 allows, and NGX_ABORT if it needs too much memory or
 * its text exceeds the size.
 *
 * Text and result do not depend on how the body is cut: all of the text before
 * a corrupt byte is returned.
 */
ngx_int_t ngx_http_error_map_decoder_next(
    ngx_http_error_map_decoder_t *decoder, ngx_str_t *out);

/* returns 1 if the body may end here */
ngx_uint_t ngx_http_error_map_decoder_complete(
    ngx_http_error_map_decoder_t *decoder);

/* frees the memory of the decoder; also a handler of a pool cleanup */
void ngx_http_error_map_decoder_free(void *decoder);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_DECODER_H_INCLUDED_ */
