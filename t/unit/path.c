
/*
 * em_path: what PATHs come to, or why they are invalid; each ends at a page
 * that must not be touched.  And em_plan: what it refuses, which plans are
 * plain, and how much memory they need.
 */


#include "em_tap.h"
#include "em_plan.h"


#define KNOWN                                                                 \
    "known selectors are .name, ['name'], [0], .*, [*], [:], "                \
    "[?@.name == VALUE] and [?@.name != VALUE]"

#define FILTERS                                                               \
    "known filters are [?@.name == VALUE] and [?@.name != VALUE] "            \
    "with a string, a number, true, false or null"

#define A16     "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a"
#define D16     ".a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a"
#define B10     "bbbbbbbbbb"
#define B100    B10 B10 B10 B10 B10 B10 B10 B10 B10 B10
#define B128    B100 B10 B10 "bbbbbbbb"


/* "=" and the selectors, then the home's and whether it is plain; or why not */

static const struct {
    const char  *text;
    const char  *expect;
} tests[] = {

    { "", "= 0 plain" },
    { "/", "=t() 0 plain" },
    { "/a", "=t(a) 0 plain" },
    { "/a/b/0", "=t(a)t(b)t(0:0) 2 plain" },
    { "/01/-/10", "=t(01)t(-)t(10:10) 2 plain" },
    { "/a~1b~0c/~01", "=t(a/b~c)t(~1) 1 plain" },
    { "/a b/$/[0]", "=t(a b)t($)t([0]) 2 plain" },
    { "/**/*a", "=t(**)t(*a) 1 plain" },
    { "/1234567890", "=t(1234567890) 0 plain" },

    { "$.a", "=n(a) 0 plain" },
    { "$.a.b_1", "=n(a)n(b_1) 1 plain" },
    { "$.\xc3\xa9\xe4\xb8\xad", "=n(\xc3\xa9\xe4\xb8\xad) 0 plain" },
    { "$['a'][\"b\"]", "=n(a)n(b) 1 plain" },
    { "$['']", "=n() 0 plain" },
    { "$['error-codes'][0]", "=n(error-codes)i(0) 1 plain" },
    { "$['a\\'b\"c'][\"a'b\\\"c\"]", "=n(a'b\"c)n(a'b\"c) 1 plain" },
    { "$['\\\\\\/\\b\\f\\n\\r\\t']", "=n(\\/\b\f\n\r\t) 0 plain" },
    { "$['\\u0041\\u00e9\\u4e2d\\uD83D\\ude00']",
      "=n(A\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80) 0 plain" },
    { "$[0][999999999]", "=i(0)i(999999999) 1 plain" },
    { "$[ 'a' ] [ 0 ]\t.b", "=n(a)i(0)n(b) 2 plain" },

    { "$.*", "=* 0" },
    { "$[*]", "=* 0" },
    { "$[ * ].a", "=*n(a) 0" },
    { "$[:]", "=: 0" },
    { "$[0:]", "=: 0" },
    { "$[ 0 : ].c", "=:n(c) 0" },
    { "$.items[*].*.type", "=n(items)**n(type) 1" },
    { "$.a.b[0][*]", "=n(a)n(b)i(0)* 3" },
    { "$['*']", "=n(*) 0 plain" },

    { "$[?@.s == 'e']", "=?(s==\"e\") 0" },
    { "$.l[?@.s=='e'].c", "=n(l)?(s==\"e\")n(c) 1" },
    { "$.l[?@.s!=\"e\"].c", "=n(l)?(s!=\"e\")n(c) 1" },
    { "$[?@['@type']=='x']", "=?(@type==\"x\") 0" },
    { "$[ ? @ [ \"s\" ] == 'x' ]", "=?(s==\"x\") 0" },
    { "$[?@.s==1]", "=?(s==1) 0" },
    { "$[?@.s==-0.5e+10]", "=?(s==-0.5e+10) 0" },
    { "$[?@.s==true][?@.s!=false][?@.s==null]",
      "=?(s==true)?(s!=false)?(s==null) 0" },
    { "$[?@.s=='']", "=?(s==\"\") 0" },
    { "$[?@.s=='a]b']", "=?(s==\"a]b\") 0" },

    { "$" D16, "=n(a)n(a)n(a)n(a)n(a)n(a)n(a)n(a)n(a)n(a)n(a)n(a)n(a)n(a)n(a)"
      "n(a) 15 plain" },
    { "/" B128, "=t(" B128 ") 0 plain" },
    { "$['" B128 "']", "=n(" B128 ") 0 plain" },

    { "a", "it must be a JSON pointer like \"/error/code\" or "
      "a JSONPath like \"$.errors[*].code\"" },
    { "@.a", "it must be a JSON pointer like \"/error/code\" or "
      "a JSONPath like \"$.errors[*].code\"" },
    { "/a~", "\"~\" must be \"~0\" or \"~1\" in a JSON pointer" },
    { "/a~2", "\"~\" must be \"~0\" or \"~1\" in a JSON pointer" },
    { "/" B128 "b", "a name is too long, at most 128 bytes are allowed" },
    { "/" B128 "/" B128, "it is too long, at most 255 bytes are allowed" },
    { A16 "/a", "it has too many selectors, at most 16 are allowed" },
    { "$" D16 ".a", "it has too many selectors, at most 16 are allowed" },
    { "$" D16 "[*]", "it has too many selectors, at most 16 are allowed" },
    { "$" D16 "['a']", "it has too many selectors, at most 16 are allowed" },
    { "$" D16 "[0]", "it has too many selectors, at most 16 are allowed" },
    { "$" D16 "[:]", "it has too many selectors, at most 16 are allowed" },
    { "$" D16 ".*", "it has too many selectors, at most 16 are allowed" },
    { "$" D16 "[?@.a==1]", "it has too many selectors, "
      "at most 16 are allowed" },

    { "/errors/*/code", "\"*\" in a JSON pointer is a member of that name; "
      "did you mean \"$.errors[*].code\"?  The member itself is "
      "\"$.errors['*'].code\"" },
    { "/*", "\"*\" in a JSON pointer is a member of that name; did you mean "
      "\"$[*]\"?  The member itself is \"$['*']\"" },
    { "/a-b/0/*/c~1d/e'f", "\"*\" in a JSON pointer is a member of that name; "
      "did you mean \"$['a-b'][0][*]['c/d']['e\\'f']\"?  The member itself is "
      "\"$['a-b'][0]['*']['c/d']['e\\'f']\"" },
    { "/" B100 "/" B100 "/*/c", "\"*\" in a JSON pointer is a member of that "
      "name; any child is \"[*]\" in a JSONPath, the member itself is "
      "\"['*']\"" },

    { "$", "it has no selector; " KNOWN },
    { "$a", "unknown selector at \"a\"; " KNOWN },
    { "$..a", "\"..\" is not supported; " KNOWN },
    { "$.a..b", "\"..\" is not supported; " KNOWN },
    { "$.", "unknown selector at \".\"; " KNOWN },
    { "$.a.", "unknown selector at \".\"; " KNOWN },
    { "$.0", "unknown selector at \".0\"; " KNOWN },
    { "$.'a'", "unknown selector at \".'a'\"; " KNOWN },
    { "$. a", "unknown selector at \". a\"; " KNOWN },
    { "$.a ", "a blank is at its end" },
    { "$.a b", "unknown selector at \"b\"; " KNOWN },
    { "$.error-codes[0]", "the name \"error-codes\" must be written "
      "['error-codes']" },
    { "$.a-b c", "unknown selector at \" c\"; " KNOWN },
    { "$[", "a \"]\" is missing at its end" },
    { "$[0", "a \"]\" is missing at its end" },
    { "$['a'", "a \"]\" is missing at its end" },
    { "$[?@.a==1", "a \"]\" is missing at its end" },
    { "$['a", "a quote is not closed" },
    { "$['a\\'", "a quote is not closed" },
    { "$['a\\", "invalid escape in quotes" },
    { "$['\\x']", "invalid escape in quotes" },
    { "$['\\\"']", "invalid escape in quotes" },
    { "$['\\u12']", "invalid escape in quotes" },
    { "$['\\ud83d']", "invalid escape in quotes" },
    { "$['\\ud83d\\u0041']", "invalid escape in quotes" },
    { "$['\\ude00']", "invalid escape in quotes" },
    { "$['a\tb']", "a control character is in quotes" },
    { "$['" B128 "b']", "a name is too long, at most 128 bytes are allowed" },
    { "$." B128 "b", "a name is too long, at most 128 bytes are allowed" },
    { "$[?@." B128 "b==1]", "a name is too long, at most 128 bytes are "
      "allowed" },
    { "$[a]", "unknown selector at \"[a]\"; " KNOWN },
    { "$[]", "unknown selector at \"[]\"; " KNOWN },
    { "$[0,1]", "several selectors in a bracket are not supported; " KNOWN },
    { "$['a','b']", "several selectors in a bracket are not supported; "
      KNOWN },
    { "$['a'b]", "unknown selector at \"b]\"; " KNOWN },
    { "$[-1]", "negative indexes are not supported; " KNOWN },
    { "$[01]", "an index must not begin with a zero" },
    { "$[1000000000]", "an index is too large, at most 999999999 is allowed" },
    { "$[1:]", "slices other than [:] are not supported; " KNOWN },
    { "$[:2]", "slices other than [:] are not supported; " KNOWN },
    { "$[0:2]", "slices other than [:] are not supported; " KNOWN },
    { "$[::2]", "slices other than [:] are not supported; " KNOWN },
    { "$[?(@.a==1)]", "unknown filter; " FILTERS },
    { "$[?length(@.a)==1]", "unknown filter; " FILTERS },
    { "$[?!@.a]", "unknown filter; " FILTERS },
    { "$[?'x'==@.a]", "unknown filter; " FILTERS },
    { "$[?", "unknown filter; " FILTERS },
    { "$[?@==1]", "the filter has no name; " FILTERS },
    { "$[?@.==1]", "the filter has no name; " FILTERS },
    { "$[?@[0]==1]", "the filter has no name; " FILTERS },
    { "$[?@[", "the filter has no name; " FILTERS },
    { "$[?@.a]", "the filter has neither \"==\" nor \"!=\" after its name; "
      FILTERS },
    { "$[?@.a=1]", "the filter has neither \"==\" nor \"!=\" after its name; "
      FILTERS },
    { "$[?@.a<1]", "the filter has neither \"==\" nor \"!=\" after its name; "
      FILTERS },
    { "$[?@.a.b==1]", "the filter has neither \"==\" nor \"!=\" after its "
      "name; " FILTERS },
    { "$[?@.a==]", "invalid VALUE of the filter; " FILTERS },
    { "$[?@.a==x]", "invalid VALUE of the filter; " FILTERS },
    { "$[?@.a==-]", "invalid VALUE of the filter; " FILTERS },
    { "$[?@.a==1.]", "invalid VALUE of the filter; " FILTERS },
    { "$[?@.a==@.b]", "invalid VALUE of the filter; " FILTERS },
    { "$[?@.a==01]", "the filter does not end after its VALUE; " FILTERS },
    { "$[?@.a==1 && @.b==2]", "the filter does not end after its VALUE; "
      FILTERS },
    { "$[?@.a==trues]", "the filter does not end after its VALUE; " FILTERS },
};


