# Error pages and the client's connection: nginx sends 494 to 497 as 400, and
# closes the connection after the page of some statuses.  The module's error
# pages do as proxy_intercept_errors does for a vendor's own status.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp qw(ask connection);
use Test::More;

# nginx's own rules

my %sent = map { $_ => 400 } 494 .. 497;
my %closes = map { $_ => 1 } 400, 413, 414, 495 .. 497, 500, 501;

my @statuses = (400 .. 407, 409 .. 418, 421 .. 431, 451, 456, 494 .. 498,
                500 .. 511, 529, 599);

my $vendor = vendor(sub {
    my ($s, $head) = @_;
    my ($own, $status) = $head =~ m{^GET /(own)?/?(\d+)};
    my $body = "{\"code\":$status}";

    print $s 'HTTP/1.1 ' . ($own ? "$status Own" : '200 OK') . "\r\n"
             . "Content-Type: application/json\r\n"
             . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
    return 1;
});

my $port = free_port();
my $rows = join '', map { "        $_  $_  INTERNAL  \"$_\";\n" } @statuses;
my $same = join ' ', map { "error_page $_ =$_ \@page;" } 494 .. 497;

my $server = start(port => $port, http => <<"END");
    error_map_document statuses {
        source   json  /code;
        success  0;
$rows
    }

    upstream vendor {
        server     127.0.0.1:$vendor;
        keepalive  4;
    }

    server {
        listen              127.0.0.1:$port;
        keepalive_requests  10000;
        error_page          @statuses \@page;
        proxy_http_version  1.1;
        proxy_set_header    Connection "";

        location /own/ {
            proxy_intercept_errors  on;
            proxy_pass              http://vendor;
        }

        location /intercept/ {
            error_map            statuses;
            error_map_intercept  on;
            proxy_pass           http://vendor/;
        }

        location /upstream/ {
            error_map               statuses;
            error_map_upstream      on;
            proxy_intercept_errors  on;
            proxy_pass              http://vendor/;
        }

        location /same/ {
            error_map            statuses;
            error_map_intercept  on;
            $same
            proxy_pass           http://vendor/;
        }

        location /none/ {
            error_map   statuses;
            proxy_pass  http://vendor/;
        }

        location /problem/ {
            error_map       statuses;
            error_map_body  problem;
            proxy_pass      http://vendor/;
        }

        location \@page {
            return  200 "page";
        }
    }
END

sub seen {
    my ($uri) = @_;
    my $r = ask(connection($port), "GET $uri HTTP/1.1\r\nHost: e\r\n\r\n");

    return "$r->{status} $r->{body} $r->{headers}{connection}[0]";
}

for my $status (@statuses) {
    my $expected = ($sent{$status} || $status) . ' page '
                   . ($closes{$status} ? 'close' : 'keep-alive');

    is(seen("/$_/$status"), $expected, "$status: $_")
        for qw(own intercept upstream);

    is(seen("/none/$status"), "$status {\"code\":$status} keep-alive",
       '... without a page');
    like(seen("/problem/$status"), qr/^$status \{"type":.*\} keep-alive$/,
         '... with a problem body');
}

# "=497" is the way to send the status itself

for my $status (494 .. 497) {
    is(seen("/same/$status"),
       "$status page " . ($closes{$status} ? 'close' : 'keep-alive'),
       "error_page $status =$status");
}

stop($server);

done_testing();
