# Hazards of filters like this one: streams whose client waits for each part,
# early hints, clients that leave an HTTP/2 connection, slow clients on reused
# connections, and reloads under load.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use ErrorMap qw(:DEFAULT workers);
use ErrorMapHttp qw(version);
use ErrorMapStream;
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

limit_quarantine();


# streams: type, parts, verdict, status

my $error = '{"StatusCode":42505,"list":[';

my %streams = (
    events => ['text/event-stream', ["data: 1\n\n", "data: 2\n\n"], 'skipped'],
    frames => ['multipart/x-mixed-replace; boundary=b',
               ["--b\r\n\r\n1\r\n", "--b\r\n\r\n2\r\n"], 'skipped'],
    lines => ['application/x-ndjson', ["{\"a\":1}\n", "{\"a\":2}\n"], 'none'],
    mapped => ['application/json', [$error, '1,', '2,', '3]}'], 'mapped', 402],
    success => ['application/json', ['{"StatusCode":0,"l":[', '1,', '2]}'],
                'success'],
    endless => ['application/json', ['{"list":[', '1,', '2,', '3]}'],
                'undecided'],
);


# bodies that come whole, slowly, in pieces or after early hints

my $filler = join '', map { md5_hex($_) } 1 .. 1200;
my %bodies = (
    first => "$error\"$filler\"]}",
    last => "{\"list\":[\"$filler\"],\"StatusCode\":42505}",
    none => "{\"list\":[\"$filler\"]}",
);

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my ($place) = $request =~ m{^\S+ /\w+/\w+/(\w+)} or die $request;
    my %arg = query($request);

    if ($place eq 'stream') {
        my ($type, $parts) = @{ $streams{$arg{name}} };
        my ($head) = frame($arg{framing}, '', type => $type, headers =>
                           "X-Accel-Buffering: no\r\n");

        if ($arg{split}) {
            put($s, $head);
            sleep $arg{split};
            $head = '';
        }

        # each part waits until the client has seen the previous one

        for my $n (0 .. $#$parts) {
            my $part = $parts->[$n];

            $part = sprintf "%x\r\n%s\r\n", length $part, $part
                if $arg{framing} eq 'chunked';

            put($s, $head . $part);
            $head = '';

            await("seen-$arg{id}-$n") or return 0;
        }

        put($s, "0\r\n\r\n") if $arg{framing} eq 'chunked';

    } elsif ($place eq 'hints') {
        put($s, "HTTP/1.1 103 Early Hints\r\nLink: </$_>\r\n\r\n") for 1 .. 3;
        put($s, join '', frame('length', $bodies{first}));

    } elsif ($place eq 'hang') {
        my ($head) = frame('length', $bodies{none});

        put($s, $arg{cut} ? $head . substr($bodies{none}, 0, $arg{cut})
                          : $head);
        mark("met-$arg{id}");
        sysread $s, my $rest, 1;

        # nginx has closed the connection

        mark("gone-$arg{id}");

    } else {
        my ($head, $raw) = frame($arg{framing}, $bodies{$arg{name}},
                                 chunk => 3000);
        my $cut = $arg{cut};

        put($s, $head . substr $raw, 0, $cut);
        sleep $arg{pause} || 0;
        put($s, substr $raw, $cut);
        return $arg{framing} ne 'close';
    }

    return 0;
});

my ($port, $narrow, $h2) = map { free_port() } 1 .. 3;

my %buffers = (
    on => 'proxy_buffering on;',
    off => 'proxy_buffering off;',
    tiny => 'proxy_buffers 2 4k; proxy_busy_buffers_size 4k;'
            . ' proxy_buffer_size 4k; proxy_max_temp_file_size 0;',
);

my $locations = '';

for my $name (sort keys %buffers) {
    for my $document (qw(off tencent_iotvideo)) {
        $locations .= <<"END";
        location /$document/$name/ {
            error_map $document;
            $buffers{$name}
            proxy_pass http://vendor;
        }
END
    }
}

