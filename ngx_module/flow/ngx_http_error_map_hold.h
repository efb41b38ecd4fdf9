
/*
 * Reads, copies and releases the bytes of a hold.
 */


#ifndef _NGX_HTTP_ERROR_MAP_HOLD_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_HOLD_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/* reads the chain; NGX_OK once the verdict is certain, or NGX_AGAIN */
ngx_int_t ngx_http_error_map_hold_read(ngx_http_error_map_hold_t *hold,
    ngx_chain_t *in);

/*
 * Returns 1 if the chain shows that the upstream has broken off, or 0.  The
 * upstream is finalized then, and a flush comes instead of last_buf: nginx
 * sends the bytes before, and closes the connection.
 */
ngx_int_t ngx_http_error_map_hold_broken(ngx_http_error_map_hold_t *hold,
    ngx_chain_t *in);

/*
 * Holds the bytes of the chain: in buffers of nginx's event pipe, which stay as
 * they are, or else in copies, and its buffers are consumed; NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_hold_append(ngx_http_error_map_hold_t *hold,
    ngx_chain_t *in);

/*
 * Returns the chain to send after the held bytes, or NGX_CHAIN_ERROR: in, or a
 * buffer with the flags of in, whose bytes are then copied to the hold.  Must
 * be called after the header has been sent.
 */
ngx_chain_t *ngx_http_error_map_hold_needs(ngx_http_request_t *r,
    ngx_http_error_map_hold_t *hold, ngx_chain_t *in);

/*
 * Returns the chain to send after the held bytes, whose last buffer gets the
 * flush flag: it must be on the last bytes, for a filter that keeps some of them
 * back does not send them on an empty buffer.
 */
ngx_chain_t *ngx_http_error_map_hold_flush(ngx_http_error_map_hold_t *hold,
    ngx_chain_t *in);

/* consumes the buffers of a chain without a copy */
void ngx_http_error_map_hold_consume(ngx_chain_t *in);

/* returns NGX_OK if there is room for a copy of the chain, or NGX_DECLINED */
ngx_int_t ngx_http_error_map_hold_room(ngx_http_error_map_hold_t *hold,
    ngx_chain_t *in);

/* frees the held bytes that have been sent */
void ngx_http_error_map_hold_sent(ngx_http_error_map_hold_t *hold);

/* frees the held bytes, none of which is sent */
void ngx_http_error_map_hold_discard(ngx_http_error_map_hold_t *hold);

/* stops the timer of a hold */
void ngx_http_error_map_hold_stop(ngx_http_error_map_hold_t *hold);

/* ends a hold whose request ends; a handler of a pool cleanup */
void ngx_http_error_map_hold_cleanup(void *hold);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_HOLD_H_INCLUDED_ */
