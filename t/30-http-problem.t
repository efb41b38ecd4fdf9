# error_map_body problem replaces a vendor's body: in which responses, with
# which text, and with other features of nginx.  t/20-stream-problem.t tests
# when, t/30-http-template.t the text of a template.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp;
use IO::Compress::Gzip qw(gzip);
use IO::Uncompress::Gunzip qw(gunzip);
use JSON::PP;
use Test::More;

my ($port, $plain_port) = @ports = (free_port(), free_port());
my $h2_port = free_port();
my $prefix = 'https://edge.example/errors/';
my $long = 'p' x 3900;

my ($h2_listen, $h2_on) = version() < 1025001 ? (' http2', '')
                                              : ('', 'http2 on;');

my %title = (42505 => 'too many concurrent downloads',
             40001 => 'invalid parameter');


# The vendors.  One has the cases, with every header that describes a body.

my @described = (
    'Content-Language: zh', 'Content-Language: en',
    'Content-Location: /errors/busy', 'Content-Disposition: attachment',
    'Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==', 'content-md5: x',
    'Digest: sha-256=x', 'Content-Digest: sha-256=:x:',
    'Repr-Digest: sha-256=:x:', 'REPR-DIGEST: x',
    'ETag: "another"', 'Accept-Ranges: bytes',
    'Last-Modified: Mon, 28 Sep 1970 06:00:00 GMT',
);

my @kept = (
    'Set-Cookie: a=b', 'Set-Cookie: c=d', 'X-Request-Id: 7',
    'Cache-Control: max-age=60', 'Vary: Accept', 'X-Content-MD5: x',
    'XContent-Language: x', 'Link: </help>; rel=help',
);

my $vendor = case_vendor(sub {
    return join '', map { "$_\r\n" } @described,
                $_[0] =~ /\?cacheable/ ? () : @kept;
});


# another one takes header and body from the URI, in hex: /h<header>/b<body>,
# and compresses the body if the header says so

my $hex = vendor(sub {
    my ($s, $request) = @_;

    my ($head, $body) = map { pack 'H*', $_ }
                        $request =~ m{^\S+ /h([0-9a-f]*)/b([0-9a-f]*) };

    if ($head =~ /gzip/) {
        gzip(\$body, \my $gzipped);
        $body = $gzipped;
    }

    $head = "Content-Type: application/json\r\n$head" if $head !~ /^Con.*Type/;

    print $s "HTTP/1.1 200 OK\r\n$head" . 'Content-Length: ' . length($body)
             . "\r\n\r\n$body";

    return 1;
});


# the edge, once with error_map and once without

