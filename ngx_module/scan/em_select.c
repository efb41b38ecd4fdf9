
#include "em_select_state.h"


#define em_select_space(c)                                                    \
    ((c) <= ' ' && ((c) == ' ' || (c) == '\n' || (c) == '\r' || (c) == '\t'))

#define em_select_wait(st)                                                    \
    if (p == end) {                                                           \
        s->state = (st);                                                      \
        goto more;                                                            \
    }

#define em_select_closing(s)                                                  \
    ((s)->depth == 0 ? 0                                                      \
     : (s)->objects & ((uint32_t) 1 << ((s)->depth - 1)) ? '}' : ']')

/* it is the last text, and a string or number that no PATH leads to */

#define em_select_useless(s)                                                  \
    ((s)->depth == 0 && (s)->texts == 1 && em_select_targets(s) == 0)


static void em_select_literal(em_select_t *s, unsigned literal);
static int em_select_literal_text(em_select_t *s);


static const struct {
    const char  *rest;
    uint8_t      type;
} em_select_literals[] = {
    { "rue", EM_PATH_TRUE },
    { "alse", EM_PATH_FALSE },
    { "ull", EM_PATH_NULL }
};


em_select_status_e
em_select_feed(em_select_t *s, const void *data, size_t len)
{
    int                       n;
    uint8_t                   ch;
    const uint8_t            *p, *q, *end;
    em_select_frame_t        *f;
    const em_plan_level_t    *l;

    if (s->status == EM_SELECT_DONE || len == 0) {
        return s->status;
    }

    p = data;
    end = p + len;

    s->slash = NULL;

    switch (s->state) {

    case sw_prefix:
        goto prefix;

    case sw_value:
        goto value;

    case sw_first_element:
        goto first_element;

    case sw_first_name:
        goto first_name;

    case sw_name:
        goto name;

    case sw_colon:
        goto colon;

    case sw_next:
        goto next;

    case sw_number:
        goto number;

    case sw_literal:
        goto literal;

    case sw_peek:
        goto peek;

    case sw_first:
        goto first;

    case sw_skip:
        goto skip;

    case sw_skip_string:
        goto skip_string;

    case sw_skip_name:
        goto skip_name;

    default: /* sw_string, sw_escape, sw_unicode */
        goto string;
    }

prefix:

    if (s->prefix.state == 0 && (*p == '{' || *p == '[')) {
        goto value;
    }

    switch (em_prefix_feed(&s->prefix, &p, end)) {

    case EM_PREFIX_MORE:
        s->state = sw_prefix;
        goto more;

    case EM_PREFIX_TEXT:
        goto value;

    case EM_PREFIX_LITERAL:
        if (em_select_literal_text(s)) {
            return s->status;
        }

        goto next;

    case EM_PREFIX_CHARSET:
        return em_select_break(s, EM_SELECT_CHARSET);

    default: /* EM_PREFIX_MALFORMED */
        return em_select_break(s, EM_SELECT_MALFORMED);
    }

first_element:

    em_select_wait(sw_first_element);

    if (em_select_space(*p)) {
        p++;
        goto first_element;
    }

    if (*p == ']') {
        goto next;
    }

value:

    em_select_wait(sw_value);

    ch = *p++;

    if ((s->match | s->tested) == 0) {

        if (ch == '"') {

            /* most of them are short */

            q = (end - p > EM_JSON_BLOCK) ? p + EM_JSON_BLOCK : end;
            q = em_json_span(p, q);

            if (q < end && *q == '"') {
                p = q + 1;
                goto next;
            }

            s->skip.escaped = 0;
            s->lead = 0;
            goto skip_string;
        }

        s->limit = 0;

    } else {

        if (em_select_space(ch)) {
            goto value;
        }

        em_select_enter(s);
    }

    if (em_json_digit(ch)) {

        /* ... and integers */

        q = (ch == '0') ? p : em_json_digits(p, end);

        if (q < end && (*q == s->close || *q == ',') && s->depth) {

            if (s->match | s->tested) {
                s->type = EM_PATH_NUMBER;

                if (em_select_limit(s)) {
                    em_select_append(s, p - 1, (size_t) (q - p + 1));
                }

                p = q;
                goto scalar;
            }

            p = q;
            goto next;
        }
    }

    switch (ch) {

    case ' ':
    case '\t':
    case '\n':
    case '\r':
        goto value;

    case '"':
        if (em_select_useless(s)) {
            goto last;
        }

        s->type = EM_PATH_STRING;
        s->name = 0;
        s->lead = 0;

        if ((s->match | s->tested) && em_select_limit(s)) {
            goto first;
        }

        s->skip.escaped = 0;
        goto skip_string;

    case '{':
    case '[':
        s->type = EM_SELECT_NESTED;
        s->open = ch;

        if (em_select_targets(s) & s->plan->there) {
            goto peek;
        }

        goto open;

    case 't':
        em_select_literal(s, EM_PREFIX_TRUE);
        goto literal;

    case 'f':
        em_select_literal(s, EM_PREFIX_FALSE);
        goto literal;

    case 'n':
        em_select_literal(s, EM_PREFIX_NULL);
        goto literal;

    case '-':
    case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9':
        if (em_select_useless(s)) {
            goto last;
        }

        s->type = EM_PATH_NUMBER;
        s->digits = (ch == '-') ? nm_minus : (ch == '0') ? nm_zero
                                                         : nm_integer;

        if (s->match | s->tested) {
            (void) em_select_limit(s);
            s->token[0] = (char) ch;
            s->len = 1;
        }

        goto number;

    default:
        p--;
        goto malformed;
    }

literal:

    em_select_wait(sw_literal);

    if (*p != (uint8_t) *s->literal) {
        goto malformed;
    }

    p++;

    if (*++s->literal != '\0') {
        goto literal;
    }

    goto scalar;

number:

    q = p;
    p = em_json_number_read(&s->digits, p, end);

    if (s->limit) {
        em_select_append(s, q, (size_t) (p - q));
    }

    em_select_wait(sw_number);

    /* it has ended: was it whole, and may this follow it? */

    ch = *p;

    if (!em_json_number_whole(s->digits)
        || (!em_select_space(ch)
            && (s->depth ? (ch != ',' && ch != s->close)
                         : !(ch == ')' && s->prefix.jsonp))))
    {
        goto malformed;
    }

scalar:

    if ((s->match | s->tested) && em_select_scalar(s)) {
        return s->status;
    }

next:

    if (s->depth == 0) {

        if (!em_select_next(s)) {
            return s->status;
        }

        goto value;
    }

    em_select_wait(sw_next);

    ch = *p++;

    if (ch == ',') {

        if (s->close == '}') {
            goto name;
        }

        em_select_element(s);
        goto value;
    }

    if (em_select_space(ch)) {
        goto next;
    }

    if (ch != s->close) {
        p--;
        goto malformed;
    }

    s->depth--;
    s->close = em_select_closing(s);
    s->type = EM_SELECT_NESTED;

    f = &s->frames[s->depth];

    if (em_select_ended(s, s->depth, f->match, f->tested)) {
        return s->status;
    }

    if (s->close == '}') {
        f = &s->frames[s->depth - 1];
        s->wild = f->alive & s->plan->levels[s->depth - 1].wild;
    }

    goto next;

first_name:

    em_select_wait(sw_first_name);

    if (*p == '}') {
        goto next;
    }

    if (em_select_space(*p)) {
        p++;
        goto first_name;
    }

name:

    em_select_wait(sw_name);

    ch = *p++;

    if (ch != '"') {

        if (em_select_space(ch)) {
            goto name;
        }

        p--;
        goto malformed;
    }

    /* a name in one piece, the usual case, need not be copied */

    q = em_json_span(p, end);

    if (q == end || *q != '"') {
        s->name = 1;
        s->len = 0;
        s->cut = 0;
        s->lead = 0;
        s->limit = EM_PATH_NAME_MAX;
        s->state = sw_string;
        goto string;
    }

    /* nearly all others are no name that is looked for */

    l = &s->plan->levels[s->depth - 1];

    if (l->lengths >> ((q - p) & 63)
        & l->hashes >> em_plan_hash((size_t) (q - p), *p) & 1)
    {
        em_select_member(s, (const char *) p, (size_t) (q - p));

    } else {
        s->match = s->wild;
        s->tested = 0;
    }

    p = q + 1;

colon:

    em_select_wait(sw_colon);

    ch = *p++;

    if (ch == ':') {
        goto value;
    }

    if (em_select_space(ch)) {
        goto colon;
    }

    p--;
    goto malformed;

skip_name:

    p = em_select_skip_string(s, p, end);

    em_select_wait(sw_skip_name);

    if (*p != '"') {
        goto malformed;
    }

    p++;

    /* longer than all names, but not than any child */

    s->match = s->wild;
    s->tested = 0;
    goto colon;

first:

    em_select_wait(sw_first);

    s->state = sw_first;

    if (*p != '"' && *p >= 0x20) {

        /* something is there: that is all that some want to know */

        if (em_select_begin(s, em_select_early(s))) {
            return s->status;
        }

        if (!em_select_limit(s)) {
            s->skip.escaped = 0;
            goto skip_string;
        }
    }

    s->state = sw_string;

string:

    p = em_select_string(s, p, end);

    switch (s->state) {

    case sw_closed:
        if (s->name) {
            em_select_member(s, s->token, s->len);
            goto colon;
        }

        goto scalar;

    case sw_cut:
        s->skip.escaped = 0;

        if (s->name) {
            goto skip_name;
        }

        if (em_select_begin(s, em_select_targets(s))) {
            return s->status;
        }

        goto skip_string;

    case sw_malformed:
        p--;
        goto malformed;

    default:
        goto more;
    }

peek:

    em_select_wait(sw_peek);

    if (em_select_space(*p)) {
        p++;
        goto peek;
    }

    if (*p != s->open + 2
        && em_select_begin(s, em_select_targets(s) & s->plan->there))
    {
        return s->status;
    }

open:

    n = em_select_open(s);

    switch (n) {

    case sw_first_name:
        goto first_name;

    case sw_first_element:
        goto first_element;
    }

    if (s->depth == 0 && s->texts == 1) {
        goto last;
    }

skip:

    p = em_select_skip_nested(s, p, end);

    if (s->skip.depth == 0) {

        if ((s->match | s->tested)
            && em_select_ended(s, s->depth, s->match, s->tested))
        {
            return s->status;
        }

        goto next;
    }

    em_select_wait(sw_skip);

skip_string:

    p = em_select_skip_string(s, p, end);

    em_select_wait(sw_skip_string);

    if (*p == '"') {
        p++;
        goto scalar;
    }

malformed:

    /* ASCII in UTF-16 and UTF-32 has a byte 0 among the first ones */

    return em_select_break(s, *p == 0 && s->opened + (p - (uint8_t *) data) < 4
                              ? EM_SELECT_CHARSET : EM_SELECT_MALFORMED);

last:

    /* no PATH leads into the last text */

    if (!em_select_ended(s, 0, s->match, 0)) {
        (void) em_select_next(s);
    }

    return s->status;

more:

    if (s->opened < 4) {
        s->opened = (uint8_t) (len < 4 ? s->opened + len : 4);
    }

    return s->status;
}


