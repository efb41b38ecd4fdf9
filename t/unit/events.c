
/*
 * em_event: the texts of streams, whole, cut at every place and byte by byte,
 * with all ends of lines, and against a plain reading of the same bytes.
 */


#include "em_tap.h"
#include "em_event.h"
#include "em_event_model.h"


#define MAX       EM_EVENT_MODEL_MAX
#define NRANDOM   20000


/*
 * What is found is written as "<text>" for each event, with "!" for the end of
 * the stream within one.
 */

typedef struct {
    em_event_format_e  format;
    const char        *name;
    const char        *stream;
    const char        *found;
} case_t;


static const case_t  cases[] = {

    { EM_EVENT_SOURCE, "an event", "data: {}\n\n", "<{}>" },
    { EM_EVENT_SOURCE, "two events", "data: 1\n\ndata: 2\n\n", "<1><2>" },
    { EM_EVENT_SOURCE, "no blank after the colon", "data:x\n\n", "<x>" },
    { EM_EVENT_SOURCE, "fields, comments", ":c\nevent: error\nid: 1\n"
      "retry: 10\ndata: x\n: data: y\nid\n\n", "<x>" },
    { EM_EVENT_SOURCE, "a comment alone", ": keep-alive\n\n:\n\n", "" },
    { EM_EVENT_SOURCE, "lines are joined by LF", "data: {\ndata: }\n\n",
      "<{\n}>" },
    { EM_EVENT_SOURCE, "... in between, too",
      "data: a\n:c\nevent: b\ndata: c\n\n",
      "<a\nc>" },
    { EM_EVENT_SOURCE, "without colon", "data: a\ndata\ndata: b\n\n",
      "<a\n\nb>" },
    { EM_EVENT_SOURCE, "empty at the end", "data: a\ndata:\ndata\n\n",
      "<a\n\n>" },
    { EM_EVENT_SOURCE, "at most one blank is dropped later",
      "data: a\ndata:  b\n\n", "<a\n b>" },
    { EM_EVENT_SOURCE, "blanks before the text", "data:\ndata: \t a\n\n",
      "<a>" },
    { EM_EVENT_SOURCE, "events without data",
      "data\n\ndata:\n\ndata:  \ndata\n\nevent: ping\n\ndata: x\n\n", "<x>" },
    { EM_EVENT_SOURCE, "names that are not data",
      "datax: 1\ndat: 2\nDATA: 3\n data: 4\ndata : 5\ndata5\nd\n\n", "" },
    { EM_EVENT_SOURCE, "a colon in the value", "data: data: a:b\n\n",
      "<data: a:b>" },
    { EM_EVENT_SOURCE, "blank lines", "\n\n\ndata: a\n\n\n\ndata: b\n\n\n",
      "<a><b>" },
    { EM_EVENT_SOURCE, "a byte order mark", "\xef\xbb\xbf" "data: a\n\n",
      "<a>" },
    { EM_EVENT_SOURCE, "a byte order mark and a blank line",
      "\xef\xbb\xbf\n\ndata: a\n\n", "<a>" },
    { EM_EVENT_SOURCE, "two byte order marks",
      "\xef\xbb\xbf\xef\xbb\xbf" "data: a\n\ndata: b\n\n", "<b>" },
    { EM_EVENT_SOURCE, "half a byte order mark",
      "\xef\xbb" "data: a\n\ndata: b\n\n", "<b>" },
    { EM_EVENT_SOURCE, "half a byte order mark and the end of a line",
      "\xef\xbb\ndata: b\n\n", "<b>" },
    { EM_EVENT_SOURCE, "a byte order mark later",
      "data: a\n\n\xef\xbb\xbf" "data: b\n\n", "<a>" },
    { EM_EVENT_SOURCE, "incomplete", "data: a", "<a!" },
    { EM_EVENT_SOURCE, "the line is complete", "data: a\n", "<a!" },
    { EM_EVENT_SOURCE, "incomplete without text", "data:\n", "" },
    { EM_EVENT_SOURCE, "JSON without a field", "{\"data\": 1}\n\n", "" },
    { EM_EVENT_SOURCE, "nothing", "", "" },

    { EM_EVENT_LINES, "lines", "{}\n[1]\n", "<{}><[1]>" },
    { EM_EVENT_LINES, "without LF at the end", "{}\n[1]", "<{}><[1]!" },
    { EM_EVENT_LINES, "CRLF and blank lines", "\n\r\n{}\r\n \t\n[]\r\n",
      "<{}\r><[]\r>" },
    { EM_EVENT_LINES, "LF within brackets", "{\n}\n", "<{><}>" },
    { EM_EVENT_LINES, "a CR does not end a line", "{\r}\n", "<{\r}>" },
    { EM_EVENT_LINES, "data: is not a field", "data: 1\n", "<data: 1>" },
    { EM_EVENT_LINES, "nothing", "\n \n", "" },

    { EM_EVENT_RECORDS, "records", "\x1e{}\n\x1e[1]\n", "<{}><[1]>" },
    { EM_EVENT_RECORDS, "without LF", "\x1e{}\x1e[1]", "<{}><[1]!" },
    { EM_EVENT_RECORDS, "without RS", "{}\n[1]\n", "<{}><[1]>" },
    { EM_EVENT_RECORDS, "records of nothing", "\x1e\x1e\n\x1e \n\x1e{}\n",
      "<{}>" },
    { EM_EVENT_RECORDS, "a text of many lines",
      "\x1e{\n \"a\": [\n1\n]\n}\n\x1e" "1\n", "<{\n \"a\": [\n1\n]\n}><1>" },
    { EM_EVENT_RECORDS, "brackets and quotes in strings",
      "\x1e[\"]\\\"]\\\\\"\n]\n\x1e\"[\"\n", "<[\"]\\\"]\\\\\"\n]><\"[\">" },
    { EM_EVENT_RECORDS, "a text that is cut", "\x1e{\"a\":\n\x1e{}\n",
      "<{\"a\":\n><{}>" },
    { EM_EVENT_RECORDS, "a string that is cut", "\x1e\"a\n\x1e{}\n",
      "<\"a\n><{}>" },
    { EM_EVENT_RECORDS, "too many closing brackets", "\x1e]}]\n\x1e{}\n",
      "<]}]><{}>" }
};


