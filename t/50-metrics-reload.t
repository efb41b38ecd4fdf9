# A reload keeps the counters if neither the documents nor the zone change; a
# failing one keeps them, too.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT workers reload logged forget);
use ErrorMapMetrics;
use Test::More;
use Time::HiRes qw(sleep);

sub reload_fails {
    my ($server, $text) = @_;

    spew("$server->{dir}/nginx.conf", $text);
    kill 'HUP', $server->{pid};

    wait_for(sub { logged($server, qr/\[emerg\]/) }) or die 'no error';
}

my $port = free_port();

my $sms = <<'END';
    error_map_document sms {
        source   json  /sms;
        E17      -     RESOURCE_EXHAUSTED  "out of credit";
    }
END

my $edge = start(port => $port, http => <<"END");
    error_map_zone counters 1m;
$acme$sms
    error_map_policy edge { code acme/1001 502; }

    upstream accounts {
        server 127.0.0.1:$port max_fails=0;
        server 127.0.0.1:$port max_fails=0;
    }

    server {
        listen 127.0.0.1:$port;
        default_type application/json;
$handlers
        location /acme { error_map acme policy=edge; return 200 \$arg_body; }
        location /sms { error_map sms; return 200 \$arg_body; }
        location /own { return 200 '{"error":{"code":1001}}'; }

        location /dry {
            error_map acme;
            error_map_dry_run on;
            return 200 '{"error":{"code":1001}}';
        }

        location /retry {
            error_map acme policy=edge;
            error_map_upstream on;
            proxy_next_upstream http_502 http_503;
            proxy_pass http://accounts/own;
        }
    }
END

my $text = slurp("$edge->{dir}/nginx.conf");
my $zero = qr/\[notice\].*error_map_zone "\w+" starts from zero/;

# five responses: one of a dry run, and one that is passed over

sub four_requests {
    get($port, '/acme?body={"error":{"code":1001}}');
    get($port, '/sms?body={"sms":"E17"}');
    get($port, '/retry');
    get($port, '/dry');
}

# the counters that are not zero

sub kept {
    my ($series) = @_;

    return { map { $_ => $series->{$_} }
             grep { $series->{$_} && !/_info/ } keys %$series };
}

four_requests() for 1 .. 3;

is_deeply([map { total(series($port), $_) }
           qr/map_codes_total.*code="1001"/, qr/map_codes_total.*code="E17"/,
           qr/dry_run_codes_total.*code="1001"/, qr/passed_over_total/],
          [12, 3, 3, 3], 'before a reload');

# the change, how it is made, and whether the counters are kept

for (
    ['nothing', sub { }, 1],
    ['a policy', sub { s{acme/1001 502}{acme/1001 503} }, 1],
    ['a location', sub { s{location /sms}{location /new \{ \} $&} }, 1],
    ['a code', sub { s/2001/2002/ }, 0],
    ['one code more', sub { s/"token missing";/$& 3001 - ABORTED "new";/ }, 0],
    ['a document\'s name', sub { s/document sms/document other/;
                                 s/error_map sms/error_map other/ }, 0],
    ['a document\'s name and a code, not the two joined',
     sub { s/document sms/document smsE/; s/error_map sms/error_map smsE/;
           s/E17 /17 / }, 0],
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

    # start from the first configuration and a known state

    reload($edge, $text);
    four_requests();

    my $old = kept(series($port));
    my $notices = logged($edge, $zero);
    my $new = $text;

    $edit->() for $new;

    reload($edge, $new);

    is_deeply(kept(series($port)), $kept ? $old : {},
              "$what changed: " . ($kept ? 'kept' : 'from zero'));
    is(logged($edge, $zero) - $notices, 1 - $kept,
       "... with a notice or without: $what");

    my $now = series($port);

    four_requests();

    is(total(delta($now, series($port)), qr/map_responses_total/), 5,
       '... the counting goes on');
}


# a configuration that fails, at each stage of a reload

reload($edge, $text);
four_requests();

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
    my @old = workers($edge);

    reload_fails($edge, $bad);

    # then the master waits for signals again

    sleep 0.2;
    cmp_ok(forget($edge, qr/\[emerg\].*$error/), '==', 1,
           "a configuration that fails by $what");
    is_deeply([workers($edge)], \@old, '... the workers stay');
    is_deeply(kept(series($port)), $old, '... and the counters');

    four_requests();

    is(total(series($port), qr/map_responses_total/),
       total($old, qr/map_responses_total/) + 5, '... which go on');
    is_deeply(from_json(get($port, '/metrics.json')->{body}), series($port),
              '... and agree in both formats');
}

my $old = kept(series($port));
reload($edge, $text);
is_deeply(kept(series($port)), $old, 'a good reload after these keeps them');

stop($edge);

done_testing();
