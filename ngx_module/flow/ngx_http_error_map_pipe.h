
/*
 * Holds the buffers of nginx's event pipe without a copy.  They stay busy for
 * the pipe until they are sent; it may allocate another one for each of them.
 */


#ifndef _NGX_HTTP_ERROR_MAP_PIPE_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_PIPE_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/*
 * Returns the first buffer of the chain after those that are in one buffer of
 * the pipe and can be held as they are, or in if there is none.
 */
ngx_chain_t *ngx_http_error_map_pipe_own(ngx_http_error_map_hold_t *hold,
    ngx_chain_t *in);

/* notes that the buffer, which is not empty, is held as it is */
void ngx_http_error_map_pipe_keep(ngx_http_error_map_hold_t *hold,
    ngx_buf_t *b);

/* gives the pipe the buffers of a large rest of the body; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_pipe_give(ngx_http_error_map_hold_t *hold);

/* lets the pipe wait for its client again, before the held bytes are sent */
void ngx_http_error_map_pipe_leave(ngx_http_error_map_hold_t *hold);

/* notes a buffer that may be an additional one, before it is sent or consumed */
void ngx_http_error_map_pipe_watch(ngx_http_error_map_hold_t *hold,
    ngx_buf_t *b);

/*
 * Frees those of them that are sent or consumed.  Must be called before the pipe
 * looks for them.
 */
void ngx_http_error_map_pipe_sent(ngx_http_error_map_hold_t *hold);

/* frees the memory of all buffers that were given, as the request ends */
void ngx_http_error_map_pipe_free(ngx_http_error_map_hold_t *hold);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_PIPE_H_INCLUDED_ */