my $locations = join '', map { <<"END" } qw(on off);
    location /$_/ { proxy_buffering $_; proxy_pass http://127.0.0.1:$vendor/; }

    location /always/$_/ {
        error_map_body problem always;
        proxy_buffering $_;
        proxy_pass http://127.0.0.1:$vendor/;
    }
END

$locations .= <<"END";
    location /kept/ {
        error_map_body problem always;
        error_map tencent_iotvideo policy=keep;
        proxy_pass http://127.0.0.1:$vendor/;
    }

    location /edge/ {
        error_map_body problem always;
        error_map tencent_iotvideo policy=edge;
        proxy_pass http://127.0.0.1:$vendor/;
    }

    location /rows/ {
        error_map rows;
        error_map_body problem always;
        charset utf-8;
        proxy_pass http://hex/;
    }

    location /prefix/ {
        error_map_body problem type=$prefix always;
        proxy_pass http://hex/;
    }

    location /long/ {
        error_map_body problem type=$long always;
        proxy_pass http://hex/;
    }

    location /dry/ {
        error_map_dry_run on;
        proxy_pass http://127.0.0.1:$vendor/;
    }

    location /skipped/ {
        error_map_types application/x;
        proxy_pass http://127.0.0.1:$vendor/;
    }

    location /ranges/ {
        error_map_body problem always;
        proxy_force_ranges on;
        proxy_pass http://127.0.0.1:$vendor/;
    }

    location /cached/ {
        error_map_body problem always;
        proxy_cache cache;
        proxy_cache_key \$uri\$arg_n;
        proxy_cache_valid any 1m;
        add_header X-Cache \$upstream_cache_status always;
        add_header X-Verdict \$error_map_verdict always;
        proxy_pass http://127.0.0.1:$vendor/;
    }

    location /gzip/ {
        gzip on;
        gzip_min_length 1;
        gzip_types application/problem+json;
        error_map rows;
        error_map_body problem always;
        proxy_pass http://hex/;
    }

    location /sub/ {
        sub_filter downloads uploads;
        sub_filter_types application/problem+json;
        add_header X-Down \$error_map_code always;
        proxy_pass http://127.0.0.1:$vendor/;
    }

    location /intercept/ {
        error_map_intercept on;
        error_page 402 /page;
        proxy_pass http://127.0.0.1:$vendor/;
    }

    location /intercept-none/ {
        error_map_intercept on;
        proxy_pass http://127.0.0.1:$vendor/;
    }

    location /intercept-other/ {
        error_map_intercept on;
        error_page 403 404 500 /page;
        proxy_pass http://127.0.0.1:$vendor/;
    }

    location = /page { default_type text/html; return 200 'a page'; }

    location /local/ { alias %DIR%/; }

    location /ssi/ { ssi on; types { text/html html; } alias %DIR%/; }

    location /added/ {
        add_before_body /on/chunked/late-mapped;
        add_after_body /cached/length/mapped;
        types { text/html html; }
        alias %DIR%/;
    }
END

my $server = start(port => $port, http => <<"END");
    proxy_cache_path %DIR%/cache keys_zone=cache:1m use_temp_path=off;
    proxy_http_version 1.1;
    proxy_set_header Connection '';
    keepalive_requests 10000;
    large_client_header_buffers 4 32k;
    types { application/json json; }

    error_map_document rows {
        source json /code;
        source header X-Code;
        source regex "code=(\\S+)";
        E:a/b-c 404 NOT_FOUND "a row of words";
        E403 403 PERMISSION_DENIED "another one";
        E402 402 RESOURCE_EXHAUSTED "one more";
    }

    error_map_policy keep { base keep; }
    error_map_policy edge { code tencent_iotvideo/42505 503; unknown 502; }

    upstream hex { server 127.0.0.1:$hex; keepalive 4; }

    server {
        listen 127.0.0.1:$port;
        listen 127.0.0.1:$h2_port$h2_listen;
        $h2_on
        error_map tencent_iotvideo;
        error_map_body problem;
        add_header X-Verdict \$error_map_verdict always;
        $locations
    }

    server {
        listen 127.0.0.1:$plain_port;
        @{[$locations =~ s/(?<!\$)error_map\w* [^;]+;//gr]}
    }
END


# RFC 3629

my $utf8 = qr/[\x00-\x7f]
              | [\xc2-\xdf][\x80-\xbf]
              | \xe0[\xa0-\xbf][\x80-\xbf]
              | [\xe1-\xec\xee\xef][\x80-\xbf]{2}
              | \xed[\x80-\x9f][\x80-\xbf]
              | \xf0[\x90-\xbf][\x80-\xbf]{2}
              | [\xf1-\xf3][\x80-\xbf]{3}
              | \xf4[\x80-\x8f][\x80-\xbf]{2}/x;


# members(body): a JSON object as text, each member on a line, in the order of
# the body, which must be valid UTF-8

my $json = JSON::PP->new->ascii->allow_nonref;

sub members {
    my ($body) = @_;

    my $object = eval { JSON::PP->new->utf8->decode($body) };

    return 'no object: ' . $json->encode($body)
        if ref $object ne 'HASH' || $body !~ /\A$utf8*\z/;

    # quotes in a value are escaped, so names are unambiguous

    my @names = $body =~ /[{,]"(\w+)":/g;

    return join "\n", map { "$_ " . $json->encode($object->{$_}) } @names;
}


# problem(case, vendor's status, edge's status, prefix): the expected members; a
# case's code is bytes, its text is that of JSON

sub problem {
    my ($case, $upstream_status, $status, $prefix) = @_;

    my $code = "$case->{code}";
    my $text = $case->{text} // $code;
    my $document = $case->{document} || 'tencent_iotvideo';

    $code =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;

    my @members = (
        type => $prefix ? "$prefix$document/$code" : 'about:blank',
        title => $case->{title} || $title{$case->{code}}
                 || 'unknown error code',
        status => $status + 0,
        vendor => $document,
        code => $text,
        class => $case->{class},
        upstream_status => $upstream_status + 0,
        ($case->{body} // '') =~ /"Message":"([^"]+)"/ ? (detail => $1) : (),
    );

    my $out = '';

    while (my ($name, $value) = splice @members, 0, 2) {
        $out .= "$name " . $json->encode($value) . "\n";
    }

    return $out =~ s/\n$//r;
}


# problem_ok(with, without, case, name): one test, a response has the problem
# instead of the vendor's body

my @gone = qw(accept-ranges content-digest content-disposition
              content-encoding content-language content-location content-md5
              digest etag last-modified repr-digest transfer-encoding);

sub problem_ok {
    my ($with, $without, $case, $name) = @_;

    my $edge = edge($without, $case);
    my %headers = %{ $edge->{headers} };

    delete @headers{@gone};
    $headers{'content-type'} = ['application/problem+json'];
    $headers{'content-length'} = [length $with->{body}];

    $edge = { %$edge, headers => \%headers, complete => 1,
              body => problem($case, $without->{status}, $edge->{status}) };

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is(shown({ %$with, body => members($with->{body}) }), shown($edge),
              $name);
}


# one test: a response has the problem, or its body is unchanged; only errors of
# 400 or more have one, unless always is set

sub case_ok {
    my ($with, $without, $case, $name, $always) = @_;

    my $replaced = $case->{code}
                   && ($always || edge($without, $case)->{status} >= 400);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return $replaced ? problem_ok($with, $without, $case, $name)
                         : edge_ok($with, $without, $case, $name);
}


# every case, framing and way to read it

for my $buffering (qw(on off)) {
    for my $framing (qw(length chunked close old)) {
        for my $case (@cases) {
            my $uri = "/$buffering/$framing/$case->{name}";

            case_ok(both($uri), $case, "buffering$uri");
            case_ok(both("$uri?wait"), $case, '... and the body comes later');
            case_ok(both("/always$uri"), $case, '... always', 1);
        }
    }
}

for my $status (201, 402, 404, 451, 500, 503) {
    for my $case (@cases{qw(mapped mapped-to-200 unknown success none)}) {
        my $uri = "on/length/$case->{name}?status=$status";

        case_ok(both("/$uri"), $case, "vendor's status $status, $case->{name}");
        case_ok(both("/always/$uri"), $case, '... always', 1);
    }
}

for my $case (@cases, $cases{empty}) {
    for my $where (qw(dry skipped)) {
        my ($with, $without) = both("/$where/chunked/$case->{name}?wait");

        same_ok($with, $without, "$where, $case->{name} is left alone");
    }

    same_ok(both("/on/length/$case->{name}", method => 'HEAD'),
            "HEAD, $case->{name} is left alone");
}

like(members((both('/on/length/mapped'))[0]{body}),
     qr{^type\ .*\ntitle\ .*\nstatus\ \d+\nvendor\ .*\ncode\ ".*\nclass\ .*\n
        upstream_status\ \d+\ndetail\ "busy"$}x,
     'the members have their order and types');


# a policy sets the status of the response and of the problem

for (['kept', 'mapped', 200], ['kept', 'late-mapped', 200],
     ['kept', 'unknown', 200], ['edge', 'mapped', 503],
     ['edge', 'late-mapped', 503], ['edge', 'unknown', 502])
{
    my ($where, $name, $status) = @$_;
    my ($with) = both("/$where/length/$name");

    is($with->{status}, $status, "policy $where, $name, the status");
    is(members($with->{body}), problem($cases{$name}, 200, $status),
       '... and in the problem');
}


# Codes.  Bytes that are not UTF-8 become U+FFFD, one by one.

sub hex_uri {
    my ($where, $head, $body) = @_;

    return "/$where/h" . unpack('H*', $head) . '/b' . unpack('H*', $body);
}

sub text {
    my ($code) = @_;
    my $text = '';

    while ($code =~ /\G(?:($utf8+)|.)/gs) {
        my $part = $1 // "\xef\xbf\xbd";

        utf8::decode($part);
        $text .= $part;
    }

    return $text;
}

# "" if the problem of a code is right, otherwise both

my $c = connection($port);

sub wrong {
    my ($code, $sent, $where, $type) = @_;

    if (!defined $sent) {
        $sent = $code =~ s/(["\\])/\\$1/gr;
        $sent =~ s/([\x00-\x1f])/sprintf '\\u%04x', ord $1/ge;
    }

    my $r = ask($c, 'GET ' . hex_uri($where || 'prefix', '',
                                     "{\"StatusCode\":\"$sent\"}")
                    . " HTTP/1.1\r\nHost: e\r\n\r\n");

    my $got = members($r->{body});
    my $wanted = problem({ code => $code, text => text($code),
                           class => 'UNKNOWN' }, 200, 200, $type || $prefix);

    return $r->{complete} && $got eq $wanted ? '' : "$got\nnot\n$wanted\n";
}

my @codes = (
    ['quotes', '"' x 128],
    ['backslashes', '\\' x 128],
    ['NUL', "\0" x 128],
    ['controls', "\x1f" x 128],
    ['those escaped by a letter', "\b\f\n\r\t/" x 21],
    ['DEL', "\x7f" x 128],
    ['blanks', ' ' x 128],
    ['the end of a member', '","status":200,"x":"' x 6],
    ['percent', '%41%' x 32],
    ['a URI', 'https://a.example/?a=b&c=d#e'],
    ['unreserved characters', join '', 'a' .. 'z', 'A' .. 'Z', 0 .. 9, '-._~'],
    ['two bytes', "\xc3\xa9" x 64],
    ['three bytes', "\xe2\x82\xac" x 42],
    ['four bytes', "\xf0\x9f\x98\x80" x 32],
    ['the first and the last of each length',
     "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80"
     . "\xf4\x8f\xbf\xbf"],
    ['line separators', "\xe2\x80\xa8\xe2\x80\xa9"],
    ['0xff', "\xff" x 128],
    ['0xfe', "\xfe" x 128],
    ['0x80', "\x80" x 128],
    ['0xc0, 0x80: NUL, overlong', "\xc0\x80" x 64],
    ['0xc1, 0xbf: overlong', "a\xc1\xbfb"],
    ['a slash in three bytes, overlong', "a\xe0\x80\xafb"],
    ['a slash in four bytes, overlong', "a\xf0\x80\x80\xafb"],
    ['a high surrogate', "a\xed\xa0\x80b"],
    ['a low surrogate', "a\xed\xbf\xbfb"],
    ['a pair of surrogates', "\xed\xa0\xbd\xed\xb8\x80" x 21],
    ['above U+10FFFF', "a\xf4\x90\x80\x80b"],
    ['0xf5 to 0xf7', "a\xf5\x80\x80\x80b\xf6\x80\x80\x80c\xf7\xbf\xbf\xbfd"],
    ['five bytes', "a\xf8\x88\x80\x80\x80b"],
    ['six bytes', "a\xfc\x84\x80\x80\x80\x80b"],
    ['0xf8 with three that follow', "a\xf8\x90\x80\x80b"],
    ['0xff with three that follow', "a\xff\x90\x80\x80b"],
    ['two bytes, cut short', "a\xc3"],
    ['two bytes, cut short by a letter', "a\xc3b"],
    ['two bytes, cut short by a quote', "a\xc3\"b"],
    ['two bytes, cut short by two', "a\xc3\xc3\xa9"],
    ['two bytes, cut short by 0xff', "a\xc3\xffb"],
    ['three bytes, cut short', 'x' x 126 . "\xe2\x82"],
    ['three bytes, cut short by a letter', "a\xe2\x82b"],
    ['three bytes, cut short by three', "a\xe2\x82\xe2\x82\xac"],
    ['four bytes, cut short', 'x' x 125 . "\xf0\x9f\x98"],
    ['four bytes, cut short by a backslash', "a\xf0\x9f\x98\\b"],
    ['four bytes, cut short by NUL', "a\xf0\x9f\0b"],
    ['four bytes, cut short by two', "a\xf0\x9f\xc3\xa9"],
);

is(wrong($_->[1]), '', "code: $_->[0]") for @codes;

is(wrong("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
         '\\u00e9\\u20AC\\ud83d\\uDE00'), '', 'code: escaped');
is(wrong("/\"\\\x08\n", '\\/\\"\\\\\\b\\n'), '', 'code: escaped by a letter');
is(wrong("\xef\xbf\xbda\xef\xbf\xbd", '\\ud800a\\udc00'), '',
   'code: escaped lone surrogates');

is(wrong("\0" x 128, undef, 'long', $long), '',
   'code: the longest one after a long prefix');


# each byte alone and between others, and random bytes

srand 42505;

my @parts = (0xff, 0xf8, 0xf4, 0xf0, 0xed, 0xe0, 0xc3, 0xc0, 0xbf, 0x90, 0x80,
             0x7f, 0x5c, 0x22, 0x00);

my %bytes = (
    'each byte' => [grep { $_ ne '0' } map { chr } 0 .. 255],
    'each byte between others' => [map { 'x' . chr($_) . 'x' } 0 .. 255],
    'random bytes' => [map { join '', map { chr $parts[rand @parts] }
                                         0 .. rand 128 } 1 .. 500],
);

for my $name (sort keys %bytes) {
    my @wrong = sort { length $a <=> length $b }
                grep { wrong($_) ne '' } @{ $bytes{$name} };

    is(@wrong . ' are wrong', '0 are wrong', "code: $name")
        or diag('the shortest is ' . unpack 'H*', $wrong[0]);
}


# codes from other sources, and one with a row, which has its own title

for (['a row', '', '{"code":"E:a/b-c"}', 'E:a/b-c', 404],
     ['a number', '', '{"code":-1.5e3}', '-1.5e3', 200],
     ['a header', "X-Code: E:a/b-c\r\n", '[]', 'E:a/b-c', 404],
     ['a header in UTF-8', "X-Code: \xc3\xa9\"\\\xff\r\n", '[]',
      "\xc3\xa9\"\\\xff", 200],
     ['a pattern', '', 'code=E:a/b-c', 'E:a/b-c', 404],
     ['a pattern with quotes', '', "code=\"\xe9\"", "\"\xe9\"", 200],
     ['gzip', "Content-Encoding: gzip\r\n", '{"code":"E:a/b-c"}', 'E:a/b-c',
      404],
     ['no body', "X-Code: 1\r\n", '', '1', 200],
     ['a charset', "Content-Type: application/json; charset=gbk\r\n",
      '{"code":"\\u00e9"}', "\xc3\xa9", 200],
     ['a type with parameters',
      "Content-Type: application/vnd.a+json;a=\"b\";charset=\"utf-8\"\r\n",
      '{"code":"1"}', '1', 200])
{
    my ($name, $head, $body, $code, $status) = @$_;
    my $r = get($port, hex_uri('rows', $head, $body));
    my $headers = $r->{headers};

    my %row = $status == 404 ? (title => 'a row of words', class => 'NOT_FOUND')
                             : (class => 'UNKNOWN');

    is("$r->{status}\n" . members($r->{body}), "$status\n"
       . problem({ %row, code => $code, text => text($code),
                   document => 'rows' }, 200, $status), "from $name");
    is_deeply([@$headers{qw(content-type content-length content-encoding)}],
              [['application/problem+json'], [length $r->{body}], undef],
              '... and its headers');
}


# ranges and conditions do not apply to a problem

for my $case (@cases{qw(mapped mapped-to-200 unknown late-mapped)}) {
    for my $where (qw(always/on ranges cached)) {
        my $uri = "/$where/length/$case->{name}?cacheable";

        # the second time it comes from the cache

        both($uri);
        my (undef, $without) = both($uri);

        for my $condition ('Range: bytes=0-9', 'Range: bytes=5000-',
                           "Range: bytes=0-9\r\nIf-Range: \"$case->{name}\"",
                           "If-None-Match: \"$case->{name}\"",
                           'If-None-Match: "another"', 'If-None-Match: *',
                           'If-Modified-Since: Mon, 28 Sep 1970 06:00:00 GMT',
                           'If-Modified-Since: Fri, 20 Nov 2026 06:00:00 GMT')
        {
            my ($with) = both($uri, headers => "$condition\r\n");

            problem_ok($with, $without, $case,
                       $condition =~ s/\r\n/, /r . ", $uri");
        }
    }
}


# HTTP/1.x, in turns and then all at once

for my $version ('1.0', '1.1') {
    my ($with, $without) = map { connection($_) } @ports;
    my ($all, @expect) = ('');

    for my $buffering (qw(on off)) {
        for my $framing ($version eq '1.0' ? 'length' : qw(length chunked)) {
            for my $case (@cases) {
                my $request = "GET /$buffering/$framing/$case->{name}"
                              . " HTTP/$version\r\nHost: e\r\n"
                              . "Connection: keep-alive\r\n\r\n";

                my $name = "HTTP/$version, $framing, $case->{name}";
                my $expect = ask($without, $request);

                case_ok(ask($with, $request), $expect, $case, $name);

                $all .= $request;
                push @expect, [$expect, $case, "$name, pipelined"];
            }
        }
    }

    my $first = ask($with, $all);

    for (@expect) {
        case_ok($first || ask($with, ''), @$_);
        undef $first;
    }

    is($with->{bytes}, '', "HTTP/$version, nothing follows");
}

for my $name (qw(mapped late-mapped)) {
    my $r = get($port, "/on/chunked/$name?wait", version => '1.0');

    is(members($r->{body}), problem($cases{$name}, 200, 402),
       "HTTP/1.0, closed, $name");
    ok($r->{complete} && $r->{exchange}{closed}, '... in full');
}


# HTTP/2

for my $framing (qw(length chunked)) {
    for my $case (@cases) {
        my ($with) = h2($h2_port, "/on/$framing/$case->{name}?wait");
        my ($without) = get($plain_port, "/on/$framing/$case->{name}?wait");

        $without->{line} = "HTTP/2 $without->{status} ";
        delete $without->{headers}{'transfer-encoding'};

        case_ok($with, $without, $case, "HTTP/2, $framing, $case->{name}");
    }
}


# The cache has the vendor's response, as a location without the filter shows.

for my $framing (qw(length chunked close)) {
    for my $case (@cases{qw(mapped unknown success late-mapped long-mapped)}) {
        my $uri = "/cached/$framing/$case->{name}?cacheable&n=1";
        my @r = map { get($_, $uri) } $port, $port, $plain_port, $port;

        is(join(' ', map { $_->{headers}{'x-cache'}[0] } @r),
           'MISS HIT HIT HIT', "cached, $framing, $case->{name}");

        is($r[2]{body}, $case->{body}, '... with the vendor\'s body');
        ok(!$r[2]{headers}{'x-error-code'}, '... and header');

        for (@r[0, 1, 3]) {
            my $hit = $_->{headers}{'x-cache'}[0];

            $_->{headers}{'x-cache'} = $r[2]{headers}{'x-cache'};
            case_ok($_, $r[2], $case, "... the same problem, $hit", 1);
        }
    }
}


# subrequests: the page has the problems in their places; the first one comes
# last

my @includes = ('/on/length/mapped?wait', '/off/chunked/late-mapped',
                '/always/on/chunked/unknown', '/on/length/success',
                '/cached/length/mapped?cacheable&n=1', '/local/row.json',
                '/dry/length/mapped');

sub page {
    my ($name, $text) = @_;

    spew("$server->{dir}/$name", $text);
}

page('row.json', $cases{mapped}{body});
page('page.html', join '', map { "<!--# include virtual=\"$_\" -->\n" }
                           @includes);
page('wait.html', join '', map { "<!--# include virtual=\"$_\" wait=\"yes\""
                                 . " -->\n" } @includes);
page('set.html', '<!--# include virtual="/on/length/mapped" set="a" -->'
                 . '<!--# echo var="a" encoding="none" -->');
page('added.html', "<page>\n");

my $mapped = problem($cases{mapped}, 200, 402);
my $late = problem($cases{'late-mapped'}, 200, 402);
my $unknown = problem($cases{unknown}, 200, 200);

for my $page (qw(page wait)) {
    my $r = get($port, "/ssi/$page.html");

    is_deeply([$r->{status}, $r->{complete},
               map { /^\{"type"/ ? members($_) : $_ } split /\n/, $r->{body}],
              [200, 1, $mapped, $late, $unknown, $cases{success}{body},
               $mapped, $mapped, $cases{mapped}{body}], "SSI, $page");
}

same_ok(both('/ssi/set.html'), 'SSI, in memory, passes unchanged');

my $r = get($port, '/added/added.html');

is_deeply([$r->{status}, $r->{complete}, map { /^\{/ ? members($_) : $_ }
                                         split /(<page>)\n/, $r->{body}],
          [200, 1, $late, '<page>', $mapped], 'addition');


# local responses

my ($with, $without) = both('/local/row.json');

problem_ok($with, $without, $cases{mapped}, 'a file');


# gzip for the client, for 200, 403 and 404 only

for my $head ('', "Content-Encoding: gzip\r\n", "ETag: \"a\"\r\n") {
    for (['E403', 403, 'PERMISSION_DENIED', 'another one'],
         ['E:a/b-c', 404, 'NOT_FOUND', 'a row of words'],
         ['E402', 402, 'RESOURCE_EXHAUSTED', 'one more'],
         ['E1', 200, 'UNKNOWN', 'unknown error code'])
    {
        my ($code, $status, $class, $title) = @$_;

        my $r = get($port, hex_uri('gzip', $head, "{\"code\":\"$code\"}"),
                    headers => "Accept-Encoding: gzip\r\n");

        my $coding = $r->{headers}{'content-encoding'}[0] // 'plain';
        my $body = $r->{body};

        gunzip(\$r->{body}, \$body) if $coding eq 'gzip';

        is("$r->{status} $r->{complete} $coding\n" . members($body),
           "$status 1 " . ($status == 402 ? 'plain' : 'gzip') . "\n"
           . problem({ code => $code, class => $class, title => $title,
                       document => 'rows' }, 200, $status),
           "gzip downstream, $status, " . $head =~ s/\s+$//r);
    }
}


# other filters downstream

for my $case (@cases{qw(mapped late-mapped long-mapped)}) {
    for my $args ('', '?wait') {
        my $r = get($port, "/sub/chunked/$case->{name}$args");

        is("$r->{status} $r->{complete} $r->{headers}{'x-down'}[0]\n"
           . members($r->{body}),
           "402 1 42505\n"
           . problem($case, 200, 402) =~ s/downloads/uploads/r,
           "sub_filter and add_header, $case->{name}$args");
    }
}


# an error page wins, if it is one for that status

for my $name (qw(mapped late-mapped long-mapped)) {
    for my $args ('', '?wait') {
        my $r = get($port, "/intercept/length/$name$args");

        is("$r->{status} $r->{headers}{'content-type'}[0] $r->{body}",
           '402 text/html a page', "error_page, $name$args");

        for my $where (qw(intercept-none intercept-other)) {
            $r = get($port, "/$where/length/$name$args");

            is("$r->{status} $r->{headers}{'content-type'}[0]\n"
               . members($r->{body}),
               "402 application/problem+json\n"
               . problem($cases{$name}, 200, 402),
               "$where, $name$args has the problem");
        }
    }
}

stop($server);
done_testing();
