# HTTP/3 clients get what HTTP/2 clients get: curl of Debian 13 and nginx of
# Debian testing, over QUIC.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream qw(median);
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(sleep time);

my $root = $ErrorMap::root;
my $build = "$root/build";

sub must {
    my ($command) = @_;

    my $out = `$command 2>&1`;
    BAIL_OUT("$command: $out") if $?;
}

must("$root/tools/suite forky");
must("$root/tools/debian system trixie curl $build/curl-trixie");
must("$root/tools/deps openssl");

$ENV{TEST_NGINX_BINARY} = "$build/debian-forky/nginx";
$ENV{ERROR_MAP_MODULE} = "$build/debian-forky/module.so";

# the program runs on the C library of its own suite

my $lib = (glob "$build/curl-trixie/usr/lib/*-linux-gnu")[0];
my $curl = (glob "$lib/ld-linux*.so.*")[0]
           . " --library-path $lib $build/curl-trixie/usr/bin/curl";

like(`$curl --version`, qr/\bHTTP3\b/, 'curl knows HTTP/3');

my $dir = tempdir(CLEANUP => 1);
chmod 0755, $dir;

must("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 9"
     . " -keyout $dir/key.pem -out $dir/cert.pem");


# WHEN-WHAT: the vendor's answer, with its header or later

my %body = (error => '{"StatusCode":42505,"Message":"quota"}',
            good => '{"StatusCode":200,"Data":"' . 'x' x 30000 . '"}',
            event => qq(data: {"StatusCode":42505}\n\n),
            events => qq(: hello\n\ndata: {"StatusCode":200}\n\n)
                      . join '', map { "data: {\"n\":$_}\n\n" } 1 .. 50);

sub answer {
    my ($s, $head) = @_;

    my ($when, $what) = $head =~ m{^\w+ \S*/(\w+)-(\w+)};

    return send_times($s) if $when eq 'times';

    my $type = $what =~ /^event/ ? 'text/event-stream' : 'application/json';
    my $body = $body{$what};

    print $s "HTTP/1.1 200 OK\r\nContent-Type: $type\r\nContent-Length: ",
             length $body, "\r\n\r\n", $when eq 'now' ? $body : '';

    if ($when eq 'late') {
        sleep 0.1;
        print $s substr $body, 0, 20;
        sleep 0.1;
        print $s substr $body, 20;
    }

    return 0;
}

# a stream, each of whose events has the time at which it was sent

sub send_times {
    my ($s) = @_;

    print $s "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

    for (1 .. 5) {
        sleep 0.01;
        printf $s "data: {\"StatusCode\":200,\"t\":%.6f}\n\n", time;
    }

    return 0;
}

my $vendor = vendor(\&answer);

my $second = vendor(sub {
    my ($s) = @_;

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
             "Content-Length: 28\r\n\r\n", '{"StatusCode":200,"n":12345}';
    return 0;
});

my ($port, $tls) = (free_port(), free_port());

