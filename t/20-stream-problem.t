# error_map_body problem waits for the code and the fields of the document, not
# for the vendor: a client, even a slow one, gets the whole problem before the
# vendor's body ends or breaks off; and nginx reads that body to its end, so
# that its connection can be reused.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp qw(ask connection version);
use ErrorMapStream qw(@framings $alone connections exchange_all frame put
                      query responses);
use Test::More;
use Time::HiRes qw(sleep);

my ($port, $narrow, $h2_port) = map { free_port() } 1 .. 3;

my ($h2_listen, $h2_on) = version() < 1025001 ? (' http2', '')
                                              : ('', 'http2 on;');

my $problem = '{"type":"about:blank","title":"too many concurrent downloads",'
              . '"status":402,"vendor":"tencent_iotvideo","code":"42505",'
              . '"class":"RESOURCE_EXHAUSTED","upstream_status":200';

my $plain = "$problem}";

$problem .= ',"detail":"busy","request_id":"7"}';

my $error = '"RequestId":"7","StatusCode":42505,"Message":"busy"';


# A vendor that counts the requests of a connection: /at/size has that many
# bytes, with the code first, last or nowhere ("success").

my $counting = vendor(sub {
    my ($s, $request, $n) = @_;

    my %arg = query($request);
    my ($at, $size) = $request =~ m{/(\w+)/(\d+)\?} or die;
    my $data = '"Data":"' . 'x' x $size . '"';

    my $body = $at eq 'first' ? "{$error,$data}"
               : $at eq 'last' ? "{$data,$error}"
               : "{\"StatusCode\":0,$data}";

    my ($head, $raw) = frame($arg{framing}, $body, chunk => 50_000,
                             headers => "X-Number: $n\r\n");

    put($s, $head);
    sleep $arg{pause} if $arg{pause};
    put($s, $raw);

    return $arg{framing} ne 'close';
});


# Another one stops: with late=1 its code comes after a pause, then it is silent
# or sends byte after byte (dribble=1) until the test releases it, and sends the
# rest or breaks off.  With fields=none it has a code only, with fields=message
# no request id.

my $size = 100_000;

my $halting = vendor(sub {
    my ($s, $request) = @_;

    my %arg = query($request);
    my $fields = $arg{fields} || 'all';
    my $text = $fields eq 'none' ? '"StatusCode":42505'
               : $fields eq 'message' ? '"StatusCode":42505,"Message":"busy"'
               : $error;

    my ($head, $raw) = frame($arg{framing}, "{$text,\"Data\":\""
                             . 'x' x $size . '"}', chunk => 10_000);

    my $sent = $arg{late} ? $size / 2 : 80;

    if ($arg{late}) {
        put($s, $head);
        $head = '';
        sleep 0.03;
    }

    put($s, $head . substr $raw, 0, $sent);

    for (1 .. 1500) {
        last if marks("go-$arg{id}");
        sleep 0.02;

        put($s, substr $raw, $sent++, 1) if $arg{dribble} && $sent < $size - 9;
    }

    put($s, substr $raw, $sent) if $arg{then} eq 'rest';
    reset_on_close($s) if $arg{then} eq 'reset';

    return $arg{then} eq 'rest' && $arg{framing} ne 'close';
});



# a header that is larger than a slow client's buffer

my $large = join '', map { "add_header X-Large-$_ " . 'x' x 4000 . " always;\n"
                         } 1 .. 20;

