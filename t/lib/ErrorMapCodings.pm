package ErrorMapCodings;

# Bodies in each Content-Encoding: zlib's are made by Perl's module, br and zstd
# by coder.c, others by hand.

use strict;
use warnings;

use Compress::Zlib;
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IPC::Open2 qw(open2);

our @EXPORT = qw(@codings %codings gz member deflated br zstd);


# zlib has a number for each format

use constant { GZIP => MAX_WBITS() + 16, RAW => -MAX_WBITS() };


# A coding has these functions:
#
#     encode(text)
#     parts(text, ...)          parts that can be read one by one
#     stored(text)              not compressed, up to 64 KB: "before" bytes, the
#                               text, and "after" bytes
#     blown_up(begin, byte, megabytes, end)
#     decode(bytes)             the text up to its end or to the first error
#     spoiled(bytes)            with a wrong sum, if it has one
#     garbled(bytes)            random bytes where the first block was
#
# and "members" if several streams are one body.  The module itself reads the
# "header" bytes of each stream, and decode() may differ there.

our @codings = (
    {
        name => 'gzip', members => 1, header => 0, before => 15, after => 8,
        encode => \&gz,
        parts => sub { member(join('', @_), deflated(9, @_)) },

        stored => sub {
            my $n = length $_[0];
            return member($_[0], pack('C v2', 1, $n, $n ^ 0xffff) . $_[0]);
        },

        blown_up => sub { zlib_blown_up(GZIP, @_) },
        decode => \&gzip_decode,
        spoiled => sub { $_[0] =~ s/.(.{7})$/\xff$1/sr },
        garbled => sub { substr($_[0], 0, 10) . $_[1] },
    },
    {
        name => 'deflate', members => 0, header => 0, before => 7, after => 4,
        encode => \&compress,

        parts => sub {
            my $d = deflateInit(-Level => 9);
            return join '', (map { ($d->deflate($_))[0],
                                   ($d->flush(Z_SYNC_FLUSH))[0] } @_),
                            ($d->flush)[0];
        },

        stored => sub {
            my $n = length $_[0];
            return pack('C3 v2', 0x78, 1, 1, $n, $n ^ 0xffff) . $_[0]
                   . pack 'N', adler32($_[0]);
        },

        blown_up => sub { zlib_blown_up(MAX_WBITS(), @_) },

        decode => sub {
            my ($bytes) = @_;
            my $format = (ord($bytes) & 0x8f) == 8 ? MAX_WBITS() : RAW;
            return (inflateInit(-WindowBits => $format)->inflate($bytes))[0]
                   // '';
        },

        spoiled => sub { $_[0] =~ s/(.)$/chr(ord($1) ^ 1)/ser },
        garbled => sub { substr($_[0], 0, 2) . $_[1] },
    },
    {
        name => 'br', members => 0, header => 0, before => 3, after => 1,
        encode => sub { br({}, @_) },
        parts => sub { br({}, @_) },

        # a window of 64 KB, a meta-block that is not the last one, 4 nibbles of
        # its length; the last one is empty

        stored => sub {
            my $bits = (length($_[0]) - 1) << 4 | 1 << 20;
            return substr(pack('V', $bits), 0, 3) . $_[0] . "\x03";
        },

        blown_up => sub { coder('encode br 9 0 0', blown_up(@_)) },
        decode => sub { coder('decode br', [$_[0]]) },
        garbled => sub { substr($_[0], 0, 1) . $_[1] },
    },
    {
        name => 'zstd', members => 1, header => 6, before => 9, after => 0,
        encode => sub { zstd({ flags => 1 }, @_) },
        parts => sub { zstd({}, @_) },

        # a window of 128 KB, a raw block that is the last one

        stored => sub {
            return pack('V C2', 0xfd2fb528, 0, 7 << 3)
                   . substr(pack('V', length($_[0]) << 3 | 1), 0, 3) . $_[0];
        },

        blown_up => sub { coder('encode zstd 9 0 0', blown_up(@_)) },
        decode => sub { coder('decode zstd', [$_[0]]) },
        spoiled => sub { $_[0] =~ s/(.)$/chr(ord($1) ^ 1)/ser },

        garbled => sub {
            return pack('V C2', 0xfd2fb528, 0, 7 << 3)
                   . substr(pack('V', length($_[1]) << 3 | 5), 0, 3) . $_[1];
        },
    },
);

