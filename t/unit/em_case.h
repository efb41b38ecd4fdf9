
/*
 * Cases of em_select as lines of text:
 *
 *     PLAN | BODY | ANSWER | OPTIONS
 *
 * PLAN is lines of a document as nginx.conf has them.  In BODY and ANSWER, \xNN
 * is a byte and \@N@ the byte before it, N times more.  The rows are 1, 2, "true" and
 * what begins with "e." or is from 100 to 199; successes are 0 and OK.
 *
 * ANSWER: a code that is an error, ?code if it is unlisted, ok for a success,
 * -REASON for none; "!" after it if it is certain before the JSON text ends.
 * What follows are the values of fields, NAME=VALUE, those named in PLAN and
 * not here having none.
 *
 * OPTIONS: texts=N, charset=NAME, stop=N (bytes, then em_select_stop()),
 * at=N-M (bytes after which it is certain), decided, numbers: after a code comes
 * @SOURCE.PATH, after ok of a marker @MARKER=VALUE, after a field's NAME @LINE.
 */


#ifndef _EM_CASE_H_INCLUDED_
#define _EM_CASE_H_INCLUDED_


#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "em_select_state.h"


#define EM_CASE_WORDS   256
#define EM_CASE_FIELDS   64
#define EM_CASE_BODY    (1 << 18)
#define EM_CASE_LINE    (1 << 16)


typedef struct {
    char                  text[EM_CASE_LINE];     /* the words' */
    size_t                used;

    em_plan_t             plan;       /* without what it does not need */

    em_plan_str_t         values[EM_CASE_WORDS];
    size_t                nvalues;

    const char           *fields[EM_CASE_FIELDS];
    unsigned              nfields;

    regex_t               patterns[EM_CASE_WORDS];
    size_t                npatterns;

    const char           *error;
    char                  buf[EM_PATH_ERROR];
} em_case_plan_t;


typedef struct {
    em_case_plan_t        plan;

    char                  body[EM_CASE_BODY];
    size_t                len;

    char                  answer[EM_CASE_LINE];

    em_select_options_t   options;
    size_t                stop;       /* or -1 */
    int                   numbers;
    size_t                from;       /* at */
    size_t                to;
} em_case_t;


static const char *
em_case_reason(em_select_reason_e reason)
{
    static const char *const  reasons[] = {
        "no_code", "empty", "malformed", "charset", "stopped", "cost"
    };

    return reasons[reason];
}


static em_select_kind_e
em_case_classify(void *data, const char *code, size_t len, uintptr_t *row)
{
    (void) data;

    *row = len;

    if ((len == 1 && *code == '0') || (len == 2 && memcmp(code, "OK", 2) == 0))
    {
        return EM_SELECT_SUCCESS;
    }

    if ((len == 1 && (*code == '1' || *code == '2'))
        || (len == 4 && memcmp(code, "true", 4) == 0)
        || (len >= 2 && memcmp(code, "e.", 2) == 0)
        || (len == 3 && *code == '1' && isdigit((unsigned char) code[1])
            && isdigit((unsigned char) code[2])))
    {
        return EM_SELECT_ERROR;
    }

    return EM_SELECT_UNLISTED;
}


/* a pattern "cost" gives up */

static int
em_case_match(void *data, const void *pattern, const char *value, size_t len,
    em_plan_str_t *code)
{
    char        text[EM_PLAN_VALUE_MAX + 1];
    regmatch_t  m[2];

    (void) data;

    if (pattern == NULL) {
        abort();
    }

    memcpy(text, value, len);
    text[len] = '\0';

    if (strlen(text) == 4 && memcmp(text, "cost", 4) == 0) {
        return -1;
    }

    m[1].rm_so = -1;

    if (regexec(pattern, text, 2, m, 0) != 0) {
        return 0;
    }

    if (((const regex_t *) pattern)->re_nsub == 0) {
        m[1] = m[0];

    } else if (m[1].rm_so < 0) {
        return 0;
    }

    code->data = value + m[1].rm_so;
    code->len = (size_t) (m[1].rm_eo - m[1].rm_so);

    return 1;
}


static const em_select_calls_t  em_case_calls = {
    em_case_classify, em_case_match
};


/* the next word at *p, unquoted, in p->text; NULL at a ";" or the end */

static char *
em_case_word(em_case_plan_t *cp, const char **p, size_t *len)
{
    char  quote, *start;

    while (**p == ' ') {
        (*p)++;
    }

    if (**p == '\0' || **p == ';') {
        return NULL;
    }

    start = &cp->text[cp->used];
    quote = (**p == '\'' || **p == '"') ? *(*p)++ : 0;

    while (**p && (quote ? **p != quote : **p != ' ' && **p != ';')) {

        if (**p == '\\' && (*p)[1] && strchr("\"'\\", (*p)[1])) {
            (*p)++;
        }

        cp->text[cp->used++] = *(*p)++;
    }

    if (quote && **p) {
        (*p)++;
    }

    *len = (size_t) (&cp->text[cp->used] - start);
    cp->text[cp->used++] = '\0';

    return start;
}


