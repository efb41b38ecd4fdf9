# Local responses, mainly files, come to the filter in other buffers than a
# vendor's; and later filters handle a body that was held.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp;
use File::Temp qw(tempdir);
use IO::Uncompress::Gunzip qw(gunzip);
use Test::More;

my ($port, $plain_port) = @ports = (free_port(), free_port());

# the cases, a body that is mapped to a status that the gzip filter compresses,
# and one in another charset

my %file = (
    (map { $_->{name} => $_->{body} } values %cases),
    'mapped-to-403' => '{"Data":"' . 'x' x 5000 . '","StatusCode":42502}',
    'koi8-r' => '{"Data":"' . "\xC0" x 5000 . '","StatusCode":42505}',
);

my $root = tempdir(CLEANUP => 1);
chmod 0755, $root;

for my $name (keys %file) {
    open my $fh, '>', "$root/$name.json" or die "$root: $!";
    print $fh $file{$name};
    close $fh or die "$root: $!";

    # both servers see the same file

    utime 28000000, 28000000, "$root/$name.json";
}

my %modes = (
    sendfile => 'sendfile on; tcp_nopush on;',
    'no-sendfile' => 'sendfile off;',
    'small-buffers' => 'sendfile off; output_buffers 2 512;',
    directio => 'sendfile on; directio 512;',
    'open-files' => 'sendfile on; open_file_cache max=100;',
);

if (qx(@{[nginx()]} -V 2>&1) =~ /--with-threads/) {
    $modes{threads} = 'sendfile off; aio threads;';
    $modes{'threads-sendfile'} = 'sendfile on; aio threads;';
    $modes{'threads-directio'} = 'aio threads; directio 512;';
}

my $returns = join '', map {
    "location = /return/$_->{name} { return 200 '$_->{body}'; }\n"
    . "location = /return-503/$_->{name} { return 503 '$_->{body}'; }\n"
} grep { length $_->{body} < 1000 } @cases;

my $locations = (join '', map {
    "location /$_/ { alias $root/; $modes{$_} }\n"
} sort keys %modes) . <<"END";
    $returns
    location = /return-empty { return 200 ''; }
    location = /return-204 { return 204; }
    location = /return-301 { return 301 /x; }
    location = /return-302 { return 302 /x; }
    location = /return-404 { return 404; }
    location = /return-500 { return 500; }
    location = /return-text { return 200 'no JSON'; }

    location /list/ { alias $root/; autoindex on; autoindex_format json; }

    location /gzip/ {
        alias $root/;
        gzip on;
        gzip_types application/json;
        gzip_min_length 1;
    }

    location /sub/ {
        alias $root/;
        sub_filter_types application/json;
        sub_filter '"Data":"0000' '"Sub":"';
    }

    location /charset/ {
        alias $root/;
        charset utf-8;
        source_charset koi8-r;
        charset_types application/json;
    }

    location /addition/ {
        alias $root/;
        addition_types application/json;
        add_before_body /part/before;
        add_after_body /part/after;
    }

    location /part/ {
        default_type text/plain;
        return 200 '[\$uri]';
    }

    location /text/ {
        default_type text/plain;
        types { }
        alias $root/;
    }
END

my $server = start(port => $port, http => <<"END");
    keepalive_requests 10000;
    absolute_redirect off;
    default_type application/json;
    types { application/json json; }

    charset_map koi8-r utf-8 { C0 D18E; }

    server {
        listen 127.0.0.1:$plain_port;
        $locations
        location /any/ { alias $root/; }
        location /small-hold/ { alias $root/; }
    }

    server {
        listen 127.0.0.1:$port;
        error_map tencent_iotvideo;
        add_header X-Verdict \$error_map_verdict always;
        $locations
        location /any/ { error_map_types *; alias $root/; }
        location /small-hold/ { error_map_hold_size 1k; alias $root/; }
    }
END


# files

for my $mode (sort keys %modes) {
    for my $case (@cases, $cases{empty}) {
        my $uri = "/$mode/$case->{name}.json";

        edge_ok(both($uri), $case, "$mode, $case->{name}");
        same_ok(both($uri, method => 'HEAD'), "$mode, HEAD of $case->{name}");
    }
}


# a file that is larger than the hold size

for my $case (@cases) {
    my $beyond = $case->{name} =~ /^late-/
        ? { name => 'undecided', body => $case->{body} } : $case;

    edge_ok(both("/small-hold/$case->{name}.json"), $beyond,
              "hold size 1k, $case->{name}");
}


# "return", with and without a text

for my $case (grep { length $_->{body} < 1000 } @cases) {
    edge_ok(both("/return/$case->{name}"), $case,
            "return 200, $case->{name}");
    edge_ok(both("/return-503/$case->{name}"), $case,
            "return 503, $case->{name}");
}

for my $name ('return-empty', 'return-204', 'return-301', 'return-302',
              'return-404', 'return-500', 'return-text', 'list/',
              'list/missing', 'sendfile/missing', 'text/late-mapped.json')
{
    my ($with, $without) = both("/$name");

    same_ok($with, $without, "$name passes unchanged");
    is($with->{headers}{'x-verdict'}[0],
       $name =~ /empty|text$|list\/$/ ? 'none' : 'skipped', '... its verdict');
}

