
/*
 * Selects the responses to inspect, and their document.
 */


#ifndef _NGX_HTTP_ERROR_MAP_INSPECT_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_INSPECT_H_INCLUDED_


#include "ngx_http_error_map_conf.h"
#include "ngx_http_error_map_decoder.h"
#include "ngx_http_error_map_reason.h"
#include "ngx_http_error_map_util.h"
#include "em_event.h"


#pragma GCC visibility push(hidden)


/* the properties of a response that decide whether it is inspected */

typedef struct {
    ngx_uint_t                      status;
    ngx_str_t                       type;
    ngx_table_elt_t                *coding;  /* Content-Encoding, or NULL */
    ngx_list_part_t                *headers; /* all of them */
    ngx_http_error_map_coding_e     decode;  /* output: the body's coding */
    em_event_format_e               stream;  /* output: of JSON texts */
} ngx_http_error_map_response_t;


/* responses with other statuses have no body */
#define ngx_http_error_map_has_body(status)                                   \
    ((status) >= NGX_HTTP_OK                                                  \
     && (status) != NGX_HTTP_NO_CONTENT                                       \
     && (status) != 205                                                       \
     && (status) != NGX_HTTP_NOT_MODIFIED)

/* the slice filter has changed the first of several 206 to 200 */
#define ngx_http_error_map_sliced(r)                                          \
    ((r)->headers_out.status == NGX_HTTP_OK                                   \
     && (r)->upstream                                                         \
     && (r)->upstream->headers_in.status_n == NGX_HTTP_PARTIAL_CONTENT)

/* few other types share both the length and the last letter */
#define ngx_http_error_map_type_bit(data, len)                                \
    ((uint64_t) 1 << (((len) ? (len) + ((data)[(len) - 1] | 0x20) : 0) & 63))

/* nearly all responses that are skipped are like the last one */
#define ngx_http_error_map_skipped_type(conf, type)                           \
    ((type)->len == (conf)->skipped_len                                       \
     && (type)->len                                                           \
     && ngx_memcmp((type)->data, (conf)->skipped, (type)->len) == 0)

/* responses whose body the filter does not get, or must not hold */
#define ngx_http_error_map_bodiless(r)                                        \
    ((r)->method == NGX_HTTP_HEAD || (r)->subrequest_in_memory)

/*
 * With error_map_upstream they are decided in the upstream layer, and from the
 * file of a cached response.
 */
#if (NGX_HTTP_CACHE)
#define ngx_http_error_map_unread(r, conf)                                    \
    (ngx_http_error_map_bodiless(r) && !((conf)->upstream && (r)->cached))
#else
#define ngx_http_error_map_unread(r, conf)  ngx_http_error_map_bodiless(r)
#endif

/* the reason to skip them */
#define ngx_http_error_map_bodiless_reason(r)                                 \
    ((r)->method == NGX_HTTP_HEAD ? NGX_HTTP_ERROR_MAP_REASON_METHOD          \
                                  : NGX_HTTP_ERROR_MAP_REASON_SUBREQUEST)

/*
 * Returns the reason to skip the response; or NGX_HTTP_ERROR_MAP_REASON_NONE
 * and sets decode and stream, if it is inspected.
 */
ngx_http_error_map_reason_e ngx_http_error_map_inspected(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf,
    ngx_http_error_map_response_t *response);

/*
 * Returns the document, which a variable may name, or NULL; with warn, an
 * unknown name is logged.
 */
#define ngx_http_error_map_document(r, conf, warn)                            \
    ((conf)->document ? (conf)->document                                      \
                      : ngx_http_error_map_named_document(r, conf, warn))

ngx_http_error_map_document_t *ngx_http_error_map_named_document(
    ngx_http_request_t *r, ngx_http_error_map_loc_conf_t *conf,
    ngx_uint_t warn);

/*
 * Returns 1 if the request has Range, If-Match or If-Unmodified-Since, which
 * cannot be honoured once the body is held.  The range body filter runs before
 * this one, and would learn of a range only after the held bytes have passed.
 * A 412 would replace this response while its body is being sent.
 */
ngx_int_t ngx_http_error_map_conditional(ngx_http_request_t *r);


/*
 * Returns the charset of a Content-Type, or EM_CHARSET_UNKNOWN if it has none,
 * or one without a meaning to JSON.
 */
em_charset_e ngx_http_error_map_charset(ngx_str_t *type);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_INSPECT_H_INCLUDED_ */
