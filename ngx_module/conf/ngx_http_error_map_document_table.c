
#include "ngx_http_error_map_document.h"
#include "ngx_http_error_map_util.h"


/*
 * Builds the table of a document: own rows first, then those of the base that
 * have another code or label.
 */


static ngx_int_t ngx_http_error_map_table_success(
    ngx_http_error_map_document_t *document, em_document_t *table);
static ngx_int_t ngx_http_error_map_table_exact(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_document_t *table,
    em_entry_t *entries, em_document_t *labels);
static ngx_int_t ngx_http_error_map_table_hash(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_document_t *table);
static ngx_int_t ngx_http_error_map_table_check(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_document_t *table);
static ngx_uint_t ngx_http_error_map_table_has(const em_document_t *table,
    const char *code);
static ngx_int_t ngx_http_error_map_table_labels(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_document_t *labels);
static ngx_int_t ngx_http_error_map_table_check_labels(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_document_t *table,
    em_document_t *labels);
static ngx_int_t ngx_http_error_map_table_groups(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_document_t *table,
    em_entry_t *entries, em_document_t *labels);
static ngx_int_t ngx_http_error_map_table_add(ngx_conf_t *cf,
    em_document_t *table, em_entry_t *entries,
    ngx_http_error_map_group_row_t *row, em_group_t *groups, size_t *n,
    size_t nranges);
static size_t ngx_http_error_map_table_count(em_group_t *groups, size_t n,
    em_group_e type);
static ngx_int_t ngx_http_error_map_table_sort(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_group_t *groups, size_t n);
static uint32_t *ngx_http_error_map_table_buckets(ngx_pool_t *pool, size_t n,
    uint32_t *nbuckets);


