#!/bin/sh
#
# curl 7.88.1 (Debian 12): --retry, and a body that is not written to a file of curl's own.
#
# Expected: the output is the body of the last answer.
# Seen:     it is with -o.  In a pipe or after ">" it is all bodies one after another, those of the errors first, and
#           the exit status is 0.  "--fail-with-body" is no better, "--fail" leaves only the last.  402, 456, 520 and
#           529 are asked once, a POST is repeated like a GET, and "Retry-After: 0" is not "at once": curl's own pause
#           counts.
#
# "curl --retry 3 ... | jq -r .id" prints "null" first, once an edge maps a failure to 429 or 503: use -o or --fail.

set -eu

packages="curl=7.88.1-10+deb12u15 libcurl4=7.88.1-10+deb12u15"

. "$(dirname "$0")/lib/debian.sh"

curl=$dir/usr/bin/curl

cat > "$dir/vendor.pl" <<'EOF'
use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$ARGV[0]", Listen => 9, ReuseAddr => 1) or die;
my %n;
while (my $c = $s->accept) {    # "/503/x" is twice 503, then 200
    my ($h, $b) = ("");
    while ($h !~ /\r\n\r\n/ && sysread $c, $b, 9999) { $h .= $b }
    my ($m, $p, $st) = $h =~ m{^(\S+) (/(\d+)\S*)} or next;
    $st = 200 if ++$n{$p} > 2;
    my $a = $p =~ /zero/ ? "Retry-After: 0\r\n" : "";
    $b = "$m:$st ";
    print $c "HTTP/1.1 $st X\r\n${a}Content-Length: " . length($b) . "\r\nConnection: close\r\n\r\n$b";
}
EOF
perl "$dir/vendor.pl" $up & pids="$pids $!"

started "127.0.0.1:$up/200"

ask() {    # path, options: what is in the pipe
    path=$1; shift
    { "$curl" -q -s --retry 3 "$@" "127.0.0.1:$up$path" || printf 'exit %d' $?; } | cat
}

"$curl" --version | sed -n 1p | cut -d ' ' -f 1-2
"$curl" -q -s --retry 3 --retry-delay 1 -o "$dir/out" "127.0.0.1:$up/503/o"
see 'to -o, 503'                "$(cat "$dir/out")" 'GET:200 '
"$curl" -q -s --retry 3 --retry-delay 1 "127.0.0.1:$up/503/r" > "$dir/out"
see 'after ">", 503'            "$(cat "$dir/out")" 'GET:503 GET:503 GET:200 '
see 'in a pipe, 503'            "$(ask /503/p --retry-delay 1)" 'GET:503 GET:503 GET:200 '
see '... 429'                   "$(ask /429/p --retry-delay 1)" 'GET:429 GET:429 GET:200 '
see '... 503, --fail-with-body' "$(ask /503/b --retry-delay 1 --fail-with-body)" 'GET:503 GET:503 GET:200 '
see '... 503, --fail'           "$(ask /503/f --retry-delay 1 --fail)" 'GET:200 '
see '... 503, a POST'           "$(ask /503/d --retry-delay 1 -d order=1)" 'POST:503 POST:503 POST:200 '
for status in 402 456 520 529; do
    see "... $status"           "$(ask /$status/p)" "GET:$status "
done
start=$(date +%s)
see '... 503, Retry-After: 0'   "$(ask /503/zero)" 'GET:503 GET:503 GET:200 '
see '... took three seconds'    "$([ $(($(date +%s) - start)) -ge 2 ] && echo yes)" yes

exit $bad
