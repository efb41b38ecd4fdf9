
/*
 * em_json's quick look at a text against its parser: random texts like those of
 * vendors, whole, and a byte at a time, so that there is no quick look; each
 * ends at a page that must not be touched.
 */


#include "em_tap.h"
#include "em_json_state.h"


#define TEXTS  300000
#define LEN    1600


static size_t
add(char *p, const char *text)
{
    memcpy(p, text, strlen(text));

    return strlen(text);
}


/* an object of members, some of which are the code; it may have errors */

static size_t
text(char *p)
{
    char      *start;
    uint32_t   n, odd;

    static const char *const  names[] = {
        "code", "msg", "errorCode", "error", "data", "cod", "code1", "",
        "a-name-of-15-by", "a-name-of-16-byt", "c\\u006fde", "c\xc3\xb6te"
    };

    static const char *const  values[] = {
        "0", "42505", "\"OK\"", "\"\"", "\"quota exceeded\"", "12345678",
        "123456789", "null", "true", "-1", "1.5", "1e3", "007", "\"a\\\"b\"",
        "{\"code\":7}", "[1,2]", "\"a string of more than sixteen bytes\"",
        "123456789012345678901234567890123456789012345678901234567890",
        "false", "[{\"code\":[\"}]\\\"\"]},[]]", "[}", "{\"a\":",
        "\"a string of more than sixteen bytes\\\\\\\", \\\"code\\\":1\"",
        "\"more than the one hundred and twenty-eight bytes of a code, which "
        "the parser ignores, although the quick look may have to go on after "
        "it, as it does after a long message\"",
        "\"exactly fifteen\"", "\"exactly sixteen.\"", "\"\x1f\"", "\"\xff\""
    };

    static const char *const  between[] = {
        ",", ", ", ",  ", " ,", ",\n", "", ",,", "}", ", \"x\""
    };

    start = p;
    odd = em_tap_pick(4);

    p += add(p, odd ? "{" : em_tap_pick(2) ? "{ "
                : em_tap_pick(2) ? "[" : "\xef\xbb\xbf{");

    for (n = 1 + em_tap_pick(7); n; n--) {
        p += add(p, "\"");
        p += add(p, names[em_tap_pick(odd ? 8 : sizeof(names)
                                                / sizeof(names[0]))]);
        p += add(p, em_tap_pick(2) ? "\":"
                    : odd || em_tap_pick(3) ? "\": " : "\" :");
        p += add(p, values[em_tap_pick(odd > 1 ? 7
                                        : sizeof(values) / sizeof(values[0]))]);

        if (n > 1) {
            p += add(p, between[em_tap_pick(odd ? 2 : sizeof(between)
                                               / sizeof(between[0]))]);
        }
    }

    p += add(p, em_tap_pick(8) ? "}" : em_tap_pick(2) ? "" : " }");

    return (size_t) (p - start);
}


static int
same(const em_json_t *a, const em_json_t *b)
{
    return a->status == b->status
           && (a->status != EM_JSON_FOUND
               || (a->len == b->len && a->pointer == b->pointer
                   && memcmp(a->token, b->token, a->len) == 0));
}


int
main(void)
{
    int                 i, s, different, quick, left;
    char               *p, buf[2 * LEN];
    size_t              n, len, room, size, pointer;
    em_json_t           whole, looked, pieces;
    const uint8_t      *code;
    em_json_pointers_t  set;

    static const char *const  sets[][3] = {
        { "/code", NULL, NULL },
        { "/errorCode", "/code", NULL },
        { "/error/code", "/error", "/a-name-of-15-by" },
        { "/code/0", "/", "/a-name-of-16-byt" },
        { "", "/data/code", "/msg" }
    };

    for (s = 0; s < 5; s++) {

        memset(&set, 0, sizeof(set));

        for (i = 0; i < 3 && sets[s][i]; i++) {
            em_json_pointer_add(&set, sets[s][i], strlen(sets[s][i]));
        }

        different = 0;
        quick = 0;
        left = 0;

        for (i = 0; i < TEXTS / 5; i++) {

            room = text(buf);
            len = room;

            if (em_tap_pick(4) == 0) {
                len = em_tap_pick((uint32_t) len + 1);
            }

            /* the rest of a text may be there, though it is not to be read */

            if (em_tap_pick(2)) {
                room = len;
            }

            p = em_tap_guarded(0, buf, room);

            size = em_json_quick(&set, p, len, room, em_tap_pick(2), &code,
                                 &pointer);

            em_json_init(&whole);
            em_json_feed(&whole, &set, p, len);

            em_json_init(&looked);
            em_json_looked(&looked);
            em_json_feed(&looked, &set, p, len);

            em_json_init(&pieces);

            for (n = 0; n < len; n++) {
                em_json_feed(&pieces, &set, p + n, 1);
            }

            quick += (size > 0);
            left += (size == 0 && pieces.status == EM_JSON_FOUND);

            if (!same(&whole, &pieces)
                || !same(&looked, &pieces)
                || (size && (pieces.status != EM_JSON_FOUND
                             || pieces.len != size
                             || pieces.pointer != pointer
                             || memcmp(pieces.token, code, size) != 0)))
            {
                if (different++ == 0) {
                    printf("# %.*s\n", (int) len, buf);
                }
            }
        }

        em_tap_ok(different == 0, "%s ...: no difference", sets[s][0]);

        em_tap_ok(quick > TEXTS / 100 && left > TEXTS / 500,
                  "... codes found at once: %d, not at once: %d", quick, left);
    }

    return em_tap_done();
}
