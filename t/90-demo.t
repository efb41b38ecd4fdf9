# "make demo" works as README says: every vendor's errors and successes leave
# the edge as expected, in a table that has colours on a terminal only; the
# compiler's output is in a log.  "make serve" ends on ^C and on TERM without an
# error line, and leaves no process.  Its exit status is the signal, because make
# ends by it; that of tools/demo is 0.

use strict;
use warnings;

use ErrorMap;
use File::Temp qw(tempdir);
use IO::Pty;
use POSIX qw(:sys_wait_h);
use Test::More;

chdir $ErrorMap::root or die "$ErrorMap::root: $!";

my $out = `NGINX=@{[nginx()]} tools/demo 2>&1`;

is($?, 0, 'the demo ends well') or diag($out);
like($out, qr/^all as expected$/m, '... and says so');

for my $vendor (qw(face_device baidu_face vzenith tencent_iot
                   tencent_iotvideo acme sms openai anthropic))
{
    my @lines = map { [split ' '] } $out =~ /^($vendor .*)/mg;

    # vendor, code, how, before, after, class

    cmp_ok(scalar(grep { $_->[4] >= 400 && $_->[5] =~ /^[A-Z_]+$/ } @lines),
           '>=', 2, "$vendor: at least two errors");
    cmp_ok(scalar(grep { "@$_[3 .. 5]" eq '200 200 -' } @lines),
           '>=', 1, "$vendor: at least one success");
}

like($out, qr/^vendor +code +how +before +after +class /m,
     'the table says which status is before and which after');
like($out, qr/^tencent_iotvideo +42505 +- +200 +402 /m, '42505 becomes 402');
like($out, qr/^tencent_iotvideo +52501 +- +200 +456 /m, '52501 becomes 456');

like($out, qr/^$_ +\S+ +200 +200 +- .*: 4\d\d, 200$/m, 'a second account answers')
    for 'tencent_iotvideo +42505', 'openai +insufficient_quota';

{
    my ($table) = $out =~ /^(vendor .*?)\n\n/ms;
    my ($head, @rows) = split /\n/, $table;
    my @column = map { index $head, $_ } qw(code how before after class other);

    is(join("\n", grep { my $row = $_; grep { $_ < length $row
                         && substr($row, $_ - 1, 2) !~ /^ \S/ } @column[0 .. 4]
                       } @rows), '', 'the table is aligned');
}

unlike($out, qr/\e/, 'no colour where there is no terminal');


# colours, for people only

sub shown {
    my (%env) = @_;
    my $pty = IO::Pty->new or die "no terminal: $!";
    my $pid = fork // die "fork: $!";
    my $tty = $pty->slave;

    if (!$pid) {
        delete @ENV{qw(NO_COLOR TERM)};
        @ENV{keys %env, 'NGINX'} = (values %env, nginx());
        open STDOUT, '>&', $tty or die "stdout: $!";
        exec 'tools/demo' or POSIX::_exit(127);
    }

    close $tty;

    my $out = '';
    1 while sysread $pty, $out, 4096, length $out;
    waitpid $pid, 0;

    return $out =~ s/\r//gr;
}

