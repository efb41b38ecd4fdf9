#!/bin/sh
#
# nginx 1.22.1 (Debian 12): proxy_intercept_errors and the client's connection.
#
# Expected: a vendor's error that an error_page replaces leaves the client's connection as it is.
# Seen:     400, 413, 500 and 501 close the client's connection; 402, 429, 456, 502 and 503 keep it.  Without
#           the error_page, nginx keeps the connection for all of them.  A vendor's 408 that has an error_page sends
#           no byte at all, and the page is not made; 494 to 497 reach the client as 400.
#
# An edge with error pages pays a new TLS handshake for each 500, and loses 408: map it before the error page.

set -eu

packages="nginx=1.22.1-9+deb12u11"

. "$(dirname "$0")/lib/debian.sh"

cat > "$dir/vendor.pl" <<'EOF'
use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$ARGV[0]", Listen => 9, ReuseAddr => 1) or die;
while (my $c = $s->accept) {
    sysread $c, my $h, 9999;
    my ($st) = $h =~ m{^\S+ /(\d+)};
    print $c "HTTP/1.1 $st Vendor\r\nContent-Length: 7\r\nConnection: close\r\n\r\nvendor\n";
}
EOF
perl "$dir/vendor.pl" $up & pids="$pids $!"

cat > "$dir/nginx.conf" <<EOF
daemon off; master_process off; pid $dir/pid; error_log $dir/error.log; events {}
http {
    access_log $dir/access.log; client_body_temp_path $dir/1; proxy_temp_path $dir/2;
    fastcgi_temp_path $dir/3; uwsgi_temp_path $dir/4; scgi_temp_path $dir/5;
    server {
        listen 127.0.0.1:$port;
        location / { proxy_pass http://127.0.0.1:$up; }
        location /page/ {
            proxy_pass              http://127.0.0.1:$up/;
            proxy_intercept_errors  on;
            error_page              400 402 408 413 429 456 496 500 501 502 503 @page;
        }
        location @page { return 200 "page"; }
    }
}
EOF
"$dir/usr/sbin/nginx" -v 2>&1
"$dir/usr/sbin/nginx" -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log" & pids="$pids $!"

i=0; until curl -s -o /dev/null "127.0.0.1:$port/200"; do
    i=$((i + 1)); [ $i -lt 100 ] || { echo "server does not start" >&2; exit 1; }; sleep 0.1
done

wire() {
    curl -s -i "127.0.0.1:$port$1" | tr -d '\r' | awk '
        /^HTTP/ { s = $2 } /^Connection/ { c = $2 } { b = $0 }
        END { print s == "" ? "nothing" : s " " b ", " c }'
}

for c in 400 408 413 429 496 500 501 503; do see "passed on, $c" "$(wire /$c)" "$c vendor, keep-alive"; done
for c in 400 413 500 501; do see "error_page, $c" "$(wire /page/$c)" "$c page, close"; done
for c in 402 429 456 502 503; do see "error_page, $c" "$(wire /page/$c)" "$c page, keep-alive"; done
see "error_page, 408" "$(wire /page/408)" 'nothing'
see "error_page, 496" "$(wire /page/496)" '400 page, close'

exit $bad
