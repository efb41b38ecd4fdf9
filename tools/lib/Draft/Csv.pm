package Draft::Csv;

# The reader of a document that is one table of values between commas,
# semicolons, tabs or bars, as a spreadsheet saves it.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(clean has_code);
use Draft::Names qw(role);


# whole(document): its table, if all of it is one, or those of a dump

sub whole {
    my ($document) = @_;
    my @line = grep { /\S/ && !/^#(?!\s*\w+\s*[,;\t])/ } @{ $document->lines };

    my @dump = (copies($document->lines), inserts(join "\n", @{ $document->lines }));

    # statements in the examples of a text

    @dump = () if grep { $document->fenced($_) || $document->lines->[$_] =~ /^\s*\|.*\|\s*$/ }
                  0 .. $#{ $document->lines };

    $document->take(0, $#{ $document->lines }) if @dump;

    return @dump if @dump;
    return () if @line < 2 || $line[0] =~ /^-define\(/ || !grep { !/^\s*\w+\s*=\s*[^,;]*[,;]\s*\w+\s*=/ } @line;

    for my $comma (',', ';', "\t", '|') {
        next if $comma eq '|' && grep { /^\s*\||^[\s|:]*-[-\s|:]*$/ } @line;

        my $rows = rows(\@line, $comma) // next;
        my $table = table($rows) // next;

        $document->take(0, $#{ $document->lines });
        return $table;
    }

    return ();
}


# copies(lines): the tables of rows that PostgreSQL's COPY has in a dump

sub copies {
    my ($lines) = @_;
    my (@tables, $rows);

    for my $i (0 .. $#$lines) {
        my $line = $lines->[$i];

        if ($line =~ /^COPY\s+(\S+)\s*\(([^()]*)\)\s+FROM\s+stdin/i) {
            push @tables, { form => 'rows of COPY', where => 'line ' . ($i + 1),
                            line => $i + 1, heading => $1, headings => [],
                            head => [ split /\s*,\s*/, $2 ], rows => $rows = [] };

        } elsif ($line =~ /^\\\.\s*$/) {
            undef $rows;

        } elsif ($rows) {
            push @$rows, [ map { $_ eq '\N' ? '' : clean($_) } split /\t/, $line, -1 ];
        }
    }

    return @tables;
}


# inserts(text): the tables of rows that INSERT has, with the names of columns

sub inserts {
    my ($text) = @_;
    my $value = qr/\s*+(?:'(?:[^'\\]|''|\\.)*+'|[^',()]*+(?:\([^()]*+\))?+)\s*+/s;
    my $row = qr/\(($value(?:,$value)*)\)/;
    my (%table, @tables);

    while ($text =~ /^\s*INSERT\s+INTO\s+([\w.`"\[\]]+)\s*\(([^()]*)\)\s*VALUES\s*
                     ($row(?:\s*,\s*$row)*)/xgim)
    {
        my ($name, $names, $rows) = (map({ tr{`"[]}{}dr } $1, $2), $3);

        push @tables, $table{"$name $names"} = {
            form => 'rows of INSERT', where => "\"$name\"", line => 1, heading => $name,
            headings => [], head => [ split /\s*,\s*/, $names =~ s/^\s+|\s+$//gr ], rows => []
        } if !$table{"$name $names"};

        while ($rows =~ /$row/g) {
            push @{ $table{"$name $names"}{rows} },
                 [ map { literal($_) } $1 =~ /(?:^|,)($value)/g ];
        }
    }

    return grep { @{ $_->{head} } > 1 } @tables;
}


sub literal {
    my ($text) = @_;

    $text =~ s/^\s+|\s+$//g;

    return '' if $text =~ /^NULL$/i;
    return clean($text =~ s/^'(.*)'$/$1 =~ s{''|\\'}{'}gr/ser);
}


# the cells, if all lines have about as many as the first

sub rows {
    my ($line, $comma) = @_;
    my $width = () = $line->[0] =~ /\Q$comma\E/g;

    return undef if !$width;

    my $csv = parser($comma);
    my $text = join "\n", @$line;

    open my $in, '<:encoding(UTF-8)', \Encode::encode('UTF-8', $text)
        or die "$0: $!\n";

    my @rows;

    while (my $row = $csv->getline($in)) {
        push @rows, $row;
    }

    return undef if !$csv->eof || @rows < 2;

    my $like = grep { abs(@$_ - @{ $rows[0] }) <= ($comma eq ',' ? 0 : 1) }
               @rows;

    return $like >= 0.9 * @rows ? \@rows : undef;
}


sub parser {
    my ($comma) = @_;

    eval { require Text::CSV; 1 }
        or die "$0: Text::CSV is missing, install libtext-csv-perl\n";

    return Text::CSV->new({ binary => 1, sep_char => $comma,
                            allow_whitespace => 1, allow_loose_quotes => 1,
                            allow_loose_escapes => 1 });
}


# a table with a header, or one whose columns have no name; text with commas is
# none

sub table {
    my ($rows) = @_;
    my ($first, @rows) = map { [ map { clean($_) } @$_ ] } @$rows;
    my @roles = map { role($_) } @$first;
    my $named = grep({ $_ ne '' } @roles) * 2 > @roles
                || grep { /code$/ } @roles;

    if (!$named) {
        unshift @rows, $first;
        return undef if grep { has_code($_->[0]) || has_code($_->[1] // '') } @rows
                        and grep({ has_code($_->[0]) } @rows) < 0.8 * @rows
                            && grep({ has_code($_->[1] // '') } @rows) < 0.8 * @rows;
        return undef if !grep { has_code($_->[0]) } @rows;
        $first = [ map { '' } @$first ];
    }

    return { form => 'comma-separated values', where => 'line 1', line => 1,
             heading => '', headings => [], head => $first, rows => \@rows };
}


1;
