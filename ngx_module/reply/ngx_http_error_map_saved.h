
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
    ngx_uint_t                      added;  /* its headers are in the header */
} ngx_http_error_map_saved_t;


/* allocates one from the request's pool, without ctx; NULL on error */
ngx_http_error_map_saved_t *ngx_http_error_map_save(ngx_http_request_t *r);

/* returns the last one of the request that is still valid, or NULL */
ngx_http_error_map_saved_t *ngx_http_error_map_saved(ngx_http_request_t *r);


/*
 * A call of the next filter.  ngx_http_filter_finalize_request() clears the
 * contexts and sends the header of an error page in the course of this call.
 */

typedef struct ngx_http_error_map_sending_s  ngx_http_error_map_sending_t;

struct ngx_http_error_map_sending_s {
    ngx_http_request_t             *request;
    ngx_http_error_map_ctx_t       *ctx;       /* NULL if it is off */
    ngx_http_upstream_t            *upstream;
    ngx_uint_t                      status;
    ngx_uint_t                      finalize;  /* it was replaced before */
    ngx_http_error_map_saved_t     *saved;
    ngx_http_error_map_sending_t   *next;      /* the call that led to this */
};


extern ngx_http_error_map_sending_t  *ngx_http_error_map_sending;


/*
 * Saves the context of a response that is replaced, if it has one: a copy, for
 * the page has its own phase and must not write to a shared context.
 */
void ngx_http_error_map_save_replaced(ngx_http_error_map_sending_t *sending);

/*
 * Saves the context of a response whose header was sent with this status, after
 * another filter has ended the response: its verdict is for the log.
 */
void ngx_http_error_map_save_sent(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_uint_t status);

/*
 * Returns the call in whose course another filter has replaced the response of
 * the request, with the context saved, or NULL.
 */
ngx_http_error_map_sending_t *ngx_http_error_map_replaced(
    ngx_http_request_t *r);


/* to be called before the next filter */

static ngx_inline void
ngx_http_error_map_sending_begin(ngx_http_error_map_sending_t *sending,
    ngx_http_request_t *r, ngx_http_error_map_ctx_t *ctx)
{
    sending->request = r;
    sending->ctx = ctx;
    sending->upstream = r->upstream;
    sending->status = r->headers_out.status;
    sending->finalize = r->filter_finalize;
    sending->saved = NULL;
    sending->next = ngx_http_error_map_sending;

    ngx_http_error_map_sending = sending;
}


/*
 * To be called with what the next filter has returned.  Returns 1 if the
 * response was replaced or is to be; its context is saved then.
 */

static ngx_inline ngx_uint_t
ngx_http_error_map_sending_end(ngx_http_error_map_sending_t *sending,
    ngx_int_t rc)
{
    ngx_http_error_map_sending = sending->next;

    if (rc <= NGX_OK
        && sending->request->filter_finalize == sending->finalize)
    {
        return 0;
    }

    ngx_http_error_map_save_replaced(sending);

    if (rc > NGX_OK && sending->saved) {

        /* the error page starts with the header that was refused */

        sending->saved->added = 1;
    }

    return 1;
}


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_SAVED_H_INCLUDED_ */
