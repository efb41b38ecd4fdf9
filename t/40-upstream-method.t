# The method of the upstream's request counts.  The client's form of a request
# (HEAD, a subrequest into memory, a background update) decides neither whether
# an error is seen nor which response is cached: no error is stored as a success,
# no good copy is replaced by an error.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp qw(connection ask);
use ErrorMapStream qw(exchange_all request connections $alone);
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(sleep time);

my $dir = tempdir(CLEANUP => 1);
chmod 0777, $dir;

my $good = '{"StatusCode":200,"d":"good"}';
my $error = '{"StatusCode":42505,"d":"error"}';

# a file with the name of an id has the vendor's response, another one its log

sub says {
    my ($name, $text) = @_;

    spew("$dir/$name", $text);
}

sub asked {
    my ($id) = @_;

    return join ' ', split /\n/, slurp("$dir/$id.asked");
}

my $vendor = vendor(sub {
    my ($s, $request, $n) = @_;

    my ($method, $uri) = $request =~ /^(\S+) (\S+)/;
    my ($id) = $uri =~ m{([\w-]+)$};

    open my $fh, '>>', "$dir/$id.asked" or die "$id: $!";
    syswrite $fh, "$method\n";
    close $fh;

    my $body = slurp("$dir/$id") =~ /error/ ? $error : $good;
    my $head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
               . "X-N: $n\r\nContent-Length: @{[length $body]}\r\n\r\n";

    if ($id =~ /^wait/) {
        print $s $head;
        print $s substr $body, 0, 9 if $method ne 'HEAD';
        sysread $s, my $byte, 1 if $id =~ /abort/ && $method ne 'HEAD';
        sleep 0.05;
        print $s substr $body, 9 if $method ne 'HEAD';
        return 1;
    }

    print $s $head . ($method eq 'HEAD' ? '' : $body);
    return 1;
});

# in two parts, the code is in the second one

my $late = vendor(sub {
    my ($s, $request) = @_;

    my ($id) = $request =~ m{^\S+ \S*?([\w-]+) };
    my $body = slurp("$dir/$id") =~ /error/ ? $error : $good;

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             . "Content-Length: @{[length $body]}\r\n\r\n"
             . substr $body, 0, 9;
    sleep 0.05;
    print $s substr $body, 9;
    return 1;
});

# a CGI's method is a parameter; this one answers a HEAD with a body

sub record {
    my ($type, $text) = @_;

    return pack('CCnnCx', 1, $type, 1, length $text, 0) . $text;
}

my $fastcgi = vendor(sub {
    my ($s) = @_;
    my $request = '';

    while ($request !~ /\x01\x05..\x00\x00.\x00$/s) {
        sysread $s, $request, 65536, length $request or return;
    }

    my ($id) = $request =~ m{/cgi/([\w-]+)};
    my $body = slurp("$dir/$id") =~ /error/ ? $error : $good;

    print $s record(6, "Content-Type: application/json\r\n\r\n"
                       . substr $body, 0, 9);
    sleep 0.05;
    print $s record(6, substr $body, 9) . record(3, "\0" x 8);
}, raw => 1);

my ($port, $tls_port) = (free_port(), free_port());
my $locations = '';

system("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=vendor -days 9"
       . " -keyout $dir/key.pem -out $dir/cert.pem 2>$dir/openssl") == 0
    or die slurp("$dir/openssl");
my $cache = 'proxy_cache c; proxy_cache_key $uri; proxy_cache_valid 200 1s;'
            . ' proxy_cache_use_stale updating http_503;';

my %kinds = (now => $vendor, late => $late);

for my $kind (sort keys %kinds) {
    my $pass = "proxy_pass http://127.0.0.1:$kinds{$kind};";

    $locations .= <<"END";
        location /miss/$kind/ { $cache $pass }
        location /error/$kind/ { $cache proxy_cache_valid 503 1m; $pass }
        location /update/$kind/ {
            $cache proxy_cache_background_update on; $pass
        }
        location /aio/$kind/ { $cache proxy_cache_valid 503 1m; aio threads;
                               $pass }
        location /page/$kind/ {
            $cache proxy_intercept_errors on; error_page 503 /page; $pass
        }
        location /ours/$kind/ {
            $cache error_map_intercept on; error_page 503 /page; $pass
        }
        location /problem/$kind/ { $cache error_map_body problem; $pass }
        location /two/$kind/ { proxy_next_upstream http_503; $pass }
END
}

