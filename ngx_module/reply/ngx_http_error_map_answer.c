
#include "ngx_http_error_map_answer.h"
#include "ngx_http_error_map_header.h"


static ngx_http_error_map_ctx_t *ngx_http_error_map_answer_ctx(
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx);


ngx_http_error_map_answers_t  ngx_http_error_map_no_answers;


ngx_http_error_map_ctx_t *
ngx_http_error_map_answer_keep(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, const u_char *code, size_t len,
    ngx_http_error_map_ctx_t *ctx)
{
    u_char                         padded[NGX_HTTP_ERROR_MAP_ANSWER_CODE];
    uint64_t                       number;
    ngx_http_error_map_ctx_t      *shared;
    ngx_http_error_map_answer_t   *answer;
    ngx_http_error_map_answers_t  *answers;

    if (len == 0 || len > NGX_HTTP_ERROR_MAP_ANSWER_CODE) {
        return ctx;
    }

    ngx_memzero(padded, NGX_HTTP_ERROR_MAP_ANSWER_CODE);
    ngx_memcpy(padded, code, len);

    answer = ngx_http_error_map_answer_place(conf, padded, len, &number);

    /* requests may still have the context of one that is there */

    if (answer->len) {
        return ctx;
    }

    shared = ngx_http_error_map_answer_ctx(conf, ctx);
    if (shared == NULL) {
        return ctx;
    }

    if (conf->answers == &ngx_http_error_map_no_answers) {

        /* most locations of a large configuration get no response */

        answers = ngx_pcalloc(conf->pool, sizeof(ngx_http_error_map_answers_t));
        if (answers == NULL) {
            return ctx;
        }

        conf->answers = answers;

        answer = ngx_http_error_map_answer_place(conf, padded, len, &number);
    }

    answer->ctx = shared;
    answer->code = number;
    answer->len = len;

    ngx_http_set_ctx(r, shared, ngx_http_error_map_filter_module);

    return shared;
}


static ngx_http_error_map_ctx_t *
ngx_http_error_map_answer_ctx(ngx_http_error_map_loc_conf_t *conf,
    ngx_http_error_map_ctx_t *ctx)
{
    ngx_http_error_map_ctx_t       *answer;
    ngx_http_error_map_document_t  *document;

    document = conf->document;

    if (ctx->verdict == NGX_HTTP_ERROR_MAP_SUCCESS) {

        /* of a listed code, shared already */

        return (ctx >= document->success
                && ctx < document->success + document->table->nsuccess)
               ? ctx : NULL;
    }

    /* a body and an error page are of a request, and so are fields */

    if (ctx->verdict != NGX_HTTP_ERROR_MAP_MAPPED
        || ctx->code.data != (u_char *) ctx->entry->code
        || ctx->upstream_status != NGX_HTTP_OK
        || ctx->hold
        || ctx->hold_size
        || ctx->hold_time
        || conf->body
        || conf->intercept
        || document->wanted)
    {
        return NULL;
    }

    answer = ngx_palloc(conf->pool, sizeof(ngx_http_error_map_ctx_t));
    if (answer == NULL) {
        return NULL;
    }

    *answer = *ctx;

    if (conf->headers) {
        answer->ready = ngx_http_error_map_ready_headers(conf->pool, ctx,
                                                         conf->headers);
        answer->headers = answer->ready ? conf->headers : NULL;
    }

    return answer;
}
