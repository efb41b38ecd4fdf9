
/*
 * The filters in nginx's chain, between its copy filter and a sink that accepts
 * buffers at once or later.  The header is sent once and before the body;
 * responses that are not mapped pass through byte for byte; there is at most
 * one last_buf; the verdict equals that of the complete body.
 *
 * Input: a byte for the server, two of flags, two for the cuts, one for the
 * status, the body.
 */


#include "ngx.h"

#include "ngx_http_error_map_ctx.h"
#include "ngx_http_error_map_inspect.h"
#include "ngx_http_error_map_policy.h"
#include "ngx_http_error_map_reader.h"


#define FUZZ_MAX        8192

/* the flags */

#define FUZZ_BUFFERING     0x0001
#define FUZZ_PREREAD       0x0002    /* the beginning of the body is there */
#define FUZZ_CHUNKED       0x0004    /* ... in chunks */
#define FUZZ_UPSTREAM      0x0008    /* an upstream sends the response */
#define FUZZ_LENGTH        0x0010    /* Content-Length is known */
#define FUZZ_GZIP          0x0020    /* Content-Encoding is gzip */
#define FUZZ_BREAKS        0x0040    /* the upstream closes early */
#define FUZZ_TIMEOUT       0x0080    /* the hold times out */
#define FUZZ_LAST_ALONE    0x0100    /* last_buf is in a separate buffer */
#define FUZZ_SLOW          0x0200    /* the client is slow */
#define FUZZ_TEXT          0x0400    /* text/plain */
#define FUZZ_HEAD          0x0800
#define FUZZ_FLUSH         0x1000    /* buffers have a flush */
#define FUZZ_TEMPORARY     0x2000    /* a later filter writes to buffers */


static ngx_int_t fuzz_sink_init(ngx_conf_t *cf);


extern ngx_module_t  ngx_http_log_module;
extern ngx_module_t  ngx_http_proxy_module;
extern ngx_module_t  ngx_http_copy_filter_module;


static ngx_http_module_t  fuzz_sink_module_ctx = {
    NULL, fuzz_sink_init, NULL, NULL, NULL, NULL, NULL, NULL
};

static ngx_module_t  fuzz_sink_module = {
    NGX_MODULE_V1, &fuzz_sink_module_ctx, NULL, NGX_HTTP_MODULE,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NGX_MODULE_V1_PADDING
};

static ngx_module_t  *fuzz_modules[] = {
    &ngx_http_module,
    &ngx_http_core_module,
    &ngx_http_log_module,
    &ngx_http_upstream_module,
    &ngx_http_proxy_module,
    &fuzz_sink_module,
    &ngx_http_error_map_filter_module,
    &ngx_http_copy_filter_module,
    &ngx_http_error_map_header_filter_module,
    NULL
};


static u_char  fuzz_text[] =
    "http {\n"
    "error_map_types application/json text/plain;\n"
    "error_map_document d {\n"
    "    source json /code; source regex \"ERR=(\\d+)\";\n"
    "    source header X-Code;\n"
    "    success 0 OK;\n"
    "    1 400 INTERNAL a; 10 - UNAVAILABLE b; 100 404 NOT_FOUND c;\n"
    "}\n"
    "error_map_policy p {\n"
    "    base class; unknown 502; class UNAVAILABLE 503 retry_after=5s;\n"
    "    code d/100 keep;\n"
    "}\n"
    "server { listen 127.0.0.1:1; error_map d; }\n"
    "server { listen 127.0.0.1:2; error_map d policy=p;\n"
    "         error_map_hold_size 60; }\n"
    "server { listen 127.0.0.1:3; error_map d policy=p;\n"
    "         error_map_body problem type=https://a/ always; }\n"
    "server { listen 127.0.0.1:4; error_map tencent_iotvideo;\n"
    "         error_map_proxy_status edge; }\n"
    "server { listen 127.0.0.1:5; error_map d; error_map_dry_run on; }\n"
    "server { listen 127.0.0.1:6; error_map d; error_map_gunzip off;\n"
    "         error_map_header X-A \"$error_map_code $error_map_verdict\"; }\n"
    "server { listen 127.0.0.1:7; error_map off; }\n"
    "server { listen 127.0.0.1:8; error_map tencent_iot policy=p;\n"
    "         error_map_body problem; error_map_hold_size 300; }\n"
    "server { listen 127.0.0.1:9; error_map d policy=p;\n"
    "         error_map_body template application/json\n"
    "             '{\"code\":\"$error_map_code\",\"x\":$error_map_title}'; }\n"
    "}\n";


