# Bugs of error_map_intercept, each with its test: an error page is due while
# something else uses the response, or needs a part of it.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp qw(ask connection);
use ErrorMapStream qw(request worker);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep);

my $dir = tempdir(CLEANUP => 1);


# the vendor's response to /PLACE/NAME, by NAME; "early-1" has the code 1 at
# once, "late-1" in a packet of its own, "large-1" is far longer

my $vendor = vendor(sub {
    my ($s, $head) = @_;

    my ($name, $n) = $head =~ m{^GET \S*/(\w+)-?(\w*)};
    my $type = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
               . "www-authenticate: Basic realm=\"vendor\"\r\n"
               . "Link: </vendor>\r\nX-Vendor: 1\r\nETag: \"vendor\"\r\n";

    if ($name eq 'held') {
        print $s $type, "Content-Length: 1000\r\n\r\n{";
        mark('held');
        await('gone');
        print $s '"code":1,';
        mark('sent');
        await('after');

    } elsif ($name eq 'after') {
        mark('after');

    } elsif ($n) {
        my $body = "{\"a\":1,\"code\":$n}";

        $body =~ s/}/',"b":"' . 'x' x 3_000_000 . '"}'/e if $name eq 'large';

        my $first = $name eq 'early' ? length $body : 6;

        print $s $type, 'Content-Length: ', length $body, "\r\n\r\n",
                 substr $body, 0, $first, '';
        sleep 0.05;
        print $s $body;

    } else {
        print $s "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
                 "Content-Length: 4\r\n\r\nfine";
    }

    return 0;
});

my $port = free_port();

my $edge = start(port => $port, http => <<"END");
    error_map_document acme {
        source   json /code;
        success  0;
        1        503 UNAVAILABLE "busy";
        401      401 UNAUTHENTICATED "who is it";
        502      502 UNAVAILABLE "down";
        504      504 DEADLINE_EXCEEDED "slow";
    }

    proxy_cache_path %DIR%/cache keys_zone=cache:1m use_temp_path=off;
    proxy_http_version 1.1;

    server {
        listen 127.0.0.1:$port;

        error_map acme;
        error_map_intercept on;
        error_page 401 502 503 504 /page;

        location / {
            proxy_pass http://127.0.0.1:$vendor;
        }

        location = /page {
            add_header X-Verdict \$error_map_verdict always;
            add_header X-Cache \$upstream_cache_status always;
            return 200 page;
        }

        location = /none { return 204; }

        location = /held {
            proxy_buffering off;
            post_action /after;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /cached/ {
            proxy_cache cache;
            proxy_cache_valid any 1m;
            proxy_pass http://127.0.0.1:$vendor;
        }

        # threads that read a file, or that write to the cache

        location /read/ {
            aio threads;
            sendfile off;
            error_page 503 = /\$arg_page;
            default_type application/json;
            alias $dir/;
        }

        location /write/ {
            aio threads;
            aio_write on;
            sendfile off;
            error_page 503 = /\$arg_page;
            proxy_cache cache;
            proxy_cache_valid any 1m;
            proxy_buffer_size 4k;
            proxy_buffers 3 4k;
            proxy_busy_buffers_size 8k;
            proxy_pass http://127.0.0.1:$vendor;
        }
    }
END

chmod 0755, $dir;
spew("$dir/large-1", '{"code":1,"b":"' . 'x' x 400_000 . '"}');


sub headers {
    my ($r, @names) = @_;

    return join ' ', $r->{status}, map { $_ // '-' }
                                   map { $r->{headers}{$_}[0] } @names;
}


# A client leaves in the same round of events in which the code comes: its
# response is over then, and the request is at the post_action.

{
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
    my $worker = worker($edge);

    syswrite $s, request('/held');
    ok(await('held'), 'post_action: the vendor is asked');
    sleep 0.2;

    kill 'STOP', $worker;

    wait_for(sub { slurp("/proc/$worker/stat") =~ /\) T / });

    mark('gone');
    ok(await('sent'), '... and has sent the code');
    close $s;

    kill 'CONT', $worker;

    ok(await('after'), '... and that the client has gone');
    is(get($port, '/fine')->{body}, 'fine', '... others are served');
    is(worker($edge), $worker, '... by the same worker');
}


# nginx would cache a 502 or a 504 without its code

for my $code (502, 504) {
    for my $time (qw(first second)) {
        is(headers(get($port, "/cached/early-$code"),
                   qw(x-verdict x-error-code x-cache)),
           "$code mapped $code MISS", "a $code is not cached, the $time time");
    }
}


# a client gets the vendor's WWW-Authenticate, and no other header of its

for my $when (qw(early late)) {
    is(headers(get($port, "/$when-401"),
               qw(www-authenticate link x-vendor etag x-error-code)),
       '401 Basic realm="vendor" - - - 401', "a 401 has a challenge, $when");

    is(headers(get($port, "/$when-502"),
               qw(www-authenticate link x-vendor etag x-error-code)),
       '502 - - - - 502', '... a 502 has not');
}


# a thread that still has a buffer of the response when the page is sent

for my $place (qw(read write)) {
    for (['none', '204 '], ['page', '200 page'], ['fine', '200 fine']) {
        my ($page, $expect) = @$_;
        my $c = connection($port);

        my @r = map { ask($c, request($_, connection => 'keep-alive'),
                          timeout => 6) }
                map { ("/$place/large-1?page=$page&n=$_", '/fine') } 1 .. 5;

        is(join(', ', map { "$_->{status} $_->{body}" } @r),
           join(', ', ($expect, '200 fine') x 5),
           "threads, $place, $page: the connection can be used again");
    }
}

stop($edge);
done_testing();