our %codings = map { $_->{name} => $_ } @codings;


# gzip, RFC 1952: members of zlib, and hand-made ones

sub gz { Compress::Zlib::memGzip($_[0]) }

sub member {
    my ($text, $deflated, $flags, $fields) = @_;

    return pack('C4 x4 C2', 0x1f, 0x8b, 8, $flags || 0, 0, 255)
           . ($fields || '') . $deflated
           . pack 'V2', crc32($text), length $text;
}


# a deflated stream without a header, of parts that can be read one by one

sub deflated {
    my ($level, @parts) = @_;

    my $deflate = deflateInit(-Level => $level, -WindowBits => RAW);

    return join '', (map { ($deflate->deflate($_))[0],
                           ($deflate->flush(Z_SYNC_FLUSH))[0] } @parts),
                    ($deflate->flush)[0];
}


sub zlib_blown_up {
    my ($format, $begin, $byte, $megabytes, $end) = @_;

    my $deflate = deflateInit(-Level => 9, -WindowBits => $format);
    my $megabyte = $byte x 2 ** 20;

    return join '', map { $_->[0] }
        [$deflate->deflate($begin)],
        (map { [$deflate->deflate($megabyte)] } 1 .. $megabytes),
        [$deflate->deflate($end)], [$deflate->flush];
}


sub gzip_decode {
    my ($rest) = @_;
    my $text = '';

    while ($rest =~ /^\x1f/) {
        my $inflate = inflateInit(-WindowBits => GZIP);
        my ($part, $status) = $inflate->inflate($rest);

        $text .= $part // '';
        last if $status != Z_STREAM_END;
    }

    return $text;
}


# br({ level, window }, text, ...), and zstd(), which has flags of coder.c too:
# with more than one text, each can be read as soon as its bytes are there

sub br { coder(encoder('br', shift), map { [$_] } @_) }
sub zstd { coder(encoder('zstd', shift), map { [$_] } @_) }

sub encoder {
    my ($coding, $arg) = @_;

    return join ' ', 'encode', $coding, $arg->{level} || 5,
                     $arg->{window} || 0, $arg->{flags} || 0;
}

sub blown_up {
    my ($begin, $byte, $megabytes, $end) = @_;

    return ([$begin], [$byte x 2 ** 20, $megabytes], [$end]);
}


# coder(command, [bytes, times], ...): what coder.c answers; each process has
# one of its own

my ($program, $pid, $to, $from);

sub coder {
    my ($command, @parts) = @_;

    if (!$pid || $pid != $$) {
        $program ||= build();
        $pid = $$;
        open2($from, $to, $program);
        binmode $_ for $from, $to;
    }

    print $to join(' ', $command, map { length($_->[0]) . '*' . ($_->[1] || 1) }
                                  @parts), "\n", map { $_->[0] } @parts;
    $to->flush;

    my $length = readline $from // die 'coder ended';
    my $bytes = '';

    read $from, $bytes, $length;
    die 'coder ended' if length $bytes != $length;

    return $bytes;
}


sub build {
    my $dir = tempdir(CLEANUP => 1);
    my $source = dirname(__FILE__) . '/coder.c';
    my $cc = $ENV{CC} || 'cc';

    system("$cc -O1 -W -Wall -Werror -o $dir/coder $source -lbrotlidec"
           . ' -lbrotlienc -lzstd') == 0 or die "$cc does not build $source";

    return "$dir/coder";
}


1;
