
/*
 * em_group: numbers and ranges as texts, the order of rows of many codes, and
 * the answers of documents against a plain search in the order of their lines.
 */


#include "em_tap.h"
#include "em_group.h"


#define NGROUPS    24
#define NEXACT     8
#define NBUCKETS   32
#define NDOCS      500
#define NLOOKUPS   200


/* em_document.c looks for compiled documents here */

const em_document_t *const  em_documents[] = { NULL };


static em_group_t     lines[NGROUPS];     /* in the order of the lines */
static em_group_t     groups[NGROUPS];
static char           texts[NGROUPS][8];
static em_entry_t     entries[NEXACT + NGROUPS];
static char           codes[NEXACT][8];
static em_str_t       success[NEXACT];
static char           success_codes[NEXACT][8];
static uint32_t       buckets[NBUCKETS];
static em_document_t  doc;

static const em_group_t  *other;


static unsigned
random_below(unsigned n)
{
    static uint64_t  state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;

    return (unsigned) (state >> 32) % n;
}


/* a pattern is a text to be found */

static int
match(void *data, const void *pattern, const char *code, size_t len)
{
    size_t              i;
    const em_group_t  *group = pattern;

    (*(size_t *) data)++;

    for (i = 0; i + group->text.len <= len; i++) {
        if (memcmp(code + i, group->text.data, group->text.len) == 0) {
            return 1;
        }
    }

    return 0;
}


/* numbers */

static void
numbers(void)
{
    size_t   i, len;
    int64_t  n, first, last;

    static const struct {
        const char  *text;
        int64_t      n;
    } good[] = {
        { "0", 0 }, { "7", 7 }, { "10", 10 }, { "-1", -1 }, { "-10", -10 },
        { "999999999999999999", 999999999999999999 },
        { "-999999999999999999", -999999999999999999 }
    };

    static const char *const  bad[] = {
        "", "-", "00", "07", "-0", "-07", "--1", "+1", "1.0", "1e2", " 1",
        "1 ", "1a", "a", "1000000000000000000", "-1000000000000000000", "1-2"
    };

    static const struct {
        const char  *text;
        int64_t      first;
        int64_t      last;
    } ranges[] = {
        { "0-0", 0, 0 }, { "1000-1099", 1000, 1099 }, { "5-3", 5, 3 },
        { "-1099--1000", -1099, -1000 }, { "-5-3", -5, 3 }, { "3--5", 3, -5 }
    };

    static const char *const  no_ranges[] = {
        "", "-", "--", "---", "1", "-1", "1-", "-1-", "1--", "-", "1-2-3",
        "-1--2-3", "01-2", "1-02", "-0-1", "1--0", "a-b", "1-b", "a-2", "1 -2",
        "1000000000000000000-2", "1-1000000000000000000"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        len = strlen(good[i].text);
        n = 1;

        em_tap_ok(em_group_number(em_tap_guarded(0, good[i].text, len), len,
                                  &n)
                  && n == good[i].n,
                  "\"%s\" is a number", good[i].text);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        len = strlen(bad[i]);

        em_tap_ok(!em_group_number(em_tap_guarded(0, bad[i], len), len, &n),
                  "\"%s\" is not", bad[i]);
    }

    for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        len = strlen(ranges[i].text);

        em_tap_ok(em_group_range(em_tap_guarded(0, ranges[i].text, len), len,
                                 &first, &last)
                  && first == ranges[i].first && last == ranges[i].last,
                  "\"%s\" is two numbers", ranges[i].text);
    }

    for (i = 0; i < sizeof(no_ranges) / sizeof(no_ranges[0]); i++) {
        len = strlen(no_ranges[i]);

        em_tap_ok(!em_group_range(em_tap_guarded(0, no_ranges[i], len), len,
                                  &first, &last),
                  "\"%s\" is not", no_ranges[i]);
    }
}


/* a word of few letters, so that many are parts of each other */

static size_t
word(char *text, size_t min, size_t max)
{
    size_t  i, len;

    static const char  letters[] = "aab1-0";

    len = min + random_below((unsigned) (max - min + 1));

    for (i = 0; i < len; i++) {
        text[i] = letters[random_below(sizeof(letters) - 1)];
    }

    text[len] = '\0';

    return len;
}


static void
make_groups(size_t n, int span)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        memset(&lines[i], 0, sizeof(em_group_t));

        lines[i].type = (em_group_e) random_below(3);
        lines[i].order = i;
        lines[i].pattern = &lines[i];
        lines[i].entry = random_below(4) ? &entries[NEXACT + i] : NULL;
        lines[i].text.data = texts[i];

        if (lines[i].type == EM_GROUP_RANGE) {
            lines[i].first = (int) random_below(200) - 100;
            lines[i].last = lines[i].first
                            + random_below((unsigned) span);

        } else {
            lines[i].text.len = word(texts[i], 1, 4);
        }
    }
}


