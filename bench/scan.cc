
/*
 * Measures the time to find "/StatusCode" in a response: em_json with each
 * kernel, in one piece and in pieces as of nginx's buffers, compared with
 * simdjson, yajl and jansson.
 *
 * Every answer is checked before and during the measurement.  All scanners run
 * in every round, each time in another order; a sample is the mean of as many
 * scans as fill a few milliseconds.  A text that has just been scanned is in a
 * cache of the processor.
 */


#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <string>
#include <vector>

#include <jansson.h>
#include <yajl/yajl_parse.h>

#include "scan_simdjson.h"

extern "C" {
#include "em_json.h"
}


#define LARGE  (1024 * 1024)


struct text_t {
    const char               *name;
    std::string               text;
    long                      code;
    std::string               digits;
    simdjson::padded_string   padded;
};


struct scanner_t {
    std::string               name;
    bool                    (*scan)(const text_t &t, const scanner_t &s);
    const char               *kernel;     /* em_json's */
    size_t                    piece;      /* 0: one piece */

    long                      times;      /* of a sample */
    std::vector<double>       ns;         /* per scan, by round */
};


static em_json_pointers_t  set;
static uint32_t            seed;


static uint32_t
random_below(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;

    return (seed >> 8) % n;
}


static std::string
format(const char *fmt, ...)
{
    char     buf[1024];
    va_list  args;

    va_start(args, fmt);
    vsnprintf(buf, sizeof(buf), fmt, args);
    va_end(args);

    return buf;
}


static std::string
random_of(const char *bytes, size_t len)
{
    size_t       n = strlen(bytes);
    std::string  s;

    while (s.size() < len) {
        s += bytes[random_below((uint32_t) n)];
    }

    return s;
}


#define HEX     "0123456789abcdef"
#define BASE64  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"         \
                "0123456789+/"


/* a list of devices, as a vendor's API has it */

static std::string
record(void)
{
    static const char *const  names[] = {
        "Entrance camera", "\xe5\xa4\xa7\xe9\x97\xa8\xe6\x91\x84\xe5\x83\x8f",
        "Parking lot, level 2", "Caf\xc3\xa9 \\\"Central\\\"",
        "\xe4\xbb\x93\xe5\xba\x93 3", "Lift B\\nsouth"
    };

    static const char *const  state[] = { "online", "offline", "disabled" };

    return format("{\"DeviceId\":\"%s\",\"Name\":\"%s\",\"Enabled\":%s,"
                  "\"Status\":\"%s\",\"Channels\":%u,\"Longitude\":%u.%06u,"
                  "\"Latitude\":%u.%06u,\"Parent\":null,\"Url\":"
                  "\"https://stream%u.example.com/live/%s.m3u8?expires=%u\","
                  "\"Network\":{\"Ip\":\"10.%u.%u.%u\",\"Port\":%u,"
                  "\"Secure\":%s},\"Tags\":[\"building-%u\",\"floor-%u\"],"
                  "\"Created\":\"2024-%02u-%02uT%02u:%02u:00+08:00\"}",
                  random_of(HEX, 24).c_str(), names[random_below(6)],
                  random_below(4) ? "true" : "false", state[random_below(3)],
                  random_below(16), 100 + random_below(20),
                  random_below(1000000), 20 + random_below(20),
                  random_below(1000000), random_below(8),
                  random_of(HEX, 16).c_str(),
                  1700000000 + random_below(9999999),
                  random_below(256), random_below(256), random_below(256),
                  random_below(65536), random_below(2) ? "true" : "false",
                  random_below(30), random_below(12), 1 + random_below(12),
                  1 + random_below(28), random_below(24), random_below(60));
}


/* mostly structure */

static std::string
dense(void)
{
    uint32_t     n;
    std::string  s;

    s = format("{\"i\":%u,\"p\":[[%u,%u],[%u,%u]],\"v\":[",
               random_below(1000), random_below(100), random_below(100),
               random_below(100), random_below(100));

    for (n = random_below(6); n > 0; n--) {
        s += format("%u,", random_below(10));
    }

    return s + format("0],\"o\":{\"a\":{},\"b\":%u}}", random_below(10));
}


