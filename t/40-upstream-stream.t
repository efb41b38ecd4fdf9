# error_map_upstream waits for the pieces of a body while nginx reads the
# response: wherever they are cut, however late they are and whatever happens to
# vendor and client meanwhile, the verdict is that of the whole body, or the
# response is the one without the module.

use strict;
use warnings;

use Compress::Zlib qw(memGzip);
use ErrorMap;
use ErrorMapCodings;
use ErrorMapHttp qw(connection ask);
use ErrorMapStream;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

my $dir = tempdir(CLEANUP => 1);

my $error = '{"id":7,"code":402,"m":"no"}';
my $pad = join '', map { sprintf '%07d', $_ } 1 .. 3000;
my $late = '{"p":"' . substr($pad, 0, 8000) . '","code":402}';
my $early = '{"code":402,"p":"' . $pad . '"}';
my $stall = '{"p":"0123456789","code":402}';

# name, document, body, status, verdict and code, type, headers

my @cases = (
    ['mapped', 'acme', $error, 402, 'mapped 402'],
    ['code last', 'acme', '{"a":[{}],"code":"402"}', 402, 'mapped 402'],
    ['number as the last byte', 'top', '402', 402, 'mapped 402'],
    ['success', 'acme', '{"code":0,"a":1}', 200, 'success 0'],
    ['none', 'acme', '[{"code":402}]', 200, 'none '],
    ['empty', 'acme', '', 200, 'none '],
    ['unknown', 'acme', '{"code":77}', 200, 'unknown 77'],
    ['gzip', 'acme', memGzip($error), 402, 'mapped 402', 'application/json',
     "Content-Encoding: gzip\r\n"],
    (map { [$_, 'acme', $codings{$_}{encode}($error), 402, 'mapped 402',
            'application/json', "Content-Encoding: $_\r\n"]
         } qw(deflate br zstd)),
    ['header', 'header', '{"code":0}', 402, 'mapped 402', 'application/json',
     "X-Code: 402\r\n"],
    ['regex', 'xml', '<r><c>402</c></r>', 402, 'mapped 402', 'text/xml'],
    ['regex at the end', 'end', 'ERR=402', 402, 'mapped 402', 'text/xml'],
    ['late', 'acme', $late],
    ['early', 'acme', $early],
    ['stall', 'acme', $stall],
    ['retry', 'acme', '{"a":0,"code":503}'],
);

my %n = map { $cases[$_][0] => $_ } 0 .. $#cases;
my @cut = @cases[0 .. $n{late} - 1];


sub message {
    my (%arg) = @_;

    my $case = $cases[$arg{case}];
    my $body = $case->[2];

    # a repeated request gets another code

    $body =~ s/503/0/ if $arg{count} && $arg{count} > 1;

    my $old = $arg{framing} eq 'old';

    my ($head, $raw) = frame($old ? 'close' : $arg{framing}, $body,
                             chunk => $arg{chunk}, type => $case->[5],
                             headers => ($case->[6] || '')
                                        . ($arg{headers} || ''));

    $head =~ s/^HTTP\/1.1/HTTP\/1.0/ if $old;

    # the header must have this size

    $head =~ s/\r\n\r\n/"\r\nX-P: " . 'p' x ($arg{head} - length($head) - 7)
                         . "\r\n\r\n"/e if $arg{head};

    return ($head, $raw);
}

# the number of requests with an id

sub asked {
    return marks("asked-$_[0]");
}

# cut= or step= says where the message is cut, pause= how long the vendor waits
# there, and end= what it does instead of the last piece

