
#include "ngx_http_error_map_writer.h"
#include "ngx_http_error_map_util.h"


/*
 * nginx's upstream layer does not know of the held or replaced bytes.  If the
 * client does not take them at once, or the postpone filter keeps them until a
 * subrequest has ended, they would be sent only after the upstream has sent
 * more.
 */


typedef struct {
    ngx_http_request_t             *request;
    ngx_http_error_map_ctx_t       *ctx;
    ngx_event_t                     event;
} ngx_http_error_map_writer_t;


static void ngx_http_error_map_writer_handler(ngx_event_t *ev);
static void ngx_http_error_map_writer_cleanup(void *data);
static void ngx_http_error_map_writer(ngx_http_request_t *r);


ngx_int_t
ngx_http_error_map_write_rest(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx)
{
    ngx_pool_cleanup_t           *cln;
    ngx_http_error_map_writer_t  *writer;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_error_map_writer_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_error_map_writer_cleanup;

    writer = cln->data;

    ngx_memzero(writer, sizeof(ngx_http_error_map_writer_t));

    writer->request = r;
    writer->ctx = ctx;

    writer->event.data = r->connection;
    writer->event.handler = ngx_http_error_map_writer_handler;
    writer->event.log = r->connection->log;

    ngx_post_event(&writer->event, &ngx_posted_events);

    return NGX_OK;
}


/* nginx has set its own write handler by now */

static void
ngx_http_error_map_writer_handler(ngx_event_t *ev)
{
    ngx_http_request_t           *r;
    ngx_http_error_map_writer_t  *writer;

    writer = (ngx_http_error_map_writer_t *)
               ((u_char *) ev - offsetof(ngx_http_error_map_writer_t, event));

    r = writer->request;

    if (ngx_http_get_module_ctx(r, ngx_http_error_map_filter_module)
        == writer->ctx
        && ngx_http_error_map_upstream_active(r)
        && (r->connection->buffered || r->postponed)
        && r->write_event_handler != ngx_http_error_map_writer)
    {
        writer->ctx->write_event_handler = r->write_event_handler;
        r->write_event_handler = ngx_http_error_map_writer;

        /*
         * What the bytes waited for may have ended by now: nginx's own handler,
         * which does not know of them, may have had the only event for it.
         */

        if (r->connection->write->ready
            || (r->postponed && r == r->connection->data))
        {
            ngx_post_event(r->connection->write, &ngx_posted_events);
        }
    }
}


static void
ngx_http_error_map_writer_cleanup(void *data)
{
    ngx_http_error_map_writer_t *writer = data;

    if (writer->event.posted) {
        ngx_delete_posted_event(&writer->event);
    }
}


/* sends the rest, then restores the original handler */

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

#if (NGX_THREADS)

    if (r->upstream->pipe && r->upstream->pipe->writing) {

        /*
         * The original handler takes the result of the thread that writes to
         * the temporary file, which nothing can be read from before.  The thread
         * calls this handler once it has ended.
         */

        if (!r->aio && !wev->delayed) {
            ngx_post_event(wev, &ngx_posted_events);
        }

        ctx->write_event_handler(r);
        return;
    }

#endif

    if (!wev->timedout && !wev->delayed) {

        /* the original handler finds an error in the connection */

        (void) ngx_http_output_filter(r, NULL);
    }

    if ((!r->connection->buffered && r->postponed == NULL)
        || r->connection->error)
    {
        r->write_event_handler = ctx->write_event_handler;
    }

    ctx->write_event_handler(r);
}
