
#include <stdio.h>
#include <string.h>

#include "em_path_state.h"
#include "em_json_state.h"


#define KNOWN                                                                 \
    "known selectors are .name, ['name'], [0], .*, [*], [:], "                \
    "[?@.name == VALUE] and [?@.name != VALUE]"

#define FILTERS                                                               \
    "known filters are [?@.name == VALUE] and [?@.name != VALUE] "            \
    "with a string, a number, true, false or null"


static const char *em_path_dot(em_path_parser_t *pp);
static const char *em_path_name(em_path_parser_t *pp, em_path_selector_t *s);
static const char *em_path_bracket(em_path_parser_t *pp);
static const char *em_path_digits(em_path_parser_t *pp);
static const char *em_path_slice(em_path_parser_t *pp, int zero);
static const char *em_path_filter(em_path_parser_t *pp);
static const char *em_path_literal(em_path_parser_t *pp,
    em_path_selector_t *s);
static const char *em_path_string(em_path_parser_t *pp);
static const char *em_path_escape(em_path_parser_t *pp, char quote);
static int em_path_hex4(em_path_parser_t *pp, uint32_t *unit);
static const char *em_path_close(em_path_parser_t *pp);
static const char *em_path_unknown(em_path_parser_t *pp, const char *at);
static void em_path_blanks(em_path_parser_t *pp);


const char  em_path_deep[] = "it has too many selectors, "
                             "at most 16 are allowed";
const char  em_path_long[] = "a name is too long, at most 128 bytes "
                             "are allowed";

static const char  em_path_open[] = "a \"]\" is missing at its end";


const char *
em_path_query(em_path_parser_t *pp)
{
    const char  *err;

    pp->p++;

    if (pp->p == pp->end) {
        return "it has no selector; " KNOWN;
    }

    while (pp->p < pp->end) {

        em_path_blanks(pp);

        if (pp->p == pp->end) {
            return "a blank is at its end";
        }

        switch (*pp->p) {

        case '.':
            err = em_path_dot(pp);
            break;

        case '[':
            err = em_path_bracket(pp);
            break;

        default:
            err = em_path_unknown(pp, pp->p);
        }

        if (err) {
            return err;
        }
    }

    return NULL;
}


static const char *
em_path_dot(em_path_parser_t *pp)
{
    int                  n;
    const char          *err, *start;
    em_path_selector_t  *s;

    start = pp->p++;

    if (pp->p < pp->end && *pp->p == '.') {
        return "\"..\" is not supported; " KNOWN;
    }

    if (pp->p < pp->end && *pp->p == '*') {
        pp->p++;
        return em_path_selector(pp, EM_PATH_ANY) ? NULL : em_path_deep;
    }

    s = em_path_selector(pp, EM_PATH_NAME);
    if (s == NULL) {
        return em_path_deep;
    }

    err = em_path_name(pp, s);
    if (err) {
        return err;
    }

    if (s->len == 0) {
        return em_path_unknown(pp, start);
    }

    if (pp->p == pp->end || *pp->p == '.' || *pp->p == '['
        || *pp->p == ' ' || *pp->p == '\t')
    {
        return NULL;
    }

    /* "$.error-codes" */

    for (start++; pp->p < pp->end && *pp->p != '.' && *pp->p != '['; pp->p++) {
        if (*pp->p == '\'' || *pp->p == '\\' || (uint8_t) *pp->p <= ' ') {
            return em_path_unknown(pp, pp->p);
        }
    }

    n = (int) (pp->p - start);

    snprintf(pp->error, EM_PATH_ERROR,
             "the name \"%.*s\" must be written ['%.*s']", n, start, n, start);

    return pp->error;
}


/* a name that needs no quotes; its length may come to be 0 */

static const char *
em_path_name(em_path_parser_t *pp, em_path_selector_t *s)
{
    size_t       len;
    const char  *start;

    start = pp->p;

    while (pp->p < pp->end && em_path_name_char(*pp->p, pp->p == start)) {
        pp->p++;
    }

    len = (size_t) (pp->p - start);

    if (len > EM_PATH_NAME_MAX) {
        return em_path_long;
    }

    memcpy(&pp->path->text[pp->used], start, len);

    s->name = (uint8_t) pp->used;
    s->len = (uint8_t) len;

    pp->used += len;

    return NULL;
}


static const char *
em_path_bracket(em_path_parser_t *pp)
{
    char                 c;
    const char          *err, *start;
    em_path_selector_t  *s;

    start = pp->p++;

    em_path_blanks(pp);

    if (pp->p == pp->end) {
        return em_path_open;
    }

    c = *pp->p;

    if (c == '\'' || c == '"') {

        s = em_path_selector(pp, EM_PATH_NAME);
        if (s == NULL) {
            return em_path_deep;
        }

        s->name = (uint8_t) pp->used;

        err = em_path_string(pp);
        if (err) {
            return err;
        }

        if (pp->used - s->name > EM_PATH_NAME_MAX) {
            return em_path_long;
        }

        s->len = (uint8_t) (pp->used - s->name);

        return em_path_close(pp);
    }

    if (c == '*') {
        pp->p++;
        return em_path_selector(pp, EM_PATH_ANY) ? em_path_close(pp)
                                                 : em_path_deep;
    }

    if (c >= '0' && c <= '9') {
        return em_path_digits(pp);
    }

    if (c == ':') {
        return em_path_slice(pp, 1);
    }

    if (c == '?') {
        return em_path_filter(pp);
    }

    if (c == '-') {
        return "negative indexes are not supported; " KNOWN;
    }

    return em_path_unknown(pp, start);
}


