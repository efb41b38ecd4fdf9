
#include "ngx_http_error_map_zone.h"
#include "ngx_http_error_map_inspect.h"
#include "ngx_http_error_map_util.h"
#include "ngx_http_error_map_variables.h"

#include <ngx_md5.h>


static ngx_int_t ngx_http_error_map_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_http_error_map_counters_t *ngx_http_error_map_counters(
    ngx_http_request_t *r, ngx_http_error_map_document_t *document);
static void ngx_http_error_map_count_pair(
    ngx_http_error_map_counters_t *counters, ngx_uint_t upstream_status,
    ngx_uint_t status, ngx_uint_t dry_run);


char *
ngx_http_error_map_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_error_map_main_conf_t *emcf = conf;

    ssize_t                     size;
    ngx_str_t                  *value;
    ngx_http_error_map_zone_t  *zone;

    if (emcf->zone) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid error_map_zone \"%V\", it must be a name "
                           "and a size like 1m", &value[1]);
        return NGX_CONF_ERROR;
    }

    size = ngx_parse_size(&value[2]);

    if (size == NGX_ERROR || value[1].len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid error_map_zone \"%V %V\", it must be a "
                           "name and a size like 1m", &value[1], &value[2]);
        return NGX_CONF_ERROR;
    }

    if (size < (ssize_t) (8 * ngx_pagesize)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "error_map_zone \"%V\" is too small, it must have "
                           "at least %uz bytes", &value[1], 8 * ngx_pagesize);
        return NGX_CONF_ERROR;
    }

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_error_map_zone_t));
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->file = cf->conf_file->file.name.data;
    zone->line = cf->conf_file->line;

    zone->shm_zone = ngx_shared_memory_add(cf, &value[1], size,
                                           &ngx_http_error_map_filter_module);
    if (zone->shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (zone->shm_zone->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate error_map_zone \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    zone->shm_zone->init = ngx_http_error_map_zone_init;
    zone->shm_zone->data = zone;

    emcf->zone = zone;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_error_map_zone_layout(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf)
{
    size_t                           size;
    ngx_md5_t                        md5;
    ngx_uint_t                       i, n;
    ngx_shm_zone_t                  *shm_zone;
    ngx_list_part_t                 *part;
    const em_entry_t                *entry;
    const em_document_t             *table;
    ngx_http_error_map_zone_t       *zone, *old;
    ngx_http_error_map_document_t  **documents;

    zone = emcf->zone;

    if (zone == NULL) {

        if (emcf->metrics_file) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"error_map_metrics\" requires "
                          "\"error_map_zone name size;\" in %s:%ui",
                          emcf->metrics_file, emcf->metrics_line);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    documents = emcf->documents.elts;
    n = emcf->documents.nelts;

    zone->offsets = ngx_palloc(cf->pool, (n + 1) * sizeof(size_t));
    if (zone->offsets == NULL) {
        return NGX_ERROR;
    }

    ngx_md5_init(&md5);

    size = sizeof(ngx_http_error_map_counters_t);
    ngx_md5_update(&md5, &size, sizeof(size_t));

    for (i = 0, size = 0; i < n; i++) {

        zone->offsets[i] = size;

        table = documents[i]->table;

        size += sizeof(ngx_http_error_map_counters_t)
                + table->nslots * sizeof(ngx_http_error_map_live_t);

        ngx_md5_update(&md5, &documents[i]->name.len, sizeof(size_t));
        ngx_md5_update(&md5, documents[i]->name.data, documents[i]->name.len);
        ngx_md5_update(&md5, &table->nexact, sizeof(size_t));

        for (entry = table->entries;
             entry < table->entries + table->nslots;
             entry++)
        {
            ngx_md5_update(&md5, entry->code, ngx_strlen(entry->code) + 1);
        }

        ngx_md5_update(&md5, &size, sizeof(size_t));
    }

    zone->offsets[i] = size;
    zone->size = size + sizeof(ngx_http_error_map_counters_t);

    ngx_md5_final(zone->layout, &md5);

    /* old workers may still use the old layout */

    part = &cf->cycle->old_cycle->shared_memory.part;
    shm_zone = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            shm_zone = part->elts;
            i = 0;
        }

        old = shm_zone[i].data;

        if (shm_zone[i].tag != &ngx_http_error_map_filter_module
            || old == NULL || old->counters == NULL)
        {
            continue;
        }

        if (shm_zone[i].shm.size != zone->shm_zone->shm.size
            || !ngx_http_error_map_equal(&shm_zone[i].shm.name,
                                         &zone->shm_zone->shm.name)
            || ngx_memcmp(old->layout, zone->layout, 16) != 0)
        {
            zone->shm_zone->noreuse = 1;
            zone->old = &shm_zone[i];
        }
    }

    return NGX_OK;
}


/*
 * nginx tests noreuse of the new zone before this call, and of the old zone
 * after it: the old memory is freed, the new one is reused by the next reload.
 */

void
ngx_http_error_map_zone_commit(ngx_http_error_map_zone_t *zone)
{
    if (zone->old) {
        zone->shm_zone->noreuse = 0;
        zone->old->noreuse = 1;
        zone->old = NULL;
    }
}


