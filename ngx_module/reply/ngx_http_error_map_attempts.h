
/*
 * The codes of all attempts, $error_map_upstream_codes.
 */


#ifndef _NGX_HTTP_ERROR_MAP_ATTEMPTS_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_ATTEMPTS_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/* finds out whether the configuration uses the variable */
void ngx_http_error_map_want_codes(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);

/*
 * Keeps the code of a response of an upstream, whose state has this number in
 * r->upstream_states, if the variable is used.
 */
void ngx_http_error_map_keep_code(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_uint_t attempt);

/* lists the codes as $upstream_status lists statuses; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_codes(ngx_http_request_t *r, ngx_str_t *value);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_ATTEMPTS_H_INCLUDED_ */
