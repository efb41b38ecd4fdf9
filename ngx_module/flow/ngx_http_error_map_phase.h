
/*
 * The phase of a response, and what nginx sees of it.
 */


#ifndef _NGX_HTTP_ERROR_MAP_PHASE_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_PHASE_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/*
 * Sets the phase of a response, but not that of a shared context.  While the
 * header is kept back, nginx does not end the request, and whoever waits for a
 * subrequest is not told that it has ended.
 */
void ngx_http_error_map_set_phase(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_http_error_map_phase_e phase);

/*
 * Ends the hold of a response that another one replaces; ctx is that of the
 * request, or NULL if a redirect has cleared it.
 */
void ngx_http_error_map_abandon(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx);

/*
 * Lets a request go on that nginx has finalized while its response was held;
 * ngx_http_run_posted_requests() is to be called next.
 */
void ngx_http_error_map_resume(ngx_http_error_map_hold_t *hold);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_PHASE_H_INCLUDED_ */
