
#include "ngx_http_error_map_upstream_end.h"


/*
 * u->finalize_request() of every kind of upstream is wrapped.  The original is
 * in a cleanup of the pool: a redirect clears the contexts of a request whose
 * upstream may go on.
 */


typedef struct {
    ngx_http_upstream_t            *upstream;  /* NULL once it has ended */
    void                          (*finalize_request)(ngx_http_request_t *r,
                                                      ngx_int_t rc);
    ngx_http_error_map_end_pt       handler;
    void                           *data;
} ngx_http_error_map_end_t;


static void ngx_http_error_map_finalize_request(ngx_http_request_t *r,
    ngx_int_t rc);
static void ngx_http_error_map_end_cleanup(void *data);


ngx_int_t
ngx_http_error_map_upstream_end(ngx_http_request_t *r,
    ngx_http_error_map_end_pt handler, void *data)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_upstream_t       *u;
    ngx_http_error_map_end_t  *end;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_error_map_end_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_error_map_end_cleanup;

    u = r->upstream;
    end = cln->data;

    end->upstream = u;
    end->finalize_request = NULL;
    end->handler = handler;
    end->data = data;

    if (u->finalize_request != ngx_http_error_map_finalize_request) {
        end->finalize_request = u->finalize_request;
        u->finalize_request = ngx_http_error_map_finalize_request;
    }

    return NGX_OK;
}


static void
ngx_http_error_map_finalize_request(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_upstream_t       *u;
    ngx_http_error_map_end_t  *end;

    u = r->upstream;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != ngx_http_error_map_end_cleanup) {
            continue;
        }

        end = cln->data;

        if (end->upstream != u) {
            continue;
        }

        end->upstream = NULL;

        if (end->finalize_request) {
            u->finalize_request = end->finalize_request;
        }

        end->handler(r, end->data, rc);
    }

    u->finalize_request(r, rc);
}


void *
ngx_http_error_map_upstream_end_data(ngx_http_request_t *r,
    ngx_http_error_map_end_pt handler)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_error_map_end_t  *end;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != ngx_http_error_map_end_cleanup) {
            continue;
        }

        end = cln->data;

        if (end->upstream == r->upstream && end->handler == handler) {
            return end->data;
        }
    }

    return NULL;
}


/* nothing to free; the handler identifies the cleanups of upstreams */

static void
ngx_http_error_map_end_cleanup(void *data)
{
    return;
}
