
/*
 * Types and functions shared by the nginx-facing files.
 */


#ifndef _NGX_HTTP_ERROR_MAP_MODULE_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_MODULE_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


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
} ngx_http_error_map_source_t;


/* what is asked of a response before it is looked into */

typedef struct {
    ngx_uint_t                      status;
    ngx_str_t                       type;
    ngx_table_elt_t                *coding;  /* Content-Encoding, or NULL */
    ngx_list_part_t                *headers; /* all of them */
    ngx_uint_t                      gzip;    /* set if it is inspected */
} ngx_http_error_map_response_t;


typedef enum {
    NGX_HTTP_ERROR_MAP_PLAIN = 0,
    NGX_HTTP_ERROR_MAP_CHUNKED,
    NGX_HTTP_ERROR_MAP_FASTCGI
} ngx_http_error_map_framing_e;


/* how far a body has been read that lies framed in an upstream's buffer */

typedef struct {
    ngx_http_error_map_framing_e    framing;
    u_char                         *pos;
    off_t                           length;  /* of the body, or -1 */

    ngx_http_chunked_t              chunked;

    /* FastCGI, the current record */
    u_char                         *body;    /* where it begins */
    size_t                          left;
    size_t                          padding;
    unsigned                        out:1;   /* it is of type FCGI_STDOUT */
} ngx_http_error_map_raw_t;


/* a response whose header waits for the verdict */

typedef struct {
    ngx_http_request_t             *request;
    ngx_http_error_map_source_t     source;

    size_t                          skip;    /* read with the header already */
    size_t                          size;    /* bytes held */
    ngx_chain_t                    *out;
    ngx_chain_t                   **last_out;
    ngx_buf_t                      *buf;     /* the last one of out */

    ngx_event_t                     timer;
    ngx_msec_t                      start;

    unsigned                        upstream:1;  /* it came while this read */
    unsigned                        flush:1;
    unsigned                        in_memory:1; /* others had asked for it */
} ngx_http_error_map_hold_t;


/*
 * What was decided about a response.  No context means "skipped".  Those of
 * "success" and "none" that need no hold are shared and never written to.
 */

typedef struct ngx_http_error_map_ctx_s {
    ngx_http_error_map_verdict_e    verdict;
    ngx_http_error_map_document_t  *document;
    const em_entry_t               *entry;

    ngx_str_t                       code;    /* printable ASCII */
    ngx_str_t                       raw;     /* the same as it was sent */
    ngx_uint_t                      upstream_status;  /* 0: see the request */
    ngx_uint_t                      status;           /* as above */
    time_t                          retry_after;

    ngx_http_error_map_hold_t      *hold;    /* until it is released */
    size_t                          hold_size;
    ngx_msec_t                      hold_time;

    ngx_buf_t                      *body;    /* to be sent for the vendor's */

    /* the one to go back to when all that was held has been sent */
    ngx_http_event_handler_pt       write_event_handler;

    unsigned                        drop:1;  /* the rest of the body */
} ngx_http_error_map_ctx_t;


/* what was decided about a response that an error page takes the place of */

typedef struct {
    ngx_http_request_t             *request;
    ngx_http_upstream_t            *upstream;
    ngx_http_upstream_state_t      *state;
    ngx_http_error_map_ctx_t       *ctx;    /* NULL if it is no longer true */
} ngx_http_error_map_kept_t;


/*
 * source.c.  All return NGX_OK once source->verdict is certain, which is then
 * final, or NGX_AGAIN.
 */

/*
 * Makes a source of which at most size bytes are read, as they come and again
 * as they are inflated if it is gzip, and looks at the headers.
 */
ngx_int_t ngx_http_error_map_source_init(ngx_http_error_map_source_t *source,
    ngx_http_request_t *r, ngx_http_error_map_document_t *document,
    size_t size, ngx_uint_t gzip);

/* reads len bytes of the body at data; UNDECIDED if that is beyond the size */
ngx_int_t ngx_http_error_map_source_feed(ngx_http_error_map_source_t *source,
    u_char *data, size_t len);

/* the same for what is no longer compressed, without a look at the size */
ngx_int_t ngx_http_error_map_source_scan(ngx_http_error_map_source_t *source,
    u_char *data, size_t len);

