# conf/log.conf logs each request as one JSON object in a line, whatever a
# vendor or a client sends.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp qw(version);
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep);

my $type = 'Content-Type: application/json';
my $quota = '{"StatusCode":42505}';

# the vendor's responses, by the first part of the URI; "|" is a pause

my %vendor = (
    mapped    => [200, $type, $quota],
    row       => [200, $type, '{"code":1}'],
    held      => [201, $type, '{"d":1,|"StatusCode":42505}'],
    unknown   => [404, $type, '{"StatusCode":99999}'],
    success   => [201, $type, '{"StatusCode":200}'],
    none      => [500, $type, '{"code":42505}'],
    undecided => [200, $type, '{"d":"' . 'x' x 5000 . "\",$quota}"],
    html      => [200, 'Content-Type: text/html', $quota],

    quotes    => [200, $type, '{"StatusCode":"a\"b\\\\c\/d"}'],
    controls  => [200, $type, '{"StatusCode":"a\nb\tc\u0000\u001f\u007f"}'],
    utf8      => [200, $type, "{\"StatusCode\":\"\xc3\xa9\\u20ac\"}"],
    object    => [200, $type, '{"StatusCode":"\",\"status\":\"0"}'],
    header    => [200, "$type\r\nX-Code: a\"b\\\xff\xc3%", '{}'],
    text      => [200, $type, "code=[\xff\xfe\"\\\n\x01]"],
    words     => [200, $type, '{"StatusCode":42505,"Message":"\"so\" \\u4e2d'
                              . "\xc3\xa9\",\"RequestId\":\"r-1\xff\"}"],
    surrogate => [200, $type, "{\"StatusCode\":42505,\"Message\":"
                              . "\"\xc3\xa9\xed\xa0\x80\"}"],

    long      => [200, $type, '{"StatusCode":"' . "\xc3\xa9" x 64 . '"}'],
);

my ($good, $bad) = map {
    my $quota_is_used_up = $_;

    vendor(sub {
        my ($s, $request) = @_;

        my ($method, $name) = $request =~ m{^(\w+) /(\w+)} or die $request;

        # until the client leaves

        if ($name eq 'never') {
            sysread $s, my $bytes, 1;
            return 0;
        }

        my ($status, $headers, $body)
            = $name eq 'retry' && !$quota_is_used_up
              ? @{ $vendor{success} }
              : @{ $vendor{$name} || $vendor{mapped} };

        my @parts = split /\|/, $body;

        print $s "HTTP/1.1 $status Fine\r\n$headers\r\n"
                 . "Connection: close\r\nContent-Length: "
                 . length(join '', @parts) . "\r\n\r\n"
                 . ($method eq 'HEAD' ? '' : shift @parts);

        for ($method eq 'HEAD' ? () : @parts) {
            sleep 0.1;
            print $s $_;
        }

        return 0;
    });
} 0, 1;

my ($port, $closed) = (free_port(), free_port());

