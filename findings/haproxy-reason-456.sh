#!/bin/sh
#
# HAProxy 2.6.12 (Debian 12): http-response set-status 456.
#
# Expected: "HTTP/1.1 456" with no reason, "Unknown", or the vendor's own reason.
# Seen:     HAProxy writes "456 Unrecoverable Error".  455 beside it is "Client Error", 529 and 599 are "Server Error".
#
# 456 stands for quota or retryable errors at many edges: people and clients that show the reason read the contrary.
# Give the reason: set-status 456 reason "Quota".

set -eu

. "$(dirname "$0")/lib/haproxy.sh"

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
    http-request set-var(txn.path) path
    http-response set-status 456 if { var(txn.path) -m end /456 }
    http-response set-status 429 if { var(txn.path) -m end /429 }
    http-response set-status 455 if { var(txn.path) -m end /455 }
    http-response set-status 529 if { var(txn.path) -m end /529 }
    http-response set-status 599 if { var(txn.path) -m end /599 }
    http-response set-status 456 reason Quota if { var(txn.path) -m end /quota }
    server v 127.0.0.1:$up
EOF
"$dir/usr/sbin/haproxy" -v | sed -n 1p
"$dir/usr/sbin/haproxy" -f "$dir/haproxy.cfg" 2> "$dir/haproxy.log" & pids="$pids $!"

started "127.0.0.1:$port/200"

wire() { curl -s -i "127.0.0.1:$port/200$1" | tr -d '\r' | sed -n '1s/ *$//p'; }

see 'no set-status'   "$(wire /)"      'HTTP/1.1 200 Vendor'
see 'set-status 456'  "$(wire /456)"   'HTTP/1.1 456 Unrecoverable Error'
see 'set-status 429'  "$(wire /429)"   'HTTP/1.1 429 Too Many Requests'
see 'set-status 455'  "$(wire /455)"   'HTTP/1.1 455 Client Error'
see 'set-status 529'  "$(wire /529)"   'HTTP/1.1 529 Server Error'
see 'set-status 599'  "$(wire /599)"   'HTTP/1.1 599 Server Error'
see '... reason Quota' "$(wire /quota)" 'HTTP/1.1 456 Quota'

exit $bad
