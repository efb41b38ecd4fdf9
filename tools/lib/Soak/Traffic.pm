package Soak::Traffic;

# The traffic of tools/soak: the bodies of the vendors, requests for them, and
# what the edge must answer to each request.
#
# A request is { id, location, kind, method, gzip, from => the first byte of a
# range } and its response's { status, verdict, code, body }; "keys" are the
# document and the verdict that each answer of a vendor is counted by.

use strict;
use warnings;

use Compress::Zlib qw(memGunzip);
use Exporter qw(import);
use JSON::PP ();

our @EXPORT = qw(%file %kinds random_request slow_request text response
                 fault_of);

my $numbers = join '', map { sprintf '%07d,', $_ } 1 .. 8100;

# bodies in files, which cannot contain the id of a request

our %file = (
    'last.json'  => "{\"Data\":\"$numbers\",\"StatusCode\":42505}",
    'empty.json' => '',
    'page.html'  => '<html>{"StatusCode":42505}</html>' . ' ' x 5000,
    'rate.json'  => '{"Data":"' . substr($numbers, 0, 30_000)
                    . '","StatusCode":42505}',
);

# kind => [verdict, code, body or file, type, share]; %ID% is the request's id

our %kinds = (
    ok      => ['success', '', '{"id":"%ID%","StatusCode":200}', '', 40],
    mapped  => ['mapped', 42505, '{"id":"%ID%","StatusCode":42505}', '', 20],
    unknown => ['unknown', 99999, '{"id":"%ID%","StatusCode":99999}', '', 6],
    none    => ['none', '', '{"id":"%ID%","Data":[{"StatusCode":42505}]}', '',
                10],
    text    => ['none', '', 'no JSON: %ID% {"StatusCode":42505}', '', 4],
    empty   => ['none', '', 'empty.json', '', 3],
    html    => ['skipped', '', 'page.html', 'text/html', 4],
    last    => ['mapped', 42505, 'last.json', '', 2],
    xml     => ['mapped', 'E17', '<r id="%ID%"><Code>E17</Code></r>',
                'text/xml', 0],
    xmlnone => ['none', '', '<r id="%ID%"><Text>E17</Text></r>', 'text/xml',
                0],

    stream  => ['mapped', 42505,
                qq(data: {"id":"%ID%","StatusCode":42505}\n\ndata: 2\n\n),
                'text/event-stream', 0],
    good    => ['success', '',
                qq(data: {"id":"%ID%","StatusCode":200}\n\ndata: 2\n\n),
                'text/event-stream', 0],

    # only for slow clients; "rate" is slowed by limit_rate, the others are sent
    # by the vendor in Perl

    rate    => ['mapped', 42505, 'rate.json', '', 0],
    dribble => ['mapped', 42505, '{"id":"%ID%","StatusCode":42505}', '', 0],
    cut     => ['undecided', '', '{"id":"%ID%","Dat', '', 0],
    cutcode => ['mapped', 42505, '{"StatusCode":42505,"id":"%ID%","Dat', '', 0],
);

my @shares = map { ($_) x $kinds{$_}[4] } sort keys %kinds;

# the status of a mapped code in each location of the edge

my %status = (plain => 402, upstream => 503, problem => 402, policy => 503,
              unbuffered => 402, small => 402, regex => 429, stream => 402,
              retry => 503, gzip => 402, sub => 402, added => 402, lua => 402,
              cached => 402);

my @locations = sort keys %status;

# locations whose vendors answer in kinds of their own

my %own = (regex => [qw(xml xmlnone html)], stream => [qw(stream good)]);

my @slow = (map({ ['slow', $_] } qw(dribble cut cutcode)),
            map { my $l = $_; map { [$l, $_] } qw(last rate mapped ok) }
            grep { !$own{$_} } @locations);


# random_request(id): one of a fast client

sub random_request {
    my ($id) = @_;

    my $location = $locations[rand @locations];
    my $kinds = $own{$location} || \@shares;
    my $kind = $kinds->[rand @$kinds];
    my $q = { id => $id, location => $location, kind => $kind, method => 'GET',
              gzip => rand() < 0.25 };

    my $odd = rand;

    if ($odd < 0.03) {
        @$q{qw(method gzip)} = ('HEAD', 0);

    } elsif ($odd < 0.05) {
        @$q{qw(kind gzip)} = ('unmodified', 0);

    } elsif ($odd < 0.07 && $location ne 'cached') {

        # the cache would ask for the whole body

        @$q{qw(kind gzip from)} = ('last', 0, int rand 60_000);
    }

    return expect($q);
}


# slow_request(id): one of a slow client

sub slow_request {
    my ($id) = @_;

    my ($location, $kind) = @{ $slow[rand @slow] };

    return expect({ id => $id, location => $location, kind => $kind,
                    method => 'GET', gzip => rand() < 0.2 });
}


# adds the expected response

sub expect {
    my ($q) = @_;

    my ($verdict, $code, $body)
        = @{ $kinds{$q->{kind}} || ['skipped', '', ''] };
    my $short = !exists $file{$body};

    $body = $file{$body} if !$short;
    $verdict = 'undecided' if $q->{location} eq 'small'
                              && length $body > 20_000;
    $verdict = 'skipped' if $q->{method} eq 'HEAD' || defined $q->{from}
                            || $q->{kind} eq 'html';

    my $document = document($q);
    my @keys;

    if ($q->{location} eq 'retry' && $verdict eq 'mapped' && $short) {
        push @keys, "$document $verdict";
        ($verdict, $body) = @{ $kinds{ok} }[0, 2];
    }

    push @keys, "$document $verdict";
    $code = '' if $verdict !~ /^(?:mapped|unknown)$/;

    $q->{status} = $verdict eq 'mapped' ? $status{$q->{location}} || 402
                   : defined $q->{from} ? 206
                   : $q->{kind} eq 'unmodified' ? 304 : 200;

    $q->{vendor_id} = $q->{location} eq 'cached' ? 'cached' : $q->{id};

    $body = substr $body, $q->{from}, 100 if defined $q->{from};
    $body =~ s/%ID%/$q->{vendor_id}/;

    @$q{qw(verdict code body keys)} = ($verdict, $code, $body, \@keys);
    $q->{body} = changed($q);

    return $q;
}


