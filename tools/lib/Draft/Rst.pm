package Draft::Rst;

# The reader of reStructuredText's simple tables, list tables, CSV tables and
# fields; Draft::Markdown reads its grids.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(clean);
use Draft::Csv;
use Draft::Html;


sub tables {
    my ($document) = @_;
    my $line = $document->lines;
    my @tables;

    for (my $i = 0; $i < @$line; $i++) {
        my ($read, $last);

        if ($line->[$i] =~ /^(\s*)\.\.\s+(list-table|flat-table|csv-table)::/) {
            ($read, $last) = directive($document, $i, $2);

        } elsif ($line->[$i] =~ /^\s*=+(?:\s+=+)+\s*$/) {
            ($read, $last) = simple($document, $i);
        }

        next if !$read;

        push @tables, $read;
        $document->take($i, $last);
        $i = $last;
    }

    return @tables;
}


# a list of lists, or CSV, below its options

sub directive {
    my ($document, $first, $kind) = @_;
    my $line = $document->lines;
    my ($indent, $title) = $line->[$first] =~ /^(\s*)\.\.\s+[\w-]+::\s*(.*)/;
    my $last = $first;
    my %option;
    my @body;

    while ($last < $#$line && ($line->[$last + 1] !~ /\S/
                               || $line->[$last + 1] =~ /^$indent\s/))
    {
        my $text = $line->[++$last];

        if (!grep({ /\S/ } @body) && $text =~ /^\s+:([\w-]+):\s*(.*)/) {
            $option{$1} = $2;

        } else {
            push @body, $text;
        }
    }

    my $rows = $kind eq 'csv-table' ? csv_rows(\%option, @body) : list_rows(@body);

    @$_ = map { clean($_) } @$_ for @$rows;

    my $named = $option{'header-rows'} // ($option{header} ? 1 : 0);
    my $head = $named ? shift @$rows : Draft::Html::header($rows);

    splice @$rows, 0, $named - 1 if $named > 1;

    return ({ form => "a $kind of reStructuredText", $document->place($first),
              $title ne '' ? (heading => clean($title)) : (),
              head => $head // [], rows => $rows }, $last);
}


sub csv_rows {
    my ($option, @body) = @_;
    my @line = grep { /\S/ } defined $option->{header} ? $option->{header} : (), @body;

    s/^\s+// for @line;

    my $comma = $option->{delim} // ',';
    $comma = "\t" if $comma eq 'tab';

    my $csv = Draft::Csv::parser($comma);
    open my $in, '<:encoding(UTF-8)', \Encode::encode('UTF-8', join "\n", @line)
        or die "$0: $!\n";

    my @rows;

    while (my $row = $csv->getline($in)) {
        push @rows, $row;
    }

    return \@rows;
}


# "* - cell" begins a row, "- cell" a cell

sub list_rows {
    my @rows;

    for (@_) {
        if (/^\s*[*-]\s+[-*](?:\s+(.*))?$/) {
            push @rows, [ $1 // '' ];

        } elsif (@rows && /^\s*[-*](?:\s+(.*))?$/) {
            push @{ $rows[-1] }, $1 // '';

        } elsif (@rows && /^\s*(\S.*)/) {
            $rows[-1][-1] .= " $1";
        }
    }

    return \@rows;
}


# columns below rules of "="; a row whose first column is blank goes on

sub simple {
    my ($document, $first) = @_;
    my $line = $document->lines;
    my @rule = ($first);
    my $i = $first;

    while (++$i < @$line) {
        last if @rule >= 2 && $line->[$i] !~ /\S/ && $i == $rule[-1] + 1;
        push @rule, $i if $line->[$i] =~ /^\s*=+(?:\s+=+)*\s*$/;
        last if @rule >= 3;
    }

    return () if @rule < 2;

    my @starts = column_starts($line->[$first]);
    my $named = @rule >= 3;
    my @head = $named ? @$line[$first + 1 .. $rule[1] - 1] : ();
    my @body = @$line[($named ? $rule[1] : $first) + 1 .. $rule[-1] - 1];
    my ($head) = @{ simple_rows(\@starts, 1, @head) };
    my $rows = simple_rows(\@starts, 0, @body);

    $head //= Draft::Html::header($rows);

    return ({ form => 'a simple table of reStructuredText',
              $document->place($first), head => $head, rows => $rows },
            $rule[-1]);
}


sub column_starts {
    my ($rule) = @_;
    my @starts;

    while ($rule =~ /=+/g) {
        push @starts, $-[0];
    }

    return @starts;
}


sub simple_rows {
    my ($starts, $joined, @line) = @_;
    my @rows;

    for my $text (grep { /\S/ && !/^\s*-+(?:\s+-+)*\s*$/ } @line) {
        my @cells = cut($text, @$starts);

        if (@rows && ($joined || $cells[0] !~ /\S/)) {
            for my $i (0 .. $#cells) {
                $rows[-1][$i] .= " $cells[$i]";
            }

        } else {
            push @rows, \@cells;
        }
    }

    @$_ = map { clean($_) } @$_ for @rows;

    return \@rows;
}


# the parts of a line that begin at these columns; a wide character has two

sub cut {
    my ($text, @starts) = @_;
    my (@cells, $i);
    my $column = 0;

    $i = -1;

    for my $character (split //, $text) {
        $i++ while $i < $#starts && $column >= $starts[$i + 1];

        $cells[$i < 0 ? 0 : $i] .= $character;
        $column += $character =~ /\p{East_Asian_Width=W}|\p{East_Asian_Width=F}/
                   ? 2 : 1;
    }

    return map { $_ // '' } @cells[0 .. $#starts];
}


1;