ngx_int_t
ngx_http_error_map_document_table(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document)
{
    size_t          i, n;
    em_entry_t     *entries;
    em_document_t  *table, labels;

    if (document->headers.nelts == 0
        && (document->plan == NULL || document->plan->nsources == 0)
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

    n = document->rows.nelts + 2 * document->groups.nelts
        + (document->base ? document->base->nslots : 0);

    entries = ngx_palloc(cf->pool, (n + 1) * sizeof(em_entry_t));
    if (entries == NULL) {
        return NGX_ERROR;
    }

    table->name.data = (char *) document->name.data;
    table->name.len = document->name.len;
    table->entries = entries;

    if (ngx_http_error_map_table_success(document, table) != NGX_OK
        || ngx_http_error_map_table_labels(cf, document, &labels) != NGX_OK
        || ngx_http_error_map_table_exact(cf, document, table, entries,
                                          &labels)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < table->nexact; i++) {
        if (!ngx_http_error_map_literal((u_char *) entries[i].code,
                                        ngx_strlen(entries[i].code)))
        {
            break;
        }
    }

    document->nliteral = (i == table->nexact) ? i : 0;
    document->table = table;

    return document->groups.nelts
           ? ngx_http_error_map_table_groups(cf, document, table, entries,
                                             &labels)
           : NGX_OK;
}


static ngx_int_t
ngx_http_error_map_table_success(ngx_http_error_map_document_t *document,
    em_document_t *table)
{
    size_t                i;
    em_str_t             *success;
    const em_document_t  *base;

    base = document->base;

    for (i = 0; base && i < base->nsuccess; i++) {

        success = ngx_array_push(&document->success_codes);
        if (success == NULL) {
            return NGX_ERROR;
        }

        *success = base->success[i];
    }

    table->success = document->success_codes.elts;
    table->nsuccess = document->success_codes.nelts;

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_table_exact(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_document_t *table,
    em_entry_t *entries, em_document_t *labels)
{
    size_t                     i;
    uint32_t                   nbuckets, *buckets;
    const em_document_t       *base;
    ngx_http_error_map_row_t  *row;

    base = document->base;
    row = document->rows.elts;

    buckets = ngx_http_error_map_table_buckets(cf->pool,
                                               document->rows.nelts
                                               + (base ? base->nexact : 0),
                                               &nbuckets);
    if (buckets == NULL) {
        return NGX_ERROR;
    }

    table->buckets = buckets;
    table->mask = nbuckets - 1;

    for (i = 0; i < document->nrows; i++) {
        entries[i] = row[i].entry;
    }

    table->nexact = i;

    if (ngx_http_error_map_table_hash(cf, document, table) != NGX_OK
        || ngx_http_error_map_table_check(cf, document, table) != NGX_OK
        || ngx_http_error_map_table_check_labels(cf, document, table, labels)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    for ( /* void */ ; i < document->rows.nelts; i++) {
        if (!ngx_http_error_map_table_has(table, row[i].entry.code)
            && !ngx_http_error_map_table_has(labels, row[i].entry.code))
        {
            entries[table->nexact++] = row[i].entry;
        }
    }

    if (ngx_http_error_map_table_hash(cf, document, table) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; base && i < base->nexact; i++) {
        if (base->entries[i].code[0] != '\0'
            && !ngx_http_error_map_table_has(table, base->entries[i].code)
            && !ngx_http_error_map_table_has(labels, base->entries[i].code))
        {
            entries[table->nexact++] = base->entries[i];
        }
    }

    table->nslots = table->nexact;

    return ngx_http_error_map_table_hash(cf, document, table);
}


static ngx_int_t
ngx_http_error_map_table_hash(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_document_t *table)
{
    ngx_uint_t                 i, first, second;
    const em_entry_t          *twice;
    ngx_http_error_map_row_t  *row;

    twice = em_document_hash(table, (uint32_t *) table->buckets,
                             table->mask + 1);

    if (twice == NULL) {
        return NGX_OK;
    }

    row = document->rows.elts;
    first = document->rows.nelts;
    second = 0;

    for (i = 0; i < document->rows.nelts; i++) {

        if (ngx_strcmp(row[i].entry.code, twice->code) == 0) {
            first = ngx_min(first, i);
            second = i;

            if (row[i].entry.code == twice->code) {
                break;
            }
        }
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "duplicate code \"%s\" in error_map_document \"%V\" in "
                  "%s:%ui, the first is in %s:%ui",
                  twice->code, &document->name, row[second].file,
                  row[second].line, row[first].file, row[first].line);

    return NGX_ERROR;
}


/* a row of class OK agrees, and many vendors document one */

static ngx_int_t
ngx_http_error_map_table_check(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_document_t *table)
{
    ngx_uint_t                 i;
    const em_entry_t          *entry, *found;
    ngx_http_error_map_row_t  *row;

    row = document->rows.elts;
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

    if (found) {
        row += found - table->entries;

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "code \"%s\" is a success code of document \"%V\", its "
                      "row has no effect in %s:%ui",
                      found->code, &document->name, row->file, row->line);
        return NGX_ERROR;
    }

    if (!document->compiled) {
        return NGX_OK;
    }

    for (i = 0; i < table->nexact; i++) {

        if (ngx_http_error_map_table_has(document->base, row[i].entry.code)) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "duplicate code \"%s\" in document \"%V\" in %s:%ui",
                          row[i].entry.code, &document->name, row[i].file,
                          row[i].line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_error_map_table_has(const em_document_t *table, const char *code)
{
    return em_entry_find(table, code, ngx_strlen(code)) != NULL;
}


/* makes a table of the labels of own rows of many codes */

static ngx_int_t
ngx_http_error_map_table_labels(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_document_t *labels)
{
    size_t                           i, first;
    uint32_t                         nbuckets, *buckets;
    em_entry_t                      *entries;
    const em_entry_t                *twice;
    ngx_http_error_map_group_row_t  *row;

    row = document->groups.elts;

    ngx_memzero(labels, sizeof(em_document_t));

    entries = ngx_palloc(cf->temp_pool,
                         (document->ngroups + 1) * sizeof(em_entry_t));

    buckets = ngx_http_error_map_table_buckets(cf->temp_pool,
                                               document->ngroups, &nbuckets);

    if (entries == NULL || buckets == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < document->ngroups; i++) {
        entries[i] = row[i].row.entry;
    }

    labels->entries = entries;
    labels->nexact = i;

    twice = em_document_hash(labels, buckets, nbuckets);

    if (twice == NULL) {
        return NGX_OK;
    }

    i = twice - entries;

    for (first = 0; ngx_strcmp(entries[first].code, twice->code) != 0; ) {
        first++;
    }

    if (row[first].group.type == row[i].group.type) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "duplicate row \"%V\" in error_map_document \"%V\" in "
                      "%s:%ui, the first is in %s:%ui",
                      &row[i].name, &document->name, row[i].row.file,
                      row[i].row.line, row[first].row.file,
                      row[first].row.line);
    } else {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "row \"%V\" in error_map_document \"%V\" has the label "
                      "of row \"%V\" in %s:%ui, the first is in %s:%ui",
                      &row[i].name, &document->name, &row[first].name,
                      row[i].row.file, row[i].row.line, row[first].row.file,
                      row[first].row.line);
    }

    return NGX_ERROR;
}


/* policies and metrics could not tell a code from a label */

static ngx_int_t
ngx_http_error_map_table_check_labels(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_document_t *table,
    em_document_t *labels)
{
    const char                      *label;
    ngx_uint_t                       i;
    const em_entry_t                *entry;
    ngx_http_error_map_row_t        *row;
    ngx_http_error_map_group_row_t  *group;

    row = document->rows.elts;
    group = document->groups.elts;

    for (i = 0; i < labels->nexact; i++) {

        label = labels->entries[i].code;
        entry = em_entry_find(table, label, ngx_strlen(label));

        if (entry) {
            row += entry - table->entries;

            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "row \"%V\" in error_map_document \"%V\" in %s:%ui "
                          "has the label of code \"%s\" in %s:%ui",
                          &group[i].name, &document->name, group[i].row.file,
                          group[i].row.line, label, row->file, row->line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_table_groups(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_document_t *table,
    em_entry_t *entries, em_document_t *labels)
{
    size_t                           i, n, nranges;
    em_group_t                      *groups;
    ngx_http_error_map_group_row_t  *row;

    row = document->groups.elts;

    /* each own range may cut one of the base in two */

    groups = ngx_pcalloc(cf->pool, (2 * document->groups.nelts + 1)
                                   * sizeof(em_group_t));
    if (groups == NULL) {
        return NGX_ERROR;
    }

    for (i = 0, n = 0; i < document->ngroups; i++) {
        (void) ngx_http_error_map_table_add(cf, table, entries, &row[i], groups,
                                            &n, 0);
    }

    if (ngx_http_error_map_table_sort(cf, document, groups, n) != NGX_OK) {
        return NGX_ERROR;
    }

    nranges = ngx_http_error_map_table_count(groups, n, EM_GROUP_RANGE);

    for ( /* void */ ; i < document->groups.nelts; i++) {
        if (ngx_http_error_map_table_has(labels, row[i].row.entry.code)
            || ngx_http_error_map_table_has(table, row[i].row.entry.code))
        {
            continue;
        }

        if (ngx_http_error_map_table_add(cf, table, entries, &row[i], groups,
                                         &n, nranges)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    table->groups = groups;
    table->ngroups = n;
    table->nranges = ngx_http_error_map_table_count(groups, n, EM_GROUP_RANGE);
    table->nprefixes = ngx_http_error_map_table_count(groups, n,
                                                      EM_GROUP_PREFIX);

    return ngx_http_error_map_table_sort(cf, document, groups, n);
}


/*
 * Adds a row to the *n groups: of a range, a row for each part that the first
 * nranges groups leave of it.
 */

static ngx_int_t
ngx_http_error_map_table_add(ngx_conf_t *cf, em_document_t *table,
    em_entry_t *entries, ngx_http_error_map_group_row_t *row,
    em_group_t *groups, size_t *n, size_t nranges)
{
    size_t       k;
    u_char      *label;
    em_group_t  *group;
    em_entry_t  *entry;

    group = &groups[*n];
    *group = row->group;

    k = (group->type == EM_GROUP_RANGE)
        ? em_group_cut(&row->group, groups, nranges, group) : 1;

    if (row->success) {
        *n += k;
        return NGX_OK;
    }

    for ( /* void */ ; k; k--, group++) {

        entry = &entries[table->nslots++];
        *entry = row->row.entry;

        if (group->type == EM_GROUP_DEFAULT) {
            table->unlisted = entry;
            return NGX_OK;
        }

        group->entry = entry;
        (*n)++;

        if (group->first == row->group.first && group->last == row->group.last)
        {
            continue;
        }

        label = ngx_pnalloc(cf->pool, 2 * NGX_INT64_LEN + 2);
        if (label == NULL) {
            return NGX_ERROR;
        }

        (void) ngx_sprintf(label, "%L-%L%Z", group->first, group->last);

        entry->code = (char *) label;
    }

    return NGX_OK;
}


static size_t
ngx_http_error_map_table_count(em_group_t *groups, size_t n, em_group_e type)
{
    size_t  i, count;

    for (i = 0, count = 0; i < n; i++) {
        count += (groups[i].type == type);
    }

    return count;
}


static ngx_int_t
ngx_http_error_map_table_sort(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, em_group_t *groups, size_t n)
{
    const em_group_t                *group, *other;
    ngx_http_error_map_group_row_t  *row, *first;

    if (n == 0) {
        return NGX_OK;
    }

    group = em_group_sort(groups, n, &other);

    if (group == NULL) {
        return NGX_OK;
    }

    row = document->groups.elts;
    first = &row[other->order];
    row += group->order;

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "row \"%V\" in error_map_document \"%V\" overlaps with row "
                  "\"%V\" in %s:%ui, the first is in %s:%ui",
                  &row->name, &document->name, &first->name, row->row.file,
                  row->row.line, first->row.file, first->row.line);

    return NGX_ERROR;
}


/* a power of two, at least twice as many buckets as n */

static uint32_t *
ngx_http_error_map_table_buckets(ngx_pool_t *pool, size_t n,
    uint32_t *nbuckets)
{
    for (*nbuckets = 8; *nbuckets < 2 * (n + 1); *nbuckets *= 2) {
        /* void */
    }

    return ngx_palloc(pool, *nbuckets * sizeof(uint32_t));
}
