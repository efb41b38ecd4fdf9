
#include "ngx_http_error_map_upstream_verdict.h"
#include "ngx_http_error_map_answer.h"
#include "ngx_http_error_map_attempts.h"
#include "ngx_http_error_map_inspect.h"
#include "ngx_http_error_map_policy.h"
#include "ngx_http_error_map_saved.h"
#include "ngx_http_error_map_response.h"
#include "ngx_http_error_map_upstream_next.h"
#include "ngx_http_error_map_util.h"
#include "ngx_http_error_map_verdict.h"
#include "ngx_http_error_map_zone.h"


static ngx_http_error_map_ctx_t *ngx_http_error_map_upstream_conclude(
    ngx_http_request_t *r, ngx_http_error_map_loc_conf_t *conf,
    ngx_http_error_map_upstream_t *up, ngx_uint_t error);
static ngx_http_error_map_ctx_t *ngx_http_error_map_upstream_late(
    ngx_http_request_t *r, ngx_http_error_map_loc_conf_t *conf,
    ngx_http_error_map_upstream_t *up);
static ngx_http_error_map_upstream_t *ngx_http_error_map_upstream_current(
    ngx_http_request_t *r);


void
ngx_http_error_map_upstream_decide(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_upstream_t *up)
{
    ngx_http_upstream_t           *u;
    ngx_http_error_map_ctx_t      *ctx;
    ngx_http_error_map_verdict_e   verdict;

    ctx = up->answer;
    verdict = ctx ? ctx->verdict : up->reader.verdict;

    if (ngx_http_error_map_is_error(verdict)
        || (verdict == NGX_HTTP_ERROR_MAP_NONE
            && ngx_http_error_map_policy_none(conf->policy,
                                              up->reader.reason)))
    {
        /* for the error page of proxy_intercept_errors */

        if (up->saved == NULL) {
            up->saved = ngx_http_error_map_save(r);
        }

        if (up->saved == NULL) {
            return;
        }

        if (ctx) {
            ngx_http_error_map_set_answer(r, conf, ctx);

        } else {
            ctx = ngx_http_error_map_upstream_conclude(r, conf, up, 1);
            if (ctx == NULL) {
                return;
            }
        }

        u = r->upstream;

        up->saved->ctx = ctx;
        up->saved->state = u->state;

        if (ctx->status != up->status) {
            u->headers_in.status_n = ctx->status;
            ngx_str_null(&u->headers_in.status_line);
            u->state->status = ctx->status;

#if (NGX_HTTP_CACHE)

            /* how long nginx's cache keeps it depends on the new status */

            if (r->cache) {
                r->cache->valid_sec = 0;
                r->cache->updating_sec = 0;
                r->cache->error_sec = 0;
            }

#endif
        }

        if (ctx->action) {
            ngx_http_error_map_upstream_next(r, up, ctx->action);
        }
    }

    up->decided = 1;
}


/* the context, a new one at least if the response was held or is an error */

static ngx_http_error_map_ctx_t *
ngx_http_error_map_upstream_conclude(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_upstream_t *up,
    ngx_uint_t error)
{
    em_json_t                 *json;
    const em_str_t            *code;
    ngx_http_error_map_ctx_t  *ctx;

    ctx = NULL;

    if (error || up->size) {
        ctx = ngx_http_error_map_create_ctx(r, up->reader.document, up->status);
        if (ctx == NULL) {
            return NULL;
        }
    }

    ctx = ngx_http_error_map_conclude(r, conf, &up->reader, ctx, up->size,
                                      up->waited);

    if (ctx == NULL || !conf->direct || up->size) {
        return ctx;
    }

    if (ngx_http_error_map_is_error(ctx->verdict)) {
        json = &up->reader.json;

        return ngx_http_error_map_answer_keep(r, conf, (u_char *) json->token,
                                              json->len, ctx);
    }

    if (ctx->verdict == NGX_HTTP_ERROR_MAP_SUCCESS
        && up->reader.success < conf->document->table->nsuccess)
    {
        code = &conf->document->table->success[up->reader.success];

        return ngx_http_error_map_answer_keep(r, conf, (u_char *) code->data,
                                              code->len, ctx);
    }

    return ctx;
}


