# error_map_zone and error_map_metrics: invalid values, and the size of a zone.

use strict;
use warnings;

use ErrorMap;
use ErrorMapConf;
use POSIX ();
use Test::More;

my $minimum = 8 * POSIX::sysconf(POSIX::_SC_PAGESIZE());

# least_zone(documents): the kbytes that they need beside the compiled ones

sub least_zone {
    my ($documents) = @_;

    return refusal("\nerror_map_zone a $minimum;\n$documents")
           =~ /^error_map_zone\ "a"\ is\ too\ small\ for\ its\ documents,
               \ it\ must\ have\ at\ least\ (\d+)k\ in\ nginx\.conf:7$/x
           ? $1 : 0;
}

my $least = least_zone('') || $minimum / 1024;
my $format = 'in "error_map_metrics", it must be prometheus or json';
my $other = '"error_map_metrics" directive conflicts with another content '
            . 'handler, such as "proxy_pass"';

for (
    ["error_map_zone a 1m;\nerror_map_zone b 1m;",
     '"error_map_zone" directive is duplicate in nginx.conf:7'],
    ["error_map_zone a 1m;\nlimit_req_zone \$uri zone=a:1m rate=1r/s;",
     qr/"a" is already declared for a different use in nginx\.conf:7$/],
    (map { ["error_map_zone a $_;", "invalid error_map_zone \"a "
            . ($_ eq '""' ? '' : $_) . '", it must be a name and a size like '
            . '1m in nginx.conf:6'] }
     qw(x 1x -1 1.5m m "" 99999999999999999999)),
    ['error_map_zone "" 1m;', 'invalid error_map_zone " 1m", it must be a name '
     . 'and a size like 1m in nginx.conf:6'],
    (map { ["\nerror_map_zone a $_;", 'error_map_zone "a" is too small, it '
            . "must have at least $minimum bytes in nginx.conf:7"] }
     0, 1, $minimum - 1),
    (map { ["error_map_zone$_;", 'invalid number of arguments in '
            . '"error_map_zone" directive in nginx.conf:6'] }
     '', ' a 1m x'),
    (map { ["error_map_zone $_;", "invalid error_map_zone \"$_\", it must be a "
            . 'name and a size like 1m in nginx.conf:6'] }
     qw(a a:1m zone=a:1m)),
    ["server {\nerror_map_zone a 1m; }",
     '"error_map_zone" directive is not allowed here in nginx.conf:7'],
    ["server {\nlocation / {\nerror_map_metrics json; } }",
     '"error_map_metrics" requires "error_map_zone name size;" in '
     . 'nginx.conf:8'],
    (map { ["error_map_zone a 1m; server { location / {\n"
            . "error_map_metrics $_; } }",
            'invalid format "' . ($_ eq '""' ? '' : $_) . "\" $format in "
            . 'nginx.conf:7'] }
     qw(JSON xml off "")),
    (map { ["error_map_zone a 1m; server { location / {\nerror_map_metrics "
            . "json;\nerror_map_metrics $_; } }",
            '"error_map_metrics" directive is duplicate in nginx.conf:8'] }
     qw(json prometheus)),
    (map { ["error_map_zone a 1m; server { location / {\n$_;\n"
            . "error_map_metrics json; } }", "$other in nginx.conf:8"],
           ["error_map_zone a 1m; server { location / {\nerror_map_metrics "
            . "json;\n$_; } }\nserver { }", "$other in nginx.conf:7"] }
     'proxy_pass http://127.0.0.1', 'fastcgi_pass 127.0.0.1:9', 'empty_gif',
     'proxy_pass http://127.0.0.1; error_map vzenith; error_map_upstream on'),
    ["error_map_zone a 1m; server {\nerror_map_metrics json; }",
     '"error_map_metrics" directive is not allowed here in nginx.conf:7'],
    ["error_map_zone a 1m; server { location / { error_map_metrics; } }",
     'invalid number of arguments in "error_map_metrics" directive in '
     . 'nginx.conf:6'],
) {
    my ($text, $message) = @$_;
    my $name = 'refused: ' . $text =~ s/\s+/ /gr;

    ref $message ? like(refusal("$text\n"), $message, $name)
                 : is(refusal("$text\n"), $message, $name);
}

for (
    "server { location / { error_map_metrics json; } }\nerror_map_zone a 1m;",
    "error_map_zone a 1m; server { location / { error_map_metrics json;"
    . " location /x { error_map_metrics prometheus; } } }",
    "error_map_zone a 1m; server { location / { error_map vzenith;"
    . " error_map_metrics json; } }",
    "error_map_zone a 1m; server { location / { error_map_metrics json;"
    . " error_map vzenith; } }",
    "error_map_zone a 1m; server { location / { error_map_metrics json;"
    . " error_map off; } }",
    "error_map_zone a 1m; server { location / { proxy_pass http://127.0.0.1;"
    . " location /x { error_map_metrics prometheus; } } }",
    "error_map_zone a 1m; error_map vzenith; error_map_upstream on;"
    . " server { location / { error_map_metrics json; error_map vzenith;"
    . " if (\$arg_x) { return 404; } } }",
    "error_map_zone a ${least}k;",
) {
    is(configuration_error("$_\n"), '', "accepted: $_");
}

# a zone that is too small for its documents; the error names a sufficient size

for my $codes (3000, 10_000, 30_000, 50_000) {
    my $rows = "error_map_document d { source json /c;\n"
               . join('', map { "C$_ - ABORTED x;\n" } 1 .. $codes) . "}\n";

    my $k = least_zone($rows);

    ok($k, "a zone that is too small for $codes codes");

    is(configuration_error("error_map_zone a ${k}k;\n$rows"), '', "${k}k work");
    cmp_ok($k, '<', $least + $minimum / 1024 + 1.1 * $codes * 8 * 4 / 1024,
           '... and are not far too many');
}

done_testing();
