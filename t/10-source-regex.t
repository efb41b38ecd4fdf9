# source regex: a group of a PCRE2 pattern finds the code in a text that is not
# JSON.  t/20-stream-regex.t tests where the text is cut.

use strict;
use warnings;

use ErrorMap;
use ErrorMapConf;
use ErrorMapStream qw(summary worker);
use Test::More;
use Time::HiRes qw(sleep);

my $port = free_port();
my $long = '9' x 128;
my $err = 'ERR=(\d+)';
my $json = 'json /code';

my $fault = <<'END' =~ s/\n/\r\n/gr;
<?xml version="1.0"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">
 <soap:Body><soap:Fault>
  <faultcode>soap:Server</faultcode>
  <detail><ErrorCode code="9">1001</ErrorCode></detail>
 </soap:Fault></soap:Body>
</soap:Envelope>
END

# name, sources (patterns, but for "json ..."), the body or its pieces, verdict
# and code, and more directives for the location

my @cases = (
    ['a code', $err, 'x ERR=1001 y', 'mapped 1001'],
    ['a code and nothing else', $err, 'ERR=1001', 'mapped 1001'],
    ['a success code', $err, 'ERR=0 ERR=1001', 'success 0'],
    ['an unknown code', $err, 'ERR=7 ERR=1001', 'unknown 7'],
    ['no code', $err, 'ERR=x', 'none '],
    ['an empty body', $err, '', 'none '],
    ['the first of two', $err, 'ERR=1001 ERR=1002', 'mapped 1001'],
    ['XML', '<ErrorCode\b[^>]*>\s*([^<]*?)\s*<', $fault, 'mapped 1001'],
    ['a namespace', '<(?:\w+:)?faultcode>(?:\w+:)?(\w+)<', $fault,
     'unknown Server'],

    # the group

    ['group 1 of two', '(\d+) (\d+)', '1001 1002', 'mapped 1001'],
    ['group 1 has another name', 'ERR=(?<number>\d+)', 'ERR=1001',
     'mapped 1001'],
    ['no group before it', '(?:E|e)=(\d+)', 'E=1001', 'mapped 1001'],
    ['group 2 is "code"', '(\w+)=(?<code>\d+)', 'E=1001', 'mapped 1001'],
    ['group 4 is "code"', '((\w)(\w))=(?<code>\d+) (\d+)', 'EF=1001 1002',
     'mapped 1001'],
    ['group 2 in group 1 is "code"', "(E=(?'code'\\d+))", 'E=1001',
     'mapped 1001'],
    ['group 12 is "code"', '()' x 11 . 'E(?P<code>\d+)', 'E1001',
     'mapped 1001'],
    ['one of a branch reset', '(?|E=(?<code>\d+)|F=(?<code>\d+))', 'F=1001',
     'mapped 1001'],
    ['a longer name', '(\d+) (?<codes>\d+)', '1001 1002',
     'mapped 1001'],
    ['in a lookahead', 'ERR(?=.*?(\d+))', 'ERR: 1001', 'mapped 1001'],
    ['repeated', 'ERR(?:=(\d+))+;', 'ERR=1002=1001;', 'mapped 1001'],
    ['no part in the match', 'E(?:x|=(\d+))', 'Ex E=1001', 'mapped 1001'],
    ['no part in any match', 'E(?:x|=(\d+))', 'Ex Ex', 'none '],
    ['"code" took no part', '(E)(?<code>\d+)?;', 'E; E1001;', 'mapped 1001'],
    ['empty', 'ERR=(\d*)', 'ERR= ERR=1001', 'mapped 1001'],
    ['empty at the end', 'ERR=(\d*)', 'ERR=', 'none '],
    ['the longest', $err, "ERR=$long", "unknown $long"],
    ['too long', $err, "ERR=9$long", 'none '],
    ['too long, then a code', $err, "ERR=9$long ERR=1001", 'mapped 1001'],

    # the search goes on after a match without a code, not within it

    ['in a string', '"[^"]*"|ERR=(\d+)', '"ERR=1002" ERR=1001', 'mapped 1001'],
    ['after a code too long', '(\d{129,200}|\d{4})',
     '8' x 128 . "9 1001", 'mapped 1001'],
    ['two strings', '"[^"]*"|ERR=(\d+)', '"" ERR=1001 "ERR=1002"',
     'mapped 1001'],

    # bytes

    ['NUL and others', '\x00\xff(\d+)', "x\0\xff1001", 'mapped 1001'],
    ['after a NUL', $err, "\0\0ERR=1001\0", 'mapped 1001'],
    ['a code in UTF-8', 'E=(.+);', "E=\xc3\xa9;", 'unknown %C3%A9'],
    ['a character of two bytes', '^..=(\d+)', "\xc3\xa9=1001", 'mapped 1001'],
    ['case', 'err=(\d+)', 'ERR=1001', 'none '],
    ['no case', '(?i)err=(\d+)', 'ERR=1001', 'mapped 1001'],
    ['the case of a code', '(?i)=(ok)', 'E=oK', 'unknown oK'],

    # where

    ['^', '^ERR=(\d+)', 'ERR=1001', 'mapped 1001'],
    ['^ is not a line', '^ERR=(\d+)', "x\nERR=1001", 'none '],
    ['\A', '\AERR=(\d+)', "x\nERR=1001", 'none '],
    ['$', 'ERR=(\d+)$', "ERR=1002\nERR=1001", 'mapped 1001'],
    ['$ before the last newline', 'ERR=(\d+)$', "ERR=1002\nERR=1001\n",
     'mapped 1001'],
    ['\Z', 'ERR=(\d+)\Z', "ERR=1002\nERR=1001\n", 'mapped 1001'],
    ['\z', 'ERR=(\d+)\z', "ERR=1002\nERR=1001", 'mapped 1001'],
    ['\z is no newline', 'ERR=(\d+)\z', "ERR=1001\n", 'none '],
    ['(?m)^', '(?m)^ERR=(\d+)', "x ERR=1002\nERR=1001", 'mapped 1001'],
    ['(?m)$', '(?m)ERR=(\d+)$', "ERR=1002;\nERR=1001\nx", 'mapped 1001'],
    ['. is not a newline', 'E.*?(\d+)', "E\n1001", 'none '],
    ['(?s).', '(?s)E.*?(\d+)', "E\n1001", 'mapped 1001'],
    ['a lookbehind', '(?<=ERR=)(\d+)', '1002 ERR=1001', 'mapped 1001'],
    ['a lookbehind, not', '(?<!N)ERR=(\d+)', 'NERR=1002 ERR=1001',
     'mapped 1001'],
    ['\b', '\bERR=(\d+)\b', 'NERR=1002 ERR=1002x ERR=1001', 'mapped 1001'],
    ['greedy', '.*=(\d+)', 'a=1002 b=1001 c', 'mapped 1001'],
    ['lazy', 'a.*?=(\d+)', 'a b=1001 c=1002', 'mapped 1001'],
    ['a comment', '(?x) ERR = (\d+) # the code', 'ERR=1001', 'mapped 1001'],

    # of several matches the first one counts, then the first source

    ['two, the first', ['A=(\d+)', 'B=(\d+)'], 'A=1001 B=1002', 'mapped 1001'],
    ['two, the second', ['A=(\d+)', 'B=(\d+)'], 'B=1001 A=1002',
     'mapped 1001'],
    ['two, only the second', ['A=(\d+)', 'B=(\d+)'], 'B=1001', 'mapped 1001'],
    ['two, the first ends later', ['A.*Z=(\d+)', 'B=(\d+)'],
     'A B=1002 Z=1001', 'mapped 1001'],
    ['two, the second ends later', ['B=(\d+)', 'A.*Z=(\d+)'],
     'A B=1002 Z=1001', 'mapped 1001'],
    ['two, the first does not match in the end', ['A.*Z=(\d+)', 'B=(\d+)'],
     'A B=1001 Z', 'mapped 1001'],
    ['two from one byte, the first', ['E=(\d{4})', 'E=(\d+)'], 'E=10015',
     'mapped 1001'],
    ['two from one byte, the first as well', ['E=(\d+)', 'E=(\d{4})'],
     'E=10015', 'unknown 10015'],
    ['two from one byte, the first has no code', ['E(=)?', 'E(\d+)'], 'E1001',
     'mapped 1001'],
    ['three', ['A=(\d+)', 'B=(\d+)', 'C=(\d+)'], 'C=1001 B=1002',
     'mapped 1001'],
    ['success first', ['A=(\d+)', 'B=(\d+)'], 'B=0 A=1001', 'success 0'],
    ['one waits within the rest of the other',
     ['"[^"]*"|E=(\d+)', 'F.{40}(\d+)'], '"F" E=1001; "E=1002"',
     'mapped 1001'],

    # JSON comes first

    ['JSON, a code', [$err, $json], '{"a":"ERR=1002","code":1001}',
     'mapped 1001'],
    ['JSON, success', [$json, $err], '{"code":0,"a":"ERR=1002"}',
     'success 0'],
    ['JSON, unknown', [$json, $err], '{"code":7,"a":"ERR=1002"}',
     'unknown 7'],
    ['JSON without one', [$json, $err], '{"a":"ERR=1001","b":"ERR=1002"}',
     'mapped 1001'],
    ['JSON with null', [$json, $err], '{"a":"ERR=1001","code":null}',
     'mapped 1001'],
    ['JSON, a code too long', [$json, $err],
     "{\"a\":\"ERR=1001\",\"code\":9$long}", 'mapped 1001'],
    ['JSON, neither', [$json, $err], '{"a":"ERR"}', 'none '],
    ['JSON, something after it', [$json, $err], '{"a":1} ERR=1001',
     'mapped 1001'],
    ['no JSON', [$json, $err], 'ERR=1001', 'mapped 1001'],
    ['no JSON before it', [$json, $err], 'ERR=1001 {"code":1002}',
     'mapped 1001'],
    ['malformed', [$json, $err], '{"a":"ERR=1001",,"code":1002}',
     'mapped 1001'],
    ['malformed after a code', [$json, $err], '{"code":1001,,"a":"ERR=1002"}',
     'mapped 1001'],
    ['half a JSON', [$json, $err], '{"a":"ERR=1001","b":[', 'mapped 1001'],
    ['half a JSON in pieces', [$json, $err], ['{"a":"ERR', '=1001","b":['],
     'mapped 1001'],
    ['malformed in a later piece', [$json, $err],
     ['{"a":"ERR=100', '1","b":"ERR=1002"', ',,'], 'mapped 1001'],
    ['malformed in the last piece, two patterns', [$json, 'A=(\d+)', $err],
     ['{"a":"ERR=1001",', '"b":"A=1002"', '}}'], 'mapped 1001'],
    ['JSON that is longer than a buffer', [$json, $err],
     '{"a":"ERR=1001","b":"' . 'x' x 20000 . '"}', 'mapped 1001'],

    # a match that touches the end of the received text waits for more

    ['the end may be none', $err, ['ERR=100', '1'], 'mapped 1001'],
    ['... nor the next', $err, ['ERR=1', '00', '1', ' ERR=1002'],
     'mapped 1001'],
    ['... nor that of a shorter one', 'ERR(?:=(\d+))?', ['ERR', '=1001'],
     'mapped 1001'],
    ['the end may be no $', 'ERR=(\d{4})$',
     ["ERR=1002\n", "ERR=1002", "\nERR=1001"], 'mapped 1001'],
    ['the end may be no \b', 'ERR=(\d{4})\b', ['ERR=1002', 'x ERR=1001'],
     'mapped 1001'],
    ['the end may be no (?!', 'ERR=(\d{4})(?!x)', ['ERR=1002', 'x ERR=1001'],
     'mapped 1001'],
    ['a piece begins no body', '^ERR=(\d+)', ['x', 'ERR=1001'], 'none '],
    ['... nor a line', '(?m)^ERR=(\d+)', ['x', "ERR=1002\n", 'ERR=1001'],
     'mapped 1001'],

    # within error_map_hold_size

    ['of just the size', $err, 'ERR=1001', 'mapped 1001',
     'error_map_hold_size 8;'],
    ['certain within the size', $err, 'ERR=1001 more', 'mapped 1001',
     'error_map_hold_size 9;'],
    ['certain after it', $err, 'ERR=1001 more', 'undecided ',
     'error_map_hold_size 8;'],
    ['after it', $err, 'x' x 20 . ' ERR=1001', 'undecided ',
     'error_map_hold_size 16;'],
    ['after it, in pieces', $err, ['x' x 10, 'x' x 10, ' ERR=1001'],
     'undecided ', 'error_map_hold_size 16;'],
    ['within it, in pieces', $err, ['x' x 10, ' ERR=', '1001 ', 'more'],
     'mapped 1001', 'error_map_hold_size 20;'],
    ['within it, one waits for it',
     '(?s)<e>.*?<c>(\d+)</c>', '<e>' . 'x' x 397 . '<c>1001</c>' . 'x' x 300,
     'mapped 1001', 'error_map_hold_size 500;'],
    ['within it, one waits for it, in pieces', '(?s)<e>.*?<c>(\d+)</c>',
     ['<e>' . 'x' x 297, 'x' x 100 . '<c>1001</c>', 'x' x 300],
     'mapped 1001', 'error_map_hold_size 500;'],
    ['JSON goes on after it', [$json, $err], '{"a":"ERR=1001","b":"more"}',
     'undecided ', 'error_map_hold_size 20;'],
    ['no time to hold', $err, ['ERR', '=1001'], 'undecided ',
     'error_map_hold_timeout 0;'],

    # a fair pattern is not too expensive

    ['a long body', '(?s)<e>.*?<c>(\d+)</c>',
     '<e>' . '<p>text</p>' x 5000 . '<c>1001</c></e>', 'mapped 1001'],
    ['a long body without a code', '<c>(\d+)</c>', '<p>text</p>' x 5500,
     'none '],
    ['a long line', '(?m)^.*ERR=(\d+)', 'x' x 60000 . 'ERR=1001',
     'mapped 1001'],
    ['many words', '\bERR\w*=(\d+)', 'ERRATA ' x 8000 . 'ERR1=1001',
     'mapped 1001'],
    ['a group that is repeated often', '(?s)<e>(?:(?!</e>).)*</e>(\d+)',
     '<e>' . 'x' x 3000 . '</e>1001 ', 'mapped 1001'],
    ['a group that is repeated, and matches', '(?:\w+ )+ERR=(\d+)',
     'text ' x 500 . 'ERR=1001',
     'mapped 1001'],

    # the types

    ['XML is not inspected by default', '<c>(\d+)', '<c>1001</c>', 'skipped ',
     'error_map_types text/plain;', 'text/xml'],
    ['... but where its type is listed', '<c>(\d+)', '<c>1001</c>',
     'mapped 1001',
     'error_map_types text/xml;', 'text/xml'],
    ['... or all types are', '<c>(\d+)', '<c>1001</c>', 'mapped 1001',
     'error_map_types *;', 'text/xml; charset=utf-8'],
);


