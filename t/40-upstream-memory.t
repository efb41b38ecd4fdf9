# The tries of error_map_upstream: what the verdict about a response needed of
# memory is free once the next server is asked, so sixteen tries take as much
# as one.

use strict;
use warnings;

use Compress::Zlib qw(memGzip);
use ErrorMap;
use ErrorMapCodings;
use ErrorMapStream;
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

my $count = 100;
my $tries = 16;

# freed memory waits in a sanitizer's quarantine

my $sanitizer = ($ENV{CC} || '') =~ /sanitize/;

# no two parts of it are the same, and the code comes last

my $pad = join '', map { sprintf '%07d,', $_ } 1 .. 1800;
my $json = "{\"p\":\"$pad\",\"code\":503}";
my $text = "<r><p>$pad</p><c>503</c></r>";

my %body = (
    json => ['application/json', '', $json],
    gzip => ['application/json', "Content-Encoding: gzip\r\n",
             memGzip($json)],
    br => ['application/json', "Content-Encoding: br\r\n",
           br({}, map { substr $json, $_ * 7000, 7000 } 0 .. 2)],
    zstd => ['application/json', "Content-Encoding: zstd\r\n",
             zstd({}, map { substr $json, $_ * 7000, 7000 } 0 .. 2)],
    regex => ['text/xml', '', $text],
    both => ['text/xml', "Content-Encoding: gzip\r\n", memGzip($text)],
    real => ['text/plain', '', $pad],
);


# A vendor in one process.  It fails to answer all but the last try, in which it
# stalls after most of a body, so that its request can be measured.

my $listen = IO::Socket::INET->new(Listen => 4096, LocalAddr => '127.0.0.1')
    or die "listen: $!";

pipe my $commands, my $command or die "pipe: $!";
pipe my $answers, my $answer or die "pipe: $!";

my $vendor = fork;
die "fork: $!" if !defined $vendor;

if ($vendor == 0) {
    $SIG{PIPE} = 'IGNORE';
    close $command;
    failing_vendor();
    POSIX::_exit(0);
}

close $commands;
$command->autoflush(1);

sub failing_vendor {
    my $select = IO::Select->new($listen, $commands);
    my (%asked, @stalled);

    for ( ;; ) {
        for my $fh ($select->can_read) {

            if ($fh == $commands) {
                sysread $commands, my $what, 1 or return;

                if ($what eq 'n') {
                    syswrite $answer, @stalled . "\n";
                    next;
                }

                @stalled = ();
                %asked = ();
                next;
            }

            my $s = $listen->accept or next;
            my $head = '';

            while ($head !~ /\r\n\r\n/) {
                sysread $s, $head, 4096, length $head or last;
            }

            my ($kind, $last, $id)
                = $head =~ m{^GET /\w+/(\w+)/(\d+)\?(\d+) } or next;

            my ($type, $headers, $body) = @{ $body{$kind} };
            my $stall = ++$asked{"$kind $last $id"} == $last;
            my $status = $kind eq 'real' && !$stall ? 503 : 200;

            put($s, "HTTP/1.1 $status Fine\r\nContent-Type: $type\r\n"
                    . "${headers}Connection: close\r\nContent-Length: "
                    . length($body) . "\r\n\r\n"
                    . substr $body, 0, length($body) - ($stall ? 30 : 0));

            push @stalled, $s if $stall;
        }
    }
}


my $address = '127.0.0.1:' . $listen->sockport;
my $servers = join "\n", map { "server $address max_fails=0;" } 1 .. $tries;

# the KB that a request takes whose last try is with the vendor, in a worker of
# its own, for freed memory is used again

sub each_takes {
    my ($location, $kind, $last) = @_;

    my $port = free_port();

    my $edge = start(port => $port, log_level => 'warn', http => <<"END");
    error_map_document acme {
        source json /code;
        503 503 UNAVAILABLE "busy";
    }
    error_map_document xml {
        source regex "<c>(\\d+)</c>";
        503 503 UNAVAILABLE "busy";
    }
    error_map_types application/json text/xml;
    error_map_hold_timeout 60s;
    error_map_upstream on;

    upstream vendors { $servers }

    server {
        listen 127.0.0.1:$port backlog=4096;
        proxy_buffer_size 64k;
        proxy_buffers 4 64k;
        proxy_next_upstream http_503;

        location /acme/ { error_map acme; proxy_pass http://vendors; }
        location /xml/ { error_map xml; proxy_pass http://vendors; }
        location /off/ { proxy_pass http://vendors; }
        location = /stub { error_map off; stub_status; }
    }
END

    my $worker = worker($edge);

    get($port, '/stub') for 1 .. 20;

    my $before = memory($worker, 'VmRSS');
    my ($same, $now, $n) = (0, 0, 0);

    my @sockets = map {
        my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                      PeerPort => $port)
            or die "connect: $!";
        syswrite $s, "GET /$location/$kind/$last?$_ HTTP/1.1\r\nHost: e\r\n"
                     . "Connection: close\r\n\r\n";
        $s;
    } 1 .. $count;

    for (1 .. 300) {
        print $command 'n';
        $n = readline $answers;

        my $then = $now;

        $now = memory($worker, 'VmRSS');
        $same = $n == $count && $now == $then ? $same + 1 : 0;
        last if $same == 3;
        sleep 0.1;
    }

    is($n + 0, $count, "$kind, $location, try $last: all are with the vendor");

    print $command 'r';
    close $_ for @sockets;
    stop($edge);

    return ($now - $before) / $count;
}

# sixteen tries beside one

sub tries_take {
    my ($location, $kind) = @_;

    my ($one, $all) = map { each_takes($location, $kind, $_) } 1, $tries;

    note(sprintf '%s, %s: one try %.1f KB, %d tries %.1f KB', $kind, $location,
                 $one, $tries, $all);

    return $all - $one;
}

# what nginx keeps of each try

my $bare = tries_take('off', 'real');

for (['acme', 'json'], ['acme', 'gzip'], ['acme', 'br'], ['acme', 'zstd'],
     ['xml', 'regex'], ['xml', 'both'])
{
    my ($location, $kind) = @$_;
    my $more = sprintf '%.1f', tries_take($location, $kind) - $bare;

    cmp_ok($more, '<', 64, "$tries tries keep $more KB more than nginx's")
        if !$sanitizer;
}

close $command;
waitpid $vendor, 0;

done_testing();
