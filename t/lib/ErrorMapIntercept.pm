package ErrorMapIntercept;

# An edge with error pages for mapped responses, and the same nginx without the
# module, where a vendor's real 402 gets them by proxy_intercept_errors: the
# responses of both must be the same.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use ErrorMap;
use ErrorMapHttp qw(shown);
use ErrorMapStream qw(exchange_all frame limit_quarantine put query request
                      take vendors);
use Exporter qw(import);
use File::Temp qw(tempdir);
use IO::Compress::Gzip qw(gzip);
use IO::Select;
use Test::More;
use Time::HiRes qw(sleep);

our @EXPORT = qw($port $plain_port $h2_port $dir $pass $mapped %logged @pages
                 %pages @ways @codes intercept vendor_body expected page_ok
                 pages_ok fetch plain uri);

our ($port, $plain_port, $h2_port) = (free_port(), free_port(), free_port());

our $dir = tempdir(CLEANUP => 1);
chmod 0755, $dir;


# The vendor.  By "when" the code comes with the header ("early"), in a later
# packet ("later"), as a number that the end of the body ends ("end"), or in
# chunks of a byte each ("bytes").  Its headers must not leak.

my $spoils = join '', map { "$_\r\n" }
    'Set-Cookie: vendor=1', 'ETag: "vendor"', 'X-Anything: vendor',
    'Last-Modified: Mon, 28 Sep 1970 06:00:00 GMT', 'Accept-Ranges: bytes',
    'Cache-Control: max-age=60', 'Expires: Thu, 01 Jan 2037 00:00:00 GMT',
    'Content-Language: tlh', 'Content-Disposition: attachment',
    'Location: /vendor', 'Refresh: 5', 'Link: </vendor>', 'Vary: X-Vendor',
    'WWW-Authenticate: Vendor', 'X-Error-Code: vendor', 'Retry-After: 1000',
    'Proxy-Status: vendor', 'Trailer: X-Trailer', 'Content-MD5: vendor';

sub vendor_body {
    my (%arg) = @_;

    my $rest = $arg{rest} ? ',"rest":"' . 'x' x $arg{rest} . '"' : '';

    return $arg{when} eq 'end' ? $arg{code}
           : $arg{when} eq 'later' ? qq({"a":"vendor","code":$arg{code}$rest})
           : qq({"code":$arg{code},"a":"vendor"$rest});
}

sub respond {
    my ($s, $request) = @_;

    return if $request !~ /\?/;

    my %arg = (when => 'early', framing => 'length', code => 402,
               pause => 0.02, type => 'application/json', status => 200,
               end => '', more => 0, query($request));

    # a real status: proxy_intercept_errors needs the header only

    if ($request =~ /^X-Real: (\d+)/m) {
        $arg{status} = $1;
        $arg{when} = 'early';
        $arg{end} = '';
    }

    my $body = vendor_body(%arg);
    my $headers = !$arg{plain} ? $spoils
                  : $arg{ranges} ? "Accept-Ranges: bytes\r\n" : '';
    my $at = $arg{when} eq 'later' ? index $body, '"code"'
             : $arg{when} eq 'end' ? 2 : 0;

    if ($arg{gzip}) {
        gzip(\(my $text = $body), \$body, -Minimal => 1) or die;
        $headers .= "Content-Encoding: gzip\r\n";
        $at = 15;
    }

    # newer versions of nginx would keep the connection

    $headers .= "Connection: close\r\n" if $arg{framing} ne 'close';

    my ($head, $raw) = frame($arg{framing}, $body, headers => $headers,
                             type => $arg{type}, status => "$arg{status} Fine",
                             chunk => $arg{when} eq 'bytes' ? 1 : 9_999_999);

    $raw =~ s/(?<=\r\n0\r\n)(?=\r\n$)/X-Trailer: vendor\r\n/
        if $arg{framing} eq 'chunked';

    $at = $arg{when} eq 'early' ? length $raw
          : $arg{when} eq 'bytes' ? 0 : $at + index $raw, $body;

    if ($arg{end}) {

        # ends after the code, and some more of it

        my $code = "$arg{code},";

        $raw = substr $raw, 0, index($raw, $code) + length($code) + $arg{more};
        $at = length $raw if $at > length $raw;
    }

    put($s, $head . substr $raw, 0, $at);

    if ($at < length $raw) {
        sleep $arg{pause};

        put($s, $_) for $arg{when} eq 'bytes' ? $raw =~ /.{1,6}/gs
                                              : substr $raw, $at;
    }

    if ($arg{end} eq 'dribble') {

        # ... but goes on for a long time

        for (1 .. 4000) {
            sleep 0.005;
            next if put($s, 'x' x 500);

            mark('gone');
            last;
        }
    }

    if ($arg{end} eq 'rst') {

        # nginx must read it first

        sleep 0.6;
        reset_on_close($s);
    }
}


