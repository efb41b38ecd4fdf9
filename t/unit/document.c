
/*
 * em_document and the lookups that gperf generates, against a plain search of
 * the same rows.  Every string that is looked up ends at a page that must not
 * be touched.
 */


#include "em_tap.h"
#include "em_document.h"


#define NROWS  4096


typedef struct {
    const char      *name;
    size_t           nrows;
    const char      *sources;     /* separated by blanks */
    const char      *success;     /* separated by blanks */
} expect_t;


/* the documents that users know by name; there may be more */

static const expect_t  expected[] = {
    { "baidu_face",       140, "/error_code",                "0" },
    { "face_device",       41, "/error_code /error /code",   "0 OK SUCCESS" },
    { "tencent_iot",       72, "/Error/Code /Response/Error/Code", "0" },
    { "tencent_iotvideo",  73, "/StatusCode",                "200 0" },
    { "vzenith",           68, "/error_code",                "0" },
    { NULL, 0, NULL, NULL }
};


/* google/rpc/code.proto, in the order of its values */

static const struct {
    const char      *name;
    int              status;
} classes[] = {
    { "OK",                  200 },
    { "CANCELLED",           499 },
    { "UNKNOWN",             500 },
    { "INVALID_ARGUMENT",    400 },
    { "DEADLINE_EXCEEDED",   504 },
    { "NOT_FOUND",           404 },
    { "ALREADY_EXISTS",      409 },
    { "PERMISSION_DENIED",   403 },
    { "RESOURCE_EXHAUSTED",  429 },
    { "FAILED_PRECONDITION", 400 },
    { "ABORTED",             409 },
    { "OUT_OF_RANGE",        400 },
    { "UNIMPLEMENTED",       501 },
    { "INTERNAL",            500 },
    { "UNAVAILABLE",         503 },
    { "DATA_LOSS",           500 },
    { "UNAUTHENTICATED",     401 }
};

#define NCLASSES  (sizeof(classes) / sizeof(classes[0]))


/* keys, and the places where a plain search finds them, -1 for nowhere */

typedef struct {
    const char      *what;
    long           (*find)(const void *data, const char *s, size_t len);
    const void      *data;

    size_t           nkeys;
    const char      *keys[NROWS];
    size_t           lens[NROWS];
    long             places[NROWS];

    unsigned long    tried;
    unsigned long    bad;
} space_t;


static long
find_entry(const void *data, const char *s, size_t len)
{
    const em_entry_t     *e;
    const em_document_t  *doc = data;

    e = em_entry_find(doc, s, len);

    return e ? (long) (e - doc->entries) : -1;
}


static long
find_success(const void *data, const char *s, size_t len)
{
    return em_success_find(data, s, len);
}


static long
find_class(const void *data, const char *s, size_t len)
{
    (void) data;

    return em_class_find(s, len);
}


static long
find_document(const void *data, const char *s, size_t len)
{
    size_t                i;
    const em_document_t  *doc;

    (void) data;

    doc = em_document_find(s, len);

    for (i = 0; doc && em_documents[i]; i++) {
        if (em_documents[i] == doc) {
            return (long) i;
        }
    }

    return -1;
}


static void
add(space_t *sp, const char *key, size_t len, long place)
{
    if (sp->nkeys == NROWS) {
        fprintf(stderr, "NROWS is too small\n");
        exit(2);
    }

    sp->keys[sp->nkeys] = key;
    sp->lens[sp->nkeys] = len;
    sp->places[sp->nkeys++] = place;
}


static long
search(space_t *sp, const char *s, size_t len)
{
    size_t  i;

    for (i = 0; i < sp->nkeys; i++) {
        if (sp->lens[i] == len && memcmp(sp->keys[i], s, len) == 0) {
            return sp->places[i];
        }
    }

    return -1;
}


