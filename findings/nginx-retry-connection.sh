#!/bin/sh
#
# nginx 1.22.1 (Debian 12): proxy_next_upstream and the kept connection of the server that refused.
#
# Expected: a complete response without a body leaves its connection in the "keepalive" cache, whatever its status.
# Seen:     after 403 and 404 it does.  After 429, 500 and 503 nginx closes it: five requests open five connections.
#           With one byte of body, 404 closes too.
#
# An edge that retries quota errors on a second account pays one handshake with the first for each of them.

set -eu

packages="nginx=1.22.1-9+deb12u11"

. "$(dirname "$0")/lib/debian.sh"

cat > "$dir/vendor.pl" <<'EOF'
use IO::Socket::INET; use IO::Select;
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$ARGV[0]", Listen => 9, ReuseAddr => 1) or die;
my ($sel, $n) = (IO::Select->new($s), 0);
while (1) {    # "GET /opened" tells how many connections came
    for my $c ($sel->can_read) {
        if ($c == $s) { $sel->add($s->accept); $n++; next }
        if (!sysread $c, my $h, 9999) { $sel->remove($c); close $c; next }
        elsif ($h =~ /opened/) { my $b = $n - 1; $n = 0; syswrite $c, "HTTP/1.1 200 X\r\nContent-Length: 1\r\n\r\n$b" }
        elsif ($h =~ m{ /(\d+)(/body)?}) {
            syswrite $c, "HTTP/1.1 $1 X\r\nContent-Length: " . ($2 ? "1\r\n\r\nx" : "0\r\n\r\n");
        }
    }
}
EOF
perl "$dir/vendor.pl" $up & pids="$pids $!"

cat > "$dir/nginx.conf" <<EOF
daemon off; master_process off; pid $dir/pid; error_log $dir/error.log; events {}
http {
    access_log $dir/access.log; client_body_temp_path $dir/1; proxy_temp_path $dir/2;
    fastcgi_temp_path $dir/3; uwsgi_temp_path $dir/4; scgi_temp_path $dir/5;
    upstream accounts { server 127.0.0.1:$up max_fails=0; server 127.0.0.1:$((port + 2)) backup; keepalive 4; }
    server { listen 127.0.0.1:$((port + 2)); return 200 "second\n"; }
    server {
        listen 127.0.0.1:$port;
        location / {
            proxy_pass           http://accounts;
            proxy_http_version   1.1;
            proxy_set_header     Connection "";
            proxy_next_upstream  http_403 http_404 http_429 http_500 http_503;
        }
    }
}
EOF
"$dir/usr/sbin/nginx" -v 2>&1
"$dir/usr/sbin/nginx" -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log" & pids="$pids $!"

started "127.0.0.1:$((port + 2))/"
started "127.0.0.1:$up/opened"

five() {
    curl -s -o /dev/null "127.0.0.1:$up/opened"
    for i in 1 2 3 4 5; do [ "$(curl -s "127.0.0.1:$port$1")" = second ]; done
    curl -s "127.0.0.1:$up/opened"
}

see 'connections of five 200' "$(curl -s -o /dev/null "127.0.0.1:$up/opened"; \
    for i in 1 2 3 4 5; do curl -s "127.0.0.1:$port/200"; done; curl -s "127.0.0.1:$up/opened")" 1
# the connection that five 200 left is used first
for c in 403 404; do see "connections of five $c" "$(five /$c)" 0; done
see "connections of five 404 with a body" "$(five /404/body)" 4
for c in 429 500 503; do see "connections of five $c" "$(five /$c)" 5; done

exit $bad