# the vendor sends a case's body in its pieces

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my ($n) = $request =~ m{^\S+ /\w+/(\d+)/};
    my ($body, $type) = @{ $cases[$n] }[2, 5];
    my ($first, @pieces) = ref $body ? @$body : $body;

    print $s "HTTP/1.1 200 Fine\r\nContent-Type: "
             . ($type || 'application/json') . "\r\nContent-Length: "
             . length(join '', $first, @pieces) . "\r\n\r\n$first";

    for (@pieces) {
        sleep 0.02;
        print $s $_;
    }

    return 0;
});


sub document {
    my ($name, $start, $sources) = @_;

    my $text = join ' ', map { /^json / ? "source $_;"
                               : 'source regex ' . quoted("$start$_") . ';' }
                         ref $sources ? @$sources : $sources;

    return "error_map_document $name { $text success 0;"
           . " 1001 401 UNAUTHENTICATED here; 1002 429 ABORTED elsewhere; }\n";
}


# each pattern is compiled by the JIT, and interpreted

my %starts = (jit => '', interpreted => '(*NO_JIT)');
my ($documents, $locations) = ('', '');

for my $how (sort keys %starts) {
    for my $n (0 .. $#cases) {
        my (undef, $sources, undef, undef, $more) = @{ $cases[$n] };

        $documents .= document("$how-$n", $starts{$how}, $sources);
        $locations .= <<"END";
        location /$how/$n/ {
            error_map $how-$n;
            @{[$more || '']}
            proxy_pass http://127.0.0.1:$vendor;
        }
END
    }
}

