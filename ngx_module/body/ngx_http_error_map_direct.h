
/*
 * Finds the code of the usual response of an API, in the upstream's buffer.
 */


#ifndef _NGX_HTTP_ERROR_MAP_DIRECT_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_DIRECT_H_INCLUDED_


#include "ngx_http_error_map_reader.h"


#pragma GCC visibility push(hidden)


/*
 * For a response of status 200 and type application/json, without chunks, whose
 * code is among the first bytes: NGX_OK, and the code, of 1 to EM_CODE_MAX bytes
 * in the upstream's buffer, which the general way would find.  NGX_AGAIN if
 * em_json_quick() found no code in such a response, and NGX_DECLINED for any
 * other.  The response has no coding, conf->direct is set, and the length is
 * that of the body or -1.
 */
ngx_int_t ngx_http_error_map_direct(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_str_t *type, off_t length,
    ngx_str_t *code);

/* initializes the reader with the verdict of such a code */
void ngx_http_error_map_direct_reader(ngx_http_error_map_reader_t *reader,
    ngx_http_request_t *r, ngx_http_error_map_document_t *document,
    ngx_str_t *code);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_DIRECT_H_INCLUDED_ */
