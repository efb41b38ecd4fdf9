# Lines of error_map_document that say where a code is: paths, choices,
# conditions, patterns and words, markers, headers.

use strict;
use warnings;

use ErrorMapEnvelopes;
use Test::More;

# each document has these rows, as many tests are about which code is chosen

my $rows = <<'END';
1      -  ABORTED   "one";
2      -  INTERNAL  "two";
true   -  UNKNOWN   "true";
prefix e.       -  NOT_FOUND    "a prefix";
range  100-199  -  UNAVAILABLE  "a range";
success  0 OK;
END

check_envelopes(join '', map { /^(= .*\n)(.*)/s ? "$1$rows$2" : () }
                         split /^(?==)/m, <<'END_OF_CASES');

# a plain line: the first code in the body decides at once

= plain
source json /a;
> {"a":1,"b":[]}
< 409 mapped 1
> {"a":null,"a":1}
< 409 mapped 1
> {"a":"","a":{},"a":[],"a":1}
< 409 mapped 1
> {"a":7,"a":1}
< 200 unknown 7
> {"a":0,"a":1}
< 200 success 0
> {"a":2
< 200 none; reason=malformed
> {"a":2,"b"
< 500 mapped 2
> {"a":"x\@128@"}
< 200 none; reason=no_code

= plain_two
source json /a; source json /b;
> {"b":0,"a":1}
< 200 success 0
> {"a":1,"b":0}
< 409 mapped 1
> {"b":7,"a":1}
< 200 unknown 7

= pointer
source json /a~1b/m~0n/0;
> {"a/b":{"m~n":["1"]}}
< 409 mapped 1
> {"a/b":{"m~n":{"0":1}}}
< 409 mapped 1

= member_called_star
source json "$['*'].c";
> {"*":{"c":1}}
< 409 mapped 1
> {"x":{"c":1}}
< 200 none; reason=no_code

= names
source json "$['error-codes'][0]" $.a['b\\'c'] "$[\"d\\\"e\"]";
> {"error-codes":[1]}
< 409 mapped 1
> {"a":{"b'c":1}}
< 409 mapped 1
> {"d\"e":2}
< 500 mapped 2
> {"error-codes":{"0":1}}
< 200 none; reason=no_code

# a choice: an error before what is unlisted before a success, then the order of
# the line

= choice
source json /e/a /e/b;
> {"e":{"b":2,"a":1},"x":1}
< 409 mapped 1
> {"e":{"a":1,"b":2}}
< 409 mapped 1
> {"e":{"b":2,"a":null}}
< 500 mapped 2
> {"e":{"b":2,"a":7}}
< 500 mapped 2
> {"e":{"b":0,"a":7}}
< 200 unknown 7
> {"e":{"a":0,"b":0}}
< 200 success 0
> {"e":null,"e":{"b":2,"a":1}}
< 500 mapped 2
> {"e":{"b":2},"e":{"a":1}}
< 500 mapped 2

# ... in which a default row plays no part until the end

= choice_default
source json /a /b;
default 418 UNKNOWN "any other";
> {"a":7,"b":2}
< 500 mapped 2
> {"b":2,"a":7}
< 500 mapped 2
> {"a":7}
< 418 mapped 7
> {"a":7,"b":0}
< 418 mapped 7

= any
source json $.l[*].c;
> {"l":[{"c":0},{"c":7},{"c":2},{"c":1}]}
< 500 mapped 2
> {"l":[{"c":0},{"c":7}]}
< 200 unknown 7
> {"l":[{"c":0},{"c":"OK"}]}
< 200 success 0
> {"l":[]}
< 200 none; reason=no_code
> {"l":{"k":{"c":1}}}
< 409 mapped 1

= elements
source json $.l[:].c;
> {"l":{"k":{"c":1}}}
< 200 none; reason=no_code
> {"l":[{"k":1},{"c":1}]}
< 409 mapped 1

= worse_first
source json $.items[?@.status==429].code $.items[*].code;
> {"items":[{"code":1,"status":404},{"code":2,"status":429}]}
< 500 mapped 2
> {"items":[{"code":1,"status":404},{"status":429,"code":2}]}
< 500 mapped 2
> {"items":[{"code":2,"status":404},{"code":1,"status":"429"}]}
< 500 mapped 2

= nested
source json $.*.*[*].c;
> {"a":{"b":[{"c":0},{"d":1}]},"e":{"f":{"g":{"c":"e.x"}}}}
< 404 mapped e.x

# filters

= filter
source json "$.l[?@.s == 'e'].c";
> {"l":[{"c":1,"s":"w"},{"c":2,"s":"e"}]}
< 500 mapped 2
> {"l":[{"c":1}]}
< 200 none; reason=no_code
> {"l":[{"s":"w","s":"e","c":1}]}
< 200 none; reason=no_code
> {"l":{"k":{"s":"\u0065","c":1}}}
< 409 mapped 1
> {"l":[{"c":1,"s":["e"]},{"c":2,"s":{"s":"e"}}]}
< 200 none; reason=no_code

= filter_not
source json "$.l[?@['@t'] != 'w'].c";
> {"l":[{"c":1}]}
< 409 mapped 1
> {"l":[{"c":1,"@t":"w"}]}
< 200 none; reason=no_code
> {"l":[{"c":1,"@t":null}]}
< 409 mapped 1

= filter_values
source json "$.n[?@.s == 1].c" "$.t[?@.s == true].c" "$.z[?@.s == null].c"
            "$.f[?@.s != false].c" "$.d[?@.s == -1.5e3].c";
> {"n":[{"s":"1","c":1},{"s":1.0,"c":1},{"s":1,"c":2}]}
< 500 mapped 2
> {"t":[{"s":"true","c":1},{"s":true,"c":2}]}
< 500 mapped 2
> {"z":[{"c":1},{"s":null,"c":2}]}
< 500 mapped 2
> {"f":[{"c":1,"s":false},{"c":2,"s":0}]}
< 500 mapped 2
> {"d":[{"c":1,"s":-1500},{"c":2,"s":-1.5e3}]}
< 500 mapped 2

# conditions

= unless
source json /c unless=/d;
> {"c":1,"d":{"x":1}}
< 200 none; reason=no_code
> {"d":[0],"c":1}
< 200 none; reason=no_code
> {"c":1,"d":null}
< 409 mapped 1
> {"c":1,"d":{}}
< 409 mapped 1
> {"c":1,"d":[]}
< 409 mapped 1
> {"c":1,"d":0}
< 409 mapped 1
> {"c":1,"d":false}
< 409 mapped 1
> {"c":1,"d":""}
< 409 mapped 1
> {"c":1,"d":"0"}
< 200 none; reason=no_code
> {"c":1}
< 409 mapped 1

= if
source json /c if=/d;
> {"c":1,"d":5}
< 409 mapped 1
> {"d":"x","c":1}
< 409 mapped 1
> {"c":1}
< 200 none; reason=no_code

# several lines: another envelope is another line

= lines
source json /e/a /e/b;
source json /c;
> {"c":0,"e":{"a":1}}
< 200 success 0
> {"e":{"b":2},"c":0}
< 500 mapped 2
> {"c":7,"e":{"a":1}}
< 200 unknown 7

= lines_wait
source json /e/a /e/b;
source json $.c[*];
> {"e":{"a":0},"c":[0,1]}
< 409 mapped 1
> {"e":{"a":0},"c":[0,7]}
< 200 unknown 7

= in_hand
source json $.d[*] $.x;
source json /c;
> {"d":[7],"c":1}
< 409 mapped 1
> {"d":[7],"c":0}
< 200 unknown 7

= batch
source json /code;
source json $[:].code;
> [{"code":0},{"code":1}]
< 409 mapped 1
> {"code":2,"x":{"code":1}}
< 500 mapped 2

# where the search ends early, an error in hand counts and nothing else

= early
error_map_hold_size 24;
source json /a /b;
> {"b":2,"x":"\@40@","a":1}
< 500 mapped 2
> {"b":7,"x":"xxxxxxxxxxxxxxxxxxxxxxxxx","a":1}
< 200 undecided; reason=hold_size
> {"b":0,"x":"xxxxxxxxxxxxxxxxxxxxxxxxx","a":1}
< 200 undecided; reason=hold_size
> {"b":2,"x":xxxx,"a":1}
< 500 mapped 2
> {"b":7,"x":xxxx,"a":1}
< 200 none; reason=malformed

# pattern= and code=

= pattern
source json /c 'pattern=^\d{1,3}';
> {"c":"1x"}
< 409 mapped 1
> {"c":"x","c":"150."}
< 503 mapped 150
> {"c":"x1"}
< 200 none; reason=no_code
> {"c":1}
< 409 mapped 1
> {"c":{"c":"1"}}
< 200 none; reason=no_code

= pattern_group
source json /c 'pattern=(x)-(?<code>\w+)';
> {"c":"x-e"}
< 200 unknown e
> {"c":"x-2"}
< 500 mapped 2

= pattern_first_1024
source json /c pattern=^x*(\d);
> {"c":"x\@1022@1"}
< 409 mapped 1
> {"c":"x\@1023@1"}
< 200 none; reason=no_code

= pattern_all
source json /c pattern=^E.*;
> {"c":"E1"}
< 200 unknown E1
> {"c":"F1"}
< 200 none; reason=no_code

= word
source json /errors code=2;
> {"errors":[{"x":1}]}
< 500 mapped 2
> {"errors":{"x":\n
< 500 mapped 2
> {"errors":"x\@3000@"}
< 500 mapped 2
> {"errors":[]}
< 200 none; reason=no_code
> {"errors":false}
< 200 none; reason=no_code
> {"errors":0}
< 200 none; reason=no_code
> {"errors":true}
< 500 mapped 2

= word_pattern
source json /m code=e.quota 'pattern=quota|limit';
> {"m":"your quota is used up"}
< 404 mapped e.quota
> {"m":"fine"}
< 200 none; reason=no_code
> {"m":["quota"]}
< 200 none; reason=no_code

= word_regex
source regex quota code=1;
> type=text/plain; the quota
< 409 mapped 1
> type=text/plain; the limit
< 200 none; reason=no_code

# the codes in a list, or else the list itself: a PATH into it keeps the line
# waiting for its end

= word_last
source json $.l[*].c;
source json $.l[*].none /l code=2;
> {"l":[{"c":"y"},{"c":1}]}
< 409 mapped 1
> {"l":[{"c":"y"},{"d":1}]}
< 500 mapped 2
> {"l":[]}
< 200 none; reason=no_code

# true and false are codes if the document has a row for them

= booleans
source json /c;
> {"c":true}
< 500 mapped true
> {"c":false}
< 200 none; reason=no_code
> {"c":false,"c":1}
< 409 mapped 1

# headers come first, regex lines last, where JSON has no code at all

= order
source regex 'c=(\d)'; source json /c; source header X-C X-D;
> X-C: 2; {"c":1}
< 500 mapped 2
> X-D: 1; X-C: 7; {"c":0}
< 409 mapped 1
> X-D: 7; X-C: 0; {"c":1}
< 200 unknown 7
> X-C: ; {"c":1}
< 409 mapped 1
> {"c":1,"m":"c=2"}
< 409 mapped 1
> {"c":7,"m":"c=2"}
< 200 unknown 7
> {"d":1,"m":"c=2"}
< 500 mapped 2
> {"c":null,"m":"c=2"}
< 500 mapped 2

= header_pattern
source header X-Amzn-ErrorType pattern=^\w+;
source header X-Remaining pattern=^0$ code=e.limit;
> X-Amzn-Errortype: 1:http://x; {}
< 409 mapped 1
> X-Remaining: 10; {}
< 200 none; reason=no_code
> X-Remaining: 0; {}
< 404 mapped e.limit

# several texts in a row, and what hides them

= texts
error_map_events 2;
source json /c;
> {"x":0} {"c":1}
< 409 mapped 1
> {"x":0}\n{"y":0}\n{"c":1}
< 200 none; reason=no_code
> {"x":0}{"c":0}
< 200 success 0

= one_text
source json /c;
> {"x":0} {"c":1}
< 200 none; reason=no_code
> )]}',\n{"c":1}
< 409 mapped 1
> )]}'{"c":1}
< 409 mapped 1
> while(1);{"c":1}
< 409 mapped 1
> for (;;); {"c":1}
< 409 mapped 1
> /**/ typeof cb === 'function' && cb({"c":1});
< 409 mapped 1
> /**/cb({"c":1})
< 409 mapped 1
> cb && cb({"c":1})
< 409 mapped 1
> // API callback\ncb({"c":1});
< 409 mapped 1
> a.b["0"]({"c":1})
< 200 none; reason=malformed
> x\@127@({"c":1})
< 409 mapped 1
> x\@128@({"c":1})
< 200 none; reason=malformed
> c=1&x=2
< 200 none; reason=malformed

