
/*
 * Sends the rest of a body that the client did not take at once.
 */


#ifndef _NGX_HTTP_ERROR_MAP_WRITER_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_WRITER_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/*
 * Sends the rest of a held or replaced body, of which nginx's upstream layer
 * does not know, as the client takes it; NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_write_rest(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_WRITER_H_INCLUDED_ */
