package Stress::Plan;

# What the vendor of tools/stress does for a number: the same number gives the
# same answer, sent in the same way, to whoever asks.

use strict;
use warnings;

use Compress::Zlib ();
use Exporter qw(import);

our @EXPORT = qw(plan);

# code => what it is mapped to; the others are unknown, or successes

our %status = (1001 => 503, 1002 => 403, 1003 => 402, 1004 => 200);

my $gif = pack 'H*', '47494638396101000100800000ffffff00000021f90401000000002c'
                     . '00000000010001000002024401003b';
my $types = { json => 'application/json', xml => 'text/xml',
              html => 'text/html', gif => 'image/gif', text => 'text/plain' };

# The generator is our own, because rand() is used for other things, too.

my $state;

sub number {
    my ($n) = @_;

    $state = ($state * 1103515245 + 12345) & 0x7fffffff;

    return ($state >> 8) % $n;
}


sub one_of { $_[number(scalar @_)] }


# plan(number): { status, type, body (not encoded), coding, code, headers, raw
# => the body as it is sent, framing, steps => [[seconds, bytes], ...], end =>
# keep, close or reset, sound => whether the answer is complete and valid }

my %coder = (
    gzip => \&Compress::Zlib::memGzip,
    deflate => \&Compress::Zlib::compress,
    map({ my $tool = $_; ($_ => sub { encoded($tool, $_[0]) })
        } qw(brotli zstd)),
);
my %token = (brotli => 'br');
my %encoded;

sub encoded {
    my ($tool, $body) = @_;

    # a few bodies only: each takes a process

    return $encoded{$tool}{$body} //= do {
        my $file = "/tmp/stress-$$";

        open my $fh, '>', $file or die "$file: $!";
        print $fh $body;
        close $fh;

        my $bytes = `$tool -c < $file`;
        unlink $file;
        $bytes;
    };
}


sub plan {
    my ($seed) = @_;

    $state = ($seed * 2654435761 + 97) & 0x7fffffff;
    number(2) for 1 .. 4;

    my %plan = (seed => $seed, status => 200, kind => 'json', coding => '',
                code => '', sound => 1, headers => '');

    $plan{body} = body(\%plan);

    # odd statuses

    if (number(8) == 0) {
        $plan{status} = one_of(201, 204, 206, 302, 304, 404, 404, 429, 500);
        $plan{headers} .= 'Content-Range: bytes 0-' . (length($plan{body}) - 1)
                          . '/' . length($plan{body}) . "\r\n"
            if $plan{status} == 206 && length $plan{body};
        $plan{headers} .= "Location: /plain/1\r\n" if $plan{status} == 302;
    }

    $plan{headers} .= "ETag: \"$seed\"\r\n"
                      . "Last-Modified: Mon, 28 Sep 1970 06:00:00 GMT\r\n"
        if number(2);
    $plan{headers} .= 'Cache-Control: max-age=' . number(3) . "\r\n"
        if number(3) == 0;

    my $raw = $plan{body};

    if (number(5) == 0) {
        my $coding = one_of('gzip', 'gzip', 'deflate',
                            length $raw < 100 ? ('brotli', 'zstd') : ());

        # as a few of these run, their bodies have no number of their own

        $raw = $plan{body} =~ s/"id":\d+/"id":0/r
            if $coding =~ /brotli|zstd/;
        $plan{body} = $raw;
        $raw = $coder{$coding}->($raw);
        $plan{coding} = $token{$coding} || $coding;
        $plan{headers} .= "Content-Encoding: $plan{coding}\r\n";
    }

    send_it(\%plan, $raw);

    return \%plan;
}


