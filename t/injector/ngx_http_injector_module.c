
/*
 * For tests only: a content handler that sends a text in buffers of every kind
 * and with every flag.
 *
 *     location /x {
 *         inject         "a text";     # may have variables
 *         inject_direct  on;           # bypasses the copy filter
 *     }
 *
 * The argument "b" lists the buffers: "t5,e+flush/m2+last" is a call with a
 * chain of two buffers, and another with a chain of one.  A call without
 * buffers has a NULL chain.  The kinds, with the number of bytes of the text:
 *
 *     t   temporary; overwritten with "#" once consumed, as if it were reused
 *     s   the same as a shadow of another buffer, as the event pipe's
 *     m   memory, in a read-only page
 *     p   mmap, in a read-only page
 *     f   in a file
 *     b   in a file and in temporary memory
 *     e   empty
 *
 * The flags: flush, sync, recycled, chain (last_in_chain), temp (temp_file) and
 * last, which ends a request or a subrequest.
 *
 * With an argument "l" the response has a Content-Length.  If a buffer has not
 * been consumed at the end of a request, an alert is logged.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <sys/mman.h>


typedef struct {
    ngx_http_complex_value_t  *text;
    ngx_flag_t                 direct;
} ngx_http_injector_loc_conf_t;


typedef struct {
    ngx_http_request_t        *request;
    ngx_chain_t               *bufs;      /* all buffers sent */
    ngx_file_t                *file;
    u_char                    *pages;     /* the text, read-only */
    size_t                     size;
    ngx_uint_t                 done;      /* the last buffer was sent */
} ngx_http_injector_ctx_t;


static ngx_int_t ngx_http_injector_handler(ngx_http_request_t *r);
static u_char *ngx_http_injector_buf(ngx_http_injector_ctx_t *ctx,
    ngx_buf_t *b, ngx_str_t *text, size_t *sent, u_char *p, u_char *last);
static u_char *ngx_http_injector_flag(ngx_http_injector_ctx_t *ctx,
    ngx_buf_t *b, u_char *p, u_char *last);
static ngx_int_t ngx_http_injector_memory(ngx_http_injector_ctx_t *ctx,
    ngx_buf_t *b, u_char *data, size_t n);
static ngx_int_t ngx_http_injector_file(ngx_http_injector_ctx_t *ctx,
    ngx_str_t *text);
static ngx_int_t ngx_http_injector_pages(ngx_http_injector_ctx_t *ctx,
    ngx_str_t *text);
