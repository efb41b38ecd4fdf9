#!/bin/sh
#
# nginx 1.22.1 with njs 0.7.9 (Debian 12): r.status = 456 in js_header_filter.
#
# Expected: the client sees 456.
# Seen:     over HTTP/1.1 the client still sees "200 OK", the vendor's status line; over HTTP/2 the same location
#           answers 456.  The access log has 456 for both.
#
# An edge that maps errors so passes its tests over HTTP/2 and by its log, and fails for HTTP/1.1 clients.

set -eu

packages="nginx=1.22.1-9+deb12u11 libnginx-mod-http-js=0.7.9-2"

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

echo 'export default { map: function (r) { r.status = 456; } };' > "$dir/map.js"

cat > "$dir/nginx.conf" <<EOF
load_module $dir/usr/lib/nginx/modules/ngx_http_js_module.so;
daemon off; master_process off; pid $dir/pid; error_log $dir/error.log; events {}
http {
    access_log $dir/access.log; client_body_temp_path $dir/1; proxy_temp_path $dir/2;
    fastcgi_temp_path $dir/3; uwsgi_temp_path $dir/4; scgi_temp_path $dir/5;
    js_path $dir; js_import map.js;
    server {
        listen 127.0.0.1:$port;
        listen 127.0.0.1:$((port + 2)) http2;
        location / { proxy_pass http://127.0.0.1:$up; js_header_filter map.map; }
    }
}
EOF
"$dir/usr/sbin/nginx" -v 2>&1
"$dir/usr/sbin/nginx" -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log" & pids="$pids $!"

started "127.0.0.1:$port/200"

: > "$dir/access.log"
see 'HTTP/1.1' "$(curl -s -i "127.0.0.1:$port/200" | tr -d '\r' | sed -n 1p)" 'HTTP/1.1 200 Vendor'
see 'HTTP/2' "$(curl -s -i --http2-prior-knowledge "127.0.0.1:$((port + 2))/200" | tr -d '\r' | sed -n '1s/ $//p')" 'HTTP/2 456'
see 'logged' "$(awk '{ printf "%s ", $9 }' "$dir/access.log")" '456 456 '

exit $bad
