use ErrorMapSocket 'no_plan';
use ErrorMapCases;

# headers that a vendor may spoof, in upper and lower case, and twice

our $spoof = <<'_EOC_';
add_header X-Error-Source spoofed always;
add_header x-error-code 1 always;
add_header X-ERROR-CODE 2 always;
add_header x-Error-cLass OK always;
add_header X-Upstream-Status 299 always;
add_header X-Error-Codes kept always;
add_header X-Error kept always;
add_header Retry-After 77 always;
add_header Cache-Control no-transform always;
_EOC_

# ... all are removed, except those that a vendor may send itself

our $spoofed = <<'_EOC_';
/t/200/{"StatusCode":42505}             402   GONE
    X-Error-Source: tencent_iotvideo
    X-Error-Code: 42505
    X-Error-Class: RESOURCE_EXHAUSTED
    X-Upstream-Status: 200
/t/200/{"StatusCode":99999}             =     GONE
    X-Error-Source: tencent_iotvideo
    X-Error-Code: 99999
    X-Error-Class: UNKNOWN
    X-Upstream-Status: 200
/t/200/{"StatusCode":0}                 =     GONE
/t/404/{}                               =     GONE
/t/200/{"d":1,"StatusCode":42505}       =     GONE
/retry/200/{"StatusCode":42505}         429   GONE
    X-Error-Source: tencent_iotvideo
    X-Error-Code: 42505
    X-Error-Class: RESOURCE_EXHAUSTED
    X-Upstream-Status: 200
    !Retry-After
    Retry-After: 30
/retry/200/{"StatusCode":42504}         403   GONE
    X-Error-Source: tencent_iotvideo
    X-Error-Code: 42504
    X-Error-Class: UNAUTHENTICATED
    X-Upstream-Status: 200
/retry/200/{"StatusCode":0}             =     GONE
_EOC_

$spoofed =~ s/GONE/!X-Error-Source | !X-Error-Code | !X-Error-Class
                   !X-Upstream-Status/g;

# headers of a vendor, each of which gets a value in turn

our @vendors = qw(WWW-Authenticate Cache-Control Expires Link Set-Cookie Vary
                  Via Proxy-Status);

our $vendors = '';

for my $n (0 .. $#vendors) {
    $vendors .= "/t/200/{\"StatusCode\":42505}?$n=new  402"
                . "  !$vendors[$n] | $vendors[$n]: new\n"
                . "/t/200/{\"StatusCode\":0}?$n=new  =\n";
}

run_tests();

__DATA__

=== TEST 1: the default headers, for a mapped and for an unknown code
--- http_config
error_map_policy edge {
    class RESOURCE_EXHAUSTED 429 retry_after=30s;
    unknown 502 retry_after=1m;
}
--- config
location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
location /policy/ {
    error_map tencent_iotvideo policy=edge;
    proxy_pass http://vendor/;
}
--- cases
/t/200/{"StatusCode":42505}   402
    X-Error-Source: tencent_iotvideo
    X-Error-Code: 42505
    X-Error-Class: RESOURCE_EXHAUSTED
    X-Upstream-Status: 200
/t/500/{"StatusCode":99999}   =
    X-Error-Source: tencent_iotvideo
    X-Error-Code: 99999
    X-Error-Class: UNKNOWN
    X-Upstream-Status: 500
/policy/503/{"StatusCode":42505}   429
    X-Error-Source: tencent_iotvideo
    X-Error-Code: 42505
    X-Error-Class: RESOURCE_EXHAUSTED
    X-Upstream-Status: 503
    Retry-After: 30
/policy/200/{"StatusCode":99999}   502
    X-Error-Source: tencent_iotvideo
    X-Error-Code: 99999
    X-Error-Class: UNKNOWN
    X-Upstream-Status: 200
    Retry-After: 60
/t/200/{"StatusCode":0}   =
/t/200/{}                 =