static ngx_cycle_t       *fuzz_cycle;
static ngx_http_core_srv_conf_t  **fuzz_servers;
static ngx_uint_t         fuzz_nservers;
static uint32_t           fuzz_seed;
static ngx_uint_t         fuzz_flags;

/* received by the sink */

static ngx_uint_t         fuzz_headers;
static ngx_uint_t         fuzz_status;
static off_t              fuzz_length;
static u_char             fuzz_body[4 * FUZZ_MAX];
static size_t             fuzz_body_len;
static ngx_uint_t         fuzz_last;
static ngx_chain_t       *fuzz_waiting;

/* the upstream has been closed */

static ngx_uint_t         fuzz_closed;


static uint32_t
fuzz_random(void)
{
    fuzz_seed = fuzz_seed * 1103515245 + 12345;

    return fuzz_seed >> 16;
}


#define fuzz_check(ok, fault)                                                 \
    if (!(ok)) {                                                              \
        fprintf(stderr, "%s\n", fault);                                       \
        abort();                                                              \
    }


static ngx_int_t
fuzz_header_sink(ngx_http_request_t *r)
{
    fuzz_check(fuzz_headers == 0, "a second header");
    fuzz_check(fuzz_body_len == 0 && fuzz_last == 0, "a header after a body");

    fuzz_headers++;
    fuzz_status = r->headers_out.status;
    fuzz_length = r->headers_out.content_length_n;

    if (fuzz_flags & FUZZ_TEMPORARY) {
        r->filter_need_temporary = 1;
    }

    r->header_sent = 1;

    if (r->method == NGX_HTTP_HEAD) {
        r->header_only = 1;
    }

    return NGX_OK;
}


/* as the write filter, keeps the rest in links of its own */

static ngx_int_t
fuzz_body_sink(ngx_http_request_t *r, ngx_chain_t *in)
{
    size_t         size;
    ngx_buf_t     *b;
    ngx_chain_t  **last, *cl;

    fuzz_check(in == NULL || fuzz_headers == 1, "a body without a header");

    for (last = &fuzz_waiting; *last; last = &(*last)->next) { /* void */ }

    if (ngx_chain_add_copy(r->pool, last, in) != NGX_OK) {
        abort();
    }

    while (fuzz_waiting) {

        b = fuzz_waiting->buf;

        if ((fuzz_flags & FUZZ_SLOW) && fuzz_random() % 4 == 0) {
            r->connection->buffered |= NGX_HTTP_WRITE_BUFFERED;
            return NGX_AGAIN;
        }

        fuzz_check(fuzz_last == 0, "a buffer after the last one");

        size = ngx_buf_size(b);

        fuzz_check(size == 0 || ngx_buf_in_memory(b), "a buffer not in memory");
        fuzz_check(size <= sizeof(fuzz_body) - fuzz_body_len, "too many bytes");

        if (size) {
            ngx_memcpy(fuzz_body + fuzz_body_len, b->pos, size);
            fuzz_body_len += size;
        }

        b->pos = b->last;
        fuzz_last += b->last_buf;

        cl = fuzz_waiting;
        fuzz_waiting = cl->next;
        ngx_free_chain(r->pool, cl);
    }

    r->connection->buffered &= ~NGX_HTTP_WRITE_BUFFERED;

    return NGX_OK;
}


static ngx_int_t
fuzz_sink_init(ngx_conf_t *cf)
{
    ngx_http_top_header_filter = fuzz_header_sink;
    ngx_http_top_body_filter = fuzz_body_sink;

    return NGX_OK;
}


/* the module closes the upstream, as the rest of a body is not needed */

