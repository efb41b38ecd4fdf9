# HTTP/2: a 304 instead of a held response ends only its stream.

use strict;
use warnings;

use ErrorMap;
use Test::More;

my $port = free_port();

my $edge = start(port => $port, http => <<"END");
    server {
        listen 127.0.0.1:$port http2;
        types { application/json json; }
        error_map tencent_iotvideo;
        root %DIR%;
    }
END

my $long = 'a' x 30000;

spew("$edge->{dir}/ok.json", "{\"StatusCode\":0,\"x\":\"$long\"}");
spew("$edge->{dir}/late.json", "{\"x\":\"$long\"}");
spew("$edge->{dir}/bad.json",
               "{\"x\":\"$long\",\"StatusCode\":42505}");

my $time = 1_000_000_000;

utime $time, $time, map { "$edge->{dir}/$_.json" } qw(ok late bad);

my @uris = map { "http://127.0.0.1:$port/$_.json" } qw(ok bad late);

my $out = `nghttp -ns -H 'if-modified-since: Sun, 09 Sep 2001 01:46:40 GMT' \\
           @uris 2>&1`;

like($out, qr{ 304 +0 /ok\.json$}m, 'a success that was not modified');
like($out, qr{ 304 +0 /late\.json$}m, '... and a body without a code');
like($out, qr{ 402 +29K /bad\.json$}m, 'a mapped error on the same connection');

stop($edge);
done_testing();
