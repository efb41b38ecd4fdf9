
#include "ngx_http_error_map_peer.h"
#include "ngx_http_error_map_upstream.h"


/*
 * Requests to upstreams are found in peer.init, and after the content handler
 * for upstreams resolved at run time, which have no peer.init.  Only nginx
 * knows the content handler: an "if" inherits it from the request, not from the
 * configuration.
 */


typedef struct {
    ngx_http_upstream_srv_conf_t   *upstream;
    ngx_http_upstream_init_peer_pt  init;
} ngx_http_error_map_peer_t;


static int ngx_libc_cdecl ngx_http_error_map_peer_cmp(const void *one,
    const void *two);
static ngx_int_t ngx_http_error_map_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);
static ngx_int_t ngx_http_error_map_content_phase(ngx_http_request_t *r,
    ngx_http_phase_handler_t *ph);


ngx_int_t
ngx_http_error_map_peer_init(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf)
{
    ngx_uint_t                      i;
    ngx_http_error_map_peer_t      *peer;
    ngx_http_upstream_srv_conf_t  **uscf;
    ngx_http_upstream_main_conf_t  *umcf;

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);
    uscf = umcf->upstreams.elts;

    if (ngx_array_init(&emcf->peers, cf->pool, umcf->upstreams.nelts + 1,
                       sizeof(ngx_http_error_map_peer_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (uscf[i]->peer.init == NULL) {
            continue;
        }

        peer = ngx_array_push(&emcf->peers);
        if (peer == NULL) {
            return NGX_ERROR;
        }

        peer->upstream = uscf[i];
        peer->init = uscf[i]->peer.init;

        uscf[i]->peer.init = ngx_http_error_map_init_peer;
    }

    ngx_qsort(emcf->peers.elts, emcf->peers.nelts,
              sizeof(ngx_http_error_map_peer_t), ngx_http_error_map_peer_cmp);

    return NGX_OK;
}


static int ngx_libc_cdecl
ngx_http_error_map_peer_cmp(const void *one, const void *two)
{
    const ngx_http_error_map_peer_t *first = one;
    const ngx_http_error_map_peer_t *second = two;

    return (first->upstream > second->upstream)
           - (first->upstream < second->upstream);
}


static ngx_int_t
ngx_http_error_map_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_uint_t                       first, last, n;
    ngx_http_error_map_peer_t       *peer;
    ngx_http_error_map_main_conf_t  *emcf;

    emcf = ngx_http_get_module_main_conf(r, ngx_http_error_map_filter_module);

    peer = emcf->peers.elts;
    first = 0;
    last = emcf->peers.nelts;

    while (last - first > 1) {
        n = (first + last) / 2;

        if (peer[n].upstream <= us) {
            first = n;

        } else {
            last = n;
        }
    }

    if (peer[first].init(r, us) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_error_map_upstream_wrap(r);
}


void
ngx_http_error_map_peer_phase(ngx_http_core_main_conf_t *cmcf)
{
    ngx_http_phase_handler_t  *ph;

    for (ph = cmcf->phase_engine.handlers; ph->checker; ph++) {

        if (ph->checker == ngx_http_core_content_phase) {
            ph->checker = ngx_http_error_map_content_phase;
        }
    }
}


/*
 * Does what nginx does for a content handler.  The connection is just being
 * made, so there is no response yet.
 */

static ngx_int_t
ngx_http_error_map_content_phase(ngx_http_request_t *r,
    ngx_http_phase_handler_t *ph)
{
    ngx_int_t  rc;

    if (r->content_handler == NULL) {
        return ngx_http_core_content_phase(r, ph);
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    rc = r->content_handler(r);

    if (rc == NGX_DONE && r->upstream && r->upstream->resolved) {
        (void) ngx_http_error_map_upstream_wrap(r);
    }

    ngx_http_finalize_request(r, rc);

    return NGX_OK;
}
