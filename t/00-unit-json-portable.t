# The JSON scanner, built as for other processors.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);

$ENV{CC} = ($ENV{CC} || 'cc') . ' -DEM_JSON_PORTABLE';

exit unit(tempdir(CLEANUP => 1), "$root/t/unit/json.c",
          glob("$root/ngx_module/scan/em_json*.c"));
