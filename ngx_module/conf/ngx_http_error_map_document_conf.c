
#include "ngx_http_error_map_document.h"


/* bytes of keywords in a message */
#define NGX_HTTP_ERROR_MAP_KEYWORDS  512


/*
 * A keyword that begins a line.  A line for which when() returns 0 begins with
 * a code of that name.
 */

typedef struct {
    ngx_str_t     name;
    ngx_uint_t  (*when)(ngx_conf_t *cf);
    char       *(*handler)(ngx_conf_t *cf,
                           ngx_http_error_map_document_t *document);
} ngx_http_error_map_keyword_t;


static ngx_int_t ngx_http_error_map_document_init(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);
static char *ngx_http_error_map_document_base(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf,
    ngx_http_error_map_document_t *document, ngx_str_t *value);
static char *ngx_http_error_map_document_inherit(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, const em_document_t *table);
static char *ngx_http_error_map_document_lines(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, const em_document_t *table);
static char *ngx_http_error_map_document_sources(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, const em_document_t *table);
static char *ngx_http_error_map_document_line(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static ngx_uint_t ngx_http_error_map_document_always(ngx_conf_t *cf);
static ngx_uint_t ngx_http_error_map_document_no_row(ngx_conf_t *cf);
static ngx_uint_t ngx_http_error_map_document_one_argument(ngx_conf_t *cf);
static char *ngx_http_error_map_document_code(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);
static char *ngx_http_error_map_document_include(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);
static char *ngx_http_error_map_document_invalid(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);
static ngx_uint_t ngx_http_error_map_document_is_name(ngx_str_t *name);


static ngx_http_error_map_keyword_t  ngx_http_error_map_keywords[] = {

    { ngx_string("source"), ngx_http_error_map_document_no_row,
      ngx_http_error_map_document_source },

    { ngx_string("success"), ngx_http_error_map_document_is_marker,
      ngx_http_error_map_document_marker },

    { ngx_string("success"), ngx_http_error_map_document_always,
      ngx_http_error_map_document_success },

    { ngx_string("code"), ngx_http_error_map_document_no_row,
      ngx_http_error_map_document_code },

    { ngx_string("range"), ngx_http_error_map_document_no_row,
      ngx_http_error_map_document_group },

    { ngx_string("prefix"), ngx_http_error_map_document_no_row,
      ngx_http_error_map_document_group },

    { ngx_string("pattern"), ngx_http_error_map_document_no_row,
      ngx_http_error_map_document_group },

    { ngx_string("default"), ngx_http_error_map_document_always,
      ngx_http_error_map_document_group },

    { ngx_string("field"), ngx_http_error_map_document_no_row,
      ngx_http_error_map_document_field },

    { ngx_string("retry_after"), ngx_http_error_map_document_no_row,
      ngx_http_error_map_document_retry_after },

    { ngx_string("charset"), ngx_http_error_map_document_one_argument,
      ngx_http_error_map_document_charset },

    { ngx_string("include"), ngx_http_error_map_document_one_argument,
      ngx_http_error_map_document_include },

    { ngx_null_string, NULL, NULL }
};


ngx_int_t
ngx_http_error_map_document_compiled(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf)
{
    ngx_str_t                       name;
    ngx_uint_t                      n;
    const em_document_t            *table;
    ngx_http_error_map_document_t  *document;

    for (n = 0; em_documents[n]; n++) {

        table = em_documents[n];

        name.data = (u_char *) table->name.data;
        name.len = table->name.len;

        document = ngx_http_error_map_document_get(cf, emcf, &name);
        if (document == NULL) {
            return NGX_ERROR;
        }

        document->defined = 1;
        document->compiled = 1;

        if (table->nlines) {
            document->base = table;

            if (ngx_http_error_map_document_init(cf, document) != NGX_OK) {
                return NGX_ERROR;
            }

        }

        if (ngx_http_error_map_document_inherit(cf, document, table)
            != NGX_CONF_OK
            || ngx_http_error_map_document_plan_pack(cf, document) != NGX_OK)
        {
            return NGX_ERROR;
        }

        document->nrows = document->rows.nelts;
        document->ngroups = document->groups.nelts;

        /* lines without rows, such as fields, leave the table as it is */

        if (document->rows.nelts == 0
            && document->groups.nelts == 0
            && document->success_codes.nelts == 0)
        {
            document->base = NULL;
            document->table = table;
            document->nliteral = table->nslots;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_document_init(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    if (ngx_array_init(&document->rows, cf->temp_pool, 64,
                       sizeof(ngx_http_error_map_row_t))
        != NGX_OK
        || ngx_array_init(&document->groups, cf->temp_pool, 4,
                          sizeof(ngx_http_error_map_group_row_t))
           != NGX_OK
        || ngx_array_init(&document->success_codes, cf->pool, 4,
                          sizeof(em_str_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


char *
ngx_http_error_map_document_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_error_map_main_conf_t *emcf = conf;

    char                           *rv;
    ngx_str_t                      *value;
    ngx_conf_t                      save;
    ngx_http_error_map_document_t  *document;

    value = cf->args->elts;

    if (!ngx_http_error_map_document_is_name(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid error_map_document name \"%V\", it must "
                           "be 1 to 128 characters of A-Z a-z 0-9 . _ : - and "
                           "not off",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    document = ngx_http_error_map_document_get(cf, emcf, &value[1]);
    if (document == NULL) {
        return NGX_CONF_ERROR;
    }

    if (document->compiled) {
        ngx_conf_log_error(NGX_LOG_NOTICE, cf, 0,
                           "error_map_document \"%V\" replaces the compiled "
                           "document of this name%s%s%s", &value[1],
                           cf->args->nelts == 2 ? ", \"base=" : "",
                           cf->args->nelts == 2 ? (char *) value[1].data : "",
                           cf->args->nelts == 2 ? "\" adds to its rows" : "");

        if (ngx_http_error_map_document_clear(cf, document) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

    } else if (document->defined) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate error_map_document \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    document->defined = 1;
    document->file = cf->conf_file->file.name.data;
    document->line = cf->conf_file->line;

    if (ngx_http_error_map_document_init(cf, document) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 3) {
        rv = ngx_http_error_map_document_base(cf, emcf, document, &value[2]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    save = *cf;
    cf->handler = ngx_http_error_map_document_line;
    cf->handler_conf = (void *) document;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    document->nrows = document->rows.nelts;
    document->ngroups = document->groups.nelts;
    document->nfields = document->fields.nelts;

    if (rv == NGX_CONF_OK && document->base) {
        rv = ngx_http_error_map_document_inherit(cf, document, document->base);
    }

    if (rv == NGX_CONF_OK
        && ngx_http_error_map_document_plan_pack(cf, document) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return rv;
}


static char *
ngx_http_error_map_document_base(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf,
    ngx_http_error_map_document_t *document, ngx_str_t *value)
{
    ngx_str_t  names;

    if (ngx_strncmp(value->data, "base=", 5) == 0) {
        document->base = em_document_find((char *) value->data + 5,
                                          value->len - 5);
    }

    if (document->base) {
        return NGX_CONF_OK;
    }

    if (ngx_http_error_map_document_names(cf, emcf, 1, &names) == NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in error_map_document "
                           "\"%V\", it must be base= and one of: %V",
                           value, &document->name, &names);
    }

    return NGX_CONF_ERROR;
}


/* adds the sources and lines of a compiled document */

static char *
ngx_http_error_map_document_inherit(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, const em_document_t *table)
{
    char  *rv;

    rv = ngx_http_error_map_document_sources(cf, document, table);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return table->nlines
           ? ngx_http_error_map_document_lines(cf, document, table)
           : NGX_CONF_OK;
}


/* a source of a compiled document is a line of three words */

static char *
ngx_http_error_map_document_sources(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, const em_document_t *table)
{
    char         *rv;
    size_t        i;
    ngx_str_t     word[3];
    ngx_array_t   args, *save;

    /* by em_source_e */

    static ngx_str_t  types[] = {
        ngx_string("json"),
        ngx_string("header"),
        ngx_string("regex")
    };

    save = cf->args;

    ngx_memzero(&args, sizeof(ngx_array_t));

    args.elts = word;
    args.nelts = 3;

    cf->args = &args;

    rv = NGX_CONF_OK;

    for (i = 0; i < table->nsources && rv == NGX_CONF_OK; i++) {

        ngx_str_set(&word[0], "source");

        word[1] = types[table->sources[i].type];
        word[2].data = (u_char *) table->sources[i].text.data;
        word[2].len = table->sources[i].text.len;

        rv = ngx_http_error_map_document_source(cf, document);
    }

    cf->args = save;

    return rv;
}


/* messages have the place in the table file */

static char *
ngx_http_error_map_document_lines(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, const em_document_t *table)
{
    char             *rv;
    u_char           *p;
    ngx_str_t        *value;
    ngx_uint_t        i, n;
    ngx_conf_t        save;
    ngx_conf_file_t   file;
    const em_line_t  *line;

    save = *cf;

    ngx_memzero(&file, sizeof(ngx_conf_file_t));

    p = ngx_pnalloc(cf->pool, table->name.len + sizeof("tables/.gperf"));
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    file.file.name.data = p;
    file.file.name.len = ngx_sprintf(p, "tables/%s.gperf%Z", table->name.data)
                         - p - 1;

    cf->conf_file = &file;
    cf->args = ngx_array_create(cf->temp_pool, EM_LINE_WORDS,
                                sizeof(ngx_str_t));
    if (cf->args == NULL) {
        *cf = save;
        return NGX_CONF_ERROR;
    }

    cf->handler = ngx_http_error_map_document_line;
    cf->handler_conf = (void *) document;

    for (i = 0, rv = NGX_CONF_OK; i < table->nlines && rv == NGX_CONF_OK; i++) {

        line = &table->lines[i];

        file.line = line->number;
        value = cf->args->elts;

        for (n = 0; n < EM_LINE_WORDS && line->words[n]; n++) {
            value[n].data = (u_char *) line->words[n];
            value[n].len = ngx_strlen(line->words[n]);
        }

        cf->args->nelts = n;

        rv = ngx_http_error_map_document_line(cf, NULL, document);
    }

    *cf = save;

    return rv;
}


static char *
ngx_http_error_map_document_line(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_error_map_document_t *document = conf;

    ngx_str_t                     *value;
    ngx_http_error_map_keyword_t  *keyword;

    value = cf->args->elts;

    for (keyword = ngx_http_error_map_keywords; keyword->name.len; keyword++) {
        if (ngx_http_error_map_equal(&keyword->name, &value[0])
            && keyword->when(cf))
        {
            return keyword->handler(cf, document);
        }
    }

    if (cf->args->nelts != 4) {
        return ngx_http_error_map_document_invalid(cf, document);
    }

    return ngx_http_error_map_document_row(cf, document);
}


static ngx_uint_t
ngx_http_error_map_document_always(ngx_conf_t *cf)
{
    return 1;
}


/* code status CLASS 'title' */

static ngx_uint_t
ngx_http_error_map_document_no_row(ngx_conf_t *cf)
{
    size_t      i;
    ngx_str_t  *value;

    value = cf->args->elts;

    if (cf->args->nelts != 4 || value[2].data[0] < 'A'
        || value[2].data[0] > 'Z')
    {
        return 1;
    }

    if (ngx_strcmp(value[1].data, "-") == 0) {
        return 0;
    }

    for (i = 0; i < value[1].len; i++) {
        if (value[1].data[i] < '0' || value[1].data[i] > '9') {
            return 1;
        }
    }

    return i == 0;
}


static ngx_uint_t
ngx_http_error_map_document_one_argument(ngx_conf_t *cf)
{
    return cf->args->nelts == 2;
}


static char *
ngx_http_error_map_document_code(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    return (cf->args->nelts == 5)
           ? ngx_http_error_map_document_row(cf, document)
           : ngx_http_error_map_document_invalid(cf, document);
}


static char *
ngx_http_error_map_document_include(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    return ngx_conf_include(cf, NULL, document);
}


static char *
ngx_http_error_map_document_invalid(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    u_char                        *p, *last;
    ngx_str_t                     *value;
    u_char                         names[NGX_HTTP_ERROR_MAP_KEYWORDS];
    ngx_http_error_map_keyword_t  *keyword;

    value = cf->args->elts;

    p = names;
    last = p + NGX_HTTP_ERROR_MAP_KEYWORDS;

    for (keyword = ngx_http_error_map_keywords; keyword->name.len; keyword++) {

        if (ngx_http_error_map_equal(&keyword[0].name, &keyword[1].name)) {
            continue;
        }

        p = ngx_slprintf(p, last, "%s%V",
                         keyword == ngx_http_error_map_keywords ? ""
                         : keyword[1].name.len ? ", " : " or ",
                         &keyword->name);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid row \"%V\" in error_map_document \"%V\", it "
                       "must be \"code status CLASS 'title';\" with \"-\" for "
                       "no status, or begin with %*s",
                       &value[0], &document->name, (size_t) (p - names), names);

    return NGX_CONF_ERROR;
}


static ngx_uint_t
ngx_http_error_map_document_is_name(ngx_str_t *name)
{
    u_char  ch;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        ch = ngx_tolower(name->data[i]);

        if ((ch < 'a' || ch > 'z') && (ch < '0' || ch > ':')
            && ch != '-' && ch != '.' && ch != '_')
        {
            return 0;
        }
    }

    return i > 0 && i <= 128 && ngx_strcmp(name->data, "off") != 0;
}
