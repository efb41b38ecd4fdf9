# Neighbours that replace a response when its verdict is known: image_filter's
# 415, lua's ngx.exit() and ModSecurity's phase 3.  The client gets their page,
# as without the filter; the log and the counters tell the vendor's verdict,
# once.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT forget quit shell);
use ErrorMapMetrics;
use ErrorMapStream qw(exchange_all request);
use Test::More;
use Time::HiRes qw(sleep time);

# the modules of Debian's own nginx

$ENV{TEST_NGINX_BINARY} = '/usr/sbin/nginx';

my ($rc, $out) = shell("$ErrorMap::root/tools/deps libnginx-mod-http-lua"
                       . ' libnginx-mod-http-image-filter'
                       . ' libnginx-mod-http-modsecurity');
BAIL_OUT("no neighbours: $out") if $rc;

my $modules = '/usr/lib/nginx/modules';
my $neighbours = "load_module $modules/ndk_http_module.so;\n"
    . join '', map { "load_module $modules/ngx_http_${_}_module.so;\n" }
               qw(lua image_filter modsecurity);


# /PLACE/NAME: what a vendor sends for NAME

my $padding = 'x' x 2000;

my %body = (error => "{\"code\":1001,\"a\":\"$padding\"}",
            unknown => "{\"code\":7777,\"a\":\"$padding\"}",
            success => "{\"code\":0,\"a\":\"$padding\"}",
            none => "{\"a\":\"$padding\"}", skipped => $padding);

my $vendor = vendor(sub {
    my ($s, $head) = @_;

    my ($when, $what) = $head =~ m{^GET \S*/(\w+)-(\w+)};
    my $type = $what eq 'skipped' ? 'text/plain' : 'application/json';
    my $start = "HTTP/1.1 200 OK\r\nContent-Type: $type\r\nX-Vendor: 1\r\n"
                . "ETag: \"vendor\"\r\n";
    my $body = $body{$what};
    my $length = 'Content-Length: ' . length($body) . "\r\n\r\n";

    if ($when eq 'now') {
        print $s "$start$length$body";

    } elsif ($when eq 'late') {
        print $s $start, $length;
        sleep 0.05;
        print $s $body;

    } elsif ($when eq 'pieces') {
        print $s $start, $length;

        for (unpack '(a5)4 a*', $body) {
            sleep 0.02;
            print $s $_;
        }

    } elsif ($when eq 'chunked') {
        print $s $start, "Transfer-Encoding: chunked\r\n\r\n";
        sleep 0.05;
        printf $s "%x\r\n%s\r\n", length $body, $body;
        sleep 0.05;
        print $s "0\r\n\r\n";

    } else {                              # longer than the hold

        print $s $start, $length, substr $body, 0, 3;
        sleep 0.8;
        print $s substr $body, 3;
    }

    return 0;
});

my @when = qw(now late pieces chunked pause);
my @what = qw(error unknown success none skipped);

my %verdict = (error => 'mapped 1001', unknown => 'unknown 7777',
               success => 'success 0', none => 'none -', skipped => 'skipped -');


# who replaces it, and by which status; with image_filter_buffer a header that
# tells the length is refused, otherwise it is the body

my %who = (
    image => ['image_filter test;', 415],
    size => ['image_filter test; image_filter_buffer 1k;', 415],
    lua => ['header_filter_by_lua_block { if ngx.header["X-Vendor"] then
                 ngx.exit(403) end }', 403],
    waf => ["modsecurity on; modsecurity_rules '
                 SecRuleEngine On
                 SecRule RESPONSE_HEADERS:X-Vendor \"1\" "
            . "\"phase:3,deny,status:403,id:1\"';", 403],
);

my %edges = (
    off => ['error_map off;'],
    'off-page' => ['error_map off; error_page 403 415 /page;'],
    plain => [''],
    unbuffered => ['proxy_buffering off;'],
    dry => ['error_map_dry_run on;'],
    problem => ['error_map_body problem always;'],
    page => ['error_page 403 415 /page;'],
    upstream => ['error_map_upstream on;'],
);

my @edges = $ENV{EM_ONLY} ? split ' ', $ENV{EM_ONLY}
                          : grep { !/off/ } sort keys %edges;

my $locations = '';

for my $who (keys %who) {
    $locations .= <<"END" for 'off', 'off-page', @edges;
        location /$_/$who/ {
            $edges{$_}[0]
            $who{$who}[0]
            proxy_pass http://127.0.0.1:$vendor;
        }
END
}

