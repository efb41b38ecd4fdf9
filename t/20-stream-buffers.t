# The bytes of a held response stay in the buffers of nginx's event pipe: it goes
# on to read into others, also if its client takes nothing, and has as many as
# before afterwards.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream qw(:DEFAULT client read_all);
use IO::Select;
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(sleep time);

my $sanitizer = ($ENV{CC} || '') =~ /sanitize/;


# The vendor's URI: /PLACE/BODY/FRAMING.  BODY is "WHAT-BEFORE-AFTER", bytes
# before and after the code; FRAMING is "length", which may have a place for a
# pause of a second, "short" and where the vendor closes, or the sizes of chunks,
# of which the last one repeats; a "p" before a size is a pause.

sub body {
    my ($what, $before, $after) = split /-/, $_[0];

    my $text = join '', map { sprintf '%07d,', $_ }
                            1 .. ($before + $after) / 8 + 1;
    my $code = { error => '1001', success => '0' }->{$what};

    return '{"a":"' . substr($text, 0, $before) . '",'
           . (defined $code ? "\"code\":$code," : '')
           . '"b":"' . substr($text, $before, $after) . '"}';
}

my $vendor = vendor(sub {
    my ($s, $head) = @_;

    my ($what, $framing) = $head =~ m{^GET /\w+/([\w-]+)/([\w,]+)};
    my $body = body($what);

    if ($head =~ /\?fail/) {
        reset_on_close($s);
        return 0;
    }

    my $type = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

    if ($framing =~ /^short(\d+)$/) {
        put($s, $type . 'Content-Length: ' . length($body) . "\r\n\r\n"
                . substr $body, 0, $1);
        return 0;
    }

    if ($framing =~ s/^length//) {
        my @pieces = unpack join('', map { "a$_" } split(/p/, $framing), '*'),
                            $body;

        put($s, $type . 'Content-Length: ' . length($body) . "\r\n\r\n");

        while (@pieces) {
            put($s, shift @pieces);
            sleep 1 if @pieces;
        }

        return 1;
    }

    my @sizes = split /,/, $framing;
    my $text = $type . "Transfer-Encoding: chunked\r\n\r\n";

    while (length $body) {
        my $size = @sizes > 1 ? shift @sizes : $sizes[0];

        if ($size =~ s/^p//) {
            put($s, $text);
            $text = '';
            sleep 0.1;
        }

        my $chunk = substr $body, 0, $size, '';
        $text .= sprintf "%x\r\n%s\r\n", length $chunk, $chunk;
    }

    put($s, "${text}0\r\n\r\n");
    return 1;
});

# the buffers of the first one's sockets are small

my $port = free_port();
my $fast = free_port();
my $paced = free_port();