static int
same(const em_group_t *one, const em_group_t *two)
{
    if (one->type != two->type || one->type == EM_GROUP_PATTERN) {
        return 0;
    }

    if (one->type == EM_GROUP_RANGE) {
        return one->first <= two->last && two->first <= one->last;
    }

    return one->text.len == two->text.len
           && memcmp(one->text.data, two->text.data, one->text.len) == 0;
}


static void
duplicates(void)
{
    size_t             d, i, k, n, bad, found;
    const em_group_t  *twice;

    for (d = 0, bad = 0, found = 0; d < 20000; d++) {

        n = 1 + random_below(8);
        make_groups(n, 8);

        memcpy(groups, lines, n * sizeof(em_group_t));
        twice = em_group_sort(groups, n, &other);

        for (i = 0, k = 0; i < n * n; i++) {
            if (i / n < i % n && same(&lines[i / n], &lines[i % n])) {
                k = 1;
            }
        }

        found += k;
        bad += (twice != NULL) != k;

        if (twice) {
            bad += !same(&lines[twice->order], &lines[other->order])
                   || twice->order <= other->order;
        }
    }

    em_tap_ok(bad == 0 && found > 1000 && found < 19000,
              "the sort tells duplicates and overlaps (%lu of %lu)",
              (unsigned long) found, (unsigned long) d);
}


/* the longest prefix, else the first group that has the code */

static const em_group_t *
search(size_t n, const char *code, size_t len, size_t *calls)
{
    size_t             i;
    int64_t            number;
    const em_group_t  *found;

    for (i = 0; i < n; i++) {
        if (lines[i].type == EM_GROUP_RANGE
            && em_group_number(code, len, &number)
            && number >= lines[i].first && number <= lines[i].last)
        {
            return &lines[i];
        }
    }

    for (i = 0, found = NULL; i < n; i++) {
        if (lines[i].type == EM_GROUP_PREFIX
            && lines[i].text.len <= len
            && memcmp(lines[i].text.data, code, lines[i].text.len) == 0
            && (found == NULL || lines[i].text.len > found->text.len))
        {
            found = &lines[i];
        }
    }

    for (i = 0; found == NULL && i < n; i++) {
        if (lines[i].type == EM_GROUP_PATTERN
            && match(calls, &lines[i], code, len))
        {
            found = &lines[i];
        }
    }

    return found;
}


/* a document without duplicates; returns the number of groups */

static size_t
make_document(void)
{
    size_t  i, k, n;

    make_groups(NGROUPS, 20);

    for (i = 0, n = 0; i < NGROUPS; i++) {

        for (k = 0; k < n && !same(&lines[k], &lines[i]); k++) { /* void */ }

        if (k == n) {
            lines[n] = lines[i];
            lines[n].order = n;
            n++;
        }
    }

    for (i = 0; i < n; i++) {
        lines[i].pattern = &lines[i];
    }

    memset(&doc, 0, sizeof(doc));

    for (i = 0; i < NEXACT; /* void */ ) {
        entries[i].code = codes[i];

        if (random_below(2)) {
            (void) sprintf(codes[i], "%d", (int) random_below(200) - 100);

        } else {
            (void) word(codes[i], 1, 4);
        }

        for (k = 0; strcmp(codes[k], codes[i]) != 0; k++) { /* void */ }

        i += (k == i);
    }

    for (i = 0; i < NEXACT; i++) {
        success[i].data = success_codes[i];
        success[i].len = word(success_codes[i], 1, 3);
    }

    /* the labels must not be found as codes */

    for (i = 0; i < NGROUPS; i++) {
        entries[NEXACT + i].code = "a";
    }

    memcpy(groups, lines, n * sizeof(em_group_t));

    doc.success = success;
    doc.nsuccess = random_below(4);
    doc.entries = entries;
    doc.nexact = NEXACT;
    doc.nslots = NEXACT + NGROUPS;
    doc.groups = groups;
    doc.ngroups = n;

    for (i = 0; i < n; i++) {
        doc.nranges += (lines[i].type == EM_GROUP_RANGE);
        doc.nprefixes += (lines[i].type == EM_GROUP_PREFIX);
    }

    if (em_document_hash(&doc, buckets, NBUCKETS) != NULL
        || em_group_sort(groups, n, &other) != NULL)
    {
        fprintf(stderr, "a document has duplicates\n");
        exit(2);
    }

    return n;
}


