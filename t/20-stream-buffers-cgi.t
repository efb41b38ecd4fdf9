# Held responses of FastCGI, uwsgi and SCGI: FastCGI's records have their own
# filter of nginx's event pipe, which cuts the body out of its buffers.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream qw(:DEFAULT client read_all);
use ErrorMapUpstream;
use Test::More;
use Time::HiRes qw(sleep);


# URIs: /PROTOCOL/LOCATION/CODE-SIZE-RECORD, the code after SIZE bytes of the
# body, in records or pieces of RECORD bytes

sub body {
    my ($code, $size) = @_;

    return '{"a":"' . substr(join('', map { sprintf '%07d,', $_ }
                                      1 .. $size / 8 + 1), 0, $size)
           . "\",\"code\":$code}";
}

my %vendor = map { my $protocol = $_; $protocol => vendor(sub {
    my ($s) = @_;
    my $bytes = '';

    while (!cgi_complete($protocol, $bytes)) {
        sysread $s, $bytes, 65536, length $bytes or return;
    }

    my ($code, $size, $record) = $bytes =~ m{/(\d+)-(\d+)-(\d+)};
    my $body = body($code, $size);

    $body = "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n$body";

    for (my $n = 0; length $body; $n++) {
        my $part = substr $body, 0, $record, '';

        sleep 0.02 if $n == 3;

        put($s, $protocol ne 'fastcgi' ? $part
                : pack('CCnnCx', 1, 6, 1, length $part, 3) . $part . 'pad'
                  . ($n % 5 == 1 ? pack('CCnnCx', 1, 7, 1, 7, 1) . 'warning.'
                                 : ''));
    }

    put($s, pack 'CCnnCx Nx4', 1, 3, 1, 8, 0, 0) if $protocol eq 'fastcgi';
}, raw => 1) } cgi_protocols();

my %location = (
    default   => '',
    all       => 'error_map_hold_size 1m;',
    small     => 'error_map_hold_size 16k;',
    problem   => 'error_map_hold_size 1m; error_map_body problem;',
    upstream  => 'error_map_hold_size 1m; error_map_upstream on;
                  %P_next_upstream http_503;',
    unbuffered => 'error_map_hold_size 1m; %P_buffering off;',
    cached    => 'error_map_hold_size 1m; %P_cache %P; %P_cache_key $uri;
                  %P_cache_valid any 1m;',
);

my $port = free_port();
my $locations = '';

for my $protocol (sort keys %vendor) {
    for (sort keys %location) {
        my $text = $location{$_} =~ s/%P/$protocol/gr;

        $locations .= <<"END";
        location /$protocol/$_/ {
            $text
            ${protocol}_param REQUEST_URI \$request_uri;
            ${protocol}_pass 127.0.0.1:$vendor{$protocol};
        }
END
    }
}

my $caches = join '', map { "    ${_}_cache_path %DIR%/cache_$_ keys_zone=$_:1m;\n" }
                  sort keys %vendor;

my $edge = start(port => $port, http => <<"END");
    error_map_document acme {
        source   json /code;
        success  0;
        1001     503 UNAVAILABLE "busy";
    }

$caches    error_map_hold_timeout 30s;
    error_map_hold_total 64m;

    server {
        listen 127.0.0.1:$port sndbuf=8k;
        error_map acme;
        add_header X-Verdict \$error_map_verdict always;
$locations
    }
END

my $worker = worker($edge);

for my $protocol (sort keys %vendor) {
    for my $location (sort keys %location) {

        my @different;

        for my $case (map { my $size = $_;
                            map { my $code = $_; map { [$code, $size, $_] }
                                  900, 60000 } 0, 1001 }
                      100, 15000, 40000, 200000)
        {
            my ($code, $size, $record) = @$case;
            my $uri = "/$protocol/$location/$code-$size-$record";
            my $body = body($code, $size);

            # what the hold size allows is certain for all but the edges of it

            my $held = { default => 65536, small => 16384 }->{$location}
                       || 1048576;
            my $verdict = $size > $held ? 'undecided'
                        : $code ? 'mapped' : 'success';
            my $status = $verdict eq 'mapped' ? 503 : 200;

            for (1 .. ($location eq 'cached' ? 2 : 1)) {
                my $r = read_all(client($port, request($uri), 4096));

                my $whole = $location eq 'problem' && $verdict eq 'mapped'
                            ? $r->{body} =~ /^\{"type":.*\}\s*$/s
                            : $r->{body} eq $body;

                my $got = "$r->{status} $r->{headers}{'x-verdict'}[0] "
                          . ($whole ? 'whole' : 'broken');

                push @different, "$uri: $got"
                    if $got ne "$status $verdict whole";
            }
        }

        is(join("\n", @different), '', "$protocol, $location");
    }
}

is(worker($edge), $worker, 'one worker has sent all of them');

stop($edge);
done_testing();
