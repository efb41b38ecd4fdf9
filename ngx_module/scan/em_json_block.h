
/*
 * The common source of all kernels, see em_json_skip.h.  The file of a kernel
 * defines the primitives of its processor, then includes this file:
 *
 *   em_block_t                 64 bytes in registers
 *   em_target                  attributes of functions that use them
 *   em_block_load(b, p)        loads 64 bytes
 *   em_block_equal(b, ch)      mask of the bytes that equal ch
 *   em_block_control(b)        mask of the bytes below 0x20
 *   em_block_has(b, ch)        whether a byte equals ch
 *   em_block_plain(b)          whether none is a quote, backslash or control
 *   em_mask_prefix_xor(m)      each bit the xor of itself and all below it
 *   em_mask_count(m)           the number of bits set
 *   em_block_span(p, end)      may be defined: skips plain bytes fast
 *
 * and at its end em_kernel, the name of the em_json_kernel_t.
 */


#include <string.h>

#include "em_json_skip.h"


/* inlined even if called twice in a function */
#define em_inline   inline __attribute__((always_inline))

/* a short loop is up to a third slower across cache lines */
#define em_aligned  __attribute__((aligned(64)))


/* loads the last bytes, padded with blanks, which have no meaning */

static em_inline em_target void
em_block_load_rest(em_block_t *b, const uint8_t *p, size_t len)
{
    uint8_t  rest[EM_JSON_BLOCK];

    memset(rest, ' ', EM_JSON_BLOCK);
    memcpy(rest, p, len);

    em_block_load(b, rest);
}


/*
 * Returns the mask of escaped bytes: each follows a backslash that is not
 * itself escaped.  They are every second backslash of a run, and the byte
 * after a run of odd length.  Adding the starts of runs at even offsets
 * clears these runs by carry.
 */

static em_inline em_target uint64_t
em_block_escaped(uint64_t *state, const em_block_t *b, size_t len)
{
    uint64_t  slashes, starts, odd, escaped;

    const uint64_t  evens = UINT64_C(0x5555555555555555);

    slashes = em_block_equal(b, '\\') & ~*state;
    starts = slashes & ~(slashes << 1);

    odd = slashes & (slashes + (starts & evens));

    escaped = ((odd << 1 & evens) | ((slashes & ~odd) << 1 & ~evens))
              | *state;

    *state = (len == EM_JSON_BLOCK) ? odd >> 63 : escaped >> len & 1;

    return escaped;
}


/*
 * Returns the offset after the closing bracket, or 0.  The last bracket closes
 * where the depth is 1, so that its two lowest bits are looked at first, for all
 * brackets of the block at once.  Every bracket changes the lowest bit; one that
 * opens changes the second if the lowest is set, one that closes if it is not.
 */

static em_inline em_target size_t
em_block_nested(em_json_skip_t *s, uint64_t *escaped, const em_block_t *b,
    size_t len, uint8_t open)
{
    uint64_t  n, quotes, opened, closed, both, bit, odd, change, two;

    quotes = em_block_equal(b, '"');
    opened = em_block_equal(b, open);
    closed = em_block_equal(b, (uint8_t) (open + 2));

    if (em_block_has(b, '\\') || *escaped) {
        quotes &= ~em_block_escaped(escaped, b, len);
    }

    quotes = em_mask_prefix_xor(quotes) ^ s->string;
    s->string = 0 - (quotes >> 63);

    opened &= ~quotes;
    closed &= ~quotes;

    n = em_mask_count(closed);

    if (n < s->depth) {
        s->depth += em_mask_count(opened) - n;
        return 0;
    }

    both = opened | closed;

    odd = em_mask_prefix_xor(both) ^ both ^ (0 - (s->depth & 1));
    change = (opened & odd) | (closed & ~odd);
    two = em_mask_prefix_xor(change) ^ change ^ (0 - (s->depth >> 1 & 1));

    if ((closed & odd & ~two) == 0) {
        s->depth += em_mask_count(opened) - n;
        return 0;
    }

    /* the depth is 1 there, or 5, or 9, ... */

    for ( /* void */ ; both; both &= both - 1) {

        bit = both & (~both + 1);

        if (opened & bit) {
            s->depth++;

        } else if (--s->depth == 0) {
            return (size_t) __builtin_ctzll(bit) + 1;
        }
    }

    return 0;
}


static em_aligned em_target const uint8_t *
em_skip_nested(em_json_skip_t *state, const uint8_t *p, const uint8_t *end)
{
    size_t          n, len;
    uint8_t         open;
    uint64_t        escaped;
    em_block_t      b;
    em_json_skip_t  s;

    s = *state;
    escaped = s.escaped;
    open = s.open;
    n = 0;

    for ( /* void */ ; end - p >= EM_JSON_BLOCK; p += EM_JSON_BLOCK) {

        em_block_load(&b, p);

        n = em_block_nested(&s, &escaped, &b, EM_JSON_BLOCK, open);

        if (n) {
            break;
        }
    }

    len = (size_t) (end - p);

    if (n == 0 && len) {
        em_block_load_rest(&b, p, len);

        n = em_block_nested(&s, &escaped, &b, len, open);

        if (n == 0) {
            n = len;
        }
    }

    s.escaped = (uint8_t) escaped;
    *state = s;

    return p + n;
}


static em_aligned em_target const uint8_t *
em_skip_string(em_json_skip_t *s, const uint8_t *p, const uint8_t *end)
{
    size_t      len;
    uint64_t    stop, escaped;
    em_block_t  b;

    stop = 0;
    escaped = s->escaped;

    for ( /* void */ ; p < end; p += len) {

#ifdef em_block_span
        if (escaped == 0) {
            p = em_block_span(p, end);
        }
#endif

        len = (size_t) (end - p);

        if (len >= EM_JSON_BLOCK) {
            len = EM_JSON_BLOCK;
            em_block_load(&b, p);

        } else {
            em_block_load_rest(&b, p, len);
        }

        if (em_block_plain(&b) && !escaped) {
            continue;
        }

        stop = em_block_equal(&b, '"') & ~em_block_escaped(&escaped, &b, len);
        stop |= em_block_control(&b);

        if (stop) {
            p += __builtin_ctzll(stop);
            break;
        }
    }

    s->escaped = (uint8_t) escaped;

    return p;
}


const em_json_kernel_t  em_kernel = {
    em_kernel_name,
    em_skip_nested,
    em_skip_string
};
