# Nothing that a vendor sends becomes a label, or makes more series.

use strict;
use warnings;

use ErrorMap;
use ErrorMapMetrics;
use ErrorMapStream;
use ErrorMapTables;
use Test::More;

my $vendor = answers('body');
my $port = free_port();

my $edge = start(port => $port, http => <<"END");
    error_map_zone counters 1m;
$acme
    keepalive_requests 100000;

    server {
        listen 127.0.0.1:$port;
        error_map tencent_iotvideo;

        location / { proxy_pass http://127.0.0.1:$vendor; }
        location /acme { error_map acme; proxy_pass http://127.0.0.1:$vendor; }

        location /local {
            default_type application/json;
            return 200 \$arg_body;
        }
$handlers
    }
END

my @unknown = iotvideo(qw(unknown other UNKNOWN 200 200));


# every code of a vendor's document has a series, and the text is longer than a
# buffer

my $table = table('tencent_iotvideo');
my %codes = map { $_->{code} => 1 } @{ $table->{rows} };

delete @codes{@{ $table->{success} }};

my $before = series($port);

pipelines($port, [map { "/local?body={\"StatusCode\":$_}" } keys %codes]);

my $delta = delta($before, series($port));

is_deeply([sort map { /code="([^"]+)"/ ? $1 : () } keys %$delta],
          [sort keys %codes], 'every code of tencent_iotvideo');
is(total($delta, qr/_codes_total/), keys %codes, '... once');
agree($port, 'all codes');


# unknown codes share one series, however many there are

get($port, '/local?body={"StatusCode":"no"}');

$before = series($port);

my ($lines, $many) = (scalar keys %$before, 20_000);

exchange_all(map {
    my $n = $_;
    { port => $port, timeout => 60, sink => sub { },
      request => join '', map {
          request("/local?body={\"StatusCode\":\"no$_\"}", connection =>
                  $_ % 2500 == 2499 ? 'close' : 'keep-alive')
      } $n * 2500 .. $n * 2500 + 2499 }
} 0 .. $many / 2500 - 1);

my $after = series($port);

is_deeply(delta($before, $after), { map { $_ => $many } @unknown },
          "$many unknown codes");
is(scalar keys %$after, $lines, '... share one series');


# the number of pairs of statuses is limited

$before = series($port);

my @statuses = grep { !/^(?:204|205|206|304)$/ } 200 .. 599;
my $pair = qr/_status_total\{document="acme",upstream_status="\d/;
my $other = qr/document="acme",upstream_status="other",status="other"/;

for my $round (1, 2) {
    pipelines($port, map { my $n = $_; [map { "/acme?body={}&status=$_" }
                                        grep { $_ % 4 == $n } @statuses] }
                     0 .. 3);

    $after = series($port);
    $delta = delta($before, $after);

    is(total($delta, qr/responses_total.*verdict="none"/), $round * @statuses,
       "responses of all statuses, $round");
    is(total($delta, qr/_status_total/), $round * @statuses, '... the sum');
    is(scalar(grep { /$pair/ } keys %$after), 64, '... 64 pairs');
    cmp_ok(total($delta, $other), '>=', $round * (@statuses - 64),
           '... the others in one place');
    is(join(' ', grep { /$pair/ && $delta->{$_} != $round } keys %$delta), '',
       '... each pair by itself');
}

$before = $after;
get($port, '/acme?body={"error":{"code":1001}}');
is(total(delta($before, series($port)), qr/document="acme",code="1001"/), 1,
   '... and codes are still counted');
agree($port, 'all statuses');


# nothing that a vendor sends is shown

my @evil = ('evil\"} 1\n# HELP evil\n', 'evil\u00e9\ud83d\ude00',
            "evil\xc3\xa9", 'evil\u0000', '</script>evil', 'evil\\\\',
            'evil' x 30);

$before = series($port);
get($port, '/?header=X-Acme-Error:%20evil&body={"StatusCode":"'
           . (s/([^A-Za-z0-9.])/sprintf '%%%02X', ord $1/ger) . '"}') for @evil;

is_deeply(delta($before, series($port)),
          { map { $_ => scalar @evil } @unknown },
          'codes with quotes, newlines and UTF-8 are unknown');

for ('/metrics', '/metrics.json') {
    my $body = get($port, $_)->{body};

    unlike($body, qr/evil/, "$_ shows nothing of it");
    like($body, qr/\A[\n\x20-\x7e]+\z/, '... and is plain ASCII');
}

agree($port, 'evil codes');
stop($edge);
done_testing();
