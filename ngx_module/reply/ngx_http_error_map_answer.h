
/*
 * Answers: the contexts of a location's usual codes, with the headers of an
 * error, made once by a worker and shared by all responses with this code.
 */


#ifndef _NGX_HTTP_ERROR_MAP_ANSWER_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_ANSWER_H_INCLUDED_


#include "ngx_http_error_map_ctx.h"


#pragma GCC visibility push(hidden)


/* of a location; the code whose place is taken has none */
#define NGX_HTTP_ERROR_MAP_ANSWER_BITS  5

/* the longest code that has one */
#define NGX_HTTP_ERROR_MAP_ANSWER_CODE  8


typedef struct {
    uint64_t                        code;
    size_t                          len;     /* 0 if the place is free */
    ngx_http_error_map_ctx_t       *ctx;
    void                           *unused;  /* a power of 2 is fast */
} ngx_http_error_map_answer_t;


struct ngx_http_error_map_answers_s {
    ngx_http_error_map_answer_t     places[1 << NGX_HTTP_ERROR_MAP_ANSWER_BITS];
};


/* those of a location that has had none yet; read-only */
extern ngx_http_error_map_answers_t  ngx_http_error_map_no_answers;

/*
 * Keeps the answer to a code, from the context that ngx_http_error_map_decide()
 * has set for it, if the code alone leads to it; conf->direct is set.  Returns
 * the answer, which is the request's context then, or the context given.
 */
ngx_http_error_map_ctx_t *ngx_http_error_map_answer_keep(
    ngx_http_request_t *r, ngx_http_error_map_loc_conf_t *conf,
    const u_char *code, size_t len, ngx_http_error_map_ctx_t *ctx);


/*
 * Returns the place of a code, and the code as a number: bytes after its end are
 * shifted out.
 */

static ngx_inline ngx_http_error_map_answer_t *
ngx_http_error_map_answer_place(ngx_http_error_map_loc_conf_t *conf,
    const u_char *code, size_t len, uint64_t *number)
{
    uint64_t    n;
    ngx_uint_t  shift;

    shift = 8 * (NGX_HTTP_ERROR_MAP_ANSWER_CODE - len);

    ngx_memcpy(&n, code, sizeof(uint64_t));

#if (NGX_HAVE_LITTLE_ENDIAN)
    n <<= shift;
#else
    n >>= shift;
#endif

    *number = n;

    return &conf->answers->places[n * UINT64_C(0x9e3779b97f4a7c15)
                                  >> (64 - NGX_HTTP_ERROR_MAP_ANSWER_BITS)];
}


/* returns the answer to a code that direct.h has found, NULL if it has none */

static ngx_inline ngx_http_error_map_ctx_t *
ngx_http_error_map_answer(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, const u_char *code, size_t len)
{
    uint64_t                      number;
    ngx_http_error_map_answer_t  *answer;

    if (len > NGX_HTTP_ERROR_MAP_ANSWER_CODE
        || r->upstream->buffer.end - code < NGX_HTTP_ERROR_MAP_ANSWER_CODE)
    {
        return NULL;
    }

    answer = ngx_http_error_map_answer_place(conf, code, len, &number);

    return (answer->code == number && answer->len == len) ? answer->ctx : NULL;
}


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_ANSWER_H_INCLUDED_ */
