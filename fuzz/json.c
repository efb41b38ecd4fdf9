
/*
 * The scanner compared with jansson and with itself: status, code and pointer
 * are the same for all cuts of a text and all kernels, they are found at the
 * same byte, and no byte outside a piece is read.
 *
 * Input: a byte that chooses the pointers, two for the cuts, the text.  With
 * the last choice the first line of the text has the pointers, separated by
 * blanks.
 */


#define _GNU_SOURCE  /* memmem() */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sanitizer/asan_interface.h>

#include "em_json.h"


#define MAX_TEXT  65536


/* a pointer, parsed independently of the scanner */

typedef struct {
    size_t         ntokens;
    size_t         len[EM_JSON_TOKENS];
    char           token[EM_JSON_TOKENS][EM_JSON_TEXT];
    char           text[2 * EM_JSON_TEXT];
} pointer_t;


/* the result, and the number of bytes until it was found */

typedef struct {
    em_json_status_e   status;
    size_t             at;
    size_t             pointer;
    size_t             len;
    char               token[EM_JSON_TOKEN_MAX];
} answer_t;


static const char *const  sets[] = {
    "/StatusCode",
    "/error_code /error /code",
    "/Error/Code /Response/Error/Code",
    "",
    "/0/1 /1",
    "/a~1b /m~0n /~01 / //",
    "/c /c/d",
    "/e/1/c /e/c/0",
    "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p",
    "/\xc3\xa9 /\xf0\x9f\x98\x80",
    "/0 /00 /- /10",
    "/0 /1 /2 /3 /4 /5 /6 /7 /8 /9 /a /b /c /d /e /error_code",
    "/error/errors/0/reason /error/status /error/code /error",
    "/code /Code /codes /cod /c/o/d/e",
};

#define NSETS  (sizeof(sets) / sizeof(sets[0]))


static const char *const  kernels[] = { "plain", "sse2", "avx2", "neon" };


static em_json_pointers_t  set;
static pointer_t           pointers[EM_JSON_POINTERS];
static size_t              npointers;

/* pieces are here, between poisoned bytes */

static char               *room;

static uint32_t            seed;


static uint32_t
next_random(void)
{
    seed = seed * 1103515245 + 12345;

    return seed >> 16;
}


static void
add_pointer(const char *text, size_t len)
{
    char       *p;
    size_t      i;
    pointer_t  *pointer;

    /* of duplicate pointers any could be the one found */

    for (i = 0; i < npointers; i++) {
        if (strlen(pointers[i].text) == len
            && memcmp(pointers[i].text, text, len) == 0)
        {
            return;
        }
    }

    /* the text of the reference ends at a NUL */

    if (memchr(text, '\0', len)
        || em_json_pointer_add(&set, text, len) != NULL)
    {
        return;
    }

    if (npointers == EM_JSON_POINTERS || len >= sizeof(pointer->text)) {
        abort();
    }

    pointer = &pointers[npointers++];
    memset(pointer, 0, sizeof(pointer_t));
    memcpy(pointer->text, text, len);

    p = NULL;

    for (i = 0; i < len; i++) {

        if (text[i] == '/') {
            p = pointer->token[pointer->ntokens++];
            continue;
        }

        if (text[i] == '~') {
            *p++ = (text[++i] == '0') ? '~' : '/';

        } else {
            *p++ = text[i];
        }

        pointer->len[pointer->ntokens - 1]++;
    }
}


static void
add_pointers(const char *list, size_t len)
{
    size_t  n;

    memset(&set, 0, sizeof(set));
    npointers = 0;

    for ( ;; ) {
        for (n = 0; n < len && list[n] != ' '; n++) { /* void */ }

        add_pointer(list, n);

        if (n == len) {
            return;
        }

        list += n + 1;
        len -= n + 1;
    }
}


/*
 * Reads the text in pieces of at most max bytes, some of them empty; one half
 * of the pieces begins right after poisoned bytes, the others end right before.
 */

static void
scan(answer_t *answer, const char *text, size_t len, size_t max, int fill)
{
    char       *piece;
    size_t      n, at;
    em_json_t   j, copy;

    /* members that em_json_init() does not set must not matter */

    memset(&j, fill, sizeof(em_json_t));
    em_json_init(&j);

    answer->at = (size_t) -1;

    for (at = 0; at < len; at += n) {

        n = (max == 1 || max >= len) ? max : next_random() % (max + 1);

        if (n > len - at) {
            n = len - at;
        }

        piece = (next_random() & 1) ? room + 64 : room + 64 + (-n & 63);

        ASAN_UNPOISON_MEMORY_REGION(piece, n);
        memcpy(piece, text + at, n);

        (void) em_json_feed(&j, &set, piece, n);

        ASAN_POISON_MEMORY_REGION(room, MAX_TEXT + 256);

        if (j.status != EM_JSON_MORE && answer->at == (size_t) -1) {
            answer->at = at + n;
        }

        /* it may be copied between calls */

        memcpy(&copy, &j, sizeof(em_json_t));
        memset(&j, ~fill, sizeof(em_json_t));
        memcpy(&j, &copy, sizeof(em_json_t));
    }

    if (em_json_end(&j, &set) == EM_JSON_MORE || j.status == EM_JSON_MORE) {
        abort();
    }

    answer->status = j.status;
    answer->pointer = 0;
    answer->len = 0;

    if (j.status == EM_JSON_FOUND) {

        if (j.len > EM_JSON_TOKEN_MAX || j.pointer >= npointers) {
            abort();
        }

        answer->pointer = j.pointer;
        answer->len = j.len;
        memcpy(answer->token, j.token, j.len);
    }
}


