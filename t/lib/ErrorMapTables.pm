package ErrorMapTables;

# The documents that are compiled in, as the tree has them: tables/, and the
# codes in t/data, taken from the vendors' documents.

use strict;
use warnings;

use ErrorMap ();
use Exporter qw(import);
use File::Basename qw(basename);

our @EXPORT = qw(@documents $documents table codes);


# the names of the documents, sorted as the module sorts them, and in the words
# of its messages

our @documents = map { basename($_, '.gperf') }
                 sort glob "$ErrorMap::root/tables/*.gperf";

our $documents = join ', ', @documents;


# table(name) => { rows => [{ code, status, class, title }, ...],
#                  bad => [line, ...],
#                  sources => [[json | header | regex, text], ...],
#                  success => [code, ...] }
#
# Reads a table.  Lines that are neither a comment nor a row are "bad".

sub table {
    my ($name) = @_;

    my (undef, $rows, $code)
        = split /^%%\n/m,
                ErrorMap::slurp("$ErrorMap::root/tables/$name.gperf");

    my $table = { rows => [], bad => [] };

    for (grep { !/^#/ } split /\n/, $rows) {
        if (/^([^\s,]+),\s*(\d+),\s*EM_([A-Z_]+),\s*"(.*)"$/) {
            push @{ $table->{rows} },
                 { code => $1, status => $2, class => $3, title => $4 };

        } else {
            push @{ $table->{bad} }, $_;
        }
    }

    $table->{sources} = [map { [lc $_->[0], $_->[1]] }
                         pairs($code =~ /EM_SOURCE_(\w+),\s*
                                         em_string\("([^"]*)"\)/gx)];

    my ($success) = $code =~ /\bsuccess\[\]\s*=\s*\{(.*?)\}\s*;/s;
    $table->{success} = [$success =~ /em_string\("([^"]*)"\)/g];

    return $table;
}


sub pairs {
    my @pairs;

    push @pairs, [splice @_, 0, 2] while @_;
    return @pairs;
}


# codes(name): [code, status, class] of each line of t/data/NAME.codes, none if
# the file does not exist

sub codes {
    my ($name) = @_;

    return map { [split / /] }
           split /\n/, ErrorMap::slurp("$ErrorMap::root/t/data/$name.codes");
}


1;
