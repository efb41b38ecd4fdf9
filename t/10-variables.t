use ErrorMap ();
use ErrorMapSocket 'no_plan';
use ErrorMapCases;

# a header for each variable; one that is empty is not sent

our @names = qw(document code class title status upstream_status retry_after
                verdict reason hold_size hold_time);

our $headers = join '', map {
    (my $header = "v-$_") =~ tr/_/-/;
    "add_header $header \$error_map_$_ always;\n"
} @names;

our $none = join '', map { tr/_/-/r } map { "!v-$_\n" } @names;

our $all = join '', map { "\$error_map_$_" } @names;

our $some = join ',', map { "\$error_map_$_" }
                      grep { !/title|reason|retry_after/ } @names;

# sends the first bytes of a body, and the rest after a second

$ENV{TEST_NGINX_VENDOR_PORT} = ErrorMap::vendor(sub {
    my ($s, $head) = @_;

    my ($code) = $head =~ m{^GET /\w+/(\d+)};
    my @body = ('{"d":1,', "\"StatusCode\":$code}");

    print $s "HTTP/1.1 201 Fine\r\nContent-Type: application/json\r\n"
             . "Content-Length: " . length("@body") . "\r\n\r\n$body[0]";
    select undef, undef, undef, 1;
    print $s "$body[1] ";
    return;
});

run_tests();

__DATA__