my $edge = start(port => $port, http => <<"END");
    include $ErrorMap::root/conf/log.conf;

    map \$arg_document \$document {
        default  \$arg_document;
    }

    error_map_policy edge {
        code     tencent_iotvideo/42505  503 retry_after=30s;
        unknown  502;
    }

    error_map_document hostile {
        source  header  X-Code;
        source  json    /code;
        source  regex   "code=\\[([^]]*)\\]";
        1       451     PERMISSION_DENIED  "50% of </script> 'these' are {}";
    }

    upstream vendor   { server 127.0.0.1:$good; }

    upstream accounts {
        server 127.0.0.1:$bad max_fails=0;
        server 127.0.0.1:$good backup;
    }

    server {
        listen 127.0.0.1:$port;
        server_name log.example;

        access_log  %DIR%/access.log error_map;
        access_log  %DIR%/errors.log error_map if=\$error_map_class;

        error_map            tencent_iotvideo policy=edge;
        error_map_hold_size  4k;
        proxy_buffering      off;

        location /          { proxy_pass http://vendor; }
        location /document/ { error_map tencent_iotvideo;
                              proxy_pass http://vendor/; }
        location /hostile/  { error_map hostile; proxy_pass http://vendor/; }
        location /any/      { error_map \$document; proxy_pass http://vendor/; }
        location /off/      { error_map off; proxy_pass http://vendor/; }
        location /dry/      { error_map_dry_run on;
                              set \$log_dry_run 1;
                              set \$log_policy edge;
                              proxy_pass http://vendor/; }
        location /down/     { proxy_pass http://127.0.0.1:$closed; }
        location /drop      { return 444; }

        location /accounts/ {
            error_map_upstream   on;
            proxy_pass           http://accounts/;
            proxy_next_upstream  http_503;
        }

        location /page/ {
            error_map_intercept  on;
            error_page           503 /busy;
            proxy_pass           http://vendor/;
        }

        location /second/ {
            error_map_intercept  on;
            error_page           503 = \@second;
            proxy_pass           http://vendor/;
        }

        location = /busy { return 503 "busy"; }

        location \@second {
            rewrite     ^ /success break;
            proxy_pass  http://vendor;
        }
    }
END


my @names = qw(document verdict code class title status upstream_status
               retry_after hold_size hold_time);

my @mapped = ('tencent_iotvideo', 'mapped', 42505, 'RESOURCE_EXHAUSTED',
              'too many concurrent downloads', 503, 200, 30, 0, '0.000');
my @unknown = ('UNKNOWN', '', 502, 200, '', 0, '0.000');
my @skipped = ('tencent_iotvideo', 'skipped', ('') x 8);
my @success = ('tencent_iotvideo', 'success', 200, '', '', 201, 201, '', 0,
               '0.000');

sub unknown {
    my ($code, $status, $document) = @_;

    return ($document || 'tencent_iotvideo', 'unknown', $code, 'UNKNOWN', '',
            $status || 502, 200, '', 0, '0.000');
}

my ($to_good, $to_bad) = map { "127.0.0.1:$_" } $good, $bad;

# method and URI, status, upstream_addr, upstream_status, the variables

my @cases = (

    # verdicts

    ['GET /mapped', 503, $to_good, 200, @mapped],
    ['POST /mapped', 503, $to_good, 200, @mapped],
    ['GET /held', 503, $to_good, 201, @mapped[0 .. 5], 201, 30, 7,
     qr/^[0-9]\.\d{3}$/],
    ['GET /document/mapped', 402, $to_good, 200, @mapped[0 .. 4], 402, 200, '',
     0, '0.000'],
    ['GET /hostile/row', 451, $to_good, 200, 'hostile', 'mapped', 1,
     'PERMISSION_DENIED', "50% of </script> 'these' are {}", 451, 200, '', 0,
     '0.000'],
    ['GET /unknown', 502, $to_good, 404, 'tencent_iotvideo', 'unknown', 99999,
     'UNKNOWN', '', 502, 404, '', 0, '0.000'],
    ['GET /success', 201, $to_good, 201, @success],
    ['GET /none', 500, $to_good, 500, 'tencent_iotvideo', 'none', '', '', '',
     500, 500, '', 0, '0.000'],
    ['GET /undecided', 200, $to_good, 200, 'tencent_iotvideo', 'undecided', '',
     '', '', 200, 200, '', qr/^\d+$/, qr/^\d\.\d{3}$/],
    ['GET /html', 200, $to_good, 200, @skipped],
    ['HEAD /mapped', 200, $to_good, 200, @skipped],
    ['GET /any/mapped?document=none', 200, $to_good, 200, '', 'skipped',
     ('') x 8],
    ['GET /off/mapped', 200, $to_good, 200, ('') x 10],

    # unusual codes

    ['GET /quotes', 502, $to_good, 200, unknown('a%22b%5Cc/d')],
    ['GET /controls', 502, $to_good, 200, unknown('a%0Ab%09c%00%1F%7F')],
    ['GET /utf8', 502, $to_good, 200, unknown('%C3%A9%E2%82%AC')],
    ['GET /object', 502, $to_good, 200, unknown('%22,%22status%22:%220')],
    ['GET /long', 502, $to_good, 200, unknown('%C3%A9' x 64)],
    ['GET /hostile/header', 200, $to_good, 200,
     unknown('a%22b%5C%FF%C3%25', 200, 'hostile')],
    ['GET /hostile/text', 200, $to_good, 200,
     unknown('%FF%FE%22%5C%0A%01', 200, 'hostile')],

    # the vendor's words

    [['GET /words', undef, 'r-1...', "\"so\" \x{4e2d}\x{e9}"], 503, $to_good, 200,
     @mapped],
    [['GET /surrogate', undef, '', "\x{e9}..."], 503, $to_good, 200, @mapped],

    # other paths

    ['GET /dry/mapped', 200, $to_good, 200, @mapped],
    ['GET /dry/unknown', 404, $to_good, 404, 'tencent_iotvideo', 'unknown',
     99999, 'UNKNOWN', '', 502, 404, '', 0, '0.000'],
    ['GET /page/mapped', 503, $to_good, 200, @mapped],
    ['GET /second/mapped', 201, "$to_good : $to_good", '200 : 201', @success],
    ['GET /accounts/retry', 201, "$to_bad, $to_good", '503, 201', @success],
    ['GET /accounts/mapped', 503, "$to_bad, $to_good", '503, 503', @mapped],
    ['GET /down/', 502, "127.0.0.1:$closed", 502, @skipped],

    # no response, and no verdict

    ['GET /never', 499, $to_good, '-', qr/^/, qr/^/, ('') x 8],
    ['GET /drop', 444, '', '', qr/^/, qr/^/, ('') x 8],
);

# URIs, and how they are logged; one with a space or a control character makes
# an invalid request

for (['/mapped?"}', '/mapped?"}'],
     ['/mapped?\\\\","status":"200', '/mapped?\\\\","status":"200'],
     ["/mapped?'<b>\$status\${status}\\u0000", undef],
     ['/mapped?%22%0a%00%ff', undef],
     ['/mapped?' . 'x' x 3000, undef],
     ["/mapped?utf8=\xc3\xa9", '/mapped?utf8=...'],
     ["/mapped?bad\xff\"\\", '/mapped?bad...'],
     ["/mapped?\xed\xa0\x80\xf5", '/mapped?...'])
{
    my ($uri, $logged) = @$_;

    push @cases, [["GET $uri", defined $logged ? $logged : $uri], 503,
                  $to_good, 200, @mapped];
}

# invalid requests

push @cases, map { [[$_, ''], 400, '', '', @skipped] }
    'GET /mapped?a b', "GET /mapped?a\x01", "\"}\\\xff /mapped";

sub lines {
    my ($file) = @_;

    return split /\n/, slurp("$edge->{dir}/$file");
}

# newer versions of nginx refuse a Host that is none

my $odd_host = version() < 1029000 ? "a\"b\xff" : 'a_b';
my $n = 0;

for my $case (@cases) {
    my ($line, $uri, @words) = ref $case->[0] ? @{ $case->[0] } : $case->[0];
    my $host = $line =~ /success/ ? $odd_host : 'edge';

    my $request = "$line HTTP/1.1\r\nHost: $host\r\nConnection: close\r\n"
                  . "User-Agent: \"},\\\xff\x01\r\n"
                  . ($line =~ /^POST/ ? "Content-Length: 2\r\n\r\n\"\\"
                                      : "\r\n");

    my $x = exchange($port, $request,
                     timeout => $line =~ /never/ ? 0.5 : 10);

    $case->[0] = { line => $line, bytes => length $x->{bytes},
                   uri => defined $uri ? $uri : $line =~ /(\S+)$/,
                   host => $host =~ s/\xff/.../r, words => \@words };

    # the line may be written after the client has left

    $n++;

    wait_for(sub { lines('access.log') >= $n });
}

stop($edge);

my @lines = lines('access.log');

is(scalar @lines, scalar @cases, 'a line for each request');

my %id;

for my $case (@cases) {
    my ($request, $status, $addr, $upstream_status, @values) = @$case;

    my $line = shift @lines;
    my $name = $request->{line} =~ s/([^ -~])/sprintf '\x%02x', ord $1/ger;
    my $json = eval { JSON::PP->new->utf8->decode($line) };

    $name = substr $name, 0, 70;

    is($@, '', "$name: the line is JSON") or next;

    # one time for each request to an upstream

    my $times = '\A' . ($upstream_status =~ s/[\d-]+/[0-9.]+/gr) . '\z';

    # ... and one code: the first of two attempts always has the quota's

    my $last = ref $values[2] || $values[2] eq '' ? '-' : $values[2];
    my $codes = $upstream_status =~ s/\d+(?=\W+\d)/42505/gr
                                 =~ s/(?:\d+|-)\z/$last/r;

    my $method = $status == 400 ? '' : $request->{line} =~ s/ .*//r;

    my $dry = $request->{line} =~ m{ /dry/} ? 1 : 0;

    my @expected = (
        ['time', qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d$/],
        ['request_id', qr/^[0-9a-f]{32}$/],
        ['remote_addr', '127.0.0.1'],
        ['host', $status == 400 ? qr/^/ : $request->{host}],
        ['server_name', 'log.example'],
        ['path', ($request->{uri} =~ m{^(/[^/?]*)})[0] // ''],
        ['error_map_policy', $dry ? 'edge' : ''],
        ['error_map_dry_run', $dry],
        ['error_map_request_id', $request->{words}[0] // ''],
        ['error_map_message', $request->{words}[1] // ''],
        ['method', $method],
        ['uri', $request->{uri}],
        ['status', $status],
        ['bytes', $request->{bytes}],
        ['request_time', qr/^\d+(?:\.\d+)?$/],
        ['upstream_addr', $addr],
        ['upstream_status', $upstream_status],
        ['upstream_response_time', qr/$times/],
        ['error_map_reason', ref $values[1] ? qr/^/
                             : $values[1] =~ /^(?:skipped|none|undecided)$/
                             ? qr/^[a-z_]+$/ : ''],
        ['error_map_upstream_codes', $codes],
        map { ["error_map_$names[$_]", $values[$_]] } 0 .. $#names
    );

    is_deeply([sort keys %$json], [sort map { $_->[0] } @expected],
              '... its members');

    is_deeply([map { my ($key, $value) = @$_;
                     ref $value && $json->{$key} =~ $value
                     ? "$key=$value" : "$key=$json->{$key}" } @expected],
              [map { "$_->[0]=$_->[1]" } @expected], '... their values');

    like($line, qr/"bytes":\d+,"request_time":\d+\.\d{3},/, '... numbers');
    ok(!$id{ $json->{request_id} }++, '... a unique id');
}


# held responses have a hold time

my ($held) = grep { m{"uri":"/held"} } lines('access.log');

cmp_ok(JSON::PP->new->decode($held)->{error_map_hold_time}, '>', 0, 'held');


# the log of errors only

is_deeply([map { "$_->{uri} $_->{error_map_code}" }
           map { JSON::PP->new->utf8->decode($_) } lines('errors.log')],
          [map { "$_->[0]{uri} $_->[6]" }
           grep { $_->[5] =~ /^(?:mapped|unknown)$/ } @cases],
          'errors only');

done_testing();
