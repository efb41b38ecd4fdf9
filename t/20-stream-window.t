# The rest of a body that did not fit in a stream's window is sent once the
# client opens it, also if the worker learns of both in one turn of its event
# loop, while the upstream is silent.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp qw(version);
use ErrorMapStream;
use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

my ($window, $size) = (63, 1000);
my $first = '{"RequestId":"7","StatusCode":42505,"Message":"busy","p":"'
            . 'x' x $size;
my $problem = qr/^\{"type":"about:blank",.*"42505".*\}\z/;

# sends what it has once the test says so, and is silent then

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my %arg = query($request);

    await("send-$arg{id}") or return 0;

    put($s, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            . 'Content-Length: ' . (length($first) + 9) . "\r\n\r\n$first");

    mark("sent-$arg{id}");
    await("end-$arg{id}");

    return 0;
});

my $port = free_port();
my ($listen, $on) = version() < 1025001 ? (' http2', '') : ('', 'http2 on;');

my $server = start(port => $port, http => <<"END");
    error_map tencent_iotvideo;

    server {
        listen 127.0.0.1:$port$listen;
        $on

        location /body/ {
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$vendor/;
        }

        location /problem/ {
            error_map_body problem;
            proxy_pass http://127.0.0.1:$vendor/;
        }

        location /upstream/ {
            error_map_upstream on;
            error_map_body problem;
            proxy_next_upstream http_503;
            proxy_pass http://127.0.0.1:$vendor/;
        }
    }
END

my $worker = worker($server);
my $id = 0;

for my $where (qw(body problem upstream)) {
    for my $round (1 .. 3) {
        my $s = open_stream("/$where/?id=" . ++$id);

        # the response comes before the window does, but both await the worker

        sleep 0.1;
        kill 'STOP', $worker;
        mark("send-$id");
        await("sent-$id");
        sleep 0.05;
        put($s, frame_of(8, 0, 1, pack 'N', 65_536));
        sleep 0.05;
        kill 'CONT', $worker;

        my $body = data($s);

        if ($where eq 'body') {
            is($body, $first, "all that the vendor has sent, round $round");

        } else {
            like($body, $problem, "all of it, $where, round $round");
        }

        mark("end-$id");
    }
}

stop($server);
done_testing();


sub frame_of {
    my ($type, $flags, $stream, $payload) = @_;

    return substr(pack('N', length $payload), 1)
           . pack('CCN', $type, $flags, $stream) . $payload;
}


# a connection whose only stream has a window of so many bytes; the header is in
# literals without names of the table, but for :method, :scheme and :path

sub open_stream {
    my ($path) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
        or die "connect: $!";

    put($s, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            . frame_of(4, 0, 0, pack 'nN', 4, $window)
            . frame_of(1, 5, 1, "\x82\x86\x04" . chr(length $path) . $path
                                . "\x41\x01e"));

    return $s;
}


# the data that come within two seconds

sub data {
    my ($s) = @_;

    my $select = IO::Select->new($s);
    my ($buf, $data) = ('', '');
    my $end = time + 2;

    while ((my $left = $end - time) > 0) {
        $select->can_read($left) or last;
        sysread $s, $buf, 65536, length $buf or last;

        while (length $buf >= 9) {
            my ($high, $low, $type, $flags) = unpack 'CnCC', $buf;
            my $length = $high << 16 | $low;

            last if length $buf < 9 + $length;

            $data .= substr $buf, 9, $length if $type == 0;
            substr $buf, 0, 9 + $length, '';

            return $data if $type == 0 && $flags & 1;
        }

        last if length $data >= length $first;
    }

    return $data;
}
