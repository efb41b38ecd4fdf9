# Two thousand responses are held at the same time: what fits in the buffers of
# the proxy takes as much memory as without the filter, what does not takes
# little more than its size, and where it is copied at most twice the hold size
# and a constant.  All leave whole, after the vendor's end or the hold timeout,
# and their memory is used again.

use strict;
use warnings;

use ErrorMap;
use ErrorMapCodings;
use ErrorMapStream;
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $count = 2000;

# a client, the vendor and two ends within the edge: a file each

if (!$ENV{EM_MEMORY_LIMIT}) {
    $ENV{EM_MEMORY_LIMIT} = 1;

    exec 'sh', '-c', 'ulimit -n 8192 || exit; exec "$@"', 'sh', $^X,
         (map { "-I$_" } @INC), $0
        if `sh -c 'ulimit -n 8192 2>/dev/null && echo ok'` eq "ok\n";

    plan skip_all => 'there cannot be 8192 open files';
}

# The memory of a request without the filter: pools, buffers and the overhead of
# malloc(); and that of decoding, beside twice the hold size.

my $constant = 24;
my %decoding = (gzip => 64, deflate => 64, br => 96, zstd => 96);

# a sanitizer keeps freed memory and adds a red zone to each piece

my $sanitizer = ($ENV{CC} || '') =~ /sanitize/;


# A vendor in one process: each response stalls before its last bytes until all
# are released at once.  Coded bodies have the largest windows, and are nearly as
# long as their text: it has random bytes, but not all of them.

my %body;

for my $size (16384, 65536) {

    # no two parts of it are the same

    my $data = substr join('', map { sprintf '%07d,', $_ } 0 .. $size / 8), 0,
                      $size - 200;
    $body{"/$size"} = "{\"Data\":\"$data\",\"StatusCode\":42505}";
    $body{"/chunked/$size"} = $body{"/$size"};

    srand 1;
    $data = join '', map { chr 93 + rand 163 } 1 .. $size - 200;

    my $text = "{\"Data\":\"$data\",\"StatusCode\":42505}";

    $body{"/gzip/$size"} = $codings{gzip}{encode}($text);
    $body{"/deflate/$size"} = $codings{deflate}{encode}($text);

    # two blocks, of which the first is decoded

    my @parts = (substr($text, 0, $size / 2), substr $text, $size / 2);

    $body{"/br/$size"} = br({ window => 24, level => 11 }, @parts);
    $body{"/zstd/$size"} = zstd({ window => 23, level => 19 }, @parts);
}


my $listen = IO::Socket::INET->new(Listen => 4096, LocalAddr => '127.0.0.1')
    or die "listen: $!";

pipe my $commands, my $command or die "pipe: $!";
pipe my $answers, my $answer or die "pipe: $!";

my $vendor = fork;
die "fork: $!" if !defined $vendor;

if ($vendor == 0) {
    $SIG{PIPE} = 'IGNORE';
    close $command;
    stalling_vendor();
    POSIX::_exit(0);
}

close $commands;
$command->autoflush(1);
$answer->close;


sub stalling_vendor {
    my $select = IO::Select->new($listen, $commands);
    my @stalled;

    for ( ;; ) {
        for my $fh ($select->can_read) {

            if ($fh == $commands) {
                sysread $commands, my $what, 1 or return;

                if ($what eq 'n') {
                    syswrite $answer, @stalled . "\n";
                    next;
                }

                for (splice @stalled) {
                    syswrite $_->[0], $_->[1];
                    close $_->[0];
                }

                next;
            }

            my $s = $listen->accept or next;
            my $head = '';

            while ($head !~ /\r\n\r\n/) {
                sysread $s, $head, 4096, length $head or last;
            }

            my ($uri) = $head =~ m{^GET /\w+(/\S+)} or next;
            my ($h, $body) = frame($uri =~ /chunked/ ? 'chunked' : 'length',
                                   $body{$uri},
                                   headers => $uri =~ m{^/([a-z]+)/}
                                              && $decoding{$1}
                                   ? "Content-Encoding: $1\r\n" : '');
            my $rest = substr $body, -100, 100, '';

            put($s, $h . $body);
            push @stalled, [$s, $rest];
        }
    }
}


sub edge {
    my ($port, $size) = @_;

    my $to = 'proxy_pass http://127.0.0.1:' . $listen->sockport;
    return start(port => $port, main => 'worker_rlimit_nofile 8192;',
                 log_level => 'warn', connections => 8000, http => <<"END");
    error_map_hold_size $size;
    error_map_hold_total 1024m;
    error_map_hold_timeout 50s;
    proxy_buffer_size 4k;
    proxy_buffers 8 4k;

    server {
        listen 127.0.0.1:$port backlog=4096;
        error_map tencent_iotvideo;
        add_header X-Verdict \$error_map_verdict always;
        add_header X-Held \$error_map_hold_size always;

        location /bare { error_map off; $to; }
        location /on { $to; }
        location /off { proxy_buffering off; $to; }
        location /timeout { error_map_hold_timeout 3s; $to; }
        location = /stub { error_map off; stub_status; }
    }
END
}


