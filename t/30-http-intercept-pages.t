# error_map_intercept: the location's error page takes the place of a mapped
# response, however late its code comes.  What nginx makes of a vendor's real
# 402 with proxy_intercept_errors is what it must make of a mapped one.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use ErrorMap;
use ErrorMapHttp qw(ask connection shown);
use ErrorMapStream qw($alone connections exchange_all frame memory pipelines
                      put query request worker);
use File::Temp qw(tempdir);
use IO::Compress::Gzip qw(gzip);
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Test::More;
use Time::HiRes qw(sleep);

# what a sanitizer keeps of freed memory must not count as a leak

$ENV{ASAN_OPTIONS} = join ':', $ENV{ASAN_OPTIONS} || (),
                               'quarantine_size_mb=1';

my ($port, $plain_port, $h2_port) = (free_port(), free_port(), free_port());

my $dir = tempdir(CLEANUP => 1);
chmod 0755, $dir;


# what the vendors have seen, a line each

sub note_down {
    my ($line) = @_;

    open my $fh, '>>', "$dir/notes" or die "$dir: $!";
    syswrite $fh, "$line\n";
}

# how many lines there are of a kind, as soon as there are so many

sub noted {
    my ($line, $hoped) = @_;
    my $n;

    for (1 .. 500) {
        $n = () = slurp("$dir/notes") =~ /^\Q$line\E$/mg;
        last if $n >= $hoped;
        sleep 0.02;
    }

    return $n;
}


# As vendor(), but by processes that are there already: to fork for each of the
# many connections here would take most of the time.

my @processes;

sub vendors {
    my ($sub) = @_;

    my $listen = IO::Socket::INET->new(Listen => 128, LocalAddr => '127.0.0.1')
        or die "listen: $!";

    for (1 .. 32) {
        my $pid = fork;
        die "fork: $!" if !defined $pid;

        if ($pid) {
            push @processes, $pid;
            next;
        }

        # not for ever, should the test be killed

        alarm 300;
        $SIG{PIPE} = 'IGNORE';

        while (my $s = $listen->accept) {
            setsockopt $s, IPPROTO_TCP, TCP_NODELAY, 1;
            $sub->($s, take($s)) and sysread $s, my $rest, 1;
        }

        POSIX::_exit(0);
    }

    return $listen->sockport;
}

END {
    my $status = $?;

    kill 'TERM', @processes if @processes;
    waitpid $_, 0 for @processes;

    $? = $status;
}

# a request's head and body

sub take {
    my ($s) = @_;
    my $bytes = '';

    while (sysread $s, $bytes, 65536, length $bytes) {
        my ($head, $body) = $bytes =~ /^(.*?\r\n)\r\n(.*)/s or next;

        return ($head, $body) if $head !~ /^Content-Length: (\d+)/mi
                                 || length $body >= $1;
    }

    return ('', '');
}


# The vendor.  By "when" the code comes with the header ("early"), in a later
# packet ("later"), as a number that is not over before the body is ("end"), or
# in chunks of a byte each ("bytes").  With it goes all that may not leak.

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

my $vendor = vendors(sub {
    my ($s, $request) = @_;

    return 0 if $request !~ /\?/;

    my %arg = (when => 'early', framing => 'length', code => 402,
               pause => 0.02, type => 'application/json', status => 200,
               end => '', more => 0, query($request));

    # as with proxy_intercept_errors, where it is the header that counts

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
        gzip(\(my $text = $body), \$body) or die;
        $headers .= "Content-Encoding: gzip\r\n";
        $at = 15;
    }

    my ($head, $raw) = frame($arg{framing}, $body, headers => $headers,
                             type => $arg{type}, status => "$arg{status} Fine",
                             chunk => $arg{when} eq 'bytes' ? 1 : 9_999_999);

    $raw =~ s/(?<=\r\n0\r\n)(?=\r\n$)/X-Trailer: vendor\r\n/
        if $arg{framing} eq 'chunked';

    $at = $arg{when} eq 'early' ? length $raw
          : $arg{when} eq 'bytes' ? 0 : $at + index $raw, $body;

    if ($arg{end}) {

        # ends behind the code, and some more of it

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

        # ... but goes on, longer than anyone should wait

        for (1 .. 4000) {
            sleep 0.005;
            next if put($s, 'x' x 500);

            note_down('gone');
            last;
        }
    }

    if ($arg{end} eq 'rst') {

        # nginx is to read it first

        sleep 0.6;
        reset_on_close($s);
    }

    return !$arg{end} && $arg{framing} ne 'close';
});


