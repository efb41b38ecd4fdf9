#!/bin/sh
#
# HAProxy 2.6.12 (Debian 12): "retry-on 503" and POST.
#
# Expected: as in nginx, only idempotent requests are repeated.
# Seen:     a POST of 7 bytes reaches the vendor three times with "retries 2"; a POST of 20000 bytes reaches it once,
#           because it does not fit the buffer.  So the size of the order decides whether it is sent again.
#
# An edge that maps a vendor's errors to 503 after the order was taken makes a HAProxy before it order three times.
# Use "http-request disable-l7-retry if METH_POST", or a status that is not in the list.

set -eu

. "$(dirname "$0")/lib/haproxy.sh"

cat > "$dir/vendor.pl" <<'EOF'
use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$ARGV[0]", Listen => 9, ReuseAddr => 1) or die;
my %n;
while (my $c = $s->accept) {
    my ($h, $b) = ("");
    while ($h !~ /\r\n\r\n/ && sysread $c, $b, 9999) { $h .= $b }
    my ($m, $p, $st) = $h =~ m{^(\S+) (/(\d+)\S*)} or next;
    my ($l) = $h =~ /content-length: (\d+)/i;
    my $got = length((split /\r\n\r\n/, $h, 2)[1]);
    while ($got < ($l || 0) && sysread $c, $b, 9999) { $got += length $b }
    $n{$p}++;
    print $c "HTTP/1.1 $st X\r\nContent-Length: 1\r\nConnection: close\r\n\r\n$n{$p}";
}
EOF
perl "$dir/vendor.pl" $up & pids="$pids $!"

cat > "$dir/haproxy.cfg" <<EOF
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend edge
    bind 127.0.0.1:$port
    default_backend vendor
backend vendor
    retries 2
    retry-on 500 503
    server v 127.0.0.1:$up
EOF
"$dir/usr/sbin/haproxy" -v | sed -n 1p
"$dir/usr/sbin/haproxy" -f "$dir/haproxy.cfg" 2> "$dir/haproxy.log" & pids="$pids $!"

started "127.0.0.1:$port/200"

big=$(head -c 20000 /dev/zero | tr '\0' x)
see 'POST of 7 bytes, 200'      "$(curl -s -d order=1 "127.0.0.1:$port/200/a")" 1
see 'POST of 7 bytes, 503'      "$(curl -s -d order=1 "127.0.0.1:$port/503/a")" 3
see 'POST of 20000 bytes, 503'  "$(curl -s -d "$big" -H Expect: "127.0.0.1:$port/503/b")" 1
see 'POST of 7 bytes, 429'      "$(curl -s -d order=1 "127.0.0.1:$port/429/a")" 1

exit $bad
