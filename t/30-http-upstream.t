# Responses of a vendor: every way to frame and to read them, every status,
# those that must pass unchanged, and the other protocols of nginx's upstreams.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp;
use ErrorMapUpstream qw(cgi_complete);
use IO::Compress::Gzip qw(gzip);
use Test::More;
use Time::HiRes qw(sleep);

my @modes = map { my $buffering = $_;
                  map { { name => "buffering-$buffering-$_", version => $_,
                          buffering => $buffering } } qw(1.0 1.1) } qw(on off);

my ($port, $plain_port) = @ports = (free_port(), free_port());
my $vendor = case_vendor();
my $counting = case_vendor(sub { "X-Number: $_[1]\r\n" });


# complete responses, by the last part of the URI

my $json = $cases{mapped}{body};
gzip(\$json, \my $gzipped) or die;
gzip(\$cases{success}{body}, \my $success_gzipped) or die;

my $type = 'Content-Type: application/json';

my %plain = (
    '204' => "HTTP/1.1 204 No Content\r\n$type\r\n\r\n",
    '205' => "HTTP/1.1 205 Reset Content\r\n$type\r\n"
             . 'Content-Length: ' . length($json) . "\r\n\r\n$json",
    '206' => "HTTP/1.1 206 Partial Content\r\n$type\r\n"
             . 'Content-Range: bytes 0-' . (length($json) - 1) . "/1000\r\n"
             . 'Content-Length: ' . length($json) . "\r\n\r\n$json",
    '304' => "HTTP/1.1 304 Not Modified\r\n$type\r\nETag: \"x\"\r\n\r\n",
    '100' => "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
             . "Content-Type: text/plain\r\n\r\nok",
    '103' => "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n"
             . "Content-Type: text/plain\r\n\r\nok",
    'gzip' => encoded('gzip', $gzipped),
    'gzip-success' => encoded('gzip', $success_gzipped),
    'gzip-that-lies' => encoded('gzip', $json),
    'gzip-in-capitals' => encoded('GZIP', $gzipped),
    'deflate-that-lies' => encoded('deflate', $json),
    'br-that-lies' => encoded('br', $json),
    'unknown-coding' => encoded('x', $json),
    'two-codings' => encoded('identity, gzip', $gzipped),
    'identity' => encoded('identity', $json),
    'identity-in-capitals' => encoded('Identity', $json),
    'no-coding' => encoded('', $json),
    'validators-twice' => "HTTP/1.1 200 OK\r\n$type\r\n"
        . ("ETag: \"a\"\r\nLast-Modified: Mon, 28 Sep 1970 06:00:00 GMT\r\n"
           . "Accept-Ranges: bytes\r\n") x 2
        . 'Content-Length: ' . length($json) . "\r\n\r\n$json",
);

sub encoded {
    my ($coding, $body) = @_;

    return "HTTP/1.1 200 OK\r\n$type\r\nContent-Encoding: $coding\r\n"
           . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
}

my $plain = vendor(sub {
    my ($s, $request) = @_;

    $request =~ m{^\S+ /(\S+)} or die;
    print $s $plain{$1};

    return 0;
});


# the other protocols, as far as the tests need them; nginx sends CASE=<uri>

sub cgi {
    my ($protocol) = @_;

    return vendor(sub {
        my ($s) = @_;
        my $request = '';

        while (!cgi_complete($protocol, $request)) {
            sysread $s, $request, 65536, length $request or return;
        }

        my ($framing, $name, $wait)
            = $request =~ m{</[\w-]+/(\w+)/([\w-]+)(\?wait)?>} or die;

        my $body = $cases{$name}{body};
        my $head = "Status: 200 Fine\r\nContent-Type: application/json\r\n"
            . "ETag: \"$name\"\r\n"
            . ($framing eq 'length'
               ? 'Content-Length: ' . length($body) . "\r\n" : '') . "\r\n";

        for (split /(?<=\r\n\r\n)/, $head . $body, 2) {
            my $part = $_;

            # records of stdout with some padding, then the end of the request

            if ($protocol eq 'fastcgi') {
                $part =~ s/(.{1,5000})/pack('CCnnCx', 1, 6, 1, length $1, 3)
                                       . "$1..."/gse;
            }

            print $s $part;
            sleep 0.02 if $wait;
        }

        print $s pack 'CCnnCx Nx4', 1, 3, 1, 8, 0, 0 if $protocol eq 'fastcgi';
    }, raw => 1);
}

