package Draft::Shape;

# Brings a table into the one form that Draft::Choice takes: rows below one
# header, one code in each row.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(has_code reason strict_code);
use Draft::Names qw(role);


# shape(table): one table or more

sub shape {
    my ($table) = @_;

    return $table if $table->{shaped}++;

    for my $row ($table->{head}, @{ $table->{rows} }) {
        $_ //= '' for @$row;
    }

    return unfold(apart(unnamed(upright($table))));
}


# "3 Method" is a code with its name, in a column of such cells

sub unnamed {
    my ($table) = @_;
    my $named = qr/^(-?[0-9]+(?:\s?[-–]\s?[0-9]+)?)\s+([A-Za-z].*)$/;
    my @head = @{ $table->{head} };
    my ($i) = grep { role($head[$_]) =~ /code$/ } 0 .. $#head;

    return $table if !defined $i || $table->{columns} || @{ $table->{rows} } < 2
                     || grep { $_->[$i] !~ /$named/ || reason($2) } @{ $table->{rows} };

    for my $row (@{ $table->{rows} }) {
        my ($code, $name) = $row->[$i] =~ /$named/;

        $row->[$i] = $code;
        push @$row, ('') x (@head - @$row), $name;
    }

    return { %$table, head => [ @head, 'name' ] };
}


# "404 / 4041" or "404 RoomGone" is a status and a code, in a column of such cells

sub apart {
    my ($table) = @_;
    my $pair = qr{^([1-5][0-9][0-9])(?:\s*/\s*|\s+)([A-Za-z0-9._-]+)$};
    my @head = @{ $table->{head} };

    for my $i (0 .. $#head) {
        my @cells = grep { $_ ne '' } map { $_->[$i] // '' } @{ $table->{rows} };

        next if !@cells || grep({ !/$pair/ || length $2 < 4 } @cells)
                || $head[$i] !~ m{\S\s*/\s*\S}
                   && (grep({ m{/} || !strict_code(s/$pair/$2/r) } @cells)
                       || 2 * grep({ reason($_) } @cells) > @cells);

        return { %$table, spanned => undef,
                 head => [ 'HTTP status', 'code', @head[grep { $_ != $i } 0 .. $#head] ],
                 rows => [ map { my $row = $_;
                                 [ ($row->[$i] // '') =~ /$pair/ ? ($1, $2) : ('', ''),
                                   map { $row->[$_] } grep { $_ != $i } 0 .. $#head ]
                               } @{ $table->{rows} } ] };
    }

    return $table;
}


# a table with a code in each column gets one in each row

sub upright {
    my ($table) = @_;
    my ($name, @codes) = @{ $table->{head} };
    my $rows = $table->{rows};

    return $table if $table->{columns} || @codes < 2 || role($name) !~ /code$/
                     || grep { !strict_code($_) || role($_) ne '' } @codes;

    return { %$table, head => [ $name, map { $_->[0] // '' } @$rows ],
             rows => [ map { my $i = $_; [ $codes[$i - 1],
                                           map { $_->[$i] // '' } @$rows ] }
                       1 .. @codes ] };
}


# tables side by side, as "code, text, code, text", go one below the other

sub unfold {
    my ($table) = @_;
    my @head = @{ $table->{head} };
    my ($width) = grep { @head % $_ == 0 && repeats(\@head, $_) }
                  2 .. int(@head / 2);

    $width = 1 if all_codes($table);
    return $table if !$width;

    my @rows;

    for my $part (0 .. @head / $width - 1) {
        for my $row (@{ $table->{rows} }) {
            my @cells = map { $_ // '' }
                        @$row[$part * $width .. ($part + 1) * $width - 1];

            push @rows, \@cells if grep { /\w/ } @cells;
        }
    }

    return { %$table, head => [ @head[0 .. $width - 1] ], rows => \@rows,
             spanned => undef };
}


# whether the cells of all columns begin with a code and have a text, below no
# header

sub all_codes {
    my ($table) = @_;
    my @head = @{ $table->{head} };

    return 0 if @head < 2 || grep { $_ ne '' } @head;

    for my $i (0 .. $#head) {
        my @cells = grep { $_ ne '' } map { $_->[$i] // '' } @{ $table->{rows} };

        return 0 if grep({ has_code($_) && / \w/ } @cells) < 0.8 * (@cells || 1);
    }

    return 1;
}


sub repeats {
    my ($head, $width) = @_;

    return !grep({ $head->[$_] ne $head->[$_ % $width] } 0 .. $#$head)
           && grep { /\w/ } @$head;
}


1;
