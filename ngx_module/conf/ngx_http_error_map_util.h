
/*
 * What nginx has no function for: headers, tokens, and whose a response is.
 */


#ifndef _NGX_HTTP_ERROR_MAP_UTIL_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_UTIL_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


/* returns the upstream if the response is its own, now or from a cache */
ngx_http_upstream_t *ngx_http_error_map_response_upstream(
    ngx_http_request_t *r);

/*
 * Returns the first header of that name that is sent, or, with h, the first one
 * behind it, or NULL.
 */
ngx_table_elt_t *ngx_http_error_map_next_header(ngx_list_part_t *part,
    ngx_str_t *name, ngx_table_elt_t *h);

/* returns 1 if it can be a header's name (a token without "$" before it) */
ngx_uint_t ngx_http_error_map_header_name(ngx_str_t *name);

/* returns 1 if ch can be in a token, RFC 9110, or 0 */
ngx_uint_t ngx_http_error_map_token(u_char ch);

/*
 * Whether it is its upstream that sends the response now: one that has been
 * finalized does not, nor is it behind the error page of a filter.
 */
#define ngx_http_error_map_upstream_active(r)                                 \
    ((r)->upstream && (r)->upstream->cleanup && !(r)->filter_finalize)


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_UTIL_H_INCLUDED_ */
