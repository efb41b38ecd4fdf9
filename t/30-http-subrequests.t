# Subrequests, whose header nobody sees and whose body becomes part of another,
# and internal redirects, which replace the response of a request.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp;
use File::Temp qw(tempdir);
use Test::More;

my ($port, $plain_port) = @ports = (free_port(), free_port());

# X-Accel-Redirect, if the URI has "accel=/where"

my $vendor = case_vendor(sub {
    return $_[0] =~ /^\S+ \S+[?&]accel=([^& ]+)/
        ? "X-Accel-Redirect: $1\r\n" : '';
});


# a vendor that knows of ranges

my $cutting = vendor(sub {
    my ($s, $request) = @_;

    my ($name) = $request =~ m{^\S+ /([\w-]+)} or die;
    my $body = $cases{$name}{body};
    my $head = '200 OK';

    if ($request =~ /^Range: bytes=(\d+)-(\d+)/mi) {
        my $last = $2 < length $body ? $2 : length($body) - 1;

        $head = "206 Partial Content\r\n"
                . "Content-Range: bytes $1-$last/" . length $body;
        $body = substr $body, $1, $last - $1 + 1;
    }

    print $s "HTTP/1.1 $head\r\nContent-Type: application/json\r\n"
             . "ETag: \"$name\"\r\n"
             . 'Content-Length: ' . length($body) . "\r\n\r\n$body";

    return 0;
});


# files: the cases, and pages that include others

my $root = tempdir(CLEANUP => 1);
chmod 0755, $root;

sub page {
    my ($name, $text) = @_;

    open my $fh, '>', "$root/$name" or die "$root: $!";
    print $fh $text;
    close $fh or die "$root: $!";
    utime 28000000, 28000000, "$root/$name";
}

sub include {
    my ($uri, $more) = @_;

    return "<!--# include virtual=\"$uri\" " . ($more || '') . '-->';
}

my @some = grep { $_->{name} !~ /^long/ } @cases, $cases{empty};

my %sources = (
    length => '/vendor/length/%s', chunked => '/vendor/chunked/%s?wait',
    close => '/vendor/close/%s', unbuffered => '/unbuffered/chunked/%s',
    cached => '/cached/length/%s', 'cached-chunked' => '/cached/chunked/%s',
    file => '/file/%s.json', rewritten => '/rewritten/length/%s',
    tried => '/tried/length/%s',
);

for my $case (@some) {
    page("$case->{name}.json", $case->{body});

    for my $source (keys %sources) {
        my $uri = sprintf $sources{$source}, $case->{name};

        page("$source-$case->{name}.html", "[" . include($uri) . "]");
        page("$source-$case->{name}-set.html",
             '[' . include($uri, 'set="part"')
             . '<!--# echo var="part" encoding="none" -->]');
        page("$source-$case->{name}-stub.html",
             '[<!--# block name="else" -->nothing<!--# endblock -->'
             . include($uri, 'stub="else"') . ']');
    }
}

my @all = map { my $source = $_;
                map { [$source, $_] } @some } sort keys %sources;

sub all {
    my ($more) = @_;

    return join '', map {
        '[' . include(sprintf($sources{ $_->[0] }, $_->[1]{name}), $more) . ']'
    } @all;
}

page('all.html', all());
page('all-wait.html', all('wait="yes"'));
page('nested.html', '[' . include('/ssi/all.html') . ']');
page('with-parts.json', "{\"Data\":\"<!--# include virtual='/part/a' -->"
     . "<!--# include virtual='/part/b' -->\",\"StatusCode\":42505}");

my $pass = "proxy_pass http://127.0.0.1:$vendor";

