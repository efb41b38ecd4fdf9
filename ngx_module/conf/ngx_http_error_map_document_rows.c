
#include "ngx_http_error_map_document.h"
#include "ngx_http_error_map_policy.h"


/* the lines of a document that say what its codes mean */


char *
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

        if (!ngx_http_error_map_document_is_code(&value[i])) {
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


char *
ngx_http_error_map_document_row(ngx_conf_t *cf,
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

    if (!ngx_http_error_map_document_is_code(&value[0])) {
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

ngx_uint_t
ngx_http_error_map_document_is_code(ngx_str_t *code)
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
