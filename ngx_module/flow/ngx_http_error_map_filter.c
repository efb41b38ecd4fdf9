
#include "ngx_http_error_map_filter.h"
#include "ngx_http_error_map_answer.h"
#include "ngx_http_error_map_direct.h"
#include "ngx_http_error_map_drop.h"
#include "ngx_http_error_map_hold.h"
#include "ngx_http_error_map_inspect.h"
#include "ngx_http_error_map_intercept.h"
#include "ngx_http_error_map_phase.h"
#include "ngx_http_error_map_pipe.h"
#include "ngx_http_error_map_preread.h"
#include "ngx_http_error_map_response.h"
#include "ngx_http_error_map_retry_after.h"
#include "ngx_http_error_map_saved.h"
#include "ngx_http_error_map_total.h"
#include "ngx_http_error_map_upstream_end.h"
#include "ngx_http_error_map_upstream_verdict.h"
#include "ngx_http_error_map_util.h"
#include "ngx_http_error_map_variables.h"
#include "ngx_http_error_map_verdict.h"
#include "ngx_http_error_map_writer.h"
#include "ngx_http_error_map_zone.h"


/*
 * The state machine.  A response is skipped or decided when its header comes
 * (a context without a hold), or held: the header is delayed, and the body is
 * kept, until there is a verdict, the end of the body, or no room or time left.
 * ngx_http_error_map_release() is the only way out of a hold.
 */


static ngx_int_t ngx_http_error_map_header_filter(ngx_http_request_t *r);
static ngx_http_error_map_ctx_t *ngx_http_error_map_conclude_code(
    ngx_http_request_t *r, ngx_http_error_map_loc_conf_t *conf,
    const u_char *code, size_t len);
static ngx_int_t ngx_http_error_map_inspect_response(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx,
    ngx_uint_t looked);
static ngx_uint_t ngx_http_error_map_listing(ngx_http_request_t *r);
static ngx_uint_t ngx_http_error_map_own_page(ngx_http_request_t *r,
    ngx_http_upstream_t *upstream);
static ngx_inline ngx_int_t ngx_http_error_map_send_header(
    ngx_http_request_t *r, ngx_http_error_map_ctx_t *ctx, ngx_uint_t *replaced);
static ngx_int_t ngx_http_error_map_send_body(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_chain_t *in);
static void ngx_http_error_map_watch(ngx_http_error_map_ctx_t *ctx,
    ngx_chain_t *in);
static ngx_int_t ngx_http_error_map_skip(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_reason_e reason);
static ngx_int_t ngx_http_error_map_skipped_retry_after(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf);
static ngx_inline ngx_int_t ngx_http_error_map_decided(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx);
static ngx_int_t ngx_http_error_map_decided_body(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx);
static ngx_int_t ngx_http_error_map_hold(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf,
    ngx_http_error_map_reader_t *reader);
static ngx_int_t ngx_http_error_map_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_error_map_phase_body(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_chain_t *in);
static ngx_int_t ngx_http_error_map_release(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_chain_t *in);
static ngx_int_t ngx_http_error_map_send_held(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_chain_t *in);
static ngx_int_t ngx_http_error_map_replace(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx);
static ngx_int_t ngx_http_error_map_send(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_chain_t *out);
static void ngx_http_error_map_timeout(ngx_event_t *ev);
static ngx_int_t ngx_http_error_map_give_up(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_http_error_map_reason_e reason);
static void ngx_http_error_map_ended(ngx_http_request_t *r, void *data,
    ngx_int_t rc);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