static const char *
em_path_digits(em_path_parser_t *pp)
{
    size_t               len;
    uint32_t             index;
    const char          *start;
    em_path_selector_t  *s;

    for (start = pp->p; pp->p < pp->end && em_json_digit(*pp->p); pp->p++) {
        /* void */
    }

    len = (size_t) (pp->p - start);
    index = em_path_index(start, len);

    em_path_blanks(pp);

    if (pp->p < pp->end && *pp->p == ':') {
        return em_path_slice(pp, index == 0);
    }

    if (index == EM_PATH_NO_INDEX) {
        return len > 9 ? "an index is too large, at most 999999999 is allowed"
                       : "an index must not begin with a zero";
    }

    s = em_path_selector(pp, EM_PATH_INDEX);
    if (s == NULL) {
        return em_path_deep;
    }

    s->index = index;

    return em_path_close(pp);
}


/* from the first colon on; zero: what stands before it is 0 or nothing */

static const char *
em_path_slice(em_path_parser_t *pp, int zero)
{
    pp->p++;

    em_path_blanks(pp);

    if (!zero || (pp->p < pp->end && *pp->p != ']')) {
        return "slices other than [:] are not supported; " KNOWN;
    }

    return em_path_selector(pp, EM_PATH_EACH) ? em_path_close(pp)
                                              : em_path_deep;
}


static const char *
em_path_filter(em_path_parser_t *pp)
{
    const char          *err;
    em_path_selector_t  *s;

    s = em_path_selector(pp, EM_PATH_FILTER);
    if (s == NULL) {
        return em_path_deep;
    }

    pp->p++;

    em_path_blanks(pp);

    if (pp->p == pp->end || *pp->p != '@') {
        return "unknown filter; " FILTERS;
    }

    pp->p++;

    em_path_blanks(pp);

    if (pp->p < pp->end && *pp->p == '.') {

        pp->p++;

        err = em_path_name(pp, s);
        if (err) {
            return err;
        }

        if (s->len == 0) {
            return "the filter has no name; " FILTERS;
        }

    } else if (pp->p < pp->end && *pp->p == '[') {

        pp->p++;
        em_path_blanks(pp);

        if (pp->p == pp->end || (*pp->p != '\'' && *pp->p != '"')) {
            return "the filter has no name; " FILTERS;
        }

        s->name = (uint8_t) pp->used;

        err = em_path_string(pp);
        if (err) {
            return err;
        }

        if (pp->used - s->name > EM_PATH_NAME_MAX) {
            return em_path_long;
        }

        s->len = (uint8_t) (pp->used - s->name);

        err = em_path_close(pp);
        if (err) {
            return err;
        }

    } else {
        return "the filter has no name; " FILTERS;
    }

    em_path_blanks(pp);

    if (pp->end - pp->p < 2 || pp->p[1] != '='
        || (pp->p[0] != '=' && pp->p[0] != '!'))
    {
        return "the filter has neither \"==\" nor \"!=\" after its name; "
               FILTERS;
    }

    s->unequal = (*pp->p == '!');

    pp->p += 2;

    em_path_blanks(pp);

    err = em_path_literal(pp, s);
    if (err) {
        return err;
    }

    em_path_blanks(pp);

    if (pp->p < pp->end && *pp->p != ']') {
        return "the filter does not end after its VALUE; " FILTERS;
    }

    return em_path_close(pp);
}


