
#include "ngx_http_error_map_response.h"
#include "ngx_http_error_map_fields.h"
#include "ngx_http_error_map_new_body.h"
#include "ngx_http_error_map_policy.h"
#include "ngx_http_error_map_proxy_status.h"
#include "ngx_http_error_map_util.h"
#include "ngx_http_error_map_variables.h"


static ngx_http_error_map_ctx_t *ngx_http_error_map_decide_ctx(
    ngx_http_request_t *r, ngx_http_error_map_loc_conf_t *conf,
    ngx_http_error_map_reader_t *reader, ngx_http_error_map_ctx_t *ctx);
static void ngx_http_error_map_act(ngx_http_error_map_ctx_t *ctx,
    ngx_http_error_map_action_t *action);
static ngx_http_error_map_ctx_t *ngx_http_error_map_success_ctx(
    ngx_http_request_t *r, ngx_http_error_map_reader_t *reader);
static ngx_int_t ngx_http_error_map_code(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_http_error_map_reader_t *reader);
static ngx_int_t ngx_http_error_map_response_contexts(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);


ngx_http_error_map_ctx_t *
ngx_http_error_map_decide(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_ctx_t *ctx)
{
    if (ctx == NULL && reader->verdict == NGX_HTTP_ERROR_MAP_SUCCESS) {
        ctx = ngx_http_error_map_success_ctx(r, reader);

    } else if (ctx == NULL
               && reader->verdict == NGX_HTTP_ERROR_MAP_NONE
               && ngx_http_error_map_policy_none(conf->policy, reader->reason)
                  == NULL)
    {
        ctx = &reader->document->none[reader->reason
                                      - NGX_HTTP_ERROR_MAP_REASON_EMPTY];

    } else {
        ctx = ngx_http_error_map_decide_ctx(r, conf, reader, ctx);
    }

    if (ctx == NULL) {
        return NULL;
    }

    ngx_http_set_ctx(r, ctx, ngx_http_error_map_filter_module);

    ngx_log_debug4(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http error map: %V \"%V\" %V, %uz bytes read",
                   &reader->document->name, &ctx->code,
                   &ngx_http_error_map_verdicts[ctx->verdict], reader->size);

    return ctx;
}


/* sets the context of an error, or of a response that was held */

static ngx_http_error_map_noinline ngx_http_error_map_ctx_t *
ngx_http_error_map_decide_ctx(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_ctx_t *ctx)
{
    ngx_http_error_map_document_t  *document;

    document = reader->document;

    if (ctx == NULL) {
        ctx = ngx_http_error_map_create_ctx(r, document,
                                            r->headers_out.status);
        if (ctx == NULL) {
            return NULL;
        }
    }

    ctx->dry_run = conf->dry_run;
    ctx->verdict = reader->verdict;
    ctx->reason = reader->reason;
    ctx->entry = reader->entry;

    switch (ctx->verdict) {

    case NGX_HTTP_ERROR_MAP_SUCCESS:

        if (reader->success < document->table->nsuccess) {
            ctx->code = document->success[reader->success].code;
            break;
        }

        if (ngx_http_error_map_code(r, ctx, reader) != NGX_OK) {
            return NULL;
        }

        break;

    case NGX_HTTP_ERROR_MAP_MAPPED:
    case NGX_HTTP_ERROR_MAP_UNKNOWN:

        if (ngx_http_error_map_code(r, ctx, reader) != NGX_OK) {
            return NULL;
        }

        ngx_http_error_map_act(ctx,
                             ngx_http_error_map_policy_action(conf->policy,
                                                              document,
                                                              ctx->entry));

        if (document->wanted
            && ngx_http_error_map_keep_fields(r, ctx, reader) != NGX_OK)
        {
            return NULL;
        }

        break;

    default:
        ngx_http_error_map_act(ctx,
                   (ctx->verdict == NGX_HTTP_ERROR_MAP_NONE)
                   ? ngx_http_error_map_policy_none(conf->policy, ctx->reason)
                   : NULL);
        break;
    }

    if (conf->policy->retry_after_max != NGX_HTTP_ERROR_MAP_NO_RETRY) {
        ctx->retry_after = ngx_min(ctx->retry_after,
                                   conf->policy->retry_after_max);
    }

    return ctx;
}


ngx_http_error_map_ctx_t *
ngx_http_error_map_create_ctx(ngx_http_request_t *r,
    ngx_http_error_map_document_t *document, ngx_uint_t status)
{
    ngx_http_upstream_t       *u;
    ngx_http_error_map_ctx_t  *ctx;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_error_map_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    ctx->document = document;
    ctx->status = status;

    /* an error page has the status of the error, not the upstream's */

    u = ngx_http_error_map_response_upstream(r);

    ctx->upstream_status = u ? u->headers_in.status_n : status;
    ctx->retry_after = NGX_HTTP_ERROR_MAP_NO_RETRY;

    return ctx;
}


static void
ngx_http_error_map_act(ngx_http_error_map_ctx_t *ctx,
    ngx_http_error_map_action_t *action)
{
    ctx->action = action;

    if (action == NULL) {
        return;
    }

    ctx->retry_after = action->retry_after;

    if (action->status) {
        ctx->status = action->status;
    }
}


