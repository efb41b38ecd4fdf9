# A pattern matches the same text wherever the body is cut: verdict, code and
# response are those of the uncut body.

use strict;
use warnings;

use ErrorMap;
use ErrorMapConf;
use ErrorMapStream;
use Test::More;
use Time::HiRes qw(sleep);

my $err = 'ERR=(\d+)';
my $json = 'json /code';

my $soap = <<'END' =~ s/\n/\r\n/gr;
<s:Envelope xmlns:s="urn:s"><s:Body>
<s:Fault><faultcode>s:Server</faultcode>
<detail><n:code>1001</n:code>
</detail></s:Fault></s:Body></s:Envelope>
END

# name, sources (patterns, but for "json ..."), body, verdict and code

my @cases = (
    ['XML', '<ErrorCode\b[^>]*>\s*(\w+)\s*</ErrorCode>',
     '<?xml version="1.0"?><ErrorCodes>1</ErrorCodes><ErrorCode id="1002">'
     . "\n 1001 </ErrorCode>", 'mapped 1001'],
    ['SOAP', '(?s)<(?:\w+:)?Fault>.*?<(?:\w+:)?code>(\d+)<', $soap,
     'mapped 1001'],
    ['text', $err, 'ER ERR ERR= ERR=x ERR=1001 ERR=1002', 'mapped 1001'],
    ['a code at the very end', $err, 'the worst of all: ERR=1001',
     'mapped 1001'],
    ['no code', $err, 'ERERRERR ERRR=1 ERR=', 'none '],
    ['success', '(?i)result: (\w+)', 'RESULT: 0 result: 1001', 'success 0'],
    ['unknown', $err, "ERR=10010 ERR=1001", 'unknown 10010'],
    ['an empty group', 'ERR=(\d*);', 'ERR=x ERR=; ERR=1001;', 'mapped 1001'],
    ['a group that took no part', '"[^"]*"|ERR=(\d+)',
     '"a" "ERR=1002" "b" ERR=1001 "c"', 'mapped 1001'],
    ['a code too long', $err, 'ERR=' . '9' x 129 . ' ERR=1001', 'mapped 1001'],

    # lines

    ['(?m)^ and $', '(?m)^Status: (\d+)$',
     "x\nA Status: 1002\nStatus: 1002 B\n\nStatus: 1001\nStatus: 0\n",
     'mapped 1001'],
    ['(?m)^ within', '(?m)^Status: \w+\n^Code: (\d+)',
     "Status: 0\nCod: 1002\nStatus: bad\nCode: 1001\n", 'mapped 1001'],
    ['\R', 'Status: \w+\R+Code: (\d+)', "Status: a\r\nStatus: b\r\n\r\n"
     . 'Code: 1001', 'mapped 1001'],
    ['^', '^ERR=(\d+)', "ERR=\nERR=1002\n", 'none '],
    ['\A', '\A\s*ERR=(\d+)', "\n \nERR=1001\n", 'mapped 1001'],
    ['$', 'ERR=(\d+)$', "ERR=1002\n\nERR=1002 \nERR=1001\n", 'mapped 1001'],
    ['\z', 'ERR=(\d{4})\z', "ERR=1002\nERR=1002 ERR=1001", 'mapped 1001'],
    ['. is not a newline', 'ERR.*?(\d{4})', "ERR\n1002 ERR\r 1001\n",
     'mapped 1001'],

    # assertions about the text before and after

    ['\b', '\bERR=(\d{4})\b', 'NERR=1002 ERR=1002x _ERR=1002 ERR=1001-x',
     'mapped 1001'],
    ['\B', '\BERR=(\d{4})\B', 'ERR=1002x NERR=1002 NERR=10010', 'mapped 1001'],
    ['a lookbehind', '(?<=code: )(\d+)', 'ode: 1002 code 1002 code: 1001',
     'mapped 1001'],
    ['a lookbehind, not', '(?<!test )code: (\d+)',
     'test code: 1002 est code: 1001', 'mapped 1001'],
    ['lookbehinds of several lengths', '(?<=c: |code: |)E(\d+)|c: (?=E)',
     'ode: x code: E1001', 'mapped 1001'],
    ['^ in a lookbehind', '(?<=^code: )(\d+)', 'no code: 1002', 'none '],
    ['(?m)^ in a lookbehind', '(?m)(?<=^code: )(\d+)',
     "no code: 1002\ncode: 1001", 'mapped 1001'],
    ['\b in a lookbehind', '(?<=\bcode: )(\d+)', 'xcode: 1002 code: 1001',
     'mapped 1001'],
    ['a lookbehind in a lookbehind', '(?<=(?<=the )code: )(\d+)',
     'no code: 1002 the code: 1001', 'mapped 1001'],
    ['a lookbehind, not atomic', '(?<*code: )(\d+)',
     'ode: 1002 code 1002 code: 1001', 'mapped 1001'],
    ['a lookbehind, not atomic, in another one',
     '(?<*(?<=(?<*the )first )code: )(\d+)',
     'a first code: 1002 the first code: 1001', 'mapped 1001'],
    ['a lookbehind in a lookahead in a lookbehind',
     '(?<=c(?=o(?<=the co))ode: )(\d+)', 'no code: 1002 the code: 1001',
     'mapped 1001'],
    ['lookbehinds that call each other',
     '(?<=(?=(?<q>^a|(?<=(?=(?&q)).)b)).)(?<code>\d+)',
     'abbcb1002', 'none '],
    ['lookbehinds that call each other, all the way',
     '(?<=(?=(?<q>^a|(?<=(?=(?&q)).)b)).)(?<code>\d+)',
     'a' . 'b' x 30 . '1001', 'mapped 1001'],
    ['a lookahead', 'ERR=(?=\d+;)(\d+)', 'ERR=1002, ERR=1001; ERR=0',
     'mapped 1001'],
    ['a lookahead, not', 'ERR=(\d{4})(?!\d| \?)', 'ERR=10022 ERR=1002 ? '
     . 'ERR=1001 !', 'mapped 1001'],

    # repetitions

    ['lazy', '(?s)<e>.*?<c>(\d+)</c>',
     "<c>1002</c>\n<e>\n<c>x</c>\n<c>1001</c>\n<c>1002</c></e>",
     'mapped 1001'],
    ['lazy, a long way', '(?s)<e>.*?(\d+)',
     '<e>' . join('', map { chr(97 + $_ % 26) } 1 .. 300) . ' 1001;',
     'mapped 1001'],
    ['lazy, to a group that may go on', '<.*?(\d+)', '< <x> 1001 2',
     'mapped 1001'],
    ['greedy', '(?s).*ERR=(\d+)', "ERR=1002\nERR=1001\nERR=\n", 'mapped 1001'],
    ['possessive', 'ERR=\d*+(?:x|;(\d+))', 'ERR=12x ERR=12;1001 ERR=;1002',
     'mapped 1001'],
    ['a reference', '<(\w+)>(?<code>\d+)</\1>',
     '<a>1002</b> <ab>1001</ab> <c>1002</c>', 'mapped 1001'],

    # more than one source

    ['two patterns, the first', [$err, 'E(\d+)'], 'E= ERR=1001 E1002',
     'mapped 1001'],
    ['two patterns, the second', [$err, 'E(\d+)'], 'ERR= E1001 ERR=1002',
     'mapped 1001'],
    ['two patterns, one waits', ['A.*Z(\d+)', $err],
     "A ERR=1002 Z1001 ERR=1002\n", 'mapped 1001'],
    ['two patterns, one waits in vain', ['(?s)A.*Z(\d+)', $err],
     "A ERR=1001 Z ERR=1002\n", 'mapped 1001'],
    ['two patterns from one byte', ['ERR=(\d{4})', $err], 'ERR=1 ERR=10012',
     'unknown 1'],
    ['two patterns from one byte, the first', ['ERR=(\d{4})', $err],
     'x ERR=10012', 'mapped 1001'],
    ['two patterns, one waits within the rest of the other',
     ['"[^"]*"|ERR=(\d+)', 'F.{30}(\d)'], '"F" ERR=1001; "ERR=1002"',
     'mapped 1001'],
    ['JSON, then a pattern', [$json, $err],
     '{"code":null,"e":"ERR=1001"} ERR=1002', 'mapped 1001'],
    ['JSON before a pattern', [$err, $json],
     '{"e":"ERR=1002","code":1001}', 'mapped 1001'],
    ['malformed JSON, then a pattern', [$json, $err],
     '{"e":"ERR=1001","f":[}, "code":1002}', 'mapped 1001'],
    ['half a JSON, then a pattern', [$json, $err, '"(f)'],
     '{"e":"ERR=1001","f":[', 'mapped 1001'],
    ['no JSON', [$json, '(?m)^ERR=(\d+)'], "error\nERR=1001\n", 'mapped 1001'],
);

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my %arg = query($request);
    my ($head, $raw) = frame($arg{framing}, $cases[$arg{case}][2],
                             chunk => $arg{chunk});

    if ($arg{step}) {
        for (split //, $head . $raw) {
            put($s, $_);
            sleep 0.0005;
        }

    } else {
        put($s, $head . substr $raw, 0, $arg{cut});

        if (length $raw > $arg{cut}) {
            sleep $arg{pause};
            put($s, substr $raw, $arg{cut});
        }
    }

    return 1;
});


