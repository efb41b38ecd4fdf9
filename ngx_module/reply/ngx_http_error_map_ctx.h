
/*
 * The context of a response: its verdict, and its hold.
 */


#ifndef _NGX_HTTP_ERROR_MAP_CTX_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_CTX_H_INCLUDED_


#include "ngx_http_error_map_conf.h"
#include "ngx_http_error_map_reader.h"


#pragma GCC visibility push(hidden)


/* copied bytes of a held body, which follow it in memory */

typedef struct ngx_http_error_map_held_s  ngx_http_error_map_held_t;

struct ngx_http_error_map_held_s {
    ngx_http_error_map_held_t      *next;
    ngx_buf_t                      *buf;
    size_t                          size;    /* of all of its memory */
};


/* opaque, see pipe.c */

typedef struct ngx_http_error_map_bufs_s  ngx_http_error_map_bufs_t;


/* a response whose header is held until the verdict */

typedef struct {
    ngx_http_request_t             *request;
    ngx_http_error_map_reader_t     reader;

    size_t                          skip;    /* bytes read with the header */
    size_t                          size;    /* bytes held */
    ngx_chain_t                    *out;
    ngx_chain_t                   **last_out;
    ngx_buf_t                      *last;    /* the last buffer of out */
    ngx_buf_t                      *buf;     /* the same if it is a copy */
    ngx_http_error_map_held_t      *held;    /* the memory of the copies */
    ngx_http_error_map_held_t     **last_held;

    /* see pipe.h */
    ngx_event_pipe_t               *pipe;    /* whose buffers are in out */
    size_t                          linked;  /* bytes in these */
    size_t                          busy_size; /* added to the pipe's */
    ngx_int_t                       num;     /* of its buffers, as configured */
    ngx_uint_t                      bufs;    /* its own that are held */
    ngx_http_error_map_bufs_t      *given;   /* to the pipe */
    ngx_http_error_map_bufs_t     **last_given;
    size_t                          given_size; /* added to busy_size, too */
    ngx_chain_t                    *watched; /* both, until they are sent */
    ngx_chain_t                   **last_watched;

    ngx_event_t                     timer;
    ngx_msec_t                      start;
    ngx_uint_t                      refused; /* by a filter, a status */

    /* the subrequest's handler, and the one that replaces it meanwhile */
    ngx_http_post_subrequest_t     *post_subrequest;
    ngx_http_post_subrequest_t      post;

    unsigned                        finalized:1; /* nginx waits for it */
    unsigned                        upstream:1;  /* an upstream sends it */
    unsigned                        flush:1;
    unsigned                        in_memory:1; /* needed by other filters */
    unsigned                        ended:1;     /* nginx closes the request */
    unsigned                        copied:1;    /* all of out */
} ngx_http_error_map_hold_t;


/* opaque, see drop.h */

typedef struct ngx_http_error_map_drop_s  ngx_http_error_map_drop_t;


/* the body filter's action on the vendor's body */

typedef enum {
    NGX_HTTP_ERROR_MAP_PASS = 0,
    NGX_HTTP_ERROR_MAP_HOLD,       /* header and body wait for a verdict */
    NGX_HTTP_ERROR_MAP_DROP,       /* the body is read and discarded */
    NGX_HTTP_ERROR_MAP_INTERCEPT   /* the same, until the error page starts */
} ngx_http_error_map_phase_e;


/*
 * The contexts of "skipped", those of "success" and "none" without a hold, and
 * those of answer.h are shared and read-only.
 */

typedef struct ngx_http_error_map_ctx_s {
    ngx_http_error_map_verdict_e    verdict;
    ngx_http_error_map_reason_e     reason;
    ngx_http_error_map_document_t  *document;  /* may be NULL if skipped */
    const em_entry_t               *entry;
    ngx_http_error_map_action_t    *action;  /* of a policy, or NULL */

    ngx_str_t                       code;    /* printable ASCII */
    ngx_str_t                       raw_code; /* as the vendor sent it */
    ngx_uint_t                      upstream_status;  /* 0: see the request */
    ngx_uint_t                      status;           /* 0: see the request */
    time_t                          retry_after;
    ngx_str_t                      *fields;  /* by number, or NULL */
    ngx_array_t                    *headers; /* whose elements are ready */
    ngx_array_t                    *ready;   /* ... here, see answer.h */

    ngx_http_error_map_phase_e      phase;
    ngx_http_error_map_hold_t      *hold;    /* NULL if it was never held */
    size_t                          hold_size;
    ngx_msec_t                      hold_time;

    ngx_buf_t                      *body;    /* replaces the vendor's */
    ngx_http_error_map_drop_t      *drop;    /* what is read of it then */
    unsigned                        dry_run:1;

    /* the original handler, restored once the held data is sent */
    ngx_http_event_handler_pt       write_event_handler;
    unsigned                        quote:1; /* values are for a header */
} ngx_http_error_map_ctx_t;


/* mapped, unknown, or without a code and a policy has a row "none" for that */

#define ngx_http_error_map_is_acted(ctx)                                      \
    (ngx_http_error_map_is_error((ctx)->verdict) || (ctx)->action)


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_CTX_H_INCLUDED_ */