# the body as the neighbours of the location change it

sub changed {
    my ($q) = @_;
    my ($location, $body) = @$q{qw(location body)};

    return $body =~ s/"id"/"renamed"/r if $location eq 'sub';
    return $body =~ tr/"/'/r if $location eq 'lua';

    return "[part]${body}[part]" if $location eq 'added'
                                    && $q->{status} == 200;
    return $body;
}


sub document {
    my ($q) = @_;

    return $q->{location} eq 'regex' ? 'sms' : 'tencent_iotvideo';
}


# text(request, 'keep-alive' or 'close'): its bytes

sub text {
    my ($q, $connection) = @_;

    return "$q->{method} /$q->{location}/$q->{kind}?id=$q->{id} HTTP/1.1\r\n"
           . "Host: edge\r\nConnection: $connection\r\n"
           . ($q->{gzip} ? "Accept-Encoding: gzip\r\n" : '')
           . (defined $q->{from} ? "Range: bytes=$q->{from}-"
                                   . ($q->{from} + 99) . "\r\n" : '')
           . "\r\n";
}


# response(\bytes, offset, method): the response that begins there as (its end,
# head, body), or nothing if it is incomplete; with invalid framing the body is
# undefined

sub response {
    my ($bytes, $at, $method) = @_;

    my $end = index $$bytes, "\r\n\r\n", $at;
    return if $end < 0;

    my $head = substr $$bytes, $at, $end + 2 - $at;
    $at = $end + 4;

    return ($at, $head, '') if $method eq 'HEAD'
                               || $head =~ m{^HTTP/1\.1 304};

    if ($head =~ /^Content-Length: (\d+)\r$/m) {
        return if length $$bytes < $at + $1;
        return ($at + $1, $head, substr $$bytes, $at, $1);
    }

    return ($at, $head, undef)
        if $head !~ /^Transfer-Encoding: chunked\r$/m;

    ($end, my $body) = chunks($bytes, $at) or return;
    return ($end, $head, $body);
}


# (the end of a chunked body, the body), or nothing if it is incomplete

sub chunks {
    my ($bytes, $at) = @_;

    for (my $body = ''; ; ) {
        my $end = index $$bytes, "\r\n", $at;
        return if $end < 0;

        my $size = substr $$bytes, $at, $end - $at;
        return ($at, undef) if $size !~ /^[0-9a-f]{1,8}$/;

        my $n = hex $size;
        return if length $$bytes < $end + 4 + $n;
        return ($at, undef) if substr($$bytes, $end + 2 + $n, 2) ne "\r\n";

        $at = $end + 4 + $n;
        return ($at, $body) if $n == 0;
        $body .= substr $$bytes, $end + 2, $n;
    }
}


# fault_of(request, head, body): why the response is wrong, or ""

sub fault_of {
    my ($q, $head, $body) = @_;

    my ($status) = $head =~ m{^HTTP/1\.1 (\d{3})};
    my %headers;

    push @{ $headers{lc $1} }, $2 while $head =~ /^([\w-]+): (.*?)\r$/mg;
    $_ = join ', ', @$_ for values %headers;

    my $fault = head_fault($q, $status, \%headers)
                || body_fault($q, \%headers, $body);

    return $fault && "/$q->{location}/$q->{kind} $q->{method} $q->{id}: $fault";
}


sub head_fault {
    my ($q, $status, $headers) = @_;

    return "status $status, not $q->{status}" if $status != $q->{status};

    for (['x-id', $q->{vendor_id}], ['x-verdict', $q->{verdict}],
         ['x-error-code', $q->{code}],
         ['x-lua', $q->{location} eq 'lua' ? $q->{verdict} : ''],
         ['x-upstream-status', $q->{code} ? 200 : ''],
         ['x-error-source', $q->{code} ? document($q) : ''])
    {
        my ($name, $expected) = @$_;
        my $value = $headers->{$name} // '';

        return "$name \"$value\", not \"$expected\"" if $value ne $expected;
    }

    return '';
}


sub body_fault {
    my ($q, $headers, $body) = @_;

    return 'invalid framing of the body' if !defined $body;
    return '' if $q->{method} eq 'HEAD' || $q->{kind} eq 'unmodified';

    # a problem takes the place of an error's body, but not below 400

    return problem_fault($q, $headers, $body)
        if $q->{location} eq 'problem' && $q->{code} && $q->{status} >= 400;

    if (($headers->{'content-encoding'} // '') eq 'gzip') {
        return 'gzip was not requested' if !$q->{gzip};
        $body = memGunzip($body) // 'invalid gzip';
    }

    return $body eq $q->{body} ? ''
           : length($body) . ' bytes: ' . substr $body, 0, 200;
}


sub problem_fault {
    my ($q, $headers, $body) = @_;

    my $json = eval { JSON::PP::decode_json($body) } || {};

    return ($json->{code} || '') ne $q->{code}
           || ($json->{status} || '') ne $q->{status}
           || ($headers->{'content-type'} // '') ne 'application/problem+json'
           || defined $headers->{'content-encoding'} ? "problem $body" : '';
}


1;
