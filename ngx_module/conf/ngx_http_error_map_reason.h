
/*
 * Why a response has no code.
 */


#ifndef _NGX_HTTP_ERROR_MAP_REASON_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_REASON_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


/* by verdict; ngx_http_error_map_reasons has the names, by value */

typedef enum {
    NGX_HTTP_ERROR_MAP_REASON_NONE = 0,

    /* skipped */
    NGX_HTTP_ERROR_MAP_REASON_METHOD,
    NGX_HTTP_ERROR_MAP_REASON_STATUS,
    NGX_HTTP_ERROR_MAP_REASON_TYPE,
    NGX_HTTP_ERROR_MAP_REASON_CODING,
    NGX_HTTP_ERROR_MAP_REASON_RANGE,
    NGX_HTTP_ERROR_MAP_REASON_UPGRADE,
    NGX_HTTP_ERROR_MAP_REASON_SUBREQUEST,
    NGX_HTTP_ERROR_MAP_REASON_DOCUMENT,

    /* none */
    NGX_HTTP_ERROR_MAP_REASON_EMPTY,
    NGX_HTTP_ERROR_MAP_REASON_MALFORMED,
    NGX_HTTP_ERROR_MAP_REASON_CHARSET,
    NGX_HTTP_ERROR_MAP_REASON_NO_CODE,

    /* undecided */
    NGX_HTTP_ERROR_MAP_REASON_HOLD_SIZE,
    NGX_HTTP_ERROR_MAP_REASON_HOLD_TIMEOUT,
    NGX_HTTP_ERROR_MAP_REASON_HOLD_TOTAL,
    NGX_HTTP_ERROR_MAP_REASON_UPSTREAM,
    NGX_HTTP_ERROR_MAP_REASON_PATTERN_COST,

    NGX_HTTP_ERROR_MAP_REASONS
} ngx_http_error_map_reason_e;


/* the verdict of a reason */

#define ngx_http_error_map_reason_verdict(reason)                             \
    ((reason) <= NGX_HTTP_ERROR_MAP_REASON_DOCUMENT                           \
     ? NGX_HTTP_ERROR_MAP_SKIPPED                                             \
     : (reason) <= NGX_HTTP_ERROR_MAP_REASON_NO_CODE                          \
     ? NGX_HTTP_ERROR_MAP_NONE                                                \
     : NGX_HTTP_ERROR_MAP_UNDECIDED)

extern ngx_str_t  ngx_http_error_map_reasons[];


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_REASON_H_INCLUDED_ */
