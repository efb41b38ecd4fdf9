
/*
 * Charsets, as far as they matter to JSON: in some a byte 0x5c may be the
 * second of a character and no backslash.
 */


#ifndef _EM_CHARSET_H_INCLUDED_
#define _EM_CHARSET_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


typedef enum {
    EM_CHARSET_UTF8 = 0,          /* and all whose bytes below 0x80 are ASCII */
    EM_CHARSET_GBK,               /* GB 2312, GB 18030 and Big5, too */
    EM_CHARSET_SJIS,
    EM_CHARSET_WIDE,              /* UTF-16 and UTF-32: not read */
    EM_CHARSET_UNKNOWN            /* read as UTF-8 */
} em_charset_e;


/*
 * Returns the charset called name, len bytes long, in upper or lower case, or
 * EM_CHARSET_UNKNOWN.
 */

em_charset_e em_charset_find(const char *name, size_t len);


/*
 * In the two charsets of two bytes: whether the text from start, a place
 * within a string, up to p ends with the first byte of a character; lead tells
 * whether the byte before start is one.  Looks back over bytes from 0x81 on
 * only.
 */

uint8_t em_charset_lead(em_charset_e charset, uint8_t lead,
    const uint8_t *start, const uint8_t *p);


/* whether the byte may be the second one of a character */

#define em_charset_trail(ch)  ((ch) >= 0x40 && (ch) <= 0xfe)


#pragma GCC visibility pop


#endif /* _EM_CHARSET_H_INCLUDED_ */
