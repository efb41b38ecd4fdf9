
/*
 * Helpers that nginx lacks: headers, tokens, and the owner of a response.
 */


#ifndef _NGX_HTTP_ERROR_MAP_UTIL_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_UTIL_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


/* returns the upstream that sent the response, cached or not, or NULL */
ngx_http_upstream_t *ngx_http_error_map_response_upstream(
    ngx_http_request_t *r);

/*
 * Returns the first header called name that is sent, or the next one after h
 * if h is not NULL; NULL if there is none.
 */
ngx_table_elt_t *ngx_http_error_map_next_header(ngx_list_part_t *part,
    ngx_str_t *name, ngx_table_elt_t *h);

/*
 * Adds a header to the response, zero-filled, also in the members that only
 * some versions of nginx have.  Returns NULL on error.
 */
static ngx_inline ngx_table_elt_t *
ngx_http_error_map_push_header(ngx_http_request_t *r)
{
    ngx_list_t       *headers;
    ngx_table_elt_t  *h;

    headers = &r->headers_out.headers;

    /* nearly always without a call */

    if (headers->last->nelts < headers->nalloc) {
        h = (ngx_table_elt_t *) headers->last->elts + headers->last->nelts++;

    } else {
        h = ngx_list_push(headers);
        if (h == NULL) {
            return NULL;
        }
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    return h;
}

/* removes a header, and all that nginx knows of its name */
void ngx_http_error_map_remove_header(ngx_http_request_t *r,
    ngx_table_elt_t *h);

/* returns 1 for a valid header name: a token that does not begin with "$" */
ngx_uint_t ngx_http_error_map_header_name(ngx_str_t *name);

/*
 * Escapes a code for a header or a log: bytes outside printable ASCII, quotes,
 * backslashes and "%" become %XX.  Returns the end, at most 3 * len bytes after
 * dst.  The second returns 1 if a code is the same then.
 */
u_char *ngx_http_error_map_escape_code(u_char *dst, u_char *src, size_t len);
ngx_uint_t ngx_http_error_map_literal(u_char *code, size_t len);

/*
 * Returns the length of the character at p, RFC 3629, section 4, or 0 if it is
 * invalid; len is at least 1.
 */
size_t ngx_http_error_map_utf8(u_char *p, size_t len);

/*
 * Escapes text for a string of JSON, RFC 8259; invalid UTF-8 becomes U+FFFD.
 * Returns the length, and only that if dst is NULL.
 */
size_t ngx_http_error_map_escape_json(u_char *dst, u_char *src, size_t len);

/* for a header: bytes outside printable ASCII and "%" become %XX */
ngx_int_t ngx_http_error_map_quote(ngx_pool_t *pool, ngx_str_t *value);

/* returns 1 if ch is a token character, RFC 9110, or 0 */
ngx_uint_t ngx_http_error_map_token(u_char ch);

/*
 * Returns the first buffer of the request that nginx sends to the upstream, or
 * NULL if nginx has freed it: with proxy_request_buffering off, once the buffer
 * is sent.
 */
#define ngx_http_error_map_request_buf(r)                                     \
    (((r)->upstream->request_bufs == NULL                                     \
      || ((r)->request_body_no_buffering && (r)->upstream->request_sent))     \
     ? NULL : (r)->upstream->request_bufs->buf)

/* returns 1 if the buffer of a request begins with the text, in any case */
ngx_uint_t ngx_http_error_map_request_begins(ngx_buf_t *b, const char *text);

/*
 * True while the upstream sends the response: not once the upstream has been
 * finalized, and not for the error page of a filter.
 */
#define ngx_http_error_map_upstream_active(r)                                 \
    ((r)->upstream && (r)->upstream->cleanup && !(r)->filter_finalize)


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_UTIL_H_INCLUDED_ */
