# The counters count each response once, for every verdict, and the handlers
# show them.

use strict;
use warnings;

use ErrorMap;
use ErrorMapMetrics;
use ErrorMapTables;
use Test::More;
use Time::HiRes qw(sleep time);

my $vendor = answers('body');
my $second = answers('second');
my ($port, $nobody) = (free_port(), free_port());

my $accounts = <<"END";
    upstream accounts {
        server 127.0.0.1:$vendor max_fails=0;
        server 127.0.0.1:$second max_fails=0 backup;
    }
END

my $edge = start(port => $port, http => <<"END");
    error_map_policy edge {
        code     tencent_iotvideo/42505  429;
        unknown  503;
    }

    error_map_zone counters 1m;
    proxy_cache_path %DIR%/cache keys_zone=counted:1m;

$acme
$accounts
    keepalive_requests 100000;

    server {
        listen 127.0.0.1:$port;
        error_map tencent_iotvideo;
        add_header X-Held \$error_map_hold_size always;
        add_header X-Time \$error_map_hold_time always;

        location / { proxy_pass http://127.0.0.1:$vendor; }
        location /off { error_map off; proxy_pass http://127.0.0.1:$vendor; }
        location /acme { error_map acme; proxy_pass http://127.0.0.1:$vendor; }

        location /small {
            error_map_hold_size 20;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /quick {
            error_map_hold_timeout 100ms;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /dry {
            error_map_dry_run on;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /dry-any {
            error_map \$arg_document;
            error_map_dry_run on;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /problem {
            error_map_body problem;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /any {
            error_map \$arg_document policy=edge;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /page {
            error_map_intercept on;
            error_page 402 /sorry;
            error_page 403 = \@second;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location = /sorry {
            default_type application/json;
            return 429 '{"StatusCode":40001}';
        }

        location \@second { proxy_pass http://127.0.0.1:$second; }

        location /down { proxy_pass http://127.0.0.1:$nobody; }

        location /upstream {
            error_map_upstream on;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /upstream-page {
            error_map_upstream on;
            proxy_intercept_errors on;
            error_page 402 /sorry;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /retry {
            error_map tencent_iotvideo policy=edge;
            error_map_upstream on;
            proxy_next_upstream http_429 http_503;
            proxy_pass http://accounts;
        }

        location /cache {
            error_map tencent_iotvideo policy=edge;
            error_map_upstream on;
            proxy_cache counted;
            proxy_cache_key \$arg_key;
            proxy_cache_valid 200 1s;
            proxy_cache_use_stale http_503;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /local {
            default_type application/json;
            return 200 \$arg_body;
        }

        error_map_types application/json text/plain;
$handlers
        location = /counted {
            error_map acme;
            error_map_types *;
            error_map_metrics json;
        }
    }
END


# URI, method (GET if empty, "later" is after a while), and the series that grow
# by one

my @mapped = iotvideo(qw(mapped 42505 RESOURCE_EXHAUSTED 200 402));
my @limited = iotvideo(qw(mapped 42505 RESOURCE_EXHAUSTED 200 429));
my @unknown = iotvideo(qw(unknown other UNKNOWN 200 200));
my @fine = iotvideo('success', '', '', 200, 200);
my @none = iotvideo('none no_code', '', '', 200, 200);

my ($over, $over_unknown) = map { passed('tencent_iotvideo', $_) }
                            qw(RESOURCE_EXHAUSTED UNKNOWN);

sub undecided { iotvideo("undecided $_[0]", '', '', 200, 200) }
sub skipped { iotvideo("skipped $_[0]") }

my $bad = '?body={"StatusCode":42505}';
my $good = '?body={"StatusCode":200}';
my $other = '?body={"StatusCode":9}';

my @requests = (
    ["/$bad", '', @mapped],
    ["/$bad&status=500", '',
     iotvideo(qw(mapped 42505 RESOURCE_EXHAUSTED 500 402))],
    ['/?body={"StatusCode":40001}', '',
     iotvideo(qw(mapped 40001 INVALID_ARGUMENT 200 200))],
    ["/$other", '', @unknown],
    ["/$other&status=404", '', iotvideo(qw(unknown other UNKNOWN 404 404))],
    ['/?body={"StatusCode":"other"}', '', @unknown],
    ["/$good", '', @fine],
    ['/?body={"StatusCode":0}&status=201', '',
     iotvideo('success', '', '', 201, 201)],
    ['/?body={}', '', @none],
    ['/?body=', '', iotvideo('none empty', '', '', 200, 200)],
    ['/?body=%20%0A', '', iotvideo('none empty', '', '', 200, 200)],
    ['/?body={"StatusCode"}', '', iotvideo('none malformed', '', '', 200, 200)],
    ['/?body={', '', iotvideo('none malformed', '', '', 200, 200)],

    ['/acme?body={"error":{"code":2001}}', '',
     acme(qw(mapped 2001 RESOURCE_EXHAUSTED 200 429))],
    ['/acme?body={}&header=X-Acme-Error:%201001', '',
     acme(qw(mapped 1001 UNAUTHENTICATED 200 401))],
    ['/acme?body={"error":{"code":0}}', '', acme('success', '', '', 200, 200)],
    ['/acme?body={"error":{"code":7}}', '',
     acme(qw(unknown other UNKNOWN 200 200))],
    ["/acme$bad", '', acme('none no_code', '', '', 200, 200)],

    # responses that are not inspected are skipped, for their document

    ["/$bad&type=text/html", '', skipped('type')],
    ["/$bad&header=Content-Encoding:%20compress", '', skipped('coding')],
    ["/$bad&status=204", '', skipped('status')],
    ["/$bad&status=206", '', skipped('range')],
    ["/$bad&status=304", '', skipped('status')],
    ["/$bad&status=000", '', skipped('status')],
    ["/$bad&status=099", '', skipped('status')],
    ["/$bad", 'HEAD', skipped('method')],
    ["/off$bad", ''],
    ["/any$bad&document=off", '', counted('', 'skipped document')],
    ["/any$bad&document=nosuch", '', counted('', 'skipped document')],
    ["/any$bad&document=acme&type=text/html", '', acme('skipped type')],
    ["/any$bad&document=tencent_iotvideo", '', @limited],
    ["/any$other&document=tencent_iotvideo", '',
     iotvideo(qw(unknown other UNKNOWN 200 503))],

    # the verdict is counted, whatever the edge does

    ["/dry$bad", '', iotvideo(qw(mapped 42505 RESOURCE_EXHAUSTED 200 402 1))],
    ["/dry-any$bad&document=off", '',
     counted('', 'skipped document', ('') x 4, 1)],
    ["/dry$other", '', iotvideo(qw(unknown other UNKNOWN 200 200 1))],
    ["/dry$good", '', iotvideo('success', '', '', 200, 200, 1)],
    ['/dry?body={}', '', iotvideo('none no_code', '', '', 200, 200, 1)],
    ["/dry$bad&type=text/html", '', iotvideo('skipped type', ('') x 4, 1)],
    ["/problem$bad", '', @mapped],

    # the edge's own page is not a vendor's response

    ["/page$bad", '', @mapped],
    ["/page$bad&pause=0.05", '', @mapped],
    ["/upstream-page$bad", '', @mapped],
    ['/page?body={"StatusCode":42502}&second={"StatusCode":200}', '',
     iotvideo(qw(mapped 42502 PERMISSION_DENIED 200 403)), @fine],
    ["/down$bad", ''],

    # holds

    ["/$bad&pause=0.1", '', @mapped],
    ["/$good&pause=0.05", '', @fine],
    ['/?body={}&pause=0.05', '', @none],
    ['/small?body={"Data":"12345678901234567890"}', '',
     undecided('hold_size')],
    ['/quick?body={"Data":1}&pause=1', '', undecided('hold_timeout')],

    # each failed attempt, and the last response

    ["/upstream$bad", '', @mapped],
    ["/upstream$good", '', @fine],
    ["/upstream$other", '', @unknown],
    ['/upstream?body={}', '', @none],
    ["/upstream$bad&type=text/html", '', skipped('type')],
    ["/upstream$bad&pause=0.1", '', @mapped],
    ["/upstream$good&pause=0.1", '', @fine],
    ["/retry$good&second={}", '', @fine],
    ["/retry$bad&second={\"StatusCode\":200}", '', @limited, $over, @fine],
    ["/retry$bad&second={}", '', @limited, $over, @none],
    ["/retry$bad&second={\"StatusCode\":42505}", '', @limited, $over, @limited],
    ["/retry$other&second={\"StatusCode\":40001}", '',
     iotvideo(qw(unknown other UNKNOWN 200 503)), $over_unknown,
     iotvideo(qw(mapped 40001 INVALID_ARGUMENT 200 200))],

    # the cache; the last request fails, and gets a stale response

    ["/cache$good&key=1", '', @fine],
    ["/cache$good&key=1", '', @fine],
    ["/cache$bad&key=2", '', @limited],
    ["/cache$bad&key=2", '', @limited],
    ["/cache$other&key=1", 'later',
     iotvideo(qw(unknown other UNKNOWN 200 503)), $over_unknown, @fine],

    # requests for the counters

    ['/metrics', ''],
    ['/metrics.json', ''],
    ['/metrics', 'HEAD'],
    ['/metrics', 'POST'],
    ['/counted', '', acme('none no_code', '', '', 200, 200)],
);

my $before = series($port);

is_deeply($before->{bad}, undef, 'every line is a sample or a comment');

is(join(' ', grep { $before->{$_} && !/_info/ } keys %$before), '',
   'all start from zero');

# the classes of a document's errors, of which a row without a code is UNKNOWN

my $table = table('baidu_face');
my %success = map { $_ => 1 } @{ $table->{success} };
my %classes = (
    acme => [qw(RESOURCE_EXHAUSTED UNAUTHENTICATED UNKNOWN)],
    baidu_face => [sort keys %{ { UNKNOWN => 1, map { $_->{class} => 1 }
                                  grep { !$success{$_->{code}} }
                                  @{ $table->{rows} } } }],
    '' => [],
);

for my $document ('acme', 'baidu_face', '') {
    my @verdicts = $document ? qw(mapped none skipped success undecided unknown)
                             : 'skipped';

    is_deeply([sort grep { /document="$document"/ } keys %$before],
              [(map { "nginx_error_map_classes_total{document=\"$document\","
                      . "class=\"$_\"}" } @{ $classes{$document} }),
               (map { "nginx_error_map_dry_run_responses_total"
                      . "{document=\"$document\",verdict=\"$_\"}" } @verdicts),
               $document ? (map { "nginx_error_map_${_}_total"
                                  . "{document=\"$document\"}" }
                            qw(hold_bytes hold_seconds)) : (),
               (map { passed($document, $_) } '', @{ $classes{$document} }),
               map { counted($document, $_) } @verdicts],
              "the first series of the document \"$document\"");
}

# a reason grows from zero, too, once its document has had a response

sub reasons {
    return scalar grep {
        /_unmapped_total\{document="tencent_iotvideo",.*dry_run="0"/
    } keys %{ series($port) };
}

is(reasons(), 0, 'no reason before the first response');
get($port, "/$good");
is(reasons(), 17, '... and all of them after it');
get($port, "/$bad");
$before = series($port);

sub dry_codes { grep { /_dry_run_codes_total/ } keys %{ $_[0] } }

is(dry_codes($before), 0, 'no codes of a dry run before there is one');

for (@requests) {
    my ($uri, $method, @counted) = @$_;
    my %counted;

    $counted{$_}++ for @counted;

    sleep 2.1 if $method eq 'later';

    my $r = get($port, $uri, method => $method =~ /^([A-Z]+)$/ ? $1 : 'GET');
    my $after = series($port);

    # bytes and seconds of holds are those of the variables

    if (@counted && $counted[0] =~ /(document="[^"]+")/) {
        my $held = $r->{headers}{'x-held'}[0];
        my $time = $r->{headers}{'x-time'}[0];

        $counted{"nginx_error_map_hold_bytes_total{$1}"} = $held + 0 if $held;
        $counted{"nginx_error_map_hold_seconds_total{$1}"} = $time + 0
            if $time && $time > 0;
    }

    is_deeply(delta($before, $after), \%counted,
              "counted: $method $uri, $r->{status}");

    $before = $after;
}

# errors of a dry run have a code, but do not count for their class

my ($classes, $codes, $dry) = map {
    total($before, qr/error_map_${_}_total\{document="tencent_iotvideo"/)
} qw(classes codes dry_run_codes);

is($dry, 2, 'codes of a dry run');
is_deeply([sort map { s/dry_run_//r } dry_codes($before)],
          [sort grep { /map_codes_total\{document="tencent_iotvideo"/ }
                keys %$before], '... are shown with all codes of its document');
is($classes, $codes - $dry,
   'classes are those of the codes, without a dry run');

cmp_ok(total($before, qr/hold_seconds_total\{document="tencent_iotvideo"/),
       '>', 0.1, 'there were holds');
cmp_ok(total($before, qr/hold_bytes_total\{document="tencent_iotvideo"/),
       '>', 20, '... of some bytes');


# the handlers

for (['/metrics', 'text/plain; version=0.0.4'],
     ['/metrics.json', 'application/json'])
{
    my ($uri, $type) = @$_;

    my $r = get($port, $uri);
    my $head = get($port, $uri, method => 'HEAD');
    my $body = "5\r\n12345\r\n0\r\n\r\n";

    is_deeply([$r->{status}, $r->{complete}, map { @{ $r->{headers}{$_} } }
               qw(content-type cache-control content-length)],
              [200, 1, $type, 'no-store', length $r->{body}], "GET $uri");

    is($head->{status}, 200, "HEAD $uri");
    is($head->{headers}{'content-length'}[0], length $r->{body},
       '... has the same length');
    is($head->{body}, '', '... and no body');

    is(get($port, $uri, method => $_)->{status}, 405, "$_ $uri")
        for qw(POST PUT DELETE);

    is(get($port, $uri, headers => "Transfer-Encoding: chunked\r\n\r\n$body")
       ->{status}, 200, "GET $uri with a body");
}

like(get($port, '/metrics')->{body}, qr/\n\z/, 'the last line ends');


# both formats show the same

my $json = agree($port, 'busy');

cmp_ok(abs($json->{time} - time), '<', 60, 'the time in JSON');

my ($of) = grep { $_->{document} eq 'acme' } @{ $json->{documents} };

is_deeply([sort map { "$_->{code} $_->{title}" } @{ $of->{codes} }],
          ['1001 token missing', '2001 quota used up', 'other '],
          'titles in JSON');

stop($edge);
done_testing();
