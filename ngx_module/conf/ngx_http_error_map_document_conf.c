
#include "ngx_http_error_map_document.h"


/* a keyword that begins a line, and when it is one and not a code */

typedef struct {
    ngx_str_t     name;
    ngx_uint_t  (*when)(ngx_conf_t *cf);
    char       *(*handler)(ngx_conf_t *cf,
                           ngx_http_error_map_document_t *document);
} ngx_http_error_map_keyword_t;


static char *ngx_http_error_map_document_line(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static ngx_uint_t ngx_http_error_map_document_always(ngx_conf_t *cf);
static ngx_uint_t ngx_http_error_map_document_one_argument(ngx_conf_t *cf);
static char *ngx_http_error_map_document_where(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);
static char *ngx_http_error_map_document_include(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);


/* a line that begins otherwise is a row */

static ngx_http_error_map_keyword_t  ngx_http_error_map_keywords[] = {

    { ngx_string("source"), ngx_http_error_map_document_always,
      ngx_http_error_map_document_where },

    { ngx_string("success"), ngx_http_error_map_document_always,
      ngx_http_error_map_document_success },

    { ngx_string("include"), ngx_http_error_map_document_one_argument,
      ngx_http_error_map_document_include },

    { ngx_null_string, NULL, NULL }
};


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

    if (!ngx_http_error_map_document_is_code(&value[1])
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
    cf->handler = ngx_http_error_map_document_line;
    cf->handler_conf = (void *) document;

    rv = ngx_conf_parse(cf, NULL);

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

    return ngx_http_error_map_document_row(cf, document);
}


static ngx_uint_t
ngx_http_error_map_document_always(ngx_conf_t *cf)
{
    return 1;
}


static ngx_uint_t
ngx_http_error_map_document_one_argument(ngx_conf_t *cf)
{
    return cf->args->nelts == 2;
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
ngx_http_error_map_document_include(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    return ngx_conf_include(cf, NULL, document);
}
