
/*
 * em_json against folders of JSON texts that are named as in JSONTestSuite:
 * y_*.json are JSON, n_*.json are not, i_*.json may be either.
 *
 * Each file is read for several sets of pointers, in every way that the
 * processor has: whole, byte by byte, and, below 4 KB, cut in two at every
 * place; each piece ends at a page that must not be touched.  The answer must
 * always be that of a second reader, below, which reads the whole text
 * recursively and follows em_json.h to the letter.  Moreover
 *
 *     a y_ file is never malformed;
 *
 *     an n_ file gives a code for the set of "" alone only if the wrong byte
 *     is after it, and for any other set only if that byte is after the code
 *     or in a value that no pointer leads into.  The test prints which.
 *
 * The arguments name the folders or, without any, EM_JSON_FOLDERS does, a line
 * each.
 */


#include "em_tap.h"
#include "em_json.h"

#include <dirent.h>
#include <errno.h>


#define EVERY_CUT   4096          /* bytes of a file that is cut everywhere */
#define PIECE       (1 << 20)     /* the limit of em_tap_guarded() */
#define POINTERS    8


typedef struct {
    size_t              n;
    const char         *pointers[POINTERS];
} list_t;


/* a code, or the reason for none */

typedef struct {
    em_json_status_e    status;
    size_t              pointer;
    size_t              len;
    char               *code;
} answer_t;


/* the second reader */

typedef struct {
    const uint8_t      *p;
    const uint8_t      *end;
    const list_t       *list;
    char               *text;     /* a string, unescaped; it has room */
    size_t              len;
    size_t              pointer;
} reader_t;


static const list_t  lists[] = {
    { 1, { "" } },
    { 1, { "/0" } },
    { 1, { "/a" } },
    { 1, { "/code" } },
    { 1, { "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/nowhere" } },
    { 1, { "/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0" } },
    { 2, { "", "/a" } },
    { 7, { "/1", "/2/0", "/0/0", "/a/b", "/a/1", "/code/x", "/" } },
    { 0, { NULL } }
};

static const char *const  kernels[] = {
    "avx512", "avx2", "sse2", "neon", "plain", NULL
};


static int reader_value(reader_t *r, uint32_t match, size_t depth);


/* whether one of those pointers ends at this depth; its number in *n */

static int
reader_ends(reader_t *r, uint32_t match, size_t depth, size_t *n)
{
    size_t       i, tokens;
    const char  *s;

    for (i = 0; i < r->list->n; i++) {
        tokens = 0;

        for (s = r->list->pointers[i]; *s; s++) {
            tokens += (*s == '/');
        }

        if ((match >> i & 1) && tokens == depth) {
            *n = i;
            return 1;
        }
    }

    return 0;
}


/* those pointers whose token number depth is this one */

static uint32_t
reader_token(reader_t *r, uint32_t match, size_t depth, const char *name,
    size_t len)
{
    size_t       i, n, skip;
    uint32_t     result;
    const char  *s;

    result = 0;

    for (i = 0; i < r->list->n; i++) {

        if (!(match >> i & 1)) {
            continue;
        }

        s = r->list->pointers[i];

        for (skip = 0; s != NULL && skip <= depth; skip++) {
            s = strchr(s + (skip > 0), '/');
        }

        if (s == NULL) {
            continue;
        }

        n = strcspn(s + 1, "/");

        if (n == len && memcmp(s + 1, name, len) == 0) {
            result |= (uint32_t) 1 << i;
        }
    }

    return result;
}


/* those that have a token number depth, which may be that of an array */

static uint32_t
reader_through(reader_t *r, uint32_t match, size_t depth, int array)
{
    size_t       i, skip;
    uint32_t     result;
    const char  *s;

    result = 0;

    for (i = 0; i < r->list->n; i++) {

        s = r->list->pointers[i];

        for (skip = 0; s != NULL && skip <= depth; skip++) {
            s = strchr(s + (skip > 0), '/');
        }

        if ((match >> i & 1) && s != NULL
            && (!array || (s[1] >= '0' && s[1] <= '9')))
        {
            result |= (uint32_t) 1 << i;
        }
    }

    return result;
}