my $edge = start(port => $port, http => <<"END");
    error_map_document acme {
        source   json /code;
        success  0;
        1001     503 UNAVAILABLE "busy";
    }

    proxy_cache_path %DIR%/cache keys_zone=c:1m;
    log_format bytes '\$request_uri \$error_map_verdict'
                     ' \$upstream_bytes_received';
    proxy_http_version 1.1;
    proxy_buffer_size 4k;
    proxy_buffers 8 4k;
    error_map_hold_size 1m;
    error_map_hold_total 64m;
    error_map_hold_timeout 20s;

    server {
        listen 127.0.0.1:$port sndbuf=4k;
        listen 127.0.0.1:$fast;
        listen 127.0.0.1:$paced sndbuf=16k;

        access_log %DIR%/access.log bytes;
        error_map acme;
        add_header X-Verdict \$error_map_verdict always;

        location /file/ { proxy_pass http://127.0.0.1:$vendor; }

        location /memory/ {
            proxy_max_temp_file_size 0;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /barememory/ {
            error_map off;
            proxy_max_temp_file_size 0;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /limited/ {
            limit_rate 1k;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /small/ {
            error_map_hold_size 16k;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /short/ {
            error_map_hold_timeout 50ms;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /paced/ {
            error_map_hold_timeout 100ms;
            proxy_buffers 4 4k;
            proxy_busy_buffers_size 4k;
            proxy_limit_rate 2m;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /default/ {
            error_map_hold_size 64k;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /problem/ {
            error_map_body problem;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /page/ {
            error_map_intercept on;
            error_page 503 \@page;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /stale/ {
            proxy_cache c;
            proxy_cache_key \$uri;
            proxy_cache_valid any 1s;
            proxy_cache_use_stale error;
            add_header X-Verdict \$error_map_verdict always;
            add_header X-Cache \$upstream_cache_status always;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location \@page { return 503 page; }
    }
END

my $worker = worker($edge);


# a client that has asked, and takes little unless told otherwise

sub asked {
    my ($uri, $size) = @_;

    return client($port, request($uri), $size || 4096);
}

sub told {
    my ($r, $uri) = @_;

    my ($what) = $uri =~ m{^/\w+/([\w-]+)};

    return join ' ', $r->{status}, $r->{headers}{'x-verdict'}[0] // '-',
                     $r->{complete} && $r->{body} eq body($what)
                     ? 'whole' : 'broken';
}


# A client that takes nothing: all buffers of the pipe are busy, at whatever
# place the code is in them, and the upstream has more.

{
    my @before = map { 250 * $_ } 60 .. 200;
    my @s = map { asked("/limited/error-$_-100000/" . ($_ + 30) . ',p9000') }
            @before;
    sleep 2;

    reset_on_close($_) for @s;
    @s = ();

    is(worker($edge), $worker,
       'the worker lives though its clients take nothing');
}


# what a slow client gets

for my $place (qw(file memory)) {
    my @uris = map { ("/$place/error-$_-50000/" . ($_ + 30) . ',p9000',
                      "/$place/none-$_-50000/length",
                      "/$place/error-$_-50000/length") }
               map { 4096 * $_ - 170, 4096 * $_ } 8 .. 10;
    my @s = map { asked($_) } @uris;
    sleep 0.5;

    my %got;
    $got{told(read_all(shift @s), $_)}++ for @uris;

    is_deeply(\%got, { '503 mapped whole' => 12, '200 none whole' => 6 },
              "$place: slow clients get all");
}


# A client takes the held bytes but for some, and then nothing for a while: the
# pipe must keep a buffer to read into.

{
    my @cases = map { my $n = $_; map { [$n, $_] } 0.2, 0.5, 0.8, 0.95 }
                40_000, 100_000, 300_000, 600_000;
    my (@s, %got);

    for (@cases) {
        my ($before, $taken) = @$_;
        my $s = asked("/file/error-$before-3000000/length", 16384);
        my $bytes = '';

        while (length $bytes < $before * $taken) {
            sysread $s, $bytes, 4096, length $bytes or last;
        }

        push @s, [$s, $bytes];
    }

    sleep 0.5;

    for (@cases) {
        my ($s, $bytes) = @{ shift @s };

        local $SIG{ALRM} = sub { die "timeout\n" };
        alarm 30;
        1 while sysread $s, $bytes, 262144, length $bytes;
        alarm 0;

        $got{told(parse($bytes), "/file/error-$_->[0]-3000000")}++;
    }

    is_deeply(\%got, { '503 mapped whole' => scalar @cases },
              'clients that take a part of the held bytes get all');
    is(worker($edge), $worker, '... from one worker');
}


# The same after the hold timeout: what is sent then is sent without the pipe,
# which reads before it looks for sent buffers.

{
    my $uri = '/paced/none-600000-600000/length';
    my (@s, %got);

    for (1 .. 12) {
        my $s = client($paced, request($uri), 16384);

        sleep 0.15;
        sysread $s, my $bytes, 4096 * $_;
        push @s, [$s, $bytes];
    }

    sleep 0.5;

    for (@s) {
        my ($s, $bytes) = @$_;

        local $SIG{ALRM} = sub { die "timeout\n" };
        alarm 30;
        1 while sysread $s, $bytes, 262144, length $bytes;
        alarm 0;

        $got{told(parse($bytes), $uri)}++;
    }

    is_deeply(\%got, { '200 undecided whole' => 12 },
              'slow clients get all after the hold timeout');
    is(worker($edge), $worker, '... from one worker');
}


# The error page starts after the pipe has returned, which must not wait for the
# held buffers meanwhile, whichever of its buffers the code is in.

{
    my %got;

    for my $n (1 .. 20) {
        for my $after (0, 400_000) {
            my $uri = '/page/error-' . (4096 * $n - 3000) . "-$after/length";
            my $r = get($fast, $uri, timeout => 5);

            $got{"$r->{status} $r->{body}"}++;
        }
    }

    is_deeply(\%got, { '503 page' => 40 }, 'an error page replaces held buffers');
}


# the code is in the middle of buffers that were allocated together, or they are
# left before they are used up, and the response goes on

for my $before (150_000, 300_000, 333_333, 599_000) {
    for my $framing ('length', '8192', '40000', '300000') {
        my $uri = "/memory/error-$before-1000000/$framing";

        is(told(get($fast, $uri), $uri), '503 mapped whole',
           "$framing, $before bytes and the code");
    }
}

# the vendor closes in the middle of a given buffer, before or after the code

for my $what (qw(error none)) {
    my $uri = "/memory/$what-300000-600000/short500000";
    my $r = get($fast, $uri);
    my $sent = substr body("$what-300000-600000"), 0, 500_000;

    is("$r->{status} $r->{headers}{'x-verdict'}[0]",
       $what eq 'error' ? '503 mapped' : '200 undecided', "$what, cut");
    ok($r->{body} eq $sent, '... with all bytes that came');
}

is(worker($edge), $worker, '... and the worker lives');


# a buffer that is not full yet keeps neither the code nor, afterwards, the body

{
    my $uri = '/memory/error-300000-200000/length341000';
    my $s = asked($uri, 65536);
    my $read = IO::Select->new($s)->can_read(0.9);

    ok($read, 'the code comes before more than an eighth of the held bytes');
    is(told(read_all($s), $uri), '503 mapped whole', '... and all');

    $uri = '/short/none-900000-100000/length841000p10000';
    $s = asked($uri, 1048576);

    my ($bytes, $end) = ('', time + 1.9);

    while (IO::Select->new($s)->can_read(max(0, $end - time))) {
        sysread $s, $bytes, 65536, length $bytes or last;
    }

    cmp_ok(length $bytes, '>', 851_000 - 4096,
           'nginx has no more of it left than without a hold')
        or diag(length $bytes);
}

for my $framing ('length', '8192', '300000') {
    my $uri = "/file/none-600000-600000/$framing";

    is(told(get($fast, $uri), $uri), '200 undecided whole',
       "$framing: more than the hold size");
}


# Chunks of all sizes: those that fill their buffers, and those for which the held
# bytes must be copied, as nginx frees no buffer after a busy one.

srand 1;

for my $place (qw(file memory small short problem page)) {
    my (@uris, @s, %got);

    for (1 .. 20) {
        my @sizes = map { (1, 10, 400, 600, 2000, 4096, 8192, 20000)[rand 8] }
                    1 .. 12;

        $sizes[rand @sizes] =~ s/^/p/;
        push @uris, "/$place/" . (qw(error success none)[rand 3]) . '-'
                    . int(rand 60000) . '-' . int(rand 40000) . '/'
                    . join(',', @sizes, 3000);
    }

    @s = map { asked($uris[$_], $_ % 4 ? 65536 : 0) } 0 .. $#uris;

    my @broken = grep {
        my $r = read_all(shift @s);
        my $new = $r->{status} == 503 && $place =~ /problem|page/;

        $got{"$r->{status} $r->{headers}{'x-verdict'}[0]"}++;

        !($new ? $r->{complete} && length $r->{body} < 200
               : told($r, $_) =~ /whole/);
    } @uris;

    is_deeply(\@broken, [], "$place: chunks of all sizes come whole");
    cmp_ok(keys %got, '>=', $place eq 'small' || $place eq 'short' ? 2 : 3,
           '... ' . join ', ', map { "$got{$_} are $_" } sort keys %got);
}


# A stale response comes from the cache, after its upstream has failed: that has
# a pipe which does not send it.

for my $what ('none-50000-1000', 'error-50000-1000') {
    my $uri = "/stale/$what/length";

    get($port, $uri);
    sleep 2.1;

    my $r = get($port, "$uri?fail");
    like(told($r, $uri) . " $r->{headers}{'x-cache'}[0]",
         qr/^(?:200 none|503 mapped) whole STALE$/, "$what: stale");
}


# Once it is released, the pipe has the buffers of the configuration: it reads no
# more for a slow client.  The vendor sends more after the verdict, as nginx reads
# all that has come before it gives any to a filter.

{
    my @framings = ('length60000', '8192,' x 7 . 'p8192,8192');
    my %read;

    for my $place (qw(memory barememory)) {
        for my $framing (@framings) {
            my $uri = "/$place/error-50000-4000000/$framing";
            my $s = asked($uri);

            # the held bytes are taken, but not the rest

            my $bytes = '';

            while (length $bytes < 120_000) {
                sysread $s, $bytes, 4096, length $bytes or last;
            }

            sleep 0.3;
            reset_on_close($s);
            close $s;

            $read{$place}{$framing} = wait_for(sub {
                my ($n) = slurp("$edge->{dir}/access.log")
                          =~ /^\Q$uri\E \S* (\d+)$/m;
                $n;
            });
        }
    }

    for my $framing (@framings) {
        cmp_ok($read{memory}{$framing}, '<=',
               $read{barememory}{$framing} + 20_000,
               "$framing: $read{memory}{$framing} bytes are read for a slow "
               . 'client');
    }
}


# a worker keeps at most an eighth of error_map_hold_total of what it has freed

{
    my $uri = '/memory/error-900000-0/length890000';
    my $before = memory($worker, 'VmRSS');

    my @s = map { client($fast, request($uri), 65536) } 1 .. 50;
    my $held = wait_for(sub {
        my $now = memory($worker, 'VmRSS') - $before;
        $now > 30_000 && $now;
    });

    my %got;
    $got{told(read_all($_), $uri)}++ for @s;
    is_deeply(\%got, { '503 mapped whole' => 50 }, 'many large ones come whole');

    my $kept = memory($worker, 'VmRSS') - $before;
    cmp_ok($kept, '<', 28_000,
           "... and $kept of $held KB are kept of their memory")
        if !$sanitizer;
}


# no page of memory is asked of the kernel for each request

sub faults {
    my @fields = split / /, slurp("/proc/$worker/stat") =~ s/^.*\) //r;

    return $fields[7];
}

for my $what ('none-100000-100000', 'error-30000-170000') {
    for my $framing ('length', '8192') {
        get($fast, "/default/$what/$framing") for 1 .. 20;

        my $before = faults();
        get($fast, "/default/$what/$framing") for 1 .. 100;

        cmp_ok(faults() - $before, '<', 100,
               "$what, $framing: less than a page fault a request")
            if !$sanitizer;
    }
}

stop($edge);
done_testing();
