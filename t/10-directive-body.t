# error_map_body: contexts, inheritance and invalid values.  t/30-http-problem.t
# tests the body itself.

use strict;
use warnings;

use ErrorMap;
use JSON::PP;
use Test::More;

my $port = free_port();
my $other = free_port();
my $json = '{"StatusCode":42505}';


# nested levels; a location's name is its URI

my $edge = start(port => $port, http => <<"END");
    default_type application/json;
    error_map tencent_iotvideo;

    server {
        listen 127.0.0.1:$other;

        location /default { return 200 '$json'; }

        location /keep { error_map_body keep; return 200 '$json'; }

        location /problem { error_map_body problem; return 200 '$json'; }

        location /type {
            error_map_body problem type=https://a.example/e?x=%20&y=#;
            return 200 '$json';
        }

        location /short { error_map_body problem type=/; return 200 '$json'; }

        location /off {
            error_map off;
            error_map_body problem;
            return 200 '$json';
        }

        location /dry {
            error_map_dry_run on;
            error_map_body problem;
            return 200 '$json';
        }
    }

    server {
        listen 127.0.0.1:$port;
        error_map_body problem type=https://server.example/;

        location /inherits { return 200 '$json'; }

        location /inherits/more { return 200 '$json'; }

        location /map {
            error_map vzenith;
            return 200 '{"error_code":1000}';
        }

        location /keep {
            error_map_body keep;
            return 200 '$json';

            location /keep/more { return 200 '$json'; }

            location /keep/problem {
                error_map_body problem;
                return 200 '$json';
            }
        }

        # it inherits no prefix

        location /problem {
            error_map_body problem;
            return 200 '$json';

            location /problem/more { return 200 '$json'; }
        }

        location /type {
            error_map_body problem type=urn:a:;
            return 200 '$json';

            location /type/more { return 200 '$json'; }
            location /type/keep { error_map_body keep; return 200 '$json'; }
        }
    }
END

for (
    [$other, 'default', 'keep'],
    [$other, 'keep', 'keep'],
    [$other, 'problem', 'about:blank'],
    [$other, 'type',
     'https://a.example/e?x=%20&y=#tencent_iotvideo/42505'],
    [$other, 'short', '/tencent_iotvideo/42505'],
    [$other, 'off', 'keep'],
    [$other, 'dry', 'keep'],
    [$port, 'inherits', 'https://server.example/tencent_iotvideo/42505'],
    [$port, 'inherits/more', 'https://server.example/tencent_iotvideo/42505'],
    [$port, 'map', 'https://server.example/vzenith/1000'],
    [$port, 'keep', 'keep'],
    [$port, 'keep/more', 'keep'],
    [$port, 'keep/problem', 'about:blank'],
    [$port, 'problem', 'about:blank'],
    [$port, 'problem/more', 'about:blank'],
    [$port, 'type', 'urn:a:tencent_iotvideo/42505'],
    [$port, 'type/more', 'urn:a:tencent_iotvideo/42505'],
    [$port, 'type/keep', 'keep'],
) {
    my ($to, $where, $type) = @$_;
    my $r = get($to, "/$where");

    is($r->{headers}{'content-type'}[0] eq 'application/json'
           && $r->{body} eq $json
           ? 'keep' : decode_json($r->{body})->{type},
       $type, ($to == $port ? 'server' : 'http') . ", /$where");
}

stop($edge);


# http sets it, a server does not

$edge = start(port => $port, http => <<"END");
    default_type application/json;
    error_map tencent_iotvideo;
    error_map_body problem type=tag:http,;

    server {
        listen 127.0.0.1:$port;

        location / { return 200 '$json'; }
        location /keep { error_map_body keep; return 200 '$json'; }
    }
END

is(decode_json(get($port, '/')->{body})->{type},
   'tag:http,tencent_iotvideo/42505', 'http, inherited by a location');
is(get($port, '/keep')->{body}, $json, '... which may turn it off');

stop($edge);


# the message and the request id of compiled documents, where the vendor's
# document names them

$edge = start(port => $port, http => <<'END' =~ s/PORT/$port/r);
    default_type application/json;

    server {
        listen 127.0.0.1:PORT;
        error_map_body problem;

        location /face_device {
            error_map face_device;
            return 200 '{"code":"DEVICE_ID_NOT_FOUND","message":"m"}';
        }

        location /baidu_face {
            error_map baidu_face;
            return 200 '{"error_code":17,"error_msg":"m"}';
        }

        location /vzenith {
            error_map vzenith;
            return 400 '{"error_code":1000,"error_message":"m"}';
        }

        location /tencent_iotvideo {
            error_map tencent_iotvideo;
            return 200 '{"RequestId":"r","Code":0,"StatusCode":42505,
                         "Message":"m","Data":""}';
        }

        location /tencent_iot {
            error_map tencent_iot;
            return 200 '{"Error":{"Code":10002}}';
        }
    }
