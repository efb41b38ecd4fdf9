# docs/comparison.md: what Debian's HAProxy, Lua, njs and ModSecurity make of an
# error inside a 200, as the page says "seen in a run".

use strict;
use warnings;

use ErrorMap qw(:DEFAULT shell forget quit child);
use File::Temp qw(tempdir);
use IO::Compress::Gzip qw(gzip);
use Test::More;
use Time::HiRes qw(sleep time);

my $root = $ErrorMap::root;

my ($status, $out) = shell("$root/tools/deps haproxy libnginx-mod-http-lua"
                           . ' libnginx-mod-http-js'
                           . ' libnginx-mod-http-modsecurity');
die $out if $status != 0;

my $dir = tempdir(CLEANUP => 1);
chmod 0755, $dir;

my $error = '{"StatusCode":42505}';
my %body = (small => $error,
            '20k' => '{"Data":"' . 'x' x 20000 . '","StatusCode":42505}',
            '2m' => '{"Data":"' . 'x' x 2000000 . '","StatusCode":42505}');

gzip \$error => \$body{gzip};

my $vendor = vendor(sub {
    my ($s, $head) = @_;
    my ($what) = $head =~ m{^\S+ \S*/(\w+) };

    mark("asked for $what");

    if ($what eq 'events') {
        print $s "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                 . "X-Accel-Buffering: no\r\nConnection: close\r\n\r\n";

        for (1 .. 3) {
            print $s "data: {\"n\":$_}\n\n";
            sleep 0.5;
        }

        return;
    }

    if ($what eq 'down') {
        print $s "HTTP/1.1 503 Down\r\nContent-Length: 0\r\n"
                 . "Connection: close\r\n\r\n";
        return;
    }

    my $body = $what =~ /^(?:retry|cached)$/ ? $error : $body{$what};

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             . ($what eq 'gzip' ? "Content-Encoding: gzip\r\n" : '')
             . 'Content-Length: ' . length($body) . "\r\n"
             . "Connection: close\r\n\r\n$body";
    return;
});


# HAProxy

my $haproxy = free_port();

spew("$dir/haproxy.cfg", <<"END");
defaults
    mode     http
    timeout  connect 5s
    timeout  client  30s
    timeout  server  30s

frontend edge
    bind             127.0.0.1:$haproxy
    default_backend  vendor

backend vendor
    retries        2
    retry-on       503
    http-response  wait-for-body time 5s
    http-response  set-var(txn.code) res.body,json_query('\$.StatusCode')
    http-response  set-status 503 if { var(txn.code) -m str 42505 }
    server         vendor 127.0.0.1:$vendor
END

my $pid = fork // die "fork: $!";

if (!$pid) {
    open STDOUT, '>', "$dir/haproxy.log";
    open STDERR, '>&', \*STDOUT;
    exec 'haproxy', '-db', '-f', "$dir/haproxy.cfg" or POSIX::_exit(127);
}

child($pid);


# Lua, njs and ModSecurity, as filters and as content handlers

spew("$dir/edge.js", <<'END');
function filter(r, data, flags) {
    if (data.indexOf('42505') >= 0) {
        r.status = 402;
    }

    r.sendBuffer(data, flags);
}

function content(r) {
    r.subrequest('/vendor' + r.uri.slice('/njs'.length), function (res) {
        var body = res.responseText;
        r.return(body.indexOf('42505') >= 0 ? 402 : res.status, body);
    });
}

export default {filter, content};
END

for my $action (qw(Reject ProcessPartial)) {
    spew("$dir/$action.conf", <<"END");
SecRuleEngine On
SecResponseBodyAccess On
SecResponseBodyMimeType application/json text/event-stream
SecResponseBodyLimit 65536
SecResponseBodyLimitAction $action
SecRule RESPONSE_BODY "\@rx StatusCode..42505" "id:1,phase:4,deny,status:402"
END
}

my $port = free_port();

