
#include "ngx_http_error_map_document.h"
#include "ngx_http_error_map_policy.h"


static char *ngx_http_error_map_document_row(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_error_map_document_where(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);
static char *ngx_http_error_map_document_success(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);
static char *ngx_http_error_map_document_code(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);
static ngx_uint_t ngx_http_error_map_is_code(ngx_str_t *code);


char *
ngx_http_error_map_document_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_error_map_main_conf_t *emcf = conf;

    char                           *rv;
    ngx_str_t                      *value, base, names;
    ngx_uint_t                      i;
    ngx_conf_t                      save;
    ngx_http_error_map_document_t  *document;

    value = cf->args->elts;

    if (!ngx_http_error_map_is_code(&value[1])
        || ngx_strcmp(value[1].data, "off") == 0
        || ngx_strlchr(value[1].data, value[1].data + value[1].len, '/'))
    {
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

    if (document->defined) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate error_map_document \"%V\"%s", &value[1],
                           document->rows.elts ? ""
                           : ", it is compiled in; use another name, and "
                             "base= to inherit its rows");
        return NGX_CONF_ERROR;
    }

    document->defined = 1;
    document->file = cf->conf_file->file.name.data;
    document->line = cf->conf_file->line;

    if (ngx_array_init(&document->rows, cf->temp_pool, 64,
                       sizeof(ngx_http_error_map_row_t))
        != NGX_OK
        || ngx_array_init(&document->success_codes, cf->pool, 4,
                          sizeof(em_str_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 3) {

        ngx_str_null(&base);

        if (ngx_strncmp(value[2].data, "base=", 5) == 0) {
            base.data = value[2].data + 5;
            base.len = value[2].len - 5;
        }

        document->base = em_document_find((char *) base.data, base.len);

        if (document->base == NULL) {
            if (ngx_http_error_map_document_names(cf, emcf, 1, &names)
                == NGX_OK)
            {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid parameter \"%V\" in "
                                   "error_map_document \"%V\", it must be "
                                   "base= and one of: %V",
                                   &value[2], &value[1], &names);
            }

            return NGX_CONF_ERROR;
        }

        for (i = 0; i < document->base->nsources; i++) {
            base.data = (u_char *) document->base->sources[i].text.data;
            base.len = document->base->sources[i].text.len;

            rv = ngx_http_error_map_document_source(cf, document,
                                               document->base->sources[i].type,
                                               &base);
            if (rv != NGX_CONF_OK) {
                return rv;
            }
        }
    }

    save = *cf;
    cf->handler = ngx_http_error_map_document_row;
    cf->handler_conf = (void *) document;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return rv;
}


static char *
ngx_http_error_map_document_row(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_error_map_document_t *document = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_strcmp(value[0].data, "source") == 0) {
        return ngx_http_error_map_document_where(cf, document);
    }

    if (ngx_strcmp(value[0].data, "success") == 0) {
        return ngx_http_error_map_document_success(cf, document);
    }

    if (ngx_strcmp(value[0].data, "include") == 0 && cf->args->nelts == 2) {
        return ngx_conf_include(cf, cmd, conf);
    }

    return ngx_http_error_map_document_code(cf, document);
}


static char *
ngx_http_error_map_document_where(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    ngx_str_t   *value;
    ngx_uint_t   type;

    /* by em_source_e */

    static char  *types[] = { "json", "header", "regex", NULL };

    value = cf->args->elts;

    if (cf->args->nelts == 3) {
        for (type = 0; types[type]; type++) {
            if (ngx_strcmp(value[1].data, types[type]) == 0) {
                return ngx_http_error_map_document_source(cf, document, type,
                                                          &value[2]);
            }
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid source in error_map_document \"%V\", it must "
                       "be \"source json pointer;\", \"source header name;\" "
                       "or \"source regex pattern;\"", &document->name);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_error_map_document_success(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    em_str_t    *code;
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

    for (i = 1; i < cf->args->nelts; i++) {

        if (!ngx_http_error_map_is_code(&value[i])) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid success code \"%V\" in "
                               "error_map_document \"%V\", it must be 1 to "
                               "128 characters of A-Z a-z 0-9 . _ : / -",
                               &value[i], &document->name);
            return NGX_CONF_ERROR;
        }

        code = ngx_array_push(&document->success_codes);
        if (code == NULL) {
            return NGX_CONF_ERROR;
        }

        code->data = (char *) value[i].data;
        code->len = value[i].len;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_error_map_document_code(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    int                        class;
    size_t                     i;
    u_char                     ch;
    ngx_int_t                  status;
    ngx_str_t                 *value, names;
    ngx_http_error_map_row_t  *row;

    value = cf->args->elts;

    if (cf->args->nelts != 4) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid row \"%V\" in error_map_document \"%V\", "
                           "it must be \"code status CLASS 'title';\" with "
                           "\"-\" for no status, or source, success or "
                           "include",
                           &value[0], &document->name);
        return NGX_CONF_ERROR;
    }

    if (!ngx_http_error_map_is_code(&value[0])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid code \"%V\" in error_map_document \"%V\", "
                           "it must be 1 to 128 characters of A-Z a-z 0-9 "
                           ". _ : / -", &value[0], &document->name);
        return NGX_CONF_ERROR;
    }

    status = 0;

    if (ngx_strcmp(value[1].data, "-") != 0) {

        status = ngx_http_error_map_status(&value[1]);

        if (status == NGX_ERROR) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid status \"%V\" of code \"%V\" in "
                               "error_map_document \"%V\", it must be \"-\" "
                               "or from 200 to 599 except 204, 205, 206 and "
                               "304",
                               &value[1], &value[0], &document->name);
            return NGX_CONF_ERROR;
        }
    }

    class = em_class_find((char *) value[2].data, value[2].len);

    if (class < 0) {
        if (ngx_http_error_map_class_names(cf, &names) == NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown class \"%V\" of code \"%V\" in "
                               "error_map_document \"%V\", it must be one of: "
                               "%V", &value[2], &value[0], &document->name,
                               &names);
        }

        return NGX_CONF_ERROR;
    }

    for (i = 0; i < value[3].len; i++) {
        ch = value[3].data[i];

        if (ch < ' ' || ch > '~' || ch == '"' || ch == '\\') {
            break;
        }
    }

    if (i == 0 || i < value[3].len || i > 80) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid title of code \"%V\" in error_map_document "
                           "\"%V\", it must be 1 to 80 printable ASCII "
                           "characters without \" and \\",
                           &value[0], &document->name);
        return NGX_CONF_ERROR;
    }

    row = ngx_array_push(&document->rows);
    if (row == NULL) {
        return NGX_CONF_ERROR;
    }

    row->entry.code = (char *) value[0].data;
    row->entry.status = (uint16_t) status;
    row->entry.class = (uint16_t) class;
    row->entry.title = (char *) value[3].data;
    row->file = cf->conf_file->file.name.data;
    row->line = cf->conf_file->line;

    return NGX_CONF_OK;
}


/* these characters never need an escape; em_check.awk has the same rule */

static ngx_uint_t
ngx_http_error_map_is_code(ngx_str_t *code)
{
    u_char  ch;
    size_t  i;

    for (i = 0; i < code->len; i++) {
        ch = ngx_tolower(code->data[i]);

        if ((ch < 'a' || ch > 'z') && (ch < '-' || ch > ':') && ch != '_') {
            return 0;
        }
    }

    return i > 0 && i <= EM_CODE_MAX;
}