static void
reader_space(reader_t *r)
{
    while (r->p < r->end && *r->p != '\0' && strchr(" \t\r\n", *r->p)) {
        r->p++;
    }
}


static void
reader_append(reader_t *r, uint32_t ch)
{
    char  *s;

    s = r->text + r->len;

    if (ch < 0x80) {
        *s++ = (char) ch;

    } else if (ch < 0x800) {
        *s++ = (char) (0xc0 + ch / 64);
        *s++ = (char) (0x80 + ch % 64);

    } else if (ch < 0x10000) {
        *s++ = (char) (0xe0 + ch / 4096);
        *s++ = (char) (0x80 + ch / 64 % 64);
        *s++ = (char) (0x80 + ch % 64);

    } else {
        *s++ = (char) (0xf0 + ch / 262144);
        *s++ = (char) (0x80 + ch / 4096 % 64);
        *s++ = (char) (0x80 + ch / 64 % 64);
        *s++ = (char) (0x80 + ch % 64);
    }

    r->len = (size_t) (s - r->text);
}


/* four hexadecimal digits, or -1 */

static long
hex4(const uint8_t *p, const uint8_t *end)
{
    int          i;
    long         n;
    const char  *s;

    static const char  digits[] = "0123456789abcdef0123456789ABCDEF";

    n = 0;

    for (i = 0; i < 4; i++) {

        if (p + i >= end || p[i] == '\0'
            || (s = strchr(digits, p[i])) == NULL)
        {
            return -1;
        }

        n = n * 16 + (s - digits) % 16;
    }

    return n;
}


/* a string, from the byte after its quote; 0 if it is invalid */

static int
reader_string(reader_t *r)
{
    long         unit, low;
    const char  *s;

    static const char  escapes[] = "\"\\/bfnrt";

    r->len = 0;

    for ( ;; ) {

        if (r->p == r->end || *r->p < 0x20) {
            return 0;
        }

        if (*r->p == '"') {
            r->p++;
            return 1;
        }

        if (*r->p != '\\') {
            r->text[r->len++] = (char) *r->p++;
            continue;
        }

        if (++r->p == r->end) {
            return 0;
        }

        if (*r->p != 'u') {

            s = *r->p ? strchr(escapes, *r->p) : NULL;

            if (s == NULL) {
                return 0;
            }

            r->text[r->len++] = "\"\\/\b\f\n\r\t"[s - escapes];
            r->p++;
            continue;
        }

        unit = hex4(r->p + 1, r->end);

        if (unit < 0) {
            return 0;
        }

        r->p += 5;

        if (unit < 0xd800 || unit > 0xdfff) {
            reader_append(r, (uint32_t) unit);
            continue;
        }

        low = (r->end - r->p >= 2 && r->p[0] == '\\' && r->p[1] == 'u')
              ? hex4(r->p + 2, r->end) : -1;

        if (unit < 0xdc00 && low >= 0xdc00 && low <= 0xdfff) {
            reader_append(r, (uint32_t) (0x10000 + (unit - 0xd800) * 1024
                                         + (low - 0xdc00)));
            r->p += 6;

        } else {
            reader_append(r, 0xfffd);
        }
    }
}


/* a number's end, or NULL if it is invalid; *wrong is the first wrong byte */

static const uint8_t *
number(const uint8_t *p, const uint8_t *end, const uint8_t **wrong)
{
    const uint8_t  *digits;

#define skip_digits()                                                         \
    for (digits = p; p < end && *p >= '0' && *p <= '9'; p++) { /* void */ }   \
    if (p == digits) {                                                        \
        *wrong = p;                                                           \
        return NULL;                                                          \
    }

    if (p < end && *p == '-') {
        p++;
    }

    if (p < end && *p == '0') {
        p++;

    } else {
        skip_digits();
    }

    if (p < end && *p == '.') {
        p++;
        skip_digits();
    }

    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;

        if (p < end && (*p == '+' || *p == '-')) {
            p++;
        }

        skip_digits();
    }