static void
fuzz_close(void *data)
{
    ngx_http_request_t *r = data;

    r->upstream->cleanup = NULL;
    fuzz_closed = 1;
}


static void
fuzz_nothing(ngx_event_t *ev)
{
}


static void
fuzz_nothing_more(ngx_http_request_t *r)
{
}


/* nginx's loop between two reads */

static void
fuzz_loop(ngx_http_request_t *r)
{
    ngx_event_process_posted(fuzz_cycle, &ngx_posted_events);

    r->write_event_handler(r);
}


/* puts the body, or a part of it, into the upstream's buffer */

static void
fuzz_preread(ngx_http_request_t *r, const u_char *data, size_t len)
{
    u_char               *p;
    size_t                n, size;
    ngx_http_upstream_t  *u;

    u = r->upstream;

    if (!(fuzz_flags & FUZZ_PREREAD)) {
        return;
    }

    if (fuzz_flags & FUZZ_CHUNKED) {
        u->headers_in.chunked = 1;

        p = ngx_palloc(r->pool, len * 8 + 16);
        u->buffer.pos = p;

        while (len) {
            n = fuzz_random() % len + 1;
            p = ngx_sprintf(p, "%xz\r\n", n);
            p = ngx_cpymem(p, data, n);
            p = ngx_cpymem(p, "\r\n", 2);

            data += n;
            len -= n;
        }

        p = ngx_cpymem(p, "0\r\n\r\n", 5);

    } else {
        p = ngx_palloc(r->pool, len + 1);
        u->buffer.pos = p;
        p = ngx_cpymem(p, data, len);
    }

    /* the sanitizer finds reads after its end */

    size = p - u->buffer.pos;
    n = (fuzz_random() & 1) ? size : fuzz_random() % (size + 1);

    p = ngx_palloc(r->pool, n + 1);
    ngx_memcpy(p, u->buffer.pos, n);

    u->buffer.start = p;
    u->buffer.pos = p;
    u->buffer.last = p + n;
    u->buffer.end = p + n;
}


static ngx_int_t
fuzz_verdict(ngx_http_request_t *r, ngx_http_error_map_loc_conf_t *conf,
    ngx_http_error_map_reader_t *reader, const u_char *data, size_t len)
{
    ngx_int_t  rc;

    rc = ngx_http_error_map_reader_init(reader, r, conf->document,
                                        conf,
                                        (fuzz_flags & FUZZ_GZIP) ? 1 : 0,
                                        EM_EVENT_NONE,
                                        EM_CHARSET_UNKNOWN);

    if (rc == NGX_AGAIN) {
        rc = ngx_http_error_map_reader_feed(reader, (u_char *) data, len);
    }

    return (rc == NGX_AGAIN) ? ngx_http_error_map_reader_end(reader) : rc;
}


/* whether a response has no body, or a part of one, or one that is not read */

