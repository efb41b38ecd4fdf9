# A gzip body is inflated for the verdict only, the client gets the vendor's
# bytes.  The verdict does not depend on the cuts, and invalid or very large
# bodies do no harm.

use strict;
use warnings;

use Compress::Zlib;
use Digest::MD5 qw(md5 md5_hex);
use ErrorMap;
use ErrorMapHttp qw(connection ask);
use ErrorMapStream;
use Test::More;
use Time::HiRes qw(sleep);

my @bufferings = qw(on off);
my $mapped = 'mapped 42505';


# zlib has a number for each format

use constant { GZIP => MAX_WBITS() + 16, RAW => -MAX_WBITS() };


# gzip, RFC 1952: members of zlib, and hand-made ones

sub gz { Compress::Zlib::memGzip($_[0]) }

sub member {
    my ($text, $deflated, $flags, $fields) = @_;

    return pack('C4 x4 C2', 0x1f, 0x8b, 8, $flags || 0, 0, 255)
           . ($fields || '') . $deflated
           . pack 'V2', crc32($text), length $text;
}

# ... with one uncompressed block: 15 bytes, the text and 8 bytes

sub stored {
    my ($text) = @_;
    my $n = length $text;

    return member($text, pack('C v2', 1, $n, $n ^ 0xffff) . $text);
}

# ... with parts that can be read one by one

sub deflated {
    my ($level, @parts) = @_;

    my $deflate = deflateInit(-Level => $level, -WindowBits => RAW);

    return join '', (map { ($deflate->deflate($_))[0],
                           ($deflate->flush(Z_SYNC_FLUSH))[0] } @parts),
                    ($deflate->flush)[0];
}

# ... with one byte repeated size times, which may be a bomb

sub blown_up {
    my ($begin, $byte, $size, $end) = @_;

    my $deflate = deflateInit(-Level => 9, -WindowBits => GZIP);
    my $megabyte = $byte x 2 ** 20;

    return join '', map { $_->[0] }
        [$deflate->deflate($begin)],
        (map { [$deflate->deflate($megabyte)] } 1 .. $size >> 20),
        [$deflate->deflate($end)], [$deflate->flush];
}

# the text of a body up to its end or to its first error

