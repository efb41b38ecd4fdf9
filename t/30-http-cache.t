# Responses from nginx's cache, and through its temporary files, get the verdict
# of the live response.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT replace);
use ErrorMapHttp;
use File::Temp qw(tempdir);
use Socket qw(AF_INET INADDR_LOOPBACK SOCK_STREAM SOL_SOCKET SO_RCVBUF
              pack_sockaddr_in);
use Test::More;
use Time::HiRes qw(sleep);

@ports = (free_port(), free_port());
my @slow_ports = (free_port(), free_port());
my @new_ports = (free_port(), free_port());
my $vendor = case_vendor();


# A vendor that changes its responses: /name/... has the body that a file names,
# and closes the connection without that file.  Responses are stale after a
# second, and revalidated while the file stays the same.

my $state = tempdir(CLEANUP => 1);

sub state {
    my ($name, $case) = @_;

    return unlink "$state/$name" if !$case;

    replace("$state/$name", $case);
}

my $fickle = vendor(sub {
    my ($s, $request) = @_;

    my ($name) = $request =~ m{^\S+ /([\w-]+)} or die;
    my $case = slurp("$state/$name") or return 0;
    my $head = "ETag: \"$case\"\r\nCache-Control: max-age=1\r\n";

    if ($request =~ /^If-None-Match: "\Q$case\E"/mi) {
        print $s "HTTP/1.1 304 Not Modified\r\n$head\r\n";

    } else {
        print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                 . "Content-Length: " . length($cases{$case}{body})
                 . "\r\n$head\r\n$cases{$case}{body}";
    }

    return 0;
});


# bodies that are larger than a slow client's buffers

my $large = join '', map { sprintf '%07d', $_ } 1 .. 100000;

my %large = map { my $case = $cases{$_};
                  my $body = $case->{body};
                  $body =~ s/}$/,"More":"$large"}/;
                  $_ => { %$case, body => $body }
                } qw(mapped success late-mapped late-success undecided);

my $spilling = vendor(sub {
    my ($s, $request) = @_;

    $request =~ m{/([\w-]+) HTTP} or die;
    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
             . $large{$1}{body};

    return 0;
});


my %modes = ('sendfile' => 'sendfile on;', 'no-sendfile' => 'sendfile off;');

$modes{threads} = 'aio threads;'
    if qx(@{[nginx()]} -V 2>&1) =~ /--with-threads/;

my $cache = 'proxy_cache cache; proxy_cache_valid 200 1m; proxy_cache_key'
            . ' $server_name$request_uri;';

my $locations = (join '', map {
    "location /$_/ { proxy_pass http://127.0.0.1:$vendor/; $cache"
    . " $modes{$_} }\n"
} sort keys %modes) . <<"END";

    location /fickle/ {
        proxy_pass http://127.0.0.1:$fickle/;
        proxy_cache_use_stale error updating;
        proxy_cache_background_update on;
        $cache
    }

    location /revalidate/ {
        proxy_pass http://127.0.0.1:$fickle/;
        proxy_cache_revalidate on;
        $cache
    }

    location /spill/ {
        proxy_pass http://127.0.0.1:$spilling/;
        proxy_buffers 2 4k;
        proxy_busy_buffers_size 4k;
        proxy_max_temp_file_size 100m;
    }

    location /spill-cached/ {
        proxy_pass http://127.0.0.1:$spilling/;
        proxy_buffers 2 4k;
        proxy_busy_buffers_size 4k;
        $cache
    }
END

# two servers, without and with the filter

my $files = tempdir(CLEANUP => 1);
chmod 0777, $files;

sub servers {
    my ($with, $without, $slow_with, $slow_without) = @_;

    $_ = $_ ? "listen 127.0.0.1:$_ sndbuf=8k;" : ''
        for $slow_with, $slow_without;

    return start(port => $with, http => <<"END");
    proxy_cache_path $files keys_zone=cache:1m use_temp_path=off;
    proxy_http_version 1.1;
    keepalive_requests 10000;
    add_header X-Cache \$upstream_cache_status always;

    server {
        server_name without;
        listen 127.0.0.1:$without;
        $slow_without
        $locations
    }

    server {
        server_name with;
        listen 127.0.0.1:$with;
        $slow_with
        error_map tencent_iotvideo;
        add_header X-Cache \$upstream_cache_status always;
        add_header X-Verdict \$error_map_verdict always;
        $locations
    }
END
}

