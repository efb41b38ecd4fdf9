
#include "ngx_http_error_map_text.h"
#include "ngx_http_error_map_pattern.h"
#include "ngx_http_error_map_total.h"


/*
 * PCRE2 is called directly, as nginx's functions do not support partial
 * matches, see pcre2partial(3): text that may become a match, or a longer one,
 * is kept for the next piece.  Text in which no match can begin is dropped.
 */


#if (NGX_PCRE2)

static ngx_int_t ngx_http_error_map_text_search(
    ngx_http_error_map_text_t *text, u_char *data, size_t len,
    uint32_t options, ngx_str_t *found);
static ngx_int_t ngx_http_error_map_text_group(
    ngx_http_error_map_text_t *text, ngx_http_error_map_pattern_t *pattern,
    u_char *data, size_t len, uint32_t options, ngx_str_t *found);
static ngx_int_t ngx_http_error_map_text_match(
    ngx_http_error_map_text_t *text, ngx_http_error_map_pattern_t *pattern,
    size_t *start, u_char *data, size_t len, uint32_t options);
static void ngx_http_error_map_text_cleanup(void *data);
static void *ngx_http_error_map_text_malloc(PCRE2_SIZE size, void *data);
static void ngx_http_error_map_text_mfree(void *p, void *data);
static ngx_int_t ngx_http_error_map_text_append(ngx_http_error_map_text_t *text,
    u_char *data, size_t len);


/* the cost limit of a search, for each byte of the text and to begin with */
#define NGX_HTTP_ERROR_MAP_STEPS      32
#define NGX_HTTP_ERROR_MAP_STEPS_MIN  262144

/* up to so many bytes, a partial match is searched again with each piece */
#define NGX_HTTP_ERROR_MAP_WAIT       16

#define NGX_HTTP_ERROR_MAP_TEXT_SIZE  4096


struct ngx_http_error_map_text_s {
    ngx_log_t         *log;
    ngx_array_t       *patterns;
    size_t             behind;
    size_t             max;      /* bytes of the text to search */
    ngx_uint_t         fields;   /* all is kept; unsigned  fields:1; */

    u_char            *data;
    size_t             len;
    size_t             size;     /* bytes allocated */

    size_t            *start;    /* by pattern: where it may match next */
    size_t             next;     /* length for the next search */

    pcre2_match_data  *match;
    ngx_http_error_map_cost_t  cost;

    u_char            *code;     /* of the last match */
    size_t             code_len;
    size_t             match_start;
};


ngx_int_t
ngx_http_error_map_text_feed(ngx_http_error_map_text_t *text, u_char *data,
    size_t len, ngx_uint_t wait, ngx_str_t *code)
{
    size_t      keep, start;
    ngx_int_t   rc;
    ngx_uint_t  i, n;

    text->cost.limit += (uint64_t) len * NGX_HTTP_ERROR_MAP_STEPS;

    if (text->len || wait || text->fields) {

        if (ngx_http_error_map_text_append(text, data, len) != NGX_OK) {
            return NGX_ERROR;
        }

        if (wait || text->len < text->next) {
            return NGX_AGAIN;
        }

        data = text->data;
        len = text->len;
    }

    rc = ngx_http_error_map_text_search(text, data, len, PCRE2_PARTIAL_HARD,
                                        code);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    n = text->patterns->nelts;

    for (i = 0, start = len; i < n; i++) {
        start = ngx_min(start, text->start[i]);
    }

    keep = (start > text->behind && !text->fields) ? start - text->behind : 0;

    data += keep;
    len -= keep;
    start -= keep;

    for (i = 0; i < n; i++) {
        text->start[i] -= keep;
    }

    if (text->len) {
        ngx_memmove(text->data, data, len);
        text->len = len;

    } else if (ngx_http_error_map_text_append(text, data, len) != NGX_OK) {
        return NGX_ERROR;
    }

    /* many small pieces must not cost many long searches */

    text->next = (len - start > NGX_HTTP_ERROR_MAP_WAIT)
                 ? len + (len - start) : 0;

    return NGX_AGAIN;
}


ngx_int_t
ngx_http_error_map_text_end(ngx_http_error_map_text_t *text, ngx_uint_t end,
    ngx_str_t *code)
{
    return ngx_http_error_map_text_search(text, text->data, text->len,
                                          end ? 0 : PCRE2_PARTIAL_HARD, code);
}


/*
 * Finds the match that begins first, or of two that begin together the one of
 * the first pattern, once no earlier match is possible.
 */

