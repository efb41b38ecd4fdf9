
/*
 * em_event: however a stream is cut, its texts and the bytes that complete them
 * are the same, and no byte outside a piece is read.  Event streams are read as
 * by a model.
 *
 * Input: a byte for the format, two for the cuts, the stream.
 */


#include <stdio.h>
#include <stdlib.h>

#include "em_event.h"
#include "em_event_model.h"


#define MAX_STREAM  EM_EVENT_MODEL_MAX


/* texts as of the model, and by text the bytes after which it was complete */

typedef struct {
    char     text[3 * MAX_STREAM + 2];
    size_t   ends[MAX_STREAM];
    size_t   nends;
} answer_t;


static uint32_t  seed;


static uint32_t
next_random(void)
{
    seed = seed * 1103515245 + 12345;

    return seed >> 16;
}


/* reads the stream in pieces of at most max bytes */

static void
scan(answer_t *answer, em_event_format_e format, const uint8_t *stream,
    size_t len, size_t max)
{
    char                *out;
    size_t               n, at, size;
    uint8_t             *piece;
    em_event_t           e, copy;
    const uint8_t       *p, *text;
    em_event_status_e    status;

    em_event_init(&e, format);

    out = answer->text;
    answer->nends = 0;

    for (at = 0; at < len; at += n) {

        n = (max == 1) ? 1 : (max >= len) ? len : next_random() % max + 1;
        n = (n < len - at) ? n : len - at;

        piece = malloc(n);
        memcpy(piece, stream + at, n);

        for (p = piece; /* void */ ; /* void */ ) {

            copy = e;
            status = em_event_next(&e, &p, piece + n, &text, &size);

            if (status == EM_EVENT_MORE) {
                break;
            }

            if (status == EM_EVENT_END) {

                if (!copy.text || e.text) {
                    abort();
                }

                answer->ends[answer->nends++] = at + (size_t) (p - piece);
                *out++ = '>';
                continue;
            }

            if (size == 0 || !e.text) {
                abort();
            }

            if (!copy.text) {
                *out++ = '<';
            }

            memcpy(out, text, size);
            out += size;
        }

        if (p != piece + n) {
            abort();
        }

        free(piece);

        /* it may be copied */

        copy = e;
        memset(&e, 0xa5, sizeof(e));
        e = copy;
    }

    if (e.text) {
        *out++ = '!';
    }

    *out = '\0';
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t             i, j;
    em_event_format_e  format;

    static char      model[3 * MAX_STREAM + 2];
    static answer_t  whole, pieces;

    static const size_t  max[] = { 1, 3, 20, 300 };

    if (size < 3 || size - 3 >= MAX_STREAM) {
        return 0;
    }

    format = (em_event_format_e) (1 + data[0] % 3);
    seed = data[1] | (uint32_t) data[2] << 8;

    data += 3;
    size -= 3;

    scan(&whole, format, data, size, MAX_STREAM);

    for (i = 0; i < sizeof(max) / sizeof(max[0]); i++) {

        scan(&pieces, format, data, size, max[i]);

        if (strcmp(whole.text, pieces.text) != 0
            || whole.nends != pieces.nends)
        {
            fprintf(stderr, "pieces of up to %zu bytes:\n%s\n%s\n", max[i],
                    whole.text, pieces.text);
            abort();
        }

        for (j = 0; j < whole.nends; j++) {
            if (whole.ends[j] != pieces.ends[j]) {
                abort();
            }
        }
    }

    if (format == EM_EVENT_SOURCE && memchr(data, 0, size) == NULL) {

        em_event_model(model, (const char *) data, size);

        if (strcmp(whole.text, model) != 0) {
            fprintf(stderr, "the model:\n%s\n%s\n", whole.text, model);
            abort();
        }
    }

    return 0;
}