=== TEST 2: a vendor cannot spoof them
--- vendor eval: $::spoof
--- http_config
error_map_policy retry { class RESOURCE_EXHAUSTED 429 retry_after=30s; }
--- config
location /t/ {
    error_map tencent_iotvideo;
    error_map_hold_size 20;
    proxy_pass http://vendor/;
}
location /retry/ {
    error_map tencent_iotvideo policy=retry;
    proxy_pass http://vendor/;
}
--- cases eval: $::spoofed



=== TEST 3: responses that are not inspected keep them
--- vendor
location = /html {
    default_type text/html;
    add_header X-Error-Code 42505;
    return 200 '{"StatusCode":42505}';
}
--- config
location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
--- cases
/t/html                                 =
HEAD /t/html                            =



=== TEST 4: error_map_header off sends none and leaves the vendor's
--- vendor eval: $::spoof
--- config
location /t/ {
    error_map tencent_iotvideo;
    error_map_header off;
    proxy_pass http://vendor/;
}
--- cases
/t/200/{"StatusCode":42505}             402
/t/200/{"StatusCode":99999}             =
/t/200/{"StatusCode":0}                 =



=== TEST 5: configured headers replace the default ones
--- config
location /t/ {
    error_map tencent_iotvideo;
    proxy_pass http://vendor/;

    error_map_header X-Text "an error";
    error_map_header X-One $error_map_title;
    error_map_header X-Many "$error_map_upstream_status->$error_map_status";
    error_map_header X-Braces ${error_map_document}/${error_map_code};
    error_map_header X-Uri $uri;
    error_map_header "!#$%&'*+-.^_`|~09azAZ" token;
}
--- cases
/t/200/{"StatusCode":42505}   402
    X-Text: an error
    X-One: too many concurrent downloads
    X-Many: 200->402
    X-Braces: tencent_iotvideo/42505
    X-Uri: /t/200/{"StatusCode":42505}
    !#$%&'*+-.^_`|~09azAZ: token
/t/500/{"StatusCode":9}   =
    X-Text: an error
    X-Many: 500->500
    X-Braces: tencent_iotvideo/9
    X-Uri: /t/500/{"StatusCode":9}
    !#$%&'*+-.^_`|~09azAZ: token
/t/200/{"StatusCode":0}                 =
/t/200/{}                               =



=== TEST 6: an empty value sends no header, the vendor's is removed anyway
--- vendor
add_header X-A spoofed;
add_header X-B spoofed;
add_header X-C spoofed;
add_header Cache-Control no-transform;
--- config
location /t/ {
    error_map tencent_iotvideo;
    proxy_pass http://vendor/;

    error_map_header X-A "";
    error_map_header X-B $arg_nothing;
    error_map_header X-C $error_map_retry_after$error_map_code;
    error_map_header Cache-Control $arg_cache;
}
--- cases
/t/200/{"StatusCode":42505}   402
    !X-A | !X-B | !X-C
    X-C: 42505
/t/200/{"StatusCode":42505}?cache=no-store   402
    !X-A | !X-B | !X-C
    X-C: 42505
    !Cache-Control
    Cache-Control: no-store
/t/200/{"StatusCode":0}?cache=no-store  =     !X-A | !X-B | !X-C



=== TEST 7: a name may be repeated
--- vendor
add_header X-A spoofed;
add_header Vary vendor;
--- config
location /t/ {
    error_map tencent_iotvideo;
    proxy_pass http://vendor/;

    error_map_header X-A one;
    error_map_header x-a two;
    error_map_header X-A "";
    error_map_header Vary one;
    error_map_header vary two;
}
--- cases
/t/200/{"StatusCode":42505}   402
    !X-A
    X-A: one
    x-a: two
    !Vary
    Vary: one
    vary: two



