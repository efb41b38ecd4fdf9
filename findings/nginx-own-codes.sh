#!/bin/sh
#
# nginx 1.22.1 (Debian 12): what "return CODE;" puts on the wire for codes that a policy may choose.
#
# Expected: the status given, with a page or without.
# Seen:     408 sends no byte, and logs 408.  494 to 497 arrive as 400, and are logged as 400.  498 arrives as 498,
#           with the page of 404 inside.  422, 451 and 511 have neither reason, nor page, nor Content-Type.
#           The forms with a text, such as return 408 "x"; send the status as given.
#
# An edge that turns codes into statuses with "return", limit_req_status or ngx.exit() must not choose these.

set -eu

packages="nginx=1.22.1-9+deb12u11"

. "$(dirname "$0")/lib/debian.sh"

cat > "$dir/nginx.conf" <<EOF
daemon off; master_process off; pid $dir/pid; error_log $dir/error.log; events {}
http {
    access_log $dir/access.log; client_body_temp_path $dir/1; proxy_temp_path $dir/2;
    fastcgi_temp_path $dir/3; uwsgi_temp_path $dir/4; scgi_temp_path $dir/5;
    server {
        listen 127.0.0.1:$port;
$(for c in 408 422 429 451 456 494 495 496 497 498 511; do
    echo "        location = /$c { return $c; } location = /text/$c { return $c \"x\"; }"
done)
    }
}
EOF
"$dir/usr/sbin/nginx" -v 2>&1
"$dir/usr/sbin/nginx" -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log" & pids="$pids $!"

started "127.0.0.1:$port/"

wire() {    # status line, and title or size of the page
    curl -s -i "127.0.0.1:$port$1" | tr -d '\r' | awk '
        /^HTTP/ { s = $0; sub(/ +$/, "", s) } /^Content-Length/ { n = $2 }
        /<title>/ { gsub(/<[^>]*>/, ""); sub(/^ +/, ""); t = ", page \"" $0 "\"" }
        END { print s == "" ? "nothing" : s (t == "" ? ", " n " bytes" : t) }'
}

see 'return 408'        "$(wire /408)"      'nothing'
see 'return 408 "x"'    "$(wire /text/408)" 'HTTP/1.1 408 Request Time-out, 1 bytes'
see 'return 429'        "$(wire /429)"      'HTTP/1.1 429 Too Many Requests, page "429 Too Many Requests"'
for c in 422 451 456 511; do see "return $c" "$(wire /$c)" "HTTP/1.1 $c, 0 bytes"; done
see 'return 494'        "$(wire /494)"      'HTTP/1.1 400 Bad Request, page "400 Request Header Or Cookie Too Large"'
see 'return 495'        "$(wire /495)"      'HTTP/1.1 400 Bad Request, page "400 The SSL certificate error"'
see 'return 496'        "$(wire /496)"      'HTTP/1.1 400 Bad Request, page "400 No required SSL certificate was sent"'
see 'return 497'        "$(wire /497)" \
    'HTTP/1.1 400 Bad Request, page "400 The plain HTTP request was sent to HTTPS port"'
see 'return 497 "x"'    "$(wire /text/497)" 'HTTP/1.1 497, 1 bytes'
see 'return 498'        "$(wire /498)"      'HTTP/1.1 498, page "404 Not Found"'
see 'logged of 408, 497' "$(awk '$7 == "/408" || $7 == "/497" { printf "%s ", $9 }' "$dir/access.log")" '408 400 '

exit $bad
