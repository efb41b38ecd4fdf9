
#include <string.h>

#include "em_prefix.h"


#define em_prefix_blank(c)                                                    \
    ((c) == ' ' || (c) == '\n' || (c) == '\r' || (c) == '\t')


enum {
    px_start = 0,
    px_bom_1,
    px_bom_2,
    px_blanks,                    /* before anything else */

    px_guard,                     /* within )]}' */
    px_comma,                     /* ... and what may follow it */
    px_next,                      /* blanks before JSONP or the text */

    px_comment,                   /* within an empty comment */
    px_comment_line,
    px_before_name,
    px_name,
    px_after_name,

    px_loop,                      /* after "while(" and "for(" */
    px_while,
    px_for,

    px_typeof_name,
    px_typeof,                    /* within === 'function' && */

    px_text                       /* blanks before the text */
};


/* stages: each part may come once, in this order */

enum {
    ps_none = 0,
    ps_guard,                     /* )]}' and the loops have been */
    ps_comment,                   /* a name must come */
    ps_typeof
};


/* names that mean something, a bit each in words */

static const char *const  em_prefix_words[] = {
    "true", "false", "null", "while", "for", "typeof"
};

#define EM_PREFIX_WORDS                                                       \
    (sizeof(em_prefix_words) / sizeof(em_prefix_words[0]))

#define EM_PREFIX_LITERALS  0x07
#define EM_PREFIX_WHILE     0x08
#define EM_PREFIX_FOR       0x10
#define EM_PREFIX_TYPEOF    0x20


static int em_prefix_name(em_prefix_t *x, uint8_t ch, int first);
static unsigned em_prefix_word(em_prefix_t *x);
static int em_prefix_expect(em_prefix_t *x, uint8_t ch, const char *text);


em_prefix_status_e
em_prefix_feed(em_prefix_t *x, const uint8_t **p, const uint8_t *end)
{
    uint8_t   ch;
    unsigned  word;

    for ( /* void */ ; *p < end; (*p)++) {

        ch = **p;

        if (x->state >= px_guard && x->count++ > EM_PREFIX_MAX) {
            return EM_PREFIX_MALFORMED;
        }

        switch (x->state) {

        case px_start:
            if (ch == 0xef) {
                x->state = px_bom_1;
                continue;
            }

            x->state = px_blanks;

            /* fall through */

        case px_blanks:
            if (em_prefix_blank(ch)) {
                continue;
            }

            x->count = 1;

            if (ch == ')') {
                x->state = px_guard;
                x->len = 1;
                continue;
            }

            /* fall through */

        case px_next:
        next:
            if (em_prefix_blank(ch)) {
                continue;
            }

            if (ch == '/') {
                x->state = px_comment;
                x->len = 1;
                continue;
            }

            if (em_prefix_name(x, ch, 1)) {
                x->state = px_name;
                continue;
            }

            if (ch == 0 || ch == 0xff || ch == 0xfe) {
                return EM_PREFIX_CHARSET;
            }

            return (ch == 0xef) ? EM_PREFIX_MALFORMED : EM_PREFIX_TEXT;

        case px_bom_1:
            if (ch != 0xbb) {
                return EM_PREFIX_MALFORMED;
            }

            x->state = px_bom_2;
            continue;

        case px_bom_2:
            if (ch != 0xbf) {
                return EM_PREFIX_MALFORMED;
            }

            x->state = px_blanks;
            continue;

        case px_guard:
            if (!em_prefix_expect(x, ch, ")]}'")) {
                return EM_PREFIX_MALFORMED;
            }

            if (x->len == 0) {
                x->stage = ps_guard;
                x->state = px_comma;
            }

            continue;

        case px_comma:
            x->state = px_next;

            if (ch == ',') {
                continue;
            }

            goto next;

        case px_comment:
            if (ch == '/' && x->len == 1) {
                x->state = px_comment_line;
                continue;
            }

            if (!em_prefix_expect(x, ch, "/**/")) {
                return EM_PREFIX_MALFORMED;
            }

            if (x->len == 0) {
                x->stage = ps_comment;
                x->state = px_before_name;
            }

            continue;

        case px_comment_line:
            if (ch == '\n') {
                x->stage = ps_comment;
                x->state = px_before_name;
            }

            continue;

        case px_before_name:
            if (em_prefix_blank(ch)) {
                continue;
            }

            if (!em_prefix_name(x, ch, 1)) {
                return EM_PREFIX_MALFORMED;
            }

            x->state = px_name;
            continue;

        case px_name:
            if (em_prefix_name(x, ch, 0)) {

                if (x->len > EM_PREFIX_NAME) {
                    return EM_PREFIX_MALFORMED;
                }

                continue;
            }

            x->state = px_after_name;

            /* fall through */

        case px_after_name:
            if (em_prefix_blank(ch)) {
                continue;
            }

            word = em_prefix_word(x);

            if (ch == '(') {

                if (x->stage == ps_none
                    && (word & (EM_PREFIX_WHILE|EM_PREFIX_FOR)))
                {
                    x->state = px_loop;
                    continue;
                }

                x->jsonp = 1;
                x->state = px_text;
                continue;
            }

            if (word == EM_PREFIX_TYPEOF && x->stage < ps_typeof
                && em_prefix_name(x, ch, 1))
            {
                x->state = px_typeof_name;
                continue;
            }

            if ((word & EM_PREFIX_LITERALS) && x->stage < ps_comment) {
                x->literal = (uint8_t) (word >> 1);
                return EM_PREFIX_LITERAL;
            }

            if (ch == '&' && x->stage < ps_typeof) {

                /* "name && name(" */

                x->state = px_typeof;
                x->len = sizeof("==='function'&") - 1;
                continue;
            }

            return EM_PREFIX_MALFORMED;

        case px_loop:
            if (em_prefix_blank(ch)) {
                continue;
            }

            word = em_prefix_word(x);

            if (word == EM_PREFIX_WHILE && ch == '1') {
                x->state = px_while;
                x->len = 1;
                continue;
            }

            if (word == EM_PREFIX_FOR && ch == ';') {
                x->state = px_for;
                x->len = 1;
                continue;
            }

            /* no name of a function, but who knows */

            x->jsonp = 1;

            return EM_PREFIX_TEXT;

        case px_while:
        case px_for:
            if (em_prefix_blank(ch)) {
                continue;
            }

            if (!em_prefix_expect(x, ch,
                                  x->state == px_while ? "1);" : ";;);"))
            {
                return EM_PREFIX_MALFORMED;
            }

            if (x->len == 0) {
                x->stage = ps_guard;
                x->state = px_next;
            }

            continue;

        case px_typeof_name:
            if (em_prefix_name(x, ch, 0)) {

                if (x->len > EM_PREFIX_NAME) {
                    return EM_PREFIX_MALFORMED;
                }

                continue;
            }

            x->state = px_typeof;
            x->len = 0;

            /* fall through */

        case px_typeof:

            /* no blanks within its words */

            if (em_prefix_blank(ch)
                && (x->len == 0 || x->len == 3 || x->len == 13))
            {
                continue;
            }

            if (!em_prefix_expect(x, ch, "==='function'&&")) {
                return EM_PREFIX_MALFORMED;
            }

            if (x->len == 0) {
                x->stage = ps_typeof;
                x->state = px_before_name;
            }

            continue;

        default: /* px_text */
            if (em_prefix_blank(ch)) {
                continue;
            }

            return EM_PREFIX_TEXT;
        }
    }

    return EM_PREFIX_MORE;
}