my $http = <<"END";
    upstream vendor {
        server 127.0.0.1:$vendor;
        keepalive 16;
    }

    server {
        listen 127.0.0.1:$port;
        listen 127.0.0.1:$narrow sndbuf=4k;
        listen 127.0.0.1:$h2 http2;

        keepalive_requests 100000;
        error_map_types *;
        error_map_hold_timeout 30s;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        add_header X-V \$error_map_verdict always;

$locations
        location /tencent_iotvideo/short/ {
            error_map tencent_iotvideo;
            error_map_hold_timeout 300ms;
            proxy_buffering off;
            proxy_pass http://vendor;
        }

        location = /stub {
            stub_status;
        }
    }
END

my $nginx = start(port => $port, http => $http);


# Streams.  The client has each part before the vendor sends the next one; a
# hold ends with its timeout.

my $id = 0;

for my $name (sort keys %streams) {
    my (undef, $parts, $verdict, $status) = @{ $streams{$name} };

    my @buffers = $name eq 'endless' ? 'short' : qw(off on);

    for my $buffers (@buffers) {
        for my $framing (qw(chunked close)) {
            for my $split (0, 0.1) {
                $id++;

                my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                              PeerPort => $port)
                    or die "connect: $!";

                put($s, request("/tencent_iotvideo/$buffers/stream?name=$name"
                                . "&framing=$framing&split=$split&id=$id"));

                my $select = IO::Select->new($s);
                my ($bytes, $came) = ('', 0);

                for my $n (0 .. $#$parts) {
                    my $wanted = join '', @$parts[0 .. $n];
                    my $end = time + 8;

                    while (time < $end && parse($bytes)->{body} ne $wanted) {
                        $select->can_read($end - time) or last;
                        sysread $s, $bytes, 65536, length $bytes or last;
                    }

                    last if parse($bytes)->{body} ne $wanted;

                    $came++;
                    mark("seen-$id-$n");
                }

                while ($came == @$parts && $select->can_read(8)) {
                    sysread $s, $bytes, 65536, length $bytes or last;
                }

                my $r = parse($bytes);

                is("$came parts, $r->{status}, "
                   . ($r->{headers}{'x-v'}[0] || 'silent')
                   . ", $r->{complete}",
                   @$parts . ' parts, ' . ($status || 200) . ", $verdict, 1",
                   "$name, buffers $buffers, $framing"
                   . ($split ? ', header first' : ''));
            }
        }
    }
}


# Repeated early hints: a newer nginx maps the response after them, an older one
# takes them for the response.

{
    my ($off, $r) = map { get($port, "/$_/off/hints") } qw(off
                                                           tencent_iotvideo);

    if ($off->{status} == 200) {
        is("$r->{status} $r->{body}", "402 $bodies{first}",
           'hints and an error');

    } else {
        is(bare($r), bare($off), 'hints pass unchanged');
        cmp_ok(version(), '<', 1029000, '... in an older nginx');
    }
}


# HTTP/2 clients that leave while the header is held end their requests, and
# those to the vendor

my @clients;

for my $buffers (qw(on off tiny)) {
    for my $cut (0, 1, 5000) {
        $id++;

        my $pid = fork;
        die "fork: $!" if !defined $pid;

        if (!$pid) {
            open STDOUT, '>', '/dev/null';
            open STDERR, '>', '/dev/null';
            exec 'nghttp', '-n', "http://127.0.0.1:$h2/tencent_iotvideo/"
                                 . "$buffers/hang?id=$id&cut=$cut"
                or POSIX::_exit(1);
        }

        push @clients, [$pid, $id];
    }
}

for (@clients) {
    my ($pid, $n) = @$_;

    ok(await("met-$n"), "client $n has asked");
}

sleep 0.2;

for (@clients) {
    kill 'TERM', $_->[0];
    waitpid $_->[0], 0;
}

