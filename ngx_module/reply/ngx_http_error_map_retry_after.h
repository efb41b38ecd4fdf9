
/*
 * The limit of Retry-After.
 */


#ifndef _NGX_HTTP_ERROR_MAP_RETRY_AFTER_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_RETRY_AFTER_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


/*
 * Replaces each Retry-After of the response that is above the policy's limit,
 * seconds or a date, by the limit.  NGX_OK or NGX_ERROR.
 */
#define ngx_http_error_map_cap_retry_after(r, policy)                         \
    ((policy)->retry_after_max == NGX_HTTP_ERROR_MAP_NO_RETRY                 \
     ? NGX_OK : ngx_http_error_map_limit_retry_after(r, policy))

ngx_int_t ngx_http_error_map_limit_retry_after(ngx_http_request_t *r,
    ngx_http_error_map_policy_t *policy);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_RETRY_AFTER_H_INCLUDED_ */
