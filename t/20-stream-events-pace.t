# Event streams go at the vendor's pace: the client has each event before the
# vendor sends the next one, and none later than through the same proxy without
# the module; keep-alive comments end with the hold timeout; caches.

use strict;
use warnings;

use Compress::Zlib ();
use ErrorMap;
use ErrorMapStream qw(:DEFAULT median);
use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

my @events = map { "event: m\ndata: {\"choices\":[{\"n\":$_}]}\n\n" } 1 .. 5;
my $error = "data: {\"error\":{\"code\":\"busy\"}}\n\n";

# the parts of a stream, each of which can be decoded as soon as it is there

my %parts = (identity => \@events, gzip => gzip_parts(@events));

sub gzip_parts {
    my $d = Compress::Zlib::deflateInit(-WindowBits => 31);

    return [map { ($d->deflate($_))[0]
                  . ($d->flush(Compress::Zlib::Z_SYNC_FLUSH()))[0] } @_];
}


my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my %arg = query($request);
    my $chunked = $arg{framing} eq 'chunked';
    my $headers = $arg{accel} ? "X-Accel-Buffering: no\r\n" : '';

    $headers .= "Content-Encoding: $arg{coding}\r\n"
        if $arg{coding} && $arg{coding} ne 'identity';

    my ($head) = frame($arg{framing}, '', type => 'text/event-stream',
                       headers => $headers);

    my $send = sub {
        my ($part) = @_;

        put($s, $head . ($chunked ? sprintf "%x\r\n%s\r\n", length $part, $part
                                  : $part));
        $head = '';
    };

    if ($arg{kind} eq 'marks') {

        for my $n (0 .. $#events) {
            $send->($parts{$arg{coding}}[$n]);
            await("seen-$arg{id}-$n") or return 0;
        }

    } elsif ($arg{kind} eq 'times') {

        # each event has the time at which it was sent

        if ($arg{split}) {
            put($s, $head);
            $head = '';
            sleep 0.003;
        }

        for my $n (1 .. 5) {
            $send->(sprintf "data: {\"choices\":[],\"t\":%.6f}\n\n", time);
            sleep 0.006;
        }

    } elsif ($arg{kind} eq 'comments') {

        for (1 .. $arg{n}) {
            $send->(": keep-alive\n\n");
            sleep 0.05;
        }

        $send->($_) for @events;

    } else {
        my @all = $arg{kind} eq 'error' ? ($error, @events) : @events;

        $head =~ s/\r\n\r\n$/\r\nX-Id: $arg{id}\r\n\r\n/;
        $send->($_) for @all;
    }

    put($s, "0\r\n\r\n") if $chunked;

    return 0;
});

my ($port, $h2) = (free_port(), free_port());
my $locations = '';

for my $document (qw(off llm)) {
    for my $buffering (qw(on off)) {
        for my $upstream (qw(on off)) {
            next if $document eq 'off' && $upstream eq 'on';

            $locations .= <<"END";
        location /$document/$buffering/$upstream/ {
            error_map $document;
            error_map_upstream $upstream;
            proxy_buffering $buffering;
            proxy_pass http://vendor;
        }
END
        }
    }

    $locations .= <<"END";
        location /$document/cache/ {
            error_map $document;
            proxy_cache streams;
            proxy_cache_valid 200 1h;
            proxy_cache_key \$uri\$args;
            add_header X-Cache \$upstream_cache_status always;
            add_header X-V "\$error_map_verdict \$error_map_code" always;
            proxy_pass http://vendor;
        }
END
}

my $nginx = start(port => $port, http => <<"END");
    error_map_document llm {
        source  json  /error/code;
        success json  /choices;
        busy  503  UNAVAILABLE  "busy";
    }

    upstream vendor {
        server 127.0.0.1:$vendor;
    }

    proxy_cache_path %DIR%/cache keys_zone=streams:1m;

    server {
        listen 127.0.0.1:$port;
        listen 127.0.0.1:$h2 http2;

        error_map_types text/event-stream;
        error_map_hold_timeout 30s;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Accept-Encoding \$http_accept_encoding;
        add_header X-V "\$error_map_verdict \$error_map_reason" always;

$locations
        location /page/ {
            error_map llm;
            error_map_intercept on;
            error_page 503 /sorry;
            proxy_buffering off;
            proxy_pass http://vendor;
        }

        location = /sorry {
            internal;
            default_type text/plain;
            return 200 "sorry, \$error_map_code";
        }

        location /dry/ {
            error_map llm;
            error_map_dry_run on;
            proxy_buffering off;
            proxy_pass http://vendor;
        }

        location /short/ {
            error_map llm;
            error_map_hold_timeout 300ms;
            proxy_buffering off;
            proxy_pass http://vendor;
        }
    }
END


# The client has each event before the vendor sends the next one.

my $id = 0;

# reads until the body has what it should, over HTTP/1.1, or HTTP/2 with curl

sub paced {
    my ($uri, $coding, $http2) = @_;

    my ($s, $bytes, $came) = (undef, '', 0);

    if ($http2) {
        open $s, '-|', 'curl', '-sN', '-m', '20', '--http2-prior-knowledge',
             '-D', '-', "http://127.0.0.1:$h2$uri" or die "curl: $!";

    } else {
        $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
            or die "connect: $!";
        put($s, request($uri));
    }

    my $select = IO::Select->new($s);

    for my $n (0 .. $#events) {
        my $wanted = join '', @{ $parts{$coding} }[0 .. $n];
        my $end = time + 8;

        while (time < $end && parse($bytes)->{body} ne $wanted) {
            $select->can_read($end - time) or last;
            sysread $s, $bytes, 65536, length $bytes or last;
        }

        last if parse($bytes)->{body} ne $wanted;

        $came++;
        mark("seen-$id-$n");
    }

    close $s;

    return $came . ', ' . (parse($bytes)->{headers}{'x-v'}[0] || '');
}

