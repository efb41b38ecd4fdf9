# error_map_document: a document of nginx.conf works as a compiled one does, and
# an invalid one is refused.

use strict;
use warnings;

use ErrorMap;
use ErrorMapConf;
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(time);

my $port = free_port();
my $codes = tempdir(CLEANUP => 1);

# more rows than any vendor has

my $many = 50_000;

spew("$codes/many.codes", join '', map {
    "C$_ " . ($_ % 2 ? '418' : '-') . " ABORTED \"number $_\";\n"
} 1 .. $many);

spew("$codes/few.codes", join '', map {
    "C$_ - ABORTED \"number $_\";\n"
} 1 .. 50);

spew("$codes/acme.codes", <<'END');
# rows of a vendor's document
1002  -    RESOURCE_EXHAUSTED  "quota used up";
1003  451  PERMISSION_DENIED   "not for you";
END

my @documents = (
    acme => <<"END",
        error_map_document acme {
            source   json  /error/code;
            source   json  /fault;
            success  0 OK;
            success  FINE;
            1001     401  UNAUTHENTICATED  "token missing";
            include  $codes/acme.codes;
            E:a/b-c  -    NOT_FOUND        "a word";
        }
END
    more => <<'END',
        error_map_document more base=tencent_iotvideo {
            source   json  /Alias;
            success  FINE;
            42505    429  RESOURCE_EXHAUSTED  "ours";
            99999    -    UNAVAILABLE         "new";
        }
END
    many => <<"END",
        error_map_document many {
            source   json  /code;
            include  $codes/many.codes;
        }
END
);

my %document = @documents;

my $edge = start(port => $port, http => <<"END");
    map \$arg_document \$document {
        default \$arg_document;
    }

    $document{more}

    error_map_policy edge {
        base     class;
        code     acme/1001            503 retry_after=7s;
        code     acme/1002-1003       keep;
        code     more/42501-42508     409;
        unknown  500;
    }

    server {
        listen 127.0.0.1:$port;
        default_type application/json;
        add_header X-Title \$error_map_title always;
        add_header X-Verdict \$error_map_verdict always;

        location /acme { error_map acme; return 200 \$arg_body; }
        location /more { error_map more; return 200 \$arg_body; }
        location /many { error_map many; return 200 \$arg_body; }
        location /edge { error_map acme policy=edge; return 200 \$arg_body; }

        location /edge-more {
            error_map more policy=edge;
            return 200 \$arg_body;
        }

        location /any {
            error_map \$document;
            return 200 \$arg_body;
        }
    }

    $document{acme}
    $document{many}
END

# location, body, status, verdict, code, class, title

