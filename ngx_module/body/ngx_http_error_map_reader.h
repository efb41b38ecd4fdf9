
/*
 * Headers and body bytes to a verdict.
 */


#ifndef _NGX_HTTP_ERROR_MAP_READER_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_READER_H_INCLUDED_


#include "ngx_http_error_map_conf.h"
#include "ngx_http_error_map_gunzip.h"
#include "ngx_http_error_map_text.h"


#pragma GCC visibility push(hidden)


/* reads body bytes until there is a verdict; may be copied between calls */

typedef struct {
    ngx_http_request_t             *request;
    ngx_http_error_map_document_t  *document;
    size_t                          left;    /* bytes it may still read */
    size_t                          size;    /* bytes read */

    ngx_http_error_map_verdict_e    verdict; /* once it is certain */
    const em_entry_t               *entry;   /* MAPPED */
    ngx_uint_t                      success; /* SUCCESS: which one */

    em_json_t                       json;    /* its token is the code */
    ngx_http_error_map_text_t      *text;    /* what patterns wait for */
    ngx_http_error_map_gunzip_t    *gunzip;  /* from the first bytes on */

    unsigned                        gzip:1;
} ngx_http_error_map_reader_t;


/*
 * All return NGX_OK once reader->verdict is certain, which is then
 * final, or NGX_AGAIN.
 */

/*
 * Makes a reader that reads at most size bytes are read, as they come and again
 * as they are inflated if it is gzip, and looks at the headers.
 */
ngx_int_t ngx_http_error_map_reader_init(ngx_http_error_map_reader_t *reader,
    ngx_http_request_t *r, ngx_http_error_map_document_t *document,
    size_t size, ngx_uint_t gzip);

/* reads len bytes of the body at data; UNDECIDED if that is beyond the size */
ngx_int_t ngx_http_error_map_reader_feed(ngx_http_error_map_reader_t *reader,
    u_char *data, size_t len);

/*
 * Is told that no more can be read: the verdict is what is certain by now, or
 * the one given; always NGX_OK.
 */
ngx_int_t ngx_http_error_map_reader_stop(ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_verdict_e verdict);

/* is told that the body has ended; always NGX_OK */
ngx_int_t ngx_http_error_map_reader_end(ngx_http_error_map_reader_t *reader);

/*
 * Frees everything that reading needs memory for; the verdict and the code
 * stay.  A reader that was zeroed or freed may be freed.
 */
void ngx_http_error_map_reader_free(ngx_http_error_map_reader_t *reader);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_READER_H_INCLUDED_ */
