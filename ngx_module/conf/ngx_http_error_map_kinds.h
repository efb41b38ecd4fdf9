
/*
 * The kinds of a document's rows.  Policies tell few rows apart, mostly by
 * status and class.  Rows that every policy treats alike are of one kind, and
 * actions are kept by kind: neither memory nor time is policies times rows.
 */


#ifndef _NGX_HTTP_ERROR_MAP_KINDS_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_KINDS_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


typedef struct ngx_http_error_map_split_s   ngx_http_error_map_split_t;
typedef struct ngx_http_error_map_number_s  ngx_http_error_map_number_t;


/* zero-filled but for document and pool */

typedef struct {
    ngx_http_error_map_document_t  *document;
    ngx_pool_t                     *pool;     /* a temporary one */

    uint32_t                       *first;    /* by kind: slot of a row */

    ngx_http_error_map_split_t     *splits;   /* a hash, by kind and action */
    uint32_t                        mask;
    uint32_t                        policy;   /* number of policies seen */

    ngx_http_error_map_number_t    *numbers;  /* sorted codes, for ranges */
    ngx_uint_t                      nnumbers;

    em_document_t                   labels;   /* finds rows by their label */
} ngx_http_error_map_kinds_t;


/* makes a kind of each status and class; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_kinds_init(ngx_http_error_map_kinds_t *kinds);

/*
 * Sets the codes that a row stands for if they are numbers, and NGX_OK;
 * NGX_DECLINED for others.
 */
ngx_int_t ngx_http_error_map_numbers(const em_document_t *table, size_t slot,
    int64_t *first, int64_t *last);

/*
 * Splits the kinds by the rows "code" that a policy has for the document, from
 * row to before end.  Marks the rows that match a code or label as used.  NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_kinds_split(ngx_http_error_map_kinds_t *kinds,
    ngx_http_error_map_code_row_t *row, ngx_http_error_map_code_row_t *end);

/*
 * Numbers the kinds from 0, in the document's kinds and nkinds, and sets first.
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_kinds_done(ngx_http_error_map_kinds_t *kinds);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_KINDS_H_INCLUDED_ */
