# Rows of many codes: ranges, prefixes, patterns and "default", as errors and as
# successes.  The exact row wins, then the range, the longest prefix, the
# patterns in their order, and "default".

use strict;
use warnings;

use ErrorMap;
use ErrorMapMetrics;
use JSON::PP ();
use Test::More;

my $vendor = answers('body');
my $port = free_port();

my $edge = start(port => $port, http => <<"END");
    error_map_document acme {
        source   json  /c;

        success  0 OK;
        success  range 200-299 -9--5;
        success  prefix 000. 100.;
        success  pattern "^S\\d+\$";
        success  code pattern 7-8;

        range    -1099--1000  503  UNAVAILABLE        "negative";
        range    1000-1099    -    RESOURCE_EXHAUSTED "range";
        1050     401               UNAUTHENTICATED    "exact in a range";
        250      402               ABORTED            "exact in a success";
        range    999999999999999998-999999999999999999
                              410  OUT_OF_RANGE       "18 digits";

        prefix   isv.         411  INVALID_ARGUMENT   "prefix";
        prefix   isv.a.b      412  INVALID_ARGUMENT   "the longest";
        prefix   isv.a        413  INVALID_ARGUMENT   "longer";
        isv.a.c               414  INVALID_ARGUMENT   "exact prefix";
        prefix   "so so"      415  INTERNAL           "a blank";
        prefix   000.5        416  INTERNAL           "in a success";
        prefix   10           417  INTERNAL           "a number, too";

        pattern  "^50\\d\$"   421  INTERNAL           "first pattern";
        pattern  "0"          422  INTERNAL           "second pattern";
        pattern  "(a+)+\$"    423  INTERNAL           "costs too much";
        pattern  "^a+b"       424  INTERNAL           "costs little";
        pattern  '\\x{0}'     425  INTERNAL           "NUL";
        pattern  "^(.)x\\1"   426  INTERNAL           "a back reference";

        range                 -    INTERNAL           "a keyword alone";
        code     default      431  INTERNAL           "code default";
        code     1-5          432  INTERNAL           "a dash";
        code     code         433  INTERNAL           "code code";
        source                434  INTERNAL           "code source";
        "say \\"\xc3\xa9\\" 100% \\\\"
                              435  INTERNAL           "odd";
        "\xff\xfe"            436  INTERNAL           "no UTF-8";
        @{['x' x 128]}        437  INTERNAL           "128 bytes";
    }

    error_map_document rest {
        source   json  /c;
        success  prefix 2;
        1        501  ABORTED          "one";
        range    10-19  502  INTERNAL  "ten";
        default  503  UNAVAILABLE      "any other";
    }

    error_map_document more base=tencent_iotvideo {
        success  range 1-9;
        range    42500-42599  429  RESOURCE_EXHAUSTED  "ours";
        default  -            INTERNAL                 "new";
    }

    error_map_policy unknown { base keep; unknown 599; }

    server {
        listen 127.0.0.1:$port;
        add_header X-Title \$error_map_title always;
        add_header X-Verdict \$error_map_verdict always;
        add_header X-Code \$error_map_code always;
        add_header X-Held \$error_map_hold_size always;

        location /acme { error_map acme; proxy_pass http://127.0.0.1:$vendor; }
        location /rest { error_map rest; proxy_pass http://127.0.0.1:$vendor; }
        location /more { error_map more; proxy_pass http://127.0.0.1:$vendor; }

        location /rest-unknown {
            error_map rest policy=unknown;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /acme-problem {
            error_map acme;
            error_map_body problem type=http://errors/;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /acme-upstream {
            error_map acme;
            error_map_upstream on;
            proxy_pass http://127.0.0.1:$vendor;
        }
    }
END

sub ask {
    my ($where, $body, $more) = @_;

    $body =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ge;

    return get($port, "/$where?body=$body" . ($more // ''));
}

# location, body, status, verdict, title; the code if it is shown otherwise

my @cases = (
    (map { ['acme', $_, 200, 'success', ''] }
     0, '"OK"', 200, 299, '"200"', -5, -9, '"000."', '"000.1"', '"100.2"',
     '"S1"', '"S123"', '"pattern"', '"7-8"'),
    ['acme', 250, 402, 'mapped', 'exact in a success'],
    (map { ['acme', $_, 200, 'unknown', ''] }
     199, 311, -4, '"7"', '"S1x"', 2.5, '"isv"', '"Isv."', '"success"'),
    (map { ['acme', $_, 503, 'mapped', 'negative'] } -1000, -1050, -1099),
    (map { ['acme', $_, 429, 'mapped', 'range'] } 1000, '"1099"', 1049, 1051),
    ['acme', 1050, 401, 'mapped', 'exact in a range'],
    (map { ['acme', $_, 410, 'mapped', '18 digits'] }
     '999999999999999998', '"999999999999999999"'),

    # other ways to write a number are no numbers: prefixes, patterns

    ['acme', '1000.0', 417, 'mapped', 'a number, too'],
    ['acme', '"1e3"', 200, 'unknown', ''],
    ['acme', '"01000"', 422, 'mapped', 'second pattern'],
    ['acme', '"1000 "', 417, 'mapped', 'a number, too'],
    ['acme', '"-01000"', 422, 'mapped', 'second pattern'],
    ['acme', '1999999999999999998', 200, 'unknown', ''],
    ['acme', 1100, 422, 'mapped', 'second pattern'],

    ['acme', '"isv."', 411, 'mapped', 'prefix'],
    ['acme', '"isv.b"', 411, 'mapped', 'prefix'],
    ['acme', '"isv.a"', 413, 'mapped', 'longer'],
    ['acme', '"isv.a.x"', 413, 'mapped', 'longer'],
    ['acme', '"isv.a.b"', 412, 'mapped', 'the longest'],
    ['acme', '"isv.a.c"', 414, 'mapped', 'exact prefix'],
    ['acme', '"isv.a.cc"', 413, 'mapped', 'longer'],
    ['acme', '"so so so"', 415, 'mapped', 'a blank', 'so so so'],
    ['acme', '"000.51"', 416, 'mapped', 'in a success'],

    ['acme', 501, 421, 'mapped', 'first pattern'],
    ['acme', '"x0"', 422, 'mapped', 'second pattern'],
    ['acme', '"' . 'a' x 40 . 'b"', 424, 'mapped', 'costs little'],
    ['acme', '"aa"', 423, 'mapped', 'costs too much'],
    ['acme', '"a\u0000"', 425, 'mapped', 'NUL', 'a%00'],
    ['acme', '"zxz"', 426, 'mapped', 'a back reference'],

    ['acme', '"range"', 500, 'mapped', 'a keyword alone'],
    ['acme', '"default"', 431, 'mapped', 'code default'],
    ['acme', '"1-5"', 432, 'mapped', 'a dash'],
    ['acme', 3, 200, 'unknown', ''],
    ['acme', '"code"', 433, 'mapped', 'code code'],
    ['acme', '"source"', 434, 'mapped', 'code source'],
    ['acme', '"say \"' . "\xc3\xa9" . '\" 100% \\\\"', 435, 'mapped', 'odd',
     'say %22%C3%A9%22 100%25 %5C'],
    ['acme', '"say \"\u00e9\" 100\u0025 \u005c"', 435, 'mapped', 'odd',
     'say %22%C3%A9%22 100%25 %5C'],
    ['acme', "\"\xff\xfe\"", 436, 'mapped', 'no UTF-8', '%FF%FE'],
    ['acme', '"' . 'x' x 128 . '"', 437, 'mapped', '128 bytes'],

    # labels are no codes

    ['acme', '"-1099--1000"', 422, 'mapped', 'second pattern'],
    ['acme', '"999999999999999998-999999999999999999"', 200, 'unknown', ''],
    ['acme', '"isv.*"', 411, 'mapped', 'prefix'],

    ['rest', 1, 501, 'mapped', 'one'],
    ['rest', 12, 502, 'mapped', 'ten'],
    ['rest', 99, 503, 'mapped', 'any other'],
    ['rest', '"default"', 503, 'mapped', 'any other'],
    ['rest', 2, 200, 'success', ''],
    ['rest', 'null', 200, 'none', ''],
    ['rest-unknown', 99, 200, 'mapped', 'any other'],
);

for (
    @cases,
    ['more', '42505', 402, 'mapped', 'too many concurrent downloads'],
    ['more', '42599', 429, 'mapped', 'ours'],
    ['more', '52501', 456, 'mapped', 'memory error'],
    ['more', '200', 200, 'success', ''],
    ['more', '7', 200, 'success', ''],
    ['more', '99999', 500, 'mapped', 'new'],
    (map { my @case = @$_;
           $case[0] eq 'acme' ? ["$case[0]-upstream", @case[1 .. $#case]] : () }
     @cases),
) {
    my ($where, $body, $status, $verdict, $title, $code) = @$_;

    $code //= $verdict eq 'none' ? '' : $body =~ s/"//gr;

    my $member = $where eq 'more' ? 'StatusCode' : 'c';
    my $r = ask($where, "{\"$member\":$body}");

    is_deeply([$r->{status}, map { $r->{headers}{$_}[0] // '' }
               qw(x-verdict x-title x-code x-error-code)],
              [$status, $verdict, $title, $code,
               $verdict =~ /mapped|unknown/ ? $code : ''],
              "$where, $body");
}

# a response that is held, the code comes with its end

for ([299, 200, 'success'], [1001, 429, 'mapped']) {
    my ($code, $status, $verdict) = @$_;
    my $r = ask('acme', '{"x":"' . 'x' x 5000 . "\",\"c\":$code}",
                '&pause=0.2');

    is_deeply([$r->{status}, map { $r->{headers}{$_}[0] } qw(x-verdict x-code)],
              [$status, $verdict, $code], "held: $code");
    like($r->{headers}{'x-held'}[0], qr/^[1-9]/, '... bytes were held');
}

# the problem body has the code in UTF-8

for (
    ['"isv.b"', 'isv.b', 'isv.b', 'prefix'],
    [1001, 1001, 1001, 'range'],
    ['"say \"' . "\xc3\xa9" . '\" 100% \\\\"', "say \"\x{e9}\" 100% \\",
     'say%20%22%C3%A9%22%20100%25%20%5C', 'odd'],
    ["\"\xff\xfe\"", "\x{fffd}\x{fffd}", '%FF%FE', 'no UTF-8'],
) {
    my ($body, $code, $uri, $title) = @$_;
    my $problem = JSON::PP->new->utf8->decode(
                      ask('acme-problem', "{\"c\":$body}")->{body});

    is_deeply([@$problem{qw(code type title vendor)}],
              [$code, "http://errors/acme/$uri", $title, 'acme'],
              "problem body, $title");
}

# a hostile code costs little, and other codes keep their rows

my $log = slurp("$edge->{dir}/error.log");

unlike($log, qr/\[(?:warn|error)\].*pattern/, 'no message above "info"');

is(ask('acme', '{"c":"' . 'a' x 60 . 'c"}')->{headers}{'x-verdict'}[0],
   'unknown', 'a pattern that costs too much does not match');

like(slurp("$edge->{dir}/error.log"),
     qr/\[info\] .* error map pattern "\(a\+\)\+\$" of a row abandoned after/,
     '... and is named at "info"');

stop($edge);


# a document of nginx.conf may have the name of a compiled one

my $mine = 'error_map_document vzenith { source json /c; 1000 418 ABORTED "mine"; }';
my $theirs = 'error_map_document vzenith base=vzenith { 1000 418 ABORTED "mine"; }';

for ([$mine, '/c', 200], [$theirs, '/error_code', 401]) {
    my ($document, $pointer, $status) = @$_;
    my $base = $document =~ /base/ ? '' : ', "base=vzenith" adds to its rows';

    # the use before the block means the same document

    my $server = start(port => $port, http => <<"END");
        server {
            listen 127.0.0.1:$port;
            error_map vzenith;
            location / { proxy_pass http://127.0.0.1:$vendor; }
        }

        error_map_policy p { code vzenith/1000 418; }
        $document
END

    my $member = substr $pointer, 1;

    is(ask('', "{\"$member\":1000}")->{status}, 418, "$document: its row");
    is(ask('', "{\"$member\":1002}")->{status}, $status, '... or the base');

    # nginx logs it to stderr, as the log is not open yet

    my $out = `@{[nginx()]} -t -e stderr -p $server->{dir} -c $server->{dir}/nginx.conf 2>&1`;
    my @notices = $out =~ /\[notice\] \S+ (.*) in \S+:\d+$/mg;

    is_deeply(\@notices, ["error_map_document \"vzenith\" replaces the compiled "
                          . "document of this name$base"], '... and a notice');
    stop($server);
}

done_testing();