my $edge = start(port => $port, http => <<"END");
    error_map_policy edge { class RESOURCE_EXHAUSTED 503; }
    error_map_policy same { class RESOURCE_EXHAUSTED 299; }
    proxy_cache_path %DIR%/cache keys_zone=c:1m;
    fastcgi_cache_path %DIR%/fcache keys_zone=f:1m;

    upstream vendor {
        server 127.0.0.1:$vendor max_fails=0;
        keepalive 4;
    }

    upstream two {
        server 127.0.0.1:$vendor max_fails=0;
        server 127.0.0.1:$vendor max_fails=0;
    }

    upstream tls {
        server 127.0.0.1:$tls_port max_fails=0;
        keepalive 4;
    }

    server {
        listen 127.0.0.1:$tls_port ssl;
        ssl_certificate $dir/cert.pem;
        ssl_certificate_key $dir/key.pem;
        keepalive_timeout 2s;

        location / {
            proxy_http_version 1.1;
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$vendor;
        }
    }

    server {
        listen 127.0.0.1:$port;
        error_map tencent_iotvideo policy=edge;
        error_map_upstream on;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        add_header X-Tried \$upstream_status always;
        add_header X-Cache \$upstream_cache_status always;
        add_header X-Verdict \$error_map_verdict always;

        $locations

        location = /page { error_map_upstream off; return 503 page; }
        location = /fine { error_map_upstream off; return 200 page; }

        location /stub { error_map off; stub_status; }

        location /asked/ {
            error_map_hold_timeout 3s;
            proxy_method HEAD;
            proxy_pass http://vendor;
        }

        location /asked-off/ {
            error_map off;
            proxy_method HEAD;
            proxy_pass http://vendor;
        }

        location /get/ {
            proxy_method GET;
            proxy_pass http://vendor;
        }

        location /tls/ { proxy_pass https://tls; }

        location /tls-asked/ {
            proxy_method HEAD;
            proxy_pass https://tls;
        }

        location /cgi/ {
            fastcgi_cache f;
            fastcgi_cache_key \$uri;
            fastcgi_cache_valid 200 1m;
            fastcgi_param PATH \$uri;
            fastcgi_pass 127.0.0.1:$fastcgi;
        }

        location /plain/ { proxy_pass http://vendor; }
        location /tries/ {
            proxy_next_upstream http_503;
            proxy_pass http://two;
        }

        # the answer of the subrequest is in the page

        location /memory/ {
            error_map off;
            ssi on;
            ssi_types text/plain;
            root %DIR%/ssi;
        }
        location /inner/ {
            $cache
            proxy_pass http://127.0.0.1:$vendor;
        }
        location /inner-late/ { proxy_pass http://127.0.0.1:$late; }
        location /inner-problem/ {
            error_map tencent_iotvideo policy=same;
            error_map_body problem always;
            proxy_pass http://127.0.0.1:$vendor;
        }
        location /inner-page/ {
            proxy_intercept_errors on;
            error_page 503 = /fine;
            proxy_pass http://127.0.0.1:$vendor;
        }
        location /inner-tries/ {
            proxy_next_upstream http_503;
            proxy_pass http://two;
        }
    }
END

my $id = 0;

# an answer in a few words

sub words {
    my ($r) = @_;

    return join ' ', $r->{status},
        map { $r->{headers}{$_}[0] // '-' } qw(x-cache x-verdict);
}

sub head { return words(get($port, $_[0], method => 'HEAD')) }

sub body {
    my $r = get($port, $_[0]);
    return words($r) . " $r->{body}";
}


# 1: HEAD and the cache

for my $kind (qw(now late)) {
    my $id = "a-$kind";
    says($id, 'error');

    is(head("/miss/$kind/$id"), '503 MISS mapped', "HEAD, $kind: MISS");
    is(asked($id), 'GET', '... nginx asked for more') if $kind eq 'now';
    is(body("/miss/$kind/$id"), "503 MISS mapped $error",
       '... is not stored as a success');

    says($id, 'good');
    is(head("/miss/$kind/$id"), '200 MISS success', '... a good one is');
    is(body("/miss/$kind/$id"), "200 HIT success $good", '... stored');
    is(head("/miss/$kind/$id"), '200 HIT success', '... HEAD, HIT');

    says($id, 'error');
    sleep 2.1;

    is(head("/miss/$kind/$id"), '200 STALE success',
       '... and is not replaced by an error');
    is(body("/miss/$kind/$id"), "200 STALE success $good", '... so far');

    # an error that is to be stored is one for everybody

    says("$id-e", 'error');
    is(head("/error/$kind/$id-e"), '503 MISS mapped', '... stored as it is');
    is(head("/error/$kind/$id-e"), '503 HIT mapped', '... HEAD, HIT');
    is(body("/error/$kind/$id-e"), "503 HIT mapped $error", '... GET, HIT');

    says("$id-a", 'error');
    is(head("/aio/$kind/$id-a"), '503 MISS mapped', '... with aio');
    is(head("/aio/$kind/$id-a"), '503 HIT mapped', '... HEAD, HIT');

    for (['page', '503 MISS mapped'], ['ours', '503 MISS mapped'],
         ['problem', '503 MISS mapped'])
    {
        my ($location, $expected) = @$_;

        says("$id-$location", 'error');
        is(head("/$location/$kind/$id-$location") =~ s/ -/ MISS/r, $expected,
           "HEAD, $kind: $location");

        says("$id-$location", 'good');
        is(body("/$location/$kind/$id-$location"), "200 MISS success $good",
           '... the error was not stored');
    }
}


says('f-head', 'error');
is(head('/cgi/f-head'), '503 MISS mapped', 'HEAD, FastCGI');
says('f-head', 'good');
is(body('/cgi/f-head'), "200 MISS success $good", '... is not stored');
is(head('/cgi/f-head'), '200 HIT success', '... a good one is');


# 2: a HEAD begins a background update

for my $kind (qw(now late)) {
    my $id = "b-$kind";

    says($id, 'good');
    is(body("/update/$kind/$id"), "200 MISS success $good", 'a good copy');
    says($id, 'error');

    for (1 .. 2) {
        sleep 2.1;
        is(head("/update/$kind/$id"), '200 STALE success',
           "HEAD, $kind: background update");
        sleep 0.3;
        is(body("/update/$kind/$id") =~ s/UPDATING/STALE/r,
           "200 STALE success $good", '... does not replace it');
    }

    says($id, 'good');
    sleep 2.1;
    head("/update/$kind/$id");
    sleep 0.3;
    is(body("/update/$kind/$id"), "200 HIT success $good",
       '... but a good one does');
}


# 3: a HEAD that is a HEAD to the vendor, too, and one that is not

says($_, 'error') for qw(wait-head wait-get c-plain c-get c-tries);

is(head('/plain/c-plain'), '200 - skipped', 'a HEAD is no GET');
is(asked('c-plain'), 'HEAD', '... to the vendor, either');
is(head('/get/c-get'), '503 - mapped', 'proxy_method GET');
is(asked('c-get'), 'GET', '... the vendor');

for my $location (qw(asked asked-off)) {
    my $begin = time;
    my $r = get($port, "/$location/wait-head");

    is("$r->{status} $r->{body}", '200 ', "proxy_method HEAD, $location");
    cmp_ok(time - $begin, '<', 1.5, '... has no body to wait for');
    is($r->{headers}{'content-length'}[0], length $error,
       '... its Content-Length');
}


# 4: subrequests into memory

mkdir "$edge->{dir}/ssi";
mkdir "$edge->{dir}/ssi/memory";

sub memory {
    my ($uri) = @_;

    open my $fh, '>', "$edge->{dir}/ssi/memory/page.txt" or die "page: $!";
    print $fh qq(<!--# include virtual="$uri" set="x" -->)
              . '[<!--# echo var="x" encoding="none" -->]';
    close $fh or die "page: $!";

    return get($port, '/memory/page.txt')->{body};
}

says($_, 'error') for qw(m-inner m-late m-problem m-page m-tries);

# nginx takes no text from an error

is(memory('/inner/m-inner'), '[]', 'into memory: an error');
says('m-inner', 'good');
is(memory('/inner/m-inner'), "[$good]", '... is not stored');
says('m-inner', 'error');
is(memory('/inner/m-inner'), "[$good]", '... a good one is');
sleep 2.1;
is(memory('/inner/m-inner'), "[$good]", '... and is not replaced');
is(asked('m-inner'), 'GET GET GET', '... though the vendor was asked');

is(memory('/inner-late/m-late'), '[]', '... a code that comes late');
says('m-late', 'good');
is(memory('/inner-late/m-late'), "[$good]", '... a good answer that does');
like(memory('/inner-problem/m-problem'), qr/^\[\{.*"code":"42505".*\}\]$/,
     '... a problem body');
is(memory('/inner-page/m-page'), '[page]', '... an error page');
is(memory('/inner-tries/m-tries'), '[]', '... tries');
is(asked('m-tries'), 'GET GET', '... are made');


# 5: connections that are kept go on as they were

my $c = connection($port);

for (1 .. 3) {
    says('wait-abort', 'error');

    exchange_all(map { { port => $port, abort => 0.02,
                         request => request("/$_/wait-abort") } }
                     (qw(asked plain get tls tls-asked)) x 4);

    for my $uri (qw(/asked/wait-head /tls-asked/wait-head)) {
        is(get($port, $uri)->{status}, 200,
           "$uri after clients have gone away");
    }

    for my $uri (qw(/plain/c-plain /get/wait-get /tls/wait-get)) {
        my $r = ask($c, request($uri, connection => 'keep-alive'));

        is("$r->{status} $r->{body}", "503 $error", "... $uri");
    }
}

undef $c;
sleep 0.1;
is(connections($port), $alone, 'no request is left');

stop($edge);
done_testing();
