# A vendor sends gzip: its codes are found, and the client, or a later filter,
# inflates the body.

use strict;
use warnings;

use Compress::Zlib;
use ErrorMap;
use ErrorMapHttp;
use ErrorMapStream qw(exchange_all request);
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(sleep);

@ports = (free_port(), free_port());

sub gz { Compress::Zlib::memGzip($_[0]) }

# the bodies that the other tests have, compressed

my %plain = map { $_->{name} => $_->{body} } @cases;

$_->{body} = gz($_->{body}) for @cases;

cmp_ok(length $cases{'late-mapped'}{body}, '>', 4096,
       'a late code does not come with the header');


# an argument names the codings, each of which has its own header line

my $vendor = case_vendor(sub {
    my ($request) = @_;

    my @codings = $request =~ /[?&]coding=([^& ]*)/g;

    return join '', map { s/%20/ /gr } map { "Content-Encoding: $_\r\n" }
                    @codings ? @codings : 'gzip';
});


# texts, in one piece or two; a pattern waits within a long one

my $xml = '<error at="now"><code>1001</code></error>';
my $long = $xml =~ s/now/' ' x 600/er;

my %xml = (
    'code' => gz($xml),
    'code-in-two-members' => join('', map { gz($_) } split /(?<=10)/, $xml, 2),
    'code-late' => gz($long),
    'code-late-cut-short' => substr(gz($long), 0, -3),
    'code-late-wrong-sum' => gz($long) =~ s/.(.{7})$/\xff$1/sr,
    'code-late-and-too-much' => gz($long . ' ' x 2000),
    'code-last' => gz('code=1001'),
    'code-last-and-zeros' => gz('code=1001') . "\0" x 20,
    'cut-short' => substr(gz($xml), 0, -3),
    'other-code' => gz($xml =~ s/1001/1002/r),
    'no-code' => gz($xml =~ s/code/cods/gr),
    'cut-before-the-code' => substr(gz($xml), 0, 20),
    'no-gzip' => $xml,
);

my %mapped = (name => 'mapped', status => 429, code => 1001,
              class => 'RESOURCE_EXHAUSTED');

my %xml_case = (
    'other-code' => { name => 'unknown', code => 1002, class => 'UNKNOWN' },
    (map { $_ => { name => 'none' }
         } 'no-code', 'cut-before-the-code', 'no-gzip'),
);

