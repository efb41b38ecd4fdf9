
#include "ngx_http_error_map_pattern.h"


/*
 * Compiles patterns, and rejects those that cannot be searched in pieces.
 * Matches a pattern with a code.
 */


#if (NGX_PCRE2)

static char *ngx_http_error_map_pattern_compile(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text,
    uint32_t jit, ngx_http_error_map_pattern_t *pattern);
static char *ngx_http_error_map_pattern_check(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text,
    ngx_http_error_map_pattern_t *pattern);
static ngx_uint_t ngx_http_error_map_pattern_unstreamable(ngx_str_t *text);
static size_t ngx_http_error_map_pattern_behind(
    ngx_http_error_map_pattern_t *pattern);
static ngx_uint_t ngx_http_error_map_pattern_call(u_char *p, u_char *last);
static void ngx_http_error_map_pattern_free(void *data);
static int ngx_http_error_map_pattern_step(pcre2_callout_block *block,
    void *data);


/* heap limit of an interpreted pattern, in kilobytes */
#define NGX_HTTP_ERROR_MAP_HEAP        1024

/* the limit of a match with a code, see pattern.h */
#define NGX_HTTP_ERROR_MAP_CODE_STEPS  32768


pcre2_match_context  *ngx_http_error_map_match_context;

static pcre2_match_data  *ngx_http_error_map_match_data;


char *
ngx_http_error_map_pattern(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text, ngx_str_t *word)
{
    ngx_http_error_map_pattern_t  *pattern;

    pattern = ngx_array_push(&document->patterns);
    if (pattern == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(pattern, sizeof(ngx_http_error_map_pattern_t));
    pattern->word = *word;

    return ngx_http_error_map_pattern_streamed(cf, document, text, pattern);
}


char *
ngx_http_error_map_pattern_streamed(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text,
    ngx_http_error_map_pattern_t *pattern)
{
    if (ngx_http_error_map_pattern_compile(cf, document, text,
                                           PCRE2_JIT_COMPLETE
                                           |PCRE2_JIT_PARTIAL_HARD, pattern)
        != NGX_CONF_OK
        || ngx_http_error_map_pattern_check(cf, document, text, pattern)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    document->behind = ngx_max(document->behind,
                               ngx_http_error_map_pattern_behind(pattern));

    return NGX_CONF_OK;
}


ngx_http_error_map_pattern_t *
ngx_http_error_map_pattern_value(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text)
{
    uint32_t                       groups;
    ngx_http_error_map_pattern_t  *pattern;

    pattern = ngx_pcalloc(cf->pool, sizeof(ngx_http_error_map_pattern_t));

    if (pattern == NULL
        || ngx_http_error_map_pattern_compile(cf, document, text,
                                              PCRE2_JIT_COMPLETE, pattern)
           != NGX_CONF_OK)
    {
        return NULL;
    }

    (void) pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &groups);

    if (groups == 0) {
        pattern->group = 0;
    }

    return pattern;
}


char *
ngx_http_error_map_pattern_code(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text,
    const void **pattern)
{
    ngx_http_error_map_pattern_t  *new;

    new = ngx_pcalloc(cf->pool, sizeof(ngx_http_error_map_pattern_t));
    if (new == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_error_map_match_data == NULL) {

        ngx_http_error_map_match_data = pcre2_match_data_create(1, NULL);
        if (ngx_http_error_map_match_data == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    *pattern = new;

    return ngx_http_error_map_pattern_compile(cf, document, text,
                                              PCRE2_JIT_COMPLETE, new);
}


static char *
ngx_http_error_map_pattern_compile(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text, uint32_t jit,
    ngx_http_error_map_pattern_t *pattern)
{
    int                  err, n;
    char                *quote;
    size_t               erroff;
    u_char               message[128];
    pcre2_code          *code;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_error_map_match_context == NULL) {

        ngx_http_error_map_match_context = pcre2_match_context_create(NULL);
        if (ngx_http_error_map_match_context == NULL) {
            return NGX_CONF_ERROR;
        }

        pcre2_set_heap_limit(ngx_http_error_map_match_context,
                             NGX_HTTP_ERROR_MAP_HEAP);
    }

    /* a multi-line "^" must also match after the newline that ends a piece */

    code = pcre2_compile(text->data, text->len,
                         PCRE2_NEVER_UTF|PCRE2_NEVER_BACKSLASH_C
                         |PCRE2_AUTO_CALLOUT|PCRE2_ALT_CIRCUMFLEX,
                         &err, &erroff, NULL);

    if (code == NULL) {
        pcre2_get_error_message(err, message, sizeof(message));

        quote = (erroff < text->len) ? "\"" : "";

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid pattern \"%V\" in error_map_document "
                           "\"%V\", %s at %s%s%s",
                           text, &document->name, message, quote,
                           (erroff < text->len) ? text->data + erroff
                                                : (u_char *) "its end", quote);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_error_map_pattern_free;
    cln->data = code;

    pattern->text = *text;
    pattern->code = code;

    (void) pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX,
                              &pattern->references);

    n = pcre2_substring_number_from_name(code, (PCRE2_SPTR) "code");

    if (n == PCRE2_ERROR_NOUNIQUESUBSTRING) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid pattern \"%V\" in error_map_document "
                           "\"%V\", it must have only one group \"code\"",
                           text, &document->name);
        return NGX_CONF_ERROR;
    }

    pattern->group = (n > 0) ? n : 1;

    document->ncaptures = ngx_max(document->ncaptures, pattern->group);

    /* a pattern that the JIT does not support is interpreted */

    (void) pcre2_jit_compile(code, jit);

    return NGX_CONF_OK;
}


