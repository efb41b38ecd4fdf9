
/*
 * Body bytes to a verdict, inside nginx: JSON, streams, patterns, fields, codings.
 * The verdict, its reason, the row, the code and the fields are the same for all
 * cuts of a body, and for the body compressed.
 *
 * Input: a byte that chooses the document and the coding, one of flags, two for
 * the cuts and the format of a stream, the body.  With the last two documents
 * the first line of the body is a pattern.
 */


#include "ngx.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include "ngx_http_error_map_document.h"
#include "ngx_http_error_map_pattern.h"
#include "ngx_http_error_map_reader.h"
#include "ngx_http_error_map_variables.h"


#define FUZZ_MAX       65536

/* the flags: the number of bytes that may be read, and the kind of body */

#define fuzz_size(flags)   fuzz_sizes[(flags) & 3]

#define FUZZ_COMPRESS      0x04      /* the body is also read compressed */
#define FUZZ_MEMBERS       0x08      /* ... in two members */
#define FUZZ_CODED         0x10      /* the body is coded as it is */
#define FUZZ_JSON          0x20      /* a pointer in addition to the pattern */
#define FUZZ_PADDED        0x40      /* the members are followed by zeros */
#define FUZZ_EVENTS        0x80      /* several JSON texts, or a stream */


typedef struct {
    ngx_http_error_map_verdict_e   verdict;
    ngx_http_error_map_reason_e    reason;
    const em_entry_t              *entry;
    size_t                         success;
    size_t                         len;
    u_char                         code[EM_CODE_MAX];
    ngx_uint_t                     retry;
    uint64_t                       fields;      /* a hash */
} fuzz_answer_t;


static const size_t  fuzz_sizes[] = { 1 << 20, 40, 1000, 9000 };


static u_char  fuzz_text[] =
    "http {\n"
    "error_map_document xml {\n"
    "    source regex \"<Code>(\\w+)</Code>\";\n"
    "    success 0 OK;\n"
    "    E1 401 UNAUTHENTICATED a; 1001 - RESOURCE_EXHAUSTED b;\n"
    "}\n"
    "error_map_document plain {\n"
    "    source json /code; source regex \"ERR=(\\d+)\";\n"
    "    success 0; 1 400 INTERNAL a; 10 400 INTERNAL a; 100 - UNKNOWN b;\n"
    "    range 2-9 - ABORTED c; range -99--1 - ABORTED d;\n"
    "    prefix 11 - ABORTED e; prefix a. - ABORTED f;\n"
    "    success range 500-599; success prefix 000;\n"
    "    pattern \"(.)\\1+$\" - INTERNAL g; pattern \"(a+)+$\" - INTERNAL h;\n"
    "}\n"
    "error_map_document lines {\n"
    "    source regex \"(?m)^E(?<code>\\d+)\\r?$\";\n"
    "    source regex \"code: (?<code>[A-Z]+\\d*)\\b\";\n"
    "    1 400 INTERNAL a; A - UNKNOWN b;\n"
    "}\n"
    "error_map_document around {\n"
    "    source regex \"(?<=err |error )(\\d+)\\b\";\n"
    "    source regex \"(?<!x)y([0-9a-f]{2,4})(?!z)\";\n"
    "    1 400 INTERNAL a; 22 - UNKNOWN b;\n"
    "}\n"
    "error_map_document quoted {\n"
    "    source regex \"code=([\\\"'])(?<code>\\w+)\\1\";\n"
    "    source regex \"(*NO_JIT)(?s)<e>(.*?)</e>\";\n"
    "    source json \"\";\n"
    "    1 400 INTERNAL a; A - UNKNOWN b;\n"
    "}\n"
    "error_map_document dear {\n"
    "    source regex \"((?:a+)+)$\"; source regex \"(?:(x)|y)+z\";\n"
    "    a 400 INTERNAL a; x - UNKNOWN b;\n"
    "}\n"
    "error_map_document choice {\n"
    "    source json /e/a /e/b $.l[*].c; source json /c unless=/d;\n"
    "    success json /ok true; success json /r; success 0;\n"
    "    1 400 INTERNAL a; 2 - ABORTED b; false - UNKNOWN c;\n"
    "    prefix e. - INTERNAL d;\n"
    "    field m json /e/m $.l[*].m /m; field n json /n pattern=\\d+;\n"
    "    retry_after json /w \"/e/w\" unit=ms;\n"
    "}\n"
    "error_map_document query {\n"
    "    source json \"$.l[?@.s=='e'].c\" \"$.l[?@.s!=1][?@.t==true].*\";\n"
    "    source json $[:].*.x $[*][0].y code=2; source json /p pattern=x(.);\n"
    "    success 0; 1 400 INTERNAL a; 2 - ABORTED b;\n"
    "    field m json \"$.l[?@.s=='e'].m\" $.*[1].m; field n json \"\" /n;\n"
    "}\n"
    "error_map_document texts {\n"
    "    source json /c /d if=/e; source regex \"<c>(\\w+)</c>\";\n"
    "    source regex quota code=1; success 0; 1 400 INTERNAL a;\n"
    "    default - UNKNOWN b;\n"
    "    field m regex \"<m>([^<]+)</m>\"; field m json /m;\n"
    "    field n json /n; field n regex \"n=(\\d+)\\b\";\n"
    "}\n"
    "error_map_document wide {\n"
    "    source json $.*.c /c; charset gbk; success 0; success json /x null;\n"
    "    1 400 INTERNAL a; field m json /m $.*.m;\n"
    "}\n"
    "map $error_map_field_m$error_map_field_n $fuzz { default 1; }\n"
    "}\n";

