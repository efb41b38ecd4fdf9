# $error_map_reason tells why a response has no code, in the header, in the log
# and in the counters, wherever the verdict is reached.

use strict;
use warnings;

use ErrorMap;
use ErrorMapCodings;
use ErrorMapMetrics;
use Test::More;
use Time::HiRes qw(sleep);

# responses of the vendor: name, status, headers, body, and how it is sent: in
# two pieces with a pause, or broken off after the first

my $json = 'Content-Type: application/json';
my $text = 'Content-Type: text/plain';
my $pad = 'x' x 3000;

my %vendor = (
    mapped => [200, [$json], '{"StatusCode":42505}'],
    unknown => [200, [$json], '{"StatusCode":7}'],
    success => [200, [$json], '{"StatusCode":0}'],
    empty => [200, [$json], ''],
    blanks => [200, [$json], " \r\n\t"],
    malformed => [200, [$json], '{"StatusCode"}'],
    html => [502, [$json], '<html>'],
    'html-code' => [502, [$json], '<html>1001'],
    'cut-short' => [200, [$json], '{"StatusCode":'],
    'no-code' => [200, [$json], '{"a":{"StatusCode":42505}}'],
    scalar => [200, [$json], 'true'],
    'not-gzip' => [200, [$json, 'Content-Encoding: gzip'], '{"StatusCode":1}'],
    'empty-gzip' => [200, [$json, 'Content-Encoding: gzip'], gz('')],
    type => [200, ['Content-Type: text/html'], '{"StatusCode":42505}'],
    coding => [200, [$json, 'Content-Encoding: compress'], '{"StatusCode":1}'],
    codings => [200, [$json, 'Content-Encoding: gzip', 'Content-Encoding: br'],
                '{"StatusCode":1}'],
    window => [200, [$json, 'Content-Encoding: zstd'],
               zstd({ window => 24, level => 3 }, '{"StatusCode":42505}')],
    part => [206, [$json, 'Content-Range: bytes 0-19/40'],
             '{"StatusCode":42505}'],
    deleted => [204, [$json], undef],
    large => [200, [$json], "{\"p\":\"$pad\",\"StatusCode\":42505}"],
    'large-text' => [200, [$text], "$pad 1001"],
    costly => [200, [$text], 'a' x 2000 . 'b'],
    'no-match' => [200, [$text], 'fine'],
    'empty-text' => [200, [$text], ''],
    'blank-text' => [200, [$text], " \n"],
    upgrade => [101, ['Upgrade: x', 'Connection: upgrade'], undef],
);

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my ($method, $name, $how) = $request =~ m{^(\S+) /([\w-]+)\??(\w*)};
    my ($status, $headers, $body) = @{ $vendor{$name} };
    my $length = defined $body ? length $body : 0;
    my $first = $how ? substr $body, 0, length($body) / 2, '' : '';

    print $s join("\r\n", "HTTP/1.1 $status Fine", @$headers,
                  defined $body ? "Content-Length: $length" : (), '', '');

    return 1 if $method eq 'HEAD' || !defined $body;

    print $s $first;
    return 0 if $how eq 'broken';

    sleep($how eq 'slow' ? 0.6 : 0.02) if $how;
    print $s $body;

    return 1;
});

my $port = free_port();
my $pass = "proxy_pass http://127.0.0.1:$vendor/; proxy_http_version 1.1;";
my $locations = '';

for my $upstream (qw(off on)) {
    for my $buffering (qw(off on)) {
        my $where = "$upstream-$buffering";
        my $common = "error_map_upstream $upstream;"
                     . " proxy_buffering $buffering; $pass";

        $locations .= <<"END";
        location /$where/vendor/ { $common }
        location /$where/small/ { error_map_hold_size 100; $common }
        location /$where/quick/ { error_map_hold_timeout 100ms; $common }
        location /$where/none/ { error_map_hold_timeout 0; $common }
        location /$where/text/ {
            error_map texts;
            error_map_types text/plain;
            $common
        }
        location /$where/both/ { error_map both; $common }
        location /$where/head/ { error_map heads; $common }
        location /$where/costly/ {
            error_map costly;
            error_map_types text/plain;
            $common
        }
        location /$where/any/ { error_map \$arg_document; $common }
        location /$where/dry/ {
            error_map_dry_run on;
            proxy_force_ranges on;
            $common
        }
        location /$where/200/ { error_map_statuses 200; $common }
        location /$where/plain/ { error_map_decode off; $common }
        location /$where/auth/ { auth_request /$where/vendor/success; $common }
        location /$where/upgrade/ {
            proxy_set_header Upgrade x;
            proxy_set_header Connection upgrade;
            $common
        }
END
    }
}

my $edge = start(port => $port, http => <<"END");
    log_format reasons '\$error_map_verdict \$error_map_reason';
    error_map_zone counters 1m;
    keepalive_requests 10000;
    proxy_cache_path %DIR%/cache keys_zone=cache:1m;

    error_map_document texts {
        source  regex  '(\\d{4})';
        1001    -      UNAVAILABLE  "busy";
    }

    error_map_document both {
        source  json   /error/code /code;
        source  regex  '>(\\d{4})\$';
        1001    -      UNAVAILABLE  "busy";
    }

    error_map_document heads {
        source  header  X-Code;
        1001    -       UNAVAILABLE  "busy";
    }

    error_map_document costly {
        source  regex  '(*NO_JIT)(a+)+\$';
        1001    -      UNAVAILABLE  "busy";
    }

    server {
        listen 127.0.0.1:$port;
        access_log %DIR%/access.log reasons;
        error_map tencent_iotvideo;
        add_header X-Verdict \$error_map_verdict always;
        add_header X-Reason \$error_map_reason always;
$locations
        location /cache/ {
            proxy_cache cache;
            proxy_cache_valid any 1m;
            $pass
        }
        location / { $pass }
        location /off/ { error_map off; $pass }
$handlers
    }
