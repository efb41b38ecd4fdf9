
/*
 * Event streams as the standard reads them: split at the ends of lines, then
 * collect the data of each event.
 */


#ifndef _EM_EVENT_MODEL_H_INCLUDED_
#define _EM_EVENT_MODEL_H_INCLUDED_


#include <string.h>


#define EM_EVENT_MODEL_MAX  4096  /* bytes of a stream, at most */


/*
 * Writes "<text>" for each event of a stream, and "<text!" for the last one if
 * it is incomplete: 3 bytes for each of the stream will do.  Blanks before a
 * text, and texts of blanks, are left out.
 */

static void
em_event_model(char *out, const char *stream, size_t len)
{
    char         data[EM_EVENT_MODEL_MAX], *d, *p;
    size_t       n;
    const char  *line, *end, *last;

    last = stream + len;

    if (len >= 3 && memcmp(stream, "\xef\xbb\xbf", 3) == 0) {
        stream += 3;
    }

    d = data;

    for (line = stream; line < last; line = end) {

        for (end = line; end < last && *end != '\r' && *end != '\n'; end++) {
            /* void */
        }

        n = (size_t) (end - line);

        if (n == 0) {

            for (p = data; p < d && strchr(" \t\n", *p); p++) {
                /* void */
            }

            if (p < d) {
                *out++ = '<';
                memcpy(out, p, (size_t) (d - p) - 1);
                out += d - p - 1;
                *out++ = '>';
            }

            d = data;

        } else if (n >= 4 && memcmp(line, "data", 4) == 0
                   && (n == 4 ? end < last : line[4] == ':'))
        {
            p = (char *) line + (n == 4 ? 4 : 5);

            if (p < end && *p == ' ') {
                p++;
            }

            memcpy(d, p, (size_t) (end - p));
            d += end - p;
            *d++ = '\n';
        }

        if (end < last && *end++ == '\r' && end < last && *end == '\n') {
            end++;
        }
    }

    /* d has the LF of the last line, which may be incomplete */

    for (p = data; p < d && strchr(" \t\n", *p); p++) {
        /* void */
    }

    if (p < d) {
        *out++ = '<';
        memcpy(out, p, (size_t) (d - p) - 1);
        out += d - p - 1;
        *out++ = '!';
    }

    *out = '\0';
}


#endif /* _EM_EVENT_MODEL_H_INCLUDED_ */
