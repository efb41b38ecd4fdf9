
/*
 * em_select against bodies that are made to cost: each is read at a size and at
 * eight times that, whole and in small pieces; the time a byte takes must not
 * grow, and the memory is that of the plan.
 */


#include "em_tap.h"
#include "em_case.h"

#include <time.h>


#define SMALL   (256 * 1024)
#define LARGE   (8 * SMALL)


typedef struct {
    const char  *name;
    const char  *plan;

    /* the body: head, then as many of part as there is room for, then tail */
    const char  *head;
    const char  *part;
    const char  *tail;

    const char  *answer;
    const char  *charset;
    uint32_t     texts;
} body_t;


static const body_t  bodies[] = {

    { "candidates", "source json $.l[*].c;",
      "{\"l\":[{\"c\":0}", ",{\"c\":\"x\"},{\"c\":0}", "]}", "?x",
      "utf-8", 1 },

    { "different candidates", "source json $.l[*] $.l[:] $.*.*;",
      "{\"l\":[0", ",\"x\",0,\"y\"", "]}", "?x", "utf-8", 1 },

    { "nested any", "source json $.*.*.*.*.*.*.*.c $.*.*.*.*.c;",
      "{\"a\":[0", ",[[[{\"d\":[[{\"x\":1}]]}]]]", "]}", "-no_code",
      "utf-8", 1 },

    { "filters after their codes",
      "source json $.l[?@.s=='e'][?@.t==1].c $.l[?@.s!='w'].*.d;",
      "{\"l\":[0", ",{\"k\":{\"c\":1,\"d\":2,\"t\":1},\"s\":\"w\"}", "]}",
      "-no_code", "utf-8", 1 },

    { "the same codes in one filter", "source json $[?@.s=='e'].*.*;",
      "[{\"a\":[0", ",\"x\",1,\"y\"", "],\"s\":\"e\"}]", "1", "utf-8", 1 },

    { "depth", "source json $.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*;",
      "{\"a\":0", ",\"d\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
      "", "-malformed", "utf-8", 1 },

    { "depth of objects", "source json $.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*;",
      "", "{\"a\":", "", "-malformed", "utf-8", 1 },

    { "a long field", "source json /c; field m json $.m;",
      "{\"m\":\"", "0123456789abcde\\n", "\",\"c\":1}", "1 m=", "utf-8", 1 },

    { "a long name", "source json $.*.c;",
      "{\"", "0123456789abcde\\n", "\":{\"c\":1}}", "1", "utf-8", 1 },

    { "a long number", "source json $.n $.c;",
      "{\"n\":1", "0123456789012345", ",\"c\":1}", "1", "utf-8", 1 },

    { "blanks", "source json $.*.c;",
      "{", "          \n\t\r ", "\"a\":{\"c\":1}}", "1", "utf-8", 1 },

    { "repeated homes", "source json /e/a /e/b; success json /ok;",
      "{\"e\":null", ",\"e\":{\"b\":\"\",\"a\":null},\"ok\":0", "}",
      "-no_code", "utf-8", 1 },

    { "repeated conditions", "source json $.l[*] unless=/d;",
      "{\"l\":[1]", ",\"d\":{},\"d\":null,\"d\":\"\"", ",\"d\":0}",
      "1", "utf-8", 1 },

    { "texts", "source json /c /d;", "", "{\"x\":1}", "{\"c\":1}", "1",
      "utf-8", 0xffffffff },

    { "names that are nearly met", "source json /code /codf /code/code;",
      "{\"x\":0", ",\"codg\":0,\"\\u0063odg\":{\"code\":1}", "}",
      "-no_code", "utf-8", 1 },

    { "halves of characters", "source json /c /d;",
      "{\"x\":[\"", "\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81", "\"],\"c\":1}",
      "1", "gbk", 1 },

    { "halves and backslashes", "source json /c /d;",
      "{\"x\":[\"", "\x81\\\\n\x81\x81\\\\", "\"],\"c\":1}", "1", "gbk", 1 },

    { "small strings of halves", "source json /c /d;",
      "{\"x\":0", ",\"y\":[\"\x81\"],\"z\":\"\x81\x81\"", ",\"c\":1}", "1",
      "gbk", 1 },

    { "a field of halves", "source json /c; field m json /m;",
      "{\"m\":\"", "\x81\\\x81\x81\\\\", "\",\"c\":1}", "1 m=", "gbk", 1 },
};


static em_case_t  c;
static char      *text;


static size_t
make(const body_t *b, size_t size)
{
    char    *p;
    size_t   n;

    n = strlen(b->part);
    p = stpcpy(text, b->head);

    while ((size_t) (p - text) + n < size) {
        memcpy(p, b->part, n);
        p += n;
    }

    p = stpcpy(p, b->tail);

    return (size_t) (p - text);
}


/* seconds of the processor that it takes to read len bytes; the best of some */

static double
reading(const body_t *b, size_t len, size_t piece, char *answer)
{
    int                  i;
    size_t               n, done;
    double               took, best;
    clock_t              start;
    em_select_t         *s;
    em_select_status_e   status;

    best = 1e9;

    for (i = 0; i < 5; i++) {

        s = malloc(c.plan.plan.size);

        start = clock();

        status = em_select_init(s, &c.plan.plan, &em_case_calls, NULL,
                                &c.options);

        for (done = 0; done < len && status != EM_SELECT_DONE; done += n) {
            n = (len - done < piece) ? len - done : piece;
            status = em_select_feed(s, text + done, n);
        }

        (void) em_select_end(s);

        took = (double) (clock() - start) / CLOCKS_PER_SEC;

        if (took < best) {
            best = took;
        }

        em_case_answer(&c, s, 0, answer, EM_CASE_LINE);

        free(s);
    }

    return best;
}


int
main(void)
{
    char           answer[EM_CASE_LINE], again[EM_CASE_LINE];
    size_t         i, len, piece;
    double         small, large;
    const body_t  *b;

    static const size_t  pieces[] = { LARGE * 2, 17 };

    em_json_kernel(NULL);

    text = malloc(LARGE * 2);

    for (i = 0; i < 2 * sizeof(bodies) / sizeof(bodies[0]); i++) {

        b = &bodies[i / 2];
        piece = pieces[i % 2];

        em_case_plan(&c.plan, b->plan);

        memset(&c.options, 0, sizeof(c.options));
        c.options.texts = b->texts;
        c.options.charset = em_charset_find(b->charset, strlen(b->charset));
        c.options.fields = c.plan.nfields ? 1 : 0;

        len = make(b, SMALL);
        small = reading(b, len, piece, answer);

        len = make(b, LARGE);
        large = reading(b, len, piece, again);

        if (!em_tap_ok(strncmp(answer, b->answer, strlen(b->answer)) == 0
                       && strncmp(again, b->answer, strlen(b->answer)) == 0
                       && (b->answer[strlen(b->answer) - 1] == '='
                           || strcmp(again, b->answer) == 0),
                       "%s, pieces of %zu: %s", b->name, piece, b->answer))
        {
            printf("# %.60s, %.60s\n", answer, again);
        }

        /* eight times as much; a clock ticks, and others work here, too */

        if (!em_tap_ok(large < 8 * 3 * (small + 0.0005),
                       "%s, pieces of %zu: the time grows with the length",
                       b->name, piece))
        {
            printf("# %.1f ms, %.1f ms\n", small * 1e3, large * 1e3);
        }

        printf("# %.2f ns a byte\n", large * 1e9 / (double) len);
    }

    return em_tap_done();
}
