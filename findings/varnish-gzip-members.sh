#!/bin/sh
#
# Varnish 7.1.1 (Debian 12): a vendor's body in gzip of two members, which RFC 1952 allows and gzip(1) reads.
#
# Expected: the body passes, since Varnish only stores it, or one member of it.
# Seen:     503 for every client, with do_stream off; with the default, 503, or 200 and a body that breaks off.  Varnish tests
#           each gzip body it stores, and ends the fetch at the second member ("Junk after gzip data").
#           A body of one member passes.
#
# A vendor behind Varnish seems to fail with 503, or with 200 and no code, while curl at the vendor shows a good body.
# (Needs a C compiler, as Varnish does.)

set -eu

packages="varnish=7.1.1-2+deb12u1 libvarnishapi3=7.1.1-2+deb12u1"

. "$(dirname "$0")/lib/debian.sh"

printf '{"code":42505}' | gzip -n > "$dir/one"
(printf '{"code":' | gzip -n; printf '42505}' | gzip -n) > "$dir/two"

cat > "$dir/vendor.pl" <<'EOF'
use IO::Socket::INET;
my ($port, $dir) = @ARGV;
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$port", Listen => 9, ReuseAddr => 1) or die;
while (my $c = $s->accept) {
    sysread $c, my $h, 9999;
    my ($f) = $h =~ m{ /(one|two)} or next;
    open my $fh, '<:raw', "$dir/$f" or die;
    local $/; my $b = <$fh>;
    print $c "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ", length $b, "\r\nConnection: close\r\n\r\n$b";
}
EOF
perl "$dir/vendor.pl" $up "$dir" & pids="$pids $!"

cat > "$dir/edge.vcl" <<EOF
vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "$up"; }
sub vcl_backend_response { set beresp.do_stream = false; }
EOF
"$dir/usr/sbin/varnishd" -V 2>&1 | sed -n 1p
mkdir "$dir/work"
"$dir/usr/sbin/varnishd" -F -n "$dir/work" -a "127.0.0.1:$port" -f "$dir/edge.vcl" -s malloc,10M \
    > "$dir/varnish.log" 2>&1 & pids="$pids $!"

started "127.0.0.1:$port/one"

body() { curl -s -w ' %{http_code}' --compressed "127.0.0.1:$1" | grep -a -o -e '{"code":42505}' -e ' [0-9]*$' | tr -d '\n'; }

see 'gzip(1), two members'          "$(gzip -dc < "$dir/two")"    '{"code":42505}'
see 'through Varnish, one member'   "$(body "$port/one")"         '{"code":42505} 200'
see 'through Varnish, two members'  "$(body "$port/two")"         ' 503'
see '... client without gzip'       "$(curl -s -o /dev/null -w '%{http_code}' "127.0.0.1:$port/two?x")" '503'
see 'Varnish says' "$("$dir/usr/bin/varnishlog" -n "$dir/work" -d -g raw -i FetchError | sed 's/.*FetchError *[a-z] *//' | sort -u | head -n 1)" \
    'Junk after gzip data'

exit $bad