for my $name (qw(any/ any/missing any/empty.json)) {
    my ($with, $without) = both("/$name");

    same_ok($with, $without, "$name passes unchanged with all types");
    is($with->{headers}{'x-verdict'}[0], 'none', '... its verdict');
}


# gzip compresses 200, 403 and 404 only, by the edge status

for my $case (@cases, { name => 'mapped-to-403', status => 403, code => 42502,
                        class => 'PERMISSION_DENIED',
                        body => $file{'mapped-to-403'} })
{
    my @r = both("/gzip/$case->{name}.json",
                 headers => "Accept-Encoding: gzip\r\n");

    for (grep { ($_->{headers}{'content-encoding'}[0] || '') eq 'gzip' } @r) {
        my $inflated = '';

        gunzip(\$_->{body}, \$inflated);
        $_->{body} = $inflated;
    }

    my ($with, $without) = @r;

    is($without->{headers}{'content-encoding'}[0], 'gzip',
       "gzip compresses $case->{name}");

    # other statuses are as if gzip were off

    (undef, $without) = both("/sendfile/$case->{name}.json")
        if ($case->{status} || 200) == 402;

    edge_ok($with, $without, $case, '... ' . ($case->{status} || 200));
}


# sub_filter sees the held bytes

for my $case (@cases) {
    my $body = $case->{body};

    $body =~ s/"Data":"0000/"Sub":"/;
    edge_ok(both("/sub/$case->{name}.json"), $case, "sub, $case->{name}",
              $body);
}


# ... and charset

{
    my $body = $file{'koi8-r'};

    $body =~ s/\xC0/\xD1\x8E/g;

    my ($with, $without) = both('/charset/koi8-r.json');

    is($without->{body}, $body, 'charset recodes the body');
    edge_ok($with, $without, $cases{mapped}, '... and a held one',
              $body);
}


# addition adds to 200 only, by the edge status

for my $case (@cases) {
    my $status = $case->{status} || 200;

    my ($with, $without) = both("/addition/$case->{name}.json");
    my $body = "[/part/before]$case->{body}\[/part/after]";

    is($without->{body}, $body, "addition adds to $case->{name}");

    if ($status != 200) {
        (undef, $without) = both("/sendfile/$case->{name}.json");
        $body = $case->{body};
    }

    edge_ok($with, $without, $case, "... $status", $body);
}


# no range applies to a file that must be held

for my $case (@cases) {
    my (undef, $without) = both("/sendfile/$case->{name}.json");

    delete $without->{headers}{'accept-ranges'};

    for my $range ('bytes=0-3', 'bytes=-5', 'bytes=0-1,4-5',
                   'bytes=99999999-', 'bytes=x')
    {
        my ($with) = both("/sendfile/$case->{name}.json",
                          headers => "Range: $range\r\n");

        edge_ok($with, $without, $case, "range $range, $case->{name}");
    }
}


# ... but it does where nothing is held

for my $uri ('/text/late-mapped.json', '/sendfile/empty.json') {
    for my $range ('bytes=0-3', 'bytes=-5', 'bytes=0-1,4-5',
                   'bytes=99999999-')
    {
        same_ok(both($uri, headers => "Range: $range\r\n"),
                "range $range, $uri");
    }
}


# Conditions apply to responses whose status stays.  A held response is not
# replaced by a 412.

for my $case (@cases, $cases{empty}) {
    my $uri = "/sendfile/$case->{name}.json";
    my $changed = ($case->{status} || 200) != 200;

    my (undef, $plain) = both($uri);
    my $etag = $plain->{headers}{etag}[0];
    my $modified = $plain->{headers}{'last-modified'}[0];

    for (['If-None-Match', $etag, 304], ['If-None-Match', "W/$etag", 304],
         ['If-None-Match', '"other"', 200],
         ['If-Modified-Since', $modified, 304],
         ['If-Modified-Since', 'Thu, 01 Jan 1970 00:00:00 GMT', 200],
         ['If-Match', $etag, 200], ['If-Match', '"other"', 412],
         ['If-Unmodified-Since', $modified, 200],
         ['If-Unmodified-Since', 'Thu, 01 Jan 1970 00:00:00 GMT', 412])
    {
        my ($header, $value, $status) = @$_;
        my $name = "$header: $value, $case->{name}";

        # nginx closes the connection after a 412

        my ($with, $without) = map {
            get($_, $uri, headers => "$header: $value\r\n")
        } @ports;

        is($without->{status}, $status, $name);

        if ($changed || $status == 200
            || ($status == 412 && length $case->{body}))
        {
            edge_ok($with, $plain, $case, '... the whole response');

        } else {
            same_ok($with, $without, "... $status", qw(x-error-source
                    x-error-code x-error-class x-upstream-status));
        }
    }
}

# unsent bytes do not appear on the connection

my ($again) = both('/sendfile/late-success.json', headers => 'If-None-Match: '
                   . (both('/sendfile/late-success.json'))[1]{headers}{etag}[0]
                   . "\r\n");

is($again->{status}, 304, '304 of a body that was held');
edge_ok(both('/sendfile/late-mapped.json'), $cases{'late-mapped'},
          '... and then a mapped one');

stop($server);
done_testing();