my $server = servers(@ports, @slow_ports);

sub cache_status {
    my ($r) = @_;

    return $r->{headers}{'x-cache'}[0] || 'none';
}


# the live response, and the same one from the cache

for my $mode (sort keys %modes) {
    for my $framing (qw(length chunked close)) {
        for my $case (@cases, $cases{empty}) {
            for my $status (qw(MISS HIT HIT)) {
                my ($with, $without)
                    = both("/$mode/$framing/$case->{name}");

                is(cache_status($with), $status,
                   "$mode, $framing, $case->{name} is a $status");
                edge_ok($with, $without, $case, '... the response');
            }
        }
    }
}


# conditions apply to responses whose status stays

for my $case (@cases) {
    my $changed = ($case->{status} || 200) != 200;

    for my $mode (sort keys %modes) {
        my $uri = "/$mode/chunked/$case->{name}";
        my (undef, $plain) = both($uri);

        for my $condition ("If-None-Match: \"$case->{name}\"",
                           'If-Modified-Since: Mon, 28 Sep 1970 06:00:00 GMT')
        {
            my ($with, $without) = both($uri, headers => "$condition\r\n");

            is("$without->{status} " . cache_status($with), '304 HIT',
               "$condition, $mode, $case->{name}");

            if ($changed) {
                edge_ok($with, $plain, $case, '... mapped');

            } else {
                same_ok($with, $without, '... 304',
                        qw(x-error-source x-error-code x-error-class
                           x-upstream-status));
            }
        }
    }
}


# Ranges apply to responses whose status stays, except held ones; responses from
# the cache need no hold.

for my $case (@cases) {
    my $changed = ($case->{status} || 200) != 200;
    my $late = $case->{name} =~ /^late|^undecided/;

    for my $framing (qw(length chunked)) {
        my $uri = "/sendfile/$framing/$case->{name}?";

        my %plain = map { $_ => (both($uri . 'plain'))[1] } qw(MISS HIT);

        for my $range ('bytes=2-9', 'bytes=-5', 'bytes=0-1,4-5',
                       'bytes=99999999-')
        {
            for my $status (qw(MISS HIT)) {
                my $held = $late && $status eq 'MISS';

                # nginx closes the connection after a 416

                my ($with, $without) = map {
                    get($_, $uri . $range, headers => "Range: $range\r\n")
                } @ports;

                # and does not cache the refused response

                is(cache_status($with), $changed || $late
                   ? $status : cache_status($without),
                   "$range, $framing, $case->{name}");

                $without->{headers}{'x-cache'} = $with->{headers}{'x-cache'}
                    if $late;

                if ($changed || $held) {
                    $without = edge($plain{$status}, $case);
                    delete $without->{headers}{'accept-ranges'};
                }

                same_ok($with, $without, "... $status", $case->{code}
                        && !$changed ? qw(x-error-source x-error-code
                                          x-error-class x-upstream-status)
                                     : ());
            }
        }
    }
}


# stale responses

my %stale = (
    'good-now' => ['mapped', 'success'], 'bad-now' => ['success', 'mapped'],
    'late-good-now' => ['late-mapped', 'late-success'],
    'late-bad-now' => ['late-success', 'late-mapped'],
    'gone-mapped' => ['mapped'], 'gone-late' => ['late-mapped'],
    'gone-success' => ['late-success'],
);

my @kept = qw(mapped late-mapped success late-success undecided);

sub stale_ok {
    my ($uri, $status, $case, $name) = @_;

    my ($with, $without);

    # a background update may take some time

    wait_for(sub {
        ($with, $without) = both($uri);
        return cache_status($with) eq $status
               && cache_status($without) eq $status;
    }, 5);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(cache_status($with), $status, $name);
    edge_ok($with, $without, $case, '... the response');
}

