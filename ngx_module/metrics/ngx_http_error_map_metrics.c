
#include "ngx_http_error_map_metrics.h"
#include "ngx_http_error_map_util.h"
#include "ngx_http_error_map_variables.h"
#include "ngx_http_error_map_zone.h"


/* a page under construction */

typedef struct {
    ngx_pool_t                     *pool;
    ngx_chain_t                    *out;
    ngx_chain_t                   **last_out;
    ngx_buf_t                      *buf;
    off_t                           size;
} ngx_http_error_map_page_t;


#define ngx_http_error_map_both(counters)  ((counters)[0] + (counters)[1])

/* all responses, or those of a dry run */

#define ngx_http_error_map_part(counters, dry_run)                            \
    ((dry_run) ? (counters)[1] : ngx_http_error_map_both(counters))


static ngx_int_t ngx_http_error_map_prometheus_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_error_map_json_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_error_map_page_send(ngx_http_request_t *r,
    ngx_int_t (*make)(ngx_http_error_map_page_t *page,
        ngx_http_error_map_main_conf_t *emcf), ngx_str_t *type);
static ngx_int_t ngx_http_error_map_page_line(ngx_http_error_map_page_t *page,
    const char *fmt, ...);
static ngx_int_t ngx_http_error_map_page_code(ngx_http_error_map_page_t *page,
    const char *code);
static ngx_http_error_map_counters_t *ngx_http_error_map_shown(
    ngx_http_error_map_main_conf_t *emcf, ngx_uint_t i, ngx_str_t *name);
static ngx_uint_t ngx_http_error_map_reason_shown(
    ngx_http_error_map_counters_t *c, ngx_uint_t reason, ngx_uint_t dry_run);
static ngx_uint_t ngx_http_error_map_dry_run_seen(
    ngx_http_error_map_counters_t *c);
static ngx_uint_t ngx_http_error_map_class_sums(
    ngx_http_error_map_counters_t *c, const em_document_t *table,
    ngx_atomic_uint_t *sums);
static ngx_int_t ngx_http_error_map_prometheus(ngx_http_error_map_page_t *page,
    ngx_http_error_map_main_conf_t *emcf);
static ngx_int_t ngx_http_error_map_prometheus_responses(
    ngx_http_error_map_page_t *page, ngx_http_error_map_main_conf_t *emcf,
    ngx_uint_t dry_run);
static ngx_int_t ngx_http_error_map_prometheus_codes(
    ngx_http_error_map_page_t *page, ngx_http_error_map_main_conf_t *emcf,
    ngx_uint_t dry_run);
static ngx_int_t ngx_http_error_map_prometheus_live(
    ngx_http_error_map_page_t *page, ngx_http_error_map_main_conf_t *emcf);
static ngx_int_t ngx_http_error_map_prometheus_passed(
    ngx_http_error_map_page_t *page, ngx_http_error_map_main_conf_t *emcf);
static ngx_int_t ngx_http_error_map_json(ngx_http_error_map_page_t *page,
    ngx_http_error_map_main_conf_t *emcf);
static ngx_int_t ngx_http_error_map_json_reasons(
    ngx_http_error_map_page_t *page, ngx_http_error_map_counters_t *c);
static ngx_int_t ngx_http_error_map_json_verdicts(
    ngx_http_error_map_page_t *page, ngx_http_error_map_counters_t *c);
static ngx_int_t ngx_http_error_map_json_classes(
    ngx_http_error_map_page_t *page, ngx_http_error_map_counters_t *c,
    const em_document_t *table);
static ngx_int_t ngx_http_error_map_json_passed(
    ngx_http_error_map_page_t *page, ngx_http_error_map_counters_t *c,
    ngx_uint_t shown);


