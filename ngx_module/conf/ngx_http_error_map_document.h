
/*
 * The documents: compiled ones, and the block error_map_document.  The lines of
 * a block, and those that a table file has beside its rows, are the same.
 */


#ifndef _NGX_HTTP_ERROR_MAP_DOCUMENT_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_DOCUMENT_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


char *ngx_http_error_map_document_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/*
 * The handlers of lines of a document, with their words in cf->args:
 * NGX_CONF_OK, or NGX_CONF_ERROR after a message.
 */
char *ngx_http_error_map_document_success(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);
char *ngx_http_error_map_document_row(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);
char *ngx_http_error_map_document_group(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);

/* ... those that say where codes and fields are */
char *ngx_http_error_map_document_source(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);
char *ngx_http_error_map_document_marker(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);
char *ngx_http_error_map_document_field(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);
char *ngx_http_error_map_document_retry_after(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);
char *ngx_http_error_map_document_charset(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);

/* whether the words begin such a line, and not a row */
ngx_uint_t ngx_http_error_map_document_is_marker(ngx_conf_t *cf);

/* gives back what a plan without further lines does not use */
ngx_int_t ngx_http_error_map_document_plan_pack(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);

/*
 * Compiles the plan, once the table is known, and moves it to the pool of the
 * configuration.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_document_plan_compile(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);

/* adds the compiled documents; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_document_compiled(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);

/*
 * Builds the tables of the other documents, once all blocks have been read.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_document_compile(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);

/* builds the table of one document; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_document_table(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);

/* returns the document called name, or NULL */
ngx_http_error_map_document_t *ngx_http_error_map_document_find(
    ngx_http_error_map_main_conf_t *emcf, ngx_str_t *name);

/* the same, but adds an unknown one, to be defined later; NULL on error */
ngx_http_error_map_document_t *ngx_http_error_map_document_get(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_str_t *name);

/* forgets all of a document but its name; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_document_clear(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document);

/*
 * Lists all defined documents, or the compiled ones only, for a message; a
 * list too long for a message ends with "...".  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_error_map_document_names(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_uint_t compiled,
    ngx_str_t *names);

/* logs each document and the number of its codes at notice */
void ngx_http_error_map_document_log(ngx_log_t *log,
    ngx_http_error_map_main_conf_t *emcf);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_DOCUMENT_H_INCLUDED_ */