static ngx_int_t
ngx_http_error_map_header_filter(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    const u_char                   *code;
    ngx_http_error_map_ctx_t       *ctx, *known;
    ngx_http_error_map_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_error_map_filter_module);

    if (!conf->enable) {
        return ngx_http_next_header_filter(r);
    }

    rc = NGX_DECLINED;
    known = NULL;
    ctx = ngx_http_get_module_ctx(r, ngx_http_error_map_filter_module);

    /* nearly all responses */

    if (ctx == NULL
        && !r->internal
        && !r->filter_finalize
        && !r->header_only
        && r->headers_out.status == NGX_HTTP_OK
        && r->headers_out.content_encoding == NULL)
    {
        if (ngx_http_error_map_skipped_type(conf, &r->headers_out.content_type)
            && conf->statuses == NULL
            && !ngx_http_error_map_bodiless(r)
            && !ngx_http_error_map_sliced(r)
            && !(r->upstream && r->upstream->upgrade))
        {
            return ngx_http_error_map_skip(r, conf,
                                           NGX_HTTP_ERROR_MAP_REASON_TYPE);
        }

        if (conf->direct && !conf->upstream) {
            rc = ngx_http_error_map_direct(r, conf, &r->headers_out.content_type,
                                           r->headers_out.content_length_n,
                                           &code);
            if (rc > 0) {
                known = ngx_http_error_map_answer(r, conf, code, rc);

                if (known) {
                    ngx_http_error_map_set_answer(r, conf, known);

                } else {
                    known = ngx_http_error_map_conclude_code(r, conf, code, rc);
                    if (known == NULL) {
                        return NGX_ERROR;
                    }
                }
            }
        }
    }

    if (conf->upstream) {
        known = ngx_http_error_map_upstream_ctx(r, conf);
    }

    if (known == NULL) {
        return ngx_http_error_map_inspect_response(r, conf, ctx,
                                                   rc == NGX_AGAIN);
    }

    return ngx_http_error_map_decided(r, conf, known);
}


/* concludes the verdict by a code without an answer, and keeps this one */

static ngx_http_error_map_noinline ngx_http_error_map_ctx_t *
ngx_http_error_map_conclude_code(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, const u_char *code, size_t len)
{
    ngx_http_error_map_ctx_t     *ctx;
    ngx_http_error_map_reader_t   reader;

    ngx_http_error_map_direct_reader(&reader, r, conf->document, code, len);

    ctx = ngx_http_error_map_conclude(r, conf, &reader, NULL, 0, 0);

    return ctx ? ngx_http_error_map_answer_keep(r, conf, code, len, ctx)
               : NULL;
}


