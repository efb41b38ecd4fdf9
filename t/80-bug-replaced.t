# Bugs of a response that another filter replaces when its verdict is known: the
# variables, the log and the counters tell what the vendor has sent, once.

use strict;
use warnings;

use ErrorMap;
use ErrorMapMetrics;
use Test::More;


# /PLACE/NAME: what a vendor sends for NAME

my %body = (error => '{"code":1001}', unknown => '{"code":7777}',
            success => '{"code":0}', none => '{"a":1}');

my $vendor = vendor(sub {
    my ($s, $head) = @_;

    my ($what) = $head =~ m{^GET \S*/(\w+)};
    my $type = 'application/json';

    $type = 'text/plain' if $what eq 'skipped';

    my $body = $body{$what} // 'fine';

    # a verdict at once, as a hold excludes ranges and preconditions

    print $s "HTTP/1.1 200 OK\r\nContent-Type: $type\r\n"
             . "ETag: \"vendor\"\r\nContent-Length: " . length($body)
             . "\r\n\r\n$body";

    return 0;
});

my $port = free_port();

# the verdict keeps the status 200, for nginx answers with a 412 or a 416 then

my $edge = start(port => $port, http => <<"END");
    error_map_document acme {
        source   json /code;
        success  0;
        1001     503 UNAVAILABLE "busy";
    }

    error_map_policy keep { base keep; }
    error_map_zone counters 1m;
    proxy_http_version 1.1;
    proxy_cache_path %DIR%/cache keys_zone=cache:1m;

    log_format verdict '\$status \$error_map_verdict \$error_map_code '
                       '\$error_map_status \$error_map_upstream_status';

    server {
        listen 127.0.0.1:$port;

        error_map acme policy=keep;
        proxy_force_ranges on;
        access_log %DIR%/access.log verdict;

        # nginx has preconditions for what it caches

        proxy_cache cache;
        proxy_cache_valid any 1m;
        proxy_cache_key \$request_id;

        location /vendor/ { proxy_pass http://127.0.0.1:$vendor; }

        location /dry/ {
            error_map_dry_run on;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /hit/ {
            proxy_cache_key /hit/\$uri;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /own/ {
            error_page 412 416 /page;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /named/ {
            error_page 412 416 \@page;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /json/ {
            error_page 412 416 /json;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /second/ {
            error_page 412 416 = /second;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /off/ {
            error_page 412 416 = /off;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location = /page {
            return 200 '\$error_map_verdict \$error_map_code';
        }

        location \@page {
            return 200 '\$error_map_verdict \$error_map_code';
        }

        location = /json {
            default_type application/json;
            return 200 '{"code":1001}';
        }

        location = /second {
            proxy_cache off;
            proxy_pass http://127.0.0.1:$vendor/unknown;
        }

        location = /off {
            error_map off;
            proxy_cache off;
            proxy_pass http://127.0.0.1:$vendor/unknown;
        }

        location = /metrics {
            access_log off;
            error_map_metrics prometheus;
        }

        location = /metrics.json {
            access_log off;
            error_map_metrics json;
        }
    }
END

my %verdict = (error => 'mapped 1001', unknown => 'unknown 7777',
               success => 'success 0', none => 'none -', skipped => 'skipped -');

my %headers = (412 => "If-Match: \"other\"\r\n", 416 => "Range: bytes=900-\r\n");

sub from_log {
    my @lines = split /\n/, slurp("$edge->{dir}/access.log");
    return join ' ', map { $_ eq '' ? '-' : $_ } split / /, $lines[-1], -1;
}

for my $status (412, 416) {
    for my $place (qw(vendor hit dry own named json second off)) {

        # the range is asked of a second vendor, too

        next if $status == 416 && $place =~ /second|off/;

        for my $what (qw(error unknown success none skipped)) {
            get($port, "/$place/$what") if $place eq 'hit';

            my $before = from_json(get($port, '/metrics.json')->{body});
            my $r = get($port, "/$place/$what",
                        headers => $headers{$status});
            my $after = from_json(get($port, '/metrics.json')->{body});

            my ($verdict, $code) = split / /, $verdict{$what};

            my @sent = ($r->{status}, $r->{headers}{'x-error-code'}[0] // '-');
            my @expect = ($status, $what =~ /error|unknown/
                                   && $place ne 'dry' ? $code : '-');

            # a second vendor's answer takes the place of the first one's

            $expect[0] = 200 if $place =~ /second|off/;
            $expect[1] = '7777' if $place eq 'second';
            $expect[1] = '-' if $place eq 'off';

            is("@sent", "@expect", "$status, $place, $what: the page");

            if ($place =~ /own|named/) {
                is($r->{body}, "$verdict " . ($code eq '-' ? '' : $code),
                   '... and its variables');
            }

            my $numbers = $verdict eq 'skipped' ? '- -' : "200 200";
            my @logged = ($verdict, $code, $numbers);

            @logged = ('unknown', 7777, '200 200') if $place eq 'second';

            is(from_log(), join(' ', $expect[0], @logged), '... the log');

            my %counted = ("acme $verdict" => 1);
            $counted{'acme unknown'}++ if $place eq 'second';

            is_deeply(counts($before, $after), \%counted, '... and the counters');
        }
    }
}

stop($edge);
done_testing();


# the counters since, by document and verdict

sub counts {
    my ($before, $after) = @_;

    my $delta = delta($before, $after);
    my %n;

    for (keys %$delta) {
        next if !/^nginx_error_map_responses_total/;

        my ($document) = /document="([^"]*)"/;
        my ($verdict) = /verdict="([^"]*)"/;

        $n{"$document $verdict"} = $delta->{$_};
    }

    return \%n;
}
