use ErrorMapSocket 'no_plan';
use ErrorMapCases;

# how long a code may be; é is two bytes

our $long = '';

for my $code ('x' x 128, '%C3%A9' x 64, '\u00e9' x 64, '1' x 128) {
    my $quote = $code =~ /^1/ ? '' : '"';
    (my $shown = $code) =~ s/\\u00e9/%C3%A9/g;

    $long .= "/t/200/{\"StatusCode\":$quote$code$quote} ="
             . "  X-Verdict: unknown | X-Code: $shown\n"
             . "/t/200/{\"StatusCode\":$quote${code}1$quote} ="
             . "  X-Verdict: none\n";
}

run_tests();

__DATA__

=== TEST 1: every document maps its codes and adds the default headers
--- config
location /face_device/ {
    error_map face_device;
    proxy_pass http://vendor/;
}
location /baidu_face/ {
    error_map baidu_face;
    proxy_pass http://vendor/;
}
location /vzenith/ {
    error_map vzenith;
    proxy_pass http://vendor/;
}
location /tencent_iot/ {
    error_map tencent_iot;
    proxy_pass http://vendor/;
}
location /tencent_iotvideo/ {
    error_map tencent_iotvideo;
    proxy_pass http://vendor/;
}
--- cases
/face_device/200/{"error_code":"DEVICE_ID_NOT_FOUND"}   404
    X-Error-Source: face_device
    X-Error-Code: DEVICE_ID_NOT_FOUND
    X-Error-Class: NOT_FOUND
    X-Upstream-Status: 200
/baidu_face/200/{"error_code":18,"error_msg":"Open%20api%20qps"}   429
    X-Error-Source: baidu_face
    X-Error-Code: 18
    X-Error-Class: RESOURCE_EXHAUSTED
    X-Upstream-Status: 200
/vzenith/500/{"error_code":1001}   401
    X-Error-Source: vzenith
    X-Error-Code: 1001
    X-Error-Class: UNAUTHENTICATED
    X-Upstream-Status: 500
/tencent_iot/400/{"Error":{"Code":20001,"Message":"no"}}   403
    X-Error-Source: tencent_iot
    X-Error-Code: 20001
    X-Error-Class: PERMISSION_DENIED
    X-Upstream-Status: 400
/tencent_iotvideo/200/{"StatusCode":42505}   402
    X-Error-Source: tencent_iotvideo
    X-Error-Code: 42505
    X-Error-Class: RESOURCE_EXHAUSTED
    X-Upstream-Status: 200