#undef skip_digits

    return p;
}


/* an array or object that no pointer leads into, after its bracket */

static int
reader_skip(reader_t *r, uint8_t open)
{
    int     string;
    size_t  depth;

    string = 0;
    depth = 1;

    for ( /* void */ ; r->p < r->end; r->p++) {

        if (*r->p == '\\') {

            if (++r->p == r->end) {
                return 0;
            }

        } else if (*r->p == '"') {
            string = !string;

        } else if (!string && *r->p == open) {
            depth++;

        } else if (!string && *r->p == open + 2 && --depth == 0) {
            r->p++;
            return 1;
        }
    }

    return 0;
}


static int
reader_inside(reader_t *r, uint32_t match, size_t depth, int array)
{
    int       status, close;
    char      name[16];
    size_t    i, len;
    uint32_t  below;

    close = array ? ']' : '}';

    reader_space(r);

    if (r->p < r->end && *r->p == close) {
        r->p++;
        return EM_JSON_MORE;
    }

    for (i = 0; /* void */ ; i++) {

        if (array) {
            len = (size_t) sprintf(name, "%lu", (unsigned long) i);
            below = reader_token(r, match, depth, name, len);

        } else {
            reader_space(r);

            if (r->p == r->end || *r->p++ != '"' || !reader_string(r)) {
                return EM_JSON_MALFORMED;
            }

            below = reader_token(r, match, depth, r->text, r->len);

            reader_space(r);

            if (r->p == r->end || *r->p++ != ':') {
                return EM_JSON_MALFORMED;
            }
        }

        status = reader_value(r, below, depth + 1);

        if (status != EM_JSON_MORE) {
            return status;
        }

        reader_space(r);

        if (r->p < r->end && *r->p == close) {
            r->p++;
            return EM_JSON_MORE;
        }

        if (r->p == r->end || *r->p++ != ',') {
            return EM_JSON_MALFORMED;
        }
    }
}


/* EM_JSON_MORE: go on after it */

static int
reader_value(reader_t *r, uint32_t match, size_t depth)
{
    int             ends;
    size_t          n, i;
    uint32_t        through;
    const char     *bytes;
    const uint8_t  *start, *wrong;

    static const char *const  literals[] = { "true", "false", "null", NULL };

    reader_space(r);

    if (r->p == r->end) {
        return depth == 0 ? EM_JSON_EMPTY : EM_JSON_MALFORMED;
    }

    n = 0;
    start = r->p;
    ends = reader_ends(r, match, depth, &n);

    if (*start == '{' || *start == '[') {

        through = reader_through(r, match, depth, *start == '[');
        r->p++;

        if (through) {
            return reader_inside(r, through, depth, *start == '[');
        }

        if (depth == 0) {
            return EM_JSON_COMPLETE;
        }

        return reader_skip(r, *start) ? EM_JSON_MORE : EM_JSON_MALFORMED;
    }

    if (*start == '"') {

        r->p++;

        if (ends) {
            if (!reader_string(r)) {
                return EM_JSON_MALFORMED;
            }

            if (r->len && r->len <= EM_JSON_TOKEN_MAX) {
                r->pointer = n;
                return EM_JSON_FOUND;
            }

            return EM_JSON_MORE;
        }

        if (depth == 0) {
            return EM_JSON_COMPLETE;
        }

        for ( /* void */ ; r->p < r->end && *r->p >= 0x20; r->p++) {

            if (*r->p == '"') {
                r->p++;
                return EM_JSON_MORE;
            }

            /* a control character is invalid after a backslash, too */

            if (*r->p == '\\' && r->end - r->p > 1 && r->p[1] >= 0x20) {
                r->p++;
            }
        }

        return EM_JSON_MALFORMED;
    }

    for (i = 0; literals[i] != NULL; i++) {

        if (*start != (uint8_t) literals[i][0]) {
            continue;
        }

        if (depth == 0 && !ends) {
            return EM_JSON_COMPLETE;
        }

        for (bytes = literals[i]; *bytes; bytes++) {
            if (r->p == r->end || *r->p++ != (uint8_t) *bytes) {
                return EM_JSON_MALFORMED;
            }
        }

        return EM_JSON_MORE;
    }

    if (*start != '-' && (*start < '0' || *start > '9')) {
        return EM_JSON_MALFORMED;
    }

    if (depth == 0 && !ends) {
        return EM_JSON_COMPLETE;
    }

    r->p = number(start, r->end, &wrong);

    if (r->p == NULL
        || (r->p < r->end
            && (*r->p == '\0' || strchr(depth ? " \t\r\n,]}" : " \t\r\n",
                                        *r->p) == NULL))
        || (r->p == r->end && depth))
    {
        return EM_JSON_MALFORMED;
    }

    if (ends && r->p - start <= EM_JSON_TOKEN_MAX) {
        r->len = (size_t) (r->p - start);
        memcpy(r->text, start, r->len);
        r->pointer = n;
        return EM_JSON_FOUND;
    }

    return EM_JSON_MORE;
}


