
/*
 * Groups: rows of a document that stand for many codes - a range, a prefix, a
 * pattern - and the answer of a document to a code.
 */


#ifndef _EM_GROUP_H_INCLUDED_
#define _EM_GROUP_H_INCLUDED_


#include "em_document.h"


#pragma GCC visibility push(hidden)


/* digits of a number in a range */
#define EM_GROUP_DIGITS  18


/* in the order in which they are asked, after the exact rows */

typedef enum {
    EM_GROUP_RANGE = 0,
    EM_GROUP_PREFIX,
    EM_GROUP_PATTERN,
    EM_GROUP_DEFAULT              /* is a document's unlisted, not a group */
} em_group_e;


struct em_group_s {
    em_group_e         type;
    em_str_t           text;      /* PREFIX: 1 to EM_CODE_MAX bytes */
    int64_t            first;     /* RANGE, both included */
    int64_t            last;
    const void        *pattern;   /* PATTERN: the caller's */
    const em_entry_t  *entry;     /* NULL for a success */
    size_t             order;     /* in the configuration */
};


typedef enum {
    EM_ANSWER_UNLISTED = 0,
    EM_ANSWER_ERROR,
    EM_ANSWER_SUCCESS
} em_answer_e;


/*
 * Applies a pattern to a code, len bytes long: 1 if it matches, 0 if it does
 * not or costs too much.
 */
typedef int (*em_group_match_pt)(void *data, const void *pattern,
    const char *code, size_t len);


/*
 * Parses an integer as JSON writes it, of up to EM_GROUP_DIGITS digits: "-" at
 * most, and no leading zero, so that "007" and "-0" are invalid.  Returns 1,
 * or 0 for all other texts.
 */

int em_group_number(const char *text, size_t len, int64_t *n);


/*
 * Parses "first-last", two numbers as above, without comparing them.  Returns
 * 1, or 0 for all other texts.
 */

int em_group_range(const char *text, size_t len, int64_t *first,
    int64_t *last);


/*
 * Sorts groups for em_document_answer().  Returns NULL, or a group of which
 * *other, which comes earlier in the configuration, is a duplicate: a range
 * that overlaps, or the same prefix.  Patterns keep their order.
 */

const em_group_t *em_group_sort(em_group_t *groups, size_t n,
    const em_group_t **other);


/*
 * Writes to pieces the parts of a range that none of n sorted ranges has: at
 * most n + 1, with the range's entry.  Returns their number.
 */

size_t em_group_cut(const em_group_t *range, const em_group_t *others,
    size_t n, em_group_t *pieces);


/*
 * Returns what the document says about a code, len bytes long and not
 * necessarily NUL-terminated: by its exact row or success, else by a range,
 * else by the longest prefix, else by the first pattern that matches.
 *
 * ERROR: *entry is the row.  SUCCESS: *success is the index in doc->success,
 * or doc->nsuccess for a success of a group.  match() may be NULL if the
 * document has no pattern.
 */

em_answer_e em_document_answer(const em_document_t *doc, const char *code,
    size_t len, em_group_match_pt match, void *data, const em_entry_t **entry,
    size_t *success);


#pragma GCC visibility pop


#endif /* _EM_GROUP_H_INCLUDED_ */