=== TEST 1: every variable for every verdict
--- http_config
error_map_policy edge {
    code tencent_iotvideo/42505 429 retry_after=30s;
    unknown 502 retry_after=0;
}
--- config eval
$::headers . <<'_EOC_'
error_map_header off;
error_map tencent_iotvideo policy=edge;
error_map_hold_size 40;
location /t/ { proxy_pass http://vendor/; }
_EOC_
--- vendor
location = /html { default_type text/html; return 200 '{"StatusCode":42505}'; }
--- cases
/t/201/{"StatusCode":42505}   429
    v-document: tencent_iotvideo
    v-code: 42505
    v-class: RESOURCE_EXHAUSTED
    v-title: too many concurrent downloads
    v-status: 429
    v-upstream-status: 201
    v-retry-after: 30
    v-verdict: mapped
    v-hold-size: 0
    v-hold-time: 0.000
/t/500/{"StatusCode":"42501"}   400
    v-document: tencent_iotvideo
    v-code: 42501
    v-class: NOT_FOUND
    v-title: recording does not exist
    v-status: 400
    v-upstream-status: 500
    v-verdict: mapped
    v-hold-size: 0
    v-hold-time: 0.000
/t/404/{"StatusCode":"new"}   502
    v-document: tencent_iotvideo
    v-code: new
    v-class: UNKNOWN
    v-status: 502
    v-upstream-status: 404
    v-retry-after: 0
    v-verdict: unknown
    v-hold-size: 0
    v-hold-time: 0.000
/t/201/{"StatusCode":200}   =
    v-document: tencent_iotvideo
    v-code: 200
    v-status: 201
    v-upstream-status: 201
    v-verdict: success
    v-hold-size: 0
    v-hold-time: 0.000
/t/503/{"StatusCode":"0"}   =
    v-document: tencent_iotvideo
    v-code: 0
    v-status: 503
    v-upstream-status: 503
    v-verdict: success
    v-hold-size: 0
    v-hold-time: 0.000
/t/503/{"code":42505}   =
    v-document: tencent_iotvideo
    v-status: 503
    v-upstream-status: 503
    v-verdict: none
    v-reason: no_code
    v-hold-size: 0
    v-hold-time: 0.000
/t/404/{"d":"01234567890123456789012345678901234","StatusCode":42505}   =
    v-document: tencent_iotvideo
    v-status: 404
    v-upstream-status: 404
    v-verdict: undecided
    v-reason: hold_size
    v-hold-size: 0
    v-hold-time: 0.000
/t/html   =
    v-document: tencent_iotvideo
    v-verdict: skipped
    v-reason: type
HEAD /t/200/{"StatusCode":42505}   =
    v-document: tencent_iotvideo
    v-verdict: skipped
    v-reason: method
# the request before the cases, for which error_map is off
--- response_headers eval: $::none



=== TEST 2: all are empty before the response, and are not cached so
--- config eval
<<"_EOC_"
set \$server "<$::all>";

location /t {
    error_map tencent_iotvideo;
    error_map_header off;
    set \$location "<$::all>";
    proxy_set_header X-Request "<$::all>";
    proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/vendor;

    add_header X-Server \$server always;
    add_header X-Location \$location always;
    add_header X-Response "<$::some>" always;
}
location /vendor {
    default_type application/json;
    add_header X-Request \$http_x_request;
    return 200 '{"StatusCode":42505}';
}
_EOC_
--- request
GET /t
--- error_code: 402
--- response_headers
X-Server: <>
X-Location: <>
X-Request: <>
X-Response: <tencent_iotvideo,42505,RESOURCE_EXHAUSTED,402,200,mapped,0,0.000>



=== TEST 3: size and time of a hold that waits for the code
--- config eval
$::headers . <<'_EOC_'
error_map_header off;
location /t {
    error_map tencent_iotvideo;
    proxy_buffering off;
    proxy_pass http://127.0.0.1:$TEST_NGINX_VENDOR_PORT;
}
_EOC_
--- request eval
["GET /t/42505", "GET /t/99999", "GET /t/0"]
--- timeout: 10
--- error_code eval
[402, 201, 201]
--- response_body eval
['{"d":1,"StatusCode":42505} ', '{"d":1,"StatusCode":99999} ',
 '{"d":1,"StatusCode":0} ']
--- response_headers_like eval
["v-document: tencent_iotvideo
v-code: 42505
v-class: RESOURCE_EXHAUSTED
v-title: too many concurrent downloads
v-status: 402
v-upstream-status: 201
v-retry-after:
v-verdict: mapped
v-hold-size: 7
v-hold-time: [01]\\.\\d\\d\\d
", "v-document: tencent_iotvideo
v-code: 99999
v-class: UNKNOWN
v-title:
v-status: 201
v-upstream-status: 201
v-retry-after:
v-verdict: unknown
v-hold-size: 7
v-hold-time: [01]\\.\\d\\d\\d
", "v-document: tencent_iotvideo
v-code: 0
v-class:
v-title:
v-status: 201
v-upstream-status: 201
v-retry-after:
v-verdict: success
v-hold-size: 7
v-hold-time: [01]\\.\\d\\d\\d
"]



=== TEST 4: size and time of a hold that times out
--- config eval
$::headers . <<'_EOC_'
error_map_header off;
location /t {
    error_map tencent_iotvideo;
    error_map_hold_timeout 200ms;
    proxy_buffering off;
    proxy_pass http://127.0.0.1:$TEST_NGINX_VENDOR_PORT;
}
_EOC_
--- request
GET /t/42505
--- timeout: 10
--- error_code: 201
--- response_body eval: '{"d":1,"StatusCode":42505} '
--- response_headers_like
v-document: tencent_iotvideo
v-code:
v-class:
v-title:
v-status: 201
v-upstream-status: 201
v-retry-after:
v-verdict: undecided
v-hold-size: 7
v-hold-time: 0\.[2-9]\d\d



=== TEST 5: in the access log, whether the filter is on or off
--- http_config
log_format verdict '$arg_n: "$error_map_verdict" "$error_map_code" '
                   '"$error_map_status" "$error_map_hold_size";';
--- config
access_log $TEST_NGINX_SERVER_ROOT/logs/access.log verdict;
location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
--- cases
/t/200/{"StatusCode":42505}?n=1       402
    X-Error-Source: tencent_iotvideo
    X-Error-Code: 42505
    X-Error-Class: RESOURCE_EXHAUSTED
    X-Upstream-Status: 200
/t/200/{}?n=2                         =
/off/200/{}?n=3                       =
--- access_log
1: "mapped" "42505" "402" "0";
2: "none" "" "200" "0";
3: "" "" "" "";



=== TEST 6: nginx's own error pages are skipped
--- config eval
$::headers . <<'_EOC_'
error_map tencent_iotvideo;
location /denied { deny all; }
location /missing { root /nonexistent; }
_EOC_
--- request eval
["GET /denied", "GET /missing"]
--- error_code eval
[403, 404]
--- response_headers eval
[("v-document: tencent_iotvideo
!v-code
!v-class
!v-title
!v-status
!v-upstream-status
!v-retry-after
v-verdict: skipped
!v-hold-size
!v-hold-time
") x 2]
