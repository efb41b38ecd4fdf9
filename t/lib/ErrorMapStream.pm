package ErrorMapStream;

# Responses in each framing of HTTP/1.1, many exchanges at the same time, and
# the resources of a worker.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT child);
use Exporter qw(import);
use IO::Socket::INET;
use POSIX ();
use Socket qw(INADDR_LOOPBACK IPPROTO_TCP SOL_SOCKET SO_RCVBUF TCP_NODELAY
              pack_sockaddr_in);
use Test::More ();
use Time::HiRes qw(sleep time);

our @EXPORT = qw(@framings $alone frame query put put_cut held_between request
                 exchange_all
                 responses pipelines bare summary open_string object worker
                 memory cpu_time connections limit_quarantine);
our @EXPORT_OK = qw(client median read_all take vendors);

our @framings = qw(length chunked close);


# frame(framing, body, chunk => bytes a chunk, status, type, headers => text):
# the head of a vendor's response, and its body as it goes over the wire

sub frame {
    my ($framing, $body, %arg) = @_;

    my $status = $arg{status} || '200 OK';
    my $type = $arg{type} || 'application/json';
    my $head = "HTTP/1.1 $status\r\nContent-Type: $type\r\n"
               . ($arg{headers} || '');

    if ($framing eq 'length') {
        return ($head . 'Content-Length: ' . length($body) . "\r\n\r\n",
                $body);
    }

    return ($head . "Connection: close\r\n\r\n", $body) if $framing eq 'close';

    my $size = $arg{chunk} || 65536;
    my $raw = '';

    for (my $i = 0; $i < length $body; $i += $size) {
        my $part = substr $body, $i, $size;
        $raw .= sprintf("%x\r\n", length $part) . "$part\r\n";
    }

    return ($head . "Transfer-Encoding: chunked\r\n\r\n", "${raw}0\r\n\r\n");
}