=== TEST 8: Retry-After and the like stay unless they are replaced
--- vendor eval
CORE::join '', map {
    my @values = $_ eq 'Cache-Control' ? qw(private no-transform) : qw(one two);

    map { "add_header $_->[0] $_->[1];\n" } [$_, $values[0]], [$_, $values[1]]
} @::vendors
--- config eval
CORE::join '', map({ "error_map_header $::vendors[$_] \$arg_$_;\n" }
                   0 .. $#::vendors),
    'location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }'
--- cases eval
"/t/200/{\"StatusCode\":42505} 402\n$::vendors"



=== TEST 9: a value cannot contain a line feed
--- config
location ~ "(?s)^/t/([^/]*)(/200/.*)" {
    error_map tencent_iotvideo;
    proxy_pass http://vendor$2;

    error_map_header X-A "a$1b";
    error_map_header X-B b;
}
--- cases
/t/c/200/{"StatusCode":42505}                   402   X-A: acb | X-B: b
/t/%09/200/{"StatusCode":42505}                 402   X-A: a	b | X-B: b
/t/%C3%A9/200/{"StatusCode":42505}              402   X-A: aéb | X-B: b
/t/%0D%0AX:y/200/{"StatusCode":42505}           402   X-B: b
/t/%0A/200/{"StatusCode":42505}                 402   X-B: b
/t/%0D/200/{"StatusCode":42505}                 402   X-B: b
/t/%01/200/{"StatusCode":42505}                 402   X-B: b
/t/%1F/200/{"StatusCode":42505}                 402   X-B: b
/t/%7F/200/{"StatusCode":42505}                 402   X-B: b
--- grep_error_log eval: qr/\[info\].*?\Kerror_map_header.*?character/
--- grep_error_log_out
error_map_header "X-A" is not sent, its value has a control character
error_map_header "X-A" is not sent, its value has a control character
error_map_header "X-A" is not sent, its value has a control character
error_map_header "X-A" is not sent, its value has a control character
error_map_header "X-A" is not sent, its value has a control character
error_map_header "X-A" is not sent, its value has a control character



=== TEST 10: inherited as add_header is, unless a location sets one
--- http_config
error_map tencent_iotvideo;
error_map_header X-Http $error_map_code;
--- config
location /http/ { proxy_pass http://vendor/; }
location /own {
    error_map_header X-Own $error_map_code;
    error_map_header X-Too 1;

    location /own/ { proxy_pass http://vendor/; }
    location /own.other/ {
        error_map_header X-Other $error_map_code;
        proxy_pass http://vendor/;
    }
    location /own.off {
        error_map_header off;

        location /own.off/ { proxy_pass http://vendor/; }
        location /own.off.on/ {
            error_map_header X-On $error_map_code;
            proxy_pass http://vendor/;
        }
    }
}
--- cases
/http/200/{"StatusCode":42505}          402   X-Http: 42505
/own/200/{"StatusCode":42505}           402   X-Own: 42505 | X-Too: 1
/own.other/200/{"StatusCode":42505}     402   X-Other: 42505
/own.off/200/{"StatusCode":42505}       402
/own.off.on/200/{"StatusCode":42505}    402   X-On: 42505



=== TEST 11: off in http, and a server that sets its own
--- http_config
error_map tencent_iotvideo;
error_map_header off;
--- config
error_map_header X-Server $error_map_code;
location /t/ { proxy_pass http://vendor/; }
--- cases
/t/200/{"StatusCode":42505}             402   X-Server: 42505



=== TEST 12: off in http
--- http_config
error_map tencent_iotvideo;
error_map_header off;
--- config
location /t/ { proxy_pass http://vendor/; }
--- cases
/t/200/{"StatusCode":42505}             402



=== TEST 13: add_header and error_map_header work together
--- config
add_header X-Error-Code edge always;
add_header X-A a always;
add_header X-Fine fine;
location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
--- cases
/t/200/{"StatusCode":42505}   402
    X-Error-Source: tencent_iotvideo
    X-Error-Code: 42505
    X-Error-Class: RESOURCE_EXHAUSTED
    X-Upstream-Status: 200
    !X-Fine
/t/200/{"StatusCode":0}                 =
