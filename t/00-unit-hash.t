# The look-up of a document that is made at run time, without nginx.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);

exit unit(tempdir(CLEANUP => 1), "$root/t/unit/hash.c",
          "$root/ngx_module/document/em_document.c");