/* a code that is a success by a range, prefix or pattern is not known before */

static ngx_http_error_map_ctx_t *
ngx_http_error_map_success_ctx(ngx_http_request_t *r,
    ngx_http_error_map_reader_t *reader)
{
    ngx_http_error_map_ctx_t       *ctx;
    ngx_http_error_map_document_t  *document;

    document = reader->document;

    if (reader->success < document->table->nsuccess) {
        return &document->success[reader->success];
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_error_map_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    ctx->verdict = NGX_HTTP_ERROR_MAP_SUCCESS;
    ctx->document = document;

    return ngx_http_error_map_code(r, ctx, reader) == NGX_OK ? ctx : NULL;
}


/* sets the code as it is shown, and as the vendor sent it */

static ngx_int_t
ngx_http_error_map_code(ngx_http_request_t *r, ngx_http_error_map_ctx_t *ctx,
    ngx_http_error_map_reader_t *reader)
{
    u_char                         *code;
    em_json_t                      *json;
    ngx_http_error_map_document_t  *document;

    document = ctx->document;

    if (ctx->entry
        && (size_t) (ctx->entry - document->table->entries)
           < document->nliteral)
    {
        ctx->code.data = (u_char *) ctx->entry->code;
        ctx->code.len = reader->json.len;
        ctx->raw_code = ctx->code;
        return NGX_OK;
    }

    json = &reader->json;

    code = ngx_pnalloc(r->pool, 4 * json->len + 1);
    if (code == NULL) {
        return NGX_ERROR;
    }

    ctx->raw_code.data = code;
    ctx->raw_code.len = json->len;

    code = ngx_cpymem(code, json->token, json->len);

    ctx->code.data = code;

    code = ngx_http_error_map_escape_code(code, ctx->raw_code.data, json->len);

    ctx->code.len = code - ctx->code.data;

    return NGX_OK;
}


ngx_int_t
ngx_http_error_map_respond_error(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx)
{
    if (ctx->upstream_status != ctx->status
        || r->headers_out.status != ctx->status)
    {
        r->headers_out.status = ctx->status;
        r->headers_out.status_line.len = 0;

        ngx_http_error_map_remove_validators(r);

        if (ngx_http_error_map_remove_freshness(r) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (conf->body
        && ngx_http_error_map_create_body(r, conf->body, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_error_map_add_error_headers(r, conf, ctx);
}


ngx_int_t
ngx_http_error_map_add_error_headers(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx)
{
    if (conf->proxy_status.len
        && ngx_http_error_map_add_proxy_status(r, ctx, &conf->proxy_status)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (conf->headers == NULL) {
        return NGX_OK;
    }

    return (ctx->headers == conf->headers)
           ? ngx_http_error_map_add_ready_headers(r, ctx->ready)
           : ngx_http_error_map_add_headers(r, ctx, conf->headers);
}


/* creates the shared contexts, of verdicts that change nothing */

static ngx_int_t
ngx_http_error_map_response_contexts(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    u_char                    *code;
    ngx_uint_t                 i, n;
    const em_str_t            *success;
    const em_document_t       *table;
    ngx_http_error_map_ctx_t  *ctx;

    table = document->table;
    n = NGX_HTTP_ERROR_MAP_NONE_REASONS;

    ctx = ngx_pcalloc(cf->pool, (n + table->nsuccess)
                                * sizeof(ngx_http_error_map_ctx_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    document->none = ctx;

    for (i = 0; i < n; i++) {
        ctx[i].verdict = NGX_HTTP_ERROR_MAP_NONE;
        ctx[i].reason = NGX_HTTP_ERROR_MAP_REASON_EMPTY + i;
        ctx[i].document = document;
    }

    ctx += n;
    document->success = ctx;

    for (i = 0; i < table->nsuccess; i++) {
        ctx[i].verdict = NGX_HTTP_ERROR_MAP_SUCCESS;
        ctx[i].document = document;

        success = &table->success[i];

        code = ngx_pnalloc(cf->pool, 3 * success->len);
        if (code == NULL) {
            return NGX_ERROR;
        }

        ctx[i].code.data = code;
        ctx[i].code.len = ngx_http_error_map_escape_code(code,
                                                     (u_char *) success->data,
                                                     success->len)
                          - code;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_error_map_response_init(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf)
{
    ngx_uint_t                       i;
    ngx_http_error_map_document_t  **documents;

    for (i = 0; i <= NGX_HTTP_ERROR_MAP_REASON_DOCUMENT; i++) {
        ngx_http_error_map_skipped[i].verdict = NGX_HTTP_ERROR_MAP_SKIPPED;
        ngx_http_error_map_skipped[i].reason = i;
    }

    documents = emcf->documents.elts;

    for (i = 0; i < emcf->documents.nelts; i++) {

        documents[i]->direct = documents[i]->plan
                               && documents[i]->plan->plain
                               && documents[i]->headers.nelts == 0
                               && !documents[i]->json_fields
                               && !documents[i]->text_fields
                               && (documents[i]->charset == EM_CHARSET_UTF8
                                   || documents[i]->charset
                                      == EM_CHARSET_UNKNOWN);

        if (ngx_http_error_map_response_contexts(cf, documents[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
