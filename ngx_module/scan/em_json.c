
#include "em_json_state.h"


#define em_json_space(c)                                                      \
    ((c) <= ' ' && ((c) == ' ' || (c) == '\n' || (c) == '\r' || (c) == '\t'))

#define em_json_wait(st)                                                      \
    if (p == end) {                                                           \
        j->state = (st);                                                      \
        return EM_JSON_MORE;                                                  \
    }

/* the bracket that closes the innermost array or object */

#define em_json_close(j)                                                      \
    ((j)->depth == 0 ? 0                                                      \
     : (j)->objects & ((uint32_t) 1 << ((j)->depth - 1)) ? '}' : ']')


static int em_json_open(em_json_t *j, const em_json_pointers_t *set,
    uint8_t bracket);
static int em_json_found(em_json_t *j, const em_json_pointers_t *set);


void
em_json_init(em_json_t *j)
{
    memset(j, 0, offsetof(em_json_t, alive));
}


void
em_json_looked(em_json_t *j)
{
    j->state = sw_looked;
}


/*
 * Each state is a label; the state is saved when the piece ends before the
 * byte that it needs.
 */

em_json_status_e
em_json_feed(em_json_t *j, const em_json_pointers_t *set, const void *data,
    size_t len)
{
    uint8_t         ch;
    const uint8_t  *p, *q, *end, *code;

    if (j->status != EM_JSON_MORE || len == 0) {
        return j->status;
    }

    p = data;
    end = p + len;

    switch (j->state) {

    case sw_start:

        /* the address of a variable of the loops would keep it in memory */

        j->len = em_json_quick(set, p, len, len, 0, &code, &j->pointer);

        if (j->len) {
            memcpy(j->token, code, j->len);
            j->status = EM_JSON_FOUND;

            return j->status;
        }

        /* fall through */

    case sw_looked:

        j->match = (uint32_t) (((uint64_t) 1 << set->npointers) - 1);

        if (*p != 0xef) {
            goto value;
        }

        p++;
        goto bom_1;

    case sw_bom_1:
        goto bom_1;

    case sw_bom_2:
        goto bom_2;

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

    case sw_skip:
        goto skip;

    case sw_skip_string:
        goto skip_string;

    default: /* sw_string, sw_escape, sw_unicode */
        goto string;
    }

bom_1:

    em_json_wait(sw_bom_1);

    if (*p++ != 0xbb) {
        goto malformed;
    }

bom_2:

    em_json_wait(sw_bom_2);

    if (*p++ != 0xbf) {
        goto malformed;
    }

    goto value;

first_element:

    em_json_wait(sw_first_element);

    if (em_json_space(*p)) {
        p++;
        goto first_element;
    }

    if (*p == ']') {
        goto next;
    }

value:

    em_json_wait(sw_value);

    ch = *p++;

    j->capture = 0;

    if (j->match) {
        j->capture = ((j->match & set->ends[j->depth]) != 0);

    } else if (ch == '"' && j->depth) {

        /* most strings are short */

        q = (end - p > EM_JSON_BLOCK) ? p + EM_JSON_BLOCK : end;
        p = em_json_span(p, q);

        if (p < q && *p == '"') {
            p++;
            goto next;
        }

        j->skip.escaped = 0;
        goto skip_string;
    }

    if (em_json_digit(ch)) {

        /* most numbers are integers */

        q = (ch == '0') ? p : em_json_digits(p, end);

        if (q < end && (*q == j->close || *q == ',') && j->depth) {

            if (j->capture) {
                j->len = 0;
                j->overflow = 0;

                em_json_append(j, p - 1, (size_t) (q - p + 1));

                if (em_json_found(j, set)) {
                    return j->status;
                }
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
        if (j->capture) {
            j->name = 0;
            j->len = 0;
            j->overflow = 0;
            j->state = sw_string;
            goto string;
        }

        if (j->depth == 0) {
            goto complete;
        }

        j->skip.escaped = 0;
        goto skip_string;

    case '{':
    case '[':
        switch (em_json_open(j, set, ch)) {

        case sw_first_name:
            goto first_name;

        case sw_first_element:
            goto first_element;

        case sw_skip:
            goto skip;

        default:
            goto complete;
        }

    case 't':
        j->literal = "rue";
        break;

    case 'f':
        j->literal = "alse";
        break;

    case 'n':
        j->literal = "ull";
        break;

    case '-':
    case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9':
        if (j->capture) {
            j->token[0] = (char) ch;
            j->len = 1;
            j->overflow = 0;

        } else if (j->depth == 0) {
            goto complete;
        }

        j->number = (ch == '-') ? nm_minus : (ch == '0') ? nm_zero : nm_integer;
        goto number;

    default:
        goto malformed;
    }

    /* a scalar is the whole text, and no pointer leads to it */

    if (j->depth == 0 && !j->capture) {
        goto complete;
    }

literal:

    em_json_wait(sw_literal);

    if (*p++ != (uint8_t) *j->literal++) {
        goto malformed;
    }

    if (*j->literal != '\0') {
        goto literal;
    }

    if (j->depth == 0) {
        goto complete;
    }

    goto next;

number:

    p = em_json_number(j, p, end);

    em_json_wait(sw_number);

    /* the number must be complete, and the next byte may follow it */

    if (j->number == nm_minus || j->number == nm_point
        || j->number == nm_e || j->number == nm_e_sign)
    {
        goto malformed;
    }

    ch = *p;

    if (!em_json_space(ch)
        && (j->depth == 0 || (ch != ',' && ch != j->close)))
    {
        goto malformed;
    }

    if (em_json_found(j, set)) {
        return j->status;
    }

next:

    if (j->depth == 0) {
        goto complete;
    }

    em_json_wait(sw_next);

    ch = *p++;

    if (ch == ',') {

        if (j->close == '}') {
            goto name;
        }

        em_json_element(j, set);
        goto value;
    }

    if (em_json_space(ch)) {
        goto next;
    }

    if (ch != j->close) {
        goto malformed;
    }

    j->depth--;
    j->close = em_json_close(j);

    goto next;

first_name:

    em_json_wait(sw_first_name);

    if (*p == '}') {
        goto next;
    }

    if (em_json_space(*p)) {
        p++;
        goto first_name;
    }

name:

    em_json_wait(sw_name);

    ch = *p++;

    if (ch != '"') {

        if (em_json_space(ch)) {
            goto name;
        }

        goto malformed;
    }

    /* a name in one piece, the usual case, is not copied */

    q = em_json_span(p, end);

    if (q == end || *q != '"') {
        j->name = 1;
        j->len = 0;
        j->overflow = 0;
        j->state = sw_string;
        goto string;
    }

    /* most other names differ in length */

    if (set->lengths[j->depth - 1] >> ((q - p) & 63) & 1) {
        em_json_member(j, set, (const char *) p, (size_t) (q - p));

    } else {
        j->match = 0;
    }

    p = q + 1;

colon:

    em_json_wait(sw_colon);

    ch = *p++;

    if (ch == ':') {
        goto value;
    }

    if (em_json_space(ch)) {
        goto colon;
    }

    goto malformed;

string:

    p = em_json_string(j, set, p, end);

    switch (j->state) {

    case sw_colon:
        goto colon;

    case sw_next:
        if (em_json_found(j, set)) {
            return j->status;
        }

        goto next;

    default:
        return j->status;
    }

skip:

    p = em_json_kernel_used->nested(&j->skip, p, end);

    if (j->skip.depth == 0) {
        goto next;
    }

    em_json_wait(sw_skip);

skip_string:

    p = em_json_kernel_used->string(&j->skip, p, end);

    em_json_wait(sw_skip_string);

    if (*p++ == '"') {
        goto next;
    }

malformed:

    j->status = EM_JSON_MALFORMED;

    return j->status;

complete:

    j->status = EM_JSON_COMPLETE;

    return j->status;
}


em_json_status_e
em_json_end(em_json_t *j, const em_json_pointers_t *set)
{
    static const char  space = ' ';

    if (j->status == EM_JSON_MORE) {

        /* a number that is the whole text ends here */

        if (j->depth == 0 && j->state == sw_number) {
            return em_json_feed(j, set, &space, 1);
        }

        j->status = (j->depth == 0
                     && (j->state == sw_start
                         || j->state == sw_looked
                         || j->state == sw_value))
                    ? EM_JSON_EMPTY : EM_JSON_MALFORMED;
    }

    return j->status;
}


/*
 * Returns the state after an opening bracket, or 0 if no pointer leads into
 * the text.
 */

static int
em_json_open(em_json_t *j, const em_json_pointers_t *set, uint8_t bracket)
{
    uint32_t  alive, bit;

    alive = j->match & ~set->ends[j->depth];

    if (bracket == '[') {
        alive &= set->indexes[j->depth];
    }

    if (alive == 0) {

        if (j->depth == 0) {
            return 0;
        }

        j->skip.depth = 1;
        j->skip.string = 0;
        j->skip.escaped = 0;
        j->skip.open = bracket;

        return sw_skip;
    }

    /* a pointer has tokens left, so there is room for one more level */

    bit = (uint32_t) 1 << j->depth;

    j->alive[j->depth] = alive;
    j->index[j->depth] = EM_JSON_NO_INDEX;
    j->depth++;

    j->close = bracket + 2;

    if (bracket == '{') {
        j->objects |= bit;
        return sw_first_name;
    }

    j->objects &= ~bit;

    em_json_element(j, set);

    return sw_first_element;
}


/* returns 1 if the string or number that has ended is the code */

static int
em_json_found(em_json_t *j, const em_json_pointers_t *set)
{
    if (!j->capture || j->overflow || j->len == 0) {
        return 0;
    }

    j->pointer = (size_t) __builtin_ctz(j->match & set->ends[j->depth]);
    j->status = EM_JSON_FOUND;

    return 1;
}
