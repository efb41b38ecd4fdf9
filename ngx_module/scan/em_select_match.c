
#include "em_select_state.h"


void
em_select_member(em_select_t *s, const char *name, size_t len)
{
    unsigned                   k, level;
    uint64_t                   alive, bits, bit;
    const em_path_t           *path;
    const em_plan_level_t     *l;
    const em_select_frame_t   *f;
    const em_path_selector_t  *selector;

    level = s->depth - 1u;

    f = &s->frames[level];
    l = &s->plan->levels[level];

    alive = f->alive & s->live;

    s->match = alive & l->wild;
    s->tested = 0;

    for (bits = alive & l->names; bits; bits &= bits - 1) {

        k = em_select_first(bits);

        path = &s->plan->paths[k].path;
        selector = &path->selectors[level];

        if (selector->len == len
            && memcmp(&path->text[selector->name], name, len) == 0)
        {
            s->match |= em_select_bit(k);
        }
    }

    for (bits = f->unknown & s->live; bits; bits &= bits - 1) {

        bit = bits & (~bits + 1);

        path = &s->plan->paths[em_select_first(bits)].path;
        selector = &path->selectors[level - 1];

        if (selector->len == len
            && memcmp(&path->text[selector->name], name, len) == 0)
        {
            s->tested |= bit;
        }
    }
}


void
em_select_element(em_select_t *s)
{
    unsigned                 k, level;
    uint64_t                 alive, bits;
    em_select_frame_t       *f;
    const em_plan_level_t   *l;

    level = s->depth - 1u;

    f = &s->frames[level];
    l = &s->plan->levels[level];

    if (++f->index == EM_PATH_NO_INDEX) {
        f->index--;
    }

    alive = f->alive & s->live;

    s->match = alive & (l->wild | l->each);
    s->tested = 0;

    if (f->index > l->index) {
        return;
    }

    for (bits = alive & l->indexes; bits; bits &= bits - 1) {

        k = em_select_first(bits);

        if (s->plan->paths[k].path.selectors[level].index == f->index) {
            s->match |= em_select_bit(k);
        }
    }
}


int
em_select_open(em_select_t *s)
{
    uint32_t                 bit;
    uint64_t                 alive, watched;
    em_select_frame_t       *f;
    const em_plan_level_t   *l;

    f = &s->frames[s->depth];
    l = &s->plan->levels[s->depth];

    alive = s->match & ~l->ends & s->live;
    watched = 0;

    if (s->open == '[') {
        alive &= l->wild | l->each | l->indexes;

    } else {
        alive &= l->wild | l->names;

        if (s->match) {
            watched = f->unknown & s->live;
        }
    }

    if ((alive | watched) == 0) {
        s->skip.depth = 1;
        s->skip.string = 0;
        s->skip.escaped = 0;
        s->skip.open = s->open;
        s->lead = 0;

        return sw_skip;
    }

    /* a PATH or its filter leads on, so that there is room for one more */

    bit = (uint32_t) 1 << s->depth;

    f->match = s->match;
    f->tested = s->tested;
    f->alive = alive;
    f->index = EM_PATH_NO_INDEX;

    s->depth++;
    s->close = s->open + 2;

    if (s->open == '{') {
        s->objects |= bit;
        s->wild = alive & l->wild;
        return sw_first_name;
    }

    s->objects &= ~bit;

    /* NO_INDEX + 1 == 0 */

    em_select_element(s);

    return sw_first_element;
}
