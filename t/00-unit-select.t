# What documents find in JSON texts, without nginx: the cases of t/data.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);

$ENV{EM_SELECT_CASES} = "$root/t/data/select.txt";
delete $ENV{EM_SELECT_QUICK};

exit unit(tempdir(CLEANUP => 1), "$root/t/unit/select.c",
          glob("$root/ngx_module/scan/em_*.c"));