sub inflated {
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


# small bodies: name, bytes, verdict and code

my $json = '{"s":"\\"}{","StatusCode":42505,"a":[1,{"b":"c"}]}';

# zlib makes a block with dynamic codes of it

my $text = '{"p":"' . join('', map { substr md5_hex($_), 0, 9 } 1 .. 20)
           . '","StatusCode":42505}';

# a code that is copied across the 4096th byte

my $copied = '{"a":{"StatusCode":42505,"b":1},"p":"' . 'x' x 4042
             . '","StatusCode":42505,"b":1}';

my $fields = pack('v/a', "ab\6\0secret") . "file.json\0a comment\0";
$fields .= pack 'v', crc32(pack('C4 x4 C2', 0x1f, 0x8b, 8, 31, 0, 255)
                           . $fields) & 0xffff;

my $members = gz('{"a":1') . gz(',"StatusCode":42505}');

my @cases = (
    ['code in the middle', gz($json), $mapped],
    ['code last', gz('{"a":{"StatusCode":200},"StatusCode":"42505"}'),
     $mapped],
    ['unknown code', gz('{"a":1,"StatusCode":"a b"}'), 'unknown a b'],
    ['success', gz('{"a":1,"StatusCode":200}'), 'success 200'],
    ['no code', gz('{"a":1}'), 'none '],
    ['malformed before the code', gz('{"a":tru,"StatusCode":42505}'), 'none '],
    ['byte order mark', gz("\xef\xbb\xbf$json"), $mapped],
    ['not compressed', stored($json), $mapped],
    ['dynamic codes', gz($text), $mapped],
    ['copied', gz($copied), $mapped],
    ['in parts', member($json, deflated(9, split //, $json)), $mapped],
    ['in parts, not compressed', member($json, deflated(0, $json =~ /..?/g)),
     $mapped],
    ['all fields in the header',
     member($json, deflated(9, $json), 31, $fields), $mapped],
    ['code in the second member', $members, $mapped],
    ['code in two members', gz('{"StatusCode":42') . gz('505}'), $mapped],
    ['a member for each byte', join('', map { gz($_) } split //,
                                    '{"StatusCode":42505}'), $mapped],
    ['empty members', gz('') x 3 . gz('{"a":1,') . gz('') x 2
                      . gz('"StatusCode":42505}') . gz(''), $mapped],
    ['empty members alone', gz('') x 3, 'none '],
    ['an object for each member', gz('{"a":1}') . gz('{"StatusCode":42505}'),
     'none '],
    ['zeros after a member', gz('{"StatusCode":42505}') . "\0" x 20, $mapped],
    ['zeros between members',
     gz('{"a":1') . "\0" . gz(',"StatusCode":42505}'), 'none '],
    ['JSON after a member', gz('{"a":1') . ',"StatusCode":42505}', 'none '],
    ['one byte of a member', gz('{"a":1') . "\x1f", 'none '],
    ['half a member', substr($members, 0, -16), 'none '],
    ['the first byte of a member, then JSON', gz('{"a":1') . "\x1f$json",
     'none '],
    ['wrong sum', gz('{"a":1') =~ s/.(.{7})$/\xff$1/sr
                  . gz(',"StatusCode":42505}'), 'none '],
    ['wrong length', gz('{"a":1') =~ s/.$/\xff/sr
                     . gz(',"StatusCode":42505}'), 'none '],
    ['compressed twice', gz(gz($json)), 'none '],
    ['plain JSON', $json, 'none '],
    ['the format of zlib', compress($json), 'none '],
    ['no format at all', deflated(9, $json), 'none '],
    ['random bytes', join('', map { md5($_) } 1 .. 8), 'none '],
    ['random bytes after a header',
     substr(gz($json), 0, 10) . join('', map { md5($_) } 1 .. 8), 'none '],
    ['empty', '', 'none '],
);

is(ord(substr gz($text), 10) >> 1 & 3, 2, 'a block with dynamic codes');
is(index($copied, '42505', 4000), 4094, 'a copy over two buffers');
is(inflated(gz('a') . gz('b') . "\0" . gz('c')), 'ab', 'zeros end the text');

my %number = map { $cases[$_][0] => $_ } 0 .. $#cases;


# bodies that need a hold size of n bytes

sub code_at {
    my ($n, $code) = @_;

    return '{"p":"' . 'x' x ($n - 22 - length $code)
           . "\",\"StatusCode\":$code}";
}

sub in_three { join '', map { gz($_) } $_[0] =~ /^(.{10})(.*)(.{10})$/ }
sub wrong_sum { gz($_[0]) =~ s/.(.{7})$/\xff$1/sr }
sub cut_short { substr gz($_[0]), 0, -4 }

is(length code_at(64, 42505), 64, 'a body with a code has n bytes');
is(length object(64), 64, 'an object has n bytes');
is(length stored('x' x 10), 33, 'an uncompressed member has 23 bytes more');

# name, sub (n) -> body, verdict

my @sized = (
    (map {
        my ($code, $verdict) = @$_;

        ["$code, one byte less", sub { gz(code_at($_[0] - 1, $code)) },
         $verdict],
        ["$code", sub { gz(code_at($_[0], $code)) }, $verdict],
        ["$code and much more",
         sub { gz(code_at($_[0], $code) =~ s/.$/,/r . '"a":[' x 9999) },
         $verdict],
        ["$code, one byte more", sub { gz(code_at($_[0] + 1, $code)) },
         'undecided '],
        ["$code in three members",
         sub { in_three(code_at($_[0], $code)) }, $verdict],
        ["$code in three members, one byte more",
         sub { in_three(code_at($_[0] + 1, $code)) }, 'undecided '],

        ["$code as received", sub { stored(code_at($_[0] - 15, $code)) },
         $verdict],
        ["$code as received, one byte more",
         sub { stored(code_at($_[0] - 14, $code)) }, 'undecided '],
    } ([42505, $mapped], [999, 'unknown 999'], [200, 'success 200'])),

    ['object, one byte less', sub { gz(object($_[0] - 1)) }, 'none '],
    ['object', sub { gz(object($_[0])) }, 'none '],
    ['object, one byte more', sub { gz(object($_[0] + 1)) }, 'undecided '],
    ['object and blanks', sub { gz(object($_[0]) . ' ' x 9999) }, 'none '],
    ['no end, one byte less', sub { gz(open_string($_[0] - 1)) }, 'none '],
    ['no end', sub { gz(open_string($_[0])) }, 'none '],
    ['no end, one byte more', sub { gz(open_string($_[0] + 1)) },
     'undecided '],
    ['no end, empty members',
     sub { gz('') x 2 . gz(open_string($_[0])) . gz('') }, 'none '],
    ['no end, zeros after it',
     sub { gz(open_string($_[0])) . "\0" x 9999 }, 'none '],
    ['blanks', sub { gz(' ' x $_[0]) }, 'none '],
    ['blanks, one byte more', sub { gz(' ' x ($_[0] + 1)) }, 'undecided '],
    ['wrong sum', sub { wrong_sum(open_string($_[0])) }, 'none '],
    ['wrong sum, one byte more', sub { wrong_sum(open_string($_[0] + 1)) },
     'undecided '],
    ['cut short', sub { cut_short(open_string($_[0])) }, 'none '],
    ['cut short, one byte more', sub { cut_short(open_string($_[0] + 1)) },
     'undecided '],

    ['no end as received, one byte less',
     sub { stored(open_string($_[0] - 24)) }, 'none '],
    ['no end as received', sub { stored(open_string($_[0] - 23)) }, 'none '],
    ['no end as received, one byte more',
     sub { stored(open_string($_[0] - 22)) }, 'undecided '],
    ['a long name of a file',
     sub { member($json, deflated(9, $json), 8, 'x' x $_[0] . "\0") },
     'undecided '],
);


# 100 MB, and very many members: name, bytes, verdict

my $size = 100 * 2 ** 20;

my @bombs = (
    ['blanks', blown_up('', ' ', $size, ''), 'undecided '],
    ['a string', blown_up('{"a":"', 'x', $size, '","StatusCode":42505}'),
     'undecided '],
    ['a code first', blown_up('{"StatusCode":42505,"a":"', 'x', $size, '"}'),
     $mapped],
    ['members of blanks', gz(' ' x 50000) x 2000, 'undecided '],
    ['empty members', gz('') x 3000 . gz($json), $mapped],
    ['too many empty members', gz('') x 3300 . gz($json), 'undecided '],
);

cmp_ok(length $bombs[0][1], '<', 200_000, 'a bomb is small');
is(length gz(''), 20, 'an empty member is small');


# A body is named by the arguments of a request: one of a list, with a byte
# flipped, cut short, or inflated.

sub body {
    my (%arg) = @_;

    my $body = $arg{random} ? random($arg{random})
             : defined $arg{bomb} ? $bombs[$arg{bomb}][1]
             : defined $arg{sized} ? $sized[$arg{sized}][1]->($arg{n})
             : $cases[$arg{case}][1];

    substr($body, $arg{at}, 1) ^= chr $arg{flip} if $arg{flip};
    $body = substr $body, 0, $arg{short} if defined $arg{short};
    $body = inflated($body) if $arg{plain};

    return $body;
}

# a block with fixed codes and any text

sub random {
    srand $_[0];

    return substr(gz($json), 0, 10)
           . pack 'C*', (rand 256 & 0xf8 | 3), map { rand 256 } 1 .. 50;
}

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my %arg = query($request);
    my ($head, $raw) = frame($arg{framing}, body(%arg), chunk => $arg{chunk},
                             headers => $arg{plain}
                                        ? '' : "Content-Encoding: gzip\r\n");

    if ($arg{step}) {
        for (split /(.{$arg{step}})/s, $head . $raw) {
            put($s, $_);
            sleep 0.0005;
        }

    } else {
        my $cut = $arg{cut} // length $raw;

        put($s, $head . substr $raw, 0, $cut);

        return 0 if $arg{broken};
        return sysread $s, my $end, 1 if $arg{stall};

        if ($cut < length $raw) {
            sleep 0.003;
            put($s, substr $raw, $cut);
        }
    }

    return $arg{framing} ne 'close';
});

my $port = free_port();
my @sizes = (200, 4096, 65536);
my $locations = '';

for my $buffering (@bufferings) {
    for my $where ('off', 'on', 'long', @sizes) {
        my $document = $where eq 'off' ? 'off' : 'tencent_iotvideo';
        my $hold = $where =~ /^\d/ ? $where : '64k';
        my $timeout = $where eq 'long' ? '60s' : '5s';

        $locations .= <<"END";
        location /$where/$buffering {
            error_map $document;
            error_map_hold_size $hold;
            error_map_hold_timeout $timeout;
            proxy_buffering $buffering;
            proxy_pass http://vendor;
        }
END
    }
}

my $http = <<"END";
    keepalive_requests 10000;

    upstream vendor {
        server 127.0.0.1:$vendor;
        keepalive 64;
        keepalive_requests 10000;
    }

    server {
        listen 127.0.0.1:$port;

        proxy_http_version 1.1;
        proxy_set_header Connection "";
        add_header X-V "\$error_map_verdict \$error_map_code" always;
        add_header X-Held \$error_map_hold_size always;

$locations
    }
END

my $nginx = start(port => $port, http => $http);


# the headers that the filter must not change

sub rest {
    my ($r) = @_;

    my $own = ($r->{headers}{'x-v'}[0] || '') =~ /^(?:mapped|unknown)/
              ? 'X-(?:V|Held|Error-\w+|Upstream-Status)' : 'X-(?:V|Held)';

    my (undef, @lines) = split /\r\n/, $r->{head} || '';

    return join "\n", sort map { s/^(Content-Length:).*/$1/ir }
                           grep { !/^(?:Date|Connection|$own):/i } @lines;
}

# a response in a few words, and the number of holds

my $held = 0;

sub verdict { ($_[0]{headers}{'x-v'}[0] || '') . ", $_[0]{status}" }

sub seen {
    my ($r, $off, $body, $most) = @_;

    my $n = $r->{headers}{'x-held'}[0];

    $held++ if $n;

    return verdict($r) . ', '
           . ($r->{body} eq $body && $r->{complete} ? 'whole' : 'broken')
           . (rest($r) eq rest($off) ? '' : ', with other headers')
           . (defined $n && $n ne '' && $n <= $most ? '' : ', too much held');
}

sub wanted {
    my ($verdict) = @_;

    return $verdict . ', ' . ($verdict eq $mapped ? 402 : 200);
}

# check([name, location, framing, rows, ...]): one test for each name, all its
# rows are right with and without buffering; a row has the arguments for the
# vendor, and the result of verdict()

sub check {
    my @jobs = map { my ($name, $where, $framing, @rows) = @$_;
                     map { [$name, $where, $framing, $_, @rows] } @bufferings
                   } @_;

    my (@names, %wrong);

    # not all at the same time

    while (my @some = splice @jobs, 0, 150) {

        my @results = pipelines($port, map {
            my (undef, $where, $framing, $buffering, @rows) = @$_;

            [map { "/$_&framing=$framing" }
                 "off/$buffering?$rows[0][0]",
                 map { "$where/$buffering?$_->[0]" } @rows]
        } @some);

        for (@some) {
            my ($name, $where, $framing, $buffering, @rows) = @$_;

            my ($off, @responses) = @{ shift @results };

            push @names, $name if !$wrong{$name};
            $wrong{$name} ||= [];

            for my $row (@rows) {
                my ($args, $wanted) = @$row;

                my $r = shift @responses;
                my $got = $r ? seen($r, $off, body(query("GET /?$args")),
                                    $where =~ /^\d/ ? $where : 65536)
                             : 'nothing';

                push @{ $wrong{$name} },
                     "$got, not $wanted: $args, $framing, buffering $buffering"
                    if $got ne "$wanted, whole";
            }
        }
    }

    for (@names) {
        my @some = @{ $wrong{$_} };

        splice @some, 5, -1, '...' if @some > 6;
        is(join("\n", @some), '', $_);
    }
}


# cut into two at every byte, also between the chunks, or at all bytes; each
# closed connection takes its time

my @jobs;

for my $n (0 .. $#cases) {
    my ($name, $body, $verdict) = @{ $cases[$n] };

    for my $framing (@framings) {

        my $every = $framing eq 'close' && $n ? 9 : 1;
        my (undef, $raw) = frame($framing, $body, chunk => 16);

        push @jobs, ["cut: $name: $verdict", 'on', $framing,
                     map { ["case=$n&$_", wanted($verdict)] }
                         (map { 'chunk=16&cut=' . $_ * $every }
                              0 .. length($raw) / $every),
                         $framing eq 'chunked' ? 'chunk=1' : (), 'step=7',
                         length $raw < 150 ? 'step=1' : ()];
    }
}

check(@jobs);

cmp_ok($held, '>', 1000, 'nginx reads between the cuts');


# a body that ends anywhere, flipped bytes and random ones: the verdict is that
# of the text up to there without gzip

my @damaged;

for my $name ('code in the middle', 'code in the second member',
              'all fields in the header', 'copied')
{
    my $case = "case=$number{$name}";
    my $last = length($cases[$number{$name}][1]) - 1;

    push @damaged, ["cut short: $name", map { "$case&short=$_" } 0 .. $last];

    push @damaged, ["a flipped byte: $name",
                    map { my $at = $_;
                          map { "$case&at=$at&flip=$_" }
                              1, 2, 4, 8, 16, 32, 64, 128, 255 } 0 .. $last];
}

push @damaged, ['random', map { "random=$_" } 1 .. 300];

my (%first, %plain);

for my $args (map { @$_[1 .. $#$_] } @damaged) {
    $first{body(query("GET /?$args&plain=1"))} ||= $args;
}

my @texts = sort keys %first;
my @lists;

push @{ $lists[$_ % 8] }, "/on/on?$first{$texts[$_]}&plain=1&framing=length"
    for 0 .. $#texts;

my @answers = pipelines($port, @lists);

for (0 .. $#texts) {
    my $r = shift @{ $answers[$_ % 8] };

    $plain{$texts[$_]} = $r->{body} eq $texts[$_] ? verdict($r) : 'nothing';
}

my %seen = map { $_ => 1 } map { /^(\w+)/ } values %plain;

is(join(' ', sort keys %seen), 'mapped none unknown',
   'damaged texts have various verdicts');

check(map {
    my ($name, @all) = @$_;

    map {
        my $framing = $_;

        [$name, 'on', $framing, map {
            my $wanted = $plain{body(query("GET /?$_&plain=1"))};

            map { [$_, $wanted] } "$_&chunk=16",
                                  /at=(\d+)&flip=255/ ? "$_&cut=$1" : (),
                                  /short/ ? "$_&cut=0" : ()
        } @all];
    } $name =~ /^cut short/ ? @framings : 'length';
} @damaged);


# an upstream breaks off: the rest of the body remains unknown

my @broken = map { my $cut = $_;
                   map { [$cut, $_] } @bufferings } map { $_ * 4 } 0 .. 17;

@answers = map { parse($_->{bytes}) } exchange_all(map {
    my ($cut, $buffering) = @$_;

    map { { port => $port, request => request(
        "/$_/$buffering?case=$number{'code in the middle'}&framing=length"
        . "&broken=1&cut=$cut") } } qw(off on)
} @broken);

my @wrong;
%seen = ();

for (@broken) {
    my ($cut, $buffering) = @$_;
    my ($off, $on) = splice @answers, 0, 2;

    my $text = inflated(substr gz($json), 0, $cut);
    my $wanted = wanted($text =~ /42505,/ ? $mapped : 'undecided ');
    my $got = verdict($on);

    $seen{$wanted}++;

    push @wrong, "$got, not $wanted at $cut, buffering $buffering"
        if "$got, " . rest($on) . $on->{body}
           ne "$wanted, " . rest($off) . $off->{body};
}

is(join("\n", @wrong), '', 'an upstream breaks off');
is(keys %seen, 2, '... before and after the code');


# a certain verdict does not wait for more: name, received bytes, verdict

my @certain = (['code in the middle', 60, $mapped],
               ['success', 40, 'success 200'],
               ['zeros between members', 28, 'none '],
               ['wrong sum', 27, 'none '], ['plain JSON', 2, 'none ']);

@answers = exchange_all(map {
    { port => $port, until => qr/\r\n\r\n/,
      request => request("/long/off?case=$number{$_->[0]}&stall=1"
                         . "&cut=$_->[1]&framing=length") }
} @certain);

for (@certain) {
    my ($name, $bytes, $verdict) = @$_;

    is(verdict(parse((shift @answers)->{bytes})), wanted($verdict),
       "at once: $name, $bytes bytes: $verdict");
}


# the hold size, to the byte, as received and as inflated

for my $n (@sizes) {
    check(map {
        my ($name, $sub, $verdict) = @{ $sized[$_] };

        my $args = "sized=$_&n=$n";
        my $length = length $sub->($n);

        my @rows = map { ["$args$_", wanted($verdict)] }
            '', (map { "&cut=$_" } grep { $_ < $length }
                     0, int $length / 2, $n - 1, $n, $n + 1),
            $length < 3000 ? '&chunk=1' : ();

        map { ["hold size $n: $name: $verdict", $n, $_, @rows] } @framings;
    } 0 .. $#sized);
}

stop($nginx);


# the memory and the time of a worker

limit_quarantine();

$nginx = start(port => $port, http => $http);

my $worker = worker($nginx);
my $c = connection($port);

sub one {
    my ($args) = @_;

    return ask($c, "GET /on/$args HTTP/1.1\r\nHost: edge\r\n\r\n");
}

for (0 .. $#bombs) {
    my ($name, $body, $verdict) = @{ $bombs[$_] };

    my $wanted = wanted($verdict) . ' ' . md5_hex($body);
    my ($memory, %got);

    for my $i (1 .. 50) {
        my $r = one($bufferings[$i % 2] . "?bomb=$_&framing="
                    . $framings[$i % 3]);

        $got{verdict($r) . ' ' . md5_hex($r->{body})}++;
        $memory = memory($worker, 'VmRSS') if $i == 10;
    }

    is(join("\n", keys %got), $wanted, "a bomb: $name: $verdict");
    cmp_ok(memory($worker, 'VmRSS') - $memory, '<', 20 * 1024,
           '... and the worker does not grow');
}

cmp_ok(cpu_time($worker), '<', 10, 'no bomb takes much time');

# requests of all kinds, one after the other

my @ways = map { my $args = $_;
                 map { "$_?framing=length&$args" } @bufferings }
    (map { "case=$number{$_}" } 'code in the middle', 'success', 'no code',
                                'code in the second member', 'half a member',
                                'plain JSON', 'a member for each byte'),
    "case=$number{'code in the middle'}&at=12&flip=255",
    "case=$number{'code in the middle'}&short=20",
    "case=$number{'code in the middle'}&cut=20",
    "case=$number{'empty members alone'}&cut=0",
    'sized=3&n=65536&cut=30', 'bomb=0';

my ($memory, $same, %verdicts) = (0, 0);

for my $i (0 .. 2199) {
    my $args = $ways[$i % @ways];
    my $r = one($args);

    $memory = memory($worker, 'VmRSS') if $i == 199;
    $same += $r->{body} eq body(query("GET /?$args"));
    $verdicts{$1}++ if verdict($r) =~ /^(\w+)/;
}

is($same, 2200, 'many requests on one connection');
is(join(' ', sort keys %verdicts), 'mapped none success undecided',
   '... with all verdicts');
cmp_ok(memory($worker, 'VmRSS') - $memory, '<', 4096,
       '... and the worker does not grow');

stop($nginx);

done_testing();