static ngx_str_t  fuzz_names[] = {
    ngx_string("tencent_iotvideo"),
    ngx_string("face_device"),
    ngx_string("tencent_iot"),
    ngx_string("xml"),
    ngx_string("plain"),
    ngx_string("lines"),
    ngx_string("around"),
    ngx_string("quoted"),
    ngx_string("dear"),
    ngx_string("choice"),
    ngx_string("query"),
    ngx_string("texts"),
    ngx_string("wide")
};

#define FUZZ_NAMES    (sizeof(fuzz_names) / sizeof(ngx_str_t))

/* documents of the first byte up to FUZZ_CHOICES, and of the others */

#define FUZZ_FIRST    9
#define FUZZ_CHOICES  ((FUZZ_FIRST + 2) * 16)


static ngx_http_error_map_document_t  *fuzz_documents[FUZZ_NAMES];

static em_event_format_e               fuzz_format;

static uint32_t                        fuzz_seed;


static uint32_t
fuzz_random(void)
{
    fuzz_seed = fuzz_seed * 1103515245 + 12345;

    return fuzz_seed >> 16;
}


static char *
fuzz_source(ngx_conf_t *cf, ngx_http_error_map_document_t *document,
    char *type, ngx_str_t *text)
{
    ngx_str_t    word[3];
    ngx_array_t  args;

    ngx_memzero(&args, sizeof(ngx_array_t));

    ngx_str_set(&word[0], "source");
    word[1].data = (u_char *) type;
    word[1].len = ngx_strlen(type);
    word[2] = *text;

    args.elts = word;
    args.nelts = 3;

    cf->args = &args;

    return ngx_http_error_map_document_source(cf, document);
}


/* the module may accept or reject the pattern */

static ngx_http_error_map_document_t *
fuzz_document(ngx_pool_t *pool, ngx_str_t *pattern, ngx_uint_t json)
{
    ngx_conf_t                      conf;
    ngx_str_t                       pointer;
    ngx_http_error_map_document_t  *document;

    ngx_memzero(&conf, sizeof(ngx_conf_t));

    conf.pool = pool;
    conf.temp_pool = pool;
    conf.log = &fuzz_log;

    document = ngx_pcalloc(pool, sizeof(ngx_http_error_map_document_t));

    if (ngx_http_error_map_document_clear(&conf, document) != NGX_OK) {
        abort();
    }

    ngx_str_set(&document->name, "fuzz");
    document->table = fuzz_documents[4]->table;

    if (json) {
        ngx_str_set(&pointer, "/code");

        if (fuzz_source(&conf, document, "json", &pointer) != NGX_CONF_OK) {
            abort();
        }
    }

    if (fuzz_source(&conf, document, "regex", pattern) != NGX_CONF_OK) {
        return NULL;
    }

    if (ngx_http_error_map_document_plan_compile(&conf, document) != NGX_OK) {
        abort();
    }

    return document;
}


