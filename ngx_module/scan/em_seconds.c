
#include "em_seconds.h"


/* a number is cut to this: more than a day of milliseconds */
#define EM_SECONDS_CUT  UINT64_C(1000000000)


uint32_t
em_seconds(const char *text, size_t len, int ms)
{
    size_t    i;
    int       point, fraction, unit, last;
    uint64_t  n, total;

    total = 0;
    last = 0;

    for (i = 0; i < len; /* void */ ) {

        if (text[i] < '0' || text[i] > '9') {
            return 0;
        }

        n = 0;
        point = 0;
        fraction = 0;

        for ( /* void */ ; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
            n = n * 10 + (uint64_t) (text[i] - '0');

            if (n > EM_SECONDS_CUT) {
                n = EM_SECONDS_CUT;
            }
        }

        if (i < len && text[i] == '.') {

            if (++i == len || text[i] < '0' || text[i] > '9') {
                return 0;
            }

            for ( /* void */ ; i < len && text[i] >= '0' && text[i] <= '9';
                 i++)
            {
                fraction |= (text[i] != '0');
            }

            point = 1;
        }

        /* from hours to seconds, each at most once */

        if (i == len) {
            unit = ms ? 4 : 3;

        } else if (text[i] == 'h') {
            unit = 1;
            i++;

        } else if (text[i] == 'm' && i + 1 < len && text[i + 1] == 's') {
            unit = 4;
            i += 2;

        } else if (text[i] == 'm') {
            unit = 2;
            i++;

        } else if (text[i] == 's') {
            unit = 3;
            i++;

        } else {
            return 0;
        }

        if (unit <= last || (unit < 3 && point) || (unit >= 3 && i != len)) {
            return 0;
        }

        last = unit;

        switch (unit) {

        case 1:
            total += n * 3600;
            break;

        case 2:
            total += n * 60;
            break;

        case 3:
            total += n + (uint64_t) fraction;
            break;

        default:
            total += (n + (uint64_t) fraction + 999) / 1000;
        }
    }

    return (uint32_t) (total < EM_SECONDS_MAX ? total : EM_SECONDS_MAX);
}
