
/*
 * em_document_hash(): every code finds its own row and nothing else does, in
 * 50 rows and in 50,000, and about as fast.
 */


#include <time.h>

#include "em_tap.h"
#include "em_document.h"


#define MANY     50000
#define BUCKETS  131072


/* em_document.c looks for compiled documents here */

const em_document_t *const  em_documents[] = { NULL };


static char           codes[MANY][16];
static em_entry_t     entries[MANY];
static uint32_t       buckets[BUCKETS];
static em_document_t  doc;


static const em_entry_t *
find(const char *code, size_t len)
{
    return em_entry_find(&doc, em_tap_guarded(0, code, len), len);
}


static const em_entry_t *
hash(size_t n, uint32_t nbuckets, const char *fmt)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        sprintf(codes[i], fmt, (int) i);
        entries[i].code = codes[i];
    }

    memset(&doc, 0, sizeof(doc));
    doc.entries = entries;
    doc.nslots = n;
    doc.nexact = n;

    return em_document_hash(&doc, buckets, nbuckets);
}


static void
look_up(size_t n, uint32_t nbuckets, const char *fmt)
{
    char    code[24];
    size_t  i, len, bad;

    em_tap_ok(hash(n, nbuckets, fmt) == NULL, "%lu rows like %s are hashed",
              (unsigned long) n, fmt);

    for (i = 0, bad = 0; i < n; i++) {
        bad += (find(codes[i], strlen(codes[i])) != &entries[i]);
    }

    em_tap_ok(bad == 0, "... each is found");

    for (i = 0, bad = 0; i < n; i++) {
        len = strlen(codes[i]);
        memcpy(code, codes[i], len + 1);

        bad += (find(code, len + 1) != NULL);          /* a NUL after it */

        code[len] = 'x';
        bad += (find(code, len + 1) != NULL);          /* one byte more */

        code[len - 1] = 'x';
        bad += (find(code, len) != NULL);              /* another byte */

        code[0] = '\0';
        bad += (find(code, len) != NULL);              /* a NUL in it */
    }

    em_tap_ok(bad == 0 && find("", 0) == NULL, "... and nothing else");
}


/* seconds of a million look-ups, the best of several times */

static double
seconds(size_t n)
{
    int               k;
    double            took, best;
    size_t            i;
    clock_t           begin;
    volatile size_t   found;

    best = 1e9;

    for (k = 0; k < 7; k++) {
        begin = clock();

        for (i = 0, found = 0; i < 1000000; i++) {
            found += (em_entry_find(&doc, codes[i % n], strlen(codes[i % n]))
                      != NULL);
        }

        took = (double) (clock() - begin) / CLOCKS_PER_SEC;

        if (took < best) {
            best = took;
        }
    }

    return best;
}


int
main(void)
{
    double             few, many;
    const em_entry_t  *twice;

    look_up(1, 8, "%d");
    look_up(3, 8, "%d");
    look_up(50, 128, "E%d");
    look_up(MANY, BUCKETS, "%d");
    look_up(MANY, BUCKETS, "VENDOR_%06d");

    (void) hash(50, 128, "%d");
    few = seconds(50);

    (void) hash(MANY, BUCKETS, "%d");
    many = seconds(MANY);

    em_tap_ok(many < 10 * few, "a look-up in %d rows takes about as long as "
              "one in 50: %.0f and %.0f ns", MANY, many * 1e3, few * 1e3);

    (void) hash(3, 8, "%d");
    strcpy(codes[2], "0");
    twice = em_document_hash(&doc, buckets, 8);

    em_tap_ok(twice == &entries[2], "a duplicate code is reported");

    return em_tap_done();
}
