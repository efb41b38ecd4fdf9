# The texts of event streams, lines and records, without nginx.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);

exit unit(tempdir(CLEANUP => 1), "$root/t/unit/events.c",
          "$root/ngx_module/scan/em_event.c");
