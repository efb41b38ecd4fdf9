
#include "ngx_http_error_map_document.h"
#include "ngx_http_error_map_pattern.h"
#include "ngx_http_error_map_util.h"


/* bytes of names in a message, as nginx cuts off the end of a long one */
#define NGX_HTTP_ERROR_MAP_NAMES  1024


static ngx_int_t ngx_http_error_map_document_new(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_str_t *name,
    ngx_http_error_map_document_t **document);
static ngx_int_t ngx_http_error_map_document_table(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);
static ngx_int_t ngx_http_error_map_document_hash(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_document_t *table);
static ngx_int_t ngx_http_error_map_document_check(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_document_t *table);


ngx_int_t
ngx_http_error_map_document_compiled(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf)
{
    ngx_str_t                        name, text;
    ngx_uint_t                       i, n;
    const em_document_t             *table;
    ngx_http_error_map_document_t   *document;

    for (n = 0; em_documents[n]; n++) {

        table = em_documents[n];

        name.data = (u_char *) table->name.data;
        name.len = table->name.len;

        if (ngx_http_error_map_document_new(cf, emcf, &name, &document)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        document->defined = 1;
        document->table = table;

        for (i = 0; i < table->nsources; i++) {
            text.data = (u_char *) table->sources[i].text.data;
            text.len = table->sources[i].text.len;

            if (ngx_http_error_map_document_source(cf, document,
                                                   table->sources[i].type,
                                                   &text)
                != NGX_CONF_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


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

        for (n = 0, ncodes = 0; n < table->nslots; n++) {
            ncodes += (table->entries[n].code[0] != '\0');
        }

        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "error_map %s: document \"%V\" has %ui codes",
                      NGX_HTTP_ERROR_MAP_VERSION, &documents[i]->name, ncodes);
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

    if (ngx_array_init(&new->headers, cf->pool, 1, sizeof(ngx_str_t)) != NGX_OK
        || ngx_array_init(&new->patterns, cf->pool, 1,
                          sizeof(ngx_http_error_map_pattern_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    new->name = *name;
    new->number = emcf->documents.nelts;

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


char *
ngx_http_error_map_document_source(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_source_e type, ngx_str_t *text)
{
    const char  *err;
    ngx_str_t   *name;

    switch (type) {

    case EM_SOURCE_REGEX:
        return ngx_http_error_map_pattern(cf, document, text);

    case EM_SOURCE_HEADER:

        err = ngx_http_error_map_header_name(text)
              ? NULL : "it must be a header name like \"X-Error-Code\"";

        if (err == NULL) {
            name = ngx_array_push(&document->headers);
            if (name == NULL) {
                return NGX_CONF_ERROR;
            }

            *name = *text;
        }

        break;

    default: /* EM_SOURCE_JSON */

        err = em_json_pointer_add(&document->pointers, (char *) text->data,
                                  text->len);
        break;
    }

    if (err) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid source \"%V\" in error_map_document "
                           "\"%V\", %s", text, &document->name, err);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
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
    }

    return NGX_OK;
}


/* builds the table of a document from nginx.conf */

static ngx_int_t
ngx_http_error_map_document_table(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    em_str_t             *success;
    ngx_uint_t            i;
    em_document_t        *table;
    const em_document_t  *base;

    base = document->base;

    if (document->headers.nelts == 0
        && document->pointers.npointers == 0
        && document->patterns.nelts == 0)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "no source in error_map_document \"%V\", it must have "
                      "at least one, like \"source json /error/code;\" in "
                      "%s:%ui",
                      &document->name, document->file, document->line);
        return NGX_ERROR;
    }

    table = ngx_pcalloc(cf->pool, sizeof(em_document_t));
    if (table == NULL) {
        return NGX_ERROR;
    }

    table->name.data = (char *) document->name.data;
    table->name.len = document->name.len;

    if (base) {
        for (i = 0; i < base->nsuccess; i++) {
            success = ngx_array_push(&document->success_codes);
            if (success == NULL) {
                return NGX_ERROR;
            }

            *success = base->success[i];
        }
    }

    table->success = document->success_codes.elts;
    table->nsuccess = document->success_codes.nelts;

    document->table = table;

    return ngx_http_error_map_document_hash(cf, document, table);
}


static ngx_int_t
ngx_http_error_map_document_hash(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_document_t *table)
{
    uint32_t                   n, *buckets;
    ngx_uint_t                 i, first;
    em_entry_t                *entries;
    const em_entry_t          *twice;
    const em_document_t       *base;
    ngx_http_error_map_row_t  *row;

    base = document->base;
    row = document->rows.elts;

    entries = ngx_palloc(cf->pool, (document->rows.nelts
                                    + (base ? base->nslots : 0) + 1)
                                   * sizeof(em_entry_t));
    if (entries == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < document->rows.nelts; i++) {
        entries[i] = row[i].entry;
    }

    table->entries = entries;
    table->nslots = i;

    for (n = 8; n < 2 * (i + (base ? base->nslots : 0) + 1); n *= 2) {
        /* void */
    }

    buckets = ngx_palloc(cf->pool, n * sizeof(uint32_t));
    if (buckets == NULL) {
        return NGX_ERROR;
    }

    twice = em_document_hash(table, buckets, n);

    if (twice) {
        i = twice - entries;

        for (first = 0; ngx_strcmp(entries[first].code, twice->code) != 0; ) {
            first++;
        }

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "duplicate code \"%s\" in error_map_document \"%V\" in "
                      "%s:%ui, the first is in %s:%ui",
                      twice->code, &document->name, row[i].file, row[i].line,
                      row[first].file, row[first].line);
        return NGX_ERROR;
    }

    if (ngx_http_error_map_document_check(cf, document, table) != NGX_OK) {
        return NGX_ERROR;
    }

    if (base == NULL) {
        return NGX_OK;
    }

    /* add the rows of the base that are not overridden */

    n = table->mask + 1;

    for (i = 0; i < base->nslots; i++) {
        if (base->entries[i].code[0] != '\0'
            && em_entry_find(table, base->entries[i].code,
                             ngx_strlen(base->entries[i].code))
               == NULL)
        {
            entries[table->nslots++] = base->entries[i];
        }
    }

    (void) em_document_hash(table, buckets, n);

    return NGX_OK;
}


/* a row of class OK agrees, and many vendors document one */

static ngx_int_t
ngx_http_error_map_document_check(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_document_t *table)
{
    ngx_uint_t                 i;
    const em_entry_t          *entry, *found;
    ngx_http_error_map_row_t  *row;

    found = NULL;

    for (i = 0; i < table->nsuccess; i++) {

        entry = em_entry_find(table, table->success[i].data,
                              table->success[i].len);

        if (entry && entry->class != EM_OK
            && (found == NULL || entry < found))
        {
            found = entry;
        }
    }

    if (found == NULL) {
        return NGX_OK;
    }

    row = document->rows.elts;
    row += found - table->entries;

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "code \"%s\" is a success code of document \"%V\", its row "
                  "has no effect in %s:%ui",
                  found->code, &document->name, row->file, row->line);

    return NGX_ERROR;
}
