
#include "em_select_state.h"


static const uint8_t *em_select_raw(em_select_t *s, const uint8_t *p,
    size_t len);
static void em_select_trim(em_select_t *s, uint8_t next);
static void em_select_unit(em_select_t *s);
static void em_select_char(em_select_t *s, uint32_t ch);
static const uint8_t *em_select_slash(em_select_t *s, const uint8_t *p,
    const uint8_t *end);


const uint8_t *
em_select_string(em_select_t *s, const uint8_t *p, const uint8_t *end)
{
    uint8_t         ch, lead;
    const char     *e;
    const uint8_t  *q;

    static const char  escapes[] = "\"\\/bfnrt";
    static const char  escaped[] = "\"\\/\b\f\n\r\t";

    while (p < end) {

        switch (s->state) {

        case sw_string:
            q = em_json_span(p, end);

            lead = 0;

            if (s->charset != EM_CHARSET_UTF8) {
                lead = em_charset_lead(s->charset, s->lead, p, q);

                if (lead && q < end && *q == '\\') {
                    q++;
                    lead = 0;
                }
            }

            if (q != p) {
                p = em_select_raw(s, p, (size_t) (q - p));

                if (s->cut) {
                    s->state = sw_cut;
                    return p;
                }
            }

            s->lead = lead;

            if (q == end) {
                return q;
            }

            if (*q >= 0x20 && *q != '"' && *q != '\\') {

                /* half a character was the last byte */

                break;
            }

            s->lead = 0;
            p = q + 1;

            if (*q == '\\') {
                s->state = sw_escape;
                break;
            }

            if (*q != '"') {

                /* a control character */

                s->state = sw_malformed;
                return p;
            }

            if (s->high) {
                s->high = 0;
                em_select_char(s, 0xfffd);
            }

            s->state = sw_closed;
            return p;

        case sw_escape:
            ch = *p++;

            if (ch == 'u') {
                s->nhex = 0;
                s->unit = 0;
                s->state = sw_unicode;
                break;
            }

            e = ch ? strchr(escapes, ch) : NULL;

            if (e == NULL) {
                s->state = sw_malformed;
                return p;
            }

            if (s->high) {
                s->high = 0;
                em_select_char(s, 0xfffd);
            }

            em_select_char(s, (uint8_t) escaped[e - escapes]);

            s->state = s->cut ? sw_cut : sw_string;

            if (s->cut) {
                return p;
            }

            break;

        default: /* sw_unicode */
            ch = *p++;

            if (em_json_digit(ch)) {
                ch -= '0';

            } else if ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f') {
                ch = (uint8_t) ((ch | 0x20) - 'a' + 10);

            } else {
                s->state = sw_malformed;
                return p;
            }

            s->unit = (uint16_t) (s->unit << 4 | ch);

            if (++s->nhex == 4) {
                em_select_unit(s);

                s->state = s->cut ? sw_cut : sw_string;

                if (s->cut) {
                    return p;
                }
            }
        }
    }

    return p;
}


/*
 * Appends bytes as they are.  Where they are more than there is room for, it
 * returns the first of those beyond.
 */

static const uint8_t *
em_select_raw(em_select_t *s, const uint8_t *p, size_t len)
{
    size_t   room;
    uint8_t  lead;

    if (s->high) {
        s->high = 0;
        em_select_char(s, 0xfffd);

        if (s->cut) {
            return p;
        }
    }

    room = (size_t) (s->limit - s->len);

    if (len <= room) {
        memcpy(&s->token[s->len], p, len);
        s->len = (uint16_t) (s->len + len);

        return p + len;
    }

    memcpy(&s->token[s->len], p, room);
    s->len = s->limit;
    s->cut = 1;

    if (s->charset == EM_CHARSET_UTF8) {
        em_select_trim(s, p[room]);

    } else {
        lead = em_charset_lead(s->charset, s->lead, p, p + room);

        if (lead && s->len && em_charset_trail(p[room])) {
            s->len--;
        }

        s->lead = lead;
    }

    return p + room;
}


/* the byte that has no room may be in the middle of a character */

