
#include "ngx_http_error_map_direct.h"
#include "ngx_http_error_map_inspect.h"
#include "ngx_http_error_map_util.h"


ngx_int_t
ngx_http_error_map_direct(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_str_t *type, off_t length,
    const u_char **code)
{
    size_t                len, pointer;
    ngx_buf_t            *request;
    ngx_str_t            *module;
    ngx_http_upstream_t  *u;

    u = r->upstream;

    if (type->len != sizeof("application/json") - 1
        || ngx_memcmp(type->data, "application/json", 16) != 0
        || u == NULL
        || !ngx_http_error_map_upstream_active(r)
        || u->conf == NULL
        || u->header_sent
        || u->upgrade
        || u->headers_in.chunked
        || u->headers_in.status_n != NGX_HTTP_OK
        || length <= 0
        || ngx_http_error_map_bodiless(r))
    {
        return NGX_DECLINED;
    }

#if (NGX_HTTP_CACHE)

    if (r->cached) {
        return NGX_DECLINED;
    }

#endif

    /* an HTTP upstream, but not frames of HTTP/2, see framing.c */

    module = &u->conf->module;

    if (module->len != 5 || ngx_memcmp(module->data, "proxy", 5) != 0) {
        return NGX_DECLINED;
    }

    request = ngx_http_error_map_request_buf(r);

    if (request == NULL
        || request->start == NULL
        || ngx_memcmp(request->start, "PRI ", 4) == 0
        || ngx_memcmp(request->start, "HEAD", 4) == 0)
    {
        return NGX_DECLINED;
    }

    len = u->buffer.last - u->buffer.pos;

    if ((off_t) len > length) {
        len = (size_t) length;
    }

    len = ngx_min(len, conf->hold_size);

    len = em_json_quick(&conf->document->pointers, u->buffer.pos, len,
                        u->buffer.end - u->buffer.pos, (off_t) len == length,
                        code, &pointer);

    return len ? (ngx_int_t) len : NGX_AGAIN;
}


void
ngx_http_error_map_direct_reader(ngx_http_error_map_reader_t *reader,
    ngx_http_request_t *r, ngx_http_error_map_document_t *document,
    const u_char *code, size_t len)
{
    ngx_http_error_map_reader_clear(reader);

    reader->document = document;
    reader->request = r;
    reader->size = code + len - r->upstream->buffer.pos;

    (void) ngx_http_error_map_reader_code(reader, code, len);
}
