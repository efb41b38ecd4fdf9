# A vendor breaks off: the received bytes leave as without the filter, or mapped
# if they have the code; the client never gets an empty reply, nothing hangs or
# spins.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream;
use Test::More;
use Time::HiRes qw(sleep time);

my $code = '"StatusCode":42505,';
my $rest = join '', map { "\"k$_\":\"v\"," } 1 .. 100;

# name, body, and the length of its received part

my %bodies = (
    first => "{$code$rest\"z\":0}",
    last => '{' . $rest x 5 . "$code\"z\":0}",
    none => "{$rest\"z\":0}",
);

my @cases = (
    ['an incomplete header', 'first', -9],
    ['no body', 'first', 0],
    ['one byte', 'first', 1],
    ['all up to the code', 'first', index($bodies{first}, ',')],
    ['the code', 'first', length("{$code")],
    ['the code and more', 'first', length("{$code") + 500],
    ['half', 'none', 500],
    ['all but a byte', 'none', length($bodies{none}) - 1],
    ['more than a buffer', 'last', 4500],
    ['more than a buffer, and the code', 'last',
     index($bodies{last}, $code) + length $code],
);

my %pauses = (timeout => 8, rst => 0.6, fin => 0.6);

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my %arg = query($request);
    my (undef, $body, $n) = @{ $cases[$arg{case}] };
    my ($head, $raw) = frame($arg{framing}, $bodies{$body});

    # the length of the chunk is not part of the body

    $n += index($raw, "\n") + 1 if $n > 0 && $arg{framing} eq 'chunked';

    $raw = substr $raw, 0, $n < 0 ? 0 : $n;
    $head = substr $head, 0, $n if $n < 0;

    if ($arg{split}) {
        put($s, $head);
        sleep $arg{split};
        $head = '';
    }

    put($s, $head . $raw);

    # nginx must read it first, or the fault may overtake the bytes

    sleep $pauses{$arg{fault}} || 0;
    reset_on_close($s) if $arg{fault} =~ /^rst/;

    return 0;
});

my $port = free_port();
my $locations = '';

for my $buffering (qw(on off)) {
    for my $document (qw(off tencent_iotvideo)) {
        $locations .= <<"END";
        location /$document/$buffering {
            error_map $document;
            proxy_buffering $buffering;
            proxy_pass http://127.0.0.1:$vendor;
        }
END
    }
}

my $nginx = start(port => $port, http => <<"END");
    server {
        listen 127.0.0.1:$port;

        proxy_read_timeout 4s;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        add_header X-V "\$error_map_verdict \$error_map_code" always;

$locations
        location = /stub {
            stub_status;
        }
    }
END

my $worker = worker($nginx);


# the results of one kind of fault, with and without the filter; no more at a
# time than fit into the vendor's backlog

sub results {
    my ($fault, @todo) = @_;

    my (@jobs, @results);

    for (@todo) {
        my ($case, $framing, $buffering, $split, $version) = @$_;

        for my $document (qw(off tencent_iotvideo)) {
            push @jobs, {
                port => $port, timeout => 20,
                request => request("/$document/$buffering?case=$case&"
                                   . "framing=$framing&fault=$fault&"
                                   . "split=$split", version => $version)
            };
        }
    }

    while (my @some = splice @jobs, 0, 100) {
        push @results, exchange_all(@some);
    }

    return @results;
}


my @todo;

for my $case (0 .. $#cases) {
    for my $framing (@framings) {
        for my $buffering (qw(on off)) {
            for my $version ('1.0', '1.1') {
                for my $split (0, 0.3) {
                    push @todo, [$case, $framing, $buffering, $split, $version];
                }
            }
        }
    }
}

for my $fault (qw(timeout rst fin)) {

    my $begin = time;
    my $cpu = cpu_time($worker);

    my @results = results($fault, @todo);

    my $elapsed = time - $begin;

    cmp_ok(cpu_time($worker) - $cpu, '<', $elapsed / 2,
           "$fault: the worker does not spin") if $fault eq 'timeout';

    for (@todo) {
        my ($case, $framing, $buffering, $split, $version) = @$_;
        my ($x, $y) = splice @results, 0, 2;
        my ($off, $r) = (parse($x->{bytes}), parse($y->{bytes}));

        my $title = "$fault after $cases[$case][0], $framing,"
                    . " buffering $buffering, HTTP/$version"
                    . ($split ? ', header first' : '');

        # nginx drops a buffer that is not full; the filter then sees only the
        # bytes that came with the header

        my (undef, $body, $n) = @{ $cases[$case] };
        my $seen = $off->{body};
        $seen = substr $bodies{$body}, 0, $n if !$split && $n > 0 && $n < 3000;

        my $v = $r->{headers}{'x-v'}[0] || '';
        my $wanted = $off->{status} != 200 ? 'skipped '
                     : $seen =~ /\Q$code/ ? 'mapped 42505'
                     : $fault eq 'fin' && $framing eq 'close' ? 'none '
                     : 'undecided ';

        my ($got, $expected) = $wanted =~ /^mapped/
            ? ("$r->{status}\n$r->{complete}\n$r->{body}",
               "402\n$off->{complete}\n$off->{body}")
            : (bare($r), bare($off));

        my $end = $x->{closed} && $y->{closed} ? 'closed' : 'left hanging';

        is("$v, $end\n$got", "$wanted, closed\n$expected",
           "$title: $wanted");
    }
}


# the fault may overtake the bytes, then several answers are right

my @results = results('rst-at-once', @todo);

for (@todo) {
    my ($case, $framing, $buffering, $split, $version) = @$_;
    my (undef, $body, $n) = @{ $cases[$case] };

    my (undef, $x) = splice @results, 0, 2;
    my $r = parse($x->{bytes});
    my $v = $r->{headers}{'x-v'}[0] || '';

    my $good = $x->{closed}
               && ($v eq 'skipped ' && $r->{status} == 502
                   || $r->{body} eq substr($bodies{$body}, 0,
                                           length $r->{body})
                      && ($v eq 'mapped 42505' && $r->{status} == 402
                          || $v eq 'undecided ' && $r->{status} == 200));

    ok($good, "rst at once after $cases[$case][0], $framing,"
              . " buffering $buffering, HTTP/$version"
              . ($split ? ', header first' : '')) or diag($x->{bytes});
}

is(connections($port), $alone, 'no connection is left');

is(get($port, '/tencent_iotvideo/off?case=5&framing=close&fault=fin&split=0')
   ->{status}, 402, 'the next request is served');

stop($nginx);

done_testing();