my @protocols = qw(uwsgi scgi fastcgi);
my %cgi = map { $_ => cgi($_) } @protocols;


# 101, then an echo

my $socket = vendor(sub {
    my ($s) = @_;

    print $s "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n"
             . "Connection: upgrade\r\n$type\r\n\r\n";

    while (sysread $s, my $bytes, 65536) {
        print $s $bytes;
    }

    return 0;
});


# each location with and without the filter

my @locations = (
    (map { ["/$_->{name}/", "proxy_pass http://127.0.0.1:$vendor/;"
            . " proxy_buffering $_->{buffering};"
            . " proxy_http_version $_->{version};"] } @modes),

    (map { ["/pool-$_/", 'proxy_pass http://pool/; proxy_http_version 1.1;'
            . " proxy_set_header Connection ''; proxy_buffering $_;"]
     } qw(on off)),

    ['/plain/', "proxy_pass http://127.0.0.1:$plain/;"],
    ['/gunzip/', "proxy_pass http://127.0.0.1:$plain/; gunzip on;"],

    ['/trailer/', "proxy_pass http://127.0.0.1:$vendor/;"
                  . ' add_trailer X-Trailer end always;'],

    ['/trailer-if-good/', "proxy_pass http://127.0.0.1:$vendor/;"
                          . ' add_trailer X-Trailer end;'],

    (map { my $protocol = $_;
           map { ["/$protocol-$_/", "${protocol}_pass 127.0.0.1:"
                  . "$cgi{$protocol}; ${protocol}_buffering $_;"
                  . " ${protocol}_param CASE '<\$request_uri>';"]
           } qw(on off) } @protocols),

    ['/socket/', "proxy_pass http://127.0.0.1:$socket/;"
                 . ' proxy_http_version 1.1; proxy_set_header Upgrade'
                 . ' $http_upgrade; proxy_set_header Connection upgrade;'],
);

my ($off, $on) = map {
    my $extra = $_;
    join "\n", map { "location $_->[0] { $_->[1] $extra }" } @locations;
} '', 'add_header X-Verdict $error_map_verdict always;';

my $server = start(port => $port, http => <<"END");
    keepalive_requests 10000;

    upstream pool {
        server 127.0.0.1:$counting;
        keepalive 1;
    }

    server {
        listen 127.0.0.1:$plain_port;
        $off
    }

    server {
        listen 127.0.0.1:$port;
        error_map tencent_iotvideo;
        $on
    }
END