static ngx_uint_t
fuzz_skipped(ngx_http_error_map_loc_conf_t *conf, ngx_uint_t status)
{
    return (fuzz_flags & FUZZ_HEAD)
           || status < NGX_HTTP_OK
           || status == NGX_HTTP_NO_CONTENT
           || status == NGX_HTTP_PARTIAL_CONTENT
           || status == NGX_HTTP_NOT_MODIFIED
           || ((fuzz_flags & FUZZ_GZIP)
               && !(conf->decode & 1 << NGX_HTTP_ERROR_MAP_GZIP));
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    ngx_pool_t                 *pool;
    ngx_http_core_main_conf_t  *cmcf;

    fuzz_start();

    fuzz_sink_module.name = "fuzz_sink_module";
    fuzz_sink_module.index = ngx_max_module - 1;
    fuzz_sink_module.name = "fuzz_sink_module";

    fuzz_cycle = fuzz_conf(fuzz_modules, &pool, fuzz_text,
                           sizeof(fuzz_text) - 1);

    if (fuzz_cycle == NULL) {
        fprintf(stderr, "no configuration, see $FUZZ_LOG\n");
        abort();
    }

    cmcf = fuzz_main_conf(fuzz_cycle, &ngx_http_core_module);
    fuzz_servers = cmcf->servers.elts;
    fuzz_nservers = cmcf->servers.nelts;

    return 0;
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    size_t                          len, n, at;
    u_char                         *piece[FUZZ_MAX + 2];
    ngx_buf_t                      *buf[FUZZ_MAX + 2], *b;
    ngx_int_t                       rc;
    ngx_log_t                       log;
    ngx_uint_t                      i, k, status, npieces, cut, expect, ended;
    ngx_uint_t                      mapped, timed, pieces;
    ngx_event_t                     read, write;
    ngx_chain_t                    *in, **ll, *cl;
    ngx_table_elt_t                *h;
    ngx_connection_t                c;
    ngx_http_request_t             *r;
    ngx_http_log_ctx_t              log_ctx;
    ngx_http_conf_ctx_t            *ctx;
    ngx_http_upstream_t            *u;
    ngx_http_cleanup_pt             cleanup;
    ngx_http_upstream_conf_t        uconf;
    ngx_http_error_map_ctx_t       *verdict;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_error_map_action_t    *action;
    ngx_http_error_map_reader_t     reader;
    ngx_http_error_map_loc_conf_t  *conf;

    static ngx_uint_t  statuses[] = { 200, 200, 200, 400, 404, 500, 503, 304,
                                      204, 206, 100, 302 };

    if (size < 6 || size > FUZZ_MAX) {
        return 0;
    }

    ctx = fuzz_servers[data[0] % fuzz_nservers]->ctx;
    fuzz_flags = data[1] | data[2] << 8;
    fuzz_seed = data[3] | data[4] << 8;
    status = statuses[data[5] % (sizeof(statuses) / sizeof(ngx_uint_t))];

    data += 6;
    len = size - 6;

    fuzz_headers = 0;
    fuzz_body_len = 0;
    fuzz_last = 0;
    fuzz_waiting = NULL;
    fuzz_abandoned = 0;

    /* a request */

    ngx_memzero(&c, sizeof(ngx_connection_t));
    ngx_memzero(&read, sizeof(ngx_event_t));
    ngx_memzero(&write, sizeof(ngx_event_t));
    ngx_memzero(&log_ctx, sizeof(ngx_http_log_ctx_t));
    ngx_memzero(&uconf, sizeof(ngx_http_upstream_conf_t));

    log = fuzz_log;
    log.data = &log_ctx;

    read.log = write.log = &log;
    read.data = write.data = &c;
    read.handler = write.handler = fuzz_nothing;

    c.fd = 1;
    c.log = &log;
    c.read = &read;
    c.write = &write;
    c.pool = ngx_create_pool(1024, &log);

    r = ngx_pcalloc(c.pool, sizeof(ngx_http_request_t));

    c.data = r;

    r->pool = ngx_create_pool(1024, &log);
    r->connection = &c;
    r->main = r;
    r->count = 1;
    r->signature = NGX_HTTP_MODULE;
    r->main_conf = ctx->main_conf;
    r->srv_conf = ctx->srv_conf;
    r->loc_conf = ctx->loc_conf;
    r->ctx = ngx_pcalloc(r->pool, sizeof(void *) * ngx_http_max_module);
    r->method = (fuzz_flags & FUZZ_HEAD) ? NGX_HTTP_HEAD : NGX_HTTP_GET;
    r->http_version = NGX_HTTP_VERSION_11;
    r->uri_changes = NGX_HTTP_MAX_URI_CHANGES + 1;
    r->write_event_handler = fuzz_nothing_more;
    r->read_event_handler = fuzz_nothing_more;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    r->variables = ngx_pcalloc(r->pool, cmcf->variables.nelts
                                        * sizeof(ngx_http_variable_value_t));

    conf = ngx_http_get_module_loc_conf(r, ngx_http_error_map_filter_module);

    /* ... and its response */

    if (ngx_list_init(&r->headers_out.headers, r->pool, 4,
                      sizeof(ngx_table_elt_t))
        != NGX_OK
        || ngx_list_init(&r->headers_out.trailers, r->pool, 4,
                         sizeof(ngx_table_elt_t))
           != NGX_OK)
    {
        abort();
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = (fuzz_flags & FUZZ_LENGTH)
                                      ? (off_t) len : -1;

    if (fuzz_flags & FUZZ_TEXT) {
        ngx_str_set(&r->headers_out.content_type, "text/plain; charset=utf-8");

    } else {
        ngx_str_set(&r->headers_out.content_type, "application/json");
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;

    if (fuzz_flags & FUZZ_GZIP) {
        h = ngx_list_push(&r->headers_out.headers);
        ngx_memzero(h, sizeof(ngx_table_elt_t));
        h->hash = 1;
        ngx_str_set(&h->key, "Content-Encoding");
        ngx_str_set(&h->value, "gzip");
        h->lowcase_key = (u_char *) "content-encoding";
        r->headers_out.content_encoding = h;
    }

    u = NULL;
    cleanup = fuzz_close;
    fuzz_closed = 0;

    if (fuzz_flags & FUZZ_UPSTREAM) {
        u = ngx_pcalloc(r->pool, sizeof(ngx_http_upstream_t));

        if (ngx_list_init(&u->headers_in.headers, r->pool, 4,
                          sizeof(ngx_table_elt_t))
            != NGX_OK)
        {
            abort();
        }

        /* an upstream that speaks HTTP/1 has a status line */

        ngx_str_set(&uconf.module, "proxy");
        ngx_str_set(&u->headers_in.status_line, "200 OK");

        u->conf = &uconf;
        u->cleanup = &cleanup;
        u->buffering = (fuzz_flags & FUZZ_BUFFERING) ? 1 : 0;
        u->headers_in.status_n = status;
        u->headers_in.content_length_n = r->headers_out.content_length_n;

        r->upstream = u;

        if ((fuzz_flags & FUZZ_CHUNKED)) {
            r->headers_out.content_length_n = -1;
        }

        fuzz_preread(r, data, len);
    }

    /* the header */

    expect = NGX_HTTP_ERROR_MAP_UNDECIDED;

    if (fuzz_skipped(conf, status)) {
        expect = NGX_HTTP_ERROR_MAP_SKIPPED;

    } else if (conf->enable && conf->document) {
        (void) fuzz_verdict(r, conf, &reader, data, len);
        expect = (ngx_http_error_map_bodiless(r)
                  || !ngx_http_error_map_has_body(status)
                  || status == NGX_HTTP_PARTIAL_CONTENT)
                 ? NGX_HTTP_ERROR_MAP_SKIPPED : reader.verdict;
    }

    rc = ngx_http_top_header_filter(r);

    fuzz_check(rc == NGX_OK || rc == NGX_AGAIN, "no header");

    /* the body; each block is freed once its buffer is consumed */

    npieces = 0;
    at = 0;
    ended = 0;
    timed = 0;

    cut = (fuzz_flags & FUZZ_BREAKS) && u ? fuzz_random() % (len + 1) : len;

    /* nginx calls body filters only for a response with a body */

    while (!ended && !fuzz_closed && !r->header_only && npieces < FUZZ_MAX) {

        in = NULL;
        ll = &in;

        pieces = fuzz_random() % 3 + 1;

        for (i = 0; i < pieces && !ended; i++) {

            n = fuzz_random() % (fuzz_random() % 4 ? 20 : 600) + 1;
            n = ngx_min(n, cut - at);

            b = ngx_calloc_buf(r->pool);

            if (n) {
                piece[npieces] = malloc(n);
                buf[npieces] = b;

                ngx_memcpy(piece[npieces], data + at, n);

                b->start = b->pos = piece[npieces];
                b->end = b->last = piece[npieces] + n;
                b->temporary = 1;

                at += n;
                npieces++;
            }

            if (fuzz_flags & FUZZ_FLUSH) {
                b->flush = 1;
            }

            if (at == cut) {

                if (cut < len || (fuzz_flags & FUZZ_BREAKS && u)) {

                    /* a flush without a last_buf */

                    if (n == 0) {
                        u->cleanup = NULL;
                        b->flush = 1;
                        ended = 1;
                    }

                } else if (n == 0 || !(fuzz_flags & FUZZ_LAST_ALONE)) {
                    b->last_buf = 1;
                    b->last_in_chain = 1;
                    ended = 1;
                }
            }

            cl = ngx_alloc_chain_link(r->pool);
            cl->buf = b;
            cl->next = NULL;
            *ll = cl;
            ll = &cl->next;
        }

        rc = ngx_http_output_filter(r, in);

        fuzz_check(rc == NGX_OK || rc == NGX_AGAIN, "no body");

        for (k = 0; k < npieces; k++) {
            if (piece[k] && buf[k]->pos == buf[k]->last) {
                free(piece[k]);
                piece[k] = NULL;
            }
        }

        if ((fuzz_flags & FUZZ_TIMEOUT) && fuzz_random() % 3 == 0) {
            timed = 1;
            ngx_current_msec += conf->hold_timeout + 1;
            ngx_event_expire_timers();
        }

        fuzz_loop(r);
    }

    /* the client reads the rest */

    for (i = 0; i < 1000 && (fuzz_waiting || r->connection->buffered); i++) {
        fuzz_flags &= ~FUZZ_SLOW;
        (void) ngx_http_output_filter(r, NULL);
        fuzz_loop(r);
    }

    fuzz_loop(r);

    /* the complete response */

    fuzz_check(fuzz_headers == 1, "no header at the end");
    fuzz_check(!(r->buffered & NGX_HTTP_ERROR_MAP_BUFFERED), "still held");
    fuzz_check(fuzz_last <= 1, "more than one last buffer");

    verdict = ngx_http_get_module_ctx(r, ngx_http_error_map_filter_module);

    if (!conf->enable) {
        fuzz_check(verdict == NULL, "a verdict where the module is off");
    }

    if (verdict && !timed && cut == len && !fuzz_abandoned
        && !((fuzz_flags & FUZZ_BREAKS) && u)
        && verdict->verdict != expect)
    {
        fprintf(stderr, "verdict %d, not %d\n", (int) verdict->verdict,
                (int) expect);
        abort();
    }

    mapped = verdict && !conf->dry_run
             && (verdict->verdict == NGX_HTTP_ERROR_MAP_MAPPED
                 || verdict->verdict == NGX_HTTP_ERROR_MAP_UNKNOWN);

    if (mapped) {
        action = ngx_http_error_map_policy_action(conf->policy,
                                                  verdict->document,
                                                  verdict->entry);
        if (action && action->status) {
            status = action->status;
        }
    }

    fuzz_check(fuzz_status == status, "a wrong status");

    if (r->header_only) {
        fuzz_check(fuzz_body_len == 0, "a body after a header only");

    } else if (mapped && conf->body
               && (status >= NGX_HTTP_BAD_REQUEST || conf->body->always))
    {
        fuzz_check(fuzz_last == 1, "a new body without an end");
        fuzz_check((off_t) fuzz_body_len == fuzz_length
                   && fuzz_body_len > 2 && fuzz_body[0] == '{',
                   "no new body");

    } else {
        fuzz_check(fuzz_body_len == cut
                   && ngx_memcmp(fuzz_body, data, cut) == 0,
                   "a wrong body");
        fuzz_check(fuzz_last == (ngx_uint_t) !((fuzz_flags & FUZZ_BREAKS) && u),
                   "a wrong end");
        fuzz_check(fuzz_length == r->headers_out.content_length_n
                   && (fuzz_length == -1 || fuzz_length == (off_t) len),
                   "a wrong length");
    }

    for (k = 0; k < npieces; k++) {
        free(piece[k]);
    }

    ngx_destroy_pool(r->pool);
    ngx_destroy_pool(c.pool);

    /* nginx waits for a client to which all of the response was not sent */

    if (fuzz_closed && write.timer_set) {
        ngx_del_timer(&write);
    }

    fuzz_check(ngx_event_timer_rbtree.root == ngx_event_timer_rbtree.sentinel,
               "a timer remains");

    if (write.posted) {
        ngx_delete_posted_event(&write);
    }

    fuzz_check(ngx_queue_empty(&ngx_posted_events), "an event remains");

    return 0;
}
