
#include "ngx_http_error_map_module.h"


/*
 * The verdict inside nginx's upstream layer.  An upstream's handler for headers
 * is wrapped: once it has the header, the wrapper looks at the body that lies
 * in u->buffer, and sets the edge status as if the upstream had sent it.  All
 * that nginx does about a status then follows by itself.
 *
 * While more of the body is needed nginx still believes to wait for a header.
 * But an end, an error or a full buffer would be those of a header to it, so
 * the reading is done here.  ngx_http_error_map_upstream_resume() is the way
 * back.
 */


typedef struct {
    ngx_http_request_t             *request;
    ngx_http_upstream_t            *upstream;

    /* those that are wrapped */
    ngx_int_t                     (*process_header)(ngx_http_request_t *r);
    ngx_int_t                     (*reinit_request)(ngx_http_request_t *r);
    ngx_http_upstream_handler_pt    read_event_handler;
    ngx_recv_pt                     recv;

    u_char                         *begin;   /* of the response, or NULL */

    ngx_uint_t                      status;  /* the upstream's */
    ngx_http_error_map_source_t     source;
    ngx_http_error_map_raw_t        raw;
    ngx_http_error_map_kept_t      *kept;

    ngx_event_t                     timer;
    ngx_msec_t                      start;
    ngx_msec_t                      waited;
    size_t                          size;    /* bytes that waited */

    unsigned                        begun:1;
    unsigned                        done:1;     /* decided, or left alone */
    unsigned                        decided:1;
    unsigned                        header:1;
    unsigned                        replay:1;
} ngx_http_error_map_upstream_t;


static ngx_int_t ngx_http_error_map_upstream_reinit(ngx_http_request_t *r);
static ngx_int_t ngx_http_error_map_upstream_process(ngx_http_request_t *r);
static ngx_int_t ngx_http_error_map_upstream_begin(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_upstream_t *up);
static void ngx_http_error_map_upstream_decide(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_upstream_t *up);
static void ngx_http_error_map_upstream_wait(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_upstream_t *up);
static void ngx_http_error_map_upstream_read(ngx_http_request_t *r,
    ngx_http_upstream_t *u);
static void ngx_http_error_map_upstream_timeout(ngx_event_t *ev);
static void ngx_http_error_map_upstream_resume(ngx_http_request_t *r,
    ngx_http_error_map_upstream_t *up, ngx_int_t rc);
static ssize_t ngx_http_error_map_upstream_recv(ngx_connection_t *c,
    u_char *buf, size_t size);
static void ngx_http_error_map_upstream_held(ngx_http_error_map_upstream_t *up,
    ngx_http_error_map_ctx_t *ctx);
static ssize_t ngx_http_error_map_upstream_error(ngx_connection_t *c,
    u_char *buf, size_t size);
static ssize_t ngx_http_error_map_upstream_error_chain(ngx_connection_t *c,
    ngx_chain_t *in, off_t limit);
static void ngx_http_error_map_upstream_stop(void *data);
static ngx_http_error_map_upstream_t *ngx_http_error_map_upstream_live(
    ngx_http_request_t *r);


/* the context of the module's other half is this one */

#define ngx_http_error_map_upstream(r)                                        \
    ngx_http_get_module_ctx(r, ngx_http_error_map_header_filter_module)


ngx_int_t
ngx_http_error_map_upstream_wrap(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t             *cln;
    ngx_http_upstream_t            *u;
    ngx_http_error_map_upstream_t  *up;
    ngx_http_error_map_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_error_map_filter_module);

    u = r->upstream;

    if (!conf->enable || !conf->upstream || conf->dry_run
        || u->process_header == ngx_http_error_map_upstream_process)
    {
        return NGX_OK;
    }

    up = ngx_pcalloc(r->pool, sizeof(ngx_http_error_map_upstream_t));
    if (up == NULL) {
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_error_map_upstream_stop;
    cln->data = up;

    up->request = r;
    up->upstream = u;

    up->process_header = u->process_header;
    u->process_header = ngx_http_error_map_upstream_process;

    up->reinit_request = u->reinit_request;
    u->reinit_request = ngx_http_error_map_upstream_reinit;

    up->timer.data = r->connection;
    up->timer.handler = ngx_http_error_map_upstream_timeout;
    up->timer.log = r->connection->log;

    ngx_http_set_ctx(r, up, ngx_http_error_map_header_filter_module);

    return NGX_OK;
}


/* before another peer is asked, or a stale response is sent */

