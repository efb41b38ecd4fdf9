
/*
 * Reads the part of the body that came with the header.
 */


#ifndef _NGX_HTTP_ERROR_MAP_PREREAD_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_PREREAD_H_INCLUDED_


#include "ngx_http_error_map_reader.h"


#pragma GCC visibility push(hidden)


/*
 * Reads the part of the body that came with the upstream's header, or a cached
 * response from its file, into a temporary buffer of the request's pool.
 * Returns NGX_OK once the verdict is certain, or NGX_AGAIN.
 */
ngx_int_t ngx_http_error_map_preread(ngx_http_error_map_reader_t *reader);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_PREREAD_H_INCLUDED_ */