# The vendor of error pages, which show its request.  A slow one waits until the
# request ends.

sub echo {
    my ($s) = @_;
    my ($head, $body) = take($s);

    if ($head =~ /slow/) {
        mark('asked');
        mark('aborted')
            if IO::Select->new($s)->can_read(8) && !sysread $s, $body, 1;

    } elsif ($head) {
        put($s, join '', frame('length',
                               join(' ', $head =~ /^(\S+ \S+)/, md5_hex($body),
                                         $head =~ /^X-Vars: (.*)\r$/m),
                               type => 'text/plain',
                               headers => "Connection: close\r\n"
                                          . "X-Page: echo\r\n"));
    }
}


# The error pages: name, arguments of error_page, the logged verdict, and
# whether the response has its headers.  Local pages have a code in their
# bodies, which is not inspected.

our @pages = (
    [return => '402 /page/return', 'mapped', 1],
    [static => '402 /page/static.json', 'mapped', 1],
    [vars => '402 /page/vars', 'mapped', 1],
    [named => '402 @return', 'mapped', 1],
    ['to-200' => '402 =200 /page/static.json', 'mapped', 1],
    ['as-it-is' => '402 = /page/created', 'mapped', 1],
    ['to-503' => '402 =503 /page/return', 'mapped', 1],
    [redirect => '402 http://elsewhere/page', 'mapped', 1],
    ['redirect-301' => '402 =301 http://elsewhere/page', 'mapped', 1],
    [rewritten => '402 /page/rewritten', 'mapped', 1],
    [variable => '402 /page/$arg_to', 'mapped', 1],
    [missing => '402 /page/missing', 'mapped', 1],
    [refused => '402 @refused', 'mapped', 1],
    [proxied => '402 /page/proxied', 'skipped', 0],
    ['named-proxied' => '402 @proxied', 'skipped', 0],
    [second => '402 = @second', 'success', 0],
    ['second-none' => '402 =200 @second-none', 'none', 0],
    ['off-return' => '402 /off-page/return', 'mapped', 0],
    ['off-static' => '402 /off-page/static.json', 'mapped', 0],
    ['off-vars' => '402 /off-page/vars', 'mapped', 0],
    ['off-proxied' => '402 /off-page/proxied', 'mapped', 0],
);

our %pages = map { $_->[0] => $_ } @pages;

# the variables, in error pages and in the log

my $vars = join ' ', map { '$error_map_' . $_ }
    qw(code status document class title verdict upstream_status retry_after);

our $mapped = '402 402 acme INTERNAL title of 402 mapped 200 7';

our %logged = (
    mapped => $mapped,
    success => '0 200 acme   success 200 ',
    none => ' 200 acme   none 200 ',
    skipped => '  acme   skipped  ',
);

my %modes = (
    on => '',
    off => 'proxy_buffering off;',
    raw => 'proxy_request_buffering off;',
    ignore => 'proxy_ignore_client_abort on;',
    gunzip => 'error_map_gunzip on;',
);

our $pass = 'proxy_pass http://vendor';
my $second = "proxy_set_header X-Real ''; $pass";
my $echo_pass = 'proxy_pass http://echo;'
                . ' proxy_set_header X-Vars "%VARS%"';
my $return = "default_type application/json; return 200 '{\"code\":403}'";

