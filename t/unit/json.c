
/*
 * em_json: every vector is read whole, byte by byte, and cut in two at every
 * place, in every way that the processor has; each piece ends at a page that
 * must not be touched.
 */


#include "em_tap.h"
#include "em_json.h"


#define B10     "aaaaaaaaaa"
#define B100    B10 B10 B10 B10 B10 B10 B10 B10 B10 B10
#define B120    B100 B10 B10


typedef struct {
    const char   *pointers;       /* separated by blanks */
    const char   *text;
    size_t        len;
    const char   *expect;         /* "=code", "none" or "malformed" */
    size_t        expect_len;
} test_t;

#define t(pointers, text, expect)                                             \
    { pointers, text, sizeof(text) - 1, expect, sizeof(expect) - 1 }


static const test_t  tests[] = {

    /* where codes stand */

    t("/c", "{\"c\":42505}", "=42505"),
    t("/c", "{\"c\":\"DEVICE_ID_NOT_FOUND\"}", "=DEVICE_ID_NOT_FOUND"),
    t("/c", " \t\r\n{ \"c\" \n:\t1 \r}", "=1"),
    t("/c", "{\"a\":1,\"c\":2}", "=2"),
    t("/c", "{\"a\":{\"c\":1},\"c\":2}", "=2"),
    t("/c", "{\"a\":[{\"c\":1},[\"c\",9]],\"c\":2}", "=2"),
    t("/c", "{\"a\":\"{\\\"c\\\":1}\",\"c\":2}", "=2"),
    t("/c", "{\"a\":\"\\\\\",\"c\":2}", "=2"),
    t("/c", "{\"ac\":1,\"ca\":1,\"\":1,\"C\":1}", "none"),
    t("/c", "{\"a\":{\"c\":1}}", "none"),
    t("/c", "{\"c\":1,,,", "=1"),
    t("/c", "{}", "none"),
    t("/c", "{\"a\":\"" B120 "\",\"c\":7}", "=7"),
    t("/c", "{\"" B120 B120 "\":1,\"c\":7}", "=7"),

    /* lengths are compared modulo 64 first: 65 is not 1 */

    t("/c", "{\"c" B10 B10 B10 B10 B10 B10 "cccc\":1,\"c\":7}", "=7"),
    t("/c/d", "{\"c\":{\"d\":5}}", "=5"),
    t("/c/d", "{\"c\":{\"x\":{\"d\":4},\"d\":5}}", "=5"),
    t("/c/d", "{\"c\":5,\"d\":5}", "none"),
    t("/c/d", "{\"d\":{\"c\":5}}", "none"),
    t("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p",
      "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":{\"i\":"
      "{\"j\":{\"k\":{\"l\":{\"m\":{\"n\":{\"o\":{\"p\":\"deep\"",
      "=deep"),
    t("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p",
      "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":{\"i\":"
      "{\"j\":{\"k\":{\"l\":{\"m\":{\"n\":{\"o\":{\"p\":{\"q\":[{}]"
      "}}}}}}}}}}}}}}}}}", "none"),

    /* several pointers: the first in the body decides */

    t("/a /b", "{\"b\":2,\"a\":1}", "=2"),
    t("/E/C /R/E/C", "{\"R\":{\"E\":{\"C\":20001}}}", "=20001"),
    t("/E/C /R/E/C", "{\"E\":{\"C\":20002}}", "=20002"),
    t("/c /c/d", "{\"c\":{\"d\":5}}", "=5"),
    t("/c /c/d", "{\"c\":6}", "=6"),
    t("/c /c/d", "{\"c\":null,\"x\":{\"d\":5}}", "none"),

    /* the first string or number of repeated members */

    t("/c", "{\"c\":1,\"c\":2}", "=1"),
    t("/c", "{\"c\":null,\"c\":2}", "=2"),
    t("/e/c", "{\"e\":{},\"e\":{\"c\":3}}", "=3"),

    /* values that are not codes */

    t("/c", "{\"c\":null}", "none"),
    t("/c", "{\"c\":true}", "none"),
    t("/c", "{\"c\":false}", "none"),
    t("/c", "{\"c\":{}}", "none"),
    t("/c", "{\"c\":{\"c\":1}}", "none"),
    t("/c", "{\"c\":[1]}", "none"),
    t("/c", "{\"c\":[]}", "none"),
    t("/c", "{\"c\":\"" B120 "12345678\"}", "=" B120 "12345678"),
    t("/c", "{\"c\":\"" B120 "123456789\"}", "none"),
    t("/c", "{\"c\":\"" B120 "1234567\\u00e9\"}", "none"),
    t("/c", "{\"c\":\"" B120 "1234567\\u00e9x\"}", "none"),
    t("/c", "{\"c\":\"" B120 "123456789\",\"c\":3}", "=3"),

    /* ... and an empty one */
    t("/c", "{\"c\":\"\"}", "none"),
    t("/c", "{\"c\":\"\",\"d\":1,\"c\":3}", "=3"),
    t("/1", "[\"\",\"\"]", "none"),
    t("", "\"\"", "none"),

    /* numbers are text */

    t("/c", "{\"c\":42505.0}", "=42505.0"),
    t("/c", "{\"c\":4.2505e4}", "=4.2505e4"),
    t("/c", "{\"c\":-1}", "=-1"),
    t("/c", "{\"c\":-0}", "=-0"),
    t("/c", "{\"c\":0}", "=0"),
    t("/c", "{\"c\":0.10e-01}", "=0.10e-01"),
    t("/c", "{\"c\":1E+5 }", "=1E+5"),
    t("/c", "{\"c\":123456789012345678901234567890}",
      "=123456789012345678901234567890"),
    t("/c", "{\"c\":042505}", "malformed"),
    t("/c", "{\"c\":-}", "malformed"),
    t("/c", "{\"c\":+1}", "malformed"),
    t("/c", "{\"c\":.5}", "malformed"),
    t("/c", "{\"c\":5.}", "malformed"),
    t("/c", "{\"c\":5e}", "malformed"),
    t("/c", "{\"c\":5e+}", "malformed"),
    t("/c", "{\"c\":5.e1}", "malformed"),
    t("/c", "{\"c\":-01}", "malformed"),
    t("/c", "{\"c\":0x10}", "malformed"),
    t("/c", "{\"c\":42505x}", "malformed"),
    t("/c", "{\"c\":42505]", "malformed"),
    t("/c", "{\"c\":42505", "malformed"),
    t("/c", "{\"c\":NaN}", "malformed"),
    t("/c", "{\"c\":Infinity}", "malformed"),

    /* escapes in names and values */

    t("/StatusCode", "{\"\\u0053tatusCode\":1}", "=1"),
    t("/StatusCode", "{\"Status\\u0043\\u006fde\":1}", "=1"),
    t("/StatusCode", "{\"\\\\u0053tatusCode\":1}", "none"),
    t("/c", "{\"c\":\"\\u0034\\u0032505\"}", "=42505"),
    t("/c", "{\"c\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "=\"\\/\b\f\n\r\t"),
    t("/c", "{\"c\":\"a\\u0000b\"}", "=a\0b"),
    t("/c", "{\"c\":\"\\u00e9\\u20AC\"}", "=\xc3\xa9\xe2\x82\xac"),
    t("/c", "{\"c\":\"\\uD83d\\uDE00\"}", "=\xf0\x9f\x98\x80"),
    t("/c", "{\"c\":\"\\ud83d\"}", "=\xef\xbf\xbd"),
    t("/c", "{\"c\":\"\\ud83dx\"}", "=\xef\xbf\xbdx"),
    t("/c", "{\"c\":\"\\ud83d\\n\"}", "=\xef\xbf\xbd\n"),
    t("/c", "{\"c\":\"\\ud83d\\ud83d\\ude00\"}",
      "=\xef\xbf\xbd\xf0\x9f\x98\x80"),
    t("/c", "{\"c\":\"\\ude00\"}", "=\xef\xbf\xbd"),
    t("/\xc3\xa9", "{\"\\u00e9\":1}", "=1"),
    t("/\xf0\x9f\x98\x80", "{\"\\ud83d\\ude00\":1}", "=1"),
    t("/c", "{\"c\":\"\\x\"}", "malformed"),
    t("/c", "{\"c\":\"\\u12g4\"}", "malformed"),
    t("/c", "{\"c\":\"\\\0\"}", "malformed"),
    t("/c", "{\"a\":\"\n\",\"c\":1}", "malformed"),
    t("/c", "{\"a\":\"12345678901234\x1f\",\"c\":1}", "malformed"),
    t("/c", "{\"a\":\"\x7f\x80\xff\",\"c\":1}", "=1"),
    t("/c", "{\"c\":\"\xff\"}", "=\xff"),

    /* pointers */

    t("/a~1b", "{\"a/b\":1}", "=1"),
    t("/m~0n", "{\"m~n\":1}", "=1"),
    t("/~01", "{\"~1\":1}", "=1"),
    t("/", "{\"\":1}", "=1"),
    t("//", "{\"\":{\"\":1}}", "=1"),
    t("/0", "[5]", "=5"),
    t("/1", "[5,\"x\"]", "=x"),
    t("/1", "[[1,2,3],{\"a\":[1,2]}]", "none"),
    t("/10", "[0,1,2,3,4,5,6,7,8,9,10,11]", "=10"),
    t("/0", "{\"0\":5}", "=5"),
    t("/01", "[5,6]", "none"),
    t("/01", "{\"01\":6}", "=6"),
    t("/-", "[5,6]", "none"),
    t("/e/1/c", "{\"e\":[{\"c\":1},{\"c\":2}]}", "=2"),
    t("/0/1", "[[1,2],[3,4]]", "=2"),
    t("/1/0", "[[1,2],[3,4]]", "=3"),
    t("/c", "[{\"c\":1}]", "none"),
    t("", "42", "=42"),
    t("", " -4.5e1\n", "=-4.5e1"),
    t("", "\"x\"", "=x"),
    t("", "\xef\xbb\xbf\"x\"", "=x"),
    t("", "4x", "malformed"),
    t("", "true", "none"),
    t("", "trux", "malformed"),
    t("", "{\"c\":1}", "none"),
    t("", "[1]", "none"),

    /* a text that is not an array or object */

    t("/c", "42", "none"),
    t("/c", "\"c\"", "none"),
    t("/c", "null", "none"),
    t("/c", "", "empty"),
    t("/c", " \n\t\r ", "empty"),
    t("", " ", "empty"),
    t("/c", "\xef\xbb\xbf", "empty"),
    t("/c", "\xef\xbb\xbf ", "empty"),
    t("/c", "\xef\xbb", "malformed"),
    t("/c", " \v", "malformed"),
    t("/0", "[ ", "malformed"),
    t("/c", "<html>{\"c\":1}", "malformed"),
    t("/c", "callback({\"c\":1})", "malformed"),
    t("/c", "\0{\"c\":1}", "malformed"),

    /* other encodings, more than one text */

    t("/c", "\xef\xbb\xbf{\"c\":1}", "=1"),
    t("/c", "\xef\xbb{\"c\":1}", "malformed"),
    t("/c", "\xef\xbb\xbf\xef\xbb\xbf{\"c\":1}", "malformed"),
    t("/c", " \xef\xbb\xbf{\"c\":1}", "malformed"),
    t("/c", "\xff\xfe{\0\"\0c\0\"\0:\0001\0}\0", "malformed"),
    t("/c", "\0{\0\"\0c\0\"\0:\0001\0}", "malformed"),
    t("/c", "{\0\"\0c\0\"\0:\0001\0}\0", "malformed"),
    t("/c", "{\"a\":1}\n{\"c\":2}\n", "none"),
    t("/c", "{\"c\":1}\n{\"c\":2}\n", "=1"),

    /* texts that are not JSON */

    t("/c", "{", "malformed"),
    t("/c", "{\"c\"", "malformed"),
    t("/c", "{\"c\":", "malformed"),
    t("/c", "{\"c\":\"4250", "malformed"),
    t("/c", "{\"c\" 1}", "malformed"),
    t("/c", "{\"c\"::1}", "malformed"),
    t("/c", "{c:1}", "malformed"),
    t("/c", "{'c':1}", "malformed"),
    t("/c", "{,\"c\":1}", "malformed"),
    t("/c", "{\"a\":1,}", "malformed"),
    t("/c", "{\"a\":1 \"c\":1}", "malformed"),
    t("/0 /1 /2", "[null,]", "malformed"),
    t("/0", "[,1]", "malformed"),
    t("/3", "[1 2]", "malformed"),
    t("/3", "[1}", "malformed"),
    t("/c", "{\"a\":[1},\"c\":1}", "malformed"),
    t("/c", "{\"a\":{],\"c\":1}", "malformed"),
    t("/a/c", "{\"a\":{1},\"c\":1}", "malformed"),
    t("/a/c", "{\"a\":{],\"c\":1}", "malformed"),
    t("/a/c", "{\"a\":{\"c\" 1}}", "malformed"),
    t("/c", "{\"a\":tru,\"c\":1}", "malformed"),
    t("/c", "{\"a\":nulll,\"c\":1}", "malformed"),
    t("/c", "{\"a\":/**/1,\"c\":1}", "malformed"),

    /* a value that no pointer leads into is searched for its end only */

    t("/c", "{\"a\":[1,],\"c\":1}", "=1"),
    t("/c", "{\"a\":[,1 2{}}],\"c\":1}", "=1"),
    t("/c", "{\"a\":{1[},\"c\":1}", "=1"),
    t("/c", "{\"a\":[\"\n\"],\"c\":1}", "=1"),
    t("/c", "{\"a\":\"\\x\",\"c\":1}", "=1"),
    t("/c", "{\"a\":[\"]\",[[\"\\\"]\"]],\"\\\\\"],\"c\":1}", "=1"),
    t("/c", "{\"a\":{\"}\":{\"x\":\"\\\\\\\"}\"}},\"c\":1}", "=1"),
    t("/c", "{\"a\":[\"]\",\"c\":1}", "malformed"),
    t("/c", "{\"a\":\"\\\",\"c\":1}", "malformed"),
    t("/c", "{\"a\":\"" B120 "\",\"c\":1}", "=1"),
    t("/c", "{\"a\":\"" B120 "\n\",\"c\":1}", "malformed"),
    t("/c", "{\"a\":\"" B120 "\\\"\\n\\\\\",\"c\":1}", "=1"),
    t("/c", "{\"a\":true,\"b\":false,\"d\":null,\"c\":1}", "=1"),
    t("/c", "{\"a\":[[],{},[{}],1,\"\",true],\"c\":1}", "=1"),
};


static const char *const  bad_pointers[] = {
    "c", "c/d", "/~", "/~2", "/a~", "/a/~x/b",
    "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17",
    "/" B120 "123456789",
    "/" B120 "/" B120 "/" B100,
    NULL
};


static void
pointers(em_json_pointers_t *set, const char *list)
{
    size_t  n;

    memset(set, 0, sizeof(*set));

    for ( ;; ) {
        n = strcspn(list, " ");

        if (em_json_pointer_add(set, list, n) != NULL) {
            abort();
        }

        if (list[n] == '\0') {
            return;
        }

        list += n + 1;
    }
}


/* the answer in words, of the text fed in pieces that end at the cuts */

static size_t
answer(const em_json_pointers_t *set, const char *text, size_t len,
    size_t first, size_t step, char *buf)
{
    size_t      n;
    em_json_t   j;

    em_json_init(&j);

    for (n = first; /* void */ ; n = step) {

        if (n > len) {
            n = len;
        }

        (void) em_json_feed(&j, set, em_tap_guarded(0, text, n), n);

        text += n;
        len -= n;

        if (len == 0) {
            break;
        }
    }

    switch (em_json_end(&j, set)) {

    case EM_JSON_FOUND:
        buf[0] = '=';
        memcpy(buf + 1, j.token, j.len);
        return j.len + 1;

    case EM_JSON_COMPLETE:
        return (size_t) sprintf(buf, "none");

    case EM_JSON_EMPTY:
        return (size_t) sprintf(buf, "empty");

    case EM_JSON_MALFORMED:
        return (size_t) sprintf(buf, "malformed");

    default:
        return (size_t) sprintf(buf, "more");
    }
}


static void
vector(const test_t *t)
{
    char                buf[EM_JSON_TOKEN_MAX + 2];
    size_t              cut, n;
    em_json_pointers_t  set;

    pointers(&set, t->pointers);

#define same  (n == t->expect_len && memcmp(buf, t->expect, n) == 0)

    n = answer(&set, t->text, t->len, t->len, 1, buf);

    em_tap_ok(same, "\"%s\" of %.60s is %s", t->pointers,
              t->len ? t->text : "nothing", t->expect);

    if (!same) {
        printf("# got %.*s\n", (int) n, buf);
    }

    n = answer(&set, t->text, t->len, 1, 1, buf);

    if (!same) {
        em_tap_ok(0, "... byte by byte, got %.*s", (int) n, buf);
    }

    for (cut = 0; cut <= t->len; cut++) {
        n = answer(&set, t->text, t->len, cut, t->len + 1, buf);

        if (!same) {
            em_tap_ok(0, "... cut at %lu, got %.*s", (unsigned long) cut,
                      (int) n, buf);
        }
    }

#undef same
}


/* opens, then closes, depth arrays below a member, then gives the code */

static void
nested(size_t depth)
{
    char                *text, buf[EM_JSON_TOKEN_MAX + 2];
    size_t               n, step;
    em_json_pointers_t   set;

    pointers(&set, "/c");

    text = malloc(2 * depth + 32);
    n = (size_t) sprintf(text, "{\"a\":");
    memset(text + n, '[', depth);
    memset(text + n + depth, ']', depth);
    n += 2 * depth;
    n += (size_t) sprintf(text + n, ",\"c\":1}");

    for (step = 1; step <= n; step = step * 3 + 1) {
        buf[answer(&set, text, n, step, step, buf)] = '\0';

        em_tap_ok(strcmp(buf, "=1") == 0, "depth %lu in steps of %lu: %s",
                  (unsigned long) depth + 1, (unsigned long) step, buf);
    }

    free(text);
}


/* a code after a long string, in pieces of every size up to 70 bytes */

static void
behind_long_string(void)
{
    char                *text, buf[EM_JSON_TOKEN_MAX + 2];
    size_t               n, step, bad;
    const size_t         len = 100 * 1024;
    em_json_pointers_t   set;

    pointers(&set, "/c");

    text = malloc(len + 32);
    n = (size_t) sprintf(text, "{\"image\":\"");
    memset(text + n, 'A', len);
    n += len;
    n += (size_t) sprintf(text + n, "\",\"c\":\"LAST\"}");

    bad = 0;

    for (step = 1; step <= 70; step++) {
        buf[answer(&set, text, n, step, step, buf)] = '\0';

        if (strcmp(buf, "=LAST") != 0) {
            bad++;
        }
    }

    em_tap_ok(bad == 0, "a code after a string of 100 KB");

    free(text);
}


/* every byte, at every place of a string that is skipped in bulk */

static void
every_byte(void)
{
    int                  ch;
    char                 text[128], buf[EM_JSON_TOKEN_MAX + 2];
    size_t               n, at, size, bad;
    const char          *expect;
    em_json_pointers_t   set;

    pointers(&set, "/c");

    bad = 0;
    size = 0;

    for (ch = 0; ch < 256; ch++) {
        for (at = 0; at < 40; at++) {

            n = (size_t) sprintf(text, "{\"a\":\"%.*s", (int) at,
                                 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop");
            text[n++] = (char) ch;
            n += (size_t) sprintf(text + n, "n%.*s\",\"c\":1}",
                                  (int) (40 - at),
                                  "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop");

            /* a quote ends the string too early, "\n" is an escape */

            expect = (ch < 0x20 || ch == '"') ? "malformed" : "=1";

            for (size = 1; size <= n; size = size * 5 + 2) {
                buf[answer(&set, text, n, size, size, buf)] = '\0';

                if (strcmp(buf, expect) != 0) {
                    bad++;
                }
            }
        }
    }

    em_tap_ok(bad == 0, "every byte at every place of a string");
}


static void
first_certain_byte(const char *list, const char *text, size_t at,
    em_json_status_e expect)
{
    size_t              n;
    em_json_t           j;
    em_json_pointers_t  set;

    pointers(&set, list);
    em_json_init(&j);

    for (n = 0; text[n] != '\0'; n++) {
        if (em_json_feed(&j, &set, em_tap_guarded(0, text + n, 1), 1)
            != EM_JSON_MORE)
        {
            break;
        }
    }

    em_tap_ok(n + 1 == at && j.status == expect,
              "%s is certain at byte %lu (got %lu)", text,
              (unsigned long) at, (unsigned long) n + 1);
}


/* every processor has some of these */

static const char *const  kernels[] = {
    "avx512", "avx2", "sse2", "neon", "plain", NULL
};


static void
every_vector(const char *kernel)
{
    size_t  i;

    if (em_json_kernel(kernel) == NULL) {
        printf("# no %s here\n", kernel);
        return;
    }

    printf("# %s\n", kernel);

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        vector(&tests[i]);
    }

    nested(1);
    nested(62);
    nested(300000);

    behind_long_string();
    every_byte();
}


int
main(void)
{
    size_t              i;
    char                many[8];
    em_json_t           j;
    const char         *err;
    em_json_pointers_t  set;

    for (i = 0; kernels[i] != NULL; i++) {
        every_vector(kernels[i]);
    }

    for (i = 0; bad_pointers[i] != NULL; i++) {
        memset(&set, 0, sizeof(set));

        err = em_json_pointer_add(&set, bad_pointers[i],
                                  strlen(bad_pointers[i]));

        em_tap_ok(err != NULL && set.npointers == 0,
                  "\"%.20s\" %s", bad_pointers[i], err ? err : "");
    }

    memset(&set, 0, sizeof(set));

    for (i = 0; i < EM_JSON_POINTERS + 1; i++) {
        sprintf(many, "/%lu", (unsigned long) i);
        err = em_json_pointer_add(&set, many, strlen(many));
    }

    em_tap_ok(err != NULL && set.npointers == EM_JSON_POINTERS,
              "one pointer too many %s", err ? err : "");

    em_json_init(&j);
    em_tap_ok(em_json_kernel("none") == NULL
              && strcmp(em_json_kernel_used->name, "plain") == 0,
              "an unknown kernel changes nothing");

    em_tap_ok(em_json_kernel(NULL) == em_json_kernel_used->name,
              "the best one is %s", em_json_kernel_used->name);

    em_tap_ok(em_json_feed(&j, &set, "{\"15\":\"x\"}", 10) == EM_JSON_FOUND
              && j.pointer == 15 && j.len == 1, "the last of 16 pointers");

    em_tap_ok(em_json_feed(&j, &set, "}", 1) == EM_JSON_FOUND && j.len == 1,
              "the answer stays");

    first_certain_byte("/c", "{\"c\":\"ab\",\"d\":1}", 9, EM_JSON_FOUND);
    first_certain_byte("/c", "{\"c\":42,\"d\":1}", 8, EM_JSON_FOUND);
    first_certain_byte("/c", "{\"a\":1}  ", 7, EM_JSON_COMPLETE);
    first_certain_byte("/c", " [1,2]", 2, EM_JSON_COMPLETE);
    first_certain_byte("/c", " 12", 2, EM_JSON_COMPLETE);
    first_certain_byte("/c", "<!DOCTYPE html>", 1, EM_JSON_MALFORMED);

    return em_tap_done();
}
