# Prometheus reads the counters: its own tools accept them, and the files of
# conf/prometheus; and a real one adds two edges up to the requests sent.
#
# Debian's package starts one on port 9090; this one has its own port and
# folder.

use strict;
use warnings;

use ErrorMap;
use ErrorMapMetrics;
use ErrorMapPrometheus;
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use JSON::PP ();
use Test::More;

my $conf = "$ErrorMap::root/conf/prometheus";
my $dir = tempdir(CLEANUP => 1);
my $vendor = answers('body');


# two edges, and the number of requests to each

sub edge {
    my ($port) = @_;

    return start(port => $port, http => <<"END");
        error_map_zone counters 1m;

        error_map_document acme {
            source   json  /code;
            success  0;
            E:a/1    -     RESOURCE_EXHAUSTED  "quota used up";
            E.2      503   UNAVAILABLE         "down, really";
        }

        server {
            listen 127.0.0.1:$port;
$handlers
            location / {
                error_map tencent_iotvideo;
                proxy_pass http://127.0.0.1:$vendor;
            }

            location /acme {
                error_map acme;
                proxy_pass http://127.0.0.1:$vendor;
            }
        }
END
}

my @ports = (free_port(), free_port());
my @edges = map { edge($_) } @ports;

my @requests = (
    ['/?body={"StatusCode":42505}', 5, 3],
    ['/?body={"StatusCode":52501}', 2, 0],
    ['/?body={"StatusCode":200}', 4, 6],
    ['/?body={"StatusCode":9}', 0, 2],
    ['/?body={"StatusCode":10}', 1, 1],
    ['/?body={}', 1, 0],
    ['/?body={}&status=500', 1, 0],
    ['/?body={}&type=text/html', 1, 1],
    ['/?body={"StatusCode":42505}&pause=0.2', 1, 0],
    ['/acme?body={"code":"E:a/1"}', 0, 7],
    ['/acme?body={"code":"E.2"}', 2, 1],
    ['/acme?body={"code":"\"}\n"}' =~ s/\\/%5C/gr, 1, 0],
);

for my $request (@requests) {
    for my $n (0, 1) {
        get($ports[$n], $request->[0]) for 1 .. $request->[$n + 1];
    }
}

# by document and code

my @sent = (
    { 'tencent_iotvideo 42505' => 6, 'tencent_iotvideo 52501' => 2,
      'tencent_iotvideo other' => 1, 'acme E.2' => 2, 'acme other' => 1 },
    { 'tencent_iotvideo 42505' => 3, 'tencent_iotvideo other' => 3,
      'acme E:a/1' => 7, 'acme E.2' => 1 },
);

my %both = map { $_ => ($sent[0]{$_} || 0) + ($sent[1]{$_} || 0) }
           map { keys %$_ } @sent;


# promtool checks the counters and the files

sub promtool {
    my ($args) = @_;

    my $out = `promtool $args 2>&1`;

    return ($? == 0 ? 'good' : "status $?") . ": $out";
}