char *
ngx_http_error_map_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_error_map_loc_conf_t *emlcf = conf;

    ngx_str_t                       *value;
    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_error_map_main_conf_t  *emcf;

    value = cf->args->elts;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler == ngx_http_error_map_prometheus_handler
        || clcf->handler == ngx_http_error_map_json_handler)
    {
        return "is duplicate";
    }

    if (clcf->handler) {
        return "conflicts with another content handler, such as "
               "\"proxy_pass\"";
    }

    if (ngx_strcmp(value[1].data, "prometheus") == 0) {
        clcf->handler = ngx_http_error_map_prometheus_handler;

    } else if (ngx_strcmp(value[1].data, "json") == 0) {
        clcf->handler = ngx_http_error_map_json_handler;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid format \"%V\" in \"error_map_metrics\", it "
                           "must be prometheus or json", &value[1]);
        return NGX_CONF_ERROR;
    }

    emlcf->metrics_file = cf->conf_file->file.name.data;
    emlcf->metrics_line = cf->conf_file->line;

    emcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_error_map_filter_module);

    if (emcf->metrics_file == NULL) {
        emcf->metrics_file = emlcf->metrics_file;
        emcf->metrics_line = emlcf->metrics_line;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_error_map_metrics_check(ngx_conf_t *cf,
    ngx_http_error_map_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->metrics_file == NULL
        || clcf->handler == ngx_http_error_map_prometheus_handler
        || clcf->handler == ngx_http_error_map_json_handler)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"error_map_metrics\" directive conflicts with another "
                  "content handler, such as \"proxy_pass\" in %s:%ui",
                  conf->metrics_file, conf->metrics_line);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_error_map_prometheus_handler(ngx_http_request_t *r)
{
    static ngx_str_t  type = ngx_string("text/plain; version=0.0.4");

    return ngx_http_error_map_page_send(r, ngx_http_error_map_prometheus,
                                        &type);
}


static ngx_int_t
ngx_http_error_map_json_handler(ngx_http_request_t *r)
{
    static ngx_str_t  type = ngx_string("application/json");

    return ngx_http_error_map_page_send(r, ngx_http_error_map_json, &type);
}


static ngx_int_t
ngx_http_error_map_page_send(ngx_http_request_t *r,
    ngx_int_t (*make)(ngx_http_error_map_page_t *page,
        ngx_http_error_map_main_conf_t *emcf), ngx_str_t *type)
{
    ngx_int_t                   rc;
    ngx_table_elt_t            *h;
    ngx_http_error_map_page_t   page;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_memzero(&page, sizeof(ngx_http_error_map_page_t));

    page.pool = r->pool;
    page.last_out = &page.out;

    if (make(&page, ngx_http_get_module_main_conf(r,
                                           ngx_http_error_map_filter_module))
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    page.buf->last_buf = (r == r->main);
    page.buf->last_in_chain = 1;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = page.size;
    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = type->len;
    r->headers_out.content_type_lowcase = NULL;

    h = ngx_http_error_map_push_header(r);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    h->hash = 1;
    ngx_str_set(&h->key, "Cache-Control");
    ngx_str_set(&h->value, "no-store");
    h->lowcase_key = (u_char *) "cache-control";

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, page.out);
}


static ngx_int_t
ngx_http_error_map_page_line(ngx_http_error_map_page_t *page, const char *fmt,
    ...)
{
    u_char       *p;
    va_list       args;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = page->buf;

    for ( ;; ) {

        if (b) {
            va_start(args, fmt);
            p = ngx_vslprintf(b->last, b->end, fmt, args);
            va_end(args);

            /* a line that was cut off fills the buffer */

            if (p < b->end) {
                page->size += p - b->last;
                b->last = p;
                return NGX_OK;
            }
        }

        b = ngx_create_temp_buf(page->pool, 32768);
        cl = ngx_alloc_chain_link(page->pool);

        if (b == NULL || cl == NULL) {
            return NGX_ERROR;
        }

        cl->buf = b;
        cl->next = NULL;

        *page->last_out = cl;
        page->last_out = &cl->next;
        page->buf = b;
    }
}


