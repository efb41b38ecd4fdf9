# conf/edge.conf, which includes conf/documents.conf, conf/failover.conf and
# conf/llm.conf work as their comments say.  The test changes only their
# addresses.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT logged);
use ErrorMapLlm;
use Test::More;

# the client's request names the vendor's response

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my ($type, $code, $body) = $request =~ m{^GET /(\w+)(?:-(\d+))?/(\S*) }
        or die $request;
    $body =~ s/%(..)/chr hex $1/ge;

    my $status = '200 OK';

    if ($request =~ /^Range: bytes=(\d+)-/mi) {
        $status = "206 Partial Content\r\nContent-Range: bytes $1-"
                  . (length($body) - 1) . '/' . length $body;
        $body = substr $body, $1;
    }

    print $s "HTTP/1.1 $status\r\nContent-Type: "
             . ($type eq 'json' ? 'application/json' : "text/$type")
             . ($code ? "\r\nX-Acme-Error: $code" : '')
             . "\r\nX-Powered-By: tencent"
             . "\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
});

my ($port, $internal) = (free_port(), free_port());
my $dir = "$ErrorMap::root/conf";
my $conf = slurp("$dir/edge.conf");

is($conf =~ s/127\.0\.0\.1:850\d/127.0.0.1:$vendor/g, 3, 'three vendors');
is($conf =~ s/127\.0\.0\.1:8403/127.0.0.1:$port/, 1, 'a public server');
is($conf =~ s/127\.0\.0\.1:8407/127.0.0.1:$internal/, 1, '... and another');
is($conf =~ s{^include documents.conf}{include $dir/documents.conf}m, 1,
   'which includes the documents');

# a sample that nginx warns of would be a bad one

sub quiet {
    my ($edge) = @_;

    my $warning = qr/\[warn\] (?!.*Accept-Encoding).*error_map.* in \S+:\d+$/;

    is(logged($edge, $warning), 0, 'no warning at start');
}

