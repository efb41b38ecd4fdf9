# Features of nginx after 1.22: HTTP/2 to upstreams (1.29.4), early hints
# (1.29.0) and trailers (1.27.2).  An nginx without one refuses its directive.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp;
use Test::More;

my $vendor = case_vendor();

my $http = <<"END";
    server {
        listen 127.0.0.1:%PORT%;
        location / { %EXTRA% proxy_pass http://127.0.0.1:$vendor; }
    }
END

sub can {
    my ($since, $directive) = @_;

    my $text = $http;
    $text =~ s/%PORT%/free_port()/e;
    $text =~ s/%EXTRA%/$directive/;

    my $error = configuration_error($text);

    if (version() >= $since) {
        is($error, '', "nginx knows $directive");
        return 1;
    }

    like($error, qr/unknown directive|invalid value/,
         "an older nginx refuses $directive");
    return 0;
}


if (can(1029004, 'proxy_http_version 2;')) {
    my $h2 = free_port();
    @ports = (free_port(), free_port());

    my @servers = map {
        my $on = $_ == $ports[0]
            ? 'error_map tencent_iotvideo; '
              . 'add_header X-Verdict $error_map_verdict always;' : '';
        <<"END";
    server {
        listen 127.0.0.1:$_;
        $on
        proxy_http_version 2;

        location /on/ { proxy_pass http://127.0.0.1:$h2/; }
        location /off/ {
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$h2/;
        }
        location /upstream/ {
            error_map_upstream on;
            proxy_pass http://127.0.0.1:$h2/;
        }
        location /sent-on/ {
            proxy_request_buffering off;
            proxy_pass http://127.0.0.1:$h2/;
        }
        location /sent-upstream/ {
            proxy_request_buffering off;
            error_map_upstream on;
            proxy_pass http://127.0.0.1:$h2/;
        }
    }
END
    } @ports;

    my $edge = start(port => $ports[0], http => <<"END");
    server {
        listen 127.0.0.1:$h2;
        http2 on;

        location / {
            proxy_pass http://127.0.0.1:$vendor;
            proxy_buffering off;
        }
    }
@servers
END

    # a request that is sent while it is read is gone when the response comes

    my $body = "Content-Length: 100000\r\n\r\n" . 'x' x 100000;

    for my $way (qw(on off upstream sent-on sent-upstream)) {
        for my $case (@cases) {
            for my $framing (qw(length chunked)) {
                my ($with, $without)
                    = both("/$way/$framing/$case->{name}?wait",
                           $way =~ /^sent/ ? (headers => $body) : ());

                edge_ok($with, $without, $case,
                        "HTTP/2 upstream, $way, $framing, $case->{name}");
            }
        }
    }

    stop($edge);
}


# early hints are not the response, the next header is

my $hints = vendor(sub {
    my ($s, $request) = @_;

    my ($name) = $request =~ m{^GET /\w+/([\w-]+)};
    my $body = $cases{$name}{body};

    print $s "HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n";
    select undef, undef, undef, 0.02 if $request =~ /wait/;
    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             . 'Content-Length: ' . length($body) . "\r\n\r\n$body";

    return 1;
});

if (can(1029000, 'early_hints 1;')) {
    my $port = free_port();

    my $edge = start(port => $port, http => <<"END");
    server {
        listen 127.0.0.1:$port;
        error_map tencent_iotvideo;
        early_hints 1;

        location /on/ { proxy_pass http://127.0.0.1:$hints; }
        location /upstream/ {
            error_map_upstream on;
            proxy_pass http://127.0.0.1:$hints;
        }
    }
END

    for my $way (qw(on upstream)) {
        for my $case (@cases) {
            for my $wait ('', '?wait') {
                my $what = "early hints, $way$wait, $case->{name}";
                my $bytes = exchange($port, "GET /$way/$case->{name}$wait "
                                            . "HTTP/1.1\r\nHost: e\r\n"
                                            . "Connection: close\r\n\r\n"
                                     )->{bytes};

                ok($bytes =~ s{^HTTP/1.1\ 103\ Early\ Hints\r\n
                               Link:\ </x>;\ rel=preload\r\n\r\n}{}x,
                   "$what: the client gets the hints");

                my $r = parse($bytes);

                is($r->{status}, $case->{status} || 200, '... the status');
                is($r->{headers}{'x-error-code'}[0], $case->{code},
                   '... the code');
                ok($r->{complete} && $r->{body} eq $case->{body},
                   '... and the body');
            }
        }
    }

    stop($edge);
}


# a trailer comes after a held body, and is not inspected

my $trailers = vendor(sub {
    my ($s, $request) = @_;

    my ($name) = $request =~ m{^GET /([\w-]+)};

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             . "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n";

    for ($cases{$name}{body} =~ /(.{1,3000})/gs) {
        printf $s "%x\r\n%s\r\n", length, $_;
        select undef, undef, undef, 0.002;
    }

    print $s "0\r\nX-Sum: 17\r\n\r\n";

    return 1;
});

if (can(1027002, 'proxy_pass_trailers on;')) {
    my $port = free_port();

    my $edge = start(port => $port, http => <<"END");
    server {
        listen 127.0.0.1:$port;
        error_map tencent_iotvideo;
        proxy_http_version 1.1;
        proxy_set_header TE trailers;
        proxy_set_header Connection te;
        proxy_pass_trailers on;

        location / { proxy_pass http://127.0.0.1:$trailers; }
    }
END

    for my $case (@cases) {
        my $r = get($port, "/$case->{name}",
                    headers => "TE: trailers\r\n");

        is($r->{status}, $case->{status} || 200,
           "a trailer, $case->{name}: the status");
        ok($r->{complete} && $r->{body} eq $case->{body}, '... the body');
        is($r->{trailer}, "X-Sum: 17\r\n\r\n", '... and the trailer');
    }

    # the end of the text decides, so the trailer is there before the verdict

    my $h2 = free_port();
    my $late = vendor(sub {
        my ($s) = @_;

        print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                 . "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n";
        select undef, undef, undef, 0.1;
        print $s "5\r\n42505\r\n0\r\nX-Sum: 17\r\n\r\n";

        return 1;
    });

    my $problem = start(port => $h2, http => <<"END");
    error_map_document whole { source json ""; 42505 402 INTERNAL x; }

    server {
        listen 127.0.0.1:$h2;
        http2 on;
        error_map whole;
        proxy_http_version 1.1;
        proxy_set_header TE trailers;
        proxy_set_header Connection te;
        proxy_pass_trailers on;

        location /keep { proxy_pass http://127.0.0.1:$late; }

        location /problem {
            error_map_body problem;
            proxy_pass http://127.0.0.1:$late;
        }
    }
END

    for my $body ('keep', 'problem') {
        my $out = `nghttp -v -H 'te: trailers' http://127.0.0.1:$h2/$body`;

        like($out, qr/ :status: 402\n/, "$body: the status");

        is($out =~ / x-sum: 17\n/ ? 'sent' : 'not sent',
           $body eq 'keep' ? 'sent' : 'not sent',
           '... a trailer goes with the body that it describes');
    }

    stop($problem);
    stop($edge);
}

done_testing();