my $vendor = vendor(sub {
    my ($s, $request, $n) = @_;

    my %arg = query($request);

    mark("asked-$arg{id}") if $arg{id};

    my ($head, $raw) = message(%arg, headers => "X-N: $n\r\n",
                               count => $arg{id} && asked($arg{id}));

    my $all = $head . $raw;
    my $closes = $arg{framing} =~ /close|old/;

    if ($arg{step}) {
        for (split /(.{$arg{step}})/s, $all) {
            put($s, $_);
            sleep 0.0005;
        }

        return !$closes;
    }

    my $cut = ($arg{body} ? length $head : 0) + $arg{cut};

    put($s, substr $all, 0, $cut);
    sleep($arg{pause} || 0.003) if length $all > $cut || $closes;

    if ($arg{end}) {
        reset_on_close($s) if $arg{end} eq 'rst';

        if ($arg{end} eq 'wait') {
            sysread $s, my $byte, 1;
            mark("gone-$arg{id}");
        }

        return 0;
    }

    put($s, substr $all, $cut) if length $all > $cut;

    return !$closes;
});

# a vendor that answers in the middle of a request

my $rude = vendor(sub {
    my ($s) = @_;
    my $head = '';

    while ($head !~ /\r\n\r\n/) {
        sysread($s, $head, 1, length $head) or return;
    }

    my %arg = query($head);
    mark("met-$arg{id}");
    await("go-$arg{id}");

    my ($h, $raw) = message(%arg);

    put($s, $h . substr $raw, 0, $arg{cut});
    shutdown $s, 1;
    mark("said-$arg{id}");

    while (sysread $s, my $buf, 65536) { }
}, raw => 1);

my %fixed = (
    204 => "204 No Content\r\n\r\n",
    304 => "304 Not Modified\r\nETag: \"x\"\r\n\r\n",
    206 => "206 Partial Content\r\nContent-Type: application/json\r\n"
           . "Content-Range: bytes 0-11/99\r\nContent-Length: 12\r\n\r\n"
           . '{"code":402}',
    HEAD => "200 OK\r\nContent-Type: application/json\r\n"
            . "Content-Length: 12\r\n\r\n",
    101 => "101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n"
           . "Content-Type: application/json\r\n\r\n" . '{"code":402}',
);

my $fixed = vendor(sub {
    my ($s, $request) = @_;

    my ($name) = $request =~ /\?(\w+)/;
    put($s, "HTTP/1.1 $fixed{$name}");

    # "closed early" is not the subject here

    return $name !~ /101/;
});


my ($port, $h2) = (free_port(), free_port());

my %more = (
    cut => '',
    small => 'proxy_buffer_size 4k; proxy_buffers 8 4k;',
    held => 'error_map_hold_size 16;',
    # a header must be sent without waiting for a body

    timeout => 'error_map_hold_timeout 300ms; postpone_output 0;',
    patient => 'error_map_hold_timeout 8s; proxy_read_timeout 2s;',
    long => 'error_map_hold_timeout 8s;',
    two => 'error_map_hold_timeout 5s;'
           . ' proxy_next_upstream error timeout http_503;',
    cache => 'error_map_hold_timeout 8s; proxy_cache cache;'
             . ' proxy_cache_key $request_uri; proxy_cache_valid 402 1m;'
             . ' proxy_ignore_client_abort on;'
             . ' add_header X-V "$upstream_status $error_map_verdict'
             . ' $error_map_code" always;'
             . ' add_header X-Cache $upstream_cache_status always;',
    post => 'proxy_request_buffering on; proxy_pass http://rude;',
    stream => 'proxy_request_buffering off; proxy_pass http://rude;',
    fixed => "proxy_pass http://127.0.0.1:$fixed;",
    upgrade => "proxy_pass http://127.0.0.1:$fixed;"
               . ' proxy_set_header Upgrade $http_upgrade;'
               . ' proxy_set_header Connection upgrade;',
);

my $locations = '';

for my $document (qw(off acme top header xml end)) {
    for my $buffering (qw(on off)) {
        for my $name ($document =~ /off|acme/ ? sort keys %more : 'cut') {
            my $pass = $more{$name} =~ /proxy_pass/ ? ''
                       : 'proxy_pass http://'
                         . ($name eq 'two' ? 'two;' : 'vendor;');

            my $connection = $name eq 'upgrade' ? ''
                             : 'proxy_set_header Connection "";';

            $locations .= <<"END";
        location /$name/$document/$buffering {
            error_map $document;
            proxy_buffering $buffering;
            $connection
            $more{$name}
            $pass
        }
END
        }
    }
}

