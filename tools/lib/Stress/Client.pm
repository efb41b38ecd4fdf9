package Stress::Client;

# The clients of tools/stress, each in a process of its own.

use strict;
use warnings;

use Compress::Zlib ();
use ErrorMap qw(parse reset_on_close);
use Exporter qw(import);
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Socket qw(INADDR_LOOPBACK SOL_SOCKET SO_RCVBUF pack_sockaddr_in);
use Soak::Traffic qw(response);
use Stress::Edge;
use Stress::H2;
use Stress::Plan;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(client);

my $patience = 40;
my (%sum, @faults, $edge, @locations);


# client(edge, seed, end): forks a client that runs until the time "end", and
# returns { pid, read => a pipe that its report comes from }

sub client {
    ($edge, my $seed, my $end) = @_;

    pipe my $read, my $write or die "pipe: $!";
    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid) {
        close $write;
        return { pid => $pid, read => $read };
    }

    close $read;
    $SIG{INT} = $SIG{TERM} = 'DEFAULT';
    $SIG{PIPE} = 'IGNORE';
    srand $seed;
    @locations = (@{ $edge->{locations} }, 'plain', 'unbuffered');

    eval {
        while (time < $end && @faults < 20) {
            my $what = rand;

            $what < 0.70 ? compared() : $what < 0.80 ? multiplexed()
            : $what < 0.95 ? aborted() : slow();
        }
        1;
    } or push @faults, "client: $@";

    print $write JSON::PP::encode_json({ sum => \%sum, faults => \@faults });
    close $write;
    POSIX::_exit(0);
}


sub one_of { $_[rand @_] }


sub random_request {
    my (%arg) = @_;

    my $location = one_of(@locations);

    # a cache has the same again

    my $seed = int rand($location =~ /cache|stored/ ? 300 : 1_000_000);
    my $q = { location => $location, seed => $seed, method => 'GET',
              headers => '', uri => "/$location/$seed" };

    $q->{server} = $arg{server} // 1 + int rand $#servers;

    if (rand() < 0.03) {
        $q->{uri} = '/ssi-page/?a=' . int(rand 1000) . '&b=' . int rand 1000;
        $q->{loose} = 'parts';

    } elsif ($location eq 'if') {
        $q->{uri} .= one_of('', '?a=1', '?b=1', '?a=1&b=1');
    }

    my $odd = rand;

    if ($odd < 0.05) {
        $q->{method} = 'HEAD';

    } elsif ($odd < 0.10) {
        $q->{headers} = 'Range: bytes=' . int(rand 50) . '-'
                        . int(50 + rand 5000) . "\r\n";

    } elsif ($odd < 0.15) {
        $q->{headers} = one_of('If-None-Match', 'If-Match') . ": \"$seed\"\r\n";

    } elsif ($odd < 0.18) {
        $q->{headers} = "If-Modified-Since: Mon, 28 Sep 1970 06:00:00 GMT\r\n";
    }

    $q->{conditional} = $q->{headers} ne '';
    $q->{headers} .= "Accept-Encoding: gzip\r\n" if rand() < 0.3;

    # lua takes an unread body for the next request after a 304

    $q->{post} = 1 if $q->{method} eq 'GET' && $location !~ /^capture/
                      && rand() < 0.05;

    $q->{loose} ||= $locations{$location}{loose} || $location =~ /^capture/;

    return $q;
}


sub text {
    my ($q, $connection) = @_;

    my $body = $q->{post} ? 'x' x 300 : '';
    my $method = $q->{post} ? 'POST' : $q->{method};

    return "$method $q->{uri} HTTP/1.1\r\nHost: edge\r\n"
           . "Connection: $connection\r\n$q->{headers}"
           . ($q->{post} ? "Content-Length: 300\r\n" : '') . "\r\n$body";
}


sub connected {
    my ($port, $rcvbuf) = @_;

    my $s = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!\n";

    setsockopt $s, SOL_SOCKET, SO_RCVBUF, $rcvbuf if $rcvbuf;
    connect $s, pack_sockaddr_in($port, INADDR_LOOPBACK)
        or die "connect: $!\n";

    return $s;
}


# requests of one connection, pipelined or one after the other, and the same
# without the filter