for my $where (qw(off/off off/on on/off on/on)) {
    my $accel = $where =~ /^on/ ? 1 : 0;

    for my $framing (qw(chunked close)) {
        for my $coding (sort keys %parts) {
            for my $http2 (0, 1) {
                $id++;

                is(paced("/llm/$where/?kind=marks&id=$id&framing=$framing"
                         . "&coding=$coding&accel=$accel", $coding, $http2),
                   @events . ', success ',
                   "each event at once: buffering and upstream $where,"
                   . " $framing, $coding, HTTP/" . ($http2 ? 2 : 1));
            }
        }
    }
}


# how late each event came, in milliseconds

sub lateness {
    my ($uri) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
        or die "connect: $!";
    my ($bytes, @late) = ('');

    put($s, request($uri));

    while (sysread $s, $bytes, 65536, length $bytes) {
        my $now = time;
        my @times = $bytes =~ /"t":([\d.]+)\}\n\n/g;

        push @late, 1000 * ($now - $times[@late]) while @late < @times;
    }

    return @late;
}

# the two take turns, so that both have the same machine

for my $where (qw(off/off off/on on/off on/on)) {
    my ($bare) = $where =~ /^(\w+)/;
    my $uri = 'kind=times&framing=chunked&accel=' . ($bare eq 'on' ? 1 : 0);
    my ($lost, $first, $others) = (0);

    # the best of some rounds, for the machine may be busy with something else

    for my $round (1 .. 5) {
        my (@with, @without);

        for (1 .. 40) {
            my $split = '&split=' . $_ % 2;

            push @without, [lateness("/off/$bare/off/?$uri$split")];
            push @with, [lateness("/llm/$where/?$uri$split")];
        }

        $lost += grep { @$_ != 5 } @with, @without;

        my @late = map {
            my $of = $_;
            median(map { $of->($_) } @with)
            - median(map { $of->($_) } @without)
        } sub { $_[0][0] }, sub { @{ $_[0] }[1 .. 4] };

        $first = $late[0] if !defined $first || $late[0] < $first;
        $others = $late[1] if !defined $others || $late[1] < $others;

        last if $first < 1 && $others < 1;
    }

    is($lost, 0, "$where: all events of all streams came");

    cmp_ok($first, '<', 1, sprintf('%s: the first event is no millisecond late'
                                   . ' (%.3f)', $where, $first));
    cmp_ok($others, '<', 1, sprintf('%s: nor are the others (%.3f)',
                                    $where, $others));
}

# where nginx itself keeps a stream until it ends, too

{
    my $uri = 'kind=times&framing=chunked';
    my (@with, @without);

    for (1 .. 10) {
        push @without, [lateness("/off/on/off/?$uri")];
        push @with, [lateness("/llm/on/off/?$uri")];
    }

    my $first = median(map { $_->[0] } @with)
                - median(map { $_->[0] } @without);

    cmp_ok($first, '<', 2, sprintf('buffered: the first event is not late'
                                   . ' (%.3f)', $first));
}


# Comments do not end the wait, the hold timeout does; then nothing is held.

for my $case ([3, 'success '], [20, 'undecided hold_timeout']) {
    my ($n, $verdict) = @$case;
    my $r = exchange($port, request("/short/?kind=comments&n=$n"
                                    . '&framing=chunked'));
    my $parsed = parse($r->{bytes});

    is($parsed->{headers}{'x-v'}[0], $verdict, "$n comments: $verdict");
    is($parsed->{body}, ": keep-alive\n\n" x $n . join('', @events),
       '... and the client has all of it');

    my ($from, $to) = $n == 3 ? (0.12, 0.7) : (0.28, 0.7);

    cmp_ok($r->{first}, '>=', $from, '... not before that');
    cmp_ok($r->{first}, '<', $to, '... nor much later');
}


# A stream from nginx's cache has the verdict of the stream itself; an error is
# decided each time, for nginx without error_map_upstream stores the 200.

for my $kind (qw(good error)) {
    my $off = get($port, "/off/cache/?kind=$kind&framing=chunked&id=1");

    for my $n (1, 2) {
        my $r = get($port, "/llm/cache/?kind=$kind&framing=chunked&id=1");

        is("$r->{status} $r->{headers}{'x-v'}[0] $r->{headers}{'x-cache'}[0]",
           ($kind eq 'good' ? '200 success  ' : '503 mapped busy ')
           . ($n == 1 ? 'MISS' : 'HIT'), "$kind, from the cache: $n");
        is($r->{body}, $off->{body}, '... with the same body');
    }
}

# an error page replaces the stream; a dry run passes it

for my $case (['page', 'error', 503, 'sorry, busy'],
              ['page', 'good', 200, join '', @events],
              ['dry', 'error', 200, join '', $error, @events])
{
    my ($where, $kind, $status, $body) = @$case;
    my $r = get($port, "/$where/?kind=$kind&framing=chunked&id=1");

    is("$r->{status} $r->{body}", "$status $body", "$where: $kind");
}

stop($nginx);

done_testing();
