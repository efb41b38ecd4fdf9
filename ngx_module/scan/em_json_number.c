
#include "em_json_state.h"


static inline const uint8_t *
em_json_number_scan(uint8_t *number, const uint8_t *p, const uint8_t *end)
{
    uint8_t  ch, state;

    state = *number;

    for ( /* void */ ; p < end; p++) {

        ch = *p;

        if (em_json_digit(ch)) {

            switch (state) {

            case nm_minus:
                state = (ch == '0') ? nm_zero : nm_integer;
                break;

            case nm_zero:
                goto done;

            case nm_point:
                state = nm_fraction;
                break;

            case nm_e:
            case nm_e_sign:
                state = nm_exponent;
                break;
            }

            if (state != nm_zero) {
                p = em_json_digits(p, end) - 1;
            }

        } else if (ch == '.' && (state == nm_zero || state == nm_integer)) {
            state = nm_point;

        } else if ((ch | 0x20) == 'e'
                   && (state == nm_zero || state == nm_integer
                       || state == nm_fraction))
        {
            state = nm_e;

        } else if ((ch == '+' || ch == '-') && state == nm_e) {
            state = nm_e_sign;

        } else {
            break;
        }
    }

done:

    *number = state;

    return p;
}


const uint8_t *
em_json_number(em_json_t *j, const uint8_t *p, const uint8_t *end)
{
    const uint8_t  *start;

    start = p;
    p = em_json_number_scan(&j->number, p, end);

    if (j->capture && p != start) {
        em_json_append(j, start, (size_t) (p - start));
    }

    return p;
}


const uint8_t *
em_json_number_read(uint8_t *number, const uint8_t *p, const uint8_t *end)
{
    return em_json_number_scan(number, p, end);
}