is(join(' ', grep { !await("gone-$_") } map { $_->[1] } @clients), '',
   'clients leave HTTP/2, no connection to a vendor is left');
is(connections($port), $alone, '... nor a request');


# Slow clients on reused connections get every byte of each response, and no
# memory is kept.

my $worker = worker($nginx);
my @uris;

for my $name (sort keys %bodies) {
    for my $buffers (sort keys %buffers) {
        for my $framing (@framings) {
            push @uris, map { "/tencent_iotvideo/$buffers/body?name=$name"
                              . "&framing=$framing&cut=$_" } 0, 30, 6000;
        }
    }
}

my (@memory, %wrong);

for my $round (1 .. 4) {
    my @lists = map { my $n = $_; [map { $uris[($_ * 7 + $n) % @uris] }
                                       0 .. $#uris] } 1 .. 6;

    my @jobs = map {
        my ($last, @first) = reverse @$_;

        { port => $narrow, timeout => 60, rcvbuf => 2048, slow => 8192,
          request => join '', (map { request($_, connection => 'keep-alive') }
                               reverse @first), request($last) }
    } @lists;

    for my $x (exchange_all(@jobs)) {
        my @r = responses($x->{bytes});

        for my $uri (@{ shift @lists }) {
            my $r = shift @r || { status => 0, complete => 0, body => '' };
            my ($name) = $uri =~ /name=(\w+)/;
            my $wanted = ($name eq 'none' ? 200 : 402) . ' 1 '
                         . md5_hex($bodies{$name});

            push @{ $wrong{$uri} }, $round
                if "$r->{status} $r->{complete} " . md5_hex($r->{body})
                   ne $wanted;
        }
    }

    push @memory, memory($worker, 'VmRSS');
}

is(join(' ', sort keys %wrong), '',
   'slow clients get ' . 4 * 6 * @uris . ' bodies');
cmp_ok($memory[3] - $memory[1], '<', 512, '... and no memory is kept');
is(connections($port), $alone, '... nor a connection');

stop($nginx);


# Reloads under load: an old worker sends the responses that it holds, and ends.

$nginx = start(port => $port, http => $http, workers => 2);

my %first = map { $_ => 1 } workers($nginx);
my ($reloads, $failed, $answered) = (0, '', 0);

for my $round (1 .. 10) {
    my $pid = fork;
    die "fork: $!" if !defined $pid;

    # while the requests below are served

    if (!$pid) {
        sleep 0.15;
        kill 'HUP', $nginx->{pid};
        POSIX::_exit(0);
    }

    my @jobs = map {
        my $name = (sort keys %bodies)[$_ % 3];
        my $buffers = (sort keys %buffers)[$_ / 3 % 3];

        { port => $port, timeout => 20, name => $name, request =>
            request("/tencent_iotvideo/$buffers/body?name=$name&cut=30"
                    . '&framing=length&pause=' . ($_ % 4) / 10) }
    } 1 .. 36;

    for my $x (exchange_all(@jobs)) {
        my $name = (shift @jobs)->{name};
        my $r = parse($x->{bytes});

        if ($r->{status} == ($name eq 'none' ? 200 : 402)
            && $r->{body} eq $bodies{$name})
        {
            $answered++;

        } else {
            $failed .= "$name in round $round: " . ($r->{line} || 'nothing')
                       . "\n";
        }
    }

    waitpid $pid, 0;
    $reloads++;
}

is($failed, '', 'no request fails over reloads');
is($answered, 360, '... all are answered');

my @left;

wait_for(sub {
    @left = workers($nginx);
    return @left == 2 && !grep { $first{$_} } @left;
});

is(scalar @left, 2, '... and no old worker is left');
is(scalar(grep { $first{$_} } @left), 0, '... of the first ones');

my $log = slurp("$nginx->{dir}/error.log");

cmp_ok(scalar(() = $log =~ /reconfiguring/g), '>=', 5, '... of some reloads')
    or diag("$reloads reloads");

stop($nginx);

done_testing();