static ngx_int_t
ngx_http_error_map_upstream_reinit(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    ngx_http_upstream_t            *u;
    ngx_http_error_map_upstream_t  *up;

    u = r->upstream;
    up = ngx_http_error_map_upstream(r);

    rc = up->reinit_request(r);

    if (u->process_header != ngx_http_error_map_upstream_process) {
        up->process_header = u->process_header;
        u->process_header = ngx_http_error_map_upstream_process;
    }

    ngx_http_error_map_upstream_stop(up);

    ngx_memzero(&up->source, sizeof(ngx_http_error_map_source_t));

    up->begin = NULL;
    up->begun = 0;
    up->waited = 0;
    up->size = 0;
    up->header = 0;
    up->done = 0;
    up->decided = 0;
    up->replay = 0;

    if (up->kept) {
        up->kept->ctx = NULL;
    }

    ngx_http_set_ctx(r, NULL, ngx_http_error_map_filter_module);

    return rc;
}


static ngx_int_t
ngx_http_error_map_upstream_process(ngx_http_request_t *r)
{
    u_char                         *last;
    ngx_int_t                       rc;
    ngx_http_upstream_t            *u;
    ngx_http_error_map_upstream_t  *up;
    ngx_http_error_map_loc_conf_t  *conf;

    u = r->upstream;
    up = ngx_http_error_map_upstream(r);

    if (!up->header) {

        last = u->buffer.last;

        if (!up->begun) {
            up->begun = 1;
            up->begin = u->buffer.pos;
        }

        rc = up->process_header(r);

        /* large stderr of FastCGI is overwritten, the records are lost then */

        if (u->buffer.last < last) {
            up->begin = NULL;
        }

        /* it may have put another one into its place for the next call */

        if (u->process_header != ngx_http_error_map_upstream_process) {
            up->process_header = u->process_header;
            u->process_header = ngx_http_error_map_upstream_process;
        }

        /* the filter looks into what is sent from a cache */

        if (rc != NGX_OK
#if (NGX_HTTP_CACHE)
            || r->cached
#endif
           )
        {
            return rc;
        }

        up->header = 1;
    }

    if (up->done) {
        return NGX_OK;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_error_map_filter_module);

    rc = ngx_http_error_map_upstream_begin(r, conf, up);

    if (rc == NGX_AGAIN) {
        rc = ngx_http_error_map_raw_feed(&up->raw, &up->source,
                                         u->buffer.last);
    }

    if (rc == NGX_AGAIN
        && u->buffer.last < u->buffer.end
        && conf->hold_timeout)
    {
        ngx_http_error_map_upstream_wait(r, conf, up);
        return NGX_AGAIN;
    }

    up->done = 1;

    if (rc == NGX_OK) {
        ngx_http_error_map_upstream_decide(r, conf, up);
    }

    return NGX_OK;
}


/*
 * NGX_OK or NGX_AGAIN as those of source.c, or NGX_DECLINED if the response is
 * not looked into here.
 */