# waits until the vendor has stalled all responses and their memory does not
# change any more; returns it

sub all_held {
    my ($worker) = @_;
    my ($same, $last, $n) = (0, 0, 0);

    for (1 .. 200) {
        print $command 'n';
        $n = readline $answers;
        my $now = memory($worker, 'VmRSS');

        $same = $n == $count && $now == $last ? $same + 1 : 0;
        $last = $now;
        last if $same == 3;
        sleep 0.1;
    }

    is($n + 0, $count, '... have reached the vendor');

    return $last;
}


sub ask {
    my ($port, $uri) = @_;

    my $request = "GET $uri HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n";

    return map {
        my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                      PeerPort => $port)
            or die "connect: $!";
        syswrite $s, $request;
        $s;
    } 1 .. $count;
}


# one test: each response has a whole body and the verdict; returns the smallest
# number of held bytes

sub whole {
    my ($sockets, $uri, $verdict) = @_;

    my ($body) = $body{$uri =~ s{^/\w+}{}r};
    my (%wrong, $least);

    for my $s (@$sockets) {
        my $bytes = '';

        1 while sysread $s, $bytes, 262144, length $bytes;
        close $s;

        my $r = parse($bytes);
        my $held = $r->{headers}{'x-held'}[0] || 0;
        my $got = "$r->{status} " . ($r->{headers}{'x-verdict'}[0] // 'none')
                  . ($r->{complete} && $r->{body} eq $body ? '' : ' broken');

        $wrong{$got}++ if $got ne $verdict;
        $least = $held if !defined $least || $held < $least;
    }

    is(join(', ', map { "$wrong{$_} are $_" } sort keys %wrong), '',
       "... and come whole, $verdict");

    return $least;
}


for my $size (16384, 65536) {
    my $bare;

    for (
        [ "/bare/$size", 0, '200 none' ],
        [ "/on/$size", $constant, '402 mapped' ],
        [ "/on/chunked/$size", $constant, '402 mapped' ],
        [ "/off/$size", $constant, '402 mapped' ],
        map { [ "/on/$_/$size", $constant + $decoding{$_}, '402 mapped' ] }
            $size == 16384 ? sort keys %decoding : (),
    ) {
        my ($uri, $most, $verdict) = @$_;
        my $port = free_port();
        my $nginx = edge($port, $size);
        my $worker = worker($nginx);

        get($port, '/stub') for 1 .. 50;

        my $before = memory($worker, 'VmRSS');
        my @sockets = ask($port, $uri);

        pass("$count of $uri");

        my $peak = all_held($worker);
        my $each = sprintf '%.1f', ($peak - $before) / $count;

        my @answered = IO::Select->new(@sockets)->can_read(0);
        is(@answered + 0, 0, '... none is answered') if $most;

        # those without the filter are the base of the comparison

        cmp_ok($each, '<=', 2 * $size / 1024 + $most,
               "... take $each KB each, with a hold size of $size")
            if $most && !$sanitizer;
        note("$uri: $each KB each");

        $bare = $each if !$most;

        # 32 KB and the one of the header are the buffers of the proxy

        cmp_ok($each, '<=', $size < 32768 ? 1.05 * $bare + 4
                                          : 1.15 * $size / 1024 + 20,
               "... which is little beside $bare KB without the filter")
            if $uri =~ m{^/on/(?:chunked/)?\d} && !$sanitizer;

        print $command 'r';
        my $held = whole(\@sockets, $uri, $verdict);
        is(connections($port), $alone, '... and are gone');

        if ($most) {
            cmp_ok($held, '>', $size - 6000, "... at least $held bytes held");

            @sockets = ask($port, $uri);
            pass("$count once more");

            my $again = sprintf '%.1f', (all_held($worker) - $peak) / $count;

            # large blocks of memory do not always fit in the gaps of freed ones

            cmp_ok($again, '<=', $uri =~ /br|zstd/ ? 16 : 1,
                   "... take $again KB more each")
                if !$sanitizer;

            print $command 'r';
            whole(\@sockets, $uri, $verdict);
            is(connections($port), $alone, '... and are gone');
        }

        if ($uri eq '/on/16384') {
            @sockets = ask($port, "/timeout/$size");
            pass("$count of /timeout/$size");

            # the last ones are requested some time after the first

            my $begin = time;
            my $left = IO::Select->new(@sockets);

            while ($left->count && time - $begin < 10) {
                $left->remove($left->can_read(1));
            }

            is($left->count, 0, '... are answered before the vendor ends');

            print $command 'r';
            whole(\@sockets, "/timeout/$size", '200 undecided');
            is(connections($port), $alone, '... and are gone');
        }

        stop($nginx);
    }
}

close $command;
waitpid $vendor, 0;

done_testing();
