# conf/grafana/error_map.json is a dashboard that Grafana can import, and asks
# for series that an edge has: every expression goes to a Prometheus that
# scrapes a real edge, before and after traffic.

use strict;
use warnings;

use ErrorMap;
use ErrorMapPrometheus;
use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

my $file = slurp("$ErrorMap::root/conf/grafana/error_map.json");
my $board = eval { JSON::PP->new->utf8->decode($file) };

is($@, '', 'the file is JSON');

my @panels = @{ $board->{panels} || [] };
my @variables = @{ $board->{templating}{list} || [] };


# the import

ok($board->{schemaVersion} >= 36 && $board->{schemaVersion} <= 39,
   'of Grafana 9 or 10');
is_deeply([@$board{qw(id uid title)}],
          [undef, 'nginx-error-map', 'nginx-error-map'],
          'Grafana chooses the id, but not the uid');

is_deeply([map { [@$_{qw(name type pluginId)}] } @{ $board->{__inputs} }],
          [['DS_PROMETHEUS', 'datasource', 'prometheus']],
          'the import asks for a Prometheus');

is_deeply([map { [@$_{qw(name type)}, $_->{current}{value}] } @variables],
          [['datasource', 'datasource', '${DS_PROMETHEUS}'],
           ['instance', 'query', ['$__all']],
           ['document', 'query', ['$__all']]], '... which is a variable');

my %plugin = map { $_->{type} => 1 } @panels;

is_deeply([sort map { $_->{id} } grep { $_->{type} eq 'panel' }
                                 @{ $board->{__requires} }],
          [sort keys %plugin], 'the panels that it requires');


# the panels

my (%id, @taken, @overlaps, %title);

cmp_ok(scalar @panels, '>=', 14, 'panels');

for my $panel (@panels) {
    my ($id, $title) = @$panel{qw(id title)};
    my ($x, $y, $w, $h) = @{ $panel->{gridPos} }{qw(x y w h)};

    ok($title && !$title{$title}++, "panel $id has a title of its own")
        or $title = $id;
    ok(!$id{$id}++, "$title: its id is unique");
    like($panel->{description}, qr/^[A-Z].{30,}\.$/, '... a description');
    like($panel->{fieldConfig}{defaults}{unit},
         qr/^(?:reqps|percentunit|short|s|Bps)$/, '... a unit');
    is_deeply([grep { $_->{uid} ne '${datasource}'
                      || $_->{type} ne 'prometheus' }
               map { $_->{datasource} } $panel, @{ $panel->{targets} }], [],
              '... the chosen data source');
    ok(scalar @{ $panel->{targets} }, '... a target');
    cmp_ok($x + $w, '<=', 24, '... its place in the grid');

    for my $i ($x .. $x + $w - 1) {
        for my $k ($y .. $y + $h - 1) {
            push @overlaps, "$title at $i, $k" if $taken[$k][$i]++;
        }
    }
}

is_deeply(\@overlaps, [], 'no panels overlap');

my %known = map { $_ => 1 } qw(DS_PROMETHEUS datasource instance document
                               __all __range __rate_interval);

is_deeply([grep { !$known{$_} } $file =~ /\$\{?(\w+)/g], [],
          'no unknown variable');

is_deeply([grep { !/\$instance/ } map { map { $_->{expr} } @{ $_->{targets} } }
                                  @panels], [],
          'all ask for the chosen edges');
is_deeply([grep { !/\$document/ && !/_info/ }
           map { map { $_->{expr} } @{ $_->{targets} } } @panels], [],
          '... and vendors');


# an edge

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my ($status, $type, $wait, $body)
        = $request =~ m{^GET /(\d+)/(\w+)/(\w+)/(\S*)} or die $request;

    my $head = "HTTP/1.1 $status Fine\r\nContent-Type: application/$type\r\n"
               . 'Content-Length: ' . length($body) . "\r\n\r\n";

    if ($wait eq 'wait') {
        print $s $head . substr $body, 0, 3;
        sleep 0.05;
        print $s substr $body, 3;

    } else {
        print $s $head . $body;
    }

    return 0;
});

my $port = free_port();