/*
 * A number in an array may not be followed by the bracket of an object, nor
 * the other way round; this would be found by reader_inside() only after the
 * number is taken for a code.
 */

static int
reader_closes(const reader_t *r, const uint8_t *text)
{
    size_t          n;
    uint8_t        *stack, open;
    const uint8_t  *p;

    if (r->p == r->end || (*r->p != ']' && *r->p != '}')
        || r->p[-1] == '"')
    {
        return 1;
    }

    n = 0;
    stack = malloc((size_t) (r->p - text) + 1);

    for (p = text; p < r->p; p++) {

        switch (*p) {

        case '"':
            for (p++; *p != '"'; p++) {
                p += (*p == '\\');
            }

            break;

        case '[':
        case '{':
            stack[n++] = *p;
            break;

        case ']':
        case '}':
            n--;
        }
    }

    open = n ? stack[n - 1] : 0;
    free(stack);

    return *r->p == open + 2;
}


static answer_t
second(const list_t *list, const uint8_t *text, size_t len)
{
    answer_t  a;
    reader_t  r;

    r.p = text;
    r.end = text + len;
    r.list = list;
    r.text = malloc(len * 3 + 1);
    r.len = 0;
    r.pointer = 0;

    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        r.p += 3;
    }

    a.status = reader_value(&r, (uint32_t) (1 << list->n) - 1, 0);

    if (a.status == EM_JSON_MORE) {
        a.status = EM_JSON_COMPLETE;

    } else if (a.status == EM_JSON_FOUND && !reader_closes(&r, text)) {
        a.status = EM_JSON_MALFORMED;
    }

    a.pointer = r.pointer;
    a.len = r.len;
    a.code = r.text;

    return a;
}


/*
 * The number of bytes that can begin a text of RFC 8259, UTF-8 or not; *whole is
 * whether they are a complete one.
 */

