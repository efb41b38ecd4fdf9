
#include "ngx_http_error_map_document.h"
#include "ngx_http_error_map_pattern.h"
#include "ngx_http_error_map_policy.h"
#include "ngx_http_error_map_util.h"


/* the lines of a document that say what its codes mean */


/* bytes of a row's pattern, which is a label of metrics */
#define NGX_HTTP_ERROR_MAP_PATTERN_MAX  512


static char *ngx_http_error_map_document_success_code(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *code);
static ngx_int_t ngx_http_error_map_document_type(ngx_str_t *word);
static ngx_http_error_map_group_row_t *ngx_http_error_map_document_add_group(
    ngx_conf_t *cf, ngx_http_error_map_document_t *document, em_group_e type,
    ngx_str_t *text, ngx_uint_t success);
static ngx_int_t ngx_http_error_map_document_group_text(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document,
    ngx_http_error_map_group_row_t *group, ngx_str_t *text);
static ngx_int_t ngx_http_error_map_document_range(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_group_t *group,
    ngx_str_t *text);
static char *ngx_http_error_map_document_group_label(ngx_conf_t *cf,
    em_group_e type, ngx_str_t *text);
static char *ngx_http_error_map_document_entry(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *value, char *what,
    ngx_str_t *name, em_entry_t *entry);
static ngx_uint_t ngx_http_error_map_document_is_title(ngx_str_t *title);
static ngx_uint_t ngx_http_error_map_document_is_text(ngx_str_t *text,
    size_t max);
static ngx_uint_t ngx_http_error_map_document_is_range(ngx_str_t *code);


/* by em_group_e */

static struct {
    ngx_str_t   word;
    ngx_uint_t  nelts;
    char       *syntax;
} ngx_http_error_map_groups[] = {
    { ngx_string("range"), 5, "range first-last status CLASS 'title';" },
    { ngx_string("prefix"), 5, "prefix text status CLASS 'title';" },
    { ngx_string("pattern"), 5, "pattern regex status CLASS 'title';" },
    { ngx_string("default"), 4, "default status CLASS 'title';" },
    { ngx_null_string, 0, NULL }
};