static void
try(space_t *sp, const char *s, size_t len)
{
    long  got;

    got = sp->find(sp->data, em_tap_guarded(0, s, len), len);

    sp->tried++;

    if (got != search(sp, s, len) && sp->bad++ < 5) {
        printf("# \"%.*s\", %lu bytes, is found at %ld\n", (int) len, s,
               (unsigned long) len, got);
    }
}


static void
tell(space_t *sp, const char *what)
{
    em_tap_ok(sp->bad == 0 && sp->tried != 0, "%s: %s (%lu)", sp->what, what,
              sp->tried);

    sp->tried = 0;
    sp->bad = 0;
}


static void
neighbours(space_t *sp)
{
    int          ch;
    char        *buf;
    size_t       i, len, n;
    const char  *key;

    buf = malloc(1 << 20);

    for (i = 0; i < sp->nkeys; i++) {
        try(sp, sp->keys[i], sp->lens[i]);
    }

    tell(sp, "every key finds its own place");

    for (i = 0; i < sp->nkeys; i++) {
        key = sp->keys[i];
        len = sp->lens[i];
        memcpy(buf, key, len);

        for (n = 0; n < len; n++) {
            for (ch = 0; ch < 256; ch++) {
                buf[n] = (char) ch;
                try(sp, buf, len);
            }

            buf[n] = key[n];
        }
    }

    tell(sp, "each byte changed to each other");

    for (i = 0; i < sp->nkeys; i++) {
        key = sp->keys[i];
        len = sp->lens[i];

        for (n = 0; n <= len; n++) {
            memcpy(buf, key, n);
            memcpy(buf + n + 1, key + n, len - n);

            for (ch = 0; ch < 256; ch++) {
                buf[n] = (char) ch;
                try(sp, buf, len + 1);
            }
        }
    }

    tell(sp, "each byte, NUL as well, inserted everywhere");

    for (i = 0; i < sp->nkeys; i++) {
        key = sp->keys[i];
        len = sp->lens[i];

        for (n = 0; n < len; n++) {
            memcpy(buf, key, n);
            memcpy(buf + n, key + n + 1, len - n - 1);
            try(sp, buf, len - 1);
        }
    }

    tell(sp, "each byte deleted");

    for (i = 0; i < sp->nkeys; i++) {
        for (n = 0; n < sp->lens[i]; n++) {
            try(sp, sp->keys[i], n);
            try(sp, sp->keys[i] + n, sp->lens[i] - n);
        }
    }

    tell(sp, "parts of keys");

    for (i = 0; i < sp->nkeys; i++) {
        len = sp->lens[i];
        memcpy(buf, sp->keys[i], len);

        /* itself again and again, and NULs to the length of others */

        for (n = len; n < 4 * EM_CODE_MAX; n++) {
            buf[n] = buf[n - len];
            try(sp, buf, n + 1);
        }

        memset(buf + len, '\0', EM_CODE_MAX);

        for (n = len + 1; n <= len + EM_CODE_MAX; n++) {
            try(sp, buf, n);
        }
    }

    memset(buf, '0', 1 << 20);
    try(sp, buf, 1 << 20);

    tell(sp, "extensions");

    free(buf);
}


static void
rows(const em_document_t *doc)
{
    size_t             bad, i, len;
    space_t            sp;
    const em_entry_t  *e;

    memset(&sp, 0, sizeof(sp));

    sp.what = doc->name.data;
    sp.find = find_entry;
    sp.data = doc;

    bad = 0;

    for (i = 0; i < doc->nslots; i++) {
        e = &doc->entries[i];
        len = strlen(e->code);

        if (len) {
            add(&sp, e->code, len, (long) i);
        }

        if (len > EM_CODE_MAX
            || e->class >= EM_NCLASSES
            || (len != 0) != (e->title[0] != '\0')
            || strlen(e->title) > 4 * 80
            || (e->status
                && (e->status < 200 || e->status > 599 || e->status == 204
                    || e->status == 205 || e->status == 206
                    || e->status == 304)))
        {
            printf("# bad row \"%s\"\n", e->code);
            bad++;
        }
    }

    em_tap_ok(bad == 0 && sp.nkeys != 0, "%s: rows are valid",
              sp.what);

    neighbours(&sp);
}


