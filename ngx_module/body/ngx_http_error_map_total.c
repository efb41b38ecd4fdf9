
#include "ngx_http_error_map_total.h"


size_t         ngx_http_error_map_total_max = 128 * 1024 * 1024;
ngx_uint_t     ngx_http_error_map_total_full;

static size_t  ngx_http_error_map_taken;


ngx_int_t
ngx_http_error_map_room(size_t size)
{
    ngx_http_error_map_total_full =
        ngx_http_error_map_taken >= ngx_http_error_map_total_max
        || size > ngx_http_error_map_total_max - ngx_http_error_map_taken;

    return ngx_http_error_map_total_full ? NGX_DECLINED : NGX_OK;
}


void *
ngx_http_error_map_take(size_t size, ngx_log_t *log)
{
    void  *p;

    p = ngx_alloc(size, log);

    if (p) {
        ngx_http_error_map_taken += size;
    }

    return p;
}


void
ngx_http_error_map_give(void *p, size_t size)
{
    ngx_http_error_map_taken -= size;

    ngx_free(p);
}


void
ngx_http_error_map_add(size_t size)
{
    ngx_http_error_map_taken += size;
}


void
ngx_http_error_map_subtract(size_t size)
{
    ngx_http_error_map_taken -= size;
}


size_t
ngx_http_error_map_total(void)
{
    return ngx_http_error_map_taken;
}
