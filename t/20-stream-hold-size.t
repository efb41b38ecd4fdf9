# error_map_hold_size bounds the bytes read and held, exactly, and the memory;
# larger bodies pass unchanged.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use ErrorMap;
use ErrorMapStream;
use Test::More;
use Time::HiRes qw(sleep);

# bodies for a hold size of n bytes: name, sub (n) -> body, verdict

sub string {
    my ($n, $code) = @_;
    return object($n - 15 - length $code) =~ s/\}$/,"StatusCode":"$code"/r;
}

sub number {
    my ($n, $code) = @_;
    return object($n - 14 - length $code) =~ s/\}$/,"StatusCode":$code,/r;
}

my @cases = (
    ['object, one byte less', sub { object($_[0] - 1) }, 'none '],
    ['object', sub { object($_[0]) }, 'none '],
    ['object, one byte more', sub { object($_[0] + 1) }, 'undecided '],
    ['object and what follows it', sub { object($_[0]) . ' ' x 9 }, 'none '],
    ['no end, one byte less', sub { open_string($_[0] - 1) }, 'none '],
    ['no end', sub { open_string($_[0]) }, 'none '],
    ['no end, one byte more', sub { open_string($_[0] + 1) }, 'undecided '],
    ['no end, ten times', sub { open_string($_[0] * 10) }, 'undecided '],
    ['blanks', sub { ' ' x $_[0] }, 'none '],
    ['blanks, one byte more', sub { ' ' x ($_[0] + 1) }, 'undecided '],
    ['number at the end', sub { substr number($_[0] + 1, 42505), 0, -1 },
     'none '],
    ['number at the end, one byte more',
     sub { substr number($_[0] + 2, 42505), 0, -1 }, 'undecided '],

    (map {
        my ($code, $verdict) = @$_;

        ["string $code, one byte less",
         sub { string($_[0] - 1, $code) }, $verdict],
        ["string $code", sub { string($_[0], $code) }, $verdict],
        ["string $code and the rest",
         sub { string($_[0], $code) . "}\n" }, $verdict],
        ["string $code and much more",
         sub { string($_[0], $code) . ',[' x 9999 }, $verdict],
        ["string $code, one byte more",
         sub { string($_[0] + 1, $code) }, 'undecided '],
        ["string $code, one byte more and the rest",
         sub { string($_[0] + 1, $code) . '}' }, 'undecided '],
        ["number $code", sub { number($_[0], $code) }, $verdict],
        ["number $code and the rest",
         sub { number($_[0], $code) . '"a":{}}' }, $verdict],
        ["number $code, one byte more and the rest",
         sub { number($_[0] + 1, $code) . '"a":{}}' }, 'undecided '],
    } (['42505', 'mapped 42505'], ['999', 'unknown 999'],
       ['200', 'success 200'])),
);

is(length string(64, 42505), 64, 'a body with a string has n bytes');
is(length number(64, 42505), 64, 'a body with a number has n bytes');
is(length object(64), 64, 'an object has n bytes');

my $large = 64 * 1024;
my $huge = 1024 * 1024;

# large bodies, by name: the first 30000 bytes have no code

my $blob = join '', map { md5_hex($_) } 1 .. 4096;

sub large {
    my ($size, $at) = @_;

    my $body = '{"p":"';
    $body .= $blob while length $body < $size;

    substr($body, $size - 2) = '"}';
    substr($body, $at, 21) = '","StatusCode":42505,' if $at;
    substr($body, $at + 21, 5) = '"q":"' if $at;

    return $body;
}

my %large = (
    'no code' => [1_000_000, 0, 'undecided '],
    'no code, ten times' => [$large * 10, 0, 'undecided '],
    'code in the first bytes' => [1_500_000, 10, 'mapped 42505'],
    'code after a pause' => [2_000_000, 30010, 'mapped 42505'],
    'code in the last bytes' => [5_000_000, $large - 21, 'mapped 42505'],
    'code too late' => [5_000_000, $large - 20, 'undecided '],
);

push @$_, large(@$_) for values %large;