em_prefix_status_e
em_prefix_end(em_prefix_t *x)
{
    unsigned  word;

    switch (x->state) {

    case px_start:
    case px_blanks:
        return EM_PREFIX_MORE;

    case px_name:
    case px_after_name:
        word = em_prefix_word(x);

        if ((word & EM_PREFIX_LITERALS) && x->stage < ps_comment) {
            x->literal = (uint8_t) (word >> 1);
            return EM_PREFIX_LITERAL;
        }

        break;
    }

    return EM_PREFIX_MALFORMED;
}


/* takes a byte of a name, and sees which words it may still be */

static int
em_prefix_name(em_prefix_t *x, uint8_t ch, int first)
{
    size_t  i;

    if (!((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z') && ch != '_' && ch != '$'
        && (first || !((ch >= '0' && ch <= '9') || ch == '.' || ch == '['
                       || ch == ']' || ch >= 0x80)))
    {
        return 0;
    }

    if (first) {
        x->len = 0;
        x->words = (1 << EM_PREFIX_WORDS) - 1;
    }

    for (i = 0; i < EM_PREFIX_WORDS; i++) {

        if ((x->words >> i & 1)
            && (x->len >= strlen(em_prefix_words[i])
                || em_prefix_words[i][x->len] != (char) ch))
        {
            x->words &= (uint8_t) ~(1 << i);
        }
    }

    x->len++;

    return 1;
}


/* the bit of the word that the name is, or 0 */

static unsigned
em_prefix_word(em_prefix_t *x)
{
    size_t  i;

    for (i = 0; i < EM_PREFIX_WORDS; i++) {
        if ((x->words >> i & 1) && x->len == strlen(em_prefix_words[i])) {
            return 1u << i;
        }
    }

    return 0;
}


/* whether ch comes next in text; len becomes 0 at its end */

static int
em_prefix_expect(em_prefix_t *x, uint8_t ch, const char *text)
{
    if ((uint8_t) text[x->len] != ch) {
        return 0;
    }

    if (text[++x->len] == '\0') {
        x->len = 0;
    }

    return 1;
}