my $edge = start(port => $port, http => $conf . <<"END");
    server {
        listen 127.0.0.1:$port;
        server_name more;
        default_type application/json;

        location /acme/ { error_map acme; proxy_pass http://127.0.0.1:$vendor/; }
        location /eu { error_map iotvideo_eu; return 200 \$arg_body; }
    }
END

# what a client can ask for does not hide an error

is(get($port, '/video/json/{"StatusCode":42505}',
       headers => "Range: bytes=1-\r\n")->{status}, 429,
   'a range that the vendor would honour');

my $proxy = 'edge.example.com; received-status=200; details=';

# the body for external clients

sub public {
    my ($error) = @_;

    return qr/^\{"error":"$error","request_id":"[0-9a-f]{32}"\}\z/;
}

# ... in a response that tells nothing of the vendor

my $secret = qr/x-error|x-upstream|proxy-status|x-powered|baidu|tencent|sms
                |(?-i:UNAUTHENT|_DENIED|_EXHAUSTED|UNKNOWN|INVALID_|UNAVAILABLE)
                |qps|quota|credit|StatusCode|error_code
                |\b(?:42505|42504|E17|E40|110)\b/xi;

# URI, status, header, its value, body

for (
    ['/video/json/{"StatusCode":42505}', 429, 'retry-after', 30,
     public('too_many_requests')],
    ['/video/json/{"StatusCode":42504}', 502, 'content-type',
     'application/json', public('failed')],
    ['/video/json/{"StatusCode":1}', 502, 'retry-after', undef,
     public('failed')],
    ['/video/json/{"StatusCode":40001}', 400, 'retry-after', undef,
     public('invalid_request')],
    ['/video/json/{"StatusCode":41610}', 503, 'retry-after', 5,
     public('try_again_later')],
    ['/video/json/{"StatusCode":200}', 200, 'x-error-code', undef,
     '{"StatusCode":200}'],
    ['internal/video/json/{"StatusCode":42505}', 402, 'proxy-status',
     "$proxy\"tencent_iotvideo 42505 RESOURCE_EXHAUSTED\"",
     '{"type":"https://errors.example.com/tencent_iotvideo/42505",'
     . '"title":"too many concurrent downloads","status":402,'
     . '"vendor":"tencent_iotvideo","code":"42505",'
     . '"class":"RESOURCE_EXHAUSTED","upstream_status":200}'],
    ['internal/video/json/{"StatusCode":52501}', 456, 'x-error-class',
     'INTERNAL'],
    ['/face/json/{"error_code":18}', 429, 'retry-after', 1,
     "too many requests\n"],
    ['/face/json/{"error_code":110}', 502, 'content-type', 'text/plain',
     qr/^try again later \([0-9a-f]{32}\)\n\z/],
    ['/face/json/{"error_code":0}', 200, 'x-error-code', undef,
     '{"error_code":0}'],
    ['/sms/xml/<code>E17</code>', 429, 'retry-after', 1,
     public('too_many_requests')],
    ['/sms/xml/<code>E40</code>', 502, 'retry-after', undef, public('failed')],
    ['/sms/xml/<code>OK</code>', 200, 'x-error-code', undef],
    ['/sms/plain/Sorry%0AGATEWAY%20ERROR%20DOWN', 503, 'retry-after', 5,
     public('try_again_later')],
    ['/sms/plain/GATEWAY', 200, 'x-error-code', undef, 'GATEWAY'],
    ['more/acme/json/{"error":{"code":3001}}', 404, 'x-error-code', '3001'],
    ['more/acme/json/{"error":{"code":"OK"}}', 200, 'x-error-code', undef],
    ['more/acme/json-1002/{}', 401, 'x-error-code', '1002', '{}'],
    ['more/eu?body={"StatusCode":42505}', 429, 'x-error-source', 'iotvideo_eu'],
    ['more/eu?body={"StatusCode":60001}', 503, 'x-error-code', '60001'],
    ['more/eu?body={"StatusCode":52501}', 456, 'x-error-code', '52501'],
) {
    my ($uri, $status, $name, $value, $body) = @$_;

    my ($host, $path) = $uri =~ m{^(\w*)(/.*)} or die $uri;
    $host ||= 'edge';

    my $bytes = exchange($host eq 'internal' ? $internal : $port,
                         "GET $path HTTP/1.1\r\nHost: $host\r\n"
                         . "Connection: close\r\n\r\n")->{bytes};
    my $r = parse($bytes);

    is_deeply([$r->{status}, $r->{headers}{$name}[0]], [$status, $value],
              "$uri: $status, $name");

    if (ref $body) {
        like($r->{body}, $body, '... its body');

    } elsif (defined $body) {
        is($r->{body}, $body, '... its body');
    }

    unlike($bytes, $secret, '... tells nothing of the vendor')
        if $host eq 'edge' && $status >= 400;
}

quiet($edge);
stop($edge);


# the first account has used up its quota

my $accounts = vendor(sub {
    my ($s, $request) = @_;

    my ($key) = $request =~ /^X-App-Key: (\w+)/m;
    my $body = $key eq 'first' || $request =~ m{ /both }
        ? '{"StatusCode":42505}'
        : '{"StatusCode":200}';

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
});

my @failover = map { free_port() } 1 .. 3;

$port = $failover[0];
$conf = slurp("$dir/failover.conf");

is($conf =~ s/127\.0\.0\.1:8501/127.0.0.1:$accounts/g, 1, 'one vendor');
is($conf =~ s/127\.0\.0\.1:8404/127.0.0.1:$port/, 1, 'one edge');
is($conf =~ s/127\.0\.0\.1:8511/127.0.0.1:$failover[1]/g, 2, 'an account');
is($conf =~ s/127\.0\.0\.1:8512/127.0.0.1:$failover[2]/g, 2, 'another one');

sub failover_ok {
    my ($uri, $status, $tried, $retry, $name) = @_;
    my $r = get($port, $uri);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply([$r->{status}, map { $r->{headers}{$_}[0] }
               qw(x-upstream-tried retry-after)],
              [$status, $tried, $retry], $name);
}

$edge = start(port => $port, http => $conf);

failover_ok('/', 200, '429, 200', undef, 'the second account answers');
failover_ok('/', 200, '200', undef, '... and is the only one for a while');
failover_ok('/both', 502, '429, 502', undef, '... then no server is left');

quiet($edge);
stop($edge);

is($conf =~ s/max_fails=1/max_fails=0/, 1, 'without failed servers');

$edge = start(port => $port, http => $conf);

failover_ok('/', 200, '429, 200', undef, 'the second account answers')
    for 1 .. 2;
failover_ok('/both', 429, '429, 429', 30, '... even if it fails');

quiet($edge);
stop($edge);


# conf/llm.conf: vendors whose answers the request names, by the account

my @vendors = map {
    my $key = $_;

    vendor(sub {
        my ($s, $request) = @_;

        my ($account) = $request =~ /^$key: (?:Bearer )?(\w+)/mi;
        my ($kind) = $request =~ m{^POST /(\w+)};

        my ($type, $headers, $body) = @{ {
            first => $account eq 'first'
                ? ['text/event-stream', '',
                   ": wait\n\ndata: " . failure('rate')]
                : ['text/event-stream', '', "data: {\"choices\":[{}]}\n\n"],
            rate => ['text/event-stream', '', 'data: ' . failure('rate')],
            header => ['application/json', "Retry-After: 7\r\n",
                       failure('rate')],
            context => ['text/event-stream', '', 'data: '
                        . failure('context')],
            overloaded => ['text/event-stream', "Retry-After: 3\r\n",
                           "event: error\ndata: " . failure('overloaded')],
            message => ['text/event-stream', '',
                        "event: message_start\n"
                        . "data: {\"type\":\"message_start\"}\n\n"],
            prompt => ['application/json', '', failure('prompt')],
        }->{$kind} || die $request };

        print $s "HTTP/1.1 200 OK\r\nContent-Type: $type\r\n$headers"
                 . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
    });
} qw(Authorization X-Api-Key);

sub failure {
    my %error = (
        rate => '"code":"rate_limit_exceeded","type":"tokens","message":'
                . '"Please try again in 20.4s."',
        context => '"code":"context_length_exceeded","message":"Too many."',
        overloaded => '"type":"overloaded_error","message":"Overloaded"',
        prompt => '"type":"invalid_request_error","message":"too long"',
    );

    return "{\"error\":{$error{$_[0]}}}\n\n";
}

$port = free_port();

$edge = start(port => $port, http => llm_conf($port, @vendors));

# URI, status, code, Retry-After and the statuses of the accounts

for (
    ['/openai/first', 200, undef, undef, '429, 200'],
    ['/openai/rate', 429, 'rate_limit_exceeded', 21, '429, 429'],
    ['/openai/header', 429, 'rate_limit_exceeded', 7, '429, 429'],
    ['/openai/context', 400, 'context_length_exceeded', undef, '400'],
    ['/anthropic/overloaded', 529, 'overloaded_error', 3, '529, 529'],
    ['/anthropic/message', 200, undef, undef, '200'],
    ['/anthropic/prompt', 400, 'invalid_request_error', undef, '400'],
) {
    my ($uri, @wanted) = @$_;

    my $r = parse(exchange($port, "POST $uri HTTP/1.1\r\nHost: e\r\n"
                                  . "Content-Length: 2\r\n"
                                  . "Connection: close\r\n\r\n{}")->{bytes});

    is_deeply([$r->{status}, map { $r->{headers}{$_}[0] }
               qw(x-error-code retry-after x-upstream-tried)], \@wanted, $uri);

    next if $r->{status} == 200;

    is($r->{headers}{'content-type'}[0], 'application/json', '... in JSON');
    like($r->{body}, qr/^\{.*"\Q$wanted[1]\E"/s, '... with the code');
}

stop($edge);


# all but the demo, which is one of its own, can be included together

{
    my %listens;

    for my $file (grep { !/demo/ } glob "$dir/*.conf") {
        push @{ $listens{$_} }, $file
            for slurp($file) =~ /^\s*listen\s+127\.0\.0\.1:(\d+)/mg;
    }

    cmp_ok(scalar keys %listens, '>=', 10, 'addresses of the configurations');
    is_deeply([grep { @{ $listens{$_} } > 1 } sort keys %listens], [],
              '... each has its own');
}

done_testing();
