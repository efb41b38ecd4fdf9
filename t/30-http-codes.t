# Every code of every vendor's document, through a real proxy: the status that
# the document gives it, or else the one of its class, the headers, and the
# body as it came.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp;
use Test::More;

# google/rpc/code.proto

my %canonical = (
    OK => 200, CANCELLED => 499, UNKNOWN => 500, INVALID_ARGUMENT => 400,
    DEADLINE_EXCEEDED => 504, NOT_FOUND => 404, ALREADY_EXISTS => 409,
    PERMISSION_DENIED => 403, RESOURCE_EXHAUSTED => 429,
    FAILED_PRECONDITION => 400, ABORTED => 409, OUT_OF_RANGE => 400,
    UNIMPLEMENTED => 501, INTERNAL => 500, UNAVAILABLE => 503,
    DATA_LOSS => 500, UNAUTHENTICATED => 401,
);

# the body that a vendor's document shows, and the status that it comes with

my @documents = (
    ['face_device', 41, 200, '{"error_code":"%s","message":""}'],

    ['baidu_face', 140, 200,
     '{"error_code": %s,"error_msg": "Access token invalid"}'],

    ['vzenith', 68, 400,
     '{  "error_code": %s,  "error_message": "Request failed!"}'],

    ['tencent_iot', 72, 200, '{"Error":{"Code":%s,"Message":""}}'],

    ['tencent_iotvideo', 73, 200,
     '{ "RequestId": "123456789", "Code": 0, "StatusCode": %s,'
     . ' "Message": "", "Data": ""}'],
);

my $port = free_port();
my $locations = '';

for (@documents) {
    my ($name, undef, $status, $body) = @$_;
    my $text = sprintf $body, '$arg_code';

    $locations .= <<"END";
        location /vendor/$name { return $status '$text'; }
        location = /$name {
            error_map $name;
            proxy_pass http://127.0.0.1:$port/vendor/$name;
        }
END
}

my $server = start(port => $port, http => <<"END");
    default_type application/json;
    keepalive_requests 10000;
    add_header X-Verdict \$error_map_verdict always;

    server {
        listen 127.0.0.1:$port;
$locations
    }
END

my $total = 0;

for (@documents) {
    my ($name, $count, $upstream_status, $text) = @$_;

    my @rows = split /\n/, slurp("$ErrorMap::root/t/data/$name.codes");
    my $c = connection($port);

    is(scalar @rows, $count, "$name has $count codes");
    $total += @rows;

    for (@rows) {
        my ($code, $status, $class) = split / /;
        my $body = sprintf $text, $code;
        my $r = ask($c, "GET /$name?code=$code HTTP/1.1\r\nHost: e\r\n\r\n");

        # the one row for what is no error

        my @headers = $class eq 'OK' ? ('', '', '', '', 'success')
            : ($name, $code, $class, $upstream_status, 'mapped');

        is(join("\n", $r->{status},
                (map { join ', ', @{ $r->{headers}{$_} || [''] } }
                 qw(x-error-source x-error-code x-error-class
                    x-upstream-status x-verdict)), $r->{body}),
           join("\n", $status || $canonical{$class}, @headers, $body),
           "$name $code is " . ($status || $canonical{$class}) . " $class");
    }
}

is($total, 394, 'all documents together have 394 codes');

stop($server);
done_testing();