static void
fuzz_fields(fuzz_answer_t *answer, ngx_http_error_map_reader_t *reader)
{
    size_t      i;
    ngx_str_t   value;
    ngx_uint_t  n;

    answer->retry = ngx_http_error_map_reader_retry(reader);
    answer->fields = 1;

    for (n = 0; n < reader->document->fields.nelts; n++) {

        answer->fields *= 31;

        if (ngx_http_error_map_reader_field(reader, n, &value) != NGX_OK) {
            continue;
        }

        if (value.len == 0 || value.len > EM_PLAN_VALUE_MAX) {
            abort();
        }

        for (i = 0; i < value.len; i++) {
            answer->fields = answer->fields * 1099511628211 + value.data[i] + 1;
        }
    }
}


/* reads a body in pieces of at most max bytes, each in a separate block */

static void
fuzz_read(fuzz_answer_t *answer, ngx_http_error_map_document_t *document,
    const u_char *data, size_t len, size_t size,
    ngx_http_error_map_coding_e coding, ngx_uint_t events, size_t max)
{
    size_t                        n;
    u_char                       *piece;
    ngx_int_t                     rc;
    ngx_connection_t              c;
    ngx_http_request_t            r;
    ngx_http_error_map_reader_t    reader, copy;
    ngx_http_error_map_loc_conf_t  conf;

    ngx_memzero(&c, sizeof(ngx_connection_t));
    ngx_memzero(&r, sizeof(ngx_http_request_t));

    c.log = &fuzz_log;
    r.connection = &c;
    r.main = &r;
    r.pool = ngx_create_pool(1024, &fuzz_log);

    ngx_memzero(&conf, sizeof(ngx_http_error_map_loc_conf_t));

    conf.hold_size = size;
    conf.events = events;

    rc = ngx_http_error_map_reader_init(&reader, &r, document, &conf, coding,
                                        fuzz_format, EM_CHARSET_UNKNOWN);

    while (rc == NGX_AGAIN && len) {

        n = (max == 1) ? 1 : (max >= len) ? len : fuzz_random() % max + 1;
        n = ngx_min(n, len);

        piece = malloc(n);
        ngx_memcpy(piece, data, n);

        rc = ngx_http_error_map_reader_feed(&reader, piece, n);

        free(piece);

        data += n;
        len -= n;

        /* it may be copied between calls */

        copy = reader;
        ngx_memset(&reader, 0xa5, sizeof(reader));
        reader = copy;
    }

    if (rc == NGX_AGAIN) {
        rc = ngx_http_error_map_reader_end(&reader);
    }

    if (rc != NGX_OK) {
        abort();
    }

    ngx_memzero(answer, sizeof(fuzz_answer_t));

    answer->verdict = reader.verdict;
    answer->reason = reader.reason;

    if (answer->reason
        ? answer->verdict != ngx_http_error_map_reason_verdict(answer->reason)
        : answer->verdict != NGX_HTTP_ERROR_MAP_SUCCESS
          && !ngx_http_error_map_is_error(answer->verdict))
    {
        abort();
    }

    switch (reader.verdict) {

    case NGX_HTTP_ERROR_MAP_SUCCESS:
        answer->success = reader.success;
        break;

    case NGX_HTTP_ERROR_MAP_MAPPED:
    case NGX_HTTP_ERROR_MAP_UNKNOWN:
        answer->entry = reader.entry;
        answer->len = reader.json.len;
        ngx_memcpy(answer->code, reader.json.token, answer->len);

        if ((answer->entry != NULL)
            != (answer->verdict == NGX_HTTP_ERROR_MAP_MAPPED))
        {
            abort();
        }

        fuzz_fields(answer, &reader);
        break;

    default:
        break;
    }

    ngx_destroy_pool(r.pool);
}


