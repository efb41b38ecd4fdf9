# A code that comes again gets the same answer as at first, and the same as in a
# location that keeps no answers: error_map_statuses makes it read each body the
# general way.  More codes come than a location keeps answers for.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp;
use ErrorMapTables;
use List::Util qw(shuffle);
use Test::More;

my ($port, $vendor, $cold) = map { free_port() } 1 .. 3;

my %location = (
    plain     => '',
    policy    => 'error_map tencent_iotvideo policy=edge;',
    keep      => 'error_map tencent_iotvideo policy=keep;',
    dry       => 'error_map_dry_run on;',
    off       => 'error_map_header off;',
    status    => 'error_map_proxy_status edge;',
    intercept => 'error_map_intercept on; error_page 402 429 503 /page;',

    headers   => 'error_map_header X-Code $error_map_code;
                  error_map_header X-Id $arg_id;
                  error_map_header Retry-After $error_map_retry_after;
                  error_map_header X-Title $error_map_title;',

    caches    => 'error_map_header Cache-Control no-store;
                  error_map_header X-Class $error_map_class;',

    upstream  => 'error_map_upstream on; proxy_next_upstream http_503;',

    next      => 'error_map_upstream on;
                  error_map tencent_iotvideo policy=edge;
                  proxy_next_upstream http_503; proxy_intercept_errors on;
                  error_page 402 503 /page;',

    kept      => 'error_map_upstream on;
                  error_map tencent_iotvideo policy=keep;
                  proxy_next_upstream http_503;',
);

my $locations = join '', map { <<"END" } sort keys %location;
        location = /$_ {
            $location{$_}
            proxy_pass http://vendor/?id=\$arg_id;
        }
END

# no location wants fields: of a document with some, no body is read at once

# the pages of errors are of a location with other headers

my $page = <<'END';
        location = /page {
            internal;
            error_map_header X-Page $error_map_code;
            add_header X-Sent-Code $error_map_code always;
            return 200 "page $error_map_code $error_map_status\n";
        }
END

my $server = start(port => $port, log_level => 'debug_http', http => <<"END");
    default_type application/json;
    keepalive_requests 100000;
    add_header X-Log "\$error_map_verdict \$error_map_code \$error_map_class
 \$error_map_status \$error_map_upstream_status \$error_map_reason" always;

    error_map tencent_iotvideo;

    error_map_policy edge {
        class RESOURCE_EXHAUSTED 503 retry_after=7s;
        class INVALID_ARGUMENT 422 retry_after=300s;
        code tencent_iotvideo/52501 503 next_upstream=off;
    }

    error_map_policy keep { base keep; }

    upstream vendor {
        server 127.0.0.1:$vendor max_fails=0;
        server 127.0.0.1:$vendor max_fails=0;
    }

    server {
        listen 127.0.0.1:$vendor;
        error_map off;
        add_header X-Error-Code spoofed;

        location / { return 200 '{"id":"\$arg_id","StatusCode":\$http_code}'; }
    }

    server {
        listen 127.0.0.1:$port;
$locations
$page
    }

    server {
        listen 127.0.0.1:$cold;
        error_map_statuses 200;
$locations
$page
    }
END

my @codes = map { $_->{code} } @{ table('tencent_iotvideo')->{rows} };

ok(@codes > 32, 'there are more codes than answers');

push @codes, qw(200 0 99999 4250 425050 1 "42505" "" "200" null true 042505
                123456789012 4250500000 "no such code");

my %connection = map { $_ => connection($_) } $port, $cold;

for my $location (sort keys %location) {
    my ($n, @different) = (0);

    for my $round (1 .. 3) {
        for my $code (shuffle @codes) {
            my $id = 'i' . $n++;
            my @r = map { shown_for($_, $location, $code, $id) } $port, $cold;

            push @different, "round $round, $code: $r[0]" . "not $r[1]"
                if $r[0] ne $r[1];
        }
    }

    is(join("\n", @different[0 .. ($#different > 3 ? 3 : $#different)]), '',
       "$location: $n responses as without answers");
}

stop($server);

ok(ErrorMap::logged($server, qr/, as before/) > 300, 'answers are used')
    if (ErrorMap::shell(nginx() . ' -V'))[1] =~ /--with-debug/;

done_testing();


# all that a client sees, but for the time

sub shown_for {
    my ($port, $location, $code, $id) = @_;

    my $r = ask($connection{$port}, "GET /$location?id=$id HTTP/1.1\r\n"
                                    . "Host: e\r\nCode: $code\r\n\r\n");

    delete @{ $r->{headers} }{qw(date)};

    return join "\n", $r->{status},
           map({ "$_: @{ $r->{headers}{$_} }" } sort keys %{ $r->{headers} }),
           $r->{body};
}
