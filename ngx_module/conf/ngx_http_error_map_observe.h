
/*
 * What the directives of other modules say of a location.
 */


#ifndef _NGX_HTTP_ERROR_MAP_OBSERVE_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_OBSERVE_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


/*
 * Observes directives of other modules while the configuration is read: fills
 * "observed" of the location's configuration, or of the main one.  Must be
 * called before the block http is read.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_observe(ngx_conf_t *cf);

/* ends that, once the configuration is read */
void ngx_http_error_map_observe_end(void);

/*
 * Returns the configuration of the upstream that a location passes requests
 * to, by its array of configurations; NULL without one.
 */
ngx_http_upstream_conf_t *ngx_http_error_map_observed_upstream(
    ngx_http_error_map_loc_conf_t *conf, void **loc_conf);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_OBSERVE_H_INCLUDED_ */
