
#include "ngx_http_error_map_upstream.h"
#include "ngx_http_error_map_answer.h"
#include "ngx_http_error_map_direct.h"
#include "ngx_http_error_map_inspect.h"
#include "ngx_http_error_map_upstream_end.h"
#include "ngx_http_error_map_upstream_next.h"
#include "ngx_http_error_map_upstream_verdict.h"
#include "ngx_http_error_map_upstream_wait.h"
#include "ngx_http_error_map_util.h"


/*
 * The verdict inside nginx's upstream layer.  u->process_header() is wrapped:
 * after the header, the wrapper inspects the body in u->buffer, and sets the
 * edge status as if the upstream had sent it.  nginx then handles this status
 * as any other.
 */


static ngx_int_t ngx_http_error_map_upstream_reinit(ngx_http_request_t *r);
static ngx_int_t ngx_http_error_map_upstream_process(ngx_http_request_t *r);
static ngx_int_t ngx_http_error_map_upstream_watch(ngx_http_request_t *r,
    ngx_http_error_map_upstream_t *up);
static ngx_int_t ngx_http_error_map_upstream_direct(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_upstream_t *up);
static ngx_int_t ngx_http_error_map_upstream_begin(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_upstream_t *up);
static ngx_uint_t ngx_http_error_map_upstream_head(ngx_http_request_t *r,
    ngx_buf_t *request);


/* older versions of nginx alone have it among the upstream's headers */

static ngx_str_t  ngx_http_error_map_encoding = ngx_string("Content-Encoding");


ngx_int_t
ngx_http_error_map_upstream_wrap(ngx_http_request_t *r)
{
    ngx_http_upstream_t            *u;
    ngx_http_error_map_upstream_t  *up;
    ngx_http_error_map_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_error_map_filter_module);

    u = r->upstream;

    if (!conf->enable || !conf->upstream || conf->dry_run
        || u->process_header == ngx_http_error_map_upstream_process)
    {
        return NGX_OK;
    }

    up = ngx_palloc(r->pool, sizeof(ngx_http_error_map_upstream_t));
    if (up == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(up, offsetof(ngx_http_error_map_upstream_t, reader));
    ngx_http_error_map_reader_clear(&up->reader);

    up->request = r;
    up->upstream = u;
    up->request_buf = ngx_http_error_map_request_buf(r);

    up->process_header = u->process_header;
    u->process_header = ngx_http_error_map_upstream_process;

    up->reinit_request = u->reinit_request;
    u->reinit_request = ngx_http_error_map_upstream_reinit;

    ngx_http_set_ctx(r, up, ngx_http_error_map_header_filter_module);

    return NGX_OK;
}


/* called before another peer is tried, or a stale response is sent */

static ngx_int_t
ngx_http_error_map_upstream_reinit(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    ngx_http_upstream_t            *u;
    ngx_http_error_map_upstream_t  *up;

    u = r->upstream;
    up = ngx_http_error_map_upstream(r);

    ngx_http_error_map_upstream_passed(r, up);
    ngx_http_error_map_upstream_count(r, up);

    rc = up->reinit_request(r);

    if (u->process_header != ngx_http_error_map_upstream_process) {
        up->process_header = u->process_header;
        u->process_header = ngx_http_error_map_upstream_process;
    }

    ngx_http_error_map_upstream_stop(up);

    ngx_http_error_map_reader_free(&up->reader);
    ngx_http_error_map_reader_clear(&up->reader);

    up->begin = NULL;
    up->begun = 0;
    up->waited = 0;
    up->size = 0;
    up->header = 0;
    up->done = 0;
    up->decided = 0;
    up->replay = 0;
    up->error = 0;
    up->again = 0;
    up->reason = NGX_HTTP_ERROR_MAP_REASON_NONE;
    up->answer = NULL;
    up->rest = NULL;
    up->rest_last = NULL;

    if (up->saved) {
        up->saved->ctx = NULL;
    }

    ngx_http_set_ctx(r, NULL, ngx_http_error_map_filter_module);

    return rc;
}