# The vendor of error pages, which are what it was asked.  If it is to be slow
# it waits until it is not asked any more.

my $echo = vendor(sub {
    my ($s) = @_;
    my ($head, $body) = take($s);

    if ($head =~ /slow/) {
        note_down('asked');
        note_down('aborted') if IO::Select->new($s)->can_read(8)
                                && !sysread $s, $body, 1;

    } elsif ($head) {
        put($s, join '', frame('length',
                               join(' ', $head =~ /^(\S+ \S+)/, md5_hex($body),
                                         $head =~ /^X-Vars: (.*)\r$/m),
                               type => 'text/plain',
                               headers => "X-Page: echo\r\n"));
    }
}, raw => 1);


# a vendor that does not wait for a request's body

my $hasty = vendor(sub {
    my ($s) = @_;
    my $bytes = '';

    while ($bytes !~ /\r\n\r\n/) {
        sysread $s, $bytes, 65536, length $bytes or return;
    }

    my ($head, $raw) = frame('length', '{"code":402}',
                             $bytes =~ /^X-Real:/m ? (status => '402 X') : ());

    put($s, $head);
    sleep 0.02 if $bytes =~ /later/;
    put($s, $raw);
    1 while sysread $s, $bytes, 65536;
}, raw => 1);


# The error pages: name, arguments of error_page, the verdict that is logged
# then, and whether headers tell of it.  The bodies of those that nginx makes
# hold a code, which is not looked for.