static ngx_int_t
ngx_http_error_map_text_search(ngx_http_error_map_text_t *text, u_char *data,
    size_t len, uint32_t options, ngx_str_t *code)
{
    size_t                         first;
    ngx_int_t                      rc;
    ngx_uint_t                     i, found;
    ngx_http_error_map_pattern_t  *pattern;

    pattern = text->patterns->elts;

    first = len;
    found = 0;

    for (i = 0; i < text->patterns->nelts; i++) {

        rc = ngx_http_error_map_text_match(text, &pattern[i], &text->start[i],
                                           data, len, options);

        if (rc == NGX_ERROR) {
            ngx_log_error(NGX_LOG_INFO, text->log, 0,
                          "error map pattern \"%V\" abandoned after %uL "
                          "steps", &pattern[i].text, text->cost.steps);
            return NGX_ERROR;
        }

        if (rc != NGX_DECLINED && text->match_start < first) {
            first = text->match_start;
            found = (rc == NGX_OK);
            code->data = text->code;
            code->len = text->code_len;
        }
    }

    return found ? NGX_OK : NGX_DECLINED;
}


/*
 * Returns NGX_OK with the code, NGX_AGAIN for a partial match, both with
 * match_start, NGX_DECLINED, or NGX_ERROR beyond a limit.
 */

static ngx_int_t
ngx_http_error_map_text_match(ngx_http_error_map_text_t *text,
    ngx_http_error_map_pattern_t *pattern, size_t *start, u_char *data,
    size_t len, uint32_t options)
{
    int     rc;
    size_t  offset, *place, *group;

    text->cost.position = *start;
    text->cost.references = pattern->references;

    for (offset = *start; offset < len; offset = ngx_max(place[1], offset + 1))
    {
        *start = offset;

        rc = ngx_http_error_map_pattern_run(pattern, &text->cost, data, len,
                                            offset, options, text->match);

        if (rc == PCRE2_ERROR_NOMATCH) {
            break;
        }

        place = pcre2_get_ovector_pointer(text->match);

        if (rc == PCRE2_ERROR_PARTIAL) {
            text->match_start = place[0];
            *start = place[0];
            return NGX_AGAIN;
        }

        if (rc < 0) {
            return NGX_ERROR;
        }

        text->match_start = place[0];

        /* an unset, empty or too long group is not a code */

        group = &place[2 * pattern->group];

        if (group[0] < group[1] && group[1] - group[0] <= EM_CODE_MAX) {
            text->code = data + group[0];
            text->code_len = group[1] - group[0];

            if (pattern->word.len) {
                text->code = pattern->word.data;
                text->code_len = pattern->word.len;
            }

            return NGX_OK;
        }
    }

    *start = len;

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_error_map_text_value(ngx_http_error_map_text_t *text,
    ngx_http_error_map_pattern_t *pattern, u_char *data, size_t len,
    ngx_str_t *found)
{
    text->cost.limit += (uint64_t) len * NGX_HTTP_ERROR_MAP_STEPS;

    return ngx_http_error_map_text_group(text, pattern, data, len, 0, found);
}


ngx_int_t
ngx_http_error_map_text_field(ngx_http_error_map_text_t *text,
    ngx_http_error_map_pattern_t *pattern, ngx_uint_t end, ngx_str_t *found)
{
    ngx_int_t  rc;

    rc = ngx_http_error_map_text_group(text, pattern, text->data, text->len,
                                       end ? 0 : PCRE2_PARTIAL_HARD, found);

    return (rc == NGX_DECLINED && !end) ? NGX_AGAIN : rc;
}


static ngx_int_t
ngx_http_error_map_text_group(ngx_http_error_map_text_t *text,
    ngx_http_error_map_pattern_t *pattern, u_char *data, size_t len,
    uint32_t options, ngx_str_t *found)
{
    int      rc;
    size_t  *place, *group;

    if (len == 0) {
        data = (u_char *) "";
    }

    text->cost.position = 0;
    text->cost.references = pattern->references;

    rc = ngx_http_error_map_pattern_run(pattern, &text->cost, data, len, 0,
                                        options, text->match);

    if (rc == PCRE2_ERROR_NOMATCH) {
        return NGX_DECLINED;
    }

    if (rc == PCRE2_ERROR_PARTIAL) {
        return NGX_AGAIN;
    }

    if (rc < 0) {
        ngx_log_error(NGX_LOG_INFO, text->log, 0,
                      "error map pattern \"%V\" abandoned after %uL steps",
                      &pattern->text, text->cost.steps);
        return NGX_ERROR;
    }

    place = pcre2_get_ovector_pointer(text->match);
    group = &place[2 * pattern->group];

    if (group[0] == PCRE2_UNSET || group[0] > group[1]) {
        return NGX_DECLINED;
    }

    found->data = data + group[0];
    found->len = group[1] - group[0];

    return NGX_OK;
}


ngx_http_error_map_text_t *
ngx_http_error_map_text_create(ngx_pool_t *pool, ngx_log_t *log,
    ngx_http_error_map_document_t *document, size_t size)
{
    ngx_pool_cleanup_t         *cln;
    pcre2_general_context      *context;
    ngx_http_error_map_text_t  *text;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_http_error_map_text_t));
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_error_map_text_cleanup;

    text = cln->data;

    ngx_memzero(text, sizeof(ngx_http_error_map_text_t));

    text->log = log;
    text->patterns = &document->patterns;
    text->behind = document->behind;
    text->max = size;

    text->fields = document->text_fields;

    text->start = ngx_pcalloc(pool, document->patterns.nelts * sizeof(size_t));
    if (text->start == NULL) {
        return NULL;
    }

    context = pcre2_general_context_create(ngx_http_error_map_text_malloc,
                                           ngx_http_error_map_text_mfree, pool);
    if (context == NULL) {
        return NULL;
    }

    text->match = pcre2_match_data_create(document->ncaptures + 1, context);
    if (text->match == NULL) {
        return NULL;
    }

    text->cost.limit = NGX_HTTP_ERROR_MAP_STEPS_MIN;

    return text;
}