my $server = start(port => $port, modules => join('', map {
    "load_module /usr/lib/nginx/modules/$_.so;\n"
} qw(ndk_http_module ngx_http_lua_module ngx_http_js_module
     ngx_http_modsecurity_module)), http => <<"END");

    js_import         edge from $dir/edge.js;
    proxy_cache_path  %DIR%/cache keys_zone=cache:1m;

    server {
        listen  127.0.0.1:$port;

        location /plain/ {
            proxy_pass  http://127.0.0.1:$vendor/;
        }

        location /lua-filter/ {
            proxy_pass                http://127.0.0.1:$vendor/;
            body_filter_by_lua_block  {
                if ngx.arg[1]:find("42505", 1, true) then
                    ngx.status = 402
                end
            }
        }

        location /njs-filter/ {
            proxy_pass      http://127.0.0.1:$vendor/;
            js_body_filter  edge.filter;
        }

        location /modsecurity/ {
            proxy_pass              http://127.0.0.1:$vendor/;
            modsecurity             on;
            modsecurity_rules_file  $dir/Reject.conf;
        }

        location /partial/ {
            proxy_pass              http://127.0.0.1:$vendor/;
            modsecurity             on;
            modsecurity_rules_file  $dir/ProcessPartial.conf;
        }

        location /lua/ {
            content_by_lua_block {
                local res = ngx.location.capture("/vendor"
                                                 .. ngx.var.uri:sub(5))
                ngx.status = res.body:find("42505", 1, true) and 402
                             or res.status
                ngx.print(res.body)
            }
        }

        location /njs/ {
            js_content  edge.content;
        }

        location /vendor/ {
            internal;
            proxy_pass         http://127.0.0.1:$vendor/;
            proxy_cache        cache;
            proxy_cache_key    \$uri;
            proxy_no_cache     \$upstream_http_content_encoding;
            proxy_cache_valid  200 1m;
        }
    }
END

ok(wait_for(sub {
    (shell("curl -s -o /dev/null 127.0.0.1:$haproxy/small"))[0] == 0
}), 'HAProxy listens') or diag(slurp("$dir/haproxy.log"));


# the status and how many bytes of the body the client gets, or "nothing"

sub seen {
    my ($to) = @_;
    my ($status, $out) = shell("curl -s -o $dir/body -w '%{http_code}"
                               . " %{size_download}' 127.0.0.1:$to");

    return $status ? 'nothing' : $out;
}

my %size = map { $_ => length $body{$_} } keys %body;

for (["$haproxy/small", "503 $size{small}", 'HAProxy maps a small body'],
     ["$haproxy/20k", "200 $size{'20k'}", '... not one above its buffer'],
     ["$haproxy/2m", "200 $size{'2m'}", '... which passes'],
     ["$haproxy/gzip", "200 $size{gzip}", '... nor a coded one'],

     ["$port/lua-filter/small", "200 $size{small}",
      'a body filter of Lua comes too late'],
     ["$port/njs-filter/small", "200 $size{small}", '... of njs, too'],

     ["$port/lua/small", "402 $size{small}", 'a content handler of Lua maps'],
     ["$port/lua/20k", "402 $size{'20k'}", '... 20 KB'],
     ["$port/lua/2m", "402 $size{'2m'}", '... 2 MB'],
     ["$port/lua/gzip", "200 $size{gzip}", '... no coded body'],

     ["$port/njs/small", "402 $size{small}", 'a content handler of njs maps'],
     ["$port/njs/20k", 'nothing', '... above its buffer it ends'],
     ["$port/njs/gzip", qr/^200 /, '... and maps no coded body'],

     ["$port/modsecurity/small", 'nothing', 'ModSecurity ends the connection'],
     ["$port/modsecurity/2m", "200 $size{'2m'}",
      '... and passes a body above its limit'],
     ["$port/partial/2m", "200 $size{'2m'}", '... also with ProcessPartial'],
     ["$port/modsecurity/gzip", "200 $size{gzip}", '... and a coded one'])
{
    my ($to, $expected, $name) = @$_;

    ref $expected ? like(seen($to), $expected, $name)
                  : is(seen($to), $expected, $name);
}


# retries, and caches

seen("$haproxy/$_") for qw(down retry);
is(marks('asked for down'), 3, 'HAProxy asks again for a 503');
is(marks('asked for retry'), 1, '... not for a mapped one');

is(seen("$port/lua/cached"), "402 $size{small}", 'the first of two');
is(seen("$port/lua/cached"), "402 $size{small}", '... and the second');
is(marks('asked for cached'), 1,
   "nginx's cache has stored the error, below a content handler of Lua");


# the first of three events, half a second each

for (["$port/plain/events", 'nginx alone'], ["$haproxy/events", 'HAProxy'], ["$port/lua/events", 'Lua'],
     ["$port/njs/events", 'njs'])
{
    my ($to, $name) = @$_;
    my $start = time;
    my $out = `curl -sN 127.0.0.1:$to | head -c 5`;

    is($out, 'data:', "$name: events come");
    cmp_ok(time - $start, $to =~ /plain/ ? '<' : '>', 1.2,
           $to =~ /plain/ ? '... at once' : '... with the last one');
}

is(forget($server, qr/attempt to set ngx\.status after sending out/), 1,
   'Lua says so');
is(forget($server, qr/too big subrequest response/), 1, '... njs, too');
is(forget($server, qr/header already sent/), 1, '... and nginx for ModSecurity');

quit($server);

done_testing();