my $locations = join '', map { <<"END" } qw(on off);
    location /pool-$_/ { proxy_buffering $_; proxy_pass http://pool-$_/; }

    location /halt-$_/ {
        proxy_buffering $_;
        proxy_pass http://127.0.0.1:$halting/;
    }

    location /short-$_/ {
        error_map_hold_timeout 300ms;
        proxy_buffering $_;
        proxy_pass http://127.0.0.1:$halting/;
    }

    location /limit-$_/ {
        limit_rate 100;
        error_map_header off;
        proxy_buffering $_;
        proxy_pass http://127.0.0.1:$halting/;
    }

    location /large-$_/ {
        $large
        proxy_buffering $_;
        proxy_pass http://127.0.0.1:$halting/;
    }
END

my $tight = 'proxy_buffers 2 4k; proxy_busy_buffers_size 4k;';

my $nginx = start(port => $port, http => <<"END");
    proxy_cache_path %DIR%/cache keys_zone=cache:1m;
    proxy_http_version 1.1;
    proxy_set_header Connection '';
    proxy_buffer_size 4k;
    proxy_buffers 4 4k;
    proxy_busy_buffers_size 8k;
    keepalive_requests 10000;
    server_tokens off;

    @{[map { "upstream pool-$_ { server 127.0.0.1:$counting; keepalive 1; }\n" }
           qw(on off tight file cache)]}

    server {
        listen 127.0.0.1:$port;
        listen 127.0.0.1:$narrow sndbuf=4k;
        listen 127.0.0.1:$h2_port$h2_listen;
        $h2_on
        error_map tencent_iotvideo;
        error_map_body problem;
        error_map_hold_size 2m;
        error_map_hold_timeout 30s;

        $locations

        location /pool-tight/ {
            $tight
            proxy_max_temp_file_size 0;
            proxy_pass http://pool-tight/;
        }

        location /pool-file/ {
            $tight
            proxy_max_temp_file_size 100m;
            proxy_pass http://pool-file/;
        }

        location /pool-cache/ {
            $tight
            proxy_cache cache;
            proxy_cache_valid any 1m;
            proxy_pass http://pool-cache/;
        }

        location /limit-cache/ {
            limit_rate 100;
            error_map_header off;
            proxy_cache cache;
            proxy_cache_valid any 1m;
            proxy_pass http://127.0.0.1:$halting/;
        }

        location = /page { error_map off; return 200 'a page'; }

        location = /stub { error_map off; stub_status; }
    }
END


# The vendor's connection serves the next request, and a body that is far larger
# than the buffers does not block.  The connection is closed if the rest exceeds
# the hold size, unless a cache needs it.

my @kinds = (['first/100'], ['first/1000000'], ['last/100', 'pause=0.02'],
             ['last/50000'], ['last/1000000'], ['success/100'],
             ['first/30000', 'pause=0.02'], ['success/1000000'],
             ['first/10000000'], ['first/0']);

my $c = connection($port);

for my $where (qw(pool-on pool-off pool-tight pool-file pool-cache)) {
    my $number = -1;

    for my $framing (qw(length chunked)) {
        for (@kinds) {
            my ($what, $args) = @$_;

            my $r = ask($c, "GET /$where/$what?framing=$framing&"
                            . ($args || '') . " HTTP/1.1\r\nHost: e\r\n\r\n");

            $r->{body} = 'the body' if $what =~ /^success/;

            is("$r->{headers}{'x-number'}[0] $r->{body}",
               ++$number . ' ' . ($what =~ /^success/ ? 'the body' : $problem),
               "upstream kept alive, $where, $framing, $what");

            $number = -1 if $what eq 'first/10000000' && $where ne 'pool-cache';
        }
    }
}


# the client has the problem before the vendor's body ends, and keeps it if the
# vendor breaks off

my $id = 0;

for my $buffering (qw(on off)) {
    for my $framing (@framings) {
        for my $how ('late=0', 'late=1', 'late=0&dribble=1',
                     'late=1&dribble=1')
        {
            for my $then (qw(rest close reset)) {
                my $c = connection($port);

                my $r = ask($c, "GET /halt-$buffering/?framing=$framing&$how"
                                . "&then=$then&id=" . ++$id . " HTTP/1.1\r\n"
                                . "Host: e\r\n\r\n", timeout => 8);

                is("$r->{status} $r->{body}", "402 $problem",
                   "not finished, buffering $buffering, $framing, $how");

                mark("go-$id");

                # the connection is closed, or serves another request

                $r = ask($c, "GET /page HTTP/1.1\r\nHost: e\r\n"
                             . "Connection: close\r\n\r\n");

                is("$r->{body}$c->{bytes}",
                   $then eq 'rest' || "$framing $then" eq 'close close'
                       ? 'a page' : '', "... and nothing after it, $then");
            }
        }
    }
}


# A vendor that names no message, or no request id, may still do so: the problem
# waits until its JSON text ends, the vendor breaks off, or the hold times out.

my %without = (none => $plain,
               message => $plain =~ s/}$/,"detail":"busy"}/r);