static void
success(const em_document_t *doc)
{
    size_t    i;
    char      what[128];
    space_t   sp;

    memset(&sp, 0, sizeof(sp));

    (void) snprintf(what, sizeof(what), "%s's success codes", doc->name.data);

    sp.what = what;
    sp.find = find_success;
    sp.data = doc;

    for (i = 0; i < doc->nsuccess; i++) {
        add(&sp, doc->success[i].data, doc->success[i].len, (long) i);
    }

    neighbours(&sp);
}


/* a document has the rows, sources and success codes of the contract */

static void
contract(const expect_t *ex)
{
    char                  list[512];
    size_t                i, n;
    const em_document_t  *doc;

    doc = em_document_find(ex->name, strlen(ex->name));

    if (!em_tap_ok(doc != NULL, "there is a document %s", ex->name)) {
        return;
    }

    for (n = 0, i = 0; i < doc->nslots; i++) {
        n += doc->entries[i].code[0] != '\0';
    }

    em_tap_ok(n == ex->nrows, "%s has %lu codes (%lu)", ex->name,
              (unsigned long) n, (unsigned long) ex->nrows);

    list[0] = '\0';

    for (i = 0; i < doc->nsources; i++) {
        sprintf(list + strlen(list), "%s%s", i ? " " : "",
                doc->sources[i].type == EM_SOURCE_JSON
                ? doc->sources[i].text.data : "?");
    }

    em_tap_ok(strcmp(list, ex->sources) == 0, "%s looks at %s", ex->name,
              list);

    list[0] = '\0';

    for (i = 0; i < doc->nsuccess; i++) {
        sprintf(list + strlen(list), "%s%s", i ? " " : "",
                doc->success[i].data);
    }

    em_tap_ok(strcmp(list, ex->success) == 0, "%s takes %s for success",
              ex->name, list);
}


static void
codes(void)
{
    size_t   i;
    space_t  sp;

    memset(&sp, 0, sizeof(sp));

    sp.what = "classes";
    sp.find = find_class;

    em_tap_ok(NCLASSES == EM_NCLASSES && EM_OK == 0
              && EM_UNAUTHENTICATED == 16, "the classes of google.rpc.Code");

    for (i = 0; i < NCLASSES; i++) {
        em_tap_ok(strcmp(em_class_names[i].data, classes[i].name) == 0
                  && em_class_names[i].len == strlen(classes[i].name)
                  && em_class_status[i] == classes[i].status,
                  "class %lu is %s with %d", (unsigned long) i,
                  classes[i].name, classes[i].status);

        add(&sp, classes[i].name, strlen(classes[i].name), (long) i);
    }

    neighbours(&sp);
}


static void
documents(void)
{
    size_t   i;
    space_t  sp;

    memset(&sp, 0, sizeof(sp));

    sp.what = "documents";
    sp.find = find_document;

    for (i = 0; em_documents[i]; i++) {
        if (i) {
            em_tap_ok(strcmp(em_documents[i - 1]->name.data,
                             em_documents[i]->name.data)
                      < 0, "%s comes before %s", em_documents[i - 1]->name.data,
                      em_documents[i]->name.data);
        }

        add(&sp, em_documents[i]->name.data, em_documents[i]->name.len,
            (long) i);
    }

    neighbours(&sp);
}


int
main(void)
{
    size_t  i;

    codes();
    documents();

    for (i = 0; expected[i].name; i++) {
        contract(&expected[i]);
    }

    for (i = 0; em_documents[i]; i++) {
        rows(em_documents[i]);
        success(em_documents[i]);
    }

    return em_tap_done();
}
