
/*
 * Finds the requests to upstreams.
 */


#ifndef _NGX_HTTP_ERROR_MAP_PEER_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_PEER_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


/* wraps peer.init of all upstreams; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_peer_init(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);

/*
 * Wraps the calls of content handlers, as an upstream resolved at run time has
 * no peer.init; to be called once nginx has built its phases.
 */
void ngx_http_error_map_peer_phase(ngx_http_core_main_conf_t *cmcf);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_PEER_H_INCLUDED_ */