static void *
ngx_http_error_map_text_malloc(PCRE2_SIZE size, void *data)
{
    return ngx_palloc(data, size);
}


static void
ngx_http_error_map_text_mfree(void *p, void *data)
{
    if (p) {
        (void) ngx_pfree(data, p);
    }
}


void
ngx_http_error_map_text_restart(ngx_http_error_map_text_t *text)
{
    text->len = 0;
    text->next = 0;

    ngx_memzero(text->start, text->patterns->nelts * sizeof(size_t));
}


void
ngx_http_error_map_text_free(ngx_http_error_map_text_t *text)
{
    pcre2_match_data_free(text->match);

    ngx_http_error_map_text_cleanup(text);
}


static void
ngx_http_error_map_text_cleanup(void *data)
{
    ngx_http_error_map_text_t *text = data;

    if (text->data) {
        ngx_http_error_map_give(text->data, text->size);
        text->data = NULL;
    }
}


static ngx_int_t
ngx_http_error_map_text_append(ngx_http_error_map_text_t *text, u_char *data,
    size_t len)
{
    size_t   size;
    u_char  *p;

    if (len == 0) {
        return NGX_OK;
    }

    if (len > text->size - text->len) {

        /* most texts need little, the others may need all */

        size = (text->len + len > NGX_HTTP_ERROR_MAP_TEXT_SIZE)
               ? ngx_max(text->max, text->len + len)
               : NGX_HTTP_ERROR_MAP_TEXT_SIZE;

        if (ngx_http_error_map_room(size) != NGX_OK) {
            return NGX_ERROR;
        }

        p = ngx_http_error_map_take(size, text->log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        if (text->data) {
            ngx_memcpy(p, text->data, text->len);
            ngx_http_error_map_give(text->data, text->size);
        }

        text->data = p;
        text->size = size;
    }

    ngx_memcpy(text->data + text->len, data, len);
    text->len += len;

    return NGX_OK;
}


#else


/* never called, as there are no patterns without PCRE2 */

ngx_http_error_map_text_t *
ngx_http_error_map_text_create(ngx_pool_t *pool, ngx_log_t *log,
    ngx_http_error_map_document_t *document, size_t size)
{
    return NULL;
}


ngx_int_t
ngx_http_error_map_text_feed(ngx_http_error_map_text_t *text, u_char *data,
    size_t len, ngx_uint_t wait, ngx_str_t *code)
{
    return NGX_ERROR;
}


ngx_int_t
ngx_http_error_map_text_end(ngx_http_error_map_text_t *text, ngx_uint_t end,
    ngx_str_t *code)
{
    return NGX_DECLINED;
}


ngx_int_t
ngx_http_error_map_text_value(ngx_http_error_map_text_t *text,
    ngx_http_error_map_pattern_t *pattern, u_char *data, size_t len,
    ngx_str_t *found)
{
    return NGX_ERROR;
}


ngx_int_t
ngx_http_error_map_text_field(ngx_http_error_map_text_t *text,
    ngx_http_error_map_pattern_t *pattern, ngx_uint_t end, ngx_str_t *found)
{
    return NGX_ERROR;
}


void
ngx_http_error_map_text_restart(ngx_http_error_map_text_t *text)
{
    return;
}


void
ngx_http_error_map_text_free(ngx_http_error_map_text_t *text)
{
    return;
}

#endif
