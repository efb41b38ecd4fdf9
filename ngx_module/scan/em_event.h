
/*
 * em_event: the JSON texts of a stream, one at a time.
 *
 *   EM_EVENT_SOURCE   text/event-stream (WHATWG HTML, server-sent events): an
 *                     event is what its "data" lines say, joined by LF
 *   EM_EVENT_LINES    application/x-ndjson, application/jsonl: a line
 *   EM_EVENT_RECORDS  application/json-seq (RFC 7464): a record
 *
 * A push parser: no allocation, no copy, libc only, and a few bytes of state.
 * The result does not depend on how the stream is cut, and comes with the first
 * byte that makes it certain: an event ends with the CR of a blank line, whose
 * LF is skipped later, and a record with the LF after its JSON text.
 */


#ifndef _EM_EVENT_H_INCLUDED_
#define _EM_EVENT_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


typedef enum {
    EM_EVENT_NONE = 0,            /* not a stream */
    EM_EVENT_SOURCE,
    EM_EVENT_LINES,
    EM_EVENT_RECORDS
} em_event_format_e;


typedef enum {
    EM_EVENT_MORE = 0,            /* the next piece is needed */
    EM_EVENT_DATA,                /* the next bytes of the event's text */
    EM_EVENT_END                  /* the text is complete */
} em_event_status_e;


/* the parser; may be copied.  The caller uses format and text only */

typedef struct {
    uint8_t             format;   /* em_event_format_e */
    uint8_t             text;     /* a text has begun and not yet ended */

    uint8_t             state;
    uint8_t             n;        /* bytes matched of a name or mark */
    uint8_t             cr;       /* the last byte was one */

    uint8_t             string;   /* EM_EVENT_RECORDS: inside a string, ... */
    uint8_t             escaped;  /* ... after a backslash, ... */
    uint32_t            depth;    /* ... open arrays and objects */
} em_event_t;


/*
 * Returns the format of a content type, len bytes long in lower case and
 * without parameters, or EM_EVENT_NONE.
 */

em_event_format_e em_event_find(const char *type, size_t len);


/* prepares the parser for the first piece of a stream */

void em_event_init(em_event_t *e, em_event_format_e format);


/*
 * Reads from *p, which moves, up to end.  To be called until it returns
 * EM_EVENT_MORE, and then with the next piece.
 *
 * With EM_EVENT_DATA, *data and *len are the next bytes of the text, at least
 * one, in the piece or constant.  Blanks before a text are left out, and what
 * has nothing but blanks is passed over, so that EM_EVENT_END comes only after
 * EM_EVENT_DATA.  At the end of the stream, text tells whether one has begun
 * and is incomplete.
 */

em_event_status_e em_event_next(em_event_t *e, const uint8_t **p,
    const uint8_t *end, const uint8_t **data, size_t *len);


#pragma GCC visibility pop


#endif /* _EM_EVENT_H_INCLUDED_ */