ngx_http_error_map_ctx_t *
ngx_http_error_map_upstream_ctx(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf)
{
    ngx_http_error_map_ctx_t       *ctx, *answer;
    ngx_http_error_map_upstream_t  *up;

    up = ngx_http_error_map_upstream_current(r);

    if (up == NULL || !up->decided) {
        return NULL;
    }

    if (up->saved && up->saved->ctx) {

        /* the response itself is sent, not an error page */

        ctx = up->saved->ctx;
        up->saved->ctx = NULL;

        if (ctx->status == ctx->upstream_status
            && ctx->status != r->headers_out.status)
        {
            /* an error page has the status of the error */

            answer = ctx;

            ctx = ngx_palloc(r->pool, sizeof(ngx_http_error_map_ctx_t));
            if (ctx == NULL) {
                return answer;
            }

            *ctx = *answer;
            ctx->status = r->headers_out.status;

            ngx_http_set_ctx(r, ctx, ngx_http_error_map_filter_module);
        }

    } else if (up->answer) {

        ctx = up->answer;

        ngx_http_error_map_set_answer(r, conf, ctx);

    } else {

        ctx = ngx_http_error_map_upstream_conclude(r, conf, up, 0);
    }

    return ctx;
}


void
ngx_http_error_map_upstream_count(ngx_http_request_t *r,
    ngx_http_error_map_upstream_t *up)
{
    ngx_http_error_map_ctx_t       *ctx;
    ngx_http_error_map_loc_conf_t  *conf;

    if (!up->header
        || r->upstream->headers_in.status_n == NGX_HTTP_NOT_MODIFIED)
    {
        return;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_error_map_filter_module);

    ctx = up->saved ? up->saved->ctx : NULL;

    if (ctx == NULL
        && !up->decided
        && ngx_http_error_map_reason_verdict(up->reason)
           == NGX_HTTP_ERROR_MAP_SKIPPED)
    {
        if (up->reason) {
            ngx_http_error_map_count_skipped(r, conf, up->reason);
            ngx_http_error_map_count_passed(r,
                                    ngx_http_error_map_document(r, conf, 0),
                                    NULL);
        }

        return;
    }

    if (ctx == NULL) {
        ctx = ngx_http_error_map_upstream_late(r, conf, up);
    }

    if (ctx) {
        ngx_http_error_map_count_passed(r, ctx->document, ctx);
    }
}


/* decides and counts a response that would have been counted when sent */

static ngx_http_error_map_ctx_t *
ngx_http_error_map_upstream_late(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_upstream_t *up)
{
    ngx_http_error_map_ctx_t  *ctx;

    if (up->answer) {
        ctx = up->answer;

    } else {
        ctx = ngx_http_error_map_create_ctx(r, up->reader.document, up->status);
        if (ctx == NULL) {
            return NULL;
        }

        ctx->hold_size = up->size;
        ctx->hold_time = up->waited;

        if (!up->decided) {
            ctx->reason = up->reason;

        } else if (ngx_http_error_map_decide(r, conf, &up->reader, ctx)
                   == NULL)
        {
            return NULL;
        }
    }

    ngx_http_error_map_count(r, conf, ctx);
    ngx_http_error_map_keep_code(r, ctx, up->attempt);

    return ctx;
}


ngx_msec_t
ngx_http_error_map_upstream_waited(ngx_http_request_t *r)
{
    ngx_http_error_map_upstream_t  *up;

    up = ngx_http_error_map_upstream_current(r);

    return up ? up->waited : 0;
}


static ngx_http_error_map_upstream_t *
ngx_http_error_map_upstream_current(ngx_http_request_t *r)
{
    ngx_http_error_map_upstream_t  *up;

    up = ngx_http_error_map_upstream(r);

    if (up == NULL
        || up->upstream != r->upstream
        || !ngx_http_error_map_upstream_active(r)
#if (NGX_HTTP_CACHE)
        || r->cached
#endif
       )
    {
        return NULL;
    }

    return up;
}
