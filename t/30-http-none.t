# A policy's row "none": problem bodies, a held response, caches and counters,
# in the filter and in the upstream layer.

use strict;
use warnings;

use ErrorMap;
use ErrorMapMetrics;
use Test::More;
use Time::HiRes qw(sleep);

my $vendor = answers('body');
my $port = free_port();
my %mode = (filter => '', upstream => 'error_map_upstream on;');

my $locations = join '', map { <<"END" } keys %mode;
        location /$_/ {
            $mode{$_}
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /$_/problem {
            $mode{$_}
            error_map_body problem type=https://errors.example.com/;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /$_/blank {
            $mode{$_}
            error_map_body problem;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /$_/page {
            $mode{$_}
            error_map_intercept on;
            error_page 502 = \@page;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /$_/cache {
            $mode{$_}
            proxy_cache none;
            proxy_cache_valid 200 1m;
            proxy_pass http://127.0.0.1:$vendor;
            add_header X-Cache \$upstream_cache_status always;
        }
END

my $edge = start(port => $port, http => <<"END");
    error_map_policy edge {
        none          502 retry_after=5s;
        none charset  415;
    }

    error_map_zone counters 1m;
    proxy_cache_path %DIR%/cache keys_zone=none:1m;

$acme

    server {
        listen 127.0.0.1:$port;
        error_map acme policy=edge;
$locations
        location \@page {
            return 200 "\$error_map_verdict \$error_map_reason \$error_map_class";
        }

        location = /metrics { error_map off; error_map_metrics prometheus; }
    }
END


my %body = (empty => '', malformed => '{', no_code => '{}', charset => 'x');
my %title = (empty => 'empty response', malformed => 'malformed response',
             no_code => 'response without a code',
             charset => 'response in an unsupported charset');

# the vendor's response, at once or with a pause before its last byte

sub ask {
    my ($uri, $reason, %arg) = @_;

    my $type = 'application/json'
               . ($reason eq 'charset' ? '%3Bcharset=utf-16' : '');
    my $more = join '', map { "&$_=$arg{$_}" } sort keys %arg;

    return get($port, "$uri?body=$body{$reason}&type=$type$more");
}

for my $mode (sort keys %mode) {
    for my $pause (0, 0.05) {
        my $how = $pause ? "$mode, late" : $mode;

        for my $reason (sort keys %body) {
            next if $pause && $body{$reason} eq '';

            my $status = $reason eq 'charset' ? 415 : 502;
            my $r = ask("/$mode/", $reason, pause => $pause);

            is("$r->{status} $r->{complete} $r->{body}",
               "$status 1 $body{$reason}", "$how, $reason: the vendor's body");
            is(($r->{headers}{'retry-after'} || ['none'])->[0],
               $status == 502 ? 5 : 'none', '... Retry-After');

            $r = ask("/$mode/problem", $reason, pause => $pause);

            is($r->{body}, '{"type":"https://errors.example.com/acme","title":"'
               . qq($title{$reason}","status":$status,"vendor":"acme",)
               . qq("reason":"$reason","class":"UNKNOWN",)
               . '"upstream_status":200}', '... problem details');
            is($r->{headers}{'content-type'}[0], 'application/problem+json',
               '... their type');

            $r = ask("/$mode/blank", $reason, pause => $pause);

            like($r->{body}, qr/^\{"type":"about:blank",.*\}$/,
                 '... without a type');

            next if $status == 415;

            $r = ask("/$mode/page", $reason, pause => $pause);

            is("$r->{status} $r->{body}", "200 none $reason UNKNOWN",
               '... an error page');
        }
    }

    my $r = get($port, "/$mode/problem?body=%7B%22error%22:%7B%22code%22:0%7D"
                       . '%7D');
    is($r->{body}, '{"error":{"code":0}}', "$mode, a success passes");
}


# a cache keeps it only if its status is cacheable

for my $mode (sort keys %mode) {
    for my $want ('MISS', $mode eq 'upstream' ? 'MISS' : 'HIT') {
        my $r = ask("/$mode/cache", 'no_code');

        is("$r->{status} $r->{headers}{'x-cache'}[0]", "502 $want",
           "$mode, cached or not");
        is($r->{headers}{'retry-after'}[0], 5, '... with its headers');
    }
}


# counted once, as "none" with the edge status

my $before = from_text(get($port, '/metrics')->{body});

ask('/filter/', 'empty');
ask('/upstream/', 'malformed', status => 404);
ask('/upstream/', 'charset');

my $after = from_text(get($port, '/metrics')->{body});

sub grown {
    my ($name) = map { "nginx_error_map_$_" } @_;

    return ($after->{$name} || 0) - ($before->{$name} || 0);
}

is(grown('responses_total{document="acme",verdict="none"}'), 3,
   'the verdict is counted');
is(grown('unmapped_total{document="acme",verdict="none",'
         . qq(reason="$_",dry_run="0"})), 1, "... the reason $_")
    for qw(empty malformed charset);

for (['200', '502'], ['404', '502'], ['200', '415']) {
    is(grown('status_total{document="acme",upstream_status="' . $_->[0]
             . qq(",status="$_->[1]",dry_run="0"})), 1,
       "... $_->[0] to $_->[1]");
}

stop($edge);
done_testing();