# patterns that take very long to fail, and such bodies

my %hard = (
    'nested' => ['(a+)+$', 'a' x 5000 . 'b'],
    'nested, short' => ['(a+)+$', 'a' x 30 . 'b'],
    'one of two' => ['^((?:a|aa)+)$', 'a' x 5000 . 'b'],
    'two runs' => ['(x+x+)+y', 'x' x 60000 . ' y'],
    'lazy' => ['(?s)(.*?,){12}P', '1,' x 30000 . ' P'],
    'many starts' => ['(?s)<a>.*?<b>.*?(\d)', '<a>' x 20000],
    'a reference' => ['(?i)(.+)\1d(x)', 'a' x 9000 . 'b' . 'a' x 9000 . 'dx'],
);

my @hard = sort keys %hard;

my $hard = vendor(sub {
    my ($s, $request) = @_;

    my ($n) = $request =~ m{^\S+ /\w+/hard-(\d+)} or die;
    my $body = $hard{$hard[$n]}[1];

    print $s "HTTP/1.1 200 Fine\r\nContent-Type: application/json\r\n"
             . 'Content-Length: ' . length($body) . "\r\n\r\n$body";

    return 0;
});

for my $how (sort keys %starts) {
    for my $n (0 .. $#hard) {
        $documents .= document("$how-hard-$n", $starts{$how},
                               $hard{$hard[$n]}[0]);
        $locations .= <<"END";
        location /$how/hard-$n {
            error_map $how-hard-$n;
            proxy_pass http://127.0.0.1:$hard;
        }
END
    }
}

