#!/bin/sh
#
# HAProxy 2.6.12 (Debian 12): a vendor's code read with json_query, with and without 'int'.
#
# Expected: whole numbers below 2^53 as written; 'int' only changes the type.
# Seen:     without 'int' a code keeps six digits: 4250501 becomes 4.2505e+06, as do its neighbours.
#           With 'int', 042505 is read as octal 17733, and 1e3 as 1; from 2^53 on the result is empty.
#           true becomes 1 in both, so it equals the code 1.  A string with an escaped emoji is empty.
#
# A map of codes at HAProxy is right in tests with five digits, and wrong for vendors with seven.

set -eu

. "$(dirname "$0")/lib/haproxy.sh"

cat > "$dir/vendor.pl" <<'EOF'
use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$ARGV[0]", Listen => 9, ReuseAddr => 1) or die;
while (my $c = $s->accept) {    # the path in hex is the value of the code
    sysread $c, my $h, 9999;
    my ($v) = $h =~ m{ /(\w*)};
    my $b = '{"code":' . pack("H*", $v) . '}';
    print $c "HTTP/1.1 200 OK\r\nContent-Length: ", length $b, "\r\nConnection: close\r\n\r\n$b";
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
    http-response wait-for-body time 1s
    http-response set-header X-Text %[res.body,json_query('\$.code')]
    http-response set-header X-Int  %[res.body,json_query('\$.code',"int")]
    server v 127.0.0.1:$up
EOF
"$dir/usr/sbin/haproxy" -v | sed -n 1p
"$dir/usr/sbin/haproxy" -f "$dir/haproxy.cfg" 2> "$dir/haproxy.log" & pids="$pids $!"

started "127.0.0.1:$port/"

code() {
    curl -s -i "127.0.0.1:$port/$(printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n')" | tr -d '\r' |
        awk -F': *' 'tolower($1) == "x-text" { t = $2 } tolower($1) == "x-int" { i = $2 } END { print "[" t "] [" i "]" }'
}

see 'text, int: 42505'            "$(code 42505)"            '[42505] [42505]'
see 'text, int: 4250501'          "$(code 4250501)"          '[4.2505e+06] [4250501]'
see 'text, int: 4250502'          "$(code 4250502)"          '[4.2505e+06] [4250502]'
see 'text, int: 9007199254740993' "$(code 9007199254740993)" '[9.0072e+15] []'
see 'text, int: 042505'           "$(code 042505)"           '[42505] [17733]'
see 'text, int: 1e3'              "$(code 1e3)"              '[1000] [1]'
see 'text, int: true'             "$(code true)"             '[1] [1]'
see 'text, int: "\ud83d\ude00"'   "$(code '"\ud83d\ude00"')"  '[] []'

exit $bad
