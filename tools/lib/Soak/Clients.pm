package Soak::Clients;

# The clients of tools/soak, each in a process of its own.  They check every
# response and report to the parent.

use strict;
use warnings;

use ErrorMapStream qw(put);
use Exporter qw(import);
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Soak::Servers qw($cut);
use Soak::Traffic;
use Socket qw(INADDR_LOOPBACK SOL_SOCKET SO_RCVBUF SO_RCVTIMEO
              pack_sockaddr_in);
use Time::HiRes qw(sleep);

our @EXPORT = qw(fast_client slow_client progress result);

my $batch = 50;


# fast_client(edge, number, count): forks a client that pipelines requests in
# batches until it has so many responses.  Returns { pid, read => a pipe, text
# => the report so far }.
#
# The edge is { port, kills => a file that grows by a byte when a worker will be
# killed, and by another when it has ended, reloads => one that grows by a byte
# with each reload }.

sub fast_client {
    my ($edge, $number, $count) = @_;

    return client(sub { send_batches($edge, $number, $count, @_) });
}


# slow_client(edge, number): forks a client that sends one request at a time and
# reads a few bytes at a time, until it gets SIGTERM

sub slow_client {
    my ($edge, $number) = @_;

    return client(sub { read_slowly($edge, $number, @_) });
}


# client(sub): forks a client.  The sub is given $tell: $tell->(got => $q)
# counts a response, $tell->(reason => $q) a lost one, and $tell->('progress')
# sends "+N" for N new responses.  It returns an error or ""; the error is sent
# with the sums.

sub client {
    my ($sub) = @_;

    pipe my $read, my $write or die "pipe: $!";
    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        $SIG{INT} = $SIG{TERM} = 'DEFAULT';
        srand $$;
        close $read;
        report($write, $sub);
        POSIX::_exit(0);
    }

    close $write;
    return { pid => $pid, read => $read, text => '' };
}


sub report {
    my ($write, $sub) = @_;
    my (%sum, $new);

    my $error = eval {
        $sub->(sub {
            my ($event, $q) = @_;

            if ($event ne 'progress') {
                $sum{$event}{$_}++ for @{ $q->{keys} };
                $new++ if $event eq 'got';

            } elsif ($new) {
                put($write, "+$new\n");
                $new = 0;
            }
        });
    } // "$@";

    put($write, JSON::PP::encode_json({ error => $error, %sum }) . "\n");
}


# progress(client): reads from its report; returns the number of new responses,
# or undef at the end

sub progress {
    my ($client) = @_;

    sysread $client->{read}, $client->{text}, 65536, length $client->{text}
        or return undef;

    my $new = 0;

    $new += $1 while $client->{text} =~ s/^\+(\d+)\n//;
    return $new;
}


# result(client): waits for its end; returns the sums as { error, got => { key
# => number }, killed => { ... }, idle => { ... } }

