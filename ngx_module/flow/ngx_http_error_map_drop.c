
#include "ngx_http_error_map_drop.h"
#include "ngx_http_error_map_hold.h"
#include "ngx_http_error_map_phase.h"
#include "ngx_http_error_map_util.h"


struct ngx_http_error_map_drop_s {
    ngx_http_request_t             *request;
    ngx_http_upstream_t            *upstream;
    ngx_event_t                     timer;
    off_t                           left;    /* bytes that may still come */
};


static void ngx_http_error_map_drop_handler(ngx_event_t *ev);
static void ngx_http_error_map_drop_cleanup(void *data);


ngx_int_t
ngx_http_error_map_drop(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_error_map_drop_t  *drop;

    ngx_http_error_map_set_phase(r, ctx, NGX_HTTP_ERROR_MAP_DROP);

    if (!ngx_http_error_map_upstream_active(r)) {
        return NGX_OK;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_error_map_drop_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_error_map_drop_cleanup;

    drop = cln->data;

    ngx_memzero(drop, sizeof(ngx_http_error_map_drop_t));

    drop->request = r;
    drop->upstream = r->upstream;
    drop->left = conf->hold_size;

#if (NGX_HTTP_CACHE)

    if (r->upstream->cacheable) {

        /* the cache needs all of it */

        drop->left = NGX_MAX_OFF_T_VALUE;
    }

#endif

    drop->timer.data = r->connection;
    drop->timer.handler = ngx_http_error_map_drop_handler;
    drop->timer.log = r->connection->log;

    ngx_add_timer(&drop->timer, conf->hold_timeout);

    ctx->drop = drop;

    return NGX_OK;
}


void
ngx_http_error_map_drop_body(ngx_http_error_map_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_chain_t                *cl;
    ngx_http_error_map_drop_t  *drop;

    drop = ctx->drop;

    if (drop && drop->left >= 0) {

        for (cl = in; cl; cl = cl->next) {
            drop->left -= ngx_buf_size(cl->buf);
        }

        if (drop->left < 0) {

            /* the caller still needs its upstream */

            ngx_post_event(&drop->timer, &ngx_posted_events);
        }
    }

    ngx_http_error_map_hold_consume(in);
}


static void
ngx_http_error_map_drop_handler(ngx_event_t *ev)
{
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_error_map_drop_t  *drop;

    drop = (ngx_http_error_map_drop_t *)
               ((u_char *) ev - offsetof(ngx_http_error_map_drop_t, timer));

    r = drop->request;
    c = r->connection;

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    /* the upstream may have ended, or another one may be asked now */

    if (r->upstream != drop->upstream
        || !ngx_http_error_map_upstream_active(r))
    {
        return;
    }

    ngx_http_set_log_request(c->log, r);

    if (r->aio || r->main->blocked) {

        /* a thread uses a buffer of the request, retry in a millisecond */

        ngx_add_timer(ev, 1);
        return;
    }

    ngx_log_error(NGX_LOG_INFO, c->log, 0,
                  "error map closes the upstream's connection, the rest of "
                  "the body is not needed");

    /* finalize the upstream, then the request as if it had sent all */

#if (NGX_HTTP_CACHE)
    r->upstream->cacheable = 0;
#endif

    r->main->count++;
    (*r->upstream->cleanup)(r);

    ngx_http_finalize_request(r, NGX_OK);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_error_map_drop_cleanup(void *data)
{
    ngx_http_error_map_drop_t *drop = data;

    if (drop->timer.timer_set) {
        ngx_del_timer(&drop->timer);
    }

    if (drop->timer.posted) {
        ngx_delete_posted_event(&drop->timer);
    }
}