static void
show(const char *name, answer_t *a)
{
    static const char *const  words[] = { "more", "found", "none", "malformed"};

    fprintf(stderr, "%s: %s, pointer %zu, %zu bytes \"%.*s\", at byte %zd\n",
            name, words[a->status], a->pointer, a->len, (int) a->len, a->token,
            (ssize_t) a->at);
}


static void
same(answer_t *a, answer_t *b, const char *kernel, size_t max)
{
    if (a->status == b->status
        && a->len == b->len
        && a->pointer == b->pointer
        && memcmp(a->token, b->token, a->len) == 0)
    {
        return;
    }

    show("byte by byte", a);
    fprintf(stderr, "%s, pieces of up to %zu bytes, ", kernel, max);
    show("which is", b);
    abort();
}


/*
 * The first code in a value, in the order of the text, which jansson preserves;
 * mask has the pointers whose first depth tokens lead to the value.
 */

static json_t *
reference(json_t *value, uint32_t mask, size_t depth, size_t *found)
{
    char         index[24];
    json_t      *code;
    size_t       i, len;
    uint32_t     through;
    const char  *name;
    void        *iter;

    for (i = 0; i < npointers; i++) {

        if (!(mask & (1u << i)) || pointers[i].ntokens != depth) {
            continue;
        }

        if (json_is_number(value)
            || (json_is_string(value)
                && json_string_length(value) > 0
                && json_string_length(value) <= EM_JSON_TOKEN_MAX))
        {
            *found = i;
            return value;
        }

        mask &= ~(1u << i);
    }

#define lead(name, len)                                                       \
    for (through = 0, i = 0; i < npointers; i++) {                            \
        if (mask & (1u << i) && pointers[i].len[depth] == len                 \
            && memcmp(pointers[i].token[depth], name, len) == 0)              \
        {                                                                     \
            through |= 1u << i;                                               \
        }                                                                     \
    }

    if (json_is_object(value)) {

        for (iter = json_object_iter(value);
             iter;
             iter = json_object_iter_next(value, iter))
        {
            name = json_object_iter_key(iter);
            len = json_object_iter_key_len(iter);

            lead(name, len);

            if (through) {
                code = reference(json_object_iter_value(iter), through,
                                 depth + 1, found);
                if (code) {
                    return code;
                }
            }
        }
    }

    if (json_is_array(value)) {
        size_t  n;

        for (n = 0; n < json_array_size(value); n++) {
            len = (size_t) sprintf(index, "%zu", n);

            lead(index, len);

            if (through) {
                code = reference(json_array_get(value, n), through, depth + 1,
                                 found);
                if (code) {
                    return code;
                }
            }
        }
    }

#undef lead

    return NULL;
}


/* compares numbers by value, as jansson does not preserve their text */

static int
same_code(json_t *code, answer_t *answer, const char *text, size_t len)
{
    char  number[EM_JSON_TOKEN_MAX + 1];

    if (json_is_string(code)) {
        return json_string_length(code) == answer->len
               && memcmp(json_string_value(code), answer->token, answer->len)
                  == 0;
    }

    memcpy(number, answer->token, answer->len);
    number[answer->len] = '\0';

    if (strlen(number) != answer->len
        || strspn(number, "0123456789+-.eE") != answer->len
        || memmem(text, len, number, answer->len) == NULL)
    {
        return 0;
    }

    if (json_is_integer(code)) {
        return strspn(number, "-0123456789") == answer->len
               && strtoll(number, NULL, 10) == json_integer_value(code);
    }

    return strtod(number, NULL) == json_real_value(code);
}


/* the code unit of an escape \uXXXX at p, or 0x10000 */

static unsigned
unit(const char *p, size_t len)
{
    char  hex[5];

    if (len < 6 || p[0] != '\\' || p[1] != 'u') {
        return 0x10000;
    }

    memcpy(hex, p + 2, 4);
    hex[4] = '\0';

    return strspn(hex, "0123456789abcdefABCDEF") == 4
           ? (unsigned) strtoul(hex, NULL, 16) : 0x10000;
}


/* replaces lone surrogates, which jansson rejects, by U+FFFD */

