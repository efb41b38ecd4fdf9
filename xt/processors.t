# The scanner and the documents on other processors: NEON on 64-bit ARM, plain C
# on a big-endian one, and two with sizes of 32 bits.  Then the whole module in
# Debian's own nginx of EM_PROCESSORS, "s390x i386" unless it is set.

use strict;
use warnings;

use ErrorMapSmoke;
use ErrorMapUnit;
use File::Temp qw(tempdir);
use Test::More;

# compiler, Debian's name, how a program runs, the ways to skip

my @processors = (
    [ 'aarch64-linux-gnu', 'arm64', 'qemu-aarch64', 'neon', 'plain' ],
    [ 'arm-linux-gnueabihf', 'armhf', 'qemu-arm', 'plain' ],
    [ 'i686-linux-gnu', 'i386', '', 'plain' ],
    [ 's390x-linux-gnu', 's390x', 'qemu-s390x', 'plain' ],
);

my $dir = tempdir(CLEANUP => 1);

is(system("$root/tools/deps", 'qemu-user', 'gperf',
          map { ("gcc-$$_[0]", "libc6-dev-$$_[1]-cross") } @processors),
   0, 'cross compilers and an emulator are installed');

my $document = "$root/ngx_module/document/em_document.c";

my %sources = (
    select => [ glob "$root/ngx_module/scan/em_*.c" ],
    json => [ glob "$root/ngx_module/scan/em_json*.c" ],
    skip => [ glob "$root/ngx_module/scan/em_json*.c" ],
    hash => [ $document ],
    document => [ $document, documents($dir) ],
);

local $ENV{EM_SELECT_CASES} = "$root/t/data/select.txt";

for my $processor (@processors) {
    my ($compiler, undef, $run, @kernels) = @$processor;

    for my $test (sort keys %sources) {
        my $program = "$dir/$test.$compiler";

        is(system("$compiler-gcc", '-static', '-g', '-O2', '-W', '-Wall',
                  '-Wextra', '-Werror', '-Wno-unused-parameter',
                  (map { ('-I', "$root/ngx_module/$_") } qw(scan document)),
                  '-o', $program, "$root/t/unit/$test.c",
                  @{$sources{$test}}),
           0, "$compiler: $test.c compiles");

        my $out = `$run $program`;

        is($?, 0, "$compiler: $test.c ends well");
        like($out, qr/^ok 1 /m, '... with tests');
        unlike($out, qr/^not ok/m, '... and no failure');

        next if $test !~ /json|skip/;

        for my $kernel (@kernels) {
            like($out, qr/^(?:# |ok \d+ - )\Q$kernel\E/m, "... of $kernel");
        }
    }
}


# The whole module in Debian's own nginx of the architecture, under an emulator
# where this machine needs one: 64 bits, big-endian, and 32 bits.

my %emulator = map { ($$_[1], $$_[2]) } @processors;

for my $arch (split ' ', $ENV{EM_PROCESSORS} || 's390x i386') {
    my $edge = "$root/build/debian-bookworm-$arch";
    my $out = `EMULATOR=$emulator{$arch} $root/tools/suite bookworm/$arch 2>&1`;

    is($?, 0, "the module for $arch builds") or diag(substr $out, -2000), next;
    unlike($out, qr/warning:/, '... without a warning');

    local $ENV{TEST_NGINX_BINARY} = "$edge/nginx";
    smoke($arch, modules => "load_module $edge/module.so;");

    local $ENV{NGINX} = "$edge/nginx";
    local $ENV{ERROR_MAP_MODULE} = "$edge/module.so";

    # prove's rules are for names from here on

    my $tests = $emulator{$arch}
        ? 't/10-directive-error-map.t t/20-stream-cuts.t t/30-http-codes.t'
        : 't/10-*.t t/20-stream-cuts.t t/30-http-codes.t';

    $out = `cd $root && tools/prove $tests 2>&1`;
    is($?, 0, '... and passes the tests') or diag(substr $out, -4000);
}

done_testing();
