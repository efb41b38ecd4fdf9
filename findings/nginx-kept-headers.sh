#!/bin/sh
#
# nginx 1.22.1 (Debian 12): memory of a kept client connection whose requests have more than 1 KB of headers.
#
# Expected: the buffer of "large_client_header_buffers" is freed after each request, and all its memory with it.
# Seen:     some 80 bytes of each stay until the connection ends: 200,000 requests with a token of 1.5 KB, one at a
#           time, take 15 MB; with one of 0.5 KB they take none.
#
# "keepalive_requests" bounds it (1000 by default).  An edge that raises it for callers that keep a connection for days
# grows with each request, as it would if a module leaked.

set -eu

packages="nginx=1.22.1-9+deb12u11"

. "$(dirname "$0")/lib/debian.sh"

cat > "$dir/nginx.conf" <<EOF
daemon off; master_process off; pid $dir/pid; error_log $dir/error.log; events {}
http {
    access_log off; client_body_temp_path $dir/1; proxy_temp_path $dir/2;
    fastcgi_temp_path $dir/3; uwsgi_temp_path $dir/4; scgi_temp_path $dir/5;
    keepalive_requests 10000000;
    server { listen 127.0.0.1:$port; return 200 "ok\n"; }
}
EOF
"$dir/usr/sbin/nginx" -v 2>&1
"$dir/usr/sbin/nginx" -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log" & nginx=$! pids="$pids $!"

started "127.0.0.1:$port/"

cat > "$dir/client.pl" <<'EOF'
use IO::Socket::INET;
my ($port, $pid, $size) = @ARGV;
my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die;
$s->setsockopt(6, 1, 1);
sub requests {
    for (1 .. $_[0]) {
        syswrite $s, "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " . 'k' x $size . "\r\n\r\n";
        my $b = '';
        while ($b !~ /ok\n\z/) { sysread $s, $b, 9999, length $b or die }
    }
}
sub memory { open my $f, '<', "/proc/$pid/status" or die; (join '', <$f>) =~ /^RssAnon:\s+(\d+)/m; $1 }
requests(20000);
my $before = memory();
requests(200000);
my $kb = memory() - $before;
print $kb < 500 ? "none" : $kb > 14000 && $kb < 20000 ? "some 80 bytes" : "$kb KB", "\n";
EOF

see 'kept for each request with 0.5 KB' "$(perl "$dir/client.pl" $port $nginx 500)" none
see 'kept for each request with 1.5 KB' "$(perl "$dir/client.pl" $port $nginx 1500)" 'some 80 bytes'

exit $bad
