
/*
 * The directive error_map_metrics.
 */


#ifndef _NGX_HTTP_ERROR_MAP_METRICS_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_METRICS_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


char *ngx_http_error_map_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* rejects a content handler that replaced the page; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_metrics_check(ngx_conf_t *cf,
    ngx_http_error_map_loc_conf_t *conf);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_METRICS_H_INCLUDED_ */
