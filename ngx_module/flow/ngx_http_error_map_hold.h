
/*
 * The bytes of a hold: read, copied, and handed on.
 */


#ifndef _NGX_HTTP_ERROR_MAP_HOLD_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_HOLD_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/* NGX_OK if there is a verdict, NGX_AGAIN if more of the body is needed */
ngx_int_t ngx_http_error_map_hold_read(ngx_http_error_map_hold_t *hold,
    ngx_chain_t *in);

/*
 * Returns 1 if the chain tells that the upstream broke off, or 0.  It is
 * finalized then, and there is no last_buf but a flush: nginx sends what came
 * before, and closes the connection.
 */
ngx_int_t ngx_http_error_map_hold_broken(ngx_http_error_map_hold_t *hold,
    ngx_chain_t *in);

/*
 * Copies the chain, and gives its buffers back to those who own them; NGX_OK
 * or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_hold_append(ngx_http_error_map_hold_t *hold,
    ngx_chain_t *in);

/*
 * Returns what is to go behind the bytes held, which is the chain, or a copy
 * of it is held as well and a buffer with its flags is returned, or
 * NGX_CHAIN_ERROR.  To be called when the header has been sent.
 */
ngx_chain_t *ngx_http_error_map_hold_needs(ngx_http_request_t *r,
    ngx_http_error_map_hold_t *hold, ngx_chain_t *in);

/* gives the buffers of a chain back without a copy */
void ngx_http_error_map_hold_consume(ngx_chain_t *in);

/*
 * Sets the phase of a response, which no shared context has, and the bit of
 * r->buffered that keeps nginx from ending the request meanwhile.
 */
void ngx_http_error_map_set_phase(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_http_error_map_phase_e phase);

/* stops the timer of a hold; a handler of a pool's cleanup */
void ngx_http_error_map_hold_stop(void *hold);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_HOLD_H_INCLUDED_ */
