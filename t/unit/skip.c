
/*
 * em_json's kernels against a reader of one byte at a time: random texts of the
 * bytes that matter, in random pieces, each of which ends at a page that must
 * not be touched.
 */


#include "em_tap.h"
#include "em_json.h"


#define TEXTS  100000
#define LEN    700


static const char *const  kernels[] = {
    "avx512", "avx2", "sse2", "neon", "plain", NULL
};


/* bytes of which one in "rare" matters */

static size_t
text(uint8_t *p)
{
    size_t    i, len;
    uint32_t  rare, kind;

    static const char  special[] = "\"\"\\\\{}{}[][]\x1f";
    static const char  common[] = "ab :,5 \x7f\x80\xa2\xdc\xdb\xdd\xfb\xfd\xff";

    len = em_tap_pick(LEN);
    rare = 1 + em_tap_pick(1 + em_tap_pick(100));
    kind = em_tap_pick(4);

    for (i = 0; i < len; i++) {

        if (em_tap_pick(rare)) {
            p[i] = (uint8_t) common[em_tap_pick(sizeof(common) - 1)];

        } else if (kind == 0) {
            p[i] = '\\';

        } else if (kind == 1) {
            p[i] = (uint8_t) special[em_tap_pick(4)];

        } else {
            p[i] = (uint8_t) special[em_tap_pick(sizeof(special) - 1)];
        }
    }

    return len;
}


static size_t
expect_nested(em_json_skip_t *s, const uint8_t *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if (s->escaped) {
            s->escaped = 0;

            if (p[i] == '"' || p[i] == '\\') {
                continue;
            }
        }

        if (p[i] == '\\') {
            s->escaped = 1;

        } else if (p[i] == '"') {
            s->string = ~s->string;

        } else if (s->string) {
            continue;

        } else if (p[i] == s->open) {
            s->depth++;

        } else if (p[i] == s->open + 2 && --s->depth == 0) {
            return i + 1;
        }
    }

    return len;
}


static size_t
expect_string(em_json_skip_t *s, const uint8_t *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if (p[i] < 0x20) {
            return i;
        }

        if (s->escaped) {
            s->escaped = 0;

        } else if (p[i] == '\\') {
            s->escaped = 1;

        } else if (p[i] == '"') {
            return i;
        }
    }

    return len;
}


/* the same of the kernel in use, in pieces */

static size_t
read_pieces(em_json_skip_t *s, const uint8_t *p, size_t len, int nested)
{
    size_t          n, done;
    const uint8_t  *piece, *stop;

    for (done = 0; done < len; done += n) {

        n = 1 + em_tap_pick(em_tap_pick(2) ? 150 : LEN);

        if (n > len - done) {
            n = len - done;
        }

        piece = (const uint8_t *) em_tap_guarded(0, (const char *) p + done,
                                                 n);

        stop = nested ? em_json_kernel_used->nested(s, piece, piece + n)
                      : em_json_kernel_used->string(s, piece, piece + n);

        if (stop < piece || stop > piece + n) {
            return (size_t) -1;
        }

        if (stop != piece + n || (nested && s->depth == 0)) {
            return done + (size_t) (stop - piece);
        }
    }

    return len;
}


static size_t
differences(void)
{
    int             nested;
    size_t          i, len, bad;
    uint8_t         p[LEN];
    em_json_skip_t  s, expect;

    bad = 0;

    for (i = 0; i < TEXTS; i++) {

        len = text(p);
        nested = (i % 3 != 0);

        memset(&s, 0, sizeof(s));

        s.open = (i % 3 == 1) ? '{' : '[';
        s.depth = nested;

        expect = s;

        if (nested) {
            if (expect_nested(&expect, p, len)
                != read_pieces(&s, p, len, 1)
                || expect.depth != s.depth
                || (s.depth && (expect.string != s.string
                                || expect.escaped != s.escaped)))
            {
                bad++;
            }

        } else if (expect_string(&expect, p, len)
                   != read_pieces(&s, p, len, 0))
        {
            bad++;
        }
    }

    return bad;
}


int
main(void)
{
    size_t  i, bad;

    for (i = 0; kernels[i] != NULL; i++) {

        if (em_json_kernel(kernels[i]) == NULL) {
            printf("# no %s here\n", kernels[i]);
            continue;
        }

        bad = differences();

        em_tap_ok(bad == 0, "%s: %lu of %d texts are read otherwise",
                  kernels[i], (unsigned long) bad, TEXTS);
    }

    return em_tap_done();
}
