# error_map_upstream where nginx inherits a location's content handler without
# a directive: "if", limit_except, nested and named locations, redirects.  Each
# is asked matched and not, with an upstream that nginx knows when it starts
# and with one that it resolves for the request.

use strict;
use warnings;

use ErrorMap;
use Test::More;

my $vendor = vendor(sub {
    my ($s, $request) = @_;
    my $body = '{"StatusCode":42505}';

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             . "Content-Length: @{[length $body]}\r\n\r\n$body";
});

# name, text of the location (PASS stands for the proxy_pass), expected without
# and with the argument x=1, if other than an error that the upstream layer saw

my $error = '503 503';

my @locations = (
    ['plain', 'PASS'],
    ['before', 'if ($arg_x) { set $y 1; } PASS'],
    ['after', 'PASS if ($arg_x) { set $y 1; }'],
    ['break', 'PASS if ($arg_x) { rewrite ^ /other break; }'],
    ['header', 'PASS if ($arg_x) { add_header X-If yes;'
               . ' add_header X-Tried $upstream_status always; }'],
    ['second', 'PASS if ($arg_x) { set $y 1; } if ($arg_x = 1) { set $y 2; }'],
    ['inside', 'if ($arg_x) { PASS }', '404 none', $error],

    # to nginx the second one is a location without an upstream

    ['inside-second', 'if ($arg_x) { PASS } if ($arg_x = 1) { set $y 2; }',
     '404 none', '500 none'],
    ['second-inside', 'if ($arg_x) { set $y 2; } if ($arg_x = 1) { PASS }',
     '404 none', $error],
    ['both', 'PASS if ($arg_x) { PASS } if ($arg_x = 1) { set $y 2; }'],
    ['status', 'if ($arg_x) { PASS } stub_status;', '200 none', $error],
    ['status-if', 'stub_status; if ($arg_x) { set $y 1; }',
     '200 none', '200 none'],
    ['dry', 'error_map_dry_run on; PASS if ($arg_x) { set $y 1; }',
     '200 200', '200 200'],
    ['off-inside', 'error_map off; PASS if ($arg_x) { set $y 1; }',
     '200 200', '200 200'],
    ['return', 'PASS if ($arg_x) { return 204; }', $error, '204 none'],
    ['static', 'root %DIR%; if ($arg_x) { set $y 1; }', '404 none',
     '404 none'],
    ['limited', 'PASS limit_except POST { allow all; }'],
    ['limit-inside', 'limit_except POST { PASS } PASS'],
    ['limit-only', 'limit_except POST { PASS }'],
    ['limit-if', 'PASS limit_except POST { allow all; }'
                 . ' if ($arg_x) { set $y 1; }'],
    ['nested', 'location ~ known { PASS if ($arg_x) { set $y 1; } }'
               . ' location ~ resolved { if ($arg_x) { set $y 1; } PASS }'],
    ['nested-twice', 'PASS location ~ . { PASS if ($arg_x) { PASS } }'],
    ['named', 'error_page 418 = @named-%N; if ($arg_x) { return 418; } PASS'],
    ['named-if', 'error_page 404 = @named-%N; root %DIR%;'
                 . ' if ($arg_x) { set $y 1; }'],

    # ... or without try_files

    ['try', 'root %DIR%; if ($arg_x) { set $y 1; }'
            . ' try_files /none @named-%N;', $error, '404 none'],
    ['try-uri', 'root %DIR%; try_files /none /plain-%N?x=$arg_x;'],
    ['redirect', 'error_page 418 = /after-%N; return 418;'],
    ['last', 'if ($arg_x) { rewrite ^ /second-%N last; } PASS'],
);

my $text = '';
my %pass = (known => "proxy_pass http://127.0.0.1:$vendor;",
            resolved => 'proxy_pass http://$address;');

for my $kind (sort keys %pass) {
    for (@locations) {
        my ($name, $conf) = @$_;

        $conf =~ s/PASS/$pass{$kind}/g;
        $conf =~ s/%N/$kind/g;
        $text .= "location /$name-$kind { $conf }\n";
    }

    $text .= "location \@named-$kind { $pass{$kind}"
             . " if (\$arg_x = 1) { set \$y 1; } }\n";
}

my $port = free_port();

my $edge = start(port => $port, http => <<"END");
    error_map_policy edge { class RESOURCE_EXHAUSTED 503; }
    log_not_found off;

    server {
        listen 127.0.0.1:$port;
        error_map tencent_iotvideo policy=edge;
        error_map_upstream on;
        set \$address 127.0.0.1:$vendor;
        add_header X-Tried \$upstream_status always;

        $text
    }
END

for my $kind (sort keys %pass) {
    for (@locations) {
        my ($name, undef, @expected) = @$_;

        @expected = ($error, $error) if !@expected;

        for my $x (0, 1) {
            my $r = get($port, "/$name-$kind?x=$x");

            is("$r->{status} " . ($r->{headers}{'x-tried'}[0] // 'none'),
               $expected[$x], "$name, $kind, " . ($x ? 'matched' : 'not'));
        }
    }
}

# nginx's own alert about an "if" without an upstream, which it answers by a 500

my $log = "$edge->{dir}/error.log";
my @lines = split /^/, slurp($log);
my @alerts = grep { /\[alert\]/ && /no upstream configuration/ } @lines;

is(@alerts, 2, 'an "if" without an upstream is nginx\'s own alert');

open my $fh, '>', $log or die "$log: $!";
print $fh grep { my $line = $_; !grep { $line eq $_ } @alerts } @lines;
close $fh or die "$log: $!";

stop($edge);
done_testing();
