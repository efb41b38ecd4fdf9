# What documents find in JSON texts, without nginx: random documents and bodies,
# with the answers of t/lib/ErrorMapSelect.pm.
#
# EM_SELECT_RANDOM is how many, EM_SELECT_SEED where they begin.

use strict;
use warnings;

use ErrorMapSelect;
use ErrorMapUnit;
use File::Temp qw(tempdir);
use POSIX qw(mkfifo);

my $dir = tempdir(CLEANUP => 1);
my $cases = $ENV{EM_SELECT_RANDOM} || 20000;

mkfifo("$dir/cases", 0600) or die "$dir/cases: $!";

my $pid = fork() // die "fork: $!";

if ($pid == 0) {
    srand($ENV{EM_SELECT_SEED} || 1);

    open my $f, '>', "$dir/cases" or POSIX::_exit(1);

    print $f select_random($_ % 10 == 0) for 1 .. $cases;

    close $f;
    POSIX::_exit(0);
}

$ENV{EM_SELECT_CASES} = "$dir/cases";
$ENV{EM_SELECT_QUICK} = $cases;

my $status = unit($dir, "$root/t/unit/select.c",
                  glob("$root/ngx_module/scan/em_*.c"));

# it waits for a reader, if there is no program

kill 'TERM', $pid;
waitpid $pid, 0;

exit $status;
