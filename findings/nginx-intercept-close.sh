#!/bin/sh
#
# nginx 1.22.1 (Debian 12): proxy_intercept_errors and the client's connection.
#
# Expected: a vendor's error that an error_page replaces leaves the client's connection as it is.
# Seen:     of all statuses from 300 to 599, 400, 413, 414, 495 to 497, 500 and 501 close the client's connection, and
#           the others keep it.  Without the error_page, nginx keeps the connection for all of them.  A vendor's 408 or
#           444 that has an error_page sends no byte at all, and the page is not made; 494 to 497 reach the client as
#           400.
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

# error_page refuses 499, and a 304 has no page

all=$(seq 300 599 | grep -Ev '304|499')

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
            error_page              $all @page;
        }
        location @page { return 200 "page"; }
    }
}
EOF
"$dir/usr/sbin/nginx" -v 2>&1
"$dir/usr/sbin/nginx" -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log" & pids="$pids $!"

started "127.0.0.1:$port/200"

wire() {
    curl -s -i "127.0.0.1:$port$1" | tr -d '\r' | awk '
        /^HTTP/ { s = $2 } /^Connection/ { c = $2 } { b = $0 }
        END { print s == "" ? "nothing" : s " " b ", " c }'
}

for c in $all; do
    echo "$c $(wire /$c)" >> "$dir/passed"
    echo "$c $(wire /page/$c)" >> "$dir/page"
done

# the statuses whose answers match

of() { grep -E "$1" "$dir/$2" | cut -d' ' -f1 | tr '\n' ' ' | sed 's/ $//'; }

see "passed on, all statuses, the connection" "$(cut -d' ' -f3- "$dir/passed" | sort -u)" "vendor, keep-alive"
see "error_page, with a page, keep-alive" "$(grep -c 'page, keep-alive$' "$dir/page")" 288
see "error_page, with a page, close" "$(of 'page, close$' page)" "400 413 414 495 496 497 500 501"
see "error_page, nothing" "$(of nothing page)" "408 444"
see "error_page, another status" "$(awk '$2 != "nothing" && $2 != $1' "$dir/page" | cut -d' ' -f1,2 | tr '\n' ';')" \
    "494 400;495 400;496 400;497 400;"

exit $bad
