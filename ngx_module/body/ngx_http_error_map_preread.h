
/*
 * The part of the body that is there when the header is.
 */


#ifndef _NGX_HTTP_ERROR_MAP_PREREAD_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_PREREAD_H_INCLUDED_


#include "ngx_http_error_map_reader.h"


#pragma GCC visibility push(hidden)


/*
 * Reads what of the body came with the upstream's header, or a cached response
 * from its file, by way of a buffer from the request's pool.
 */
ngx_int_t ngx_http_error_map_preread(ngx_http_error_map_reader_t *reader);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_PREREAD_H_INCLUDED_ */
