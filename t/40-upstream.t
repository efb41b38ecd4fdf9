# error_map_upstream: nginx's upstream layer handles an error inside a 200 as a
# real status.  Each request goes to an edge with it on, to one with it off, and
# to a plain nginx whose vendors send real statuses; the first and the last must
# agree.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use ErrorMap qw(:DEFAULT replace);
use ErrorMapUpstream;
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(sleep);

my @sides = qw(on plain off);
my %port = map { $_ => free_port() } @sides;
my ($tls_port, $own_port) = (free_port(), free_port());

my $dir = tempdir(CLEANUP => 1);
chmod 0755, $dir;


# An argument with the name of a vendor has its code, or a file does, which a
# test may change; "die" closes the connection.

sub answer {
    my ($name, $uri, $real, $request_body, $n) = @_;

    my ($code) = $uri =~ /[?&]$name=([\w.]+)/;
    $code = slurp("$dir/$1") if $uri =~ /[?&]file=([\w-]+)/;
    $code = 0 if !defined $code;

    return if $code eq 'die';

    my $status = $real && $code ? $code : 200;
    ($status, $code) = ($1, $2) if $code =~ /^(\d+)\.(\d+)/;

    my $body = qq({"code":$code,"vendor":"$name","got":")
               . md5_hex($request_body) . '"}';
    my $head = "Content-Type: application/json\r\nX-Vendor: $name\r\n"
               . "X-N: $n\r\nX-Error-Code: spoofed\r\nETag: \"$code\"\r\n";

    # nginx would not cache it

    $head .= "Set-Cookie: vendor=$name\r\n"
        if $uri !~ /cache|stale|background|reval/;
    $head .= "X-Accel-Redirect: /inner\r\n" if $uri =~ /accel/;
    $head .= "Cache-Control: max-age=1\r\n"
        if $uri =~ /stale/ && $uri !~ /background/;

    return ($status, $head, $body);
}

my @names = qw(a b c);
my @protocols = cgi_protocols();
my %vendor = map { $_ => http_vendor($_, \&answer) } @names;
my %name_of = reverse %vendor;

for my $protocol (@protocols) {
    for my $name (qw(a b)) {
        my $port = cgi_vendor($name, $protocol, \&answer);
        $vendor{"$protocol-$name"} = $port;
        $name_of{$port} = $name;
    }
}

$name_of{$tls_port} = 'tls';

system("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=vendor -days 9"
       . " -keyout $dir/key.pem -out $dir/cert.pem 2>$dir/openssl") == 0
    or die slurp("$dir/openssl");


# Upstreams and locations, once for each side: name, servers and other
# directives of the upstream, directives of the location; "pass" if it is not
# the upstream.

my %server = map { $_ => "server 127.0.0.1:$vendor{$_}" } keys %vendor;

# the first server is always the first to be tried

my $two = "$server{a} max_fails=0 weight=9999; $server{b} max_fails=0;";
my $three = "$two $server{c} max_fails=0;";
my $next = 'proxy_next_upstream error http_503 http_429;';
my $keepalive = 'proxy_http_version 1.1; proxy_set_header Connection "";'
                . ' proxy_set_header X-Real $real;';
my $post = 'proxy_next_upstream http_503 non_idempotent;';
my $cache = 'proxy_cache cache; proxy_cache_key %S$request_uri;'
            . ' add_header X-Cache $upstream_cache_status always; %VARS%';

my @setup = (
    [next => $two, $next],
    [never => $two, 'proxy_next_upstream off;'],
    [other => $two, 'proxy_next_upstream http_500;'],
    [unbuffered => $two, "$next proxy_buffering off;"],
    [non => $two, $post],
    [nobuf => $two, "$post proxy_request_buffering off;"],
    [tempfile => $two, "$post client_body_buffer_size 1k;"],
    [tries => $three, "$next proxy_next_upstream_tries 2;"],
    [timeout => $two, "$next proxy_next_upstream_timeout 10ms;"],
    [fails => "$server{a} max_fails=1 fail_timeout=60s weight=9999;"
              . " $server{b};", $next],
    [backup => "$server{a} max_fails=0; $server{b} backup;", $next],
    [least => "least_conn; $three", $next],
    [ip => "ip_hash; $three", $next],
    [hash => "hash \$request_uri consistent; $three", $next],
    [random => "random; $three", $next],
    [zone => "zone %S-zone 256k; $three", $next],
    [keep => "$two keepalive 4;", "$next $keepalive"],
    [keepleast => "least_conn; $two keepalive 4;", "$next $keepalive"],
    [tls => "server 127.0.0.1:$tls_port max_fails=0 weight=9999;"
            . " server 127.0.0.2:$tls_port max_fails=0;",
     $next, 'https://%U'],
    [literal => $two, $next, "http://127.0.0.1:$vendor{a}"],
    [address => $two, $next, "http://\$address"],
    [name => $two, $next, 'http://$side-%N'],

    [return => $two, 'proxy_intercept_errors on; error_page 402 503 /page;'],
    [named => $two, 'proxy_intercept_errors on; error_page 402 503 @page;'],
    [proxied => $two, 'proxy_intercept_errors on; error_page 402 503 = @good;'],
    [both => $two, "$next proxy_intercept_errors on;"
                   . ' error_page 402 503 /page;'],

    [uncached => $two, "$cache proxy_cache_valid 200 1m;"],
    [cached => $two, "$cache proxy_cache_valid 200 503 1m;"],
    [stale => "$server{a} max_fails=0;", "$cache proxy_cache_valid 200 1s;"
     . ' proxy_cache_use_stale http_503;'],
    [background => "$server{a} max_fails=0;", "$cache proxy_cache_valid 200 1s;"
     . ' proxy_cache_use_stale updating; proxy_cache_background_update on;'],
    [revalidate => "$server{a} max_fails=0;", "$cache proxy_cache_valid 200 1m;"
     . ' proxy_cache_revalidate on;'],
    [accel => $two, $next],
);

for my $protocol (@protocols) {
    my ($x, $y) = map { "$server{qq($protocol-$_)} max_fails=0 weight="
                      . ($_ eq 'a' ? 9999 : 1) . ';' } qw(a b);
    my $param = "${protocol}_param URI '<\$request_uri \$real>';";

    push @setup,
        ["$protocol-next", "$x $y",
         "${protocol}_next_upstream http_503; $param", $protocol],
        ["$protocol-error", "$x", "${protocol}_intercept_errors on;"
         . " error_page 402 503 /page; $param", $protocol],
        ["$protocol-cache", "$x", "${protocol}_cache_valid 200 1m; $param"
         . ($cache =~ s/proxy_cache cache/proxy_cache $protocol/r
                   =~ s/proxy_/${protocol}_/gr), $protocol];
}

my $vars = '$error_map_verdict $error_map_code $error_map_status'
           . ' $error_map_upstream_status';
my $headers = 'add_header X-Tried "$upstream_status $upstream_addr" always;'
              . " add_header X-Vars \"$vars\" always;";

my %locations;
my $upstreams = '';

for (@sides) {
    (my $text, $locations{$_}) = side($_, \@setup, { '%VARS%' => $headers });
    $upstreams .= $text;
}

my %more = (
    on => 'error_map acme; error_map_upstream on; proxy_set_header X-Real "";',
    off => 'error_map acme; proxy_set_header X-Real "";',
    plain => 'set $real 1; proxy_set_header X-Real 1;',
);

my $rows = join '', map { "$_ $_ INTERNAL \"title $_\";\n" }
                    402, 403, 404, 429, 500, 503;

my $edges = join '', map { <<"END" } @sides;
    server {
        listen 127.0.0.1:$port{$_};
        set \$real "";
        set \$side $_;
        set \$address 127.0.0.1:$vendor{a};
        $more{$_}
        $headers
        proxy_ssl_server_name on;

        $locations{$_}

        location = /page { return 200 "page \$error_map_code"; }
        location \@page { return 410 "named \$error_map_code"; }
        location \@good { proxy_pass http://127.0.0.1:$vendor{c}; }
        location = /inner { internal; default_type text/plain; return 200 in; }

        location = /ssi {
            ssi on;
            default_type text/html;
            return 200 '[<!--#include virtual="/next?a=503&b=0" -->]';
        }

        location = /guarded {
            auth_request /guard;
            proxy_pass http://127.0.0.1:$vendor{b};
        }

        location = /guard {
            internal;
            proxy_pass http://127.0.0.1:$vendor{a}\$request_uri;
        }

        location = /mirrored {
            mirror /guard;
            proxy_pass http://127.0.0.1:$vendor{b};
        }

        location = /head { proxy_pass http://$_-next; $next }
    }
END

my $server = start(port => $port{on}, http => <<"END");
    error_map_document acme {
        source   json /code;
        success  0;
        $rows
    }

    log_format vars '\$request_uri \$status \$upstream_status $vars'
                    ' [\$upstream_cache_status]';
    proxy_cache_path    %DIR%/cache keys_zone=cache:1m;
    uwsgi_cache_path    %DIR%/uwsgi-cache keys_zone=uwsgi:1m;
    scgi_cache_path     %DIR%/scgi-cache keys_zone=scgi:1m;
    fastcgi_cache_path  %DIR%/fastcgi-cache keys_zone=fastcgi:1m;
    client_max_body_size 10m;
    $upstreams
    $edges

    server {
        listen 127.0.0.1:$tls_port ssl;
        listen 127.0.0.2:$tls_port ssl;
        ssl_certificate $dir/cert.pem;
        ssl_certificate_key $dir/key.pem;
        default_type application/json;
        return 200 '{"code":\$arg_tls}';
    }

    server {
        listen 127.0.0.1:$own_port;
        error_map acme;
        error_map_upstream on;
        access_log %DIR%/access.log vars;

        location = /dry {
            error_map_dry_run on;
            proxy_pass http://on-next;
            $next
            $headers
        }

        location = /problem {
            error_map_body problem;
            error_map_proxy_status edge;
            proxy_pass http://on-never;
        }

        location = /intercept {
            error_map_intercept on;
            error_page 503 /page;
            proxy_pass http://on-next;
            $next
        }

        location = /page {
            error_map_proxy_status edge;
            return 200 "page $vars";
        }

        location = /no-cache {
            proxy_pass http://127.0.0.1:$vendor{a};
            proxy_cache cache;
            proxy_cache_valid any 1m;
            proxy_no_cache \$error_map_code;
            add_header X-Cache \$upstream_cache_status always;
        }

        location / { proxy_pass http://on-next; $next }
    }
END


# a client's view: status, statuses and vendors in turn, body, headers

sub tried {
    my ($r) = @_;

    my $tried = ($r->{headers}{'x-tried'} || ['none'])->[0];

    $tried =~ s/127\.0\.0\.[12]:(\d+)/$name_of{$1}/g;
    return $tried;
}

sub view {
    my ($r) = @_;

    return join "\n", $r->{status}, tried($r),
        $r->{body} =~ s/^(page|named) .*/$1/r, $r->{complete},
        map { my $name = $_;
              map { "$name: $_" } @{ $r->{headers}{$name} || [] } }
        qw(content-type x-vendor set-cookie x-cache);
}

sub ask {
    my ($side, $uri, %arg) = @_;

    my $body = $arg{body};
    my $headers = $arg{headers} || '';
    my $method = $arg{method} || (defined $body ? 'POST' : 'GET');

    $headers .= 'Content-Length: ' . length($body) . "\r\n" if defined $body;

    my $port = $port{$side} || $own_port;

    return parse(exchange($port, "$method $uri HTTP/1.1\r\nHost: e\r\n"
        . "Connection: close\r\n$headers\r\n"
        . (defined $body ? $body : ''))->{bytes});
}

sub told {
    my ($r) = @_;

    return join ' ', map { "$_=" . join '+', @{ $r->{headers}{"x-$_"} || [] } }
                     qw(error-code error-source upstream-status);
}

my $told = sub { "error-code=$_[0] error-source=acme upstream-status=200" };
my $silent = 'error-code= error-source= upstream-status=';


# one request, three times: URI, status, vendors tried, code of the response

sub thrice {
    my ($uri, $status, $tried, $code, %arg) = @_;

    my ($on, $plain, $off) = map { ask($_, $uri, %arg) } @sides;
    my $name = $arg{name} || $uri;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is("$on->{status} " . tried($on), "$status $tried", $name);
    is(view($on), view($plain), '... as with real statuses') if !$arg{alone};
    is(told($on), $code ? $told->($code) : $silent, '... told once');
    unlike(tried($off), qr/,/, '... off, one is tried') if !$arg{off};
    is(($off->{headers}{'x-tried'}[0] || '') =~ /^(\d+)/ && $1, 200,
       '... with status 200') if !$arg{off};

    return ($on, $plain, $off);
}


# the next server

for my $how ('', '&later', '&chunked', '&chunked&later') {
    for my $name (qw(next unbuffered keep name)) {

        # round robin goes on to b once a has answered, so both fail first

        thrice("/$name?a=503&b=503$how", 503, '503, 503 a, b', 503);
        thrice("/$name?a=503&b=0$how", 200, '503, 200 a, b', '');
    }
}

# a vendor that dies before its header is retried as without the module

thrice('/next?a=die&b=503', 503, '502, 503 a, b', 503, off => 1);
thrice('/next?a=402&b=0', 402, '402 a', 402);
thrice('/next?a=0&b=0', 200, '200 a', '');
thrice('/next?a=77&b=0', 200, '200 a', 77, alone => 1);
thrice('/other?a=503&b=0', 503, '503 a', 503);
thrice('/never?a=503&b=503', 503, '503 a', 503);

# a real 503 with another code in its body, and the reverse

for (['/next?a=503.402&b=402', 402, '402 a', 402],
     # a success keeps its status

     ['/next?a=503.0&b=0', 200, '503, 200 a, b', ''])
{
    my ($uri, $status, $tried, $code) = @$_;
    my $r = ask('on', $uri);

    is("$r->{status} " . tried($r), "$status $tried", "$uri");
}

is((ask('on', '/next?a=503.402&b=402'))->{headers}{'x-upstream-status'}[0],
   503, "the vendor's own status stays");


# a POST goes to one server only, unless non_idempotent allows more

thrice('/next?a=503&b=503', 503, '503 a', 503, body => 'small');
thrice('/non?a=503&b=0', 200, '503, 200 a, b', '', body => 'small');

my $large = join '', map { sprintf '%07d', $_ } 1 .. 200_000;

for my $body ($large, 'x' x 2000) {
    my ($on) = thrice('/tempfile?a=503&b=0&later', 200, '503, 200 a, b', '',
                      body => $body, name => length($body) . ' bytes, a file');

    like($on->{body}, qr/"b","got":"@{[md5_hex($body)]}"/, '... in full');
}

like(slurp("$server->{dir}/error.log"),
     qr/client request body is buffered to a temporary file/,
     '... the body was in a file');

thrice('/nobuf?a=503&b=503', 503, '503 a', 503, body => $large);


# tries and time

thrice('/tries?a=503&b=503&c=0', 503, '503, 503 a, b', 503);
# the wait for the body counts, a real status does not wait

thrice('/timeout?a=503&b=0&later', 503, '503 a', 503, alone => 1);


# a server that fails is skipped, and the backup is tried

for (1 .. 2) {
    my $tried = $_ == 1 ? '503, 200 a, b' : '200 b';

    thrice('/fails?a=503&b=0', 200, $tried, '', off => 1);
    thrice('/backup?a=503&b=0', 200, '503, 200 a, b', '');
}


# every balancer finds the good server

for my $name (qw(least ip hash random zone)) {
    for my $how ('', '&later') {
        for (1 .. 3) {
            my @r = map { ask($_, "/$name?a=503&b=503&c=0$how") }
                    qw(on plain);

            for (@r) {
                like("$_->{status} " . tried($_),
                     qr/^200 (?:503, )*200 (?:\w, )*c$/, "$name$how");
                like($_->{body}, qr/"code":0,"vendor":"c"/, '... its body');
            }

            is(told($r[0]), $silent, '... without headers');
        }

        my $r = ask('on', "/$name?a=503&b=503&c=503$how");

        like("$r->{status} " . tried($r),
             qr/^503 503, 503, 503 \w, \w, \w$/, "$name$how, all fail");
        is(told($r), $told->(503), '... told once');
    }
}

# keep-alive: the connection of a failure is closed, that of a success is kept

for my $name (qw(keep keepleast)) {
    for my $n (1 .. 3) {
        my $on = ask('on', "/$name?a=503&b=0&later");
        my $plain = ask('plain', "/$name?a=503&b=0&later");

        is($on->{status}, 200, "$name, $n");
        like(tried($on), qr/200 (?:a, )?b$/, '... b is the last');
        is(view($on), view($plain), '... as with real statuses');
        is($on->{headers}{'x-n'}[0], $plain->{headers}{'x-n'}[0],
           '... on the same kind of connection');
    }

    cmp_ok(ask('on', "/$name?a=503&b=0")->{headers}{'x-n'}[0], '>', 1,
           "$name, the connection is kept");
}


# TLS, and names and addresses that a variable has

thrice('/tls?tls=503', 503, '503, 503 tls, tls', 503, alone => 1);
thrice('/tls?tls=0', 200, '200 tls', '', alone => 1);
thrice("/$_?a=503", 503, '503 a', 503),
    thrice("/$_?a=0&later", 200, '200 a', '') for qw(literal address);


# error pages without the vendor's body and headers

for my $how ('', '&later') {
    my $uri = "?a=503&b=503$how";

    my ($on) = thrice("/return$uri", 503, '503 a', 503);
    is($on->{body}, 'page 503', '... the page, with variables');

    ($on) = thrice("/named$uri", 503, '503 a', 503);
    is($on->{body}, 'named 503', '... the page, with variables');

    ($on) = thrice("/both$uri", 503, '503, 503 a, b', 503);
    is($on->{body}, 'page 503', '... the page, with variables');

    thrice("/both?a=503&b=0$how", 200, '503, 200 a, b', '');

    ($on) = thrice("/proxied$uri&c=0", 200, '503 : 200 a : c', '',
                   alone => 1, off => 1);
    like($on->{body}, qr/"vendor":"c"/, "... another vendor's page");

    thrice("/proxied$uri&c=402", 402, '503 : 402 a : c', 402,
           alone => 1, off => 1);
}

for my $how ('', '&later') {
    my $r = ask('own', "/intercept?a=503&b=503$how");

    is($r->{body}, 'page mapped 503 503 200', "error_map_intercept$how");
    is(told($r), $told->(503), '... told once');
    is(join('+', @{ $r->{headers}{'proxy-status'} || [] }),
       'edge; received-status=200; details="acme 503 INTERNAL"',
       '... Proxy-Status once');

    $r = ask('own', "/problem?a=503&b=503$how");

    is("$r->{status} $r->{headers}{'content-type'}[0]",
       '503 application/problem+json', "error_map_body problem$how");
    like($r->{body}, qr/^\{"type".*"status":503,.*"upstream_status":200\}$/,
         '... in full');
    is("$r->{complete} " . told($r), '1 ' . $told->(503), '... told once');
    is(join('+', @{ $r->{headers}{'proxy-status'} || [] }),
       'edge; received-status=200; details="acme 503 INTERNAL"',
       '... Proxy-Status once');
}

my $dry = ask('own', '/dry?a=503&b=503');
is("$dry->{status} " . tried($dry), '200 200 a', 'dry run, no retry');
is($dry->{headers}{'x-vars'}[0], 'mapped 503 503 200', '... but a verdict');
like(told($dry), qr/^error-code=spoofed error-source= /, '... and no headers');


# the cache keeps an error only if its status is cacheable

for my $how ('', '&later') {
    for my $n (1, 2) {
        my ($on, $plain) = map { ask($_, "/uncached?a=503&b=503$how") }
                           qw(on plain);

        is($on->{headers}{'x-cache'}[0], 'MISS', "not cached$how, $n");
        is(view($on), view($plain), '... as with real statuses');
        is(told($on), $told->(503), '... told once');

        ($on, $plain) = map { ask($_, "/cached?a=503&b=503$how") }
                        qw(on plain);

        is("$on->{status} " . $on->{headers}{'x-cache'}[0],
           $n == 1 ? '503 MISS' : '503 HIT', "cached as 503$how, $n");
        is($on->{body}, $plain->{body}, '... as with real statuses');
        is(told($on), $told->(503), '... told once');

        ask('off', "/uncached?a=503&b=503$how");
    }

    is(ask('off', "/uncached?a=503&b=503$how")->{headers}{'x-cache'}[0], 'HIT',
       "... off, it is cached$how");

    is(ask('on', "/uncached?a=0&b=0$how")->{headers}{'x-cache'}[0], $_,
       "a success is cached, $_$how") for qw(MISS HIT);

    is(ask('own', "/no-cache?a=503$how")->{headers}{'x-cache'}[0], 'MISS',
       "proxy_no_cache$how") for 1, 2;
}


# a vendor changes its response: the stale success is sent instead of the error

sub state {
    my ($name, $code) = @_;

    replace("$dir/$name", $code);
}

state('mind', 0);

my @hows = ('', '&later');
my @uris = map { my $how = $_; map { "/$_?stale&file=mind$how" }
                               qw(stale background) } @hows;
my @revalidate = map { "/revalidate?stale&reval&file=mind$_" } @hows;

for my $side (@sides) {
    is(ask($side, $_)->{headers}{'x-cache'}[0], 'MISS', "$side, $_, new")
        for @uris, @revalidate;
}

sleep 2.1;

for my $side (@sides) {
    for my $uri (@revalidate) {
        my $r = ask($side, $uri);

        is("$r->{status} $r->{headers}{'x-cache'}[0]", '200 REVALIDATED',
           "$side, $uri");
    }
}

state('mind', 503);
sleep 2.1;

for my $how (@hows) {
    my ($on, $plain, $off) = map { ask($_, "/stale?stale&file=mind$how") }
                             @sides;

    is(view($on), view($plain), "stale$how, as with real statuses");
    is("$on->{status} $on->{headers}{'x-cache'}[0] " . told($on),
       "200 STALE $silent", '... the stale success');
    is($on->{headers}{'x-vars'}[0], 'success 0 200 200', '... its variables');
    is("$off->{status} $off->{headers}{'x-cache'}[0]", '503 EXPIRED',
       '... off, the error');

    for my $n (1, 2, 3) {
        ($on, $plain, $off)
            = map { ask($_, "/background?stale&file=mind$how") } @sides;

        is("$on->{status} $on->{headers}{'x-cache'}[0]", '200 STALE',
           "in the background$how, $n");
        is("$plain->{status} $plain->{headers}{'x-cache'}[0]", '200 STALE',
           '... as with real statuses');

        # the update must have ended

        sleep 0.3;
    }

    is($off->{status}, 503, '... off, the error takes its place');

    my @r = map { ask($_, "/revalidate?stale&reval&file=mind$how") }
            qw(on plain);

    is(view($r[0]), view($r[1]), "error while revalidating$how");
    is(told($r[0]), $told->(503), '... told once');
}


# the other protocols

for my $protocol (@protocols) {
    for my $how ('', '&later') {
        thrice("/$protocol-next?a=503&b=503$how", 503, '503, 503 a, b', 503);
        thrice("/$protocol-next?a=503&b=0$how", 200, '503, 200 a, b', '');
        thrice("/$protocol-next?a=402&b=402$how", 402, '402 a', 402);
        thrice("/$protocol-next?a=0&b=0$how", 200, '200 a', '');

        my ($on) = thrice("/$protocol-error?a=503$how", 503, '503 a', 503);
        is($on->{body}, 'page 503', '... the page, with variables');

        thrice("/$protocol-cache?a=503$how", 503, '503 a', 503);

        is(ask('on', "/$protocol-cache?a=503$how")->{headers}{'x-cache'}[0],
           'MISS', '... still not cached');
    }
}


# responses that pass unchanged

for (['HEAD', '/head?a=503&b=503'], ['GET', '/accel?a=503&accel'])
{
    my ($method, $uri) = @$_;
    my $r = ask('on', $uri, method => $method);

    is("$r->{status} " . told($r), $method eq 'HEAD'
       ? '200 error-code=spoofed error-source= upstream-status='
       : "200 $silent", "$method $uri passes unchanged");
    is($r->{body}, $method eq 'HEAD' ? '' : 'in', '... its body');
}


# subrequests

my $ssi = ask('on', '/ssi');
like($ssi->{body}, qr/^\[\{"code":0,"vendor":"b".*\}\]$/,
     'SSI, the second one');
is(ask('plain', '/ssi')->{body}, $ssi->{body}, '... as with real statuses');

for (['403', 403], ['402', 500], ['0', 200]) {
    my ($code, $status) = @$_;

    for my $how ('', '&later') {
        my @status = map { ask($_, "/guarded?a=$code$how")->{status} } @sides;

        is("@status", "$status $status 200", "auth_request, $code$how");
    }
}

for my $how ('', '&later') {
    my $r = ask('on', "/mirrored?a=503&b=0$how");

    is("$r->{status} " . told($r), "200 $silent", "mirror$how");
}


# the access log: a line for each request

my $n = () = slurp("$server->{dir}/access.log") =~ /\n/g;

ask('own', '/log?a=503&b=0');
ask('own', '/log?a=503&b=503&later');
ask('own', '/no-cache?a=503&log');
sleep 0.1;

my @log = split /\n/, slurp("$server->{dir}/access.log");

is(join("\n", splice @log, $n), <<'END' =~ s/\n$//r, 'the access log');
/log?a=503&b=0 200 503, 200 success 0 200 200 [-]
/log?a=503&b=503&later 503 503, 503 mapped 503 503 200 [-]
/no-cache?a=503&log 503 503 mapped 503 503 200 [MISS]
END

stop($server);
done_testing();
