
#include "ngx_http_error_map_module.h"


/*
 * The state machine.  A response is not inspected (no context), or is decided
 * when its header comes (a context without a hold), or is held: the header is
 * kept back and the body copied until there is a verdict, an end or no room or
 * time left.  ngx_http_error_map_release() is the only way out of a hold.
 */


static ngx_int_t ngx_http_error_map_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_error_map_hold(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf,
    ngx_http_error_map_source_t *source);
static ngx_int_t ngx_http_error_map_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_error_map_read(ngx_http_error_map_hold_t *hold,
    ngx_chain_t *in);
static ngx_int_t ngx_http_error_map_keep(ngx_http_error_map_hold_t *hold,
    ngx_chain_t *in);
static ngx_int_t ngx_http_error_map_copy(ngx_http_error_map_hold_t *hold,
    u_char *data, size_t len);
static ngx_int_t ngx_http_error_map_release(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_chain_t *in);
static ngx_chain_t *ngx_http_error_map_needs(ngx_http_request_t *r,
    ngx_http_error_map_hold_t *hold, ngx_chain_t *in);
static ngx_int_t ngx_http_error_map_broken(ngx_http_error_map_hold_t *hold,
    ngx_chain_t *in);
static void ngx_http_error_map_consume(ngx_chain_t *in);
static void ngx_http_error_map_writer(ngx_http_request_t *r);
static void ngx_http_error_map_timeout(ngx_event_t *ev);
static void ngx_http_error_map_stop_timer(void *data);


/* nginx declares it in no header */
extern ngx_module_t  ngx_http_copy_filter_module;


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


