# "make demo" works as README says: every vendor's errors and successes leave
# the edge as expected.

use strict;
use warnings;

use ErrorMap;
use Test::More;

chdir $ErrorMap::root or die "$ErrorMap::root: $!";

my $out = `NGINX=@{[nginx()]} tools/demo 2>&1`;

is($?, 0, 'the demo ends well') or diag($out);
like($out, qr/^all as expected$/m, '... and says so');

for my $vendor (qw(face_device baidu_face vzenith tencent_iot
                   tencent_iotvideo acme sms openai anthropic))
{
    my @errors = $out =~ /^$vendor .*X-Error-Class:/mg;
    my @successes = $out =~ /^$vendor\ .*->\ 200\ *(?:X-\S+\ 200\ )?
                             (?:gzip|llm)?$/mgx;

    cmp_ok(scalar @errors, '>=', 2, "$vendor: at least two errors");
    cmp_ok(scalar @successes, '>=', 1, "$vendor: at least one success");
}

like($out, qr/^tencent_iotvideo +42505 +200 +-> 402 /m, '42505 becomes 402');
like($out, qr/^tencent_iotvideo +52501 +200 +-> 456 /m, '52501 becomes 456');

like($out, qr/^$_ +200 +-> 200 .*: 4\d\d, 200 /m, 'a second account answers')
    for 'tencent_iotvideo +42505', 'openai +insufficient_quota';

# by default a bucket of nginx's hash has the size of a cache line, and each key
# needs two pointers and its length in it

my $conf = slurp('conf/demo.conf');
my ($size) = $conf =~ /^ *map_hash_bucket_size +(\d+);$/m;
my ($map) = $conf =~ /^ *map [^{]*\{\n(.*?)^    \}\n/ms;
my @long = grep { 16 + 8 * int((2 + length() + 7) / 8) > ($size || 32) }
           $map =~ /^ *(\S+)/mg;

is("@long", '', 'the demo starts where a cache line has 32 bytes');

like($out, qr/^tencent_iot +20001 +200 +-> 403 .*gzip$/m, 'a gzip vendor');

done_testing();
