
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
    ((j)->objects & ((uint32_t) 1 << ((j)->depth - 1)))


static em_json_status_e em_json_open(em_json_t *j,
    const em_json_pointers_t *set, int object);
static void em_json_element(em_json_t *j, const em_json_pointers_t *set);
static const uint8_t *em_json_number(em_json_t *j, const uint8_t *p,
    const uint8_t *end);


void
em_json_init(em_json_t *j)
{
    memset(j, 0, offsetof(em_json_t, alive));
}


em_json_status_e
em_json_feed(em_json_t *j, const em_json_pointers_t *set, const void *data,
    size_t len)
{
    uint8_t         ch;
    const uint8_t  *p, *q, *end;

    if (j->status != EM_JSON_MORE) {
        return j->status;
    }

    p = data;
    end = p + len;

    while (p < end) {

        ch = *p;

        switch (j->state) {

        case sw_start:
            j->match = (uint32_t) (((uint64_t) 1 << set->npointers) - 1);

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

            j->capture = ((j->match & set->ends[j->depth]) != 0);

            if (j->depth == 0 && !j->capture && ch != '{' && ch != '[') {

                /* no pointer leads to a scalar that is the whole text */

                j->status = strchr("\"-0123456789tfn", ch) && ch
                            ? EM_JSON_COMPLETE : EM_JSON_MALFORMED;
                return j->status;
            }

            switch (ch) {

            case '"':

                if (j->capture) {
                    j->name = 0;
                    j->len = 0;
                    j->overflow = 0;
                    j->state = sw_string;
                    break;
                }

                /* most of them are short */

                q = (end - p > 64) ? p + 64 : end;
                p = em_json_span(p, q);

                if (p < q && *p == '"') {
                    p++;
                    j->state = sw_next;
                    break;
                }

                j->skip.escaped = 0;
                j->state = sw_skip_string;
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
                    j->token[0] = (char) ch;
                    j->len = 1;
                    j->overflow = 0;
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
                j->match = 0;

                /* a name in one piece, the usual case, need not be copied */

                q = em_json_span(p, end);

                if (q < end && *q == '"') {
                    em_json_member(j, set, (const char *) p, (size_t) (q - p));
                    p = q + 1;
                    j->state = sw_colon;
                    break;
                }

                j->name = 1;
                j->len = 0;
                j->overflow = 0;
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
            p = em_json_number(j, p, end);

            if (p == end) {
                break;
            }

            ch = *p;

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

        case sw_skip:
            p = em_json_kernel_used->nested(&j->skip, p, end);

            if (j->skip.depth == 0) {
                j->state = sw_next;
            }

            break;

        case sw_skip_string:
            p = em_json_kernel_used->string(&j->skip, p, end);

            if (p == end) {
                break;
            }

            if (*p++ != '"') {
                goto malformed;
            }

            j->state = sw_next;
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


static em_json_status_e
em_json_open(em_json_t *j, const em_json_pointers_t *set, int object)
{
    uint32_t  alive, bit;

    alive = j->match & ~set->ends[j->depth];

    if (!object) {
        alive &= set->indexes[j->depth];
    }

    if (alive == 0) {

        if (j->depth == 0) {
            j->status = EM_JSON_COMPLETE;
            return j->status;
        }

        j->skip.depth = 1;
        j->skip.string = 0;
        j->skip.escaped = 0;
        j->skip.open = object ? '{' : '[';
        j->state = sw_skip;

        return EM_JSON_MORE;
    }

    /* a pointer has tokens left, so that there is room for one more */

    bit = (uint32_t) 1 << j->depth;

    j->alive[j->depth] = alive;
    j->index[j->depth] = EM_JSON_NO_INDEX;

    if (object) {
        j->objects |= bit;
        j->state = sw_first_name;
        j->depth++;

        return EM_JSON_MORE;
    }

    j->objects &= ~bit;
    j->state = sw_first_element;
    j->depth++;

    em_json_element(j, set);

    return EM_JSON_MORE;
}


/* the pointers that lead to or through the next element of an array */

static void
em_json_element(em_json_t *j, const em_json_pointers_t *set)
{
    size_t    i, level;
    uint32_t  n, alive;

    level = j->depth - 1u;
    alive = j->alive[level];

    n = ++j->index[level];        /* EM_JSON_NO_INDEX + 1 == 0 */

    j->match = 0;

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


/* reads on in a number; returns where it ends, or the end of the piece */

static const uint8_t *
em_json_number(em_json_t *j, const uint8_t *p, const uint8_t *end)
{
    int             digit;
    uint8_t         ch, state;
    const uint8_t  *start;

    start = p;
    state = j->number;

    for ( /* void */ ; p < end; p++) {

        ch = *p;
        digit = (ch >= '0' && ch <= '9');

        switch (state) {

        case nm_integer:
        case nm_fraction:
        case nm_exponent:
            if (digit) {
                continue;
            }

            break;

        case nm_minus:
            if (digit) {
                state = (ch == '0') ? nm_zero : nm_integer;
                continue;
            }

            goto done;

        case nm_point:
            if (digit) {
                state = nm_fraction;
                continue;
            }

            goto done;

        case nm_e:
            if (ch == '+' || ch == '-') {
                state = nm_e_sign;
                continue;
            }

            /* fall through */

        case nm_e_sign:
            if (digit) {
                state = nm_exponent;
                continue;
            }

            goto done;

        default: /* nm_zero */
            break;
        }

        if (ch == '.' && (state == nm_zero || state == nm_integer)) {
            state = nm_point;
            continue;
        }

        if ((ch == 'e' || ch == 'E') && state != nm_exponent) {
            state = nm_e;
            continue;
        }

        goto done;
    }

done:

    j->number = state;

    if (j->capture && p != start) {
        em_json_append(j, start, (size_t) (p - start));
    }

    return p;
}
