
#include "ngx_http_error_map_select.h"
#include "ngx_http_error_map_pattern.h"
#include "em_group.h"


struct ngx_http_error_map_select_s {
    ngx_pool_t                     *pool;
    ngx_http_error_map_document_t  *document;
    ngx_http_error_map_text_t      *text;
    em_select_t                    *machine;
    em_select_options_t             options;
};


static em_select_kind_e ngx_http_error_map_select_classify(void *data,
    const char *code, size_t len, uintptr_t *row);
static int ngx_http_error_map_select_match(void *data, const void *pattern,
    const char *value, size_t len, em_plan_str_t *code);


static em_select_calls_t  ngx_http_error_map_select_calls = {
    ngx_http_error_map_select_classify,
    ngx_http_error_map_select_match
};


ngx_http_error_map_select_t *
ngx_http_error_map_select_create(ngx_pool_t *pool,
    ngx_http_error_map_document_t *document, ngx_http_error_map_text_t *text,
    em_charset_e charset, ngx_uint_t texts, ngx_uint_t decided)
{
    ngx_http_error_map_select_t  *select;

    select = ngx_palloc(pool, sizeof(ngx_http_error_map_select_t));
    if (select == NULL) {
        return NULL;
    }

    select->pool = pool;
    select->document = document;
    select->text = text;

    select->machine = ngx_palloc(pool, document->plan->size);
    if (select->machine == NULL) {
        return NULL;
    }

    ngx_memzero(&select->options, sizeof(em_select_options_t));

    select->options.fields = document->wanted;
    select->options.texts = texts;
    select->options.charset = charset;
    select->options.decided = (decided != 0);

    ngx_http_error_map_select_restart(select);

    return select;
}


void
ngx_http_error_map_select_restart(ngx_http_error_map_select_t *select)
{
    (void) em_select_init(select->machine, select->document->plan,
                          &ngx_http_error_map_select_calls, select,
                          &select->options);
}


em_select_status_e
ngx_http_error_map_select_feed(ngx_http_error_map_select_t *select,
    u_char *data, size_t len)
{
    return em_select_feed(select->machine, data, len);
}


void
ngx_http_error_map_select_end(ngx_http_error_map_select_t *select)
{
    (void) em_select_end(select->machine);
}


void
ngx_http_error_map_select_stop(ngx_http_error_map_select_t *select)
{
    (void) em_select_stop(select->machine);
}


void
ngx_http_error_map_select_verdict(ngx_http_error_map_select_t *select,
    em_select_verdict_t *verdict)
{
    em_select_verdict(select->machine, verdict);
}


ngx_int_t
ngx_http_error_map_select_field(ngx_http_error_map_select_t *select,
    ngx_uint_t number, ngx_str_t *value, ngx_uint_t *line)
{
    unsigned  n;

    n = 0;

    value->data = (u_char *) em_select_field(select->machine, number,
                                             &value->len, &n);
    *line = n;

    return value->data ? NGX_OK : NGX_DECLINED;
}


ngx_uint_t
ngx_http_error_map_select_retry(ngx_http_error_map_select_t *select)
{
    return em_select_retry(select->machine, NGX_HTTP_ERROR_MAP_RETRY_FIELD);
}


void
ngx_http_error_map_select_free(ngx_http_error_map_select_t *select)
{
    (void) ngx_pfree(select->pool, select->machine);
}


/* the row is an em_entry_t, or the index of a success */

static em_select_kind_e
ngx_http_error_map_select_classify(void *data, const char *code, size_t len,
    uintptr_t *row)
{
    ngx_http_error_map_select_t *select = data;

    size_t             success;
    const em_entry_t  *entry;

    success = 0;

    switch (em_document_answer(select->document->table, code, len,
                               ngx_http_error_map_pattern_match,
                               select->pool->log, &entry, &success))
    {
    case EM_ANSWER_ERROR:
        *row = (uintptr_t) entry;
        return EM_SELECT_ERROR;

    case EM_ANSWER_SUCCESS:
        *row = success;
        return EM_SELECT_SUCCESS;

    default: /* EM_ANSWER_UNLISTED */
        *row = 0;
        return EM_SELECT_UNLISTED;
    }
}


static int
ngx_http_error_map_select_match(void *data, const void *pattern,
    const char *value, size_t len, em_plan_str_t *code)
{
    ngx_http_error_map_select_t *select = data;

    ngx_str_t  found;

    if (select->text == NULL) {
        return -1;
    }

    switch (ngx_http_error_map_text_value(select->text,
                                  (ngx_http_error_map_pattern_t *) pattern,
                                  (u_char *) value, len, &found))
    {
    case NGX_OK:
        code->data = (char *) found.data;
        code->len = found.len;
        return 1;

    case NGX_DECLINED:
        return 0;

    default: /* NGX_ERROR */
        return -1;
    }
}