/* rejects a pattern without a code, or one that cannot be searched in pieces */

static char *
ngx_http_error_map_pattern_check(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text,
    ngx_http_error_map_pattern_t *pattern)
{
    char     *err;
    uint32_t  groups, empty;

    (void) pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    (void) pcre2_pattern_info(pattern->code, PCRE2_INFO_MATCHEMPTY, &empty);

    if (groups == 0 && pattern->word.len) {
        pattern->group = 0;
    }

    if (groups == 0 && pattern->word.len == 0) {
        err = "it must have a group for the code, the first one or one named "
              "\"code\"";

    } else if (empty) {
        err = "it must not match an empty text";

    } else if (ngx_http_error_map_pattern_unstreamable(text)) {
        err = "it must not use \\G, \\K or (*VERB) other than (*NO_JIT), as "
              "the text comes in pieces";

    } else {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid pattern \"%V\" in error_map_document \"%V\", "
                       "%s", text, &document->name, err);

    return NGX_CONF_ERROR;
}


/* returns 1 for syntax that works on a text in one piece only */

static ngx_uint_t
ngx_http_error_map_pattern_unstreamable(ngx_str_t *text)
{
    u_char  *p, *last;

    p = text->data;
    last = p + text->len;

    if (ngx_strncmp(p, "(*NO_JIT)", 9) == 0) {
        p += 9;
    }

    for ( /* void */ ; p < last; p++) {

        if (*p == '\\' && p + 1 < last) {
            p++;

            if (*p == 'G' || *p == 'K') {
                return 1;
            }

        } else if (*p == '(' && p + 1 < last && p[1] == '*') {
            return 1;
        }
    }

    return 0;
}


/*
 * PCRE2 gives the length of the longest lookbehind, but not of nested ones:
 * each has a parenthesis of its own, and groups that call each other may go
 * back to the beginning.  One more byte is kept to tell the beginning of the
 * text.
 */

static size_t
ngx_http_error_map_pattern_behind(ngx_http_error_map_pattern_t *pattern)
{
    u_char    *p, *last;
    size_t     n;
    uint32_t   behind;

    (void) pcre2_pattern_info(pattern->code, PCRE2_INFO_MAXLOOKBEHIND,
                              &behind);

    last = pattern->text.data + pattern->text.len;

    for (p = pattern->text.data, n = 0; p < last; p++) {

        if (*p == '(') {
            n++;
        }

        if (behind && ngx_http_error_map_pattern_call(p, last)) {
            return NGX_MAX_SIZE_T_VALUE;
        }
    }

    return n * behind + 1;
}


