use ErrorMap ();
use ErrorMapSocket 'no_plan';
use ErrorMapCases;

# /size/N has a body whose N-th byte decides, /slow/SECONDS one that pauses
# before its code

$ENV{TEST_NGINX_VENDOR_PORT} = ErrorMap::vendor(sub {
    my ($s, $head) = @_;

    my ($what, $n) = $head =~ m{^GET /(size|slow)/([\d.]+)};
    my @body = ('{"d":"', '","StatusCode":42505', "} \n");

    if ($what eq 'size') {
        $body[0] .= 'x' x ($n - 1 - length "$body[0]$body[1]");
    }

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             . "Content-Length: " . length(join '', @body) . "\r\n\r\n$body[0]";

    select undef, undef, undef, $n if $what eq 'slow';

    print $s @body[1, 2];
    return;
});

our $vendor = <<'_EOC_';
proxy_buffering off;
location /size/ { proxy_pass http://127.0.0.1:$TEST_NGINX_VENDOR_PORT; }
location /slow/ { proxy_pass http://127.0.0.1:$TEST_NGINX_VENDOR_PORT; }
_EOC_

run_tests();

__DATA__

=== TEST 1: only a code within error_map_hold_size counts
--- vendor eval: $::vendor
--- config
add_header X-Verdict $error_map_verdict always;
error_map_header off;
error_map tencent_iotvideo;
location /20/ { error_map_hold_size 20; proxy_pass http://vendor/; }
location /19/ { error_map_hold_size 19; proxy_pass http://vendor/; }
location /7/ { error_map_hold_size 7; proxy_pass http://vendor/; }
location /6/ { error_map_hold_size 6; proxy_pass http://vendor/; }
location /1/ { error_map_hold_size 1; proxy_pass http://vendor/; }
location /k/ { error_map_hold_size 1k; proxy_pass http://vendor/; }
--- cases
# the next byte ends a number
/20/200/{"StatusCode":42505}        402   X-Verdict: mapped
/19/200/{"StatusCode":42505}        =     X-Verdict: undecided
# its quote ends a string
/20/200/{"StatusCode":"425"}        =     X-Verdict: unknown
/19/200/{"StatusCode":"425"}        =     X-Verdict: unknown
/19/200/{"StatusCode":"4250"}       =     X-Verdict: undecided
# the end of the body decides that there is no code
/7/200/{"a":1}                      =     X-Verdict: none
/6/200/{"a":1}                      =     X-Verdict: undecided
/1/200/{"a":1}                      =     X-Verdict: undecided
/1/200/<html>                       =     X-Verdict: none
/1/200/                             =     X-Verdict: none
/k/size/1024                        402   X-Verdict: mapped
/k/size/1025                        =     X-Verdict: undecided



=== TEST 2: 64k without the directive
--- vendor eval: $::vendor
--- config
add_header X-Verdict $error_map_verdict always;
error_map_header off;
location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
--- cases
/t/size/65535                       402   X-Verdict: mapped
/t/size/65536                       402   X-Verdict: mapped
/t/size/65537                       =     X-Verdict: undecided



=== TEST 3: http, server and location set error_map_hold_size
--- vendor eval: $::vendor
--- http_config
error_map tencent_iotvideo;
error_map_hold_size 1000;
--- config
add_header X-Verdict $error_map_verdict always;
error_map_header off;
location /http {
    location /http/ { proxy_pass http://vendor/; }
    location /http.in/ { error_map_hold_size 100; proxy_pass http://vendor/; }
}
--- cases
/http/size/1000                     402   X-Verdict: mapped
/http/size/1001                     =     X-Verdict: undecided
/http.in/size/100                   402   X-Verdict: mapped
/http.in/size/101                   =     X-Verdict: undecided



=== TEST 4: a server's error_map_hold_size overrides that of http
--- vendor eval: $::vendor
--- http_config
error_map tencent_iotvideo;
error_map_hold_size 1000;
--- config
add_header X-Verdict $error_map_verdict always;
error_map_header off;
error_map_hold_size 2000;
location /t/ { proxy_pass http://vendor/; }
--- cases
/t/size/2000                        402   X-Verdict: mapped
/t/size/2001                        =     X-Verdict: undecided



=== TEST 5: http, server and location set error_map_hold_timeout
--- vendor eval: $::vendor
--- http_config
error_map tencent_iotvideo;
error_map_hold_timeout 100ms;
--- config
add_header X-Verdict $error_map_verdict always;
error_map_header off;
location /http {
    location /http/ { proxy_pass http://vendor/; }
    location /http.in/ {
        error_map_hold_timeout 30s;
        proxy_pass http://vendor/;
    }
}
--- cases
/http/slow/0.8                      =     X-Verdict: undecided
/http.in/slow/0.8                   402   X-Verdict: mapped



=== TEST 6: a server's error_map_hold_timeout overrides that of http
--- vendor eval: $::vendor
--- http_config
error_map tencent_iotvideo;
error_map_hold_timeout 30s;
--- config
add_header X-Verdict $error_map_verdict always;
error_map_header off;
error_map_hold_timeout 100ms;
location /t/ { proxy_pass http://vendor/; }
--- cases
/t/slow/0.8                         =     X-Verdict: undecided



=== TEST 7: 5s without the directive
--- config
location /slow/ {
    error_map tencent_iotvideo;
    proxy_pass http://127.0.0.1:$TEST_NGINX_VENDOR_PORT;
    add_header X-Verdict $error_map_verdict always;
    add_header X-Hold-Time $error_map_hold_time always;
}
--- request
GET /slow/7
--- timeout: 20
--- response_headers_like
X-Verdict: undecided
X-Hold-Time: [56]\.\d\d\d
--- response_body eval: qq({"d":"","StatusCode":42505} \n)
