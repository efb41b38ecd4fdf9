
#include "ngx_http_error_map_document.h"
#include "ngx_http_error_map_util.h"


/* bytes of names in a message, as nginx cuts off the end of a long one */
#define NGX_HTTP_ERROR_MAP_NAMES  1024


static ngx_int_t ngx_http_error_map_document_new(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_str_t *name,
    ngx_http_error_map_document_t **document);


ngx_http_error_map_document_t *
ngx_http_error_map_document_find(ngx_http_error_map_main_conf_t *emcf,
    ngx_str_t *name)
{
    ngx_uint_t                       i;
    ngx_http_error_map_document_t  **documents;

    documents = emcf->documents.elts;

    for (i = 0; i < emcf->documents.nelts; i++) {
        if (ngx_http_error_map_equal(&documents[i]->name, name)) {
            return documents[i];
        }
    }

    return NULL;
}


ngx_http_error_map_document_t *
ngx_http_error_map_document_get(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_str_t *name)
{
    ngx_http_error_map_document_t  *document;

    document = ngx_http_error_map_document_find(emcf, name);

    if (document == NULL) {
        (void) ngx_http_error_map_document_new(cf, emcf, name, &document);
    }

    return document;
}


void
ngx_http_error_map_document_log(ngx_log_t *log,
    ngx_http_error_map_main_conf_t *emcf)
{
    ngx_uint_t                       i, n, ncodes;
    const em_document_t             *table;
    ngx_http_error_map_document_t  **documents;

    documents = emcf->documents.elts;

    for (i = 0; i < emcf->documents.nelts; i++) {

        table = documents[i]->table;

        for (n = 0, ncodes = 0; n < table->nexact; n++) {
            ncodes += (table->entries[n].code[0] != '\0');
        }

        if (table->nslots == table->nexact) {
            ngx_log_error(NGX_LOG_NOTICE, log, 0,
                          "error_map %s: document \"%V\" has %ui codes",
                          NGX_HTTP_ERROR_MAP_VERSION, &documents[i]->name,
                          ncodes);
        } else {
            ngx_log_error(NGX_LOG_NOTICE, log, 0,
                          "error_map %s: document \"%V\" has %ui codes, and "
                          "%uz rows of many codes",
                          NGX_HTTP_ERROR_MAP_VERSION, &documents[i]->name,
                          ncodes, table->nslots - table->nexact);
        }
    }
}


static ngx_int_t
ngx_http_error_map_document_new(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_str_t *name,
    ngx_http_error_map_document_t **document)
{
    ngx_http_error_map_document_t  **p, *new;

    *document = NULL;

    new = ngx_pcalloc(cf->pool, sizeof(ngx_http_error_map_document_t));
    if (new == NULL) {
        return NGX_ERROR;
    }

    new->name = *name;
    new->number = emcf->documents.nelts;

    if (ngx_http_error_map_document_clear(cf, new) != NGX_OK) {
        return NGX_ERROR;
    }

    if (cf->conf_file) {
        new->file = cf->conf_file->file.name.data;
        new->line = cf->conf_file->line;
    }

    p = ngx_array_push(&emcf->documents);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *p = new;
    *document = new;

    return NGX_OK;
}


ngx_int_t
ngx_http_error_map_document_clear(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    ngx_str_t   name;
    ngx_uint_t  number;

    name = document->name;
    number = document->number;

    ngx_memzero(document, sizeof(ngx_http_error_map_document_t));

    document->name = name;
    document->number = number;

    document->charset = EM_CHARSET_UNKNOWN;

    if (ngx_array_init(&document->headers, cf->pool, 1,
                       sizeof(ngx_http_error_map_header_source_t))
        != NGX_OK
        || ngx_array_init(&document->fields, cf->pool, 1, sizeof(ngx_str_t))
           != NGX_OK
        || ngx_array_init(&document->field_lines, cf->pool, 1,
                          sizeof(ngx_http_error_map_field_t))
           != NGX_OK
        || ngx_array_init(&document->patterns, cf->pool, 1,
                          sizeof(ngx_http_error_map_pattern_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_error_map_document_names(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_uint_t compiled,
    ngx_str_t *names)
{
    u_char                          *p;
    ngx_uint_t                       i;
    ngx_http_error_map_document_t  **documents;

    documents = emcf->documents.elts;

    names->len = sizeof(", ...");

    for (i = 0; i < emcf->documents.nelts; i++) {
        names->len += documents[i]->name.len + 2;
    }

    names->data = ngx_pnalloc(cf->pool, names->len);
    if (names->data == NULL) {
        return NGX_ERROR;
    }

    p = names->data;

    for (i = 0; i < emcf->documents.nelts; i++) {

        if (p - names->data > NGX_HTTP_ERROR_MAP_NAMES) {
            p = ngx_cpymem(p, ", ...", 5);
            break;
        }

        if (compiled ? em_document_find((char *) documents[i]->name.data,
                                        documents[i]->name.len) != NULL
                     : documents[i]->defined)
        {
            p = ngx_sprintf(p, "%s%V", p == names->data ? "" : ", ",
                            &documents[i]->name);
        }
    }

    names->len = p - names->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_error_map_document_compile(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf)
{
    ngx_str_t                        names;
    ngx_uint_t                       i;
    ngx_http_error_map_document_t  **documents;

    documents = emcf->documents.elts;

    for (i = 0; i < emcf->documents.nelts; i++) {

        if (!documents[i]->defined) {

            if (ngx_http_error_map_document_names(cf, emcf, 0, &names)
                == NGX_OK)
            {
                ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                              "unknown document \"%V\", it must be off or one "
                              "of: %V in %s:%ui",
                              &documents[i]->name, &names, documents[i]->file,
                              documents[i]->line);
            }

            return NGX_ERROR;
        }

        if (documents[i]->table == NULL
            && ngx_http_error_map_document_table(cf, documents[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (ngx_http_error_map_document_plan_compile(cf, documents[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