my $xml_vendor = vendor(sub {
    my ($s, $request) = @_;

    my ($name, $cut) = $request =~ m{^\S+ /([\w-]+)\??(\d*)} or die;
    my $body = $xml{$name};

    $cut = length $body if $cut eq '';

    print $s "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
             . "Content-Encoding: gzip\r\nContent-Length: " . length($body)
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
    ['/not-inflated/', "$pass error_map_gunzip off;"],
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
        for my $name ((map { $_->{name} } @cases), 'mapped?wait',
                      'late-none?wait')
        {
            my $uri = "/$mode->{name}/$framing/$name";

            edge_ok(both($uri), $cases{$name =~ s/\?.*//r}, $uri);
        }
    }
}

for my $status (201, 404, 500) {
    edge_ok(both("/plain/length/$_?status=$status"), $cases{$_},
            "vendor's status $status, $_") for qw(mapped late-mapped success);
}


# the codings that are gzip, and those that are not

for my $coding (qw(gzip GZIP Gzip x-gzip X-GZip)) {
    my $args = "?coding=$coding";

    edge_ok(both("/plain/length/$_$args"), $cases{$_}, "$coding, $_")
        for qw(mapped success late-none);

    for my $name (qw(mapped late-success)) {
        my ($with, $without) = both("/not-inflated/length/$name$args");

        same_ok($with, $without, "$coding, $name, error_map_gunzip off");
        is($with->{headers}{'x-verdict'}[0], 'skipped', '... is skipped');
    }
}

for my $codings ('br', 'deflate', 'zstd', 'compress', 'x', 'gzi', 'gzipp',
                 'xgzip', 'x-gzi', 'gzip;q=1', 'gzip,', 'gzip,%20gzip',
                 'gzip,gzip', 'identity,%20gzip', 'gzip,%20identity', 'br,gzip',
                 'gzip&coding=gzip', 'identity&coding=gzip', 'br&coding=gzip',
                 'gzip&coding=br')
{
    my ($with, $without) = both("/plain/length/mapped?coding=$codings");

    same_ok($with, $without, "$codings passes unchanged");
    is($with->{headers}{'x-verdict'}[0], 'skipped', '... and skipped');
}

for my $coding ('identity', '') {
    for my $where (qw(plain not-inflated)) {
        my ($with, $without) = both("/$where/length/mapped?coding=$coding");

        same_ok($with, $without, "/$where/, \"$coding\" is not inflated");
        is($with->{headers}{'x-verdict'}[0], 'none', '... but inspected');
    }
}


# later filters compress or inflate

for my $case (@cases) {
    my $name = $case->{name};

    for my $wait ('', '?wait') {
        edge_ok(both("/gzip/length/$name$wait",
                     headers => "Accept-Encoding: gzip\r\n"),
                $case, "gzip on, $name$wait");

        edge_ok(both("/gunzip/length/$name$wait",
                     headers => "Accept-Encoding: gzip\r\n"),
                $case, "gunzip on, $name$wait, for a client that accepts gzip");

        my ($with, $without) = both("/gunzip/chunked/$name$wait");

        edge_ok($with, $without, $case, "gunzip on, $name$wait", $plain{$name});
        is($with->{headers}{'content-encoding'}, undef,
           '... the body is plain');
    }
}


# live, and from the cache

for my $framing (qw(length chunked close)) {
    for my $case (@cases) {
        for my $status (qw(MISS HIT HIT)) {
            for my $where (qw(cache cache-gunzip)) {
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

for my $name (qw(success none late-success)) {
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
        is($with->{headers}{'content-encoding'}, undef, '... is not gzip');

        for my $where (qw(problem problem-gunzip)) {
            ($with) = both("/$where$uri");

            like($with->{body}, qr/^\{"type":.*"code":"42505".*\}$/,
                 "/$where$uri");
            is($with->{headers}{'content-encoding'}, undef, '... is not gzip');
        }
    }
}


# a text that is not JSON

for my $buffering (qw(on off)) {
    for my $name (sort keys %xml) {
        my (undef, $off) = both("/xml-$buffering/$name");
        my $case = { %{ $xml_case{$name} || \%mapped }, body => $xml{$name} };

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
            error_map_gunzip off;
            $pass

            location /off/in/ { $pass }
        }
    }
END

for ([$first, '/http/', 'skipped'], [$first, '/location/', 'mapped'],
     [$first, '/location/in/', 'mapped'], [$first, '/location/off/', 'skipped'],
     [$second, '/server/', 'mapped'], [$second, '/off/', 'skipped'],
     [$second, '/off/in/', 'skipped'])
{
    my ($port, $where, $verdict) = @$_;
    my $r = get($port, $where . 'length/mapped');

    is($r->{headers}{'x-verdict'}[0], $verdict, "error_map_gunzip, $where");
}

stop($server);

for (['yes;', 'invalid value "yes" in "error_map_gunzip" directive, it must be'
              . ' "on" or "off" in nginx.conf:6'],
     ['on off;', 'invalid number of arguments in "error_map_gunzip" directive'
                 . ' in nginx.conf:6'],
     ["on;\nerror_map_gunzip on;",
      '"error_map_gunzip" directive is duplicate in nginx.conf:7'])
{
    my ($args, $message) = @$_;

    like(configuration_error("error_map_gunzip $args\n"), qr/\Q$message\E$/,
         "refused: error_map_gunzip $args");
}

done_testing();
