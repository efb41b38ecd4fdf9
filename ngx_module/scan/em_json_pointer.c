
#include "em_json_state.h"


static uint32_t em_json_array_index(const char *text, size_t len);


const char *
em_json_pointer_add(em_json_pointers_t *set, const char *text, size_t len)
{
    char                c;
    size_t              i, n, used;
    em_json_token_t    *t;
    em_json_pointer_t  *p;

    if (set->npointers == EM_JSON_POINTERS) {
        return "at most 16 JSON pointers are allowed";
    }

    if (len && text[0] != '/') {
        return "it must be a JSON pointer like \"/error/code\"";
    }

    if (len >= EM_JSON_TEXT) {
        return "a JSON pointer must have at most 255 bytes";
    }

    p = &set->pointers[set->npointers];
    p->ntokens = 0;

    i = 0;
    used = 0;

    while (i < len) {

        if (p->ntokens == EM_JSON_TOKENS) {
            return "a JSON pointer must have at most 16 tokens";
        }

        t = &p->tokens[p->ntokens];
        t->offset = (uint8_t) used;

        for (i++; i < len && text[i] != '/'; i++) {
            c = text[i];

            if (c == '~') {
                i++;

                if (i == len || (text[i] != '0' && text[i] != '1')) {
                    return "\"~\" in a JSON pointer must be \"~0\" or \"~1\"";
                }

                c = (text[i] == '0') ? '~' : '/';
            }

            p->text[used++] = c;
        }

        if (used - t->offset > EM_JSON_TOKEN_MAX) {
            return "a token of a JSON pointer must have at most 128 bytes";
        }

        t->len = (uint8_t) (used - t->offset);
        t->index = em_json_array_index(&p->text[t->offset], t->len);

        p->ntokens++;
    }

    for (n = 0; n < p->ntokens; n++) {
        set->lengths[n] |= (uint64_t) 1 << (p->tokens[n].len & 63);

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


void
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

    j->match = 0;
    alive = j->alive[level];

    for ( /* void */ ; alive; alive &= alive - 1) {

        i = (size_t) __builtin_ctz(alive);

        p = &set->pointers[i];
        t = &p->tokens[level];

        if (t->len == len && memcmp(&p->text[t->offset], name, len) == 0) {
            j->match |= (uint32_t) 1 << i;
        }
    }
}
