# field and retry_after: what a vendor says beside the code of an error.

use strict;
use warnings;

use ErrorMapEnvelopes;
use Test::More;

check_envelopes(join '', map { /^(= .*\n)(.*)/s
                               ? "$1" . "1 - ABORTED \"one\";\n"
                                 . "success 0;\n$2" : () }
                         split /^(?==)/m, <<'END_OF_CASES');

= json
source json /c;
field m json /m;
field r json /i/r;
> {"m":"why","c":1,"i":{"r":"id"}}
< 409 mapped 1; m=why; r=id
> {"c":1,"i":{"r":17},"m":true}
< 409 mapped 1; m=true; r=17
> {"c":7,"m":"why"}
< 200 unknown 7; m=why
> {"c":0,"m":"why"}
< 200 success 0
> {"x":0,"m":"why"}
< 200 none; reason=no_code
> {"m":"","c":1,"i":{}}
< 409 mapped 1
> {"m":null,"c":1,"i":{"r":false}}
< 409 mapped 1; r=false
> {"m":{"m":1},"m":[1],"c":1}
< 409 mapped 1
> {"m":"a","m":"b","c":1}
< 409 mapped 1; m=a
> {"m":"\u00e4\ud83d\ude00","c":1}
< 409 mapped 1; m=ä😀
> {"m":"a\u000ab\tc\u0000d\u007fe","c":1}
< 409 mapped 1; m=a b c d e
> {"m":"x\@2000@","c":1}
< 409 mapped 1; m=x\@1023@
> {"m":"x\@1021@äx","c":1}
< 409 mapped 1; m=x\@1021@ä
> {"m":"x\@1022@äx","c":1}
< 409 mapped 1; m=x\@1022@

# ... which the response ends without

> {"c":1,"m":"wh
< 409 mapped 1
> {"c":1} {"m":"why"}
< 409 mapped 1

# alternatives: the first line and the first path that has a value

= alternatives
source json /c;
field m json /a /b;
field m json /d;
> {"d":"d","b":"b","a":"a","c":1}
< 409 mapped 1; m=a
> {"d":"d","b":"b","a":"","c":1}
< 409 mapped 1; m=b
> {"c":1,"d":"d","a":null}
< 409 mapped 1; m=d

= kinds
source json /c; source regex '<c>(\d)</c>';
field m header X-M;
field m json /m;
field m regex '<m>([^<]*)</m>';
> X-M: h; {"m":"j","c":1}
< 409 mapped 1; m=h
> {"m":"j","c":1}
< 409 mapped 1; m=j
> {"x":"<m>t</m>","c":1}
< 409 mapped 1; m=t
> {"c":1,"x":"<m>t</m>"}
< 409 mapped 1; m=t
> {"c":1,"x":"<m></m>"}
< 409 mapped 1
> X-M: ; type=text/xml; <c>1</c><m>t</m>
< 409 mapped 1; m=t
> type=text/xml; <m>t</m><c>1</c>
< 409 mapped 1; m=t
> type=text/xml; <m>t</m><c>0</c>
< 200 success 0

= kinds_other_order
source json /c;
field m regex '<m>([^<]*)</m>';
field m json /m;
field m header X-M;
> X-M: h; {"m":"j","c":1,"x":"<m>t</m>"}
< 409 mapped 1; m=t
> X-M: h; {"m":"j","c":1}
< 409 mapped 1; m=j
> X-M: h; {"c":1}
< 409 mapped 1; m=h

# any child, and the one beside the error

= beside
source json $.l[?@.s=='e'].c;
field m json $.l[?@.s=='e'].m;
field f json $.l[*].m;
> {"l":[{"m":"a","c":1,"s":"w"},{"m":"b","c":1,"s":"e"},{"s":"e","m":"d"}]}
< 409 mapped 1; f=a; m=b
> {"l":[{"m":{},"c":1},{"s":"e","c":1,"m":"b"}]}
< 409 mapped 1; f=b; m=b

# a code in a header waits for fields of the body

= from_header
source header X-C;
field m json /m;
field t regex '<t>(\w+)</t>';
field h header X-H;
> X-C: 1; X-H: h; {"m":"why","t":"<t>x</t>"}
< 409 mapped 1; h=h; m=why; t=x
> X-C: 0; X-H: h; {"m":"why"}
< 200 success 0
> X-C: 1; X-H: h;
< 409 mapped 1; h=h
> X-C: 1; type=text/plain; <t>x</t>
< 409 mapped 1; t=x
> X-C: 1; )]}'{"m":"why"}
< 409 mapped 1; m=why