char *
ngx_http_error_map_document_success(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    ngx_int_t    type;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    if (cf->args->nelts == 1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no code in row \"success\" of error_map_document "
                           "\"%V\", it must be \"success code ...;\"",
                           &document->name);
        return NGX_CONF_ERROR;
    }

    i = 1;
    type = NGX_DECLINED;

    /* without an argument, these are codes */

    if (cf->args->nelts > 2) {

        type = ngx_http_error_map_document_type(&value[1]);

        if (type == EM_GROUP_DEFAULT) {
            type = NGX_DECLINED;
        }

        if (type != NGX_DECLINED || ngx_strcmp(value[1].data, "code") == 0) {
            i = 2;
        }
    }

    for ( /* void */ ; i < cf->args->nelts; i++) {

        if (type != NGX_DECLINED) {
            if (ngx_http_error_map_document_add_group(cf, document, type,
                                                      &value[i], 1)
                == NULL)
            {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (ngx_http_error_map_document_is_range(&value[i])
            && ngx_strcmp(value[1].data, "code") != 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "ambiguous success code \"%V\" in "
                               "error_map_document \"%V\", write \"success "
                               "range %V;\" for all codes from the first to "
                               "the last, or \"success code %V;\"",
                               &value[i], &document->name, &value[i],
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        if (ngx_http_error_map_document_success_code(cf, document, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_error_map_document_success_code(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *code)
{
    em_str_t  *success;

    if (!ngx_http_error_map_document_is_text(code, EM_CODE_MAX)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid success code \"%V\" in "
                           "error_map_document \"%V\", it must be 1 to 128 "
                           "bytes without control characters",
                           code, &document->name);
        return NGX_CONF_ERROR;
    }

    success = ngx_array_push(&document->success_codes);
    if (success == NULL) {
        return NGX_CONF_ERROR;
    }

    success->data = (char *) code->data;
    success->len = code->len;

    return NGX_CONF_OK;
}


/* returns the type of group that a line of this keyword has */

static ngx_int_t
ngx_http_error_map_document_type(ngx_str_t *word)
{
    ngx_uint_t  type;

    for (type = 0; ngx_http_error_map_groups[type].nelts; type++) {
        if (ngx_http_error_map_equal(&ngx_http_error_map_groups[type].word,
                                     word))
        {
            return type;
        }
    }

    return NGX_DECLINED;
}


char *
ngx_http_error_map_document_row(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    ngx_str_t                 *value, *code;
    ngx_http_error_map_row_t  *row, new;

    /* the row may begin with the keyword "code" */

    value = cf->args->elts;
    code = &value[cf->args->nelts - 4];

    if (!ngx_http_error_map_document_is_text(code, EM_CODE_MAX)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid code \"%V\" in error_map_document \"%V\", "
                           "it must be 1 to 128 bytes without control "
                           "characters", code, &document->name);
        return NGX_CONF_ERROR;
    }

    if (code == value && ngx_http_error_map_document_is_range(code)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "ambiguous code \"%V\" in error_map_document "
                           "\"%V\", write \"range %V ...\" for all codes from "
                           "the first to the last, or \"code %V ...\"",
                           code, &document->name, code, code);
        return NGX_CONF_ERROR;
    }

    new.entry.code = (char *) code->data;

    if (ngx_http_error_map_document_entry(cf, document, code + 1, "code", code,
                                          &new.entry)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    new.file = cf->conf_file->file.name.data;
    new.line = cf->conf_file->line;

    row = ngx_array_push(&document->rows);
    if (row == NULL) {
        return NGX_CONF_ERROR;
    }

    *row = new;

    return NGX_CONF_OK;
}


char *
ngx_http_error_map_document_group(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    ngx_int_t                        type;
    ngx_str_t                       *value;
    ngx_http_error_map_group_row_t  *group;

    value = cf->args->elts;

    type = ngx_http_error_map_document_type(&value[0]);

    if (cf->args->nelts != ngx_http_error_map_groups[type].nelts) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid row \"%V\" in error_map_document \"%V\", "
                           "it must be \"%s\" with \"-\" for no status, or "
                           "\"code %V status CLASS 'title';\"",
                           &value[0], &document->name,
                           ngx_http_error_map_groups[type].syntax, &value[0]);
        return NGX_CONF_ERROR;
    }

    group = ngx_http_error_map_document_add_group(cf, document, type,
                                                  &value[1], 0);
    if (group == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_error_map_document_entry(cf, document,
                                             &value[cf->args->nelts - 3],
                                             "row", &group->name,
                                             &group->row.entry);
}


/* adds a row of many codes, without its entry's status, class and title */

static ngx_http_error_map_group_row_t *
ngx_http_error_map_document_add_group(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_group_e type, ngx_str_t *text,
    ngx_uint_t success)
{
    u_char                          *p;
    ngx_str_t                       *word;
    ngx_http_error_map_group_row_t  *group;

    group = ngx_array_push(&document->groups);
    if (group == NULL) {
        return NULL;
    }

    ngx_memzero(group, sizeof(ngx_http_error_map_group_row_t));

    group->group.type = type;
    group->group.order = document->groups.nelts - 1;
    group->success = success;
    group->row.file = cf->conf_file->file.name.data;
    group->row.line = cf->conf_file->line;

    word = &ngx_http_error_map_groups[type].word;

    if (type == EM_GROUP_DEFAULT) {
        group->name = *word;
        group->row.entry.code = (char *) word->data;
        return group;
    }

    if (ngx_http_error_map_document_group_text(cf, document, group, text)
        != NGX_OK)
    {
        return NULL;
    }

    p = ngx_pnalloc(cf->temp_pool,
                    word->len + text->len + sizeof("success  ") - 1);
    if (p == NULL) {
        return NULL;
    }

    group->name.data = p;
    group->name.len = ngx_sprintf(p, "%s%V %V", success ? "success " : "",
                                  word, text)
                      - p;

    group->row.entry.code = ngx_http_error_map_document_group_label(cf, type,
                                                                    text);

    return group->row.entry.code ? group : NULL;
}


static ngx_int_t
ngx_http_error_map_document_group_text(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document,
    ngx_http_error_map_group_row_t *group, ngx_str_t *text)
{
    switch (group->group.type) {

    case EM_GROUP_RANGE:
        return ngx_http_error_map_document_range(cf, document, &group->group,
                                                 text);

    case EM_GROUP_PREFIX:

        if (ngx_http_error_map_document_is_text(text, EM_CODE_MAX)) {
            group->group.text.data = (char *) text->data;
            group->group.text.len = text->len;
            return NGX_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid prefix \"%V\" in error_map_document "
                           "\"%V\", it must be 1 to 128 bytes without control "
                           "characters", text, &document->name);
        return NGX_ERROR;

    default: /* EM_GROUP_PATTERN */

        if (ngx_http_error_map_document_is_text(text,
                                              NGX_HTTP_ERROR_MAP_PATTERN_MAX))
        {
            return ngx_http_error_map_pattern_code(cf, document, text,
                                                   &group->group.pattern)
                   == NGX_CONF_OK ? NGX_OK : NGX_ERROR;
        }

        /* nginx cuts off the end of a message of 1 KB */

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid pattern \"%*s\" in error_map_document "
                           "\"%V\", it must be 1 to %d bytes without control "
                           "characters",
                           ngx_min(text->len, NGX_HTTP_ERROR_MAP_PATTERN_MAX),
                           text->data, &document->name,
                           NGX_HTTP_ERROR_MAP_PATTERN_MAX);
        return NGX_ERROR;
    }
}


static ngx_int_t
ngx_http_error_map_document_range(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_group_t *group,
    ngx_str_t *text)
{
    char  *err;

    if (!em_group_range((char *) text->data, text->len, &group->first,
                        &group->last))
    {
        err = "it must be first-last, integers of at most 18 digits without "
              "leading zeros";

    } else if (group->first > group->last) {
        err = "its first code must not be greater than its last";

    } else {
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid range \"%V\" in error_map_document \"%V\", %s",
                       text, &document->name, err);

    return NGX_ERROR;
}


static char *
ngx_http_error_map_document_group_label(ngx_conf_t *cf, em_group_e type,
    ngx_str_t *text)
{
    u_char  *label;

    if (type == EM_GROUP_RANGE) {
        return (char *) text->data;
    }

    label = ngx_pnalloc(cf->pool, text->len + 2);
    if (label == NULL) {
        return NULL;
    }

    (void) ngx_sprintf(label, type == EM_GROUP_PREFIX ? "%V*%Z" : "~%V%Z",
                       text);

    return (char *) label;
}


/* parses status, class and title; what and name say whose for a message */

static char *
ngx_http_error_map_document_entry(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *value, char *what,
    ngx_str_t *name, em_entry_t *entry)
{
    int         class;
    ngx_int_t   status;
    ngx_str_t   names;

    status = 0;

    if (ngx_strcmp(value[0].data, "-") != 0) {

        status = ngx_http_error_map_status(&value[0]);

        if (status == NGX_ERROR) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid status \"%V\" of %s \"%V\" in "
                               "error_map_document \"%V\", it must be \"-\" "
                               "or from 200 to 599 except 204, 205, 206 and "
                               "304",
                               &value[0], what, name, &document->name);
            return NGX_CONF_ERROR;
        }
    }

    class = em_class_find((char *) value[1].data, value[1].len);

    if (class < 0) {
        if (ngx_http_error_map_class_names(cf, &names) == NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown class \"%V\" of %s \"%V\" in "
                               "error_map_document \"%V\", it must be one of: "
                               "%V", &value[1], what, name, &document->name,
                               &names);
        }

        return NGX_CONF_ERROR;
    }

    if (!ngx_http_error_map_document_is_title(&value[2])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid title of %s \"%V\" in error_map_document "
                           "\"%V\", it must be 1 to 80 printable characters "
                           "of UTF-8 without \" and \\",
                           what, name, &document->name);
        return NGX_CONF_ERROR;
    }

    entry->status = (uint16_t) status;
    entry->class = (uint16_t) class;
    entry->title = (char *) value[2].data;

    return NGX_CONF_OK;
}