static const void *
em_case_pattern(em_case_plan_t *cp, const char *text)
{
    regex_t  *re;

    re = &cp->patterns[cp->npatterns];

    if (regcomp(re, text, REG_EXTENDED) != 0) {
        return NULL;
    }

    cp->npatterns++;

    return re;
}


/* the lines of a document; cp->error is the first error */

static void
em_case_plan(em_case_plan_t *cp, const char *conf)
{
    int             ms, unless;
    char           *word, *words[EM_CASE_WORDS], *path;
    size_t          n, i, first, len, lens[EM_CASE_WORDS];
    unsigned        number, line;
    const void     *pattern;
    em_plan_str_t   code;

    for (i = 0; i < cp->npatterns; i++) {
        regfree(&cp->patterns[i]);
    }

    memset(&cp->plan, 0, sizeof(em_plan_t));

    cp->used = 0;
    cp->nvalues = 0;
    cp->nfields = 0;
    cp->npatterns = 0;
    cp->error = NULL;

    for (line = 0; *conf; line++) {

        n = 0;

        while (n < EM_CASE_WORDS && (word = em_case_word(cp, &conf, &len))) {
            words[n] = word;
            lens[n++] = len;
        }

        if (*conf == ';') {
            conf++;
        }

        if (n == 0) {
            continue;
        }

        first = (strcmp(words[0], "field") == 0) ? 3 : 2;

        if (n <= first || cp->nfields == EM_CASE_FIELDS
            || cp->nvalues + n > EM_CASE_WORDS)
        {
            cp->error = "a line is too short, or they are too many";
            return;
        }

        if (strcmp(words[0], "success") == 0) {

            first = cp->nvalues;

            for (i = 3; i < n; i++) {
                cp->values[cp->nvalues].data = words[i];
                cp->values[cp->nvalues++].len = lens[i];
            }

            cp->error = em_plan_marker(&cp->plan, words[2], lens[2],
                                       &cp->values[first],
                                       cp->nvalues - first, cp->buf);
            if (cp->error) {
                return;
            }

            continue;
        }

        /* source json, field NAME json, retry_after json */

        pattern = NULL;
        code.data = NULL;
        code.len = 0;
        ms = 0;
        path = NULL;
        unless = 0;

        for (i = first; i < n; i++) {

            if (strncmp(words[i], "pattern=", 8) == 0) {
                pattern = em_case_pattern(cp, words[i] + 8);

                if (pattern == NULL) {
                    cp->error = "a pattern is invalid";
                    return;
                }

            } else if (strncmp(words[i], "code=", 5) == 0) {
                code.data = words[i] + 5;
                code.len = lens[i] - 5;

            } else if (strcmp(words[i], "unit=ms") == 0) {
                ms = 1;

            } else if (strncmp(words[i], "if=", 3) == 0) {
                path = words[i] + 3;

            } else if (strncmp(words[i], "unless=", 7) == 0) {
                path = words[i] + 7;
                unless = 1;

            } else {
                continue;
            }

            words[i] = NULL;
        }

        if (*words[0] == 's') {
            cp->error = em_plan_source(&cp->plan, code.data ? &code : NULL,
                                       pattern);
            if (cp->error) {
                return;
            }

        } else {
            word = words[first - 2];

            for (number = 0; number < cp->nfields; number++) {
                if (strcmp(cp->fields[number], word) == 0) {
                    break;
                }
            }

            if (number == cp->nfields) {
                cp->fields[cp->nfields++] = word;
            }

            if (first == 3) {
                em_plan_field(&cp->plan, number, line, pattern);

            } else {
                em_plan_retry(&cp->plan, number, line, pattern, ms);
            }
        }

        for (i = first; i < n; i++) {

            if (words[i]) {
                cp->error = em_plan_path(&cp->plan, words[i], lens[i],
                                         cp->buf);
                if (cp->error) {
                    return;
                }
            }
        }

        if (path && *words[0] == 's') {
            cp->error = em_plan_condition(&cp->plan, unless, path,
                                          strlen(path), cp->buf);
            if (cp->error) {
                return;
            }
        }
    }

    em_plan_compile(&cp->plan, EM_PLAN_TRUE);

    memset((char *) &cp->plan + cp->plan.bytes, 0xa5,
           sizeof(em_plan_t) - cp->plan.bytes);
}


static int
em_case_hex(char c)
{
    return isdigit((unsigned char) c) ? c - '0' : (c | 0x20) - 'a' + 10;
}


static size_t
em_case_bytes(char *buf, const char *text, size_t len)
{
    char         ch, *p;
    long         n;
    const char  *end;

    p = buf;

    for (end = text + len; text < end; text++) {

        if (end - text >= 4 && text[0] == '\\' && text[1] == 'x') {
            ch = (char) (em_case_hex(text[2]) * 16 + em_case_hex(text[3]));
            *p++ = ch;
            text += 3;
            continue;
        }

        if (end - text >= 4 && text[0] == '\\' && text[1] == '@') {
            ch = p[-1];

            for (n = strtol(text + 2, (char **) &text, 10); n; n--) {
                *p++ = ch;
            }

            continue;
        }

        *p++ = *text;
    }

    return (size_t) (p - buf);
}