static void
em_select_trim(em_select_t *s, uint8_t next)
{
    size_t  i;

    if ((next & 0xc0) != 0x80) {
        return;
    }

    for (i = s->len; i > 0 && s->len - i < 3; i--) {

        if ((s->token[i - 1] & 0xc0) != 0x80) {

            if ((uint8_t) s->token[i - 1] >= 0xc0) {
                s->len = (uint16_t) (i - 1);
            }

            return;
        }
    }
}


void
em_select_append(em_select_t *s, const uint8_t *p, size_t len)
{
    if (len > (size_t) (s->limit - s->len)) {
        len = (size_t) (s->limit - s->len);
        s->cut = 1;
    }

    memcpy(&s->token[s->len], p, len);
    s->len = (uint16_t) (s->len + len);
}


static void
em_select_unit(em_select_t *s)
{
    uint32_t  ch;

    ch = s->unit;

    if (s->high && (ch & 0xfc00) == 0xdc00) {
        ch = 0x10000 + ((uint32_t) (s->high & 0x3ff) << 10) + (ch & 0x3ff);
        s->high = 0;
        em_select_char(s, ch);
        return;
    }

    if (s->high) {
        s->high = 0;
        em_select_char(s, 0xfffd);
    }

    if ((ch & 0xfc00) == 0xd800) {
        s->high = (uint16_t) ch;
        return;
    }

    em_select_char(s, (ch & 0xfc00) == 0xdc00 ? 0xfffd : ch);
}


/* nothing is put where something before it had no room */

static void
em_select_char(em_select_t *s, uint32_t ch)
{
    size_t   len;
    uint8_t  utf8[4];

    len = em_json_utf8(utf8, ch);

    if (s->cut || len > (size_t) (s->limit - s->len)) {
        s->cut = 1;
        return;
    }

    memcpy(&s->token[s->len], utf8, len);
    s->len = (uint16_t) (s->len + len);
}


/*
 * In a charset whose 0x5c may be half a character the kernels are given what
 * is between two backslashes, and the one after the next only if it is one.
 */

const uint8_t *
em_select_skip_nested(em_select_t *s, const uint8_t *p, const uint8_t *end)
{
    uint8_t         lead;
    const uint8_t  *slash, *q;

    if (s->charset == EM_CHARSET_UTF8) {
        return em_json_kernel_used->nested(&s->skip, p, end);
    }

    while (p < end) {

        slash = em_select_slash(s, p, end);

        q = em_json_kernel_used->nested(&s->skip, p, slash);

        if (s->skip.depth == 0) {
            s->lead = 0;
            return q;
        }

        lead = em_charset_lead(s->charset, s->lead, p, slash);

        if (slash == end) {
            s->lead = lead;
            return end;
        }

        s->skip.escaped = !lead;
        s->lead = 0;

        p = slash + 1;
    }

    return end;
}


const uint8_t *
em_select_skip_string(em_select_t *s, const uint8_t *p, const uint8_t *end)
{
    uint8_t         lead;
    const uint8_t  *slash, *q;

    if (s->charset == EM_CHARSET_UTF8) {
        return em_json_kernel_used->string(&s->skip, p, end);
    }

    while (p < end) {

        slash = em_select_slash(s, p, end);

        q = em_json_kernel_used->string(&s->skip, p, slash);

        if (q != slash) {
            s->lead = 0;
            return q;
        }

        lead = em_charset_lead(s->charset, s->lead, p, slash);

        if (slash == end) {
            s->lead = lead;
            return end;
        }

        s->skip.escaped = !lead;
        s->lead = 0;

        p = slash + 1;
    }

    return end;
}


/* the next backslash that is not itself escaped; looked for once a place */

static const uint8_t *
em_select_slash(em_select_t *s, const uint8_t *p, const uint8_t *end)
{
    if (s->skip.escaped) {
        p++;
    }

    if (s->slash == NULL || s->slash < p) {

        s->slash = (p < end) ? memchr(p, '\\', (size_t) (end - p)) : NULL;

        if (s->slash == NULL) {
            s->slash = end;
        }
    }

    return s->slash;
}
