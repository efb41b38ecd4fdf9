
#include "ngx_http_error_map_document.h"
#include "ngx_http_error_map_pattern.h"
#include "ngx_http_error_map_util.h"


/* the lines of a document that say where its codes and fields are */


/* the words after the PATHs or names of a line, and what they may be */

typedef struct {
    ngx_str_t                       pattern;
    ngx_str_t                       word;
    ngx_str_t                       condition;
    ngx_uint_t                      unless;
    ngx_str_t                       unit;
} ngx_http_error_map_options_t;


typedef struct {
    ngx_str_t     name;
    size_t        offset;
    ngx_uint_t    lines;    /* bits of the lines that may have it */
} ngx_http_error_map_option_t;


/* bytes of parameters in a message */
#define NGX_HTTP_ERROR_MAP_PARAMETERS   128


#define NGX_HTTP_ERROR_MAP_LINE_JSON    0x01
#define NGX_HTTP_ERROR_MAP_LINE_HEADER  0x02
#define NGX_HTTP_ERROR_MAP_LINE_REGEX   0x04
#define NGX_HTTP_ERROR_MAP_LINE_FIELD   0x08
#define NGX_HTTP_ERROR_MAP_LINE_RETRY   0x10


static ngx_int_t ngx_http_error_map_document_type(ngx_str_t *value);
static ngx_http_error_map_option_t *ngx_http_error_map_document_option(
    ngx_str_t *word);
static char *ngx_http_error_map_document_options(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_uint_t line,
    ngx_http_error_map_options_t *options, ngx_uint_t *n);
static char *ngx_http_error_map_document_known(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_uint_t line,
    ngx_str_t *parameter);
static char *ngx_http_error_map_document_json(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document,
    ngx_http_error_map_options_t *options, ngx_uint_t n);
static char *ngx_http_error_map_document_header(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document,
    ngx_http_error_map_options_t *options, ngx_uint_t n);
static char *ngx_http_error_map_document_path(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *path);
static char *ngx_http_error_map_document_name(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *name);
static char *ngx_http_error_map_document_field_line(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_int_t type,
    ngx_uint_t number, ngx_uint_t line, ngx_uint_t first);
static ngx_int_t ngx_http_error_map_document_field_number(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *name);
static em_plan_t *ngx_http_error_map_document_plan(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);
static ngx_int_t ngx_http_error_map_document_plan_copy(ngx_pool_t *pool,
    ngx_http_error_map_document_t *document);


static ngx_http_error_map_option_t  ngx_http_error_map_options[] = {

    { ngx_string("pattern="),
      offsetof(ngx_http_error_map_options_t, pattern),
      NGX_HTTP_ERROR_MAP_LINE_JSON|NGX_HTTP_ERROR_MAP_LINE_HEADER
      |NGX_HTTP_ERROR_MAP_LINE_FIELD|NGX_HTTP_ERROR_MAP_LINE_RETRY },

    { ngx_string("code="),
      offsetof(ngx_http_error_map_options_t, word),
      NGX_HTTP_ERROR_MAP_LINE_JSON|NGX_HTTP_ERROR_MAP_LINE_HEADER
      |NGX_HTTP_ERROR_MAP_LINE_REGEX },

    { ngx_string("if="),
      offsetof(ngx_http_error_map_options_t, condition),
      NGX_HTTP_ERROR_MAP_LINE_JSON },

    { ngx_string("unless="),
      offsetof(ngx_http_error_map_options_t, condition),
      NGX_HTTP_ERROR_MAP_LINE_JSON },

    { ngx_string("unit="),
      offsetof(ngx_http_error_map_options_t, unit),
      NGX_HTTP_ERROR_MAP_LINE_RETRY },

    { ngx_null_string, 0, 0 }
};


ngx_uint_t
ngx_http_error_map_document_is_marker(ngx_conf_t *cf)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    return cf->args->nelts > 2
           && ngx_http_error_map_document_type(&value[1]) == EM_SOURCE_JSON;
}


/* returns the em_source_e, or NGX_DECLINED */

static ngx_int_t
ngx_http_error_map_document_type(ngx_str_t *value)
{
    ngx_uint_t  type;

    static char  *types[] = { "json", "header", "regex" };

    for (type = 0; type < 3; type++) {
        if (ngx_strcmp(value->data, types[type]) == 0) {
            return type;
        }
    }

    return NGX_DECLINED;
}