static size_t
careful(const uint8_t *text, size_t len, int *whole)
{
    char           *stack;
    size_t          depth;
    const char     *literal;
    const uint8_t  *p, *end, *wrong;

    enum { st_value, st_first, st_first_name, st_name, st_colon, st_next } st;

    *whole = 0;
    p = text;
    end = text + len;
    depth = 0;
    st = st_value;
    stack = malloc(len + 1);

    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
    }

    for ( /* void */ ; p < end; p++) {

        if (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n') {
            continue;
        }

        if (st == st_next) {

            if (depth == 0) {
                goto done;
            }

            if (*p == ',') {
                st = (stack[depth - 1] == '{') ? st_name : st_value;
                continue;
            }

            if (*p != stack[depth - 1] + 2) {
                goto done;
            }

            depth--;
            continue;
        }

        if ((st == st_first && *p == ']') || (st == st_first_name && *p == '}'))
        {
            depth--;
            st = st_next;
            continue;
        }

        if (st == st_colon) {

            if (*p != ':') {
                goto done;
            }

            st = st_value;
            continue;
        }

        if (*p == '"') {

            for (p++; p < end && *p != '"'; p++) {

                if (*p < 0x20) {
                    goto done;
                }

                if (*p != '\\') {
                    continue;
                }

                if (++p == end) {
                    goto done;
                }

                if (*p == '\0' || strchr("\"\\/bfnrtu", *p) == NULL) {
                    goto done;
                }

                if (*p == 'u') {

                    for (wrong = p + 5; p + 1 < wrong; p++) {

                        if (p + 1 == end || p[1] == '\0'
                            || strchr("0123456789abcdefABCDEF", p[1]) == NULL)
                        {
                            p++;
                            goto done;
                        }
                    }
                }
            }

            if (p == end) {
                goto done;
            }

            st = (st == st_name || st == st_first_name) ? st_colon : st_next;
            continue;
        }

        if (st == st_name || st == st_first_name) {
            goto done;
        }

        if (*p == '[' || *p == '{') {
            stack[depth++] = (char) *p;
            st = (*p == '[') ? st_first : st_first_name;
            continue;
        }

        literal = (*p == 't') ? "true" : (*p == 'f') ? "false"
                  : (*p == 'n') ? "null" : NULL;

        if (literal) {

            for ( /* void */ ; *literal; literal++, p++) {
                if (p == end || *p != (uint8_t) *literal) {
                    goto done;
                }
            }

        } else {
            p = number(p, end, &wrong);

            if (p == NULL) {
                p = wrong;
                goto done;
            }
        }

        p--;
        st = st_next;
    }

    *whole = (st == st_next && depth == 0);

done:

    free(stack);

    return (size_t) (p - text);
}


/* em_json's answer for the text in pieces; *at is where it was certain */

static em_json_status_e
pieces(em_json_t *j, const em_json_pointers_t *set, const uint8_t *text,
    size_t len, size_t first, size_t step, size_t *at)
{
    size_t  n, done;

    em_json_init(j);

    done = 0;

    for (n = first; /* void */ ; n = step) {

        if (n > len - done) {
            n = len - done;
        }

        if (em_json_feed(j, set, em_tap_guarded(0, text + done, n), n)
            != EM_JSON_MORE)
        {
            *at = done + n;
            break;
        }

        done += n;

        if (done == len) {
            *at = len;
            break;
        }
    }

    return em_json_end(j, set);
}


static void
print_code(const char *name, const list_t *list, const answer_t *a,
    const char *why, size_t wrong)
{
    size_t  i;

    printf("# %s: \"%s\" gives \"", name, list->pointers[a->pointer]);

    for (i = 0; i < a->len; i++) {
        printf(a->code[i] >= 0x20 && a->code[i] < 0x7f ? "%c" : "\\x%02x",
               (uint8_t) a->code[i]);
    }

    printf("\": byte %lu, the first wrong one, is %s\n",
           (unsigned long) wrong, why);
}


