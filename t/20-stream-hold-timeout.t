# error_map_hold_timeout bounds how long a slow, silent or endless vendor delays
# a client; a client that does not wait leaves nothing in the worker.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream;
use Test::More;
use Time::HiRes qw(sleep);

# seconds: the timeout, a much shorter pause and a much longer one

my ($timeout, $short, $long) = (1, 0.2, 3);

my $code = '{"p":"0123456789","StatusCode":42505,"q":"9876543210"}';
my $drip = '{"p":[' . '1,' x 200 . '1],"StatusCode":42505}';

# name, body, cuts and pauses, buffering, verdict, and when the first byte
# comes: early, late (by the timeout) or at any time.  With buffering nginx
# itself delays small pieces, and the header with them.

my @cases = (
    ['silent after the header', $code, "0:$long", 'on off',
     'undecided ', 'late'],
    ['silent in the middle', $code, "10:$long", 'on off',
     'undecided ', 'late'],
    ['silent within the code', $code, "10:$short,35:$long", 'on off',
     'undecided ', 'late'],
    ['dripping', $drip, join(',', map { $_ * 25 . ':0.2' } 1 .. 16), 'on off',
     'undecided ', 'late'],
    ['code before the timeout', $code, "10:$short", 'on off',
     'mapped 42505', 'whenever'],
    ['code before it, silent then', $code, "10:$short,40:$long", 'off',
     'mapped 42505', 'early'],
    ['late header', $code, "wait:$long,10:$short", 'on off',
     'mapped 42505', 'whenever'],
    ['code in the first piece, silent then', $code, "40:$long", 'off',
     'mapped 42505', 'early'],
);

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my %arg = query($request);
    my ($head, $raw) = frame($arg{framing}, $arg{endless} ? '{"p":['
                                            : $cases[$arg{case}][1]);

    if ($arg{endless}) {
        $raw =~ s/0\r\n\r\n\z//;
        put($s, $head . $raw);

        my $part = '1,' x 4096;
        $part = "2000\r\n$part\r\n" if $arg{framing} eq 'chunked';

        1 while put($s, $part);
        return;
    }

    my $sent = 0;

    for (split /,/, $arg{cuts} || '') {
        my ($at, $pause) = split /:/;

        if ($at ne 'wait') {

            # the length of the chunk is not part of the body

            $at += index($raw, "\n") + 1 if $at && $arg{framing} eq 'chunked';

            put($s, $head . substr $raw, $sent, $at - $sent);
            $head = '';
            $sent = $at;
        }

        sleep $pause;
    }

    put($s, $head . substr $raw, $sent);

    return $arg{framing} ne 'close';
});

my $port = free_port();
my $locations = '';