my $locations = <<"END";
    location /vendor/ { $pass/; }
    location /unbuffered/ { proxy_buffering off; $pass/; }
    location /file/ { alias $root/; }

    location /cached/ {
        proxy_cache cache;
        proxy_cache_valid 200 1m;
        proxy_cache_key \$server_name\$request_uri\$uri;
        $pass/;
    }

    location /part/ {
        default_type text/plain;
        return 200 '<\$uri>';
    }

    location /ssi/ {
        ssi on;
        ssi_last_modified on;
        types { text/html html; }
        alias $root/;
    }

    location /ssi-json/ {
        ssi on;
        ssi_types application/json;
        alias $root/;
    }

    # the location that X-Auth or X-Mirror names decides, or gets a copy

    location /auth/ {
        auth_request /auth-check;
        auth_request_set \$auth \$upstream_status;
        add_header X-Auth \$auth always;
        %VERDICT%
        $pass/;
    }

    location = /auth-check {
        proxy_pass_request_body off;
        $pass/length/\$http_x_auth;
    }

    location /mirrored/ {
        mirror /mirror;
        $pass/;
    }

    location = /mirror { $pass/chunked/\$http_x_mirror; }

    location /added/ {
        addition_types application/json;
        add_before_body /vendor/chunked/late-mapped?wait;
        add_after_body /file/mapped.json;
        alias $root/;
    }

    location /added-empty/ {
        addition_types application/json;
        add_before_body /cached/chunked/empty;
        add_after_body /cached/length/empty;
        alias $root/;
    }

    location /sliced/ {
        slice 16k;
        proxy_cache cache;
        proxy_cache_valid 200 206 1m;
        proxy_cache_key \$server_name\$uri\$slice_range;
        proxy_set_header Range \$slice_range;
        proxy_http_version 1.1;
        proxy_pass http://127.0.0.1:$cutting/;
    }

    location /not-sliced/ {
        slice 16k;
        proxy_set_header Range '';
        proxy_pass http://127.0.0.1:$cutting/;
    }

    location /off/ {
        error_map off;
        %VERDICT%
        $pass/;
    }

    location /rewritten/ { rewrite ^/rewritten/(.*) /vendor/\$1 last; }
    location /broken/ { rewrite ^/broken(/.*) \$1 break; $pass; }
    location /tried/ { try_files /nothing \@vendor; }
    location /tried-uri/ { try_files /nothing /file/late-mapped.json; }
    location \@vendor { rewrite ^/[^/]+(/.*) \$1 break; $pass; }

    location /page-uri/ {
        proxy_intercept_errors on;
        error_page 404 /file/late-mapped.json;
        error_page 500 =200 /vendor/chunked/late-success;
        error_page 503 = /vendor/length/mapped;
        $pass/;
    }

    location /page-named/ {
        proxy_intercept_errors on;
        error_page 404 \@vendor-again;
        error_page 503 =200 \@vendor-again;
        $pass/;
    }

    location \@vendor-again { rewrite ^ /chunked/late-mapped break; $pass; }

    location /page-none/ {
        error_page 402 404 /file/late-success.json;
        $pass/;
    }

    location /page-missing/ {
        error_page 404 /vendor/length/late-mapped;
        root $root;
    }

    location /posted/ {
        post_action /vendor/length/late-mapped;
        $pass/;
    }
END

my ($with_locations, $without_locations) = map {
    my $text = $locations;
    $text =~ s/%VERDICT%/$_/g;
    $text;
} 'add_header X-Verdict $error_map_verdict always;', '';

my $server = start(port => $port, http => <<"END");
    proxy_cache_path %DIR%/cache keys_zone=cache:1m;
    keepalive_requests 10000;
    absolute_redirect off;
    subrequest_output_buffer_size 1m;
    types { application/json json; }
    log_format verdict '\$uri \$status \$error_map_verdict';

    server {
        server_name without;
        listen 127.0.0.1:$plain_port;
        $without_locations
    }

    server {
        server_name with;
        listen 127.0.0.1:$port;
        error_map tencent_iotvideo;
        add_header X-Verdict \$error_map_verdict always;
        access_log %DIR%/access.log verdict;
        log_subrequest on;
        $with_locations
    }
END

# the new lines of the access log

my $logged = 0;

sub logged {
    my $log = slurp("$server->{dir}/access.log");
    my @lines = split /\n/, substr $log, $logged;

    $logged = length $log;

    return @lines;
}


# SSI: the included body is the vendor's, and the page's header stays

for (@all) {
    my ($source, $case) = @$_;

    for my $kind ('', '-set', '-stub') {
        my $page = "/ssi/$source-$case->{name}$kind.html";

        # the second time the cache serves them

        for my $time (1, 2) {
            my ($with, $without) = both($page);

            same_ok($with, $without, $page);

            is($with->{body}, "[$case->{body}]", '... has the included body')
                if $kind ne '-stub';
        }
    }
}

for my $name (qw(all all-wait)) {
    my ($with, $without) = both("/ssi/$name.html");

    same_ok($with, $without, "SSI, $name");
    is($with->{body}, join('', map { "[$_->[1]{body}]" } @all),
       '... has the included bodies, in order');
}

same_ok(both('/ssi/nested.html'), 'SSI in SSI');
same_ok(both('/ssi/all.html', method => 'HEAD'), 'SSI, HEAD');

logged();
both("/ssi/length-$_.html") for qw(mapped late-mapped);
both('/ssi/length-mapped-set.html');

is_deeply([grep { /^.vendor/ } logged()],
          ['/vendor/length/mapped 402 mapped',
           '/vendor/length/late-mapped 402 mapped',
           '/vendor/length/mapped 200 skipped'],
          'subrequests have their own verdicts, except those in memory');


# a page that is mapped itself, before its parts are included

edge_ok(both('/ssi-json/with-parts.json'), $cases{mapped},
        'SSI in JSON that is held',
        '{"Data":"</part/a></part/b>","StatusCode":42505}');


# auth_request and mirror read no body