my $edge = start(port => $port, workers => 2, http => <<"END");
    error_map_zone counters 1m;

    error_map_policy retry { code tencent_iotvideo/52501 456 next_upstream; }

    upstream accounts {
        server 127.0.0.1:$vendor max_fails=0;
        server 127.0.0.1:$vendor max_fails=0;
    }

    map \$arg_document \$document {
        default  \$arg_document;
    }

    server {
        listen 127.0.0.1:$port;
        error_map_hold_size 64;
        proxy_buffering off;

        location /video/ {
            error_map   tencent_iotvideo;
            proxy_pass  http://127.0.0.1:$vendor/;
        }

        location /face/ {
            error_map   baidu_face;
            proxy_pass  http://127.0.0.1:$vendor/;
        }

        location /retry/ {
            error_map            tencent_iotvideo policy=retry;
            error_map_upstream   on;
            proxy_next_upstream  http_500;
            proxy_pass           http://accounts/;
        }

        location /dry/ {
            error_map          tencent_iotvideo;
            error_map_dry_run  on;
            proxy_pass         http://127.0.0.1:$vendor/;
        }

        location /dry-face/ {
            error_map          baidu_face;
            error_map_dry_run  on;
            proxy_pass         http://127.0.0.1:$vendor/;
        }

        location /any/ {
            error_map   \$document;
            proxy_pass  http://127.0.0.1:$vendor/;
        }

        location = /metrics { error_map_metrics prometheus; }
    }
END

# number and URI: 9 failures among 16 inspected responses, one of which is
# passed over, and a dry run

my @traffic = (
    [3, '/video/200/json/now/{"StatusCode":42505}'],
    [1, '/video/200/json/wait/{"StatusCode":52501}'],
    [4, '/video/200/json/wait/{"StatusCode":200}'],
    [2, '/video/500/json/now/{"StatusCode":99999}'],
    [1, '/video/200/json/now/{"none":1}'],
    [2, '/video/200/json/now/{"d":"' . 'x' x 100 . '"}'],
    [1, '/face/200/json/now/{"error_code":18}'],
    [2, '/face/200/text/now/hello'],
    [1, '/any/200/json/now/{}?document=no-such'],
    [1, '/retry/200/json/now/{"StatusCode":52501}'],
    [40, '/dry/200/json/now/{"StatusCode":42505}'],
    [2, '/dry/200/json/now/{"StatusCode":42502}'],
    [1, '/dry/200/json/now/{"StatusCode":99999}'],
    [3, '/dry/200/json/now/{"none":1}'],
    [3, '/dry/200/json/now/{"StatusCode":200}'],
    [4, '/dry/200/json/now/{"d":"' . 'x' x 100 . '"}'],
    [1, '/dry-face/200/json/now/{"error_code":999999}'],
);

sub traffic {
    for (@traffic) {
        my ($n, $uri) = @$_;
        get($port, $uri) for 1 .. $n;
    }
}


# a Prometheus

my $dir = tempdir(CLEANUP => 1);

spew("$dir/prometheus.yml", <<"END");
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: nginx-error-map
    static_configs: [ { targets: [ "127.0.0.1:$port" ] } ]
END

prometheus($dir);

# answer(path, name => argument, ...): decoded

sub answer {
    my $text = api(@_);

    return eval { JSON::PP->new->utf8->decode($text) }
           || { status => 'down', error => $text };
}

# the series of an expression, and their values now

sub query {
    my ($expr) = @_;

    my $json = answer('query', query => $expr);

    return undef if $json->{status} ne 'success';
    return [map { { %{ $_->{metric} }, value => $_->{value}[1] } }
            @{ $json->{data}{result} }];
}

sub query_finds {
    my ($expr, $name) = @_;

    wait_for(sub { @{ query($expr) || [] } }, 60)
        or die "no $expr: " . slurp("$dir/log");
    pass($name);
}

# a text with the variables that Grafana fills in: for all vendors and edges, or
# for one

my %all = (instance => '.*', document => '.*');
my %one = (instance => "127\\\\.0\\\\.0\\\\.1:$port",
           document => 'tencent_iotvideo');

