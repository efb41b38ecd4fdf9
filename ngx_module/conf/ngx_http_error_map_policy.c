
#include "ngx_http_error_map_policy.h"
#include "ngx_http_error_map_document.h"


static ngx_int_t ngx_http_error_map_policy_bind(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy,
    ngx_http_error_map_document_t *document);
static void ngx_http_error_map_policy_resolve(
    ngx_http_error_map_policy_t *policy,
    ngx_http_error_map_document_t *document, const em_entry_t *entry,
    ngx_http_error_map_action_t *action);
static ngx_int_t ngx_http_error_map_policy_check(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_http_error_map_policy_t *policy);


ngx_int_t
ngx_http_error_map_policy_compile(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf)
{
    ngx_uint_t                      i, n;
    ngx_http_error_map_policy_t   **policies;
    ngx_http_error_map_document_t **documents;

    policies = emcf->policies.elts;
    documents = emcf->documents.elts;

    for (i = 0; i < emcf->policies.nelts; i++) {

        if (!policies[i]->defined) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown policy \"%V\", it must be declared by "
                          "\"error_map_policy %V { ... }\" in %s:%ui",
                          &policies[i]->name, &policies[i]->name,
                          policies[i]->file, policies[i]->line);
            return NGX_ERROR;
        }

        policies[i]->actions = ngx_palloc(cf->pool,
                                          emcf->documents.nelts
                                    * sizeof(ngx_http_error_map_action_t *));
        if (policies[i]->actions == NULL) {
            return NGX_ERROR;
        }

        for (n = 0; n < emcf->documents.nelts; n++) {
            if (ngx_http_error_map_policy_bind(cf, policies[i], documents[n])
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        if (ngx_http_error_map_policy_check(cf, emcf, policies[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_policy_bind(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy,
    ngx_http_error_map_document_t *document)
{
    ngx_uint_t                    i;
    const em_document_t          *table;
    ngx_http_error_map_action_t  *actions;

    table = document->table;

    actions = ngx_palloc(cf->pool,
                         table->nslots * sizeof(ngx_http_error_map_action_t));
    if (actions == NULL) {
        return NGX_ERROR;
    }

    policy->actions[document->number] = actions;

    for (i = 0; i < table->nslots; i++) {
        if (table->entries[i].code[0] != '\0') {
            ngx_http_error_map_policy_resolve(policy, document,
                                              &table->entries[i], &actions[i]);
        }
    }

    return NGX_OK;
}


/* the most specific row decides: code, range of codes, status, class, base */

static void
ngx_http_error_map_policy_resolve(ngx_http_error_map_policy_t *policy,
    ngx_http_error_map_document_t *document, const em_entry_t *entry,
    ngx_http_error_map_action_t *action)
{
    uint64_t                          n;
    ngx_str_t                         code;
    ngx_uint_t                        i, number;
    ngx_http_error_map_code_row_t    *row, *found;
    ngx_http_error_map_status_row_t  *status;

    code.data = (u_char *) entry->code;
    code.len = ngx_strlen(entry->code);

    n = 0;
    number = (ngx_http_error_map_policy_number(code.data, code.data + code.len,
                                               &n)
              == NGX_OK);

    found = NULL;
    row = policy->codes.elts;

    for (i = 0; i < policy->codes.nelts; i++) {

        if (!ngx_http_error_map_equal(&row[i].document, &document->name)) {
            continue;
        }

        if (row[i].range) {
            if (!number || n < row[i].first || n > row[i].last) {
                continue;
            }

        } else if (!ngx_http_error_map_equal(&row[i].code, &code)) {
            continue;
        }

        row[i].used = 1;

        if (found == NULL || found->range) {
            found = &row[i];
        }
    }

    if (found) {
        *action = found->action;
        return;
    }

    status = policy->statuses.elts;

    for (i = 0; i < policy->statuses.nelts; i++) {
        if (status[i].status == entry->status) {
            *action = status[i].action;
            return;
        }
    }

    if (policy->classes[entry->class]) {
        *action = *policy->classes[entry->class];
        return;
    }

    action->retry_after = NGX_HTTP_ERROR_MAP_NO_RETRY;

    switch (policy->base) {

    case NGX_HTTP_ERROR_MAP_BASE_KEEP:
        action->status = 0;
        return;

    case NGX_HTTP_ERROR_MAP_BASE_DOCUMENT:
        if (entry->status) {
            action->status = entry->status;
            return;
        }

        /* fall through */

    default: /* NGX_HTTP_ERROR_MAP_BASE_CLASS */
        action->status = em_class_status[entry->class];
    }
}


/* rejects a row "code" that has no effect */

static ngx_int_t
ngx_http_error_map_policy_check(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_http_error_map_policy_t *policy)
{
    ngx_str_t                       names;
    ngx_uint_t                      i;
    ngx_http_error_map_code_row_t  *row;
    ngx_http_error_map_document_t  *document;

    row = policy->codes.elts;

    for (i = 0; i < policy->codes.nelts; i++) {

        document = ngx_http_error_map_document_find(emcf,
                                                    &row[i].document);

        if (document && !row[i].range
            && em_success_find(document->table, (char *) row[i].code.data,
                               row[i].code.len)
               >= 0)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "code \"%V\" is a success code of document \"%V\", "
                          "row \"code %V\" of error_map_policy \"%V\" has "
                          "no effect in %s:%ui",
                          &row[i].code, &row[i].document, &row[i].matcher,
                          &policy->name, row[i].file, row[i].line);
            return NGX_ERROR;
        }

        if (row[i].used) {
            continue;
        }

        if (document == NULL) {

            if (ngx_http_error_map_document_names(cf, emcf, 0, &names)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown document \"%V\" in row \"code %V\" of "
                          "error_map_policy \"%V\", it must be one of: %V "
                          "in %s:%ui",
                          &row[i].document, &row[i].matcher, &policy->name,
                          &names, row[i].file, row[i].line);

        } else if (row[i].range) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "document \"%V\" has no code in the range of row "
                          "\"code %V\" of error_map_policy \"%V\" in %s:%ui",
                          &row[i].document, &row[i].matcher, &policy->name,
                          row[i].file, row[i].line);

        } else {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown code \"%V\" of document \"%V\" in row "
                          "\"code %V\" of error_map_policy \"%V\", it must be "
                          "a code of the document or a range in %s:%ui",
                          &row[i].code, &row[i].document, &row[i].matcher,
                          &policy->name, row[i].file, row[i].line);
        }

        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_http_error_map_action_t *
ngx_http_error_map_policy_action(ngx_http_error_map_policy_t *policy,
    ngx_http_error_map_document_t *document, const em_entry_t *entry)
{
    if (entry == NULL) {
        return policy->unknown;
    }

    return &policy->actions[document->number]
                           [entry - document->table->entries];
}


ngx_int_t
ngx_http_error_map_policy_number(u_char *p, u_char *last, uint64_t *n)
{
    if (p == last || last - p > 18 || (*p == '0' && last - p > 1)) {
        return NGX_DECLINED;
    }

    for (*n = 0; p < last; p++) {
        if (*p < '0' || *p > '9') {
            return NGX_DECLINED;
        }

        *n = *n * 10 + (*p - '0');
    }

    return NGX_OK;
}
