# The choice among PATHs and the scanner, where a document needs no choice: the
# same answers.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);

$ENV{EM_JSON_FOLDER} = "$root/t/data/json";

exit unit(tempdir(CLEANUP => 1), "$root/t/unit/select_plain.c",
          glob("$root/ngx_module/scan/em_*.c"));
