
#include <stdlib.h>
#include <string.h>

#include "em_group.h"


static int em_group_cmp(const void *one, const void *two);
static const em_group_t *em_group_find(const em_document_t *doc,
    const char *code, size_t len, em_group_match_pt match, void *data);
static const em_group_t *em_group_find_range(const em_group_t *group,
    const em_group_t *end, int64_t n);
static const em_group_t *em_group_find_prefix(const em_group_t *group,
    const em_group_t *end, const char *code, size_t len);


int
em_group_number(const char *text, size_t len, int64_t *n)
{
    size_t  i, digits;

    i = (len > 0 && text[0] == '-');
    digits = len - i;

    if (digits == 0 || digits > EM_GROUP_DIGITS
        || (text[i] == '0' && len > 1))
    {
        return 0;
    }

    for (*n = 0; i < len; i++) {

        if (text[i] < '0' || text[i] > '9') {
            return 0;
        }

        *n = *n * 10 + (text[i] - '0');
    }

    if (digits < len) {
        *n = -*n;
    }

    return 1;
}


int
em_group_range(const char *text, size_t len, int64_t *first, int64_t *last)
{
    size_t  dash;

    /* a "-" at the beginning is a sign */

    for (dash = 1; dash < len && text[dash] != '-'; dash++) { /* void */ }

    return dash < len
           && em_group_number(text, dash, first)
           && em_group_number(text + dash + 1, len - dash - 1, last);
}


const em_group_t *
em_group_sort(em_group_t *groups, size_t n, const em_group_t **other)
{
    size_t             i;
    const em_group_t  *one, *two;

    qsort(groups, n, sizeof(em_group_t), em_group_cmp);

    for (i = 1; i < n; i++) {

        one = &groups[i - 1];
        two = &groups[i];

        if (one->type != two->type || one->type == EM_GROUP_PATTERN) {
            continue;
        }

        if (one->type == EM_GROUP_RANGE
            ? two->first > one->last
            : one->text.len != two->text.len
              || memcmp(one->text.data, two->text.data, one->text.len) != 0)
        {
            continue;
        }

        *other = (one->order < two->order) ? one : two;

        return (one->order < two->order) ? two : one;
    }

    return NULL;
}


/* ranges by their first number, prefixes from long to short, then by bytes */

static int
em_group_cmp(const void *one, const void *two)
{
    const em_group_t *first = one;
    const em_group_t *second = two;

    int  rc;

    if (first->type != second->type) {
        return first->type < second->type ? -1 : 1;
    }

    if (first->type == EM_GROUP_RANGE && first->first != second->first) {
        return first->first < second->first ? -1 : 1;
    }

    if (first->type == EM_GROUP_PREFIX) {

        if (first->text.len != second->text.len) {
            return first->text.len > second->text.len ? -1 : 1;
        }

        rc = memcmp(first->text.data, second->text.data, first->text.len);

        if (rc != 0) {
            return rc;
        }
    }

    return first->order < second->order ? -1 : 1;
}


size_t
em_group_cut(const em_group_t *range, const em_group_t *others, size_t n,
    em_group_t *pieces)
{
    size_t       i, k;
    em_group_t   rest;

    rest = *range;

    for (i = 0, k = 0; i < n && others[i].first <= rest.last; i++) {

        if (others[i].last < rest.first) {
            continue;
        }

        if (rest.first < others[i].first) {
            pieces[k] = rest;
            pieces[k++].last = others[i].first - 1;
        }

        rest.first = others[i].last + 1;
    }

    if (rest.first <= rest.last) {
        pieces[k++] = rest;
    }

    return k;
}


em_answer_e
em_document_answer(const em_document_t *doc, const char *code, size_t len,
    em_group_match_pt match, void *data, const em_entry_t **entry,
    size_t *success)
{
    int                i;
    const em_group_t  *group;

    *entry = NULL;

    i = em_success_find(doc, code, len);

    if (i >= 0) {
        *success = i;
        return EM_ANSWER_SUCCESS;
    }

    *entry = em_entry_find(doc, code, len);

    if (*entry) {
        return EM_ANSWER_ERROR;
    }

    if (doc->ngroups == 0) {
        return EM_ANSWER_UNLISTED;
    }

    group = em_group_find(doc, code, len, match, data);

    if (group == NULL) {
        return EM_ANSWER_UNLISTED;
    }

    if (group->entry) {
        *entry = group->entry;
        return EM_ANSWER_ERROR;
    }

    *success = doc->nsuccess;

    return EM_ANSWER_SUCCESS;
}


static const em_group_t *
em_group_find(const em_document_t *doc, const char *code, size_t len,
    em_group_match_pt match, void *data)
{
    int64_t            n;
    const em_group_t  *group, *end, *found;

    group = doc->groups;
    end = group + doc->nranges;

    if (group < end && em_group_number(code, len, &n)) {
        found = em_group_find_range(group, end, n);

        if (found) {
            return found;
        }
    }

    group = end;
    end = group + doc->nprefixes;

    found = em_group_find_prefix(group, end, code, len);

    if (found) {
        return found;
    }

    for (group = end; group < doc->groups + doc->ngroups; group++) {
        if (match(data, group->pattern, code, len)) {
            return group;
        }
    }

    return NULL;
}


static const em_group_t *
em_group_find_range(const em_group_t *group, const em_group_t *end, int64_t n)
{
    const em_group_t  *middle;

    while (group < end) {

        middle = group + (end - group) / 2;

        if (n < middle->first) {
            end = middle;

        } else if (n > middle->last) {
            group = middle + 1;

        } else {
            return middle;
        }
    }

    return NULL;
}


/* a search in the prefixes of each length, of which there are few */

static const em_group_t *
em_group_find_prefix(const em_group_t *group, const em_group_t *end,
    const char *code, size_t len)
{
    int                rc;
    size_t             n;
    const em_group_t  *first, *last, *middle;

    while (group < end) {

        n = group->text.len;

        /* the first prefix that is shorter */

        for (first = group, last = end; first < last; /* void */ ) {

            middle = first + (last - first) / 2;

            if (middle->text.len < n) {
                last = middle;

            } else {
                first = middle + 1;
            }
        }

        first = group;
        group = last;

        if (n > len) {
            continue;
        }

        while (first < last) {

            middle = first + (last - first) / 2;
            rc = memcmp(code, middle->text.data, n);

            if (rc == 0) {
                return middle;
            }

            if (rc < 0) {
                last = middle;

            } else {
                first = middle + 1;
            }
        }
    }

    return NULL;
}
