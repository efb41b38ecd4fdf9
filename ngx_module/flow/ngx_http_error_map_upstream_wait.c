
#include "ngx_http_error_map_upstream_wait.h"
#include "ngx_http_error_map_upstream_next.h"
#include "ngx_http_error_map_upstream_end.h"
#include "ngx_http_error_map_upstream_verdict.h"
#include "ngx_http_error_map_util.h"


/*
 * While more of the body is needed, nginx still waits for the header.  It would
 * treat an end, an error or a full buffer as those of the header, so this
 * module reads until ngx_http_error_map_upstream_resume().
 */


static void ngx_http_error_map_upstream_read(ngx_http_request_t *r,
    ngx_http_upstream_t *u);
static void ngx_http_error_map_upstream_timeout(ngx_event_t *ev);
static void ngx_http_error_map_upstream_timedout(ngx_event_t *ev);
static void ngx_http_error_map_upstream_resume(ngx_http_request_t *r,
    ngx_http_error_map_upstream_t *up, ngx_int_t rc);
static void ngx_http_error_map_upstream_split(ngx_http_request_t *r,
    ngx_http_error_map_upstream_t *up);
static ssize_t ngx_http_error_map_upstream_recv(ngx_connection_t *c,
    u_char *buf, size_t size);
static ssize_t ngx_http_error_map_upstream_rest(ngx_connection_t *c,
    u_char *buf, size_t size);
static ssize_t ngx_http_error_map_upstream_rest_chain(ngx_connection_t *c,
    ngx_chain_t *in, off_t limit);


void
ngx_http_error_map_upstream_wait(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_upstream_t *up)
{
    ngx_connection_t     *c;
    ngx_http_upstream_t  *u;

    u = r->upstream;
    c = u->peer.connection;

    up->start = ngx_current_msec;

    up->timer.data = r->connection;
    up->timer.handler = ngx_http_error_map_upstream_timeout;
    up->timer.log = r->connection->log;
    ngx_add_timer(&up->timer, conf->hold_timeout);

    up->read_event_handler = u->read_event_handler;
    u->read_event_handler = ngx_http_error_map_upstream_read;

    /*
     * nginx reads on at once, and again when it has sent more of the request;
     * recv() returns NGX_AGAIN then.
     */

    up->connection = c;
    up->recv = c->recv;
    up->recv_chain = c->recv_chain;

    c->recv = ngx_http_error_map_upstream_recv;

    /* nginx sets this timer anew for the body, and whenever some of it comes */

    ngx_add_timer(c->read, u->conf->read_timeout);

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);
    }
}


