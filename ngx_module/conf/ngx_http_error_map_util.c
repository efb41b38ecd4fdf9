
#include "ngx_http_error_map_util.h"


#define ngx_http_error_map_literal_byte(ch)                                   \
    ((ch) > 0x1f && (ch) < 0x7f && (ch) != '"' && (ch) != '\\' && (ch) != '%')


/* headers that nginx knows the place of */

typedef struct {
    ngx_str_t                       name;
    size_t                          offset;  /* in headers_out */
    size_t                          size;
} ngx_http_error_map_typed_t;


#define ngx_http_error_map_typed_header(name, member)                         \
    { ngx_string(name), offsetof(ngx_http_headers_out_t, member),             \
      sizeof(((ngx_http_headers_out_t *) NULL)->member) }

static ngx_http_error_map_typed_t  ngx_http_error_map_typed[] = {
    ngx_http_error_map_typed_header("cache-control", cache_control),
    ngx_http_error_map_typed_header("expires", expires),
    ngx_http_error_map_typed_header("link", link),
    ngx_http_error_map_typed_header("refresh", refresh),
    ngx_http_error_map_typed_header("www-authenticate", www_authenticate),
    { ngx_null_string, 0, 0 }
};


ngx_http_upstream_t *
ngx_http_error_map_response_upstream(ngx_http_request_t *r)
{
    if (r->upstream == NULL) {
        return NULL;
    }

    if (ngx_http_error_map_upstream_active(r)) {
        return r->upstream;
    }

#if (NGX_HTTP_CACHE)

    if (r->cached && !r->filter_finalize && !r->err_status) {
        return r->upstream;
    }

#endif

    return NULL;
}


ngx_uint_t
ngx_http_error_map_request_begins(ngx_buf_t *b, const char *text)
{
    size_t  len;

    /* the position moves as the request is sent, nginx resends from the start */

    if (b->start == NULL
        || b->last <= b->start
        || ngx_tolower(b->start[0]) != ngx_tolower(text[0]))
    {
        return 0;
    }

    len = ngx_strlen(text);

    return (size_t) (b->last - b->start) >= len
           && ngx_strncasecmp(b->start, (u_char *) text, len) == 0;
}


ngx_table_elt_t *
ngx_http_error_map_next_header(ngx_list_part_t *part, ngx_str_t *name,
    ngx_table_elt_t *h)
{
    size_t            len;
    ngx_table_elt_t  *elt, *last;

    len = name->len;

    for ( /* void */ ; part; part = part->next) {

        elt = part->elts;
        last = elt + part->nelts;

        for ( /* void */ ; elt < last; elt++) {

            if (elt->key.len != len) {
                continue;
            }

            if (h) {
                if (elt == h) {
                    h = NULL;
                }

                continue;
            }

            if (elt->hash
                && ngx_strncasecmp(elt->key.data, name->data, len) == 0)
            {
                return elt;
            }
        }
    }

    return NULL;
}


void
ngx_http_error_map_remove_header(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    ngx_http_error_map_typed_t  *typed;

    h->hash = 0;

    for (typed = ngx_http_error_map_typed; typed->name.len; typed++) {

        if (typed->name.len == h->key.len
            && ngx_strncasecmp(typed->name.data, h->key.data, h->key.len) == 0)
        {
            ngx_memzero((u_char *) &r->headers_out + typed->offset,
                        typed->size);
        }
    }
}


ngx_uint_t
ngx_http_error_map_header_name(ngx_str_t *name)
{
    size_t  i;

    for (i = 0; i < name->len; i++) {
        if (!ngx_http_error_map_token(name->data[i])) {
            return 0;
        }
    }

    /* "$" is a token character, but a variable was meant */

    return i > 0 && name->data[0] != '$';
}


ngx_uint_t
ngx_http_error_map_token(u_char ch)
{
    static u_char  others[] = "!#$%&'*+-.^_`|~";

    return (ch >= '0' && ch <= '9')
           || (ngx_tolower(ch) >= 'a' && ngx_tolower(ch) <= 'z')
           || ngx_strlchr(others, others + sizeof(others) - 1, ch) != NULL;
}


u_char *
ngx_http_error_map_escape_code(u_char *dst, u_char *src, size_t len)
{
    u_char  ch;

    static u_char  hex[] = "0123456789ABCDEF";

    while (len--) {

        ch = *src++;

        if (ngx_http_error_map_literal_byte(ch)) {
            *dst++ = ch;
            continue;
        }

        *dst++ = '%';
        *dst++ = hex[ch >> 4];
        *dst++ = hex[ch & 0xf];
    }

    return dst;
}


ngx_uint_t
ngx_http_error_map_literal(u_char *code, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (!ngx_http_error_map_literal_byte(code[i])) {
            return 0;
        }
    }

    return 1;
}


/* ngx_utf8_decode() accepts more */

size_t
ngx_http_error_map_utf8(u_char *p, size_t len)
{
    u_char  low, high;
    size_t  i, n;

    low = 0x80;
    high = 0xbf;

    if (*p < 0x80) {
        return 1;

    } else if (*p < 0xc2) {
        return 0;

    } else if (*p < 0xe0) {
        n = 2;

    } else if (*p < 0xf0) {
        n = 3;
        low = (*p == 0xe0) ? 0xa0 : 0x80;
        high = (*p == 0xed) ? 0x9f : 0xbf;

    } else if (*p < 0xf5) {
        n = 4;
        low = (*p == 0xf0) ? 0x90 : 0x80;
        high = (*p == 0xf4) ? 0x8f : 0xbf;

    } else {
        return 0;
    }

    if (len < n || p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf) {
            return 0;
        }
    }

    return n;
}


size_t
ngx_http_error_map_escape_json(u_char *dst, u_char *src, size_t len)
{
    size_t  n, size;

    size = 0;

    for ( /* void */ ; len; len -= n, src += n) {

        n = ngx_http_error_map_utf8(src, len);

        if (n) {
            if (dst) {
                dst = (u_char *) ngx_escape_json(dst, src, n);
            }

            size += n + ngx_escape_json(NULL, src, n);
            continue;
        }

        if (dst) {
            dst = ngx_cpymem(dst, "\xef\xbf\xbd", 3);
        }

        size += 3;
        n = 1;
    }

    return size;
}


ngx_int_t
ngx_http_error_map_quote(ngx_pool_t *pool, ngx_str_t *value)
{
    u_char  *p, *quoted;
    size_t   i;

    static u_char  hex[] = "0123456789ABCDEF";

    for (i = 0; i < value->len; i++) {
        if (value->data[i] > 0x7e || value->data[i] == '%') {
            break;
        }
    }

    if (i == value->len) {
        return NGX_OK;
    }

    quoted = ngx_pnalloc(pool, 3 * value->len);
    if (quoted == NULL) {
        return NGX_ERROR;
    }

    for (i = 0, p = quoted; i < value->len; i++) {

        if (value->data[i] <= 0x7e && value->data[i] != '%') {
            *p++ = value->data[i];
            continue;
        }

        *p++ = '%';
        *p++ = hex[value->data[i] >> 4];
        *p++ = hex[value->data[i] & 0xf];
    }

    value->data = quoted;
    value->len = p - quoted;

    return NGX_OK;
}
