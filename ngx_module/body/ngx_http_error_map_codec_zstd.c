
#include "ngx_http_error_map_codec.h"


#if (NGX_HTTP_ERROR_MAP_HAVE_ZSTD)

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>


/*
 * zstd, RFC 8878, of any number of frames.  libzstd allocates the whole window
 * that a frame declares before the first byte, unless the output is one stable
 * buffer that has room for all of the frame.  The text that is inspected goes
 * to such a buffer, so that it is the window, too.  libzstd would reject a
 * frame that declares a larger size, so each frame's header is replaced by one
 * that declares the window only.
 */


/* the most text that is returned by one call */
#define NGX_HTTP_ERROR_MAP_ZSTD_SIZE    4096

/* libzstd's state, one coded block, and one block of text */
#define NGX_HTTP_ERROR_MAP_ZSTD_MEMORY  (512 * 1024)

/* the largest block, RFC 8878, section 3.1.1.2.4 */
#define NGX_HTTP_ERROR_MAP_ZSTD_BLOCK   (128 * 1024)

/* the largest window of a Content-Encoding, RFC 9659 */
#define NGX_HTTP_ERROR_MAP_ZSTD_WINDOW  (8 * 1024 * 1024)

/* the longest header of a frame, RFC 8878, section 3.1.1.1 */
#define NGX_HTTP_ERROR_MAP_ZSTD_HEADER  18

/* a frame that does not declare its size */
#define NGX_HTTP_ERROR_MAP_ZSTD_NO_SIZE  UINT64_MAX


typedef struct {
    ZSTD_DCtx         *zstd;

    u_char             header[NGX_HTTP_ERROR_MAP_ZSTD_HEADER];
    size_t             len;          /* of the header, received */
    size_t             skip;         /* the rest of a skippable frame */

    uint64_t           size;         /* of the frame's text, or NO_SIZE */
    ZSTD_outBuffer     out;          /* this frame's text */
    size_t             allocated;    /* for it */

    unsigned           frame:1;      /* its header is complete */
    unsigned           more:1;       /* it is not the first one */
} ngx_http_error_map_zstd_t;


static ngx_int_t ngx_http_error_map_zstd_create(
    ngx_http_error_map_decoder_t *decoder);
static ngx_int_t ngx_http_error_map_zstd_next(
    ngx_http_error_map_decoder_t *decoder, ngx_str_t *out);
static ngx_int_t ngx_http_error_map_zstd_text(
    ngx_http_error_map_decoder_t *decoder, ngx_str_t *out);
static ngx_int_t ngx_http_error_map_zstd_header(
    ngx_http_error_map_decoder_t *decoder);
static size_t ngx_http_error_map_zstd_header_size(
    ngx_http_error_map_zstd_t *z);
static ngx_int_t ngx_http_error_map_zstd_frame(
    ngx_http_error_map_decoder_t *decoder);
static ngx_int_t ngx_http_error_map_zstd_start(
    ngx_http_error_map_decoder_t *decoder, uint64_t window);
static uint64_t ngx_http_error_map_zstd_number(u_char *p, size_t len);
static ngx_uint_t ngx_http_error_map_zstd_complete(
    ngx_http_error_map_decoder_t *decoder);


const ngx_http_error_map_codec_t  ngx_http_error_map_codec_zstd = {
    ngx_http_error_map_zstd_create,
    ngx_http_error_map_zstd_next,
    ngx_http_error_map_zstd_complete
};