my $locations = (join '', map {
    my $mode = $_;
    map { "location /$mode/$_->[0]/ { error_page $_->[1]; $modes{$mode}"
          . " $pass; }\n" } @pages
} sort keys %modes) . (join '', map { <<"END" }
        location = $_->[0]/return { $_->[1] $return; }
        location = $_->[0]/static.json { $_->[1] alias $dir/static.json; }
        location = $_->[0]/proxied { $_->[1] $echo_pass; }

        location = $_->[0]/vars {
            $_->[1]
            add_header X-Vars "%VARS%" always;
            add_header X-Verdict \$error_map_verdict always;
            return 200 "%VARS%";
        }
END
    ['/page', ''], ['/off-page', 'error_map off;']) . <<"END";

        location = /page/created { $return; }
        location = /page/rewritten { rewrite ^ /page/static.json last; }
        location = /page/missing { root $dir; }
        location \@return { $return; }
        location \@proxied { $echo_pass; }
        location \@refused { proxy_pass http://127.0.0.1:1; }

        location \@second {
            rewrite ^ /?code=0&plain=1? break;
            $second;
        }

        location \@second-none {
            rewrite ^ /?code=null&plain=1&when=later? break;
            $second;
        }

        location /any/ {
            error_page 307 400 402 403 404 408 413 414 429 444 494 495 496 497
                       500 501 502 503 599 /page/return;
            $pass;
        }
END

our @codes = (307, 400, 402, 403, 404, 408, 413, 414, 429, 444, 494 .. 497, 499,
             500, 501, 502, 503, 599);

my $rows = join '', map { "$_ $_ INTERNAL \"title of $_\";\n" } @codes;


# intercept(http => text, both => locations of both servers, edge => locations
# of the edge): starts the vendors, and an nginx with the two servers

sub intercept {
    my (%arg) = @_;

    $_ ||= '' for @arg{qw(http both edge)};
    limit_quarantine();

    my $vendor = vendors(\&respond);
    my $echo = vendor(\&echo, raw => 1);

    my ($plain, $edge) = map {
        ($locations . $arg{both}) =~ s/%VARS%/$_/gr
    } $mapped, $vars;

    spew("$dir/static.json", '{"code":403,"page":"static"}');

    return start(port => $port, http => <<"END");
    error_map_document acme {
        source   json /code;
        source   json "";
        success  0;
        1        -  INTERNAL "kept";
        $rows
    }

    error_map_policy edge {
        code     acme/402 402 retry_after=7s;
        code     acme/1 keep;
    }

    log_format vars '\$request_uri \$status $vars';

    map \$arg_real \$real {
        ''       \$arg_code;
        default  \$arg_real;
    }

    upstream vendor { server 127.0.0.1:$vendor; }
    upstream echo { server 127.0.0.1:$echo; }

    proxy_cache_path %DIR%/cache keys_zone=cache:1m;
    keepalive_requests 100000;
    proxy_http_version 1.1;

    server {
        listen 127.0.0.1:$plain_port;
        proxy_intercept_errors on;
        proxy_set_header X-Real \$real;
        $plain
    }

    server {
        listen 127.0.0.1:$port;
        listen 127.0.0.1:$h2_port http2;

        error_map acme policy=edge;
        error_map_intercept on;
        error_map_hold_timeout 20s;
        add_header X-Verdict \$error_map_verdict always;
        access_log %DIR%/access.log vars;
        $edge
        $arg{edge}

        location = /stub { error_map off; access_log off; stub_status; }
    }
    $arg{http}
END
}


# expected(plain response, verdict, whether it has headers, code, upstream
# status): the response of the edge

sub expected {
    my ($r, $verdict, $tells, $code, $upstream) = @_;

    $code ||= 402;

    my %tells = !$tells ? () : (
        'x-error-source' => ['acme'],
        'x-error-code' => [$code],
        'x-error-class' => ['INTERNAL'],
        'x-upstream-status' => [$upstream || 200],
        $code == 402 ? ('retry-after' => [7]) : (),
    );

    return { %$r, headers => { %{ $r->{headers} }, %tells,
                               'x-verdict' => [$verdict] } };
}

sub page_ok {
    my ($with, $without, $page, $name) = @_;
    my (undef, undef, $verdict, $tells) = @{ $pages{$page} };

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is(shown($with), shown(expected($without, $verdict, $tells)), $name);
}


# many requests at a time, as many as fit into a vendor's backlog

sub fetch {
    my @uris = @_;
    my @responses;

    while (my @some = splice @uris, 0, 100) {
        push @responses, map { parse($_->{bytes}) } exchange_all(map {
            { port => $port, request => request($_), timeout => 15 }
        } @some);
    }

    return @responses;
}


# the response of nginx itself to a real 402

my %plain;

sub plain {
    my ($uri) = @_;

    # most pages are always the same

    my $key = $uri =~ m{^/\w+/([\w-]+)/} && $1 ne 'named-proxied' ? $1 : $uri;

    return $plain{$key} ||= get($plain_port, $uri);
}


# the ways in which the code comes: when, framing

our @ways = ((map { my $when = $_;
                    map { [$when, $_] } qw(length chunked close)
                  } qw(early later end)), ['bytes', 'chunked']);

sub uri {
    my ($page, $mode, $way, $more) = @_;

    return "/$mode/$page/x?code=402&when=$way->[0]&framing=$way->[1]&to=return"
           . ($more || '');
}

sub pages_ok {
    my ($title, @all) = @_;
    my @uris = map { uri(@$_) } @all;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    for my $with (fetch(@uris)) {
        my ($page, $mode, $way, $more) = @{ shift @all };

        page_ok($with, plain(shift @uris), $page,
                "$title, code $way->[0], $way->[1], $mode, $page");
    }
}


1;