static void ngx_http_injector_reuse(ngx_http_injector_ctx_t *ctx);
static void ngx_http_injector_cleanup(void *data);
static void *ngx_http_injector_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_injector_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_injector(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_injector_init_main_conf(ngx_conf_t *cf, void *conf);
static ngx_int_t ngx_http_injector_init(ngx_conf_t *cf);


static ngx_command_t  ngx_http_injector_commands[] = {

    { ngx_string("inject"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_injector,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_injector_loc_conf_t, text),
      NULL },

    { ngx_string("inject_direct"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_injector_loc_conf_t, direct),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_injector_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_injector_init,                /* postconfiguration */

    NULL,                                  /* create main configuration */
    ngx_http_injector_init_main_conf,      /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_injector_create_loc_conf,     /* create location configuration */
    ngx_http_injector_merge_loc_conf       /* merge location configuration */
};


ngx_module_t  ngx_http_injector_module = {
    NGX_MODULE_V1,
    &ngx_http_injector_module_ctx,         /* module context */
    ngx_http_injector_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* nginx declares it in no header */
extern ngx_module_t  ngx_http_copy_filter_module;


static ngx_http_output_body_filter_pt  ngx_http_next_body_filter;


static ngx_int_t
ngx_http_injector_handler(ngx_http_request_t *r)
{
    u_char                        *p, *last;
    size_t                         sent;
    ngx_buf_t                     *b;
    ngx_int_t                      rc;
    ngx_str_t                      text, list, arg;
    ngx_chain_t                   *cl, *out, **ll, **all;
    ngx_pool_cleanup_t            *cln;
    ngx_http_injector_ctx_t       *ctx;
    ngx_http_injector_loc_conf_t  *conf;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_injector_module);

    if (ngx_http_arg(r, (u_char *) "b", 1, &list) != NGX_OK) {
        return NGX_HTTP_BAD_REQUEST;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_injector_ctx_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_injector_ctx_t));
    ctx->request = r;
    cln->handler = ngx_http_injector_cleanup;

    if (ngx_http_complex_value(r, conf->text, &text) != NGX_OK
        || ngx_http_injector_file(ctx, &text) != NGX_OK
        || ngx_http_injector_pages(ctx, &text) != NGX_OK
        || ngx_http_set_content_type(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->headers_out.status = NGX_HTTP_OK;

    if (ngx_http_arg(r, (u_char *) "l", 1, &arg) == NGX_OK) {
        r->headers_out.content_length_n = text.len;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    all = &ctx->bufs;
    sent = 0;
    p = list.data;
    last = p + list.len;

    do {
        out = NULL;
        ll = &out;

        while (p < last && *p != '/') {

            b = ngx_calloc_buf(r->pool);
            cl = ngx_alloc_chain_link(r->pool);
            *all = ngx_alloc_chain_link(r->pool);

            if (b == NULL || cl == NULL || *all == NULL) {
                return NGX_ERROR;
            }

            cl->buf = b;
            cl->next = NULL;
            *ll = cl;
            ll = &cl->next;

            (*all)->buf = b;
            (*all)->next = NULL;
            all = &(*all)->next;

            p = ngx_http_injector_buf(ctx, b, &text, &sent, p, last);
            if (p == NULL) {
                ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                              "injector: bad list \"%V\"", &list);
                return NGX_ERROR;
            }

            if (p < last && *p == ',') {
                p++;
            }
        }

        rc = conf->direct ? ngx_http_next_body_filter(r, out)
                          : ngx_http_output_filter(r, out);

        if (rc == NGX_ERROR) {
            return rc;
        }

        ngx_http_injector_reuse(ctx);

    } while (p++ < last);

    return rc;
}


/* makes one buffer of the list; returns the end of its item, or NULL */

static u_char *
ngx_http_injector_buf(ngx_http_injector_ctx_t *ctx, ngx_buf_t *b,
    ngx_str_t *text, size_t *sent, u_char *p, u_char *last)
{
    u_char      kind, *data;
    size_t      n;
    ngx_buf_t  *raw;

    kind = *p++;
    data = text->data + *sent;

    for (n = 0; p < last && *p >= '0' && *p <= '9'; p++) {
        n = n * 10 + *p - '0';
    }

    if (n > text->len - *sent || (kind == 'e') != (n == 0)) {
        return NULL;
    }

    switch (kind) {

    case 'e':
        break;

    case 't':
    case 's':
    case 'b':
        if (ngx_http_injector_memory(ctx, b, data, n) != NGX_OK) {
            return NULL;
        }

        break;

    case 'm':
    case 'p':
        b->start = b->pos = ctx->pages + *sent;
        b->end = b->last = b->pos + n;
        b->memory = kind == 'm';
        b->mmap = kind == 'p';
        break;

    case 'f':
        break;

    default:
        return NULL;
    }

    if (kind == 'f' || kind == 'b') {
        b->in_file = 1;
        b->file = ctx->file;
        b->file_pos = *sent;
        b->file_last = *sent + n;
    }

    if (kind == 's') {
        raw = ngx_alloc_buf(ctx->request->pool);
        if (raw == NULL) {
            return NULL;
        }

        *raw = *b;
        raw->shadow = b;
        b->shadow = raw;
        b->last_shadow = 1;
        b->recycled = 1;
    }

    *sent += n;

    while (p < last && *p == '+') {
        p = ngx_http_injector_flag(ctx, b, p + 1, last);
        if (p == NULL) {
            return NULL;
        }
    }

    return p;
}


static u_char *
ngx_http_injector_flag(ngx_http_injector_ctx_t *ctx, ngx_buf_t *b, u_char *p,
    u_char *last)
{
    u_char      *name;
    ngx_str_t    flag;
    ngx_uint_t   empty;

    name = p;

    while (p < last && *p >= 'a' && *p <= 'z') {
        p++;
    }

    flag.data = name;
    flag.len = p - name;

    empty = !b->in_file && !ngx_buf_in_memory(b);

#define ngx_http_injector_is(name)                                            \
    (flag.len == sizeof(name) - 1                                             \
     && ngx_strncmp(flag.data, name, sizeof(name) - 1) == 0)

    if (ngx_http_injector_is("flush")) {
        b->flush = 1;

    } else if (ngx_http_injector_is("sync")) {
        b->sync = 1;

    } else if (ngx_http_injector_is("recycled")) {
        b->recycled = 1;

    } else if (ngx_http_injector_is("temp")) {
        b->temp_file = 1;

    } else if (ngx_http_injector_is("chain")) {
        b->last_in_chain = 1;

        /* as ngx_http_send_special() does */

        b->sync = empty;

    } else if (ngx_http_injector_is("last")) {
        ctx->done = 1;

        if (ctx->request == ctx->request->main) {
            b->last_buf = 1;

        } else {
            b->last_in_chain = 1;
            b->sync = empty;
        }

    } else {
        return NULL;
    }

    return p;
}


static ngx_int_t
ngx_http_injector_memory(ngx_http_injector_ctx_t *ctx, ngx_buf_t *b,
    u_char *data, size_t n)
{
    b->start = ngx_pnalloc(ctx->request->pool, n);
    if (b->start == NULL) {
        return NGX_ERROR;
    }

    b->pos = b->start;
    b->last = ngx_cpymem(b->pos, data, n);
    b->end = b->last;
    b->temporary = 1;

    return NGX_OK;
}


/* the text in an unlinked file, which the pool closes */

static ngx_int_t
ngx_http_injector_file(ngx_http_injector_ctx_t *ctx, ngx_str_t *text)
{
    char                     name[] = "/tmp/injector.XXXXXX";
    ngx_pool_cleanup_t      *cln;
    ngx_pool_cleanup_file_t  *clnf;

    cln = ngx_pool_cleanup_add(ctx->request->pool,
                               sizeof(ngx_pool_cleanup_file_t));
    ctx->file = ngx_pcalloc(ctx->request->pool, sizeof(ngx_file_t));

    if (cln == NULL || ctx->file == NULL) {
        return NGX_ERROR;
    }

    ctx->file->fd = mkstemp(name);

    if (ctx->file->fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    (void) unlink(name);

    ngx_str_set(&ctx->file->name, "injector's file");
    ctx->file->log = ctx->request->connection->log;

    clnf = cln->data;
    clnf->fd = ctx->file->fd;
    clnf->name = ctx->file->name.data;
    clnf->log = ctx->request->pool->log;
    cln->handler = ngx_pool_cleanup_file;

    return ngx_write_fd(ctx->file->fd, text->data, text->len)
           == (ssize_t) text->len ? NGX_OK : NGX_ERROR;
}


/* a write to these pages crashes the worker */

static ngx_int_t
ngx_http_injector_pages(ngx_http_injector_ctx_t *ctx, ngx_str_t *text)
{
    void  *pages;

    pages = mmap(NULL, text->len, PROT_READ|PROT_WRITE,
                 MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED) {
        return NGX_ERROR;
    }

    ctx->pages = pages;
    ctx->size = text->len;

    ngx_memcpy(pages, text->data, text->len);

    return mprotect(pages, text->len, PROT_READ) == 0 ? NGX_OK : NGX_ERROR;
}


/* a consumed buffer may be reused, so its contents are lost */

static void
ngx_http_injector_reuse(ngx_http_injector_ctx_t *ctx)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    for (cl = ctx->bufs; cl; cl = cl->next) {
        b = cl->buf;

        if (b->temporary && b->pos == b->last) {
            ngx_memset(b->start, '#', b->end - b->start);
        }
    }
}


static void
ngx_http_injector_cleanup(void *data)
{
    ngx_http_injector_ctx_t *ctx = data;

    ngx_chain_t  *cl;

    for (cl = ctx->bufs; cl; cl = cl->next) {
        if (ngx_buf_size(cl->buf) != 0
            && ctx->done
            && !ctx->request->connection->error)
        {
            ngx_log_error(NGX_LOG_ALERT, ctx->request->connection->log, 0,
                          "injector: %O bytes of a buffer were left, \"%V\"",
                          (off_t) ngx_buf_size(cl->buf), &ctx->request->args);
        }
    }

    if (ctx->pages && munmap(ctx->pages, ctx->size) == -1) {
        ngx_log_error(NGX_LOG_ALERT, ctx->request->connection->log, ngx_errno,
                      "injector: munmap() failed");
    }
}


static void *
ngx_http_injector_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_injector_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_injector_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->direct = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_http_injector_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_injector_loc_conf_t *prev = parent;
    ngx_http_injector_loc_conf_t *conf = child;

    ngx_conf_merge_value(conf->direct, prev->direct, 0);

    return NGX_CONF_OK;
}


static char *
ngx_http_injector(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_injector_handler;

    return ngx_http_set_complex_value_slot(cf, cmd, conf);
}


/* moves to right before the copy filter, after all that was moved there */

static char *
ngx_http_injector_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_uint_t      i, n;
    ngx_module_t  **modules;

    modules = cf->cycle->modules;

    for (n = 0; modules[n] != &ngx_http_copy_filter_module; n++) {
        /* void */
    }

    for (i = n; modules[i] != &ngx_http_injector_module; i++) {
        /* void */
    }

    ngx_memmove(&modules[n + 1], &modules[n], (i - n) * sizeof(ngx_module_t *));
    modules[n] = &ngx_http_injector_module;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_injector_init(ngx_conf_t *cf)
{
    /* the module is no filter, it only needs the next one at this place */

    ngx_http_next_body_filter = ngx_http_top_body_filter;

    return NGX_OK;
}
