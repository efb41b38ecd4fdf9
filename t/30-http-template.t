# error_map_body template: its text, escaped for its type, and the responses
# that have it.  It is sent as a problem is, which t/30-http-problem.t tests.

use strict;
use warnings;

use ErrorMap;
use ErrorMapConf qw(quoted);
use ErrorMapHttp;
use IO::Uncompress::Gunzip qw(gunzip);
use JSON::PP;
use Test::More;

my ($port, $plain_port) = @ports = (free_port(), free_port());
my $h2_port = free_port();

my ($h2_listen, $h2_on) = version() < 1025001 ? (' http2', '')
                                              : ('', 'http2 on;');

my $vendor = case_vendor();

# another one answers with the field of the URI, in hex

my $hex = vendor(sub {
    my ($s, $request) = @_;
    my ($field) = $request =~ m{^\S+ /([0-9a-f]*) };

    print $s "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n"
             . "Content-Type: application/json; charset=gbk\r\nX-Field: "
             . pack('H*', $field) . "\r\n\r\n" . '{"code":"E1" }';

    return 1;
});

my %types = (
    'application/json' => 'json', 'text/json' => 'json',
    'Application/JSON' => 'json', 'application/vnd.acme.v1+json' => 'json',
    'application/problem+json; charset=utf-8' => 'json',
    'application/json; charset="UTF-8"' => 'json',
    'application/json; v=1' => 'json',
    'application/xml' => 'xml', 'text/xml' => 'xml',
    'application/soap+xml' => 'xml', 'text/xml; charset=UTF-8' => 'xml',
    'text/html' => 'xml', 'application/xhtml+xml' => 'xml',
    'text/plain' => 'plain', 'text/plain; charset=gbk' => 'plain',
    'application/jsonx' => 'plain', 'application/notjson' => 'plain',
    'application/octet-stream' => 'plain',
);

my $n = 0;
my $types = join '', map {
    my $text = $types{$_} eq 'json'
        ? '{"field": "<$error_map_field_f|${error_map_field_f}>\\\\n\\\\u0000",'
          . '"bare":$error_map_field_f , "code":"$error_map_code"}'
        : $types{$_} eq 'xml'
        ? '<a b="$error_map_field_f">$error_map_field_f</a>&$error_map_code'
        : '[$error_map_field_f]"<&$error_map_code';

    "location /type@{[$n++]}/ { error_map hex; error_map_body template "
    . quoted($_) . " '$text'; proxy_pass http://hex/; }\n";
} sort keys %types;

