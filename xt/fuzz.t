# The inputs of the fuzz targets, found by libFuzzer or written by hand, each
# once and with sanitizers.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);

my $root = abs_path(dirname(__FILE__) . '/..');

exit system("$root/fuzz/replay") >> 8;