/*
 * Is told that no more can be read: the verdict is what is certain by now, or
 * the one given; always NGX_OK.
 */
ngx_int_t ngx_http_error_map_source_stop(ngx_http_error_map_source_t *source,
    ngx_http_error_map_verdict_e verdict);

/* is told that the body has ended; always NGX_OK */
ngx_int_t ngx_http_error_map_source_end(ngx_http_error_map_source_t *source);

/* is told the code, which has at most EM_CODE_MAX bytes; always NGX_OK */
ngx_int_t ngx_http_error_map_source_code(ngx_http_error_map_source_t *source,
    u_char *data, size_t len);

/* sets the verdict; always NGX_OK */
ngx_int_t ngx_http_error_map_source_verdict(
    ngx_http_error_map_source_t *source, ngx_http_error_map_verdict_e verdict);


/*
 * preread.c.  All that is read stays where it is.  Those with a source return
 * as those of source.c.
 */

/*
 * Reads what of the body came with the upstream's header, or a cached response
 * from its file, by way of a buffer from the request's pool.
 */
ngx_int_t ngx_http_error_map_preread(ngx_http_error_map_source_t *source);

/*
 * Finds out how the body lies in the buffer of the request's upstream; start
 * is where the first record of a FastCGI response is, or NULL, length the
 * body's or -1.  Returns NGX_OK, or NGX_DECLINED for what cannot be taken
 * apart.
 */
ngx_int_t ngx_http_error_map_raw_init(ngx_http_error_map_raw_t *raw,
    ngx_http_request_t *r, u_char *start, off_t length);

/* reads on, up to last */
ngx_int_t ngx_http_error_map_raw_feed(ngx_http_error_map_raw_t *raw,
    ngx_http_error_map_source_t *source, u_char *last);

/* is told that the upstream has closed the connection; always NGX_OK */
ngx_int_t ngx_http_error_map_raw_end(ngx_http_error_map_raw_t *raw,
    ngx_http_error_map_source_t *source);


/*
 * gunzip.c.  Both return as those of source.c, to which they give what they
 * inflate; gzip is RFC 1952.  What is no gzip, is cut short or corrupt has no
 * code.  What they need is taken from the request's pool, and given back if
 * there is a verdict before the end.
 */

ngx_int_t ngx_http_error_map_gunzip_feed(ngx_http_error_map_source_t *source,
    u_char *data, size_t len);

/* NGX_DECLINED if the body is complete, and whether it has a code is open */
ngx_int_t ngx_http_error_map_gunzip_end(ngx_http_error_map_source_t *source);


/*
 * pattern.c
 */

/* adds a PCRE2 pattern to the sources; NGX_CONF_OK or NGX_CONF_ERROR */
char *ngx_http_error_map_pattern(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text);

/* limits, which are the same for all; it is used by one match at a time */

#if (NGX_PCRE2)
extern pcre2_match_context  *ngx_http_error_map_match_context;
#endif


/*
 * regex.c
 */

/*
 * Searches the next len bytes at data.  If wait is set, they are only kept for
 * later.  Returns as those of source.c.
 */
ngx_int_t ngx_http_error_map_text_feed(ngx_http_error_map_source_t *source,
    u_char *data, size_t len, ngx_uint_t wait);

/* searches what was kept for later, as ..._source_stop(); always NGX_OK */
ngx_int_t ngx_http_error_map_text_stop(ngx_http_error_map_source_t *source,
    ngx_http_error_map_verdict_e verdict);

/* searches what is left when the body has ended; always NGX_OK */
ngx_int_t ngx_http_error_map_text_end(ngx_http_error_map_source_t *source);


/*
 * policy.c
 */

/* fills the actions of all policies, once all documents are known */
ngx_int_t ngx_http_error_map_policy_compile(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);

/* returns the action for a row of the document, NULL for unknown codes */
ngx_http_error_map_action_t *ngx_http_error_map_policy_action(
    ngx_http_error_map_policy_t *policy,
    ngx_http_error_map_document_t *document, const em_entry_t *entry);

/*
 * Reads a code that is a number as people write it, at most 18 digits and no
 * leading zero.  Returns NGX_OK, or NGX_DECLINED for all other codes.
 */
ngx_int_t ngx_http_error_map_policy_number(u_char *p, u_char *last,
    uint64_t *n);