sub body {
    my ($plan) = @_;

    my $what = number(20);
    my $seed = $plan->{seed};

    if ($what < 13) {
        my $code = one_of(0, 0, 1001, 1001, 1002, 1003, 1004, 7777);
        my $size = one_of(0, 0, 0, 10, 100, 1000, 5000, 20000, 60000, 200000);
        my $more = join ',', map { $_ % 7 ? "\"$_ <tag>\"" : "\"$_ hunter2\"" }
                             1000 .. 1000 + int $size / 14;

        $plan->{code} = $code if $code;

        # first, last, or none at all

        return "{\"id\":$seed,\"code\":$code,\"list\":[$more]}"
            if number(3);

        $plan->{last} = 1;

        return "{\"id\":$seed,\"list\":[$more],\"code\":\"$code\"}"
            if number(3);

        $plan->{code} = '';
        return "{\"id\":$seed,\"list\":[$more]}";
    }

    return '' if $what == 13;

    if ($what == 14) {
        $plan->{kind} = 'gif';
        return $gif;
    }

    if ($what == 15) {
        $plan->{kind} = 'xml';
        return '<r><code>' . one_of(0, 1001) . '</code></r>';
    }

    if ($what == 16) {
        $plan->{kind} = 'html';
        return '<p><!--# include virtual="/part/' . number(1000) . '" -->'
               . '<p><!--# include virtual="/plain/' . number(1000)
               . '" stub="s" -->';
    }

    if ($what == 17) {
        $plan->{kind} = 'text';
        return 'x' x number(9000);
    }

    return $what == 18 ? '{"id":' . $seed . ',"code":' : 'no JSON: {"code":1';
}


# the bytes, and when they are sent

sub send_it {
    my ($plan, $raw) = @_;

    my $framing = one_of(qw(length length chunked close));
    my $head = "HTTP/1.1 $plan->{status} Some\r\n"
               . "Content-Type: $types->{ $plan->{kind} }\r\n$plan->{headers}";
    my $bodiless = $plan->{status} =~ /^(?:204|304)$/;

    $plan->{framing} = $framing;
    $plan->{end} = $framing eq 'close' ? 'close' : one_of(qw(keep keep close));

    my $fault = number(10) == 0
                ? one_of(qw(longer shorter cut reset reset chunk silent)) : '';

    if ($bodiless) {
        $plan->{steps} = [[0, "$head\r\n"]];
        $plan->{body} = '';
        $plan->{bodiless} = 1;
        return;
    }

    my $length = length $raw;

    if ($fault eq 'longer') {
        $framing = 'length';
        $length += 20;
        $plan->{end} = 'close';

    } elsif ($fault eq 'shorter') {
        $framing = 'length';
        $length = int $length / 2;
        $plan->{end} = 'close';

    } elsif ($fault eq 'cut') {
        $raw = substr $raw, 0, number(1 + length $raw);
        $plan->{end} = 'close';

    } elsif ($fault eq 'reset') {
        $raw = substr $raw, 0, number(1 + length $raw);
        $plan->{end} = 'reset';

    } elsif ($fault eq 'chunk') {
        $framing = 'chunked';
    }

    $plan->{sound} = 0 if $fault;
    $plan->{fault} = $fault;

    # nginx takes what comes after a response for the next one

    $head .= "Connection: close\r\n"
        if $fault eq 'shorter' || $fault eq 'chunk';

    $head .= $framing eq 'length' ? "Content-Length: $length\r\n"
             : $framing eq 'chunked' ? "Transfer-Encoding: chunked\r\n"
             : "Connection: close\r\n";

    my $n = one_of(1, 1, 1, 2, 3, 10);
    my $size = int(length($raw) / $n) + 1;
    my @parts = unpack "(a$size)*", $raw;

    if ($framing eq 'chunked') {
        @parts = map { sprintf("%x\r\n", length) . "$_\r\n" } @parts;
        push @parts, $fault eq 'chunk' ? "invalid\r\n" : ();
        push @parts, "0\r\n\r\n" if !$fault;
    }

    my $wait = one_of(0, 0, 0.001, 0.005, 0.02);
    my @steps = map { [$wait, $_] } @parts;

    # the first part with the header or after it, a pause somewhere

    $head = "$head\r\n";
    $head .= (shift @steps)->[1] if @steps && number(2);
    unshift @steps, [number(20) ? 0 : 0.05, $head];
    $steps[number(scalar @steps)][0] += 0.1 + number(4) / 10 if !number(25);

    # nothing at all

    @steps = $fault eq 'silent' ? ([0, '']) : @steps;
    $plan->{end} = 'close' if $fault eq 'silent' || $fault eq 'chunk';
    $plan->{end} = 'close' if $fault && $plan->{end} eq 'keep';

    $plan->{steps} = \@steps;
}


1;