for (
    ['acme', '{"error":{"code":1001}}', 401, 'mapped', '1001',
     'UNAUTHENTICATED', 'token missing'],
    ['acme', '{"error":{"code":"1002"}}', 429, 'mapped', '1002',
     'RESOURCE_EXHAUSTED', 'quota used up'],
    ['acme', '{"fault":1003}', 451, 'mapped', '1003', 'PERMISSION_DENIED',
     'not for you'],
    ['acme', '{"fault":"E:a/b-c"}', 404, 'mapped', 'E:a/b-c', 'NOT_FOUND',
     'a word'],
    ['acme', '{"fault":0}', 200, 'success'],
    ['acme', '{"fault":"OK"}', 200, 'success'],
    ['acme', '{"fault":"FINE"}', 200, 'success'],
    ['acme', '{"fault":1004}', 200, 'unknown', '1004', 'UNKNOWN'],
    ['acme', '{"fault":100}', 200, 'unknown', '100', 'UNKNOWN'],
    ['acme', '{"fault":10011}', 200, 'unknown', '10011', 'UNKNOWN'],
    ['acme', '{"fault":""}', 200, 'none'],
    ['acme', '{"code":1001}', 200, 'none'],
    ['more', '{"StatusCode":42505}', 429, 'mapped', '42505',
     'RESOURCE_EXHAUSTED', 'ours'],
    ['more', '{"StatusCode":52501}', 456, 'mapped', '52501', 'INTERNAL',
     'memory error'],
    ['more', '{"Alias":99999}', 503, 'mapped', '99999', 'UNAVAILABLE', 'new'],
    ['more', '{"StatusCode":200}', 200, 'success'],
    ['more', '{"StatusCode":"FINE"}', 200, 'success'],
    ['many', '{"code":"C1"}', 418, 'mapped', 'C1', 'ABORTED', 'number 1'],
    ['many', '{"code":"C25000"}', 409, 'mapped', 'C25000', 'ABORTED',
     'number 25000'],
    ['many', "{\"code\":\"C$many\"}", 409, 'mapped', "C$many", 'ABORTED',
     "number $many"],
    ['many', '{"code":"C0"}', 200, 'unknown', 'C0', 'UNKNOWN'],
    ['edge', '{"fault":1001}', 503, 'mapped', '1001', 'UNAUTHENTICATED',
     'token missing'],
    ['edge', '{"fault":1003}', 200, 'mapped', '1003', 'PERMISSION_DENIED',
     'not for you'],
    ['edge', '{"fault":"E:a/b-c"}', 404, 'mapped', 'E:a/b-c', 'NOT_FOUND',
     'a word'],
    ['edge', '{"fault":1}', 500, 'unknown', '1', 'UNKNOWN'],
    ['edge-more', '{"StatusCode":42505}', 409, 'mapped', '42505',
     'RESOURCE_EXHAUSTED', 'ours'],
    ['edge-more', '{"StatusCode":42504}', 409, 'mapped', '42504',
     'UNAUTHENTICATED', 'download URL expired'],
    ['any', '{"fault":1001}&document=acme', 401, 'mapped', '1001',
     'UNAUTHENTICATED', 'token missing'],
    ['any', '{"error_code":1000}&document=vzenith', 404, 'mapped', '1000',
     'NOT_FOUND', 'request URL does not exist'],
    ['any', '{"fault":1001}&document=nosuch', 200, 'skipped'],
) {
    my ($where, $body, $status, $verdict, $code, $class, $title) = @$_;
    my $r = get($port, "/$where?body=$body");

    is_deeply([$r->{status}, map { $r->{headers}{$_}[0] }
               qw(x-verdict x-error-code x-error-class x-title)],
              [$status, $verdict, $code, $class, $title], "$where, $body");
}

is(get($port, '/edge?body={"fault":1001}')->{headers}{'retry-after'}[0], 7,
   'retry_after of a row of a policy');

stop($edge);


# the time to load many rows, and few

sub load {
    my ($file) = @_;
    my $best = 1e9;

    for (1 .. 3) {
        my $begin = time;

        is(configuration_error("error_map_document d { source json /c;"
                               . " include $codes/$file.codes; }\n"
                               . "error_map d;\n"), '', "$file rows load");

        my $took = time - $begin;
        $best = $took if $took < $best;
    }

    return $best;
}

# a sanitizer is slow

my $slow = $ENV{CC} && $ENV{CC} =~ /sanitize/ ? 10 : 1;

cmp_ok(load('many') - load('few'), '<', 1 * $slow,
       "$many rows load in less than a second");


# invalid documents; the line number counts from the block's text

my $in = 'in error_map_document "d"';
my $code = 'it must be 1 to 128 bytes without control characters';

sub document { "error_map_document d {\nsource json /c;\n$_[0]\n}\n" }

