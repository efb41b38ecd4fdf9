
/*
 * What is kept of a decision for the error page that takes its place.
 */


#ifndef _NGX_HTTP_ERROR_MAP_SAVED_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_SAVED_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/* what was decided about a response that an error page takes the place of */

typedef struct {
    ngx_http_request_t             *request;
    ngx_http_upstream_t            *upstream;
    ngx_http_upstream_state_t      *state;
    ngx_http_error_map_ctx_t       *ctx;    /* NULL if it is no longer true */
} ngx_http_error_map_saved_t;


/* returns a place to keep a context for an error page, or NULL */
ngx_http_error_map_saved_t *ngx_http_error_map_save(ngx_http_request_t *r);

/* returns what was kept of a request last, if it is still true, or NULL */
ngx_http_error_map_saved_t *ngx_http_error_map_saved(ngx_http_request_t *r);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_SAVED_H_INCLUDED_ */