my $edge = start(port => $port, http => <<"END");
    proxy_http_version 1.1;
    error_map_hold_timeout 30s;
    add_header X-V "\$error_map_verdict \$error_map_code" always;

$documents
    error_map_document based base=vzenith {
        source regex "$err";
        1001 401 UNAUTHENTICATED here;
    }

    server {
        listen 127.0.0.1:$port;

$locations
        location /based {
            default_type application/json;
            error_map based;
            return 200 \$arg_body;
        }
    }
END

my %status = ('mapped 1001' => 401, 'mapped 1002' => 429);

for my $n (0 .. $#cases) {
    my ($name, undef, $body, $v) = @{ $cases[$n] };
    my $wanted = join ', ', $status{$v} || 200, $v, 'whole';

    $body = join '', @$body if ref $body;

    is(summary(get($port, "/$_/$n/"), $body), $wanted, "$name, $_")
        for sort keys %starts;
}

for (['ERR=1001', 401], ['{"error_code":1000}', 404], ['{"x":"ERR=1001"}', 401],
     ['{"x":"ERR=1001","error_code":1000}', 404])
{
    my ($body, $status) = @$_;

    is(get($port, "/based?body=$body")->{status}, $status,
       "beside the sources of a base, $body");
}


# the steps of a search are limited