/*
 * Adds a code or a label, which has no control characters: JSON and Prometheus
 * have the same escapes for the rest.  Invalid UTF-8 becomes %XX, so that codes
 * stay different.
 */

static ngx_int_t
ngx_http_error_map_page_code(ngx_http_error_map_page_t *page, const char *code)
{
    char        *fmt;
    size_t       n, len;
    u_char      *p, *last;

    p = (u_char *) code;
    last = p + ngx_strlen(p);

    while (p < last) {

        /* as many characters as need no escape */

        for (len = 0; p + len < last; len += n) {

            n = ngx_http_error_map_utf8(p + len, last - p - len);

            if (n == 0 || p[len] == '"' || p[len] == '\\') {
                break;
            }
        }

        fmt = "%*s";

        if (len == 0) {
            len = 1;
            fmt = (*p < 0x80) ? "\\%*s" : NULL;
        }

        if ((fmt ? ngx_http_error_map_page_line(page, fmt, len, p)
                 : ngx_http_error_map_page_line(page, "%%%02Xd", (int) *p))
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        p += len;
    }

    return NGX_OK;
}


/* returns the counters of document i, and its name */

static ngx_http_error_map_counters_t *
ngx_http_error_map_shown(ngx_http_error_map_main_conf_t *emcf, ngx_uint_t i,
    ngx_str_t *name)
{
    ngx_http_error_map_document_t  **documents;

    if (i < emcf->documents.nelts) {
        documents = emcf->documents.elts;
        *name = documents[i]->name;

    } else {
        ngx_str_set(name, "");
    }

    return (ngx_http_error_map_counters_t *)
               (emcf->zone->counters + emcf->zone->offsets[i]);
}


/*
 * Reasons appear together, with the first response of a document, so that a
 * reason grows from zero; those of a dry run appear once they have been seen.
 */

static ngx_uint_t
ngx_http_error_map_reason_shown(ngx_http_error_map_counters_t *c,
    ngx_uint_t reason, ngx_uint_t dry_run)
{
    ngx_uint_t  k;

    if (c->reasons[reason][dry_run]) {
        return 1;
    }

    if (dry_run || reason == 0) {
        return 0;
    }

    for (k = 0; k < NGX_HTTP_ERROR_MAP_VERDICTS; k++) {
        if (ngx_http_error_map_both(c->verdicts[k])) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_error_map_dry_run_seen(ngx_http_error_map_counters_t *c)
{
    ngx_uint_t  k;

    for (k = 0; k < NGX_HTTP_ERROR_MAP_VERDICTS; k++) {
        if (c->verdicts[k][1]) {
            return 1;
        }
    }

    return 0;
}


/*
 * Adds up the codes of each class, without those of a dry run.  Returns a bit
 * for each class that is shown: those of the rows, and UNKNOWN.  A row of a
 * success code, or an unused slot, is OK.
 */

static ngx_uint_t
ngx_http_error_map_class_sums(ngx_http_error_map_counters_t *c,
    const em_document_t *table, ngx_atomic_uint_t *sums)
{
    ngx_uint_t         k, shown;
    const em_entry_t  *entry;

    ngx_memzero(sums, EM_NCLASSES * sizeof(ngx_atomic_uint_t));

    sums[EM_UNKNOWN] = c->other[0];
    shown = 1 << EM_UNKNOWN;

    for (k = 0; k < table->nslots; k++) {
        entry = &table->entries[k];

        sums[entry->class] += c->codes[k][0];
        shown |= (ngx_uint_t) 1 << entry->class;
    }

    if (sums[EM_OK] == 0) {
        shown &= ~((ngx_uint_t) 1 << EM_OK);
    }

    return shown;
}


#define ngx_http_error_map_reason_name(reason)                                \
    (&ngx_http_error_map_verdicts[ngx_http_error_map_reason_verdict(reason)])

#define ngx_http_error_map_dry_run(pair)                                      \
    (((pair)->statuses & NGX_HTTP_ERROR_MAP_DRY_RUN) != 0)


/*
 * Prometheus text format 0.0.4.  Codes and pairs of statuses appear once they
 * have been seen, reasons with the first response, all other series always.
 */

static ngx_int_t
ngx_http_error_map_prometheus(ngx_http_error_map_page_t *page,
    ngx_http_error_map_main_conf_t *emcf)
{
    ngx_str_t                       name;
    ngx_uint_t                      i, n, k;
    ngx_atomic_uint_t               msec;
    ngx_http_error_map_pair_t      *pair;
    ngx_http_error_map_counters_t  *c;

    n = emcf->documents.nelts;

#define ngx_http_error_map_say(...)                                           \
    if (ngx_http_error_map_page_line(page, __VA_ARGS__) != NGX_OK) {          \
        return NGX_ERROR;                                                     \
    }

#define ngx_http_error_map_say_code(code)                                     \
    if (ngx_http_error_map_page_code(page, code) != NGX_OK) {                 \
        return NGX_ERROR;                                                     \
    }

    ngx_http_error_map_say("# HELP nginx_error_map_info The module.\n"
                           "# TYPE nginx_error_map_info gauge\n"
                           "nginx_error_map_info{version=\"%s\"} 1\n",
                           NGX_HTTP_ERROR_MAP_VERSION);

    if (ngx_http_error_map_prometheus_responses(page, emcf, 0) != NGX_OK
        || ngx_http_error_map_prometheus_live(page, emcf) != NGX_OK
        || ngx_http_error_map_prometheus_passed(page, emcf) != NGX_OK
        || ngx_http_error_map_prometheus_codes(page, emcf, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_error_map_say("# HELP nginx_error_map_status_total "
                           "Responses by upstream status and edge status.\n"
                           "# TYPE nginx_error_map_status_total counter\n");

    for (i = 0; i < n; i++) {
        c = ngx_http_error_map_shown(emcf, i, &name);

        for (k = 0; k < NGX_HTTP_ERROR_MAP_PAIRS; k++) {
            pair = &c->pairs[k];

            if (pair->count) {
                ngx_http_error_map_say("nginx_error_map_status_total"
                                       "{document=\"%V\","
                                       "upstream_status=\"%uA\","
                                       "status=\"%uA\",dry_run=\"%d\"} %uA\n",
                                       &name, pair->statuses >> 16,
                                       pair->statuses & 0x3ff,
                                       ngx_http_error_map_dry_run(pair),
                                       pair->count);
            }
        }

        for (k = 0; k < 2; k++) {
            if (c->more[k]) {
                ngx_http_error_map_say("nginx_error_map_status_total"
                                       "{document=\"%V\","
                                       "upstream_status=\"other\","
                                       "status=\"other\",dry_run=\"%ui\"} "
                                       "%uA\n", &name, k, c->more[k]);
            }
        }
    }

    ngx_http_error_map_say("# HELP nginx_error_map_hold_bytes_total "
                           "Bytes of bodies held until a verdict.\n"
                           "# TYPE nginx_error_map_hold_bytes_total counter\n");

    for (i = 0; i < n; i++) {
        c = ngx_http_error_map_shown(emcf, i, &name);

        ngx_http_error_map_say("nginx_error_map_hold_bytes_total"
                               "{document=\"%V\"} %uA\n", &name, c->hold_bytes);
    }

    ngx_http_error_map_say("# HELP nginx_error_map_hold_seconds_total "
                           "Time that responses were held until a verdict.\n"
                           "# TYPE nginx_error_map_hold_seconds_total "
                           "counter\n");

    for (i = 0; i < n; i++) {
        c = ngx_http_error_map_shown(emcf, i, &name);
        msec = c->hold_msec;

        ngx_http_error_map_say("nginx_error_map_hold_seconds_total"
                               "{document=\"%V\"} %uA.%03uA\n",
                               &name, msec / 1000, msec % 1000);
    }

    if (ngx_http_error_map_prometheus_responses(page, emcf, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_error_map_prometheus_codes(page, emcf, 1);
}


/* all responses, or those of a dry run */

static ngx_int_t
ngx_http_error_map_prometheus_responses(ngx_http_error_map_page_t *page,
    ngx_http_error_map_main_conf_t *emcf, ngx_uint_t dry_run)
{
    char                           *series;
    ngx_str_t                       name;
    ngx_uint_t                      i, n, k;
    ngx_http_error_map_counters_t  *c;

    n = emcf->documents.nelts;
    series = dry_run ? "nginx_error_map_dry_run_responses_total"
                     : "nginx_error_map_responses_total";

    ngx_http_error_map_say("# HELP %s Responses%s by verdict.\n"
                           "# TYPE %s counter\n",
                           series, dry_run ? " of a dry run" : "", series);

    for (i = 0; i <= n; i++) {
        c = ngx_http_error_map_shown(emcf, i, &name);

        for (k = 0; k < NGX_HTTP_ERROR_MAP_VERDICTS; k++) {

            /* responses without a document are always skipped */

            if (i < n || k == NGX_HTTP_ERROR_MAP_SKIPPED) {
                ngx_http_error_map_say("%s{document=\"%V\",verdict=\"%V\"} "
                                       "%uA\n",
                                       series, &name,
                                       &ngx_http_error_map_verdicts[k],
                                       ngx_http_error_map_part(c->verdicts[k],
                                                               dry_run));
            }
        }
    }

    return NGX_OK;
}


/*
 * The same by code.  Once a document has had a dry run, a code appears in both
 * series at once, so that they can be subtracted.
 */

static ngx_int_t
ngx_http_error_map_prometheus_codes(ngx_http_error_map_page_t *page,
    ngx_http_error_map_main_conf_t *emcf, ngx_uint_t dry_run)
{
    char                            *series;
    ngx_str_t                        name;
    ngx_uint_t                       i, n, k;
    const em_entry_t                *entry;
    const em_document_t             *table;
    ngx_http_error_map_counters_t   *c;
    ngx_http_error_map_document_t  **documents;

    documents = emcf->documents.elts;
    n = emcf->documents.nelts;
    series = dry_run ? "nginx_error_map_dry_run_codes_total"
                     : "nginx_error_map_codes_total";

    ngx_http_error_map_say("# HELP %s Responses%s by the vendor's code.\n"
                           "# TYPE %s counter\n",
                           series, dry_run ? " of a dry run" : "", series);

    for (i = 0; i < n; i++) {
        c = ngx_http_error_map_shown(emcf, i, &name);
        table = documents[i]->table;

        if (dry_run && !ngx_http_error_map_dry_run_seen(c)) {
            continue;
        }

        for (k = 0; k < table->nslots; k++) {
            entry = &table->entries[k];

            if (ngx_http_error_map_both(c->codes[k])) {
                ngx_http_error_map_say("%s{document=\"%V\",code=\"", series,
                                       &name);
                ngx_http_error_map_say_code(entry->code);
                ngx_http_error_map_say("\",class=\"%s\"} %uA\n",
                                       em_class_names[entry->class].data,
                                       ngx_http_error_map_part(c->codes[k],
                                                               dry_run));
            }
        }

        if (ngx_http_error_map_both(c->other)) {
            ngx_http_error_map_say("%s{document=\"%V\",code=\"other\","
                                   "class=\"UNKNOWN\"} %uA\n", series, &name,
                                   ngx_http_error_map_part(c->other, dry_run));
        }
    }

    return NGX_OK;
}


/* series that do without the dry run, or have a label for it */

static ngx_int_t
ngx_http_error_map_prometheus_live(ngx_http_error_map_page_t *page,
    ngx_http_error_map_main_conf_t *emcf)
{
    ngx_str_t                        name;
    ngx_uint_t                       i, n, k, dry_run, shown;
    ngx_atomic_uint_t                sums[EM_NCLASSES];
    ngx_http_error_map_counters_t   *c;
    ngx_http_error_map_document_t  **documents;

    documents = emcf->documents.elts;
    n = emcf->documents.nelts;

    ngx_http_error_map_say("# HELP nginx_error_map_unmapped_total "
                           "Responses without a code by reason.\n"
                           "# TYPE nginx_error_map_unmapped_total counter\n");

    for (i = 0; i <= n; i++) {
        c = ngx_http_error_map_shown(emcf, i, &name);

        for (k = 0; k < 2 * NGX_HTTP_ERROR_MAP_REASONS; k++) {
            dry_run = k % 2;

            if (ngx_http_error_map_reason_shown(c, k / 2, dry_run)) {
                ngx_http_error_map_say("nginx_error_map_unmapped_total"
                                       "{document=\"%V\",verdict=\"%V\","
                                       "reason=\"%V\",dry_run=\"%ui\"} %uA\n",
                                       &name,
                                       ngx_http_error_map_reason_name(k / 2),
                                       &ngx_http_error_map_reasons[k / 2],
                                       dry_run, c->reasons[k / 2][dry_run]);
            }
        }
    }

    ngx_http_error_map_say("# HELP nginx_error_map_classes_total "
                           "Responses by class, without a dry run.\n"
                           "# TYPE nginx_error_map_classes_total counter\n");

    for (i = 0; i < n; i++) {
        c = ngx_http_error_map_shown(emcf, i, &name);
        shown = ngx_http_error_map_class_sums(c, documents[i]->table, sums);

        for (k = 0; k < EM_NCLASSES; k++) {

            if (shown & ((ngx_uint_t) 1 << k)) {
                ngx_http_error_map_say("nginx_error_map_classes_total"
                                       "{document=\"%V\",class=\"%s\"} %uA\n",
                                       &name, em_class_names[k].data, sums[k]);
            }
        }
    }

    return NGX_OK;
}


/* by the classes of a document, and class="" for what has no error */

static ngx_int_t
ngx_http_error_map_prometheus_passed(ngx_http_error_map_page_t *page,
    ngx_http_error_map_main_conf_t *emcf)
{
    ngx_str_t                        name;
    ngx_uint_t                       i, n, k, shown;
    ngx_atomic_uint_t                sums[EM_NCLASSES];
    ngx_http_error_map_counters_t   *c;
    ngx_http_error_map_document_t  **documents;

    documents = emcf->documents.elts;
    n = emcf->documents.nelts;

    ngx_http_error_map_say("# HELP nginx_error_map_passed_over_total "
                           "Responses that nginx passed over for another "
                           "server or a stale response.\n"
                           "# TYPE nginx_error_map_passed_over_total "
                           "counter\n");

    for (i = 0; i <= n; i++) {
        c = ngx_http_error_map_shown(emcf, i, &name);
        shown = (i < n) ? ngx_http_error_map_class_sums(c, documents[i]->table,
                                                        sums)
                        : 0;

        for (k = 0; k < EM_NCLASSES; k++) {

            if (shown & ((ngx_uint_t) 1 << k)) {
                ngx_http_error_map_say("nginx_error_map_passed_over_total"
                                       "{document=\"%V\",class=\"%s\"} %uA\n",
                                       &name, em_class_names[k].data,
                                       c->passed[k]);
            }
        }

        ngx_http_error_map_say("nginx_error_map_passed_over_total"
                               "{document=\"%V\",class=\"\"} %uA\n",
                               &name, c->passed[EM_NCLASSES]);
    }

    return NGX_OK;
}


/* the same in JSON, with the titles; see docs/directives.md */

static ngx_int_t
ngx_http_error_map_json(ngx_http_error_map_page_t *page,
    ngx_http_error_map_main_conf_t *emcf)
{
    char                            *comma;
    ngx_str_t                        name;
    ngx_uint_t                       i, n, k;
    ngx_atomic_uint_t                msec, dry_run;
    const em_entry_t                *entry;
    const em_document_t             *table;
    ngx_http_error_map_pair_t       *pair;
    ngx_http_error_map_counters_t   *c;
    ngx_http_error_map_document_t  **documents;

    documents = emcf->documents.elts;
    n = emcf->documents.nelts;

    c = ngx_http_error_map_shown(emcf, n, &name);

    dry_run = c->verdicts[NGX_HTTP_ERROR_MAP_SKIPPED][1];

    ngx_http_error_map_say("{\"version\":\"%s\",\"time\":%T,\"skipped\":%uA,"
                           "\"dry_run_skipped\":%uA,",
                           NGX_HTTP_ERROR_MAP_VERSION, ngx_time(),
                           c->verdicts[NGX_HTTP_ERROR_MAP_SKIPPED][0] + dry_run,
                           dry_run);

    if (ngx_http_error_map_json_passed(page, c, 0) != NGX_OK
        || ngx_http_error_map_json_reasons(page, c) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_error_map_say("\"documents\":[");

    for (i = 0; i < n; i++) {
        c = ngx_http_error_map_shown(emcf, i, &name);
        table = documents[i]->table;
        msec = c->hold_msec;

        ngx_http_error_map_say("%s\n{\"document\":\"%V\",", i ? "," : "",
                               &name);

        if (ngx_http_error_map_json_verdicts(page, c) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_http_error_map_say("\"hold_bytes\":%uA,\"hold_seconds\":"
                               "%uA.%03uA,",
                               c->hold_bytes, msec / 1000, msec % 1000);

        if (ngx_http_error_map_json_reasons(page, c) != NGX_OK
            || ngx_http_error_map_json_classes(page, c, table) != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_http_error_map_say("\"codes\":[");
        comma = "";

        for (k = 0; k < table->nslots; k++) {
            entry = &table->entries[k];

            if (ngx_http_error_map_both(c->codes[k])) {
                dry_run = c->codes[k][1];

                ngx_http_error_map_say("%s\n{\"code\":\"", comma);
                ngx_http_error_map_say_code(entry->code);
                ngx_http_error_map_say("\",\"class\":\"%s\","
                                       "\"title\":\"%s\",\"responses\":%uA,"
                                       "\"dry_run_responses\":%uA}",
                                       em_class_names[entry->class].data,
                                       entry->title,
                                       c->codes[k][0] + dry_run, dry_run);
                comma = ",";
            }
        }

        if (ngx_http_error_map_both(c->other)) {
            dry_run = c->other[1];

            ngx_http_error_map_say("%s\n{\"code\":\"other\",\"class\":\"UNKNOWN"
                                   "\",\"title\":\"\",\"responses\":%uA,"
                                   "\"dry_run_responses\":%uA}", comma,
                                   c->other[0] + dry_run, dry_run);
        }

        ngx_http_error_map_say("],\"statuses\":[");
        comma = "";

        for (k = 0; k < NGX_HTTP_ERROR_MAP_PAIRS; k++) {
            pair = &c->pairs[k];

            if (pair->count) {
                ngx_http_error_map_say("%s\n{\"upstream_status\":%uA,"
                                       "\"status\":%uA,\"dry_run\":%d,"
                                       "\"responses\":%uA}",
                                       comma, pair->statuses >> 16,
                                       pair->statuses & 0x3ff,
                                       ngx_http_error_map_dry_run(pair),
                                       pair->count);
                comma = ",";
            }
        }

        for (k = 0; k < 2; k++) {
            if (c->more[k]) {
                ngx_http_error_map_say("%s\n{\"upstream_status\":null,"
                                       "\"status\":null,\"dry_run\":%ui,"
                                       "\"responses\":%uA}",
                                       comma, k, c->more[k]);
                comma = ",";
            }
        }

        ngx_http_error_map_say("]}");
    }

    ngx_http_error_map_say("]}\n");

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_json_reasons(ngx_http_error_map_page_t *page,
    ngx_http_error_map_counters_t *c)
{
    char        *comma;
    ngx_uint_t   k, dry_run;

    ngx_http_error_map_say("\"unmapped\":[");
    comma = "";

    for (k = 0; k < 2 * NGX_HTTP_ERROR_MAP_REASONS; k++) {
        dry_run = k % 2;

        if (ngx_http_error_map_reason_shown(c, k / 2, dry_run)) {
            ngx_http_error_map_say("%s\n{\"verdict\":\"%V\",\"reason\":\"%V\","
                                   "\"dry_run\":%ui,\"responses\":%uA}", comma,
                                   ngx_http_error_map_reason_name(k / 2),
                                   &ngx_http_error_map_reasons[k / 2],
                                   dry_run, c->reasons[k / 2][dry_run]);
            comma = ",";
        }
    }

    ngx_http_error_map_say("],");

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_json_verdicts(ngx_http_error_map_page_t *page,
    ngx_http_error_map_counters_t *c)
{
    ngx_uint_t         k;
    ngx_atomic_uint_t  dry_run[NGX_HTTP_ERROR_MAP_VERDICTS];

    ngx_http_error_map_say("\"verdicts\":{");

    for (k = 0; k < NGX_HTTP_ERROR_MAP_VERDICTS; k++) {
        dry_run[k] = c->verdicts[k][1];

        ngx_http_error_map_say("%s\"%V\":%uA", k ? "," : "",
                               &ngx_http_error_map_verdicts[k],
                               c->verdicts[k][0] + dry_run[k]);
    }

    ngx_http_error_map_say("},\"dry_run_verdicts\":{");

    for (k = 0; k < NGX_HTTP_ERROR_MAP_VERDICTS; k++) {
        ngx_http_error_map_say("%s\"%V\":%uA", k ? "," : "",
                               &ngx_http_error_map_verdicts[k], dry_run[k]);
    }

    ngx_http_error_map_say("},");

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_json_classes(ngx_http_error_map_page_t *page,
    ngx_http_error_map_counters_t *c, const em_document_t *table)
{
    char               *comma;
    ngx_uint_t          k, shown;
    ngx_atomic_uint_t   sums[EM_NCLASSES];

    shown = ngx_http_error_map_class_sums(c, table, sums);

    ngx_http_error_map_say("\"classes\":{");
    comma = "";

    for (k = 0; k < EM_NCLASSES; k++) {

        if (shown & ((ngx_uint_t) 1 << k)) {
            ngx_http_error_map_say("%s\"%s\":%uA", comma,
                                   em_class_names[k].data, sums[k]);
            comma = ",";
        }
    }

    ngx_http_error_map_say("},");

    return ngx_http_error_map_json_passed(page, c, shown);
}


static ngx_int_t
ngx_http_error_map_json_passed(ngx_http_error_map_page_t *page,
    ngx_http_error_map_counters_t *c, ngx_uint_t shown)
{
    ngx_uint_t  k;

    ngx_http_error_map_say("\"passed_over\":{");

    for (k = 0; k < EM_NCLASSES; k++) {

        if (shown & ((ngx_uint_t) 1 << k)) {
            ngx_http_error_map_say("\"%s\":%uA,", em_class_names[k].data,
                                   c->passed[k]);
        }
    }

    ngx_http_error_map_say("\"\":%uA},", c->passed[EM_NCLASSES]);

    return NGX_OK;
}
