
#include "ngx_http_error_map_phase.h"
#include "ngx_http_error_map_hold.h"


static void ngx_http_error_map_borrow(ngx_http_request_t *r,
    ngx_http_error_map_hold_t *hold);
static void ngx_http_error_map_give_back(ngx_http_error_map_hold_t *hold);
static ngx_int_t ngx_http_error_map_post_subrequest(ngx_http_request_t *r,
    void *data, ngx_int_t rc);


void
ngx_http_error_map_set_phase(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_http_error_map_phase_e phase)
{
    ctx->phase = phase;

    if (phase == NGX_HTTP_ERROR_MAP_HOLD
        || phase == NGX_HTTP_ERROR_MAP_INTERCEPT)
    {
        r->buffered |= NGX_HTTP_ERROR_MAP_BUFFERED;

        ngx_http_error_map_borrow(r, ctx->hold);

    } else {
        r->buffered &= ~NGX_HTTP_ERROR_MAP_BUFFERED;

        if (ctx->hold) {
            ngx_http_error_map_give_back(ctx->hold);
        }
    }
}


void
ngx_http_error_map_abandon(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_error_map_hold_t  *hold;

    /* the pool knows of a hold even if the context is gone */

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != ngx_http_error_map_hold_cleanup) {
            continue;
        }

        hold = cln->data;

        if (hold->request == r) {
            ngx_http_error_map_hold_stop(hold);
            ngx_http_error_map_reader_free(&hold->reader);
            ngx_http_error_map_hold_discard(hold);
            ngx_http_error_map_give_back(hold);
        }
    }

    /* others may be shared */

    if (ctx && ctx->hold) {
        ctx->phase = NGX_HTTP_ERROR_MAP_PASS;
    }

    r->buffered &= ~NGX_HTTP_ERROR_MAP_BUFFERED;
}


void
ngx_http_error_map_resume(ngx_http_error_map_hold_t *hold)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = hold->request;
    c = r->connection;

    /* the connection's event is not for a subrequest whose turn is to come */

    if (hold->finalized && ngx_http_post_request(r, NULL) != NGX_OK) {
        c->error = 1;
    }

    ngx_post_event(c->write, &ngx_posted_events);
}


static void
ngx_http_error_map_borrow(ngx_http_request_t *r,
    ngx_http_error_map_hold_t *hold)
{
    if (r->post_subrequest == NULL || r->post_subrequest == &hold->post) {
        return;
    }

    hold->post_subrequest = r->post_subrequest;
    hold->post.handler = ngx_http_error_map_post_subrequest;
    hold->post.data = hold;

    r->post_subrequest = &hold->post;
}


static void
ngx_http_error_map_give_back(ngx_http_error_map_hold_t *hold)
{
    ngx_event_t         *wev;
    ngx_http_request_t  *r;

    r = hold->request;

    if (r->post_subrequest != &hold->post) {
        return;
    }

    r->post_subrequest = hold->post_subrequest;

    wev = r->connection->write;

    /* nginx has set it, though it was not the client that it waited for */

    if (hold->finalized
        && wev->timer_set
        && !wev->delayed
        && !r->connection->buffered)
    {
        ngx_del_timer(wev);
    }
}


/*
 * nginx tells the parent of a subrequest that it has ended before it looks at
 * r->buffered.  A response that is held has not: nginx goes on to wait for it,
 * finalizes the subrequest once more then, and the parent is told.
 */

static ngx_int_t
ngx_http_error_map_post_subrequest(ngx_http_request_t *r, void *data,
    ngx_int_t rc)
{
    ngx_http_error_map_hold_t *hold = data;

    ngx_http_error_map_ctx_t  *ctx;

    if (rc == NGX_OK || rc == NGX_AGAIN) {
        hold->finalized = 1;
        return rc;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_error_map_filter_module);

    if (ctx && ctx->hold != hold) {
        ctx = NULL;
    }

    /* the code is known, whatever became of the rest of the body */

    if (rc == NGX_ERROR && ctx && ctx->phase == NGX_HTTP_ERROR_MAP_INTERCEPT) {
        hold->finalized = 1;
        return NGX_OK;
    }

    ngx_http_error_map_abandon(r, ctx);

    return r->post_subrequest->handler(r, r->post_subrequest->data, rc);
}
