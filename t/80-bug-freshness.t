# Bugs of what a vendor says about caching: it is about the 200, and does not
# hold for the error that it becomes, neither in nginx's cache nor in others.

use strict;
use warnings;

use ErrorMap;
use Test::More;
use Time::HiRes qw(sleep);


# /PLACE/WHAT/N: the header with that number

my $future = 'Fri, 01 Jan 2100 00:00:00 GMT';
my $past = 'Thu, 01 Jan 1970 00:00:00 GMT';

# what the vendor sends, and what of it is sent with an error's status

my @headers = (
    ['Cache-Control: max-age=60', ''],
    ['Cache-Control: public, max-age=60, immutable', ''],
    ['cache-control: s-maxage=60', ''],
    ["Expires: $future", ''],
    ["Age: 5\r\nExpires: $future\r\nCache-Control: max-age=60", ''],
    ['Cache-Control: max-age=60, stale-while-revalidate=600, stale-if-error=9',
     ''],
    ["Cache-Control: max-age=60\r\nCache-Control: public", ''],
    ['CDN-Cache-Control: max-age=60', ''],
    ['Surrogate-Control: max-age=60', ''],
    ['Cache-Control: something="max-age=1, no-store", max-age=60', ''],

    # what forbids it stays

    ['Cache-Control: no-store', 'Cache-Control: no-store'],
    ['Cache-Control: private, max-age=60', 'Cache-Control: private'],
    ['Cache-Control: max-age=60, private="X-A, X-B" , no-transform',
     'Cache-Control: private="X-A, X-B", no-transform'],
    ['Cache-Control: No-Cache,max-age=60,must-revalidate',
     'Cache-Control: No-Cache, must-revalidate'],
    ['Cache-Control: max-age=0', 'Cache-Control: max-age=0'],
    ["Cache-Control: max-age=60\r\nCache-Control: no-store",
     'Cache-Control: no-store'],
    ["Expires: $past", "Expires: $past"],
    ['Expires: 0', 'Expires: 0'],
    ["Pragma: no-cache\r\nVary: Accept", "Pragma: no-cache\r\nVary: Accept"],
);



my $vendor = vendor(sub {
    my ($s, $head) = @_;

    my ($place, $what, $n) = $head =~ m{^GET /([\w-]+)/(\w+)/(\w+)};

    mark("$place-$what-$n");

    my $code = $what eq 'success' ? 0 : 1001;
    my $body = "{\"code\":$code}";
    my $header = $n eq 'accel' ? 'X-Accel-Expires: 60' : $headers[$n][0];
    my $length = 'Content-Length: ' . length $body;
    my $start = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                . "ETag: \"vendor\"\r\n$header\r\n$length\r\n\r\n";

    if ($what eq 'late') {
        print $s $start;
        sleep 0.05;
        print $s $body;

    } else {
        print $s "$start$body";
    }

    return 0;
});

my $port = free_port();

my $edge = start(port => $port, http => <<"END");
    error_map_document acme {
        source   json /code;
        success  0;
        1001     429 RESOURCE_EXHAUSTED "quota";
    }

    error_map_policy keep { base keep; }
    proxy_cache_path %DIR%/cache keys_zone=cache:1m;
    proxy_http_version 1.1;
    proxy_cache_valid 200 1m;

    server {
        listen 127.0.0.1:$port;

        error_map acme;
        add_header X-Cache \$upstream_cache_status always;

        location /plain/ { proxy_pass http://127.0.0.1:$vendor; }

        location /keep/ {
            error_map acme policy=keep;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /cached/ {
            error_map_upstream on;
            proxy_cache cache;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /cached-keep/ {
            error_map acme policy=keep;
            error_map_upstream on;
            proxy_cache cache;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /cached-429/ {
            error_map_upstream on;
            proxy_cache cache;
            proxy_cache_valid 429 1m;
            proxy_pass http://127.0.0.1:$vendor;
        }

        # "expires" is for the statuses of a success

        location /expires/ {
            error_map acme policy=keep;
            expires 1h;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /expires-own/ {
            error_map acme policy=keep;
            error_map_header Cache-Control no-store;
            expires 1h;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /own/ {
            error_map_header Cache-Control "max-age=5";
            proxy_pass http://127.0.0.1:$vendor;
        }
    }
END


# the headers that are about caching, in their order

sub freshness {
    my ($r) = @_;

    return join "\r\n", grep {
        /^(?:.*cache-control|surrogate-control|expires|age|pragma|vary):/i
    } split /\r\n/, $r->{head};
}

for my $n (0 .. $#headers) {
    my ($sent, $left) = @{ $headers[$n] };
    my $name = $sent =~ s/\r\n/, /gr;

    for my $when (qw(now late)) {
        is(freshness(get($port, "/plain/$when/$n")), $left, "$name, $when");
        is(freshness(get($port, "/keep/$when/$n")), $sent,
           '... and all of it with the status of a success');
    }

    is(freshness(get($port, "/plain/success/$n")), $sent,
       '... and with a success');
}


# two requests: their statuses, and how many of them reach the vendor

sub asked {
    my ($uri) = @_;

    my @status = map { get($port, $uri)->{status} } 1, 2;

    return "@status " . marks(join '-', split m{/}, $uri =~ s{^/}{}r);
}

for my $n (0 .. 5, 'accel') {
    my $name = $n eq 'accel' ? $n : $headers[$n][0] =~ s/\r\n/, /gr;

    for my $when (qw(now late)) {
        is(asked("/cached/$when/$n"), '429 429 2',
           "$name, $when: the error is not cached");
        is(asked("/cached-keep/$when/$n"), '200 200 1',
           '... with the status of a success it is');
        is(asked("/cached-429/$when/$n"), '429 429 1',
           '... and as the edge caches this status');
    }

    is(asked("/cached/success/$n"), '200 200 1', '... a success is cached');
}


# one answer to how long it is fresh: that of the error

my ($max_age) = grep { $headers[$_][0] eq 'Cache-Control: max-age=60' }
                0 .. $#headers;

is(freshness(get($port, "/own/now/$max_age")), 'Cache-Control: max-age=5',
   'error_map_header takes the place of what the vendor says');

for my $n ($max_age, $max_age + 3) {
    like(freshness(get($port, "/expires/now/$n")),
         qr/^(?=.*Expires: )(?=.*Cache-Control: max-age=3600)/s,
         '"expires" takes the place of what the vendor says');
    is(freshness(get($port, "/expires-own/now/$n")), 'Cache-Control: no-store',
       '... and error_map_header that of "expires"');
}

stop($edge);
done_testing();