static void
show(const em_path_t *path, char *buf)
{
    size_t                     i;
    const char                *op;
    const em_path_selector_t  *s;

    static const char *const  types[] = {
        "", "", "true", "false", "null"
    };

    buf += sprintf(buf, "=");

    for (i = 0; i < path->nselectors; i++) {

        s = &path->selectors[i];
        op = s->unequal ? "!=" : "==";

        switch (s->kind) {

        case EM_PATH_TOKEN:
            buf += sprintf(buf, "t(%.*s", s->len, &path->text[s->name]);

            if (s->index != EM_PATH_NO_INDEX) {
                buf += sprintf(buf, ":%u", (unsigned) s->index);
            }

            buf += sprintf(buf, ")");
            break;

        case EM_PATH_NAME:
            buf += sprintf(buf, "n(%.*s)", s->len, &path->text[s->name]);
            break;

        case EM_PATH_INDEX:
            buf += sprintf(buf, "i(%u)", (unsigned) s->index);
            break;

        case EM_PATH_ANY:
            buf += sprintf(buf, "*");
            break;

        case EM_PATH_EACH:
            buf += sprintf(buf, ":");
            break;

        default:
            buf += sprintf(buf, "?(%.*s%s", s->len, &path->text[s->name], op);

            if (s->type == EM_PATH_STRING) {
                buf += sprintf(buf, "\"%.*s\")", s->value_len,
                               &path->text[s->value]);

            } else if (s->type == EM_PATH_NUMBER) {
                buf += sprintf(buf, "%.*s)", s->value_len,
                               &path->text[s->value]);

            } else {
                buf += sprintf(buf, "%s)", types[s->type]);
            }
        }
    }

    sprintf(buf, " %d%s", path->home, path->plain ? " plain" : "");
}