for my $buffering (qw(on off)) {
    for my $framing (@framings) {
        for my $fields (sort keys %without) {
            for my $then (qw(rest close reset)) {
                my $c = connection($port);

                $c->{socket}->print("GET /halt-$buffering/?framing=$framing&"
                                    . "fields=$fields&then=$then&id=" . ++$id
                                    . " HTTP/1.1\r\nHost: e\r\n"
                                    . "Connection: close\r\n\r\n");

                my $name = "waits for fields, buffering $buffering, $framing, "
                           . "$fields";

                vec(my $ready = '', fileno $c->{socket}, 1) = 1;
                is(select($ready, undef, undef, 0.1), 0, $name);

                mark("go-$id");

                local $/;
                my $r = parse(readline $c->{socket});

                is("$r->{status} $r->{body}", "402 $without{$fields}",
                   "... and then has the problem, $then");
            }

            my $r = get($port, "/short-$buffering/?framing=$framing&"
                               . "fields=$fields&then=rest&id=" . ++$id);

            is("$r->{status} $r->{body}", "402 $without{$fields}",
               "hold timeout, buffering $buffering, $framing, $fields");

            mark("go-$id");
        }
    }
}


# HTTP/2, all on one connection, in windows of 63 bytes

my @uris = map { my $uri = $_;
                 map { "$uri&late=$_" } 0, 1 }
           map { "/halt-$_/?framing=length&then=rest&id=h2" } qw(on off);

push @uris, map { "/pool-$_/first/9000?framing=chunked" } qw(on off);

sub streams {
    my (%stream, $id);

    my @frames = qx(nghttp -nv -t 8 -w 6 @{[ map {
                    "'http://127.0.0.1:$h2_port$_'" } @_ ]} 2>&1);

    for (@frames) {
        $id = $1 if /\bstream_id=(\d+)/;
        next if !$id;

        $stream{$id}{uri} = $1 if m{:path: (\S+)};
        $stream{$id}{status} = $1 if / :status: (\d+)/;

        if (/ recv DATA frame <length=(\d+), flags=0x(\d+)/) {
            $stream{$id}{size} += $1;
            $stream{$id}{end} = $2 & 1;
        }
    }

    return map { $_->{uri} => $_ } grep { $_->{uri} } values %stream;
}

my %stream = streams(@uris);

for (@uris) {
    is(join(' ', map { $_ // '-' } @{ $stream{$_} }{qw(status size end)}),
       '402 ' . length($problem) . ' 1', "not finished, HTTP/2, $_");
}

mark('go-h2');


# Slow clients and limited rates: the whole problem comes, although the vendor
# is silent or has broken off.

my @jobs;

mark('go-released');

for my $where (qw(limit-on limit-off limit-cache large-on large-off)) {
    for my $late (0, 1) {
        for my $then (qw(nothing rest close reset)) {
            push @jobs, {
                name => "$where, late $late, then $then", timeout => 12,
                $where =~ /^large/
                    ? (port => $narrow, rcvbuf => 2048, slow => 2048,
                       pause => 0.002)
                    : (port => $port),
                until => qr/"request_id":"7"}/,
                request => "GET /$where/?framing=length&late=$late&then=$then"
                           . '&id=' . ($then eq 'nothing' ? 'slow' : 'released')
                           . " HTTP/1.0\r\n\r\n",
            };
        }
    }
}

sub slow {
    my ($why, @jobs) = @_;

    for my $x (exchange_all(@jobs)) {
        my $r = parse($x->{bytes});

        is("$r->{status} $r->{body}", "402 $problem",
           "$why, " . (shift @jobs)->{name});
    }
}

slow('slow client', @jobs);
mark('go-slow');
slow('slow client, cached', grep { $_->{name} =~ /^limit-cache.*rest/ } @jobs);


# a long pipeline whose responses the client does not read at once

my $many = 300;

my ($x) = exchange_all({
    port => $narrow, rcvbuf => 2048, slow => 2048, pause => 0.001,
    timeout => 20,
    request => join '', map {
        'GET ' . ("/pool-on/first/100?framing=length",
                  "/pool-off/last/9000?framing=chunked")[$_ % 2]
        . " HTTP/1.1\r\nHost: e\r\n"
        . ($_ == $many ? 'Connection: close' : 'X-Y: z') . "\r\n\r\n"
    } 1 .. $many
});

is(join(' ', map { $_->{body} eq $problem ? $_->{status} : $_->{body} }
             responses($x->{bytes})),
   join(' ', (402) x $many), 'slow client, pipelined');

close $c->{socket};

is(connections($port), $alone, 'no connection is left');

stop($nginx);
done_testing();