my $server = start(port => $port, http => <<"END");
    error_map_policy busy { code tencent_iotvideo/42505 429 retry_after=2s; }

    upstream accounts {
        server 127.0.0.1:$vendor max_fails=0;
        server 127.0.0.1:$second backup;
    }

    server {
        listen 127.0.0.1:$port;
        listen 127.0.0.1:$port quic reuseport;
        listen 127.0.0.1:$tls ssl;
        http2 on;

        ssl_certificate $dir/cert.pem;
        ssl_certificate_key $dir/key.pem;

        error_map tencent_iotvideo;
        error_map_types application/json text/event-stream;
        add_header X-Verdict \$error_map_verdict always;

        location /map { proxy_pass http://127.0.0.1:$vendor; }

        location /off {
            error_map off;
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /direct {
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /problem {
            error_map_body problem;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /intercept {
            error_map_intercept on;
            error_page 402 \@page;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location \@page { error_map off; return 402 "page \$error_map_code"; }

        location /retry {
            error_map tencent_iotvideo policy=busy;
            error_map_upstream on;
            proxy_next_upstream error http_429 non_idempotent;
            proxy_pass http://accounts;
        }
    }
END


# nginx 1.30.6 leaves a request over HTTP/3 without any answer now and then if
# the machine is busy, with the module off, too: it is sent once more, and such
# requests are counted

my $unanswered = 0;

sub answered {
    my ($get) = @_;

    my @answer = $get->();
    return @answer if @answer;

    $unanswered++;
    return $get->();
}


# the status, the headers that matter, and the body

sub ask {
    my ($version, $uri, @more) = @_;

    my $to = $version eq '--http3-only' ? $port : $tls;
    my ($out) = answered(sub {
        my $answer = `$curl -sk -i --max-time 10 $version @more https://127.0.0.1:$to$uri`;

        return $answer eq '' ? () : $answer;
    });

    $out //= '';

    my ($head, $body) = split /\r\n\r\n/, $out, 2;
    my ($got, @headers) = split /\r\n/, $head // '';
    my ($number, $status) = ($got // '') =~ m{^HTTP/(\S+) (\d+)};

    return ($number // 'none',
            join "\n", $status // 'none',
                 (sort grep { /^(?:x-|retry|content-)/ } @headers),
                 $body // '');
}

my %expected = ('/map/now-error' => 402, '/map/late-error' => 402,
                '/map/now-good' => 200, '/map/late-good' => 200,
                '/direct/late-error' => 402, '/direct/late-good' => 200,
                '/problem/now-error' => 402, '/problem/late-error' => 402,
                '/intercept/now-error' => 402, '/intercept/late-error' => 402,
                '/retry/now-error' => 200, '/retry/late-error' => 200,
                '/map/now-event' => 402, '/direct/late-event' => 402,
                '/map/late-events' => 200, '/direct/late-events' => 200);

for my $uri (sort keys %expected) {
    for my $method ('', '-X POST -d a=b') {

        my ($three, $answer) = ask('--http3-only', $uri, $method);
        my (undef, $as) = ask('--http2', $uri, $method);

        is($three, 3, "$uri $method: HTTP/3");
        is($answer, $as, '... as over HTTP/2');
        like($answer, qr/^$expected{$uri}$/m, "... $expected{$uri}");
    }
}

# a stream's events are no later than without the module

sub delays {
    my ($where) = @_;

    open my $out, '-|', "$curl -skN --max-time 10 --http3-only"
                        . " https://127.0.0.1:$port/$where/times-events"
        or die "curl: $!";

    my ($bytes, @delays) = ('');

    while (sysread $out, $bytes, 4096, length $bytes) {
        my $now = time;

        push @delays, $now - $1 while $bytes =~ s/"t":([\d.]+)\}\n\n//;
    }

    close $out;
    diag("$where: curl ends with $?, " . @delays . " events, \"$bytes\"")
        if @delays != 5;

    return @delays;
}

my ($first, $later, $events) = (1, 1, 0);

for (1 .. 3) {
    my %first = (off => [], direct => []);
    my %later = (off => [], direct => []);

    for (1 .. 10) {
        for my $where (qw(off direct)) {
            my ($one, @others) = answered(sub { delays($where) });

            push @{ $first{$where} }, $one;
            push @{ $later{$where} }, @others;
            $events += 1 + @others;
        }
    }

    my ($x, $y) = map { my $of = $_; median(@{ $of->{direct} })
                                     - median(@{ $of->{off} }) }
                  \%first, \%later;

    $first = $x if $x < $first;
    $later = $y if $y < $later;
}

diag(sprintf 'the first event %.3f ms later, the others %.3f ms',
     map { 1000 * $_ } $first, $later);

is($events, 3 * 10 * 2 * 5, 'all events of the streams came');
cmp_ok($first, '<', 0.001, 'the first one at most a millisecond later');
cmp_ok($later, '<', 0.001, '... and so the others');

cmp_ok($unanswered, '<', 5, 'no more requests without an answer than a few');

# a client that leaves while its response is held

ask('--http3-only', '/map/late-good', '--max-time 0.05') for 1 .. 20;

is((ask('--http3-only', '/map/now-error'))[0], 3, 'clients that left: no harm');

stop($server);

done_testing();
