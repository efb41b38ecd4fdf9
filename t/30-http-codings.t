# A vendor sends coded bodies: its codes are found, and the client, or a later
# filter, decodes the body.

use strict;
use warnings;

use ErrorMap;
use ErrorMapCodings;
use ErrorMapHttp;
use ErrorMapStream qw(exchange_all request);
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(sleep);

@ports = (free_port(), free_port());

# the bodies that the other tests have, in each coding

my %plain;

for my $case (splice @cases) {
    for my $coding (@codings) {
        my $name = "$coding->{name}-$case->{name}";

        # br and zstd would make it too small to be late

        my $how = $name =~ /^(?:br|zstd)-late/ ? 'stored' : 'encode';

        push @cases, $cases{$name} = { %$case, name => $name,
                                       body => $coding->{$how}($case->{body}),
                                       coding => $coding->{name} };

        $plain{$name} = $case->{body};
    }
}

my @gzip = grep { $_->{coding} eq 'gzip' } @cases;
my @names = map { $_->{name} } @codings;

cmp_ok(length $cases{"$_-late-mapped"}{body}, '>', 4096,
       "$_: a late code does not come with the header") for @names;


# an argument names the codings, each of which has its own header line

my $vendor = case_vendor(sub {
    my ($request) = @_;

    my @codings = $request =~ /[?&]coding=([^& ]*)/g;
    my ($coding) = $request =~ m{^\S+ /\w+/([a-z]+)};

    return join '', map { s/%20/ /gr } map { "Content-Encoding: $_\r\n" }
                    @codings ? @codings : $coding;
});


# texts, in one piece or two; a pattern waits within a long one

my $xml = '<error at="now"><code>1001</code></error>';
my $long = $xml =~ s/now/' ' x 600/er;

my %xml;

for my $coding (@codings) {
    my $encode = $coding->{encode};

    my %bodies = (
        'code' => $encode->($xml),
        'code-late' => $encode->($long),
        'code-late-and-too-much' => $encode->($long . ' ' x 2000),
        'code-last' => $encode->('code=1001'),
        'code-last-and-zeros' => $encode->('code=1001') . "\0" x 20,
        'cut-short' => substr($coding->{parts}($xml, ' '), 0, -3),
        'other-code' => $encode->($xml =~ s/1001/1002/r),
        'no-code' => $encode->($xml =~ s/code/cods/gr),
        'cut-before-the-code' => substr($encode->($xml), 0, 20),
        'plain' => $xml,
    );

    if ($coding->{spoiled}) {
        $bodies{'code-late-cut-short'} = substr $encode->($long), 0, -3;
        $bodies{'code-late-wrong-sum'} = $coding->{spoiled}($encode->($long));
    }

    $bodies{'code-in-two-members'} = join '', map { $encode->($_) }
                                     split /(?<=10)/, $xml, 2
        if $coding->{members};

    $xml{"$coding->{name}-$_"} = $bodies{$_} for keys %bodies;
}

my %mapped = (name => 'mapped', status => 429, code => 1001,
              class => 'RESOURCE_EXHAUSTED');

my %xml_case = (
    'other-code' => { name => 'unknown', code => 1002, class => 'UNKNOWN' },
    (map { $_ => { name => 'none' }
         } 'no-code', 'cut-before-the-code', 'plain'),
);

my $xml_vendor = vendor(sub {
    my ($s, $request) = @_;

    my ($name, $cut) = $request =~ m{^\S+ /([\w-]+)\??(\d*)} or die;
    my ($coding) = $name =~ /^([a-z]+)/;
    my $body = $xml{$name};

    $cut = length $body if $cut eq '';

    print $s "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
             . "Content-Encoding: $coding\r\nContent-Length: " . length($body)
             . "\r\n\r\n" . substr $body, 0, $cut;

    if ($cut < length $body) {
        sleep 0.003;
        print $s substr $body, $cut;
    }

    return 1;
});


# each location with and without the filter

my @modes = map { my $buffering = $_;
                  map { { name => "buffering-$buffering-$_", version => $_,
                          buffering => $buffering } } qw(1.0 1.1) } qw(on off);

my $pass = "proxy_pass http://127.0.0.1:$vendor/; proxy_http_version 1.1;";

