# A vendor's body that is made to cost: the time a worker takes grows with its
# length only, and the memory is that of the held bytes.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream;
use Test::More;

my $small = 1 << 20;
my $large = 10 * $small;

my $rows = '1 - ABORTED "one"; success 0;';

# name, lines, the body: its head, a part that is repeated, its tail; status,
# verdict and code, and the length of the field

my @cases = (
    ['candidates', 'source json $.l[*].c;', '{"l":[{"c":0}',
     ',{"c":"x"},{"c":0}', ',{"c":1}]}', '409 mapped 1', 0],
    ['members', 'source json $.*.c $.*;', '{"a":0', ',"b":{"d":"x"},"c":{}',
     '}', '200 success 0', 0],
    ['any of any', 'source json $.*.*.*.*.*.*.*.c $.*.*.*.*.c;',
     '{"a":[0', ',[[[{"d":[[{"x":1}]]}]]]', ',{"c":1}]}', '200 none ', 0],
    ['a filter after the code',
     'source json $.l[?@.s==\'e\'][?@.t==1].c $.l[?@.s!=\'w\'].*.d;',
     '{"l":[0', ',{"k":{"c":1,"d":2,"t":1},"s":"w"}',
     ',{"k":{"d":1},"s":"x"}]}', '409 mapped 1', 0],
    ['one filter for all codes', 'source json $[?@.s==\'e\'].*.*;', '[{"a":[0',
     ',"x",1,"y"', '],"s":"e"}]', '409 mapped 1', 0],
    ['sixty paths', 'source json ' . join(' ', map { "\$.l[?\@.s==$_].*.c" }
                                               1 .. 30)
     . '; success json $.l[*].*.* 2;', '{"l":[0', ',{"a":{"c":1},"s":31}', ']}',
     '200 none ', 0],
    ['depth', 'source json $.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*;', '{"a":0',
     ',"d":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[', '', '200 none ', 0],
    ['a long field', 'source json /c; field m json /m;', '{"c":1,"m":"',
     'xyz ', '"}', '409 mapped 1', 1024],
    ['a long field before the code', 'source json /c; field m json /m;',
     '{"m":"', 'xyz\\u00e4 ', '","c":1}', '409 mapped 1', 1024],
    ['fields', 'source json /c; field m json $.l[*].m;', '{"c":1,"l":[0',
     ',{"m":""},{"m":{}}', ']}', '409 mapped 1', 0],
    ['a field that is absent', 'source json /c; field m json $.*.*.*.m /m;',
     '{"c":1', ',"x":[[{"x":"yyyyyyyyyyyyyyyyyyyy"}]]', '}', '409 mapped 1', 0],
    ['a field by pattern', 'source json /c; field m regex "<m>([^<]+)</m>";',
     '{"c":1,"x":"', '<m><m>', '"}', '409 mapped 1', 0],
    ['patterns', 'source json $.l[*] pattern=^y(1);', '{"l":[0',
     ',"x1","xyz1"', ',"y1"]}', '409 mapped 1', 0],
    ['costly patterns', 'source json $.l[*] pattern=^(x+)+$;', '{"l":["y"',
     ',"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxy"', ']}', '200 undecided ', 0],
    ['texts', 'source json /c;', '', '{"x":"' . 'y' x 200 . '"} ',
     '{"c":1}', '409 mapped 1', 0],
    ['blanks', 'source json /c /d;', '', "  \r\n\t", '{"c":1}', '409 mapped 1',
     0],
    ['escapes', 'source json /c; charset gbk; field m json /m;', '{"m":"',
     "\x81\x5c", '","c":1}', '409 mapped 1', 1024],
);

sub body {
    my ($case, $size) = @_;
    my (undef, undef, $head, $part, $tail) = @$case;

    return $head . $part x (($size - length "$head$tail") / length $part)
           . $tail;
}

my $vendor = vendor(sub {
    my ($s, $request) = @_;
    my %arg = query($request);
    my ($head, $raw) = frame('length', body($cases[$arg{n}], $arg{size}));

    return put($s, $head . $raw);
});

my $port = free_port();
my ($documents, $locations) = ('', '');

for my $n (0 .. $#cases) {
    $documents .= "error_map_document d$n { $cases[$n][1] $rows }\n";
    $locations .= "location /$n { error_map d$n; "
                  . "proxy_pass http://127.0.0.1:$vendor; }\n";
}

limit_quarantine();

# no client waits: the verdict does

my $server = start(port => $port, http => <<"END");
    error_map_hold_size 16m;
    error_map_hold_timeout 60s;
    error_map_events 65535;
    proxy_max_temp_file_size 0;

    $documents

    server {
        listen 127.0.0.1:$port;

        add_header X-V "\$error_map_verdict \$error_map_code" always;
        add_header X-M \$error_map_field_m always;
        $locations
    }
END

my $pid = worker($server);

sub ask {
    my ($n, $size) = @_;
    my $before = cpu_time($pid);
    my $r = get($port, "/$n?n=$n&size=$size", timeout => 100);

    return ($r, cpu_time($pid) - $before);
}

for my $n (0 .. $#cases) {
    my ($name, undef, undef, undef, undef, $wanted, $field) = @{ $cases[$n] };

    my ($r, $short) = ask($n, $small);
    ($r, my $long) = ask($n, $large);

    is(summary($r, body($cases[$n], $large)),
       $wanted =~ s/^(\d+) (.*)/$1, $2, whole/r, "$name: verdict");
    cmp_ok(length($r->{headers}{'x-m'}[0] // ''), '>=', $field - 3,
           '... and field') if $field;
    cmp_ok(length($r->{headers}{'x-m'}[0] // ''), '<=', 1024,
           '... of at most 1,024 bytes');

    # a tick is 10 ms

    cmp_ok($long, '<', 20 * $short + 0.3,
           sprintf '%s: %.2f s for 1 MB, %.2f s for 10 MB', $name, $short,
                   $long);
}

# twice what is held: a text and its copy in pieces of 4 KB, with what malloc()
# keeps

my $peak = memory($pid, 'VmHWM') / 1024;

cmp_ok($peak, '<', 16 + 2.5 * $large / (1 << 20),
       sprintf 'at most %.0f MB for 10 MB', $peak)
    if ($ENV{CC} || '') !~ /sanitize/;

stop($server);

done_testing();
