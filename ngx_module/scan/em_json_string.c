
#include <string.h>

#include "em_json_state.h"


static void em_json_append_unit(em_json_t *j);
static void em_json_append_char(em_json_t *j, uint32_t ch);


const uint8_t *
em_json_string(em_json_t *j, const em_json_pointers_t *set, const uint8_t *p,
    const uint8_t *end)
{
    uint8_t         ch;
    const char     *e;
    const uint8_t  *q;

    static const char  escapes[] = "\"\\/bfnrt";
    static const char  escaped[] = "\"\\/\b\f\n\r\t";

    while (p < end) {

        switch (j->state) {

        case sw_string:
            q = em_json_span(p, end);

            if (q != p) {
                em_json_append(j, p, (size_t) (q - p));
            }

            if (q == end) {
                return q;
            }

            p = q + 1;

            if (*q == '\\') {
                j->state = sw_escape;
                break;
            }

            if (*q != '"') {

                /* a control character */

                j->status = EM_JSON_MALFORMED;
                return p;
            }

            em_json_append(j, NULL, 0);

            if (!j->name) {
                j->state = sw_next;
                return p;
            }

            if (j->overflow) {
                j->match = 0;

            } else {
                em_json_member(j, set, j->token, j->len);
            }

            j->state = sw_colon;
            return p;

        case sw_escape:
            ch = *p++;

            if (ch == 'u') {
                j->nhex = 0;
                j->unit = 0;
                j->state = sw_unicode;
                break;
            }

            e = ch ? strchr(escapes, ch) : NULL;

            if (e == NULL) {
                j->status = EM_JSON_MALFORMED;
                return p;
            }

            em_json_append(j, &escaped[e - escapes], 1);

            j->state = sw_string;
            break;

        default: /* sw_unicode */
            ch = *p++;

            if (ch >= '0' && ch <= '9') {
                ch -= '0';

            } else if ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f') {
                ch = (uint8_t) ((ch | 0x20) - 'a' + 10);

            } else {
                j->status = EM_JSON_MALFORMED;
                return p;
            }

            j->unit = (uint16_t) (j->unit << 4 | ch);

            if (++j->nhex == 4) {
                em_json_append_unit(j);

                j->state = sw_string;
            }
        }
    }

    return p;
}


void
em_json_append(em_json_t *j, const void *data, size_t len)
{
    if (j->high) {
        j->high = 0;
        em_json_append_char(j, 0xfffd);
    }

    if (j->overflow || len > EM_JSON_TOKEN_MAX - j->len) {
        j->overflow = 1;
        return;
    }

    if (len) {
        memcpy(&j->token[j->len], data, len);
        j->len += len;
    }
}


static void
em_json_append_unit(em_json_t *j)
{
    uint32_t  ch;

    ch = j->unit;

    if (j->high && (ch & 0xfc00) == 0xdc00) {
        ch = 0x10000 + ((uint32_t) (j->high & 0x3ff) << 10) + (ch & 0x3ff);
        j->high = 0;
        em_json_append_char(j, ch);
        return;
    }

    em_json_append(j, NULL, 0);

    if ((ch & 0xfc00) == 0xd800) {
        j->high = (uint16_t) ch;
        return;
    }

    em_json_append_char(j, (ch & 0xfc00) == 0xdc00 ? 0xfffd : ch);
}


static void
em_json_append_char(em_json_t *j, uint32_t ch)
{
    uint8_t  utf8[4];

    em_json_append(j, utf8, em_json_utf8(utf8, ch));
}
