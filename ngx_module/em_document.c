
#include <string.h>

#include "em_document.h"


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
    return doc->find(code, len);
}


int
em_success_find(const em_document_t *doc, const char *code, size_t len)
{
    size_t  i;

    for (i = 0; i < doc->nsuccess; i++) {
        if (doc->success[i].len == len
            && memcmp(doc->success[i].data, code, len) == 0)
        {
            return (int) i;
        }
    }

    return -1;
}


int
em_class_find(const char *name, size_t len)
{
    int  i;

    for (i = 0; i < EM_NCLASSES; i++) {
        if (em_class_names[i].len == len
            && memcmp(em_class_names[i].data, name, len) == 0)
        {
            return i;
        }
    }

    return -1;
}
