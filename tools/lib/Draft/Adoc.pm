package Draft::Adoc;

# The reader of tables in AsciiDoc: "|===" around rows in one line each, or
# around cells in one line each; the same with ",===".

use strict;
use warnings;
use utf8;

use Draft::Cell qw(clean);
use Draft::Csv;


sub tables {
    my ($document) = @_;
    my $line = $document->lines;
    my @tables;

    for (my $i = 0; $i < @$line; $i++) {
        my ($mark) = $line->[$i] =~ /^([|,:!]={3,})\s*$/ or next;
        my $last = $i + 1;

        $last++ while $last < @$line && $line->[$last] !~ /^\Q$mark\E\s*$/;

        my $first = $i;

        $first-- if $i && $line->[$i - 1] =~ /^\[/;

        push @tables, table($document, $first, $i, $last, $mark);
        $document->take($first, $last < @$line ? $last : $#$line);
        $i = $last;
    }

    return @tables;
}


sub table {
    my ($document, $first, $start, $last, $mark) = @_;
    my @line = @{ $document->lines }[$start + 1 .. $last - 1];
    my $attributes = $first < $start ? $document->lines->[$first] : '';
    my $named = $attributes =~ /header/ || blank_after_first(@line);
    my $rows = $mark =~ /^,/ || $attributes =~ /format="?csv/
               ? Draft::Csv::rows([ grep { /\S/ } @line ], ',') // []
               : rows(\@line, columns($attributes, @line), !$named);

    @$_ = map { clean($_) } @$_ for @$rows;
    my $head = $named ? shift @$rows : Draft::Html::header($rows);

    return { form => 'a table of AsciiDoc', $document->place($first),
             head => $head // [], rows => $rows };
}


# the first line is a header if it has cells, and a blank line follows it

sub blank_after_first {
    return @_ > 1 && $_[0] =~ /^\S/ && $_[1] !~ /\S/;
}


# the number of columns: as told, or that of the cells in the first line

sub columns {
    my ($attributes, @line) = @_;

    if ($attributes =~ /cols\s*=\s*(?:"([^"]*)"|'([^']*)'|([^,\]]*))/) {
        my $cols = $1 // $2 // $3;

        return $1 if $cols =~ /^\s*([1-9])\s*$/;

        my $n = 0;

        $n += /^\s*(\d+)\*/ ? $1 : 1 for split /[,;]/, $cols;
        return $n;
    }

    my ($first) = grep { /\S/ } @line;
    my @cells = split_cells($first // '');

    return scalar @cells || 1;
}


# the cells of a line; "2+|" spans two columns, and ".2+|" two rows

sub split_cells {
    my ($text) = @_;
    my @cells;

    while ($text =~ /(?:(?<=\s)|^)(?:(\d+)?(?:\.(\d+))?\+)?(\d+\*)?[<^>.]*[adehlmsv]?(?<!\\)\|
                     ((?:\\\||[^|])*?)
                     (?=\s(?:[\d.]+[+*])?[<^>.]*[adehlmsv]?(?<!\\)\||(?<=[^\s\\])\||$)/gx)
    {
        push @cells, [$4, $1 // 1, $2 // 1];
    }

    return @cells;
}


sub rows {
    my ($line, $width) = @_;
    my (@rows, @row, @span);

    for my $text (@$line) {
        my @cells = split_cells($text);

        if (!@cells) {
            $row[-1] .= " $text" if @row && $text =~ /\S/;
            $rows[-1][-1] .= " $text" if !@row && @rows && $text =~ /\S/;
            next;
        }

        for (@cells) {
            my ($cell, $columns, $rows) = @$_;

            push @row, take_span(\@span, scalar @row);

            for my $n (1 .. $columns) {
                $span[@row] = [$rows - 1, $cell];
                push @row, $n == 1 ? $cell : '';
            }

            push @row, take_span(\@span, scalar @row);

            push @rows, [ splice @row, 0, $width ] while @row >= $width;
        }
    }

    push @rows, [@row] if @row;

    return \@rows;
}


# cells that span this place from above

sub take_span {
    my ($span, $i) = @_;
    my @cells;

    while ($span->[$i] && $span->[$i][0] > 0) {
        $span->[$i][0]--;
        push @cells, $span->[$i++][1];
    }

    return @cells;
}


1;
