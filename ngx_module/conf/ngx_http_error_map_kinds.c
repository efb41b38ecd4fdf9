
#include "ngx_http_error_map_kinds.h"
#include "ngx_http_error_map_util.h"


/* kind becomes number where the policy has this action */

struct ngx_http_error_map_split_s {
    uint32_t                        policy;   /* from 1; others are stale */
    uint32_t                        kind;
    uint32_t                        number;
    ngx_http_error_map_action_t    *action;
};


/* a code that is a number, or the label of a range */

struct ngx_http_error_map_number_s {
    int64_t                         first;
    int64_t                         last;
    uint32_t                        slot;
};


static void ngx_http_error_map_kinds_range(ngx_http_error_map_kinds_t *kinds,
    ngx_http_error_map_code_row_t *row);
static void ngx_http_error_map_kinds_row(ngx_http_error_map_kinds_t *kinds,
    uint32_t slot, ngx_http_error_map_action_t *action);
static ngx_int_t ngx_http_error_map_kinds_index(
    ngx_http_error_map_kinds_t *kinds);
static int ngx_libc_cdecl ngx_http_error_map_kinds_cmp(const void *one,
    const void *two);


ngx_int_t
ngx_http_error_map_kinds_init(ngx_http_error_map_kinds_t *kinds)
{
    uint32_t                       *number;
    ngx_uint_t                      i, n;
    const em_entry_t               *entry;
    ngx_http_error_map_document_t  *document;

    document = kinds->document;
    entry = document->table->entries;

    /* the status of a row is 0, or from 200 to 599 */

    number = ngx_pcalloc(kinds->pool, 600 * EM_NCLASSES * sizeof(uint32_t));
    if (number == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < document->table->nslots; i++) {

        if (entry[i].code[0] == '\0') {
            continue;
        }

        n = entry[i].status * EM_NCLASSES + entry[i].class;

        if (number[n] == 0) {
            number[n] = ++document->nkinds;
        }

        document->kinds[i] = number[n];
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_error_map_kinds_split(ngx_http_error_map_kinds_t *kinds,
    ngx_http_error_map_code_row_t *row, ngx_http_error_map_code_row_t *end)
{
    const em_entry_t     *entry, *entries;

    if (row == end) {
        return NGX_OK;
    }

    if (kinds->splits == NULL
        && ngx_http_error_map_kinds_index(kinds) != NGX_OK)
    {
        return NGX_ERROR;
    }

    entries = kinds->document->table->entries;

    kinds->policy++;

    for ( /* void */ ; row < end; row++) {

        if (row->range) {
            ngx_http_error_map_kinds_range(kinds, row);
            continue;
        }

        entry = em_entry_find(kinds->document->table, (char *) row->code.data,
                              row->code.len);

        if (entry == NULL) {
            entry = em_entry_find(&kinds->labels, (char *) row->code.data,
                                  row->code.len);
        }

        if (entry) {
            row->used = 1;

            ngx_http_error_map_kinds_row(kinds, entry - entries, &row->action);
        }
    }

    return NGX_OK;
}


static void
ngx_http_error_map_kinds_range(ngx_http_error_map_kinds_t *kinds,
    ngx_http_error_map_code_row_t *row)
{
    ngx_uint_t                    i, first, last;
    ngx_http_error_map_number_t  *number;

    number = kinds->numbers;
    first = 0;
    last = kinds->nnumbers;

    while (first < last) {
        i = first + (last - first) / 2;

        if (number[i].first < row->first) {
            first = i + 1;

        } else {
            last = i;
        }
    }

    for (i = first; i < kinds->nnumbers && number[i].first <= row->last; i++) {

        if (number[i].last > row->last) {
            continue;
        }

        row->used = 1;

        ngx_http_error_map_kinds_row(kinds, number[i].slot, &row->action);
    }
}


/* rows of one kind that get the same action stay of one kind */

static void
ngx_http_error_map_kinds_row(ngx_http_error_map_kinds_t *kinds, uint32_t slot,
    ngx_http_error_map_action_t *action)
{
    uint32_t                     hash, *kind;
    ngx_http_error_map_split_t  *split;

    kind = &kinds->document->kinds[slot];

    hash = *kind * 0x9e3779b1 + (uint32_t) action->status * 0x85ebca6b
           + (uint32_t) action->retry_after * 0xc2b2ae35
           + (uint32_t) (action->next * 2 + action->fails_off) * 0x27d4eb2f;
    hash ^= hash >> 16;

    for ( /* void */ ; /* void */ ; hash++) {

        split = &kinds->splits[hash & kinds->mask];

        if (split->policy != kinds->policy) {

            split->policy = kinds->policy;
            split->kind = *kind;
            split->number = ++kinds->document->nkinds;
            split->action = action;

            break;
        }

        if (split->kind == *kind
            && split->action->status == action->status
            && split->action->retry_after == action->retry_after
            && split->action->next == action->next
            && split->action->fails_off == action->fails_off)
        {
            break;
        }
    }

    *kind = split->number;
}


/* what the rows "code" of policies need */

static ngx_int_t
ngx_http_error_map_kinds_index(ngx_http_error_map_kinds_t *kinds)
{
    size_t                        n;
    uint32_t                     *buckets;
    ngx_uint_t                    i;
    const em_document_t          *table;
    ngx_http_error_map_number_t  *number;

    table = kinds->document->table;

    /* a policy may split a row twice: by its code, and by a range */

    for (n = 8; n <= 2 * table->nslots; n *= 2) { /* void */ }

    kinds->mask = n - 1;

    kinds->splits = ngx_pcalloc(kinds->pool,
                                n * sizeof(ngx_http_error_map_split_t));

    kinds->numbers = ngx_palloc(kinds->pool, table->nslots
                                * sizeof(ngx_http_error_map_number_t));

    buckets = ngx_palloc(kinds->pool, n * sizeof(uint32_t));

    if (kinds->splits == NULL || kinds->numbers == NULL || buckets == NULL) {
        return NGX_ERROR;
    }

    kinds->labels.entries = table->entries + table->nexact;
    kinds->labels.nexact = table->nslots - table->nexact;

    (void) em_document_hash(&kinds->labels, buckets, n);

    for (i = 0; i < table->nslots; i++) {

        number = &kinds->numbers[kinds->nnumbers];

        if (ngx_http_error_map_numbers(table, i, &number->first, &number->last)
            == NGX_OK)
        {
            number->slot = i;
            kinds->nnumbers++;
        }
    }

    ngx_qsort(kinds->numbers, kinds->nnumbers,
              sizeof(ngx_http_error_map_number_t),
              ngx_http_error_map_kinds_cmp);

    return NGX_OK;
}


static int ngx_libc_cdecl
ngx_http_error_map_kinds_cmp(const void *one, const void *two)
{
    const ngx_http_error_map_number_t *first = one;
    const ngx_http_error_map_number_t *second = two;

    return (first->first > second->first) - (first->first < second->first);
}


ngx_int_t
ngx_http_error_map_numbers(const em_document_t *table, size_t slot,
    int64_t *first, int64_t *last)
{
    size_t       len;
    const char  *code;

    code = table->entries[slot].code;
    len = ngx_strlen(code);

    if (slot >= table->nexact) {
        return em_group_range(code, len, first, last) ? NGX_OK : NGX_DECLINED;
    }

    if (!em_group_number(code, len, first)) {
        return NGX_DECLINED;
    }

    *last = *first;

    return NGX_OK;
}


ngx_int_t
ngx_http_error_map_kinds_done(ngx_http_error_map_kinds_t *kinds)
{
    uint32_t                       *number, *kind;
    ngx_uint_t                      i, n;
    const em_entry_t               *entry;
    ngx_http_error_map_document_t  *document;

    document = kinds->document;
    entry = document->table->entries;

    number = ngx_pcalloc(kinds->pool,
                         (document->nkinds + 1) * sizeof(uint32_t));

    kinds->first = ngx_palloc(kinds->pool,
                              document->table->nslots * sizeof(uint32_t));

    if (number == NULL || kinds->first == NULL) {
        return NGX_ERROR;
    }

    for (i = 0, n = 0; i < document->table->nslots; i++) {

        if (entry[i].code[0] == '\0') {
            continue;
        }

        kind = &document->kinds[i];

        if (number[*kind] == 0) {
            kinds->first[n] = i;
            number[*kind] = ++n;
        }

        *kind = number[*kind] - 1;
    }

    document->nkinds = n;

    return NGX_OK;
}
