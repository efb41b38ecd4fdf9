# The client's side of a hold: clients that read slowly or at a limited rate,
# reused connections and pipelined requests.  The worker keeps no memory of
# them.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use ErrorMap;
use ErrorMapStream;
use Test::More;
use Time::HiRes qw(sleep);

limit_quarantine();

my $code = '"StatusCode":42505,';

# a body of some size with the code somewhere in it

sub body {
    my ($size, $at, $text) = @_;

    my $digits = join '', map { md5_hex($_) } 1 .. 64;
    $digits x= $size / length($digits) + 1;

    my $body = '{"p":"' . substr($digits, 0, $at - 8) . '",'
               . (defined $text ? $text : $code) . '"q":"';

    return $body . substr($digits, 0, $size - length($body) - 2) . '"}';
}

# where a response is released: name, location, places of the code and of the
# cut as parts of the size, pause at the cut, verdict

my @cases = (
    ['with the header', 'map', 0, 0.5, 0, 'mapped 42505'],
    ['when the code comes', 'map', 0.2, 0.1, 0.3, 'mapped 42505'],
    ['when the code comes after a pause', 'map', 0.2, 0.2, 0.3,
     'mapped 42505'],
    ['at the end', 'all', undef, 0.7, 0.3, 'none '],
    ['at the hold size', 'size', 0.9, 0, 0.3, 'undecided '],
    ['at the timeout', 'time', 0.9, 0.01, 1.2, 'undecided '],
);

my %sizes = (small => 2_500, medium => 6_000, large => 300_000);
my %bodies;

for my $size (keys %sizes) {
    for my $n (0 .. $#cases) {
        my $at = $cases[$n][2];
        my $length = $sizes{$size};

        $bodies{"$size$n"} = body($length, $at ? $at * $length : 8,
                                  defined $at ? $code : '');
    }
}

$bodies{success} = '{"StatusCode":200}';
$bodies{unknown} = '{"StatusCode":1}';
$bodies{array} = '[]';

my $vendor = vendor(sub {
    my ($s, $request, $n) = @_;

    my %arg = query($request);
    my $id = $arg{id} || 0;
    my ($head, $raw) = frame($arg{framing} || 'length', $bodies{$arg{body}},
                             headers => "X-N: $n\r\nX-Id: $id\r\n",
                             chunk => $arg{chunk});

    my $cut = ($arg{cut} || 0) * length $bodies{$arg{body}};

    put($s, $head . substr $raw, 0, $cut);
    sleep $arg{pause} if $arg{pause};
    put($s, substr $raw, $cut);

    return ($arg{framing} || '') ne 'close';
});

my ($port, $narrow) = (free_port(), free_port());
my $locations = '';

my %locations = (
    off => 'error_map off;',
    map => '',
    all => 'error_map_hold_size 1m;',
    size => 'error_map_hold_size 64;',
    time => 'error_map_hold_timeout 500ms;',
);

my %bufferings = (
    on => '',
    off => 'proxy_buffering off;',
    tight => 'proxy_buffer_size 4k; proxy_buffers 2 4k;
              proxy_busy_buffers_size 4k; proxy_max_temp_file_size 0;',
);

for my $buffering (sort keys %bufferings) {
    for my $location (sort keys %locations) {
        for my $rate ('0', '1k') {
            $locations .= <<"END";
        location /$location/$buffering/$rate {
            $locations{$location}
            $bufferings{$buffering}
            limit_rate $rate;
            proxy_pass http://vendor;
        }
END
        }
    }
}

my $nginx = start(port => $port, http => <<"END");
    upstream vendor {
        server 127.0.0.1:$vendor;
        keepalive 16;
        keepalive_requests 100000;
    }

    server {
        listen 127.0.0.1:$port;
        listen 127.0.0.1:$narrow sndbuf=4k;

        keepalive_requests 100000;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        default_type application/json;
        error_map tencent_iotvideo;
        error_map_hold_timeout 20s;
        add_header X-V "\$error_map_verdict \$error_map_code" always;

$locations
        location /local {
            return 200 '{$code}';
        }

        location /file/ {
            alias %DIR%/;
        }

        location = /stub {
            error_map off;
            stub_status;
        }
    }
END


# clients that are slower than the vendor

my @jobs;

for my $n (0 .. $#cases) {
    my ($name, $location, $at, $cut, $pause, $verdict) = @{ $cases[$n] };

    for my $framing (@framings) {
        for my $buffering (sort keys %bufferings) {

            for my $kind (['limit_rate', $port, '1k', 'small'],
                          ['slow client', $narrow, '0', 'large',
                           rcvbuf => 2048, slow => 4096, pause => 0.002])
            {
                my ($title, $to, $rate, $size, @slow) = @$kind;

                my $uri = "$buffering/$rate?framing=$framing&body=$size$n"
                          . "&cut=$cut&pause=$pause";

                for my $where ('off', $location) {
                    push @jobs, {
                        port => $to, timeout => 60, @slow, n => $n,
                        body => $bodies{"$size$n"},
                        title => "$title, $name, $framing,"
                                 . " buffering $buffering",
                        request => request("/$where/$uri")
                    };
                }
            }
        }
    }
}