/* a plan of source lines, separated by ";", their PATHs by blanks */

static em_plan_t *
plan(const char *text)
{
    char              *error;
    size_t             len;
    static em_plan_t   p;

    error = malloc(EM_PATH_ERROR);

    memset(&p, 0, sizeof(p));

    em_plan_source(&p, NULL, NULL);

    while (*text) {

        len = strcspn(text, " ;");

        if (em_plan_path(&p, text, len, error)) {
            abort();
        }

        text += len;

        if (*text == ';') {
            em_plan_source(&p, NULL, NULL);
        }

        text += (*text != '\0');
    }

    em_plan_compile(&p, 0);

    free(error);

    return &p;
}


static void
test_plans(void)
{
    int           i;
    char          error[EM_PATH_ERROR];
    size_t        size;
    em_plan_t    *p;
    const char   *err;

    static const em_plan_str_t  word = { 1, "X" };
    static const em_plan_str_t  none = { 0, "" };
    static const em_plan_str_t  most = { 128, B128 };
    static const em_plan_str_t  more = { 129, B128 "b" };

    p = plan("/a/0/b;/;/a~1b");
    em_tap_ok(p->plain && p->pointers.npointers == 3, "pointers are plain");

    p = plan("$.a['b/c~'];$['x']");
    em_tap_ok(p->plain && p->pointers.npointers == 2
              && memcmp(p->pointers.pointers[0].text, "ab/c~", 5) == 0,
              "a JSONPath of names is");

    em_tap_ok(!plan("$.a[0]")->plain, "one with an index is not");
    em_tap_ok(!plan("$['0']")->plain, "one with a name like an index is not");
    em_tap_ok(!plan("/a /b")->plain, "a choice is not");
    em_tap_ok(!plan("$.*")->plain, "any child is not");
    em_tap_ok(plan("/0;/1;/2;/3;/4;/5;/6;/7;/8;/9;/a;/b;/c;/d;/e;/f")->plain,
              "16 lines are");
    em_tap_ok(!plan("/0;/1;/2;/3;/4;/5;/6;/7;/8;/9;/a;/b;/c;/d;/e;/f;/g")
              ->plain,
              "17 are not");

    p = plan("/a");
    em_plan_compile(p, EM_PLAN_TRUE);
    em_tap_ok(!p->plain, "a document with a row \"true\" is not");

    p = plan("/a");
    (void) em_plan_marker(p, "/b", 2, NULL, 0, error);
    em_plan_compile(p, 0);
    em_tap_ok(!p->plain, "one with a marker is not");

    p = plan("/a");
    (void) em_plan_condition(p, 0, "/b", 2, error);
    em_plan_compile(p, 0);
    em_tap_ok(!p->plain, "one with a condition is not");

    p = plan("/b");
    em_plan_source(p, &word, NULL);
    (void) em_plan_path(p, "/c", 2, error);
    em_plan_compile(p, 0);
    em_tap_ok(!p->plain, "one with code= is not");

    p = plan("/b");
    em_plan_source(p, NULL, p);
    (void) em_plan_path(p, "/c", 2, error);
    em_plan_compile(p, 0);
    em_tap_ok(!p->plain, "one with pattern= is not");

    p = plan("/b");
    em_plan_field(p, 3, 0, NULL);
    (void) em_plan_path(p, "/c", 2, error);
    em_plan_compile(p, 0);
    em_tap_ok(p->plain, "one with a field is");

    err = em_plan_condition(p, 1, "$.a[*]", 6, error);
    em_tap_ok(err && strcmp(err, "a condition must lead to one place, "
                            "without any child, [:] and filter") == 0,
              "a condition leads to one place");

    memset(p, 0, sizeof(em_plan_t));

    for (i = 0; i < 64; i++) {
        em_plan_source(p, NULL, NULL);

        if (em_plan_path(p, "$[?@.a==1][?@.b==2]", 19, error)) {
            break;
        }
    }

    em_plan_source(p, NULL, NULL);
    err = em_plan_path(p, "/a", 2, error);

    em_tap_ok(i == 64 && err
              && strcmp(err, "it is one too many, at most 64 are allowed in a "
                        "document") == 0,
              "64 PATHs are allowed");

    em_plan_compile(p, 0);

    em_tap_ok(p->size < 64 * 3 * 160 + 4096, "64 sources of two filters: %zu "
              "bytes of state", p->size);

    em_tap_ok(em_plan_source(p, &none, NULL) != NULL
              && em_plan_source(p, &more, NULL) != NULL
              && em_plan_source(p, &most, NULL) == NULL,
              "code= has 1 to 128 bytes");

    p = plan("/a/b;/c");
    size = p->size;

    em_tap_ok(size < 4096, "two sources: %zu bytes", size);

    em_plan_field(p, 0, 0, NULL);
    (void) em_plan_path(p, "/m", 2, error);
    em_plan_compile(p, 0);

    em_tap_ok(p->size > size + 1024 && p->size < size + 1200,
              "a field: %zu more", p->size - size);
}


int
main(void)
{
    char        *text, buf[4 * EM_PATH_ERROR], error[EM_PATH_ERROR];
    size_t       i, len;
    em_path_t    path;
    const char  *err;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {

        len = strlen(tests[i].text);
        text = em_tap_guarded(0, tests[i].text, len);

        memset(&path, 0xa5, sizeof(path));

        err = em_path_parse(&path, text, len, error);

        if (err == NULL) {
            show(&path, buf);
            err = buf;
        }

        if (!em_tap_ok(strcmp(err, tests[i].expect) == 0, "PATH \"%s\"",
                       tests[i].text))
        {
            printf("# %s\n# %s\n", err, tests[i].expect);
        }
    }

    test_plans();

    return em_tap_done();
}