em_select_status_e
em_select_end(em_select_t *s)
{
    static const char  space = ' ';

    if (s->status == EM_SELECT_DONE) {
        return s->status;
    }

    switch (s->state) {

    case sw_number:
        if (s->depth) {
            break;
        }

        /* a number that is the whole text is ended by nothing else */

        (void) em_select_feed(s, &space, 1);
        break;

    case sw_prefix:
        switch (em_prefix_end(&s->prefix)) {

        case EM_PREFIX_MORE:
            return em_select_break(s, EM_SELECT_EMPTY);

        case EM_PREFIX_LITERAL:
            if (!em_select_literal_text(s)) {
                (void) em_select_next(s);
            }

            break;

        default:
            break;
        }
    }

    return em_select_break(s, EM_SELECT_MALFORMED);
}


em_select_status_e
em_select_stop(em_select_t *s)
{
    return em_select_break(s, EM_SELECT_STOPPED);
}


static void
em_select_literal(em_select_t *s, unsigned literal)
{
    s->literal = em_select_literals[literal].rest;
    s->type = em_select_literals[literal].type;
}


/* em_prefix has read a text that is a literal */

static int
em_select_literal_text(em_select_t *s)
{
    em_select_enter(s);
    em_select_literal(s, s->prefix.literal);

    return em_select_scalar(s);
}
