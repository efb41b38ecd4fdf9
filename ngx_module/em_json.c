
#include <string.h>

#include "em_json.h"


enum {
    sw_start = 0,
    sw_bom_1,
    sw_bom_2,
    sw_value,
    sw_first_element,             /* a value or "]" */
    sw_first_name,                /* a name or "}" */
    sw_name,
    sw_colon,
    sw_next,                      /* "," or the end of the array or object */
    sw_string,
    sw_escape,
    sw_unicode,
    sw_number,
    sw_literal
};


/* what of a number has been read; it may end after some of them only */

enum {
    nm_minus = 0,
    nm_zero,
    nm_integer,
    nm_point,
    nm_fraction,
    nm_e,
    nm_e_sign,
    nm_exponent
};


#define em_json_space(c)                                                      \
    ((c) == ' ' || (c) == '\n' || (c) == '\r' || (c) == '\t')

#define em_json_in_object(j)                                                  \
    ((j)->objects[((j)->depth - 1) >> 3] & (1 << (((j)->depth - 1) & 7)))


static uint32_t em_json_array_index(const char *text, size_t len);
static void em_json_begin(em_json_t *j, const em_json_pointers_t *set);
static em_json_status_e em_json_open(em_json_t *j,
    const em_json_pointers_t *set, int object);
static void em_json_element(em_json_t *j, const em_json_pointers_t *set);
static void em_json_member(em_json_t *j, const em_json_pointers_t *set,
    const char *name, size_t len);
static int em_json_found(em_json_t *j, const em_json_pointers_t *set);
static const uint8_t *em_json_string(em_json_t *j,
    const em_json_pointers_t *set, const uint8_t *p, const uint8_t *end);
static const uint8_t *em_json_plain(const uint8_t *p, const uint8_t *end);
static void em_json_append(em_json_t *j, const void *data, size_t len);
static void em_json_append_unit(em_json_t *j);
static void em_json_append_char(em_json_t *j, uint32_t ch);
static int em_json_number(em_json_t *j, uint8_t ch);


const char *
em_json_pointer_add(em_json_pointers_t *set, const char *text, size_t len)
{
    char                c;
    size_t              i, n, used;
    em_json_token_t    *t;
    em_json_pointer_t  *p;

    if (set->npointers == EM_JSON_POINTERS) {
        return "is one JSON pointer too many, at most 16 are allowed";
    }

    if (len && text[0] != '/') {
        return "is no JSON pointer, it must begin with \"/\"";
    }

    if (len >= EM_JSON_TEXT) {
        return "is too long a JSON pointer, at most 255 bytes are allowed";
    }

    p = &set->pointers[set->npointers];
    p->ntokens = 0;

    i = 0;
    used = 0;

    while (i < len) {

        if (p->ntokens == EM_JSON_TOKENS) {
            return "is too deep a JSON pointer, at most 16 tokens are allowed";
        }

        t = &p->tokens[p->ntokens];
        t->offset = (uint8_t) used;

        for (i++; i < len && text[i] != '/'; i++) {
            c = text[i];

            if (c == '~') {
                i++;

                if (i == len || (text[i] != '0' && text[i] != '1')) {
                    return "is no JSON pointer, \"~\" must be \"~0\" or \"~1\"";
                }

                c = (text[i] == '0') ? '~' : '/';
            }

            p->text[used++] = c;
        }

        if (used - t->offset > EM_JSON_TOKEN_MAX) {
            return "has too long a token, at most 128 bytes are allowed";
        }

        t->len = (uint8_t) (used - t->offset);
        t->index = em_json_array_index(&p->text[t->offset], t->len);

        p->ntokens++;
    }

    for (n = 0; n < p->ntokens; n++) {
        if (p->tokens[n].index != EM_JSON_NO_INDEX) {
            set->indexes[n] |= (uint32_t) 1 << set->npointers;
        }
    }

    set->ends[p->ntokens] |= (uint32_t) 1 << set->npointers;
    set->npointers++;

    return NULL;
}