/* JSON within a string */

static std::string
quoted(void)
{
    return format("\"{\\\"k\\\":\\\"%s\\\",\\\"n\\\":%u,\\\"t\\\":\\\"a"
                  "\\\\\\\"b\\\\\\\\\\\",\\\"u\\\":\\\"\\u4e2d\\\\/\\\"}\\n\"",
                  random_of(HEX, 3).c_str(), random_below(100));
}


/* an array of 1 MB before the code */

static std::string
large(std::string (*member)(void))
{
    std::string  s;

    s = "{\"RequestId\":\"" + random_of(HEX, 32) + "\",\"Code\":0,\"Data\":[";

    while (s.size() < LARGE - 64) {
        s += member() + ",";
    }

    s.back() = ']';

    return s + ",\"StatusCode\":42505}";
}


static std::string
base64(void)
{
    return "{\"RequestId\":\"" + random_of(HEX, 32)
           + "\",\"Code\":0,\"Data\":\"" + random_of(BASE64, LARGE - 100)
           + "\",\"StatusCode\":42505}";
}


static std::string
padded(std::string head, const char *tail, size_t size)
{
    head += random_of(HEX, size - head.size() - strlen(tail));

    return head + tail;
}


static void
add(std::vector<text_t> &texts, const char *name, const std::string &text,
    long code)
{
    text_t  t;

    t.name = name;
    t.text = text;
    t.code = code;
    t.digits = std::to_string(code);
    t.padded = simdjson::padded_string(text);

    texts.push_back(std::move(t));
}


static std::vector<text_t>
make_texts(void)
{
    std::vector<text_t>  texts;

    seed = 1;

    add(texts, "records of a vendor, code last", large(record), 42505);
    add(texts, "one Base64 string, code last", base64(), 42505);
    add(texts, "dense in structure, code last", large(dense), 42505);
    add(texts, "strings full of escapes, code last", large(quoted), 42505);

    add(texts, "error",
        padded("{\"RequestId\":\"", "\",\"Code\":500,\"StatusCode\":42505,"
               "\"Message\":\"too many\"}", 100), 42505);

    add(texts, "success, code first",
        padded("{\"StatusCode\":200,\"RequestId\":\"", "\"}", 1024), 200);

    return texts;
}


static bool
scan_em_json(const text_t &t, const scanner_t &s)
{
    size_t            pos, len, size;
    em_json_t         j;
    em_json_status_e  status;

    em_json_init(&j);

    size = t.text.size();
    status = EM_JSON_MORE;

    for (pos = 0; pos < size && status == EM_JSON_MORE; pos += len) {
        len = s.piece && s.piece < size - pos ? s.piece : size - pos;
        status = em_json_feed(&j, &set, t.text.data() + pos, len);
    }

    return status == EM_JSON_FOUND && j.len == t.digits.size()
           && memcmp(j.token, t.digits.data(), j.len) == 0;
}


static bool
scan_ondemand(const text_t &t, const scanner_t &)
{
    return simdjson_ondemand(t.padded) == t.code;
}


static bool
scan_dom(const text_t &t, const scanner_t &)
{
    return simdjson_dom(t.padded) == t.code;
}


#ifdef HAVE_AVX2

static bool
scan_ondemand_avx2(const text_t &t, const scanner_t &)
{
    return simdjson_avx2_ondemand(t.padded) == t.code;
}

#endif


static bool
scan_jansson(const text_t &t, const scanner_t &)
{
    bool     right;
    json_t  *json;

    json = json_loadb(t.text.data(), t.text.size(), 0, NULL);

    right = json_integer_value(json_object_get(json, "StatusCode")) == t.code;

    json_decref(json);

    return right;
}


/* yajl calls back for every token; 0 ends the parsing */

struct yajl_ctx_t {
    unsigned  depth;
    bool      here;               /* the member's name was "StatusCode" */
    long      code;
};


static int
on_value(void *data)
{
    ((yajl_ctx_t *) data)->here = false;

    return 1;
}


