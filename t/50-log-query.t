# conf/log.jq tells from a long log of conf/log.conf which vendor broke in a
# minute, who was affected, and what the vendor called it.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT shell);
use ErrorMapMetrics qw(answers);
use JSON::PP;
use Test::More;

my $vendor = answers('body');
my $port = free_port();

my $edge = start(port => $port, http => <<"END");
    include $ErrorMap::root/conf/log.conf;

    upstream accounts {
        server 127.0.0.1:$vendor;
        server 127.0.0.1:$vendor backup;
    }

    server {
        listen 127.0.0.1:$port;
        error_map tencent_iotvideo;
        access_log %DIR%/access.log error_map;

        location / { proxy_pass http://accounts; }

        location /dry/ {
            error_map_dry_run  on;
            set                \$log_dry_run 1;
            proxy_pass         http://accounts;
        }
    }
END

# a line of each kind, as nginx writes it

my %uri = (
    good => '/a/1?body={"StatusCode":200}',
    down => '/a/2?body={"StatusCode":52501,"Message":"out\\tof",'
            . '"RequestId":"r-7"}',
    html => '/b?type=text/html&body=sorry',
    dry => '/dry/?body={"StatusCode":52501}',
    quota => '/c/?body={"StatusCode":42505}',
);

my %line;

for my $kind (sort keys %uri) {
    get($port, $uri{$kind});

    wait_for(sub { (() = slurp("$edge->{dir}/access.log") =~ /\n/g)
                   > keys %line }) or die "no line: $kind";

    $line{$kind} = JSON::PP->new->utf8->decode(
                       (split /\n/, slurp("$edge->{dir}/access.log"))[-1]);
}

stop($edge);

# a retry that has helped

$line{retried} = { %{ $line{good} }, error_map_upstream_codes => '42505, 200',
                   upstream_status => '429, 200' };

# 100,000 lines of 100 minutes; the vendor breaks at 14:05

my $json = JSON::PP->new->utf8->canonical;
my $file = "$edge->{dir}/long.log";
my %text = map { $_ => $json->encode({ %{ $line{$_} }, time => 'TIME',
                                       remote_addr => 'ADDR' }) } keys %line;

open my $log, '>', $file or die "$file: $!";

for my $n (0 .. 99_999) {
    my $minute = 13 * 60 + int($n / 1000);
    my $i = $n % 1000;

    my $kind = $minute != 14 * 60 + 5 ? ($i % 500 ? 'good' : 'quota')
             : $i < 300 ? 'down' : $i < 340 ? 'html' : $i < 350 ? 'retried'
             : $i < 450 ? 'dry' : 'good';

    my $time = sprintf '2026-11-28T%02d:%02d:%02d+00:00', int($minute / 60),
                       $minute % 60, $i * 60 / 1000;

    print $log $text{$kind} =~ s/TIME/$time/r
                            =~ s/ADDR/'192.0.2.' . $i % 25/er, "\n";
}

close $log or die "$file: $!";

my ($status, $out) = shell("grep '\"time\":\"2026-11-28T14:05' $file"
                           . " | jq -rsf $ErrorMap::root/conf/log.jq");

is($status, 0, 'the query works');
is($out, join('', map { join("\t", @$_) . "\n" }
              [300, 25, 'tencent_iotvideo', 52501, 'INTERNAL', '/a',
               'memory error', 'out of', 'r-7'],
              [40, 25, 'tencent_iotvideo', 'skipped type', '', '/b', ('') x 3],
              [10, 10, 'tencent_iotvideo', '42505, 200', '', '/a', ('') x 3]),
   'the minute: neither the dry run nor other minutes');

($status, $out) = shell("grep '\"time\":\"2026-11-28T14:06' $file"
                        . " | jq -rsf $ErrorMap::root/conf/log.jq");

like($out, qr/\A2\t1\ttencent_iotvideo\t42505\tRESOURCE_EXHAUSTED\t[^\n]*\n\z/,
     'the next minute: two errors of a client');

done_testing();
