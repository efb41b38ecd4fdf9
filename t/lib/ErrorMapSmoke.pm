package ErrorMapSmoke;

# About a hundred checks of the whole module in the nginx under test: for builds
# of other versions, forks and processors.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT reload workers);
use Exporter qw(import);
use IO::Compress::Gzip qw(gzip);
use Test::More;
use Time::HiRes qw(sleep);

our @EXPORT = qw(smoke);


# code, status at the edge, verdict, class, title in a problem body

my @kinds = (
    [42505, 402, 'mapped', 'RESOURCE_EXHAUSTED',
     'too many concurrent downloads'],
    [52501, 456, 'mapped', 'INTERNAL', 'memory error'],
    [99999, 502, 'unknown', 'UNKNOWN', 'unknown error code'],
    [undef, 200, 'none'],
);

my @ways = qw(now late gzip drops);


# bytes above 0x7f, escapes and values to skip are before the code

sub body {
    my ($code) = @_;
    my $text = qq({"a":[1,{"StatusCode":2}],"b":"\xc3\xa9\\"}","RequestId":"r",);

    return $text . (defined $code ? qq("StatusCode":$code,) : '')
           . '"Message":"m"}';
}


# answers /WAY/CODE: at once, after its header, compressed, byte by byte

sub answer {
    my ($s, $request) = @_;
    my ($way, $code) = $request =~ m{^\w+ \S*/(\w+)/(\d*) };
    my $body = body($code eq '' ? undef : $code);
    my $head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

    if ($way eq 'gzip') {
        gzip(\(my $plain = $body), \$body, -Minimal => 1) or die 'gzip';
        $head .= "Content-Encoding: gzip\r\n";
    }

    if ($way eq 'late') {
        print $s "${head}Transfer-Encoding: chunked\r\n\r\n";
        sleep 0.02;
        printf $s "%x\r\n%s\r\n0\r\n\r\n", length $body, $body;
        return 1;
    }

    $head .= 'Content-Length: ' . length($body) . "\r\n\r\n";

    if ($way eq 'drops') {
        print $s $head;

        for (split //, $body) {
            sleep 0.001;
            print $s $_;
        }

        return 1;
    }

    print $s $head . $body;
    return 1;
}


sub conf {
    my ($port, $vendor, $second) = @_;

    return <<"END";
    error_map_zone counters 1m;
    error_map_policy smoke { unknown 502; }
    error_map_policy busy { code tencent_iotvideo/42505 429 retry_after=2s; }

    error_map_document text {
        source regex "code=(\\d+)";
        success 0;
        range 7-9 418 UNAVAILABLE "a range";
    }

    proxy_cache_path %DIR%/cache keys_zone=cache:1m;
    proxy_http_version 1.1;
    proxy_set_header Connection "";

    upstream accounts {
        server 127.0.0.1:$vendor max_fails=0;
        server 127.0.0.1:$second backup;
    }

    server {
        listen 127.0.0.1:$port;

        error_map tencent_iotvideo policy=smoke;
        error_map_header X-Code \$error_map_code;
        add_header X-Verdict \$error_map_verdict always;

        location /off/ {
            error_map off;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /filter/ { proxy_pass http://127.0.0.1:$vendor; }

        location /upstream/ {
            error_map_upstream on;
            proxy_next_upstream http_429;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /problem/ {
            error_map_body problem;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /intercept/ {
            error_map_intercept on;
            error_page 402 456 502 \@page;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location \@page {
            error_map off;
            default_type text/plain;
            return 409 "page \$error_map_code";
        }

        location /dry/ {
            error_map_dry_run on;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /cache/ {
            error_map_upstream on;
            add_header X-Verdict \$error_map_verdict always;
            add_header X-Cache \$upstream_cache_status always;
            proxy_cache cache;
            proxy_cache_valid any 1h;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /retry/ {
            error_map tencent_iotvideo policy=busy;
            error_map_upstream on;
            add_header X-Verdict \$error_map_verdict always;
            add_header X-Tried \$upstream_status always;
            proxy_next_upstream http_429;
            proxy_pass http://accounts;
        }

        location /text/ {
            error_map text;
            error_map_types text/plain;
            default_type text/plain;
            return 200 \$arg_body;
        }

        location = /metrics { error_map_metrics prometheus; }
        location = /json { error_map_metrics json; }
    }
END
}


# smoke(name, modules => lines that load the module): all checks of the nginx
# that ErrorMap runs

sub smoke {
    my ($name, %arg) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $vendor = vendor(\&answer);
    my $second = vendor(sub {
        my ($s) = @_;

        print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                 . "Content-Length: 18\r\n\r\n" . '{"StatusCode":200}';
        return 1;
    });

    my $port = free_port();
    my $edge = start(port => $port, %arg,
                     http => conf($port, $vendor, $second));

    # status, verdict, code and other headers of a response, and its body

    my $ask = sub {
        my ($uri, @headers) = @_;
        my $r = get($port, $uri);

        $r->{body} .= ' incomplete' if !$r->{complete};

        return $r, join ' ', map { $_ // '-' } $r->{status},
                   map { $r->{headers}{$_}[0] } qw(x-verdict x-code), @headers;
    };

    for my $kind (@kinds) {
        my ($code, $status, $verdict) = @$kind;
        my $expected = join ' ', $status, $verdict, $code // '-';

        for my $way (@ways) {
            my $uri = "$way/" . ($code // '');
            my ($plain) = $ask->("/off/$uri");

            for my $layer (qw(filter upstream)) {
                my ($r, $got) = $ask->("/$layer/$uri", 'content-encoding');

                is($got, $expected . ($way eq 'gzip' ? ' gzip' : ' -'),
                   "$name: $layer, $uri");
                is($r->{body}, $plain->{body}, '... and the vendor\'s body');
            }
        }
    }

    for my $kind (@kinds) {
        my ($code, $status, $verdict, $class, $title) = @$kind;
        my $shown = $code // '';

        for my $way (qw(now late gzip)) {
            my ($r) = $ask->("/problem/$way/$shown");
            my ($plain) = $ask->("/off/$way/$shown");

            is($r->{body}, !$code ? $plain->{body}
               : qq({"type":"about:blank","title":"$title","status":$status,)
                 . qq("vendor":"tencent_iotvideo","code":"$code","class":)
                 . qq("$class","upstream_status":200,"detail":"m",)
                 . '"request_id":"r"}', "$name: problem, $way/$shown");
        }

        my ($page) = $ask->("/intercept/now/$shown");
        my $got;

        is($page->{body}, $code ? "page $code" : body(),
           "$name: intercept, $shown");

        ($page, $got) = $ask->("/dry/late/$shown");
        is("$got $page->{body}", "200 $verdict - " . body($code),
           "$name: dry run, $shown");

        ($page, $got) = $ask->("/cache/now/$shown", 'x-cache');
        is($got, join(' ', $status, $verdict, $code // '-', 'MISS'),
           "$name: cache, $shown");
        ($page, $got) = $ask->("/cache/now/$shown", 'x-cache');
        is("$got $page->{body}",
           join(' ', $status, $verdict, $code // '-', 'HIT', body($code)),
           '... from the cache');
    }

    is(($ask->('/retry/now/42505', 'x-tried'))[1], '200 success - 429, 200',
       "$name: retry of a quota");
    is(($ask->('/retry/late/42505', 'x-tried'))[1], '200 success - 429, 200',
       '... whose body is late');
    is(($ask->('/retry/now/52501', 'x-tried'))[1], '456 mapped 52501 456',
       '... of that only');

    is(($ask->('/text/?body=code=8'))[1], '418 mapped 8', "$name: a pattern");
    is(($ask->('/text/?body=code=0'))[1], '200 success -', '... a success');
    is(($ask->('/text/?body=kode=8'))[1], '200 none -', '... no match');

    my $old = join ' ', workers($edge);

    reload($edge);
    isnt(join(' ', workers($edge)), $old, "$name: reload");
    is(($ask->('/filter/late/42505'))[1], '402 mapped 42505', '... it maps');

    my ($page) = $ask->('/metrics');

    like($page->{body}, qr/^nginx_error_map_responses_total\{document="text",
                           verdict="mapped"\}[ ]1$/mx,
         '... and has its counters');
    like($page->{body}, qr/_codes_total\{document="tencent_iotvideo",
                           code="42505",[^}]*\}[ ][1-9]/mx, '... of codes');

    ($page) = $ask->('/json');
    like($page->{body}, qr/^\{"version":.*\]\}\s*\z/s, '... in JSON, too');

    stop($edge);
}


1;