my $row = '402 402 INTERNAL pay; 503 503 UNAVAILABLE busy; }';

my $nginx = start(port => $port, http => <<"END");
    error_map_document acme { source json /code; success 0; $row
    error_map_document top { source json ""; success 0; $row
    error_map_document header { source header X-Code; success 0; $row
    error_map_document xml { source regex "<c>(\\d+)</c>"; success 0; $row
    error_map_document end { source regex "ERR=(\\d+)"; success 0; $row

    error_map_types application/json text/xml;
    error_map_upstream on;
    proxy_cache_path %DIR%/cache keys_zone=cache:1m;
    client_max_body_size 100m;
    client_body_buffer_size 16m;
    keepalive_requests 100000;

    upstream vendor { server 127.0.0.1:$vendor; keepalive 64; }
    upstream rude { server 127.0.0.1:$rude max_fails=0; }
    upstream two {
        server 127.0.0.1:$vendor max_fails=0;
        server 127.0.0.1:$vendor max_fails=0;
    }

    server {
        listen 127.0.0.1:$port;
        listen 127.0.0.1:$h2 http2;

        proxy_http_version 1.1;
        add_header X-V "\$upstream_status \$error_map_verdict \$error_map_code"
                   always;
        add_header X-Held \$error_map_hold_size always;

        location /stub { error_map off; stub_status; }

$locations
    }
END


# a response in a few words: status, upstream statuses, verdict, code, and the
# number of X-Error-Code headers

sub words {
    my ($r) = @_;

    my $h = $r->{headers} || {};
    my $told = @{ $h->{'x-error-code'} || [] };

    return "$r->{status}: " . (($h->{'x-v'} || ['nothing'])->[0])
           . ", told $told";
}

sub wanted {
    my ($status, $verdict) = @_;

    return "$status: $status $verdict, told "
           . ($verdict =~ /mapped|unknown/ ? 1 : 0);
}


# 1 and 2: every cut, and byte by byte

my $held = 0;
my %lists;
my @names;

for my $case (@cut) {
    my ($name, $document) = @$case;
    my $n = $n{$name};

    for my $framing (@framings, 'old') {
        for my $buffering (qw(on off)) {
            my ($head, $raw) = message(case => $n, framing => $framing,
                                       chunk => 16, headers => "X-N: 0\r\n");

            # the header's cuts are the same in all of them

            my @args = map { "body=1&cut=$_" } 0 .. length $raw;

            push @args, map { "cut=$_" } 1 .. length($head) - 1
                if $name eq 'mapped';
            push @args, 'step=1', 'step=1&chunk=1', 'step=2';

            push @names, [$case, $framing, $buffering, @args];
        }
    }
}

my @all = pipelines($port, map {
    my ($case, $framing, $buffering, @args) = @$_;
    my $end = "case=$n{$case->[0]}&framing=$framing";

    [map { /chunk/ ? "$_&$end" : "$_&chunk=16&$end" }
         "/cut/off/$buffering?cut=0",
         map { "/cut/$case->[1]/$buffering?$_" } @args]
} @names);

for (@names) {
    my ($case, $framing, $buffering, @args) = @$_;
    my ($name, undef, $body, $status, $verdict) = @$case;
    my ($off, @r) = @{ shift @all };
    my %seen;

    for my $arg (@args, @r > @args ? 'the end' : ()) {
        my $r = shift @r || { status => 0, body => '' };
        my $same = $verdict !~ /success|none/ || bare($r) eq bare($off);

        $held++ if $r->{headers}{'x-held'}[0];

        push @{ $seen{words($r)
                      . ($r->{body} eq $body && $r->{complete}
                         ? '' : ', body broken')
                      . ($same ? '' : ', rest changed')} }, $arg;
    }

    my $wanted = wanted($status, $verdict);

    is(join('; ', map { $_ eq $wanted ? $_ : "$_ at @{$seen{$_}}" }
                  sort keys %seen),
       $wanted, "$name, $framing, buffering $buffering");
}

cmp_ok($held, '>', 500, 'nginx reads between the cuts');


# 3: bodies that do not fit

my $framed = 'framing=length';
my $missed = '402: 200 mapped 402, told 1';

for my $buffering (qw(on off)) {
    for my $framing ('length', 'chunked', 'close') {
        for my $cut (0, 10, 3000, 5000) {
            for (['late', $late, $missed],
                 ['early', $early, wanted(402, 'mapped 402')])
            {
                my ($name, $body, $wanted) = @$_;
                my $r = get($port, "/small/acme/$buffering?case=$n{$name}"
                            . "&framing=$framing&cut=$cut&body=1&chunk=700");

                is(words($r), $wanted,
                   "$name, $framing, cut at $cut, buffering $buffering");
                is($r->{complete} . $r->{body}, "1$body", '... its body');
            }
        }
    }

    my $size = length $error;

    for my $left (0, 1, 18, 19, $size, $size + 1) {
        for my $cut (4096 - $left, 4096 - $left + 5, 9999) {
            my ($r, $off) = map {
                get($port, "/small/$_/$buffering?case=$n{mapped}&$framed"
                           . "&cut=$cut&head=" . (4096 - $left))
            } qw(acme off);

            # nginx itself loses the body after a header of just that size

            if ($off->{body} ne $error) {
                is("$left $buffering $r->{status} $r->{complete} $r->{body}",
                   "0 on 200 $off->{complete} $off->{body}",
                   'a header as large as the buffer');
                next;
            }

            # the next byte ends the number

            is(words($r), $left >= 19 ? wanted(402, 'mapped 402') : $missed,
               "$left bytes left, cut at $cut, buffering $buffering");
            is($r->{complete} . $r->{body}, "1$error", '... its body');
        }
    }

    for my $cut (0, 8, 20, 99) {
        my $uri = "$buffering?case=$n{stall}&$framed&body=1&cut=$cut";
        my $r = get($port, "/held/acme/$uri");

        is(words($r), wanted(200, 'undecided '),
           "hold size, cut at $cut, buffering $buffering");
        is(bare($r), bare(get($port, "/held/off/$uri")), '... as it came');
    }
}


# 4 and 5: vendors that stall, and that die; all of them at the same time

my (@jobs, @tests);
my $id = 0;

sub both {
    my ($name, $location, $buffering, $args, %test) = @_;

    $id++;

    for my $document (qw(acme off)) {
        push @jobs, { port => $port, timeout => 15, request =>
            request("/$location/$document/$buffering?$args&body=1"
                    . "&id=$id-$document") };
    }

    push @tests, { %test, name => "$name, $args, buffering $buffering",
                   id => $id };
}

for my $buffering (qw(on off)) {
    for my $framing (@framings) {
        my $args = "case=$n{stall}&framing=$framing";

        for my $cut (0, 1, 9) {
            both('hold timeout', 'timeout', $buffering,
                 "$args&cut=$cut&pause=1.5", slow => 1, complete => 1);
        }

        both('read timeout', 'patient', $buffering,
             "$args&cut=12&pause=6&end=fin", patient => 1);
    }

    for my $framing (@framings) {

        # a FIN is the regular end of a body without a length

        for my $end ($framing eq 'close' ? () : 'fin', 'rst') {
            for my $cut (0, 1, 12) {
                both('dies', 'two', $buffering, "case=$n{stall}&framing="
                     . "$framing&cut=$cut&end=$end&pause=0.3", once => 1,
                     reset => $end eq 'rst',
                     body => substr $stall, 0, $cut);
            }

            # the code came before

            both('dies later', 'two', $buffering, "case=$n{mapped}&framing="
                 . "$framing&end=$end&pause=0.3&cut="
                 . ($framing eq 'chunked' ? 26 : 20), once => 1,
                 words => wanted(402, 'mapped 402'));
        }
    }
}

# those of the read timeout apart, as it does not bear a busy vendor

my @patient = grep { $jobs[$_]{request} =~ m{^GET /patient} } 0 .. $#jobs;
my @others = grep { $jobs[$_]{request} !~ m{^GET /patient} } 0 .. $#jobs;
my @results;

@results[@$_] = exchange_all(@jobs[@$_]) for \@patient, \@others;

for my $test (@tests) {
    my ($x, $without) = splice @results, 0, 2;
    my ($r, $off) = map { parse($_->{bytes}) } $x, $without;

    is(words($r), $test->{words} || wanted(200, 'undecided '), $test->{name});

    # with a RST nginx itself may lose the last bytes

    is($r->{raw}, $off->{raw}, '... all received bytes') if !$test->{reset};
    is(bare($r), bare($off), '... as without the module')
        if !$test->{words} && !$test->{reset};
    is($r->{complete}, $off->{complete}, '... as complete');
    ok($x->{closed} && $without->{closed}, '... and it ends');
    is($r->{body}, $stall, '... the whole body') if $test->{complete};
    is($r->{body}, $test->{body}, '... the bytes') if defined $test->{body}
        && $test->{name} !~ /chunked/;

    if ($test->{slow}) {
        cmp_ok($x->{first}, '>=', 0.25, '... the header waits for the code');
        cmp_ok($x->{first}, '<', $x->{time} - 0.2, '... and not longer');
    }

    cmp_ok($x->{ended}, '<', $without->{ended} + 0.8, '... for no longer')
        if $test->{patient};

    is(asked("$test->{id}-acme"), 1, '... asked once') if $test->{once};
}


# 6: clients that leave

@jobs = ();
my @gone;

for my $buffering (qw(on off)) {
    for my $framing (@framings) {
        for my $reset (0, 1) {
            $id++;
            push @gone, $id;
            push @jobs, { port => $port, abort => 0.3, reset => $reset,
                request => request("/long/acme/$buffering?case=$n{stall}"
                    . "&framing=$framing&body=1&cut=7&end=wait&id=$id") };
        }
    }
}

my $begin = time;
exchange_all(@jobs);

is(join(' ', grep { !await("gone-$_") } @gone), '',
   'clients leave, their connections to the vendor end');
cmp_ok(time - $begin, '<', 7, '... before the hold timeout');
is(connections($port), $alone, '... and the requests');

for my $framing (@framings) {
    my $uri = "/cache/acme/on?case=$n{stall}&framing=$framing&body=1&cut=7"
              . "&pause=1&id=cache-$framing";

    exchange_all({ port => $port, abort => 0.3, request => request($uri) });
    is(connections($port), $alone, 'a client leaves, its request ends');

    my $r = get($port, $uri);

    # a response from the cache has no upstream status

    is(words($r), '402:  mapped 402, told 1', "... cached, $framing");
    is("$r->{headers}{'x-cache'}[0] $r->{body}", "HIT $stall", '... its body');
    is(asked("cache-$framing"), 1, '... asked once');
}


# 7: early answers, while the request is still sent

my $worker = worker($nginx);
my $large = 'x' x 12_000_000;

for my $location (qw(post stream)) {
    for my $buffering (qw(on off)) {
        for (['stall', 12, wanted(200, 'undecided ')],
             ['stall', 0, wanted(200, 'undecided ')],
             ['mapped', 20, wanted(402, 'mapped 402')])
        {
            my ($name, $cut, $wanted) = @$_;
            my @seen;

            for my $document (qw(acme off)) {
                $id++;

                my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                              PeerPort => $port)
                    or die "connect: $!";

                # a buffered request is sent when it is complete

                my $first = $location eq 'post' ? length $large : 100_000;

                put($s, "POST /$location/$document/$buffering?case=$n{$name}"
                        . "&$framed&cut=$cut&id=$id HTTP/1.1\r\nHost: e\r\n"
                        . "Connection: close\r\nContent-Length: "
                        . length($large) . "\r\n\r\n"
                        . substr $large, 0, $first);

                await("met-$id") or diag("vendor $id was not asked");
                sleep 0.05;

                kill 'STOP', $worker;
                mark("go-$id");
                await("said-$id") or diag("vendor $id said nothing");
                syswrite $s, $large, 100_000, $first
                    if $first < length $large;
                kill 'CONT', $worker;

                local $SIG{ALRM} = sub { die "no end of $id" };
                alarm 15;
                my $bytes = '';
                while (sysread $s, $bytes, 65536, length $bytes) { }
                alarm 0;

                push @seen, parse($bytes);
            }

            my ($r, $off) = @seen;

            is(words($r), $wanted,
               "$location, cut at $cut, buffering $buffering");
            is($r->{body}, substr($cases[$n{$name}][2], 0, $cut),
               '... the received bytes');
            is($r->{raw}, $off->{raw}, '... as without the module');
        }
    }
}

unlike(slurp("$nginx->{dir}/error.log"),
       qr/prematurely closed connection while reading response header/,
       'each response has a header');


# 8: responses that pass unchanged, and connections that are reused

for my $name (sort keys %fixed) {
    my $location = $name eq '101' ? 'upgrade' : 'fixed';
    my $headers = $name eq '101' ? "Upgrade: x\r\n" : '';

    my ($r, $off) = map {
        get($port, "/$location/$_/on?$name", headers => $headers,
            method => $name eq 'HEAD' ? 'HEAD' : 'GET')
    } qw(acme off);

    my $status = $name eq 'HEAD' ? 200 : $name;

    is("$r->{status} " . ($r->{headers}{'x-v'}[0] || 'silent') =~ s/ +$//r,
       "$status $status skipped", "$name passes unchanged")
        if $name ne '101';
    is(bare($r), bare($off), "$name, as without the module");
    is($r->{status}, $status, '... its status');
}

my $two_parts = "case=$n{mapped}&$framed&body=1&cut=12&pause=0.05";

my $curl = qx(curl -s -i --http2-prior-knowledge --max-time 10 \\
              'http://127.0.0.1:$h2/cut/acme/on?$two_parts');

my ($h2_head, $h2_body) = split /\r\n\r\n/, $curl, 2;

like($h2_head, qr{^HTTP/2 402.*^x-v: 402 mapped 402\r$}ms, 'HTTP/2');
is($h2_body, $error, '... its body');

for my $framing ('length', 'chunked') {
    my $c = connection($port);

    for my $n (0 .. 3) {
        my $r = ask($c, request("/cut/acme/on?case=$n{mapped}&framing=$framing"
                                . '&body=1&cut=12&pause=0.02',
                                connection => 'keep-alive'));

        is(words($r), wanted(402, 'mapped 402'), "$framing, kept alive, $n");
        is($r->{body}, $error, '... its body');
        cmp_ok($r->{headers}{'x-n'}[0], '>', 0, '... the vendor, too') if $n;
    }
}


# 9: the next server

my (@retries, @retry_args);

for my $buffering (qw(on off)) {
    for my $framing (@framings, 'old') {
        my (undef, $raw) = message(case => $n{retry}, framing => $framing);

        for my $how ((map { "body=1&cut=$_" } 0 .. length($raw) - 1),
                     'step=1', 'step=1&chunk=1')
        {
            $id++;
            push @retry_args, "$how, $framing, buffering $buffering";
            push @retries, { port => $port, request =>
                request("/two/acme/$buffering?case=$n{retry}&framing=$framing"
                        . "&id=$id&$how") };
        }
    }
}

my %seen;

for my $x (exchange_all(@retries)) {
    my $r = parse($x->{bytes});

    push @{ $seen{words($r) . " $r->{complete} $r->{body}"} },
         shift @retry_args;
}

my $wanted = '200: 503, 200 success 0, told 0 1 {"a":0,"code":0}';

is(join('; ', map { $_ eq $wanted ? $_ : "$_ at @{$seen{$_}}" }
              sort keys %seen), $wanted, 'the next server');

is(connections($port), $alone, 'no request is left');

stop($nginx);
done_testing();
