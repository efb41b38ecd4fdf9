# Every code of every vendor's document, through a real proxy: the document's
# status or else that of the class, the headers, and the body as it came.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp;
use ErrorMapTables;
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

# status and body of an error in the vendor's document; for any other vendor the
# first source of its table makes the body, or the header

my %response = (
    face_device => [200, '{"error_code":"%s","message":""}'],

    baidu_face => [200,
                   '{"error_code": %s,"error_msg": "Access token invalid"}'],

    vzenith => [400,
                '{  "error_code": %s,  "error_message": "Request failed!"}'],

    tencent_iot => [200, '{"Error":{"Code":%s,"Message":""}}'],

    tencent_iotvideo => [200,
                         '{ "RequestId": "123456789", "Code": 0, "StatusCode": '
                         . '%s, "Message": "", "Data": ""}'],
);

sub response {
    my ($name) = @_;
    my ($type, $text) = @{ table($name)->{sources}[0] };

    return [200, '{}', "add_header $text \$arg_code;"] if $type eq 'header';
    return if $type ne 'json';

    my $body = '"%s"';

    for (reverse split m{/}, $text =~ s{^/}{}r) {
        my $member = s{~1}{/}gr =~ s{~0}{~}gr;
        $body = "{\"$member\":$body}";
    }

    return [200, $body];
}

my $port = free_port();
my $locations = '';

for my $name (@documents) {
    my ($status, $body, $header) = @{ $response{$name} ||= response($name)
                                      or next };
    my $text = $body =~ s/%s/\$arg_code/r;

    $header ||= '';
    $locations .= <<"END";
        location /vendor/$name { $header return $status '$text'; }
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

# nginx listens before it logs them

my %loaded;

wait_for(sub {
    %loaded = slurp("$server->{dir}/error.log")
              =~ /error_map [\d.]+: document "(\w+)" has (\d+) codes/g;

    return keys %loaded == @documents;
});

for my $name (@documents) {
    SKIP: {
        skip "no body is known for a pattern of $name", 1 if !$response{$name};
        codes_ok($name);
    }
}

stop($server);
done_testing();


# one test for each code, as t/data has it or else the table

sub codes_ok {
    my ($name) = @_;

    my ($upstream_status, $text) = @{ $response{$name} };
    my $table = table($name);
    my %success = map { $_ => 1 } @{ $table->{success} };
    my $c = connection($port);
    my @rows = codes($name);

    @rows = map { [@$_{qw(code status class)}] } @{ $table->{rows} } if !@rows;

    is(scalar @rows, $loaded{$name}, "$name has all codes that nginx loads");

    for (@rows) {
        my ($code, $status, $class) = @$_;

        my $body = $text =~ s/%s/$code/r;
        my $r = ask($c, "GET /$name?code=$code HTTP/1.1\r\nHost: e\r\n\r\n");

        my @headers = $success{$code} ? ('', '', '', '', 'success')
            : ($name, $code, $class, $upstream_status, 'mapped');

        is(join("\n", $r->{status},
                (map { join ', ', @{ $r->{headers}{$_} || [''] } }
                 qw(x-error-source x-error-code x-error-class
                    x-upstream-status x-verdict)), $r->{body}),
           join("\n", $success{$code} ? $upstream_status
                      : $status || $canonical{$class}, @headers, $body),
           "$name $code is " . ($status || $canonical{$class}) . " $class");
    }
}
