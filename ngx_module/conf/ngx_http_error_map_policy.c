
#include "ngx_http_error_map_policy.h"
#include "ngx_http_error_map_document.h"
#include "ngx_http_error_map_kinds.h"
#include "ngx_http_error_map_pattern.h"
#include "ngx_http_error_map_util.h"


static ngx_int_t ngx_http_error_map_policy_sort(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy);
static int ngx_libc_cdecl ngx_http_error_map_policy_cmp(const void *one,
    const void *two);
static ngx_http_error_map_code_row_t *ngx_http_error_map_policy_search(
    ngx_http_error_map_policy_t *policy, ngx_http_error_map_code_row_t *key);
static ngx_http_error_map_code_row_t *ngx_http_error_map_policy_rows(
    ngx_http_error_map_policy_t *policy,
    ngx_http_error_map_document_t *document,
    ngx_http_error_map_code_row_t **end);
static ngx_int_t ngx_http_error_map_policy_bind(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_http_error_map_kinds_t *kinds);
static void ngx_http_error_map_policy_resolve(
    ngx_http_error_map_policy_t *policy,
    ngx_http_error_map_document_t *document, const em_entry_t *entry,
    ngx_http_error_map_action_t *action);
static ngx_int_t ngx_http_error_map_policy_check(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_http_error_map_policy_t *policy);
static void ngx_http_error_map_policy_unused_range(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy, ngx_http_error_map_code_row_t *row,
    ngx_http_error_map_document_t *document);
static void ngx_http_error_map_policy_unused(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy, ngx_http_error_map_code_row_t *row,
    ngx_http_error_map_document_t *document);
static ngx_int_t ngx_http_error_map_policy_check_success(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_http_error_map_policy_t *policy);
static void ngx_http_error_map_policy_no_effect(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy, ngx_http_error_map_code_row_t *row);


ngx_int_t
ngx_http_error_map_policy_compile(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf)
{
    ngx_int_t                       rc;
    ngx_uint_t                      i;
    ngx_http_error_map_kinds_t      kinds;
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
        if (policies[i]->actions == NULL
            || ngx_http_error_map_policy_sort(cf, policies[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < emcf->documents.nelts; i++) {

        ngx_memzero(&kinds, sizeof(ngx_http_error_map_kinds_t));

        kinds.document = documents[i];

        kinds.pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, cf->log);
        if (kinds.pool == NULL) {
            return NGX_ERROR;
        }

        rc = ngx_http_error_map_policy_bind(cf, emcf, &kinds);

        ngx_destroy_pool(kinds.pool);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < emcf->policies.nelts; i++) {
        if (ngx_http_error_map_policy_check(cf, emcf, policies[i]) != NGX_OK) {
            return NGX_ERROR;
        }

        /* the rows are in the temporary pool */

        ngx_memzero(&policies[i]->codes, sizeof(ngx_array_t));
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_policy_sort(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy)
{
    ngx_uint_t                      i;
    ngx_http_error_map_code_row_t  *row, *first, *second, *one, *two;

    row = policy->codes.elts;

    ngx_qsort(row, policy->codes.nelts, sizeof(ngx_http_error_map_code_row_t),
              ngx_http_error_map_policy_cmp);

    one = NULL;
    two = NULL;

    for (i = 1; i < policy->codes.nelts; i++) {

        if (row[i].range != row[i - 1].range
            || !ngx_http_error_map_equal(&row[i].document,
                                         &row[i - 1].document)
            || (row[i].range
                ? row[i].first > row[i - 1].last
                : !ngx_http_error_map_equal(&row[i].code, &row[i - 1].code)))
        {
            continue;
        }

        first = &row[i - 1];
        second = &row[i];

        if (first->number > second->number) {
            first = &row[i];
            second = &row[i - 1];
        }

        if (two == NULL || second->number < two->number) {
            one = first;
            two = second;
        }
    }

    if (two == NULL) {
        return NGX_OK;
    }

    if (two->range) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "row \"code %V\" in error_map_policy \"%V\" overlaps "
                      "with row \"code %V\" in %s:%ui",
                      &two->matcher, &policy->name, &one->matcher, two->file,
                      two->line);
    } else {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "duplicate row \"code %V\" in error_map_policy \"%V\" "
                      "in %s:%ui",
                      &two->matcher, &policy->name, two->file, two->line);
    }

    return NGX_ERROR;
}


/* by document, codes before ranges */

static int ngx_libc_cdecl
ngx_http_error_map_policy_cmp(const void *one, const void *two)
{
    const ngx_http_error_map_code_row_t *first = one;
    const ngx_http_error_map_code_row_t *second = two;

    ngx_int_t  rc;

    rc = ngx_memn2cmp(first->document.data, second->document.data,
                      first->document.len, second->document.len);

    if (rc == 0) {
        rc = (ngx_int_t) first->range - (ngx_int_t) second->range;
    }

    if (rc == 0) {
        rc = first->range
             ? (first->first > second->first) - (first->first < second->first)
             : ngx_memn2cmp(first->code.data, second->code.data,
                            first->code.len, second->code.len);
    }

    return (rc > 0) - (rc < 0);
}