/* whether it may be (?R) (?1) (?+1) (?-1) (?&name) (?P>name) or \g<name> */

static ngx_uint_t
ngx_http_error_map_pattern_call(u_char *p, u_char *last)
{
    if (last - p > 1 && p[0] == '\\' && p[1] == 'g') {
        return 1;
    }

    if (last - p < 3 || p[0] != '(' || p[1] != '?') {
        return 0;
    }

    return ngx_strchr("R&+-0123456789", p[2]) != NULL
           || (p[2] == 'P' && last - p > 3 && p[3] == '>');
}


static void
ngx_http_error_map_pattern_free(void *data)
{
    pcre2_code_free(data);
}


int
ngx_http_error_map_pattern_match(void *data, const void *pattern,
    const char *code, size_t len)
{
    ngx_log_t *log = data;
    const ngx_http_error_map_pattern_t *row = pattern;

    int                        rc;
    ngx_http_error_map_cost_t  cost;

    ngx_memzero(&cost, sizeof(ngx_http_error_map_cost_t));

    cost.limit = NGX_HTTP_ERROR_MAP_CODE_STEPS;
    cost.references = row->references;

    rc = ngx_http_error_map_pattern_run(row, &cost, (u_char *) code, len, 0, 0,
                                        ngx_http_error_map_match_data);

    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH) {
        ngx_log_error(NGX_LOG_INFO, log, 0,
                      "error map pattern \"%V\" of a row abandoned after %uL "
                      "steps", &row->text, cost.steps);
    }

    return rc >= 0;
}


int
ngx_http_error_map_pattern_run(const ngx_http_error_map_pattern_t *pattern,
    ngx_http_error_map_cost_t *cost, u_char *data, size_t len, size_t offset,
    uint32_t options, pcre2_match_data *match)
{
    int  rc;

    pcre2_set_callout(ngx_http_error_map_match_context,
                      ngx_http_error_map_pattern_step, cost);

    rc = pcre2_match(pattern->code, data, len, offset, options, match,
                     ngx_http_error_map_match_context);

    /* the JIT has 32K of the worker's stack */

    if (rc == PCRE2_ERROR_JIT_STACKLIMIT) {
        rc = pcre2_match(pattern->code, data, len, offset,
                         options|PCRE2_NO_JIT, match,
                         ngx_http_error_map_match_context);
    }

    return rc;
}


/* PCRE2 applies its own limits to each start of a match, not to the search */

static int
ngx_http_error_map_pattern_step(pcre2_callout_block *block, void *data)
{
    ngx_http_error_map_cost_t *cost = data;

    size_t    position, *group;
    uint32_t  i, n;

    /* a back reference compares at most the length of its group */

    n = ngx_min(cost->references + 1, block->capture_top);

    for (i = 1; i < n; i++) {
        group = &block->offset_vector[2 * i];

        if (group[0] != PCRE2_UNSET && group[0] < group[1]) {
            cost->steps += group[1] - group[0];
        }
    }

    position = block->current_position;

    cost->steps += 1 + (position > cost->position ? position - cost->position
                                                  : cost->position - position);
    cost->position = position;

    return (cost->steps > cost->limit) ? PCRE2_ERROR_CALLOUT : 0;
}


#else


char *
ngx_http_error_map_pattern(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text, ngx_str_t *word)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "using pattern \"%V\" in error_map_document \"%V\" "
                       "requires PCRE2 library", text, &document->name);

    return NGX_CONF_ERROR;
}


char *
ngx_http_error_map_pattern_streamed(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text,
    ngx_http_error_map_pattern_t *pattern)
{
    return ngx_http_error_map_pattern(cf, document, text, NULL);
}


ngx_http_error_map_pattern_t *
ngx_http_error_map_pattern_value(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text)
{
    (void) ngx_http_error_map_pattern(cf, document, text, NULL);

    return NULL;
}


char *
ngx_http_error_map_pattern_code(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text,
    const void **pattern)
{
    return ngx_http_error_map_pattern(cf, document, text, NULL);
}


int
ngx_http_error_map_pattern_match(void *data, const void *pattern,
    const char *code, size_t len)
{
    return 0;
}

#endif
