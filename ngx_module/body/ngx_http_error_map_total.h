
/*
 * The memory of all held responses of a worker: held bytes, decoders and texts,
 * until they are freed.
 */


#ifndef _NGX_HTTP_ERROR_MAP_TOTAL_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_TOTAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#pragma GCC visibility push(hidden)


/* at most so many bytes, the directive error_map_hold_total */
extern size_t      ngx_http_error_map_total_max;

/* set by the last call of ngx_http_error_map_room() that found no room */
extern ngx_uint_t  ngx_http_error_map_total_full;


/* returns NGX_OK if there is room for size bytes, or NGX_DECLINED */
ngx_int_t ngx_http_error_map_room(size_t size);

/* allocates size bytes, even if there is no room; NULL on error */
void *ngx_http_error_map_take(size_t size, ngx_log_t *log);

/* frees the size bytes at p */
void ngx_http_error_map_give(void *p, size_t size);

/* counts, or counts no longer, size bytes whose memory is nginx's */
void ngx_http_error_map_add(size_t size);
void ngx_http_error_map_subtract(size_t size);

/* returns how many bytes are counted */
size_t ngx_http_error_map_total(void);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_TOTAL_H_INCLUDED_ */