static void
fuzz_show(char *name, fuzz_answer_t *answer)
{
    fprintf(stderr, "%s: %.*s \"%.*s\" %.*s, %lu s, fields %lx\n", name,
            (int) ngx_http_error_map_verdicts[answer->verdict].len,
            ngx_http_error_map_verdicts[answer->verdict].data,
            (int) answer->len, answer->code,
            (int) ngx_http_error_map_reasons[answer->reason].len,
            ngx_http_error_map_reasons[answer->reason].data,
            (unsigned long) answer->retry, (unsigned long) answer->fields);
}


static void
fuzz_same(fuzz_answer_t *a, fuzz_answer_t *b, char *name, size_t max)
{
    /*
     * The cost of searches is limited, and pieces are searched repeatedly: once
     * a pattern is abandoned, the verdict depends on the cuts.
     */

    if (fuzz_abandoned) {
        return;
    }

    if (ngx_memcmp(a, b, sizeof(fuzz_answer_t)) != 0) {
        fprintf(stderr, "pieces of up to %zu bytes\n", max);
        fuzz_show("whole", a);
        fuzz_show(name, b);
        abort();
    }
}


/* reads a body in one piece, then in smaller ones */

static void
fuzz_all(fuzz_answer_t *whole, ngx_http_error_map_document_t *document,
    const u_char *data, size_t len, size_t size,
    ngx_http_error_map_coding_e coding, ngx_uint_t events)
{
    ngx_uint_t     i;
    fuzz_answer_t  answer;

    static size_t  max[] = { 1, 3, 20, 300 };

    fuzz_read(whole, document, data, len, size, coding, events, FUZZ_MAX);

    for (i = 0; i < sizeof(max) / sizeof(size_t); i++) {
        fuzz_read(&answer, document, data, len, size, coding, events, max[i]);
        fuzz_same(whole, &answer, "pieces", max[i]);
    }
}


/* compresses data to a member at out; the level is at most 9 */

