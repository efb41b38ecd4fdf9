# success json: what only good responses have.

use strict;
use warnings;

use ErrorMapEnvelopes;
use Test::More;

check_envelopes(<<'END_OF_CASES');

= flag
source json /c;
success json /ok true;
1 - ABORTED "one";
> {"ok":true,"c":1}
< 200 success true
> {"c":1,"ok":true}
< 409 mapped 1
> {"c":7,"ok":true}
< 200 success true
> {"c":7,"ok":false}
< 200 unknown 7
> {"c":7,"ok":"true"}
< 200 success true
> {"c":7,"ok":1}
< 200 unknown 7
> {"c":7}
< 200 unknown 7
> {"ok":false}
< 200 none; reason=no_code
> {"ok":{"ok":true},"c":1}
< 409 mapped 1

# without a value: something that is not null, false, 0 or empty

= there
source json /c;
success json /r;
1 - ABORTED "one";
> {"r":1,"c":1}
< 200 success
> {"r":"0","c":1}
< 200 success
> {"r":[0],"c":1}
< 200 success
> {"r":{"c":1},"c":1}
< 200 success
> {"r":true,"c":1}
< 200 success
> {"r":0,"c":1}
< 409 mapped 1
> {"r":null,"c":1}
< 409 mapped 1
> {"r":false,"c":1}
< 409 mapped 1
> {"r":"","c":1}
< 409 mapped 1
> {"r":[],"c":1}
< 409 mapped 1
> {"r":{},"c":1}
< 409 mapped 1
> {"r":0.0,"c":1}
< 200 success

# ... known as soon as it begins, however large and broken it is

> {"r":[\n
< 200 none; reason=malformed
> {"r":["x\@5000@"
< 200 success
> {"r":"x
< 200 success
> {"c":7,"r":{"x
< 200 success

# several values, null and the empty text among them

= values
source json /c;
success json /r 0 null "" ok "a b" 1.50 false;
1 - ABORTED "one";
> {"r":0,"c":1}
< 200 success 0
> {"r":"0","c":1}
< 200 success 0
> {"r":null,"c":1}
< 200 success null
> {"r":"","c":1}
< 200 success
> {"r":"ok","c":1}
< 200 success ok
> {"r":"\u006fk","c":1}
< 200 success ok
> {"r":"a b","c":1}
< 200 success a b
> {"r":1.50,"c":1}
< 200 success 1.50
> {"r":1.5,"c":1}
< 409 mapped 1
> {"r":"okay","c":1}
< 409 mapped 1
> {"r":"o","c":1}
< 409 mapped 1
> {"r":false,"c":1}
< 200 success false
> {"r":[],"c":1}
< 409 mapped 1

# several markers; what is unlisted waits for all of them

= several
source json /c;
success json /a; success json /b; success json $.l[*].ok true;
success json "$.f[?@.s=='g'].v" 1;
1 - ABORTED "one";
> {"c":7,"x":1,"b":"x"}
< 200 success
> {"c":7,"l":[{"ok":false},{"ok":true}]}
< 200 success true
> {"c":7,"f":[{"v":1,"s":"h"},{"v":1,"s":"g"}]}
< 200 success 1
> {"c":7,"f":[{"v":1,"s":"h"},{"v":2,"s":"g"}]}
< 200 unknown 7
> {"c":1,"a":1}
< 409 mapped 1
> {"a":1,"c":1}
< 200 success

# an error in hand is one, although it is not certain

= in_hand
source json /a /c;
success json /ok;
1 - ABORTED "one";
> {"c":1,"ok":5}
< 409 mapped 1
> {"ok":5,"c":1}
< 200 success

# a marker does not need a source

= alone
success json /ok true;
source header X-Code;
1 - ABORTED "one";
> {"ok":true}
< 200 success true
> X-Code: 1; {"ok":true}
< 409 mapped 1
> {"ok":false}
< 200 none; reason=no_code

# JSON-RPC: a result that is null is not there, so null is a value

= result_null
source json /error/code;
success json /result;
success json /result null;
1 - ABORTED "one";
> {"result":null,"error":{"code":1}}
< 200 success null
> {"error":{"code":1},"result":null}
< 409 mapped 1
> {"result":[1]}
< 200 success

# of several texts in a row, the first one with a code or a marker decides

= texts
error_map_events 3;
source json /c;
success json /r;
1 - ABORTED "one";
> {"x":1}{"r":1}{"c":1}
< 200 success
> {"x":1}{"c":1}{"r":1}
< 409 mapped 1
END_OF_CASES

done_testing();
