
/*
 * Checks a compiled document against the rows on standard input, a code and a
 * title each, and prints the number of its codes and slots, and the nanoseconds
 * of a look-up: of a code, of another number, and of a code in the hash that
 * a document declared at run time has for the same rows.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "em_document.h"


#define ROWS     65536
#define LOOKUPS  1000000
#define ROUNDS   9
#define NUMBERS  2000000


typedef struct {
    char               code[EM_CODE_MAX + 1];
    char               title[128];
    size_t             len;
} row_t;


extern const em_document_t  DOCUMENT;

/* em_document.c searches compiled documents here */
const em_document_t *const  em_documents[] = { &DOCUMENT, NULL };


static row_t          rows[ROWS], misses[ROWS];
static em_entry_t     entries[ROWS];
static uint32_t       buckets[4 * ROWS], order[LOOKUPS];
static em_document_t  hashed;
static size_t         nrows, nmisses;


static size_t
failed(const char *reason, const char *code)
{
    printf("%s: \"%s\" %s\n", DOCUMENT.name.data, code, reason);

    return 1;
}


/* the same rows in the run-time hash, which has tests of its own */

static const em_entry_t *
hash(size_t n)
{
    size_t    i;
    uint32_t  size;

    for (i = 0; i < n; i++) {
        entries[i].code = rows[i].code;
        entries[i].title = rows[i].title;
    }

    hashed.entries = entries;
    hashed.nslots = n;
    hashed.nexact = n;

    for (size = 8; size < 2 * (n + 1); size *= 2) { /* void */ }

    return em_document_hash(&hashed, buckets, size);
}


static size_t
check(void)
{
    char               code[EM_CODE_MAX + 2];
    size_t             i, len, bad, used;
    const em_entry_t  *entry;

    bad = 0;

    for (i = 0; i < nrows; i++) {

        entry = em_entry_find(&DOCUMENT, rows[i].code, rows[i].len);

        if (entry == NULL || strcmp(entry->code, rows[i].code) != 0
            || strcmp(entry->title, rows[i].title) != 0)
        {
            bad += failed("is not found", rows[i].code);
        }

        /* one byte more and one byte less */

        memcpy(code, rows[i].code, rows[i].len);
        code[rows[i].len] = '0';
        code[rows[i].len + 1] = '\0';

        for (len = rows[i].len - 1; len <= rows[i].len + 1; len += 2) {
            entry = em_entry_find(&DOCUMENT, code, len);

            if ((entry != NULL) != (em_entry_find(&hashed, code, len) != NULL))
            {
                bad += failed("is found in one table only", code);
            }
        }
    }

    /* all numbers, most of which are not codes */

    for (i = 0; i < NUMBERS; i++) {

        len = (size_t) sprintf(code, "%d", (int) i);

        entry = em_entry_find(&DOCUMENT, code, len);

        if ((entry != NULL) != (em_entry_find(&hashed, code, len) != NULL)
            || (entry && strcmp(entry->code, code) != 0))
        {
            bad += failed("is found in a wrong row", code);
        }
    }

    for (i = 0, used = 0; i < DOCUMENT.nslots; i++) {
        used += (DOCUMENT.entries[i].code[0] != '\0');
    }

    if (used != nrows) {
        bad += failed("has a wrong number of rows", DOCUMENT.name.data);
    }

    return bad;
}


/* look-ups are independent, except for the count of found codes */

static double
ns(const em_document_t *doc, row_t *of, size_t expected)
{
    size_t           i, found;
    row_t           *row;
    struct timespec  begin, end;

    clock_gettime(CLOCK_MONOTONIC, &begin);

    for (i = 0, found = 0; i < LOOKUPS; i++) {
        row = &of[order[i]];
        found += (em_entry_find(doc, row->code, row->len) != NULL);
    }

    clock_gettime(CLOCK_MONOTONIC, &end);

    if (found != expected) {
        exit((int) failed("was looked up wrongly", DOCUMENT.name.data));
    }

    return ((double) (end.tv_sec - begin.tv_sec) * 1e9
            + (double) (end.tv_nsec - begin.tv_nsec)) / LOOKUPS;
}


static int
compare(const void *one, const void *two)
{
    double  a = *(const double *) one, b = *(const double *) two;

    return (a > b) - (a < b);
}


int
main(void)
{
    char      line[512], *title;
    size_t    i, k;
    double    took[3][ROUNDS];
    uint32_t  x;

    while (nrows < ROWS && fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        title = strchr(line, '\t');

        if (title == NULL || title - line > EM_CODE_MAX
            || strlen(title) > sizeof(rows[0].title))
        {
            return (int) failed("is an invalid row", line);
        }

        *title++ = '\0';

        strcpy(rows[nrows].code, line);
        strcpy(rows[nrows].title, title);
        rows[nrows].len = strlen(line);

        nrows++;
    }

    if (nrows == 0 || hash(nrows) != NULL) {
        return (int) failed("has bad rows", DOCUMENT.name.data);
    }

    /* a miss is a code with another last byte */

    for (i = 0; i < nrows; i++) {
        misses[nmisses] = rows[i];

        for (x = '0'; x <= '9'; x++) {
            misses[nmisses].code[rows[i].len - 1] = (char) x;

            if (em_entry_find(&hashed, misses[nmisses].code, rows[i].len)
                == NULL)
            {
                nmisses++;
                break;
            }
        }
    }

    if (check() != 0) {
        return 1;
    }

    for (k = 0; k < ROUNDS; k++) {

        for (i = 0, x = 2463534242u; i < LOOKUPS; i++) {
            x = x * 1664525u + 1013904223u;
            order[i] = (uint32_t) ((x >> 8) % nrows);
        }

        took[0][k] = ns(&DOCUMENT, rows, LOOKUPS);
        took[2][k] = ns(&hashed, rows, LOOKUPS);

        for (i = 0; i < LOOKUPS; i++) {
            order[i] = nmisses ? (uint32_t) (order[i] % nmisses) : 0;
        }

        took[1][k] = nmisses ? ns(&DOCUMENT, misses, 0) : 0;
    }

    for (k = 0; k < 3; k++) {
        qsort(took[k], ROUNDS, sizeof(double), compare);
    }

    printf("%lu %lu %f %f %f\n", (unsigned long) nrows,
           (unsigned long) DOCUMENT.nslots, took[0][ROUNDS / 2],
           took[1][ROUNDS / 2], took[2][ROUNDS / 2]);

    return 0;
}
