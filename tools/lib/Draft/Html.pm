package Draft::Html;

# The tables of a document in HTML.  They are reported, but not read.

use strict;
use warnings;


# tables(text): all tables, without rows

sub tables {
    my ($text) = @_;
    my @tables;

    while ($text =~ /<table/gi) {
        my $before = substr $text, 0, pos $text;
        my $line = 1 + ($before =~ tr/\n//);

        push @tables, { where => "line $line, in HTML", heading => '',
                        head => [], rows => [] };
    }

    return @tables;
}


1;