static const char *
em_path_literal(em_path_parser_t *pp, em_path_selector_t *s)
{
    size_t       i, len;
    uint8_t      number;
    const char  *err, *start;

    static const struct {
        const char  *name;
        size_t       len;
        uint8_t      type;
    } literals[] = {
        { "true", 4, EM_PATH_TRUE },
        { "false", 5, EM_PATH_FALSE },
        { "null", 4, EM_PATH_NULL }
    };

    s->value = (uint8_t) pp->used;

    if (pp->p < pp->end && (*pp->p == '\'' || *pp->p == '"')) {

        s->type = EM_PATH_STRING;

        err = em_path_string(pp);

        s->value_len = (uint8_t) (pp->used - s->value);

        return err;
    }

    len = (size_t) (pp->end - pp->p);

    for (i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {

        if (len >= literals[i].len
            && memcmp(pp->p, literals[i].name, literals[i].len) == 0)
        {
            s->type = literals[i].type;
            pp->p += literals[i].len;
            return NULL;
        }
    }

    if (len && (*pp->p == '-' || em_json_digit(*pp->p))) {

        start = pp->p;
        number = (*start == '-') ? nm_minus : (*start == '0') ? nm_zero
                                                              : nm_integer;

        pp->p = (const char *) em_json_number_read(&number,
                                                  (const uint8_t *) start + 1,
                                                  (const uint8_t *) pp->end);

        if (em_json_number_whole(number)) {
            len = (size_t) (pp->p - start);

            memcpy(&pp->path->text[pp->used], start, len);
            pp->used += len;

            s->type = EM_PATH_NUMBER;
            s->value_len = (uint8_t) len;

            return NULL;
        }
    }

    return "invalid VALUE of the filter; " FILTERS;
}


/* from the quote on; what it is unescaped to is no longer */

static const char *
em_path_string(em_path_parser_t *pp)
{
    char         c, quote;
    const char  *err;

    quote = *pp->p++;

    while (pp->p < pp->end) {

        c = *pp->p++;

        if (c == quote) {
            return NULL;
        }

        if ((uint8_t) c < ' ') {
            return "a control character is in quotes";
        }

        if (c == '\\') {
            err = em_path_escape(pp, quote);
            if (err) {
                return err;
            }

            continue;
        }

        pp->path->text[pp->used++] = c;
    }

    return "a quote is not closed";
}


static const char *
em_path_escape(em_path_parser_t *pp, char quote)
{
    char         c;
    uint32_t     unit, low;
    const char  *e;

    static const char  invalid[] = "invalid escape in quotes";
    static const char  escapes[] = "\\/bfnrt";
    static const char  escaped[] = "\\/\b\f\n\r\t";

    if (pp->p == pp->end) {
        return invalid;
    }

    c = *pp->p++;

    if (c == 'u') {

        if (!em_path_hex4(pp, &unit) || (unit & 0xfc00) == 0xdc00) {
            return invalid;
        }

        if ((unit & 0xfc00) == 0xd800) {

            if (pp->end - pp->p < 2 || pp->p[0] != '\\' || pp->p[1] != 'u') {
                return invalid;
            }

            pp->p += 2;

            if (!em_path_hex4(pp, &low) || (low & 0xfc00) != 0xdc00) {
                return invalid;
            }

            unit = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
        }

        pp->used += em_json_utf8((uint8_t *) &pp->path->text[pp->used], unit);

        return NULL;
    }

    if (c == quote) {
        pp->path->text[pp->used++] = c;
        return NULL;
    }

    e = c ? strchr(escapes, c) : NULL;

    if (e == NULL) {
        return invalid;
    }

    pp->path->text[pp->used++] = escaped[e - escapes];

    return NULL;
}


static int
em_path_hex4(em_path_parser_t *pp, uint32_t *unit)
{
    char  c;
    int   i;

    if (pp->end - pp->p < 4) {
        return 0;
    }

    *unit = 0;

    for (i = 0; i < 4; i++) {
        c = *pp->p++;

        if (em_json_digit(c)) {
            c = (char) (c - '0');

        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            c = (char) ((c | 0x20) - 'a' + 10);

        } else {
            return 0;
        }

        *unit = *unit << 4 | (uint32_t) c;
    }

    return 1;
}


static const char *
em_path_close(em_path_parser_t *pp)
{
    em_path_blanks(pp);

    if (pp->p == pp->end) {
        return em_path_open;
    }

    if (*pp->p == ',') {
        return "several selectors in a bracket are not supported; " KNOWN;
    }

    if (*pp->p != ']') {
        return em_path_unknown(pp, pp->p);
    }

    pp->p++;

    return NULL;
}


static const char *
em_path_unknown(em_path_parser_t *pp, const char *at)
{
    snprintf(pp->error, EM_PATH_ERROR, "unknown selector at \"%.*s\"; " KNOWN,
             (int) (pp->end - at), at);

    return pp->error;
}


static void
em_path_blanks(em_path_parser_t *pp)
{
    while (pp->p < pp->end && (*pp->p == ' ' || *pp->p == '\t'
                               || *pp->p == '\n' || *pp->p == '\r'))
    {
        pp->p++;
    }
}


em_path_selector_t *
em_path_selector(em_path_parser_t *pp, int kind)
{
    em_path_selector_t  *s;

    if (pp->path->nselectors == EM_PATH_SELECTORS) {
        return NULL;
    }

    s = &pp->path->selectors[pp->path->nselectors++];

    memset(s, 0, sizeof(em_path_selector_t));

    s->kind = (uint8_t) kind;
    s->index = EM_PATH_NO_INDEX;

    return s;
}


uint32_t
em_path_index(const char *text, size_t len)
{
    size_t    i;
    uint32_t  n;

    if (len == 0 || len > 9 || (len > 1 && text[0] == '0')) {
        return EM_PATH_NO_INDEX;
    }

    n = 0;

    for (i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return EM_PATH_NO_INDEX;
        }

        n = n * 10 + (uint32_t) (text[i] - '0');
    }

    return n;
}
