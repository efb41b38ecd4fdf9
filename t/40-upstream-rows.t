# The parameters next_upstream and fails of a policy's rows.  Each request goes
# to an edge whose vendors say their errors inside a 200, and to a plain nginx
# whose vendors send real statuses that its proxy_next_upstream has, 404 where a
# failure is not counted, or has not.  Both must ask the same servers, and send
# the same responses but for these statuses.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use ErrorMap qw(:DEFAULT replace);
use ErrorMapHttp qw(version);
use ErrorMapUpstream;
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(sleep);

my @sides = qw(on plain);
my %port = map { $_ => free_port() } @sides;
my $tls_port = free_port();

my $dir = tempdir(CLEANUP => 1);
chmod 0755, $dir;


# a code, its row, the edge status, and the vendor's status in the plain nginx

my @row = (
    [402 => 'code acme/402 402 next_upstream retry_after=7s', 402, 503],
    [407 => 'code acme/407 407 next_upstream fails=off', 407, 404],
    [429 => 'code acme/429 429 next_upstream=off', 429, 410],
    [430 => 'code acme/430 429', 429, 503],
    [431 => 'code acme/431 429 fails=off', 429, 404],
    [432 => 'code acme/432 422 fails=off', 422, 422],
    [298 => 'code acme/298 keep next_upstream', 200, 500],
    [299 => 'code acme/299 299 next_upstream fails=off', 299, 404],
    [403 => 'code acme/403 403 next_upstream', 403, 404],
    [503 => 'code acme/503 503 next_upstream', 503, 503],
    [504 => 'code acme/504 503 next_upstream fails=off', 503, 404],
    [505 => 'code acme/505 503', 503, 410],
    [506 => 'code acme/506 404', 404, 410],
    [701 => 'class UNAVAILABLE 451 next_upstream', 451, 503],
    [702 => 'status 456 456 next_upstream', 456, 503],
    [1050 => 'code acme/1000-1099 409 next_upstream', 409, 503],
    [777 => 'unknown 502 next_upstream fails=off', 502, 404],
    [none => 'none no_code 504 next_upstream', 504, 503],
);

my %edge = map { $_->[0] => $_->[2] } @row;
my %real = map { $_->[0] => $_->[3] } @row;

sub codes { return grep { $_ } $_[0] =~ /\b[abc]=(\w+)/g }

