#!/bin/sh
#
# nginx 1.22.1 (Debian 12): proxy_next_upstream, and a kept connection that its server closes without an answer.
#
# Expected: the last server's 429 goes to the client, as there is no server left, whatever happened to the first one.
# Seen:     it does if the first server's connection was a new one.  If it was a kept one, the client gets 502: nginx
#           adds a try for the kept connection, drops the 429 to ask one server more, and has none.  A status that
#           proxy_next_upstream does not name, here 403, goes to the client.
#
# nginx keeps connections by default since 1.29.7, so this needs no "keepalive" there.

set -eu

packages="nginx=1.22.1-9+deb12u11"

. "$(dirname "$0")/lib/debian.sh"

cat > "$dir/vendor.pl" <<'EOF'
use IO::Socket::INET; use IO::Select;
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$ARGV[0]", Listen => 9, ReuseAddr => 1) or die;
my $sel = IO::Select->new($s);
while (1) {    # "/close" closes without an answer
    for my $c ($sel->can_read) {
        if ($c == $s) { $sel->add($s->accept); next }
        my $h = "";
        if (!sysread($c, $h, 9999) || $h =~ m{ /close}) { $sel->remove($c); close $c; next }
        syswrite $c, "HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n";
    }
}
EOF
perl "$dir/vendor.pl" $up & pids="$pids $!"

cat > "$dir/nginx.conf" <<EOF
daemon off; master_process off; pid $dir/pid; error_log $dir/error.log; events {}
http {
    access_log off; client_body_temp_path $dir/1; proxy_temp_path $dir/2;
    fastcgi_temp_path $dir/3; uwsgi_temp_path $dir/4; scgi_temp_path $dir/5;
    upstream accounts {
        server     127.0.0.1:$up max_fails=0;
        server     127.0.0.1:$((port + 2)) max_fails=0 backup;
        keepalive  4;
    }
    server {
        listen 127.0.0.1:$((port + 2));
        location /close/429 { return 429; }
        location /close/403 { return 403; }
        location / { return 204; }
    }
    server {
        listen 127.0.0.1:$port;
        location / {
            proxy_pass           http://accounts;
            proxy_http_version   1.1;
            proxy_set_header     Connection "";
            proxy_next_upstream  error http_429;
            add_header           X-Tried \$upstream_status always;
        }
    }
}
EOF
"$dir/usr/sbin/nginx" -v 2>&1
"$dir/usr/sbin/nginx" -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log" & pids="$pids $!"

for p in "$((port + 2))" $up; do
    started "127.0.0.1:$p/"
done

ask() {    # path: the status, and those of the servers
    curl -s -o "$dir/out" -D "$dir/head" -w '%{http_code}' "127.0.0.1:$port$1"
    sed -n 's/\r$//; s/^X-Tried: / of /p' "$dir/head" | tr -d '\n'
}

see '429, the first connection was new' "$(ask /close/429)" '429 of 502, 429'
see 'a 200 keeps a connection' "$(ask /)" '200 of 200'
see '429, the first connection was kept' "$(ask /close/429)" '502 of 502, 429, 502'
see 'a 200 keeps a connection' "$(ask /)" '200 of 200'
see '403, the first connection was kept' "$(ask /close/403)" '403 of 502, 403'

exit $bad
