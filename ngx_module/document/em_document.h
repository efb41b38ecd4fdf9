
/*
 * Documents: one vendor's error codes each, compiled in from tables/ by gperf.
 *
 * This header and em_document.c know nothing of nginx and use libc alone.
 */


#ifndef _EM_DOCUMENT_H_INCLUDED_
#define _EM_DOCUMENT_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


/* a code longer than this many bytes is none */
#define EM_CODE_MAX   128


/*
 * The error space that every vendor is mapped to: google.rpc.Code, see
 * google/rpc/code.proto.  The values are those of that enumeration.
 */

typedef enum {
    EM_OK = 0,
    EM_CANCELLED,
    EM_UNKNOWN,
    EM_INVALID_ARGUMENT,
    EM_DEADLINE_EXCEEDED,
    EM_NOT_FOUND,
    EM_ALREADY_EXISTS,
    EM_PERMISSION_DENIED,
    EM_RESOURCE_EXHAUSTED,
    EM_FAILED_PRECONDITION,
    EM_ABORTED,
    EM_OUT_OF_RANGE,
    EM_UNIMPLEMENTED,
    EM_INTERNAL,
    EM_UNAVAILABLE,
    EM_DATA_LOSS,
    EM_UNAUTHENTICATED,
    EM_NCLASSES
} em_class_e;


typedef struct {
    size_t             len;
    const char        *data;
} em_str_t;

#define em_string(s)  { sizeof(s) - 1, s }


/* one row of a document; the field order is the one of a table's rows */

typedef struct em_entry_s {
    const char        *code;      /* NUL-terminated; "" in an unused slot */
    uint16_t           status;    /* the document's HTTP status, or 0 */
    uint16_t           class;     /* em_class_e */
    const char        *title;     /* NUL-terminated printable ASCII */
} em_entry_t;


typedef enum {
    EM_SOURCE_JSON = 0,           /* text is a JSON pointer, RFC 6901 */
    EM_SOURCE_HEADER,             /* ... the name of a response header */
    EM_SOURCE_REGEX               /* ... a PCRE2 pattern with a group */
} em_source_e;


typedef struct {
    em_source_e        type;
    em_str_t           text;
} em_source_t;


/*
 * A table row's slot is its offset in entries, below nslots.  find() is the
 * lookup that gperf generates: code need not be NUL-terminated, len is in
 * bytes, and NULL is returned for what is not in the table.  A document that
 * is made at run time has none, but a hash.
 */

typedef struct {
    em_str_t           name;

    const em_source_t *sources;
    size_t             nsources;

    const em_str_t    *success;
    size_t             nsuccess;

    const em_entry_t  *entries;
    size_t             nslots;

    const em_entry_t  *(*find)(const char *code, size_t len);

    /* instead of find(), see em_document_hash() */
    const uint32_t    *buckets;
    uint32_t           mask;
} em_document_t;


/* the documents compiled in, sorted by name and ended by NULL */

extern const em_document_t *const  em_documents[];


/*
 * Returns the compiled document called name, len bytes long, or NULL.
 */

const em_document_t *em_document_find(const char *name, size_t len);


/*
 * Returns the row of code, len bytes long and not NUL-terminated, or NULL
 * where the document has none.
 */

const em_entry_t *em_entry_find(const em_document_t *doc, const char *code,
    size_t len);


/*
 * Gives a document a hash over its entries, none of which is unused.  The
 * buckets, n of them, are the caller's and must stay; n is a power of two and
 * above nslots.  Returns NULL, or the first entry whose code is in an earlier
 * one, and the document then cannot be used.
 */

const em_entry_t *em_document_hash(em_document_t *doc, uint32_t *buckets,
    uint32_t n);


/*
 * Returns the number of the success code that equals code, len bytes long,
 * as an index into doc->success, or -1.
 */

int em_success_find(const em_document_t *doc, const char *code, size_t len);


/*
 * Returns the class called name, len bytes long, or -1.
 */

int em_class_find(const char *name, size_t len);


/* by em_class_e: the name and the canonical HTTP status */

extern const em_str_t  em_class_names[EM_NCLASSES];
extern const uint16_t  em_class_status[EM_NCLASSES];


#pragma GCC visibility pop


#endif /* _EM_DOCUMENT_H_INCLUDED_ */
