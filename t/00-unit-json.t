# The JSON scanner, without nginx.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);

exit unit(tempdir(CLEANUP => 1), "$root/t/unit/json.c",
          glob("$root/ngx_module/scan/em_json*.c"));
