# charset, and that of the Content-Type: half a character of two bytes may be a
# backslash, and is none.

use strict;
use warnings;

use ErrorMap;
use ErrorMapEnvelopes;
use Test::More;

check_envelopes(join '', map { /^(= .*\n)(.*)/s
                               ? "$1" . "1 - ABORTED \"one\";\n"
                                 . "success 0;\nfield m json /m;\n$2" : () }
                         split /^(?==)/m, <<'END_OF_CASES');

= typed
source json /c;
> type=application/json%3bcharset=gbk; {"m":"\x81\x5c","c":1}
< 409 mapped 1; m=\x81\x5c
> type=application/json%3b charset=GBK; {"m":"\x81\x5c","c":1}
< 409 mapped 1; m=\x81\x5c
> type=application/json%3b charset="gbk"; {"m":"\x81\x5c","c":1}
< 409 mapped 1; m=\x81\x5c
> type=application/json%3b charset=gb2312; {"m":"\x81\x5c","c":1}
< 409 mapped 1; m=\x81\x5c
> type=application/json%3b x=y%3b charset=gb18030; {"m":"\x81\x30\x81\x5c","c":1}
< 409 mapped 1; m=\x81\x30\x81\x5c
> type=application/json%3b charset=Big5; {"m":"\xa5\x5c","c":1}
< 409 mapped 1; m=\xa5\x5c
> type=application/json%3b charset=Shift_JIS; {"m":"\x83\x5c","c":1}
< 409 mapped 1; m=\x83\x5c
> type=application/json%3b charset=utf-8; {"m":"\x83\x5c","c":1}
< 200 none; reason=malformed
> type=application/json; {"m":"\x83\x5c","c":1}
< 200 none; reason=malformed
> type=application/json%3b charset=iso-8859-1; {"m":"\xe9\u00e9","c":1}
< 409 mapped 1; m=\xe9é

# a byte that no other of a character precedes is a backslash

> type=application/json%3b charset=gbk; {"m":"\x81\x81\x5c"","c":1}
< 409 mapped 1; m=\x81\x81"
> type=application/json%3b charset=gbk; {"m":"\x5c\x5c\x81\x5c","c":1}
< 409 mapped 1; m=\x5c\x81\x5c
> type=application/json%3b charset=gbk; {"x":{"y":["\x81\x5c","\x81\x81\x5c"","\x81\x5c"]},"c":1}
< 409 mapped 1
> type=application/json%3b charset=shift_jis; {"m":"\xb1\x5c"","c":1}
< 409 mapped 1; m=\xb1"

# what was cut in between: UTF-16 and UTF-32 are none

> type=application/json%3b charset=utf-16; {"c":1}
< 200 none; reason=charset
> type=application/json%3b charset=UTF-16LE; \x7b\x00\x22\x00
< 200 none; reason=charset
> \xff\xfe\x7b\x00\x22\x00
< 200 none; reason=charset
> \xfe\xff\x00\x7b\x00\x22
< 200 none; reason=charset
> \x7b\x00\x22\x00
< 200 none; reason=charset
> \x00\x00\x00\x7b
< 200 none; reason=charset
> \xef\xbb\xbf{"c":1}
< 409 mapped 1

# charset NAME; wins over the Content-Type

= declared
source json /c;
charset gbk;
> {"m":"\x81\x5c","c":1}
< 409 mapped 1; m=\x81\x5c
> type=application/json%3b charset=utf-8; {"m":"\x81\x5c","c":1}
< 409 mapped 1; m=\x81\x5c

= declared_utf8
source json /c;
charset utf-8;
> type=application/json%3b charset=gbk; {"m":"\x81\x5c\x5c","c":1}
< 409 mapped 1; m=\x81\x5c

= code
source json /c $.l[*].c;
prefix "e" - NOT_FOUND "e and more";
charset gbk;
> {"c":"e\x81\x5c"}
< 404 mapped e%81%5C
END_OF_CASES

done_testing();
