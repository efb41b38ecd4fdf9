# Rows that stand for many codes - ranges, prefixes, patterns - without nginx.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);

exit unit(tempdir(CLEANUP => 1), "$root/t/unit/group.c",
          map { "$root/ngx_module/document/em_$_.c" } qw(document group));
