
#include <stdio.h>
#include <string.h>

#include "em_path_state.h"


static const char *em_path_pointer(em_path_parser_t *pp);
static const char *em_path_star(em_path_parser_t *pp);
static size_t em_path_star_query(em_path_parser_t *pp, char *buf, size_t size,
    int any);


const char *
em_path_parse(em_path_t *path, const char *text, size_t len, char *error)
{
    size_t               n;
    const char          *err;
    em_path_parser_t     pp;
    em_path_selector_t  *s;

    if (len >= EM_PATH_TEXT) {
        return "it is too long, at most 255 bytes are allowed";
    }

    if (len && text[0] != '/' && text[0] != '$') {
        return "it must be a JSON pointer like \"/error/code\" or "
               "a JSONPath like \"$.errors[*].code\"";
    }

    pp.path = path;
    pp.start = text;
    pp.p = text;
    pp.end = text + len;
    pp.used = 0;
    pp.error = error;

    path->nselectors = 0;

    err = (len && text[0] == '$') ? em_path_query(&pp) : em_path_pointer(&pp);

    if (err) {
        return err;
    }

    for (n = 0; n < path->nselectors; n++) {
        s = &path->selectors[n];

        if (s->kind >= EM_PATH_ANY) {
            break;
        }
    }

    path->plain = (n == path->nselectors);
    path->home = (uint8_t) (path->plain && n ? n - 1 : n);

    return NULL;
}


static const char *
em_path_pointer(em_path_parser_t *pp)
{
    char                 c;
    size_t               len;
    const char          *start;
    em_path_selector_t  *s;

    while (pp->p < pp->end) {

        s = em_path_selector(pp, EM_PATH_TOKEN);
        if (s == NULL) {
            return em_path_deep;
        }

        s->name = (uint8_t) pp->used;
        start = ++pp->p;

        while (pp->p < pp->end && *pp->p != '/') {
            c = *pp->p++;

            if (c == '~') {

                if (pp->p == pp->end || (*pp->p != '0' && *pp->p != '1')) {
                    return "\"~\" must be \"~0\" or \"~1\" in a JSON pointer";
                }

                c = (*pp->p++ == '0') ? '~' : '/';
            }

            pp->path->text[pp->used++] = c;
        }

        if (pp->p - start == 1 && *start == '*') {
            return em_path_star(pp);
        }

        len = pp->used - s->name;

        if (len > EM_PATH_NAME_MAX) {
            return em_path_long;
        }

        s->len = (uint8_t) len;
        s->index = em_path_index(&pp->path->text[s->name], len);
    }

    return NULL;
}


/* who writes this of a pointer means any child, hardly a member "*" */

static const char *
em_path_star(em_path_parser_t *pp)
{
    int   n;
    char  any[EM_PATH_ERROR / 4], member[EM_PATH_ERROR / 4];

    if (em_path_star_query(pp, any, sizeof(any), 1)
        && em_path_star_query(pp, member, sizeof(member), 0))
    {
        n = snprintf(pp->error, EM_PATH_ERROR,
                     "\"*\" in a JSON pointer is a member of that name; "
                     "did you mean \"%s\"?  The member itself is \"%s\"",
                     any, member);

        if (n > 0 && n < EM_PATH_ERROR) {
            return pp->error;
        }
    }

    return "\"*\" in a JSON pointer is a member of that name; any child is "
           "\"[*]\" in a JSONPath, the member itself is \"['*']\"";
}


/* the pointer as a JSONPath; returns its length, or 0 if it is too long */

static size_t
em_path_star_query(em_path_parser_t *pp, char *buf, size_t size, int any)
{
    char        *b;
    size_t       len, i;
    const char  *p, *token;

    b = buf;
    p = pp->start;

    *b++ = '$';

    while (p < pp->end) {

        for (token = ++p; p < pp->end && *p != '/'; p++) { /* void */ }

        len = (size_t) (p - token);

        /* each byte may become two, in quotes and brackets */

        if (2 * len + 8 > size - (size_t) (b - buf)) {
            return 0;
        }

        if (len == 1 && *token == '*' && any) {
            memcpy(b, "[*]", 3);
            b += 3;
            continue;
        }

        if (em_path_index(token, len) != EM_PATH_NO_INDEX) {
            *b++ = '[';
            memcpy(b, token, len);
            b += len;
            *b++ = ']';
            continue;
        }

        for (i = 0; i < len && em_path_name_char(token[i], i == 0); i++) {
            /* void */
        }

        if (len && i == len) {
            *b++ = '.';
            memcpy(b, token, len);
            b += len;
            continue;
        }

        *b++ = '[';
        *b++ = '\'';

        for (i = 0; i < len; i++) {

            if (token[i] == '~' && i + 1 < len) {
                *b++ = (token[++i] == '1') ? '/' : '~';
                continue;
            }

            if (token[i] == '\'' || token[i] == '\\') {
                *b++ = '\\';
            }

            *b++ = token[i];
        }

        *b++ = '\'';
        *b++ = ']';
    }

    *b = '\0';

    return (size_t) (b - buf);
}
