# A vendor's body comes in pieces, cut at any byte: neither the verdict, the
# code nor the fields depend on the cuts, for each kind of line.

use strict;
use warnings;

use ErrorMapEnvelopes;
use Test::More;

check_envelopes(join('', map { /^(= .*\n)(.*)/s
                               ? "$1" . "1 - ABORTED \"one\";\n"
                                 . "2 - INTERNAL \"two\";\nsuccess 0;\n$2" : () }
                         split /^(?==)/m, <<'END_OF_CASES'), cuts => 1);

= choice
source json /e/a /e/b;
field m json /e/m;
> {"e":{"b":2,"m":"why","a":1},"x":[]}
< 409 mapped 1; m=why
> {"e":{"b":2,"a":7,"\u006d":"\u00e4"}}
< 500 mapped 2; m=ä

= any
source json $.l[*].*.c;
field m json $.l[:].k.m;
> {"l":[{"k":{"c":0}},{"k":{"m":"a","c":2}}],"x":1}
< 500 mapped 2; m=a

= filter
source json "$.l[?@.s=='e'].c";
field m json "$.l[?@.s=='e'].m";
> {"l":[{"m":"a","c":1,"s":"w"},{"c":2,"m":"b","s":"e"}]}
< 500 mapped 2; m=b

= condition
source json /c unless=/d;
> {"c":1,"d":[]}
< 409 mapped 1
> {"c":1,"d":"0"}
< 200 none; reason=no_code

= pattern
source json /c 'pattern=#(\d)$';
field m json /m pattern=[0-9]+;
> {"m":"in 30 s","c":"e#1"}
< 409 mapped 1; m=30

= word
source json /e code=2;
> {"x":0,"e":[{"m":1}]}
< 500 mapped 2

= marker
source json /c;
success json /ok true;
success json /r;
> {"c":7,"ok":false,"r":{"x":1}}
< 200 success
> {"c":7,"ok" : true }
< 200 success true
> {"c":7,"ok":[true],"r":0}
< 200 unknown 7

= boolean
source json /ok;
false - UNKNOWN "failed";
> {"x":1,"ok":false}
< 500 mapped false

= retry
source json /c;
retry_after json /m 'pattern=in ([\d.]+m?s)';
> {"m":"try in 1.5s","c":1}
< 409 mapped 1; retry=2

= header
source header X-C;
field m json /m;
field t regex '<t>(\w+)</t>';
> X-C: 1; {"x":[{"m":"no"}],"m":"why"}
< 409 mapped 1; m=why
> X-C: 1; type=text/xml; <e><t>why</t></e>
< 409 mapped 1; t=why

= text
source regex '<c>(\d+)</c>';
source regex quota code=1;
field m regex '<m>([^<]*)</m>';
> type=text/xml; <m>why</m><c>2</c>
< 500 mapped 2; m=why
> type=text/xml; <e>quota</e><m>x</m>
< 409 mapped 1; m=x

= hidden
source json /c;
field m json /m;
> )]}',\n{"c":1,"m":"why"}
< 409 mapped 1; m=why
> /**/typeof a==='function'&&a({"c":1,"m":"b"});
< 409 mapped 1; m=b
> a&&a({"c":1});
< 409 mapped 1
> // x\na({"c":2})
< 500 mapped 2
> for (;;); {"c":2}
< 500 mapped 2

= texts
error_map_events 3;
source json /c;
> {"x":0}\ntrue {"c":1}
< 409 mapped 1

= charset
charset gbk;
source json /c;
field m json /m;
> {"m":"\x81\x5c\x81\x5c","c":1}
< 409 mapped 1; m=\x81\x5c\x81\x5c

= rows
source json /c;
range 100-199 - UNAVAILABLE "a range";
prefix e. - NOT_FOUND "a prefix";
pattern "^x\d$" - NOT_FOUND "a pattern";
default 418 UNKNOWN "any other";
> {"c":150}
< 503 mapped 150
> {"c":"e.\u0078"}
< 404 mapped e.x
> {"c":"x1"}
< 404 mapped x1
> {"c":"y"}
< 418 mapped y
END_OF_CASES

done_testing();
