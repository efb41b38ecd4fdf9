
/*
 * The counters, for those that count and those that show them.
 */


#ifndef _NGX_HTTP_ERROR_MAP_ZONE_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_ZONE_H_INCLUDED_


#include "ngx_http_error_map_module.h"


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


#endif /* _NGX_HTTP_ERROR_MAP_ZONE_H_INCLUDED_ */