END

for (['face_device', 'm'], ['baidu_face', 'm'], ['vzenith', 'm'],
     ['tencent_iotvideo', 'm', 'r'], ['tencent_iot'])
{
    my ($document, $detail, $request_id) = @$_;
    my $problem = decode_json(get($port, "/$document")->{body});

    is_deeply([@$problem{qw(vendor detail request_id)}],
              [$document, $detail, $request_id], "fields of $document");
}

stop($edge);


# Invalid values; a message without a line of its own ends with the number of
# the text's first line.

my $must = 'in "error_map_body", it must be "keep" or "problem [type=prefix]"';
my $uri = 'in "error_map_body", it must be a prefix of a URI without variables';

for (
    (map { ["error_map_body $_;", "invalid parameter \"$_\" $must"] }
     qw(on off Keep PROBLEM problems type=x)),
    ['error_map_body "";', "invalid parameter \"\" $must"],
    ['error_map_body keep type=x;', "invalid parameter \"type=x\" $must"],
    ['error_map_body keep keep;', "invalid parameter \"keep\" $must"],
    ['error_map_body keep "";', "invalid parameter \"\" $must"],
    (map { ["error_map_body problem $_;",
            "invalid parameter \"$_\" $must"] }
     qw(type= type Type=x problem keep https://a.example/ =x)),
    ['error_map_body problem "";', "invalid parameter \"\" $must"],
    (map { my ($written, $read) = @$_;
           ["error_map_body problem $written;", "invalid type \"$read\" $uri"] }
     ['"type= "', ' '],
     ['"type=a b"', 'a b'],
     ['"type=a "', 'a '],
     ["'type=a\"b'", 'a"b'],
     ['"type=a\\\\b"', 'a\\b'],
     ['type=<a>', '<a>'],
     ['type=$scheme://a/', '$scheme://a/'],
     ['"type={a}"', '{a}'],
     ["\"type=a\tb\"", "a\tb"],
     ["type=a\x01", "a\x01"],
     ["type=a\x1f", "a\x1f"],
     ["type=a\x7f", "a\x7f"],
     ["type=\xc3\xa9", "\xc3\xa9"],
     ["type=a\x80", "a\x80"],
     ["type=a\xff", "a\xff"]),
    ["error_map_body problem \"type=a\nb\";",
     "invalid type \"a\nb\" $uri in nginx.conf:7"],
    ["error_map_body keep;\nerror_map_body problem;",
     '"error_map_body" directive is duplicate in nginx.conf:7'],
    ["error_map_body problem;\n\nerror_map_body problem type=x;",
     '"error_map_body" directive is duplicate in nginx.conf:8'],
    ["server {\n    location / {\n        error_map_body keep;\n"
     . "        error_map_body keep;\n    }\n}",
     '"error_map_body" directive is duplicate in nginx.conf:9'],
    ["server {\n    location / {\n        error_map_body problem type=;\n"
     . "    }\n}",
     "invalid parameter \"type=\" $must in nginx.conf:8"],
    ['error_map_body;',
     'invalid number of arguments in "error_map_body" directive'],
    ['error_map_body problem type=x type=y;',
     'invalid number of arguments in "error_map_body" directive'],
    ['error_map_body problem { }',
     'directive "error_map_body" is not terminated by ";"'],
    (map { ["server {\n$_ if (\$arg_a) {\nerror_map_body problem;\n} }",
            '"error_map_body" directive is not allowed here in nginx.conf:8'] }
     '', 'location / {'),
    ["upstream u {\n    error_map_body problem;\n}",
     '"error_map_body" directive is not allowed here in nginx.conf:7'],
) {
    my ($text, $message) = @$_;

    $message .= ' in nginx.conf:6' if $message !~ /nginx\.conf:/;

    is(configuration_error("$text\n") =~ s/^.*?\[emerg\] \S+: //sr, $message,
       'refused: ' . $text =~ s/([^ -~])/sprintf '\\x%02x', ord $1/egr);
}

like(configuration_error("error_map_body problems type=x;\n"),
     qr{in "error_map_body", it must be .* in nginx\.conf:6$},
     'refused: an unknown value with a prefix');

# RFC 3986

my $allowed = q{AZaz09-._~:/?#[]@!$&'()*+,;=%};

is(configuration_error("error_map_body problem 'type="
                       . $allowed =~ s/'/\\'/r . "';\n"), '',
   'every character of a URI is accepted');

is(configuration_error("error_map_body $_;\nserver { }\n"), '', "accepted: $_")
    for 'keep', 'problem', 'problem type=x', 'problem type=https://a.example/#';

done_testing();