static ngx_int_t
ngx_http_error_map_upstream_begin(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_upstream_t *up)
{
    off_t                           length;
    ngx_table_elt_t                *h;
    ngx_http_upstream_t            *u;
    ngx_http_error_map_document_t  *document;
    ngx_http_error_map_response_t   response;

    static ngx_str_t  coding = ngx_string("Content-Encoding");

    h = NULL;
    u = r->upstream;

    if (u->conf == NULL) {
        return NGX_DECLINED;
    }

    /* this header names a response, and is none */

    if (u->headers_in.x_accel_redirect
        && !(u->conf->ignore_headers & NGX_HTTP_UPSTREAM_IGN_XA_REDIRECT))
    {
        return NGX_DECLINED;
    }

    response.status = u->headers_in.status_n;
    response.coding = NULL;
    response.headers = &u->headers_in.headers.part;
    ngx_str_null(&response.type);

    if (u->headers_in.content_type) {
        response.type = u->headers_in.content_type->value;
    }

    while ((h = ngx_http_error_map_next_header(response.headers, &coding, h)))
    {
        response.coding = h;
    }

    if (!ngx_http_error_map_inspected(r, conf, &response)) {
        return NGX_DECLINED;
    }

    document = ngx_http_error_map_document(r, conf, 0);
    length = u->headers_in.chunked ? -1 : u->headers_in.content_length_n;

    if (document == NULL
        || ngx_http_error_map_raw_init(&up->raw, r, up->begin, length)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    up->status = u->headers_in.status_n;

    if (ngx_http_error_map_source_init(&up->source, r, document,
                                       conf->hold_size,
                                       response.gzip)
        == NGX_OK)
    {
        return NGX_OK;
    }

    return length ? NGX_AGAIN : ngx_http_error_map_source_end(&up->source);
}


/* sets the status of the response, for nginx has not looked at it yet */

static void
ngx_http_error_map_upstream_decide(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_upstream_t *up)
{
    ngx_http_upstream_t       *u;
    ngx_http_error_map_ctx_t  *ctx;

    if (up->source.verdict == NGX_HTTP_ERROR_MAP_MAPPED
        || up->source.verdict == NGX_HTTP_ERROR_MAP_UNKNOWN)
    {
        ctx = ngx_http_error_map_create_ctx(r, up->source.document, up->status);

        if (ctx == NULL
            || ngx_http_error_map_decide(r, conf, &up->source, ctx) == NULL)
        {
            return;
        }

        /* for the error page of proxy_intercept_errors */

        if (up->kept == NULL) {
            up->kept = ngx_http_error_map_keep(r);
        }

        if (up->kept == NULL) {
            return;
        }

        u = r->upstream;

        ngx_http_error_map_upstream_held(up, ctx);
        ngx_http_error_map_count(r, ctx);

        up->kept->ctx = ctx;
        up->kept->state = u->state;

        if (ctx->status != up->status) {
            u->headers_in.status_n = ctx->status;
            ngx_str_null(&u->headers_in.status_line);
            u->state->status = ctx->status;
        }
    }

    up->decided = 1;
}


static void
ngx_http_error_map_upstream_wait(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_upstream_t *up)
{
    ngx_connection_t     *c;
    ngx_http_upstream_t  *u;

    u = r->upstream;
    c = u->peer.connection;

    up->start = ngx_current_msec;

    ngx_add_timer(&up->timer, conf->hold_timeout);

    up->read_event_handler = u->read_event_handler;
    u->read_event_handler = ngx_http_error_map_upstream_read;

    /*
     * nginx reads on at once, and again when it has sent more of the request;
     * it is told that there is nothing.
     */

    up->recv = c->recv;
    c->recv = ngx_http_error_map_upstream_recv;

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);
    }
}


/* does for a body what nginx does for a header */

static void
ngx_http_error_map_upstream_read(ngx_http_request_t *r, ngx_http_upstream_t *u)
{
    ssize_t                         n;
    ngx_int_t                       rc;
    ngx_connection_t               *c;
    ngx_http_error_map_upstream_t  *up;

    c = u->peer.connection;
    up = ngx_http_error_map_upstream(r);

    if (c->read->timedout) {

        /* this is not about the header, and what follows has its own timer */

        c->read->timedout = 0;

        ngx_http_error_map_upstream_resume(r, up, NGX_AGAIN);
        return;
    }

    do {
        n = up->recv(c, u->buffer.last, u->buffer.end - u->buffer.last);

        if (n == NGX_AGAIN) {

            if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
                ngx_http_error_map_upstream_resume(r, up, NGX_AGAIN);
            }

            return;
        }

        if (n == NGX_ERROR || n == 0) {

            /* nginx has to see it again, but the system tells an error once */

            c->read->ready = 1;

            if (n == 0) {
                rc = ngx_http_error_map_raw_end(&up->raw, &up->source);

            } else {
                rc = ngx_http_error_map_source_stop(&up->source,
                                                NGX_HTTP_ERROR_MAP_UNDECIDED);

                up->recv = ngx_http_error_map_upstream_error;
                c->recv_chain = ngx_http_error_map_upstream_error_chain;
            }

        } else {
            u->state->bytes_received += n;
            u->buffer.last += n;

            rc = ngx_http_error_map_raw_feed(&up->raw, &up->source,
                                             u->buffer.last);
        }

    } while (rc == NGX_AGAIN && u->buffer.last < u->buffer.end);

    ngx_http_error_map_upstream_resume(r, up, rc);
}


static void
ngx_http_error_map_upstream_timeout(ngx_event_t *ev)
{
    ngx_connection_t               *c;
    ngx_http_request_t             *r;
    ngx_http_error_map_upstream_t  *up;

    up = (ngx_http_error_map_upstream_t *)
             ((u_char *) ev - offsetof(ngx_http_error_map_upstream_t, timer));

    r = up->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    /* the upstream may have been given up in the meantime */

    if (r->upstream == up->upstream
        && ngx_http_error_map_live(r)
        && up->upstream->read_event_handler == ngx_http_error_map_upstream_read)
    {
        ngx_log_error(NGX_LOG_INFO, c->log, 0,
                      "error map hold timed out, the upstream has sent %uz "
                      "bytes of the body", up->source.size);

        ngx_http_error_map_upstream_resume(r, up, NGX_AGAIN);
    }

    ngx_http_run_posted_requests(c);
}


