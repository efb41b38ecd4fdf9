
/*
 * The next server: "next_upstream" and "fails" of a policy's rows.
 */


#ifndef _NGX_HTTP_ERROR_MAP_UPSTREAM_NEXT_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_UPSTREAM_NEXT_H_INCLUDED_


#include "ngx_http_error_map_upstream_ctx.h"


#pragma GCC visibility push(hidden)


/*
 * Makes nginx ask the next server, or not, as the action of the response says;
 * to be called once the edge status is set, right before nginx looks at it.
 */
void ngx_http_error_map_upstream_next(ngx_http_request_t *r,
    ngx_http_error_map_upstream_t *up, ngx_http_error_map_action_t *action);

/*
 * Whether nginx may pass over the response after that, to the next server or to
 * a stale response of its cache.
 */
ngx_uint_t ngx_http_error_map_upstream_may_pass(ngx_http_upstream_t *u);

/*
 * Undoes it once nginx has passed over the response, and sets the edge status
 * in the state of the attempt.
 */
void ngx_http_error_map_upstream_passed(ngx_http_request_t *r,
    ngx_http_error_map_upstream_t *up);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_UPSTREAM_NEXT_H_INCLUDED_ */