static ngx_int_t
ngx_http_error_map_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_error_map_zone_t *old = data;

    ngx_slab_pool_t            *shpool;
    ngx_http_error_map_zone_t  *zone;

    zone = shm_zone->data;

    /* nginx 1.27.3 and newer pass the old data with new memory, too */

    if (old && !shm_zone->noreuse) {
        zone->counters = old->counters;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        zone->counters = shpool->data;
        return NGX_OK;
    }

    shpool->log_nomem = 0;

    zone->counters = ngx_slab_calloc(shpool, zone->size);

    if (zone->counters == NULL) {

        /* nginx itself needs some bytes for each page, and the first pages */

        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "error_map_zone \"%V\" is too small for its documents, "
                      "it must have at least %uzk in %s:%ui",
                      &shm_zone->shm.name,
                      zone->size / 1024 + zone->size / 102400
                      + 4 * ngx_pagesize / 1024,
                      zone->file, zone->line);
        return NGX_ERROR;
    }

    shpool->data = zone->counters;

    if (zone->old) {
        ngx_log_error(NGX_LOG_NOTICE, shm_zone->shm.log, 0,
                      "error_map_zone \"%V\" starts from zero, its name, size "
                      "or documents have changed", &shm_zone->shm.name);
    }

    return NGX_OK;
}


void
ngx_http_error_map_count(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx)
{
    ngx_uint_t                      dry_run;
    ngx_http_error_map_counters_t  *counters;

    counters = ngx_http_error_map_counters(r, ctx->document);

    if (counters == NULL) {
        return;
    }

    dry_run = conf->dry_run;

    (void) ngx_atomic_fetch_add(&counters->verdicts[ctx->verdict][dry_run], 1);

    if (ctx->reason) {
        (void) ngx_atomic_fetch_add(&counters->reasons[ctx->reason][dry_run],
                                    1);
    }

    if (ctx->entry) {
        (void) ngx_atomic_fetch_add(
               &counters->codes[ctx->entry - ctx->document->table->entries]
                               [dry_run], 1);

    } else if (ctx->verdict == NGX_HTTP_ERROR_MAP_UNKNOWN) {
        (void) ngx_atomic_fetch_add(&counters->other[dry_run], 1);
    }

    if (ctx->verdict != NGX_HTTP_ERROR_MAP_SKIPPED) {
        ngx_http_error_map_count_pair(counters,
                                  ngx_http_error_map_upstream_status(r, ctx),
                                  ctx->status ? ctx->status
                                              : r->headers_out.status,
                                  dry_run);
    }

    if (ctx->hold_size) {
        (void) ngx_atomic_fetch_add(&counters->hold_bytes, ctx->hold_size);
    }

    if (ctx->hold_time) {
        (void) ngx_atomic_fetch_add(&counters->hold_msec, ctx->hold_time);
    }
}


void
ngx_http_error_map_count_skipped(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_reason_e reason)
{
    ngx_http_error_map_counters_t   *counters;
    ngx_http_error_map_main_conf_t  *emcf;

    emcf = ngx_http_get_module_main_conf(r, ngx_http_error_map_filter_module);

    if (emcf->zone == NULL
        || (r->err_status && ngx_http_error_map_response_upstream(r) == NULL))
    {
        return;
    }

    counters = ngx_http_error_map_counters(r,
                                   ngx_http_error_map_document(r, conf, 0));

    (void) ngx_atomic_fetch_add(
             &counters->verdicts[NGX_HTTP_ERROR_MAP_SKIPPED][conf->dry_run], 1);
    (void) ngx_atomic_fetch_add(&counters->reasons[reason][conf->dry_run], 1);
}


void
ngx_http_error_map_count_passed(ngx_http_request_t *r,
    ngx_http_error_map_document_t *document, ngx_http_error_map_ctx_t *ctx)
{
    ngx_uint_t                      class;
    ngx_http_error_map_counters_t  *counters;

    counters = ngx_http_error_map_counters(r, document);

    if (counters == NULL) {
        return;
    }

    class = EM_NCLASSES;

    if (ctx && ctx->entry) {
        class = ctx->entry->class;

    } else if (ctx && ctx->verdict == NGX_HTTP_ERROR_MAP_UNKNOWN) {
        class = EM_UNKNOWN;
    }

    (void) ngx_atomic_fetch_add(&counters->passed[class], 1);
}


static ngx_http_error_map_counters_t *
ngx_http_error_map_counters(ngx_http_request_t *r,
    ngx_http_error_map_document_t *document)
{
    ngx_uint_t                       n;
    ngx_http_error_map_main_conf_t  *emcf;

    emcf = ngx_http_get_module_main_conf(r, ngx_http_error_map_filter_module);

    if (emcf->zone == NULL) {
        return NULL;
    }

    n = document ? document->number : emcf->documents.nelts;

    return (ngx_http_error_map_counters_t *)
               (emcf->zone->counters + emcf->zone->offsets[n]);
}


/* a pair keeps the first free place from its own on */

static void
ngx_http_error_map_count_pair(ngx_http_error_map_counters_t *counters,
    ngx_uint_t upstream_status, ngx_uint_t status, ngx_uint_t dry_run)
{
    ngx_uint_t                  i, n;
    ngx_atomic_uint_t           statuses;
    ngx_http_error_map_pair_t  *pair;

    statuses = upstream_status << 16 | status;

    if (dry_run) {
        statuses |= NGX_HTTP_ERROR_MAP_DRY_RUN;
    }

    for (i = 0, n = upstream_status * 31 + status + dry_run;
         i < NGX_HTTP_ERROR_MAP_PAIRS;
         i++, n++)
    {
        pair = &counters->pairs[n % NGX_HTTP_ERROR_MAP_PAIRS];

        if (pair->statuses == statuses
            || (pair->statuses == 0
                && ngx_atomic_cmp_set(&pair->statuses, 0, statuses))
            || pair->statuses == statuses)
        {
            (void) ngx_atomic_fetch_add(&pair->count, 1);
            return;
        }
    }

    (void) ngx_atomic_fetch_add(&counters->more[dry_run], 1);
}