/* returns the last row that is not after the key, or NULL */

static ngx_http_error_map_code_row_t *
ngx_http_error_map_policy_search(ngx_http_error_map_policy_t *policy,
    ngx_http_error_map_code_row_t *key)
{
    ngx_uint_t                      first, last, n;
    ngx_http_error_map_code_row_t  *row;

    row = policy->codes.elts;
    first = 0;
    last = policy->codes.nelts;

    while (first < last) {
        n = first + (last - first) / 2;

        if (ngx_http_error_map_policy_cmp(&row[n], key) <= 0) {
            first = n + 1;

        } else {
            last = n;
        }
    }

    return first ? &row[first - 1] : NULL;
}


/* returns the first of the policy's rows for the document, and their end */

static ngx_http_error_map_code_row_t *
ngx_http_error_map_policy_rows(ngx_http_error_map_policy_t *policy,
    ngx_http_error_map_document_t *document,
    ngx_http_error_map_code_row_t **end)
{
    ngx_http_error_map_code_row_t  *row, *last, key;

    ngx_memzero(&key, sizeof(ngx_http_error_map_code_row_t));
    key.document = document->name;

    row = ngx_http_error_map_policy_search(policy, &key);
    row = row ? row + 1 : policy->codes.elts;

    last = policy->codes.elts;
    last += policy->codes.nelts;

    for (*end = row; *end < last; (*end)++) {
        if (!ngx_http_error_map_equal(&(*end)->document, &document->name)) {
            break;
        }
    }

    return row;
}


/* finds the kinds of the document, and each policy's action for each kind */

static ngx_int_t
ngx_http_error_map_policy_bind(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_http_error_map_kinds_t *kinds)
{
    ngx_uint_t                       i, n;
    ngx_http_error_map_action_t     *action;
    ngx_http_error_map_policy_t    **policies;
    ngx_http_error_map_code_row_t   *row, *end;
    ngx_http_error_map_document_t   *document;

    document = kinds->document;
    policies = emcf->policies.elts;

    document->kinds = ngx_pcalloc(cf->pool,
                                  document->table->nslots * sizeof(uint32_t));

    if (document->kinds == NULL
        || ngx_http_error_map_kinds_init(kinds) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < emcf->policies.nelts; i++) {

        row = ngx_http_error_map_policy_rows(policies[i], document, &end);

        if (ngx_http_error_map_kinds_split(kinds, row, end) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ngx_http_error_map_kinds_done(kinds) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < emcf->policies.nelts; i++) {

        action = ngx_palloc(cf->pool, document->nkinds
                                      * sizeof(ngx_http_error_map_action_t));
        if (action == NULL) {
            return NGX_ERROR;
        }

        policies[i]->actions[document->number] = action;

        for (n = 0; n < document->nkinds; n++) {
            ngx_http_error_map_policy_resolve(policies[i], document,
                               &document->table->entries[kinds->first[n]],
                               &action[n]);
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
    int64_t                           last;
    ngx_uint_t                        i;
    ngx_http_error_map_code_row_t    *row, key;
    ngx_http_error_map_status_row_t  *status;

    ngx_memzero(&key, sizeof(ngx_http_error_map_code_row_t));

    key.document = document->name;
    key.code.data = (u_char *) entry->code;
    key.code.len = ngx_strlen(entry->code);

    row = ngx_http_error_map_policy_search(policy, &key);

    if (row && ngx_http_error_map_policy_cmp(row, &key) == 0) {
        *action = row->action;
        return;
    }

    if (ngx_http_error_map_numbers(document->table,
                                   entry - document->table->entries,
                                   &key.first, &last)
        == NGX_OK)
    {
        key.range = 1;

        row = ngx_http_error_map_policy_search(policy, &key);

        if (row && row->range && last <= row->last
            && ngx_http_error_map_equal(&row->document, &key.document))
        {
            *action = row->action;
            return;
        }
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

    ngx_memzero(action, sizeof(ngx_http_error_map_action_t));
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
    ngx_http_error_map_code_row_t  *row, *rows;
    ngx_http_error_map_document_t  *document;

    if (ngx_http_error_map_policy_check_success(cf, emcf, policy) != NGX_OK) {
        return NGX_ERROR;
    }

    rows = policy->codes.elts;

    for (i = 0, row = NULL; i < policy->codes.nelts; i++) {
        if (!rows[i].used && (row == NULL || rows[i].number < row->number)) {
            row = &rows[i];
        }
    }

    if (row == NULL) {
        return NGX_OK;
    }

    document = ngx_http_error_map_document_find(emcf, &row->document);

    if (document == NULL) {

        if (ngx_http_error_map_document_names(cf, emcf, 0, &names) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "unknown document \"%V\" in row \"code %V\" of "
                      "error_map_policy \"%V\", it must be one of: %V in %s:%ui",
                      &row->document, &row->matcher, &policy->name, &names,
                      row->file, row->line);

    } else if (row->range) {
        ngx_http_error_map_policy_unused_range(cf, policy, row, document);

    } else {
        ngx_http_error_map_policy_unused(cf, policy, row, document);
    }

    return NGX_ERROR;
}


static void
ngx_http_error_map_policy_unused_range(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy, ngx_http_error_map_code_row_t *row,
    ngx_http_error_map_document_t *document)
{
    size_t                i;
    int64_t               first, last;
    const em_document_t  *table;

    table = document->table;

    for (i = table->nexact; i < table->nslots; i++) {

        if (ngx_http_error_map_numbers(table, i, &first, &last) == NGX_OK
            && first <= row->last && row->first <= last)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "row \"code %V\" of error_map_policy \"%V\" has "
                          "only a part of row \"range %s\" of document \"%V\", "
                          "write \"code %V/%s\" or add a row for the part to "
                          "the document in %s:%ui",
                          &row->matcher, &policy->name,
                          table->entries[i].code, &row->document,
                          &row->document, table->entries[i].code, row->file,
                          row->line);
            return;
        }
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "document \"%V\" has no code in the range of row "
                  "\"code %V\" of error_map_policy \"%V\" in %s:%ui",
                  &row->document, &row->matcher, &policy->name, row->file,
                  row->line);
}


/* a code of a row of many codes shares that row's action */

static void
ngx_http_error_map_policy_unused(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy, ngx_http_error_map_code_row_t *row,
    ngx_http_error_map_document_t *document)
{
    size_t             success;
    em_answer_e        answer;
    const em_entry_t  *entry;

    answer = em_document_answer(document->table, (char *) row->code.data,
                                row->code.len,
                                ngx_http_error_map_pattern_match, cf->log,
                                &entry, &success);

    if (answer == EM_ANSWER_SUCCESS) {
        ngx_http_error_map_policy_no_effect(cf, policy, row);
        return;
    }

    if (answer == EM_ANSWER_UNLISTED) {
        entry = document->table->unlisted;
    }

    if (entry) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "code \"%V\" of document \"%V\" in row \"code %V\" of "
                      "error_map_policy \"%V\" has no row of its own, write "
                      "\"code %V/%s\" or add a row for it to the document in "
                      "%s:%ui",
                      &row->code, &row->document, &row->matcher, &policy->name,
                      &row->document, entry->code, row->file, row->line);
        return;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "unknown code \"%V\" of document \"%V\" in row \"code "
                  "%V\" of error_map_policy \"%V\", it must be a code of "
                  "the document or a range in %s:%ui",
                  &row->code, &row->document, &row->matcher, &policy->name,
                  row->file, row->line);
}