static void
replace_surrogates(char *text, size_t len)
{
    size_t    i;
    unsigned  first, second;

    for (i = 0; i < len; i++) {

        if (text[i] != '\\') {
            continue;
        }

        first = unit(text + i, len - i);

        if (first == 0x10000) {
            i++;
            continue;
        }

        if (first >= 0xd800 && first < 0xe000) {

            second = (len - i > 6) ? unit(text + i + 6, len - i - 6) : 0x10000;

            if (first < 0xdc00 && second >= 0xdc00 && second < 0xe000) {
                i += 6;

            } else {
                memcpy(text + i + 2, "fffd", 4);
            }
        }

        i += 5;
    }
}


/*
 * The scanner must accept every text that jansson accepts, but may accept more,
 * as it does not read all of a text.  Texts that jansson rejects are not
 * compared: duplicate members (it would take the last one), NUL in names,
 * invalid UTF-8, reals out of range, more than 2048 levels.
 */

static void
compare(answer_t *answer, const char *text, size_t len)
{
    size_t        i, n, flags, found;
    json_t       *value, *code;
    json_error_t  error;

    static char   copy[MAX_TEXT];

    /* jansson rejects a byte order mark */

    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        len -= 3;
    }

    /* it skips a NUL after a number, or takes it for the end */

    if (memchr(text, '\0', len)) {
        return;
    }

    /* it does not preserve the length of numbers too long for a code */

    for (i = 0, n = 0; i < len; i++) {
        n = strchr("0123456789+-.eE", text[i]) ? n + 1 : 0;

        if (n > EM_JSON_TOKEN_MAX) {
            return;
        }
    }

    memcpy(copy, text, len);
    replace_surrogates(copy, len);

    flags = JSON_REJECT_DUPLICATES|JSON_DECODE_ANY|JSON_ALLOW_NUL;

    /*
     * Bytes after an array or object are ignored; not so after a number, as
     * jansson would accept "1x" as 1.
     */

    for (i = 0; i < len && strchr(" \t\r\n", text[i]); i++) {
        /* void */
    }

    if (i < len && (text[i] == '{' || text[i] == '[')) {
        flags |= JSON_DISABLE_EOF_CHECK;
    }

    value = json_loadb(copy, len, flags, &error);

    if (value == NULL) {

        /* an integer may be out of range */

        value = json_loadb(copy, len, flags|JSON_DECODE_INT_AS_REAL, &error);
    }

    if (value == NULL) {
        return;
    }

    found = 0;
    code = reference(value, (1u << npointers) - 1, 0, &found);

    if (code ? answer->status != EM_JSON_FOUND
               || answer->pointer != found
               || !same_code(code, answer, text, len)
             : answer->status != EM_JSON_COMPLETE)
    {
        show("the scanner", answer);

        fprintf(stderr, "jansson: pointer %zu, ", found);

        if (code) {
            json_dumpf(code, stderr, JSON_ENCODE_ANY);
        }

        fprintf(stderr, "\n");
        abort();
    }

    json_decref(value);
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
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
    size_t       len, i, k, n, max;
    answer_t     first, answer;
    const char  *text, *p;

    if (size < 3 || size > MAX_TEXT) {
        return 0;
    }

    text = (const char *) data + 3;
    len = size - 3;

    seed = data[1] | (uint32_t) data[2] << 8;

    n = data[0] % (NSETS + 1);

    if (n < NSETS) {
        add_pointers(sets[n], strlen(sets[n]));

    } else {
        p = memchr(text, '\n', len);
        n = p ? (size_t) (p - text) : len;

        add_pointers(text, n);

        text += p ? n + 1 : n;
        len -= p ? n + 1 : n;
    }

    memset(&first, 0, sizeof(first));

    for (k = 0; k < sizeof(kernels) / sizeof(kernels[0]); k++) {

        if (em_json_kernel(kernels[k]) == NULL) {
            continue;
        }

        if (k == 0) {
            scan(&first, text, len, 1, 0);
            compare(&first, text, len);

        } else {
            memset(&answer, 0, sizeof(answer));
            scan(&answer, text, len, 1, 0xff);
            same(&first, &answer, kernels[k], 1);

            if (answer.at != first.at) {
                show("byte by byte", &first);
                show(kernels[k], &answer);
                abort();
            }
        }

        for (i = 0; i < 4; i++) {

            /* in one piece, then in pieces of bytes, a block and blocks */

            max = (i == 0) ? len : (i == 1) ? 3 : (i == 2) ? 80 : 500;

            memset(&answer, 0, sizeof(answer));
            scan(&answer, text, len, max, i & 1 ? 0x55 : 0xaa);
            same(&first, &answer, kernels[k], max);

            /* the answer is known after the piece with its last byte */

            if ((answer.at == (size_t) -1) != (first.at == (size_t) -1)
                || answer.at < first.at
                || (answer.at != (size_t) -1 && answer.at - first.at >= max
                    && max != len))
            {
                show("byte by byte", &first);
                show(kernels[k], &answer);
                abort();
            }
        }
    }

    return 0;
}