sub body {
    my (%arg) = @_;

    return $large{$arg{large} =~ s/_/ /gr}[3] if $arg{large};
    return $cases[$arg{case}][1]->($arg{n});
}


my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my %arg = query($request);

    if ($arg{stream}) {

        # piece by piece, the vendor does not keep it in memory either

        my ($head) = frame($arg{framing}, '');
        my ($start, $part, $end) = ('{"p":"', 'x' x 65536, '');

        if ($arg{framing} eq 'chunked') {
            $start = "6\r\n$start\r\n";
            $part = "1\r\nx\r\n" x 10000;
            $end = "0\r\n\r\n";
        }

        put($s, $head . $start);
        put($s, $part) || return for 1 .. $arg{stream};
        put($s, $end);
        return;
    }

    my ($head, $raw) = frame($arg{framing}, body(%arg), chunk => $arg{chunk});

    if ($arg{step}) {
        for (split /(.{$arg{step}})/s, $raw) {
            put($s, $head . $_);
            $head = '';
            sleep 0.0005;
        }

    } else {
        put($s, $head . substr $raw, 0, $arg{cut});
        sleep $arg{pause} || 0.003;
        put($s, substr $raw, $arg{cut}) if length $raw > $arg{cut};
    }

    return $arg{framing} ne 'close';
});

my @sizes = (64, 4096, 5000);
my $port = free_port();
my $locations = '';

for my $buffering (qw(on off)) {
    for my $size (@sizes, $large, $huge) {
        $locations .= <<"END";
        location /$size/$buffering {
            error_map_hold_size $size;
            proxy_buffering $buffering;
            proxy_pass http://vendor;
        }

        location /$size/$buffering/tight {
            error_map_hold_size $size;
            proxy_buffering $buffering;
            proxy_buffer_size 4k;
            proxy_buffers 2 4k;
            proxy_busy_buffers_size 4k;
            proxy_max_temp_file_size 0;
            proxy_pass http://vendor;
        }
END
    }
}

my $http = <<"END";
    upstream vendor {
        server 127.0.0.1:$vendor;
        keepalive 64;
    }

    server {
        listen 127.0.0.1:$port;

        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_buffer_size 4k;
        proxy_buffers 8 4k;
        error_map tencent_iotvideo;
        add_header X-V "\$error_map_verdict \$error_map_code" always;
        add_header X-Held \$error_map_hold_size always;
        add_header X-Time \$error_map_hold_time always;

$locations
        location /static/ {
            default_type application/json;
            alias %DIR%/;
        }
    }
END


# the memory of a worker that has not grown yet: framing, hold size, parts of a
# first request, parts, bytes

my @streams = (['close', $large, 16, 3200, 3200 * 65536],
               ['chunked', $large, 10, 100, 100 * 10000],
               ['chunked', $huge, 10, 100, 100 * 10000]);

for (@streams) {
    my ($framing, $hold, $warm, $many, $size) = @$_;

    for my $buffering (qw(on off)) {

        my $nginx = start(port => $port, http => $http);
        my $worker = worker($nginx);
        my ($got, $before);

        for my $parts ($warm, $many) {

            $before = memory($worker, 'VmHWM');
            $got = 0;

            exchange_all({
                port => $port, sink => sub { $got += length $_[0] },
                timeout => 60,
                request => request("/$hold/$buffering/tight?stream=$parts"
                                   . "&framing=$framing", version => '1.0')
            });
        }

        my $title = "$framing, buffering $buffering, hold size $hold";

        cmp_ok($got, '>', $size, "a long stream comes in full: $title");
        cmp_ok(memory($worker, 'VmHWM') - $before, '<', 4096,
               "the memory does not grow: $title");

        stop($nginx);
    }
}


my $nginx = start(port => $port, http => $http);


# the hold size, to the byte, for every framing and cut