static int
on_boolean(void *data, int)
{
    return on_value(data);
}


static int
on_integer(void *data, long long n)
{
    yajl_ctx_t *ctx = (yajl_ctx_t *) data;

    if (ctx->here) {
        ctx->code = (long) n;
        return 0;
    }

    return 1;
}


static int
on_double(void *data, double)
{
    return on_value(data);
}


static int
on_string(void *data, const unsigned char *, size_t)
{
    return on_value(data);
}


static int
on_open(void *data)
{
    ((yajl_ctx_t *) data)->depth++;

    return on_value(data);
}


static int
on_name(void *data, const unsigned char *name, size_t len)
{
    yajl_ctx_t *ctx = (yajl_ctx_t *) data;

    ctx->here = ctx->depth == 1 && len == 10
                && memcmp(name, "StatusCode", 10) == 0;

    return 1;
}


static int
on_close(void *data)
{
    ((yajl_ctx_t *) data)->depth--;

    return 1;
}


static const yajl_callbacks  callbacks = {
    on_value, on_boolean, on_integer, on_double, NULL, on_string,
    on_open, on_name, on_close, on_open, on_close
};


static bool
scan_yajl(const text_t &t, const scanner_t &s)
{
    size_t       pos, len, size;
    yajl_ctx_t   ctx = { 0, false, -1 };
    yajl_handle  yajl;
    yajl_status  status;

    yajl = yajl_alloc(&callbacks, NULL, &ctx);

    size = t.text.size();
    status = yajl_status_ok;

    for (pos = 0; pos < size && status == yajl_status_ok; pos += len) {
        len = s.piece && s.piece < size - pos ? s.piece : size - pos;
        status = yajl_parse(yajl, (const unsigned char *) t.text.data() + pos,
                            len);
    }

    yajl_free(yajl);

    return ctx.code == t.code;
}


/* not a scanner: the cost of reading each byte once */

static bool
scan_memchr(const text_t &t, const scanner_t &)
{
    return memchr(t.text.data(), '\0', t.text.size()) == NULL;
}


static void
add(std::vector<scanner_t> &scanners, const std::string &name,
    bool (*scan)(const text_t &, const scanner_t &), const char *kernel,
    size_t piece)
{
    scanner_t  s;

    s.name = name;
    s.scan = scan;
    s.kernel = kernel;
    s.piece = piece;
    s.times = 1;

    if (piece) {
        s.name += ", " + std::to_string(piece / 1024) + " KB pieces";
    }

    scanners.push_back(s);
}


static std::vector<scanner_t>
make_scanners(bool pieces)
{
    std::vector<scanner_t>  scanners;

    /* the others are compared with the first one */

    add(scanners, "simdjson On-Demand", scan_ondemand, NULL, 0);
#ifdef HAVE_AVX2
    add(scanners, "simdjson On-Demand, -mavx2", scan_ondemand_avx2, NULL, 0);
#endif
    add(scanners, "simdjson DOM", scan_dom, NULL, 0);

    for (const char *kernel : { "avx512", "avx2", "sse2", "neon", "plain" }) {

        if (em_json_kernel(kernel) == NULL) {
            continue;
        }

        for (size_t piece : { 0, 4096, 8192, 32768 }) {
            if (piece == 0 || pieces) {
                add(scanners, std::string("em_json, ") + kernel, scan_em_json,
                    kernel, piece);
            }
        }
    }

    add(scanners, "yajl", scan_yajl, NULL, 0);

    if (pieces) {
        add(scanners, "yajl", scan_yajl, NULL, 8192);
    }

    add(scanners, "jansson", scan_jansson, NULL, 0);
    add(scanners, "(memchr() for NUL)", scan_memchr, NULL, 0);

    return scanners;
}


/* nanoseconds per scan, or less than 0 if an answer is wrong */