my @pages = (
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

my %pages = map { $_->[0] => $_ } @pages;

# the variables, in error pages and in the log

my $vars = join ' ', map { '$error_map_' . $_ }
    qw(code status document class title verdict upstream_status retry_after);

my $mapped = '402 402 acme INTERNAL title of 402 mapped 200 7';

my %logged = (
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

my $pass = "proxy_pass http://127.0.0.1:$vendor";
my $second = "proxy_set_header X-Real ''; $pass";
my $echo_pass = "proxy_pass http://127.0.0.1:$echo;"
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

        location /hasty/ {
            error_page 402 /page/return;
            proxy_request_buffering off;
            proxy_pass http://127.0.0.1:$hasty;
        }

        # what the arguments name is part of the page

        location /ssi/ {
            ssi on;
            types { text/html html; }
            alias $dir/;
        }
END

my @codes = (307, 400, 402, 403, 404, 408, 413, 414, 429, 444, 494 .. 497, 499,
             500, 501, 502, 503, 599);

my $rows = join '', map { "$_ $_ INTERNAL \"title of $_\";\n" } @codes;

my ($plain_locations, $edge_locations) = map {
    $locations =~ s/%VARS%/$_/gr
} $mapped, $vars;

my $server = start(port => $port, http => <<"END");
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

    error_map_policy strict { unknown 502; }

    log_format vars '\$request_uri \$status $vars';

    map \$arg_real \$real {
        ''       \$arg_code;
        default  \$arg_real;
    }

    proxy_cache_path %DIR%/cache keys_zone=cache:1m;
    keepalive_requests 100000;
    proxy_http_version 1.1;

    server {
        listen 127.0.0.1:$plain_port;
        proxy_intercept_errors on;
        proxy_set_header X-Real \$real;
        $plain_locations
    }

    server {
        listen 127.0.0.1:$port;
        listen 127.0.0.1:$h2_port http2;

        error_map acme policy=edge;
        error_map_intercept on;
        error_map_hold_timeout 20s;
        add_header X-Verdict \$error_map_verdict always;
        access_log %DIR%/access.log vars;
        $edge_locations

        location = /page/own {
            error_map_header X-Own "\$error_map_code \$error_map_class";
            error_map_proxy_status edge;
            return 200 own;
        }

        location /own/ { error_page 402 /page/own; $pass; }

        # not intercepted

        location /default/ {
            error_page 307 402 408 444 =200 /page/return;
            $pass;
        }

        location /no-page/ { error_page 403 /page/return; $pass; }

        location /intercept-off/ {
            error_map_intercept off;
            error_page 402 /page/return;
            $pass;
        }

        location /dry/ {
            error_map_dry_run on;
            error_page 402 503 /page/return;
            $pass;
        }

        location /size/ {
            error_map_hold_size 10;
            error_page 402 /page/return;
            $pass;
        }

        location /timeout/ {
            error_map_hold_timeout 200ms;
            error_page 402 /page/return;
            proxy_buffering off;
            $pass;
        }

        location /strict/ {
            error_map acme policy=strict;
            error_page 502 /page/vars;
            $pass;
        }

        location /problem/ {
            error_map_body problem;
            error_page 402 /page/return;
            $pass;
        }

        location /with-proxy/ {
            proxy_intercept_errors on;
            error_page 402 502 /page/vars;
            $pass;
        }

        # error pages of error pages

        location /recursive/ {
            recursive_error_pages on;
            error_page 402 = \@again;
            $pass;
        }

        location /not-recursive/ {
            error_page 402 = \@again;
            $pass;
        }

        location \@again {
            error_page 403 /page/vars;
            rewrite ^ /?code=403&plain=1&when=\$arg_when? break;
            $pass;
        }

        location /loop/ {
            recursive_error_pages on;
            error_page 402 /loop/?\$args;
            $pass;
        }

        location /loop-named/ {
            recursive_error_pages on;
            error_page 402 \@loop;
            $pass;
        }

        location \@loop {
            recursive_error_pages on;
            error_page 402 \@loop;
            $pass;
        }

        # responses that are the edge's own, or its cache's

        location /local/return {
            error_page 402 /page/return;
            default_type application/json;
            return 200 '{"code":402}';
        }

        location /local/ {
            error_page 402 /page/return;
            default_type application/json;
            alias $dir/;
        }

        location /local-threads/ {
            sendfile off;
            aio threads;
            error_page 402 /page/return;
            default_type application/json;
            alias $dir/;
        }

        location /fill/ {
            error_map_intercept off;
            proxy_cache cache;
            proxy_cache_valid 200 1m;
            proxy_cache_key \$arg_key;
            add_header X-Cache \$upstream_cache_status always;
            $pass;
        }

        location /cached/ {
            proxy_cache cache;
            proxy_cache_valid 200 1m;
            proxy_cache_key \$arg_key;
            proxy_cache_lock on;
            error_page 402 /page/\$arg_page;
            $pass;
        }

        location /cached-threads/ {
            sendfile off;
            aio threads;
            proxy_cache cache;
            proxy_cache_valid 200 1m;
            proxy_cache_key \$arg_key;
            error_page 402 /page/\$arg_page;
            $pass;
        }

        location /ranges/ {
            proxy_cache cache;
            proxy_cache_valid 200 1m;
            proxy_cache_key \$arg_key;
            error_page 402 = /page/created;
            $pass;
        }

        location = /page/cache-status {
            add_header X-Cache \$upstream_cache_status always;
            return 200 page;
        }

        location /guarded/ {
            auth_request /guard;
            default_type text/plain;
            alias $dir/;
        }

        location = /guard { error_page 402 /page/return; $pass/?code=402; }

        location = /stub { error_map off; access_log off; stub_status; }
    }
END

spew("$dir/static.json", '{"code":403,"page":"static"}');
spew("$dir/small.json", '{"a":1,"code":402}');
spew("$dir/large.json",
               '{"code":402,"rest":"' . 'x' x 3_000_000 . '"}');

my $include = '<!--# include virtual="/$arg_mode/$arg_page/x?$args" ';

spew("$dir/page.html", "[$include -->]");
spew("$dir/stub.html", '[<!--# block name="stub" -->stub'
                                 . "<!--# endblock -->${include}stub=\"stub\""
                                 . ' -->]');


# the response of the edge as it should be, by that of nginx itself

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


# many requests at a time, but not more than fit into a vendor's backlog

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


# what nginx makes of a real 402

my %plain;

sub plain {
    my ($uri) = @_;

    # of most pages it is always the same

    my $key = $uri =~ m{^/\w+/([\w-]+)/} && $1 ne 'named-proxied' ? $1 : $uri;

    return $plain{$key} ||= get($plain_port, $uri);
}


# every page, for every way in which the code can come

my @ways = ((map { my $when = $_; map { [$when, $_] } qw(length chunked close)
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

pages_ok('all pages', map {
    my $way = $_;
    map { my $mode = $_; map { [$_->[0], $mode, $way] } @pages } qw(on off)
} @ways);


# ... and the log of them

my @lines;

for (1 .. 250) {
    @lines = split /\n/, slurp("$server->{dir}/access.log");
    last if @lines == 2 * @ways * @pages;
    sleep 0.02;
}

is(scalar @lines, 2 * @ways * @pages, 'they are logged');

for (@lines) {
    my ($uri, $status, $logged) = /^(\S+) (\d+) (.*)/;
    my ($page) = $uri =~ m{^/\w+/([\w-]+)/};

    is("$status $logged", plain($uri)->{status}
                          . " $logged{ $pages{$page}[2] }", "log of $uri");
}


# headers are those of the page's location

for my $when (qw(early later)) {
    my $r = get($port, "/own/?when=$when");

    is($r->{status}, 402, "headers of its own, $when");
    is($r->{headers}{'x-own'}[0], '402 INTERNAL', '... are there');
    is($r->{headers}{'x-error-code'}, undef, '... and no others');
    is($r->{headers}{'proxy-status'}[0],
       'edge; received-status=200; details="acme 402 INTERNAL"',
       '... with Proxy-Status');
}


# compressed bodies

pages_ok('gzip', map {
    my $page = $_;
    map { [$page, 'gunzip', $_, '&gzip=1'] } @ways[0 .. 5]
} qw(return static to-200 proxied second));


# A long body behind the code, and one that does not end: the client does not
# wait for it, and the vendor's connection is closed.

my @some = qw(return static to-200 proxied second redirect);

for my $end ('rest=1000000', 'rest=2100000&end=dribble') {
    pages_ok($end, map {
        my $way = $_;
        map { my $mode = $_; map { [$_, $mode, $way, "&$end"] } @some
            } qw(on off)
    } @ways[0 .. 5]);
}

is(noted('gone', 2 * 6 * @some), 2 * 6 * @some,
   'no connection to a vendor is left');


# a vendor that breaks off behind the code, or where nginx looks at it, which is
# with a full buffer

for my $end (qw(fin rst)) {
    pages_ok($end, map {
        my ($when, $framing) = my @way = @$_;

        map {
            my $mode = $_;
            my $more = $when eq 'later' && $mode eq 'on' ? 9000 : 0;

            map { [$_, $mode, \@way, "&rest=20000&end=$end&more=$more"] } @some
        } qw(on off)
    } @ways[0 .. 5]);
}


# a client that goes away while it waits for the error page, or for the code, or
# just in between

{
    my @aborts = map { ({ reset => $_, abort => 1.2 }) } 0, 1;

    my @jobs = map {
        my $way = $_;
        map { my $mode = $_;
              map { { %$_, port => $port,
                      request => request(uri('variable', $mode, $way)
                                         =~ s/to=return/to=proxied?slow/r) }
              } @aborts } qw(on off)
    } @ways;

    exchange_all(@jobs);

    is(noted('asked', scalar @jobs), scalar @jobs,
       'clients wait for an error page');
    is(noted('aborted', scalar @jobs), scalar @jobs,
       '... and the page is asked for no more when they are gone');

    exchange_all(map {
        my $way = $_;
        map { my $mode = $_;
              map { my $abort = $_;
                    map { { port => $port, reset => $_, abort => $abort,
                            request => request(uri('static', $mode, $way,
                                                   '&pause=0.1')) }
                    } 0, 1 } 0.05, 0.1, 0.101
        } qw(on off ignore)
    } @ways[3 .. 9]);

    is(connections($port), $alone, 'no connection of a client is left');
}


# connections that are used again, with all requests sent at once

{
    my @lists = map {
        my $way = $_;
        map { my $mode = $_;
              [map { uri($_->[0], $mode, $way, '&pause=0.005') } @pages]
        } qw(on off)
    } @ways;

    for my $responses (pipelines($port, @lists)) {
        my @uris = @{ shift @lists };

        is(scalar @$responses, scalar @uris, 'a connection is used again');

        for (@uris) {
            my ($page) = m{^/\w+/([\w-]+)/};

            page_ok(shift @$responses, plain($_), $page, "... for $_");
        }
    }
}


# requests with a body, on a connection for each server

for my $mode (qw(on off raw)) {
    for my $page (qw(return static named redirect),

                  # nginx cannot send a body twice that it did not keep

                  $mode ne 'raw' ? qw(proxied named-proxied second off-proxied)
                                 : ())
    {
        my @connections = map { connection($_) } $port, $plain_port;

        for my $way (@ways[0, 3, 6, 9]) {
            for my $size (5, 30000) {
                my $uri = uri($page, $mode, $way, '&pause=0.005');

                my ($with, $without) = map {
                    ask($_, "POST $uri HTTP/1.1\r\nHost: e\r\n"
                            . "Content-Length: $size\r\n\r\n" . 'x' x $size)
                } @connections;

                page_ok($with, $without, $page, "POST of $size bytes, $mode,"
                        . " code $way->[0], $page");

                is($with->{headers}{connection}[0],
                   $without->{headers}{connection}[0], '... the connection');
            }
        }
    }
}


# ... which has not come when the vendor answers

for my $when (qw(early later)) {

    my ($with, $without) = map {
        my $c = connection($_);
        my $first = ask($c, "POST /hasty/?code=402&when=$when HTTP/1.1\r\n"
                            . "Host: e\r\n"
                            . "Content-Length: 10\r\n\r\n12345");
        my $second = ask($c, '67890' . request('/page/vars'));

        [$first, $second->{status}];
    } $port, $plain_port;

    page_ok($with->[0], $without->[0], 'return', "POST, half of it, $when");
    is($with->[1], $without->[1], '... and the rest');
}


# HTTP/2, all requests on one connection

{
    my @uris = map {
        my $way = $_;
        map { my $mode = $_; map { uri($_->[0], $mode, $way) } @pages
            } qw(on off)
    } @ways[0, 3, 6, 9];

    for my $options ('', "-d $dir/static.json") {
        my $list = join ' ', map { "'http://127.0.0.1:$h2_port$_'" } @uris;
        my $out = `nghttp -ns $options $list 2>&1`;

        for (@uris) {
            my $r = plain($_);
            my $size = $_ =~ /proxied/ ? qr/\d+/ : length $r->{body};

            like($out, qr{ $r->{status} +$size \Q$_\E$}m,
                 "HTTP/2, $options $_");
        }

        my $headers = `nghttp -nv $options $list 2>&1`;

        is(() = $headers =~ /x-error-code: 402/g,
           scalar(grep { m{^/\w+/([\w-]+)/} && $pages{$1}[3] } @uris),
           '... their headers');

        unlike($headers, qr/x-anything|vendor=1|tlh/, '... and no others');
    }
}


# statuses that the edge can have

for my $code (@codes) {
    for my $when (qw(early later)) {
        my $uri = "/any/?code=$code&when=$when";
        my $request = "GET $uri HTTP/1.1\r\nHost: e\r\n\r\n";
        my $with = ask(connection($port), $request);

        if ($code =~ /^(?:408|444|499)$/) {
            is($with->{status}, $code, "$code, $when, is not intercepted");
            is($with->{body}, vendor_body(when => $when, code => $code),
               '... but sent');
            next;
        }

        my $without = ask(connection($plain_port), $request);

        is(shown($with), shown(expected($without, 'mapped', 1, $code)),
           "$code, $when, is intercepted");
        is($with->{headers}{connection}[0],
           $without->{headers}{connection}[0], '... the connection');
    }
}


# the edge status and the verdict count: name, arguments, the page's status

for (['a status that is kept', 'any/?code=1&status=404', 404, 1, 404],
     ['a real 402', 'any/?code=402&status=402', 402, 402, 402],
     ['a real 500 that is 402', 'any/?code=402&status=500', 402, 402, 500])
{
    my ($name, $args, $status, $code, $upstream) = @$_;

    for my $when (qw(early later)) {
        my $with = get($port, "/$args&when=$when");
        my $without = get($plain_port, "/any/?code=$status");

        is(shown($with), shown(expected($without, 'mapped', 1, $code,
                                        $upstream)), "$name, $when");
    }
}

for my $when (qw(early later)) {
    my $r = get($port, "/strict/?code=9999&when=$when");

    is($r->{status}, 502, "an unknown code, $when");
    is($r->{body}, '9999 502 acme UNKNOWN  unknown 200 ', '... its page');
    is($r->{headers}{'x-error-code'}[0], '9999', '... and header');

    $r = get($port, "/any/?code=9999&status=503&when=$when");

    is($r->{status}, 503, "an unknown code whose status is kept, $when");
    is($r->{body}, '{"code":403}', '... its page');
    is($r->{headers}{'x-error-code'}[0], '9999', '... and header');
}


# what is not intercepted: name, URI, status, verdict, and when the code comes
# if that is not all the same

my @passed = map {
    my ($name, $uri, $status, $verdict, @only) = @$_;

    map { my $when = $_;
          map { ["$name, $when, $_", "/$uri&when=$when&framing=$_",
                 "$status $verdict"] } qw(length chunked)
    } @only ? @only : qw(early later)
} (
    ['a status below 300', 'any/?code=1', 200, 'mapped'],
    ['an unknown code with a status below 300', 'any/?code=9999', 200,
     'unknown'],
    ['success', 'any/?code=0&status=503', 503, 'success'],
    ['none', 'any/?code=null&status=503', 503, 'none'],
    ['another type', 'any/?code=402&type=text/plain&status=503', 503,
     'skipped'],
    ['no page for 408', 'default/?code=408', 408, 'mapped'],
    ['no page for 444', 'default/?code=444', 444, 'mapped'],
    ['no page', 'no-page/?code=402', 402, 'mapped'],
    ['switched off', 'intercept-off/?code=402', 402, 'mapped'],
    ['dry run', 'dry/?code=402', 200, 'mapped'],
    ['dry run of a real 503', 'dry/?code=402&status=503', 503, 'mapped'],
    ['hold timeout', 'timeout/?code=402&pause=1.5', 200, 'undecided', 'later'],
    ['hold size', 'size/?code=402', 200, 'undecided', 'later'],
);

for my $r (fetch(map { $_->[1] } @passed)) {
    my ($name, $uri, $status) = @{ shift @passed };
    my ($code, $when) = $uri =~ /code=(\w+).*when=(\w+)/;

    is("$r->{status} $r->{headers}{'x-verdict'}[0] $r->{complete}",
       "$status 1", $name);
    is($r->{body}, vendor_body(when => $when, code => $code), '... sent');
    is($r->{headers}{'set-cookie'}[0], 'vendor=1', '... with its headers');
}


# error pages of error pages

for my $when (qw(early later)) {
    my $r = get($port, "/recursive/?when=$when");

    is($r->{body}, '403 403 acme INTERNAL title of 403 mapped 200 ',
       "recursive, $when: the second page");
    is("$r->{status} $r->{headers}{'x-error-code'}[0]", '403 403',
       '... with its status');

    $r = get($port, "/not-recursive/?when=$when");

    is($r->{body}, vendor_body(when => $when, code => 403),
       "not recursive, $when: the second vendor's body");
    is("$r->{status} $r->{headers}{'x-error-code'}[0]", '403 403',
       '... with its status');

    for my $place (qw(loop loop-named)) {
        $r = get($port, "/$place/?code=402&when=$when");

        is($r->{status}, 500, "$place, $when, ends");
        like($r->{body}, qr/500 Internal Server Error/,
             '... with the page of nginx');
    }
}


# responses of the edge's own

for my $uri ('local/return', 'local/small.json', 'local/large.json',
             'local-threads/small.json', 'local-threads/large.json')
{
    my $c = connection($port);

    for my $n (1 .. 10) {
        page_ok(ask($c, "GET /$uri HTTP/1.1\r\nHost: e\r\n\r\n"),
                plain(uri('return', 'on', $ways[0])), 'return', "$uri, $n");
    }
}


# ... and of its cache's

my $key = 0;

for my $place (qw(cached cached-threads)) {
    for my $way (@ways[0, 1, 3, 4]) {
        for my $rest (0, 300000) {
            $key++;

            my $uri = "x?key=$key&plain=1&ranges=1&when=$way->[0]"
                      . "&framing=$way->[1]&rest=$rest&pause=0.005&page";

            my $r = get($port, "/$place/$uri=cache-status");

            is("$r->{status} $r->{body} $r->{headers}{'x-cache'}[0]",
               '402 page MISS', "$place, $way->[0], $way->[1], $rest, MISS");

            get($port, "/fill/$uri=");

            is(get($port, "/fill/$uri=")->{headers}{'x-cache'}[0], 'HIT',
               '... fills the cache');

            $r = get($port, "/$place/$uri=cache-status");

            is("$r->{status} $r->{body} $r->{headers}{'x-cache'}[0]",
               '402 page HIT', '... HIT');

            for my $page (qw(return proxied static)) {
                my $file = $page eq 'static' ? 'static.json' : $page;

                page_ok(get($port, "/$place/$uri=$file"),
                        plain(uri($page, 'on', $ways[0])), $page,
                        "... $page");
            }
        }
    }
}

# that a range can be had of what is cached does not make it one of the page

for my $when (qw(early later)) {
    for my $range ('', "Range: bytes=0-2\r\n") {
        for my $time (qw(first second)) {
            page_ok(get($port, "/ranges/x?key=r$when&plain=1&ranges=1"
                               . "&when=$when", headers => $range),
                    plain(uri('as-it-is', 'on', $ways[0])), 'as-it-is',
                    "cached, $when, the $time time, $range");

            get($port, "/fill/x?key=r$when&plain=1&ranges=1&when=$when");
        }
    }
}

# those who wait for another one to fill the cache do not wait for ever

for my $r (fetch(('/cached/x?key=lock&when=later&page=return') x 3)) {
    page_ok($r, plain(uri('return', 'on', $ways[0])), 'return', 'cache lock');
}


# subrequests

for my $file (qw(page stub)) {
    my @included = map {
        my $way = $_;
        map { my $mode = $_;
              map { [$_, $mode, $way] }
                  qw(return proxied), $file eq 'page'
                  ? qw(static vars named second second-none off-vars) : ()
        } qw(on off)
    } @ways;

    my @uris = map { my ($page, $mode) = @$_;
                     uri(@$_) =~ s{^[^?]*\?}
                                  {/ssi/$file.html?mode=$mode&page=$page&}r
                   } @included;
    my %without;

    for my $with (fetch(@uris)) {
        my ($page, $mode, $way) = @{ shift @included };
        my $without = $without{$page} ||= get($plain_port, $uris[0]);

        is(shown($with), shown(expected($without, 'skipped')),
           "SSI, $file, code $way->[0], $way->[1], $mode, $page");
        shift @uris;
    }
}

is(get($port, '/ssi/page.html?mode=on&page=vars&code=402')->{body},
   "[$mapped]", '... it is the page');

my $guarded = get($port, '/guarded/static.json');

is($guarded->{status}, 200, 'auth_request is skipped');
is($guarded->{body}, slurp("$dir/static.json"), '... and grants access');


# with problem bodies

for my $when (qw(early later)) {
    page_ok(get($port, "/problem/?code=402&when=$when"),
            plain(uri('return', 'on', $ways[0])), 'return',
            "an error page wins over a problem body, $when");

    my $r = get($port, "/problem/?code=403&when=$when");

    is("$r->{status} $r->{headers}{'content-type'}[0]",
       '403 application/problem+json', '... which is there without one');
    like($r->{body}, qr/"code":"403"/, '... with the code');
}


# with proxy_intercept_errors

for my $when (qw(early later)) {
    my $r = get($port, "/with-proxy/?status=502&code=402&when=$when");

    is("$r->{status} $r->{body}", '502   acme   skipped  ',
       "a real 502 goes its usual way, $when");
    is($r->{headers}{'x-error-code'}, undef, '... without a code');

    $r = get($port, "/with-proxy/?code=402&when=$when");

    is("$r->{status} $r->{body}", "402 $mapped", '... and a mapped 402 this');
    is($r->{headers}{'x-error-code'}[0], 402, '... with its code');
}


# thousands of them

{
    my (@memory, $got);

    for my $way (@ways[3, 6, 9]) {
        for my $count (50, 250) {
            my @uris = map { uri('return', $_, $way, '&pause=0.001&plain=1') }
                           (qw(on off)) x ($count / 2);

            my @lists = pipelines($port, (\@uris) x 8);

            $got += grep { $_->{status} == 402 && $_->{body} eq '{"code":403}' }
                         map { @$_ } @lists;

            push @memory, memory(worker($server), 'VmRSS');
        }

        cmp_ok($memory[-1] - $memory[-2], '<', 10_000,
               "no memory is kept of thousands, code $way->[0]");
    }

    is($got, 3 * 8 * 300, '... which are all intercepted');
    is(connections($port), $alone, '... nor a connection');
}

stop($server);


# where the directive may stand, and what it is without

my $on = free_port();
my $off = free_port();

$server = start(port => $on, http => <<"END");
    error_map tencent_iotvideo;
    default_type application/json;
    error_map_intercept on;

    server {
        listen 127.0.0.1:$on;
        error_page 402 /page;
        location = /page { return 200 page; }
        location /body { return 200 '{"StatusCode":42505}'; }

        location /off/body {
            error_map_intercept off;
            return 200 '{"StatusCode":42505}';
        }
    }

    server {
        listen 127.0.0.1:$off;
        error_map_intercept off;
        error_page 402 /page;
        location = /page { return 200 page; }
        location /body { return 200 '{"StatusCode":42505}'; }

        location /on/body {
            error_map_intercept on;
            return 200 '{"StatusCode":42505}';
        }
    }
END

for ([$on, '/body', 'page'], [$on, '/off/body', '{"StatusCode":42505}'],
     [$off, '/body', '{"StatusCode":42505}'], [$off, '/on/body', 'page'])
{
    is(get($_->[0], $_->[1])->{body}, $_->[2], "inherited, $_->[1]");
}

stop($server);

$server = start(port => $on, http => <<"END");
    error_map tencent_iotvideo;
    default_type application/json;

    server {
        listen 127.0.0.1:$on;
        error_page 402 /page;
        location = /page { return 200 page; }
        location /body { return 200 '{"StatusCode":42505}'; }
    }
END

is(get($on, '/body')->{body}, '{"StatusCode":42505}', 'off by default');

stop($server);

like(configuration_error($_->[0]), $_->[1], $_->[0]) for
    ['error_map_intercept maybe;',
     qr/invalid value "maybe" in "error_map_intercept" directive/],
    ['error_map_intercept on; error_map_intercept on;',
     qr/"error_map_intercept" directive is duplicate/],
    ['error_map_intercept;', qr/invalid number of arguments/];

done_testing();