char *
ngx_http_error_map_document_source(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    ngx_int_t                      type;
    ngx_str_t                     *value;
    ngx_uint_t                     n;
    ngx_http_error_map_options_t   options;

    value = cf->args->elts;

    type = (cf->args->nelts > 2) ? ngx_http_error_map_document_type(&value[1])
                                 : NGX_DECLINED;

    if (type == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid source in error_map_document \"%V\", it "
                           "must be \"source json path ...;\", \"source "
                           "header name ...;\" or \"source regex pattern;\"",
                           &document->name);
        return NGX_CONF_ERROR;
    }

    n = (type == EM_SOURCE_REGEX) ? 3 : 2;

    if (ngx_http_error_map_document_options(cf, document,
                               (ngx_uint_t) 1 << type, &options, &n)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    switch (type) {

    case EM_SOURCE_JSON:
        return ngx_http_error_map_document_json(cf, document, &options, n);

    case EM_SOURCE_HEADER:
        return ngx_http_error_map_document_header(cf, document, &options, n);

    default: /* EM_SOURCE_REGEX */

        if (n != 3) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of source \"%V\" in "
                               "error_map_document \"%V\", a pattern may be "
                               "followed by \"code=\" only",
                               &value[3], &value[2], &document->name);
            return NGX_CONF_ERROR;
        }

        return ngx_http_error_map_pattern(cf, document, &value[2],
                                          &options.word);
    }
}


/* returns the option that a word is, or the last one, which has no name */

static ngx_http_error_map_option_t *
ngx_http_error_map_document_option(ngx_str_t *word)
{
    ngx_http_error_map_option_t  *o;

    for (o = ngx_http_error_map_options; o->name.len; o++) {
        if (ngx_strncmp(word->data, o->name.data, o->name.len) == 0) {
            break;
        }
    }

    return o;
}


/* takes options off the end of a line of *n or more words, and sets *n */

