# The PATHs of documents, and the plans that they make, without nginx.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);

exit unit(tempdir(CLEANUP => 1), "$root/t/unit/path.c",
          glob("$root/ngx_module/scan/em_*.c"));
