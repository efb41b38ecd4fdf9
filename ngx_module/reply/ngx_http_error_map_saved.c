
#include "ngx_http_error_map_saved.h"


static void ngx_http_error_map_saved_cleanup(void *data);


/* the innermost call of a next filter */

ngx_http_error_map_sending_t  *ngx_http_error_map_sending;


ngx_http_error_map_saved_t *
ngx_http_error_map_save(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t          *cln;
    ngx_http_error_map_saved_t  *saved;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_error_map_saved_t));
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_error_map_saved_cleanup;

    saved = cln->data;

    saved->request = r;
    saved->upstream = r->upstream;
    saved->state = r->upstream ? r->upstream->state : NULL;
    saved->ctx = NULL;
    saved->added = 0;

    return saved;
}


ngx_http_error_map_saved_t *
ngx_http_error_map_saved(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t          *cln;
    ngx_http_error_map_saved_t  *saved;

    (void) ngx_http_error_map_replaced(r);

    /* a redirect clears the contexts, but not the cleanups of the pool */

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_error_map_saved_cleanup) {
            saved = cln->data;

            if (saved->request != r || saved->ctx == NULL) {
                continue;
            }

            /* another peer was tried since, or none was left */

            if (saved->upstream && saved->upstream->state != saved->state) {
                continue;
            }

            return saved;
        }
    }

    return NULL;
}


void
ngx_http_error_map_save_replaced(ngx_http_error_map_sending_t *sending)
{
    ngx_http_request_t          *r;
    ngx_http_error_map_ctx_t    *ctx;
    ngx_http_error_map_saved_t  *saved;

    r = sending->request;

    if (sending->ctx == NULL || sending->saved) {
        return;
    }

    ctx = ngx_palloc(r->pool, sizeof(ngx_http_error_map_ctx_t));
    if (ctx == NULL) {
        return;
    }

    *ctx = *sending->ctx;

    ctx->phase = NGX_HTTP_ERROR_MAP_PASS;
    ctx->hold = NULL;
    ctx->body = NULL;
    ctx->drop = NULL;
    ctx->write_event_handler = NULL;

    if (ctx->status == 0) {
        ctx->status = sending->status;
    }

    if (ctx->upstream_status == 0) {
        ctx->upstream_status = (sending->upstream
                                && sending->upstream->headers_in.status_n)
                               ? sending->upstream->headers_in.status_n
                               : sending->status;
    }

    saved = ngx_http_error_map_save(r);
    if (saved == NULL) {
        return;
    }

    saved->ctx = ctx;
    saved->upstream = sending->upstream;
    saved->state = sending->upstream ? sending->upstream->state : NULL;

    sending->saved = saved;
}


void
ngx_http_error_map_save_sent(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_uint_t status)
{
    ngx_http_error_map_sending_t  sending;

    ngx_memzero(&sending, sizeof(ngx_http_error_map_sending_t));

    sending.request = r;
    sending.ctx = ctx;
    sending.upstream = r->upstream;
    sending.status = status;

    ngx_http_error_map_save_replaced(&sending);
}


ngx_http_error_map_sending_t *
ngx_http_error_map_replaced(ngx_http_request_t *r)
{
    ngx_http_error_map_sending_t  *sending;

    if (!r->filter_finalize) {
        return NULL;
    }

    for (sending = ngx_http_error_map_sending;
         sending;
         sending = sending->next)
    {
        if (sending->request == r) {
            ngx_http_error_map_save_replaced(sending);
            return sending;
        }
    }

    return NULL;
}


/* identifies saved contexts among the cleanups */

static void
ngx_http_error_map_saved_cleanup(void *data)
{
    return;
}
