
/*
 * A verdict saved for the error page that replaces the response.
 */


#ifndef _NGX_HTTP_ERROR_MAP_SAVED_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_SAVED_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


typedef struct {
    ngx_http_request_t             *request;
    ngx_http_upstream_t            *upstream;
    ngx_http_upstream_state_t      *state;
    ngx_http_error_map_ctx_t       *ctx;    /* NULL if no longer valid */
} ngx_http_error_map_saved_t;


/* allocates one from the request's pool, without ctx; NULL on error */
ngx_http_error_map_saved_t *ngx_http_error_map_save(ngx_http_request_t *r);

/* returns the last one of the request that is still valid, or NULL */
ngx_http_error_map_saved_t *ngx_http_error_map_saved(ngx_http_request_t *r);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_SAVED_H_INCLUDED_ */