my $worker = worker($edge);

for my $how (sort keys %starts) {
    for my $n (0 .. $#hard) {
        my $body = $hard{$hard[$n]}[1];
        my $log = length slurp("$edge->{dir}/error.log");
        my $r = get($port, "/$how/hard-$n", timeout => 60);

        is(summary($r, $body), '200, undecided , whole', "$hard[$n], $how");
        cmp_ok($r->{exchange}{time} || 60, '<', 5, '... within a short time');

        my @lines = map { / \[(\w+)\] .* abandoned after (\d+) steps/
                          ? [$1, $2] : () }
                    split /\n/, substr slurp("$edge->{dir}/error.log"), $log;

        is(join(', ', map { $_->[0] } @lines), 'info',
           '... with one line in the log');

        # the last step may be as long as the body

        cmp_ok(@lines ? $lines[0][1] : 1e9, '<=',
               262144 + 33 * length($body) + 1, '... of the steps');
    }
}

is(summary(get($port, '/jit/0/'), $cases[0][2]), '401, mapped 1001, whole',
   'the next request is served');
is(worker($edge), $worker, '... by the same worker');

stop($edge);


# invalid patterns

sub source { "error_map_document d {\n\n\nsource regex " . quoted($_[0])
             . ";\n}\n" }

my $in = 'in error_map_document "d"';