sub compared {
    my @q = map { random_request() } 1 .. one_of(1, 1, 2, 5);
    my $together = rand() < 0.5;

    for my $i (0 .. $#q) {
        $q[$i]{server} = $q[0]{server};
        $q[$i]{after} = join ' ', map {
            ($_->{post} ? 'POST' : $_->{method}) . " $_->{uri} "
            . $_->{headers} =~ s/\r\n/; /gr
        } @q[0 .. $i - 1];
    }

    my @got = answers($edge->{ports}[$q[0]{server}], $together, \@q);

    for my $i (0 .. $#q) {
        $sum{requests}++;

        if ($got[$i]{late}) {
            fault($q[$i], 'no end in ' . $patience . ' s, after '
                          . length($got[$i]{bytes}) . ' bytes');
            return;
        }

        my $off;

        # nginx ends the connection after what a filter has replaced, and after
        # what the vendor has broken off

        last if $got[$i]{unanswered}
                || $got[$i]{status} == 0
                   && grep { $_->{loose} || $_->{conditional}
                             || !plan($_->{seed})->{sound} } @q[0 .. $i - 1];

        if (!$q[$i]{loose}) {
            ($off) = answers($edge->{ports}[0], 0,
                             [{ %{ $q[$i] }, server => 0 }]);
        }

        check($q[$i], $got[$i], $off);
        last if !$got[$i]{complete};
    }
}


# the answers as far as they come

