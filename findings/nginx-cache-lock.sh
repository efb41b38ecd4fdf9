#!/bin/sh
#
# nginx 1.22.1 (Debian 12): "proxy_cache_lock on" and answers that are not stored.
#
# Expected: the requests that wait go to the vendor as soon as its answer is known to be an error, or get that answer.
# Seen:     they go one by one, one in half a second, for up to five seconds: twelve requests to a vendor that needs
#           50 ms take five seconds.  With "proxy_cache_valid 503 1s" they take half a second, and the vendor gets one.
#           A good answer also costs those that wait half a second.
#
# A failure in a 200 is stored, and has no such cost; mapped to a status that is not stored, it has.  Store errors for a
# second, or leave the lock out.

set -eu

packages="nginx=1.22.1-9+deb12u11"

. "$(dirname "$0")/lib/debian.sh"

cat > "$dir/vendor.pl" <<'EOF'
use IO::Socket::INET;
$SIG{CHLD} = "IGNORE";
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$ARGV[0]", Listen => 99, ReuseAddr => 1) or die;
while (my $c = $s->accept) {
    next if fork;
    sysread $c, my $h, 9999;
    my ($st) = $h =~ m{^\S+ /(\d+)} or exit;
    open my $log, ">>", $ARGV[1];
    syswrite $log, "$st\n";
    select undef, undef, undef, 0.05;
    print $c "HTTP/1.1 $st X\r\nContent-Length: 1\r\nConnection: close\r\n\r\n0";
    exit;
}
EOF
perl "$dir/vendor.pl" $up "$dir/asked" & pids="$pids $!"

cat > "$dir/nginx.conf" <<EOF
daemon off; master_process off; pid $dir/pid; error_log $dir/error.log; events {}
http {
    access_log off; client_body_temp_path $dir/1; proxy_temp_path $dir/2;
    fastcgi_temp_path $dir/3; uwsgi_temp_path $dir/4; scgi_temp_path $dir/5;
    proxy_cache_path $dir/cache keys_zone=answers:1m;
    server {
        listen 127.0.0.1:$port;
        proxy_cache        answers;
        proxy_cache_lock   on;
        proxy_cache_key    \$request_uri;
        location / {
            proxy_pass         http://127.0.0.1:$up;
            proxy_cache_valid  200 1m;
        }
        location /503/short {
            proxy_pass         http://127.0.0.1:$up;
            proxy_cache_valid  200 1m;
            proxy_cache_valid  503 1s;
        }
        location /503/free {
            proxy_pass         http://127.0.0.1:$up;
            proxy_cache_valid  200 1m;
            proxy_cache_lock   off;
        }
    }
}
EOF
"$dir/usr/sbin/nginx" -v 2>&1
"$dir/usr/sbin/nginx" -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log" & pids="$pids $!"

started "127.0.0.1:$port/302"
started "127.0.0.1:$up/302"

ask() {    # path: how long the last one of twelve requests at once takes, and how many reach the vendor
    i=0; clients=; : > "$dir/asked"
    while [ $i -lt 12 ]; do
        curl -s -o /dev/null -w '%{time_total}\n' "127.0.0.1:$port$1" > "$dir/time.$i" & clients="$clients $!"
        i=$((i + 1))
    done
    wait $clients
    cat "$dir"/time.* | sort -n | awk 'END {
        printf "%s ", $1 < 0.4 ? "less than 0.4" : $1 < 2 ? "0.4 to 2" : $1 < 4.5 ? $1 : "over 4.5" }'
    echo "seconds, $(grep -c . "$dir/asked") asked"
}

see 'twelve at once, 200'                 "$(ask /200/a)" '0.4 to 2 seconds, 1 asked'
see '... 503'                             "$(ask /503/a)" 'over 4.5 seconds, 12 asked'
see '... 503, which is stored for 1 s'    "$(ask /503/short)" '0.4 to 2 seconds, 1 asked'
see '... 503, without the lock'           "$(ask /503/free)" 'less than 0.4 seconds, 12 asked'

exit $bad
