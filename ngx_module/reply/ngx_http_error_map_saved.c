
#include "ngx_http_error_map_saved.h"


static void ngx_http_error_map_saved_cleanup(void *data);


ngx_http_error_map_saved_t *
ngx_http_error_map_save(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t          *cln;
    ngx_http_error_map_saved_t  *saved;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_error_map_saved_t));
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_error_map_saved_cleanup;

    saved = cln->data;

    saved->request = r;
    saved->upstream = r->upstream;
    saved->state = r->upstream ? r->upstream->state : NULL;
    saved->ctx = NULL;

    return saved;
}


ngx_http_error_map_saved_t *
ngx_http_error_map_saved(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t          *cln;
    ngx_http_error_map_saved_t  *saved;

    /* a redirect clears the contexts, but not the cleanups of the pool */

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_error_map_saved_cleanup) {
            saved = cln->data;

            if (saved->request != r || saved->ctx == NULL) {
                continue;
            }

            /* another peer was tried since, or none was left */

            if (saved->upstream && saved->upstream->state != saved->state) {
                continue;
            }

            return saved;
        }
    }

    return NULL;
}


/* identifies saved contexts among the cleanups */

static void
ngx_http_error_map_saved_cleanup(void *data)
{
    return;
}
