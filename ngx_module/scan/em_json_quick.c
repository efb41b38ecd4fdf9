
#include "em_json_state.h"


/* what is read at most: members, and bytes of a string */
#define EM_QUICK_MEMBERS  8
#define EM_QUICK_STRING   EM_JSON_TOKEN_MAX


static inline int em_quick_match(const em_json_pointers_t *set,
    const uint8_t *name, size_t len, size_t *pointer);


size_t
em_json_quick(const em_json_pointers_t *set, const void *data, size_t len,
    const uint8_t **code, size_t *pointer)
{
    int             found;
    size_t          n, size;
    const uint8_t  *p, *end, *name, *value;

    p = data;
    end = p + len;

    if (len == 0 || *p++ != '{') {
        return 0;
    }

    for (n = 0; n < EM_QUICK_MEMBERS; n++) {

        if (p == end || *p++ != '"') {
            return 0;
        }

        name = p;
        p = em_json_span(p, end);

        if (end - p < 4 || p[0] != '"' || p[1] != ':') {
            return 0;
        }

        size = (size_t) (p - name);
        found = (set->lengths[0] >> (size & 63) & 1)
                && em_quick_match(set, name, size, pointer);

        p += 2;
        p += (*p == ' ');

        value = p;

        if (*p == '"') {
            value++;
            p = em_json_span(value, (end - value > EM_QUICK_STRING)
                                    ? value + EM_QUICK_STRING : end);

            if (p == end || *p != '"') {
                return 0;
            }

            size = (size_t) (p++ - value);

        } else if (em_json_digit(*p)) {
            p = (*p == '0') ? p + 1 : em_json_digits(p, end);
            size = (size_t) (p - value);

            if (p == end || size > EM_JSON_TOKEN_MAX
                || (*p != ',' && *p != '}'))
            {
                return 0;
            }

        } else {
            return 0;
        }

        if (found) {
            *code = value;
            return size;
        }

        if (end - p < 2 || *p++ != ',') {
            return 0;
        }

        p += (*p == ' ');
    }

    return 0;
}


/* returns 1 if a pointer of one token, the first one, is this name */

static inline int
em_quick_match(const em_json_pointers_t *set, const uint8_t *name, size_t len,
    size_t *pointer)
{
    size_t                    i;
    const em_json_pointer_t  *p;

    for (i = 0; i < set->npointers; i++) {

        p = &set->pointers[i];

        if (p->ntokens == 1 && p->tokens[0].len == len
            && memcmp(p->text, name, len) == 0)
        {
            *pointer = i;
            return 1;
        }
    }

    return 0;
}
