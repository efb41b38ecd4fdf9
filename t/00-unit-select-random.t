# What documents find in JSON texts, without nginx: random documents and bodies,
# with the answers of t/lib/ErrorMapSelect.pm.
#
# EM_SELECT_RANDOM is how many, EM_SELECT_SEED where they begin.

use strict;
use warnings;

use ErrorMapSelect;
use ErrorMapUnit;
use File::Temp qw(tempdir);

my $dir = tempdir(CLEANUP => 1);
my $cases = $ENV{EM_SELECT_RANDOM} || 20000;

srand($ENV{EM_SELECT_SEED} || 1);

open my $f, '>', "$dir/cases" or die "$dir/cases: $!";

print $f select_random($_ % 10 == 0) for 1 .. $cases;

close $f;

$ENV{EM_SELECT_CASES} = "$dir/cases";
$ENV{EM_SELECT_QUICK} = 1;

exit unit($dir, "$root/t/unit/select.c",
          glob("$root/ngx_module/scan/em_*.c"));