/*
 * Decides if there is a verdict (rc is NGX_OK), and lets nginx go on from where
 * it waits for the header.  It has to read at least
 * one byte for that, and reads the last one again.
 */

static void
ngx_http_error_map_upstream_resume(ngx_http_request_t *r,
    ngx_http_error_map_upstream_t *up, ngx_int_t rc)
{
    ngx_http_upstream_t            *u;
    ngx_http_error_map_loc_conf_t  *conf;

    u = up->upstream;

    ngx_http_error_map_upstream_stop(up);

    up->done = 1;
    up->waited = ngx_current_msec - up->start;
    up->size = u->buffer.last - u->buffer.pos;

    if (rc == NGX_OK) {
        conf = ngx_http_get_module_loc_conf(r,
                                            ngx_http_error_map_filter_module);

        ngx_http_error_map_upstream_decide(r, conf, up);
    }

    u->buffer.last--;
    u->state->bytes_received--;

    up->replay = 1;

    u->read_event_handler = up->read_event_handler;
    u->read_event_handler(r, u);
}


static ssize_t
ngx_http_error_map_upstream_recv(ngx_connection_t *c, u_char *buf, size_t size)
{
    ngx_http_request_t             *r;
    ngx_http_error_map_upstream_t  *up;

    r = c->data;
    up = ngx_http_error_map_upstream(r);

    if (!up->replay) {
        return NGX_AGAIN;
    }

    up->replay = 0;
    c->recv = up->recv;

    return 1;
}


static ssize_t
ngx_http_error_map_upstream_error(ngx_connection_t *c, u_char *buf, size_t size)
{
    return ngx_http_error_map_upstream_error_chain(c, NULL, 0);
}


static ssize_t
ngx_http_error_map_upstream_error_chain(ngx_connection_t *c, ngx_chain_t *in,
    off_t limit)
{
    c->read->ready = 0;
    c->read->error = 1;

    return NGX_ERROR;
}


static void
ngx_http_error_map_upstream_stop(void *data)
{
    ngx_http_error_map_upstream_t *up = data;

    if (up->timer.timer_set) {
        ngx_del_timer(&up->timer);
    }
}


ngx_http_error_map_ctx_t *
ngx_http_error_map_upstream_ctx(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf)
{
    ngx_http_error_map_ctx_t       *ctx;
    ngx_http_error_map_upstream_t  *up;

    up = ngx_http_error_map_upstream_live(r);

    if (up == NULL || !up->decided) {
        return NULL;
    }

    if (up->source.verdict == NGX_HTTP_ERROR_MAP_MAPPED
        || up->source.verdict == NGX_HTTP_ERROR_MAP_UNKNOWN)
    {
        /* it is the response itself that comes, and no error page */

        ctx = up->kept->ctx;
        up->kept->ctx = NULL;

        if (ctx->status == ctx->upstream_status) {

            /* that of the error, if it is an error page */

            ctx->status = r->headers_out.status;
        }

    } else {

        ctx = up->size ? ngx_http_error_map_create_ctx(r, up->source.document,
                                                       up->status)
                       : NULL;

        ctx = ngx_http_error_map_decide(r, conf, &up->source, ctx);
        if (ctx == NULL) {
            return NULL;
        }

        ngx_http_error_map_upstream_held(up, ctx);
        ngx_http_error_map_count(r, ctx);
    }

    return ctx;
}


/* the context is a shared one if there was no wait */

static void
ngx_http_error_map_upstream_held(ngx_http_error_map_upstream_t *up,
    ngx_http_error_map_ctx_t *ctx)
{
    if (up->size) {
        ctx->hold_size = up->size;
        ctx->hold_time = up->waited;
    }
}


ngx_msec_t
ngx_http_error_map_upstream_waited(ngx_http_request_t *r)
{
    ngx_http_error_map_upstream_t  *up;

    up = ngx_http_error_map_upstream_live(r);

    return up ? up->waited : 0;
}


static ngx_http_error_map_upstream_t *
ngx_http_error_map_upstream_live(ngx_http_request_t *r)
{
    ngx_http_error_map_upstream_t  *up;

    up = ngx_http_error_map_upstream(r);

    if (up == NULL
        || up->upstream != r->upstream
        || !ngx_http_error_map_live(r)
#if (NGX_HTTP_CACHE)
        || r->cached
#endif
       )
    {
        return NULL;
    }

    return up;
}