for my $case (@some) {
    for my $name (qw(mapped late-mapped success undecided)) {
        edge_ok(both("/auth/chunked/$case->{name}",
                     headers => "X-Auth: $name\r\n"), $case,
                "auth_request to $name, $case->{name}");

        edge_ok(both("/mirrored/chunked/$case->{name}",
                     headers => "X-Mirror: $name\r\n"), $case,
                "mirror to $name, $case->{name}");
    }

    my ($with, $without) = both("/auth/length/$case->{name}",
                                headers => "X-Auth: mapped?status=403\r\n");

    same_ok($with, $without, "auth_request that refuses $case->{name}");
    is($with->{status}, 403, '... with its own status');
}

my @lines = grep { /^.(?:auth-check|mirror) / } logged();

cmp_ok(scalar @lines, '>', @some * 5, 'the log has these subrequests');
is_deeply([grep { !/ skipped$/ } @lines], [], '... and none has a verdict');


# addition, after and before a held body

for my $case (@some) {
    my $good = ($case->{status} || 200) == 200;
    my $body = $cases{'late-mapped'}{body} . $case->{body}
               . $cases{mapped}{body};

    for ([added => $body], ['added-empty' => $case->{body}]) {
        my ($kind, $expect) = @$_;
        my ($with, $without) = both("/$kind/$case->{name}.json");

        # ... to a 200 only

        (undef, $without) = both("/file/$case->{name}.json") if !$good;

        edge_ok($with, $without, $case, "$kind, $case->{name}",
                $good ? $expect : $case->{body});
    }
}


# Slices are 206 and therefore not inspected, as a part is not JSON.  A response
# that the vendor does not slice is inspected.

for my $case (@cases{qw(mapped late-mapped success undecided)}) {
    for my $range ('', "Range: bytes=5-9\r\n", "Range: bytes=16000-17000\r\n") {
        for my $time (1, 2) {
            my ($with, $without) = map {
                get($_, "/sliced/$case->{name}", headers => $range)
            } @ports;

            same_ok($with, $without, "sliced, $case->{name} $range");
            is($with->{headers}{'x-verdict'}[0], 'skipped', '... skipped')
                if $without->{status} != 416;
        }
    }

    edge_ok(both("/not-sliced/$case->{name}"), $case,
            "not sliced by the vendor, $case->{name}");
}


# X-Accel-Redirect, from locations with and without the filter

for my $from (qw(vendor off)) {
    for my $to (sort keys %sources) {
        for my $case (@some) {
            my $uri = sprintf $sources{$to}, $case->{name};

            edge_ok(both("/$from/length/mapped?accel=$uri"), $case,
                    "X-Accel-Redirect, /$from/ to $uri");
        }
    }
}

for my $case (@some) {
    same_ok(both("/vendor/length/mapped?accel=/off/chunked/$case->{name}"),
            "X-Accel-Redirect to where it is off, $case->{name}");
}


# rewrite and try_files

for my $case (@some) {
    edge_ok(both("/$_/chunked/$case->{name}"), $case, "$_, $case->{name}")
        for qw(rewritten broken tried);
}

edge_ok(both('/tried-uri/x'), $cases{'late-mapped'}, 'try_files to a URI');


# error_page: the body of the page decides

for (['page-uri', 404, 'late-mapped', 404],
     ['page-uri', 500, 'late-success', 200],
     ['page-uri', 503, 'mapped', 200],
     ['page-named', 404, 'late-mapped', 404],
     ['page-named', 503, 'late-mapped', 200])
{
    my ($where, $status, $page, $edge) = @$_;

    for my $name (qw(late-success mapped empty)) {
        my ($with, $without)
            = both("/$where/length/$name?wait&status=$status");

        is($without->{status}, $edge, "$where $status, $name");

        # the vendor of the page gets the status as an argument, too

        if ("$where $status" eq 'page-named 503') {
            is($with->{headers}{'x-upstream-status'}[0], 503,
               '... the vendor\'s body');
            $with->{headers}{'x-upstream-status'} = [200];
        }

        edge_ok($with, $without, $cases{$page}, '... with its page');
    }
}

for my $name (qw(mapped late-mapped late-success)) {
    edge_ok(both("/page-none/length/$name"), $cases{$name},
            "error_page is not for an edge status, $name");

    edge_ok(both("/page-none/length/$name?status=404"), $cases{$name},
            "... nor for a status that nginx does not intercept, $name");
}

my ($missing, $missing_off) = both('/page-missing/x');

is($missing->{headers}{'x-upstream-status'}[0], 200,
   'error_page of a missing file, the body from the vendor of the page');

$missing->{headers}{'x-upstream-status'} = [404];

edge_ok($missing, $missing_off, $cases{'late-mapped'}, '... and its page');


# post_action, which sends nothing

for my $case (@some) {
    edge_ok(both("/posted/length/$case->{name}"), $case,
            "post_action, $case->{name}");
}

edge_ok(both('/vendor/length/late-mapped'), $cases{'late-mapped'},
        'the connection goes on');

stop($server);
done_testing();