my $body = q{error_map_body template text/x-a '$error_map_code $error_map_class}
           . q{ $error_map_status $status $error_map_field_message.';};

my $pass = "proxy_pass http://127.0.0.1:$vendor/;";
my $cache = 'proxy_cache cache; proxy_cache_key $uri$server_port; '
            . 'proxy_cache_valid any 1m; '
            . 'add_header X-Cache $upstream_cache_status always; '
            . 'add_header X-Verdict $error_map_verdict always;';

my $locations = join '', map { <<"END" } qw(on off);
    location /$_/ { proxy_buffering $_; $pass }
    location /always/$_/ {
        ${\($body =~ s/;$/ always;/r)}
        proxy_buffering $_;
        $pass
    }
END

$locations .= <<"END";
    location /dry/ { error_map_dry_run on; $pass }
    location /upstream/ { error_map_upstream on; $pass }
    location /cached/ { $cache $pass }
    location /cached-upstream/ { error_map_upstream on; $cache $pass }
    location /empty/ {
        error_map_body template text/x-a \$arg_none;
        $pass
    }
    location /ssi/ { ssi on; ssi_types *; alias %DIR%/; }
    location /page/ {
        error_map_intercept on;
        error_page 402 /page.html;
        $pass
    }
    location = /page.html { error_map off; return 200 'a page'; }
    location /gzip/ {
        gzip on;
        gzip_min_length 1;
        gzip_types application/json;
        error_map_body template application/json
            '{"code":\$error_map_code,"status":\$status}';
        error_map tencent_iotvideo policy=forbidden;
        $pass
    }
    location /charset/ { charset utf-8; charset_types text/x-a; $pass }
    location /capture/ {
        if (\$uri ~ "/capture/\\w+/(\\w+)") { }
        error_map_body template text/plain '\$1\${1}-\$10';
        rewrite ^/capture/(\\w+)/(\\w+)\$ /\$1/\$2 break;
        $pass
    }
END

my $server = start(port => $port, http => <<"END");
    proxy_cache_path %DIR%/cache keys_zone=cache:1m use_temp_path=off;
    proxy_http_version 1.1;
    proxy_set_header Connection '';
    keepalive_requests 10000;
    large_client_header_buffers 4 32k;

    error_map_document hex {
        source json /code;
        field f header X-Field;
        E1 402 RESOURCE_EXHAUSTED "one";
    }

    error_map_policy forbidden { class RESOURCE_EXHAUSTED 403; }

    upstream hex { server 127.0.0.1:$hex; keepalive 4; }

    server {
        listen 127.0.0.1:$port;
        listen 127.0.0.1:$h2_port$h2_listen;
        $h2_on
        error_map tencent_iotvideo;
        $body
        add_header X-Verdict \$error_map_verdict always;
        $types
        $locations
    }

    server {
        listen 127.0.0.1:$plain_port;
        @{[$locations =~ s/(?<!\$)error_map\w* (?:'[^']*'|[^;'])+;//gr]}
    }
END


# Values of a field: quotes, markup, control characters (which a field has as
# blanks), characters of each length, and bytes that are not UTF-8.

my @values = ('', 'busy', '42', '-0.5e+3', '007', 'true', 'null', 'truely',
              '"\\/', q{<a href="x">'&amp;'</a>}, '${x}', '$arg_v', ']]>',
              "a\tb", "\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80", "\xef\xbf\xbd",
              "a\x80b\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xef\xbf\xbe",
              "\xef\xbf\xbf", "\xc2\x85\xc2\x80", "\xe2\x80\xa8", 'x' x 1024);

my %xml = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;',
           "'" => '&#39;');

my $json = JSON::PP->new->utf8->allow_nonref;

# every byte that does not belong to a character becomes one U+FFFD

sub characters {
    my ($bytes) = @_;
    my $out = '';

    while ($bytes =~ /\G(?:([\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]
                       |\xe0[\xa0-\xbf][\x80-\xbf]
                       |[\xe1-\xec\xee\xef][\x80-\xbf]{2}
                       |\xed[\x80-\x9f][\x80-\xbf]
                       |\xf0[\x90-\xbf][\x80-\xbf]{2}
                       |[\xf1-\xf3][\x80-\xbf]{3}
                       |\xf4[\x80-\x8f][\x80-\xbf]{2})|.)/gsx)
    {
        my $character = $1 // "\xef\xbf\xbd";

        utf8::decode($character);
        $out .= $character;
    }

    return $out;
}

$n = 0;

for my $type (sort keys %types) {
    my $where = 'type' . $n++;

    for my $value (@values) {
        my $field = $value =~ s/\t/ /gr;    # as fields have it
        my $r = get($port, "/$where/" . unpack 'H*', $value);
        my $name = "$type, " . $value =~ s/([^ -~])/sprintf '\\x%02x', ord $1
                                          /ger =~ s/x{20,}/.../r;

        is("$r->{status} $r->{headers}{'content-type'}[0] "
           . "$r->{headers}{'content-length'}[0]",
           '402 ' . $type =~ s/"//gr . ' ' . length $r->{body}, $name)
            if $value eq 'busy';

        if ($types{$type} eq 'json') {
            my $text = characters($field);
            my $bare = $field eq '' || $field eq 'null' ? undef
                : $field =~ /^(?:42|-0\.5e\+3)$/ ? $field + 0
                : $field eq 'true' ? JSON::PP::true : $text;

            my $got = eval { $json->decode($r->{body}) };

            is_deeply($got, { field => "<$text|$text>\n\0", bare => $bare,
                              code => 'E1' }, "$name, the members")
                or diag($r->{body});

            like($r->{body}, qr/^\{"field": "</, '... literal text stays');
            next;
        }

        my $text = $field;

        if ($types{$type} eq 'xml') {
            $text = characters($field) =~ s/[\x{fffe}\x{ffff}]/\x{fffd}/gr
                                       =~ s/([&<>"'])/$xml{$1}/gr;
            utf8::encode($text);
            $text = "<a b=\"$text\">$text</a>&E1";

        } else {
            $text = "[$text]\"<&E1";
        }

        is($r->{body}, $text, $name);
    }
}


# every case, framing and way to read it

sub wanted {
    my ($case, $status, $message) = @_;

    my ($m) = ($case->{body} // '') =~ /"Message":"([^"]*)"/;

    return "$case->{code} $case->{class} $status $status " . ($m // '') . '.';
}

sub template_ok {
    my ($with, $without, $case, $name, $always) = @_;

    my $status = edge($without, $case)->{status};

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return edge_ok($with, $without, $case, $name)
        if !$case->{code} || $status < 400 && !$always;

    my $edge = edge($without, $case, wanted($case, $status));

    delete @{ $edge->{headers} }{qw(etag last-modified accept-ranges
                                    transfer-encoding)};

    $edge->{headers}{'content-type'} = ['text/x-a'];
    $edge->{headers}{'content-length'} = [length $edge->{body}];
    $edge->{complete} = 1;

    return is(shown($with), shown($edge), $name);
}

for my $where (qw(on off)) {
    for my $framing (qw(length chunked close old)) {
        for my $case (@cases) {
            my $uri = "$where/$framing/$case->{name}";

            template_ok(both("/$uri"), $case, "buffering $uri");
            template_ok(both("/$uri?wait"), $case, '... and the body is late');
            template_ok(both("/always/$uri"), $case, '... always', 1);
        }
    }
}

for my $status (201, 302, 399, 400, 404, 503) {
    for my $case (@cases{qw(mapped unknown success none)}) {
        template_ok(both("/on/length/$case->{name}?status=$status"), $case,
                    "vendor's status $status, $case->{name}");
    }
}

for my $framing (qw(length chunked)) {
    for my $case (@cases) {
        my ($with) = h2($h2_port, "/on/$framing/$case->{name}?wait");
        my ($without) = get($plain_port, "/on/$framing/$case->{name}?wait");

        $without->{line} = "HTTP/2 $without->{status} ";
        delete $without->{headers}{'transfer-encoding'};

        template_ok($with, $without, $case, "HTTP/2, $framing, $case->{name}");
    }

    for my $name (qw(mapped unknown success late-mapped long-mapped)) {
        my $case = $cases{$name};

        template_ok(both("/upstream/$framing/$name"), $case,
                    "error_map_upstream, $framing, $name");
        template_ok(both("/upstream/$framing/$name?wait"), $case,
                    '... and the body is late');
        same_ok(both("/dry/$framing/$name"), "dry run, $framing, $name");
        same_ok(both("/on/length/$name", method => 'HEAD'), "HEAD, $name");
    }
}


# the cache has the vendor's response, also with error_map_upstream

for my $where (qw(cached cached-upstream)) {
    for my $name (qw(mapped late-mapped unknown success)) {
        my $case = $cases{$name};
        my $uri = "/$where/length/$name";
        my ($with, $without) = both($uri);

        for ('MISS', 'HIT') {
            is($with->{headers}{'x-cache'}[0], $_, "$where, $name, $_");
            delete $_->{headers}{'x-cache'} for $with, $without;
            template_ok($with, $without, $case, '... has the template');
            ($with, $without) = both($uri);
        }

        next if $where eq 'cached';

        my $head = get($port, $uri, method => 'HEAD');

        is("$head->{status} $head->{headers}{'content-length'}[0] "
           . "$head->{headers}{'content-type'}[0]",
           "$with->{status} $with->{headers}{'content-length'}[0] "
           . "$with->{headers}{'content-type'}[0]", '... HEAD has its header');
    }
}


# an empty template, also in a subrequest

for my $name (qw(mapped late-mapped)) {
    my ($r) = both("/empty/length/$name");

    is("$r->{status} $r->{complete} $r->{headers}{'content-length'}[0] "
       . "$r->{headers}{'content-type'}[0] $r->{body}",
       '402 1 0 text/x-a ', "empty, $name");
}

spew("$server->{dir}/page.html",
     join '|', map { "<!--# include virtual=\"$_\" -->" }
                   '/on/length/mapped?wait', '/empty/length/mapped',
                   '/empty/chunked/late-mapped', '/off/chunked/late-mapped');

my $mapped = wanted($cases{mapped}, 402);
my $late = wanted($cases{'late-mapped'}, 402);
my $r = get($port, '/ssi/page.html');

is("$r->{status} $r->{complete} $r->{body}", "200 1 $mapped|||$late",
   'subrequests');


# other filters: gzip, charset, an error page, captures

$r = get($port, '/gzip/length/mapped', headers => "Accept-Encoding: gzip\r\n");

gunzip(\$r->{body}, \my $plain);
is("$r->{status} $r->{headers}{'content-type'}[0] $plain",
   '403 application/json {"code":42505,"status":403}', 'gzip');

$r = get($port, '/charset/length/mapped');
is($r->{headers}{'content-type'}[0], 'text/x-a; charset=utf-8',
   'charset adds its parameter');

$r = get($port, '/page/length/mapped');
is("$r->{status} $r->{body}", '402 a page', 'an error page wins');

$r = get($port, '/capture/length/mapped');
is($r->{body}, 'lengthlength-length0', 'captures');

stop($server);


# The header waits for the fields that the template uses, and for no others.

my $halting = vendor(sub {
    my ($s, $request) = @_;
    my ($id) = $request =~ m{^\S+ /(\w+)};

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             . "Content-Length: 63\r\n\r\n" . '{"StatusCode":42505,';
    $s->flush;

    await("message-$id");
    print $s '"Message":"busy","Data":"';
    $s->flush;

    await("rest-$id");
    print $s 'xxxxxxxxxxxxxxxx"}';

    return 1;
});

sub answers {
    my ($c) = @_;

    vec(my $ready = '', fileno $c->{socket}, 1) = 1;
    return select $ready, undef, undef, 0.15;
}

for (['none', '$error_map_code'],
     ['message', '$error_map_code $error_map_field_message'],
     ['all', '$error_map_code$error_map_field_request_id'])
{
    my ($fields, $template) = @$_;

    $server = start(port => $port, http => <<"END");
    server {
        listen 127.0.0.1:$port;
        error_map tencent_iotvideo;
        error_map_body template text/plain '$template';
        location / {
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$halting;
        }
    }
END

    my $c = connection($port);

    $c->{socket}->print("GET /$fields HTTP/1.0\r\n\r\n");
    is(answers($c), $fields eq 'none' ? 1 : 0, "uses $fields, after the code");

    mark("message-$fields");
    is(answers($c), $fields eq 'all' ? 0 : 1, '... after the message');

    mark("rest-$fields");
    is(ask($c, '')->{body}, $fields eq 'message' ? '42505 busy' : '42505',
       '... the body');

    stop($server);
}

done_testing();
