# A 206 that is the whole representation is inspected like a 200; when its status
# changes, Content-Range goes.  Parts and slices pass unchanged.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp;
use File::Temp qw(tempdir);
use Test::More;

@ports = (free_port(), free_port());

# a 206 with the Content-Range of the argument, in which N is the length of the
# body, and L the last byte; or the slice that was asked for

my $vendor = case_vendor(sub {
    my ($request) = @_;

    my ($name) = $request =~ m{^\S+ /\w+/([\w-]+)};
    my $n = length $cases{$name}{body};

    return join '', map {
        my $range = s/%20/ /gr =~ s/N/$n/r =~ s/L/$n - 1/er;
        "Content-Range: $range\r\n"
    } $request =~ /[?&]range=([^& ]*)/g;
});

my $slices = vendor(sub {
    my ($s, $request) = @_;

    my ($name) = $request =~ m{^\S+ /([\w-]+)};
    my $body = $cases{$name}{body};
    my $n = length $body;
    my ($first, $last) = $request =~ /^Range: bytes=(\d+)-(\d+)/mi;

    ($first, $last) = (0, $n - 1) if !defined $first;
    $last = $n - 1 if $last >= $n;

    print $s "HTTP/1.1 206 Partial Content\r\nContent-Type: application/json\r\n"
             . "ETag: \"$name\"\r\nContent-Range: bytes $first-$last/$n\r\n"
             . 'Content-Length: ' . ($last - $first + 1) . "\r\n\r\n"
             . substr $body, $first, $last - $first + 1;

    return 1;
});

my $pass = "proxy_pass http://127.0.0.1:$vendor/; proxy_http_version 1.1;";
my $sliced = "slice 16k; proxy_set_header Range \$slice_range;"
             . " proxy_http_version 1.1; proxy_pass http://127.0.0.1:$slices/;";

my %locations = (
    plain => $pass,
    unbuffered => "$pass proxy_buffering off;",
    upstream => "$pass error_map_upstream on;",
    cache => "$pass proxy_cache cache; proxy_cache_valid any 1m;",
    'cache-upstream' => "$pass error_map_upstream on; proxy_cache cache;"
                        . ' proxy_cache_valid any 1m;',
    keep => "$pass error_map tencent_iotvideo policy=keep;",
    problem => "$pass error_map_body problem;",
    dry => "$pass error_map_dry_run on;",
    page => "$pass error_map_intercept on; error_page 402 /page.txt;",
    types => "$pass error_map_types text/xml;",
    statuses => "$pass error_map_statuses 200;",
    'only-206' => "$pass error_map_statuses 206;",
    slice => $sliced,
    'slice-upstream' => "$sliced error_map_upstream on;",
    'slice-cache' => "$sliced error_map_upstream on; proxy_cache cache;"
                     . ' proxy_cache_valid 200 206 1m;',
);

my ($off, $on) = map {
    my $document = $_;

    join "\n", map {
        my $text = $locations{$_};

        $text =~ s/error_map \w+ policy=\w+;// if $document eq 'off';
        $text = "error_map $document; $text" if $text !~ /error_map \w+ policy/;

        "location /$_/ { $text add_header X-Cache \$upstream_cache_status"
        . ' always; ' . ($document eq 'off' ? '' :
        'add_header X-Verdict $error_map_verdict always;'
        . ' add_header X-Reason $error_map_reason always;') . ' }'
    } sort keys %locations;
} qw(off tencent_iotvideo);

my $files = tempdir(CLEANUP => 1);
chmod 0777, $files;

my $server = start(port => $ports[0], http => <<"END");
    keepalive_requests 10000;
    proxy_cache_path $files keys_zone=cache:1m use_temp_path=off;
    proxy_cache_key \$server_name\$request_uri\$slice_range;

    error_map_policy keep { base keep; }

    server {
        server_name without;
        listen 127.0.0.1:$ports[1];
        $off
    }

    server {
        server_name with;
        listen 127.0.0.1:$ports[0];
        $on
        location = /page.txt { return 200 "the edge's page"; }
    }
END


# the two responses, and the reason of the first

sub both_and_reason {
    my ($with, $without) = both(@_);
    my $reason = delete $with->{headers}{'x-reason'};

    return ($with, $without, $reason ? $reason->[0] : '');
}

my $whole = 'range=bytes%200-L/N';

for my $where (qw(plain unbuffered upstream cache cache-upstream only-206)) {
    for my $framing (qw(length chunked close)) {
        for my $case (@cases) {
            for my $wait ('', '&wait') {
                my $uri = "/$where/$framing/$case->{name}"
                          . "?status=206&$whole$wait";

                for (1 .. ($where =~ /cache/ ? 2 : 1)) {
                    my ($with, $without) = both_and_reason($uri);

                    edge_ok($with, $without, $case, "$uri, $_");
                }
            }
        }
    }
}

