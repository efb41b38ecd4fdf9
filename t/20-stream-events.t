# Event streams, lines and records: the verdict of the first text at every cut,
# in every framing and coding, and no byte later than it is certain.

use strict;
use warnings;

use ErrorMap;
use ErrorMapCodings;
use ErrorMapStream;
use Test::More;

my $sse = 'text/event-stream; charset=utf-8';
my $lines = 'application/x-ndjson';
my $records = 'application/json-seq';

my $quota = '{"error":{"type":"x","code":"insufficient_quota",'
            . '"message":"No money"';
my $busy = '{"type":"error","error":{"type":"overloaded_error",'
           . '"message":"Busy"}';
my $done = "}}\n\ndata: [DONE]\n\n";
my $rest = substr $done, 1;

# name, type, document and events, what decides, the rest, the wanted status,
# verdict, code or reason, and message

my @cases = (
    ['error', $sse, 'llm/1', "data: $quota", $done,
     429, 'mapped insufficient_quota', 'No money'],
    ['error of many lines', $sse, 'llm/1',
     "event: error\nid: 1\ndata: {\"error\":\ndata\n:c\ndata:{\"code\":\n"
     . "data:  \"insufficient_quota\",\"type\":1,\ndata: \"message\":\"No\"",
     $done, 429, 'mapped insufficient_quota', 'No'],
    ['error after comments', $sse, 'llm/1',
     "\xef\xbb\xbf: keep-alive\n\nretry: 9\n\ndata:\n\n:\n\n"
     . "event: error\ndata: $busy", $rest, 529, 'mapped overloaded_error',
     'Busy'],
    ['error in CRLF', $sse, 'llm/1', ": a\r\n\r\ndata: $quota",
     $done =~ s/\n/\r\n/gr, 429, 'mapped insufficient_quota', 'No money'],
    ['error in CR', $sse, 'llm/1', ": a\r\rdata: $quota",
     $done =~ s/\n/\r/gr, 429, 'mapped insufficient_quota', 'No money'],
    ['error without an end', $sse, 'llm/1', "data: $quota}}", '', 429,
     'mapped insufficient_quota', 'No money'],
    ['error without fields', $sse, 'plain/1', 'data: {"error":{"code":"busy"',
     ",\"message\":\"m\"$done", 503, 'mapped busy'],
    ['marker', $sse, 'llm/1', 'data: {"id":1,"choices":[{',
     "\"delta\":{}}]}\n\ndata: $quota$done", 200, 'success '],
    ['success at the end of the event', $sse, 'choice/1',
     'data: {"code":"0"}', "\n\ndata: {\"code\":\"E1\"}\n\n", 200, 'success 0'],
    ['success of a text without an end', $sse, 'choice/1',
     "data: {\"code\":\"0\"\n\n", "data: {\"code\":\"E1\"}\n\n", 200,
     'none malformed'],
    ['unlisted', $sse, 'plain/1', 'data: {"error":{"code":"new"',
     ",\"message\":\"m\"$done", 200, 'unknown new'],
    ['no code', $sse, 'plain/1', "data: {\"error\":null}",
     "\n\ndata: {\"error\":{\"code\":\"busy\"}}\n\n", 200, 'none no_code'],
    ['not JSON', $sse, 'plain/1', 'data: <', "html>\n\ndata: $quota$done",
     200, 'none malformed'],
    ['perhaps JSONP', $sse, 'plain/1', "data: hello\n\n",
     "data: $quota$done", 200, 'none malformed'],
    ['perhaps JSONP, in CRLF', $sse, 'plain/1', "data: hello\r\n\r",
     "\ndata: $quota$done", 200, 'none malformed'],
    ['perhaps JSONP, in CR', $sse, 'plain/1', "data: hello\r\r",
     "data: $quota$done", 200, 'none malformed'],
    ['done only', $sse, 'llm/1', 'data: [', "DONE]\n\n", 200,
     'none no_code'],
    ['no events', $sse, 'llm/1', ": hello\n\nevent: ping\n\n", '', 200,
     'none empty'],
    ['nothing', $sse, 'plain/1', '', '', 200, 'none empty'],
    ['a JSON text', $sse, 'plain/1', "$quota}}", '', 200, 'none empty'],

    ['second event', $sse, 'plain/2', "data: {\"a\":1}\n\ndata: {\"error\":"
     . '{"code":"busy"', "}}\n\n", 503, 'mapped busy'],
    ['second event after what is not JSON', $sse, 'llm/2',
     "data: hello {\ndata: [\n\n: c\n\ndata: $busy", $rest, 529,
     'mapped overloaded_error', 'Busy'],
    ['third event, of two', $sse, 'llm/2',
     "data: {\"a\":1}\n\ndata: {\"a\":2}", "\n\ndata: $quota$done", 200,
     'none no_code'],
    ['end before the second event', $sse, 'llm/2', "data: {\"a\":1}\n\n: c\n",
     '', 200, 'none no_code'],
    ['JSON without a code, then not JSON', $sse, 'plain/3',
     "data: {\"error\":1}\n\ndata: ping\n\ndata: <", ">\n\n", 200,
     'none no_code'],
    ['a code in each of two events', $sse, 'choice/2',
     'data: {"code":"0"}', "\n\ndata: {\"code\":\"E1\"}\n\n", 200, 'success 0'],

    ['pattern', $sse, 'text/1', "data: Fault 17 ", "\n\ndata: Fault 18 \n\n",
     503, 'mapped 17'],
    ['pattern in the second event', $sse, 'text/2',
     "data: no Fau\n\ndata: lt 18\n\n", "data: Fault 17 \n\n", 200,
     'none no_code'],
    ['pattern, the end of the event', $sse, 'text/1', "data: Fault 17\n\n",
     "data: 9\n\n", 503, 'mapped 17'],
    ['pattern, not beyond the event', $sse, 'text/1', "event: Fault 17\n"
     . "data: {\"a\":1}\n\n", "data: Fault 17 \n\n", 200, 'none no_code'],

    ['line', $lines, 'plain/1', "\r\n{\"error\":{\"code\":\"busy\"",
     "}}\r\n{}\n", 503, 'mapped busy'],
    ['good line', $lines, 'choice/1', '{"code":"0"}',
     "\n{\"code\":\"E1\"}\n", 200, 'success 0'],
    ['line that is cut', $lines, 'choice/1', "{\"type\":\"E1\"\n",
     "}\n", 503, 'mapped E1'],
    ['second line', 'application/jsonl', 'choice/2',
     "{\"a\":\n{\"code\":\"E1\"", "}\n", 503, 'mapped E1'],
    ['last line', $lines, 'choice/9', "{}\n\n\n{}\n{\"code\":\"0\"}", '', 200,
     'success 0'],

    ['record', $records, 'plain/1', "\x1e{\n\"error\":{\"code\":\"busy\"",
     "}\n}\n\x1e{}\n", 503, 'mapped busy'],
    ['record and pattern', $records, 'text/1', "\x1e{\n\"a\":\"no Fault\"\n}\n",
     "\x1e{\"a\":\"Fault 17 \"}\n", 200, 'none no_code'],
    ['second record', $records, 'choice/2', "\x1e{\"a\":\n\x1e{\"code\":\"E1\"",
     "}\n", 503, 'mapped E1'],
);