for (
    ['error_map d;', 'unknown document "d", it must be off or one of: '
     . "$documents in nginx.conf:6"],
    ["error_map_document d { }\n", 'no source in error_map_document "d", it '
     . 'must have at least one, like "source json /error/code;" in '
     . 'nginx.conf:6'],
    [document('1 - OK a;') . "error_map_document d { source json /c; }\n",
     'duplicate error_map_document "d" in nginx.conf:10'],
    [(join ' ', ('error_map_document vzenith { source json /c; }') x 2),
     'duplicate error_map_document "vzenith" in nginx.conf:6'],
    (map { ["error_map_document c { source json /c; }\n"
            . "error_map_document d $_ { }",
            "invalid parameter \"$_\" $in, it must be base= and one of: "
            . "$documents in nginx.conf:7"] }
     qw(base=nosuch base=c base=d base= Base=vzenith vzenith)),
    (map { ["error_map_document \"$_\" { source json /c; }",
            "invalid error_map_document name \"$_\", it must be 1 to 128 "
            . 'characters of A-Z a-z 0-9 . _ : - and not off in nginx.conf:6'] }
     '', 'off', 'a b', 'a/b', "\xc3\xa9"),
    [document('source json c;'), "invalid path \"c\" $in, it must be a JSON "
     . 'pointer like "/error/code" or a JSONPath like "$.errors[*].code" in '
     . 'nginx.conf:8'],
    [document('source json /a~2;'), "invalid path \"/a~2\" $in, \"~\" must be "
     . '"~0" or "~1" in a JSON pointer in nginx.conf:8'],
    (map { [document($_), "invalid source $in, it must be \"source json "
            . 'path ...;", "source header name ...;" or "source regex '
            . 'pattern;" in nginx.conf:8'] }
     'source xml /a;', 'source json;'),
    [document('success;'), 'no code in row "success" of error_map_document '
     . '"d", it must be "success code ...;" in nginx.conf:8'],
    [document('success "a\tb";'), "invalid success code \"a\tb\" $in, $code in "
     . 'nginx.conf:8'],
    (map { [document("$_;"), 'invalid row "' . (split)[0] . "\" $in, it must "
            . qq{be "code status CLASS 'title';" with "-" for no status, or }
            . 'begin with source, success, code, range, prefix, pattern, '
            . 'default, field, retry_after, charset or include in '
            . 'nginx.conf:8'] }
     '1', '1 -', '1 - OK', '1 - OK a b', 'code', 'code 1',
     'code 1 - OK a b'),
    (map { [document("\"$_\" - OK a;"), "invalid code \"$_\" $in, $code in "
            . 'nginx.conf:8'] }
     '', "a\tb", "\x01", "\x7f", 'x' x 129),
    (map { [document("1 $_ OK a;"), "invalid status \"$_\" of code \"1\" $in, "
            . 'it must be "-" or from 200 to 599 except 204, 205, 206 and 304 '
            . 'in nginx.conf:8'] }
     qw(0 199 204 205 206 304 600 4o4)),
    [document('1 - NONE a;'), "unknown class \"NONE\" of code \"1\" $in, it "
     . 'must be one of: OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, '
     . 'DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, '
     . 'RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, '
     . 'UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS, UNAUTHENTICATED in '
     . 'nginx.conf:8'],
    (map { [document("1 - OK $_;"), "invalid title of code \"1\" $in, it must "
            . 'be 1 to 80 printable characters of UTF-8 without " and \\ in '
            . 'nginx.conf:8'] }
     '""', "'a\"b'", '"a\\\\b"', "\"\xc3\"", "\"\xc2\x85\"",
     "\"a\tb\"", '"' . 'x' x 81 . '"', '"' . "\xc3\xa9" x 81 . '"'),
    [document("1 - OK a;\n2 - OK b;\n1 - OK c;"), "duplicate code \"1\" $in in "
     . 'nginx.conf:10, the first is in nginx.conf:8'],
    (map { [document($_), 'code "0" is a success code of document "d", its row '
            . 'has no effect in nginx.conf:9'] }
     "success OK 0;\n0 - ABORTED a;", "1 - OK a;\n0 - ABORTED a; success 0;"),
    ["error_map_document d base=vzenith {\n0 - ABORTED a; }\n", 'code "0" is a '
     . 'success code of document "d", its row has no effect in '
     . 'nginx.conf:7'],
    [document('1 - OK a;') . "error_map_policy p { code d/2 502; }\n",
     'unknown code "2" of document "d" in row "code d/2" of error_map_policy '
     . '"p", it must be a code of the document or a range in '
     . 'nginx.conf:10'],
    ["server { error_map_document d { } }",
     '"error_map_document" directive is not allowed here in nginx.conf:6'],
) {
    my ($text, $message) = @$_;

    is(refusal($text), $message, "refused: " . $text =~ s/\s+/ /gr);
}

# nginx cuts a message at 2 KB, the line number is at its end

like(refusal(join '', "error_map vendor;\n", map {
         "error_map_document vendor-number-$_ { source json /c; }\n"
     } 1 .. 500),
     qr/^unknown .*: \Q$documents\E, vendor-number-1, .*, \.{3} in \S+:6$/,
     'refused: an unknown document among very many');

spew("$codes/bad.codes", "1 - OK a;\n2 - OK b\n;\n3 - OK;\n");

like(refusal(document("include $codes/bad.codes;")),
     qr{^invalid row "3" $in, .* in \Q$codes\E/bad\.codes:4$},
     'refused: an invalid row, with the name of its file');

is(configuration_error(document('1 - OK a; "" - OK b;')) eq '', '',
   'an empty code is refused');

is(configuration_error("error_map_document d base=vzenith { success 1000; }\n"),
   '', 'a code of the base may become a success code');

is(configuration_error(document('success 0; 0 - OK a;')), '',
   'a success code may have a row');

done_testing();
