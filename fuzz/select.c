
/*
 * em_select against itself, and against em_json where a plan is plain: however
 * a body is cut and whichever kernel reads it, verdict, code, fields and the
 * byte that brings them are the same, and no byte outside a piece is read.
 *
 * Input: two bytes for the cuts, one for the charset and the number of texts,
 * a line of PLAN as in t/unit/em_case.h, the body.
 */


#include <sanitizer/asan_interface.h>

#include "em_case.h"


#define MAX_TEXT  65536


/* what was found, and after how many bytes */

typedef struct {
    size_t   verdict;             /* bytes after which there was a verdict */
    size_t   done;                /* ... and all fields */
    char     text[EM_CASE_LINE];
} answer_t;


static const char *const  kernels[] = { "plain", "sse2", "avx2", "neon" };

static em_case_t  c;

/* pieces lie here, all around them being poisoned */

static char      *room;

static uint32_t   seed;


static uint32_t
next_random(void)
{
    seed = seed * 1103515245 + 12345;

    return seed >> 16;
}


/*
 * Reads the text in pieces of at most max bytes, of which some are empty; one
 * in two begins, and all the others end, at a byte that must not be touched.
 */

static void
scan(answer_t *answer, const char *text, size_t len, size_t max, int fill)
{
    char                 *piece;
    size_t                n, at, size;
    em_select_t          *s, *copy;
    em_select_status_e    status;
    em_select_verdict_t   v;

    size = c.plan.plan.size;

    s = malloc(size);
    copy = malloc(size);

    if (s == NULL || copy == NULL) {
        abort();
    }

    /* what em_select_init() leaves as it is must not matter */

    memset(s, fill, size);

    status = em_select_init(s, &c.plan.plan, &em_case_calls, NULL, &c.options);

    answer->verdict = (status == EM_SELECT_MORE) ? (size_t) -1 : 0;
    answer->done = (status == EM_SELECT_DONE) ? 0 : (size_t) -1;

    for (at = 0; at < len; at += n) {

        n = (max == 1 || max >= len) ? max : next_random() % (max + 1);

        if (n > len - at) {
            n = len - at;
        }

        piece = (next_random() & 1) ? room + 64 : room + 64 + (-n & 63);

        ASAN_UNPOISON_MEMORY_REGION(piece, n);
        memcpy(piece, text + at, n);

        status = em_select_feed(s, piece, n);

        ASAN_POISON_MEMORY_REGION(room, MAX_TEXT + 256);

        if (status != EM_SELECT_MORE && answer->verdict == (size_t) -1) {
            answer->verdict = at + n;
        }

        if (status == EM_SELECT_DONE && answer->done == (size_t) -1) {
            answer->done = at + n;
        }

        /* it may be copied between two pieces */

        memcpy(copy, s, size);
        memset(s, ~fill, size);
        memcpy(s, copy, size);
    }

    if (em_select_end(s) != EM_SELECT_DONE
        || em_select_stop(s) != EM_SELECT_DONE)
    {
        abort();
    }

    em_select_verdict(s, &v);

    if (v.kind < EM_SELECT_SUCCESS
        && (v.code.len == 0 || v.code.len > EM_PLAN_CODE_MAX
            || v.source >= c.plan.plan.nsources))
    {
        abort();
    }

    memset(answer->text, 0, sizeof(answer->text));

    em_case_answer(&c, s, 0, answer->text, sizeof(answer->text));

    free(s);
    free(copy);
}


static void
differ(const char *what, answer_t *a, answer_t *b)
{
    fprintf(stderr, "%s\n%s, at %zd and %zd\n%s, at %zd and %zd\n", what,
            a->text, (ssize_t) a->verdict, (ssize_t) a->done,
            b->text, (ssize_t) b->verdict, (ssize_t) b->done);
    abort();
}


/* whether a piece of up to max bytes brought what the byte at first did */

static int
brought(size_t first, size_t at, size_t max, size_t len)
{
    if (first == (size_t) -1 || at == (size_t) -1) {
        return first == at;
    }

    return at >= first && (max >= len || at - first < max);
}


/* em_json reads neither a prefix nor anything but UTF-8 */