my $port = free_port();
my ($documents, $locations) = ('', '');

for my $n (0 .. $#cases) {
    my $sources = $cases[$n][1];

    $documents .= "error_map_document d$n {\n"
        . (join '', map { /^json / ? "source $_;\n"
                          : 'source regex ' . quoted($_) . ";\n" }
                    ref $sources ? @$sources : $sources)
        . "success 0;\n1001 401 UNAUTHENTICATED here;\n"
        . "1002 429 ABORTED elsewhere;\n}\n";

    for my $buffering (qw(on off)) {
        $locations .= <<"END";
        location /$n/$buffering {
            error_map d$n;
            proxy_buffering $buffering;
            proxy_pass http://vendor;
        }
END
    }
}

my $nginx = start(port => $port, http => <<"END");
    upstream vendor {
        server 127.0.0.1:$vendor;
        keepalive 64;
    }

    $documents

    server {
        listen 127.0.0.1:$port;

        keepalive_requests 10000;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        error_map_hold_timeout 30s;
        add_header X-V "\$error_map_verdict \$error_map_code" always;
        add_header X-Held \$error_map_hold_size always;

$locations
    }
END


my $held = 0;

# a response in a few words

sub seen {
    my ($r, $uncut, $case) = @_;

    $held++ if $r->{headers}{'x-held'}[0];

    return join ', ', summary($r, $case->[2]),
        bare($r) eq bare($uncut) ? 'same' : 'changed';
}