# Coded streams in which the first part can be read as soon as its bytes are
# there

my %coded = map {
    my $coding = $_;

    $coding => [map { $codings{$coding}{parts}->($_->[3], $_->[4] || "\n") }
                    @cases]
} keys %codings;

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my %arg = query($request);
    my $case = $cases[$arg{case}];
    my $body = $case->[3] . $case->[4];
    my @headers;

    if ($arg{coding}) {
        $body = $coded{$arg{coding}}[$arg{case}];
        @headers = (headers => "Content-Encoding: $arg{coding}\r\n");
    }

    my ($head, $raw) = frame($arg{framing}, $body, chunk => 16,
                             type => $case->[1], @headers);

    if (defined $arg{only}) {

        # no more comes until the client goes

        put($s, $head . substr $raw, 0, $arg{only});
        sysread $s, my $rest, 1;
        return 0;
    }

    return put_cut($s, $head, $raw, %arg);
});

my $port = free_port();
my $locations = '';

for my $buffering (qw(on off)) {
    for my $place (do { my %seen; grep { !$seen{$_}++ } 'off/1',
                                       map { $_->[2] } @cases })
    {
        my ($document, $events) = split m{/}, $place;

        $locations .= <<"END";
        location /$place/$buffering {
            error_map $document;
            error_map_events $events;
            proxy_buffering $buffering;
            proxy_pass http://vendor;
        }
END
    }
}

my $nginx = start(port => $port, http => <<"END");
    error_map_document llm {
        source  json  /error/code /error/type;
        field   message  json  /error/message;
        success json /choices;
        insufficient_quota  429  RESOURCE_EXHAUSTED  "quota";
        overloaded_error    529  UNAVAILABLE         "busy";
    }

    error_map_document plain {
        source  json  /error/code;
        busy  503  UNAVAILABLE  "busy";
    }

    error_map_document choice {
        source  json  /code /type;
        success  0;
        E1  503  UNAVAILABLE  "busy";
    }

    error_map_document text {
        source  json  /code;
        source  regex  '\\bFault (\\d+)\\b';
        17  503  UNAVAILABLE  "busy";
        18  503  UNAVAILABLE  "busy";
    }

    map \$error_map_verdict \$detail {
        none     \$error_map_reason;
        default  \$error_map_code;
    }

    upstream vendor {
        server 127.0.0.1:$vendor;
        keepalive 64;
    }

    server {
        listen 127.0.0.1:$port;

        keepalive_requests 100000;
        error_map_types text/event-stream $lines application/jsonl $records;
        error_map_hold_timeout 30s;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        add_header X-V "\$error_map_verdict \$detail" always;
        add_header X-Message \$error_map_field_message always;
        add_header X-Held \$error_map_hold_size always;

$locations
    }
