
/*
 * Where requests to upstreams are met.
 */


#ifndef _NGX_HTTP_ERROR_MAP_PEER_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_PEER_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


/* takes its place in all upstreams; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_peer_init(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);

/*
 * ... and in the location that is being merged, for an upstream that is
 * resolved at run time does without those
 */
void ngx_http_error_map_peer_handler(ngx_conf_t *cf,
    ngx_http_error_map_loc_conf_t *conf);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_PEER_H_INCLUDED_ */
