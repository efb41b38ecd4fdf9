
/*
 * The framing of a body in an upstream's buffer: length, chunks or records.
 */


#ifndef _NGX_HTTP_ERROR_MAP_FRAMING_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_FRAMING_H_INCLUDED_


#include "ngx_http_error_map_reader.h"


#pragma GCC visibility push(hidden)


typedef enum {
    NGX_HTTP_ERROR_MAP_PLAIN = 0,
    NGX_HTTP_ERROR_MAP_CHUNKED,
    NGX_HTTP_ERROR_MAP_FASTCGI
} ngx_http_error_map_framing_e;


/* the position in a framed body in an upstream's buffer */

typedef struct {
    ngx_http_error_map_framing_e    type;
    u_char                         *pos;
    off_t                           length;  /* of the body, or -1 */

    ngx_http_chunked_t              chunked;
    unsigned                        ended:1; /* the last chunk or record */

    /* FastCGI, the current record */
    u_char                         *body;    /* the header ends here */
    size_t                          left;
    size_t                          padding;
    unsigned                        out:1;   /* it is of type FCGI_STDOUT */
} ngx_http_error_map_framing_t;


/*
 * Determines the framing of the body in the buffer of the request's upstream.
 * request is the first buffer of the request to it, or NULL; start is the first
 * record of a FastCGI response, or NULL; length is the length of the body in
 * bytes, or -1.  Returns NGX_OK, or NGX_DECLINED if the framing is unknown or
 * not supported.
 */
ngx_int_t ngx_http_error_map_framing_init(ngx_http_error_map_framing_t *framing,
    ngx_http_request_t *r, ngx_buf_t *request, u_char *start, off_t length);

/* reads up to last; NGX_OK once the verdict is certain, or NGX_AGAIN */
ngx_int_t ngx_http_error_map_framing_feed(ngx_http_error_map_framing_t *framing,
    ngx_http_error_map_reader_t *reader, u_char *last);

/* ends reading after the upstream has closed the connection; always NGX_OK */
ngx_int_t ngx_http_error_map_framing_end(ngx_http_error_map_framing_t *framing,
    ngx_http_error_map_reader_t *reader);

/*
 * Skips the rest of the body up to last.  Returns the first byte of a chunk or
 * record that nginx will reject, or NULL.
 */
u_char *ngx_http_error_map_framing_invalid(
    ngx_http_error_map_framing_t *framing, ngx_http_request_t *r, u_char *last);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_FRAMING_H_INCLUDED_ */