for my $order (qw(before after)) {
    my $port = free_port();

    my $edge = start(port => $port, modules => $order eq 'before'
                     ? $neighbours . load_module()
                     : load_module() . $neighbours, http => <<"END");
    error_map_document acme {
        source   json /code;
        success  0;
        1001     503 UNAVAILABLE "busy";
    }

    error_map_policy edge { unknown 502; }
    error_map_zone counters 1m;
    lua_load_resty_core off;
    proxy_http_version 1.1;

    log_format verdict '\$request_uri \$status \$error_map_verdict '
                       '\$error_map_code';

    server {
        listen 127.0.0.1:$port;
        access_log %DIR%/access.log verdict;

        error_map acme policy=edge;
        error_map_hold_timeout 400ms;

        $locations

        location = /page { return 200 page; }
        location = /own { error_map off; return 200 own; }

        location = /metrics { access_log off; error_map_metrics prometheus; }
        location = /metrics.json { access_log off; error_map_metrics json; }
    }
END

    for my $of (@edges) {
        for my $who (sort keys %who) {

            # the problem's length is not refused

            next if "$of $who" eq 'problem size';

            my $before = series($port);

            my @uris = map { my $when = $_; map { "$when-$_" } @what } @when;
            my @x = exchange_all(map { my $place = $_; map { {
                port => $port, timeout => 8,
                request => request("/$place/$who/$_",
                                   connection => 'keep-alive')
                           . request('/own')
            } } @uris } $of, $of eq 'page' ? 'off-page' : 'off');

            my $delta = delta($before, series($port));
            my %log = map { /^(\S+) (.*)/ ? ($1 => $2) : () }
                      split /\n/, slurp("$edge->{dir}/access.log");

            my (@wrong, %expect);

            for my $i (0 .. $#uris) {
                my ($when, $what) = split /-/, $uris[$i];
                my ($with, $without) = map { shown($x[$_]{bytes}) }
                                       $i, $i + @uris;

                my $verdict = $verdict{$what};
                my $status = $who{$who}[1];

                # a verdict from the header needs no hold

                $verdict = 'undecided -'
                    if $when eq 'pause' && $what ne 'skipped';

                push @wrong, "$uris[$i]: $with, not $without"
                    if $with ne $without;

                my $log = "$status $verdict" =~ s/ -$/ /r;
                push @wrong, "$uris[$i]: $log{qq(/$of/$who/$uris[$i])}, not $log"
                    if $log{"/$of/$who/$uris[$i]"} ne $log;

                $expect{(split / /, $verdict)[0]}++;
            }

            is(join("\n", @wrong), '', "$order, $of, $who");

            my %counted = map { /verdict="(\w+)"/ ? ($1 => $delta->{$_}) : () }
                          grep { /^nginx_error_map_responses.*acme/ }
                          keys %$delta;

            is_deeply(\%counted, \%expect, '... and the counters');
        }
    }

    my $begin = time;
    stop($edge);
    cmp_ok(time - $begin, '<', 4, "$order: SIGQUIT ends the worker");
}

# a filter that ends a response whose header was sent already

my $port = free_port();

my $late = start(port => $port, modules => load_module() . $neighbours,
                 http => <<"END");
    error_map_document acme {
        source   json /code;
        success  0;
        1001     503 UNAVAILABLE "busy";
    }

    proxy_http_version 1.1;

    log_format verdict '\$request_uri \$error_map_verdict,\$error_map_code,'
                       '\$error_map_status';

    server {
        listen 127.0.0.1:$port;
        access_log %DIR%/access.log verdict;

        error_map acme;
        modsecurity on;
        modsecurity_rules '
            SecRuleEngine On
            SecResponseBodyAccess On
            SecResponseBodyMimeType application/json text/plain
            SecRule RESPONSE_BODY "xxx" "phase:4,deny,status:403,id:1"';

        location / { proxy_pass http://127.0.0.1:$vendor; }
    }
END

exchange_all(map { { port => $port, timeout => 8,
                     request => request("/now-$_") } } @what);

is(join("\n", sort split /\n/, slurp("$late->{dir}/access.log")), <<'END' =~ s/\n$//r,
/now-error mapped,1001,503
/now-none none,,200
/now-skipped skipped,,
/now-success success,0,200
/now-unknown unknown,7777,200
END
   'the log tells the verdict of a response that ModSecurity ends late');

is(forget($late, qr/header already sent/), scalar @what,
   '... which is an alert of nginx itself');

stop($late);

done_testing();


# the response, and the second one if there was one, without what the filter adds
# to a mapped one or removes from it

sub shown {
    my ($bytes) = @_;

    return join "\n", sort grep { !/^(?:Date|ETag|X-Error|X-Upstream|Retry)/ }
                      split /\r\n/, $bytes;
}