my @locations = (
    (map { ["/$_->{name}/", "proxy_pass http://127.0.0.1:$vendor/;"
            . " proxy_buffering $_->{buffering};"
            . " proxy_http_version $_->{version};"] } @modes),

    ['/plain/', $pass],
    ['/not-decoded/', "$pass error_map_decode off;"],
    ['/two/', "$pass error_map_decode br deflate;"],
    ['/gunzip/', "$pass gunzip on;"],
    ['/gzip/', "$pass gzip on; gzip_types *; gzip_min_length 0;"],
    ['/dry/', "$pass error_map_dry_run on;"],
    ['/problem/', "$pass error_map_body problem;"],
    ['/problem-gunzip/', "$pass error_map_body problem; gunzip on;"],
    ['/page/', "$pass error_map_intercept on; error_page 402 /page.txt;"],
    ['/cache/', "$pass proxy_cache cache; proxy_cache_valid 200 1m;"
                . ' proxy_cache_key $server_name$request_uri;'],
    ['/cache-gunzip/', "$pass proxy_cache cache; proxy_cache_valid 200 1m;"
                       . ' proxy_cache_key $server_name$request_uri;'
                       . ' gunzip on;'],

    (map { ["/xml-$_/", "proxy_pass http://127.0.0.1:$xml_vendor/;"
                        . " proxy_http_version 1.1; proxy_buffering $_;"
                        . ' error_map_types text/xml;'
                        . ' error_map_hold_size 1000;'] } qw(on off)),
);

my ($off, $on) = map {
    my ($document, $header) = @$_;

    join "\n", map {
        my ($where, $text) = @$_;
        my $own = $where =~ /xml/ ? 'xml' : $document;

        "location $where { $text error_map "
        . ($document eq 'off' ? 'off' : $own) . '; add_header X-Cache'
        . " \$upstream_cache_status always; $header }"
    } @locations;
} ['off', ''],
  ['tencent_iotvideo', 'add_header X-Verdict $error_map_verdict always;'];

my $files = tempdir(CLEANUP => 1);
chmod 0777, $files;

my $server = start(port => $ports[0], http => <<"END");
    keepalive_requests 10000;
    proxy_cache_path $files keys_zone=cache:1m use_temp_path=off;

    error_map_document xml {
        source  regex  '(?s)<error .*?<code>(\\d+)</code>';
        source  regex  'code=(\\d+)';
        1001    -      RESOURCE_EXHAUSTED  "busy";
    }

    server {
        server_name without;
        listen 127.0.0.1:$ports[1];
        $off
    }

    server {
        server_name with;
        listen 127.0.0.1:$ports[0];
        $on

        location = /page.txt {
            return 200 "the edge's page";
        }
    }
END


# every way to frame a response, and to read it

