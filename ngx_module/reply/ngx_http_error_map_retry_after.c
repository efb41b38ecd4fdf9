
#include "ngx_http_error_map_retry_after.h"
#include "ngx_http_error_map_util.h"


static ngx_uint_t ngx_http_error_map_later(ngx_str_t *value, time_t max);


ngx_int_t
ngx_http_error_map_limit_retry_after(ngx_http_request_t *r,
    ngx_http_error_map_policy_t *policy)
{
    ngx_table_elt_t  *h;

    static ngx_str_t  name = ngx_string("Retry-After");

    h = NULL;

    while ((h = ngx_http_error_map_next_header(&r->headers_out.headers.part,
                                               &name, h)))
    {
        if (!ngx_http_error_map_later(&h->value, policy->retry_after_max)) {
            continue;
        }

        h->value.data = ngx_pnalloc(r->pool, NGX_TIME_T_LEN);
        if (h->value.data == NULL) {
            return NGX_ERROR;
        }

        h->value.len = ngx_sprintf(h->value.data, "%T", policy->retry_after_max)
                       - h->value.data;
    }

    return NGX_OK;
}


/* seconds, which clients take a fraction of, too, or a date, RFC 9110 */

static ngx_uint_t
ngx_http_error_map_later(ngx_str_t *value, time_t max)
{
    u_char  *p, *last;
    time_t   time;

    p = value->data;
    last = p + value->len;

    for (time = 0; p < last && *p >= '0' && *p <= '9'; p++) {

        if (time > max) {
            return 1;
        }

        time = time * 10 + (*p - '0');
    }

    if (p > value->data) {
        return time > max || (time == max && p < last && *p == '.');
    }

    time = ngx_parse_http_time(value->data, value->len);

    return time != (time_t) NGX_ERROR && time - ngx_time() > max;
}
