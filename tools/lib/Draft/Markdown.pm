package Draft::Markdown;

# The reader of Markdown and plain tables: rows of cells between pipes or tabs,
# wrapped rows, and grids of "+---+".

use strict;
use warnings;
use utf8;

use Draft::Cell qw(clean kind);
use Draft::Columns qw(columns);


# tables(text): all tables, as Draft::Rows takes them

sub tables {
    my ($text) = @_;
    my $d = document($text);
    my ($i, @tables) = (0);

    while ($i < @{ $d->{line} }) {
        if (is_header($d, $i, 'plain')) {
            my ($table, $next) = read_table($d, $i);

            push @tables, $table;
            $i = $next;

        } else {
            $i++;
        }
    }

    return @tables;
}


# { line => [...], fenced => which lines are examples, grid => which lines are
# rules of a grid }; tables with tabs and grids get the pipes of Markdown

sub document {
    my ($text) = @_;
    my @line = split /\n/, $text;
    my ($fence, @fenced, @grid);

    for my $i (0 .. $#line) {
        if ($line[$i] =~ /^\s*(```|~~~)/ && (!$fence || $fence eq $1)) {
            $fence = $fence ? undef : $1;
            $fenced[$i] = 1;

        } elsif ($fence) {
            $fenced[$i] = 1;

        } elsif ($line[$i] =~ /^\s*\+[-=:+]+\+\s*$/) {
            $line[$i] =~ tr/+=/|\-/;
            $grid[$i] = 1;

        } elsif ($line[$i] !~ /\|/ && $line[$i] =~ /\S\s*\t\s*\S/) {
            $line[$i] =~ s/\t/ | /g;
        }
    }

    return { line => \@line, fenced => \@fenced, grid => \@grid };
}


sub cells {
    my ($row) = @_;

    $row =~ s/^\s*\|//;
    $row =~ s/(?<!\\)\|\s*$//;

    return split /(?<!\\)\|/, $row, -1;
}


sub is_rule {
    my ($d, $i) = @_;

    my $dashes = qr/\s*(?::?-{2,}:?|:-:?|-:)\s*/;
    my $line = $d->{line}[$i];

    return defined $line && !$d->{fenced}[$i] && $line =~ /\|/
           && $line =~ /^\s*\|?$dashes(?:\|$dashes)*\|?\s*$/;
}


# A rule makes the line above it a header, but in a grid it separates all rows.
# Without a rule, a line is a header if it names a column of codes.

sub is_header {
    my ($d, $i, $kind) = @_;
    my ($line, $next) = @{ $d->{line} }[$i, $i + 1];

    return 0 if !defined $next || $d->{fenced}[$i] || $line !~ /\|/
                || is_rule($d, $i);

    return $kind ne 'grid' || !$d->{grid}[$i + 1] if is_rule($d, $i + 1);

    return $kind eq 'plain' && $next =~ /\|/
           && defined((columns(map { clean($_) } cells($line)))[0]);
}


# the table with the header in this line, and the line after the table

sub read_table {
    my ($d, $first) = @_;
    my $t = header($d, $first);
    my ($rows, $next) = rows($d, $t);

    return ({ where => 'line ' . ($first + 1), heading => heading($d, $first),
              head => $t->{head},
              rows => [ map { [ map { clean($_) } cells($_) ] } @$rows ] },
            $next);
}


# { kind, head, code, status, closed => whether rows end with a pipe, first =>
# the line after the header }

sub header {
    my ($d, $first) = @_;
    my $line = $d->{line}[$first];
    my @head = map { clean($_) } cells($line);
    my $kind = 'plain';
    my $i = $first + 1;

    if (is_rule($d, $i)) {
        $kind = $d->{grid}[$i] ? 'grid' : 'ruled';

        my @rule = cells($d->{line}[$i++]);
        push @head, '' while @head < @rule;
    }

    my ($code, $status) = columns(@head);

    return { kind => $kind, head => \@head, code => $code // 0,
             status => $status, closed => scalar($line =~ /\|\s*$/),
             first => $i };
}


# the rows, each of one line with all that it is wrapped over, and the line
# after them

sub rows {
    my ($d, $t) = @_;
    my $line = $d->{line};
    my $i = $t->{first};
    my ($row, @rows);

    for (; $i < @$line; $i++) {
        my $next = $line->[$i];

        last if $d->{fenced}[$i] || $next =~ /^\s*#+\s/
                || is_header($d, $i, $t->{kind});

        if ($next !~ /\S/) {
            last if !goes_on($d, $t, $i, $row // (@rows ? $rows[-1] : undef));

        } elsif (is_rule($d, $i)) {
            push @rows, $row if defined $row;
            undef $row;

        } elsif (!defined $row) {
            last if $next !~ /\|/;
            $row = $next;

        } elsif ($next !~ /\|/) {
            last if !continues($d, $t, $i, $row);
            $row .= " $next";

        } elsif (!is_open($t, $row) || starts_row($t, $row, $next)) {
            push @rows, $row;
            $row = $next;

        } else {
            $row =~ s/\|\s*$// if $next =~ /^\s*\|/;
            $row .= " $next";
        }
    }

    push @rows, $row if defined $row;

    return (\@rows, $i);
}


# whether rows of the same kind go on after an empty line

sub goes_on {
    my ($d, $t, $i, $row) = @_;

    return 0 if !defined $row || $i == $#{ $d->{line} } || $d->{fenced}[$i + 1]
                || is_header($d, $i + 1, $t->{kind});

    my @old = cells($row);
    my @new = cells($d->{line}[$i + 1]);
    my $kind = kind($new[$t->{code}]);

    return @new >= 2 && @new >= @{ $t->{head} } && $kind
           && $kind eq kind($old[$t->{code}]);
}


# whether a row lacks cells, or the pipe at its end

sub is_open {
    my ($t, $row) = @_;

    return cells($row) < @{ $t->{head} } || $t->{closed} && $row !~ /\|\s*$/;
}


# whether a line without pipes is the rest of a cell, or text between tables

sub continues {
    my ($d, $t, $i, $row) = @_;

    return !($t->{closed} && !is_open($t, $row)
             || $d->{line}[$i] =~ /^\s*[-*]\s/
             || is_header($d, $i + 1, $t->{kind}));
}


# whether a line after an open row is another row, for a row may lack its last
# cells

sub starts_row {
    my ($t, $row, $next) = @_;

    my @old = cells($row);
    my @new = cells($next);

    return 1 if @new >= @{ $t->{head} };

    my $kind = kind($new[$t->{code}]);
    my $column = $row =~ /\|\s*$/ ? @old : $#old;

    return $kind && $kind eq kind($old[$t->{code}])
           && !(defined $t->{status} && $column == $t->{status});
}


# the heading of a table: the text right above it, if it is short, or ""

sub heading {
    my ($d, $i) = @_;
    my $line = $d->{line};

    do { $i-- } while $i >= 0 && $line->[$i] !~ /[^\s|:+-]/;

    return '' if $i < 0 || $d->{fenced}[$i] || $line->[$i] =~ /\|/;

    my $heading = clean($line->[$i]);

    $heading =~ s/^(?:[#*+-]+|[0-9.]+[、.)])\s*//;

    return length $heading <= 60 && $heading !~ /[。，,;；]/ ? $heading : '';
}


1;