static ngx_int_t
ngx_http_error_map_upstream_process(ngx_http_request_t *r)
{
    u_char                         *last;
    ngx_int_t                       rc, looked;
    ngx_http_upstream_t            *u;
    ngx_http_error_map_upstream_t  *up;
    ngx_http_error_map_loc_conf_t  *conf;

    u = r->upstream;
    up = ngx_http_error_map_upstream(r);

    if (!up->header) {

        last = u->buffer.last;

        if (!up->begun) {
            up->begun = 1;
            up->begin = u->buffer.pos;
        }

        rc = up->process_header(r);

        /* nginx overwrites large stderr of FastCGI, and the records are lost */

        if (u->buffer.last < last) {
            up->begin = NULL;
        }

        /* it may have replaced itself for the next call */

        if (u->process_header != ngx_http_error_map_upstream_process) {
            up->process_header = u->process_header;
            u->process_header = ngx_http_error_map_upstream_process;
        }

        /* the filter inspects cached responses */

        if (rc != NGX_OK
#if (NGX_HTTP_CACHE)
            || r->cached
#endif
           )
        {
            return rc;
        }

        up->header = 1;
        up->attempt = r->upstream_states->nelts - 1;
    }

    if (up->done) {
        return NGX_OK;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_error_map_filter_module);

    looked = conf->direct ? ngx_http_error_map_upstream_direct(r, conf, up)
                          : NGX_DECLINED;

    if (looked == NGX_OK) {
        up->done = 1;

        ngx_http_error_map_upstream_decide(r, conf, up);

        /* nginx sends the response, unless it asks the next server */

        return (u->headers_in.status_n != up->status
                && ngx_http_error_map_upstream_may_pass(u))
               ? ngx_http_error_map_upstream_watch(r, up) : NGX_OK;
    }

    if (ngx_http_error_map_upstream_watch(r, up) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_error_map_upstream_begin(r, conf, up);

    if (rc == NGX_AGAIN) {

        if (looked == NGX_AGAIN) {
            em_json_looked(&up->reader.json);
        }

        rc = ngx_http_error_map_framing_feed(&up->framing, &up->reader,
                                         u->buffer.last);
    }

    if (rc == NGX_AGAIN
        && u->buffer.last < u->buffer.end
        && conf->hold_timeout)
    {
        ngx_http_error_map_upstream_wait(r, conf, up);
        return NGX_AGAIN;
    }

    up->done = 1;

    if (rc == NGX_OK) {
        ngx_http_error_map_upstream_decide(r, conf, up);

    } else {
        if (rc == NGX_AGAIN) {
            up->reason = (u->buffer.last < u->buffer.end)
                         ? NGX_HTTP_ERROR_MAP_REASON_HOLD_TIMEOUT
                         : NGX_HTTP_ERROR_MAP_REASON_HOLD_SIZE;
        }

        ngx_http_error_map_reader_free(&up->reader);
    }

    return NGX_OK;
}


/* waits for the end of the upstream, where all that is borrowed goes back */

static ngx_int_t
ngx_http_error_map_upstream_watch(ngx_http_request_t *r,
    ngx_http_error_map_upstream_t *up)
{
    if (up->watched) {
        return NGX_OK;
    }

    up->watched = 1;

    return ngx_http_error_map_upstream_end(r,
                                           ngx_http_error_map_upstream_ended,
                                           up);
}


/* reads the usual response */

static ngx_int_t
ngx_http_error_map_upstream_direct(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_upstream_t *up)
{
    ngx_int_t                        rc;
    const u_char                    *code;
    ngx_http_upstream_headers_in_t  *headers_in;

    headers_in = &r->upstream->headers_in;

    if (headers_in->content_type == NULL
        || headers_in->x_accel_redirect
        || ngx_http_error_map_next_header(&headers_in->headers.part,
                                          &ngx_http_error_map_encoding, NULL))
    {
        return NGX_DECLINED;
    }

    up->status = headers_in->status_n;

    rc = ngx_http_error_map_direct(r, conf, &headers_in->content_type->value,
                                   headers_in->content_length_n, &code);

    if (rc > 0) {
        up->answer = ngx_http_error_map_answer(r, conf, code, rc);

        if (up->answer == NULL) {
            ngx_http_error_map_direct_reader(&up->reader, r, conf->document,
                                             code, rc);
        }

        return NGX_OK;
    }

    return rc;
}


/*
 * Returns NGX_OK or NGX_AGAIN as the reader does, or NGX_DECLINED if the
 * response is not inspected here.
 */

static ngx_int_t
ngx_http_error_map_upstream_begin(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_upstream_t *up)
{
    off_t                           length;
    ngx_buf_t                      *request;
    ngx_table_elt_t                *h;
    ngx_http_upstream_t            *u;
    ngx_http_error_map_document_t  *document;
    ngx_http_error_map_response_t   response;

    h = NULL;
    u = r->upstream;

    if (u->conf == NULL) {
        return NGX_DECLINED;
    }

    /* the request may have been created, or freed, since it was wrapped */

    request = ngx_http_error_map_request_buf(r);

    if (request == NULL) {
        request = up->request_buf;
    }

    if (ngx_http_error_map_upstream_head(r, request)) {
        up->reason = NGX_HTTP_ERROR_MAP_REASON_METHOD;
        return NGX_DECLINED;
    }

    /* X-Accel-Redirect names another response */

    if (u->headers_in.x_accel_redirect
        && !(u->conf->ignore_headers & NGX_HTTP_UPSTREAM_IGN_XA_REDIRECT))
    {
        return NGX_DECLINED;
    }

    response.status = u->headers_in.status_n;
    response.coding = NULL;
    response.headers = &u->headers_in.headers.part;
    ngx_str_null(&response.type);

    if (u->headers_in.content_type) {
        response.type = u->headers_in.content_type->value;
    }

    while ((h = ngx_http_error_map_next_header(response.headers,
                                               &ngx_http_error_map_encoding, h)))
    {
        response.coding = h;
    }

    up->reason = ngx_http_error_map_inspected(r, conf, &response);

    if (up->reason) {
        return NGX_DECLINED;
    }

    document = ngx_http_error_map_document(r, conf, 0);
    length = u->headers_in.chunked ? -1 : u->headers_in.content_length_n;

    if (document == NULL) {
        up->reason = NGX_HTTP_ERROR_MAP_REASON_DOCUMENT;
        return NGX_DECLINED;
    }

    if (ngx_http_error_map_framing_init(&up->framing, r, request, up->begin,
                                        length)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    up->status = u->headers_in.status_n;

    if (ngx_http_error_map_reader_init(&up->reader, r, document, conf,
                                       response.decode, response.stream,
                                       ngx_http_error_map_charset(
                                                              &response.type))
        == NGX_OK)
    {
        return NGX_OK;
    }

    return length ? NGX_AGAIN : ngx_http_error_map_reader_end(&up->reader);
}


/*
 * Returns 1 if the upstream was asked for a header only.  nginx asks with GET
 * to cache the response to a HEAD, and proxy_method sets any method.  A CGI's
 * method is a parameter like any other, and only a response that is stored is
 * read to its end.
 */

static ngx_uint_t
ngx_http_error_map_upstream_head(ngx_http_request_t *r, ngx_buf_t *request)
{
    ngx_str_t            *module;
    ngx_http_upstream_t  *u;

    u = r->upstream;
    module = &u->conf->module;

    if (module->len == 5 && ngx_memcmp(module->data, "proxy", 5) == 0) {
        return request && ngx_http_error_map_request_begins(request, "HEAD ");
    }

    return r->method == NGX_HTTP_HEAD && !u->cacheable && !u->store;
}
