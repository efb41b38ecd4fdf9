# The documents that gperf makes of tables/, and their lookup, without nginx.

use strict;
use warnings;

use ErrorMapUnit;
use File::Basename qw(basename);
use File::Temp qw(tempdir);

my $dir = tempdir(CLEANUP => 1);
my @tables = sort glob "$root/tables/*.gperf";
my @names = map { basename($_, '.gperf') } @tables;

for my $i (0 .. $#tables) {
    system('gperf', "--output-file=$dir/$names[$i].c", $tables[$i]) == 0
        or die "gperf: $tables[$i]";
}

# the list of them, as nginx's build has it

open my $list, '>', "$dir/em_documents.c" or die "$dir: $!";

print $list "#include \"em_document.h\"\n",
    (map { "extern const em_document_t  em_document_$_;\n" } @names),
    "const em_document_t *const  em_documents[] = {\n",
    (map { "    &em_document_$_,\n" } @names), "    NULL\n};\n";

close $list or die "$dir: $!";

exit unit($dir, "$root/t/unit/document.c", "$root/ngx_module/document/em_document.c",
          glob "$dir/*.c");
