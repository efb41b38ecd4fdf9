use ErrorMapSocket 'no_plan';

run_tests();

__DATA__

=== TEST 1: a code of the document
--- config
    location /v {
        default_type application/json;
        return 200 '{"StatusCode":42505}';
    }
    location = /t {
        error_map tencent_iotvideo;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/v;
    }
--- request
GET /t
--- error_code: 402
--- response_headers
X-Error-Code: 42505
--- response_body chomp
{"StatusCode":42505}
