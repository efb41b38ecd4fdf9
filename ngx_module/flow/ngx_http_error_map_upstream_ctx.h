
/*
 * The state of an upstream whose handlers are wrapped.
 */


#ifndef _NGX_HTTP_ERROR_MAP_UPSTREAM_CTX_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_UPSTREAM_CTX_H_INCLUDED_


#include "ngx_http_error_map_saved.h"
#include "ngx_http_error_map_framing.h"


#pragma GCC visibility push(hidden)


typedef struct {
    ngx_http_request_t             *request;
    ngx_http_upstream_t            *upstream;

    /* the original handlers */
    ngx_int_t                     (*process_header)(ngx_http_request_t *r);
    ngx_int_t                     (*reinit_request)(ngx_http_request_t *r);
    ngx_http_upstream_handler_pt    read_event_handler;
    ngx_recv_pt                     recv;
    ngx_recv_chain_pt               recv_chain;

    ngx_buf_t                      *request_buf; /* the first one, or NULL */
    ngx_connection_t               *connection;  /* whose recv is wrapped */

    /* nginx's, and the copy that it uses while it asks the next server */
    ngx_http_upstream_conf_t       *conf;
    ngx_http_upstream_conf_t       *next_conf;

    /* received bytes that nginx has not seen */
    u_char                         *rest;
    u_char                         *rest_last;

    u_char                         *begin;   /* of the response, or NULL */

    ngx_uint_t                      attempt; /* in r->upstream_states */
    ngx_uint_t                      status;  /* the upstream's */
    ngx_uint_t                      passed;  /* edge status if nginx sees ... */
                                             /* ... another one, or 0 */
    ngx_http_error_map_reason_e     reason;  /* if it is not decided here */
    ngx_http_error_map_ctx_t       *answer;  /* NULL: the reader's */
    ngx_http_error_map_saved_t     *saved;

    ngx_event_t                     timer;
    ngx_msec_t                      start;
    ngx_msec_t                      waited;
    size_t                          size;    /* bytes held meanwhile */

    unsigned                        watched:1;  /* to its end */
    unsigned                        begun:1;
    unsigned                        done:1;     /* decided or not inspected */
    unsigned                        decided:1;
    unsigned                        header:1;
    unsigned                        replay:1;
    unsigned                        ready:1;
    unsigned                        error:1;    /* nginx has not seen it */
    unsigned                        again:1;    /* it reads the rest next */

    /* not zeroed, but for reader_clear() */
    ngx_http_error_map_reader_t     reader;
    ngx_http_error_map_framing_t    framing;
} ngx_http_error_map_upstream_t;


/* the context of the header filter module */

#define ngx_http_error_map_upstream(r)                                        \
    ngx_http_get_module_ctx(r, ngx_http_error_map_header_filter_module)


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_UPSTREAM_CTX_H_INCLUDED_ */
