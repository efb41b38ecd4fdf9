#!/bin/sh
#
# Varnish 7.1.1 (Debian 12): "set beresp.status = 42505", a vendor's code set as the status.
#
# Expected: the VCL fails, or the client sees five digits.
# Seen:     the client sees "505 HTTP Version Not Supported": only the last three digits are sent.  42429 becomes a
#           429, 40404 a 404.  The full number is still in resp.status, so VCL rules that compare it with 505 do not match.
#
# A mapping by "set the status to the code" seems to work for codes whose last digits happen to fit.
# (Needs a C compiler, as Varnish does.)

set -eu

packages="varnish=7.1.1-2+deb12u1 libvarnishapi3=7.1.1-2+deb12u1"

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

cat > "$dir/edge.vcl" <<EOF
vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "$up"; }
sub vcl_backend_response {
    if (bereq.url ~ "code=429") { set beresp.status = 429; }
    if (bereq.url ~ "code=456") { set beresp.status = 456; }
    if (bereq.url ~ "code=42505") { set beresp.status = 42505; }
    if (bereq.url ~ "code=42429") { set beresp.status = 42429; }
    if (bereq.url ~ "code=40404") { set beresp.status = 40404; }
}
sub vcl_deliver { set resp.http.X-Full = resp.status; }
EOF
"$dir/usr/sbin/varnishd" -V 2>&1 | sed -n 1p
mkdir "$dir/work"
"$dir/usr/sbin/varnishd" -F -n "$dir/work" -a "127.0.0.1:$port" -f "$dir/edge.vcl" -s malloc,10M \
    > "$dir/varnish.log" 2>&1 & pids="$pids $!"

started "127.0.0.1:$port/200"

wire() {
    curl -s -i "127.0.0.1:$port/200?code=$1" | tr -d '\r' | awk '/^HTTP/ { s = $0 } /^X-Full/ { f = $2 } END { print s ", " f }'
}

see 'status = 429'    "$(wire 429)"   'HTTP/1.1 429 Too Many Requests, 429'
see 'status = 456'    "$(wire 456)"   'HTTP/1.1 456 Unknown HTTP Status, 456'
see 'status = 42505'  "$(wire 42505)" 'HTTP/1.1 505 HTTP Version Not Supported, 42505'
see 'status = 42429'  "$(wire 42429)" 'HTTP/1.1 429 Too Many Requests, 42429'
see 'status = 40404'  "$(wire 40404)" 'HTTP/1.1 404 Not Found, 40404'

exit $bad
