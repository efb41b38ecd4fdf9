
/*
 * Finds the code of the usual response of an API, in the upstream's buffer.
 */


#ifndef _NGX_HTTP_ERROR_MAP_DIRECT_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_DIRECT_H_INCLUDED_


#include "ngx_http_error_map_reader.h"


#pragma GCC visibility push(hidden)


/*
 * For a response of status 200 and type application/json, without chunks, whose
 * code is among the first bytes: the length of the code, 1 to EM_CODE_MAX bytes,
 * and where it is in the upstream's buffer; the general way would find the same.
 * NGX_AGAIN if em_json_quick() found no code in such a response, and NGX_DECLINED
 * for any other.  The response has no coding, conf->direct is set, and the length
 * is that of the body or -1.
 */
ngx_int_t ngx_http_error_map_direct(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_str_t *type, off_t length,
    const u_char **code);

/* initializes the reader with the verdict of such a code, len bytes long */
void ngx_http_error_map_direct_reader(ngx_http_error_map_reader_t *reader,
    ngx_http_request_t *r, ngx_http_error_map_document_t *document,
    const u_char *code, size_t len);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_DIRECT_H_INCLUDED_ */