sub answers {
    my ($port, $together, $q) = @_;

    my $s = connected($port);
    my @got;
    my ($buf, $at, $sent) = ('', 0, 0);
    my $select = IO::Select->new($s);

    for my $i (0 .. $#$q) {
        my $end = time + $patience;

        if ($sent <= $i) {
            my @now = $together ? @$q : $q->[$i];

            syswrite $s, join '', map { text($_, $_ == $q->[-1] ? 'close'
                                                 : 'keep-alive') } @now;
            $sent += @now;
        }

        for ( ;; ) {
            my ($next, $head, $body) = response(\$buf, $at, $q->[$i]{method});

            # without a length, or 204

            undef $next if defined $next && !defined $body
                           && $head !~ m{^HTTP/1\.1 (?:204|304)};

            if (defined $next) {
                push @got, { %{ parse("$head\r\n") }, body => $body // '',
                             complete => 1 };
                $at = $next;

                # nginx ends the connection after some pages of its own

                return (@got, unanswered($#$q - $i))
                    if $head =~ /^Connection: close/mi;

                last;
            }

            my $left = $end - time;

            if ($left <= 0 || !$select->can_read($left)) {
                push @got, { late => 1, bytes => substr $buf, $at };
                return @got;
            }

            next if sysread $s, $buf, 262144, length $buf;

            my $r = parse(substr $buf, $at);


            # a body that ends with the connection

            $r->{complete} = 0
                if ($r->{headers}{'content-length'} || '') eq '';
            return (@got, $r, unanswered($#$q - $i));
        }
    }

    return @got;
}


sub unanswered {
    my ($n) = @_;

    return map { { complete => 0, unanswered => 1, status => 0, body => '',
                   headers => {} } } 1 .. $n;
}


sub multiplexed {
    my @q = map { random_request() } 1 .. one_of(1, 2, 5, 20);

    # lua has no subrequests then

    @q = grep { $_->{location} !~ /^(?:auth-lua|capture)/ } @q or return;

    my $port = $edge->{h2}[$q[0]{server}];

    for my $q (@q) {
        @$q{qw(server headers conditional h2 post)}
            = ($q[0]{server}, '', 0, 1, 0);
    }

    my $s = connected($port, one_of(0, 0, 4096));
    my @got = exchange_h2($s, $patience, map {
        [$_->{method}, $_->{uri}, rand() < 0.1]
    } @q);

    close $s;
    $sum{'HTTP/2'} += @q;

    if ($got[0]{late}) {
        fault($q[0], 'HTTP/2, no end, of ' . join ' ', map { $_->{uri} } @q);
        return;
    }

    for my $i (0 .. $#q) {
        next if $got[$i]{aborted} || $q[$i]{loose};

        my ($off) = answers($edge->{ports}[0], 0, [$q[$i]]);

        $got[$i]{headers} = {};
        check($q[$i], $got[$i], $off);
    }
}


sub aborted {
    my @q = map { random_request() } 1 .. one_of(1, 1, 3);
    my $s = connected($edge->{ports}[$q[0]{server}], one_of(0, 2048));
    my $text = join '', map { text($_, 'keep-alive') } @q;

    $text = substr $text, 0, rand length $text if rand() < 0.1;
    syswrite $s, $text;
    $sum{aborted}++;

    if (rand() < 0.5) {
        sleep one_of(0, 0.001, 0.005, 0.02, 0.06, 0.2) * rand;

    } elsif (IO::Select->new($s)->can_read(0.5)) {
        sysread $s, my $bytes, one_of(1, 300, 20000);
    }

    shutdown $s, 1 if rand() < 0.2;
    reset_on_close($s) if rand() < 0.5;
    close $s;
}


# reads little by little

sub slow {
    my $q = random_request();
    my $s = connected($edge->{ports}[$q->{server}], 4096);
    my ($buf, $size, $end) = ('', one_of(300, 1000, 4000), time + 3);

    syswrite $s, text($q, 'close');

    while (time < $end && IO::Select->new($s)->can_read($patience)) {
        sysread $s, $buf, $size, length $buf or last;
        sleep 0.003;
    }

    close $s;
    $sum{slow}++;
}


sub fault {
    my ($q, $what) = @_;

    push @faults, "$servers[$q->{server}][0] $q->{method} $q->{uri} "
                  . ($q->{post} ? 'POST ' : '') . ($q->{h2} ? 'HTTP/2 ' : '')
                  . $q->{headers} =~ s/\r\n/; /gr . ": $what";
}


# its body without gzip

sub plain {
    my ($r) = @_;

    return $r->{body} if $r->{body} !~ /^\x1f\x8b/;
    return Compress::Zlib::memGunzip($r->{body}) // $r->{body};
}


# what the edge may make of a vendor's answer

sub check {
    my ($q, $r, $off) = @_;

    my $p = plan($q->{seed});
    my $server = $servers[$q->{server}][0];
    my $verdict = $r->{headers}{'x-v'}[0] || '';
    my $reason = $r->{headers}{'x-r'}[0] || '';

    $sum{"verdict $verdict"}++ if $verdict ne '';
    return if $q->{loose} && $r->{status};

    # what nginx itself breaks off

    return if $r->{unanswered} && $q->{loose};

    if (!$r->{complete}) {
        return if !$p->{sound} || $q->{loose} || ($off && !$off->{complete});
        return fault($q, "incomplete, status $r->{status}, "
                         . length($r->{body}) . ' bytes, '
                         . 'after ' . ($q->{after} || 'none'))
            if !$r->{unanswered};
        return;
    }

    return if !$off || $off->{late} || !$off->{status};

    # the vendor had closed the connection: nginx does not send a POST again

    return if $q->{post} && "$r->{status} $off->{status}" =~ /502/;

    my $mapped = $Stress::Plan::status{ $p->{code} };
    $mapped = undef if $server =~ /^(?:dry|never)$/;

    my $is = $verdict eq 'mapped' || ($verdict eq '' && $mapped
                                      && $r->{status} == $mapped
                                      && $off->{status} != $mapped);

    if ($is && $server ne 'dry') {
        return fault($q, "mapped, from the code \"$p->{code}\" to"
                         . " $r->{status}, $verdict")
            if !$mapped || $r->{status} != $mapped;

    } elsif ($r->{status} != $off->{status}) {

        # a condition that is not honoured

        return if $q->{conditional} && $r->{status} == $p->{status};
        return if !$p->{sound} && $r->{status} =~ /^50[24]$|^200$/;
        return fault($q, "status $r->{status}, not $off->{status};"
                         . " $verdict $reason; after "
                         . ($q->{after} || 'none') . "; "
                         . ($r->{head} || ''));
    }

    return if $q->{method} eq 'HEAD' || $p->{bodiless};

    # what must be found

    if ($mapped && $p->{sound} && !$q->{conditional} && !$is && !$q->{h2}
        && $server !~ /short|small/ && $p->{status} != 206
        && (!$p->{last} || length $p->{body} < 50000)
        && $reason ne 'hold_timeout' && $mapped != 200
        && $r->{status} != $mapped)
    {
        return fault($q, "not mapped: $verdict $reason, status $r->{status}, "
                         . "code $p->{code}");
    }

    return if !$p->{sound};

    $sum{checked}++;

    my $body = plain($r);

    if ($is && $server =~ /problem/ && $server ne 'dry') {
        my $json = eval { JSON::PP::decode_json($body) } || {};

        return fault($q, "problem $body")
            if ($json->{code} || '') ne $p->{code};

        $sum{mapped}++;
        return;
    }

    if ($is && $server =~ /page/ && $mapped != 200) {
        return fault($q, "page $body") if $body ne 'page';
        $sum{mapped}++;
        return;
    }

    $sum{mapped}++ if $is;

    # an unknown code has a problem, too

    return if $server =~ /problem/ && $p->{code};

    my $expected = $q->{conditional} && $r->{status} != $off->{status}
                   ? undef : plain($off);

    return if !defined $expected || !$off->{complete};

    fault($q, 'its body of ' . length($body) . ' bytes is "'
              . substr($body, 0, 60) . '", not of ' . length($expected)
              . ' bytes "' . substr($expected, 0, 60) . "\"; $verdict $reason")
        if $body ne $expected;
}


1;
