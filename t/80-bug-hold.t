# Bugs of the hold, each with its test: a response that waits for its verdict
# while something else happens to it.

use strict;
use warnings;

use ErrorMap;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

my $padding = 'x' x 100;

# the vendor's response to /PLACE/NAME?..., by NAME

my $vendor = vendor(sub {
    my ($s, $head) = @_;

    my ($name, $n) = $head =~ m{^GET /[^/]*/([a-z]+)(\d*)};
    my $type = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

    if ($name eq 'late') {

        # header, then the body in one piece

        my $body = sprintf '{"RequestId":"%s","StatusCode":42505}', 'x' x $n;

        print $s $type, "ETag: \"abc\"\r\nCache-Control: max-age=60\r\n",
                 "Content-Length: ", length $body, "\r\n\r\n";
        sleep 0.2;
        print $s $body;

    } elsif ($name eq 'now') {
        print $s $type, "Cache-Control: max-age=60\r\nContent-Length: 16\r\n",
                 "\r\n{\"StatusCode\":0}";

    } elsif ($name eq 'unfinished') {
        print $s $type, "ETag: \"abc\"\r\nCache-Control: max-age=60\r\n",
                 "Content-Length: 107\r\n\r\n";
        sleep 0.2;
        print $s "{\"a\":\"$padding\"";

    } elsif ($name eq 'pause') {

        # a start, and the rest long after the hold

        print $s $type, "Cache-Control: max-age=60\r\n",
                 "Content-Length: 12\r\n\r\n{\"a\":";
        sleep 3;
        print $s "\"xxxx\"}";

    } elsif ($name eq 'charset') {

        # more than the hold size, in several buffers at once

        print $s "HTTP/1.1 200 OK\r\nContent-Length: 24000\r\n",
                 "Content-Type: application/json; charset=koi8-r\r\n\r\n";
        sleep 0.3;
        syswrite $s, '{"a":"' . "\xc1" x 23992 . '"}';

    } elsif ($name eq 'silent') {

        # a piece that a slow client reads for some time, then nothing

        print $s $type, "Content-Length: 1000000\r\n\r\n";
        print $s '{"a":"', 'x' x 24000;
        sleep 8;

    } else {
        print $s "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
                 "Content-Length: 8\r\n\r\nfallback";
    }

    return 0;
});

my $port = free_port();
my $aio = `@{[nginx()]} -V 2>&1` =~ /--with-threads/;
my $slice = `@{[nginx()]} -V 2>&1` =~ /--with-http_slice_module/;

BAIL_OUT('the tests need an nginx with threads and slice')
    if !$aio || !$slice;

