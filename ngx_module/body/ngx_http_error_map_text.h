
/*
 * Searches patterns in a text that comes in pieces.
 */


#ifndef _NGX_HTTP_ERROR_MAP_TEXT_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_TEXT_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


typedef struct ngx_http_error_map_text_s  ngx_http_error_map_text_t;


/* creates a search in at most size bytes of text; NULL on error */
ngx_http_error_map_text_t *ngx_http_error_map_text_create(ngx_pool_t *pool,
    ngx_log_t *log, ngx_http_error_map_document_t *document, size_t size);

/*
 * Searches the next len bytes at data; if wait is set, only keeps them for
 * later.  Returns NGX_OK with the code, which is valid until the next call,
 * NGX_AGAIN, or NGX_ERROR if the search was abandoned.
 */
ngx_int_t ngx_http_error_map_text_feed(ngx_http_error_map_text_t *text,
    u_char *data, size_t len, ngx_uint_t wait, ngx_str_t *code);

/*
 * Searches the bytes kept; with end set, as the end of the text.  Returns
 * NGX_OK with the code, NGX_DECLINED, or NGX_ERROR if it was abandoned.
 */
ngx_int_t ngx_http_error_map_text_end(ngx_http_error_map_text_t *text,
    ngx_uint_t end, ngx_str_t *code);

/*
 * Applies a pattern to a value, len bytes at data, within the same limits.
 * Returns NGX_OK with the pattern's group in found, NGX_DECLINED, or NGX_ERROR
 * if the search was abandoned.
 */
ngx_int_t ngx_http_error_map_text_value(ngx_http_error_map_text_t *text,
    ngx_http_error_map_pattern_t *pattern, u_char *data, size_t len,
    ngx_str_t *found);

/*
 * Searches all of the text, of which nothing was let go as the document has
 * fields by pattern; with end set, it is complete.  Returns NGX_OK with the
 * pattern's group in found, which is valid until the next call, NGX_AGAIN,
 * NGX_DECLINED at the end, or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_text_field(ngx_http_error_map_text_t *text,
    ngx_http_error_map_pattern_t *pattern, ngx_uint_t end, ngx_str_t *found);

/* goes on with another text; the cost of the search is that of both */
void ngx_http_error_map_text_restart(ngx_http_error_map_text_t *text);

/* frees the search and the code returned by it; the pool frees the rest */
void ngx_http_error_map_text_free(ngx_http_error_map_text_t *text);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_TEXT_H_INCLUDED_ */