static ngx_http_error_map_noinline ngx_int_t
ngx_http_error_map_inspect_response(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx,
    ngx_uint_t looked)
{
    ngx_int_t                       rc;
    ngx_msec_t                      waited;
    ngx_http_error_map_saved_t     *saved;
    ngx_http_error_map_reader_t     reader;
    ngx_http_error_map_reason_e     reason;
    ngx_http_error_map_document_t  *document;
    ngx_http_error_map_response_t   response;

    saved = NULL;

    if (ctx || r->internal || r->filter_finalize) {

        saved = ngx_http_error_map_saved(r);

        /* another response replaces the held one */

        if (r->buffered & NGX_HTTP_ERROR_MAP_BUFFERED) {
            ngx_http_error_map_abandon(r, ctx);
        }

        ngx_http_set_ctx(r, NULL, ngx_http_error_map_filter_module);
    }

    /*
     * An error page of the edge is not inspected, but gets the error headers
     * of the response that it replaces; one from another upstream is inspected.
     */

    if (saved && ngx_http_error_map_own_page(r, saved->upstream)) {
        ctx = saved->ctx;

        ngx_http_set_ctx(r, ctx, ngx_http_error_map_filter_module);

        if (ngx_http_error_map_is_acted(ctx)
            && !saved->added
            && !ctx->dry_run
            && !conf->dry_run
            && ngx_http_error_map_add_error_headers(r, conf, ctx) != NGX_OK)
        {
            return NGX_ERROR;
        }

        return ngx_http_error_map_send_header(r, ctx, NULL);
    }

    response.status = r->headers_out.status;
    response.type = r->headers_out.content_type;
    response.coding = r->headers_out.content_encoding;
    response.headers = &r->headers_out.headers.part;

    if (r->header_only || ngx_http_error_map_unread(r, conf)) {
        reason = ngx_http_error_map_bodiless_reason(r);

    } else {
        reason = ngx_http_error_map_inspected(r, conf, &response);
    }

    if (reason == NGX_HTTP_ERROR_MAP_REASON_NONE
        && ngx_http_error_map_listing(r))
    {
        reason = NGX_HTTP_ERROR_MAP_REASON_TYPE;
    }

    if (reason) {
        return ngx_http_error_map_skip(r, conf, reason);
    }

    document = ngx_http_error_map_document(r, conf, 1);

    if (document == NULL) {
        return ngx_http_error_map_skip(r, conf,
                                       NGX_HTTP_ERROR_MAP_REASON_DOCUMENT);
    }

    ctx = NULL;
    waited = 0;

    rc = ngx_http_error_map_reader_init(&reader, r, document, conf,
                                        response.decode, response.stream,
                                        ngx_http_error_map_charset(
                                                              &response.type));
    if (looked) {
        em_json_looked(&reader.json);
    }

    if (rc != NGX_OK && ngx_http_error_map_preread(&reader) != NGX_OK) {

        /* a hold would change the response to such a request */

        if (ngx_http_error_map_bodiless(r)
            || (conf->dry_run && ngx_http_error_map_conditional(r)))
        {
            ngx_http_error_map_reader_free(&reader);
            return ngx_http_error_map_skip(r, conf,
                                     ngx_http_error_map_bodiless(r)
                                     ? ngx_http_error_map_bodiless_reason(r)
                                     : NGX_HTTP_ERROR_MAP_REASON_RANGE);
        }

        waited = conf->upstream ? ngx_http_error_map_upstream_waited(r) : 0;

        /* the upstream layer may have used up the hold timeout, or it is 0 */

        if (conf->upstream && waited >= conf->hold_timeout) {
            reason = NGX_HTTP_ERROR_MAP_REASON_HOLD_TIMEOUT;

        } else if (ngx_http_error_map_room(1) != NGX_OK) {
            reason = NGX_HTTP_ERROR_MAP_REASON_HOLD_TOTAL;

        } else {
            return ngx_http_error_map_hold(r, conf, &reader);
        }

        (void) ngx_http_error_map_reader_stop(&reader, reason);

        ctx = ngx_http_error_map_create_ctx(r, document,
                                            r->headers_out.status);
        if (ctx == NULL) {
            return NGX_ERROR;
        }
    }

    ctx = ngx_http_error_map_conclude(r, conf, &reader, ctx,
                                      waited ? reader.size : 0, waited);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_error_map_decided(r, conf, ctx);
}


/*
 * The handlers of directory listings in HTML look for the charset that a header
 * filter has set, to cut long names between two characters.  A listing is what a
 * handler of the content phase makes without knowing its length.
 */

static ngx_uint_t
ngx_http_error_map_listing(ngx_http_request_t *r)
{
    return r->headers_out.content_length_n == -1
           && r->content_handler == NULL
           && r->upstream == NULL
           && r->headers_out.content_type.len == sizeof("text/html") - 1
           && ngx_strncmp(r->headers_out.content_type.data, "text/html",
                          sizeof("text/html") - 1)
              == 0;
}


/*
 * Whether an error page is the edge's own, and not one that another upstream
 * has sent than that of the response which the page replaces.
 */

static ngx_uint_t
ngx_http_error_map_own_page(ngx_http_request_t *r,
    ngx_http_upstream_t *upstream)
{
    if (r->upstream == NULL || r->upstream == upstream) {
        return 1;
    }

    if (!r->filter_finalize) {
        return ngx_http_error_map_response_upstream(r) == NULL;
    }

#if (NGX_HTTP_CACHE)

    if (r->cached) {
        return 0;
    }

#endif

    return r->upstream->cleanup == NULL;
}