/*
 * inspect.c
 */

/* returns the upstream if the response is its own, now or from a cache */
ngx_http_upstream_t *ngx_http_error_map_vendor(ngx_http_request_t *r);

/*
 * Returns the first header of that name that is sent, or, with h, the first one
 * behind it, or NULL.
 */
ngx_table_elt_t *ngx_http_error_map_next_header(ngx_list_part_t *part,
    ngx_str_t *name, ngx_table_elt_t *h);

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
ngx_int_t ngx_http_error_map_partial(ngx_http_request_t *r);


/*
 * Whether it is its upstream that sends the response now: one that has been
 * finalized does not, nor is it behind the error page of a filter.
 */
#define ngx_http_error_map_live(r)                                            \
    ((r)->upstream && (r)->upstream->cleanup && !(r)->filter_finalize)


/*
 * header.c
 */

/* the directive error_map_header */
char *ngx_http_error_map_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* returns 1 if it can be a header's name (a token without "$" before it) */
ngx_uint_t ngx_http_error_map_header_name(ngx_str_t *name);

/* returns 1 if ch can be in a token, RFC 9110, or 0 */
ngx_uint_t ngx_http_error_map_token(u_char ch);

/* returns what is added where the directive is not used, NULL on error */
ngx_array_t *ngx_http_error_map_default_headers(ngx_conf_t *cf);

/* returns a set of bits for the names of nelts headers, vendor as it is set */
uint64_t ngx_http_error_map_name_bits(ngx_http_error_map_header_t *header,
    ngx_uint_t nelts, ngx_uint_t vendor);

/*
 * Removes what only this module says from what a vendor sent; bits are those
 * of the headers' names.
 */
void ngx_http_error_map_remove_spoofed(ngx_http_request_t *r,
    ngx_array_t *headers, uint64_t bits);

/* removes what belongs to what was asked for, and not to an error */
void ngx_http_error_map_remove_validators(ngx_http_request_t *r);

/* removes what describes a body that another one takes the place of */
void ngx_http_error_map_remove_representation(ngx_http_request_t *r);

/* adds the headers as their values are now; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_add_headers(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_array_t *headers);


/*
 * proxy_status.c
 */

/* the directive error_map_proxy_status */
char *ngx_http_error_map_proxy_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Appends a member called name to Proxy-Status, RFC 9209, which says what the
 * upstream sent and what its code is.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_add_proxy_status(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_str_t *name);


/*
 * rest.c
 */

/*
 * Sends what the client did not take at once of a body that nginx's event pipe
 * does not know of; NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_write_rest(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx);


/*
 * hold.c
 */

/* NGX_OK if there is a verdict, NGX_AGAIN if more of the body is needed */
ngx_int_t ngx_http_error_map_hold_read(ngx_http_error_map_hold_t *hold,
    ngx_chain_t *in);

/*
 * Returns 1 if the chain tells that the upstream broke off, or 0.  It is
 * finalized then, and there is no last_buf but a flush: nginx sends what came
 * before, and closes the connection.
 */
ngx_int_t ngx_http_error_map_hold_broken(ngx_http_error_map_hold_t *hold,
    ngx_chain_t *in);

/*
 * Copies the chain, and gives its buffers back to those who own them; NGX_OK
 * or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_hold_keep(ngx_http_error_map_hold_t *hold,
    ngx_chain_t *in);

/*
 * Returns what is to go behind the bytes held, which is the chain, or a copy
 * of it is held as well and a buffer with its flags is returned, or
 * NGX_CHAIN_ERROR.  To be called when the header has been sent.
 */
ngx_chain_t *ngx_http_error_map_hold_needs(ngx_http_request_t *r,
    ngx_http_error_map_hold_t *hold, ngx_chain_t *in);

/* gives the buffers of a chain back without a copy */
void ngx_http_error_map_hold_consume(ngx_chain_t *in);

/* stops the timer of a hold; a handler of a pool's cleanup */
void ngx_http_error_map_hold_stop(void *hold);


/*
 * response.c
 */

/*
 * Returns a context for a response with that status whose verdict is to come,
 * or NULL.
 */