/* ngx_http_upstream_process_header() for a body */

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

        /* nginx must see it after the header, not instead of it */

        c->read->timedout = 0;

        if (up->timer.timer_set) {
            ngx_del_timer(&up->timer);
        }

        up->timer.handler = ngx_http_error_map_upstream_timedout;
        ngx_post_event(&up->timer, &ngx_posted_events);

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

            /* nginx must see it, too, but the system reports an error once */

            c->read->ready = 1;

            if (n == 0) {
                rc = ngx_http_error_map_framing_end(&up->framing, &up->reader);

            } else {
                rc = ngx_http_error_map_reader_stop(&up->reader,
                                          NGX_HTTP_ERROR_MAP_REASON_UPSTREAM);

                up->error = 1;
            }

        } else {
            u->state->bytes_received += n;
            u->buffer.last += n;

            ngx_add_timer(c->read, u->conf->read_timeout);

            rc = ngx_http_error_map_framing_feed(&up->framing, &up->reader,
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

    /* the upstream may have been finalized in the meantime */

    if (r->upstream == up->upstream
        && ngx_http_error_map_upstream_active(r)
        && up->upstream->read_event_handler == ngx_http_error_map_upstream_read)
    {
        ngx_log_error(NGX_LOG_INFO, c->log, 0,
                      "error map hold timed out, %uz bytes of the body "
                      "received", up->reader.size);

        ngx_http_error_map_upstream_resume(r, up, NGX_AGAIN);
    }

    ngx_http_run_posted_requests(c);
}


/* the upstream has timed out during the wait, and nginx has the header now */

static void
ngx_http_error_map_upstream_timedout(ngx_event_t *ev)
{
    ngx_connection_t               *c;
    ngx_http_error_map_upstream_t  *up;

    up = (ngx_http_error_map_upstream_t *)
             ((u_char *) ev - offsetof(ngx_http_error_map_upstream_t, timer));

    c = up->upstream->peer.connection;

    if (c) {
        c->read->timedout = 1;
        c->read->handler(c->read);
    }
}


/*
 * Decides if there is a verdict (rc is NGX_OK), and lets nginx continue from
 * where it waits for the header.  nginx needs at least one byte for that, and
 * reads the last one again.
 */

static void
ngx_http_error_map_upstream_resume(ngx_http_request_t *r,
    ngx_http_error_map_upstream_t *up, ngx_int_t rc)
{
    ngx_http_upstream_t            *u;
    ngx_http_error_map_loc_conf_t  *conf;

    u = up->upstream;

    if (up->timer.timer_set) {
        ngx_del_timer(&up->timer);
    }

    up->done = 1;
    up->waited = ngx_current_msec - up->start;
    up->size = u->buffer.last - u->buffer.pos;

    if (rc == NGX_OK) {
        conf = ngx_http_get_module_loc_conf(r,
                                            ngx_http_error_map_filter_module);

        ngx_http_error_map_upstream_decide(r, conf, up);

    } else {
        up->reason = (u->buffer.last < u->buffer.end)
                     ? NGX_HTTP_ERROR_MAP_REASON_HOLD_TIMEOUT
                     : NGX_HTTP_ERROR_MAP_REASON_HOLD_SIZE;

        ngx_http_error_map_reader_free(&up->reader);
    }

    ngx_http_error_map_upstream_split(r, up);

    u->buffer.last--;
    u->state->bytes_received--;

    up->replay = 1;

    /* Angie does not read where nothing is ready */

    up->ready = up->connection->read->ready;
    up->connection->read->ready = 1;

    u->read_event_handler = up->read_event_handler;
    u->read_event_handler(r, u);
}


/*
 * Data that nginx will reject is kept for another read: nginx loses the valid
 * data that it reads together with it.
 */

static void
ngx_http_error_map_upstream_split(ngx_http_request_t *r,
    ngx_http_error_map_upstream_t *up)
{
    u_char               *p;
    size_t                size;
    ngx_http_upstream_t  *u;

    u = up->upstream;

    p = ngx_http_error_map_framing_invalid(&up->framing, r, u->buffer.last);

    if (p == NULL || p <= u->buffer.pos) {
        return;
    }

    size = u->buffer.last - p;

    up->rest = ngx_pnalloc(r->pool, size);

    if (up->rest == NULL) {
        return;
    }

    up->rest_last = ngx_cpymem(up->rest, p, size);

    u->buffer.last = p;
    u->state->bytes_received -= size;

    up->connection->read->ready = 1;
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
    c->read->ready = up->ready;

    if (up->rest || up->error) {
        c->recv = ngx_http_error_map_upstream_rest;
        c->recv_chain = ngx_http_error_map_upstream_rest_chain;

    } else {
        c->recv = up->recv;
    }

    return 1;
}


/* what nginx has not seen of the wait: the rest of the data, or an error */

static ssize_t
ngx_http_error_map_upstream_rest(ngx_connection_t *c, u_char *buf, size_t size)
{
    ngx_http_error_map_upstream_t  *up;

    /* a redirect may have cleared the contexts */

    up = ngx_http_error_map_upstream_end_data(c->data,
                                            ngx_http_error_map_upstream_ended);

    if (up->rest == up->rest_last) {
        c->read->ready = 0;
        c->read->error = 1;

        return NGX_ERROR;
    }

    if (!up->again) {

        /* nginx sends the valid data before it reads again */

        up->again = 1;
        ngx_post_event(c->read, &ngx_posted_events);

        return NGX_AGAIN;
    }

    size = ngx_min(size, (size_t) (up->rest_last - up->rest));

    ngx_memcpy(buf, up->rest, size);
    up->rest += size;

    if (up->rest == up->rest_last && !up->error) {
        ngx_http_error_map_upstream_stop(up);
    }

    return size;
}


static ssize_t
ngx_http_error_map_upstream_rest_chain(ngx_connection_t *c, ngx_chain_t *in,
    off_t limit)
{
    size_t  size;

    size = in->buf->end - in->buf->last;

    if (limit && (off_t) size > limit) {
        size = (size_t) limit;
    }

    return ngx_http_error_map_upstream_rest(c, in->buf->last, size);
}


void
ngx_http_error_map_upstream_stop(ngx_http_error_map_upstream_t *up)
{
    ngx_connection_t  *c;

    if (up->timer.timer_set) {
        ngx_del_timer(&up->timer);
    }

    if (up->timer.posted) {
        ngx_delete_posted_event(&up->timer);
    }

    c = up->connection;

    if (c == NULL) {
        return;
    }

    up->connection = NULL;

    /* another connection may have this one's place by now */

    if (c->recv == ngx_http_error_map_upstream_recv
        || c->recv == ngx_http_error_map_upstream_rest)
    {
        c->recv = up->recv;
        c->recv_chain = up->recv_chain;
    }
}


void
ngx_http_error_map_upstream_ended(ngx_http_request_t *r, void *data,
    ngx_int_t rc)
{
    ngx_http_error_map_upstream_t *up = data;

    ngx_http_error_map_upstream_stop(up);
    ngx_http_error_map_upstream_passed(r, up);

    /* nginx passed over the response, but has no server to ask */

    if (up->header && r->upstream_states->nelts - 1 > up->attempt) {
        ngx_http_error_map_upstream_count(r, up);
    }

    ngx_http_error_map_reader_free(&up->reader);
}