END


# the fewest bytes of a coded stream that have all of its first part

sub needed {
    my ($coding, $n) = @_;

    my $bytes = $coded{$coding}[$n];

    for my $size (1 .. length $bytes) {
        my $part = substr $bytes, 0, $size;
        my $text = $coding eq 'gzip' ? gunzipped($part)
                                     : $codings{$coding}{decode}->($part);

        return $size if length $text >= length $cases[$n][3];
    }

    die "$coding: cannot be read in parts";
}

sub gunzipped {
    my ($bytes) = @_;
    my $inflate = Compress::Zlib::inflateInit(-WindowBits => 31);

    return ($inflate->inflate($bytes))[0] // '';
}


my $held = 0;

# a response in a few words

sub seen {
    my ($r, $off, $case) = @_;

    my $verdict = $r->{headers}{'x-v'}[0] || '';
    my $message = $r->{headers}{'x-message'}[0];

    $held++ if $r->{headers}{'x-held'}[0];

    my $same = $verdict !~ /^(?:success|none)/ || bare($r) eq bare($off)
               ? 'same' : 'changed';

    return join ', ', summary($r, $off->{body}), $message // (), $same;
}

sub wanted {
    my ($case) = @_;

    return join ', ', "$case->[5], $case->[6]", 'whole', $case->[7] // (),
                      'same';
}


# as in 20-stream-cuts.t: the responses of each job, one for each of the
# vendor's arguments

sub check {
    my ($name, @jobs) = @_;

    my @results = pipelines($port, map {
        my ($n, $args, $buffering, @args) = @$_;

        [map { "$_&case=$n&$args" } "/off/1/$buffering?cut=0",
             map { "/$cases[$n][2]/$buffering?$_" } @args]
    } @jobs);

    for (@jobs) {
        my ($n, $args, $buffering, @args) = @$_;

        my ($off, @responses) = @{ shift @results };
        my %seen;

        for (@args, @responses > @args ? 'the end' : ()) {
            my $r = shift @responses;
            push @{ $seen{$r ? seen($r, $off, $cases[$n]) : 'nothing'} }, $_;
        }

        my $wanted = wanted($cases[$n]);

        is(join("; ", map { $_ eq $wanted ? $_ : "$_ at @{$seen{$_}}" }
                      sort keys %seen),
           $wanted, "$name: $cases[$n][0], $args, buffering $buffering");
    }
}


my (@cuts, @steps, @coded);

for my $n (0 .. $#cases) {
    my $case = $cases[$n];

    for my $buffering (qw(on off)) {
        for my $framing ($buffering eq 'on' ? 'chunked' : @framings) {
            my ($head, $raw) = frame($framing, $case->[3] . $case->[4],
                                     chunk => 16);

            my @job = ($n, "framing=$framing", $buffering);

            push @cuts, [@job, map { "cut=$_" } 0 .. length $raw];
            push @steps, [@job, 'step=1', 'step=3'];
        }

        for my $coding ($case->[3] eq '' ? () : sort keys %codings) {
            push @coded, [$n, "framing=chunked&coding=$coding", $buffering,
                          'cut=0', 'cut=40', 'step=1'];
        }
    }
}

held_between(500, \$held, \&check, @cuts);

check('byte by byte', @steps);
check('coded', @coded);


# The vendor sends so many bytes and waits: the client has the header as soon as
# they decide, and not before.

sub heads {
    my ($timeout, @jobs) = @_;

    return exchange_all(map {
        my ($n, $args, $only) = @$_;

        { port => $port, timeout => $timeout, until => qr/\r\n\r\n/,
          request => request("/$cases[$n][2]/off?case=$n&$args&only=$only") }
    } @jobs);
}

my (@enough, @less);

for my $n (grep { $cases[$_][4] ne '' } 0 .. $#cases) {
    my $case = $cases[$n];
    my $enough = length $case->[3];

    push @enough, [$n, 'framing=close', $enough];
    push @less, [$n, 'framing=close', $enough - 1];

    push @enough, map { [$n, "framing=close&coding=$_", needed($_, $n)] }
                  sort keys %codings;
}

my @results = heads(10, @enough);

for (@enough) {
    my ($n, $args, $only) = @$_;
    my $r = shift @results;
    my ($status) = $r->{bytes} =~ /^HTTP\S+ (\d+)/;

    is($status // 'none', $cases[$n][5],
       "$only bytes are enough: $cases[$n][0], $args");
}

@results = heads(0.7, @less);

for (@less) {
    my ($n, $args, $only) = @$_;
    my $r = shift @results;

    is($r->{bytes}, '', "$only bytes are not: $cases[$n][0]");
}

stop($nginx);

done_testing();
