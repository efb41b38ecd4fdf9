
/*
 * em_select: what a plan's sources, markers and fields come to in a JSON text
 * that comes in pieces.
 *
 * A push parser as em_json is: no allocation, no recursion, libc only, and the
 * memory is known when the plan is compiled.  However the text is cut, the
 * answer is the same, and it is given at the first byte that makes it certain.
 *
 * Of several codes it decides by what the document says of each, for which it
 * calls the caller.  A line has the best of what it meets in hand: an error
 * before what is unlisted before a success, then by the order of the PATHs in
 * the line, then the one met first.  It is certain when nothing can be better:
 * for an error when the PATHs before its own are done, else when all are.
 *
 * A text is read as em_json reads it, and what no PATH leads to in the same
 * way and as fast.  Depth costs nothing.  Whatever the text, the time it takes
 * grows with its length alone, and nothing but the plan decides the memory.
 */


#ifndef _EM_SELECT_H_INCLUDED_
#define _EM_SELECT_H_INCLUDED_


#include "em_charset.h"
#include "em_plan.h"


#pragma GCC visibility push(hidden)


typedef enum {
    EM_SELECT_ERROR = 0,          /* the document has a row for the code */
    EM_SELECT_UNLISTED,
    EM_SELECT_SUCCESS,            /* a success code, or a marker */
    EM_SELECT_NONE                /* no code: see reason */
} em_select_kind_e;


typedef enum {
    EM_SELECT_NO_CODE = 0,        /* the texts were read and have none */
    EM_SELECT_EMPTY,              /* nothing but blanks */
    EM_SELECT_MALFORMED,
    EM_SELECT_CHARSET,            /* UTF-16 or UTF-32 */
    EM_SELECT_STOPPED,            /* em_select_stop() came first */
    EM_SELECT_COST                /* match() gave up */
} em_select_reason_e;


typedef enum {
    EM_SELECT_MORE = 0,           /* there is no verdict yet */
    EM_SELECT_FIELDS,             /* there is one, but fields may still come */
    EM_SELECT_DONE                /* nothing more is looked at */
} em_select_status_e;


/* what the caller knows; data is what em_select_init() was given */

typedef struct {

    /*
     * The document's opinion of a code of 1 to EM_PLAN_CODE_MAX bytes, which
     * is not NUL-terminated: EM_SELECT_ERROR, UNLISTED or SUCCESS.  A default
     * row plays no part in it.  *row is handed back with the verdict.
     */
    em_select_kind_e  (*classify)(void *data, const char *code, size_t len,
                          uintptr_t *row);

    /*
     * Applies a pattern of the plan to a value of 0 to EM_PLAN_VALUE_MAX
     * bytes: 1 and what matched in *code, or 0, or -1 to have the search given
     * up.  *code may point into the value; it is copied at once.  NULL is
     * allowed where the plan has no pattern.
     */
    int               (*match)(void *data, const void *pattern,
                          const char *value, size_t len, em_plan_str_t *code);
} em_select_calls_t;


typedef struct {
    uint64_t             fields;  /* those wanted, a bit for each number */
    uint32_t             texts;   /* to be looked into; 0 is 1 */
    em_charset_e         charset;
    unsigned             decided:1;   /* fields only: the code is known */
} em_select_options_t;


typedef struct {
    em_select_kind_e     kind;
    em_select_reason_e   reason;  /* NONE */

    unsigned             marker:1;
    unsigned             source;  /* number of the source line, or marker */
    unsigned             path;    /* ... and of the PATH in it, from 0 */

    uintptr_t            row;     /* from classify(); 0 for a marker */
    em_plan_str_t        code;    /* of a marker: the VALUE, or empty */
} em_select_verdict_t;


/*
 * plan->size bytes, aligned as a pointer; may be copied between two pieces.
 * They are some 2.3 KB, 144 bytes for a source, 1,040 for a field, and the same
 * again for each filter in a PATH of either.
 */

typedef struct em_select_s  em_select_t;


/*
 * Makes s ready for the first piece of a body; plan->size bytes are not all
 * written.  What the pointers point to must stay, but for options.  With
 * EM_CHARSET_WIDE, the verdict is there at once.
 */

em_select_status_e em_select_init(em_select_t *s, const em_plan_t *plan,
    const em_select_calls_t *calls, void *data,
    const em_select_options_t *options);


/*
 * Reads the next piece, len bytes at data, 0 being allowed; no byte beyond is
 * touched, nor is the piece needed later.  Once the status is EM_SELECT_DONE
 * it stays.
 *
 * Several texts in a row are looked into each for itself; the first with a
 * verdict decides.  What follows the last of them is not looked at.  Before
 * the first there may be what em_prefix.h tells.
 *
 * After an error, or a code that is unlisted, EM_SELECT_FIELDS asks for more
 * as long as a field that is wanted may still be found in the text.
 */

em_select_status_e em_select_feed(em_select_t *s, const void *data,
    size_t len);


/*
 * The body has ended, or, with em_select_stop(), the search does before it
 * has: an error in hand counts then, other codes in hand do not.  Both always
 * return EM_SELECT_DONE, and may be called when it is already.
 */

em_select_status_e em_select_end(em_select_t *s);
em_select_status_e em_select_stop(em_select_t *s);


/*
 * Fills in the verdict, which is final unless the status is EM_SELECT_MORE.
 * Its code points into s, or into the plan.
 */

void em_select_verdict(const em_select_t *s, em_select_verdict_t *verdict);


/*
 * Returns the value found for a field that was wanted, unescaped: 1 to
 * EM_PLAN_VALUE_MAX bytes, cut at a character, any bytes, in the charset of the
 * body.  *line is that of em_plan_field(); line may be NULL.  Returns NULL if
 * nothing was found.  It points into s.
 *
 * A field is that of the text that has the code.  If none has, it is that of
 * the last one, for another source of the document may have a code; so it is
 * after EM_SELECT_DONE whatever the verdict.
 */

const char *em_select_field(const em_select_t *s, unsigned number, size_t *len,
    unsigned *line);


/* the seconds of a field made by em_plan_retry(), or 0 */

uint32_t em_select_retry(const em_select_t *s, unsigned number);


#pragma GCC visibility pop


#endif /* _EM_SELECT_H_INCLUDED_ */
