
/*
 * Reads headers and body bytes until there is a verdict.
 */


#ifndef _NGX_HTTP_ERROR_MAP_READER_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_READER_H_INCLUDED_


#include "ngx_http_error_map_conf.h"
#include "ngx_http_error_map_decoder.h"
#include "ngx_http_error_map_reason.h"
#include "ngx_http_error_map_select.h"
#include "ngx_http_error_map_text.h"
#include "em_event.h"


#pragma GCC visibility push(hidden)


/* the state of reading; may be copied between calls */

typedef struct {
    ngx_http_request_t             *request;
    ngx_http_error_map_document_t  *document;
    size_t                          left;    /* bytes left to read */
    size_t                          size;    /* bytes read */

    ngx_http_error_map_verdict_e    verdict; /* once it is certain */
    ngx_http_error_map_reason_e     reason;  /* of a verdict without a code */
    ngx_http_error_map_reason_e     others;  /* that of the events before */
    const em_entry_t               *entry;   /* MAPPED */
    size_t                          success; /* SUCCESS: see em_group.h */

    em_event_t                      stream;  /* of the JSON texts */
    em_json_t                       json;    /* its token is the code */
    ngx_http_error_map_select_t    *select;  /* NULL if json reads */
    ngx_http_error_map_text_t      *text;    /* NULL until patterns are used */
    ngx_http_error_map_decoder_t   *decoder; /* NULL until the first bytes */
    ngx_http_error_map_coding_e     coding;
    em_charset_e                    charset; /* of the Content-Type */
    ngx_uint_t                      events;  /* texts to look into yet */

    ngx_str_t                      *found;   /* by line of a field, or NULL */

    unsigned                        started:1;  /* with the body */
    unsigned                        searched:1; /* select has no code */
    unsigned                        decided:1;  /* only fields are missing */
    unsigned                        passed:1;   /* the event has no code */
} ngx_http_error_map_reader_t;


/*
 * All return NGX_OK once reader->verdict is certain, which is final then, or
 * NGX_AGAIN.
 */

/*
 * Initializes the reader and reads the headers.  At most conf->hold_size bytes
 * of the body are read, and of a coded body, as many bytes of text.  Of a
 * stream, each of the first conf->events texts is looked into for itself; the
 * first one with a code decides.
 */
ngx_int_t ngx_http_error_map_reader_init(ngx_http_error_map_reader_t *reader,
    ngx_http_request_t *r, ngx_http_error_map_document_t *document,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_coding_e coding,
    em_event_format_e stream, em_charset_e charset);

/* reads the next len bytes of the body at data; UNDECIDED beyond the size */
ngx_int_t ngx_http_error_map_reader_feed(ngx_http_error_map_reader_t *reader,
    u_char *data, size_t len);

/*
 * Stops before the end of the body: the verdict is the one certain by now, or
 * else that of the reason; always NGX_OK.
 */
ngx_int_t ngx_http_error_map_reader_stop(ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_reason_e reason);

/* ends the body; always NGX_OK */
ngx_int_t ngx_http_error_map_reader_end(ngx_http_error_map_reader_t *reader);

/* takes a code, of at most EM_CODE_MAX bytes, for the verdict; always NGX_OK */
ngx_int_t ngx_http_error_map_reader_code(ngx_http_error_map_reader_t *reader,
    const u_char *data, size_t len);

/*
 * Gets a field of an error, by its number in the document: 1 to
 * EM_PLAN_VALUE_MAX bytes, valid until the reader is freed.  NGX_OK, or
 * NGX_DECLINED if there is none.
 */
ngx_int_t ngx_http_error_map_reader_field(ngx_http_error_map_reader_t *reader,
    ngx_uint_t number, ngx_str_t *value);

/* returns the seconds of the document's "retry_after", or 0 */
ngx_uint_t ngx_http_error_map_reader_retry(
    ngx_http_error_map_reader_t *reader);

/* makes a reader that is not initialized one without a verdict */
#define ngx_http_error_map_reader_clear(reader)                               \
    (reader)->document = NULL;                                                \
    (reader)->verdict = NGX_HTTP_ERROR_MAP_UNDECIDED;                         \
    (reader)->reason = NGX_HTTP_ERROR_MAP_REASON_NONE;                        \
    (reader)->select = NULL;                                                  \
    (reader)->text = NULL;                                                    \
    (reader)->decoder = NULL

/*
 * Frees all memory of reading; the verdict and the code remain.  A zeroed,
 * cleared or freed reader may be freed again.
 */
void ngx_http_error_map_reader_free(ngx_http_error_map_reader_t *reader);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_READER_H_INCLUDED_ */