static char *
ngx_http_error_map_document_options(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_uint_t line,
    ngx_http_error_map_options_t *options, ngx_uint_t *n)
{
    u_char                       *p;
    ngx_str_t                    *value, *option;
    ngx_uint_t                    i, least;
    ngx_http_error_map_option_t  *o;

    ngx_memzero(options, sizeof(ngx_http_error_map_options_t));

    value = cf->args->elts;
    least = *n;

    for (i = cf->args->nelts; i > least; i--) {

        o = ngx_http_error_map_document_option(&value[i - 1]);

        if (o->name.len == 0) {
            break;
        }

        option = (ngx_str_t *) ((u_char *) options + o->offset);

        if (!(o->lines & line)) {
            return ngx_http_error_map_document_known(cf, document, line,
                                                     &value[i - 1]);
        }

        if (option->data || value[i - 1].len == o->name.len) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in error_map_document "
                               "\"%V\", %s", &value[i - 1], &document->name,
                               option->data == NULL ? "it must have a value"
                               : option == &options->condition
                               ? "a line has one \"if=\" or \"unless=\""
                               : "it is duplicate");
            return NGX_CONF_ERROR;
        }

        option->data = value[i - 1].data + o->name.len;
        option->len = value[i - 1].len - o->name.len;

        if (o->name.data[0] == 'u' && o->name.len == sizeof("unless=") - 1) {
            options->unless = 1;
        }
    }

    *n = i;

    for (i = 0; i < options->word.len; i++) {
        if (options->word.data[i] < 0x20 || options->word.data[i] == 0x7f) {
            break;
        }
    }

    if (options->word.len > EM_CODE_MAX || i < options->word.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid code \"%V\" in error_map_document \"%V\", "
                           "it must be 1 to 128 bytes without control "
                           "characters", &options->word, &document->name);
        return NGX_CONF_ERROR;
    }

    if (options->unit.len
        && ngx_strcmp(options->unit.data, "s") != 0
        && ngx_strcmp(options->unit.data, "ms") != 0)
    {
        p = options->unit.data - (sizeof("unit=") - 1);

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%s\" in error_map_document "
                           "\"%V\", it must be unit=s or unit=ms",
                           p, &document->name);
        return NGX_CONF_ERROR;
    }

    if (*n == least && line != NGX_HTTP_ERROR_MAP_LINE_REGEX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no %s before \"%V\" in error_map_document \"%V\"",
                           (line & NGX_HTTP_ERROR_MAP_LINE_HEADER)
                           ? "header name" : "path", &value[least],
                           &document->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* a parameter of other lines */

static char *
ngx_http_error_map_document_known(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_uint_t line,
    ngx_str_t *parameter)
{
    u_char                       *p, *last;
    u_char                        names[NGX_HTTP_ERROR_MAP_PARAMETERS];
    ngx_http_error_map_option_t  *o;

    p = names;
    last = p + NGX_HTTP_ERROR_MAP_PARAMETERS;

    for (o = ngx_http_error_map_options; o->name.len; o++) {
        if (o->lines & line) {
            p = ngx_slprintf(p, last, "%s%V", p == names ? "" : ", ", &o->name);
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" in error_map_document \"%V\", "
                       "this line may have: %*s", parameter, &document->name,
                       (size_t) (p - names), names);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_error_map_document_json(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document,
    ngx_http_error_map_options_t *options, ngx_uint_t n)
{
    char                          *error;
    em_plan_t                     *plan;
    ngx_str_t                     *value;
    ngx_uint_t                     i;
    const char                    *err;
    em_plan_str_t                  word;
    ngx_http_error_map_pattern_t  *pattern;

    plan = ngx_http_error_map_document_plan(cf, document);
    error = ngx_palloc(cf->temp_pool, EM_PATH_ERROR);

    if (plan == NULL || error == NULL) {
        return NGX_CONF_ERROR;
    }

    pattern = NULL;

    if (options->pattern.len) {
        pattern = ngx_http_error_map_pattern_value(cf, document,
                                                   &options->pattern);
        if (pattern == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    word.data = (char *) options->word.data;
    word.len = options->word.len;

    em_plan_source(plan, word.len ? &word : NULL, pattern);

    value = cf->args->elts;

    for (i = 2; i < n; i++) {
        if (ngx_http_error_map_document_path(cf, document, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (options->condition.len == 0) {
        return NGX_CONF_OK;
    }

    err = em_plan_condition(plan, options->unless,
                            (char *) options->condition.data,
                            options->condition.len, error);
    if (err) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid path \"%V\" in error_map_document \"%V\", "
                           "%s", &options->condition, &document->name, err);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_error_map_document_header(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document,
    ngx_http_error_map_options_t *options, ngx_uint_t n)
{
    ngx_str_t                           *value, *name;
    ngx_uint_t                           i;
    ngx_http_error_map_header_source_t  *header;

    header = ngx_array_push(&document->headers);
    if (header == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(header, sizeof(ngx_http_error_map_header_source_t));

    header->word = options->word;

    if (options->pattern.len) {
        header->pattern = ngx_http_error_map_pattern_value(cf, document,
                                                          &options->pattern);
        if (header->pattern == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_array_init(&header->names, cf->pool, n - 2, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 2; i < n; i++) {

        if (ngx_http_error_map_document_name(cf, document, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        name = ngx_array_push(&header->names);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        *name = value[i];
    }

    return NGX_CONF_OK;
}


/* adds a PATH to the line of the plan that was begun last */

static char *
ngx_http_error_map_document_path(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *path)
{
    char        *error;
    const char  *err;

    error = ngx_palloc(cf->temp_pool, EM_PATH_ERROR);
    if (error == NULL) {
        return NGX_CONF_ERROR;
    }

    err = em_plan_path(document->plan, (char *) path->data, path->len, error);

    if (err && ngx_http_error_map_document_option(path)->name.len) {
        err = "parameters come after all paths";
    }

    if (err) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid path \"%V\" in error_map_document \"%V\", "
                           "%s", path, &document->name, err);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_error_map_document_name(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *name)
{
    if (ngx_http_error_map_header_name(name)) {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid source \"%V\" in error_map_document \"%V\", "
                       "it must be a header name like \"X-Error-Code\"",
                       name, &document->name);

    return NGX_CONF_ERROR;
}


/* success json PATH [VALUE ...]; */

char *
ngx_http_error_map_document_marker(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    char           *error;
    em_plan_t      *plan;
    ngx_str_t      *value;
    const char     *err;
    em_plan_str_t  *values;

    plan = ngx_http_error_map_document_plan(cf, document);
    error = ngx_palloc(cf->temp_pool, EM_PATH_ERROR);
    values = ngx_palloc(cf->pool, cf->args->nelts * sizeof(em_plan_str_t));

    if (plan == NULL || error == NULL || values == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    /* both types are alike */

    ngx_memcpy(values, &value[3],
               (cf->args->nelts - 3) * sizeof(em_plan_str_t));

    err = em_plan_marker(plan, (char *) value[2].data, value[2].len, values,
                         cf->args->nelts - 3, error);
    if (err) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid path \"%V\" in error_map_document \"%V\", "
                           "%s", &value[2], &document->name, err);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* field NAME json PATH [PATH ...]; and the like */

char *
ngx_http_error_map_document_field(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    ngx_int_t   number, type;
    ngx_str_t  *value;

    value = cf->args->elts;

    type = (cf->args->nelts > 3) ? ngx_http_error_map_document_type(&value[2])
                                 : NGX_DECLINED;

    if (type == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid field in error_map_document \"%V\", it "
                           "must be \"field name json path ...;\", \"field "
                           "name header name;\" or \"field name regex "
                           "pattern;\"", &document->name);
        return NGX_CONF_ERROR;
    }

    number = ngx_http_error_map_document_field_number(cf, document, &value[1]);

    if (number == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    /* a field of the base gives way to one of the same name */

    if ((ngx_uint_t) number < document->nfields) {
        return NGX_CONF_OK;
    }

    return ngx_http_error_map_document_field_line(cf, document, type, number,
                                          NGX_HTTP_ERROR_MAP_LINE_FIELD, 3);
}


/* retry_after json PATH [PATH ...] [unit=s|ms]; */

char *
ngx_http_error_map_document_retry_after(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    ngx_int_t   type;
    ngx_str_t  *value;

    value = cf->args->elts;

    type = (cf->args->nelts > 2) ? ngx_http_error_map_document_type(&value[1])
                                 : NGX_DECLINED;

    if (type != EM_SOURCE_JSON && type != EM_SOURCE_HEADER) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid retry_after in error_map_document \"%V\", "
                           "it must be \"retry_after json path ...;\" or "
                           "\"retry_after header name;\"", &document->name);
        return NGX_CONF_ERROR;
    }

    document->retry = 1;

    return ngx_http_error_map_document_field_line(cf, document, type,
                                      NGX_HTTP_ERROR_MAP_RETRY_FIELD,
                                      NGX_HTTP_ERROR_MAP_LINE_RETRY, 2);
}


static char *
ngx_http_error_map_document_field_line(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_int_t type,
    ngx_uint_t number, ngx_uint_t line, ngx_uint_t first)
{
    em_plan_t                     *plan;
    ngx_str_t                     *value;
    ngx_uint_t                     i, n, ms;
    ngx_http_error_map_field_t    *field;
    ngx_http_error_map_pattern_t  *pattern;
    ngx_http_error_map_options_t   options;

    value = cf->args->elts;
    n = first;

    if (ngx_http_error_map_document_options(cf, document, line, &options, &n)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (type != EM_SOURCE_JSON && n != first + 1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in error_map_document "
                           "\"%V\", a line \"%V\" has one header or pattern",
                           &value[first + 1], &document->name, &value[0]);
        return NGX_CONF_ERROR;
    }

    ms = options.unit.len == 2;
    pattern = NULL;

    if (options.pattern.len) {
        pattern = ngx_http_error_map_pattern_value(cf, document,
                                                   &options.pattern);
        if (pattern == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (type == EM_SOURCE_JSON) {

        plan = ngx_http_error_map_document_plan(cf, document);
        if (plan == NULL) {
            return NGX_CONF_ERROR;
        }

        if (number == NGX_HTTP_ERROR_MAP_RETRY_FIELD) {
            em_plan_retry(plan, number, document->lines++, pattern, ms);

        } else {
            em_plan_field(plan, number, document->lines++, pattern);
        }

        for (i = first; i < n; i++) {
            if (ngx_http_error_map_document_path(cf, document, &value[i])
                != NGX_CONF_OK)
            {
                return NGX_CONF_ERROR;
            }
        }

        return NGX_CONF_OK;
    }

    field = ngx_array_push(&document->field_lines);
    if (field == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(field, sizeof(ngx_http_error_map_field_t));

    field->number = number;
    field->line = document->lines++;
    field->pattern = pattern;
    field->ms = ms;

    if (type == EM_SOURCE_HEADER) {
        field->name = value[first];

        return ngx_http_error_map_document_name(cf, document, &field->name);
    }

    if (pattern) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"pattern=%V\" in "
                           "error_map_document \"%V\", a field has one pattern",
                           &options.pattern, &document->name);
        return NGX_CONF_ERROR;
    }

    field->pattern = ngx_pcalloc(cf->pool,
                                 sizeof(ngx_http_error_map_pattern_t));
    if (field->pattern == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_error_map_pattern_streamed(cf, document, &value[first],
                                               field->pattern);
}


static ngx_int_t
ngx_http_error_map_document_field_number(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *name)
{
    u_char       ch;
    size_t       i;
    ngx_str_t   *field;
    ngx_uint_t   n;

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if ((ch < 'a' || ch > 'z') && (ch < '0' || ch > '9') && ch != '_') {
            break;
        }
    }

    if (i == 0 || i < name->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid field \"%V\" in error_map_document \"%V\", "
                           "it must be of a-z, 0-9 and \"_\", as it is part of "
                           "a variable's name", name, &document->name);
        return NGX_ERROR;
    }

    field = document->fields.elts;

    for (n = 0; n < document->fields.nelts; n++) {
        if (ngx_http_error_map_equal(&field[n], name)) {
            return n;
        }
    }

    if (n == NGX_HTTP_ERROR_MAP_RETRY_FIELD) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many fields in error_map_document \"%V\", at "
                           "most %d are allowed",
                           &document->name, NGX_HTTP_ERROR_MAP_RETRY_FIELD);
        return NGX_ERROR;
    }

    field = ngx_array_push(&document->fields);
    if (field == NULL) {
        return NGX_ERROR;
    }

    *field = *name;

    return n;
}


char *
ngx_http_error_map_document_charset(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (document->charset != EM_CHARSET_UNKNOWN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate charset in error_map_document \"%V\"",
                           &document->name);
        return NGX_CONF_ERROR;
    }

    document->charset = em_charset_find((char *) value[1].data, value[1].len);

    if (document->charset == EM_CHARSET_UNKNOWN
        || document->charset == EM_CHARSET_WIDE)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid charset \"%V\" in error_map_document "
                           "\"%V\", it must be utf-8, gbk, gb2312, gb18030, "
                           "big5 or shift_jis", &value[1], &document->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* returns the plan, which is in the temporary pool until it is compiled */

static em_plan_t *
ngx_http_error_map_document_plan(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    if (document->plan == NULL) {
        document->plan = ngx_pcalloc(cf->temp_pool, sizeof(em_plan_t));
    }

    return document->plan;
}


/*
 * Gives back the paths that a complete plan has not used: the temporary pool
 * would keep the largest possible plan of each document until all are read.
 */

ngx_int_t
ngx_http_error_map_document_plan_pack(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    em_plan_t  *plan;

    plan = document->plan;

    if (plan == NULL) {
        return NGX_OK;
    }

    if (ngx_http_error_map_document_plan_copy(cf->temp_pool, document)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    (void) ngx_pfree(cf->temp_pool, plan);

    return NGX_OK;
}


/*
 * The paths of a plan are its last and largest part; the line before them is
 * for the configuration only.
 */

static ngx_int_t
ngx_http_error_map_document_plan_copy(ngx_pool_t *pool,
    ngx_http_error_map_document_t *document)
{
    size_t      size;
    em_plan_t  *plan;

    plan = document->plan;

    size = offsetof(em_plan_t, paths) + plan->npaths * sizeof(em_plan_path_t);

    document->plan = ngx_palloc(pool, size);
    if (document->plan == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(document->plan, plan, size);

    return NGX_OK;
}


ngx_int_t
ngx_http_error_map_document_plan_compile(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    unsigned              booleans;
    em_plan_t            *plan;
    const em_document_t  *table;

    plan = document->plan;

    if (plan == NULL) {
        return NGX_OK;
    }

    /* true and false are codes only if the document lists them */

    table = document->table;
    booleans = 0;

    if (em_entry_find(table, "true", 4)
        || em_success_find(table, "true", 4) >= 0)
    {
        booleans |= EM_PLAN_TRUE;
    }

    if (em_entry_find(table, "false", 5)
        || em_success_find(table, "false", 5) >= 0)
    {
        booleans |= EM_PLAN_FALSE;
    }

    em_plan_compile(plan, booleans);

    if (plan->plain) {
        document->pointers = plan->pointers;
    }

    return ngx_http_error_map_document_plan_copy(cf->pool, document);
}
