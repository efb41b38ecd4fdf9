# The choice among PATHs in bodies that are made to cost, without nginx.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);

exit unit(tempdir(CLEANUP => 1), "$root/t/unit/hostile.c",
          glob("$root/ngx_module/scan/em_*.c"));
