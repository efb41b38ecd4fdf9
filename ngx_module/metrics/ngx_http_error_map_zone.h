
/*
 * The counters in shared memory.
 */


#ifndef _NGX_HTTP_ERROR_MAP_ZONE_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_ZONE_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/*
 * The layout is fixed once the configuration has been read, and counters are
 * added to atomically, so that a killed worker holds no lock.  Labels come from
 * documents, except for pairs of statuses, which are limited per document.
 */


#define NGX_HTTP_ERROR_MAP_PAIRS     64
#define NGX_HTTP_ERROR_MAP_DRY_RUN   0x8000


typedef struct {
    /* upstream << 16 | edge, with NGX_HTTP_ERROR_MAP_DRY_RUN, or 0 */
    ngx_atomic_t                  statuses;
    ngx_atomic_t                  count;
} ngx_http_error_map_pair_t;


/* by conf->dry_run; only the first one becomes an alert */

typedef ngx_atomic_t  ngx_http_error_map_live_t[2];


/*
 * Counters of one document; codes has one for each slot of its table.  passed
 * has responses that nginx has passed over, by class, and last those without an
 * error.  It has none of a dry run.
 */

typedef struct {
    ngx_http_error_map_live_t     verdicts[NGX_HTTP_ERROR_MAP_VERDICTS];
    ngx_http_error_map_live_t     reasons[NGX_HTTP_ERROR_MAP_REASONS];
    ngx_atomic_t                  hold_bytes;
    ngx_atomic_t                  hold_msec;
    ngx_http_error_map_live_t     other;     /* unknown codes */
    ngx_http_error_map_live_t     more;      /* pairs without a place */
    ngx_atomic_t                  passed[EM_NCLASSES + 1];
    ngx_http_error_map_pair_t     pairs[NGX_HTTP_ERROR_MAP_PAIRS];
    ngx_http_error_map_live_t     codes[];
} ngx_http_error_map_counters_t;


struct ngx_http_error_map_zone_s {
    ngx_shm_zone_t                 *shm_zone;
    u_char                         *file;    /* of error_map_zone */
    ngx_uint_t                      line;

    size_t                          size;    /* of all counters, in bytes */
    u_char                          layout[16];

    /* by number of document, the last one is for no document */
    size_t                         *offsets;
    u_char                         *counters;

    ngx_shm_zone_t                 *old;     /* if it cannot be reused */
};


/* the directive error_map_zone */
char *ngx_http_error_map_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* lays out the counters, after all documents; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_zone_layout(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);

/* called once the configuration is accepted */
void ngx_http_error_map_zone_commit(ngx_http_error_map_zone_t *zone);

/* counts a response with a verdict, if there is a zone */
void ngx_http_error_map_count(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx);

/* counts a skipped response, but not an error page of nginx itself */
void ngx_http_error_map_count_skipped(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_reason_e reason);

/*
 * Counts a response that nginx passes over for another server or a stale
 * response; ctx is NULL if it is skipped.
 */
void ngx_http_error_map_count_passed(ngx_http_request_t *r,
    ngx_http_error_map_document_t *document, ngx_http_error_map_ctx_t *ctx);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_ZONE_H_INCLUDED_ */
