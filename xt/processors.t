# The scanner on processors that this machine does not have: NEON on 64-bit ARM,
# and plain C where the first byte of a word is its highest.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);
use Test::More;

my %processors = (
    aarch64 => [ 'arm64', 'neon', 'plain' ],
    s390x => [ 's390x', 'plain' ],
);

my $dir = tempdir(CLEANUP => 1);

is(system("$root/tools/deps", 'qemu-user',
          map { ("gcc-$_-linux-gnu", "libc6-dev-$processors{$_}[0]-cross") }
              sort keys %processors),
   0, 'cross compilers and an emulator are there');

for my $processor (sort keys %processors) {
    my (undef, @kernels) = @{$processors{$processor}};

    for my $test ('json', 'skip') {
        my $program = "$dir/$test.$processor";

        is(system("$processor-linux-gnu-gcc", '-static', '-g', '-O2', '-W',
                  '-Wall', '-Wextra', '-Werror', '-I', "$root/ngx_module/scan",
                  '-o', $program, "$root/t/unit/$test.c",
                  glob "$root/ngx_module/scan/em_json*.c"),
           0, "$processor: $test.c compiles");

        my $out = `qemu-$processor $program`;

        is($?, 0, "$processor: $test.c ends well");
        like($out, qr/^ok 1 /m, '... with tests');
        unlike($out, qr/^not ok/m, '... and no failure');

        for my $kernel (@kernels) {
            like($out, qr/^(?:# |ok \d+ - )\Q$kernel\E/m, "... of $kernel");
        }
    }
}

done_testing();