while (my @some = splice @jobs, 0, 108) {

    my @results = exchange_all(@some);

    while (my ($off, $job) = splice @some, 0, 2) {

        my ($x, $y) = splice @results, 0, 2;
        my ($s, $r) = (parse($x->{bytes}), parse($y->{bytes}));
        my $verdict = $cases[$job->{n}][5];

        is($r->{headers}{'x-v'}[0], $verdict, "$job->{title}: $verdict");
        is(md5_hex($r->{body}), md5_hex($job->{body}),
           "$job->{title}: every byte comes");

        if ($verdict =~ /^mapped/) {
            ok($r->{status} == 402 && $r->{complete},
               "$job->{title}: to its end");

        } else {
            is(md5_hex(bare($r)), md5_hex(bare($s)),
               "$job->{title}: as without the filter");
        }
    }
}


# the held bytes reach a slow client although the vendor sends no more

@jobs = map {
    { port => $narrow, rcvbuf => 2048, slow => 4096, pause => 0.002,
      title => $_,
      request => request("/time/$_/0?body=large5&cut=0.15&pause=4") }
} sort keys %bufferings;

for my $x (exchange_all(@jobs)) {
    my $title = "buffering " . (shift @jobs)->{title};
    my $early = 0;

    for (@{ $x->{parts} }) {
        $early += $_->[1] if $_->[0] < 3.5;
    }

    cmp_ok($early, '>', 40_000, "a silent vendor delays nothing: $title");
    is(md5_hex(parse($x->{bytes})->{body}), md5_hex($bodies{large5}),
       "no byte is lost: $title");
}


# reused connections: all cases on one of the client's, and on one of the
# vendor's, which counts its requests

for my $buffering (sort keys %bufferings) {
    for my $framing (qw(length chunked)) {

        my (@uris, @wanted);

        for my $size (qw(medium small)) {
            for my $n (0 .. $#cases) {
                my ($name, $location, $at, $cut, $pause, $verdict)
                    = @{ $cases[$n] };

                $pause /= 3 if $location ne 'time';

                push @uris, "/$location/$buffering/0?framing=$framing&cut=$cut"
                            . "&pause=$pause&id=" . @uris
                            . "&body=$size$n";

                push @wanted, $verdict;
            }
        }

        push @{ $jobs[0] }, \@uris;
        push @{ $jobs[1] }, [\@wanted, "$framing, buffering $buffering"];
    }
}

my @connections = pipelines($port, @{ $jobs[0] });

for (@{ $jobs[1] }) {
    my ($wanted, $title) = @$_;
    my @responses = @{ shift @connections };

    is(join(', ', map { "$_->{headers}{'x-id'}[0] $_->{headers}{'x-v'}[0]" }
                  @responses),
       join(', ', map { "$_ $wanted->[$_]" } 0 .. $#$wanted),
       "the client's connection is reused: $title");

    # six connections share the vendor's, and it may take a new one for each

    cmp_ok(scalar(grep { $_->{headers}{'x-n'}[0] > 0 } @responses), '>=',
           @responses - 6, "the vendor's connection is reused: $title");
}


# pipelined requests, some of them answered by nginx itself, in their order

my @kinds = (
    ["/map/on/0?body=small0", 'mapped 42505'],
    ["/map/off/0?body=medium1&cut=0.1&pause=0.01", 'mapped 42505'],
    ["/size/tight/0?body=medium3", 'undecided '],
    ["/map/on/0?body=array&framing=chunked", 'none '],
    ["/map/off/0?body=success&framing=close", 'success 200'],
    ["/local?", 'mapped 42505'],
    ["/file/array.json?", 'none '],
    ["/map/off/0?body=unknown&framing=chunked&chunk=1", 'unknown 1'],
    ["/map/tight/0?body=medium4", 'mapped 42505'],
    ["/all/off/0?body=medium3", 'none '],
    ["/off/on/0?body=unknown", ' '],
);

open my $fh, '>', "$nginx->{dir}/array.json" or die $!;
print $fh '[]';
close $fh;

sub order {
    my ($n, $times) = @_;

    return map { ($_ * (1, 3, 7, 9)[$n % 4] + $n) % @kinds }
           1 .. $times * @kinds;
}

my $number = 0;

for my $responses (pipelines($port, map { [map { $kinds[$_][0] }
                                               order($_, 5)] } 1 .. 8))
{
    $number++;

    is(join(', ', map { $_->{headers}{'x-v'}[0] // '' } @$responses),
       join(', ', map { $kinds[$_][1] } order($number, 5)),
       "pipelined requests, order $number");
}


# the memory of the worker

my $worker = worker($nginx);

pop @kinds;
$_->[0] =~ s/&pause.*// for @kinds;

my $many = join '', map { request($kinds[$_][0], connection => 'keep-alive') }
                    order(1, 100);

my ($got, @memory);

for (0 .. 2) {
    my @jobs = map {
        { port => $port, timeout => 60, request => $many . request('/local') }
    } 1 .. 5;

    for my $x (exchange_all(@jobs)) {
        $got += () = $x->{bytes} =~ m{HTTP/1.1 (?:200|402) }g;
    }

    push @memory, memory($worker, 'VmRSS');
}
is($got, 3 * 5 * 1001, 'thousands of requests are served');
cmp_ok($memory[2] - $memory[0], '<', 512, 'no memory is kept');

is(connections($port), $alone, 'nor a connection');

stop($nginx);

done_testing();