my ($with) = both('/plain/length/mapped-to-200?status=206&' . $whole);

is($with->{line}, 'HTTP/1.1 200 OK', 'a 206 can become a 200');
is($with->{headers}{'content-range'}, undef, '... without Content-Range');

($with) = both('/plain/length/unknown?status=206&' . $whole);

is($with->{status}, 206, 'an unknown code leaves the 206');
is($with->{headers}{'content-range'}[0], 'bytes 0-44/45',
   '... and Content-Range');


# what is done with a mapped 206

my $args = "length/mapped?status=206&$whole";
my ($r, $without, $reason) = both_and_reason("/keep/$args");

is($r->{status}, 206, 'a policy can keep the status');
is($r->{headers}{'content-range'}[0], $without->{headers}{'content-range'}[0],
   '... with Content-Range');
is($r->{headers}{'x-error-code'}[0], 42505, '... and add headers');

($r) = both("/problem/$args");
is($r->{status}, 402, 'a problem');
like($r->{body}, qr/"code":"42505"/, '... has its body');
is($r->{headers}{'content-range'}, undef, '... without Content-Range');

($r, $without) = both_and_reason("/dry/$args");
same_ok($r, $without, 'a dry run changes nothing');
is($r->{headers}{'x-verdict'}[0], 'mapped', '... and is mapped');

($r) = both("/page/$args");
is($r->{body}, "the edge's page", 'an error page');
is($r->{headers}{'content-range'}, undef, '... without Content-Range');

($r, $without, $reason) = both_and_reason("/types/$args");
same_ok($r, $without, 'another type');
is($reason, 'type', '... is the reason');

($r, $without, $reason) = both_and_reason("/statuses/$args");
same_ok($r, $without, 'error_map_statuses 200');
is($reason, 'status', '... is the reason');

($r, $without, $reason) = both_and_reason('/only-206/length/mapped');
same_ok($r, $without, 'a 200 with error_map_statuses 206');
is($reason, 'status', '... is the reason');


# what Content-Range says

for my $where (qw(plain upstream)) {
    for my $range ('bytes 0-L/N', 'BYTES 0-L/N', 'bytes 0-L/0N',
                   'bytes 0-L/N ')
    {
        my ($with, $without) = both_and_reason(
            "/$where/length/mapped?status=206&range=" . $range =~ s/ /%20/gr);

        edge_ok($with, $without, $cases{mapped}, "/$where/ whole: $range");
    }

    for my $ranges ([''], [], ['bytes 0-46/N'], ['bytes 1-L/N'],
                    ['bytes 0-L/49'], ['bytes 0-L/*'], ['bytes */N'],
                    ['bytes 0-L'], ['bytes 0-/N'], ['bytes 0-L/'],
                    ['bytes 0-L/N,'], ['bytes 0-L/Nx'],
                    ['bytes=0-L/N'], ['items 0-L/N'], ['bytes  0-L/N'],
                    ['0-L/N'], ['bytes 00-L/N'], ['bytes -1/0'],
                    ['bytes 0-99999999999999999999/N'],
                    ['bytes 0-9223372036854775807/9223372036854775807'],
                    ['bytes 0-L/N', 'bytes 0-L/N'],
                    ['bytes 0-L/N', 'bytes 50-99/100'])
    {
        my ($with, $without, $reason) = both_and_reason(
            "/$where/length/mapped?status=206"
            . join '', map { '&range=' . s/ /%20/gr } @$ranges);

        same_ok($with, $without, "/$where/ not whole: @$ranges");
        is("$with->{headers}{'x-verdict'}[0] $reason", 'skipped range',
           '... is skipped');
    }
}

($r, $without) = both_and_reason('/plain/length/mapped?' . $whole);
edge_ok($r, $without, $cases{mapped}, 'a 200 with Content-Range');

($r, $without) = both_and_reason('/plain/length/mapped?status=416&'
                                 . 'range=bytes%20*/N');
edge_ok($r, $without, $cases{mapped}, 'a 416 with Content-Range');


# slices, of which the first may be the whole

for my $where (qw(slice slice-upstream slice-cache)) {
    for my $case (@cases) {
        for my $time (1, 2) {
            my ($with, $without, $reason)
                = both_and_reason("/$where/$case->{name}");

            same_ok($with, $without, "/$where/ $case->{name}, $time");
            is("$with->{headers}{'x-verdict'}[0] $reason", 'skipped range',
               '... is skipped');
        }
    }
}

stop($server);

done_testing();