for my $n (@sizes) {

    my (@lists, @names);

    for my $case (0 .. $#cases) {

        my $length = length $cases[$case][1]->($n);

        for my $framing (@framings) {
            for my $buffering (qw(on off)) {

                my @args = map { "cut=$_" } 0, $n - 1, $n, $n + 1, $length;

                push @args, 'chunk=1&cut=0', "chunk=1&cut=" . $length * 6
                    if $framing eq 'chunked' && $length < 10000;

                push @args, 'step=' . ($n == 64 ? 1 : 97) if $length < 10000;

                push @names, [$case, $framing, $buffering, @args];
                push @lists, [map {
                    "/$n/$buffering?case=$case&n=$n&framing=$framing&$_"
                } @args];
            }
        }
    }

    my @results = pipelines($port, @lists);
    my %wrong;

    for (@names) {
        my ($case, $framing, $buffering, @args) = @$_;

        my $body = $cases[$case][1]->($n);
        my $status = $cases[$case][2] =~ /^mapped/ ? 402 : 200;
        my $wanted = "$status, $cases[$case][2], body whole";

        for my $r (@{ shift @results }) {
            my $headers = $r->{headers};
            my $whole = $r->{complete} && $r->{body} eq $body;
            my $got = "$r->{status}, " . ($headers->{'x-v'}[0] || '')
                      . ', body ' . ($whole ? 'whole' : 'broken');
            my $held = $headers->{'x-held'}[0];

            $got .= ", $held bytes held"
                if !defined $held || $held eq '' || $held > $n;

            my $arg = shift @args;

            push @{ $wrong{$case} },
                 "$got at $framing, buffering $buffering, $arg"
                if $got ne $wanted;
        }

        push @{ $wrong{$case} }, "no response at @args" if @args;
    }

    for my $case (0 .. $#cases) {
        is(join("\n", @{ $wrong{$case} || [] }), '',
           "hold size $n: $cases[$case][0]: $cases[$case][2]");
    }
}


# large bodies, with few buffers as well

my @jobs;

for my $name (sort keys %large) {
    for my $framing (@framings) {
        for my $buffering (qw(on off)) {
            for my $tight ('', '/tight') {
                push @jobs, [$name, $framing, $buffering, $tight];
            }
        }
    }
}

# a few at a time, as the test keeps them in memory

while (my @some = splice @jobs, 0, 12) {

    my @results = pipelines($port, map {
        my ($name, $framing, $buffering, $tight) = @$_;

        my $uri = "/$buffering$tight?framing=$framing&cut=30000&pause=0.1"
                  . '&chunk=10000&large=' . $name =~ s/ /_/gr;

        ["/$large$uri"]
    } @some);

    for (@some) {
        my ($name, $framing, $buffering, $tight) = @$_;
        my ($size, $at, $verdict, $body) = @{ $large{$name} };
        my $r = (shift @results)->[0];
        my $headers = $r->{headers};
        my $held = $headers->{'x-held'}[0] // -1;
        my $time = $headers->{'x-time'}[0] // '';

        my $title = "$name: $framing, buffering $buffering$tight";

        is(md5_hex($r->{body}), md5_hex($body), $title);
        is($r->{status} . ' ' . ($headers->{'x-v'}[0] || ''),
           ($verdict =~ /^mapped/ ? 402 : 200) . " $verdict",
           "$title: $verdict");

        # the bytes that come with the header are never held; without buffering
        # nginx reads at most 4k at a time; the cut counts the chunks' framing

        my ($least, $most) = $at == 10 ? (0, 0)
                             : $buffering eq 'on' ? (1, $large)
                             : $at == 30010 ? (29900, 30000)
                             : ($large - 4096, $large);

        ok($held >= $least && $held <= $most, "$title: bytes held")
            or diag("$held, and not $least to $most");

        like($time, $at == 10 ? qr/^0\.000$/ : qr/^(?:0\.(?!0[0-3])|[1-3]\.)/,
             "$title: time held");
    }
}

my $file = large(5_000_000, 0);
open my $fh, '>', "$nginx->{dir}/large.json" or die $!;
print $fh $file;
close $fh;

my $r = get($port, '/static/large.json');
is(md5_hex($r->{body}), md5_hex($file), 'a large file comes whole');
like($r->{headers}{'x-v'}[0], qr/^undecided/, '... and undecided');
cmp_ok($r->{headers}{'x-held'}[0], '<=', $large,
       '... its bytes count as held');

stop($nginx);

done_testing();