/* where each text has been complete, in bytes read by then */

static size_t  ends[MAX];
static size_t  nends;


static uint32_t
random_below(uint32_t n)
{
    static uint64_t  state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;

    return (uint32_t) (state >> 32) % n;
}


/* reads pieces, the first of n bytes and the others of at most max */

static void
read_stream(char *out, em_event_format_e format, const char *stream,
    size_t len, size_t n, size_t max)
{
    int                 open;
    size_t              size, piece;
    em_event_t          e, copy;
    const char         *start;
    const uint8_t      *p, *end, *text;
    em_event_status_e   status;

    em_event_init(&e, format);

    nends = 0;
    open = 0;

    for (start = stream; start < stream + len; start += piece) {

        piece = (start == stream && n) ? n : max;

        if (piece > (size_t) (stream + len - start)) {
            piece = (size_t) (stream + len - start);
        }

        p = (const uint8_t *) em_tap_guarded(0, start, piece);
        end = p + piece;

        for ( ;; ) {
            status = em_event_next(&e, &p, end, &text, &size);

            if (status == EM_EVENT_MORE) {
                break;
            }

            if (status == EM_EVENT_END) {
                ends[nends++] = (size_t) (start - stream)
                                + piece - (size_t) (end - p);
                *out++ = '>';
                open = 0;
                continue;
            }

            if (!open) {
                *out++ = '<';
                open = 1;
            }

            if (size == 0) {
                *out++ = '?';
            }

            memcpy(out, text, size);
            out += size;
        }

        if (p != end) {
            *out++ = '?';
        }

        /* it may be copied */

        copy = e;
        memset(&e, 0xa5, sizeof(e));
        e = copy;
    }

    if (e.text != open) {
        *out++ = '?';
    }

    if (open) {
        *out++ = '!';
    }

    *out = '\0';
}


/* replaces each LF of a stream, in the way of which */

static size_t
lines(char *out, const char *stream, int which)
{
    int    way;
    char  *p;

    for (p = out; *stream; stream++) {

        if (*stream != '\n') {
            *p++ = *stream;
            continue;
        }

        way = (which == 3) ? (int) random_below(3) : which;

        /* a LF right after a CR would not end a line of its own */

        if (way == 0 && p > out && p[-1] == '\r') {
            way = 2;
        }

        if (way != 0) {
            *p++ = '\r';
        }

        if (way != 1) {
            *p++ = '\n';
        }
    }

    return (size_t) (p - out);
}