sub result {
    my ($client) = @_;

    1 while defined progress($client);
    waitpid $client->{pid}, 0;

    my ($line) = $client->{text} =~ /^(\{.*)$/m;

    return $line ? JSON::PP::decode_json($line) : { error => 'no end' };
}


sub send_batches {
    my ($edge, $number, $count, $tell) = @_;

    my ($c, @sent);
    my ($done, $n) = (0, 0);

    while ($done < $count) {

        $c ||= connection($edge);

        # lost requests are sent again

        push @sent, random_request("$number-" . $n++)
            while @sent < $batch && $done + @sent < $count;

        my $size = @sent;

        put($c->{socket}, join '', map { text($_, 'keep-alive') } @sent);

        my $error = read_batch($c, \@sent, $tell);
        return $error if $error ne '';

        $done += $size - @sent;
        undef $c if $c->{closed};
        $tell->('progress');
    }

    return '';
}


# reads the responses to a batch; leaves the unanswered requests in it

sub read_batch {
    my ($c, $sent, $tell) = @_;
    my ($buf, $at) = ('', 0);

    while (@$sent) {
        my ($end, $head, $body) = response(\$buf, $at, $sent->[0]{method});

        if (!defined $end) {
            next if receive($c, \$buf, 262144);
            return lose_batch($c, $sent, $tell, length($buf), $at);
        }

        my $error = fault_of($sent->[0], $head, $body);
        return $error if $error ne '';

        $tell->(got => shift @$sent);
        $at = $end;

        # nginx has not read the requests after this one

        if ($head =~ /^Connection: close\r$/mi) {
            disconnect($c);
            return '';
        }
    }

    return $at < length $buf ? 'bytes that were not requested' : '';
}


# the connection has ended; of the bytes received, "read" are complete responses

sub lose_batch {
    my ($c, $sent, $tell, $received, $read) = @_;

    my $why = excuse($c, $received == 0)
              || ($received == $read && reloaded($c) ? 'idle' : '');
    my $q = $sent->[0];

    return "closed before $q->{id}, /$q->{location}/$q->{kind}, of " . @$sent
           . ', at byte ' . ($received - $read)
        if $why eq '';

    $tell->($why => $_) for @$sent;
    disconnect($c);

    return '';
}


sub read_slowly {
    my ($edge, $number, $tell) = @_;

    my $end = 0;
    my $error = '';

    local $SIG{TERM} = sub { $end = 1 };

    for (my $n = 0; !$end && $error eq ''; $n++) {
        $error = slow_exchange($edge, slow_request("$number-$n"), $tell);
    }

    return $error;
}


sub slow_exchange {
    my ($edge, $q, $tell) = @_;

    my $c = connection($edge, 8192);
    my ($buf, $size) = ('', (1, 20, 300, 3000)[rand 4]);
    my $where = "/$q->{location}/$q->{kind}";

    # a body of 64 KB would take minutes

    $size = 300 if $q->{kind} =~ /^(?:last|rate)$/ && $size < 300;

    put($c->{socket}, text($q, 'close'));
    sleep 0.002 while receive($c, \$buf, $size);
    disconnect($c);

    # a cut response lacks exactly these bytes

    $buf =~ s/^Content-Length: (\d+)/"Content-Length: " . ($1 - $cut)/me
        if $q->{kind} =~ /^cut/;

    my ($at, $head, $body) = response(\$buf, 0, 'GET');

    if (!defined $at) {
        my $why = excuse($c, $buf eq '');
        return "$where ended at byte " . length $buf if $why eq '';

        $tell->($why => $q);
        return '';
    }

    my $error = fault_of($q, $head, $body);
    return $error if $error ne '';
    return "$where: too much" if $at < length $buf;

    $tell->(got => $q);
    return '';
}


# a small buffer is set before the window is announced to the other end

sub connection {
    my ($edge, $rcvbuf) = @_;

    my $s = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!\n";

    setsockopt $s, SOL_SOCKET, SO_RCVBUF, $rcvbuf if $rcvbuf;
    setsockopt $s, SOL_SOCKET, SO_RCVTIMEO, pack('l!l!', 60, 0);

    connect $s, pack_sockaddr_in($edge->{port}, INADDR_LOOPBACK)
        or die "connect: $!\n";

    return { socket => $s, edge => $edge, reloads => -s $edge->{reloads},
             kills => int((-s $edge->{kills}) / 2) };
}


sub disconnect {
    my ($c) = @_;

    close $c->{socket};
    $c->{closed} = 1;
}


# appends to the buffer; false at the end of the connection

sub receive {
    my ($c, $buf, $size) = @_;

    for ( ;; ) {
        my $n = sysread $c->{socket}, $$buf, $size, length $$buf;

        return $n if defined $n;
        next if $!{EINTR};
        die "no answer in a minute\n" if $!{EAGAIN};
        return 0;
    }
}


# Why a connection may end with requests unanswered: a worker was killed since,
# or nothing at all was received and a worker, shutting down after a reload,
# closed the connection as idle.  "" is a fault.

sub excuse {
    my ($c, $nothing) = @_;

    return 'killed' if (-s $c->{edge}{kills}) / 2 > $c->{kills};
    return 'idle' if $nothing;
    return '';
}


# Whether the connection may belong to a worker that is shutting down: such a
# worker closes it after a response whose header did not say so, as it had been
# sent before.

sub reloaded {
    my ($c) = @_;
    my $file = $c->{edge}{reloads};

    return -s $file != $c->{reloads} || time - (stat $file)[9] < 10;
}


1;