my $edge = start(port => $port, http => <<"END");
    proxy_cache_path %DIR%/cache keys_zone=c:1m;

    charset_map koi8-r windows-1251 { C1 E0; }

    server {
        listen 127.0.0.1:$port;

        error_map tencent_iotvideo;
        error_map_hold_timeout 1s;
        add_header X-Verdict \$error_map_verdict always;
        add_header X-Cache \$upstream_cache_status always;

        location / {
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /cached/ {
            proxy_cache c;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /ignore/ {
            proxy_ignore_client_abort on;
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /slice/ {
            slice 1m;
            proxy_set_header Range \$slice_range;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /match/ {
            proxy_cache c;
            error_page 412 /fallback/x;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /range/ {
            proxy_force_ranges on;
            error_page 416 \@page;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /cached-range/ {
            proxy_cache c;
            proxy_force_ranges on;
            error_page 416 \@page;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location \@page {
            default_type application/json;
            return 200 '{"StatusCode":42502}';
        }

        location /aio/ {
            aio threads;
            proxy_cache c;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /slow/ {
            limit_rate 4k;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /drip/ {
            postpone_output 0;
            limit_rate 100;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /charset/ {
            error_map_hold_size 4k;
            source_charset koi8-r;
            charset windows-1251;
            override_charset on;
            charset_types application/json;
            proxy_buffers 8 4k;
            proxy_busy_buffers_size 24k;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /cookies/ {
            error_map_header Set-Cookie a=1;
            error_map_header Set-Cookie b=2;
            default_type application/json;
            return 200 '{"StatusCode":42505}';
        }

        location /status {
            error_map off;
            stub_status;
        }
    }
END


sub verdict { $_[0]{headers}{'x-verdict'}[0] || '' }


# a client leaves during the hold

for my $place ('cached', 'ignore') {
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $port);
    print $s "GET /$place/pause HTTP/1.1\r\nHost: a\r\n\r\n";
    sleep 0.3;
    reset_on_close($s);
    close $s;
}

sleep 4.5;

is(get($port, '/cached/pause')->{headers}{'x-cache'}[0], 'HIT',
   'a hold times out without its client, the response is cached');

like(get($port, '/status')->{body}, qr/Writing: 1 Waiting: 0/,
     'no request is left after its client');


# the slice filter must see that this is not a slice

for my $place ('slice', 'plain') {
    my $r = get($port, "/$place/unfinished");

    is(length $r->{body}, 107, "$place: a held body arrives");
    is($r->{status}, 200, "$place: with its status");
}

is(get($port, '/slice/late10')->{status}, 402, 'slice: a held error is mapped');


# a precondition fails while the body is still read

{
    my %match = (headers => "If-Match: \"zzz\"\r\n");

    is(get($port, '/match/late10', %match)->{status}, 402,
       'If-Match does not hide a held error');

    my $r = get($port, '/match/unfinished', %match);

    is($r->{status}, 200, 'If-Match with an error page keeps a held response');
    is(verdict($r), 'none', '... its verdict');
    is(length $r->{body}, 107, '... and its body');
}


# An error page that replaces a response is not what its upstream or cache has,
# and is not inspected.

for my $place ('range', 'cached-range', 'cached-range') {
    my $r = get($port, "/$place/now", headers => "Range: bytes=900-\r\n");

    is(verdict($r), 'success', "$place: the vendor's verdict");
    is($r->{body}, '{"StatusCode":42502}', '... and body');

    get($port, "/$place/now");
}


# an upstream has ended well while its file is still read

for my $size (1000, 20000, 40000, 60000) {
    for my $cache ('MISS', 'HIT') {
        my $r = get($port, "/aio/late$size");

        is($r->{headers}{'x-cache'}[0] . " $r->{status}", "$cache 402",
           "aio: $size bytes, $cache, are mapped");
    }
}


# bytes that a slow client did not read at once do not wait for the upstream

{
    my $begin = time;
    my $x = exchange($port, "GET /slow/silent HTTP/1.1\r\nHost: a\r\n\r\n",
                     until => qr/x{15000}/, timeout => 7);

    like($x->{bytes}, qr/x{15000}/, 'a slow client gets all held bytes');
    like($x->{bytes}, qr/X-Verdict: undecided/, '... undecided');
}


# a delayed header that cannot be sent at once is not an error

{
    my $r = get($port, '/drip/late10');

    is($r->{status}, 402, 'a header that is sent in parts comes whole');
    like($r->{body}, qr/^\{"RequestId":"x{10}","StatusCode":42505\}$/,
         '... with the held bytes');
}


# a later filter writes to its buffers: a chain is copied in full, even if it is
# longer than the hold size

{
    my $r = get($port, '/charset/charset');

    is($r->{status}, 200, 'a long chain for the charset filter is sent');
    is(length $r->{body}, 24000, '... in full');
    is($r->{body}, '{"a":"' . "\xe0" x 23992 . '"}', '... and recoded');
    is(verdict($r), 'undecided', '... undecided');
}


is_deeply(get($port, '/cookies/')->{headers}{'set-cookie'}, ['a=1', 'b=2'],
          'a header set twice is sent twice');

stop($edge);
done_testing();