static void
file(const char *name, const uint8_t *text, size_t len)
{
    int                  whole;
    size_t               i, k, n, at, good, wrong, cuts;
    answer_t             a;
    em_json_t            j;
    em_json_status_e     status;
    em_json_pointers_t   set;

    static const char *const  words[] = {
        "more", "found", "none", "malformed"
    };

    good = careful(text, len, &whole);
    wrong = 0;
    cuts = 0;

#define fault(...)                                                            \
    if (wrong++ < 5) {                                                        \
        printf("# %s, \"%s\": ", name, lists[i].pointers[0]);                 \
        printf(__VA_ARGS__);                                                  \
        putchar('\n');                                                        \
    }

    i = 0;

    if ((name[0] == 'y' && !whole) || (name[0] == 'n' && whole)) {
        fault("the careful reader says %d at %lu", whole,
              (unsigned long) good);
    }

    for (i = 0; lists[i].n; i++) {

        memset(&set, 0, sizeof(set));

        for (n = 0; n < lists[i].n; n++) {
            if (em_json_pointer_add(&set, lists[i].pointers[n],
                                    strlen(lists[i].pointers[n])) != NULL)
            {
                abort();
            }
        }

        a = second(&lists[i], text, len);

        if (name[0] == 'y' && a.status == EM_JSON_MALFORMED) {
            fault("the second reader takes it for malformed");
        }

        for (k = 0; kernels[k] != NULL; k++) {

            if (em_json_kernel(kernels[k]) == NULL) {
                continue;
            }

#define check(first, step)                                                    \
                                                                              \
            status = pieces(&j, &set, text, len, first, step, &at);           \
            cuts++;                                                           \
                                                                              \
            if (name[0] == 'y' && status == EM_JSON_MALFORMED) {              \
                fault("malformed, %s from %lu by %lu", kernels[k],            \
                      (unsigned long) (first), (unsigned long) (step));       \
            }                                                                 \
                                                                              \
            if (status != a.status                                            \
                || (status == EM_JSON_FOUND                                   \
                    && (j.len != a.len || j.pointer != a.pointer              \
                        || memcmp(j.token, a.code, a.len) != 0)))             \
            {                                                                 \
                fault("%s \"%.*s\", and not %s \"%.*s\", %s from %lu by %lu", \
                      words[status], (int) j.len, j.token, words[a.status],   \
                      (int) a.len, a.code, kernels[k],                        \
                      (unsigned long) (first), (unsigned long) (step));       \
            }

            check(PIECE, PIECE);
            check(1, 1);

            /* "at" is that of the last: byte by byte */

            if (status == EM_JSON_FOUND && name[0] == 'n') {

                if (at > good && strcmp(lists[i].pointers[0], "") == 0
                    && lists[i].n == 1)
                {
                    fault("a code of which byte %lu is wrong",
                          (unsigned long) good);
                }

                if (strcmp(kernels[k], "plain") == 0) {
                    print_code(name, &lists[i], &a,
                               at > good ? "in a skipped value"
                                         : "after it", good);
                }
            }

            if (len > EVERY_CUT) {
                check(63, 65);
                check(4095, 4096);
                continue;
            }

            for (n = 0; n <= len; n++) {
                check(n, PIECE);
            }

#undef check

        }

        free(a.code);
    }

    em_tap_ok(wrong == 0, "%s: %lu bytes, read in %lu ways", name,
              (unsigned long) len, (unsigned long) cuts);
}


static int
json_file(const struct dirent *entry)
{
    size_t  n;

    n = strlen(entry->d_name);

    return n > 7 && strchr("yni", entry->d_name[0]) && entry->d_name[1] == '_'
           && strcmp(entry->d_name + n - 5, ".json") == 0;
}


static void
folder(const char *path)
{
    int              i, n, seen[256];
    char             name[4096];
    FILE            *f;
    size_t           len;
    uint8_t         *text;
    struct dirent  **entries;

    memset(seen, 0, sizeof(seen));
    n = scandir(path, &entries, json_file, alphasort);

    for (i = 0; i < n; i++) {

        snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
        f = fopen(name, "rb");

        if (f == NULL) {
            em_tap_ok(0, "%s: %s", name, strerror(errno));
            continue;
        }

        text = malloc(PIECE * 4);
        len = fread(text, 1, PIECE * 4, f);
        fclose(f);

        file(entries[i]->d_name, text, len);
        seen[(uint8_t) entries[i]->d_name[0]]++;

        free(text);
        free(entries[i]);
    }

    em_tap_ok(seen['y'] && seen['n'] && seen['i'],
              "files that are JSON: %d, that are not: %d, either: %d",
              seen['y'], seen['n'], seen['i']);

    if (n >= 0) {
        free(entries);
    }
}


int
main(int argc, char **argv)
{
    int    i;
    char  *list, *path;

    for (i = 1; i < argc; i++) {
        folder(argv[i]);
    }

    if (argc == 1 && getenv("EM_JSON_FOLDERS")) {

        list = strdup(getenv("EM_JSON_FOLDERS"));

        for (path = strtok(list, "\n"); path; path = strtok(NULL, "\n")) {
            folder(path);
        }

        free(list);
    }

    em_tap_ok(em_tap_tests > 0, "there are folders");

    return em_tap_done();
}