static uint32_t
em_json_array_index(const char *text, size_t len)
{
    size_t    i;
    uint32_t  n;

    /* RFC 6901: no leading zeros; "-" is an element that does not exist */

    if (len == 0 || len > 9 || (len > 1 && text[0] == '0')) {
        return EM_JSON_NO_INDEX;
    }

    n = 0;

    for (i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return EM_JSON_NO_INDEX;
        }

        n = n * 10 + (uint32_t) (text[i] - '0');
    }

    return n;
}


em_json_status_e
em_json_feed(em_json_t *j, const em_json_pointers_t *set, const void *data,
    size_t len)
{
    uint8_t         ch;
    const uint8_t  *p, *end;

    if (j->status != EM_JSON_MORE) {
        return j->status;
    }

    p = data;
    end = p + len;

    while (p < end) {

        ch = *p;

        switch (j->state) {

        case sw_start:
            em_json_begin(j, set);

            if (ch == 0xef) {
                j->state = sw_bom_1;
                p++;
                break;
            }

            j->state = sw_value;
            break;

        case sw_bom_1:
        case sw_bom_2:
            if (ch != (j->state == sw_bom_1 ? 0xbb : 0xbf)) {
                goto malformed;
            }

            j->state = (j->state == sw_bom_1) ? sw_bom_2 : sw_value;
            p++;
            break;

        case sw_first_element:
            if (em_json_space(ch)) {
                p++;
                break;
            }

            if (ch == ']') {
                j->state = sw_next;
                break;
            }

            j->state = sw_value;

            /* fall through */

        case sw_value:
            if (em_json_space(ch)) {
                p++;
                break;
            }

            p++;

            j->len = 0;
            j->overflow = 0;
            j->capture = (j->match
                          && j->depth <= EM_JSON_TOKENS
                          && (j->match & set->ends[j->depth]));

            if (j->depth == 0 && !j->capture && ch != '{' && ch != '[') {

                /* no pointer leads to a scalar that is the whole text */

                j->status = strchr("\"-0123456789tfn", ch) && ch
                            ? EM_JSON_COMPLETE : EM_JSON_MALFORMED;
                return j->status;
            }

            switch (ch) {

            case '"':
                j->name = 0;
                j->high = 0;
                j->state = sw_string;
                break;

            case '{':
            case '[':
                if (em_json_open(j, set, ch == '{') != EM_JSON_MORE) {
                    return j->status;
                }

                break;

            case 't':
            case 'f':
            case 'n':
                j->literal = (ch == 't') ? "rue" : (ch == 'f') ? "alse" : "ull";
                j->state = sw_literal;
                break;

            case '-':
            case '0': case '1': case '2': case '3': case '4':
            case '5': case '6': case '7': case '8': case '9':
                j->number = (ch == '-') ? nm_minus
                                        : (ch == '0') ? nm_zero : nm_integer;
                j->state = sw_number;

                if (j->capture) {
                    em_json_append(j, p - 1, 1);
                }

                break;

            default:
                goto malformed;
            }

            break;

        case sw_first_name:
        case sw_name:
            p++;

            if (em_json_space(ch)) {
                break;
            }

            if (ch == '"') {
                j->name = 1;
                j->high = 0;
                j->len = 0;
                j->overflow = 0;
                j->capture = (j->depth <= EM_JSON_TOKENS
                              && j->alive[j->depth - 1]);
                j->match = 0;
                j->state = sw_string;
                break;
            }

            if (ch == '}' && j->state == sw_first_name) {
                p--;
                j->state = sw_next;
                break;
            }

            goto malformed;

        case sw_colon:
            p++;

            if (em_json_space(ch)) {
                break;
            }

            if (ch != ':') {
                goto malformed;
            }

            j->state = sw_value;
            break;

        case sw_next:
            if (j->depth == 0) {
                j->status = EM_JSON_COMPLETE;
                return j->status;
            }

            p++;

            if (em_json_space(ch)) {
                break;
            }

            if (em_json_in_object(j)) {

                if (ch == ',') {
                    j->state = sw_name;
                    break;
                }

                if (ch != '}') {
                    goto malformed;
                }

            } else {

                if (ch == ',') {
                    em_json_element(j, set);
                    j->state = sw_value;
                    break;
                }

                if (ch != ']') {
                    goto malformed;
                }
            }

            if (--j->depth == 0) {
                j->status = EM_JSON_COMPLETE;
                return j->status;
            }

            break;

        case sw_string:
        case sw_escape:
        case sw_unicode:
            p = em_json_string(j, set, p, end);

            if (j->status != EM_JSON_MORE) {
                return j->status;
            }

            break;

        case sw_number:
            if (em_json_number(j, ch)) {

                if (j->capture) {
                    em_json_append(j, p, 1);
                }

                p++;
                break;
            }

            /* the number has ended: was it whole, and may this follow it? */

            if (j->number == nm_minus || j->number == nm_point
                || j->number == nm_e || j->number == nm_e_sign)
            {
                goto malformed;
            }

            if (!em_json_space(ch)
                && (j->depth == 0
                    || (ch != ','
                        && ch != (em_json_in_object(j) ? '}' : ']'))))
            {
                goto malformed;
            }

            if (em_json_found(j, set)) {
                return j->status;
            }

            j->state = sw_next;
            break;

        case sw_literal:
            if (ch != (uint8_t) *j->literal) {
                goto malformed;
            }

            p++;
            j->literal++;

            if (*j->literal == '\0') {
                j->state = sw_next;

                if (j->depth == 0) {
                    j->status = EM_JSON_COMPLETE;
                    return j->status;
                }
            }

            break;
        }
    }

    return j->status;

malformed:

    j->status = EM_JSON_MALFORMED;

    return j->status;
}