/* goes into JSON as it is */

static ngx_uint_t
ngx_http_error_map_document_is_title(ngx_str_t *title)
{
    u_char  *p, *last;
    size_t   n, chars;

    p = title->data;
    last = p + title->len;

    for (chars = 0; p < last; chars++) {

        if (*p < ' ' || *p == 0x7f || *p == '"' || *p == '\\'
            || (*p == 0xc2 && last - p > 1 && p[1] < 0xa0))
        {
            return 0;
        }

        n = ngx_http_error_map_utf8(p, last - p);

        if (n == 0) {
            return 0;
        }

        p += n;
    }

    return chars > 0 && chars <= 80;
}


/* any bytes but control characters, which no label and no log should have */

static ngx_uint_t
ngx_http_error_map_document_is_text(ngx_str_t *text, size_t max)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        if (text->data[i] < ' ' || text->data[i] == 0x7f) {
            return 0;
        }
    }

    return i > 0 && i <= max;
}


/* two numbers of any form, like 1001-1005, -5--3 or 007-010 */

static ngx_uint_t
ngx_http_error_map_document_is_range(ngx_str_t *code)
{
    u_char      *p, *last;
    ngx_uint_t   n;

    p = code->data;
    last = p + code->len;

    for (n = 0; n < 2; n++) {

        if (n && (p == last || *p++ != '-')) {
            return 0;
        }

        if (p < last && *p == '-') {
            p++;
        }

        if (p == last || *p < '0' || *p > '9') {
            return 0;
        }

        while (p < last && *p >= '0' && *p <= '9') {
            p++;
        }
    }

    return p == last;
}
