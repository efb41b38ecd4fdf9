
/*
 * Which responses are looked into, and for which document.
 */


#ifndef _NGX_HTTP_ERROR_MAP_INSPECT_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_INSPECT_H_INCLUDED_


#include "ngx_http_error_map_conf.h"
#include "ngx_http_error_map_util.h"


#pragma GCC visibility push(hidden)


/* what is asked of a response before it is looked into */

typedef struct {
    ngx_uint_t                      status;
    ngx_str_t                       type;
    ngx_table_elt_t                *coding;  /* Content-Encoding, or NULL */
    ngx_list_part_t                *headers; /* all of them */
    ngx_uint_t                      gzip;    /* set if it is inspected */
} ngx_http_error_map_response_t;


/* the slice filter has made a 200 of the first of several 206 */
#define ngx_http_error_map_sliced(r)                                          \
    ((r)->headers_out.status == NGX_HTTP_OK                                   \
     && (r)->upstream                                                         \
     && (r)->upstream->headers_in.status_n == NGX_HTTP_PARTIAL_CONTENT)

/* few types have both the length and the last letter of one of those wanted */
#define ngx_http_error_map_type_bit(data, len)                                \
    ((uint64_t) 1 << (((len) ? (len) + ((data)[(len) - 1] | 0x20) : 0) & 63))

/* returns 1 if the verdict about a response is asked for, 0 if it is skipped */
ngx_int_t ngx_http_error_map_inspected(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf,
    ngx_http_error_map_response_t *response);

/*
 * Returns the document, which a variable may name, or NULL; with warn, a name
 * that is none is logged.
 */
#define ngx_http_error_map_document(r, conf, warn)                            \
    ((conf)->document ? (conf)->document                                      \
                      : ngx_http_error_map_named_document(r, conf, warn))

ngx_http_error_map_document_t *ngx_http_error_map_named_document(
    ngx_http_request_t *r, ngx_http_error_map_loc_conf_t *conf,
    ngx_uint_t warn);

/*
 * Whether the request asks for what cannot be had when the header comes after
 * the body.  The range body filter comes before this one, and would find out
 * about a range only when the held bytes have passed it.  And a 412 would put
 * another response in the place of this one while its body is being sent.
 */
ngx_int_t ngx_http_error_map_conditional(ngx_http_request_t *r);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_INSPECT_H_INCLUDED_ */