em_json_status_e
em_json_end(em_json_t *j, const em_json_pointers_t *set)
{
    static const char  space = ' ';

    if (j->status == EM_JSON_MORE) {

        /* a number that is the whole text is ended by nothing else */

        if (j->depth == 0 && j->state == sw_number) {
            return em_json_feed(j, set, &space, 1);
        }

        j->status = EM_JSON_MALFORMED;
    }

    return j->status;
}


static void
em_json_begin(em_json_t *j, const em_json_pointers_t *set)
{
    j->match = (uint32_t) (((uint64_t) 1 << set->npointers) - 1);
}


static em_json_status_e
em_json_open(em_json_t *j, const em_json_pointers_t *set, int object)
{
    uint8_t   *bits;
    uint32_t   alive;

    alive = 0;

    if (j->depth < EM_JSON_TOKENS) {

        alive = j->match & ~set->ends[j->depth];

        if (!object) {
            alive &= set->indexes[j->depth];
        }

        j->alive[j->depth] = alive;
        j->index[j->depth] = 0;
    }

    if (j->depth == 0 && alive == 0) {
        j->status = EM_JSON_COMPLETE;
        return j->status;
    }

    if (j->depth == EM_JSON_DEPTH) {
        j->status = EM_JSON_MALFORMED;
        return j->status;
    }

    bits = &j->objects[j->depth >> 3];

    if (object) {
        *bits |= (uint8_t) (1 << (j->depth & 7));
        j->state = sw_first_name;

    } else {
        *bits &= (uint8_t) ~(1 << (j->depth & 7));
        j->state = sw_first_element;
    }

    j->depth++;

    if (!object) {
        j->match = 0;

        if (alive) {
            j->index[j->depth - 1] = EM_JSON_NO_INDEX;
            em_json_element(j, set);
        }
    }

    return j->status;
}


/* the pointers that lead to or through the next element of an array */

static void
em_json_element(em_json_t *j, const em_json_pointers_t *set)
{
    size_t    i, level;
    uint32_t  n, alive;

    j->match = 0;

    if (j->depth > EM_JSON_TOKENS) {
        return;
    }

    level = j->depth - 1u;
    alive = j->alive[level];

    if (alive == 0) {
        return;
    }

    n = ++j->index[level];        /* EM_JSON_NO_INDEX + 1 == 0 */

    for (i = 0; alive; i++, alive >>= 1) {
        if ((alive & 1) && set->pointers[i].tokens[level].index == n) {
            j->match |= (uint32_t) 1 << i;
        }
    }
}


