use ErrorMapSocket 'no_plan';
use ErrorMapCases;

# the arguments of a request have up to three Retry-After of its response

our $vendor = <<'_EOC_';
add_header Retry-After $after always;
add_header Retry-After $arg_second always;
add_header retry-after $arg_third always;
location = /503/html { default_type text/html; return 503 busy; }
_EOC_

our $after = <<'_EOC_';
map $arg_after $after {
    default  $arg_after;
    date     "Thu, 31 Dec 2037 23:55:55 GMT";
    old      "Thursday, 31-Dec-37 23:55:55 GMT";
    past     "Sat, 01 Jan 2000 00:00:00 GMT";
}
_EOC_

run_tests();

__DATA__

=== TEST 1: the policy's own retry_after, and the document's
--- http_config
error_map_document acme {
    source json /code;
    retry_after json /after;
    success 0;
    1 503 UNAVAILABLE "one";
    2 503 UNAVAILABLE "two";
    3 503 UNAVAILABLE "three";
}
error_map_policy edge {
    retry_after_max 1m;
    code acme/1 503 retry_after=30s;
    code acme/2 503 retry_after=61s;
    unknown 502 retry_after=1h;
    none 502 retry_after=2h;
}
--- config
error_map_header Retry-After $error_map_retry_after;
location /t/ {
    error_map acme policy=edge;
    proxy_pass http://vendor/;
}
--- cases
/t/200/{"code":1,"after":600}   503  Retry-After: 30
/t/200/{"code":2}               503  Retry-After: 60
/t/200/{"code":3,"after":60}    503  Retry-After: 60
/t/200/{"code":3,"after":61}    503  Retry-After: 60
/t/200/{"code":3,"after":"9h"}  503  Retry-After: 60
/t/200/{"code":3}               503
/t/200/{"code":4}               502  Retry-After: 60
/t/200/{}                       502  Retry-After: 60
/t/200/{"code":0,"after":600}   =



=== TEST 2: the vendor's header, whatever the verdict
--- vendor eval: $::vendor
--- http_config eval
$::after . <<'_EOC_'
error_map_policy edge { retry_after_max 60s; base keep; }
_EOC_
--- config
error_map_header X-Code $error_map_code;
location /t/ {
    error_map tencent_iotvideo policy=edge;
    proxy_pass http://vendor/;
}
location /up/ {
    error_map tencent_iotvideo policy=edge;
    error_map_upstream on;
    proxy_pass http://vendor/;
}
--- cases
/t/503/{"StatusCode":42505}?after=61      =   X-Code: 42505 | !Retry-After | Retry-After: 60
/t/503/{"StatusCode":42505}?after=60      =   X-Code: 42505
/t/503/{"StatusCode":99999}?after=86400   =   X-Code: 99999 | !Retry-After | Retry-After: 60
/t/503/{"StatusCode":0}?after=86400       =   !Retry-After | Retry-After: 60
/t/503/{}?after=86400                     =   !Retry-After | Retry-After: 60
/t/503/{?after=86400                      =   !Retry-After | Retry-After: 60
/t/200/{}?after=86400                     =   !Retry-After | Retry-After: 60
/t/503/html?after=86400                         =   !Retry-After | Retry-After: 60
HEAD /t/503/{}?after=86400                =   !Retry-After | Retry-After: 60
/up/503/{"StatusCode":42505}?after=61     =   X-Code: 42505 | !Retry-After | Retry-After: 60
/up/503/{}?after=61                       =   !Retry-After | Retry-After: 60
/up/503/html?after=61                           =   !Retry-After | Retry-After: 60
# several lines, each for itself
/t/503/{}?after=86400&second=10&third=700  =   !Retry-After | !retry-after | Retry-After: 60
    Retry-After: 10 | retry-after: 60



=== TEST 3: seconds and dates
--- vendor eval: $::vendor
--- http_config eval
$::after . <<'_EOC_'
error_map_policy edge { retry_after_max 60s; }
_EOC_
--- config
location /t/ {
    error_map tencent_iotvideo policy=edge;
    proxy_pass http://vendor/;
}
--- cases
/t/503/{}?after=0                               =
/t/503/{}?after=059                             =
/t/503/{}?after=59.5                            =
/t/503/{}?after=60.5                            =   !Retry-After | Retry-After: 60
/t/503/{}?after=0061                            =   !Retry-After | Retry-After: 60
/t/503/{}?after=61.0                            =   !Retry-After | Retry-After: 60
/t/503/{}?after=99999999999999999999999         =   !Retry-After | Retry-After: 60
/t/503/{}?after=18446744073709551616            =   !Retry-After | Retry-After: 60
/t/503/{}?after=date  =
    !Retry-After | Retry-After: 60
/t/503/{}?after=old  =
    !Retry-After | Retry-After: 60
/t/503/{}?after=past  =
# what is neither
/t/503/{}?after=soon                            =
/t/503/{}?after=-1                              =
/t/503/{}?after=P1D                             =



=== TEST 4: not in a dry run, where no document applies, or without the row
--- vendor eval: $::vendor
--- http_config eval
$::after . <<'_EOC_'
error_map_policy edge { retry_after_max 60s; }
error_map_policy other { none keep; }
map $arg_client $document { default off; new tencent_iotvideo; }
_EOC_
--- config
error_map_header off;
location /dry/ {
    error_map tencent_iotvideo policy=edge;
    error_map_dry_run on;
    proxy_pass http://vendor/;
}
location /map/ {
    error_map $document policy=edge;
    proxy_pass http://vendor/;
}
location /other/ {
    error_map tencent_iotvideo policy=other;
    proxy_pass http://vendor/;
}
--- cases
/dry/503/{}?after=86400              =
/dry/503/html?after=86400                  =
/map/503/{}?after=86400              =
/map/503/html?after=86400                  =
/map/503/{}?after=86400&client=new   =   !Retry-After | Retry-After: 60
/map/503/html?after=86400&client=new       =   !Retry-After | Retry-After: 60
/other/503/{}?after=86400            =
/other/503/html?after=86400                =



=== TEST 5: a header of error_map_header, and a problem body
--- vendor eval: $::vendor
--- http_config eval
$::after . <<'_EOC_'
error_map_policy edge { retry_after_max 60s; unknown 503; }
_EOC_
--- config
location /t/ {
    error_map tencent_iotvideo policy=edge;
    error_map_header Retry-After 3600;
    proxy_pass http://vendor/;
}
--- cases
/t/200/{"StatusCode":99999}            503  Retry-After: 60
/t/200/{"StatusCode":99999}?after=5    503  !Retry-After | Retry-After: 60



=== TEST 6: an error page of the edge
--- http_config
error_map_policy edge { retry_after_max 60s; unknown 503 retry_after=1h; }
--- config
location = /vendor { default_type application/json; return 200 '{"StatusCode":9}'; }
location = /t {
    error_map tencent_iotvideo policy=edge;
    error_map_intercept on;
    error_page 503 /page;
    proxy_pass http://127.0.0.1:$server_port/vendor;
}
location = /page { internal; error_map tencent_iotvideo; return 200 page; }
--- request
GET /t
--- error_code: 503
--- response_headers
Retry-After: 60
--- response_body chomp
page