static ngx_int_t
ngx_http_error_map_skip(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_reason_e reason)
{
    ngx_http_error_map_ctx_t  *ctx;

    ngx_log_debug5(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http error map: skipped, %V, status %ui, type \"%V\", "
                   "coding \"%*s\"", &ngx_http_error_map_reasons[reason],
                   r->headers_out.status, &r->headers_out.content_type,
                   r->headers_out.content_encoding
                   ? r->headers_out.content_encoding->value.len : (size_t) 0,
                   r->headers_out.content_encoding
                   ? r->headers_out.content_encoding->value.data
                   : (u_char *) "");

    ctx = &ngx_http_error_map_skipped[reason];

    ngx_http_set_ctx(r, ctx, ngx_http_error_map_filter_module);

    ngx_http_error_map_count_skipped(r, conf, reason);

    if (ngx_http_error_map_skipped_retry_after(r, conf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_error_map_send_header(r, ctx, NULL);
}


/* the limit of Retry-After holds for all responses of a vendor */

static ngx_int_t
ngx_http_error_map_skipped_retry_after(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf)
{
    if (conf->dry_run
        || conf->policy->retry_after_max == NGX_HTTP_ERROR_MAP_NO_RETRY
        || ngx_http_error_map_response_upstream(r) == NULL
        || ngx_http_error_map_document(r, conf, 0) == NULL)
    {
        return NGX_OK;
    }

    return ngx_http_error_map_limit_retry_after(r, conf->policy);
}


/*
 * Calls the next header filter, and tells whether the response was replaced,
 * unless replaced is NULL.
 */

static ngx_inline ngx_int_t
ngx_http_error_map_send_header(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_uint_t *replaced)
{
    ngx_int_t                     rc;
    ngx_uint_t                    done;
    ngx_http_error_map_sending_t  sending;

    ngx_http_error_map_sending_begin(&sending, r, ctx);

    rc = ngx_http_next_header_filter(r);

    done = ngx_http_error_map_sending_end(&sending, rc);

    if (replaced) {
        *replaced = done;
    }

    return rc;
}


static ngx_http_error_map_noinline ngx_int_t
ngx_http_error_map_send_body(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_int_t                     rc;
    ngx_http_error_map_sending_t  sending;

    ngx_http_error_map_watch(ctx, in);

    ngx_http_error_map_sending_begin(&sending, r, ctx);

    rc = ngx_http_next_body_filter(r, in);

    (void) ngx_http_error_map_sending_end(&sending, rc);

    if (ctx && ctx->hold) {
        ngx_http_error_map_hold_sent(ctx->hold);
    }

    return rc;
}


static void
ngx_http_error_map_watch(ngx_http_error_map_ctx_t *ctx, ngx_chain_t *in)
{
    if (ctx == NULL || ctx->hold == NULL) {
        return;
    }

    for ( /* void */ ; in; in = in->next) {
        ngx_http_error_map_pipe_watch(ctx->hold, in->buf);
    }
}


static ngx_inline ngx_int_t
ngx_http_error_map_decided(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx)
{
    if (conf->intercept && ngx_http_error_map_intercepts(r, conf, ctx)) {
        return ngx_http_error_map_intercept(r, ctx);
    }

    if (ngx_http_error_map_respond(r, conf, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return ctx->body ? ngx_http_error_map_decided_body(r, conf, ctx)
                     : ngx_http_error_map_send_header(r, ctx, NULL);
}


static ngx_http_error_map_noinline ngx_int_t
ngx_http_error_map_decided_body(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx)
{
    ngx_int_t   rc;
    ngx_uint_t  replaced;

    rc = ngx_http_error_map_send_header(r, ctx, &replaced);

    if (rc == NGX_ERROR || replaced) {
        return rc;
    }

    if (ngx_http_error_map_upstream_active(r) && !r->upstream->buffering) {

        /* nginx will set this, too, but only after the header */

        r->limit_rate = 0;
        r->limit_rate_set = 1;
    }

    return ngx_http_error_map_replace(r, conf, ctx);
}


static ngx_int_t
ngx_http_error_map_hold(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_reader_t *reader)
{
    ngx_msec_t                  waited;
    ngx_pool_cleanup_t         *cln;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_error_map_ctx_t   *ctx;
    ngx_http_error_map_hold_t  *hold;

    ctx = ngx_http_error_map_create_ctx(r, reader->document,
                                        r->headers_out.status);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    hold = ngx_pcalloc(r->pool, sizeof(ngx_http_error_map_hold_t));
    if (hold == NULL) {
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_error_map_hold_cleanup;
    cln->data = hold;

    hold->request = r;
    hold->reader = *reader;
    hold->skip = reader->size;
    hold->last_out = &hold->out;
    hold->last_held = &hold->held;
    hold->last_given = &hold->given;
    hold->start = ngx_current_msec;

    if (conf->upstream) {
        hold->start -= ngx_http_error_map_upstream_waited(r);
    }

    hold->upstream = ngx_http_error_map_upstream_active(r);

    if (hold->upstream
        && ngx_http_error_map_upstream_end(r, ngx_http_error_map_ended, hold)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* nginx's debug log of timers expects a connection in data */

    hold->timer.data = r->connection;
    hold->timer.handler = ngx_http_error_map_timeout;
    hold->timer.log = r->connection->log;

    waited = ngx_current_msec - hold->start;

    ngx_add_timer(&hold->timer, conf->hold_timeout > waited
                                ? conf->hold_timeout - waited : 0);

    ctx->hold = hold;

    ngx_http_error_map_set_phase(r, ctx, NGX_HTTP_ERROR_MAP_HOLD);
    ngx_http_set_ctx(r, ctx, ngx_http_error_map_filter_module);

    hold->in_memory = r->filter_need_in_memory;
    r->filter_need_in_memory = 1;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->error_pages) {

        /* one of them may need the request body again */

        r->preserve_body = 1;
    }

    if (r->headers_in.range) {
        r->allow_ranges = 0;
    }

    if (r->headers_in.if_match || r->headers_in.if_unmodified_since) {
        r->disable_not_modified = 1;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_int_t                  rc;
    ngx_uint_t                 status;
    ngx_http_error_map_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_error_map_filter_module);

    if (ctx == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    if (ctx->phase != NGX_HTTP_ERROR_MAP_PASS) {
        return ngx_http_error_map_phase_body(r, ctx, in);
    }

    /* once the header is sent, no other one can replace it */

    if (r->header_sent && !r->filter_finalize && ctx->hold == NULL) {

        status = r->headers_out.status;

        rc = ngx_http_next_body_filter(r, in);

        if (r->filter_finalize) {
            ngx_http_error_map_save_sent(r, ctx, status);
        }

        return rc;
    }

    return ngx_http_error_map_send_body(r, ctx, in);
}


static ngx_http_error_map_noinline ngx_int_t
ngx_http_error_map_phase_body(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_http_error_map_hold_t  *hold;

    if (ctx->phase != NGX_HTTP_ERROR_MAP_HOLD) {
        ngx_http_error_map_watch(ctx, in);

        ngx_http_error_map_drop_body(ctx, in);

        if (ctx->hold) {
            ngx_http_error_map_pipe_sent(ctx->hold);
        }

        return (r->connection->buffered || r->postponed)
               ? ngx_http_error_map_send_body(r, ctx, NULL) : NGX_OK;
    }

    hold = ctx->hold;

    if (ngx_http_error_map_hold_read(hold, in) == NGX_OK) {
        return ngx_http_error_map_release(r, ctx, in);
    }

    if (ngx_http_error_map_hold_broken(hold, in)) {
        (void) ngx_http_error_map_reader_stop(&hold->reader,
                                          NGX_HTTP_ERROR_MAP_REASON_UPSTREAM);

        return ngx_http_error_map_release(r, ctx, in);
    }

    if (ngx_http_error_map_hold_room(hold, in) != NGX_OK) {
        (void) ngx_http_error_map_reader_stop(&hold->reader,
                                        NGX_HTTP_ERROR_MAP_REASON_HOLD_TOTAL);

        return ngx_http_error_map_release(r, ctx, in);
    }

    return ngx_http_error_map_hold_append(hold, in);
}


/* sends the header changed by the verdict, the held bytes, and the chain */

static ngx_int_t
ngx_http_error_map_release(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_http_error_map_hold_t      *hold;
    ngx_http_error_map_loc_conf_t  *conf;

    hold = ctx->hold;

    ngx_http_error_map_hold_stop(hold);
    ngx_http_error_map_pipe_leave(hold);
    ngx_http_error_map_set_phase(r, ctx, NGX_HTTP_ERROR_MAP_PASS);

    conf = ngx_http_get_module_loc_conf(r, ngx_http_error_map_filter_module);

    if (ngx_http_error_map_conclude(r, conf, &hold->reader, ctx, hold->size,
                                    ngx_current_msec - hold->start)
        == NULL)
    {
        return NGX_ERROR;
    }

    r->filter_need_in_memory = hold->in_memory;

    if (!hold->ended && ngx_http_error_map_intercepts(r, conf, ctx)) {
        ngx_http_error_map_hold_consume(in);

        ngx_http_error_map_intercept_later(r, ctx, 0);

        return NGX_OK;
    }

    return ngx_http_error_map_send_held(r, ctx, in);
}


static ngx_int_t
ngx_http_error_map_send_held(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_int_t                       rc;
    ngx_uint_t                      replaced;
    ngx_http_error_map_hold_t      *hold;
    ngx_http_error_map_loc_conf_t  *conf;

    hold = ctx->hold;
    conf = ngx_http_get_module_loc_conf(r, ngx_http_error_map_filter_module);

    if (ngx_http_error_map_respond(r, conf, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_error_map_send_header(r, ctx, &replaced);

    if (rc > NGX_OK) {

        /* another filter wants an error page */

        ngx_http_error_map_hold_consume(in);

        ngx_http_error_map_intercept_later(r, ctx, rc);

        return NGX_OK;
    }

    if (rc == NGX_ERROR || replaced) {
        return rc;
    }

    if (r->header_only) {

        /* such as a 304: the client gets no body, the upstream still sends */

        ngx_http_error_map_hold_consume(in);
        ngx_http_error_map_hold_discard(hold);

#if (NGX_HTTP_CACHE)

        if (ngx_http_error_map_upstream_active(r) && r->upstream->cacheable) {

            /* it is for the cache, as nginx has it */

            ngx_http_error_map_set_phase(r, ctx, NGX_HTTP_ERROR_MAP_DROP);

            return rc;
        }

#endif

        return (ngx_http_error_map_drop(r, conf, ctx) == NGX_OK) ? rc
                                                                 : NGX_ERROR;
    }

    if (ctx->body) {
        ngx_http_error_map_hold_consume(in);
        ngx_http_error_map_hold_discard(hold);

        return ngx_http_error_map_replace(r, conf, ctx);
    }

    in = ngx_http_error_map_hold_needs(r, hold, in);
    if (in == NGX_CHAIN_ERROR) {
        return NGX_ERROR;
    }

    *hold->last_out = ngx_http_error_map_hold_flush(hold, in);

    in = hold->out;

    /* the rest of the chain is not ours to keep */

    hold->out = NULL;
    hold->last_out = &hold->out;

    return in ? ngx_http_error_map_send(r, ctx, in) : rc;
}


/* sends ctx->body; the vendor's body is read and discarded */

static ngx_int_t
ngx_http_error_map_replace(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx)
{
    ngx_int_t    rc;
    ngx_chain_t  out;

    out.buf = ctx->body;
    out.next = NULL;

    rc = r->header_only ? NGX_OK : ngx_http_error_map_send(r, ctx, &out);

    /* not before, as a filter may end the response while it is sent */

    return (ngx_http_error_map_drop(r, conf, ctx) == NGX_OK) ? rc : NGX_ERROR;
}


static ngx_int_t
ngx_http_error_map_send(ngx_http_request_t *r, ngx_http_error_map_ctx_t *ctx,
    ngx_chain_t *out)
{
    ngx_int_t  rc;

    rc = ngx_http_error_map_send_body(r, ctx, out);

    if (rc != NGX_ERROR
        && ngx_http_error_map_upstream_active(r)
        && ((rc == NGX_AGAIN && r->upstream->buffering) || r->postponed)
        && ngx_http_error_map_write_rest(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return rc;
}


static void
ngx_http_error_map_timeout(ngx_event_t *ev)
{
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_error_map_ctx_t   *ctx;
    ngx_http_error_map_hold_t  *hold;

    hold = (ngx_http_error_map_hold_t *)
               ((u_char *) ev - offsetof(ngx_http_error_map_hold_t, timer));

    r = hold->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_log_error(NGX_LOG_INFO, c->log, 0,
                  "error map hold timed out, %uz bytes held", hold->size);

    ctx = ngx_http_get_module_ctx(r, ngx_http_error_map_filter_module);

    if (ctx
        && ctx->hold == hold
        && ctx->phase == NGX_HTTP_ERROR_MAP_HOLD)
    {
        if (ngx_http_error_map_give_up(r, ctx,
                                       NGX_HTTP_ERROR_MAP_REASON_HOLD_TIMEOUT)
            == NGX_ERROR)
        {
            /*
             * The request must not be finalized here, as the cache may need
             * its upstream.  The next write finds the error.
             */

            c->error = 1;
        }

    } else {
        ngx_http_error_map_abandon(r, (ctx && ctx->hold == hold) ? ctx : NULL);
    }

    /* a request that only waited for the held bytes continues */

    ngx_http_error_map_resume(hold);

    ngx_http_run_posted_requests(c);
}


/* releases what is held, with a flush: the client has waited long enough */

static ngx_int_t
ngx_http_error_map_give_up(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_http_error_map_reason_e reason)
{
    ngx_buf_t    *b;
    ngx_chain_t   out;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->flush = 1;
    out.buf = b;
    out.next = NULL;

    if (ctx->phase == NGX_HTTP_ERROR_MAP_HOLD) {

        (void) ngx_http_error_map_reader_stop(&ctx->hold->reader, reason);

        return ngx_http_error_map_release(r, ctx, &out);
    }

    ngx_http_error_map_hold_stop(ctx->hold);
    ngx_http_error_map_set_phase(r, ctx, NGX_HTTP_ERROR_MAP_PASS);

    return ngx_http_error_map_send_held(r, ctx, &out);
}


/*
 * After an error in what the upstream sent, nginx calls no filter: it closes
 * the client's connection.  There is no time for an error page.
 */

static void
ngx_http_error_map_ended(ngx_http_request_t *r, void *data, ngx_int_t rc)
{
    ngx_http_error_map_hold_t *hold = data;

    ngx_http_error_map_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_error_map_filter_module);

    if (rc != NGX_ERROR
        || r->connection->error
        || ctx == NULL
        || ctx->hold != hold
        || (hold->pipe && hold->pipe->downstream_error))
    {
        return;
    }

    if (ctx->phase == NGX_HTTP_ERROR_MAP_HOLD
        || (ctx->phase == NGX_HTTP_ERROR_MAP_INTERCEPT
            && !hold->refused
            && r == r->main))
    {
        hold->ended = 1;

        (void) ngx_http_error_map_give_up(r, ctx,
                                          NGX_HTTP_ERROR_MAP_REASON_UPSTREAM);
    }
}


ngx_int_t
ngx_http_error_map_body_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_error_map_body_filter;

    return NGX_OK;
}


ngx_int_t
ngx_http_error_map_header_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_error_map_header_filter;

    return NGX_OK;
}