for my $n (0, 1) {
    my $r = get($ports[$n], '/metrics');

    spew("$dir/metrics.$n", $r->{body});

    is(promtool("check metrics < $dir/metrics.$n"), 'good: ',
       "promtool check metrics, edge $n");

    like($r->{body}, qr/^nginx_error_map_codes_total\{.* [1-9]/m, '... busy');
}

spew("$dir/metrics.bad", get($ports[0], '/metrics')->{body}
               =~ s/ counter$/ histogram/mr);

unlike(promtool("check metrics < $dir/metrics.bad"), qr/^good/,
       '... which finds an error');

like(promtool("check rules $conf/error_map.rules.yml"),
     qr/^good: .*SUCCESS: 11 rules found\s*$/s, 'promtool check rules');
like(promtool("test rules $conf/error_map.rules.test.yml"),
     qr/^good: .*SUCCESS\s*$/s, 'promtool test rules');
like(promtool("check config $conf/prometheus.yml"),
     qr/^good: .*is valid prometheus config/s, 'promtool check config');

# every alert has a test

my $rules = slurp("$conf/error_map.rules.yml");
my @alerts = $rules =~ /alert: (\w+)/g;
my @records = $rules =~ /record: (\S+)/g;
my $tests = slurp("$conf/error_map.rules.test.yml");

for my $alert (@alerts) {
    like($tests, qr/alertname: $alert\n *exp_alerts:\n *- exp_labels/,
         "$alert fires in a test");
    like($tests, qr/alertname: $alert\n *exp_alerts: \[\]\n/,
         '... and does not in another');
    like($rules, qr/ alert: $alert\n(?:(?! +- alert).*\n)* +runbook: \S/,
         '... and tells what to do');
}


# Prometheus with that configuration, other addresses and a shorter interval

my $config = slurp("$conf/prometheus.yml");

is($config =~ s/127\.0\.0\.1:8405/127.0.0.1:$ports[0]/, 1, 'an edge');
is($config =~ s/127\.0\.0\.1:8406/127.0.0.1:$ports[1]/, 1, 'another edge');
is($config =~ s/_interval: 15s/_interval: 1s/g, 2, 'once a second');

spew("$dir/prometheus.yml", $config);
copy("$conf/error_map.rules.yml", $dir) or die "$dir: $!";

prometheus($dir);

sub query_ok {
    my ($query, @labels_answer_name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    answer_ok(sub { api('query', query => $query) }, @labels_answer_name);
}

my $sum = 'sum by (document, code) (nginx_error_map_codes_total)';
my @by_code = (['document', 'code']);
my @instances = map { "127.0.0.1:$_" } @ports;

query_ok('up', ['instance'], { map { $_ => 1 } @instances }, 'both are up');
query_ok($sum, @by_code, \%both, 'the sum of both edges');

query_ok("nginx_error_map_codes_total{instance=\"$instances[$_]\"}", @by_code,
         $sent[$_], "edge $_ by itself") for 0, 1;

# a class is shown before its first error

query_ok('sum by (class) (nginx_error_map_classes_total{document="acme"})',
         ['class'], { RESOURCE_EXHAUSTED => 7, UNAVAILABLE => 3,
                      UNKNOWN => 1 }, 'the sum by class');
query_ok("nginx_error_map_classes_total{document=\"acme\","
         . "instance=\"$instances[0]\"}", ['class'],
         { RESOURCE_EXHAUSTED => 0, UNAVAILABLE => 2, UNKNOWN => 1 },
         '... from zero');

query_ok('sum by (verdict) (nginx_error_map_responses_total)', ['verdict'],
         { mapped => 21, unknown => 5, success => 10, none => 2, skipped => 2,
           undecided => 0 }, 'the sum by verdict');

query_ok('sum by (upstream_status, status) (nginx_error_map_status_total)',
         ['upstream_status', 'status'],
         { '200 402' => 9, '200 456' => 2, '200 200' => 16, '500 500' => 1,
           '200 429' => 7, '200 503' => 3 }, 'the sum by status');

query_ok('nginx_error_map_info', ['version'],
         { (slurp("$ErrorMap::root/CHANGES") =~ /error-map (\S+)/)[0]
           => 1 }, 'the version');

query_ok('max(nginx_error_map_hold_seconds_total > bool 0)', [], { '' => 1 },
         'the time of holds');

# it has read the rules, and they work with real counters

my %rules;

wait_for(sub {
    my $json = eval { JSON::PP->new->utf8->decode(api('rules')) };

    %rules = map { $_->{name} => $_->{health} }
             map { @{ $_->{rules} } } @{ $json->{data}{groups} || [] };

    return %rules && !grep { $_ ne 'ok' } values %rules;
});

is_deeply(\%rules, { map { $_ => 'ok' } @alerts, @records },
          'the rules work');


# one edge stops, the other stays

stop($edges[0]);

query_ok('up', ['instance'], { $instances[0] => 0, $instances[1] => 1 },
         'one edge is down');
query_ok($sum, @by_code, $sent[1], 'the counters of the other one stay');

get($ports[1], '/?body={"StatusCode":42505}') for 1 .. 4;

query_ok($sum, @by_code, { %{ $sent[1] }, 'tencent_iotvideo 42505' => 7 },
         '... and go on');

stop($edges[1]);
done_testing();
