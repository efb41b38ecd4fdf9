package Soak::Streams;

# The event streams of tools/soak-streams: what each of two vendors answers to a
# request, and what the client of an edge in front of both must get.
#
# A request is /?id=N&a=KIND&b=KIND; a kind says what that vendor answers.

use strict;
use warnings;

use ErrorMap qw(child);
use Exporter qw(import);
use IO::Socket::INET;
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

our @EXPORT = qw(start_stream_vendor uri wanted @kinds);

# good streams, and those whose errors come too late, are sent as they are;
# after the others the next vendor is asked

our @kinds = qw(good good good slow late cut quota wait busy json dead);

my %fails = map { $_ => 1 } qw(quota wait busy json dead);
my %status = (quota => 429, wait => 429, busy => 503, json => 503, dead => 502);
my %code = (quota => 'quota', wait => 'quota', busy => 'busy', json => 'busy');


sub uri {
    my ($id, $a, $b) = @_;

    return "/?id=$id&a=$a&b=$b";
}


# the parts of a vendor's body; before each it waits for the seconds given

sub parts {
    my ($name, $kind, $id) = @_;

    return ([0, "{\"error\":{\"code\":\"busy\",\"id\":$id}}"])
        if $kind eq 'json';

    my $failure = sub {
        return "event: error\ndata: {\"error\":\ndata: {\"code\":\"$_[0]\","
               . "\"id\":$id}}\n\n";
    };

    my @good = map { "data: {\"choices\":[{\"of\":\"$name\",\"id\":$id,"
                     . "\"n\":$_}]}\n\n" } 1 .. 4;

    return ([0, $failure->($kind)]) if $kind eq 'quota' || $kind eq 'busy';

    return ([0, ": wait\n\n"], [0.01, ": wait\n\n"],
            map { [0.002, $_] } split /(?<=\n)/, $failure->('quota'))
        if $kind eq 'wait';

    splice @good, 2, 0, $failure->('quota') if $kind eq 'late';
    splice @good, 1, 3, substr $good[1], 0, 20 if $kind eq 'cut';

    return map { [0, $_] } @good if $kind ne 'slow';

    # cut where the JSON text is not complete

    return ([0, ": wait\r\n\r\n"],
            map { [0.004, substr $_, 0, 25], [0.004, substr $_, 25] } @good);
}


# what the client must get: { status, code, body, whole }

sub wanted {
    my ($id, $a, $b) = @_;

    my ($name, $kind) = $fails{$a} ? ('b', $b) : ('a', $a);

    return { status => 502, whole => 1 } if $kind eq 'dead';

    return {
        status => $status{$kind} || 200, code => $code{$kind},
        body => join('', map { $_->[1] } parts($name, $kind, $id)),
        whole => $kind ne 'cut',
    };
}


# start_stream_vendor(name): its port; one process serves all connections

sub start_stream_vendor {
    my ($name) = @_;

    my $listen = IO::Socket::INET->new(Listen => 1024, ReuseAddr => 1,
                                       LocalAddr => '127.0.0.1')
        or die "listen: $!";

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid) {
        child($pid);
        return $listen->sockport;
    }

    $SIG{PIPE} = 'IGNORE';
    $SIG{TERM} = sub { POSIX::_exit(0) };

    # the process ends even if the soak is killed

    my ($parent, %open) = (getppid);

    while (getppid == $parent) {
        turn($name, $listen, \%open);
    }

    POSIX::_exit(0);
}


sub turn {
    my ($name, $listen, $open) = @_;

    my ($rin, $now, $wait) = ('', time, 1);

    vec($rin, fileno $listen, 1) = 1;

    for my $fd (keys %$open) {
        my $left = send_parts($open, $fd, $now) // next;

        vec($rin, $fd, 1) = 1;
        $wait = $left if $left < $wait;
    }

    select $rin, undef, undef, $wait;

    if (vec $rin, fileno $listen, 1) {
        my $s = $listen->accept or return;

        setsockopt $s, IPPROTO_TCP, TCP_NODELAY, 1;
        $open->{fileno $s} = { s => $s, in => '', out => [], next => 0 };
    }

    for my $fd (grep { vec $rin, $_, 1 } keys %$open) {
        my $c = $open->{$fd};

        if (!sysread $c->{s}, $c->{in}, 16384, length $c->{in}) {
            delete $open->{$fd};

        } elsif ($c->{in} =~ s/^GET (\S+).*?\r\n\r\n//s) {
            delete $open->{$fd} if !answer($c, $name, $1);
        }
    }
}


# sends what is due; the seconds to the next part, or undef if it has ended

sub send_parts {
    my ($open, $fd, $now) = @_;
    my $c = $open->{$fd};

    while (@{ $c->{out} } && $c->{next} <= $now) {
        my ($bytes, $end) = @{ shift @{ $c->{out} } }[1, 2];

        syswrite $c->{s}, $bytes;

        if ($end) {
            delete $open->{$fd};
            return;
        }

        $c->{next} = $now + $c->{out}[0][0] if @{ $c->{out} };
    }

    return @{ $c->{out} } ? $c->{next} - $now : 1;
}


# returns 0 if the connection is to be closed at once

sub answer {
    my ($c, $name, $uri) = @_;

    my %arg = $uri =~ /(\w+)=(\w+)/g;
    my $kind = $arg{$name};

    return 0 if $kind eq 'dead';

    my @parts = parts($name, $kind, $arg{id});
    my $type = $kind eq 'json' ? 'application/json' : 'text/event-stream';

    $_->[1] = sprintf "%x\r\n%s\r\n", length $_->[1], $_->[1] for @parts;

    # newer versions of nginx would keep the connection, and answer 502 where the
    # last of two vendors fails after one that closes it without an answer

    $parts[0][1] = "HTTP/1.1 200 OK\r\nContent-Type: $type\r\nX-Vendor: $name"
                   . "\r\nConnection: close\r\n"
                   . "Transfer-Encoding: chunked\r\n\r\n$parts[0][1]";

    if ($kind eq 'cut') {
        $parts[-1][2] = 1;

    } else {
        push @parts, [0, "0\r\n\r\n"];
    }

    $c->{out} = \@parts;
    $c->{next} = time;

    return 1;
}


1;
