
#include "ngx_http_error_map_verdict.h"
#include "ngx_http_error_map_answer.h"
#include "ngx_http_error_map_attempts.h"
#include "ngx_http_error_map_direct.h"
#include "ngx_http_error_map_response.h"
#include "ngx_http_error_map_util.h"
#include "ngx_http_error_map_zone.h"


static ngx_http_error_map_ctx_t *ngx_http_error_map_conclude_code(
    ngx_http_request_t *r, ngx_http_error_map_loc_conf_t *conf,
    ngx_str_t *code);
static ngx_http_error_map_ctx_t *ngx_http_error_map_record(
    ngx_http_request_t *r, ngx_http_error_map_loc_conf_t *conf,
    ngx_http_error_map_ctx_t *ctx);
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

    return ngx_http_error_map_record(r, conf, ctx);
}


ngx_int_t
ngx_http_error_map_conclude_direct(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t **ctx)
{
    ngx_int_t                  rc;
    ngx_str_t                  code;
    ngx_http_error_map_ctx_t  *answer;

    rc = ngx_http_error_map_direct(r, conf, &r->headers_out.content_type,
                                   r->headers_out.content_length_n, &code);
    if (rc != NGX_OK) {
        return rc;
    }

    answer = ngx_http_error_map_answer(r, conf, &code);

    if (answer == NULL) {
        answer = ngx_http_error_map_conclude_code(r, conf, &code);
    }

    *ctx = ngx_http_error_map_record(r, conf, answer);

    return *ctx ? NGX_OK : NGX_ERROR;
}


static ngx_http_error_map_noinline ngx_http_error_map_ctx_t *
ngx_http_error_map_conclude_code(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_str_t *code)
{
    ngx_http_error_map_ctx_t     *ctx;
    ngx_http_error_map_reader_t   reader;

    ngx_http_error_map_direct_reader(&reader, r, conf->document, code);

    ctx = ngx_http_error_map_decide(r, conf, &reader, NULL);

    if (ctx) {
        ngx_http_error_map_answer_keep(r, conf, code, ctx);
    }

    return ctx;
}


/* counts the verdict, and keeps its code for the list of all attempts */

static ngx_http_error_map_ctx_t *
ngx_http_error_map_record(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx)
{
    ngx_http_error_map_main_conf_t  *emcf;

    emcf = ngx_http_get_module_main_conf(r, ngx_http_error_map_filter_module);

    if (ctx && emcf->zone) {
        ngx_http_error_map_count(r, conf, ctx);
    }

    if (ctx && emcf->codes && ngx_http_error_map_sent_now(r, ctx)) {
        ngx_http_error_map_keep_code(r, ctx, r->upstream_states->nelts - 1);
    }

    return ctx;
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
