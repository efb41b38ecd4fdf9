
#include <strings.h>
#include <string.h>

#include "em_charset.h"


static const struct {
    const char    *name;
    em_charset_e   charset;
} em_charsets[] = {
    { "utf-8", EM_CHARSET_UTF8 },
    { "utf8", EM_CHARSET_UTF8 },
    { "us-ascii", EM_CHARSET_UTF8 },
    { "gbk", EM_CHARSET_GBK },
    { "gb2312", EM_CHARSET_GBK },
    { "gb18030", EM_CHARSET_GBK },
    { "x-gbk", EM_CHARSET_GBK },
    { "cp936", EM_CHARSET_GBK },
    { "big5", EM_CHARSET_GBK },
    { "big5-hkscs", EM_CHARSET_GBK },
    { "shift_jis", EM_CHARSET_SJIS },
    { "shift-jis", EM_CHARSET_SJIS },
    { "sjis", EM_CHARSET_SJIS },
    { "x-sjis", EM_CHARSET_SJIS },
    { "windows-31j", EM_CHARSET_SJIS },
    { "utf-16", EM_CHARSET_WIDE },
    { "utf-16le", EM_CHARSET_WIDE },
    { "utf-16be", EM_CHARSET_WIDE },
    { "utf-32", EM_CHARSET_WIDE },
    { "utf-32le", EM_CHARSET_WIDE },
    { "utf-32be", EM_CHARSET_WIDE },
    { "ucs-2", EM_CHARSET_WIDE },
    { "ucs-4", EM_CHARSET_WIDE }
};


em_charset_e
em_charset_find(const char *name, size_t len)
{
    size_t  i;

    for (i = 0; i < sizeof(em_charsets) / sizeof(em_charsets[0]); i++) {
        if (strlen(em_charsets[i].name) == len
            && strncasecmp(em_charsets[i].name, name, len) == 0)
        {
            return em_charsets[i].charset;
        }
    }

    return EM_CHARSET_UNKNOWN;
}


/* a byte below 0x81 ends a character, be it a second byte or not */

uint8_t
em_charset_lead(em_charset_e charset, uint8_t lead, const uint8_t *start,
    const uint8_t *p)
{
    const uint8_t  *q;

    for (q = p; q > start && q[-1] >= 0x81 && q[-1] <= 0xfe; q--) {
        /* void */
    }

    if (q > start) {
        lead = 0;
    }

    for ( /* void */ ; q < p; q++) {
        lead = !lead && (charset == EM_CHARSET_GBK || *q < 0xa0 || *q > 0xdf);
    }

    return lead;
}
