package Vendor;

# The vendor of xt/beside.t: one process, that sends the body of a case in each
# of the ways in which a body can come.

use strict;
use warnings;

use Compress::Zlib ();
use Exporter qw(import);
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

our @EXPORT = qw(@modes start_vendor);


# once          all at the same time
# late          the header, and then all of the body
# drops         the header with the first of ten parts
# chunked       the same parts as chunks, at the same time
# chunked-late  ... one after the other, after the header
# close         the end of the connection is the end of the body
# gzip          as once, compressed
# gzip-late     the header, and then the compressed body in parts
# stall         a half, and then nothing for long

our @modes = qw(once late drops chunked chunked-late close gzip gzip-late);

my ($late, $pause, $parts, $stall) = (0.05, 0.006, 10, 1.5);


# what is sent, as a list of seconds to wait and bytes to send then

sub steps {
    my ($mode, $name, $case) = @_;

    my ($body, $more) = ($case->{body}, '');

    if ($mode =~ /^gzip/) {
        $body = Compress::Zlib::memGzip($body);
        $more = "Content-Encoding: gzip\r\n";
    }

    $more .= $mode =~ /^chunked/ ? "Transfer-Encoding: chunked\r\n"
             : $mode eq 'close' ? "Connection: close\r\n"
             : 'Content-Length: ' . length($body) . "\r\n";

    my $head = "HTTP/1.1 200 OK\r\nContent-Type: $case->{type}\r\n"
               . "ETag: \"$name\"\r\nX-Vendor: yes\r\n"
               . "Last-Modified: Mon, 28 Sep 1970 06:00:00 GMT\r\n$more\r\n";

    return ([0, $head . $body]) if $mode eq 'once' || $mode eq 'gzip';
    return ([0, $head], [$late, $body]) if $mode eq 'late';

    if ($mode eq 'stall') {
        my $part = substr $body, 0, length($body) / 2, '';

        return ([0, $head . $part], [$stall, $body]);
    }

    my $size = POSIX::ceil(length($body) / $parts) || 1;
    my @parts = $body =~ /(.{1,$size})/gs;

    if ($mode =~ /^chunked/) {
        @parts = map { sprintf("%x\r\n", length) . "$_\r\n" } @parts;
        push @parts, "0\r\n\r\n";
    }

    return ([0, join '', $head, @parts]) if $mode eq 'chunked';

    $head .= shift @parts if $mode eq 'drops' && @parts;

    return ([0, $head], map { [$_ ? $pause : $late, $parts[$_]] } 0 .. $#parts);
}


# start_vendor(name => { body, type }, ...)
#
# Answers /MODE/NAME; returns (port, process id).

sub start_vendor {
    my (%cases) = @_;

    my $listen = IO::Socket::INET->new(Listen => 1024, ReuseAddr => 1,
                                       LocalAddr => '127.0.0.1')
        or die "listen: $!";

    my $pid = fork;
    die "fork: $!" if !defined $pid;
    return ($listen->sockport, $pid) if $pid;

    $SIG{PIPE} = 'IGNORE';
    $SIG{TERM} = sub { POSIX::_exit(0) };

    my (%open, %steps);
    my ($read, $write) = (IO::Select->new($listen), IO::Select->new);

    for ( ;; ) {
        my $now = time;
        my $wait = 1;

        # what is due goes to the connection's bytes to send

        for my $c (values %open) {
            while (@{ $c->{steps} } && $c->{next} <= $now) {
                $c->{out} .= (shift @{ $c->{steps} })->[1];
                $c->{next} = $now + $c->{steps}[0][0] if @{ $c->{steps} };
                $write->add($c->{s});
            }

            $wait = $c->{next} - $now
                if @{ $c->{steps} } && $wait > $c->{next} - $now;
        }

        my ($r, $w) = IO::Select::select($read, $write, undef, $wait);

        for my $s (@{ $w || [] }) {
            my $c = $open{fileno $s} or next;
            my $n = syswrite $s, $c->{out};

            substr($c->{out}, 0, $n) = '' if $n;
            next if $c->{out} ne '' && ($n || $!{EAGAIN});

            $write->remove($s);

            if (!defined $n || $c->{close} && !@{ $c->{steps} }) {
                $read->remove($s);
                delete $open{fileno $s};
                close $s;
            }
        }

        for my $s (@{ $r || [] }) {

            if ($s == $listen) {
                my $new = $listen->accept or next;

                setsockopt $new, IPPROTO_TCP, TCP_NODELAY, 1;
                $new->blocking(0);
                $read->add($new);
                $open{fileno $new} = { s => $new, in => '', out => '',
                                       steps => [], close => 0 };
                next;
            }

            # it may have been closed a moment ago

            my $c = defined fileno $s && $open{fileno $s} or next;
            my $n = sysread $s, $c->{in}, 65536, length $c->{in};

            next if !defined $n && $!{EAGAIN};

            if (!$n) {
                $read->remove($s);
                $write->remove($s);
                delete $open{fileno $s};
                close $s;
                next;
            }

            $c->{in} =~ s/^(.*?\r\n\r\n)//s or next;
            my $request = $1;

            my ($mode, $name) = $request =~ m{^\S+ \S*/([a-z-]+)/(\w+)[? ]};

            if (!$cases{$name || ''}) {
                $c->{steps} = [[0, "HTTP/1.1 404 Not Found\r\n"
                                   . "Content-Length: 0\r\n\r\n"]];

            } else {
                $c->{steps} = [steps($mode, $name, $cases{$name})];
                $c->{close} = $mode eq 'close'
                              || $request =~ /^Connection: close/mi
                              || $request =~ m{ HTTP/1\.0\r};
            }

            $c->{next} = time + $c->{steps}[0][0];
        }
    }
}


1;