static ngx_int_t
ngx_http_error_map_policy_check_success(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_http_error_map_policy_t *policy)
{
    ngx_uint_t                       i, n;
    const em_document_t             *table;
    ngx_http_error_map_code_row_t   *row, *found, key;
    ngx_http_error_map_document_t  **documents;

    if (policy->codes.nelts == 0) {
        return NGX_OK;
    }

    ngx_memzero(&key, sizeof(ngx_http_error_map_code_row_t));

    documents = emcf->documents.elts;
    found = NULL;

    for (i = 0; i < emcf->documents.nelts; i++) {

        table = documents[i]->table;
        key.document = documents[i]->name;

        for (n = 0; n < table->nsuccess; n++) {

            key.code.data = (u_char *) table->success[n].data;
            key.code.len = table->success[n].len;

            row = ngx_http_error_map_policy_search(policy, &key);

            if (row && ngx_http_error_map_policy_cmp(row, &key) == 0
                && (found == NULL || row->number < found->number))
            {
                found = row;
            }
        }
    }

    if (found == NULL) {
        return NGX_OK;
    }

    ngx_http_error_map_policy_no_effect(cf, policy, found);

    return NGX_ERROR;
}


static void
ngx_http_error_map_policy_no_effect(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy, ngx_http_error_map_code_row_t *row)
{
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "code \"%V\" is a success code of document \"%V\", row "
                  "\"code %V\" of error_map_policy \"%V\" has no effect "
                  "in %s:%ui",
                  &row->code, &row->document, &row->matcher, &policy->name,
                  row->file, row->line);
}


ngx_http_error_map_action_t *
ngx_http_error_map_policy_action(ngx_http_error_map_policy_t *policy,
    ngx_http_error_map_document_t *document, const em_entry_t *entry)
{
    if (entry == NULL) {
        return policy->unknown;
    }

    return &policy->actions[document->number]
                      [document->kinds[entry - document->table->entries]];
}