sub filled {
    my ($text, %value) = @_;

    %value = (%value, __range => '5m', __rate_interval => '5m');
    $text =~ s/\$\{?(\w+)\}?/$value{$1}/g;

    return $text;
}


# without traffic the numbers are zero, and there is no share

query_finds('min(count_over_time(nginx_error_map_info[1m])) >= 2',
         'Prometheus has scraped the edge twice');

my %stat = map { $_->{title} => $_->{targets}[0]{expr} }
           grep { $_->{type} eq 'stat' } @panels;

sub stats {
    return { map { $_ => join ' ', map { $_->{value} }
                                   @{ query(filled($stat{$_}, %all)) } }
             keys %stat };
}

is_deeply(stats(), { 'Responses' => 0, 'Failure share' => '',
                     'Quota errors' => 0, 'Unknown codes' => 0,
                     'Undecided' => 0, 'Edges up' => 1 },
          'numbers without traffic');


# the series of a code starts with its first response, so only later ones are an
# increase

traffic();
query_finds('sum(nginx_error_map_codes_total) == 53', 'traffic has been seen');
traffic();
query_finds('sum(nginx_error_map_codes_total) == 106', '... more of it');

my $stats = stats();

cmp_ok($stats->{'Responses'}, '>', 0, 'responses');
cmp_ok(abs($stats->{'Failure share'} - 9 / 16), '<', 0.001, 'failure share')
    or diag($stats->{'Failure share'});
is($stats->{'Edges up'}, 1, 'edges up');

# without those of a dry run, which are as many or more; a short range is not
# exact

my %sent = ('Quota errors' => 8, 'Unknown codes' => 4, 'Undecided' => 4);

for (sort keys %sent) {
    my $share = $stats->{$_} / $sent{$_};

    ok($share > 0.9 && $share < 1.5, lc) or diag($stats->{$_});
}

# the labels of each series of the edge, and those of Prometheus

my %labels;

for (split /\n/, get($port, '/metrics')->{body}) {
    my ($name, $labels) = /^(\w+)\{(.*)\}/ or next;
    $labels{$name}{$_} = 1 for 'instance', 'job', $labels =~ /(\w+)="/g;
}

cmp_ok(scalar keys %labels, '==', 11, 'eleven series');

# the panels: their queries, and the use of the answers

my %used;

for my $panel (@panels) {
    for my $target (@{ $panel->{targets} }) {

        my $name = "$panel->{title} $target->{refId}";
        my $expr = $target->{expr};

        for ($expr =~ /(nginx_\w+\{[^}]*\})/g) {
            my ($series, $labels) = /(\w+)(.*)/;
            my @missing = grep { !$labels{$series}{$_} }
                          $labels =~ /(\w+)\s*[=!]~?"/g;

            is_deeply(\@missing, [], "$name: $series has the labels");
            ok(scalar @{ query(filled($_, %all)) || [] }, '... some match');

            $used{$series} = 1;
        }

        is_deeply([grep { !/\{/ } $expr =~ /(nginx_\w+.?)/g], [],
                  '... none without labels');

        for (['all', %all], ['one', %one]) {
            my ($which, %value) = @$_;

            my $series = query(filled($expr, %value));
            ok($series && @$series, "$name: there is an answer for $which");

            is_deeply([grep { $_->{value} !~ /^\d/ } @{ $series || [] }], [],
                      '... numbers');

            # the names that the panel gives them

            my @names = $panel->{type} eq 'table'
                ? keys %{ $panel->{transformations}[0]{options}
                          {renameByName} }
                : ($target->{legendFormat} || '') =~ /\{\{(\w+)\}\}/g;

            my %is = map { map { $_ => 1 } grep { $_ ne 'value' } keys %$_ }
                     @{ $series || [] };

            is_deeply([sort map { lc } grep { $_ ne 'Value' } @names],
                      [sort keys %is], '... named by all labels');
        }

        my $json = answer('query_range', query => filled($expr, %all),
                       start => time - 60, end => time, step => 5);

        is($json->{status}, 'success', "$name: there is a plot");
    }
}

is_deeply([sort keys %used], [sort keys %labels], 'no series is left out');

