use ErrorMapSocket 'no_plan';
use ErrorMapCases;

# a log format, and a policy that changes the status

our $log = <<'_EOC_';
log_format verdict '$arg_n: $status $error_map_verdict $error_map_code '
                   '$error_map_class $error_map_upstream_status '
                   '$error_map_status $error_map_retry_after;';
error_map_policy edge {
    class RESOURCE_EXHAUSTED 429 retry_after=30s;
    unknown 502 retry_after=60s;
}
_EOC_

run_tests();

__DATA__

=== TEST 1: no byte changes, the variables tell the verdict and the status
--- http_config eval: $::log
--- config
access_log $TEST_NGINX_SERVER_ROOT/logs/access.log verdict;
location /t/ {
    error_map tencent_iotvideo policy=edge;
    error_map_dry_run on;
    error_map_hold_size 40;
    proxy_pass http://vendor/;
}
--- cases
/t/200/{"StatusCode":42505}?n=1         =
/t/500/{"StatusCode":42503}?n=2         =
/t/200/{"StatusCode":99999}?n=3         =
/t/404/{"StatusCode":0}?n=4             =
/t/503/{}?n=5                           =
/t/200/{"d":"0123456789012345678901234567890","StatusCode":42505}?n=6   =
HEAD /t/200/{"StatusCode":42505}?n=7    =
/t/204/?n=8                             =
--- access_log
1: 200 mapped 42505 RESOURCE_EXHAUSTED 200 429 30;
2: 500 mapped 42503 INVALID_ARGUMENT 500 403 ;
3: 200 unknown 99999 UNKNOWN 200 502 60;
4: 404 success 0  404 404 ;
5: 503 none   503 503 ;
6: 200 undecided   200 200 ;
7: 200 skipped     ;
8: 204 skipped     ;



=== TEST 2: spoofed headers and validators stay
--- vendor
add_header X-Error-Source spoofed always;
add_header x-error-code 42501 always;
add_header Retry-After 77 always;
add_header ETag '"a"' always;
add_header Accept-Ranges bytes always;
add_header Last-Modified "Fri, 20 Nov 2026 10:00:00 GMT" always;
--- http_config eval: $::log
--- config
error_map tencent_iotvideo policy=edge;
add_header X-Verdict $error_map_verdict always;
location /on/ { error_map_dry_run on; proxy_pass http://vendor/; }
--- cases
/on/200/{"StatusCode":42505}            =     X-Verdict: mapped
/on/500/{"StatusCode":99999}            =     X-Verdict: unknown
/on/200/{"StatusCode":0}                =     X-Verdict: success
/on/200/{}                              =     X-Verdict: none



=== TEST 3: http, server and location
--- http_config
error_map tencent_iotvideo;
error_map_header off;
error_map_dry_run on;
--- config
add_header X-Verdict $error_map_verdict always;
location /http {
    location /http/ { proxy_pass http://vendor/; }
    location /http.off/ { error_map_dry_run off; proxy_pass http://vendor/; }
}
--- cases
/http/200/{"StatusCode":42505}          =     X-Verdict: mapped
/http.off/200/{"StatusCode":42505}      402   X-Verdict: mapped



=== TEST 4: off in http, on in a server
--- http_config
error_map tencent_iotvideo;
error_map_header off;
error_map_dry_run off;
--- config
add_header X-Verdict $error_map_verdict always;
error_map_dry_run on;
location /t/ { proxy_pass http://vendor/; }
--- cases
/t/200/{"StatusCode":42505}             =     X-Verdict: mapped



=== TEST 5: off without the directive
--- config
add_header X-Verdict $error_map_verdict always;
error_map_header off;
location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
--- cases
/t/200/{"StatusCode":42505}             402   X-Verdict: mapped



=== TEST 6: a held response leaves as it came
--- config
error_map tencent_iotvideo;
error_map_dry_run on;
default_type application/json;
add_header X-Verdict $error_map_verdict always;
location = /t/200/plain { return 200 '{"StatusCode":42505}'; }
location = /t/404/plain { return 404 '{"StatusCode":99999}'; }
location = /off/200/plain { error_map off; return 200 '{"StatusCode":42505}'; }
location = /off/404/plain { error_map off; return 404 '{"StatusCode":99999}'; }
--- cases
/t/200/plain                            =     X-Verdict: mapped
/t/404/plain                            =     X-Verdict: unknown