sub answer {
    my ($name, $uri, $real, $request_body, $n) = @_;

    my ($code) = $uri =~ /[?&]$name=(\w+)/;
    $code = slurp("$dir/$1") if $uri =~ /[?&]file=([\w-]+)/;
    $code = 0 if !defined $code;

    return if $code eq 'die';

    my $status = ($real && $real{$code}) || 200;
    my $body = ($code eq 'none' ? '{' : qq({"code":$code,))
               . qq("vendor":"$name","got":") . md5_hex($request_body) . '"}';
    my $head = "Content-Type: application/json\r\nX-Vendor: $name\r\n"
               . "X-N: $n\r\nX-Error-Code: spoofed\r\n";

    $head .= "Cache-Control: max-age=1\r\n" if $uri =~ /stale/;
    $body =~ s/^\{/{"pad":"@{['x' x 600]}",/ if $uri =~ /late$/;

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

system("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=vendor -days 9"
       . " -keyout $dir/key.pem -out $dir/cert.pem 2>$dir/openssl") == 0
    or die slurp("$dir/openssl");

my $nobody = free_port();

$name_of{$tls_port} = 'tls';
$name_of{$nobody} = 'nobody';


# name, servers and other directives of the upstream, and directives of the
# location: next_upstream has %NEXT, http_429 for the edge, and for the plain
# nginx the statuses of the table that are to be passed over

my %server = map { $_ => "server 127.0.0.1:$vendor{$_}" } keys %vendor;
my %next = (on => 'http_429', plain => 'http_503 http_404 http_500');

my $two = "$server{a} max_fails=0 weight=9999; $server{b} max_fails=0;";
my $three = "$two $server{c} max_fails=0;";
my $counted = "$server{a} fail_timeout=60s weight=99; "
              . "$server{b} fail_timeout=60s;";

# newer versions of nginx keep connections by default, and ask another server if
# one of these is closed

my $fresh = version() >= 1029007 ? 'keepalive 0;' : '';

my $next = 'proxy_next_upstream error %NEXT;';
my $post = 'proxy_next_upstream error %NEXT non_idempotent;';
my $keepalive = 'proxy_http_version 1.1; proxy_set_header Connection "";'
                . ' proxy_set_header X-Real $real;';
my $cache = 'proxy_cache cache; proxy_cache_key %S$request_uri;'
            . ' add_header X-Cache $upstream_cache_status always; %VARS%';

my %balancer = (round => '', least => 'least_conn;', ip => 'ip_hash;',
                hash => 'hash $arg_key;',
                consistent => 'hash $arg_key consistent;',
                random => 'random;', two => 'random two least_conn;',
                zone => 'zone %S-%N 256k;', keep => 'keepalive 4;');

my @balancers = sort keys %balancer;

my @setup = (
    [next => $two, $next],
    [default => $two, ''],
    [chain => "$two $server{c} backup;", $next],
    [never => $two, 'proxy_next_upstream off;'],
    [unbuffered => $two, "$next proxy_buffering off;"],
    [non => $two, $post],
    [nobuf => $two, "$post proxy_request_buffering off;"],
    [tempfile => $two, "$post client_body_buffer_size 1k;"],
    [tries => "$two $server{c} backup;", "$next proxy_next_upstream_tries 2;"],
    [timeout => $two, "$next proxy_next_upstream_timeout 10ms;"],
    [fresh => "$two $fresh", $next],
    [one => "$server{a};", $next],
    [backup => "$server{a} max_fails=0; $server{b} backup;", $next],
    [refused => "$server{a} max_fails=0 weight=9999; server 127.0.0.1:$nobody"
                . ' max_fails=0; ' . "$server{b} max_fails=0 backup;", $next],
    [lost => "$server{a} max_fails=0 weight=9999; server 127.0.0.1:$nobody"
             . ' max_fails=0;', $next],
    [tls => "server 127.0.0.1:$tls_port max_fails=0 weight=9999;"
            . " server 127.0.0.2:$tls_port max_fails=0;",
     $next, 'https://%U'],
    [small => $two, "$next proxy_buffer_size 512; proxy_buffers 8 512;"
              . ' proxy_busy_buffers_size 1k; proxy_max_temp_file_size 0;'],

    [return => $two, "$next proxy_intercept_errors on;"
               . ' error_page 402 404 503 /page;'],
    [proxied => $two, "$next proxy_intercept_errors on;"
                . ' error_page 402 503 = @good;'],

    [uncached => $two, "$cache $next proxy_cache_valid 200 1m;"],
    [stale => $two, "$cache $next proxy_cache_valid 200 1s;"
              . ' proxy_cache_use_stale http_503;'],

    (map { my $kind = $_;
           map { (my $directives = $balancer{$_}) =~ s/%N/$_-$kind/;
                 my $first = /^(?:ip|hash|consistent|random|two)$/;
                 my $servers = $kind eq 'all' ? $three : $counted;
                 $servers =~ s/ weight=\d+//g if $first;
                 ["$_-$kind", $_ eq 'keep' ? "$servers $directives"
                                           : "$directives $servers",
                  $_ eq 'keep' ? "$next $keepalive" : $next] } @balancers }
     qw(all counted off)),
);

for my $protocol (@protocols) {
    my ($x, $y) = map { "$server{qq($protocol-$_)} max_fails=0 weight="
                      . ($_ eq 'a' ? 9999 : 1) . ';' } qw(a b);
    my $param = "${protocol}_param URI '<\$request_uri \$real>';";

    push @setup, [$protocol, "$x $y",
                  "${protocol}_next_upstream error %NEXT; $param", $protocol];
}

my $headers = 'add_header X-Tried "$upstream_status $upstream_addr" always;'
              . ' add_header X-Codes $error_map_upstream_codes always;';

my %locations;
my $upstreams = '';

for (@sides) {
    (my $text, $locations{$_}) = side($_, \@setup, { '%NEXT' => $next{$_},
                                                       '%VARS%' => $headers });
    $upstreams .= $text;
}

my %more = (
    on => 'error_map acme policy=rows; error_map_upstream on;'
          . ' proxy_set_header X-Real "";',
    plain => 'set $real 1; proxy_set_header X-Real 1;',
);

my $rows = join '', map { $_->[1] . ";\n" } @row;

my $edges = join '', map { <<"END" } @sides;
    server {
        listen 127.0.0.1:$port{$_};
        set \$real "";
        $more{$_}
        $headers

        $locations{$_}

        location = /page { return 200 "page \$error_map_code"; }
        location \@good {
            proxy_pass http://127.0.0.1:$vendor{c};
            proxy_next_upstream off;
        }

        location = /ssi {
            ssi on;
            default_type text/html;
            return 200 '[<!--#include virtual="/next?a=402&b=0" -->]';
        }
    }
END

my $server = start(port => $port{on}, http => <<"END");
    error_map_document acme {
        source   json /code;
        success  0;
        701      -    UNAVAILABLE  "by class";
        702      456  INTERNAL     "by status";
        range    1000-1099  -  INTERNAL  "a range";
@{[join '', map { $_->[1] =~ m{^code acme/(\d+) } ? "$1 - INTERNAL title;\n"
                                                  : '' } @row]}
    }

    error_map_policy rows {
$rows
    }

    error_map_zone counters 1m;
    proxy_cache_path    %DIR%/cache keys_zone=cache:1m;
    client_max_body_size 10m;
    $upstreams
    $edges

    server {
        listen 127.0.0.1:$tls_port ssl;
        listen 127.0.0.2:$tls_port ssl;
        ssl_certificate $dir/cert.pem;
        ssl_certificate_key $dir/key.pem;
        default_type application/json;
        if (\$http_x_real) { return 503 '{"code":402}'; }
        return 200 '{"code":\$arg_a}';
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
        $r->{body} =~ s/^page .*/page/r, $r->{complete},
        map { my $name = $_;
              map { "$name: $_" } @{ $r->{headers}{$name} || [] } }
        qw(content-type x-vendor x-cache);
}

sub ask {
    my ($side, $uri, %arg) = @_;

    my $body = $arg{body};
    my $headers = $arg{headers} || '';
    my $method = $arg{method} || (defined $body ? 'POST' : 'GET');

    $headers .= 'Content-Length: ' . length($body) . "\r\n" if defined $body;

    return parse(exchange($port{$side}, "$method $uri HTTP/1.1\r\nHost: e\r\n"
        . "Connection: close\r\n$headers\r\n"
        . (defined $body ? $body : ''))->{bytes});
}

# the view of the plain nginx with the edge's statuses; the codes of a request
# must not share a real status

sub translated {
    my ($view, @codes) = @_;

    my %to = map { $real{$_} => $edge{$_} } grep { $edge{$_} } @codes;

    $view =~ s/\b(\d{3})\b(?=.*\n|$)/$to{$1} || $1/ge
        for my @lines = split /\n/, $view, -1;
    $_ = s/\b(\d{3})\b/$to{$1} || $1/ger for @lines[0, 1];

    return join "\n", @lines;
}

sub same_ok {
    my ($on, $plain, @codes) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is(view($on), translated(view($plain), @codes), '... as plain nginx');
}

# one request, twice: URI, status, vendors tried, codes of the attempts

sub twice {
    my ($uri, $status, $tried, $codes, %arg) = @_;

    my ($on, $plain) = map { ask($_, $uri, %arg) } @sides;
    my $name = $arg{name} || $uri;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is("$on->{status} " . tried($on), "$status $tried", $name);
    is(($on->{headers}{'x-codes'} || [''])->[0], $codes, '... the codes')
        if defined $codes;
    same_ok($on, $plain, codes($uri)) if !$arg{alone};

    return ($on, $plain);
}


# every row, with a good second server, and with none

my %told = (none => '-');
my %off = map { $_ => 1 } 429, 432, 505, 506;

for my $row (@row) {
    my ($code, $text, $status) = @$row;
    my $told = $told{$code} || $code;

    for my $how ('', '&later', '&chunked&later') {
        for my $name (qw(next unbuffered)) {
            my $uri = "/$name?a=$code&b=$code$how";

            if ($off{$code}) {
                twice($uri, $status, "$status a", $told, name => "$text$how");
                next;
            }

            my ($on) = twice($uri, $status, "$status, $status a, b",
                             "$told, $told", name => "$text$how, no server");

            is(($on->{headers}{'x-upstream-status'} || ['none'])->[0], 200,
               '... the headers of an error');
            like($on->{body}, qr/"vendor":"b"/, "... the vendor's body");
            is(scalar @{ $on->{headers}{'x-error-source'} }, 1, '... once');

            twice("/$name?a=$code&b=0$how", 200, "$status, 200 a, b",
                  "$told, 0", name => "$text$how, a good server");
        }
    }
}

for (['next', 402, 0, 200, '402, 200 a, b', '402, 0'],
     ['next', 402, 432, 422, '402, 422 a, b', '402, 432'],
     ['next', 402, 429, 429, '402, 429 a, b', '402, 429'],
     ['next', 402, 407, 407, '402, 407 a, b', '402, 407'],
     ['next', 407, 402, 402, '407, 402 a, b', '407, 402'],
     ['next', 'none', 429, 429, '504, 429 a, b', '-, 429'],
     ['fresh', 402, 'die', 502, '402, 502 a, b', '402, -'],
     ['fresh', 'die', 402, 402, '502, 402 a, b', '-, 402'],
     ['one', 402, 0, 402, '402 a', '402'],
     ['backup', 402, 0, 200, '402, 200 a, b', '402, 0'],
     ['refused', 402, 0, 200, '402, 502, 200 a, nobody, b', '402, -, 0'],
     ['refused', 402, 402, 402, '402, 502, 402 a, nobody, b', '402, -, 402'],
     ['lost', 402, 0, 502, '402, 502 a, nobody', '402, -'])
{
    my ($name, $x, $y, $status, $tried, $codes) = @$_;

    twice("/$name?a=$x&b=$y$_", $status, $tried, $codes) for '', '&later';
}

# without a status in the directive, the rows alone decide

twice('/default?a=402&b=0', 200, '402, 200 a, b', '402, 0', alone => 1);
twice('/default?a=430&b=0', 429, '429 a', '430', alone => 1);
twice('/default?a=431&b=0', 429, '429 a', '431', alone => 1);
twice("/never?a=$_&b=0", $edge{$_}, "$edge{$_} a", $_) for 402, 407, 298;


# a row is for its own response: a later one is passed over by its own

for my $how ('', '&later') {
    twice("/chain?a=402&b=505&c=0$how", 503, '402, 503 a, b', '402, 505');
    twice("/chain?a=407&b=506&c=0$how", 404, '407, 404 a, b', '407, 506');
    twice("/chain?a=402&b=407&c=505$how", 503, '402, 407, 503 a, b, c',
          '402, 407, 505');
}


# a POST goes to one server only, unless non_idempotent allows more

for my $code (402, 407, 298) {
    my $status = $edge{$code};

    twice("/next?a=$code&b=0", $status, "$status a", $code, body => 'small',
          name => "POST, $code");
    twice("/non?a=$code&b=0", 200, "$status, 200 a, b", "$code, 0",
          body => 'small', name => "POST, $code, non_idempotent");
    twice("/next?a=$code&b=0", 200, "$status, 200 a, b", "$code, 0",
          body => 'small', method => 'PUT', name => "PUT, $code");
}

my $large = join '', map { sprintf '%07d', $_ } 1 .. 200_000;

for my $body ($large, 'x' x 2000) {
    for my $code (402, 407) {
        my ($on) = twice("/tempfile?a=$code&b=0&later", 200,
                         "$edge{$code}, 200 a, b", "$code, 0", body => $body,
                         name => length($body) . " bytes, a file, $code");

        like($on->{body}, qr/"b","got":"@{[md5_hex($body)]}"/, '... in full');
    }
}

like(slurp("$server->{dir}/error.log"),
     qr/client request body is buffered to a temporary file/,
     '... the body was in a file');

twice('/nobuf?a=402&b=0', 402, '402 a', '402', body => $large,
      name => 'an unbuffered body is sent once');


# tries and time

twice('/tries?a=402&b=402&c=0', 402, '402, 402 a, b', '402, 402');
twice('/tries?a=407&b=402&c=0', 402, '407, 402 a, b', '407, 402');
twice('/timeout?a=402&b=0&later', 402, '402 a', '402', alone => 1);


# TLS

twice('/tls?a=402', 402, '402, 402 tls, tls', '402, 402');
twice('/tls?a=0', 200, '200 tls', '0', alone => 1);


# the code does not fit in nginx's buffer: the row's status, but no other server

twice('/small?a=402&b=0&late', 402, '200 a', '402', alone => 1);
twice('/small?a=402&b=0', 200, '402, 200 a, b', '402, 0');


# every balancer finds the good server, and counts what it has to

for my $name (@balancers) {
    for my $code (402, 407, 298) {
        for my $how ('', '&later') {
            my ($on, $plain) = map { ask($_, "/$name-all?a=$code&b=$code&c=0"
                                             . $how) } @sides;

            for ($on, $plain) {
                like("$_->{status} " . tried($_),
                     qr/^200 (?:\d+, )*200 (?:\w, )*c$/, "$name, $code$how");
                like($_->{body}, qr/"code":0,"vendor":"c"/, '... its body');
            }

            like($on->{headers}{'x-codes'}[0], qr/^(?:$code, ){0,2}0$/,
                 '... the codes');

            ($on, $plain) = map { ask($_, "/$name-all?a=$code&b=$code&c=$code"
                                          . $how) } @sides;

            like("$on->{status} " . tried($on),
                 qr/^($edge{$code}) \1, \1, \1 \w, \w, \w$/,
                 "$name, $code$how, all fail");
            like("$plain->{status} " . tried($plain),
                 qr/^($real{$code}) \1, \1, \1 \w, \w, \w$/,
                 '... as plain nginx');
            is($on->{headers}{'x-codes'}[0], "$code, $code, $code",
               '... the codes');
        }
    }

    # The servers' turns are the same where they are not random.  A failure of a
    # that is counted is the only one, others are as many as its turns.

    for my $kind (qw(counted off)) {
        my $code = $kind eq 'off' ? 407 : 402;

        my %turns = map { my $side = $_;
                          $side => [map { tried(ask($side, "/$name-$kind"
                                                    . "?a=$code&b=0&key=$_"))
                                    } 1 .. 20] } @sides;
        my %failed = map { $_ => scalar grep { /,/ } @{ $turns{$_} } } @sides;

        is($failed{$_}, 1, "$name, $_: a failure is counted")
            for $kind eq 'counted' && $name ne 'ip' ? @sides : ();
        cmp_ok($failed{$_}, '>', 1, "$name, $_: fails=off")
            for $kind eq 'off' && $name ne 'ip' ? @sides : ();

        next if $name =~ /^(?:random|two)$/;

        $_ = s/\b(503|404)\b/$edge{$code}/gr for @{ $turns{plain} };
        is_deeply($turns{on}, $turns{plain}, '... as plain nginx');
    }
}

# ip_hash asks the same server first: both fail, so one of them is first

for my $kind (qw(counted off)) {
    my $code = $kind eq 'off' ? 407 : 402;

    my %turns = map { my $side = $_;
                      $side => [map { tried(ask($side, "/ip-$kind?a=$code"
                                                . "&b=$code")) } 1 .. 4]
                    } @sides;

    $_ = s/\b(503|404)\b/$edge{$code}/gr =~ s/plain-/on-/r
        for @{ $turns{plain} };
    is_deeply($turns{on}, $turns{plain}, "ip, $kind: as plain nginx");

    is(scalar(grep { /^407, 407 / } @{ $turns{on} }), 4, '... both each time')
        if $kind eq 'off';
}


# keep-alive: the connection of a failure is closed, that of a success is kept

for my $code (402, 407) {
    for my $n (1 .. 3) {
        my ($on, $plain) = map { ask($_, "/keep-all?a=$code&b=$code&c=0&later")
                               } @sides;

        same_ok($on, $plain, $code);
        is($on->{headers}{'x-n'}[0], $plain->{headers}{'x-n'}[0],
           "keep-alive, $code, $n: the same kind of connection");
    }
}


# error pages of nginx's upstream layer are for the last server's response

for my $how ('', '&later') {
    my ($on) = twice("/return?a=402&b=402$how", 402, '402, 402 a, b',
                     '402, 402', alone => 1);
    is($on->{body}, 'page 402', '... the page, with variables');

    twice("/return?a=402&b=407$how", 407, '402, 407 a, b', '402, 407',
          alone => 1);
    twice("/return?a=402&b=0$how", 200, '402, 200 a, b', '402, 0');

    twice("/proxied?a=402&b=402&c=0$how", 200, '402, 402 : 200 a, b : c',
          '402, 402 : 0', alone => 1);
    twice("/proxied?a=402&b=402&c=777$how", 502, '402, 402 : 502 a, b : c',
          '402, 402 : 777', alone => 1);
}


# a cache: a retried error ends with the last server's, or with a stale success

for my $how ('', '&later') {
    twice("/uncached?a=402&b=402$how", 402, '402, 402 a, b', '402, 402')
        for 1, 2;
    twice("/uncached?a=407&b=0$how", 200, '407, 200 a, b', '407, 0');

    my ($on) = twice("/uncached?a=407&b=0$how", 200, ' ', '', alone => 1,
                     name => "/uncached$how, a success is cached");
    is($on->{headers}{'x-cache'}[0], 'HIT', '... and sent');
}

my @uris = map { my $code = $_;
                 map { "/stale?stale&file=$code$_" } '', '&later' }
           402, 503, 298;

replace("$dir/$_", 0) for 402, 503, 298;

for my $side (@sides) {
    is(ask($side, $_)->{headers}{'x-cache'}[0], 'MISS', "$side, $_, new")
        for @uris;
}

replace("$dir/$_", $_) for 402, 503, 298;
sleep 2.1;

for my $uri (@uris) {
    my ($code) = $uri =~ /file=(\d+)/;
    my $r = ask('on', $uri);
    my $status = $edge{$code};

    is("$r->{status} $r->{headers}{'x-cache'}[0] " . tried($r),
       ($code == 503 ? '200 STALE' : "$status EXPIRED")
       . " $status, $status a, b", "$uri, expired");
    is($r->{headers}{'x-codes'}[0], "$code, $code", '... the codes');
    like($r->{body}, $code == 503 ? qr/"code":0,/ : qr/"code":$code,/,
         '... the stale success, or the error');
}


# the other protocols, and subrequests

for my $protocol (@protocols) {
    for my $how ('', '&later') {
        twice("/$protocol?a=402&b=402$how", 402, '402, 402 a, b', '402, 402');
        twice("/$protocol?a=402&b=0$how", 200, '402, 200 a, b', '402, 0');
        twice("/$protocol?a=407&b=0$how", 200, '407, 200 a, b', '407, 0');
        twice("/$protocol?a=298&b=298$how", 200, '200, 200 a, b', '298, 298');
        twice("/$protocol?a=429&b=0$how", 429, '429 a', '429');
    }
}

like(ask('on', '/ssi')->{body}, qr/^\[\{"code":0,"vendor":"b".*\}\]$/,
     'SSI, the second one');


stop($server);
done_testing();