static int
look_up(size_t n, const char *code, size_t len, unsigned *seen)
{
    size_t             i, calls, want_calls, got;
    em_answer_e        answer, want;
    const em_entry_t  *entry, *want_entry;
    const em_group_t  *group;

    got = 1000;
    calls = 0;
    want_calls = 0;
    group = NULL;
    want = EM_ANSWER_UNLISTED;
    want_entry = NULL;

    answer = em_document_answer(&doc, em_tap_guarded(0, code, len), len, match,
                                &calls, &entry, &got);

    for (i = 0; i < doc.nsuccess; i++) {
        if (success[i].len == len && memcmp(success[i].data, code, len) == 0) {
            return answer == EM_ANSWER_SUCCESS && got == i && entry == NULL;
        }
    }

    for (i = 0; i < NEXACT && want_entry == NULL; i++) {
        if (strlen(codes[i]) == len && memcmp(codes[i], code, len) == 0) {
            want_entry = &entries[i];
        }
    }

    if (want_entry == NULL) {
        group = search(n, code, len, &want_calls);
        want_entry = group ? group->entry : NULL;
    }

    if (want_entry) {
        want = EM_ANSWER_ERROR;

    } else if (group) {
        want = EM_ANSWER_SUCCESS;
    }

    seen[group ? group->type : EM_GROUP_DEFAULT]++;

    return answer == want && entry == want_entry && calls == want_calls
           && (want != EM_ANSWER_SUCCESS || got == doc.nsuccess);
}


static void
answers(void)
{
    char      code[16];
    size_t    d, i, n, len, bad;
    unsigned  seen[4];

    memset(seen, 0, sizeof(seen));

    for (d = 0, bad = 0; d < NDOCS; d++) {

        n = make_document();

        for (i = 0; i < NLOOKUPS; i++) {

            switch (random_below(4)) {

            case 0:
                len = (size_t) sprintf(code, "%d",
                                       (int) random_below(240) - 120);
                break;

            case 1:

                /* a code that begins as a prefix does, and goes on */

                len = lines[random_below((unsigned) n)].text.len;
                memcpy(code, texts[random_below((unsigned) n)], len);
                len += word(code + len, 0, 3);
                break;

            case 2:
                len = (size_t) sprintf(code, "%s", codes[random_below(NEXACT)]);
                break;

            default:
                len = word(code, 0, 6);
            }

            if (!look_up(n, code, len, seen) && bad++ < 5) {
                printf("# document %lu, code \"%s\"\n", (unsigned long) d,
                       code);
            }
        }
    }

    em_tap_ok(bad == 0, "%d look-ups answer as a plain search does",
              NDOCS * NLOOKUPS);

    em_tap_ok(seen[EM_GROUP_RANGE] > 1000 && seen[EM_GROUP_PREFIX] > 1000
              && seen[EM_GROUP_PATTERN] > 1000
              && seen[EM_GROUP_DEFAULT] > 1000,
              "... by ranges %u, prefixes %u, patterns %u, none of them %u",
              seen[0], seen[1], seen[2], seen[3]);
}


static void
cuts(void)
{
    int                  v;
    size_t               d, i, k, n, count, bad;
    em_group_t           range, pieces[NGROUPS + 1];

    for (d = 0, bad = 0; d < 20000; d++) {

        make_groups(6, 20);

        for (i = 0, n = 0; i < 6; i++) {

            lines[i].type = EM_GROUP_RANGE;
            lines[i].first = (int) random_below(60) - 30;
            lines[i].last = lines[i].first + random_below(12);

            for (k = 0; k < n && !same(&groups[k], &lines[i]); k++) {
                /* void */
            }

            if (k == n) {
                groups[n++] = lines[i];
            }
        }

        (void) em_group_sort(groups, n, &other);

        memset(&range, 0, sizeof(range));
        range.first = (int) random_below(60) - 30;
        range.last = range.first + random_below(30);
        range.entry = entries;

        count = em_group_cut(&range, groups, n, pieces);
        bad += (count > n + 1);

        for (v = -50; v < 80; v++) {

            for (i = 0; i < n; i++) {
                if (v >= groups[i].first && v <= groups[i].last) {
                    break;
                }
            }

            for (k = 0; k < count; k++) {
                if (v >= pieces[k].first && v <= pieces[k].last) {
                    bad += (pieces[k].entry != entries);
                    break;
                }
            }

            bad += (k < count) != (i == n && v >= range.first
                                   && v <= range.last);
        }

        for (k = 0; k < count; k++) {
            bad += (pieces[k].first > pieces[k].last)
                   || (k && pieces[k].first <= pieces[k - 1].last + 1);
        }
    }

    em_tap_ok(bad == 0, "what other ranges leave of a range (%lu)",
              (unsigned long) d);
}


int
main(void)
{
    numbers();
    duplicates();
    answers();
    cuts();

    return em_tap_done();
}
