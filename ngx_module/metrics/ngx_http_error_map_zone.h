
/*
 * The counters in shared memory, for those that count and those that show them.
 */


#ifndef _NGX_HTTP_ERROR_MAP_ZONE_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_ZONE_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/*
 * Counters in shared memory: a fixed place for each, of a size that is known
 * when the configuration has been read, and atomic additions.  There is no lock
 * that a worker which is killed could hold.  Labels come from documents, except
 * for pairs of statuses, of which each document has but so many places.
 */


#define NGX_HTTP_ERROR_MAP_PAIRS     64
#define NGX_HTTP_ERROR_MAP_VERDICTS  6
#define NGX_HTTP_ERROR_MAP_SKIPPED   (NGX_HTTP_ERROR_MAP_VERDICTS - 1)


typedef struct {
    ngx_atomic_t                  statuses;  /* upstream << 16 | edge, or 0 */
    ngx_atomic_t                  count;
} ngx_http_error_map_pair_t;


/* of one document; behind it there is a counter for each slot of its table */

typedef struct {
    ngx_atomic_t                  verdicts[NGX_HTTP_ERROR_MAP_VERDICTS];
    ngx_atomic_t                  hold_bytes;
    ngx_atomic_t                  hold_msec;
    ngx_atomic_t                  other;     /* unknown codes */
    ngx_atomic_t                  more;      /* pairs that found no place */
    ngx_http_error_map_pair_t     pairs[NGX_HTTP_ERROR_MAP_PAIRS];
    ngx_atomic_t                  codes[];
} ngx_http_error_map_counters_t;


struct ngx_http_error_map_zone_s {
    ngx_shm_zone_t                 *shm_zone;
    u_char                         *file;    /* where it is named */
    ngx_uint_t                      line;

    size_t                          size;    /* of all counters */
    u_char                          layout[16];

    /* by document's number, the last one is of no document */
    size_t                         *offsets;
    u_char                         *counters;

    ngx_shm_zone_t                 *old;     /* the one that cannot be kept */
};


/* the directive error_map_zone */
char *ngx_http_error_map_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* gives each counter its place, once all documents are known */
ngx_int_t ngx_http_error_map_zone_layout(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);

/* is told that the configuration will be used */
void ngx_http_error_map_zone_commit(ngx_http_error_map_zone_t *zone);

/* counts a response that has its verdict */
void ngx_http_error_map_count(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx);

/* counts one that was skipped, unless it is an error page of nginx's own */
void ngx_http_error_map_count_skipped(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_ZONE_H_INCLUDED_ */
