
/*
 * em_select against the cases of a file, EM_SELECT_CASES, see em_case.h.
 *
 * Each is read whole, byte by byte, and cut in two at every place, in every way
 * that the processor has; each piece ends at a page that must not be touched.
 * Between two bytes the state is moved, and its old place is overwritten; it
 * begins as garbage.
 *
 * With EM_SELECT_QUICK, the number of the cases, each is cut at one place, and
 * all of them are one test.
 */


#include "em_tap.h"
#include "em_case.h"


static const char *const  kernels[] = {
    "avx512", "avx2", "sse2", "neon", "plain", NULL
};

static em_case_t  c;
static uint32_t   seed = 1;


static em_select_t *
fresh(size_t size)
{
    void  *p;

    p = malloc(size);

    if (p == NULL) {
        exit(2);
    }

    memset(p, 0xa5, size);

    return p;
}


/* reads the body in pieces that end at cut, or of a byte if cut is -1 */

static void
answer(size_t cut, char *buf, size_t size, size_t *at)
{
    int                  early;
    size_t               i, n, len;
    em_select_t         *s, *moved;
    em_select_status_e   status;

    s = fresh(c.plan.plan.size);
    *at = (size_t) -1;
    early = 0;

    len = (c.stop < c.len) ? c.stop : c.len;

    status = em_select_init(s, &c.plan.plan, &em_case_calls, NULL, &c.options);

    if (status != EM_SELECT_MORE) {
        *at = 0;
    }

    for (i = 0; i < len && status != EM_SELECT_DONE; i += n) {

        n = (cut == (size_t) -1) ? 1 : (i < cut && cut < len) ? cut - i
                                                              : len - i;

        /* the byte that ends a number may end all of the text */

        if (n == 1 && s->state == sw_number
            && (c.body[i] == '}' || c.body[i] == ']'))
        {
            (void) em_select_feed(s, " ", 1);

            if (s->status != EM_SELECT_MORE && *at == (size_t) -1) {
                *at = i + n;
                early = 1;
            }
        }

        status = em_select_feed(s, em_tap_guarded(0, c.body + i, n), n);

        if (status != EM_SELECT_MORE && *at == (size_t) -1) {
            *at = i + n;
            early = (s->depth > 0);
        }

        if (cut == (size_t) -1 && len < 4096) {
            moved = fresh(c.plan.plan.size);
            memcpy(moved, s, c.plan.plan.size);
            memset(s, 0x5a, c.plan.plan.size);
            free(s);
            s = moved;
        }
    }

    if (c.stop != (size_t) -1) {
        status = em_select_stop(s);

    } else {
        status = em_select_end(s);
    }

    if (status != EM_SELECT_DONE) {
        printf("# it does not end\n");
        abort();
    }

    em_case_answer(&c, s, early, buf, size);

    free(s);
}


/* without "!", for it is not known of whole bodies */

static int
same(const char *a, const char *b)
{
    while (*a || *b) {

        if (*a == '!' && strchr(" @", a[1])) {
            a++;
            continue;
        }

        if (*b == '!' && strchr(" @", b[1])) {
            b++;
            continue;
        }

        if (*a++ != *b++) {
            return 0;
        }
    }

    return 1;
}


static int
check(const char *kernel)
{
    char    got[EM_CASE_LINE], first[EM_CASE_LINE];
    size_t  at, where, cut, step;

    answer((size_t) -1, first, sizeof(first), &at);

    if (strcmp(first, c.answer) != 0) {
        printf("# %s, byte by byte: %s\n", kernel, first);
        return 0;
    }

    if (at != (size_t) -1 && (at < c.from || at > c.to)) {
        printf("# %s: %s after %zu bytes, not %zu to %zu\n", kernel, first,
               at, c.from, c.to);
        return 0;
    }

    cut = 0;
    step = (c.len > 2000) ? c.len / 200 : 1;

    if (getenv("EM_SELECT_QUICK")) {
        seed = seed * 1664525u + 1013904223u;
        cut = (seed >> 8) % (c.len + 1);
        step = c.len + 1;
    }

    for ( /* void */ ; cut <= c.len; cut += step) {

        answer(cut, got, sizeof(got), &where);

        if (!same(got, first)) {
            printf("# %s, cut at %zu: %s, but %s\n", kernel, cut, got, first);
            return 0;
        }

        /* the piece that has its last byte brings it */

        if (at != (size_t) -1 && where != c.len && where != c.stop
            && (where < at || (cut >= at && where > cut)))
        {
            printf("# %s, cut at %zu: certain at %zu, not %zu\n", kernel, cut,
                   where, at);
            return 0;
        }
    }

    return 1;
}


static int
all(void)
{
    size_t  i;

    for (i = 0; kernels[i]; i++) {
        if (em_json_kernel(kernels[i]) && !check(kernels[i])) {
            return 0;
        }
    }

    return 1;
}


int
main(void)
{
    int           quick, bad;
    FILE         *f;
    char         *copy;
    static char   line[EM_CASE_LINE];
    size_t        n;
    const char   *name;

    name = getenv("EM_SELECT_CASES");
    quick = (getenv("EM_SELECT_QUICK") != NULL);

    f = name ? fopen(name, "r") : NULL;

    if (f == NULL) {
        perror("EM_SELECT_CASES");
        return 2;
    }

    for (n = 0; kernels[n]; n++) {
        if (em_json_kernel(kernels[n])) {
            printf("# %s\n", kernels[n]);
        }
    }

    n = 0;
    bad = 0;

    while (fgets(line, sizeof(line), f)) {

        copy = strdup(line);

        if (em_case_read(&c, line)) {
            n++;

            if (c.plan.error) {
                em_tap_ok(0, "%s: %s", copy, c.plan.error);

            } else if (!quick) {
                copy[strcspn(copy, "\n")] = '\0';

                for (name = strchr(copy, '#'); name; name = strchr(name, '#')) {
                    *(char *) name = '.';
                }

                em_tap_ok(all(), "%s", copy);

            } else if (!all() && bad++ < 20) {
                printf("# %.2000s\n", copy);
            }
        }

        free(copy);
    }

    if (quick) {
        em_tap_ok(n == strtoul(getenv("EM_SELECT_QUICK"), NULL, 10) && bad == 0,
                  "%zu cases, %d otherwise", n, bad);
    }

    fclose(f);

    return em_tap_done();
}