sub median { return (sort { $a <=> $b } @_)[$#_ / 2] }


# the arguments of a request's URI

sub query {
    my ($head) = @_;

    my ($args) = $head =~ m{^\S+ [^ ?]*\?(\S*)};

    return map { my ($name, $value) = split /=/, $_, 2; $name => $value }
           split /&/, $args // '';
}


# put(socket, bytes) writes everything, to a vendor's blocking socket.
# put_cut(socket, head, body, framing => , step => bytes, cut => at, pause => s)
# writes a response in steps, or cut into two, the second part after a pause, of
# 3 ms by default; it returns whether the connection stays open.

sub put {
    my ($s, $bytes) = @_;

    for (my $sent = 0; $sent < length $bytes; ) {
        my $n = syswrite $s, $bytes, 65536, $sent;
        return 0 if !$n;
        $sent += $n;
    }

    return 1;
}

sub put_cut {
    my ($s, $head, $raw, %arg) = @_;

    if ($arg{step}) {
        for (split /(.{$arg{step}})/s, $head . $raw) {
            put($s, $_);
            sleep 0.0005;
        }

    } else {
        put($s, $head . substr $raw, 0, $arg{cut});
        sleep $arg{pause} || 0.003
            if length $raw > $arg{cut} || $arg{framing} eq 'close';
        put($s, substr $raw, $arg{cut}) if length $raw > $arg{cut};
    }

    return $arg{framing} ne 'close';
}


# held_between(least, \held, \&check, jobs) checks jobs of [ case, framing,
# buffering, arguments of the vendor's URI ... ], and again with a longer pause
# at the cut until more than the least number of responses was held: a busy nginx
# reads both parts at once

sub held_between {
    my ($least, $held, $check, @jobs) = @_;

    for my $pause (0.003, 0.02, 0.1) {
        $check->("cut in two, after $pause s", map {
            my ($case, $framing, $buffering, @args) = @$_;

            [$case, $framing, $buffering, map { "$_&pause=$pause" } @args]
        } @jobs);

        last if $$held > $least;
    }

    Test::More::cmp_ok($$held, '>', $least, 'nginx reads between the cuts');
}


sub request {
    my ($uri, %arg) = @_;

    my $version = $arg{version} || '1.1';
    my $connection = $arg{connection} || 'close';
    my $headers = $arg{headers} || '';

    return "GET $uri HTTP/$version\r\nHost: edge\r\n"
           . "Connection: $connection\r\n$headers\r\n";
}


# vendors(sub { my ($socket, $head, $body) = @_; ... }): as vendor(), for one
# request a connection, by processes that are forked before; a fork for each of
# very many connections would take most of the time

sub vendors {
    my ($sub) = @_;

    my $listen = IO::Socket::INET->new(Listen => 128, LocalAddr => '127.0.0.1')
        or die "listen: $!";

    for (1 .. 32) {
        my $pid = fork;
        die "fork: $!" if !defined $pid;

        if ($pid) {
            child($pid);
            next;
        }

        # the process ends even if the test is killed

        alarm 300;
        $SIG{PIPE} = 'IGNORE';

        while (my $s = $listen->accept) {
            setsockopt $s, IPPROTO_TCP, TCP_NODELAY, 1;

            my ($head, $body) = take($s);

            $sub->($s, $head, $body) if $head ne '';
        }

        POSIX::_exit(0);
    }

    return $listen->sockport;
}


# take(socket): a request's head and body

sub take {
    my ($s) = @_;
    my $bytes = '';

    while (sysread $s, $bytes, 65536, length $bytes) {
        my ($head, $body) = $bytes =~ /^(.*?\r\n)\r\n(.*)/s or next;

        return ($head, $body) if $head !~ /^Content-Length: (\d+)/mi
                                 || length $body >= $1;
    }

    return ('', '');
}


# exchange_all({ port, request, timeout => s, until => qr//, slow => bytes a
#                read, pause => s between reads, rcvbuf => bytes, abort => s to
#                the end of it, reset => end it with RST, sink => sub }, ...)
#
# As exchange(), all at the same time.  A result also has parts, the times and
# sizes of the reads, and ended, the time of its end; a sink gets its bytes.

sub exchange_all {
    my @jobs = @_;

    my (%open, @results);

    local $SIG{PIPE} = 'IGNORE';

    for my $job (@jobs) {
        my $s = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!";

        setsockopt $s, SOL_SOCKET, SO_RCVBUF, $job->{rcvbuf} if $job->{rcvbuf};

        connect $s, pack_sockaddr_in($job->{port}, INADDR_LOOPBACK)
            or die "connect: $!";

        $s->blocking(0);

        my $begin = time;
        my $r = { bytes => '', closed => 0, parts => [] };
        push @results, $r;

        $open{fileno $s} = { %$job, s => $s, r => $r, begin => $begin,
                             sent => 0, next => $begin,
                             end => $begin + ($job->{abort} || $job->{timeout}
                                              || 10) };
    }

    while (%open) {

        my ($rin, $win) = ('', '');
        my $now = time;
        my $wait = 1;

        for my $fd (keys %open) {
            my $job = $open{$fd};

            if ($now >= $job->{end}) {
                reset_on_close($job->{s}) if $job->{reset};
                close $job->{s};
                delete $open{$fd};
                next;
            }

            $wait = $job->{end} - $now if $wait > $job->{end} - $now;

            vec($win, $fd, 1) = 1 if $job->{sent} < length $job->{request};

            if ($now >= $job->{next}) {
                vec($rin, $fd, 1) = 1;

            } elsif ($wait > $job->{next} - $now) {
                $wait = $job->{next} - $now;
            }
        }

        select(my $rout = $rin, my $wout = $win, undef, $wait);

        for my $fd (keys %open) {
            my $job = $open{$fd};
            my ($s, $r) = ($job->{s}, $job->{r});

            if (vec $wout, $fd, 1) {
                my $n = syswrite $s, $job->{request}, 16384, $job->{sent};
                $job->{sent} += $n || 0;
            }

            next if !vec $rout, $fd, 1;

            my $n = sysread $s, my $part, $job->{slow} || 65536;

            next if !defined $n && $!{EAGAIN};

            if ($n) {
                my $elapsed = time - $job->{begin};

                push @{ $r->{parts} }, [$elapsed, $n];
                $r->{first} = $elapsed if !defined $r->{first};
                $r->{time} = $elapsed;
                $job->{next} = time + $job->{pause} if $job->{pause};

                if ($job->{sink}) {
                    $job->{sink}->($part);
                    next;
                }

                $r->{bytes} .= $part;

                next if !$job->{until} || $r->{bytes} !~ $job->{until};

            } else {
                $r->{closed} = 1;
                $r->{reset} = 1 if !defined $n;
            }

            $r->{ended} = time - $job->{begin};

            close $s;
            delete $open{$fd};
        }
    }

    return @results;
}


# client(port, request, bytes): the socket of a client that has asked, whose
# buffer has that size, if it is given

sub client {
    my ($port, $request, $rcvbuf) = @_;

    my $s = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!";

    setsockopt $s, SOL_SOCKET, SO_RCVBUF, $rcvbuf if $rcvbuf;
    connect $s, pack_sockaddr_in($port, INADDR_LOOPBACK) or die "connect: $!";
    syswrite $s, $request;

    return $s;
}


# read_all(socket): takes the rest of a response, as parse() returns it

sub read_all {
    my ($s) = @_;
    my $bytes = '';

    local $SIG{ALRM} = sub { die "timeout\n" };
    alarm 30;
    1 while sysread $s, $bytes, 262144, length $bytes;
    alarm 0;

    return parse($bytes);
}


# responses(bytes): those of one connection, each as parse() returns it

sub responses {
    my ($bytes) = @_;

    my @responses;

    while ($bytes =~ /\G(HTTP.*?\r\n\r\n)/gcs) {
        my $head = $1;
        my $begin = pos $bytes;
        my $end = length $bytes;

        if ($head =~ /^Content-Length: (\d+)/mi) {
            $end = $begin + $1;

        } elsif ($head =~ /^Transfer-Encoding: chunked/mi) {

            while ($bytes =~ /\G([0-9a-f]+)\r\n/gci) {
                my $n = hex $1;

                last if pos($bytes) + $n > length $bytes;

                pos($bytes) += $n;
                last if $bytes !~ /\G\r\n/gc || $n == 0;
            }

            $end = pos $bytes;
        }

        push @responses, parse($head . substr $bytes, $begin, $end - $begin);
        pos($bytes) = $end;
    }

    my $rest = substr $bytes, pos $bytes || 0;
    push @responses, parse($rest) if $rest ne '';

    return @responses;
}


# pipelines(port, [uri, ...], ...): requests each list on a connection of its
# own, without waiting, and returns a list of responses for each

sub pipelines {
    my ($port, @lists) = @_;

    my @jobs = map {
        my ($last, @first) = reverse @$_;

        { port => $port, timeout => 60,
          request => join '', (map { request($_, connection => 'keep-alive') }
                                   reverse @first), request($last) }
    } @lists;

    return map { [responses($_->{bytes})] } exchange_all(@jobs);
}


# bare(response): as text, the part that must be the same without the filter

sub bare {
    my ($r) = @_;

    my @lines = sort grep { !/^(?:Date|Connection|X-(?:V|N|Held|Time)): /i }
                split /\r\n/, $r->{head} || '';

    return join "\n", @lines, '', "complete: $r->{complete}", $r->{body};
}


# summary(response, body): its status, its X-V, and whether the body is whole

sub summary {
    my ($r, $body) = @_;

    return join ', ', $r->{status}, $r->{headers}{'x-v'}[0] || '',
        $r->{body} eq $body && $r->{complete} ? 'whole' : 'broken';
}


# JSON of n bytes, without an end and with one

sub open_string { '{"p":"' . 'x' x ($_[0] - 6) }
sub object { open_string($_[0] - 2) . '"}' }


# before start(): freed memory that a sanitizer keeps must not count as a leak

sub limit_quarantine {
    $ENV{ASAN_OPTIONS} = join ':', $ENV{ASAN_OPTIONS} || (),
                                   'quarantine_size_mb=1';
}


# the process id of an nginx's only worker

sub worker {
    my ($server) = @_;

    return wait_for(sub { (ErrorMap::workers($server))[0] })
           || die "no worker";
}


# memory(pid, name): the kbytes of /proc/PID/status: VmRSS is the present size,
# VmHWM the largest so far

sub memory {
    my ($pid, $name) = @_;

    slurp("/proc/$pid/status") =~ /^$name:\s+(\d+) kB/m
        or die "no $name of $pid";

    return $1;
}


# the seconds of CPU time of a process

sub cpu_time {
    my ($pid) = @_;

    my @fields = split / /, slurp("/proc/$pid/stat") =~ s/^.*\) //r;

    return ($fields[11] + $fields[12]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}


# connections(port): "active N reading N writing N waiting N" of the location
# /stub, once it is $alone, as only the asking connection is left, or after ten
# seconds

our $alone = 'active 1 reading 0 writing 1 waiting 0';

sub connections {
    my ($port) = @_;

    my $text;

    wait_for(sub {
        $text = join ' ', map { lc } get($port, '/stub')->{body}
                =~ /(Active)\ connections:\ (\d+).*(Reading):\ (\d+)
                    \ (Writing):\ (\d+)\ (Waiting):\ (\d+)/sx;

        return $text eq $alone;
    });

    return $text;
}


1;
