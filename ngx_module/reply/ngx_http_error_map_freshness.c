
#include "ngx_http_error_map_header.h"
#include "ngx_http_error_map_util.h"


/*
 * Caching.  What allows a cache to keep a response is about the vendor's status
 * and is removed with it; what forbids it stays.
 */


static ngx_int_t ngx_http_error_map_remove_fresh(ngx_http_request_t *r,
    ngx_table_elt_t *h);
static ngx_int_t ngx_http_error_map_restrict(ngx_http_request_t *r,
    ngx_table_elt_t *h);
static u_char *ngx_http_error_map_directive_end(u_char *p, u_char *last);
static ngx_uint_t ngx_http_error_map_restricts(u_char *p, u_char *last);


/* whether a name that ends with it may be one of those below */

#define ngx_http_error_map_letter(ch)                                         \
    (((ch) | 0x20) == 'l' || ((ch) | 0x20) == 's' || ((ch) | 0x20) == 'e')


static ngx_str_t  ngx_http_error_map_restrictions[] = {
    ngx_string("no-store"),
    ngx_string("no-cache"),
    ngx_string("private"),
    ngx_string("no-transform"),
    ngx_string("must-revalidate"),
    ngx_string("proxy-revalidate"),
    ngx_string("no-store-remote"),
    ngx_null_string
};


ngx_int_t
ngx_http_error_map_remove_freshness(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_out.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            /* few other names end with these letters */

            if (h[i].hash == 0
                || h[i].key.len == 0
                || !ngx_http_error_map_letter(h[i].key.data[h[i].key.len - 1]))
            {
                continue;
            }

            if (ngx_http_error_map_remove_fresh(r, &h[i]) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_http_error_map_noinline ngx_int_t
ngx_http_error_map_remove_fresh(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    time_t      expires;
    ngx_str_t  *name;

    name = &h->key;

    /* also CDN-Cache-Control and others, RFC 9213 */

    if ((name->len >= 13
         && ngx_strncasecmp(name->data + name->len - 13,
                            (u_char *) "cache-control", 13)
            == 0)
        || (name->len == 17
            && ngx_strncasecmp(name->data, (u_char *) "surrogate-control", 17)
               == 0))
    {
        return ngx_http_error_map_restrict(r, h);
    }

    if (name->len == 7
        && ngx_strncasecmp(name->data, (u_char *) "expires", 7) == 0)
    {
        expires = ngx_parse_http_time(h->value.data, h->value.len);

        if (expires != NGX_ERROR && expires > ngx_time()) {
            ngx_http_error_map_remove_header(r, h);
        }

        return NGX_OK;
    }

    if ((name->len == 3
         && ngx_strncasecmp(name->data, (u_char *) "age", 3) == 0)
        || (name->len == 15
            && ngx_strncasecmp(name->data, (u_char *) "x-accel-expires", 15)
               == 0))
    {
        ngx_http_error_map_remove_header(r, h);
    }

    return NGX_OK;
}


/* leaves the directives of a Cache-Control that restrict a cache */

static ngx_int_t
ngx_http_error_map_restrict(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    u_char     *p, *next, *end, *last;
    ngx_str_t   value;

    value.data = NULL;
    value.len = 0;

    last = h->value.data + h->value.len;

    for (p = h->value.data; p < last; p = next + 1) {

        next = ngx_http_error_map_directive_end(p, last);

        while (p < next && (*p == ' ' || *p == '\t')) {
            p++;
        }

        for (end = next;
             end > p && (end[-1] == ' ' || end[-1] == '\t');
             end--)
        {
            /* void */
        }

        if (!ngx_http_error_map_restricts(p, end)) {
            continue;
        }

        if (value.data == NULL) {

            /* each directive but the first one may need a blank more */

            value.data = ngx_pnalloc(r->pool, 2 * h->value.len);
            if (value.data == NULL) {
                return NGX_ERROR;
            }

        } else {
            value.data[value.len++] = ',';
            value.data[value.len++] = ' ';
        }

        ngx_memcpy(value.data + value.len, p, end - p);
        value.len += end - p;
    }

    if (value.len == 0) {
        ngx_http_error_map_remove_header(r, h);
        return NGX_OK;
    }

    h->value = value;

    return NGX_OK;
}


/* returns the comma after a directive, but none in quotes, or last */

static u_char *
ngx_http_error_map_directive_end(u_char *p, u_char *last)
{
    ngx_uint_t  quoted;

    for (quoted = 0; p < last; p++) {

        if (*p == '"') {
            quoted = !quoted;

        } else if (*p == '\\' && quoted) {
            p++;

        } else if (*p == ',' && !quoted) {
            return p;
        }
    }

    return last;
}


static ngx_uint_t
ngx_http_error_map_restricts(u_char *p, u_char *last)
{
    size_t      len;
    u_char     *end;
    ngx_str_t  *restriction;

    end = ngx_strlchr(p, last, '=');
    if (end == NULL) {
        end = last;
    }

    len = end - p;

    for (restriction = ngx_http_error_map_restrictions;
         restriction->len;
         restriction++)
    {
        if (len == restriction->len
            && ngx_strncasecmp(p, restriction->data, len) == 0)
        {
            return 1;
        }
    }

    /* nothing is fresh for 0 seconds */

    return (last - end == 2 && end[1] == '0')
           && ((len == 7 && ngx_strncasecmp(p, (u_char *) "max-age", 7) == 0)
               || (len == 8
                   && ngx_strncasecmp(p, (u_char *) "s-maxage", 8) == 0));
}


ngx_int_t
ngx_http_error_map_own_freshness(ngx_http_request_t *r)
{
    ngx_table_elt_t  *control, *expires;
#if !(NGX_HTTP_ERROR_MAP_HEADER_LISTS)
    ngx_table_elt_t  **h;
#endif

    expires = ngx_http_error_map_push_header(r);
    control = ngx_http_error_map_push_header(r);

    if (expires == NULL || control == NULL) {
        return NGX_ERROR;
    }

    expires->hash = 0;
    control->hash = 0;

    r->headers_out.expires = expires;

#if (NGX_HTTP_ERROR_MAP_HEADER_LISTS)

    r->headers_out.cache_control = control;

#else

    if (ngx_array_init(&r->headers_out.cache_control, r->pool, 1,
                       sizeof(ngx_table_elt_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    h = ngx_array_push(&r->headers_out.cache_control);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = control;

#endif

    return NGX_OK;
}