static double
sample(const scanner_t &s, const text_t &t, long times)
{
    bool             right;
    long             i;
    struct timespec  begin, end;

    if (s.kernel) {
        em_json_kernel(s.kernel);
    }

    /* not timed, as malloc() and the caches are left from another scanner */

    right = s.scan(t, s);

    clock_gettime(CLOCK_MONOTONIC, &begin);

    for (i = 0; i < times; i++) {
        right &= s.scan(t, s);
    }

    clock_gettime(CLOCK_MONOTONIC, &end);

    if (!right) {
        return -1;
    }

    return ((double) (end.tv_sec - begin.tv_sec) * 1e9
            + (double) (end.tv_nsec - begin.tv_nsec)) / (double) times;
}


static double
median(std::vector<double> v)
{
    std::sort(v.begin(), v.end());

    return v.size() % 2 ? v[v.size() / 2]
                        : (v[v.size() / 2 - 1] + v[v.size() / 2]) / 2;
}


static bool
time_text(const text_t &t, size_t rounds, double ms)
{
    bool                     ok;
    double                   ns;
    size_t                   i, k;
    bool                     big = t.text.size() >= LARGE / 2;
    std::vector<scanner_t>   scanners = make_scanners(big);

    ok = true;

    for (scanner_t &s : scanners) {

        /* warm up, and find the number of scans that fill a sample */

        for (ns = 0; ns >= 0 && ns * (double) s.times < ms * 1e6 / 2;
             s.times = ns > 0 ? 1 + (long) (ms * 1e6 / ns) : 1)
        {
            ns = sample(s, t, s.times);
        }

        if (ns < 0) {
            printf("%s: wrong answer for \"%s\"\n", s.name.c_str(), t.name);
            ok = false;
        }
    }

    if (!ok) {
        return false;
    }

    for (k = 0; k < rounds; k++) {
        for (i = 0; i < scanners.size(); i++) {
            scanner_t &s = scanners[(i + k) % scanners.size()];

            ns = sample(s, t, s.times);

            if (ns < 0) {
                printf("%s: wrong answer for \"%s\"\n", s.name.c_str(),
                       t.name);
                return false;
            }

            s.ns.push_back(ns);
        }
    }

    printf("\n%s, %zu bytes\n%-32s%10s%20s%15s\n", t.name, t.text.size(), "",
           big ? "GB/s" : "ns", "min..max", "of On-Demand");

    for (scanner_t &s : scanners) {
        double               low, high;
        std::string          spread;
        std::vector<double>  ratio;

        for (k = 0; k < rounds; k++) {
            ratio.push_back(scanners[0].ns[k] / s.ns[k]);
        }

        ns = median(s.ns);
        low = *std::min_element(s.ns.begin(), s.ns.end());
        high = *std::max_element(s.ns.begin(), s.ns.end());

        if (big) {
            double  size = (double) t.text.size();

            spread = format("%.2f..%.2f", size / high, size / low);
            ns = size / ns;

        } else {
            spread = format("%.0f..%.0f", low, high);
        }

        printf("%-32s%10.*f%20s%15.2f\n", s.name.c_str(), big ? 2 : 0, ns,
               spread.c_str(), median(ratio));
    }

    return true;
}


int
main(int argc, char **argv)
{
    bool    quick, ok;
    size_t  rounds;

    quick = argc > 1 && strcmp(argv[1], "quick") == 0;
    rounds = quick ? 9 : 15;

    if (em_json_pointer_add(&set, "/StatusCode", 11) != NULL) {
        return 1;
    }

    printf("Medians of %zu rounds; \"of On-Demand\" is the speed against "
           "simdjson's On-Demand API.\nsimdjson %d.%d.%d, its kernel: %s.  "
           "em_json's best kernel: %s.\n", rounds,
           simdjson::SIMDJSON_VERSION_MAJOR, simdjson::SIMDJSON_VERSION_MINOR,
           simdjson::SIMDJSON_VERSION_REVISION,
           simdjson::get_active_implementation()->name().c_str(),
           em_json_kernel(NULL));

    ok = true;

    for (const text_t &t : make_texts()) {
        ok = time_text(t, rounds, quick ? 1.5 : 8) && ok;
    }

    return ok ? 0 : 1;
}
