# Labels of codes: a row of many codes has one series, named as a policy names
# it, whatever codes the vendor sends; codes of any bytes are escaped so that
# Prometheus and JSON read them.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT shell reload logged);
use ErrorMapMetrics;
use JSON::PP ();
use Test::More;

my $vendor = answers('body');
my $port = free_port();

my $rows = <<'END';
            range    1000-1099   -  RESOURCE_EXHAUSTED  "range";
            range    -20--10     -  INTERNAL            "negative";
            prefix   isv.        -  INVALID_ARGUMENT    "prefix";
            pattern  '^5"\d$'    -  UNAVAILABLE         "pattern";
            default              -  UNKNOWN             "rest";
            success  prefix ok.;
END

my $edge = start(port => $port, http => <<"END");
        error_map_zone counters 1m;

        error_map_document acme {
            source   json  /c;
            1050     -  ABORTED  "exact";
            "a \\"b\\" \\\\ \xc3\xa9 %"  -  INTERNAL  "odd";
            "\xff\xfe"                   -  INTERNAL  "no UTF-8";
            "%FF"                        -  INTERNAL  "a percent sign";
$rows
        }

        error_map_document sms {
            source   json  /c;
            E17      -     RESOURCE_EXHAUSTED  "out of credit";
        }

        server {
            listen 127.0.0.1:$port;
$handlers
            location / { error_map acme; proxy_pass http://127.0.0.1:$vendor; }

            location /sms {
                error_map sms;
                proxy_pass http://127.0.0.1:$vendor;
            }
        }
END

sub ask {
    my ($code, $where) = @_;
    my $body = "{\"c\":$code}";

    $body =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ge;
    get($port, ($where // '/') . "?body=$body");
}

ask($_) for 1001 .. 1020, 1050, -15, -10, '"isv.a"', '"isv.b"', '"isv."',
            '"5\"7"', '"a \"b\" \\\\ ' . "\xc3\xa9" . ' %"',
            "\"\xff\xfe\"", '"%FF"', '"ok.1"', '"ok.2"', 1 .. 9;

my %want = (
    1050 => 1, '1000-1099' => 20, '-20--10' => 2, 'isv.*' => 3,
    '~^5"\d$' => 1, "a \"b\" \\ \xc3\xa9 %" => 1, '%FF%FE' => 1,
    '%FF' => 1, default => 9,
);

my $text = get($port, '/metrics')->{body};
my %got;

while ($text =~ /^nginx_error_map_codes_total\{document="acme",
                 code="((?:[^"\\\n]|\\["\\n])*)",class="[A-Z_]+"\}\ (\d+)$/gmx)
{
    my ($label, $n) = ($1, $2);
    $got{$label =~ s/\\(.)/$1/gr} += $n;
}

is_deeply(\%got, \%want, 'Prometheus: a series for each row');
like($text, qr/^nginx_error_map_responses_total\{document="acme",
               verdict="success"\}\ 2$/mx, '... successes count as such');
unlike($text, qr/code="other"/, '... with "default" no code is unknown');

spew("$edge->{dir}/metrics", $text);

my ($status, $out) = shell("promtool check metrics < $edge->{dir}/metrics");

is($status, 0, "Prometheus' own tool accepts the page") or diag($out);

my $json = JSON::PP->new->utf8->decode(get($port, '/metrics.json')->{body});
my ($acme) = grep { $_->{document} eq 'acme' } @{ $json->{documents} };

%got = map { my $code = $_->{code};
             utf8::encode($code);
             ($code => $_->{responses}) } @{ $acme->{codes} };

is_deeply(\%got, \%want, 'JSON: the same');


# labels belong to the layout of the counters

my $conf = slurp("$edge->{dir}/nginx.conf");
my $zero = qr/\[notice\].*error_map_zone "\w+" starts from zero/;

for (
    ['a range', sub { s/1000-1099/1000-1098/ }, 1],
    ['a prefix', sub { s/prefix   isv\. /prefix   isv.. / }, 1],
    ['a pattern', sub { s/pattern  '\^5/pattern  '^6/ }, 1],
    ['no default', sub { s/ default .*// }, 1],
    ['a code, not a prefix', sub { s/prefix   isv\. /code isv.* / }, 1],
    ['a prefix of the code', sub { s/ E17 / prefix E17 / }, 1],
    ['a success', sub { s/ok\./fine./ }, 0],
    ['a title', sub { s/"range"/"another title"/ }, 0],
) {
    my ($what, $edit, $starts) = @$_;

    reload($edge, $conf);
    ask(1050);

    my $notices = logged($edge, $zero);
    my $new = $conf;

    $edit->() for $new;
    isnt($new, $conf, "$what: a change");

    reload($edge, $new);

    is(logged($edge, $zero) - $notices, $starts,
       $starts ? '... starts from zero' : '... keeps the counters');
}

stop($edge);
done_testing();
