# Short forms of the soaks of "make soak": each ends without a fault, and has
# seen all that it is for.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT shell);
use ErrorMapVendors;
use Test::More;

my $tools = "$ErrorMap::root/tools";

my ($status, $out) = shell("$tools/deps libnginx-mod-http-lua");

is($status, 0, 'lua, a neighbour, is installed') or diag($out);


# what a soak prints

sub soak {
    my ($command) = @_;

    my ($status, $out) = shell("$tools/$command");

    is($status, 0, "tools/$command ends well") or diag($out);
    like($out, qr/^no fault$/m, '... and says so');

    return $out;
}


$out = soak('soak 50000');

my ($reloads, $kills) = $out =~ /^(\d+) reloads, (\d+) kills;/m;

cmp_ok($reloads // 0, '>', 0, '... with reloads');
cmp_ok($kills // 0, '>', 0, '... with kills');

my %sum = $out =~ /^(\w+ \w+) +(\d+)$/mg;

cmp_ok($sum{$_} // 0, '>', 0, "... with \"$_\"")
    for map({ "tencent_iotvideo $_" } qw(mapped unknown success none undecided
                                         skipped)),
        map({ "sms $_" } qw(mapped none skipped));


$out = soak('soak-streams 1000');

my %seen = $out =~ /\b(200|429|502|503|left): (\d+)/g;

cmp_ok($seen{$_} // 0, '>', 0, "... with \"$_\"") for qw(200 429 502 503 left);


$out = soak('soak-vendors 8');

my ($vendors) = $out =~ /^(\d+) vendors, /m;

%seen = $out =~ /\b(as_they_are|attempts|mapped|success) (\d+)/g;

is($vendors, scalar vendor_names(), '... of all vendors in conf/vendors');
cmp_ok($seen{$_} // 0, '>', 100, "... with many of \"$_\"")
    for qw(as_they_are attempts mapped success);

done_testing();
