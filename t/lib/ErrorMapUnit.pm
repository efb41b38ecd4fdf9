package ErrorMapUnit;

# Builds a program of t/unit with $CC, "cc" if not set, and runs it; it prints
# the test's TAP.

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(basename dirname);

our @EXPORT = qw($root unit documents);

our $root = abs_path(dirname(__FILE__) . '/../..');


# unit(directory to build in, source, ...): the exit status for the test

sub unit {
    my ($dir, @sources) = @_;

    # $CC may have arguments.  A hash() of gperf may not use its len, and nginx,
    # too, builds without that warning.

    my $cc = $ENV{CC} || 'cc';

    if (system('sh', '-c', "$cc \"\$@\"", 'cc', '-g', '-O1', '-W', '-Wall',
               '-Wextra', '-Werror', '-Wno-unused-parameter',
               (map { ('-I', "$root/ngx_module/$_") } qw(scan document)),
               '-o', "$dir/unit", @sources) != 0)
    {
        print "1..1\nnot ok 1 - $cc compiles $sources[0]\n";
        return 1;
    }

    my $status = system "$dir/unit";

    # prove knows signals by the shell's numbers

    return $status & 127 ? 128 + ($status & 127) : $status >> 8;
}


# documents(directory): makes sources of tables/ by gperf, and the list of
# documents, as nginx's build does; returns the sources

sub documents {
    my ($dir) = @_;

    my @names = map { basename($_, '.gperf') } sort glob "$root/tables/*.gperf";

    for my $name (@names) {
        system('gperf', "--output-file=$dir/$name.c",
               "$root/tables/$name.gperf") == 0
            or die "gperf: $name";
    }

    open my $list, '>', "$dir/em_documents.c" or die "$dir: $!";

    print $list "#include \"em_document.h\"\n",
        (map { "extern const em_document_t  em_document_$_;\n" } @names),
        "const em_document_t *const  em_documents[] = {\n",
        (map { "    &em_document_$_,\n" } @names), "    NULL\n};\n";

    close $list or die "$dir: $!";

    return map { "$dir/$_.c" } @names, 'em_documents';
}


1;
