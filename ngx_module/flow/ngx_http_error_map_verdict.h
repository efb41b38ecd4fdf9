
/*
 * The end of every inspection.
 */


#ifndef _NGX_HTTP_ERROR_MAP_VERDICT_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_VERDICT_H_INCLUDED_


#include "ngx_http_error_map_variables.h"


#pragma GCC visibility push(hidden)


/*
 * Concludes the verdict of the reader: sets the context of the request, counts
 * the response, and frees the reader.  ctx gets the size of the held body in
 * bytes and the hold time in milliseconds; it is NULL for a response that was
 * not held.  Returns the context, which is a shared or a new one if ctx is
 * NULL, or NULL on lack of memory.
 */
ngx_http_error_map_ctx_t *ngx_http_error_map_conclude(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_reader_t *reader,
    ngx_http_error_map_ctx_t *ctx, size_t size, ngx_msec_t time);

/* the part of ngx_http_error_map_record() that few configurations need */
void ngx_http_error_map_record_all(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx,
    ngx_http_error_map_main_conf_t *emcf);


/* counts the verdict, and keeps its code for the list of all attempts */

static ngx_inline void
ngx_http_error_map_record(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *ctx)
{
    ngx_http_error_map_main_conf_t  *emcf;

    emcf = ngx_http_get_module_main_conf(r, ngx_http_error_map_filter_module);

    if (emcf->zone || emcf->codes) {
        ngx_http_error_map_record_all(r, conf, ctx, emcf);
    }
}


/* does for an answer what ngx_http_error_map_conclude() does for a reader */

static ngx_inline void
ngx_http_error_map_set_answer(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_ctx_t *answer)
{
    ngx_http_set_ctx(r, answer, ngx_http_error_map_filter_module);

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http error map: %V \"%V\" %V, as before",
                   &answer->document->name, &answer->code,
                   &ngx_http_error_map_verdicts[answer->verdict]);

    ngx_http_error_map_record(r, conf, answer);
}


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_VERDICT_H_INCLUDED_ */
