
#include "ngx_http_error_map_kept.h"


static void ngx_http_error_map_kept_cleanup(void *data);


ngx_http_error_map_kept_t *
ngx_http_error_map_keep(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_error_map_kept_t  *kept;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_error_map_kept_t));
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_error_map_kept_cleanup;

    kept = cln->data;

    kept->request = r;
    kept->upstream = r->upstream;
    kept->state = r->upstream ? r->upstream->state : NULL;
    kept->ctx = NULL;

    return kept;
}


ngx_http_error_map_kept_t *
ngx_http_error_map_kept(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_error_map_kept_t  *kept;

    /* a redirect clears the contexts, but not what the pool is to clean up */

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_error_map_kept_cleanup) {
            kept = cln->data;

            if (kept->request != r || kept->ctx == NULL) {
                continue;
            }

            /* another peer was tried since, or there was none left */

            if (kept->upstream && kept->upstream->state != kept->state) {
                continue;
            }

            return kept;
        }
    }

    return NULL;
}


/* there is nothing to clean up, it tells which cleanups are kept contexts */

static void
ngx_http_error_map_kept_cleanup(void *data)
{
    return;
}
