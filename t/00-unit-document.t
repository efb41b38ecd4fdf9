# The documents that gperf makes of tables/, and their lookup, without nginx.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);

my $dir = tempdir(CLEANUP => 1);

exit unit($dir, "$root/t/unit/document.c",
          "$root/ngx_module/document/em_document.c", documents($dir));