/* reads a case; 0 if the line has none */

__attribute__((unused)) static int
em_case_read(em_case_t *c, char *line)
{
    char        *p, *part[4], *word;
    size_t       n, len;
    const char  *options;

    len = strcspn(line, "\n");
    line[len] = '\0';

    if (len == 0 || line[0] == '#') {
        return 0;
    }

    part[1] = part[2] = part[3] = (char *) "";

    for (n = 0, p = line; p && n < 4; n++) {
        part[n] = p;

        p = strstr(p, " | ");

        if (p && n < 3) {
            *p = '\0';
            p += 3;
        }
    }

    for (n = 0; n < 4; n++) {

        while (*part[n] == ' ') {
            part[n]++;
        }

        len = strlen(part[n]);

        while (len && part[n][len - 1] == ' ') {
            part[n][--len] = '\0';
        }
    }

    em_case_plan(&c->plan, part[0]);

    c->len = em_case_bytes(c->body, part[1], strlen(part[1]));

    len = em_case_bytes(c->answer, part[2], strlen(part[2]));
    c->answer[len] = '\0';

    memset(&c->options, 0, sizeof(em_select_options_t));
    c->options.fields = c->plan.nfields == 64
                        ? ~(uint64_t) 0
                        : ((uint64_t) 1 << c->plan.nfields) - 1;
    c->stop = (size_t) -1;
    c->numbers = 0;
    c->from = 0;
    c->to = (size_t) -1;

    options = part[3];

    while ((word = em_case_word(&c->plan, &options, &len))) {

        if (strncmp(word, "texts=", 6) == 0) {
            c->options.texts = (uint32_t) atoi(word + 6);

        } else if (strncmp(word, "charset=", 8) == 0) {
            c->options.charset = em_charset_find(word + 8, len - 8);

        } else if (strncmp(word, "stop=", 5) == 0) {
            c->stop = (size_t) atol(word + 5);

        } else if (strncmp(word, "at=", 3) == 0) {
            c->from = (size_t) strtol(word + 3, &p, 10);
            c->to = (size_t) atol(p + 1);

        } else if (strcmp(word, "decided") == 0) {
            c->options.decided = 1;

        } else if (strcmp(word, "numbers") == 0) {
            c->numbers = 1;

        } else {
            fprintf(stderr, "bad option %s\n", word);
            exit(2);
        }
    }

    return 1;
}


/* the answer as text; early: the text had not ended when it was certain */

static void
em_case_answer(em_case_t *c, em_select_t *s, int early, char *buf,
    size_t size)
{
    size_t               n, len;
    unsigned             i, line;
    const char          *value;
    em_select_verdict_t  v;

    em_select_verdict(s, &v);

    switch (v.kind) {

    case EM_SELECT_ERROR:
        n = (size_t) snprintf(buf, size, "%.*s", (int) v.code.len,
                              v.code.data);
        break;

    case EM_SELECT_UNLISTED:
        n = (size_t) snprintf(buf, size, "?%.*s", (int) v.code.len,
                              v.code.data);
        break;

    case EM_SELECT_SUCCESS:
        n = (size_t) snprintf(buf, size, "ok");
        break;

    default:
        n = (size_t) snprintf(buf, size, "-%s", em_case_reason(v.reason));
    }

    if (v.kind != EM_SELECT_NONE && early) {
        n += (size_t) snprintf(buf + n, size - n, "!");
    }

    if (v.kind != EM_SELECT_NONE && c->numbers) {

        if (v.marker) {
            n += (size_t) snprintf(buf + n, size - n, "@%u=%.*s", v.source,
                                   (int) v.code.len,
                                   v.code.len ? v.code.data : "");

        } else {
            n += (size_t) snprintf(buf + n, size - n, "@%u.%u%s", v.source,
                                   v.path, v.row == v.code.len ? "" : " row");
        }
    }

    /* of a text without a code they may still be wanted: another source */

    if (v.kind == EM_SELECT_SUCCESS
        || (v.kind == EM_SELECT_NONE && v.reason != EM_SELECT_NO_CODE))
    {
        return;
    }

    for (i = 0; i < c->plan.nfields; i++) {

        value = em_select_field(s, i, &len, &line);

        if (value && c->numbers) {
            n += (size_t) snprintf(buf + n, size - n, " %s@%u=%.*s",
                                   c->plan.fields[i], line, (int) len, value);

        } else if (value && strcmp(c->plan.fields[i], "retry_after") == 0) {
            n += (size_t) snprintf(buf + n, size - n, " retry_after=%u",
                                   (unsigned) em_select_retry(s, i));

        } else if (value) {
            n += (size_t) snprintf(buf + n, size - n, " %s=%.*s",
                                   c->plan.fields[i], (int) len, value);
        }
    }
}


#endif /* _EM_CASE_H_INCLUDED_ */