END

sub logged { (split /\n/, slurp("$edge->{dir}/access.log"))[-1] // '' }


# reason_ok(uri, verdict and reason, document, method, headers): one test

sub reason_ok {
    my ($uri, $expect, $document, $method, $headers) = @_;

    my $before = series($port);
    my $r = get($port, $uri, method => $method, headers => $headers,
                $uri =~ /upgrade/ ? (until => qr/\r\n\r\n/) : ());

    my ($verdict, $reason) = split / /, $expect;
    my %expect = (header => $expect, log => $expect);

    $expect{counted} = "document=\"$document\",verdict=\"$verdict\","
                       . "reason=\"$reason\",dry_run=\""
                       . ($uri =~ /dry/ ? 1 : 0) . '"' if $reason;

    my %got = (
        header => join(' ', map { $r->{headers}{"x-$_"}[0] // () }
                                qw(verdict reason)),
    );

    # the log comes after the response

    for (1 .. 100) {
        $got{log} = logged() =~ s/ $//r;
        last if $got{log} eq $expect;
        sleep 0.02;
    }

    my $delta = delta($before, series($port));

    my @counted = map { /_unmapped_total\{(.*)\}$/ ? $1 : () } keys %$delta;
    $got{counted} = join "\n", @counted if @counted;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply(\%got, \%expect, ($method || 'GET') . " $uri: $expect")
        or diag(explain(\%got));
}


for my $where (qw(off-off off-on on-off on-on)) {
    my $iot = 'tencent_iotvideo';

    reason_ok("/$where/vendor/$_->[0]", $_->[1], $iot) for (
        ['mapped', 'mapped'], ['unknown', 'unknown'], ['success', 'success'],
        ['empty', 'none empty'], ['blanks', 'none empty'],
        ['blanks?later', 'none empty'], ['malformed', 'none malformed'],
        ['html', 'none malformed'], ['cut-short', 'none malformed'],
        ['cut-short?later', 'none malformed'], ['no-code', 'none no_code'],
        ['no-code?later', 'none no_code'], ['scalar', 'none no_code'],
        ['not-gzip', 'none malformed'], ['empty-gzip', 'none empty'],
        ['type', 'skipped type'], ['coding', 'skipped coding'],
        ['codings', 'skipped coding'], ['window', 'skipped coding'],
        ['part', 'skipped range'], ['deleted', 'skipped status'],
        ['large?broken', 'undecided upstream'],
    );

    reason_ok("/$where/small/$_", 'undecided hold_size', $iot)
        for 'large', 'large?later';

    reason_ok("/$where/quick/large?slow", 'undecided hold_timeout', $iot);
    reason_ok("/$where/none/large?later", 'undecided hold_timeout', $iot);
    reason_ok("/$where/200/html", 'skipped status', $iot);
    reason_ok("/$where/plain/empty-gzip", 'skipped coding', $iot);

    reason_ok("/$where/head/no-code", 'none no_code', 'heads');
    reason_ok("/$where/text/no-match", 'none no_code', 'texts');
    reason_ok("/$where/both/html-code", 'mapped', 'both');
    reason_ok("/$where/both/html", 'none no_code', 'both');
    reason_ok("/$where/both/no-code", 'none no_code', 'both');
    reason_ok("/$where/both/empty", 'none empty', 'both');
    reason_ok("/$where/text/empty-text", 'none empty', 'texts');
    reason_ok("/$where/text/blank-text", 'none empty', 'texts');
    reason_ok("/$where/costly/costly", 'undecided pattern_cost', 'costly');

    reason_ok("/$where/any/mapped?document=nosuch", 'skipped document', '');
    reason_ok("/$where/any/mapped?document=vzenith", 'none no_code',
              'vzenith');

    reason_ok("/$where/vendor/mapped", 'skipped method', $iot, 'HEAD');
    reason_ok("/$where/dry/large?later", 'skipped range', $iot, 'GET',
              "Range: bytes=0-9\r\n");
    reason_ok("/$where/upgrade/upgrade", 'skipped upgrade', $iot, 'GET',
              "Upgrade: x\r\nConnection: upgrade\r\n");
}


# the document of a skipped response is known only where it is a constant

my $r = get($port, '/off-off/any/mapped?document=nosuch');
is($r->{headers}{'x-verdict'}[0], 'skipped', 'an unknown document');

# a subrequest whose body nobody reads has no header of its own

my $before = series($port);
get($port, '/off-on/auth/mapped');

is(delta($before, series($port))->{(iotvideo('skipped subrequest'))[1]}, 1,
   'auth_request: skipped subrequest');

# without error_map there is no reason

$r = get($port, '/off/type');
is($r->{headers}{'x-reason'}, undef, 'error_map off: no reason');


# a cached response

for my $status (qw(MISS HIT)) {
    reason_ok("/cache/$_->[0]", $_->[1], 'tencent_iotvideo') for (
        ['no-code', 'none no_code'], ['malformed', 'none malformed'],
        ['empty', 'none empty'], ['type', 'skipped type'],
        ['window', 'skipped coding'], ['part', 'skipped range'],
    );
}

stop($edge);

done_testing();
