# The look-up in a document that nginx.conf declares, without nginx.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);

exit unit(tempdir(CLEANUP => 1), "$root/t/unit/hash.c",
          "$root/ngx_module/document/em_document.c");
