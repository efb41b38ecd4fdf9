# One worker searches several responses in turns, and none gets the state of
# another.  And very long strings.

use strict;
use warnings;

use ErrorMap;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep);

my @codes = map { 100_000 + $_ * 1111 } 1 .. 20;

my $vendor = vendor(sub {
    my ($s, $head) = @_;

    if ($head =~ m{/long/(\w+)}) {
        my $string = $1 eq 'escaped' ? '\\"\\\\a/' x 2_000_000
                                     : 'A' x 10_000_000;
        my $body = "{\"image\":\"$string\",\"StatusCode\":42505}";

        print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
                 'Content-Length: ', length $body, "\r\n\r\n", $body;
        return 0;
    }

    # the digits of all codes come in turns

    my ($n) = $head =~ m{/(\d+)};
    my $body = "<Other>7</Other><Code>$codes[$n]</Code>";

    print $s "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n",
             'Content-Length: ', length $body, "\r\n\r\n";

    for (split //, $body) {
        print $s $_;
        sleep 0.01;
    }

    return 0;
});

my $port = free_port();

my $edge = start(port => $port, http => <<"END");
    error_map_document acme {
        source  regex  "<Code>(\\d+)</Code>";
        @{[map { "$_ 402 RESOURCE_EXHAUSTED t;\n" } @codes]}
    }

    server {
        listen 127.0.0.1:$port;
        proxy_buffering off;

        location / {
            error_map acme;
            error_map_types text/xml;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /long/ {
            error_map tencent_iotvideo;
            error_map_hold_size 16m;
            proxy_read_timeout 60s;
            proxy_pass http://127.0.0.1:$vendor;
        }
    }
END

my @clients = map {
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
        or die "no connection: $!";
    syswrite $s, "GET /$_ HTTP/1.0\r\n\r\n";
    $s;
} 0 .. $#codes;

for my $n (0 .. $#codes) {
    local $/;

    my $s = $clients[$n];
    my $response = <$s> // '';

    like($response, qr{^HTTP/1\.1 402 .*^X-Error-Code: $codes[$n]\r$}ms,
         "response $n of many at once has its own code");
    like($response, qr{<Code>$codes[$n]</Code>\z}, '... and body');
}

for (['plain', 10_000_000], ['escaped', 12_000_000]) {
    my ($name, $len) = @$_;
    my $r = get($port, "/long/$name");

    is($r->{status}, 402, "a code after a $name string of 10 MB is found");
    is(length $r->{body}, $len + 31, '... and the whole string sent');
}

stop($edge);
done_testing();
