
/*
 * Inflates a gzip body, RFC 1952, for inspection; uses pools and zlib only.
 */


#ifndef _NGX_HTTP_ERROR_MAP_GUNZIP_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_GUNZIP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#pragma GCC visibility push(hidden)


typedef struct ngx_http_error_map_gunzip_s  ngx_http_error_map_gunzip_t;


/* creates a state to inflate into at most size bytes; NULL on lack of memory */
ngx_http_error_map_gunzip_t *ngx_http_error_map_gunzip_create(
    ngx_pool_t *pool, size_t size);

/* sets the next len bytes of input, which must stay until inflated */
void ngx_http_error_map_gunzip_feed(ngx_http_error_map_gunzip_t *gunzip,
    u_char *data, size_t len);

/*
 * Inflates into out, which is valid until the next call.  Returns NGX_OK if
 * there is more to inflate, NGX_AGAIN if more input is needed, NGX_DONE if the
 * rest of the input is not part of the body, NGX_ERROR if the input is corrupt,
 * or NGX_ABORT on lack of memory or beyond the size.
 */
ngx_int_t ngx_http_error_map_gunzip_next(ngx_http_error_map_gunzip_t *gunzip,
    ngx_str_t *out);

/* returns 1 if the body may end here */
ngx_uint_t ngx_http_error_map_gunzip_complete(
    ngx_http_error_map_gunzip_t *gunzip);

void ngx_http_error_map_gunzip_free(ngx_http_error_map_gunzip_t *gunzip);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_GUNZIP_H_INCLUDED_ */
