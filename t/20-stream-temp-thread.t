# A slow client takes what was held while a thread of nginx writes the rest of the
# body to a temporary file: the file is not read before the thread's result is
# taken, so nothing is lost.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream qw(:DEFAULT client);
use Test::More;
use Time::HiRes qw(sleep time);

BAIL_OUT('the test needs an nginx with threads')
    if `@{[nginx()]} -V 2>&1` !~ /--with-threads/;

my $body = '{"a":"' . join('', map { sprintf '%07d,', $_ } 1 .. 100_000) . '"}';

# a vendor that sends more all the time

my $vendor = vendor(sub {
    my ($s) = @_;

    put($s, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            . 'Content-Length: ' . length($body) . "\r\n\r\n");

    for (my $i = 0; $i < length $body; $i += 6000) {
        put($s, substr $body, $i, 6000) or return 0;
        sleep 0.015;
    }

    return 1;
});

my $port = free_port();

my $edge = start(port => $port, main => 'thread_pool default threads=4;',
                 http => <<"END");
    error_map_document acme {
        source   json /code;
        success  0;
    }

    server {
        listen 127.0.0.1:$port sndbuf=8k;

        error_map acme;
        error_map_hold_size 4m;
        error_map_hold_timeout 100ms;
        aio threads;
        aio_write on;
        proxy_buffer_size 4k;
        proxy_buffers 2 4k;
        proxy_busy_buffers_size 4k;
        location / { proxy_pass http://127.0.0.1:$vendor; }
    }
END
my $worker = worker($edge);

my %left = map { $_ => { s => client($port, request('/'), 8192), bytes => '',
                         next => 0 } } 1 .. 100;
my @all = values %left;
my $end = time + 40;

$_->{s}->blocking(0) for @all;

while (%left && time < $end) {
    for my $id (keys %left) {
        my $c = $left{$id};

        next if time < $c->{next};

        my $n = sysread $c->{s}, $c->{bytes}, 8192, length $c->{bytes};

        $c->{next} = time + 0.03 * rand;
        delete $left{$id} if defined $n && $n == 0 || !defined $n && !$!{EAGAIN};
    }

    sleep 0.001;
}

my @broken = grep { !$_->{complete} || $_->{body} ne $body }
             map { parse($_->{bytes}) } @all;

is(@broken, 0, 'slow clients get all');
is(worker($edge), $worker, 'the worker lives');

stop($edge);
done_testing();
