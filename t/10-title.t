# A title may have any characters: as they are in a problem body and in
# variables, and as %XX in a header.

use strict;
use warnings;

use ErrorMap;
use Test::More;

my $port = free_port();
my $title = "\xe4\xbd\x99\xe9\xa2\x9d 5 % \xc3\xa9";

my $edge = start(port => $port, http => <<"END");
    error_map_document acme {
        source  json  /code;
        1       -     FAILED_PRECONDITION  "$title";
        2       402   FAILED_PRECONDITION  "plain";
    }

    server {
        listen 127.0.0.1:$port;
        default_type application/json;
        error_map acme;
        error_map_body problem;
        error_map_header X-Title \$error_map_title;
        add_header X-Raw \$error_map_title always;

        location / { return 200 '{"code":\$arg_code}'; }
    }
END

for (
    [1, $title, '%E4%BD%99%E9%A2%9D 5 %25 %C3%A9'],
    [2, 'plain', 'plain'],
) {
    my ($code, $raw, $quoted) = @$_;
    my $r = get($port, "/?code=$code");

    is($r->{headers}{'x-title'}[0], $quoted, "code $code: in error_map_header");
    is($r->{headers}{'x-raw'}[0], $raw, '... in a variable');
    like($r->{body}, qr/"title":"\Q$raw\E"/, '... in a problem body');
}

stop($edge);

done_testing();
