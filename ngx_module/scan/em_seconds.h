
/*
 * em_seconds: how long a vendor asks its clients to wait.
 */


#ifndef _EM_SECONDS_H_INCLUDED_
#define _EM_SECONDS_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


#define EM_SECONDS_MAX  86400


/*
 * Returns the seconds of a text like 3, 3.5, 3.5s, 750ms, 1m30s or 1h, rounded
 * up and at most a day, or 0 if it is none or invalid.  ms: a number without a
 * unit counts milliseconds.
 */

uint32_t em_seconds(const char *text, size_t len, int ms);


#pragma GCC visibility pop


#endif /* _EM_SECONDS_H_INCLUDED_ */