state($_, $stale{$_}[0]) for keys %stale;
state("kept-$_", $_) for @kept;

for my $name (sort keys %stale) {
    stale_ok("/fickle/$name", 'MISS', $cases{$stale{$name}[0]},
             "$name, new");
}

stale_ok("/revalidate/kept-$_", 'MISS', $cases{$_}, "$_, new") for @kept;

state($_, $stale{$_}[1]) for keys %stale;
sleep 2.2;

for my $name (sort grep { $stale{$_}[1] } keys %stale) {
    my ($before, $after) = map { $cases{$_} } @{ $stale{$name} };
    my ($with, $without) = both("/fickle/$name");

    is(cache_status($with), 'STALE', "$name, stale while it is updated");
    edge_ok($with, $without, $before, '... the response');

    stale_ok("/fickle/$name", 'HIT', $after, "$name, updated");
}

for my $name (sort grep { !$stale{$_}[1] } keys %stale) {
    stale_ok("/fickle/$name", 'STALE', $cases{$stale{$name}[0]},
             "$name, the vendor is down");
}

stale_ok("/revalidate/kept-$_", 'REVALIDATED', $cases{$_},
         "$_, revalidated") for @kept;


# A client that reads late makes nginx write the body to a file, and send it
# from there.

sub slow {
    my ($port, $uri) = @_;

    socket my $s, AF_INET, SOCK_STREAM, 0 or die "socket: $!";
    setsockopt $s, SOL_SOCKET, SO_RCVBUF, 8192;
    connect $s, pack_sockaddr_in($port, INADDR_LOOPBACK) or die "connect: $!";
    syswrite $s, "GET $uri HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n";

    return { socket => $s, bytes => '' };
}

for my $name (sort keys %large) {
    my $case = $large{$name};
    my $log = length slurp("$server->{dir}/error.log");

    my @slow = map { my $p = $_; map { slow($p, "/$_/$name") }
                     qw(spill spill-cached) } @slow_ports;

    my $spills = 0;

    wait_for(sub {
        my $news = substr slurp("$server->{dir}/error.log"), $log;

        $spills = () = $news =~ /is buffered to a temporary file/g;
        return $spills == 2;
    });

    for my $c (@slow) {
        while (sysread $c->{socket}, $c->{bytes}, 65536, length $c->{bytes}) {
        }
    }

    my ($with, $cached, $without, $expect) = map { parse($_->{bytes}) } @slow;

    is($spills, 2, "a slow client, $name, has temporary files");
    edge_ok($with, $without, $case, '... and gets all');
    edge_ok($cached, $expect, $case, '... and gets all with a cache');
    edge_ok((map { get($_, "/spill-cached/$name") } @ports), $case,
            '... and from the cache');
}


# a new process reads more of a cached file at once

for my $case (@cases) {
    both("/sendfile/length/$case->{name}?$_") for qw(get range match);
}

my $new = servers(@new_ports);

for my $case (@cases) {
    my $uri = "/sendfile/length/$case->{name}";
    my $changed = ($case->{status} || 200) != 200;
    my (%with, %without);

    for (['get', ''], ['range', "Range: bytes=2-9\r\n"],
         ['match', "If-None-Match: \"$case->{name}\"\r\n"])
    {
        my ($name, $headers) = @$_;

        ($with{$name}, $without{$name})
            = map { get($_, "$uri?$name", headers => $headers) } @new_ports;

        is(cache_status($with{$name}), 'HIT', "new process, $case->{name}");
    }

    my @but = $changed ? () : qw(x-error-source x-error-code x-error-class
                                 x-upstream-status);

    edge_ok($with{get}, $without{get}, $case, '... get');

    my $full = edge($without{get}, $case);

    same_ok($with{match}, $changed ? $full : $without{match},
            '... If-None-Match', @but);

    delete $full->{headers}{'accept-ranges'};

    same_ok($with{range}, $changed ? $full : $without{range},
            '... range', @but);
}

stop($new);
stop($server);
done_testing();
