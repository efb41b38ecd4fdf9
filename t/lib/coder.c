/*
 * Encodes and decodes br and zstd for ErrorMapCodings: a command is a line, and
 * bytes after it; the answer is a line with a number, and so many bytes.
 *
 *     encode br|zstd LEVEL WINDOW FLAGS PART...
 *     decode br|zstd PART
 *
 * A PART is a number of bytes, or "number*times" for bytes that are repeated;
 * the encoder is flushed after each PART.  WINDOW is a logarithm, or 0 for the
 * default.  FLAGS are for zstd: 1 a checksum, 2 the size in the header.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <zstd.h>


typedef struct {
    uint8_t  *data;
    size_t    len;
    size_t    times;
} part_t;


static uint8_t  *out;
static size_t    len, allocated;


static void
check(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "coder: %s\n", what);
        exit(1);
    }
}


static void
append(const uint8_t *data, size_t n)
{
    if (n == 0) {
        return;
    }

    if (len + n > allocated) {
        allocated = 2 * (len + n);
        out = realloc(out, allocated);
        check(out != NULL, "no memory");
    }

    memcpy(out + len, data, n);
    len += n;
}


static void
brotli_part(BrotliEncoderState *br, BrotliEncoderOperation op,
    const uint8_t *data, size_t n)
{
    size_t    room;
    uint8_t   buf[65536], *p;

    do {
        p = buf;
        room = sizeof(buf);

        check(BrotliEncoderCompressStream(br, op, &n, &data, &room, &p, NULL),
              "brotli");
        append(buf, sizeof(buf) - room);

    } while (n || BrotliEncoderHasMoreOutput(br));
}


static void
brotli_encode(int level, int window, part_t *part, int nparts)
{
    int                  i;
    size_t               k;
    BrotliEncoderState  *br;

    br = BrotliEncoderCreateInstance(NULL, NULL, NULL);

    check(BrotliEncoderSetParameter(br, BROTLI_PARAM_QUALITY, level)
          && (window == 0
              || BrotliEncoderSetParameter(br, BROTLI_PARAM_LGWIN, window)),
          "brotli's parameters");

    for (i = 0; i < nparts; i++) {
        for (k = 0; k < part[i].times; k++) {
            brotli_part(br, BROTLI_OPERATION_PROCESS, part[i].data,
                        part[i].len);
        }

        if (nparts > 1) {
            brotli_part(br, BROTLI_OPERATION_FLUSH, NULL, 0);
        }
    }

    brotli_part(br, BROTLI_OPERATION_FINISH, NULL, 0);
    BrotliEncoderDestroyInstance(br);
}


static void
zstd_part(ZSTD_CCtx *zstd, ZSTD_EndDirective end, const uint8_t *data, size_t n)
{
    size_t          left;
    uint8_t         buf[65536];
    ZSTD_inBuffer   src;
    ZSTD_outBuffer  dst;

    src.src = data;
    src.size = n;
    src.pos = 0;

    do {
        dst.dst = buf;
        dst.size = sizeof(buf);
        dst.pos = 0;

        left = ZSTD_compressStream2(zstd, &dst, &src, end);
        check(!ZSTD_isError(left), ZSTD_getErrorName(left));
        append(buf, dst.pos);

    } while (src.pos < src.size || (end != ZSTD_e_continue && left));
}


static void
zstd_encode(int level, int window, int flags, part_t *part, int nparts)
{
    int         i;
    size_t      k, n;
    ZSTD_CCtx  *zstd;

    zstd = ZSTD_createCCtx();

    ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, flags & 1);

    if (window) {
        ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, window);
    }

    for (i = 0, n = 0; i < nparts; i++) {
        n += part[i].len * part[i].times;
    }

    if (flags & 2) {
        ZSTD_CCtx_setPledgedSrcSize(zstd, n);
    }

    for (i = 0; i < nparts; i++) {
        for (k = 0; k < part[i].times; k++) {
            zstd_part(zstd, ZSTD_e_continue, part[i].data, part[i].len);
        }

        if (nparts > 1) {
            zstd_part(zstd, ZSTD_e_flush, NULL, 0);
        }
    }

    zstd_part(zstd, ZSTD_e_end, NULL, 0);
    ZSTD_freeCCtx(zstd);
}


/* a byte at a time: the text before the byte that is corrupt */

static void
brotli_decode(const uint8_t *data, size_t n)
{
    size_t               one, room;
    uint8_t              buf[65536], *p;
    BrotliDecoderState  *br;
    BrotliDecoderResult  rc;

    br = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    rc = BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT;

    while (n && rc == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) {
        one = 1;
        n--;

        do {
            p = buf;
            room = sizeof(buf);

            rc = BrotliDecoderDecompressStream(br, &one, &data, &room, &p,
                                               NULL);
            append(buf, sizeof(buf) - room);

        } while (rc == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT);
    }

    BrotliDecoderDestroyInstance(br);
}


static void
zstd_decode(const uint8_t *data, size_t n)
{
    size_t          rc;
    uint8_t         buf[65536];
    ZSTD_DCtx      *zstd;
    ZSTD_inBuffer   src;
    ZSTD_outBuffer  dst;

    zstd = ZSTD_createDCtx();
    rc = 0;

    while (n && !ZSTD_isError(rc)) {
        src.src = data++;
        src.size = 1;
        src.pos = 0;
        n--;

        do {
            dst.dst = buf;
            dst.size = sizeof(buf);
            dst.pos = 0;

            rc = ZSTD_decompressStream(zstd, &dst, &src);
            append(buf, dst.pos);

        } while (!ZSTD_isError(rc) && dst.pos == dst.size);
    }

    ZSTD_freeDCtx(zstd);
}


int
main(void)
{
    int      i, level, window, flags, nparts;
    char     line[65536], op[16], coding[16], *p;
    part_t  *part;

    static part_t  parts[8192];

    while (fgets(line, sizeof(line), stdin)) {
        part = parts;
        level = window = flags = nparts = 0;

        check(sscanf(line, "%15s %15s%n", op, coding, &i) == 2, "no command");
        p = line + i;

        if (strcmp(op, "encode") == 0) {
            check(sscanf(p, "%d %d %d%n", &level, &window, &flags, &i) == 3,
                  "no parameters");
            p += i;
        }

        while (sscanf(p, " %zu%n", &part[nparts].len, &i) == 1) {
            p += i;
            part[nparts].times = 1;

            if (*p == '*') {
                part[nparts].times = strtoul(p + 1, &p, 10);
            }

            nparts++;
            check(nparts < 8192, "too many parts");
        }

        for (i = 0; i < nparts; i++) {
            part[i].data = malloc(part[i].len + 1);
            check(fread(part[i].data, 1, part[i].len, stdin) == part[i].len,
                  "no data");
        }

        len = 0;

        if (strcmp(op, "decode") == 0) {

            if (strcmp(coding, "br") == 0) {
                brotli_decode(part[0].data, part[0].len);

            } else {
                zstd_decode(part[0].data, part[0].len);
            }

        } else if (strcmp(coding, "br") == 0) {
            brotli_encode(level, window, part, nparts);

        } else {
            zstd_encode(level, window, flags, part, nparts);
        }

        for (i = 0; i < nparts; i++) {
            free(part[i].data);
        }

        printf("%zu\n", len);
        fwrite(out, 1, len, stdout);
        fflush(stdout);
    }

    return 0;
}