# PCRE2's own errors, at an offset of its choice

for (
    ['ERR=(\d+', 'missing closing parenthesis'],
    ['ERR=(+)x', 'quantifier does not follow a repeatable item'],
    ['ERR=([a)', 'missing terminating ] for character class'],
    ['(a)\2', 'reference to non-existent subpattern'],
    ['(?<code>a)|(?<code>b)', 'two named subpatterns have the same name '
     . '(PCRE2_DUPNAMES not set)'],
    ['(*UTF)(a)', 'using UTF is disabled by the application'],
    ['(\C)', 'using \C is disabled by the application'],
) {
    my ($pattern, $message) = @$_;
    my ($said, $rest) = refusal(source($pattern))
                        =~ /^(.*) at (?:"(.+)"|its end) in nginx\.conf:9$/;

    $rest = '' if !defined $rest;

    is($said, "invalid pattern \"$pattern\" $in, $message",
       "refused: $pattern");
    is($rest, substr($pattern, length($pattern) - length $rest),
       '... at the rest of the pattern');
}

my $no_group = 'it must have a group for the code, the first one or one named '
               . '"code"';
my $pieces = 'it must not use \G, \K or (*VERB) other than (*NO_JIT), as the '
             . 'text comes in pieces';
my $empty = 'it must not match an empty text';

for (
    ['', $no_group],
    ['ERR=\d+', $no_group],
    ['(?:ERR)=\d+', $no_group],
    ['(?J)(?<code>a)|(?<code>b)', 'it must have only one group "code"'],
    ['(\d*)', $empty],
    ['(a)?', $empty],
    ['()', $empty],
    ['(?=(a))', $empty],
    ['^(.*)$', $empty],
    ['a|(b?)', $empty],
    ['\G(a)', $pieces],
    ['a\G(a)', $pieces],
    ['a\\\\\\G(a)', $pieces],
    ['a\K(b)', $pieces],
    ['a(*COMMIT)(b)', $pieces],
    ['a(*COMMIT:name)(b)', $pieces],
    ['a(*SKIP)(b)', $pieces],
    ['a(*SKIP:name)(b)', $pieces],
    ['(*CRLF)(a)', $pieces],
    ['(*NO_JIT)(*NO_JIT)(a)', $pieces],
) {
    my ($pattern, $message) = @$_;

    is(refusal(source($pattern)),
       "invalid pattern \"$pattern\" $in, $message in nginx.conf:9",
       "refused: $pattern");
}

is(refusal("include d.conf;\n",
           'd.conf' => "error_map_document d {\nsource regex a;\n}\n"),
   "invalid pattern \"a\" $in, $no_group in d.conf:2",
   'refused in an included file');

for ('(a)', 'C:\\\\Games(a)', '\\(*(a)', '(*NO_JIT)(a)',
     '(?J)(?<x>a)|(?<x>b)', '(?i)(?<CODE>a)|(?<code>b)')
{
    is(refusal(source($_)), '', "accepted: $_");
}

done_testing();
