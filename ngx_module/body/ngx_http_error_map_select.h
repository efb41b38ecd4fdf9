
/*
 * The scanner of documents with more than plain sources, or with fields.
 */


#ifndef _NGX_HTTP_ERROR_MAP_SELECT_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_SELECT_H_INCLUDED_


#include "ngx_http_error_map_conf.h"
#include "ngx_http_error_map_text.h"


#pragma GCC visibility push(hidden)


typedef struct ngx_http_error_map_select_s  ngx_http_error_map_select_t;


/*
 * Creates the scanner of the document's plan for a number of JSON texts; text
 * matches its patterns, and may be NULL if there are none.  With decided set,
 * the code is known, and the scanner looks for the fields only.  Returns NULL
 * on lack of memory.
 */
ngx_http_error_map_select_t *ngx_http_error_map_select_create(
    ngx_pool_t *pool, ngx_http_error_map_document_t *document,
    ngx_http_error_map_text_t *text, em_charset_e charset, ngx_uint_t texts,
    ngx_uint_t decided);

/* goes on with another body */
void ngx_http_error_map_select_restart(ngx_http_error_map_select_t *select);

/* as the functions of em_select */
em_select_status_e ngx_http_error_map_select_feed(
    ngx_http_error_map_select_t *select, u_char *data, size_t len);
void ngx_http_error_map_select_end(ngx_http_error_map_select_t *select);
void ngx_http_error_map_select_stop(ngx_http_error_map_select_t *select);
void ngx_http_error_map_select_verdict(ngx_http_error_map_select_t *select,
    em_select_verdict_t *verdict);

/*
 * Returns NGX_OK with the value of a field, and the line that it is from, or
 * NGX_DECLINED.
 */
ngx_int_t ngx_http_error_map_select_field(ngx_http_error_map_select_t *select,
    ngx_uint_t number, ngx_str_t *value, ngx_uint_t *line);

/* returns the seconds of "retry_after", or 0 */
ngx_uint_t ngx_http_error_map_select_retry(
    ngx_http_error_map_select_t *select);

/* frees what is large; the pool frees the rest */
void ngx_http_error_map_select_free(ngx_http_error_map_select_t *select);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_SELECT_H_INCLUDED_ */
