# The counters are what was sent, each response once: over all verdicts, over
# reloads and over workers that are killed; and nothing that a vendor sends can
# become a label or make more of them.

use strict;
use warnings;

use ErrorMap;
use ErrorMapMetrics;
use ErrorMapStream;
use ErrorMapTables;
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $vendor = answers('body');
my $second = answers('second');
my ($port, $nobody) = (free_port(), free_port());

my $acme = <<'END';
    error_map_document acme {
        source   header  X-Acme-Error;
        source   json    /error/code;
        success  0;
        1001     401  UNAUTHENTICATED     "token missing";
        2001     -    RESOURCE_EXHAUSTED  "quota used up";
    }
END

my $accounts = <<"END";
    upstream accounts {
        server 127.0.0.1:$vendor max_fails=0;
        server 127.0.0.1:$second max_fails=0 backup;
    }
END

my $edge = start(port => $port, http => <<"END");
    error_map_policy edge {
        code     tencent_iotvideo/42505  429;
        unknown  503;
    }

    error_map_zone counters 1m;
    proxy_cache_path %DIR%/cache keys_zone=counted:1m;

$acme
$accounts
    keepalive_requests 100000;

    server {
        listen 127.0.0.1:$port;
        error_map tencent_iotvideo;
        add_header X-Held \$error_map_hold_size always;
        add_header X-Time \$error_map_hold_time always;

        location / { proxy_pass http://127.0.0.1:$vendor; }
        location /off { error_map off; proxy_pass http://127.0.0.1:$vendor; }
        location /acme { error_map acme; proxy_pass http://127.0.0.1:$vendor; }

        location /small {
            error_map_hold_size 20;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /quick {
            error_map_hold_timeout 100ms;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /dry {
            error_map_dry_run on;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /problem {
            error_map_body problem;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /any {
            error_map \$arg_document policy=edge;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /page {
            error_map_intercept on;
            error_page 402 /sorry;
            error_page 403 = \@second;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location = /sorry {
            default_type application/json;
            return 429 '{"StatusCode":40001}';
        }

        location \@second { proxy_pass http://127.0.0.1:$second; }

        location /down { proxy_pass http://127.0.0.1:$nobody; }

        location /upstream {
            error_map_upstream on;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /upstream-page {
            error_map_upstream on;
            proxy_intercept_errors on;
            error_page 402 /sorry;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /retry {
            error_map tencent_iotvideo policy=edge;
            error_map_upstream on;
            proxy_next_upstream http_429 http_503;
            proxy_pass http://accounts;
        }

        location /cache {
            error_map tencent_iotvideo policy=edge;
            error_map_upstream on;
            proxy_cache counted;
            proxy_cache_key \$arg_key;
            proxy_cache_valid 200 1s;
            proxy_cache_use_stale http_503;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /local {
            default_type application/json;
            return 200 \$arg_body;
        }

        error_map_types application/json text/plain;
$handlers
        location = /counted {
            error_map acme;
            error_map_types *;
            error_map_metrics json;
        }
    }
END


# URI, method (GET, or that after a while), and what is counted, one each

sub iotvideo { counted('tencent_iotvideo', @_) }
sub acme { counted('acme', @_) }

my @mapped = iotvideo(qw(mapped 42505 RESOURCE_EXHAUSTED 200 402));
my @limited = iotvideo(qw(mapped 42505 RESOURCE_EXHAUSTED 200 429));
my @unknown = iotvideo(qw(unknown other UNKNOWN 200 200));
my @fine = iotvideo('success', '', '', 200, 200);
my @none = iotvideo('none', '', '', 200, 200);
my @skipped = iotvideo('skipped');
my @undecided = iotvideo('undecided', '', '', 200, 200);

my $bad = '?body={"StatusCode":42505}';
my $good = '?body={"StatusCode":200}';
my $what = '?body={"StatusCode":9}';

my @requests = (
    ["/$bad", '', @mapped],
    ["/$bad&status=500", '',
     iotvideo(qw(mapped 42505 RESOURCE_EXHAUSTED 500 402))],
    ['/?body={"StatusCode":40001}', '',
     iotvideo(qw(mapped 40001 INVALID_ARGUMENT 200 200))],
    ["/$what", '', @unknown],
    ["/$what&status=404", '', iotvideo(qw(unknown other UNKNOWN 404 404))],
    ['/?body={"StatusCode":"other"}', '', @unknown],
    ["/$good", '', @fine],
    ['/?body={"StatusCode":0}&status=201', '',
     iotvideo('success', '', '', 201, 201)],
    ['/?body={}', '', @none],
    ['/?body=', '', @none],

    ['/acme?body={"error":{"code":2001}}', '',
     acme(qw(mapped 2001 RESOURCE_EXHAUSTED 200 429))],
    ['/acme?body={}&header=X-Acme-Error:%201001', '',
     acme(qw(mapped 1001 UNAUTHENTICATED 200 401))],
    ['/acme?body={"error":{"code":0}}', '', acme('success', '', '', 200, 200)],
    ['/acme?body={"error":{"code":7}}', '',
     acme(qw(unknown other UNKNOWN 200 200))],
    ["/acme$bad", '', acme('none', '', '', 200, 200)],

    # what is not looked into is skipped, for its document

    ["/$bad&type=text/html", '', @skipped],
    ["/$bad&header=Content-Encoding:%20br", '', @skipped],
    ["/$bad&status=204", '', @skipped],
    ["/$bad&status=206", '', @skipped],
    ["/$bad&status=304", '', @skipped],
    ["/$bad&status=000", '', @skipped],
    ["/$bad&status=099", '', @skipped],
    ["/$bad", 'HEAD', @skipped],
    ["/off$bad", ''],
    ["/any$bad&document=off", '', counted('', 'skipped')],
    ["/any$bad&document=nosuch", '', counted('', 'skipped')],
    ["/any$bad&document=acme&type=text/html", '', acme('skipped')],
    ["/any$bad&document=tencent_iotvideo", '', @limited],
    ["/any$what&document=tencent_iotvideo", '',
     iotvideo(qw(unknown other UNKNOWN 200 503))],

    # what is counted is what is seen, whatever is made of it

    ["/dry$bad", '', @mapped],
    ["/dry$what", '', @unknown],
    ["/problem$bad", '', @mapped],

    # a page of the edge's own is no response of a vendor's

    ["/page$bad", '', @mapped],
    ["/page$bad&pause=0.05", '', @mapped],
    ["/upstream-page$bad", '', @mapped],
    ['/page?body={"StatusCode":42502}&second={"StatusCode":200}', '',
     iotvideo(qw(mapped 42502 PERMISSION_DENIED 200 403)), @fine],
    ["/down$bad", ''],

    # holds

    ["/$bad&pause=0.1", '', @mapped],
    ["/$good&pause=0.05", '', @fine],
    ['/?body={}&pause=0.05', '', @none],
    ['/small?body={"Data":"12345678901234567890"}', '', @undecided],
    ['/quick?body={"Data":1}&pause=1', '', @undecided],

    # each attempt that has failed, and the last response

    ["/upstream$bad", '', @mapped],
    ["/upstream$good", '', @fine],
    ["/upstream$what", '', @unknown],
    ['/upstream?body={}', '', @none],
    ["/upstream$bad&type=text/html", '', @skipped],
    ["/upstream$bad&pause=0.1", '', @mapped],
    ["/upstream$good&pause=0.1", '', @fine],
    ["/retry$good&second={}", '', @fine],
    ["/retry$bad&second={\"StatusCode\":200}", '', @limited, @fine],
    ["/retry$bad&second={}", '', @limited, @none],
    ["/retry$bad&second={\"StatusCode\":42505}", '', @limited, @limited],
    ["/retry$what&second={\"StatusCode\":40001}", '',
     iotvideo(qw(unknown other UNKNOWN 200 503)),
     iotvideo(qw(mapped 40001 INVALID_ARGUMENT 200 200))],

    # what comes from a cache; the last one is asked in vain, and then stale

    ["/cache$good&key=1", '', @fine],
    ["/cache$good&key=1", '', @fine],
    ["/cache$bad&key=2", '', @limited],
    ["/cache$bad&key=2", '', @limited],
    ["/cache$what&key=1", 'later',
     iotvideo(qw(unknown other UNKNOWN 200 503)), @fine],

    # who looks at the counters

    ['/metrics', ''],
    ['/metrics.json', ''],
    ['/metrics', 'HEAD'],
    ['/metrics', 'POST'],
    ['/counted', '', acme('none', '', '', 200, 200)],
);

my $before = series($port);

is_deeply($before->{bad}, undef, 'every line is a sample or a comment');

is(join(' ', grep { $before->{$_} && !/_info/ } keys %$before), '',
   'all begin at zero');

for my $document ('acme', 'baidu_face', '') {
    is_deeply([sort grep { /document="$document"/ } keys %$before],
              [$document ? (map { "nginx_error_map_${_}_total"
                                  . "{document=\"$document\"}" }
                            qw(hold_bytes hold_seconds)) : (),
               map { counted($document, $_) }
                   $document ? qw(mapped none skipped success undecided unknown)
                             : 'skipped'],
              "what is shown at first of the document \"$document\"");
}

for (@requests) {
    my ($uri, $method, @counted) = @$_;
    my %counted;

    $counted{$_}++ for @counted;

    sleep 2.1 if $method eq 'later';

    my $r = get($port, $uri, method => $method =~ /^([A-Z]+)$/ ? $1 : 'GET');
    my $after = series($port);

    # what was held is what the variables tell

    if (@counted && $counted[0] =~ /(document="[^"]+")/) {
        my $held = $r->{headers}{'x-held'}[0];
        my $time = $r->{headers}{'x-time'}[0];

        $counted{"nginx_error_map_hold_bytes_total{$1}"} = $held + 0 if $held;
        $counted{"nginx_error_map_hold_seconds_total{$1}"} = $time + 0
            if $time && $time > 0;
    }

    is_deeply(delta($before, $after), \%counted,
              "counted: $method $uri, $r->{status}");

    $before = $after;
}

cmp_ok(total($before, qr/hold_seconds_total\{document="tencent_iotvideo"/),
       '>', 0.1, 'there were holds');
cmp_ok(total($before, qr/hold_bytes_total\{document="tencent_iotvideo"/),
       '>', 20, '... of some bytes');


# the handlers

for (['/metrics', 'text/plain; version=0.0.4'],
     ['/metrics.json', 'application/json'])
{
    my ($uri, $type) = @$_;

    my $r = get($port, $uri);
    my $head = get($port, $uri, method => 'HEAD');
    my $body = "5\r\n12345\r\n0\r\n\r\n";

    is_deeply([$r->{status}, $r->{complete}, map { @{ $r->{headers}{$_} } }
               qw(content-type cache-control content-length)],
              [200, 1, $type, 'no-store', length $r->{body}], "GET $uri");

    is($head->{status}, 200, "HEAD $uri");
    is($head->{headers}{'content-length'}[0], length $r->{body},
       '... has the same length');
    is($head->{body}, '', '... and no body');

    is(get($port, $uri, method => $_)->{status}, 405, "$_ $uri")
        for qw(POST PUT DELETE);

    is(get($port, $uri, headers => "Transfer-Encoding: chunked\r\n\r\n$body")
       ->{status}, 200, "GET $uri with a body");
}

like(get($port, '/metrics')->{body}, qr/\n\z/, 'the last line ends');


# the same in both

sub agree {
    my ($name) = @_;

    my ($text, $json) = map { get($port, $_)->{body} }
                        '/metrics', '/metrics.json';

    is_deeply(from_json($json), from_text($text), "JSON is as the text, $name");

    return JSON::PP->new->utf8->decode($json);
}

my $json = agree('busy');

cmp_ok(abs($json->{time} - time), '<', 60, 'the time in JSON');

my ($of) = grep { $_->{document} eq 'acme' } @{ $json->{documents} };

is_deeply([sort map { "$_->{code} $_->{title}" } @{ $of->{codes} }],
          ['1001 token missing', '2001 quota used up', 'other '],
          'titles in JSON');


# every code of a vendor's document has a place, and more than a buffer is sent

my $table = table('tencent_iotvideo');
my %codes = map { $_->{code} => 1 } @{ $table->{rows} };

delete @codes{@{ $table->{success} }};

$before = series($port);

pipelines($port, [map { "/local?body={\"StatusCode\":$_}" } keys %codes]);

my $delta = delta($before, series($port));

is_deeply([sort map { /code="([^"]+)"/ ? $1 : () } keys %$delta],
          [sort keys %codes], 'every code of tencent_iotvideo');
is(total($delta, qr/_codes_total/), keys %codes, '... once');
agree('all codes');


# unknown codes are one series, however many there are

$before = series($port);

my ($lines, $many) = (scalar keys %$before, 20_000);

exchange_all(map {
    my $n = $_;
    { port => $port, timeout => 60, sink => sub { },
      request => join '', map {
          request("/local?body={\"StatusCode\":\"no$_\"}", connection =>
                  $_ % 2500 == 2499 ? 'close' : 'keep-alive')
      } $n * 2500 .. $n * 2500 + 2499 }
} 0 .. $many / 2500 - 1);

my $after = series($port);

is_deeply(delta($before, $after), { map { $_ => $many } @unknown },
          "$many unknown codes");
is(scalar keys %$after, $lines, '... are no more series');


# pairs of statuses have so many places

$before = series($port);

my @statuses = grep { !/^(?:204|205|206|304)$/ } 200 .. 599;
my $pair = qr/_status_total\{document="acme",upstream_status="\d/;
my $other = qr/document="acme",upstream_status="other",status="other"/;

for my $round (1, 2) {
    pipelines($port, map { my $n = $_; [map { "/acme?body={}&status=$_" }
                                        grep { $_ % 4 == $n } @statuses] }
                     0 .. 3);

    $after = series($port);
    $delta = delta($before, $after);

    is(total($delta, qr/verdict="none"/), $round * @statuses,
       "responses of all statuses, $round");
    is(total($delta, qr/_status_total/), $round * @statuses, '... the sum');
    is(scalar(grep { /$pair/ } keys %$after), 64, '... 64 pairs');
    cmp_ok(total($delta, $other), '>=', $round * (@statuses - 64),
           '... the others in one place');
    is(join(' ', grep { /$pair/ && $delta->{$_} != $round } keys %$delta), '',
       '... each pair by itself');
}

$before = $after;
get($port, '/acme?body={"error":{"code":1001}}');
is(total(delta($before, series($port)), qr/document="acme",code="1001"/), 1,
   '... and codes are still counted');
agree('all statuses');


# nothing that a vendor sends is shown

my @evil = ('evil\"} 1\n# HELP evil\n', 'evil\u00e9\ud83d\ude00',
            "evil\xc3\xa9", 'evil\u0000', '</script>evil', 'evil\\\\',
            'evil' x 30);

$before = series($port);
get($port, '/?header=X-Acme-Error:%20evil&body={"StatusCode":"'
           . (s/([^A-Za-z0-9.])/sprintf '%%%02X', ord $1/ger) . '"}') for @evil;

is_deeply(delta($before, series($port)),
          { map { $_ => scalar @evil } @unknown },
          'codes with quotes, newlines and UTF-8 are unknown');

for ('/metrics', '/metrics.json') {
    my $body = get($port, $_)->{body};

    unlike($body, qr/evil/, "$_ shows nothing of it");
    like($body, qr/\A[\n\x20-\x7e]+\z/, '... and is plain ASCII');
}

agree('evil codes');
stop($edge);


# what a reload keeps

sub children {
    my ($server) = @_;
    my $pid = $server->{pid};

    return split ' ', slurp("/proc/$pid/task/$pid/children");
}

sub wait_for {
    my ($what, $sub) = @_;

    for (1 .. 500) {
        return 1 if $sub->();
        sleep 0.02;
    }

    die "waited in vain for $what";
}

# so many of a server's log

sub logged {
    my ($server, $re) = @_;

    return scalar grep { /$re/ }
                  split /\n/, slurp("$server->{dir}/error.log");
}

# takes lines that must be there out of a server's log, and says how many; nginx
# appends to the file, so it is cut and written again

sub forget {
    my ($server, $re) = @_;

    my @lines = split /^/, slurp("$server->{dir}/error.log");
    my @others = grep { !/$re/ } @lines;

    spew("$server->{dir}/error.log", join '', @others);

    return @lines - @others;
}

# so that no old worker is left

sub reload {
    my ($server, $text) = @_;
    my %old = map { $_ => 1 } children($server);

    spew("$server->{dir}/nginx.conf", $text);
    kill 'HUP', $server->{pid};

    wait_for('other workers', sub {
        my @now = children($server);
        return @now && !grep { $old{$_} } @now;
    });
}

sub reload_fails {
    my ($server, $text) = @_;

    spew("$server->{dir}/nginx.conf", $text);
    kill 'HUP', $server->{pid};

    wait_for('an error', sub { logged($server, qr/\[emerg\]/) });
}

$port = free_port();

my $sms = <<'END';
    error_map_document sms {
        source   json  /sms;
        E17      -     RESOURCE_EXHAUSTED  "out of credit";
    }
END

$edge = start(port => $port, http => <<"END");
    error_map_zone counters 1m;
$acme$sms
    error_map_policy edge { code acme/1001 502; }

    server {
        listen 127.0.0.1:$port;
        default_type application/json;
$handlers
        location /acme { error_map acme policy=edge; return 200 \$arg_body; }
        location /sms { error_map sms; return 200 \$arg_body; }
    }
END

my $text = slurp("$edge->{dir}/nginx.conf");
my $zero = qr/\[notice\].*error_map_zone "\w+" starts from zero/;

sub two_requests {
    get($port, '/acme?body={"error":{"code":1001}}');
    get($port, '/sms?body={"sms":"E17"}');
}

# the counters that are not zero

sub kept {
    my ($series) = @_;

    return { map { $_ => $series->{$_} }
             grep { $series->{$_} && !/_info/ } keys %$series };
}

two_requests() for 1 .. 3;

is_deeply([map { total(series($port), qr/code="$_"/) } qw(1001 E17)], [3, 3],
          'before a reload');

# what is changed, how, and what of the counters that leaves

for (
    ['nothing', sub { }, 1],
    ['a policy', sub { s{acme/1001 502}{acme/1001 503} }, 1],
    ['a location', sub { s{location /sms}{location /new \{ \} $&} }, 1],
    ['a code', sub { s/2001/2002/ }, 0],
    ['one code more', sub { s/"token missing";/$& 3001 - ABORTED "new";/ }, 0],
    ['a document\'s name', sub { s/document sms/document other/;
                                 s/error_map sms/error_map other/ }, 0],
    ['one document more', sub { s/\Q$sms\E/$sms . $sms =~ s{ sms}{ more}r/e },
     0],
    ['one document less', sub { s/\Q$sms//; s/error_map sms/error_map acme/ },
     0],
    ['the order of documents', sub { s/(\Q$acme\E)(\Q$sms\E)/$2$1/ }, 0],
    ['a larger zone', sub { s/counters 1m/counters 2m/ }, 0],
    ['a smaller zone', sub { s/counters 1m/counters 512k/ }, 0],
    ['the zone\'s name', sub { s/counters 1m/others 1m/ }, 0],
) {
    my ($what, $edit, $kept) = @$_;

    # from the first configuration, and a known state

    reload($edge, $text);
    two_requests();

    my $old = kept(series($port));
    my $notices = logged($edge, $zero);
    my $new = $text;

    $edit->() for $new;

    reload($edge, $new);

    is_deeply(kept(series($port)), $kept ? $old : {},
              "$what changed: " . ($kept ? 'kept' : 'from zero'));
    is(logged($edge, $zero) - $notices, 1 - $kept,
       "... a notice, or none: $what");

    my $now = series($port);

    two_requests();

    is(total(delta($now, series($port)), qr/_responses_total/), 2,
       '... counting goes on');
}


# a configuration that fails, at each stage of nginx's reading it

reload($edge, $text);
two_requests();

my $large = $text =~ s/counters 1m/counters 2m/r;
my $else = $text =~ s/2001/2002/r;

for (
    ['the parser', $large . "bogus;\n", qr/unknown directive "bogus"/],
    ['the parser, another layout', $else . "bogus;\n", qr/"bogus"/],
    ['a zone that is too small',
     $text =~ s/counters 1m/counters 32k/r =~ s{(?=server \{)}{
         join ' ', 'error_map_document many { source json /x;',
                   (map { "C$_ - ABORTED x;" } 1 .. 9000), "}\n" }er,
     qr/error_map_zone "counters" is too small/],
    ['a socket', $large =~ s{listen}{listen 192.0.2.1:80; listen}r,
     qr/bind\(\) to 192\.0\.2\.1:80 failed/],
    ['a socket, another layout', $else =~ s{listen}{listen 192.0.2.1:80; $&}r,
     qr/bind\(\) to 192\.0\.2\.1:80 failed/],
) {
    my ($what, $bad, $error) = @$_;

    my $old = kept(series($port));
    my @old = children($edge);

    reload_fails($edge, $bad);

    # the master goes back to its signals then

    sleep 0.2;
    cmp_ok(forget($edge, qr/\[emerg\].*$error/), '==', 1,
           "a configuration that fails by $what");
    is_deeply([children($edge)], \@old, '... the workers stay');
    is_deeply(kept(series($port)), $old, '... and the counters');

    two_requests();

    is(total(series($port), qr/_responses_total/),
       total($old, qr/_responses_total/) + 2, '... which go on');
    is_deeply(from_json(get($port, '/metrics.json')->{body}), series($port),
              '... and are whole');
}

my $old = kept(series($port));
reload($edge, $text);
is_deeply(kept(series($port)), $old, 'a good reload after these keeps them');

stop($edge);


# two workers, which are killed one by one while there is load

$port = free_port();

$edge = start(port => $port, workers => 2, http => <<"END");
    error_map_zone counters 1m;

    server {
        listen 127.0.0.1:$port reuseport;
        error_map tencent_iotvideo;
        add_header X-Pid \$pid always;
$handlers
        location / { proxy_pass http://127.0.0.1:$vendor; }
    }
END

# asks until each worker has answered, and returns the number of answers

sub both_answer {
    my %left = map { $_ => 1 } children($edge);
    my $n = 0;

    while (%left && $n < 500) {
        my $r = get($port, "/$bad");
        $n++ if $r->{status} == 402;
        delete $left{$r->{headers}{'x-pid'}[0]};
    }

    is(join(' ', keys %left), '', 'both workers answer');

    return $n;
}

sub both_children {
    wait_for('two workers', sub { children($edge) == 2 });
}

my $mapped = qr/verdict="mapped"/;

both_children();

my $asked = both_answer();

is(total(series($port), $mapped), $asked, 'they share the counters')
    for 1 .. 10;

# clients, which tell how many requests they have sent, and how many were
# answered

my @clients = map {
    pipe my $read, my $write or die "pipe: $!";
    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        my ($sent, $answered, $end) = (0, 0, 0);

        $SIG{TERM} = sub { $end = 1 };

        while (!$end) {
            $sent++;
            my $r = eval { get($port, "/$bad") } || { status => 0 };
            $answered++ if $r->{status} == 402;
        }

        syswrite $write, "$sent $answered\n";
        POSIX::_exit(0);
    }

    close $write;
    { pid => $pid, read => $read };
} 1, 2;

my ($kills, $last, @bad, %killed) = (20, $asked);

for my $n (1 .. $kills) {
    my @pids = children($edge);
    my $pid = $pids[$n % @pids];

    kill 'KILL', $pid;
    $killed{$pid} = 1;

    wait_for('another worker', sub {
        my @now = children($edge);
        return @now == 2 && !grep { $_ == $pid } @now;
    });

    my ($text, $json) = map { get($port, $_) } '/metrics', '/metrics.json';
    my $now = total(from_text($text->{body}), $mapped);
    my $then = total(eval { from_json($json->{body}) } || {}, $mapped);

    push @bad, "$n: $text->{status} $last $now $then"
        if $text->{status} != 200 || $now < $last || $then < $now;

    $last = $then;
    sleep 0.05 + rand 0.05;
}

is(join("\n", @bad), '', "the counters can be read after each of $kills kills");
cmp_ok($last, '>', $asked + $kills, '... and grow');

my ($sent, $answered) = ($asked, $asked);

for (@clients) {
    kill 'TERM', $_->{pid};
    my $line = readline $_->{read};
    waitpid $_->{pid}, 0;

    my @n = split ' ', $line || '0 0';
    $sent += $n[0];
    $answered += $n[1];
}

$after = series($port);
$last = total($after, $mapped);

# a worker that is killed may have counted what its client did not get; one
# response has three counters, and a worker has one response at a time in hand

cmp_ok($last, '>=', $answered, "$answered answers are counted");
cmp_ok($last, '<=', $sent, "... of $sent requests");

for (qr/code="42505"/, qr/upstream_status="200",status="402"/) {
    my $n = total($after, $_);

    cmp_ok($n, '<=', $last, 'what is added next');
    cmp_ok($n, '>=', $last - $kills, '... is not lost but by a kill');
}

# nobody holds a lock

$asked = both_answer() for 1 .. 3;
$before = series($port);
$asked = both_answer();
is(total(delta($before, series($port)), $mapped), $asked, '... and counts');

my $pids = join '|', keys %killed;
my $exited = qr/\[alert\]\ $edge->{pid}\#\d+:\ worker\ process\ (?:$pids)
                \ exited\ on\ signal\ 9$/x;

wait_for('the last alert', sub { logged($edge, $exited) == $kills });
is(forget($edge, $exited), $kills, 'nginx has told of each');
stop($edge);


# what is refused

sub message { configuration_error($_[0]) =~ s/^.*?\[emerg\] (?:\S+: )?//r }

my $minimum = 8 * POSIX::sysconf(POSIX::_SC_PAGESIZE());

# the kbytes that some documents need, with those that are compiled in

sub least_zone {
    my ($documents) = @_;

    return message("\nerror_map_zone a $minimum;\n$documents")
           =~ /^error_map_zone\ "a"\ is\ too\ small\ for\ its\ documents,
               \ it\ must\ have\ at\ least\ (\d+)k\ in\ nginx\.conf:7$/x
           ? $1 : 0;
}

my $least = least_zone('') || $minimum / 1024;
my $format = 'in "error_map_metrics", it must be prometheus or json';

for (
    ["error_map_zone a 1m;\nerror_map_zone b 1m;",
     '"error_map_zone" directive is duplicate in nginx.conf:7'],
    ["error_map_zone a 1m;\nlimit_req_zone \$uri zone=a:1m rate=1r/s;",
     qr/"a" is already declared for a different use in nginx\.conf:7$/],
    (map { ["error_map_zone a $_;", "invalid error_map_zone \"a "
            . ($_ eq '""' ? '' : $_) . '", it must be a name and a size like '
            . '1m in nginx.conf:6'] }
     qw(x 1x -1 1.5m m "" 99999999999999999999)),
    ['error_map_zone "" 1m;', 'invalid error_map_zone " 1m", it must be a name '
     . 'and a size like 1m in nginx.conf:6'],
    (map { ["\nerror_map_zone a $_;", 'error_map_zone "a" is too small, it '
            . "must have at least $minimum bytes in nginx.conf:7"] }
     0, 1, $minimum - 1),
    (map { ["error_map_zone$_;", 'invalid number of arguments in '
            . '"error_map_zone" directive in nginx.conf:6'] }
     '', ' a 1m x'),
    (map { ["error_map_zone $_;", "invalid error_map_zone \"$_\", it must be a "
            . 'name and a size like 1m in nginx.conf:6'] }
     qw(a a:1m zone=a:1m)),
    ["server {\nerror_map_zone a 1m; }",
     '"error_map_zone" directive is not allowed here in nginx.conf:7'],
    ["server {\nlocation / {\nerror_map_metrics json; } }",
     '"error_map_metrics" requires "error_map_zone name size;" in '
     . 'nginx.conf:8'],
    (map { ["error_map_zone a 1m; server { location / {\n"
            . "error_map_metrics $_; } }",
            'invalid format "' . ($_ eq '""' ? '' : $_) . "\" $format in "
            . 'nginx.conf:7'] }
     qw(JSON xml off "")),
    (map { ["error_map_zone a 1m; server { location / {\nerror_map_metrics "
            . "json;\nerror_map_metrics $_; } }",
            '"error_map_metrics" directive is duplicate in nginx.conf:8'] }
     qw(json prometheus)),
    ["error_map_zone a 1m; server {\nerror_map_metrics json; }",
     '"error_map_metrics" directive is not allowed here in nginx.conf:7'],
    ["error_map_zone a 1m; server { location / { error_map_metrics; } }",
     'invalid number of arguments in "error_map_metrics" directive in '
     . 'nginx.conf:6'],
) {
    my ($text, $message) = @$_;
    my $name = 'refused: ' . $text =~ s/\s+/ /gr;

    ref $message ? like(message("$text\n"), $message, $name)
                 : is(message("$text\n"), $message, $name);
}

for (
    "server { location / { error_map_metrics json; } }\nerror_map_zone a 1m;",
    "error_map_zone a 1m; server { location / { error_map_metrics json;"
    . " location /x { error_map_metrics prometheus; } } }",
    "error_map_zone a 1m; server { location / { error_map vzenith;"
    . " error_map_metrics json; } }",
    "error_map_zone a 1m; server { location / { error_map_metrics json;"
    . " error_map vzenith; } }",
    "error_map_zone a 1m; server { location / { error_map_metrics json;"
    . " error_map off; } }",
    "error_map_zone a ${least}k;",
) {
    is(configuration_error("$_\n"), '', "accepted: $_");
}

# a zone that is too small for its documents; the error says what is enough

for my $codes (3000, 10_000, 30_000, 50_000) {
    my $rows = "error_map_document d { source json /c;\n"
               . join('', map { "C$_ - ABORTED x;\n" } 1 .. $codes) . "}\n";

    my $k = least_zone($rows);

    ok($k, "a zone that is too small for $codes codes");

    is(configuration_error("error_map_zone a ${k}k;\n$rows"), '', "${k}k work");
    cmp_ok($k, '<', $least + $minimum / 1024 + 1.1 * $codes * 8 * 4 / 1024,
           '... and are not far too much');
}

done_testing();