sub case_ok {
    my ($uri, $case, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    edge_ok(both($uri), $case, $name);
}


# every way to frame a response, and to read it

for my $mode (@modes) {
    for my $framing (qw(length chunked close old)) {
        for my $case (@cases) {
            case_ok("/$mode->{name}/$framing/$case->{name}", $case,
                    "$mode->{name}, $framing, $case->{name}");
        }

        for my $name (qw(mapped success)) {
            case_ok("/$mode->{name}/$framing/$name?wait", $cases{$name},
                    "$mode->{name}, $framing, $name, the body comes later");
        }
    }
}


# a connection to the vendor serves the next request

my $c = connection($port);
my $number = -1;

for my $buffering (qw(on off)) {
    for my $framing (qw(length chunked)) {
        for my $name ((map { $_->{name} } @cases), 'success') {
            my $r = ask($c, "GET /pool-$buffering/$framing/$name HTTP/1.1\r\n"
                            . "Host: e\r\n\r\n");

            is($r->{headers}{'x-number'}[0], ++$number, 'upstream kept alive, '
               . "buffering $buffering, $framing, up to $name");
        }
    }
}


# every status of the vendor's errors

for my $status (200, 201, 202, 302, 400, 402, 404, 451, 500, 503, 599) {
    for my $name (qw(mapped mapped-to-200 unknown success none late-mapped)) {
        case_ok("/buffering-on-1.1/length/$name?status=$status", $cases{$name},
                "vendor's status $status, $name");
    }
}


# responses that are not inspected

for my $name (qw(204 205 206 304 unknown-coding two-codings)) {
    my ($with, $without) = both("/plain/$name");

    same_ok($with, $without, "vendor's $name is left alone");
    is($with->{headers}{'x-verdict'}[0], 'skipped', "... and skipped");
}

for my $name (qw(100 103)) {
    my ($with, $without) = map {
        my $bytes = exchange($_, "GET /plain/$name HTTP/1.1\r\nHost: e\r\n"
                                 . "Connection: close\r\n\r\n")->{bytes};
        $bytes =~ s/^(?:Date|X-Verdict): .*\r\n//mg;
        $bytes;
    } @ports;

    is($with, $without, "vendor's $name is left alone");
    like($with, qr/^HTTP.*ok(?:\r\n0\r\n\r\n)?$/s,
         '... and the client gets it');
}

for my $name (qw(identity identity-in-capitals no-coding validators-twice)) {
    case_ok("/plain/$name", $cases{mapped}, "vendor's $name is mapped");
}

# a gzip body leaves as the vendor sent it, or inflated downstream

for (['gzip', 'mapped', $gzipped], ['gzip-in-capitals', 'mapped', $gzipped],
     ['gzip-success', 'success', $success_gzipped],
     (map { ["$_-that-lies", 'none', $json] } qw(gzip deflate br)))
{
    my ($name, $case, $body) = @$_;

    edge_ok(both("/plain/$name"), $cases{$case}, "vendor's $name is $case",
            $body);
}

for (['gzip', 'mapped'], ['gzip-success', 'success']) {
    my ($name, $case) = @$_;

    edge_ok(both("/gunzip/$name"), $cases{$case},
            "vendor's $name is inflated downstream");
}

like((both('/gunzip/gzip-success'))[0]{body}, qr/"StatusCode":200/,
     '... really');


# trailers come after a held body, and follow the edge status

for my $framing (qw(length chunked)) {
    for my $case (@cases) {
        my ($with, $without) = both("/trailer/$framing/$case->{name}");

        edge_ok($with, $without, $case, "trailer, $framing, $case->{name}");
        is($with->{trailer}, "X-Trailer: end\r\n\r\n",
           '... the trailer is there');

        ($with) = both("/trailer-if-good/$framing/$case->{name}");

        is($with->{trailer} || '',
           ($case->{status} || 200) == 200 ? "X-Trailer: end\r\n\r\n"
           : $framing eq 'chunked' ? "\r\n" : '',
           '... and without "always" if the edge status is good');
    }
}


# uwsgi, SCGI and FastCGI

for my $protocol (@protocols) {
    for my $buffering (qw(on off)) {
        for my $framing (qw(length close)) {
            my $uri = "/$protocol-$buffering/$framing";
            my $name = "$protocol, buffering $buffering, $framing";

            case_ok("$uri/$_->{name}", $_, "$name, $_->{name}") for @cases;

            case_ok("$uri/$_?wait", $cases{$_},
                    "$name, $_, the body comes later") for qw(mapped success);
        }
    }
}


# the filter ignores an upgraded connection

my @heads;

for (@ports) {
    my $c = connection($_);
    my $r = ask($c, "GET /socket/ HTTP/1.1\r\nHost: e\r\n"
                    . "Upgrade: echo\r\nConnection: upgrade\r\n\r\n");

    $r->{headers}{'x-verdict'} = ['skipped'] if @heads;
    push @heads, shown($r);

    for my $bytes ($json, 'x', $cases{'late-mapped'}{body}) {
        my $got = '';

        syswrite $c->{socket}, $bytes;

        while (length $got < length $bytes) {
            sysread $c->{socket}, $got, 65536, length $got or last;
        }

        is($got, $bytes, 'upgraded, ' . length($bytes) . ' bytes');
    }
}

like($heads[0], qr{^HTTP/1.1 101 }, 'upgraded');
is($heads[0], $heads[1], 'upgraded, the header is unchanged');

stop($server);
done_testing();
