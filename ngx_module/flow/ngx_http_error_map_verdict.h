
/*
 * The end of every inspection.
 */


#ifndef _NGX_HTTP_ERROR_MAP_VERDICT_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_VERDICT_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/*
 * Concludes the reader's verdict: sets the context of the request, counts the
 * response, and frees the reader.  The context is ctx, which gets the size of
 * the body that waited (in bytes) and the time (in milliseconds), or, for a
 * response that did not wait, NULL.  Returns the context, which then may be a
 * shared one, or NULL on lack of memory.
 */
ngx_http_error_map_ctx_t *ngx_http_error_map_conclude(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_ctx_t *ctx, size_t size, ngx_msec_t time);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_VERDICT_H_INCLUDED_ */