{
    my $colour = shown(TERM => 'xterm');

    like($colour, qr/^tencent_iotvideo +42505 +- +200 +\e\[1;33m402 +\e\[0m/m,
         'a changed status has a colour on a terminal');
    like($colour, qr/^tencent_iotvideo +200 +- +200 +\e\[32m200 +\e\[0m/m,
         '... and another one that stays');

    my ($with, $without) = map { /^(vendor .*?)\n\n/ms } $colour =~
                           s/\e\[[\d;]*m//gr, $out;

    is($with, $without, '... the table is the same');
    unlike(shown(%$_), qr/\e/, "no colour with @{[%$_]}")
        for { TERM => 'xterm', NO_COLOR => 1 }, { TERM => 'dumb' };
}


# a reader that leaves

{
    my $out = `NGINX=@{[nginx()]} tools/demo 2>&1 | head -n 8`;
    my $pid = slurp('build/demo/nginx.pid') =~ s/\s//gr;

    like($out, qr/^vendor /m, 'a reader gets the first lines');
    ok(wait_for(sub { !$pid || !kill 0, $pid }), '... and leaves no nginx');
}


# the compiler's output

{
    my $dir = tempdir(CLEANUP => 1);

    my $log = "$dir/logs/make.log";
    my $good = `tools/logged $log sh -c 'echo compiles; echo warns >&2' 2>&1`;

    is($?, 0, 'a build that succeeds');
    like($good, qr/\Q$log\E/, '... says where its output is');
    unlike($good, qr/^(?:compiles|warns)/m, '... and does not print it');
    is(slurp($log), "compiles\nwarns\n", '... it is there');

    my $bad = `tools/logged $log sh -c 'seq 1 50; echo a.c:1 >&2; exit 7' 2>&1`;

    is($? >> 8, 7, 'a build that fails');
    like($bad, qr/failed.*\Q$log\E.*\n +32\n(?: +\d+\n){18} +a\.c:1\n\z/,
         '... prints its last twenty lines');

    like(`make -n $_ 2>&1`, qr{^tools/logged \S+ \S*make all$}m,
         "make $_ builds with a log") for qw(demo serve);
}


# by default a bucket of nginx's hash has the size of a cache line, and each key
# needs two pointers and its length in it

my $conf = slurp('conf/demo.conf');
my ($size) = $conf =~ /^ *map_hash_bucket_size +(\d+);$/m;
my ($map) = $conf =~ /^ *map [^{]*\{\n(.*?)^    \}\n/ms;
my @long = grep { 16 + 8 * int((2 + length() + 7) / 8) > ($size || 32) }
           $map =~ /^ *(\S+)/mg;

is("@long", '', 'the demo starts where a cache line has 32 bytes');

like($out, qr/^tencent_iot +20001 +gzip +200 +403 /m, 'a gzip vendor');


# "make serve"

delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};

my $nginx = nginx();

# Runs a command on a terminal of its own until it says that it listens, does
# something to it, and returns its wait status and what it printed.

sub on_terminal {
    my ($what, $do, @command) = @_;
    my $pty = IO::Pty->new or die "no terminal: $!";
    my $pid = fork // die "fork: $!";

    if (!$pid) {
        $pty->make_slave_controlling_terminal;

        my $tty = $pty->slave;

        close $pty;
        open STDIN, '<&', $tty or die "stdin: $!";
        open STDOUT, '>&', $tty or die "stdout: $!";
        open STDERR, '>&', $tty or die "stderr: $!";

        # the test may run in the background, without these

        $SIG{$_} = 'DEFAULT' for qw(INT QUIT HUP TERM);

        exec @command or POSIX::_exit(127);
    }

    $pty->close_slave;

    my $out = '';
    my $ended = 0;

    my $read = sub {
        my $bits = '';

        vec($bits, fileno $pty, 1) = 1;

        while (select my $ready = $bits, undef, undef, 0) {
            sysread $pty, $out, 4096, length $out or last;
        }
    };

    # the last command that it prints

    my $listens = wait_for(sub {
        $read->();
        $out =~ m{overloaded_error\r?\n};
    }, 120);

    ok($listens, "$what: it listens");

    $out = '';

    my $master = slurp('build/demo/nginx.pid') =~ s/\s//gr;

    like($master, qr/^\d+$/, '... nginx runs');
    cmp_ok(scalar session($pid), '>=', 2, '... in its session');

    $do->($pid, $pty);

    ok(wait_for(sub { $read->(); $ended = waitpid $pid, WNOHANG }, 30),
       '... it ends') or kill 'KILL', $pid;

    my $status = $?;

    $read->();
    is(join(' ', session($pid)), '', '... no process is left')
        or kill 'TERM', session($pid);
    ok(!kill(0, $master), '... nor nginx');

    # the terminal itself shows ^C

    return ($status, $out =~ s/\^C//gr);
}


# the processes of a session

sub session {
    my ($leader) = @_;

    return grep { $_ ne $leader }
           map { /^(\d+) \(.*\) [^Z] (?:\d+ ){2}$leader /s ? $1 : () }
           map { slurp($_) } glob '/proc/[0-9]*/stat';
}


for (['^C', 2, sub { syswrite $_[1], "\cC" }],
     ['two ^C', 2, sub { syswrite $_[1], "\cC\cC" }],
     ['TERM for make', 15, sub { kill 'TERM', $_[0] }],
     ['TERM for all', 15, sub { kill '-TERM', $_[0] }],
     ['HUP for all, as of a terminal that is closed', 1, sub { kill '-HUP', $_[0] }])
{
    my ($what, $signal, $do) = @$_;
    my ($status, $out);

    # make waits for a child once more if it ends before make sees the signal

    for (1 .. 5) {
        ($status, $out) = on_terminal($what, $do, 'make', 'serve',
                                      "NGINX=$nginx");
        last if $out !~ /wait: No child processes/;
    }

    is($status, $signal, '... by the signal');
    unlike($out, qr/\w/, '... without a word');
}

for (['^C, without make', sub { syswrite $_[1], "\cC" }],
     ['TERM, without make', sub { kill 'TERM', $_[0] }])
{
    my ($what, $do) = @$_;

    local $ENV{NGINX} = $nginx;
    my ($status, $out) = on_terminal($what, $do, 'tools/demo', 'serve');

    is($status, 0, '... with 0');
    unlike($out, qr/\w/, '... without a word');
}

done_testing();
