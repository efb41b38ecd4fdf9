# What documents find in JSON texts, as it is built for other processors.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);

$ENV{CC} = ($ENV{CC} || 'cc') . ' -DEM_JSON_PORTABLE';
$ENV{EM_SELECT_CASES} = "$root/t/data/select.txt";
delete $ENV{EM_SELECT_QUICK};

exit unit(tempdir(CLEANUP => 1), "$root/t/unit/select.c",
          glob("$root/ngx_module/scan/em_*.c"));