for my $buffering (qw(on off)) {
    for (['off', 'error_map off'],
         ['map', "error_map_hold_timeout ${timeout}s"],
         ['at-once', 'error_map_hold_timeout 0'],
         ['ignore', "error_map_hold_timeout ${timeout}s;
                     proxy_ignore_client_abort on"],
         ['cache', "error_map_hold_timeout ${timeout}s;
                    proxy_cache zone;
                    proxy_cache_key \$request_id;
                    proxy_cache_valid any 1m"])
    {
        my ($name, $directives) = @$_;

        $locations .= <<"END";
        location /$name/$buffering {
            $directives;
            proxy_buffering $buffering;
            proxy_pass http://vendor;
        }
END
    }
}

my $nginx = start(port => $port, http => <<"END");
    proxy_cache_path %DIR%/cache keys_zone=zone:1m;

    upstream vendor {
        server 127.0.0.1:$vendor;
        keepalive 64;
    }

    server {
        listen 127.0.0.1:$port;

        proxy_http_version 1.1;
        proxy_set_header Connection "";
        error_map tencent_iotvideo;
        error_map_header off;
        add_header X-V "\$error_map_verdict \$error_map_code" always;
        add_header X-Held \$error_map_hold_size always;
        add_header X-Time \$error_map_hold_time always;

$locations
        location = /stub {
            error_map off;
            stub_status;
        }
    }
END


sub timed_out {
    return scalar(() = slurp("$nginx->{dir}/error.log")
                       =~ /error map hold timed out/g);
}


# the part of the body that came before the vendor went on

sub early {
    my ($x) = @_;

    my $size = 0;

    for (@{ $x->{parts} }) {
        $size += $_->[1] if $_->[0] < $long - 0.5;
    }

    return parse(substr $x->{bytes}, 0, $size)->{body};
}


my (@jobs, @off);
my $late = 0;

for my $n (0 .. $#cases) {
    my ($name, $body, $cuts, $bufferings, $verdict, $when) = @{ $cases[$n] };

    for my $framing (@framings) {
        for my $buffering (split / /, $bufferings) {
            for my $version ('1.0', '1.1') {

                my $uri = "$buffering?case=$n&framing=$framing";

                push @jobs, {
                    port => $port, n => $n, timeout => 20,
                    title => "$name, $framing, buffering $buffering,"
                             . " HTTP/$version",
                    request => request("/map/$uri&cuts=$cuts",
                                       version => $version)
                };

                push @off, {
                    port => $port, timeout => 20,
                    request => request("/off/$uri", version => $version)
                };

                $late++ if $when eq 'late';
            }
        }
    }
}

# nothing is expected that plain nginx delays itself

my @paused = grep { $_->{title} =~ /^silent.*HTTP\/1\.1/ } @jobs;

my @stock = map { { %$_, request => $_->{request} =~ s/map/off/r } } @paused;

my @off_results = exchange_all(@off);
my @results = exchange_all(@jobs, @stock);

for my $job (@jobs) {

    my ($name, $body, $cuts, $bufferings, $verdict, $when)
        = @{ $cases[$job->{n}] };

    my $x = shift @results;
    my $r = parse($x->{bytes});
    my $off = parse((shift @off_results)->{bytes});
    my $title = $job->{title};

    $job->{result} = $x;

    is($r->{headers}{'x-v'}[0], $verdict, "$title: $verdict");
    is($r->{body}, $body, "$title: the body comes whole");
    ok($r->{complete} && $x->{closed}, "$title: the response ends");

    if ($when eq 'late') {
        is(bare($r), bare($off),
           "$title: the response is that without the filter");

        cmp_ok($x->{first}, '>', $timeout * 0.8,
               "$title: the response is held");
        cmp_ok($x->{first}, '<', $long - 0.5,
               "$title: not longer than the timeout");

        cmp_ok(abs($r->{headers}{'x-time'}[0] - $timeout), '<', 1,
               "$title: the time held");

    } else {
        is($r->{status}, 402, "$title: the status");

        cmp_ok($x->{first}, '<', $long - 0.5,
               "$title: the response does not wait")
            if $when eq 'early';
    }
}

for my $job (@paused) {
    is(early($job->{result}), early(shift @results),
       "$job->{title}: the first part is not delayed");
}

my ($dripping) = grep { $_->{title} =~ /^dripping, length, buffering off/ }
                 @jobs;

cmp_ok(scalar @{ $dripping->{result}{parts} }, '>=', 6,
       'after the timeout each piece is sent as it comes');

is(timed_out(), $late, 'a verdict ends the timer');


# other timeouts, and vendors that never end

my @names;
@jobs = ();

for my $framing (qw(chunked close)) {
    for my $buffering (qw(on off)) {
        push @jobs, { port => $port, until => qr/(?:.{50000}){8}/s,
                      request => request("/map/$buffering?endless=1"
                                         . "&framing=$framing") };
        push @names, "$framing, buffering $buffering";
    }
}

for my $x (exchange_all(@jobs)) {
    my $r = parse($x->{bytes});
    my $name = shift @names;

    is($r->{headers}{'x-v'}[0], 'undecided ', "endless, $name: undecided");
    like($r->{body}, qr/^\{"p":\[(?:1,)+1?$/, "endless, $name: it comes");
    cmp_ok($x->{first}, '<', $long - 0.5, "endless, $name: at once");
}

is(timed_out(), $late, 'the hold size ends these holds');

is(connections($port), $alone, 'no connection is left');

for my $uri (map { "/at-once/$_?framing=length&case=0" } qw(on off)) {
    my ($x) = exchange_all({ port => $port, until => qr/\r\n\r\n/,
                             request => request("$uri&cuts=10:$long") });

    cmp_ok($x->{first}, '<', $long - 0.5, "timeout 0, $uri: nothing is held");

    like(get($port, "$uri&cuts=45:0.1")->{headers}{'x-v'}[0], qr/^mapped/,
         "timeout 0, $uri: the bytes that come with the header are inspected");
}


# clients leave while they wait, in each state; where nginx reads the response
# to its end anyway, the timer finds them gone

@jobs = ();

for my $n (grep { $cases[$_][0] =~ /^(?:silent|dripping)/ } 0 .. $#cases) {
    for my $buffering (qw(on off)) {
        for my $reset (0, 1) {
            for my $location (qw(map ignore cache)) {
                for my $abort ($timeout / 2, $timeout * 1.4) {
                    push @jobs, {
                        port => $port, abort => $abort, reset => $reset,
                        request => request("/$location/$buffering?case=$n&"
                                           . "framing=chunked&"
                                           . "cuts=$cases[$n][2]")
                    };
                }
            }
        }
    }
}

@results = exchange_all(@jobs);

is(scalar(grep { $_->{closed} } @results), 0, 'the clients leave first');

is(scalar(grep { $_->{abort} < $timeout && $results[$_->{n}]{bytes} ne '' }
          map { { %{ $jobs[$_] }, n => $_ } } 0 .. $#jobs), 0,
   '... half of them while the response is held');

is(connections($port), $alone,
   '... none of their requests or connections is left');

is(get($port, "/map/off?case=0&framing=length&cuts=10:$short")->{status}, 402,
   'the next request is served');

stop($nginx);

done_testing();