/* the first byte of each blank line after data completes it */

static int
earliest(const char *stream)
{
    size_t  i, end;

    for (i = 0; i < nends; i++) {
        end = ends[i];

        if (end < 2
            || (stream[end - 1] != '\n' && stream[end - 1] != '\r')
            || (stream[end - 1] == '\n' && stream[end - 2] == '\r'
                && (end < 3 || (stream[end - 3] != '\n'
                                && stream[end - 3] != '\r'))))
        {
            return 0;
        }
    }

    return 1;
}


static void
all_cuts(const case_t *c, const char *stream, size_t len, const char *ending)
{
    int     good;
    char    found[MAX];
    size_t  i;

    read_stream(found, c->format, stream, len, 0, MAX);

    good = (strcmp(found, c->found) == 0)
           && (c->format != EM_EVENT_SOURCE || earliest(stream));

    for (i = 1; i <= len && good; i++) {
        read_stream(found, c->format, stream, len, i, MAX);
        good = (strcmp(found, c->found) == 0);

        if (good) {
            read_stream(found, c->format, stream, len, 0, i);
            good = (strcmp(found, c->found) == 0);
        }
    }

    if (!em_tap_ok(good, "%s%s", c->name, ending)) {
        printf("# found %s\n", found);
    }
}


static void
random_streams(void)
{
    char    stream[256], wanted[MAX], found[MAX];
    size_t  len, n, i;

    static const char *const  parts[] = {
        "data", "data:", "data: ", "dat", "a", ":", " ", "\t", "{}", "x",
        "\n", "\n", "\n\n", "\r", "\r\n", "\r\n\r\n", "\r\r", "event: e\n",
        "\xef", "\xbb", "\xbf", "\xef\xbb\xbf", "data: {\"a\":1}\n\n",
        "data: {\"a\":1}\r\n\r\n"
    };

    for (i = 0; i < NRANDOM; i++) {

        stream[0] = '\0';
        n = random_below(16);

        while (n--) {
            strcat(stream, parts[random_below(sizeof(parts) / sizeof(char *))]);
        }

        len = strlen(stream);

        em_event_model(wanted, stream, len);
        read_stream(found, EM_EVENT_SOURCE, stream, len, 0, MAX);

        if (strcmp(found, wanted) != 0) {
            break;
        }

        read_stream(found, EM_EVENT_SOURCE, stream, len, random_below(9),
                    1 + random_below(4));

        if (strcmp(found, wanted) != 0) {
            break;
        }
    }

    if (!em_tap_ok(i == NRANDOM, "%d streams as the standard reads them",
                   NRANDOM))
    {
        printf("# wanted %s\n# found %s\n", wanted, found);
    }
}


static void
types(void)
{
    size_t  i;

    static const struct {
        const char         *type;
        em_event_format_e   format;
    } names[] = {
        { "text/event-stream", EM_EVENT_SOURCE },
        { "application/x-ndjson", EM_EVENT_LINES },
        { "application/jsonl", EM_EVENT_LINES },
        { "application/json-seq", EM_EVENT_RECORDS },
        { "application/json", EM_EVENT_NONE },
        { "text/event-streams", EM_EVENT_NONE },
        { "text/event-strea", EM_EVENT_NONE },
        { "", EM_EVENT_NONE }
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        em_tap_ok(em_event_find(names[i].type, strlen(names[i].type))
                  == names[i].format,
                  "the type \"%s\"", names[i].type);
    }
}


int
main(void)
{
    int            way;
    char           stream[MAX];
    size_t         i, len;
    const case_t  *c;

    static const char *const  endings[] = {
        "", ", lines end with CR", ", with CRLF", ", with all of them"
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        c = &cases[i];

        for (way = 0; way < (c->format == EM_EVENT_SOURCE ? 4 : 1); way++) {
            len = strlen(c->stream);

            if (c->format == EM_EVENT_SOURCE) {
                len = lines(stream, c->stream, way);

            } else {
                memcpy(stream, c->stream, len);
            }

            all_cuts(c, stream, len, endings[way]);
        }
    }

    random_streams();
    types();

    return em_tap_done();
}