sub shown {
    my ($title, @labels) = @_;
    my ($panel) = grep { $_->{title} eq $title } @panels;

    return [sort map { my $series = $_;
                       join ' ', map { $series->{$_} } @labels }
                 @{ query(filled($panel->{targets}[0]{expr}, %all)) }];
}

is_deeply(shown('Responses by vendor and verdict', qw(document verdict)),
          ['(none) skipped', 'baidu_face mapped', 'baidu_face skipped',
           map { "tencent_iotvideo $_" }
               qw(mapped none success undecided unknown)],
          'vendors and verdicts');
is_deeply(shown('Errors by class', 'class'),
          [qw(INTERNAL RESOURCE_EXHAUSTED UNKNOWN)], 'classes');
is_deeply(shown('Top codes', qw(document code class)),
          ['baidu_face 18 RESOURCE_EXHAUSTED',
           'tencent_iotvideo 42505 RESOURCE_EXHAUSTED',
           'tencent_iotvideo 52501 INTERNAL',
           'tencent_iotvideo other UNKNOWN'], 'codes');
is_deeply(shown("From the vendor's status to the edge's",
                qw(upstream_status status)),
          ['200 200', '200 402', '200 429', '200 456', '500 500'], 'statuses');
is_deeply(shown('Unknown and undecided', qw(document verdict)),
          ['tencent_iotvideo undecided', 'tencent_iotvideo unknown'],
          'unknown and undecided responses');
is_deeply(shown('Why there is no code', qw(document reason)),
          ['(none) document', 'baidu_face type', 'tencent_iotvideo hold_size',
           'tencent_iotvideo no_code'], 'reasons');
is_deeply(shown('Passed over', qw(document class)),
          ['tencent_iotvideo INTERNAL'], 'what was passed over');

# ... and by themselves

is_deeply(shown('Dry run: verdicts', qw(document verdict)),
          ['baidu_face unknown', map { "tencent_iotvideo $_" }
                                 qw(mapped none success undecided unknown)],
          'a dry run: verdicts');
is_deeply(shown('Dry run: what would be mapped', qw(document code class)),
          ['baidu_face other UNKNOWN',
           'tencent_iotvideo 42502 PERMISSION_DENIED',
           'tencent_iotvideo 42505 RESOURCE_EXHAUSTED',
           'tencent_iotvideo other UNKNOWN'], '... codes');
is_deeply(shown('Dry run: statuses', qw(upstream_status status)),
          ['200 200', '200 402', '200 403'], '... statuses');
is_deeply(shown('Dry run: why there is no code', qw(document reason)),
          ['tencent_iotvideo hold_size', 'tencent_iotvideo no_code'],
          '... reasons');

# 42505 is in both, 6 times and 80 times

for (['Top codes', 2, 20], ['Dry run: what would be mapped', 30, 200]) {
    my ($title, $least, $most) = @$_;
    my ($value) = map { / 42505 (\S+)/ ? $1 : () }
                  @{ shown($title, qw(document code value)) };

    ok($value > $least && $value < $most, "$title: how many") or diag($value);
}
is_deeply(shown('Bytes held', 'document'), ['tencent_iotvideo'],
          'held bytes by vendor');

for ('Hold time a response', 'Bytes held') {
    my ($value) = grep { $_ > 0 } @{ shown($_, 'value') };
    ok($value, "$_: some");
}


# the values of the variables

for (['instance', "127.0.0.1:$port"],
     ['document', qw(baidu_face tencent_iotvideo)])
{
    my ($name, @values) = @$_;

    my ($variable) = grep { $_->{name} eq $name } @variables;
    my ($series, $label)
        = $variable->{query}{query} =~ /^label_values\((.*), (\w+)\)$/;

    is($variable->{datasource}{uid}, '${datasource}', "variable $name");
    is($variable->{definition}, $variable->{query}{query}, '... its query');
    is($variable->{allValue}, '.*', '... all of them');
    is($label, $name, '... the label');

    my $json = answer("label/$label/values",
                      'match[]' => filled($series, %all));
    my %offered = map { $_ => 1 } @{ $json->{data} || [] };

    is_deeply([grep { !$offered{$_} } @values], [], '... the values');
}

stop($edge);
done_testing();