# rows

= rows
source json /c;
range -1099--1000 - ABORTED "negative";
prefix e.x. - INTERNAL "longer";
pattern "^e\.x" 418 UNKNOWN "too late";
pattern "^50\d$" 418 UNKNOWN "fifty";
pattern "^5" 419 UNKNOWN "five";
"a b;{}" 420 UNKNOWN "any byte";
120 421 UNKNOWN "exact";
success range 300-309;
success prefix 000.;
success pattern "^ok(\.|$)";
code range - INTERNAL "x";
> {"c":120}
< 421 mapped 120
> {"c":"120"}
< 421 mapped 120
> {"c":199}
< 503 mapped 199
> {"c":200}
< 200 unknown 200
> {"c":"0150"}
< 200 unknown 0150
> {"c":1.5e2}
< 200 unknown 1.5e2
> {"c":-1000}
< 409 mapped -1000
> {"c":-1100}
< 200 unknown -1100
> {"c":"e.x.y"}
< 500 mapped e.x.y
> {"c":"e.xy"}
< 404 mapped e.xy
> {"c":501}
< 418 mapped 501
> {"c":5010}
< 419 mapped 5010
> {"c":"a b;{}"}
< 420 mapped a b;{}
> {"c":305}
< 200 success 305
> {"c":"000.100"}
< 200 success 000.100
> {"c":"ok.x"}
< 200 success ok.x
> {"c":"range"}
< 500 mapped range
> {"c":100000000000000000150}
< 200 unknown 100000000000000000150

= range_18
source json /c;
range 999999999999999000-999999999999999999 418 UNKNOWN "long";
> {"c":999999999999999999}
< 418 mapped 999999999999999999
> {"c":1999999999999999999}
< 200 unknown 1999999999999999999
END_OF_CASES

done_testing();
