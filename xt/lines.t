# A table with lines: rows of many codes in a compiled document work as those of
# nginx.conf do, also below base=, and an invalid line is refused with its place
# in the table.

use strict;
use warnings;

use ErrorMap;
use ErrorMapConf;
use ErrorMapMetrics;
use File::Temp qw(tempdir);
use Test::More;

my $dir = tempdir(CLEANUP => 1);
my $module = "$dir/build/b/objs/ngx_http_error_map_filter_module.so";

delete $ENV{TEST_NGINX_BINARY};
$ENV{ERROR_MAP_MODULE} = $module;

system("cd $ErrorMap::root && cp -R config config.make ngx_module tables tools"
       . " $dir") == 0 or die "no copy\n";

my $table = slurp("$dir/tables/vzenith.gperf");

my ($head) = $table =~ /\A(.*?^%%\n)/ms;

# the line of the first em_line()

my $first = 11 + (() = $head =~ /\n/g);

sub build {
    my (@lines) = @_;

    spew("$dir/tables/acme.gperf", $head . <<'END' . join(",\n", @lines)
1001, 401, EM_UNAUTHENTICATED, "exact in a range"
7,    402, EM_ABORTED,         "exact"
%%
static const em_source_t  sources[] = {
    { EM_SOURCE_JSON, em_string("/c") }
};

static const em_str_t  success[] = { em_string("0") };

static const em_line_t  lines[] = {
END
        . "\n};\n\nem_document_lines(acme);\n");

    my $out = `$dir/tools/build dynamic /usr/share/nginx/src $dir/build/b 2>&1`;

    is($?, 0, 'the module builds') or diag(substr $out, -2000);
}

build(map { "em_line($_)" }
    '"success", "OK"',
    '"success", "range", "200-299"',
    '"code", "a b", "-", "ABORTED", "a code of any bytes"',
    '"range", "1000-1099", "-", "RESOURCE_EXHAUSTED", "range"',
    '"range", "2000-2099", "503", "UNAVAILABLE", "other range"',
    '"prefix", "isv.", "404", "NOT_FOUND", "prefix"',
    '"prefix", "isp.", "405", "NOT_FOUND", "other prefix"',
    '"pattern", "^E\\\\d+$", "406", "INTERNAL", "pattern"',
    '"pattern", "^F", "407", "INTERNAL", "other pattern"',
    '"default", "408", "UNKNOWN", "any other"');

my $vendor = answers('body');
my $port = free_port();

my $edge = start(port => $port, http => <<"END");
    error_map_document more base=acme {
        source   json  /d;
        success  prefix isv.;
        range    1090-2009    -    ABORTED   "our range";
        pattern  "^F"         -    ABORTED   "our pattern";
        pattern  "^E\\d\$"    -    ABORTED   "our other pattern";
        7        -    ABORTED   "our exact";
        code     isp.*        -    ABORTED   "our code";
        default               -    ABORTED   "our default";
    }

    error_map_policy p {
        code  acme/1000-1099  501;
        code  acme/isv.*      502;
        code  'acme/~^F'      503;
        code  acme/default    504;
        code  acme/7          505;
        code  more/1000-1089  501;
        code  more/1090-2009  507;
    }

    server {
        listen 127.0.0.1:$port;
        add_header X-Title \$error_map_title always;
        add_header X-Verdict \$error_map_verdict always;
        location /acme { error_map acme; proxy_pass http://127.0.0.1:$vendor; }
        location /more { error_map more; proxy_pass http://127.0.0.1:$vendor; }

        location /p-acme {
            error_map acme policy=p;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /p-more {
            error_map more policy=p;
            proxy_pass http://127.0.0.1:$vendor;
        }
    }
END

for (
    (map { ['acme', $_, 200, 'success', ''] } 0, '"OK"', 200, '"299"'),
    ['acme', '"a b"', 409, 'mapped', 'a code of any bytes'],
    ['acme', 1001, 401, 'mapped', 'exact in a range'],
    ['acme', 7, 402, 'mapped', 'exact'],
    ['acme', 1002, 429, 'mapped', 'range'],
    ['acme', '"isv.x"', 404, 'mapped', 'prefix'],
    ['acme', '"E12"', 406, 'mapped', 'pattern'],
    ['acme', '"F12"', 407, 'mapped', 'other pattern'],
    ['acme', '"x"', 408, 'mapped', 'any other'],
    ['p-acme', 1001, 501, 'mapped', 'exact in a range'],
    ['p-acme', 1002, 501, 'mapped', 'range'],
    ['p-acme', '"isv.x"', 502, 'mapped', 'prefix'],
    ['p-acme', '"F"', 503, 'mapped', 'other pattern'],
    ['p-acme', '"x"', 504, 'mapped', 'any other'],
    ['p-acme', 7, 505, 'mapped', 'exact'],

    # ours come first, also as a part of a range

    (map { ['more', $_, 200, 'success', ''] } 0, '"OK"', 200, '"isv.x"'),
    ['more', '"a b"', 409, 'mapped', 'a code of any bytes'],
    ['more', 1001, 401, 'mapped', 'exact in a range'],
    ['more', 1089, 429, 'mapped', 'range'],
    (map { ['more', $_, 409, 'mapped', 'our range'] } 1090, 1099, 1500, 2009),
    ['more', 2010, 503, 'mapped', 'other range'],
    ['more', '"F"', 409, 'mapped', 'our pattern'],
    ['more', '"E1"', 409, 'mapped', 'our other pattern'],
    ['more', '"E12"', 406, 'mapped', 'pattern'],
    ['more', 7, 409, 'mapped', 'our exact'],
    ['more', '"isp.*"', 409, 'mapped', 'our code'],
    ['more', '"isp.x"', 409, 'mapped', 'our default'],
    ['more', '"x"', 409, 'mapped', 'our default'],
    ['p-more', 1089, 501, 'mapped', 'range'],
    ['p-more', 1001, 501, 'mapped', 'exact in a range'],
    ['p-more', 2009, 507, 'mapped', 'our range'],
) {
    my ($where, $code, $status, $verdict, $title) = @$_;
    my $body = "{\"c\":$code}" =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ger;
    my $r = get($port, "/$where?body=$body");

    is_deeply([$r->{status}, map { $r->{headers}{$_}[0] } qw(x-verdict x-title)],
              [$status, $verdict, $title eq '' ? undef : $title],
              "$where, $code");
}

is(get($port, '/more?body=%7B%22d%22%3A1002%7D')->{status}, 429,
   "a source of one's own");

like(slurp("$edge->{dir}/error.log"),
     qr/document "acme" has 3 codes, and 7 rows of many codes$/m,
     'the log counts them');

stop($edge);

is(configuration_error("error_map_document acme base=acme {\n"
                       . "default - INTERNAL new;\n}\n"), '',
   'a document of nginx.conf replaces it, with its lines');

# what the build cannot see; the second line is wrong

for (
    ['"pattern", "(", "-", "INTERNAL", "a"', 'invalid pattern "(" in '
     . 'error_map_document "acme", missing closing parenthesis at its end'],
    ['"range", "007-010", "-", "INTERNAL", "a"', 'invalid range "007-010" in '
     . 'error_map_document "acme", it must be first-last, integers of at most '
     . '18 digits without leading zeros'],
    ['"nosuch", "1"', 'invalid row "nosuch" in error_map_document "acme", it '
     . 'must be "code status CLASS \'title\';" with "-" for no status, or '
     . 'begin with source, success, code, range, prefix, pattern, default, '
     . 'field, retry_after, charset or include'],
    ['"code", "1001", "-", "INTERNAL", "a"',
     'duplicate code "1001" in document "acme"'],
    ['"range", "9-10", "-", "INTERNAL", "a"',
     'row "range 9-10" in error_map_document "acme" overlaps with row '
     . '"success range 1-9"', ', the first is in tables/acme.gperf:' . $first],
) {
    my ($line, $message, $more) = @$_;

    build('em_line("success", "range", "1-9")', "em_line($line)");

    is(refusal(''), "$message in tables/acme.gperf:" . ($first + 1)
       . ($more // ''), "refused: $line");
}

done_testing();
