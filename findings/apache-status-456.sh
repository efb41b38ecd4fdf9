#!/bin/sh
#
# Apache httpd 2.4.71 (Debian 12): 456, from a rule and from ProxyErrorOverride.
#
# Expected: 456 on the wire, or an error at start.
# Seen:     "Redirect 456 /a" is accepted, the client sees "500 Internal Server Error", and the access log has 456 (%s and
#           %>s).  RewriteRule [R=456] and ErrorDocument 456 are refused at start.  With ProxyErrorOverride, a
#           vendor's 456 keeps its number, but even 402 and 429 say "Unknown Reason", and the page of 402 and 456
#           says "internal error or misconfiguration".
#
# Behind or before an edge with such codes, Apache's log is no proof of the status that the client got.

set -eu

packages="apache2-bin=2.4.71-1~deb12u1 libapr1=1.7.2-3+deb12u1
          libaprutil1=1.6.3-1+deb12u1"

. "$(dirname "$0")/lib/debian.sh"

cat > "$dir/vendor.pl" <<'EOF'
use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$ARGV[0]", Listen => 9, ReuseAddr => 1) or die;
while (my $c = $s->accept) {
    sysread $c, my $h, 9999;
    my ($st) = $h =~ m{^\S+ /(\d+)};
    print $c "HTTP/1.1 $st\r\nContent-Length: 7\r\nConnection: close\r\n\r\nvendor\n";
}
EOF
perl "$dir/vendor.pl" $up & pids="$pids $!"

{
    printf 'ServerRoot %s\nPidFile %s/pid\nServerName edge\nListen 127.0.0.1:%s\nErrorLog %s/error.log\n' \
        "$dir" "$dir" "$port" "$dir"
    for m in mpm_event authz_core alias rewrite proxy proxy_http; do
        echo "LoadModule ${m}_module $dir/usr/lib/apache2/modules/mod_$m.so"
    done
    cat <<EOF
LogFormat "%U %s %>s" l
CustomLog $dir/access.log l
Redirect 456 /456
Redirect 429 /429
<Location /vendor/>
    ProxyErrorOverride On
    ProxyPass http://127.0.0.1:$up/
</Location>
EOF
} > "$dir/httpd.conf"
"$dir/usr/sbin/apache2" -v | sed -n 1p
refused() { { cat "$dir/httpd.conf"; echo "$1"; } > "$dir/t.conf"; "$dir/usr/sbin/apache2" -t -f "$dir/t.conf" 2>&1 | sed -n 2p; }
"$dir/usr/sbin/apache2" -f "$dir/httpd.conf" -DFOREGROUND & pids="$pids $!"

started "127.0.0.1:$port/"

line() { curl -s -i "127.0.0.1:$port$1" | tr -d '\r' | awk 'NR == 1 { s = $0 } /misconfig/ { m = ", \"misconfiguration\"" } END { print s m }'; }

see 'Redirect 429'      "$(line /429)"        'HTTP/1.1 429 Too Many Requests'
see 'Redirect 456'      "$(line /456)"        'HTTP/1.1 500 Internal Server Error, "misconfiguration"'
see '... logged'        "$(grep ^/456 "$dir/access.log")" '/456 456 456'
see 'RewriteRule'       "$(refused 'RewriteRule ^/x - [R=456]')" "RewriteRule: invalid HTTP response code '456' for flag 'R'"
see 'ErrorDocument'     "$(refused 'ErrorDocument 456 x')" 'Unsupported HTTP response code 456'
see 'override, 402'     "$(line /vendor/402)" 'HTTP/1.1 402 Unknown Reason, "misconfiguration"'
see 'override, 429'     "$(line /vendor/429)" 'HTTP/1.1 429 Unknown Reason'
see 'override, 456'     "$(line /vendor/456)" 'HTTP/1.1 456 Unknown Reason, "misconfiguration"'

exit $bad
