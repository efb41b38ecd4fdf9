
#include "ngx_http_error_map_verdict.h"
#include "ngx_http_error_map_attempts.h"
#include "ngx_http_error_map_response.h"
#include "ngx_http_error_map_util.h"
#include "ngx_http_error_map_zone.h"


static ngx_uint_t ngx_http_error_map_sent_now(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx);


ngx_http_error_map_ctx_t *
ngx_http_error_map_conclude(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_ctx_t *ctx, size_t size, ngx_msec_t time)
{
    if (ctx) {
        ctx->hold_size = size;
        ctx->hold_time = time;
    }

    ctx = ngx_http_error_map_decide(r, conf, reader, ctx);

    ngx_http_error_map_reader_free(reader);

    if (ctx) {
        ngx_http_error_map_record(r, conf, ctx);
    }

    return ctx;
}


void
ngx_http_error_map_record_all(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx,
    ngx_http_error_map_main_conf_t *emcf)
{
    if (emcf->zone) {
        ngx_http_error_map_count(r, conf, ctx);
    }

    if (emcf->codes && ngx_http_error_map_sent_now(r, ctx)) {
        ngx_http_error_map_keep_code(r, ctx, r->upstream_states->nelts - 1);
    }
}


/* whether the response comes from the upstream, and not from its cache */

static ngx_uint_t
ngx_http_error_map_sent_now(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx)
{
#if (NGX_HTTP_CACHE)

    if (r->cached) {
        return 0;
    }

#endif

    return r->upstream_states
           && (ctx->hold ? ctx->hold->upstream
                         : ngx_http_error_map_upstream_active(r));
}
