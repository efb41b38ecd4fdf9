# A bug of a body that is replaced: what the vendor still sends is read, but the
# client's next request on the connection must not wait for a vendor that does
# not end, neither in time nor in bytes.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp qw(ask connection);
use ErrorMapStream qw(request);
use Test::More;
use Time::HiRes qw(sleep time);


# /PLACE/NAME: the code at once or late, and then

my $vendor = vendor(sub {
    my ($s, $head, $n) = @_;

    my ($when, $name) = $head =~ m{^GET \S*/(\w+)-(\w+)};

    if (!defined $when) {
        print $s "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
                 "Content-Length: 4\r\n\r\nfine";
        return 1;
    }

    my $type = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
               . "X-Vendor: $n\r\nETag: \"vendor\"\r\n"
               . "Transfer-Encoding: chunked\r\n\r\n";
    my $code = $when eq 'same' ? '"code":0,' : '"code":1001,';

    if ($when eq 'late' || $when eq 'same') {
        print $s $type, "3\r\n{\"a\r\n";
        sleep 0.05;
        printf $s "%x\r\n\":1,%s\r\n", 4 + length $code, $code;

    } else {
        printf $s "%s%x\r\n{%s\r\n", $type, 1 + length $code, $code;
    }

    if ($name eq 'large') {
        sleep 0.05;
        printf $s "%x\r\n\"b\":\"%s\"}\r\n0\r\n\r\n", 200_007, 'x' x 200_000;
        return 1;
    }

    if ($name eq 'short') {
        sleep 0.1;
        print $s "6\r\n\"b\":2}\r\n0\r\n\r\n";
        mark("$when-$name-$n");
        return 1;
    }

    local $SIG{PIPE} = 'IGNORE';
    my $part = sprintf "%x\r\n%s\r\n", 1000, 'x' x 1000;
    my $begin = time;

    # "silent" waits until the edge closes the connection

    if ($name eq 'silent') {
        my $byte;
        local $SIG{ALRM} = sub { die "timeout\n" };
        alarm 8;
        eval { sysread $s, $byte, 1 };
        alarm 0;

    } elsif ($name eq 'drip') {
        while (time < $begin + 8) {
            syswrite $s, "1\r\nx\r\n" or last;
            sleep 0.05;
        }

    } else {                                          # "flood"

        while (time < $begin + 8) {
            syswrite $s, $part or last;
        }
    }

    mark(sprintf "closed-$when-$name-%s", time - $begin < 7 ? 'early' : 'late');

    return 0;
});

my $port = free_port();

my $places = join '', map { my ($name, $more) = @$_; <<"END" }
    location /$name/ {
        $more
        proxy_pass http://vendor;
    }
END
    [plain => ''], [unbuffered => 'proxy_buffering off;'],
    [upstream => 'error_map_upstream on;'],
    [cached => 'proxy_cache cache; proxy_cache_valid any 1m;
                add_header X-Cache $upstream_cache_status always;'],
    [limited => 'limit_rate 200;'];

my $edge = start(port => $port, http => <<"END");
    error_map_document acme {
        source   json /code;
        success  0;
        1001     503 UNAVAILABLE "busy";
    }

    upstream vendor {
        server 127.0.0.1:$vendor;
        keepalive 4;
    }

    proxy_cache_path %DIR%/cache keys_zone=cache:1m;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header If-None-Match "";

    server {
        listen 127.0.0.1:$port;

        error_map acme;
        error_map_body problem;
        error_map_hold_timeout 700ms;

        $places

        location /long/ {
            error_map_hold_timeout 20s;
            proxy_pass http://vendor;
        }

        location = /ssi {
            ssi on;
            default_type text/html;
            return 200 '[<!--# include virtual="/plain/\$arg_name" -->]';
        }

        location = /own { return 200 own; }
    }
END

my $problem = '{"type":"about:blank","title":"busy","status":503,'
              . '"vendor":"acme","code":"1001","class":"UNAVAILABLE",'
              . '"upstream_status":200}';


# one connection: a problem, and at most so many seconds later another response

sub next_ok {
    my ($uri, $most, $body) = @_;

    my $c = connection($port);
    my $begin = time;
    my $first = ask($c, request($uri, connection => 'keep-alive'),
                    timeout => 7);
    my $between = time - $begin;
    my $second = ask($c, request('/own'), timeout => 7);
    my $all = time - $begin;

    is("$first->{status} $first->{body}", $body || "503 $problem",
       "$uri: the problem");
    is($second->{body}, 'own', '... and the next request');
    cmp_ok($all, '<', $most, '... in time');

    return ($between, $all);
}

for my $when (qw(now late)) {
    for my $place (qw(plain unbuffered upstream cached)) {
        for my $name (qw(silent drip)) {
            my ($first) = next_ok("/$place/$when-$name", 4);

            cmp_ok($first, '<', 0.6, '... the problem comes at once')
                if $name eq 'drip';
        }

        # more than is read in any case, though there is time

        next_ok("/$place/$when-flood", 4);
    }

    next_ok("/long/$when-flood", 4);

    next_ok("/ssi?name=$when-$_", 4, "200 [$problem]") for qw(silent drip flood);

    # a client that is not done with the problem gets all of it

    next_ok("/limited/$when-drip", 6);
}

is(marks("closed-$_-late"), 0, "$_: the vendor's connection is closed early")
    for map { my $when = $_; map { "$when-$_" } qw(silent drip flood) }
        qw(now late);


# what the vendor ends soon is read to its end, for the connection

for my $place (qw(plain unbuffered upstream)) {
    for my $when (qw(now late)) {
        my @n = map { get($port, "/$place/$when-short")->{headers}
                      {'x-vendor'}[0] // -1 } 1 .. 2;

        cmp_ok($n[1], '>', $n[0],
               "$place, $when: the vendor's connection is used again");
    }
}


# what nobody gets but the cache is read to its end

{
    my $r = get($port, '/cached/same-large',
                headers => "If-None-Match: \"vendor\"\r\n");

    is($r->{status}, 304, 'a 304 for a good response, which is held');

    wait_for(sub { ($r = get($port, '/cached/same-large'))
                   ->{headers}{'x-cache'}[0] eq 'HIT' });

    is("$r->{headers}{'x-cache'}[0] " . length $r->{body}, 'HIT 200023',
       '... and is cached');
}

stop($edge);
done_testing();
