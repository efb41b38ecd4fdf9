# The JSON scanner reads texts that are JSON, are not, or may be either: those
# of t/data/json and of the folder that EM_JSON_CONFORMANCE names, if any, such
# as JSONTestSuite's test_parsing.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);

$ENV{EM_JSON_FOLDERS} = join "\n", "$root/t/data/json",
                                   $ENV{EM_JSON_CONFORMANCE} || ();

exit unit(tempdir(CLEANUP => 1), "$root/t/unit/conformance.c",
          glob("$root/ngx_module/scan/em_json*.c"));
