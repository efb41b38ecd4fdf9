#!/bin/sh
#
# HAProxy 2.6.12 (Debian 12): what counts and caches a status that "http-response set-status" has set.
#
# Expected: a stick table of the frontend counts the errors that its client gets, as the frontend's statistics and the
#           log do, and the cache keeps no errors: it is for 200.
# Seen:     http_err_cnt and http_fail_cnt count the vendor's status, as the server's line of the statistics does; the
#           backend's line has the client's.  The cache stores an answer of 200 that is set to 503, as a 503, if
#           "cache-store" stands before "set-status", and a 503 that is set to 200 in neither order.
#
# A failure in a 200 that HAProxy maps does not count for a limit on errors, and one 200 may become a minute of 503.
# HAProxy in front of an edge that maps sees the mapped status everywhere.

set -eu

. "$(dirname "$0")/lib/haproxy.sh"

cat > "$dir/vendor.pl" <<'EOF'
use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$ARGV[0]", Listen => 9, ReuseAddr => 1) or die;
while (my $c = $s->accept) {
    my ($h, $b) = ("");
    while ($h !~ /\r\n\r\n/ && sysread $c, $b, 9999) { $h .= $b }
    my ($st) = $h =~ m{^\S+ /(\d+)} or next;
    print $c "HTTP/1.1 $st X\r\nContent-Length: 1\r\nCache-Control: max-age=60\r\nConnection: close\r\n\r\n0";
}
EOF
perl "$dir/vendor.pl" $up & pids="$pids $!"

cat > "$dir/haproxy.cfg" <<EOF
global
    stats socket $dir/stats mode 600
    log stdout format raw local0
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
cache answers
    total-max-size 4
    max-age 60
frontend edge
    bind 127.0.0.1:$port
    log global
    log-format %HP=%ST
    http-request set-var(txn.path) path
    stick-table type string size 1k expire 1m store http_err_cnt,http_fail_cnt
    http-request track-sc0 path
    use_backend stored if { path_end /stored }
    use_backend stored_last if { path_end /last }
    use_backend kept if { path_end /kept }
    use_backend kept_last if { path_end /kept_last }
    default_backend vendor
backend vendor
    http-response set-status 429 if { var(txn.path) -m end /to429 }
    http-response set-status 200 if { var(txn.path) -m end /to200 }
    server v 127.0.0.1:$up
backend stored
    http-request cache-use answers
    http-response cache-store answers
    http-response set-status 503 if { status 200 }
    server v 127.0.0.1:$up
backend stored_last
    http-request cache-use answers
    http-response set-status 503 if { status 200 }
    http-response cache-store answers
    server v 127.0.0.1:$up
backend kept
    http-request cache-use answers
    http-response cache-store answers
    http-response set-status 200 if { status 503 }
    server v 127.0.0.1:$up
backend kept_last
    http-request cache-use answers
    http-response set-status 200 if { status 503 }
    http-response cache-store answers
    server v 127.0.0.1:$up
EOF
"$dir/usr/sbin/haproxy" -v | sed -n 1p
"$dir/usr/sbin/haproxy" -f "$dir/haproxy.cfg" > "$dir/haproxy.log" 2>&1 & pids="$pids $!"

started "127.0.0.1:$port/302"

ask() {    # path: the client's status, and whether it came from the cache
    curl -s -o /dev/null -D "$dir/head" -w '%{http_code}' "127.0.0.1:$port$1"
    ! grep -qi '^age:' "$dir/head" || printf ', from the cache'
}

tell() {    # command of the statistics' socket
    perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => shift) or die;
        print $s "@ARGV\n"; print while <$s>' "$dir/stats" "$@"
}

see '200, set to 429'  "$(ask /200/to429)" 429
see '402, set to 200'  "$(ask /402/to200)" 200
see '502, set to 200'  "$(ask /502/to200)" 200
line() {    # name: its counts in the statistics
    tell show stat | awk -F, -v name="$1" '$1 "/" $2 == name { print "2xx=" $41, "4xx=" $43, "5xx=" $44 }'
}
see 'statistics, frontend'  "$(line edge/FRONTEND)" '2xx=2 4xx=1 5xx=0'
see '... backend'           "$(line vendor/BACKEND)" '2xx=2 4xx=1 5xx=0'
see '... server'            "$(line vendor/v)" '2xx=1 4xx=1 5xx=1'
count() {    # path: its counts in the stick table
    tell show table edge | sed -n "s|.*key=$1 .*\(http_err_cnt\)|\1|p"
}
see 'stick table, 200, set to 429'  "$(count /200/to429)" 'http_err_cnt=0 http_fail_cnt=0'
see '... 402, set to 200'           "$(count /402/to200)" 'http_err_cnt=1 http_fail_cnt=0'
see '... 502, set to 200'           "$(count /502/to200)" 'http_err_cnt=0 http_fail_cnt=1'
sleep 0.2
see 'log' "$(grep -o '/[0-9]*/to.*' "$dir/haproxy.log" | tr '\n' ' ')" '/200/to429=429 /402/to200=200 /502/to200=200 '
see '200, stored, then set to 503' "$(ask /200/stored)" 503
see '... again'                    "$(ask /200/stored)" '503, from the cache'
see '200, set to 503, then stored' "$(ask /200/last)" 503
see '... again'                    "$(ask /200/last)" 503
for path in /503/kept /503/kept_last; do
    see "503, set to 200, $path"   "$(ask $path)" 200
    see '... again'                "$(ask $path)" 200
done

exit $bad