static void
plain(answer_t *first, const char *text, size_t len)
{
    size_t        n;
    em_json_t     json;
    em_plan_t    *plan;
    char          expect[EM_CASE_LINE];
    char          code[EM_JSON_TOKEN_MAX + 1];
    uintptr_t     row;

    plan = &c.plan.plan;

    if (c.options.charset != EM_CHARSET_UTF8 || c.options.texts > 1
        || c.options.fields)
    {
        return;
    }

    for (n = 0; n < len && strchr(" \t\r\n", text[n]); n++) { /* void */ }

    if (n == len || text[n] == '\0' || strchr("{[\"-0123456789", text[n]) == NULL)
    {
        return;
    }

    em_json_init(&json);
    (void) em_json_feed(&json, &plan->pointers, text, len);
    (void) em_json_end(&json, &plan->pointers);

    if (json.status != EM_JSON_FOUND) {

        if (first->text[0] != '-') {
            fprintf(stderr, "em_json: no code; %s\n", first->text);
            abort();
        }

        return;
    }

    memcpy(code, json.token, json.len);
    code[json.len] = '\0';

    switch (em_case_classify(NULL, json.token, json.len, &row)) {

    case EM_SELECT_ERROR:
        snprintf(expect, sizeof(expect), "%s", code);
        break;

    case EM_SELECT_UNLISTED:
        snprintf(expect, sizeof(expect), "?%s", code);
        break;

    default:
        snprintf(expect, sizeof(expect), "ok");
    }

    if (strcmp(expect, first->text) != 0) {
        fprintf(stderr, "em_json: %s; %s\n", expect, first->text);
        abort();
    }
}


/* only patterns that are known to cost little */

static int
good(const char *line)
{
    const char  *p;

    for (p = line; (p = strstr(p, "pattern=")) != NULL; p++) {
        if (strncmp(p + 8, "^e", 2) != 0 && strncmp(p + 8, "([0-9]+)", 8) != 0)
        {
            return 0;
        }

        p += (p[8] == '^') ? 10 : 16;

        if (*p != ' ' && *p != ';' && *p != '\0') {
            return 0;
        }
    }

    return 1;
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;

    room = aligned_alloc(64, MAX_TEXT + 256);
    if (room == NULL) {
        abort();
    }

    ASAN_POISON_MEMORY_REGION(room, MAX_TEXT + 256);

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char             line[4096];
    size_t           len, i, k, max;
    const char      *text, *p;
    static answer_t  first, answer;

    if (size < 4 || size > MAX_TEXT) {
        return 0;
    }

    seed = data[0] | (uint32_t) data[1] << 8;

    text = (const char *) data + 3;
    p = memchr(text, '\n', size - 3);

    if (p == NULL || (size_t) (p - text) >= sizeof(line)) {
        return 0;
    }

    memcpy(line, text, (size_t) (p - text));
    line[p - text] = '\0';

    text = p + 1;
    len = size - (size_t) (text - (const char *) data);

    if (!good(line)) {
        return 0;
    }

    em_case_plan(&c.plan, line);

    if (c.plan.error) {
        return 0;
    }

    memset(&c.options, 0, sizeof(c.options));
    c.options.charset = (em_charset_e) (data[2] & 3);
    c.options.texts = data[2] >> 2 & 3;
    c.options.decided = data[2] >> 4 & 1;
    c.options.fields = ((uint64_t) 1 << c.plan.nfields % 64) - 1;

    for (k = 0; k < sizeof(kernels) / sizeof(kernels[0]); k++) {

        if (em_json_kernel(kernels[k]) == NULL) {
            continue;
        }

        if (k == 0) {
            scan(&first, text, len, 1, 0);

            if (c.plan.plan.plain && !c.options.decided) {
                plain(&first, text, len);
            }
        }

        for (i = 0; i < 4; i++) {

            /* whole, then in pieces around a byte, a block and several */

            max = (i == 0) ? len : (i == 1) ? 3 : (i == 2) ? 80 : 500;

            scan(&answer, text, len, max, i & 1 ? 0x55 : 0xaa);

            if (memcmp(first.text, answer.text, sizeof(first.text)) != 0
                || !brought(first.verdict, answer.verdict, max, len)
                || !brought(first.done, answer.done, max, len))
            {
                differ(kernels[k], &first, &answer);
            }
        }
    }

    return 0;
}
