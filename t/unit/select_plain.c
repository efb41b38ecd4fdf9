
/*
 * em_select with a plan that is plain against em_json with its pointers: the
 * same code, of the same source, after the same number of bytes.  The texts
 * are those of the folder EM_JSON_FOLDER and random ones, half of them broken.
 */


#include "em_tap.h"
#include "em_select.h"

#include <dirent.h>


#define TEXT    (1 << 20)
#define RANDOM  200000


static const char *const  sets[][4] = {
    { "/code" },
    { "/a", "/b/a", "/c/0" },
    { "/0", "/1/a", "/2/1/0" },
    { "/a/a/a/a", "/a/b", "/" },
    { "", "/a" },
};

#define NSETS  (sizeof(sets) / sizeof(sets[0]))

static em_plan_t     plans[NSETS];
static em_select_t  *state;

static char          text[TEXT];
static size_t        len;
static uint32_t      seed = 1;


static uint32_t
below(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;

    return (seed >> 8) % n;
}


static em_select_kind_e
classify(void *data, const char *code, size_t length, uintptr_t *row)
{
    (void) data;
    (void) code;

    *row = length;

    return EM_SELECT_ERROR;
}


static const em_select_calls_t  calls = { classify, NULL };


/* reads in pieces; returns the bytes after which there is an answer, or -1 */

static size_t
read_json(em_json_t *json, const em_plan_t *plan, size_t piece)
{
    size_t  i, n;

    em_json_init(json);

    for (i = 0; i < len; i += n) {
        n = (len - i < piece) ? len - i : piece;

        if (em_json_feed(json, &plan->pointers,
                         em_tap_guarded(0, text + i, n), n)
            != EM_JSON_MORE)
        {
            return i + n;
        }
    }

    (void) em_json_end(json, &plan->pointers);

    return (size_t) -1;
}


static size_t
read_select(em_select_verdict_t *v, const em_plan_t *plan, size_t piece)
{
    size_t                      i, n;
    static em_select_options_t  options;

    (void) em_select_init(state, plan, &calls, NULL, &options);

    for (i = 0; i < len; i += n) {
        n = (len - i < piece) ? len - i : piece;

        if (em_select_feed(state, em_tap_guarded(1, text + i, n), n)
            == EM_SELECT_DONE)
        {
            em_select_verdict(state, v);
            return i + n;
        }
    }

    (void) em_select_end(state);

    em_select_verdict(state, v);

    return (size_t) -1;
}


static int
check(size_t piece)
{
    size_t               i, at, where;
    em_json_t            json;
    em_select_verdict_t  v;

    for (i = 0; i < NSETS; i++) {

        at = read_json(&json, &plans[i], piece);
        where = read_select(&v, &plans[i], piece);

        if (json.status != EM_JSON_FOUND) {

            /* a name may stand before a bracket, so that it is waited for */

            if (v.kind == EM_SELECT_NONE
                && (at == where || strchr("tfn", text[strspn(text, " ")]))
                && (json.status == EM_JSON_COMPLETE)
                   == (v.reason == EM_SELECT_NO_CODE)
                && (json.status == EM_JSON_EMPTY)
                   == (v.reason == EM_SELECT_EMPTY))
            {
                continue;
            }

        } else if (v.kind == EM_SELECT_ERROR && v.source == json.pointer
                   && v.code.len == json.len && where == at
                   && memcmp(v.code.data, json.token, json.len) == 0)
        {
            continue;
        }

        printf("# set %d, pieces of %d: em_json %d %.*s after %d, "
               "em_select %d %.*s after %d\n# %.*s\n",
               (int) i, (int) piece, json.status, (int) json.len, json.token,
               (int) at, v.kind, (int) v.code.len, v.code.data, (int) where,
               (int) (len < 1000 ? len : 1000), text);
        return 0;
    }

    return 1;
}


/* a JSON text of some depth */

static void
make(unsigned depth)
{
    unsigned  i, n, kind;

    static const char *const  scalars[] = {
        "1", "\"x\"", "null", "true", "-2.5e1", "\"\\u0041\\n\"", "\"\"", "42",
        "\"a string that is longer than sixteen bytes\"", "0", "{}", "[ ]"
    };

    static const char *const  names[] = {
        "\"a\"", "\"b\"", "\"c\"", "\"code\"", "\"\\u0061\"", "\"\"", "\"0\"",
        "\"another\"", "\"a name that is longer than sixteen bytes\""
    };

    kind = below(10);

    if (depth == 0 || kind < 4 || len > TEXT / 2) {
        len += (size_t) sprintf(text + len, "%s", scalars[below(12)]);
        return;
    }

    n = below(5);

    text[len++] = (kind < 8) ? '{' : '[';

    for (i = 0; i < n; i++) {

        if (i) {
            text[len++] = ',';
        }

        if (below(8) == 0) {
            text[len++] = ' ';
        }

        if (kind < 8) {
            len += (size_t) sprintf(text + len, "%s:", names[below(9)]);
        }

        make(depth - 1);
    }

    text[len++] = (kind < 8) ? '}' : ']';
}


int
main(void)
{
    int             i, k, bad, files;
    FILE           *f;
    DIR            *dir;
    char            name[4096], error[EM_PATH_ERROR];
    size_t          size, n;
    const char     *folder, *kernel;
    struct dirent  *entry;

    static const char *const  kernels[] = { "plain", NULL };

    size = 0;

    for (n = 0; n < NSETS; n++) {

        for (k = 0; k < 4 && sets[n][k]; k++) {
            em_plan_source(&plans[n], NULL, NULL);

            if (em_plan_path(&plans[n], sets[n][k], strlen(sets[n][k]), error))
            {
                abort();
            }
        }

        em_plan_compile(&plans[n], 0);

        size = (plans[n].size > size) ? plans[n].size : size;

        em_tap_ok(plans[n].plain, "set %d is plain", (int) n);
    }

    state = malloc(size);
    folder = getenv("EM_JSON_FOLDER");

    for (i = 0; i < 2; i++) {

        kernel = em_json_kernel(kernels[i]);

        bad = 0;
        files = 0;

        dir = folder ? opendir(folder) : NULL;

        while (dir && (entry = readdir(dir))) {

            if (entry->d_name[0] == '.') {
                continue;
            }

            /* em_select looks through what hides a text from a script tag */

            if (strcmp(entry->d_name, "n_structure_callback.json") == 0) {
                continue;
            }

            snprintf(name, sizeof(name), "%s/%s", folder, entry->d_name);

            f = fopen(name, "r");
            len = f ? fread(text, 1, TEXT - 1, f) : 0;
            text[len] = '\0';

            if (f) {
                fclose(f);
            }

            files++;

            if (!check(TEXT) || !check(1)) {
                printf("# %s\n", entry->d_name);
                bad++;
            }
        }

        if (dir) {
            closedir(dir);
        }

        em_tap_ok(files > 0 && bad == 0, "%s: %d files", kernel, files);

        for (n = 0; n < RANDOM && bad < 5; n++) {

            len = 0;
            make(6);

            if (below(2) && len) {
                text[below((uint32_t) len)] = "{}[]\",:\\x0 "[below(11)];
            }

            if (text[0] == '{' || text[0] == '[') {
                bad += !check(TEXT) || !check(1 + below(30));
            }
        }

        em_tap_ok(bad == 0, "%s: %d random texts", kernel, RANDOM);
    }

    return em_tap_done();
}
