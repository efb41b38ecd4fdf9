# A short form of tools/soak-streams: thousands of event streams from two vendors
# that fail in turn, through nginx's upstream layer; each answer is right, and
# nothing is left behind.

use strict;
use warnings;

use ErrorMap;
use Test::More;

my $out = `$ErrorMap::root/tools/soak-streams 3000 2>&1`;

is($?, 0, 'tools/soak-streams ends well') or diag($out);
like($out, qr/^no fault$/m, '... and says so');

my %seen = $out =~ /\b(200|429|502|503|left): (\d+)/g;

cmp_ok($seen{$_} // 0, '>', 10, "... with many of \"$_\"")
    for qw(200 429 502 503 left);

done_testing();