# tests all responses of each job: one for each of the vendor's arguments

sub check {
    my ($name, @jobs) = @_;

    # the first is uncut

    my @results = pipelines($port, map {
        my ($n, $framing, $buffering, @args) = @$_;

        [map { "/$n/$buffering?$_&case=$n&framing=$framing" }
         'cut=100000&chunk=16', @args]
    } @jobs);

    for (@jobs) {
        my ($n, $framing, $buffering, @args) = @$_;

        my $case = $cases[$n];
        my @responses = @{ shift @results };
        my $uncut = $responses[0];
        my %seen;

        for ('uncut', @args) {
            my $r = shift @responses;
            push @{ $seen{$r ? seen($r, $uncut, $case) : 'nothing'} }, $_;
        }

        my $status = $case->[3] eq 'mapped 1001' ? 401 : 200;
        my $wanted = "$status, $case->[3], whole, same";

        is(join('; ', map { $_ eq $wanted ? $_ : "$_ at @{$seen{$_}}" }
                      sort keys %seen),
           $wanted, "$name: $case->[0], $framing, buffering $buffering");
    }
}


my (@cuts, @steps);

for my $n (0 .. $#cases) {
    for my $framing (qw(length chunked)) {

        # cuts fall between the chunks as well

        my ($head, $raw) = frame($framing, $cases[$n][2], chunk => 16);

        for my $buffering (qw(on off)) {
            my @job = ($n, $framing, $buffering);

            push @cuts, [@job, map { "chunk=16&cut=$_" } 0 .. length $raw];
            push @steps, [@job, 'step=1&chunk=16', 'step=1&chunk=1'];
        }
    }
}

held_between(2000, \$held, \&check, @cuts);

check('byte by byte', @steps);

stop($nginx);

done_testing();
