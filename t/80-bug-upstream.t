# Bugs of error_map_upstream, each with its test.

use strict;
use warnings;

use ErrorMap;
use Test::More;
use Time::HiRes qw(sleep time);

# the vendor fails after its first request

my $count = "$ErrorMap::root/build/80-bug-upstream.$$";

sub served {
    open my $fh, '>>', $count or die "$count: $!";
    syswrite $fh, 'x';
    return -s $count;
}

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    if ($request =~ m{^GET /chunks }) {
        print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                 . "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":1xx";
        sleep 5;
        return 0;
    }

    if ($request =~ m{^GET /late }) {
        print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                 . "Connection: close\r\nContent-Length: 20\r\n\r\n{\"Status";
        sleep 0.8;
        print $s 'Code":42505}';
        return 0;
    }

    if ($request =~ m{^GET /phrase }) {
        print $s "HTTP/1.1 200\r\nContent-Type: application/json\r\n"
                 . "Content-Length: 20\r\n\r\n{\"StatusCode\":42505}";
        return 0;
    }

    my $code = $request =~ m{^GET /accel } || served() > 1 ? 42505 : 200;
    my $body = "{\"StatusCode\":$code}";
    my $accel = $request =~ m{^GET /accel } ? "X-Accel-Redirect: /no\r\n" : '';

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n$accel"
             . "Cache-Control: max-age=1\r\n"
             . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
});


# FastCGI with a stderr that is larger than the buffer's first part

sub record {
    my ($type, $text) = @_;

    return pack('CCnnCx', 1, $type, 1, length $text, 0) . $text;
}

my $fastcgi = vendor(sub {
    my ($s) = @_;
    my $request = '';

    while ($request !~ /\x01\x05..\x00\x00.\x00$/s) {
        sysread $s, $request, 65536, length $request or return;
    }

    my $log = record(7, 'log ' x 500);

    print $s substr $log, 0, 100;
    sleep 0.2;
    print $s substr($log, 100)
             . record(6, "Content-Type: application/json\r\n\r\n"
                         . '{"StatusCode":42505}')
             . record(3, "\0" x 8);
}, raw => 1);

my $port = free_port();

my $edge = start(port => $port, http => <<"END");
    proxy_cache_path %DIR%/cache keys_zone=c:1m;

    error_map_policy edge { class RESOURCE_EXHAUSTED 503; }

    server {
        listen 127.0.0.1:$port;
        error_map tencent_iotvideo policy=edge;
        error_map_upstream on;
        error_map_hold_timeout 10s;
        add_header X-Tried \$upstream_status always;
        add_header X-Cache \$upstream_cache_status always;

        location /update {
            set \$address 127.0.0.1:$vendor;
            proxy_pass http://\$address;
            proxy_cache c;
            proxy_cache_use_stale updating http_503;
            proxy_cache_background_update on;
        }

        location /chunks {
            proxy_pass http://127.0.0.1:$vendor;
            proxy_http_version 1.1;
        }

        location /late {
            error_map_hold_timeout 300ms;
            proxy_buffering off;
            add_header X-Held "\$error_map_hold_size \$error_map_hold_time"
                       always;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location = /late/none {
            error_map_hold_timeout 0;
            proxy_buffering off;
            add_header X-Held "\$error_map_hold_size \$error_map_hold_time"
                       always;
            proxy_pass http://127.0.0.1:$vendor/late;
        }

        location /accel {
            proxy_ignore_headers X-Accel-Redirect;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /phrase {
            add_header X-Tried \$upstream_status always;
            add_header X-Held \$error_map_hold_size always;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location = /phrase/filter {
            error_map_upstream off;
            add_header X-Held \$error_map_hold_size always;
            proxy_pass http://127.0.0.1:$vendor/phrase;
        }

        location /fastcgi { fastcgi_pass 127.0.0.1:$fastcgi; }
    }
END

# a background update starts after nginx's other phases

is(get($port, '/update')->{headers}{'x-cache'}[0], 'MISS', 'a good answer');

for (1 .. 3) {
    sleep 2.1;
    my $r = get($port, '/update');

    is("$r->{status} $r->{body} $r->{headers}{'x-cache'}[0]",
       '200 {"StatusCode":200} STALE',
       'a background update does not overwrite it with an error');
}

my $r = get($port, '/accel');
is("$r->{status} $r->{headers}{'x-tried'}[0]", '503 503',
   'an ignored X-Accel-Redirect does not prevent the inspection');

# by its reason phrase HTTP/1.1 was told from HTTP/2

$r = get($port, '/phrase');
is("$r->{status} $r->{headers}{'x-tried'}[0]", '503 503',
   'a status line needs no reason phrase');
is($r->{headers}{'x-held'}[0], 0, '... to be decided at once');

$r = get($port, '/phrase/filter');
is("$r->{status} $r->{headers}{'x-held'}[0]", '503 0',
   '... by the filter, either');

$r = get($port, '/fastcgi');
is("$r->{status} " . ($r->{headers}{'x-error-code'}[0] // 'no code'),
   '503 42505', 'a large stderr of FastCGI does not hide the code');

# the wait times out, and nginx sends the header

$r = get($port, '/late');
is("$r->{status} $r->{body}", '200 {"StatusCode":42505}',
   'a response with a late code passes');
like($r->{headers}{'x-held'}[0], qr/^8 0\.[3-7]\d\d$/,
     '... after the hold timeout, with the held bytes');

is(get($port, '/late/none')->{headers}{'x-held'}[0], '0 0.000',
   '... at once with a hold timeout of 0');

# nginx abandons an invalid response

my $begin = time;
ok(get($port, '/chunks')->{exchange}{closed},
   'invalid chunks end the response');
cmp_ok(time - $begin, '<', 3, '... at once');

stop($edge);
unlink $count;
done_testing();