ngx_http_error_map_ctx_t *ngx_http_error_map_create_ctx(ngx_http_request_t *r,
    ngx_http_error_map_document_t *document, ngx_uint_t status);

/*
 * Makes the context of a verdict from what the source found, and sets it for
 * the request; ctx is the one to use or NULL.  Returns NULL on lack of memory.
 */
ngx_http_error_map_ctx_t *ngx_http_error_map_decide(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_source_t *source,
    ngx_http_error_map_ctx_t *ctx);

/*
 * Changes status and headers as was decided, and makes ctx->body if there is to
 * be another one; NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_respond(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx);

/* adds the headers that tell of the verdict; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_tell(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx);


/*
 * problem.c
 */

/* the directive error_map_body */
char *ngx_http_error_map_body(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Makes ctx->body, problem details as of RFC 9457, and the headers that go with
 * it; type is the prefix of the member "type" or "".  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_problem(ngx_http_request_t *r, ngx_str_t *type,
    ngx_http_error_map_ctx_t *ctx);


/*
 * intercept.c
 */

/* returns 1 if an error page is to take the place of the response, or 0 */
ngx_int_t ngx_http_error_map_intercepts(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx);

/*
 * Removes the header that is to be sent, and keeps the context for the error
 * page.  Returns the status to finalize the request with, or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_intercept(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx);

/*
 * The same when nginx waits for more of the body: ends what the upstream does,
 * and finalizes the request.  The event is the timer of a hold, posted.
 */
void ngx_http_error_map_intercept_late(ngx_event_t *ev);

/* returns a place to keep a context for an error page, or NULL */
ngx_http_error_map_kept_t *ngx_http_error_map_keep(ngx_http_request_t *r);

/* returns what was kept of a request last, if it is still true, or NULL */
ngx_http_error_map_kept_t *ngx_http_error_map_kept(ngx_http_request_t *r);


/*
 * peer.c
 */

/* takes its place in all upstreams; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_peer_init(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);

/*
 * ... and in the location that is being merged, for an upstream that is
 * resolved at run time does without those
 */
void ngx_http_error_map_peer_handler(ngx_conf_t *cf,
    ngx_http_error_map_loc_conf_t *conf);


/*
 * upstream.c
 */

/*
 * Wraps the handlers of the request's upstream if error_map_upstream is on; to
 * be called before a response can come.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_upstream_wrap(ngx_http_request_t *r);

/*
 * Returns the context of the response that the upstream sends if the verdict
 * was reached while its header was read, or NULL.
 */
ngx_http_error_map_ctx_t *ngx_http_error_map_upstream_ctx(
    ngx_http_request_t *r, ngx_http_error_map_loc_conf_t *conf);

/* returns how long the response has waited before its header was sent */
ngx_msec_t ngx_http_error_map_upstream_waited(ngx_http_request_t *r);


/*
 * zone.c
 */

/* the directive error_map_zone */
char *ngx_http_error_map_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* gives each counter its place, once all documents are known */
ngx_int_t ngx_http_error_map_zone_layout(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);

/* is told that the configuration will be used */
void ngx_http_error_map_zone_commit(ngx_http_error_map_zone_t *zone);

/* counts a response that has its verdict */
void ngx_http_error_map_count(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx);

/* counts one that was skipped, unless it is an error page of nginx's own */
void ngx_http_error_map_count_skipped(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf);


/*
 * variables.c
 */

/* returns the status that the upstream sent */
ngx_uint_t ngx_http_error_map_upstream_status(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx);

extern ngx_str_t  ngx_http_error_map_verdicts[];

ngx_int_t ngx_http_error_map_add_variables(ngx_conf_t *cf);

/* returns the number of the variable called name, or NGX_DECLINED */
ngx_int_t ngx_http_error_map_variable_number(ngx_str_t *name);

/* gets the value of a variable for a decided response; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_variable_value(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_uint_t number, ngx_str_t *value);


/*
 * filter.c: installs its body and its header half
 */

ngx_int_t ngx_http_error_map_body_filter_init(ngx_conf_t *cf);
ngx_int_t ngx_http_error_map_header_filter_init(ngx_conf_t *cf);


extern ngx_module_t  ngx_http_error_map_filter_module;
extern ngx_module_t  ngx_http_error_map_header_filter_module;


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_MODULE_H_INCLUDED_ */