for my $mode (@modes) {
    for my $framing (qw(length chunked close old)) {
        for my $name ((map { $_->{name} } @cases),
                      map { ("$_-mapped?wait", "$_-late-none?wait") } @names)
        {
            my $uri = "/$mode->{name}/$framing/$name";

            edge_ok(both($uri), $cases{$name =~ s/\?.*//r}, $uri);
        }
    }
}

for my $status (201, 404, 500) {
    edge_ok(both("/plain/length/$_?status=$status"), $cases{$_},
            "vendor's status $status, $_")
        for map { ("$_-mapped", "$_-late-mapped", "$_-success") } @names;
}


# the names of the codings

for ([gzip => qw(gzip GZIP Gzip x-gzip X-GZip)], [deflate => 'Deflate'],
     [br => qw(BR Br)], [zstd => 'ZSTD'])
{
    my ($name, @all) = @$_;

    for my $coding (@all) {
        my $args = "?coding=$coding";

        edge_ok(both("/plain/length/$_$args"), $cases{$_}, "$coding, $_")
            for map { "$name-$_" } qw(mapped success late-none);

        for my $case ("$name-mapped", "$name-late-success") {
            my ($with, $without) = both("/not-decoded/length/$case$args");

            same_ok($with, $without, "$coding, $case, error_map_decode off");
            is($with->{headers}{'x-verdict'}[0], 'skipped', '... is skipped');

            ($with, $without) = both("/two/length/$case$args");

            if ($name =~ /^(?:br|deflate)$/) {
                edge_ok($with, $without, $cases{$case},
                        "$coding, $case, error_map_decode br deflate");

            } else {
                same_ok($with, $without,
                        "$coding, $case, error_map_decode br deflate");
                is($with->{headers}{'x-verdict'}[0], 'skipped',
                   '... is skipped');
            }
        }
    }
}

for my $codings ('compress', 'x', 'gzi', 'gzipp', 'xgzip', 'x-gzi', 'b', 'brr',
                 'zst', 'zstdd', 'dcb', 'dcz', 'x-deflate', 'gzip;q=1',
                 'gzip,', 'gzip,%20gzip', 'gzip,gzip', 'identity,%20gzip',
                 'gzip,%20identity', 'br,gzip', 'zstd,%20br',
                 'gzip&coding=gzip', 'identity&coding=gzip', 'br&coding=gzip',
                 'gzip&coding=br', 'zstd&coding=zstd')
{
    my ($with, $without) = both("/plain/length/gzip-mapped?coding=$codings");

    same_ok($with, $without, "$codings passes unchanged");
    is($with->{headers}{'x-verdict'}[0], 'skipped', '... and skipped');
}

for my $coding ('identity', '') {
    for my $where (qw(plain not-decoded)) {
        my ($with, $without)
            = both("/$where/length/gzip-mapped?coding=$coding");

        same_ok($with, $without, "/$where/, \"$coding\" is not decoded");
        is($with->{headers}{'x-verdict'}[0], 'none', '... but inspected');
    }
}

# a header that lies

for my $coding (@names) {
    for my $header (grep { $_ ne $coding } @names) {
        for my $name ("$coding-mapped", "$coding-late-mapped") {
            my ($with, $without)
                = both("/plain/length/$name?coding=$header");

            same_ok($with, $without, "$name called $header passes unchanged");
            is($with->{headers}{'x-verdict'}[0], 'none', '... without a code');
        }
    }
}


# later filters compress or inflate

for my $case (@cases) {
    my $name = $case->{name};

    for my $wait ('', '?wait') {
        edge_ok(both("/$_/length/$name$wait",
                     headers => "Accept-Encoding: gzip\r\n"),
                $case, "$_ on, $name$wait, for a client that accepts gzip")
            for qw(gzip gunzip);

        next if $case->{coding} ne 'gzip';

        my ($with, $without) = both("/gunzip/chunked/$name$wait");

        edge_ok($with, $without, $case, "gunzip on, $name$wait", $plain{$name});
        is($with->{headers}{'content-encoding'}, undef,
           '... the body is plain');
    }
}


# live, and from the cache

for my $framing (qw(length chunked close)) {
    for my $case (@cases) {
        for my $where (qw(cache cache-gunzip)) {
            next if $where =~ /gunzip/ && $case->{coding} ne 'gzip';

            for my $status (qw(MISS HIT HIT)) {
                my ($with, $without)
                    = both("/$where/$framing/$case->{name}?$where");

                is($with->{headers}{'x-cache'}[0], $status,
                   "$where, $framing, $case->{name} is a $status");
                edge_ok($with, $without, $case, '... the response',
                        $where eq 'cache' ? () : $plain{$case->{name}});
            }
        }
    }
}

for my $name (map { ("$_-success", "$_-none", "$_-late-success") } @names) {
    my ($with, $without) = both("/cache/length/$name?cache",
                                headers => "Range: bytes=3-20\r\n");

    same_ok($with, $without, "a part of $name");
    is($with->{status}, 206, '... really');
}


# error pages and problems

for my $case (@cases) {
    for my $wait ('', '?wait') {
        my $uri = "/length/$case->{name}$wait";

        my ($with, $without) = both("/dry$uri");

        same_ok($with, $without, "/dry$uri");
        is($with->{headers}{'x-verdict'}[0], verdict($case), '... verdict');

        ($with) = both("/page$uri");

        next if ($case->{status} || 0) != 402;

        is($with->{body}, "the edge's page", "/page$uri");
        is($with->{headers}{'content-encoding'}, undef, '... is not coded');

        for my $where (qw(problem problem-gunzip)) {
            ($with) = both("/$where$uri");

            like($with->{body}, qr/^\{"type":.*"code":"42505".*\}$/,
                 "/$where$uri");
            is($with->{headers}{'content-encoding'}, undef, '... is not coded');
        }
    }
}


# a text that is not JSON

for my $buffering (qw(on off)) {
    for my $name (sort keys %xml) {
        my (undef, $off) = both("/xml-$buffering/$name");
        my $case = { %{ $xml_case{$name =~ s/^\w+-//r} || \%mapped },
                     body => $xml{$name} };

        my %answers = map { shown(parse($_->{bytes})) => 1 } exchange_all(map {
            { port => $ports[0],
              request => request("/xml-$buffering/$name?$_") }
        } '', 0 .. length $xml{$name});

        my $edge = edge($off, $case);

        if ($case->{code}) {
            $edge->{line} =~ s/ .*/ 429 Too Many Requests/ if $case->{status};
            $edge->{headers}{'x-error-source'} = ['xml'];
        }

        is(join("\n\n", sort keys %answers), shown($edge),
           "XML, $name, buffering $buffering, cut anywhere");
    }
}

stop($server);


# contexts and inheritance

my ($first, $second) = (free_port(), free_port());

$server = start(port => $second, http => <<"END");
    error_map tencent_iotvideo;
    error_map_gunzip off;
    add_header X-Verdict \$error_map_verdict always;

    server {
        listen 127.0.0.1:$first;

        location /http/ { $pass }

        location /location/ {
            error_map_gunzip on;
            $pass

            location /location/in/ { $pass }
            location /location/off/ { error_map_gunzip off; $pass }
        }
    }

    server {
        listen 127.0.0.1:$second;
        error_map_gunzip on;

        location /server/ { $pass }

        location /off/ {
            error_map_decode off;
            $pass

            location /off/in/ { $pass }
            location /off/br/ { error_map_decode br; $pass }
        }

        location /br/ {
            error_map_decode br;
            $pass

            location /br/gzip/ { error_map_decode zstd gzip; $pass }
            location /br/all/ { error_map_gunzip on; $pass }
        }
    }
END

# the codings that each location decodes

my %decoded = (
    $first => { '/http/' => '', '/location/' => 'gzip deflate br zstd',
                '/location/in/' => 'gzip deflate br zstd',
                '/location/off/' => '' },
    $second => { '/server/' => 'gzip deflate br zstd', '/off/' => '',
                 '/off/in/' => '', '/off/br/' => 'br', '/br/' => 'br',
                 '/br/gzip/' => 'gzip zstd',
                 '/br/all/' => 'gzip deflate br zstd' },
);

for my $port ($first, $second) {
    for my $where (sort keys %{ $decoded{$port} }) {

        my @mapped = grep {
            get($port, "${where}length/$_-mapped")
                ->{headers}{'x-verdict'}[0] eq 'mapped';
        } @names;

        is("@mapped", $decoded{$port}{$where}, "decoded in $where");
    }
}

stop($server);

for (['gunzip yes;', 'invalid value "yes" in "error_map_gunzip", it must be'
                     . ' "on" or "off" in nginx.conf:6'],
     ['gunzip on off;', 'invalid number of arguments in "error_map_gunzip"'
                        . ' directive in nginx.conf:6'],
     ["gunzip on;\nerror_map_gunzip on;",
      '"error_map_gunzip" directive is duplicate in nginx.conf:7'],
     ["gunzip on;\nerror_map_decode off;",
      '"error_map_decode" directive is duplicate in nginx.conf:7'],
     ["decode br;\nerror_map_decode off;",
      '"error_map_decode" directive is duplicate in nginx.conf:7'],
     ["decode br;\nerror_map_gunzip off;",
      '"error_map_gunzip" directive is duplicate in nginx.conf:7'],
     ['decode;', 'invalid number of arguments in "error_map_decode" directive'
                 . ' in nginx.conf:6'],
     (map { ["decode $_->[0];",
             "invalid coding \"$_->[1]\" in \"error_map_decode\", it must be"
             . ' gzip, br, zstd, deflate or, alone, off in nginx.conf:6']
          } ['compress', 'compress'], ['identity', 'identity'],
            ['gzip off', 'off'], ['off gzip', 'off'], ['on', 'on'],
            ['gzip,br', 'gzip,br'], ['""', '']))
{
    my ($args, $message) = @$_;

    like(configuration_error("error_map_$args\n"), qr/\Q$message\E$/,
         "rejected: error_map_$args");
}

is(configuration_error("error_map_decode GZIP br Zstd deflate x-gzip;\n"), '',
   'case and x-gzip are accepted');

done_testing();
