use ErrorMapSocket 'no_plan';
use ErrorMapCases;

# the vendor's responses in a charset that is not inspected, and as text

our $utf16 = <<'_EOC_';
location = /200/utf16 {
    default_type "application/json; charset=utf-16";
    return 200 x;
}
location = /200/text { default_type text/plain; return 200 x; }
add_header ETag '"a"' always;
add_header Expires "Thu, 31 Dec 2037 23:55:55 GMT" always;
_EOC_

our $log = <<'_EOC_';
log_format verdict '$arg_n: $status $error_map_verdict $error_map_reason '
                   '$error_map_class $error_map_upstream_status '
                   '$error_map_status $error_map_retry_after;';
_EOC_

run_tests();

__DATA__

=== TEST 1: without reasons it is for empty, malformed and no_code
--- vendor eval: $::utf16
--- http_config
error_map_policy edge { none 502 retry_after=5s; }
--- config
location /t/ {
    error_map tencent_iotvideo policy=edge;
    proxy_pass http://vendor/;
}
--- cases
/t/200/     502  X-Error-Source: tencent_iotvideo | X-Error-Class: UNKNOWN
    X-Upstream-Status: 200 | Retry-After: 5 | !ETag | !Expires
/t/200/{    502  X-Error-Source: tencent_iotvideo | X-Error-Class: UNKNOWN
    X-Upstream-Status: 200 | Retry-After: 5 | !ETag | !Expires
/t/200/{}   502  X-Error-Source: tencent_iotvideo | X-Error-Class: UNKNOWN
    X-Upstream-Status: 200 | Retry-After: 5 | !ETag | !Expires
/t/404/{}   502  X-Error-Source: tencent_iotvideo | X-Error-Class: UNKNOWN
    X-Upstream-Status: 404 | Retry-After: 5 | !ETag | !Expires
# others stay
/t/200/utf16                 =
/t/200/text                  =
/t/200/{"StatusCode":0}      =
HEAD /t/200/{}               =
/t/200/{"StatusCode":99999}  =   X-Error-Source: tencent_iotvideo
    X-Error-Code: 99999 | X-Error-Class: UNKNOWN | X-Upstream-Status: 200



=== TEST 2: only the reasons that a row names
--- vendor eval: $::utf16
--- http_config
error_map_policy one { none empty 502; }
error_map_policy two { none malformed no_code 503; none charset 415; }
error_map_policy all { none 500; none empty 501; none no_code keep; }
--- config
error_map_header X-Reason "$error_map_verdict $error_map_reason $error_map_status";
location /one/ {
    error_map tencent_iotvideo policy=one;
    proxy_pass http://vendor/;
}
location /two/ {
    error_map tencent_iotvideo policy=two;
    proxy_pass http://vendor/;
}
location /all/ {
    error_map tencent_iotvideo policy=all;
    proxy_pass http://vendor/;
}
--- cases
/one/200/         502  X-Reason: none empty 502 | !ETag | !Expires
/one/200/{        =
/one/200/{}       =
/one/200/utf16    =
/two/200/         =
/two/200/{        503  X-Reason: none malformed 503 | !ETag | !Expires
/two/404/{}       503  X-Reason: none no_code 503 | !ETag | !Expires
/two/200/utf16    415  X-Reason: none charset 415 | !ETag | !Expires
/all/200/         501  X-Reason: none empty 501 | !ETag | !Expires
/all/200/{        500  X-Reason: none malformed 500 | !ETag | !Expires
/all/200/utf16    =
# a row with "keep" has headers
/all/200/{}       =    X-Reason: none no_code 200
/all/404/{}       =    X-Reason: none no_code 404



=== TEST 3: what is undecided or skipped stays
--- http_config
error_map_policy edge { none empty malformed charset no_code 502; }
--- config
location /t/ {
    error_map tencent_iotvideo policy=edge;
    error_map_hold_size 8;
    error_map_statuses 200;
    proxy_pass http://vendor/;
}
--- cases
/t/200/{"a":"0123456789"}   =
/t/404/{}                   =
/t/204/                     =
HEAD /t/200/                =



=== TEST 4: in the upstream layer as well
--- vendor eval: $::utf16
--- http_config
error_map_policy edge { none 502 retry_after=5s; none empty 504; }
--- config
location /t/ {
    error_map tencent_iotvideo policy=edge;
    error_map_upstream on;
    proxy_pass http://vendor/;
}
--- cases
/t/200/     504  X-Error-Source: tencent_iotvideo | X-Error-Class: UNKNOWN
    X-Upstream-Status: 200 | !ETag | !Expires
/t/404/{    502  X-Error-Source: tencent_iotvideo | X-Error-Class: UNKNOWN
    X-Upstream-Status: 404 | Retry-After: 5 | !ETag | !Expires
/t/200/{}   502  X-Error-Source: tencent_iotvideo | X-Error-Class: UNKNOWN
    X-Upstream-Status: 200 | Retry-After: 5 | !ETag | !Expires
/t/200/utf16                 =
/t/200/text                  =
/t/200/{"StatusCode":0}      =



=== TEST 5: Proxy-Status and spoofed headers
--- vendor
add_header X-Error-Class OK always;
add_header Retry-After 7 always;
--- http_config
error_map_policy edge { none 502; }
--- config
location /t/ {
    error_map tencent_iotvideo policy=edge;
    error_map_proxy_status edge;
    proxy_pass http://vendor/;
}
--- cases
/t/200/   502   X-Error-Source: tencent_iotvideo | !X-Error-Class
    X-Error-Class: UNKNOWN | X-Upstream-Status: 200
    Proxy-Status: edge; received-status=200; details="tencent_iotvideo none/empty UNKNOWN"



=== TEST 6: a dry run shows the status
--- http_config eval
$::log . "error_map_policy edge { none 502 retry_after=5s; }\n"
--- config
access_log $TEST_NGINX_SERVER_ROOT/logs/access.log verdict;
location /t/ {
    error_map tencent_iotvideo policy=edge;
    error_map_dry_run on;
    proxy_pass http://vendor/;
}
location /up/ {
    error_map tencent_iotvideo policy=edge;
    error_map_dry_run on;
    error_map_upstream on;
    proxy_pass http://vendor/;
}
location /on/ {
    error_map tencent_iotvideo policy=edge;
    proxy_pass http://vendor/;
}
--- cases
/t/200/?n=1       =
/t/404/{?n=2      =
/up/404/{}?n=3    =
/on/404/{}?n=4    502  X-Error-Source: tencent_iotvideo | X-Error-Class: UNKNOWN
    X-Upstream-Status: 404 | Retry-After: 5
--- access_log
1: 200 none empty UNKNOWN 200 502 5;
2: 404 none malformed UNKNOWN 404 502 5;
3: 404 none no_code UNKNOWN 404 502 5;
4: 502 none no_code UNKNOWN 404 502 5;



=== TEST 7: an error page
--- http_config
error_map_policy edge { none 502; }
--- config
location = /vendor { default_type application/json; return 200 '{"a":1}'; }
location = /t {
    error_map tencent_iotvideo policy=edge;
    error_map_intercept on;
    error_page 502 /page;
    proxy_pass http://127.0.0.1:$server_port/vendor;
}
location = /page {
    internal;
    return 200 "$error_map_verdict $error_map_reason $error_map_class";
}
--- request
GET /t
--- error_code: 502
--- response_body chomp
none no_code UNKNOWN



=== TEST 8: an error page of nginx's upstream layer
--- http_config
error_map_policy edge { none 502 retry_after=9s; }
--- config
location = /vendor { default_type application/json; return 200 '{"a":1}'; }
location = /t {
    error_map tencent_iotvideo policy=edge;
    error_map_upstream on;
    proxy_intercept_errors on;
    error_page 502 /page;
    proxy_pass http://127.0.0.1:$server_port/vendor;
}
location = /page {
    internal;
    error_map tencent_iotvideo;
    return 200 "$error_map_verdict $error_map_reason $error_map_class";
}
--- request
GET /t
--- error_code: 502
--- response_headers
X-Error-Source: tencent_iotvideo
Retry-After: 9
--- response_body chomp
none no_code UNKNOWN