/* the pointers that lead to or through the member called name */

static void
em_json_member(em_json_t *j, const em_json_pointers_t *set, const char *name,
    size_t len)
{
    size_t                    i, level;
    uint32_t                  alive;
    const em_json_token_t    *t;
    const em_json_pointer_t  *p;

    level = j->depth - 1u;
    alive = j->alive[level];

    for (i = 0; alive; i++, alive >>= 1) {

        if (!(alive & 1)) {
            continue;
        }

        p = &set->pointers[i];
        t = &p->tokens[level];

        if (t->len == len && memcmp(&p->text[t->offset], name, len) == 0) {
            j->match |= (uint32_t) 1 << i;
        }
    }
}


/* the string or number has ended: is it the code? */

static int
em_json_found(em_json_t *j, const em_json_pointers_t *set)
{
    uint32_t  ends;

    if (!j->capture || j->overflow) {
        return 0;
    }

    ends = j->match & set->ends[j->depth];

    for (j->pointer = 0; !(ends & 1); ends >>= 1) {
        j->pointer++;
    }

    j->status = EM_JSON_FOUND;

    return 1;
}


/*
 * Reads on in a string, from anywhere behind its opening quote; returns where
 * it stopped, which is the end of the piece, or past the closing quote.
 */

static const uint8_t *
em_json_string(em_json_t *j, const em_json_pointers_t *set, const uint8_t *p,
    const uint8_t *end)
{
    uint8_t         ch;
    const char     *e;
    const uint8_t  *q;

    static const char  escapes[] = "\"\\/bfnrt";
    static const char  escaped[] = "\"\\/\b\f\n\r\t";

    while (p < end) {

        switch (j->state) {

        case sw_string:
            q = em_json_plain(p, end);

            if (q < end && *q == '"' && j->name && j->len == 0
                && !j->high && !j->overflow)
            {
                /* a name in one piece, the usual case, need not be copied */

                if (j->capture) {
                    em_json_member(j, set, (const char *) p, (size_t) (q - p));
                }

                j->state = sw_colon;
                return q + 1;
            }

            if (j->capture && q != p) {
                em_json_append(j, p, (size_t) (q - p));
            }

            if (q == end) {
                return q;
            }

            p = q + 1;

            if (*q == '\\') {
                j->state = sw_escape;
                break;
            }

            if (*q != '"') {

                /* a control character */

                j->status = EM_JSON_MALFORMED;
                return p;
            }

            em_json_append(j, NULL, 0);

            if (!j->name) {
                j->state = sw_next;

                if (!em_json_found(j, set) && j->depth == 0) {
                    j->status = EM_JSON_COMPLETE;
                }

                return p;
            }

            if (j->capture && !j->overflow) {
                em_json_member(j, set, j->token, j->len);
            }

            j->state = sw_colon;
            return p;

        case sw_escape:
            ch = *p++;

            if (ch == 'u') {
                j->nhex = 0;
                j->unit = 0;
                j->state = sw_unicode;
                break;
            }

            e = ch ? strchr(escapes, ch) : NULL;

            if (e == NULL) {
                j->status = EM_JSON_MALFORMED;
                return p;
            }

            if (j->capture) {
                em_json_append(j, &escaped[e - escapes], 1);
            }

            j->state = sw_string;
            break;

        default: /* sw_unicode */
            ch = *p++;

            if (ch >= '0' && ch <= '9') {
                ch -= '0';

            } else if ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f') {
                ch = (uint8_t) ((ch | 0x20) - 'a' + 10);

            } else {
                j->status = EM_JSON_MALFORMED;
                return p;
            }

            j->unit = (uint16_t) (j->unit << 4 | ch);

            if (++j->nhex == 4) {
                if (j->capture) {
                    em_json_append_unit(j);
                }

                j->state = sw_string;
            }
        }
    }

    return p;
}


/* skips what needs no attention in a string, eight bytes at a time */

