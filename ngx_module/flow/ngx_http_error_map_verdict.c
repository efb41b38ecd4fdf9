
#include "ngx_http_error_map_verdict.h"
#include "ngx_http_error_map_response.h"
#include "ngx_http_error_map_zone.h"


ngx_http_error_map_ctx_t *
ngx_http_error_map_conclude(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_ctx_t *ctx, size_t size, ngx_msec_t time)
{
    if (ctx) {
        ctx->hold_size = size;
        ctx->hold_time = time;
    }

    ctx = ngx_http_error_map_decide(r, conf, reader, ctx);

    ngx_http_error_map_reader_free(reader);

    if (ctx) {
        ngx_http_error_map_count(r, conf, ctx);
    }

    return ctx;
}
