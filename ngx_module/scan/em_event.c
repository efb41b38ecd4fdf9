
#include <string.h>

#include "em_event.h"


enum {
    sw_mark = 0,                  /* a byte order mark may come */
    sw_line,                      /* at the start of a line */
    sw_name,                      /* "data" may come */
    sw_colon,                     /* past it: a blank is dropped */
    sw_value,
    sw_other                      /* a comment or another field */
};


/* the character before a record */
#define EM_EVENT_RS  0x1e

static const struct {
    const char         *type;
    em_event_format_e   format;
} em_event_types[] = {
    { "text/event-stream", EM_EVENT_SOURCE },
    { "application/x-ndjson", EM_EVENT_LINES },
    { "application/jsonl", EM_EVENT_LINES },
    { "application/json-seq", EM_EVENT_RECORDS }
};


static em_event_status_e em_event_source(em_event_t *e, const uint8_t **p,
    const uint8_t *end, const uint8_t **data, size_t *len);
static em_event_status_e em_event_line(em_event_t *e, const uint8_t **p,
    const uint8_t *end, const uint8_t **data, size_t *len);
static em_event_status_e em_event_record(em_event_t *e, const uint8_t **p,
    const uint8_t *end, const uint8_t **data, size_t *len);
static int em_event_nested(em_event_t *e, uint8_t ch);
static const uint8_t *em_event_eol(const uint8_t *p, const uint8_t *end);
static const uint8_t *em_event_blanks(const uint8_t *p, const uint8_t *end,
    const char *blanks);


em_event_format_e
em_event_find(const char *type, size_t len)
{
    size_t  i;

    for (i = 0; i < sizeof(em_event_types) / sizeof(em_event_types[0]); i++) {

        if (strlen(em_event_types[i].type) == len
            && memcmp(em_event_types[i].type, type, len) == 0)
        {
            return em_event_types[i].format;
        }
    }

    return EM_EVENT_NONE;
}


void
em_event_init(em_event_t *e, em_event_format_e format)
{
    memset(e, 0, sizeof(em_event_t));

    e->format = (uint8_t) format;
}


em_event_status_e
em_event_next(em_event_t *e, const uint8_t **p, const uint8_t *end,
    const uint8_t **data, size_t *len)
{
    switch (e->format) {

    case EM_EVENT_SOURCE:
        return em_event_source(e, p, end, data, len);

    case EM_EVENT_LINES:
        return em_event_line(e, p, end, data, len);

    default: /* EM_EVENT_RECORDS */
        return em_event_record(e, p, end, data, len);
    }
}


static em_event_status_e
em_event_source(em_event_t *e, const uint8_t **pos, const uint8_t *end,
    const uint8_t **data, size_t *len)
{
    uint8_t         ch;
    const uint8_t  *p;

    static const char     name[] = "data";
    static const uint8_t  mark[] = { 0xef, 0xbb, 0xbf };
    static const uint8_t  lf = '\n';

    for (p = *pos; p < end; /* void */ ) {

        ch = *p;

        switch (e->state) {

        case sw_mark:
            if (ch == mark[e->n]) {
                p++;

                if (++e->n == sizeof(mark)) {
                    e->state = sw_line;
                }

                break;
            }

            /* half a mark is the beginning of a name */

            e->state = e->n ? sw_other : sw_line;
            break;

        case sw_line:
            if (ch == '\n' && e->cr) {
                e->cr = 0;
                p++;
                break;
            }

            e->cr = 0;

            if (ch == '\n' || ch == '\r') {
                e->cr = (ch == '\r');
                p++;

                if (e->text) {
                    e->text = 0;
                    *pos = p;
                    return EM_EVENT_END;
                }

                break;
            }

            e->n = 0;
            e->state = sw_name;
            break;

        case sw_name:
            if (e->n < sizeof(name) - 1) {

                if (ch == (uint8_t) name[e->n]) {
                    e->n++;
                    p++;
                    break;
                }

                e->state = sw_other;
                break;
            }

            if (ch == ':') {
                p++;
                e->state = sw_colon;

            } else if (ch == '\n' || ch == '\r') {
                e->state = sw_value;

            } else {
                e->state = sw_other;
                break;
            }

            /* the lines before have text */

            if (e->text) {
                *pos = p;
                *data = &lf;
                *len = 1;
                return EM_EVENT_DATA;
            }

            break;

        case sw_colon:
            if (ch == ' ') {
                p++;
            }

            e->state = sw_value;
            break;

        default: /* sw_value, sw_other */

            if (e->state == sw_value && !e->text) {
                p = em_event_blanks(p, end, " \t");
            }

            *data = p;
            p = em_event_eol(p, end);
            *len = (size_t) (p - *data);

            ch = (uint8_t) (e->state == sw_value && *len);

            if (p < end) {
                e->cr = (*p++ == '\r');
                e->state = sw_line;
            }

            if (ch) {
                e->text = 1;
                *pos = p;
                return EM_EVENT_DATA;
            }
        }
    }

    *pos = p;

    return EM_EVENT_MORE;
}