=== TEST 2: each verdict
--- vendor
location = /html { default_type text/html; return 200 '{"StatusCode":42505}'; }
location = /gzip {
    add_header Content-Encoding gzip;
    return 200 '{"StatusCode":42505}';
}
location = /br {
    add_header Content-Encoding br;
    return 200 '{"StatusCode":42505}';
}
location = /compress {
    add_header Content-Encoding compress;
    return 200 '{"StatusCode":42505}';
}
location = /identity {
    add_header Content-Encoding identity;
    return 200 '{"StatusCode":42505}';
}
--- config
add_header X-Verdict $error_map_verdict always;
error_map_header off;
location /t/ {
    error_map tencent_iotvideo;
    error_map_hold_size 40;
    proxy_pass http://vendor/;
}
--- cases
/t/200/{"StatusCode":42505}                     402   X-Verdict: mapped
/t/200/{"StatusCode":40001}                     200   X-Verdict: mapped
/t/200/{"StatusCode":99999}                     =     X-Verdict: unknown
/t/500/{"StatusCode":99999}                     =     X-Verdict: unknown
/t/200/{"StatusCode":0}                         =     X-Verdict: success
/t/500/{"StatusCode":0}                         =     X-Verdict: success
/t/200/{"statuscode":42505}                     =     X-Verdict: none
/t/500/{}                                       =     X-Verdict: none
/t/200/                                         =     X-Verdict: none
/t/404/<html>                                   =     X-Verdict: none
/t/200/{"StatusCode"                            =     X-Verdict: none
/t/200/{"data":"0123456789012345678901234567890123456789","StatusCode":1}   =
    X-Verdict: undecided
/t/html                                         =     X-Verdict: skipped
/t/gzip                                         =     X-Verdict: none
/t/br                                           =     X-Verdict: none
/t/compress                                     =     X-Verdict: skipped
/t/identity                                     402   X-Verdict: mapped
/t/204/                                         =     X-Verdict: skipped
HEAD /t/200/{"StatusCode":42505}                =     X-Verdict: skipped



=== TEST 3: strings and numbers are codes, compared as text
--- config
add_header X-Verdict $error_map_verdict always;
add_header X-Code $error_map_code always;
error_map_header off;
location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
--- cases
/t/200/{"StatusCode":42505}       402   X-Verdict: mapped  | X-Code: 42505
/t/200/{"StatusCode":"42505"}     402   X-Verdict: mapped  | X-Code: 42505
/t/200/{"StatusCode":"4\u00325\u0030\u0035"}   402
    X-Verdict: mapped
    X-Code: 42505
/t/200/{"StatusCode":042505}      =     X-Verdict: none
/t/200/{"StatusCode":"042505"}    =     X-Verdict: unknown | X-Code: 042505
/t/200/{"StatusCode":42505.0}     =     X-Verdict: unknown | X-Code: 42505.0
/t/200/{"StatusCode":4.2505e4}    =     X-Verdict: unknown | X-Code: 4.2505e4
/t/200/{"StatusCode":-42505}      =     X-Verdict: unknown | X-Code: -42505
/t/200/{"StatusCode":"%2042505"}  =     X-Verdict: unknown | X-Code:  42505
/t/200/{"StatusCode":99999999999999999999}   =
    X-Verdict: unknown
    X-Code: 99999999999999999999
/t/200/{"StatusCode":""}          =     X-Verdict: none



=== TEST 4: null, booleans, objects and arrays are not codes
--- config
add_header X-Verdict $error_map_verdict always;
error_map_header off;
location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
--- cases
/t/200/{"StatusCode":null}                          =     X-Verdict: none
/t/200/{"StatusCode":true}                          =     X-Verdict: none
/t/200/{"StatusCode":false}                         =     X-Verdict: none
/t/200/{"StatusCode":{}}                            =     X-Verdict: none
/t/200/{"StatusCode":[]}                            =     X-Verdict: none
/t/200/{"StatusCode":[42505]}                       =     X-Verdict: none
/t/200/{"StatusCode":{"StatusCode":42505}}          =     X-Verdict: none
/t/200/{"data":{"StatusCode":42505}}                =     X-Verdict: none
/t/200/[{"StatusCode":42505}]                       =     X-Verdict: none
/t/200/42505                                        =     X-Verdict: none
/t/200/"StatusCode"                                 =     X-Verdict: none
/t/200/{"data":"\"StatusCode\":42505"}              =     X-Verdict: none



=== TEST 5: the first of several codes counts
--- config
add_header X-Verdict $error_map_verdict always;
error_map_header off;
location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
--- cases
/t/200/{"StatusCode":42505,"StatusCode":0}          402   X-Verdict: mapped
/t/200/{"StatusCode":0,"StatusCode":42505}          =     X-Verdict: success
/t/200/{"StatusCode":1,"StatusCode":42505}          =     X-Verdict: unknown
/t/200/{"StatusCode":null,"StatusCode":42505}       402   X-Verdict: mapped
/t/200/{"StatusCode":{},"StatusCode":42505}         402   X-Verdict: mapped
/t/200/{"StatusCode":"42505","StatusCode":0}garbage   402
    X-Verdict: mapped



=== TEST 6: escaped member names match
--- config
add_header X-Verdict $error_map_verdict always;
error_map_header off;
location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
--- cases
/t/200/{"\u0053tatusCode":42505}                    402   X-Verdict: mapped
/t/200/{"\u0053\u0074\u0061\u0074\u0075\u0073Code":42505}   402
    X-Verdict: mapped
/t/200/{"\\u0053tatusCode":42505}                   =     X-Verdict: none
/t/200/{"StatusCode\u0000":42505}                   =     X-Verdict: none
/t/200/{"statusCode":42505}                         =     X-Verdict: none
/t/200/{"%20StatusCode":42505}                      =     X-Verdict: none



=== TEST 7: the source that comes first in the body decides
--- config
add_header X-Verdict $error_map_verdict always;
add_header X-Code $error_map_code always;
error_map_header off;
location /iot/ { error_map tencent_iot; proxy_pass http://vendor/; }
location /face/ { error_map face_device; proxy_pass http://vendor/; }
--- cases
/iot/200/{"Error":{"Code":20001}}   403   X-Verdict: mapped | X-Code: 20001
/iot/200/{"Response":{"Error":{"Code":20001}}}   403
    X-Verdict: mapped
    X-Code: 20001
/iot/200/{"Response":{"Error":{"Code":10001}},"Error":{"Code":20001}}   401
    X-Verdict: mapped
    X-Code: 10001
/iot/200/{"Error":{"Code":20001},"Response":{"Error":{"Code":10001}}}   403
    X-Verdict: mapped
    X-Code: 20001
/iot/200/{"Error":{"Code":null},"Response":{"Error":{"Code":10001}}}   401
    X-Verdict: mapped
    X-Code: 10001
/iot/200/{"Error":{"code":20001}}                =   X-Verdict: none
/iot/200/{"Response":{"Code":20001}}             =   X-Verdict: none
/iot/200/{"Code":20001,"Error":20001}            =   X-Verdict: none
/iot/200/{"Error":[{"Code":20001}]}              =   X-Verdict: none
/face/200/{"error_code":"MATCH_FAIL"}   400
    X-Verdict: mapped
    X-Code: MATCH_FAIL
/face/200/{"error":"MATCH_FAIL"}   400
    X-Verdict: mapped
    X-Code: MATCH_FAIL
/face/200/{"code":"MATCH_FAIL"}   400
    X-Verdict: mapped
    X-Code: MATCH_FAIL
/face/200/{"code":"PASSWORD_ERROR","error":"MATCH_FAIL","error_code":0}   401
    X-Verdict: mapped
    X-Code: PASSWORD_ERROR
/face/200/{"code":0,"error_code":"PASSWORD_ERROR"}   =
    X-Verdict: success
    X-Code: 0
/face/200/{"error":{"code":"PASSWORD_ERROR"}}    =   X-Verdict: none
/face/200/{"error":null,"code":"PASSWORD_ERROR"}   401
    X-Verdict: mapped
    X-Code: PASSWORD_ERROR
/face/200/{"error":"password_error"}   =
    X-Verdict: unknown
    X-Code: password_error



=== TEST 8: each document has its own success codes
--- config
add_header X-Verdict $error_map_verdict always;
add_header X-Code $error_map_code always;
error_map_header off;
location /face/ { error_map face_device; proxy_pass http://vendor/; }
location /baidu/ { error_map baidu_face; proxy_pass http://vendor/; }
location /vzenith/ { error_map vzenith; proxy_pass http://vendor/; }
location /iot/ { error_map tencent_iot; proxy_pass http://vendor/; }
location /iotvideo/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
--- cases
/face/200/{"code":0}                      =   X-Verdict: success | X-Code: 0
/face/200/{"code":"0"}                    =   X-Verdict: success | X-Code: 0
/face/200/{"code":"OK"}                   =   X-Verdict: success | X-Code: OK
/face/200/{"code":"SUCCESS"}   =
    X-Verdict: success
    X-Code: SUCCESS
/face/200/{"code":"ok"}                   =   X-Verdict: unknown | X-Code: ok
/face/200/{"code":200}                    =   X-Verdict: unknown | X-Code: 200
/baidu/200/{"error_code":0}               =   X-Verdict: success | X-Code: 0
/baidu/200/{"error_code":"0"}             =   X-Verdict: success | X-Code: 0
/baidu/200/{"error_code":"OK"}            =   X-Verdict: unknown | X-Code: OK
/vzenith/200/{"error_code":0}             =   X-Verdict: success | X-Code: 0
/vzenith/200/{"error_code":"00"}          =   X-Verdict: unknown | X-Code: 00
/iot/200/{"Error":{"Code":0}}             =   X-Verdict: success | X-Code: 0
/iot/200/{"Response":{"Error":{"Code":"0"}}}   =
    X-Verdict: success
    X-Code: 0
/iot/200/{"Error":{"Code":-0}}            =   X-Verdict: unknown | X-Code: -0
/iotvideo/200/{"StatusCode":0}            =   X-Verdict: success | X-Code: 0
/iotvideo/200/{"StatusCode":"0"}          =   X-Verdict: success | X-Code: 0
/iotvideo/200/{"StatusCode":200}          =   X-Verdict: success | X-Code: 200
/iotvideo/503/{"StatusCode":"200"}        =   X-Verdict: success | X-Code: 200
/iotvideo/200/{"StatusCode":200.0}   =
    X-Verdict: unknown
    X-Code: 200.0



=== TEST 9: a hostile code is escaped in headers
--- config
add_header X-Verdict $error_map_verdict always;
error_map_header X-Error-Code "$error_map_code";
location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
--- cases
/t/200/{"StatusCode":"1\r\nSet-Cookie:a=b\r\n\r\n<script>"}   =
    X-Verdict: unknown
    X-Error-Code: 1%0D%0ASet-Cookie:a=b%0D%0A%0D%0A<script>
/t/200/{"StatusCode":"\u000d\u000a\u0000\u0009\u001b\u001f\u007f"}   =
    X-Verdict: unknown
    X-Error-Code: %0D%0A%00%09%1B%1F%7F
/t/200/{"StatusCode":"%7F"}          =   X-Verdict: unknown
    X-Error-Code: %7F
/t/200/{"StatusCode":"a\"b\\c%25d\/"}   =
    X-Verdict: unknown
    X-Error-Code: a%22b%5Cc%25d/
/t/200/{"StatusCode":"%C3%A9\u00e9\ud83d\ude00%FF"}   =
    X-Verdict: unknown
    X-Error-Code: %C3%A9%C3%A9%F0%9F%98%80%FF
/t/200/{"StatusCode":"42505\u0000"}   =
    X-Verdict: unknown
    X-Error-Code: 42505%00
/t/200/{"StatusCode":"$host~!'()*,;="}   =
    X-Verdict: unknown
    X-Error-Code: $host~!'()*,;=
/t/200/{"StatusCode":"1%0D%0A"}       =   X-Verdict: none



=== TEST 10: a code has at most 128 bytes
--- config
add_header X-Verdict $error_map_verdict always;
add_header X-Code $error_map_code always;
error_map_header off;
location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
--- cases eval: $::long



=== TEST 11: a code that is too long is skipped, the next one counts
--- config
error_map_header X-Error-Code $error_map_code;
location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
--- cases eval
'/t/200/{"StatusCode":"' . 'x' x 129 . '","StatusCode":42505} 402'
. ' X-Error-Code: 42505'



=== TEST 12: http, server and location set it, and turn it off
--- http_config
error_map tencent_iotvideo;
error_map_header X-Error $error_map_document;
--- config
location /http/ { proxy_pass http://vendor/; }
location /http/off/ { error_map off; proxy_pass http://vendor/; }
location /http/off/on/ { error_map vzenith; proxy_pass http://vendor/; }
location /http/other/ { error_map vzenith; proxy_pass http://vendor/; }
--- cases
/http/200/{"StatusCode":42505}          402   X-Error: tencent_iotvideo
/http/200/{"error_code":1001}           =
/http/off/200/{"StatusCode":42505}      =
/http/off/on/200/{"error_code":1001}    401   X-Error: vzenith
/http/off/on/200/{"StatusCode":42505}   =
/http/other/200/{"error_code":1001}     401   X-Error: vzenith
/http/other/200/{"StatusCode":42505}    =



=== TEST 13: a server overrides http, nested locations inherit
--- http_config
error_map vzenith;
error_map_header X-Error $error_map_document;
--- config
error_map tencent_iotvideo;
location /t/ {
    proxy_pass http://vendor/;

    location /t/on/ {
        error_map face_device;
        proxy_pass http://vendor/;

        location /t/on/in/ { proxy_pass http://vendor/; }
        location /t/on/off/ {
            error_map off;
            proxy_pass http://vendor/;

            location /t/on/off/in/ { proxy_pass http://vendor/; }
        }
    }
}
--- cases
/t/200/{"StatusCode":42505}                     402   X-Error: tencent_iotvideo
/t/on/200/{"code":"ID_NOT_FOUND"}               404   X-Error: face_device
/t/on/in/200/{"code":"ID_NOT_FOUND"}            404   X-Error: face_device
/t/on/in/200/{"StatusCode":42505}               =
/t/on/off/200/{"code":"ID_NOT_FOUND"}           =
/t/on/off/in/200/{"code":"ID_NOT_FOUND"}        =
/t/on/off/in/200/{"StatusCode":42505}           =



=== TEST 14: off in http and in the server, on in a location
--- http_config
error_map off;
error_map_header X-Error $error_map_document;
--- config
error_map off;
location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
location /none/ { proxy_pass http://vendor/; }
--- cases
/t/200/{"StatusCode":42505}             402   X-Error: tencent_iotvideo
/none/200/{"StatusCode":42505}          =



=== TEST 15: an "if" and a named location inherit it
--- config
error_map_header X-Error $error_map_document;
location /if/ {
    error_map tencent_iotvideo;
    if ($request_method = GET) { set $seen 1; }
    proxy_pass http://vendor/;
}
location /named/ {
    error_map off;
    rewrite ^/named/(.*)$ /$1 break;
    try_files /nonexistent @vendor;
}
location @vendor { error_map vzenith; proxy_pass http://vendor; }
--- cases
/if/200/{"StatusCode":42505}            402   X-Error: tencent_iotvideo
/named/200/{"error_code":1001}          401   X-Error: vzenith
/named/200/{"StatusCode":42505}         =



=== TEST 16: the policy is inherited and replaced with the document
--- http_config
error_map_policy teapot { base keep; class RESOURCE_EXHAUSTED 418; }
error_map_policy busy { class RESOURCE_EXHAUSTED 503; }
--- config
error_map tencent_iotvideo policy=teapot;
error_map_header off;
location /server/ { proxy_pass http://vendor/; }
location /document/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
location /policy/ {
    error_map tencent_iotvideo policy=busy;
    proxy_pass http://vendor/;

    location /policy/in/ { proxy_pass http://vendor/; }
}
location /both/ { error_map vzenith policy=busy; proxy_pass http://vendor/; }
--- cases
/server/200/{"StatusCode":42505}        418
/server/200/{"StatusCode":42501}        200
/document/200/{"StatusCode":42505}      402
/policy/200/{"StatusCode":42505}        503
/policy/200/{"StatusCode":42501}        400
/policy/in/200/{"StatusCode":42505}     503
/both/200/{"error_code":1016}           503
/both/200/{"StatusCode":42505}          =



=== TEST 17: a variable chooses the document of each request
--- http_config
error_map_policy teapot { class RESOURCE_EXHAUSTED 418; }
map $uri $document {
    ~/video/  tencent_iotvideo;
    ~/face/   face_device;
}
--- config
error_map_header X-Error $error_map_document;
error_map $document policy=teapot;
location /video/ { proxy_pass http://vendor/; }
location /face/ { proxy_pass http://vendor/; }
location /part/video/ {
    error_map tencent_$arg_name;
    proxy_pass http://vendor/;
}
--- cases
/video/200/{"StatusCode":42505}                 418   X-Error: tencent_iotvideo
/video/200/{"StatusCode":42501}                 400   X-Error: tencent_iotvideo
/video/200/{"code":"ID_NOT_FOUND"}              =
/face/200/{"code":"ID_NOT_FOUND"}               404   X-Error: face_device
/face/200/{"StatusCode":42505}                  =
/part/video/200/{"StatusCode":42505}?name=iotvideo   402
    X-Error: tencent_iotvideo
/part/video/200/{"Error":{"Code":20001}}?name=iot   403
    X-Error: tencent_iot
--- grep_error_log: unknown error map document
--- grep_error_log_out



=== TEST 18: an unknown document at run time is logged once for each request
--- vendor
location = /text { default_type text/plain; return 200 '{"StatusCode":1}'; }
--- config
add_header X-Verdict $error_map_verdict always;
add_header X-Document $error_map_document always;
location /t/ { error_map $arg_document; proxy_pass http://vendor/; }
--- cases
/t/200/{"StatusCode":42505}?document=Vzenith            =   X-Verdict: skipped
/t/200/{"StatusCode":42505}?document=tencent_iotvideo2  =   X-Verdict: skipped
/t/200/{"StatusCode":42505}?document=tencent_iotvide    =   X-Verdict: skipped
/t/200/{"StatusCode":42505}                             =   X-Verdict: skipped
/t/200/{"StatusCode":0}?document=tencent_iotvideo   =
    X-Verdict: success
    X-Document: tencent_iotvideo
# HEAD is not inspected at all
/t/text?document=nonsense                               =   X-Verdict: skipped
--- grep_error_log eval
qr/\[warn\] \S+ \S+ \Kunknown error map document ".*", .* is not inspected/
--- grep_error_log_out
unknown error map document "Vzenith", the response is not inspected
unknown error map document "tencent_iotvideo2", the response is not inspected
unknown error map document "tencent_iotvide", the response is not inspected
unknown error map document "", the response is not inspected



=== TEST 19: a configuration without error_map changes nothing
--- config
add_header X-Verdict $error_map_verdict always;
location /t/ { proxy_pass http://vendor/; }
--- cases
/t/200/{"StatusCode":42505}             =
/t/500/{"StatusCode":42505}             =
