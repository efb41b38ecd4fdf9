#!/bin/sh
#
# lua-cjson 2.1.0 in nginx 1.22.1 with lua 0.10.23 (Debian 12): one numeric code, two texts.
#
# Expected: at worst a code of 15 digits is rounded, the same in each place.
# Seen:     tostring() of the decoded code ends in 5e+14, cjson.encode() of the same value ends in 4e+14: both cut to
#           14 digits, and round a half in different directions.  0x10 is read as 16, and 042505 as 42505.
#
# A table in Lua keyed by the code's text misses it, and its log and its body name two other codes.

set -eu

packages="nginx=1.22.1-9+deb12u11 libnginx-mod-http-lua=1:0.10.23-1+deb12u1
          libnginx-mod-http-ndk=1:0.3.2-3 lua-cjson=2.1.0+dfsg-2.2
          lua-resty-core=0.1.25-1 lua-resty-lrucache=0.13-10
          libluajit2-5.1-2=2.1-20230119-1"

. "$(dirname "$0")/lib/debian.sh"

cat > "$dir/nginx.conf" <<EOF
load_module $dir/usr/lib/nginx/modules/ndk_http_module.so;
load_module $dir/usr/lib/nginx/modules/ngx_http_lua_module.so;
daemon off; master_process off; pid $dir/pid; error_log $dir/error.log; events {}
http {
    access_log $dir/access.log; client_body_temp_path $dir/1; proxy_temp_path $dir/2;
    fastcgi_temp_path $dir/3; uwsgi_temp_path $dir/4; scgi_temp_path $dir/5;
    lua_package_path  "$dir/usr/share/lua/5.1/?.lua;$dir/usr/share/lua/5.1/?/init.lua;;";
    lua_package_cpath "$dir/usr/lib/x86_64-linux-gnu/lua/5.1/?.so;;";
    server {
        listen 127.0.0.1:$port;
        location / {
            content_by_lua_block {
                local cjson, body = require "cjson", ngx.unescape_uri(ngx.var.args)
                local t = cjson.decode(body)
                ngx.say(tostring(t.code), " ", cjson.encode(t.code))
            }
        }
    }
}
EOF
"$dir/usr/sbin/nginx" -v 2>&1
"$dir/usr/sbin/nginx" -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log" & pids="$pids $!"

started "127.0.0.1:$port/"

code() { curl -s "127.0.0.1:$port/?%7B%22code%22:$1%7D"; }

see 'tostring, encode: 42505'           "$(code 42505)"           '42505 42505'
see 'tostring, encode: 12345678901234'  "$(code 12345678901234)"  '12345678901234 12345678901234'
see 'tostring, encode: 123456789012345' "$(code 123456789012345)" '1.2345678901235e+14 1.2345678901234e+14'
see 'tostring, encode: 0x10'            "$(code 0x10)"            '16 16'
see 'tostring, encode: 042505'          "$(code 042505)"          '42505 42505'

exit $bad