static em_event_status_e
em_event_line(em_event_t *e, const uint8_t **pos, const uint8_t *end,
    const uint8_t **data, size_t *len)
{
    const uint8_t  *p, *q;

    p = *pos;

    if (!e->text) {
        p = em_event_blanks(p, end, " \t\r\n");

    } else if (p < end && *p == '\n') {
        e->text = 0;
        *pos = p + 1;
        return EM_EVENT_END;
    }

    if (p == end) {
        *pos = p;
        return EM_EVENT_MORE;
    }

    q = memchr(p, '\n', (size_t) (end - p));

    *pos = q ? q : end;
    *data = p;
    *len = (size_t) (*pos - p);

    e->text = 1;

    return EM_EVENT_DATA;
}


/*
 * A JSON text may have lines, so that only a LF outside of all brackets and
 * strings ends it before the next record.
 */

static em_event_status_e
em_event_record(em_event_t *e, const uint8_t **pos, const uint8_t *end,
    const uint8_t **data, size_t *len)
{
    const uint8_t  *p;

    p = *pos;

    if (!e->text) {
        p = em_event_blanks(p, end, " \t\r\n\x1e");

        e->string = 0;
        e->escaped = 0;
        e->depth = 0;

    } else if (p < end
               && (*p == EM_EVENT_RS
                   || (*p == '\n' && !e->string && e->depth == 0)))
    {
        e->text = 0;
        *pos = p + 1;
        return EM_EVENT_END;
    }

    *data = p;

    while (p < end && em_event_nested(e, *p)) {
        p++;
    }

    *pos = p;
    *len = (size_t) (p - *data);

    if (*len == 0) {
        return EM_EVENT_MORE;
    }

    e->text = 1;

    return EM_EVENT_DATA;
}


/* returns 0 if the byte ends the record */

static int
em_event_nested(em_event_t *e, uint8_t ch)
{
    if (ch == EM_EVENT_RS) {
        return 0;
    }

    if (e->string) {

        if (e->escaped) {
            e->escaped = 0;

        } else if (ch == '\\') {
            e->escaped = 1;

        } else if (ch == '"') {
            e->string = 0;
        }

        return 1;
    }

    switch (ch) {

    case '\n':
        return e->depth != 0;

    case '"':
        e->string = 1;
        break;

    case '{':
    case '[':
        e->depth++;
        break;

    case '}':
    case ']':
        e->depth -= (e->depth != 0);
        break;
    }

    return 1;
}


/* returns the first CR or LF, or end */

static const uint8_t *
em_event_eol(const uint8_t *p, const uint8_t *end)
{
    const uint8_t  *q;

    if (p == end) {
        return end;
    }

    q = memchr(p, '\n', (size_t) (end - p));
    end = q ? q : end;

    if (p == end) {
        return end;
    }

    q = memchr(p, '\r', (size_t) (end - p));

    return q ? q : end;
}


/* returns the first byte that is not one of the blanks, or end */

static const uint8_t *
em_event_blanks(const uint8_t *p, const uint8_t *end, const char *blanks)
{
    while (p < end && *p && strchr(blanks, *p)) {
        p++;
    }

    return p;
}
