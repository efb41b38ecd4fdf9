
#include "ngx_http_error_map_intercept.h"
#include "ngx_http_error_map_hold.h"
#include "ngx_http_error_map_phase.h"
#include "ngx_http_error_map_saved.h"
#include "ngx_http_error_map_util.h"


static ngx_int_t ngx_http_error_map_clean_401(ngx_http_request_t *r);
static void ngx_http_error_map_intercept_late(ngx_event_t *ev);


ngx_int_t
ngx_http_error_map_intercepts(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx)
{
    ngx_uint_t                 i;
    ngx_http_err_page_t       *err_page;
    ngx_http_core_loc_conf_t  *clcf;

    if (!conf->intercept || conf->dry_run
        || ctx->status < NGX_HTTP_SPECIAL_RESPONSE
        || !ngx_http_error_map_is_acted(ctx))
    {
        return 0;
    }

    /* nginx uses 408, 444 and 499 when the client is gone */

    if (ctx->status == NGX_HTTP_REQUEST_TIME_OUT
        || ctx->status == NGX_HTTP_CLOSE
        || ctx->status == NGX_HTTP_CLIENT_CLOSED_REQUEST)
    {
        return 0;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    /* otherwise nginx's own page would replace the vendor's body */

    if (r->error_page || clcf->error_pages == NULL || r->uri_changes == 0) {
        return 0;
    }

    err_page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {
        if (err_page[i].status == (ngx_int_t) ctx->status) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_error_map_intercept(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx)
{
    ngx_http_error_map_saved_t  *saved;

    saved = ngx_http_error_map_save(r);
    if (saved == NULL) {
        return NGX_ERROR;
    }

    saved->ctx = ctx;

    /* a range applies to the vendor's body only */

    r->allow_ranges = 0;
    r->single_range = 0;

#if (NGX_HTTP_CACHE)

    /* nginx would cache a 502 or 504, but without its verdict */

    if (ngx_http_error_map_upstream_active(r)) {
        r->upstream->cacheable = 0;
    }

#endif

    if (ctx->status == NGX_HTTP_UNAUTHORIZED) {
        return ngx_http_error_map_clean_401(r);
    }

    ngx_http_clean_header(r);

    return ctx->status;
}


/* a 401 must have a challenge, see RFC 9110, section 15.5.2 */

static ngx_int_t
ngx_http_error_map_clean_401(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h, *challenge, saved;

    static ngx_str_t  name = ngx_string("WWW-Authenticate");

    h = NULL;
    challenge = NULL;
    ngx_memzero(&saved, sizeof(ngx_table_elt_t));

    while ((h = ngx_http_error_map_next_header(&r->headers_out.headers.part,
                                               &name, h)))
    {
        challenge = h;
        saved = *h;
    }

    ngx_http_clean_header(r);

    if (challenge) {

        challenge = ngx_http_error_map_push_header(r);
        if (challenge == NULL) {
            return NGX_ERROR;
        }

        challenge->hash = saved.hash;
        challenge->key = saved.key;
        challenge->value = saved.value;
        challenge->lowcase_key = saved.lowcase_key;

        r->headers_out.www_authenticate = challenge;
    }

    return NGX_HTTP_UNAUTHORIZED;
}


void
ngx_http_error_map_intercept_later(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_uint_t refused)
{
    ngx_http_error_map_hold_t  *hold;

    hold = ctx->hold;

    ngx_http_error_map_set_phase(r, ctx, NGX_HTTP_ERROR_MAP_INTERCEPT);

    hold->refused = refused;
    hold->timer.handler = ngx_http_error_map_intercept_late;

    ngx_post_event(&hold->timer, &ngx_posted_events);
}


static void
ngx_http_error_map_intercept_late(ngx_event_t *ev)
{
    ngx_int_t                   status;
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_error_map_ctx_t   *ctx;
    ngx_http_error_map_hold_t  *hold;

    hold = (ngx_http_error_map_hold_t *)
               ((u_char *) ev - offsetof(ngx_http_error_map_hold_t, timer));

    r = hold->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (r->aio || r->main->blocked) {

        /* a thread uses a buffer of the request, retry in a millisecond */

        ngx_add_timer(ev, 1);
        return;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_error_map_filter_module);

    if (ctx == NULL || ctx->hold != hold) {

        /* another response has replaced this one */

        ngx_http_error_map_abandon(r, NULL);
        ngx_http_error_map_resume(hold);

        ngx_http_run_posted_requests(c);
        return;
    }

    ngx_http_error_map_set_phase(r, ctx, NGX_HTTP_ERROR_MAP_PASS);

    ngx_http_error_map_hold_discard(hold);

    /* tested by the stub of SSI */

    r->request_output = 0;

    if (ngx_http_error_map_upstream_active(r)) {

        /* finalize the upstream, but not the request */

        r->main->count++;
        (*r->upstream->cleanup)(r);
    }

    status = hold->refused ? (ngx_int_t) hold->refused
                           : ngx_http_error_map_intercept(r, ctx);

    ngx_http_finalize_request(r, status);

    ngx_http_run_posted_requests(c);
}