static size_t
fuzz_compress(ngx_http_error_map_coding_e coding, u_char *out, size_t room,
    const u_char *data, size_t len, int level)
{
    size_t      n;
    z_stream    stream;
    ZSTD_CCtx  *zstd;

    switch (coding) {

    case NGX_HTTP_ERROR_MAP_BROTLI:

        n = room;

        if (!BrotliEncoderCompress(level, 10 + fuzz_random() % 15,
                                   BROTLI_DEFAULT_MODE, len, data, &n, out))
        {
            abort();
        }

        return n;

    case NGX_HTTP_ERROR_MAP_ZSTD:

        zstd = ZSTD_createCCtx();

        ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level);
        ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog,
                               10 + fuzz_random() % 14);
        ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, fuzz_random() & 1);
        ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag,
                               fuzz_random() & 1);

        n = ZSTD_compress2(zstd, out, room, data, len);

        if (ZSTD_isError(n)) {
            abort();
        }

        ZSTD_freeCCtx(zstd);

        return n;

    default:
        break;
    }

    ngx_memzero(&stream, sizeof(z_stream));

    stream.next_in = (u_char *) data;
    stream.avail_in = len;
    stream.next_out = out;
    stream.avail_out = room;

    if (deflateInit2(&stream, level, Z_DEFLATED,
                     coding == NGX_HTTP_ERROR_MAP_GZIP ? MAX_WBITS + 16
                     : fuzz_random() & 1 ? MAX_WBITS : -MAX_WBITS,
                     8, Z_DEFAULT_STRATEGY)
        != Z_OK
        || deflate(&stream, Z_FINISH) != Z_STREAM_END
        || deflateEnd(&stream) != Z_OK)
    {
        abort();
    }

    return stream.next_out - out;
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    ngx_uint_t                       i;
    ngx_pool_t                      *pool;
    ngx_cycle_t                     *cycle;
    ngx_http_error_map_main_conf_t  *emcf;

    fuzz_start();

    cycle = fuzz_conf(ngx_modules, &pool, fuzz_text, sizeof(fuzz_text) - 1);

    if (cycle == NULL) {
        fprintf(stderr, "no configuration, see $FUZZ_LOG\n");
        abort();
    }

    emcf = fuzz_main_conf(cycle, &ngx_http_error_map_filter_module);

    for (i = 0; i < FUZZ_NAMES; i++) {
        fuzz_documents[i] = ngx_http_error_map_document_find(emcf,
                                                             &fuzz_names[i]);

        if (fuzz_documents[i] == NULL) {
            abort();
        }
    }

    return 0;
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    size_t                          len, half, max;
    u_char                         *p, flags;
    ngx_str_t                       pattern;
    ngx_uint_t                      choice, events;
    ngx_pool_t                     *pool;
    fuzz_answer_t                   plain, coded;
    ngx_http_error_map_coding_e     coding;
    ngx_http_error_map_document_t  *document;

    static u_char  out[FUZZ_MAX + 4096];

    static ngx_http_error_map_coding_e  codings[] = {
        NGX_HTTP_ERROR_MAP_GZIP,
        NGX_HTTP_ERROR_MAP_DEFLATE,
        NGX_HTTP_ERROR_MAP_BROTLI,
        NGX_HTTP_ERROR_MAP_ZSTD
    };

    if (size < 4 || size > FUZZ_MAX) {
        return 0;
    }

    if (data[0] < FUZZ_CHOICES) {
        choice = data[0] % (FUZZ_FIRST + 2);
        choice = (choice < FUZZ_FIRST) ? choice : FUZZ_NAMES;
        coding = codings[data[0] / (FUZZ_FIRST + 2) % 4];

    } else {
        choice = FUZZ_FIRST + data[0] % (FUZZ_NAMES - FUZZ_FIRST);
        coding = codings[data[0] / (FUZZ_NAMES - FUZZ_FIRST) % 4];
    }

    flags = data[1];
    fuzz_seed = data[2] | data[3] << 8;
    fuzz_abandoned = 0;

    fuzz_format = (flags & FUZZ_EVENTS)
                  ? (em_event_format_e) (data[2] % 4) : EM_EVENT_NONE;

    data += 4;
    size -= 4;

    pool = ngx_create_pool(1024, &fuzz_log);

    if (choice < FUZZ_NAMES) {
        document = fuzz_documents[choice];

    } else {
        p = ngx_strlchr((u_char *) data, (u_char *) data + size, '\n');
        len = p ? (size_t) (p - data) : size;

        /* as a string of nginx.conf, without a NUL, but followed by one */

        pattern.len = ngx_min(len, 64);
        pattern.data = ngx_pcalloc(pool, pattern.len + 1);
        ngx_memcpy(pattern.data, data, pattern.len);
        pattern.len = ngx_strlen(pattern.data);

        data += p ? len + 1 : len;
        size -= p ? len + 1 : len;

        document = fuzz_document(pool, &pattern, flags & FUZZ_JSON);

        if (document == NULL) {
            goto done;
        }
    }

    max = fuzz_size(flags);
    events = (flags & FUZZ_EVENTS) ? 4 : 1;

    if ((flags & FUZZ_CODED) && !(flags & FUZZ_COMPRESS)) {
        fuzz_all(&coded, document, data, size, max, coding, events);
        goto done;
    }

    fuzz_all(&plain, document, data, size, max, NGX_HTTP_ERROR_MAP_IDENTITY,
             events);

    if (flags & FUZZ_COMPRESS) {
        half = 0;
        len = 0;

        if ((flags & FUZZ_MEMBERS)
            && (coding == NGX_HTTP_ERROR_MAP_GZIP
                || coding == NGX_HTTP_ERROR_MAP_ZSTD))
        {
            half = fuzz_random() % (size + 1);
            len = fuzz_compress(coding, out, sizeof(out), data, half, 1);
        }

        len += fuzz_compress(coding, out + len, sizeof(out) - len, data + half,
                             size - half, fuzz_random() % 10);

        if (flags & FUZZ_PADDED) {
            ngx_memzero(out + len, 8);
            len += 8;
        }

        fuzz_all(&coded, document, out, len, max, coding, events);

        /* otherwise the limit is reached at another byte of the text */

        if (len <= max) {
            fuzz_same(&plain, &coded, "coded", FUZZ_MAX);
        }
    }

done:

    ngx_destroy_pool(pool);

    return 0;
}
