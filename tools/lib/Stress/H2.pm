package Stress::H2;

# A client of HTTP/2 for tools/stress, without TLS: the requests of one
# connection, with a small window, some of them reset.  It reads the status of a
# response, and its body.

use strict;
use warnings;

use Exporter qw(import);
use IO::Select;
use Time::HiRes qw(time);

our @EXPORT = qw(exchange_h2);


sub frame {
    my ($type, $flags, $stream, $payload) = @_;

    return substr(pack('N', length $payload), 1)
           . pack('CCN', $type, $flags, $stream) . $payload;
}


sub literal {
    my ($name, $value) = @_;

    return pack('C', 0) . join '', map { pack('C', length) . $_ } $name, $value;
}


# exchange_h2(socket, timeout, [method, uri, reset], ...): each { status, body,
# complete }; "reset" ends a stream after its first frame

sub exchange_h2 {
    my ($s, $timeout, @requests) = @_;

    my $window = 3000 + int rand 60000;
    my $out = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
              . frame(4, 0, 0, pack 'nN', 4, $window);
    my ($in, $end) = ('', time + $timeout);
    my @r;
    my $select = IO::Select->new($s);

    for my $i (0 .. $#requests) {
        my ($method, $uri) = @{ $requests[$i] };

        $r[$i] = { status => 0, body => '', complete => 0 };
        $out .= frame(1, 5, 2 * $i + 1,
                      literal(':method', $method) . literal(':path', $uri)
                      . literal(':scheme', 'http')
                      . literal(':authority', 'edge'));
    }

    syswrite $s, $out;

    while (grep { !$_->{complete} && !$_->{ended} } @r) {
        my $left = $end - time;

        return { late => 1 } if $left <= 0;
        next if !$select->can_read($left);
        sysread $s, $in, 65536, length $in or last;

        while (length $in >= 9) {
            my $size = unpack 'N', "\0" . substr $in, 0, 3;
            last if length $in < 9 + $size;

            my ($type, $flags, $stream) = unpack 'CCN', substr $in, 3, 6;
            my $payload = substr $in, 9, $size;
            my $r = $stream ? $r[($stream - 1) / 2] : undef;

            substr($in, 0, 9 + $size) = '';
            $out = '';

            if ($type == 0) {
                $r->{body} .= $payload;
                $out .= join '', map { frame(8, 0, $_, pack 'N', $size)
                                     } 0, $stream if $size;

            } elsif ($type == 1 && !$r->{status}) {
                $payload = substr $payload, 5 if $flags & 0x20;
                $r->{status} = status($payload);

            } elsif ($type == 3) {
                $r->{ended} = 1;

            } elsif ($type == 4 && !($flags & 1)) {
                $out .= frame(4, 1, 0, '');

            } elsif ($type == 6 && !($flags & 1)) {
                $out .= frame(6, 1, 0, $payload);

            } elsif ($type == 7) {
                $_->{ended} = 1 for @r;
            }

            if ($r && $type <= 1) {
                $r->{complete} = 1 if $flags & 1;

                if ($requests[($stream - 1) / 2][2] && !$r->{complete}
                    && !$r->{ended})
                {
                    $r->{ended} = $r->{aborted} = 1;
                    $out .= frame(3, 0, $stream, pack 'N', 8);
                }
            }

            syswrite $s, $out if $out ne '';
        }
    }

    return @r;
}


# nginx sends :status first, as an index or as three digits

sub status {
    my ($block) = @_;

    # a change of the table's size may come first

    $block =~ s/^[\x20-\x3f]+//;

    my $first = ord $block;
    my %indexed = (8, 200, 9, 204, 10, 206, 11, 304, 12, 400, 13, 404, 14, 500);

    return $indexed{$first & 0x7f} || 0 if $first & 0x80;

    my $length = ord substr $block, 1;

    return $length & 0x80 ? huffman_digits(substr $block, 2, $length & 0x7f)
                          : substr $block, 2, $length;
}


# Huffman's codes of the digits

sub huffman_digits {
    my $bits = unpack 'B*', $_[0];
    my $text = '';

    for ( ;; ) {
        if ($bits =~ s/^000(00|01|10)//) {
            $text .= oct "0b$1";

        } elsif ($bits =~ s/^(01(?:1001|1010|1011|1100|1101|1110|1111))//) {
            $text .= oct("0b$1") - 22;

        } else {
            return $text;
        }
    }
}


1;
