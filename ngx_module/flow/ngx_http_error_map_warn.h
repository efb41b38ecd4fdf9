
/*
 * Warnings where a configuration cannot do what it seems to.
 */


#ifndef _NGX_HTTP_ERROR_MAP_WARN_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_WARN_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


/* an element of emcf->locations */

typedef struct {
    ngx_http_error_map_loc_conf_t  *conf;
    ngx_http_core_loc_conf_t       *clcf;
    void                          **loc_conf;
    ngx_http_upstream_conf_t       *upstream;  /* NULL if it is not known */
} ngx_http_error_map_location_t;


/*
 * Remembers the location whose configuration is being merged, for the warnings.
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_warn_location(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_http_error_map_loc_conf_t *conf);

/* logs each warning once, after all is merged; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_warn(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_WARN_H_INCLUDED_ */
