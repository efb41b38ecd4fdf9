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
my $other_json = '{"StatusCode":40001}';    # a 200 by the vendor's document


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

        # only errors of 400 or more have a body of their own

        location /200 { return 200 '$other_json'; }

        location /always {
            error_map_body problem type=urn:always: always;
            return 200 '$json';

            location /always/200 { return 200 '$other_json'; }
            location /always/not {
                error_map_body problem type=urn:not:;
                return 200 '$other_json';
            }
        }

        location /template {
            error_map_body template application/json '{"type":"template"}';
            return 200 '$json';

            location /template/more { return 200 '$json'; }
            location /template/200 { return 200 '$other_json'; }
            location /template/keep { error_map_body keep; return 200 '$json'; }

            location /template/problem {
                error_map_body problem;
                return 200 '$json';
            }

            location /template/always {
                error_map_body template text/x+json '{"type":"always"}' always;
                return 200 '$other_json';
            }
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
    [$port, '200', 'keep'],
    [$port, 'always', 'urn:always:tencent_iotvideo/42505'],
    [$port, 'always/200', 'urn:always:tencent_iotvideo/40001'],
    [$port, 'always/not', 'keep'],
    [$port, 'template', 'template'],
    [$port, 'template/more', 'template'],
    [$port, 'template/200', 'keep'],
    [$port, 'template/keep', 'keep'],
    [$port, 'template/problem', 'about:blank'],
    [$port, 'template/always', 'always'],
) {
    my ($to, $where, $type) = @$_;
    my $r = get($to, "/$where");

    is($r->{headers}{'content-type'}[0] eq 'application/json'
           && ($r->{body} eq $json || $r->{body} eq $other_json)
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

my $must = 'in "error_map_body", it must be "keep", "problem [type=prefix] '
           . '[always]" or "template type string [always]"';
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
    (map { ["error_map_body problem $_;",
            'invalid parameter "' . s/.* //r . "\" $must"] }
     'type=x type=y', 'always type=x', 'always always', 'type=x Always',
     'type=x always more'),
    ['error_map_body keep always;', "invalid parameter \"always\" $must"],
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
    for 'keep', 'problem', 'problem type=x', 'problem type=https://a.example/#',
        'problem always', 'problem type=x always';


# templates

my $type = 'in "error_map_body", it must be like application/json or '
           . '"text/xml; charset=utf-8"';
my $like = 'in "error_map_body", it must be "template type string [always]", '
           . q{like "template text/plain '$error_map_code'"};
my $name = 'in the template of "error_map_body", it must be like $name or '
           . '${name}; a "$" itself must be a variable, such as of "geo '
           . '$dollar { default $; }"';
my $of = 'in the template of "error_map_body":';
my $end = 'invalid JSON at the end of the template in "error_map_body":';

for (
    ['', "no type $like"],
    ['{}', 'directive "error_map_body" is not terminated by ";"'],
    [q{'{"a":1}'}, "no type $like"],
    ['text/plain', "no string $like"],
    ['"text/xml; charset=utf-8"', "no string $like"],
    (map { ["'$_' x", "invalid type \"$_\" $type"] }
     'json', '', '/', 'text/', '/plain', 'text/*', '*/*', 'te xt/plain',
     'text/plain ', 'text/plain;', 'text/plain; charset', '$type/plain',
     'text/plain; charset=$charset', "text/plain; a=\xc3\xa9", '*'),
    (map { my ($written, $charset) = @$_;
           ["'$written' x", "invalid charset \"$charset\" in "
            . '"error_map_body", such a template is in utf-8, "charset" with '
            . '"charset_map" can convert it'] }
     ['text/xml; charset=gbk', 'gbk'], ['text/html;charset="big5"', 'big5'],
     ['application/json; charset=', '']),
    ['text/plain ""', 'empty template in "error_map_body"'],
    (map { ["text/plain $_", 'invalid parameter "' . (split)[-1]
            . '" in "error_map_body", it must be "template type string '
            . '[always]", with quotes around a string with spaces'] }
     'code: $error_map_code', 'x Always'),
    ['text/plain x always more',
     'invalid number of arguments in "error_map_body" directive'],
    (map { ["text/plain '$_'", "invalid variable name at \"" . s/^[^\$]*//r
            . "\" $name"] }
     '$', 'US$', 'a $ b', '${', '${a', '${}', '${a b}', '$-', '$.ref'),
    ['text/plain $0', 'unknown variable "$0" in the template of '
     . '"error_map_body", it must be one of nginx, of your configuration, or '
     . 'of this module, like $error_map_code'],
    (map { ["text/plain 'a${_}b'", 'unknown variable "$' . s/\W//gr
            . '" in the template of "error_map_body", it must be one of nginx, '
            . 'of your configuration, or of this module, like '
            . '$error_map_code'] }
     '${error_map_cod}', '${Message}', '$nothing-'),
    (map { my ($text, $at, $error) = @$_;
           ["application/json '$text'", "invalid JSON at \"$at\" $of $error"] }
     ['code', 'code', 'a value is expected, text must be in quotes'],
     ['{code:1}', 'code:1}', 'a name in quotes or "}" is expected'],
     ['{"a":$host,}', '}', 'a name in quotes is expected'],
     ['{"a" 1}', '1}', '":" is expected'],
     ['{"a":}', '}', 'a value is expected, text must be in quotes'],
     ['{"a":tru}', 'tru}', 'a value is expected, text must be in quotes'],
     (map { ["[$_]", "$_]", 'a value or "]" is expected'] }
      '01', '+1', '.5', '1.', '1e', '-', '0x1', 'True', 'nul', '1-'),
     ['[1,]', ']', 'a value is expected, text must be in quotes'],
     ['[1 2]', '2]', '"," or "]" is expected'],
     ['{"a":1 "b":2}', '"b":2}', '"," or "}" is expected'],
     ['{"a":1]', ']', '"," or "}" is expected'],
     ['[1}', '}', '"," or "]" is expected'],
     ['{"a":$host$uri}', 'uri}', '"," or "}" is expected'],
     ['{"a":1$uri}', 'uri}', '"," or "}" is expected'],
     ['{"a":${uri}1}', '1}', '"," or "}" is expected'],
     ['{$host:1}', 'host:1}', 'a name in quotes or "}" is expected'],
     ['{} {}', '{}', 'the end is expected'],
     ['$host,', ',', 'the end is expected'],
     ['"\\x"', '\\x"', 'an invalid escape in a string'],
     ['"\\u12g4"', '\\u12g4"', 'an invalid escape in a string'],
     ['"\\u12$host"', '\\u12$host"', 'an invalid escape in a string'],
     ['"\\$host"', '\\$host"', 'an invalid escape in a string'],
     ['"a\\nb"', "\nb\"", 'a control character in a string, it must be an '
      . 'escape like \\\\n'],
     ["\"\xff\"", "\xff\"", 'invalid UTF-8'],
     ['[' x 65, '[', 'too many nested objects and arrays']),
    (map { my ($text, $error) = @$_;
           ["application/x+json '$text'", "$end $error"] }
     ['{"a":1', '"," or "}" is expected'],
     ['{"a":$host', '"," or "}" is expected'],
     ['[', 'a value or "]" is expected'],
     ['"a', 'a string has no closing quote'],
     ['"$host', 'a string has no closing quote'],
     [' ', 'a value is expected, text must be in quotes']),
) {
    my ($text, $message) = @$_;

    is(configuration_error("error_map tencent_iot;\n"
                           . "error_map_body template $text;\n"
                           . "server { listen 127.0.0.1:$port; }\n")
           =~ s/^.*?\[emerg\] (?:\S+: )?//sr,
       "$message in nginx.conf:7",
       'refused: template '
       . $text =~ s/([^ -~])/sprintf '\\x%02x', ord $1/egr);
}

is(configuration_error("geo \$dollar { default \$; }\n"
                       . "map \$uri \$later_here { default 1; }\n"
                       . "error_map_body template $_;\n"
                       . "server { set \$later 1; }\n"), '',
   "accepted: template $_")
    for 'text/plain x', 'text/plain $later', 'text/plain ${LATER}x always',
        'text/plain "US$dollar"', 'text/plain $1', 'text/plain "$10"',
        'text/plain $http_anything$arg_x$cookie_y$sent_http_z',
        'text/plain "{"', 'text/xml "<a"', 'application/json $error_map_code',
        q{application/json '"a\\\\\\\\n\\\\u00e9\\\\/"'},
        q{application/json '{"a":[1,-0.5E+3,true,false,null,{},[],"",$uri]}'},
        q{application/json ' { "$uri" : "a${uri}b" , "b" : ${uri} } '},
        "application/json '" . '[' x 64 . ']' x 64 . "'",
        "application/json '\"\xe4\xbd\xa0\"'";

done_testing();
