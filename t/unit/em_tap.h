
/*
 * For the unit tests of the C core: TAP, and bytes that end at a page that must
 * not be touched.
 */


#ifndef _EM_TAP_H_INCLUDED_
#define _EM_TAP_H_INCLUDED_


#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>


static int  em_tap_tests;
static int  em_tap_failed;


static int
em_tap_ok(int ok, const char *fmt, ...)
{
    va_list  args;

    printf("%sok %d - ", ok ? "" : "not ", ++em_tap_tests);

    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);

    putchar('\n');

    if (!ok) {
        em_tap_failed++;
    }

    return ok;
}


static int
em_tap_done(void)
{
    printf("1..%d\n", em_tap_tests);

    return em_tap_failed ? 1 : 0;
}


/*
 * Returns a copy of data that ends right before an inaccessible page.  There
 * is one such place for each of the numbers 0 and 1, of 1 MB.
 */

__attribute__((unused)) static char *
em_tap_guarded(int number, const void *data, size_t len)
{
    size_t        page;
    const size_t  size = 1 << 20;
    static char  *places[2];

    if (places[number] == NULL) {
        page = (size_t) sysconf(_SC_PAGESIZE);

        places[number] = mmap(NULL, size + page, PROT_READ|PROT_WRITE,
                              MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

        if (places[number] == MAP_FAILED
            || mprotect(places[number] + size, page, PROT_NONE) != 0
            || len > size)
        {
            perror("em_tap_guarded");
            exit(2);
        }
    }

    if (len == 0) {
        return places[number] + size;
    }

    return memcpy(places[number] + size - len, data, len);
}


/* a number below n by Marsaglia's xorshift, the same ones everywhere */

__attribute__((unused)) static uint32_t
em_tap_pick(uint32_t n)
{
    static uint32_t  x = 2463534242u;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;

    return x % n;
}


#endif /* _EM_TAP_H_INCLUDED_ */
