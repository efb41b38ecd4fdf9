# The JSON scanner skips, with each kernel that this processor has.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);

exit unit(tempdir(CLEANUP => 1), "$root/t/unit/skip.c",
          glob("$root/ngx_module/scan/em_json*.c"));
