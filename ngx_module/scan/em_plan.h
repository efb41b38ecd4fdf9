
/*
 * em_plan: what a document looks for in a JSON text, compiled for em_select.
 *
 *   sources   source json PATH [PATH ...] [code=WORD] [pattern=] [if=|unless=]
 *   markers   success json PATH [VALUE ...]
 *   fields    field NAME json PATH [PATH ...] [pattern=], and retry_after
 *
 * A zero-filled plan is the empty one.  It is built line by line, in the order
 * of the configuration, then compiled, and does not change afterwards: all
 * requests share it.  The strings and patterns that it is given must stay; the
 * texts of PATHs are copied.  Nothing here allocates.
 *
 * What returns a string returns NULL, or what is wrong.  A string of a PATH
 * follows "invalid PATH "...": "; it is constant, or in error, which has
 * EM_PATH_ERROR bytes.  A plan with an error must not be used.
 */


#ifndef _EM_PLAN_H_INCLUDED_
#define _EM_PLAN_H_INCLUDED_


#include "em_json.h"
#include "em_path.h"


#pragma GCC visibility push(hidden)


#define EM_PLAN_PATHS     64      /* of one plan: a bit each in uint64_t */
#define EM_PLAN_CODE_MAX  128     /* bytes of a code */
#define EM_PLAN_VALUE_MAX 1024    /* bytes of a value that is looked at */

/* levels: that of the whole text, of 16 selectors, and of a filter's member */
#define EM_PLAN_LEVELS    (EM_PATH_SELECTORS + 2)


/* laid out as em_str_t and ngx_str_t are */

typedef struct {
    size_t                  len;
    const char             *data;
} em_plan_str_t;


typedef enum {
    EM_PLAN_SOURCE = 0,
    EM_PLAN_CONDITION,
    EM_PLAN_MARKER,
    EM_PLAN_FIELD
} em_plan_role_e;


typedef struct {
    em_path_t               path;
    uint8_t                 role;     /* em_plan_role_e */
    uint8_t                 owner;    /* number of its source, marker, field */
    uint8_t                 ms;       /* retry_after ... unit=ms */
    uint32_t                filters;  /* levels whose selector is a filter */
    uint32_t                slot;     /* where what waits for filters is kept */
    uint32_t                line;     /* FIELD: the caller's number of a line */
    const void             *pattern;  /* FIELD: pattern=, or NULL */
} em_plan_path_t;


typedef struct {
    uint64_t                paths;
    uint64_t                condition;    /* its PATH, or 0 */
    uint8_t                 unless;
    uint8_t                 plain;
    em_plan_str_t           word;         /* code=, or empty */
    const void             *pattern;      /* pattern=, or NULL */
} em_plan_source_t;


typedef struct {
    const em_plan_str_t    *values;
    size_t                  nvalues;      /* 0: something is there */
} em_plan_marker_t;


typedef struct {
    uint64_t                paths;        /* 0: the number is not in use */
    uint8_t                 retry;        /* retry_after */
} em_plan_field_t;


/* PATHs, a bit each, by the number of selectors before */

typedef struct {
    uint64_t                ends;     /* no selector is left */
    uint64_t                homes;    /* the home, or on the way to it */
    uint64_t                filtered; /* the selector before is a filter */
    uint64_t                wild;     /* next is any child, a filter included */
    uint64_t                each;     /* next is [:] */
    uint64_t                names;    /* next is a name, of a pointer as well */
    uint64_t                indexes;  /* next may be an index */
    uint64_t                lengths;  /* of names, modulo 64 */
    uint64_t                hashes;   /* of names: em_plan_hash() */
    uint32_t                index;    /* the largest one */
} em_plan_level_t;


typedef struct {
    size_t                  npaths;
    size_t                  nsources;
    size_t                  nmarkers;
    size_t                  nfields;      /* the largest number, and 1 */

    /* PATHs */
    uint64_t                roles[4];     /* by em_plan_role_e */
    uint64_t                there;        /* it matters if something is there */
    uint64_t                text;         /* ... what is there */
    uint64_t                wide;         /* ... beyond the length of a code */

    /* sources */
    uint64_t                conditional;

    uint8_t                 booleans;     /* EM_PLAN_TRUE, EM_PLAN_FALSE */
    uint8_t                 plain;        /* see em_plan_compile() */

    size_t                  bytes;        /* of the plan: may be copied */
    size_t                  size;         /* bytes that em_select needs */
    size_t                  fields;       /* where fields are kept in them */

    em_json_pointers_t      pointers;     /* plain: the sources */

    em_plan_level_t         levels[EM_PLAN_LEVELS];
    em_plan_source_t        sources[EM_PLAN_PATHS];
    em_plan_marker_t        markers[EM_PLAN_PATHS];
    em_plan_field_t         field[EM_PLAN_PATHS];
    em_plan_path_t          line;     /* of the line begun last */

    em_plan_path_t          paths[EM_PLAN_PATHS];
} em_plan_t;


/* a number below 64 for a name; first is a quote where len is 0 */

#define em_plan_hash(len, first)  (((first) + (len) * 11u) & 63)


/* codes of which the document has an exact row or success */

#define EM_PLAN_TRUE   1
#define EM_PLAN_FALSE  2


/*
 * Begins a source line.  word is what follows "code=", or NULL; pattern is
 * handed to the caller's match(), or NULL.
 */
const char *em_plan_source(em_plan_t *plan, const em_plan_str_t *word,
    const void *pattern);

/*
 * Begins a line of field "number", below EM_PLAN_PATHS: the caller gives the
 * lines of one NAME the same number.  line is what it tells them apart by: the
 * lower it is, the earlier in the configuration, among lines of other kinds.
 */
void em_plan_field(em_plan_t *plan, unsigned number, unsigned line,
    const void *pattern);

/* ... of retry_after, which is a field with a number of its own */
void em_plan_retry(em_plan_t *plan, unsigned number, unsigned line,
    const void *pattern, int ms);

/* adds a PATH to the line begun last */
const char *em_plan_path(em_plan_t *plan, const char *text, size_t len,
    char *error);

/* gives the source line begun last its if= or, with unless, unless= */
const char *em_plan_condition(em_plan_t *plan, int unless, const char *text,
    size_t len, char *error);

/* adds a marker; without values it is that something is there */
const char *em_plan_marker(em_plan_t *plan, const char *text, size_t len,
    const em_plan_str_t *values, size_t nvalues, char *error);

/*
 * Ends the plan, whose first plan->bytes bytes are then all of it, and may be
 * copied to where they are to stay.  booleans: EM_PLAN_TRUE and EM_PLAN_FALSE where the document
 * has an exact row or success of that name.
 *
 * plan->plain then tells that em_json, with plan->pointers, gives the same
 * answers in less time, a pointer's number being that of its source.  That is
 * where no fields are wanted, the charset is EM_CHARSET_UTF8, and only the
 * first text of a body is looked into.
 */
void em_plan_compile(em_plan_t *plan, unsigned booleans);


#pragma GCC visibility pop


#endif /* _EM_PLAN_H_INCLUDED_ */
