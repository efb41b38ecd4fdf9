package Stress::Vendor;

# The vendor of tools/stress: /.../NUMBER is answered as Stress::Plan says.

use strict;
use warnings;

use ErrorMap qw(reset_on_close);
use Exporter qw(import);
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Stress::Plan;
use Time::HiRes qw(time);

our @EXPORT = qw(start_vendor);


# start_vendor(): (port, process id)

sub start_vendor {
    my $listen = IO::Socket::INET->new(Listen => 1024, ReuseAddr => 1,
                                       LocalAddr => '127.0.0.1')
        or die "listen: $!";

    my $pid = fork;
    die "fork: $!" if !defined $pid;
    return ($listen->sockport, $pid) if $pid;

    $SIG{PIPE} = 'IGNORE';
    $SIG{INT} = $SIG{TERM} = sub { POSIX::_exit(0) };

    eval { serve($listen) };
    warn "the vendor: $@";
    POSIX::_exit(1);
}


sub serve {
    my ($listen) = @_;

    my %open;
    my ($read, $write) = (IO::Select->new($listen), IO::Select->new);

    my $drop = sub {
        my ($c) = @_;

        $read->remove($c->{s});
        $write->remove($c->{s});
        delete $open{fileno $c->{s}};
        reset_on_close($c->{s}) if $c->{end} eq 'reset';
        close $c->{s};
    };

    for ( ;; ) {
        my $now = time;
        my $wait = 1;

        for my $c (values %open) {
            while (@{ $c->{steps} } && $c->{next} <= $now) {
                $c->{out} .= (shift @{ $c->{steps} })->[1];
                $c->{next} = $now + $c->{steps}[0][0] if @{ $c->{steps} };
                $c->{due} = 1;
                $write->add($c->{s});
            }

            $wait = $c->{next} - $now
                if @{ $c->{steps} } && $wait > $c->{next} - $now;
        }

        my ($r, $w) = IO::Select::select($read, $write, undef, $wait);

        for my $s (@{ $w || [] }) {
            my $c = $open{fileno $s};
            my $n = length $c->{out} ? syswrite $s, $c->{out} : 0;

            substr($c->{out}, 0, $n) = '' if $n;
            next if $c->{out} ne '' && ($n || $!{EAGAIN});

            $write->remove($s);

            if (!defined $n
                || ($c->{end} ne 'keep' && $c->{due} && !@{ $c->{steps} }))
            {
                $drop->($c);
            }
        }

        for my $s (@{ $r || [] }) {

            if ($s == $listen) {
                my $new = $listen->accept or next;

                setsockopt $new, IPPROTO_TCP, TCP_NODELAY, 1;
                $new->blocking(0);
                $read->add($new);
                $open{fileno $new} = { s => $new, in => '', out => '',
                                       steps => [], end => 'keep' };
                next;
            }

            # it may have been closed a moment ago

            my $c = defined fileno $s && $open{fileno $s} or next;
            my $n = sysread $s, $c->{in}, 65536, length $c->{in};

            next if !defined $n && $!{EAGAIN};
            $drop->($c), next if !$n;

            request($c);
        }
    }
}


# a request body, if any, is read before it is answered

sub request {
    my ($c) = @_;

    return if $c->{in} !~ /^(.*?\r\n\r\n)/s;

    my $head = $1;
    my ($length) = $head =~ /^Content-Length: (\d+)/mi;

    $length = length($head) + ($length || 0);
    return if length $c->{in} < $length;

    substr($c->{in}, 0, $length) = '';

    my ($method, $seed) = $head =~ m{^(\S+) \S*?/(\d+)(?:\?\S*)? };
    my $plan = plan($seed || 0);

    $c->{end} = $head =~ m{ HTTP/1\.0\r|^Connection: close}mi
                && $plan->{end} eq 'keep' ? 'close' : $plan->{end};
    $c->{due} = 0;
    $c->{steps} = [map { [@$_] } @{ $plan->{steps} }];

    # a HEAD has the same header, and nothing after it

    if ($method && $method eq 'HEAD') {
        $c->{steps} = [map { $_->[1] =~ /^(HTTP.*?\r\n\r\n)/s
                             ? [$_->[0], $1] : () } @{ $c->{steps} }];
        $c->{steps} = [[0, '']] if !@{ $c->{steps} };
    }

    $c->{next} = time + $c->{steps}[0][0];
}


1;