static const uint8_t *
em_json_plain(const uint8_t *p, const uint8_t *end)
{
    uint64_t  w, stop;

    static const uint64_t  ones = 0x0101010101010101;
    static const uint64_t  high = 0x8080808080808080;

    while (end - p >= 8) {
        memcpy(&w, p, 8);

        /*
         * Of a byte below 0x80 the top bit comes to be set if it is a quote,
         * a backslash, or below 0x20.  A borrow from the byte beside it sets
         * bits that are wrong, but none without one that is right.
         */

        stop = ((w ^ ones * '"') - ones) | ((w ^ ones * '\\') - ones)
               | (w - ones * 0x20);

        if (stop & ~w & high) {
            break;
        }

        p += 8;
    }

    while (p < end && *p != '"' && *p != '\\' && *p >= 0x20) {
        p++;
    }

    return p;
}


/* appends to the token, after what a high surrogate left behind, if any */

static void
em_json_append(em_json_t *j, const void *data, size_t len)
{
    if (j->high) {
        j->high = 0;
        em_json_append_char(j, 0xfffd);
    }

    if (j->overflow || len > EM_JSON_TOKEN_MAX - j->len) {
        j->overflow = 1;
        return;
    }

    if (len) {
        memcpy(&j->token[j->len], data, len);
        j->len += len;
    }
}


static void
em_json_append_unit(em_json_t *j)
{
    uint32_t  ch;

    ch = j->unit;

    if (j->high && (ch & 0xfc00) == 0xdc00) {
        ch = 0x10000 + ((uint32_t) (j->high & 0x3ff) << 10) + (ch & 0x3ff);
        j->high = 0;
        em_json_append_char(j, ch);
        return;
    }

    em_json_append(j, NULL, 0);

    if ((ch & 0xfc00) == 0xd800) {
        j->high = (uint16_t) ch;
        return;
    }

    em_json_append_char(j, (ch & 0xfc00) == 0xdc00 ? 0xfffd : ch);
}


static void
em_json_append_char(em_json_t *j, uint32_t ch)
{
    size_t   n;
    uint8_t  utf8[4];

    if (ch < 0x80) {
        utf8[0] = (uint8_t) ch;
        n = 1;

    } else if (ch < 0x800) {
        utf8[0] = (uint8_t) (0xc0 | ch >> 6);
        utf8[1] = (uint8_t) (0x80 | (ch & 0x3f));
        n = 2;

    } else if (ch < 0x10000) {
        utf8[0] = (uint8_t) (0xe0 | ch >> 12);
        utf8[1] = (uint8_t) (0x80 | (ch >> 6 & 0x3f));
        utf8[2] = (uint8_t) (0x80 | (ch & 0x3f));
        n = 3;

    } else {
        utf8[0] = (uint8_t) (0xf0 | ch >> 18);
        utf8[1] = (uint8_t) (0x80 | (ch >> 12 & 0x3f));
        utf8[2] = (uint8_t) (0x80 | (ch >> 6 & 0x3f));
        utf8[3] = (uint8_t) (0x80 | (ch & 0x3f));
        n = 4;
    }

    em_json_append(j, utf8, n);
}


/* whether a number may go on with ch */

static int
em_json_number(em_json_t *j, uint8_t ch)
{
    int  digit;

    digit = (ch >= '0' && ch <= '9');

    switch (j->number) {

    case nm_minus:
        if (digit) {
            j->number = (ch == '0') ? nm_zero : nm_integer;
        }

        return digit;

    case nm_zero:
    case nm_integer:
        if (digit) {
            return j->number == nm_integer;
        }

        if (ch == '.') {
            j->number = nm_point;
            return 1;
        }

        break;

    case nm_point:
        if (digit) {
            j->number = nm_fraction;
        }

        return digit;

    case nm_fraction:
        if (digit) {
            return 1;
        }

        break;

    case nm_e:
        if (ch == '+' || ch == '-') {
            j->number = nm_e_sign;
            return 1;
        }

        /* fall through */

    case nm_e_sign:
        if (digit) {
            j->number = nm_exponent;
        }

        return digit;

    default: /* nm_exponent */
        return digit;
    }

    if (ch == 'e' || ch == 'E') {
        j->number = nm_e;
        return 1;
    }

    return 0;
}
