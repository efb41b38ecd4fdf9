# The error log lists the loaded documents at each start and reload, but not
# when a configuration is only tested.

use strict;
use warnings;

use ErrorMap;
use ErrorMapTables;
use Test::More;

my $port = free_port();

my $http = <<"END";
    error_map_document acme {
        source  json /code;
        1001    401  UNAUTHENTICATED     "token missing";
        1002    -    RESOURCE_EXHAUSTED  "quota used up";
    }

    error_map_document plates base=vzenith {
        acme-1  400  INTERNAL  "one more";
    }

    server { listen 127.0.0.1:$port; }
END

my $edge = start(port => $port, http => $http);

sub notices {
    return slurp("$edge->{dir}/error.log")
        =~ /\[notice\] .*: error_map ([\d.]+: document .*)/g;
}

my ($version) = slurp("$ErrorMap::root/CHANGES") =~ /map ([\d.]+)/;

my %codes = map { $_ => scalar @{ table($_)->{rows} } } @documents;

my @notices = map { "$version: document $_ codes" } (
    (map { "\"$_\" has $codes{$_}" } @documents),
    '"acme" has 2', '"plates" has ' . ($codes{vzenith} + 1),
);

is_deeply([notices()], \@notices, 'at the start');

system nginx(), '-t', '-q', '-p', $edge->{dir}, '-c', "$edge->{dir}/nginx.conf",
       '-e', "$edge->{dir}/error.log";

is($?, 0, 'the configuration is tested');
is_deeply([notices()], \@notices, '... without a notice');

kill 'HUP', $edge->{pid};

wait_for(sub { (() = notices()) > @notices });

is_deeply([notices()], [@notices, @notices], 'at a reload');

stop($edge);
done_testing();