static ngx_int_t
ngx_http_error_map_zstd_create(ngx_http_error_map_decoder_t *decoder)
{
    ZSTD_customMem              memory;
    ngx_http_error_map_zstd_t  *z;

    decoder->max = (uint64_t) decoder->left + NGX_HTTP_ERROR_MAP_ZSTD_MEMORY;

    z = ngx_http_error_map_codec_alloc(decoder,
                                       sizeof(ngx_http_error_map_zstd_t));
    if (z == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(z, sizeof(ngx_http_error_map_zstd_t));

    memory.customAlloc = ngx_http_error_map_codec_alloc;
    memory.customFree = ngx_http_error_map_codec_free;
    memory.opaque = decoder;

    z->zstd = ZSTD_createDCtx_advanced(memory);

    if (z->zstd == NULL
        || ZSTD_isError(ZSTD_DCtx_setParameter(z->zstd,
                                               ZSTD_d_stableOutBuffer, 1)))
    {
        return NGX_ERROR;
    }

    decoder->state = z;

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_zstd_next(ngx_http_error_map_decoder_t *decoder,
    ngx_str_t *out)
{
    size_t                      n;
    ngx_int_t                   rc;
    ngx_http_error_map_zstd_t  *z;

    z = decoder->state;

    n = ngx_min(z->skip, decoder->len);

    decoder->data += n;
    decoder->len -= n;
    z->skip -= n;

    if (z->skip) {
        return NGX_AGAIN;
    }

    if (!z->frame) {
        rc = ngx_http_error_map_zstd_header(decoder);

        if (rc != NGX_OK || !z->frame) {
            return rc;
        }
    }

    return ngx_http_error_map_zstd_text(decoder, out);
}


/*
 * libzstd returns no text of a call that meets corrupt data, so each call has
 * one byte.
 */

static ngx_int_t
ngx_http_error_map_zstd_text(ngx_http_error_map_decoder_t *decoder,
    ngx_str_t *out)
{
    size_t                      rc, begin;
    ZSTD_inBuffer               in;
    ngx_http_error_map_zstd_t  *z;

    z = decoder->state;

    begin = z->out.pos;
    rc = 1;

    while (decoder->len && z->out.pos - begin < NGX_HTTP_ERROR_MAP_ZSTD_SIZE) {

        in.src = decoder->data;
        in.size = 1;
        in.pos = 0;

        rc = ZSTD_decompressStream(z->zstd, &z->out, &in);

        decoder->data += in.pos;
        decoder->len -= in.pos;

        if (rc == 0 || ZSTD_isError(rc)) {
            break;
        }
    }

    out->data = (u_char *) z->out.dst + begin;
    out->len = z->out.pos - begin;

    if (ZSTD_isError(rc)) {

        return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation
               ? NGX_ABORT : NGX_ERROR;
    }

    if (rc == 0) {
        z->frame = 0;
        z->more = 1;
        z->len = 0;

        if (z->size != NGX_HTTP_ERROR_MAP_ZSTD_NO_SIZE
            && z->size != z->out.pos)
        {
            return NGX_ERROR;
        }
    }

    return decoder->len ? NGX_OK : NGX_AGAIN;
}


/*
 * Collects the header of a frame.  Returns NGX_OK once it is complete, and sets
 * frame, or skip for a skippable one; otherwise as ..._decoder_next().
 */

static ngx_int_t
ngx_http_error_map_zstd_header(ngx_http_error_map_decoder_t *decoder)
{
    uint64_t                    magic;
    ngx_http_error_map_zstd_t  *z;

    z = decoder->state;

    while (z->len < ngx_http_error_map_zstd_header_size(z)) {

        if (decoder->len == 0) {
            return NGX_AGAIN;
        }

        z->header[z->len++] = *decoder->data++;
        decoder->len--;
    }

    magic = ngx_http_error_map_zstd_number(z->header, 4);

    if (magic == ZSTD_MAGICNUMBER) {
        return ngx_http_error_map_zstd_frame(decoder);
    }

    if ((magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START) {
        z->skip = ngx_http_error_map_zstd_number(&z->header[4], 4);
        z->more = 1;
        z->len = 0;

        return NGX_OK;
    }

    /* after a frame, it is not part of the body */

    return z->more ? NGX_DONE : NGX_ERROR;
}


/* returns the length of the header, as far as it is known */

static size_t
ngx_http_error_map_zstd_header_size(ngx_http_error_map_zstd_t *z)
{
    u_char    flags;
    uint64_t  magic;

    static size_t  dictionary[] = { 0, 1, 2, 4 };
    static size_t  size[] = { 0, 2, 4, 8 };

    if (z->len < 4) {
        return 4;
    }

    magic = ngx_http_error_map_zstd_number(z->header, 4);

    if (magic != ZSTD_MAGICNUMBER) {
        return (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START
               ? 8 : 4;
    }

    if (z->len < 5) {
        return 5;
    }

    flags = z->header[4];

    /* a single segment has no window, and always a size */

    return 5 + dictionary[flags & 3] + size[flags >> 6]
           + (!(flags & 0x20) || flags >> 6 == 0);
}


/* reads the header of a frame */

static ngx_int_t
ngx_http_error_map_zstd_frame(ngx_http_error_map_decoder_t *decoder)
{
    u_char                      flags, *p;
    size_t                      len;
    uint64_t                    window;
    ngx_http_error_map_zstd_t  *z;

    z = decoder->state;

    p = &z->header[5];
    flags = z->header[4];
    window = 0;

    if (flags & 0x08) {

        /* reserved */

        return NGX_ERROR;
    }

    if (!(flags & 0x20)) {
        window = (uint64_t) (8 + (*p & 7)) << (7 + (*p >> 3));
        p++;
    }

    len = (flags & 3) == 3 ? 4 : flags & 3;

    if (ngx_http_error_map_zstd_number(p, len)) {

        /* a dictionary */

        return NGX_DECLINED;
    }

    p += len;
    len = &z->header[z->len] - p;

    z->size = ngx_http_error_map_zstd_number(p, len);

    if (len == 0) {
        z->size = NGX_HTTP_ERROR_MAP_ZSTD_NO_SIZE;

    } else if (len == 2) {
        z->size += 256;
    }

    if (flags & 0x20) {
        window = z->size;
    }

    return (window <= NGX_HTTP_ERROR_MAP_ZSTD_WINDOW)
           ? ngx_http_error_map_zstd_start(decoder, window) : NGX_DECLINED;
}


/* provides a buffer for the text of a frame, and has libzstd read a header */

static ngx_int_t
ngx_http_error_map_zstd_start(ngx_http_error_map_decoder_t *decoder,
    uint64_t window)
{
    size_t                      size, rc;
    u_char                      n, header[6];
    ZSTD_inBuffer               in;
    ngx_http_error_map_zstd_t  *z;

    z = decoder->state;

    for (n = 0; ((uint64_t) 1024 << n) < window; n++) { /* void */ }

    /* a block that begins within the text must have room */

    size = decoder->left
           + ngx_min((size_t) 1024 << n, NGX_HTTP_ERROR_MAP_ZSTD_BLOCK);

    if (size > z->size) {
        size = z->size;
    }

    if (z->allocated <= size) {
        ngx_http_error_map_codec_free(decoder, z->out.dst);

        z->allocated = size + 1;
        z->out.dst = ngx_http_error_map_codec_alloc(decoder, z->allocated);

        if (z->out.dst == NULL) {
            return NGX_ABORT;
        }
    }

    z->out.size = size;
    z->out.pos = 0;

    ngx_memcpy(header, z->header, 4);

    header[4] = z->header[4] & 0x04;    /* the frame has a checksum */
    header[5] = n << 3;

    in.src = header;
    in.size = 6;
    in.pos = 0;

    rc = ZSTD_decompressStream(z->zstd, &z->out, &in);

    if (ZSTD_isError(rc)) {
        return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation
               ? NGX_ABORT : NGX_ERROR;
    }

    z->frame = 1;

    return NGX_OK;
}


/* returns a little-endian number of len bytes */

static uint64_t
ngx_http_error_map_zstd_number(u_char *p, size_t len)
{
    uint64_t  n;

    for (n = 0; len; len--) {
        n = n << 8 | p[len - 1];
    }

    return n;
}


static ngx_uint_t
ngx_http_error_map_zstd_complete(ngx_http_error_map_decoder_t *decoder)
{
    ngx_http_error_map_zstd_t  *z;

    z = decoder->state;

    return z->more && !z->frame && z->skip == 0;
}

#endif
