
/*
 * Blocks of memory for held bodies.  A worker keeps some of those that are free:
 * malloc() returns theirs to the system, which has to clear it for each response.
 */


#ifndef _NGX_HTTP_ERROR_MAP_BLOCK_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_BLOCK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#pragma GCC visibility push(hidden)


/* bytes of a block */

#define NGX_HTTP_ERROR_MAP_BLOCK  (64 * 1024)


/* returns a block, whose bytes are undefined, or NULL */
void *ngx_http_error_map_block_alloc(ngx_log_t *log);

/* frees a block */
void ngx_http_error_map_block_free(void *p);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_BLOCK_H_INCLUDED_ */
