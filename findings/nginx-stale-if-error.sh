#!/bin/sh
#
# nginx 1.22.1 (Debian 12): a vendor's "Cache-Control: stale-if-error=60" and errors of the next request.
#
# Expected: RFC 5861 names the statuses 500, 502, 503 and 504, so the good copy is served in place of them.
# Seen:     nginx serves the copy only when the vendor closes without an answer.  A complete 500, 502, 503, 504 or 429
#           goes to the client, although the copy is there.  proxy_cache_use_stale http_500 ... is needed for these.
#
# An edge that gives errors their right status does not gain the stale copy by the vendor's header.

set -eu

packages="nginx=1.22.1-9+deb12u11"

. "$(dirname "$0")/lib/debian.sh"

cat > "$dir/vendor.pl" <<'EOF'
use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$ARGV[0]", Listen => 9, ReuseAddr => 1) or die;
my %n;
while (my $c = $s->accept) {    # the first answer to a path is good, the next is the status in the path
    sysread $c, my $h, 9999;
    my ($st) = $h =~ m{^\S+ /(\d+)} or next;
    if ($n{$st}++ == 0) {
        print $c "HTTP/1.1 200 OK\r\nCache-Control: max-age=1, stale-if-error=60\r\n",
                 "Content-Length: 4\r\nConnection: close\r\n\r\ngood";
    } elsif ($st != 0) {
        print $c "HTTP/1.1 $st X\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbad";
    }
}
EOF
perl "$dir/vendor.pl" $up & pids="$pids $!"

cat > "$dir/nginx.conf" <<EOF
daemon off; master_process off; pid $dir/pid; error_log $dir/error.log; events {}
http {
    access_log $dir/access.log; client_body_temp_path $dir/1; proxy_temp_path $dir/2;
    fastcgi_temp_path $dir/3; uwsgi_temp_path $dir/4; scgi_temp_path $dir/5;
    proxy_cache_path $dir/cache keys_zone=z:1m;
    server {
        listen 127.0.0.1:$port;
        add_header X-Cache \$upstream_cache_status always;
        location / { proxy_pass http://127.0.0.1:$up; proxy_cache z; }
        location = /ready { return 200; }
    }
}
EOF
"$dir/usr/sbin/nginx" -v 2>&1
"$dir/usr/sbin/nginx" -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log" & pids="$pids $!"

started "127.0.0.1:$port/ready"

wire() { curl -s -i "127.0.0.1:$port$1" | tr -d '\r' | awk '/^HTTP/ { s = $2 } /^X-C/ { c = $2 } END { print s, c, $0 }'; }

for c in 000 429 500 502 503 504; do see "first answer, $c" "$(wire /$c)" '200 MISS good'; done
sleep 3
see 'then the vendor closes' "$(wire /000)" '200 STALE good'
for c in 429 500 502 503 504; do see "then the vendor sends $c" "$(wire /$c)" "$c EXPIRED bad"; done

exit $bad
