# All cases over every version of HTTP, on connections that serve more requests.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp;
use Test::More;

my $port = free_port();
my $h2_port = free_port();
my $vendor = case_vendor();

my ($h2_listen, $h2_on) = version() < 1025001 ? (' http2', '')
                                              : ('', 'http2 on;');

my $server = start(port => $port, http => <<"END");
    proxy_cache_path %DIR%/cache keys_zone=cache:1m;
    keepalive_requests 10000;

    server {
        listen 127.0.0.1:$port;
        listen 127.0.0.1:$h2_port$h2_listen;
        $h2_on

        location /off/ {
            proxy_pass http://127.0.0.1:$vendor/;
            proxy_http_version 1.1;
        }

        location /on/ {
            error_map tencent_iotvideo;
            add_header X-Verdict \$error_map_verdict always;
            proxy_pass http://127.0.0.1:$vendor/;
            proxy_http_version 1.1;
        }

        location /cached/ {
            error_map tencent_iotvideo;
            add_header X-Verdict \$error_map_verdict always;
            add_header X-Cache \$upstream_cache_status always;
            proxy_pass http://127.0.0.1:$vendor/;
            proxy_cache cache;
            proxy_cache_valid 200 1m;
        }
    }
END

sub request {
    my ($uri, %arg) = @_;

    return join "\r\n", ($arg{method} || 'GET') . " $uri HTTP/"
        . ($arg{version} || '1.1'), 'Host: e', @{ $arg{headers} || [] },
        '', '';
}


# HTTP/1.x, the connection is closed

for my $version ('1.0', '1.1') {
    for my $framing (qw(length chunked close)) {
        for my $case (@cases) {
            my ($on, $off) = map { get($port, "/$_/$framing/$case->{name}?wait",
                                       version => $version) } qw(on off);

            edge_ok($on, $off, $case,
                    "HTTP/$version, $framing, $case->{name}");
        }
    }
}


# HTTP/0.9, if nginx has it: a body without a header

for my $name (qw(mapped late-mapped)) {
    my ($on, $off) = map { exchange($port, "GET /$_/length/$name\r\n")->{bytes}
                         } qw(on off);

    is($on, $off, "HTTP/0.9, $name");
}


# HTTP/1.x, one connection for all, in turns and then all at once

for my $version ('1.0', '1.1') {
    my @framings = $version eq '1.0' ? 'length' : qw(length chunked close);
    my (%request, $all, @expect);

    my $on = connection($port);
    my $off = connection($port);

    for my $framing (@framings) {
        for my $case (@cases) {
            my ($with, $without) = map {
                request("/$_/$framing/$case->{name}?wait", version => $version,
                        headers => ['Connection: keep-alive'])
            } qw(on off);

            my $expect = ask($off, $without);

            edge_ok(ask($on, $with), $expect, $case,
                    "HTTP/$version kept alive, $framing, $case->{name}");

            $all .= $with;
            push @expect, [$framing, $case, $expect];
        }
    }

    my $first = ask($on, $all);

    for (@expect) {
        my ($framing, $case, $expect) = @$_;

        edge_ok($first || ask($on, ''), $expect, $case,
                "HTTP/$version pipelined, $framing, $case->{name}");
        undef $first;
    }

    is($on->{bytes}, '', "HTTP/$version, nothing follows");
}


# HEAD is skipped, and the connection serves the next request

my $on = connection($port);
my $off = connection($port);

for my $case (@cases) {
    my $expect = ask($off, request("/off/length/$case->{name}",
                                   method => 'HEAD'), head => 1);

    same_ok(ask($on, request("/on/length/$case->{name}", method => 'HEAD'),
                head => 1), $expect, "HEAD, $case->{name}");
}

edge_ok(ask($on, request('/on/length/mapped')),
        ask($off, request('/off/length/mapped')), $cases{mapped},
        'GET after HEAD');


# a HEAD that fills the cache (proxy_cache_convert_head) does not decide the
# verdict of a later GET

for my $case (@cases) {
    my $uri = "/cached/length/$case->{name}";
    my $c = connection($port);
    my @got;

    for my $method (qw(HEAD GET HEAD GET)) {
        my $r = ask($c, request($uri, method => $method),
                    head => $method eq 'HEAD');

        push @got, join ' ', $method, $r->{status},
                   map { $r->{headers}{$_}[0] || '-' }
                   qw(x-cache x-verdict x-error-code);
    }

    my $status = $case->{status} || 200;
    my $code = $case->{code} || '-';
    my $verdict = verdict($case);

    is_deeply(\@got, ['HEAD 200 MISS skipped -',
                      "GET $status HIT $verdict $code",
                      'HEAD 200 HIT skipped -',
                      "GET $status HIT $verdict $code"],
              "HEAD to GET, cached, $case->{name}");
}


# HTTP/2, with curl

for my $framing (qw(length chunked)) {
    for my $case (@cases) {
        my $expect = h2($h2_port, "/off/$framing/$case->{name}?wait");

        like($expect->{line}, qr{^HTTP/2 200}, 'it is HTTP/2');

        edge_ok(h2($h2_port, "/on/$framing/$case->{name}?wait"), $expect, $case,
                "HTTP/2, $framing, $case->{name}");
    }
}

same_ok(h2($h2_port, '/on/length/mapped', head => 1),
        h2($h2_port, '/off/length/mapped', head => 1), 'HTTP/2, HEAD');


# ... and with nghttp all at the same time, on one connection whose windows are
# far smaller than the bodies

my @frames = qx(nghttp -nv -t 20 -w 12 @{[ map {
                "'http://127.0.0.1:$h2_port/on/chunked/$_->{name}?wait'"
                } @cases ]});

my (%stream, $id);

for (@frames) {
    $id = $1 if /\bstream_id=(\d+)/;
    next if !$id;

    $stream{$id}{name} = $1 if m{:path: /on/chunked/([\w-]+)};
    $stream{$id}{status} = $1 if / :status: (\d+)/;

    if (/ recv DATA frame <length=(\d+), flags=0x(\d+)/) {
        $stream{$id}{size} += $1;
        $stream{$id}{end} = 1 if $2 & 1;
    }
}

is_deeply([map { $_->{end} ? "$_->{name} $_->{status} $_->{size}" : () }
           sort { $a->{name} cmp $b->{name} } grep { $_->{name} }
           values %stream],
          [map { join ' ', $_->{name}, $_->{status} || 200, length $_->{body} }
           sort { $a->{name} cmp $b->{name} } @cases],
          'HTTP/2, all at once');

stop($server);
done_testing();