= only_json
source header X-C;
field m json /m;
> X-C: 1; {"x":[1,2,{"m":"no"}],"m":"why"}
< 409 mapped 1; m=why
> X-C: 7; {"m":"why"}
< 200 unknown 7; m=why

= only_text
source header X-C;
field m regex '<m>(\w+)</m>';
> X-C: 1; type=text/xml; <e><m>why</m></e>
< 409 mapped 1; m=why

# a pattern: group 1, the group "code", or the match

= pattern
source json /c;
field m json /m /n 'pattern=in (\d+)';
field n json /m pattern=\w+$;
field h header X-H 'pattern=a="([^"]*)"';
> X-H: b="1", a="2"; {"m":"wait in 30 seconds","c":1}
< 409 mapped 1; h=2; m=30; n=seconds
> {"m":"wait.","n":"in 5","c":1}
< 409 mapped 1; m=5

# how long to wait: 3, "3", 3.5, "3.5s", "750ms", "1m30s"

= retry
source json /c;
retry_after json /a/r /r;
> {"c":1,"r":3}
< 409 mapped 1; retry=3
> {"c":1,"r":"3"}
< 409 mapped 1; retry=3
> {"r":3.5,"c":1}
< 409 mapped 1; retry=4
> {"c":1,"r":"3.5s"}
< 409 mapped 1; retry=4
> {"c":1,"r":"750ms"}
< 409 mapped 1; retry=1
> {"c":1,"r":"1m30s"}
< 409 mapped 1; retry=90
> {"c":1,"r":0}
< 409 mapped 1
> {"c":1,"r":"0.0"}
< 409 mapped 1
> {"c":1,"r":-1}
< 409 mapped 1
> {"c":1,"r":1e3}
< 409 mapped 1
> {"c":1,"r":99999999999999999999}
< 409 mapped 1; retry=86400
> {"c":1,"r":"25h"}
< 409 mapped 1; retry=86400
> {"c":1,"r":"Wed, 21 Oct 2015 07:28:00 GMT"}
< 409 mapped 1
> {"c":1,"r":true}
< 409 mapped 1
> {"c":7,"r":3}
< 200 unknown 7; retry=3
> {"c":0,"r":3}
< 200 success 0
> {"c":1,"r":2,"a":{"r":0}}
< 409 mapped 1; retry=2
> Retry-After: 9; {"c":1,"r":2}
< 409 mapped 1; retry=2
> Retry-After: 9; {"c":1}
< 409 mapped 1

= retry_ms
source json /c;
retry_after json /m 'pattern=in ([\d.]+m?s)';
retry_after json /r unit=ms;
retry_after header X-R unit=ms;
retry_after header X-S unit=s;
> {"c":1,"r":1500}
< 409 mapped 1; retry=2
> {"c":1,"r":"2s"}
< 409 mapped 1; retry=2
> {"c":1,"m":"try again in 1.2s","r":9000}
< 409 mapped 1; retry=2
> {"c":1,"m":"try again in 20ms","r":9000}
< 409 mapped 1; retry=1
> X-R: 2001; X-S: 9; {"c":1}
< 409 mapped 1; retry=3
> X-R: none; X-S: 9; {"c":1}
< 409 mapped 1; retry=9

# fields beside a code that a choice finds late, and beside a pattern's

= late
source json /a /c;
field m json /m;
> {"m":"why","c":1,"a":"0"}
< 409 mapped 1; m=why
> {"c":1,"m":"why","x":[]}
< 409 mapped 1; m=why

= early_end
error_map_hold_size 30;
source json /c;
field m json /m;
> {"c":1,"x":"xxxxxxxxxxxxxxxxxxxxxxxx","m":"why"}
< 409 mapped 1
> {"c":1,"m":"why","x":"xxxxxxxxxxxxxxxxxxxxxx"}
< 409 mapped 1; m=why

# those of the text that has the code

= texts
error_map_events 2;
source json /c;
field m json /m;
> {"m":"no"}{"c":1,"m":"yes"}
< 409 mapped 1; m=yes
> {"m":"no"}{"c":1}
< 409 mapped 1
END_OF_CASES

done_testing();
