# The JSON scanner's quick look finds what its parser finds.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);

exit unit(tempdir(CLEANUP => 1), "$root/t/unit/quick.c",
          glob("$root/ngx_module/scan/em_json*.c"));
