use ErrorMapSocket 'no_plan';
use ErrorMapCases;

run_tests();

__DATA__

=== TEST 1: without a policy, the status of the document or else of the class
--- config
error_map_header X-Class $error_map_class;
location /iotvideo/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
location /iot/ { error_map tencent_iot; proxy_pass http://vendor/; }
location /face/ { error_map face_device; proxy_pass http://vendor/; }
--- cases
/iotvideo/200/{"StatusCode":40001}    200   X-Class: INVALID_ARGUMENT
/iotvideo/500/{"StatusCode":40001}    200   X-Class: INVALID_ARGUMENT
/iotvideo/200/{"StatusCode":42505}    402   X-Class: RESOURCE_EXHAUSTED
/iotvideo/200/{"StatusCode":52501}    456   X-Class: INTERNAL
/iotvideo/200/{"StatusCode":99999}    200   X-Class: UNKNOWN
/iotvideo/503/{"StatusCode":99999}    503   X-Class: UNKNOWN
/iot/200/{"Error":{"Code":504}}       504   X-Class: DEADLINE_EXCEEDED
/iot/200/{"Error":{"Code":10004}}     429   X-Class: RESOURCE_EXHAUSTED
/iot/200/{"Error":{"Code":20008}}     409   X-Class: ABORTED
/face/200/{"code":"ID_NOT_FOUND"}     404   X-Class: NOT_FOUND



=== TEST 2: base document is the same
--- http_config
error_map_policy edge { base document; }
error_map_policy empty { }
--- config
error_map_header off;
location /edge/ {
    error_map tencent_iotvideo policy=edge;
    proxy_pass http://vendor/;
}
location /empty/ {
    error_map tencent_iotvideo policy=empty;
    proxy_pass http://vendor/;
}
location /iot/ {
    error_map tencent_iot policy=edge;
    proxy_pass http://vendor/;
}
--- cases
/edge/500/{"StatusCode":40001}        200
/edge/200/{"StatusCode":42505}        402
/edge/404/{"StatusCode":99999}        404
/empty/500/{"StatusCode":40001}       200
/empty/200/{"StatusCode":42505}       402
/empty/404/{"StatusCode":99999}       404
/iot/200/{"Error":{"Code":10004}}     429



=== TEST 3: base class uses the status of the class
--- http_config
error_map_policy edge { base class; }
--- config
error_map_header X-Class $error_map_class;
location /t/ {
    error_map tencent_iotvideo policy=edge;
    proxy_pass http://vendor/;
}
--- cases
/t/200/{"StatusCode":50000}           500   X-Class: UNKNOWN
/t/200/{"StatusCode":40001}           400   X-Class: INVALID_ARGUMENT
/t/200/{"StatusCode":52505}           504   X-Class: DEADLINE_EXCEEDED
/t/200/{"StatusCode":40006}           404   X-Class: NOT_FOUND
/t/200/{"StatusCode":41613}           409   X-Class: ALREADY_EXISTS
/t/200/{"StatusCode":42502}           403   X-Class: PERMISSION_DENIED
/t/200/{"StatusCode":42505}           429   X-Class: RESOURCE_EXHAUSTED
/t/200/{"StatusCode":41603}           400   X-Class: FAILED_PRECONDITION
/t/200/{"StatusCode":42205}           409   X-Class: ABORTED
/t/200/{"StatusCode":41612}           400   X-Class: OUT_OF_RANGE
/t/200/{"StatusCode":41604}           501   X-Class: UNIMPLEMENTED
/t/200/{"StatusCode":41301}           500   X-Class: INTERNAL
/t/200/{"StatusCode":41610}           503   X-Class: UNAVAILABLE
/t/200/{"StatusCode":41601}           401   X-Class: UNAUTHENTICATED
# but not of an unknown code
/t/200/{"StatusCode":99999}           200   X-Class: UNKNOWN



=== TEST 4: base keep leaves the upstream status and adds the headers
--- http_config
error_map_policy edge { base keep; }
--- config
error_map_header X-Code "$error_map_code $error_map_status";
location /t/ {
    error_map tencent_iotvideo policy=edge;
    proxy_pass http://vendor/;
}
--- cases
/t/200/{"StatusCode":42505}           =     X-Code: 42505 200
/t/201/{"StatusCode":42505}           =     X-Code: 42505 201
/t/503/{"StatusCode":42505}           =     X-Code: 42505 503
/t/200/{"StatusCode":99999}           =     X-Code: 99999 200



=== TEST 5: class rows
--- http_config
error_map_policy edge {
    class RESOURCE_EXHAUSTED 429;
    class UNAVAILABLE keep;
    class INTERNAL 599;
    class NOT_FOUND 200;
    class UNKNOWN 418;
}
--- config
error_map_header off;
location /t/ {
    error_map tencent_iotvideo policy=edge;
    proxy_pass http://vendor/;
}
location /face/ {
    error_map face_device policy=edge;
    proxy_pass http://vendor/;
}
--- cases
/t/200/{"StatusCode":42505}           429
/t/200/{"StatusCode":42507}           429
/t/500/{"StatusCode":52502}           =
/t/200/{"StatusCode":52502}           =
/t/200/{"StatusCode":52501}           599
/t/500/{"StatusCode":42501}           200
/t/200/{"StatusCode":42502}           403
/t/200/{"StatusCode":50000}           418
# an unknown code has the class UNKNOWN, but no row
/t/200/{"StatusCode":99999}           =
/face/200/{"code":"GROUP_LEN_ERROR"}  429
/face/503/{"code":"INTERNET_ERROR"}   =
/face/200/{"code":"MATCH_FAIL"}       400



=== TEST 6: status rows match the document's status, in any document
--- http_config
error_map_policy edge {
    status 456 502;
    status 403 keep;
    status 200 400;
    status 504 500;
    status 404 418;
}
--- config
error_map_header off;
location /t/ {
    error_map tencent_iotvideo policy=edge;
    proxy_pass http://vendor/;
}
location /iot/ {
    error_map tencent_iot policy=edge;
    proxy_pass http://vendor/;
}
--- cases
/t/200/{"StatusCode":52501}           502
/t/200/{"StatusCode":52502}           502
/t/200/{"StatusCode":42502}           =
/t/201/{"StatusCode":42502}           =
/t/200/{"StatusCode":40001}           400
/t/200/{"StatusCode":42505}           402
# not the upstream status, nor that of the class
/t/404/{"StatusCode":42505}           402
/iot/200/{"Error":{"Code":403}}       =
/iot/200/{"Error":{"Code":504}}       500
/iot/200/{"Error":{"Code":20005}}     504



=== TEST 7: code rows match numbers and words of one document
--- http_config
error_map_policy edge {
    code tencent_iotvideo/42505 429;
    code tencent_iotvideo/42502 keep;
    code tencent_iot/40001 418;
    code face_device/ID_NOT_FOUND 410;
    code vzenith/1000 411;
    code baidu_face/18 412;
}
--- config
error_map_header off;
error_map $arg_d policy=edge;
location /t/ { proxy_pass http://vendor/; }
--- cases
/t/200/{"StatusCode":42505}?d=tencent_iotvideo          429
/t/200/{"StatusCode":42502}?d=tencent_iotvideo          =
/t/200/{"StatusCode":42501}?d=tencent_iotvideo          400
/t/500/{"StatusCode":40001}?d=tencent_iotvideo          200
/t/200/{"Error":{"Code":40001}}?d=tencent_iot           418
/t/200/{"code":"ID_NOT_FOUND"}?d=face_device            410
/t/200/{"code":"DEVICE_ID_NOT_FOUND"}?d=face_device     404
/t/200/{"error_code":1000}?d=vzenith                    411
/t/200/{"error_code":1001}?d=vzenith                    401
/t/200/{"error_code":18}?d=baidu_face                   412



=== TEST 8: ranges of codes, both ends included
--- http_config
error_map_policy edge {
    code tencent_iotvideo/42502-42505 429;
    code tencent_iotvideo/42507-42507 430;
    code tencent_iotvideo/52000-60000 keep;
    code tencent_iotvideo/0-40001 431;
    code vzenith/0-999999999999999999 418;
}
--- config
error_map_header off;
location /t/ {
    error_map tencent_iotvideo policy=edge;
    proxy_pass http://vendor/;
}
location /vzenith/ { error_map vzenith policy=edge; proxy_pass http://vendor/; }
--- cases
/t/200/{"StatusCode":42501}           400
/t/200/{"StatusCode":42502}           429
/t/200/{"StatusCode":42504}           429
/t/200/{"StatusCode":42505}           429
/t/200/{"StatusCode":42506}           400
/t/200/{"StatusCode":42507}           430
/t/200/{"StatusCode":42508}           403
/t/200/{"StatusCode":52501}           =
/t/200/{"StatusCode":52514}           =
/t/200/{"StatusCode":40001}           431
/t/500/{"StatusCode":40002}           200
# a range has only codes of the document
/t/200/{"StatusCode":42509}           =
/t/200/{"StatusCode":0}               =
/vzenith/200/{"error_code":1000}      418
/vzenith/200/{"error_code":5503}      418
/vzenith/200/{"error_code":9999}      =



=== TEST 9: code before range before status before class before base
--- http_config
error_map_policy edge {
    base keep;
    class RESOURCE_EXHAUSTED 511;
    status 403 512;
    code tencent_iotvideo/42503-42507 513;
    code tencent_iotvideo/42505 514;
}

# the same, the other way round

error_map_policy egde {
    code tencent_iotvideo/42505 514;
    code tencent_iotvideo/42503-42507 513;
    status 403 512;
    class RESOURCE_EXHAUSTED 511;
    base keep;
}
--- config
error_map_header off;
location /t/ {
    error_map tencent_iotvideo policy=edge;
    proxy_pass http://vendor/;
}
location /u/ {
    error_map tencent_iotvideo policy=egde;
    proxy_pass http://vendor/;
}
--- cases eval
CORE::join '', map { <<"_EOC_" } 't', 'u'
/$_/200/{"StatusCode":42505}          514
/$_/200/{"StatusCode":42507}          513
/$_/200/{"StatusCode":42508}          512
/$_/200/{"StatusCode":42502}          512
/$_/200/{"StatusCode":41622}          511
/$_/200/{"StatusCode":42501}          =
_EOC_



=== TEST 10: keep has the precedence of a status
--- http_config
error_map_policy edge {
    base class;
    class RESOURCE_EXHAUSTED 511;
    status 403 keep;
    code tencent_iotvideo/42501-42508 512;
    code tencent_iotvideo/42501 keep;
    class NOT_FOUND 513;
    status 402 514;
    code tencent_iotvideo/41622 keep;
    status 200 515;
}
--- config
error_map_header off;
location /t/ {
    error_map tencent_iotvideo policy=edge;
    proxy_pass http://vendor/;
}
--- cases
/t/200/{"StatusCode":42501}           =
/t/200/{"StatusCode":42505}           512
/t/201/{"StatusCode":41622}           =
/t/201/{"StatusCode":40006}           515



=== TEST 11: unknown codes
--- http_config
error_map_policy status { unknown 502; }
error_map_policy keep { unknown keep; class UNKNOWN 418; base class; }
error_map_policy after { unknown keep retry_after=90; }
--- config
error_map_header X-Retry $error_map_class/$error_map_retry_after;
location /status/ {
    error_map tencent_iotvideo policy=status;
    proxy_pass http://vendor/;
}
location /keep/ {
    error_map tencent_iotvideo policy=keep;
    proxy_pass http://vendor/;
}
location /after/ {
    error_map tencent_iotvideo policy=after;
    proxy_pass http://vendor/;
}
--- cases
/status/200/{"StatusCode":99999}      502   X-Retry: UNKNOWN/
/status/200/{"StatusCode":"x"}        502   X-Retry: UNKNOWN/
/status/404/{"StatusCode":99999}      502   X-Retry: UNKNOWN/
/status/200/{"StatusCode":42505}      402   X-Retry: RESOURCE_EXHAUSTED/
/status/200/{"StatusCode":0}          =
/keep/404/{"StatusCode":99999}        =     X-Retry: UNKNOWN/
/after/200/{"StatusCode":99999}       =     X-Retry: UNKNOWN/90



=== TEST 12: retry_after of every kind of row, with a status and with keep
--- http_config
error_map_policy edge {
    class  RESOURCE_EXHAUSTED            429  retry_after=1s;
    class  UNAVAILABLE                   keep retry_after=1m30s;
    status 456                           503  retry_after=1h;
    code   tencent_iotvideo/42505        429  retry_after=7;
    code   tencent_iotvideo/42506-42507  keep retry_after=0;
    code   tencent_iotvideo/42508        429;
}
--- config
error_map_header X-Class $error_map_class;
error_map_header Retry-After $error_map_retry_after;
location /t/ {
    error_map tencent_iotvideo policy=edge;
    proxy_pass http://vendor/;
}
--- cases
/t/200/{"StatusCode":41622}   429
    X-Class: RESOURCE_EXHAUSTED
    Retry-After: 1
/t/200/{"StatusCode":41610}   =
    X-Class: UNAVAILABLE
    Retry-After: 90
/t/200/{"StatusCode":52501}   503
    X-Class: INTERNAL
    Retry-After: 3600
/t/200/{"StatusCode":42505}   429
    X-Class: RESOURCE_EXHAUSTED
    Retry-After: 7
/t/200/{"StatusCode":42506}   =
    X-Class: FAILED_PRECONDITION
    Retry-After: 0
/t/200/{"StatusCode":42507}   =
    X-Class: RESOURCE_EXHAUSTED
    Retry-After: 0
# the row decides alone, without the retry_after of its class
/t/200/{"StatusCode":42508}   429
    X-Class: RESOURCE_EXHAUSTED
/t/200/{"StatusCode":42503}   403
    X-Class: INVALID_ARGUMENT



=== TEST 13: two policies for one document and for two
--- http_config
error_map_policy strict { base class; unknown 502; }
error_map_policy lax { base keep; }
--- config
error_map_header off;
location /strict/ {
    error_map tencent_iotvideo policy=strict;
    proxy_pass http://vendor/;
}
location /lax/ {
    error_map tencent_iotvideo policy=lax;
    proxy_pass http://vendor/;
}
location /none/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
location /face/ {
    error_map face_device policy=strict;
    proxy_pass http://vendor/;
}
--- cases
/strict/200/{"StatusCode":42505}      429
/lax/200/{"StatusCode":42505}         =
/none/200/{"StatusCode":42505}        402
/strict/200/{"StatusCode":99999}      502
/lax/200/{"StatusCode":99999}         =
/none/200/{"StatusCode":99999}        =
/face/200/{"code":"ID_NOT_FOUND"}     404
/face/200/{"code":"X"}                502



=== TEST 14: a policy may be declared after its use, at any level
--- http_config
error_map tencent_iotvideo policy=late;
error_map_header off;

server {
    listen unix:$TEST_NGINX_SERVER_ROOT/html/other.sock;
    error_map tencent_iotvideo policy=later;
}

error_map_policy late { class RESOURCE_EXHAUSTED 429; }
error_map_policy later { class RESOURCE_EXHAUSTED 418; }
--- config
location /http/ { proxy_pass http://vendor/; }
location /later/ {
    error_map tencent_iotvideo policy=later;
    proxy_pass http://vendor/;
}
--- cases
/http/200/{"StatusCode":42505}        429
/later/200/{"StatusCode":42505}       418



=== TEST 15: every status with a body is sent
--- http_config
error_map_policy edge {
    code tencent_iotvideo/42501 200;
    code tencent_iotvideo/42502 299;
    code tencent_iotvideo/42503 302;
    code tencent_iotvideo/42504 400;
    code tencent_iotvideo/42505 456;
    code tencent_iotvideo/42506 499;
    code tencent_iotvideo/42507 599;
}
--- config
error_map_header off;
location /t/ {
    error_map tencent_iotvideo policy=edge;
    proxy_pass http://vendor/;
}
--- cases
/t/500/{"StatusCode":42501}           200
/t/200/{"StatusCode":42502}           299
/t/200/{"StatusCode":42503}           302
/t/200/{"StatusCode":42504}           400
/t/200/{"StatusCode":42505}           456
/t/200/{"StatusCode":42506}           499
/t/200/{"StatusCode":42507}           599



=== TEST 16: the reason phrase is that of the new status
--- http_config
error_map_policy edge { class RESOURCE_EXHAUSTED 429; class INTERNAL keep; }
--- config
location /vendor/ {
    default_type application/json;
    location = /vendor/42505 { return 200 '{"StatusCode":42505}'; }
    location = /vendor/52502 { return 500 '{"StatusCode":52502}'; }
    location = /vendor/52501 { return 503 '{"StatusCode":52501}'; }
}
location /t/ {
    error_map tencent_iotvideo policy=edge;
    proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/vendor/;
}
--- request eval
["GET /t/42505", "GET /t/52502", "GET /t/52501"]
--- error_code eval
[429, 456, 503]
--- raw_response_headers_like eval
['^HTTP/1.1 429 Too Many Requests\r\n',
 '^HTTP/1.1 456 \r\n',
 '^HTTP/1.1 503 Service Temporarily Unavailable\r\n']



=== TEST 17: a new status removes validators
--- vendor
add_header ETag '"a"' always;
add_header Last-Modified "Fri, 20 Nov 2026 10:00:00 GMT" always;
--- config
error_map_header off;
location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
--- cases
/t/200/{"StatusCode":42505}           402   !ETag | !Last-Modified
/t/200/{"StatusCode":40001}           =
/t/200/{"StatusCode":99999}           =
/t/200/{"StatusCode":0}               =
