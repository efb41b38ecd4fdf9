
#include <string.h>

#include "em_json_state.h"


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


static void em_json_begin(em_json_t *j, const em_json_pointers_t *set);
static em_json_status_e em_json_open(em_json_t *j,
    const em_json_pointers_t *set, int object);
static void em_json_element(em_json_t *j, const em_json_pointers_t *set);
static int em_json_number(em_json_t *j, uint8_t ch);


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


void
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


int
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
