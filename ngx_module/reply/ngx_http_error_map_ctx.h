
/*
 * What was decided about a response.
 */


#ifndef _NGX_HTTP_ERROR_MAP_CTX_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_CTX_H_INCLUDED_


#include "ngx_http_error_map_conf.h"
#include "ngx_http_error_map_reader.h"


#pragma GCC visibility push(hidden)


/* a response whose header waits for the verdict */

typedef struct {
    ngx_http_request_t             *request;
    ngx_http_error_map_reader_t     reader;

    size_t                          skip;    /* read with the header already */
    size_t                          size;    /* bytes held */
    ngx_chain_t                    *out;
    ngx_chain_t                   **last_out;
    ngx_buf_t                      *buf;     /* the last one of out */

    ngx_event_t                     timer;
    ngx_msec_t                      start;

    unsigned                        upstream:1;  /* it came while this read */
    unsigned                        flush:1;
    unsigned                        in_memory:1; /* others had asked for it */
} ngx_http_error_map_hold_t;


/* what the body filter does with the vendor's body */

typedef enum {
    NGX_HTTP_ERROR_MAP_PASS = 0,
    NGX_HTTP_ERROR_MAP_HOLD,       /* it and the header wait for a verdict */
    NGX_HTTP_ERROR_MAP_DROP,       /* it is read to its end and discarded */
    NGX_HTTP_ERROR_MAP_INTERCEPT   /* the same, until the error page starts */
} ngx_http_error_map_phase_e;


/*
 * What was decided about a response.  No context means "skipped".  Those of
 * "success" and "none" that need no hold are shared and never written to.
 */

typedef struct ngx_http_error_map_ctx_s {
    ngx_http_error_map_verdict_e    verdict;
    ngx_http_error_map_document_t  *document;
    const em_entry_t               *entry;

    ngx_str_t                       code;    /* printable ASCII */
    ngx_str_t                       raw_code; /* the same as it was sent */
    ngx_uint_t                      upstream_status;  /* 0: see the request */
    ngx_uint_t                      status;           /* as above */
    time_t                          retry_after;

    ngx_http_error_map_phase_e      phase;
    ngx_http_error_map_hold_t      *hold;    /* NULL if it was never held */
    size_t                          hold_size;
    ngx_msec_t                      hold_time;

    ngx_buf_t                      *body;    /* to be sent for the vendor's */

    /* the one to go back to when all that was held has been sent */
    ngx_http_event_handler_pt       write_event_handler;
} ngx_http_error_map_ctx_t;


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_CTX_H_INCLUDED_ */
