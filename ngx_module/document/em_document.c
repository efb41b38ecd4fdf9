
#include <string.h>

#include "em_document.h"


static int em_str_find(const em_str_t *list, size_t n, const char *data,
    size_t len);
static uint32_t em_code_hash(const char *code, size_t len);
static const em_entry_t *em_hash_find(const em_document_t *doc,
    const char *code, size_t len);


const em_str_t  em_class_names[EM_NCLASSES] = {
    em_string("OK"),
    em_string("CANCELLED"),
    em_string("UNKNOWN"),
    em_string("INVALID_ARGUMENT"),
    em_string("DEADLINE_EXCEEDED"),
    em_string("NOT_FOUND"),
    em_string("ALREADY_EXISTS"),
    em_string("PERMISSION_DENIED"),
    em_string("RESOURCE_EXHAUSTED"),
    em_string("FAILED_PRECONDITION"),
    em_string("ABORTED"),
    em_string("OUT_OF_RANGE"),
    em_string("UNIMPLEMENTED"),
    em_string("INTERNAL"),
    em_string("UNAVAILABLE"),
    em_string("DATA_LOSS"),
    em_string("UNAUTHENTICATED")
};


const uint16_t  em_class_status[EM_NCLASSES] = {
    200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503,
    500, 401
};


const em_document_t *
em_document_find(const char *name, size_t len)
{
    const em_document_t *const  *doc;

    for (doc = em_documents; *doc; doc++) {
        if ((*doc)->name.len == len
            && memcmp((*doc)->name.data, name, len) == 0)
        {
            return *doc;
        }
    }

    return NULL;
}


const em_entry_t *
em_entry_find(const em_document_t *doc, const char *code, size_t len)
{
    return doc->find ? doc->find(code, len) : em_hash_find(doc, code, len);
}


/*
 * A bucket holds the number of an entry, from 1, in the bits of the mask, and
 * the hash in the other bits, so that few wrong entries are compared.  An
 * entry whose bucket is taken gets the next free one.
 */

const em_entry_t *
em_document_hash(em_document_t *doc, uint32_t *buckets, uint32_t n)
{
    size_t       len;
    uint32_t     i, k, hash;
    const char  *code;

    memset(buckets, 0, n * sizeof(uint32_t));

    doc->find = NULL;
    doc->buckets = buckets;
    doc->mask = n - 1;

    for (i = 0; i < doc->nexact; i++) {

        code = doc->entries[i].code;
        len = strlen(code);

        if (em_hash_find(doc, code, len) != NULL) {
            return &doc->entries[i];
        }

        hash = em_code_hash(code, len);

        for (k = hash; buckets[k & doc->mask]; k++) { /* void */ }

        buckets[k & doc->mask] = (hash & ~doc->mask) | (i + 1);
    }

    return NULL;
}


static const em_entry_t *
em_hash_find(const em_document_t *doc, const char *code, size_t len)
{
    size_t             i;
    uint32_t           hash, k, n;
    const em_entry_t  *entry;

    hash = em_code_hash(code, len);

    for (k = hash; /* void */ ; k++) {

        n = doc->buckets[k & doc->mask];

        if (n == 0) {
            return NULL;
        }

        if ((n ^ hash) & ~doc->mask) {
            continue;
        }

        entry = &doc->entries[(n & doc->mask) - 1];

        /* a code from a body may contain NUL */

        for (i = 0; i < len && code[i] == entry->code[i] && code[i]; i++) {
            /* void */
        }

        if (i == len && entry->code[len] == '\0') {
            return entry;
        }
    }
}


/* FNV-1a, the upper half is folded in for small tables */

static uint32_t
em_code_hash(const char *code, size_t len)
{
    size_t    i;
    uint32_t  hash;

    hash = 2166136261u;

    for (i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char) code[i]) * 16777619u;
    }

    return hash ^ hash >> 16;
}


int
em_success_find(const em_document_t *doc, const char *code, size_t len)
{
    return em_str_find(doc->success, doc->nsuccess, code, len);
}


int
em_class_find(const char *name, size_t len)
{
    return em_str_find(em_class_names, EM_NCLASSES, name, len);
}


/* returns the index of the string in the list, or -1 */

static int
em_str_find(const em_str_t *list, size_t n, const char *data, size_t len)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (list[i].len == len && memcmp(list[i].data, data, len) == 0) {
            return (int) i;
        }
    }

    return -1;
}
