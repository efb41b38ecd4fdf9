
#include "em_json_mask.h"
#include "em_select_state.h"


static void em_select_final(em_select_t *s, unsigned k, unsigned kind,
    uintptr_t row, const char *text, size_t len);
static void em_select_keep(em_select_item_t *item, unsigned k, unsigned kind,
    uintptr_t row, const char *text, size_t len);


void
em_select_resolve(em_select_t *s, unsigned k, unsigned depth, int passed)
{
    size_t              n;
    uint64_t            bit;
    em_select_item_t   *item;
    em_select_frame_t  *f;

    bit = em_select_bit(k);
    item = em_select_slot(s, k, depth, &f);

    f->unknown &= ~bit;

    if (!passed) {
        f->failed |= bit;
        f->alive &= ~bit;
        return;
    }

    if (f->waits & bit) {
        f->waits &= ~bit;

        n = item->len;

        em_select_deliver(s, k, depth - 1, item->kind, item->row, item->text,
                          n);
    }
}


em_select_item_t *
em_select_slot(em_select_t *s, unsigned k, unsigned depth,
    em_select_frame_t **frame)
{
    size_t                 size;
    uint32_t               levels;
    uint64_t               bit;
    em_select_frame_t     *f;
    const em_plan_path_t  *path;

    path = &s->plan->paths[k];
    levels = path->filters & ((2u << depth) - 1);

    if (levels == 0) {
        return NULL;
    }

    bit = em_select_bit(k);
    size = (path->role == EM_PLAN_FIELD) ? EM_SELECT_VALUE_SIZE
                                         : EM_SELECT_CODE_SIZE;

    for ( /* void */ ; levels; levels &= ((uint32_t) 1 << depth) - 1) {

        depth = 31u - (unsigned) __builtin_clz(levels);

        f = &s->frames[depth];

        if ((f->unknown | f->failed) & bit) {
            *frame = f;

            return em_select_item(s, path->slot
                         + em_mask_count(levels & ~((uint32_t) 1 << depth))
                           * size);
        }
    }

    return NULL;
}


void
em_select_deliver(em_select_t *s, unsigned k, unsigned depth, unsigned kind,
    uintptr_t row, const char *text, size_t len)
{
    uint64_t            bit;
    em_select_item_t   *item;
    em_select_frame_t  *f;

    bit = em_select_bit(k);
    item = em_select_slot(s, k, depth, &f);

    if (item == NULL) {
        em_select_final(s, k, kind, row, text, len);
        return;
    }

    if ((f->failed & bit) || ((f->waits & bit) && kind >= item->kind)) {
        return;
    }

    f->waits |= bit;

    em_select_keep(item, k, kind, row, text, len);
}


static void
em_select_final(em_select_t *s, unsigned k, unsigned kind, uintptr_t row,
    const char *text, size_t len)
{
    unsigned           n;
    uint64_t           bit, worse;
    em_select_item_t  *item;

    n = s->plan->paths[k].owner;
    bit = em_select_bit(n);
    worse = ~(em_select_bit(k) - 1);

    /* what waited for a filter may come after the verdict */

    if (s->status != EM_SELECT_MORE && s->plan->paths[k].role != EM_PLAN_FIELD)
    {
        return;
    }

    switch (s->plan->paths[k].role) {

    case EM_PLAN_SOURCE:
        item = em_select_hand(s, n);

        if ((s->hands[0] | s->hands[1] | s->hands[2]) & bit) {

            if (kind > item->kind || (kind == item->kind && k >= item->path)) {
                return;
            }

            s->hands[item->kind] &= ~bit;
        }

        s->hands[kind] |= bit;

        if (kind == EM_SELECT_ERROR) {
            s->live &= ~(s->plan->sources[n].paths & worse);
        }

        break;

    case EM_PLAN_MARKER:
        if (!s->marked) {
            s->marked = 1;
            s->mark = (uint8_t) n;
            s->mark_value = (uint16_t) len;
            s->changed = 1;
        }

        return;

    default: /* EM_PLAN_FIELD */
        item = em_select_value(s, n);

        if ((s->certain & bit) || ((s->found & bit) && k >= item->path)) {
            return;
        }

        s->found |= bit;
        s->live &= ~(s->plan->field[n].paths & worse);
    }

    s->changed = 1;

    em_select_keep(item, k, kind, row, text, len);
}


static void
em_select_keep(em_select_item_t *item, unsigned k, unsigned kind,
    uintptr_t row, const char *text, size_t len)
{
    item->row = row;
    item->kind = (uint8_t) kind;
    item->path = (uint8_t) k;
    item->len = (uint16_t) len;

    if (text) {
        memmove(item->text, text, len);
    }
}