static ngx_int_t
ngx_http_error_map_header_filter(ngx_http_request_t *r)
{
    ngx_http_error_map_ctx_t       *ctx;
    ngx_http_error_map_source_t     source;
    ngx_http_error_map_loc_conf_t  *conf;
    ngx_http_error_map_document_t  *document;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_error_map_filter_module);

    if (!conf->enable) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_error_map_filter_module);

    if (ctx) {

        /* another response takes the place of the one that was held */

        if (ctx->hold) {
            ngx_http_error_map_stop_timer(ctx->hold);
            r->buffered &= ~NGX_HTTP_ERROR_MAP_BUFFERED;
        }

        ngx_http_set_ctx(r, NULL, ngx_http_error_map_filter_module);
    }

    if (!ngx_http_error_map_inspected(r, conf)) {
        return ngx_http_next_header_filter(r);
    }

    document = conf->document;

    if (document == NULL) {
        document = ngx_http_error_map_document(r, conf);

        if (document == NULL) {
            return ngx_http_next_header_filter(r);
        }
    }

    ngx_http_error_map_source_init(&source, document, conf->hold_size);

    if (ngx_http_error_map_source_preread(&source, r) != NGX_OK) {

        /* a hold would change the answer to such a request */

        if (conf->dry_run && ngx_http_error_map_partial(r)) {
            return ngx_http_next_header_filter(r);
        }

        return ngx_http_error_map_hold(r, conf, &source);
    }

    ctx = ngx_http_error_map_decide(r, conf, &source, NULL);

    if (ctx == NULL || ngx_http_error_map_respond(r, conf, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_error_map_hold(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_source_t *source)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_error_map_ctx_t   *ctx;
    ngx_http_error_map_hold_t  *hold;

    ctx = ngx_http_error_map_create_ctx(r, source->document);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    hold = ngx_pcalloc(r->pool, sizeof(ngx_http_error_map_hold_t));
    if (hold == NULL) {
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_error_map_stop_timer;
    cln->data = hold;

    hold->request = r;
    hold->source = *source;
    hold->skip = source->size;
    hold->last_out = &hold->out;
    hold->start = ngx_current_msec;
    hold->upstream = ngx_http_error_map_live(r);

    /* nginx's timer log takes data for a connection */

    hold->timer.data = r->connection;
    hold->timer.handler = ngx_http_error_map_timeout;
    hold->timer.log = r->connection->log;

    ngx_add_timer(&hold->timer, conf->hold_timeout);

    ctx->hold = hold;

    ngx_http_set_ctx(r, ctx, ngx_http_error_map_filter_module);

    hold->in_memory = r->filter_need_in_memory;
    r->filter_need_in_memory = 1;
    r->buffered |= NGX_HTTP_ERROR_MAP_BUFFERED;

    if (r->headers_in.range) {
        r->allow_ranges = 0;
    }

    if (r->headers_in.if_match || r->headers_in.if_unmodified_since) {
        r->disable_not_modified = 1;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_error_map_ctx_t   *ctx;
    ngx_http_error_map_hold_t  *hold;

    ctx = ngx_http_get_module_ctx(r, ngx_http_error_map_filter_module);

    if (ctx == NULL || (ctx->hold == NULL && !ctx->drop)) {
        return ngx_http_next_body_filter(r, in);
    }

    if (ctx->drop) {
        ngx_http_error_map_consume(in);
        return NGX_OK;
    }

    hold = ctx->hold;

    if (ngx_http_error_map_read(hold, in) == NGX_OK
        || ngx_http_error_map_broken(hold, in))
    {
        return ngx_http_error_map_release(r, ctx, in);
    }

    return ngx_http_error_map_keep(hold, in);
}


/* NGX_OK if there is a verdict, NGX_AGAIN if more of the body is needed */

static ngx_int_t
ngx_http_error_map_read(ngx_http_error_map_hold_t *hold, ngx_chain_t *in)
{
    size_t      size, skip;
    ngx_buf_t  *b;

    for ( /* void */ ; in; in = in->next) {

        b = in->buf;

        if (ngx_buf_in_memory(b)) {

            size = b->last - b->pos;
            skip = ngx_min(size, hold->skip);

            hold->skip -= skip;

            if (size != skip
                && ngx_http_error_map_source_feed(&hold->source, b->pos + skip,
                                                  size - skip)
                   == NGX_OK)
            {
                return NGX_OK;
            }

        } else if (ngx_buf_size(b) != 0) {

            /* in a file although it was asked for in memory */

            hold->source.verdict = NGX_HTTP_ERROR_MAP_UNDECIDED;
            return NGX_OK;
        }

        if (b->last_buf
            || (b->last_in_chain && hold->request != hold->request->main))
        {
            return ngx_http_error_map_source_end(&hold->source);
        }
    }

    return NGX_AGAIN;
}


/*
 * An upstream that breaks off is finalized, and then there is no last_buf but
 * a flush: nginx sends what came before, and closes the connection.
 */

static ngx_int_t
ngx_http_error_map_broken(ngx_http_error_map_hold_t *hold, ngx_chain_t *in)
{
    if (!hold->upstream || hold->request->upstream->cleanup) {
        return 0;
    }

    for ( /* void */ ; in; in = in->next) {
        if (in->buf->flush) {
            return 1;
        }
    }

    return 0;
}


/* copies the chain, and gives its buffers back to those who own them */

static ngx_int_t
ngx_http_error_map_keep(ngx_http_error_map_hold_t *hold, ngx_chain_t *in)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    for (cl = in; cl; cl = cl->next) {

        b = cl->buf;

        if (ngx_buf_in_memory(b)
            && ngx_http_error_map_copy(hold, b->pos, b->last - b->pos)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (b->flush) {
            hold->flush = 1;
        }
    }

    ngx_http_error_map_consume(in);

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_copy(ngx_http_error_map_hold_t *hold, u_char *data,
    size_t len)
{
    off_t         rest;
    size_t        size, left;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    while (len) {

        b = hold->buf;

        if (b == NULL || b->last == b->end) {

            /*
             * All that is still to come where that is known, or as much again
             * as there is; never more than may be held.
             */

            left = hold->source.left + hold->source.size - hold->size;
            rest = hold->request->headers_out.content_length_n;

            if (rest > (off_t) hold->size) {
                rest -= hold->size;
                size = (rest < (off_t) left) ? (size_t) rest : left;

            } else {
                size = ngx_min(ngx_max(hold->size, ngx_pagesize), left);
            }

            size = ngx_max(size, len);

            b = ngx_create_temp_buf(hold->request->pool, size);
            if (b == NULL) {
                return NGX_ERROR;
            }

            cl = ngx_alloc_chain_link(hold->request->pool);
            if (cl == NULL) {
                return NGX_ERROR;
            }

            cl->buf = b;
            cl->next = NULL;

            *hold->last_out = cl;
            hold->last_out = &cl->next;
            hold->buf = b;
        }

        size = ngx_min(len, (size_t) (b->end - b->last));

        b->last = ngx_cpymem(b->last, data, size);
        hold->size += size;

        data += size;
        len -= size;
    }

    return NGX_OK;
}


/* sends the header as the verdict has it, what was held, and the chain */

static ngx_int_t
ngx_http_error_map_release(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_int_t                       rc;
    ngx_http_error_map_hold_t      *hold;
    ngx_http_error_map_loc_conf_t  *conf;

    hold = ctx->hold;

    ngx_http_error_map_stop_timer(hold);

    r->buffered &= ~NGX_HTTP_ERROR_MAP_BUFFERED;

    ctx->hold = NULL;
    ctx->hold_size = hold->size;
    ctx->hold_time = ngx_current_msec - hold->start;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_error_map_filter_module);

    if (ngx_http_error_map_decide(r, conf, &hold->source, ctx) == NULL
        || ngx_http_error_map_respond(r, conf, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->filter_need_in_memory = hold->in_memory;

    rc = ngx_http_next_header_filter(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return NGX_ERROR;
    }

    if (r->header_only) {

        /* a 304 for one: the client gets no body, the upstream still sends */

        ctx->drop = 1;

        ngx_http_error_map_consume(in);

        return rc;
    }

    in = ngx_http_error_map_needs(r, hold, in);
    if (in == NGX_CHAIN_ERROR) {
        return NGX_ERROR;
    }

    if (hold->buf) {
        hold->buf->flush = hold->flush;
    }

    *hold->last_out = in;

    if (hold->out == NULL) {
        return rc;
    }

    rc = ngx_http_next_body_filter(r, hold->out);

    /*
     * The event pipe does not know of what was held, and would not send the
     * rest of it before the upstream sends more.
     */

    if (rc == NGX_AGAIN
        && hold->upstream
        && r->upstream->cleanup
        && r->upstream->buffering)
    {
        ctx->write_event_handler = r->write_event_handler;
        r->write_event_handler = ngx_http_error_map_writer;
    }

    return rc;
}


/*
 * The copy filter looked at what the header filters need before they were
 * asked.  They have been now; the chain, which has passed it, is copied if one
 * of them is going to write to it.
 */

static ngx_chain_t *
ngx_http_error_map_needs(ngx_http_request_t *r,
    ngx_http_error_map_hold_t *hold, ngx_chain_t *in)
{
    ngx_buf_t               *b;
    ngx_chain_t             *cl;
    ngx_output_chain_ctx_t  *copy;

    copy = ngx_http_get_module_ctx(r, ngx_http_copy_filter_module);

    if (copy) {
        copy->need_in_memory = r->main_filter_need_in_memory
                               || r->filter_need_in_memory;
        copy->need_in_temp = r->filter_need_temporary;
    }

    if (in == NULL || !r->filter_need_temporary) {
        return in;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_CHAIN_ERROR;
    }

    for (cl = in; cl; cl = cl->next) {
        b->flush |= cl->buf->flush;
        b->last_buf |= cl->buf->last_buf;
        b->last_in_chain |= cl->buf->last_in_chain;
    }

    b->sync = !b->flush && !b->last_buf;

    cl = ngx_alloc_chain_link(r->pool);
    if (cl == NULL || ngx_http_error_map_keep(hold, in) != NGX_OK) {
        return NGX_CHAIN_ERROR;
    }

    cl->buf = b;
    cl->next = NULL;

    return cl;
}


static void
ngx_http_error_map_consume(ngx_chain_t *in)
{
    ngx_buf_t  *b;

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;
        b->pos = b->last;
        b->file_pos = b->file_last;
    }
}


/* sends what the client did not take at once, then lets the upstream go on */

static void
ngx_http_error_map_writer(ngx_http_request_t *r)
{
    ngx_event_t               *wev;
    ngx_http_error_map_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_error_map_filter_module);

    if (ctx == NULL || ctx->write_event_handler == NULL) {
        return;
    }

    wev = r->connection->write;

    if (!wev->timedout && !wev->delayed) {

        /* an error is left in the connection for the upstream to see */

        (void) ngx_http_output_filter(r, NULL);
    }

    if (!r->connection->buffered || r->connection->error) {
        r->write_event_handler = ctx->write_event_handler;
    }

    ctx->write_event_handler(r);
}


static void
ngx_http_error_map_timeout(ngx_event_t *ev)
{
    ngx_buf_t                  *b;
    ngx_chain_t                 out;
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_error_map_ctx_t   *ctx;
    ngx_http_error_map_hold_t  *hold;

    hold = (ngx_http_error_map_hold_t *)
               ((u_char *) ev - offsetof(ngx_http_error_map_hold_t, timer));

    r = hold->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_log_error(NGX_LOG_INFO, c->log, 0,
                  "error map hold timed out, %uz bytes held", hold->size);

    ctx = ngx_http_get_module_ctx(r, ngx_http_error_map_filter_module);

    if (ctx && ctx->hold == hold) {

        /* the client has waited long enough, nothing may keep this from it */

        b = ngx_calloc_buf(r->pool);

        if (b) {
            b->flush = 1;
            out.buf = b;
            out.next = NULL;
        }

        if (b == NULL
            || ngx_http_error_map_release(r, ctx, &out) == NGX_ERROR)
        {
            /*
             * The request is not ours to finalize: its upstream may be needed
             * for the cache.  Whoever sends next finds the error.
             */

            c->error = 1;
        }
    }

    /* a request that is over but for what was held goes on from there */

    r->buffered &= ~NGX_HTTP_ERROR_MAP_BUFFERED;

    ngx_post_event(c->write, &ngx_posted_events);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_error_map_stop_timer(void *data)
{
    ngx_http_error_map_hold_t *hold = data;

    if (hold->timer.timer_set) {
        ngx_del_timer(&hold->timer);
    }
}


ngx_int_t
ngx_http_error_map_body_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_error_map_body_filter;

    return NGX_OK;
}


ngx_int_t
ngx_http_error_map_header_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_error_map_header_filter;

    return NGX_OK;
}
