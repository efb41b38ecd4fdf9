
#include "ngx_http_error_map_direct.h"
#include "ngx_http_error_map_inspect.h"
#include "ngx_http_error_map_util.h"


ngx_int_t
ngx_http_error_map_direct(ngx_http_request_t *r,
    ngx_http_error_map_loc_conf_t *conf, ngx_http_error_map_reader_t *reader)
{
    size_t                          len, pointer;
    ngx_buf_t                      *request;
    const u_char                   *code;
    ngx_str_t                      *type, *module;
    ngx_http_upstream_t            *u;
    ngx_http_error_map_document_t  *document;

    u = r->upstream;
    document = conf->document;
    type = &r->headers_out.content_type;

    if (type->len != sizeof("application/json") - 1
        || ngx_memcmp(type->data, "application/json", 16) != 0
        || document == NULL
        || !document->direct
        || !conf->json
        || conf->statuses
        || conf->events != 1
        || u == NULL
        || !ngx_http_error_map_upstream_active(r)
        || u->conf == NULL
        || u->header_sent
        || u->upgrade
        || u->headers_in.chunked
        || u->headers_in.status_n != NGX_HTTP_OK
        || r->headers_out.status != NGX_HTTP_OK
        || r->headers_out.content_encoding
        || r->headers_out.content_length_n <= 0
        || r->header_only
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
        || ngx_memcmp(request->start, "PRI", 3) == 0)
    {
        return NGX_DECLINED;
    }

    len = u->buffer.last - u->buffer.pos;

    if ((off_t) len > r->headers_out.content_length_n) {
        len = (size_t) r->headers_out.content_length_n;
    }

    len = ngx_min(len, conf->hold_size);

    reader->json.len = em_json_quick(&document->pointers, u->buffer.pos, len,
                                     (off_t) len
                                     == r->headers_out.content_length_n,
                                     &code, &pointer);

    if (reader->json.len == 0) {
        return NGX_DECLINED;
    }

    reader->document = document;
    reader->request = r;
    reader->size = len;
    reader->text = NULL;
    reader->decoder = NULL;
    reader->select = NULL;

    ngx_memcpy(reader->json.token, code, reader->json.len);

    return ngx_http_error_map_reader_lookup(reader);
}
