# error_map_intercept and the client: it leaves, reuses its connection, sends a
# body, speaks HTTP/2, and sends thousands of requests.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp qw(ask connection);
use ErrorMapIntercept;
use ErrorMapStream qw($alone connections exchange_all frame memory pipelines
                      put request worker);
use Test::More;
use Time::HiRes qw(sleep);

# a vendor that does not wait for a request's body

my $hasty = vendor(sub {
    my ($s) = @_;
    my $bytes = '';

    while ($bytes !~ /\r\n\r\n/) {
        sysread $s, $bytes, 65536, length $bytes or return;
    }

    my ($head, $raw) = frame('length', '{"code":402}',
                             $bytes =~ /^X-Real:/m ? (status => '402 X') : ());

    put($s, $head);
    sleep 0.02 if $bytes =~ /later/;
    put($s, $raw);
    1 while sysread $s, $bytes, 65536;
}, raw => 1);

my $server = intercept(both => <<"END");
        location /hasty/ {
            error_page 402 /page/return;
            proxy_request_buffering off;
            proxy_pass http://127.0.0.1:$hasty;
        }
END


# clients leave while they wait for the error page, for the code, or in between

{
    my @aborts = map { ({ reset => $_, abort => 1.2 }) } 0, 1;

    my @jobs = map {
        my $way = $_;
        map { my $mode = $_;
              map { { %$_, port => $port,
                      request => request(uri('variable', $mode, $way)
                                         =~ s/to=return/to=proxied?slow/r) }
              } @aborts } qw(on off)
    } @ways;

    exchange_all(@jobs);

    is(await('asked', scalar @jobs), scalar @jobs,
       'clients wait for an error page');
    is(await('aborted', scalar @jobs), scalar @jobs,
       '... whose request ends when they leave');

    exchange_all(map {
        my $way = $_;
        map { my $mode = $_;
              map { my $abort = $_;
                    map { { port => $port, reset => $_, abort => $abort,
                            request => request(uri('static', $mode, $way,
                                                   '&pause=0.1')) }
                    } 0, 1 } 0.05, 0.1, 0.101
        } qw(on off ignore)
    } @ways[3 .. 9]);

    is(connections($port), $alone, '... no connection is left');
}


# reused connections, with all requests sent at once

{
    my @lists = map {
        my $way = $_;
        map { my $mode = $_;
              [map { uri($_->[0], $mode, $way, '&pause=0.005') } @pages]
        } qw(on off)
    } @ways;

    for my $responses (pipelines($port, @lists)) {
        my @uris = @{ shift @lists };

        is(scalar @$responses, scalar @uris, 'a connection is reused');

        for (@uris) {
            my ($page) = m{^/\w+/([\w-]+)/};

            page_ok(shift @$responses, plain($_), $page, "... for $_");
        }
    }
}


# requests with a body, on a connection for each server

for my $mode (qw(on off raw)) {
    for my $page (qw(return static named redirect),

                  # nginx cannot send an unbuffered body twice

                  $mode ne 'raw' ? qw(proxied named-proxied second off-proxied)
                                 : ())
    {
        my @connections = map { connection($_) } $port, $plain_port;

        for my $way (@ways[0, 3, 6, 9]) {
            for my $size (5, 30000) {
                my $uri = uri($page, $mode, $way, '&pause=0.005');

                my ($with, $without) = map {
                    ask($_, "POST $uri HTTP/1.1\r\nHost: e\r\n"
                            . "Content-Length: $size\r\n\r\n" . 'x' x $size)
                } @connections;

                page_ok($with, $without, $page, "POST of $size bytes, $mode,"
                        . " code $way->[0], $page");

                is($with->{headers}{connection}[0],
                   $without->{headers}{connection}[0], '... the connection');
            }
        }
    }
}


# ... whose second half follows the vendor's response

for my $when (qw(early later)) {

    my ($with, $without) = map {
        my $c = connection($_);
        my $first = ask($c, "POST /hasty/?code=402&when=$when HTTP/1.1\r\n"
                            . "Host: e\r\n"
                            . "Content-Length: 10\r\n\r\n12345");
        my $second = ask($c, '67890' . request('/page/vars'));

        [$first, $second->{status}];
    } $port, $plain_port;

    page_ok($with->[0], $without->[0], 'return', "POST, half of it, $when");
    is($with->[1], $without->[1], '... and the rest');
}


# HTTP/2, all requests on one connection

{
    my @uris = map {
        my $way = $_;
        map { my $mode = $_; map { uri($_->[0], $mode, $way) } @pages
            } qw(on off)
    } @ways[0, 3, 6, 9];

    for my $options ('', "-d $dir/static.json") {
        my $list = join ' ', map { "'http://127.0.0.1:$h2_port$_'" } @uris;
        my $out = `nghttp -ns $options $list 2>&1`;

        for (@uris) {
            my $r = plain($_);
            my $size = $_ =~ /proxied/ ? qr/\d+/ : length $r->{body};

            like($out, qr{ $r->{status} +$size \Q$_\E$}m,
                 "HTTP/2, $options $_");
        }

        my $headers = `nghttp -nv $options $list 2>&1`;

        is(() = $headers =~ /x-error-code: 402/g,
           scalar(grep { m{^/\w+/([\w-]+)/} && $pages{$1}[3] } @uris),
           '... their headers');

        unlike($headers, qr/x-anything|vendor=1|tlh/, '... and no others');
    }
}


# thousands of error pages

{
    my (@memory, $got);

    for my $way (@ways[3, 6, 9]) {
        for my $count (50, 250) {
            my @uris = map { uri('return', $_, $way, '&pause=0.001&plain=1') }
                           (qw(on off)) x ($count / 2);

            my @lists = pipelines($port, (\@uris) x 8);

            $got += grep { $_->{status} == 402 && $_->{body} eq '{"code":403}' }
                         map { @$_ } @lists;

            push @memory, memory(worker($server), 'VmRSS');
        }

        cmp_ok($memory[-1] - $memory[-2], '<', 10_000,
               "thousands of error pages keep no memory, code $way->[0]");
    }

    is($got, 3 * 8 * 300, '... all are intercepted');
    is(connections($port), $alone, '... nor a connection');
}

stop($server);
done_testing();
