
/*
 * Reads a body by em_json or em_select, as often as is asked for; bench/select
 * counts the instructions.
 *
 *     select CASE BODY TIMES
 *
 * Prints the bytes of the body, those of the state, and the verdict.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "em_select.h"


typedef struct {
    const char     *name;
    const char     *paths[4];     /* of one source line */
    const char     *fields[4];
} case_t;


static const case_t  cases[] = {
    { "em_json", { "/code" }, { NULL } },
    { "plain", { "/code" }, { NULL } },
    { "choice", { "/error/decline_code", "/error/code", "/code" }, { NULL } },
    { "any", { "$.items[*].code", "/code" }, { NULL } },
    { "filter", { "$.items[?@.state=='failed'].code", "/code" }, { NULL } },
    { "fields", { "/code" }, { "/message", "/request_id", "/detail" } },
};


static em_plan_t  plan;


static em_select_kind_e
classify(void *data, const char *code, size_t len, uintptr_t *row)
{
    (void) data;

    *row = 0;

    return (len == 1 && *code == '0') ? EM_SELECT_SUCCESS : EM_SELECT_ERROR;
}


static const em_select_calls_t  calls = { classify, NULL };


static size_t
body(const char *name, char *buf)
{
    int   i, n;
    char  *p;

    p = buf;

    if (strcmp(name, "items-64k") == 0 || strcmp(name, "items-1k") == 0) {
        n = (name[6] == '6') ? 1000 : 14;

        p += sprintf(p, "{\"items\":[");

        for (i = 0; i < n; i++) {
            p += sprintf(p, "%s{\"id\":%d,\"state\":\"done\",\"code\":0,"
                         "\"name\":\"number %d\"}", i ? "," : "", 10000 + i,
                         i);
        }

        p += sprintf(p, "],");

    } else {
        n = (strcmp(name, "members-64k") == 0) ? 1900 : 28;

        p += sprintf(p, "{");

        for (i = 0; i < n; i++) {
            p += sprintf(p, "\"member_%d\":\"value %d\",\"n%d\":%d,", i, i, i,
                         i);
        }
    }

    p += sprintf(p, "\"message\":\"over the limit\",\"request_id\":\"a-b-c\","
                 "\"detail\":\"none\",\"code\":42505}");

    return (size_t) (p - buf);
}


int
main(int argc, char **argv)
{
    int                   i, times;
    char                 *buf, error[EM_PATH_ERROR];
    size_t                len, n;
    em_json_t             json;
    em_select_t          *s;
    const case_t         *c;
    em_json_pointers_t    set;
    em_select_verdict_t   v;
    em_select_options_t   options;

    if (argc != 4) {
        return 2;
    }

    for (c = cases; strcmp(c->name, argv[1]) != 0; c++) { /* void */ }

    times = atoi(argv[3]);
    buf = malloc(1 << 18);
    len = body(argv[2], buf);

    memset(&options, 0, sizeof(options));
    memset(&set, 0, sizeof(set));
    memset(&v, 0, sizeof(v));

    em_json_kernel(getenv("EM_KERNEL"));

    em_plan_source(&plan, NULL, NULL);

    for (n = 0; c->paths[n]; n++) {
        if (em_plan_path(&plan, c->paths[n], strlen(c->paths[n]), error)) {
            return 2;
        }
    }

    for (n = 0; c->fields[n]; n++) {
        em_plan_field(&plan, (unsigned) n, 0, NULL);
        (void) em_plan_path(&plan, c->fields[n], strlen(c->fields[n]), error);

        options.fields |= 1u << n;
    }

    em_plan_compile(&plan, 0);

    em_json_pointer_add(&set, "/code", 5);

    s = malloc(plan.size);

    for (i = 0; i < times; i++) {

        if (c == cases) {
            em_json_init(&json);
            (void) em_json_feed(&json, &set, buf, len);
            v.code.data = json.token;
            v.code.len = json.len;

        } else {
            (void) em_select_init(s, &plan, &calls, NULL, &options);
            (void) em_select_feed(s, buf, len);
            (void) em_select_end(s);
            em_select_verdict(s, &v);
        }
    }

    printf("%zu %zu %.*s\n", len, c == cases ? sizeof(json) : plan.size,
           (int) v.code.len, times ? v.code.data : "");

    return 0;
}
