
/*
 * The rest of a vendor's body that nobody gets.
 */


#ifndef _NGX_HTTP_ERROR_MAP_DROP_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_DROP_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/*
 * Sets the phase of a response whose body has been replaced, or which has none.
 * An upstream may send as much more as may be held (or all of it for a cache),
 * for as long, so that its connection can be used again; then the request ends
 * without it.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_drop(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx);

/* consumes a chain of the body */
void ngx_http_error_map_drop_body(ngx_http_error_map_ctx_t *ctx,
    ngx_chain_t *in);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_DROP_H_INCLUDED_ */
