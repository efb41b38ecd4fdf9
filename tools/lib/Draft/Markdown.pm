package Draft::Markdown;

# The reader of Markdown and plain tables: rows of cells between pipes or tabs,
# wrapped rows, and grids of "+---+".

use strict;
use warnings;
use utf8;

use Draft::Cell qw(clean has_code kind strict_code);
use Draft::Names qw(role);


# tables(document): all tables, as Draft::Choice takes them

sub tables {
    my ($document) = @_;
    my $d = lines($document);
    my ($i, @tables) = (0);

    while ($i < @{ $d->{line} }) {
        if (is_header($d, $i, 'plain') || is_headless($d, $i)) {
            my ($table, $next) = read_table($d, $i, $document);

            push @tables, $table;
            $document->take($i, $next - 1);
            $i = $next;

        } else {
            $i++;
        }
    }

    return @tables;
}


# { line => [...], fenced => which lines are examples, grid => which lines are
# rules of a grid }; tables with tabs or blanks and other marks get the pipes of
# Markdown

sub lines {
    my ($document) = @_;
    my @line = @{ $document->lines };
    my @fenced = map { $document->fenced($_) } 0 .. $#line;
    my @grid;

    wiki(\@line);
    ruled(\@line);
    outdent(\@line);

    for my $i (grep { !$fenced[$_] } 0 .. $#line) {
        for ($line[$i]) {
            s/^\s*>+\s?(?=.*\|)//;
            s/^\s*[-*]\s+(?=\|.*\|\s*$)//;
            s/^\s*#{1,6}\s+(?=[^|]+\|[^|]+\|)//;

            if (/^\s*\+[-=:+]+\+\s*$/) {
                tr/+=/|\-/;
                $grid[$i] = 1;

            } elsif (/^\s*[┌├└╔╠╚][─┬┼┴┐┤┘═╦╬╩╗╣╝╪╤╧╟╢]+\s*$/) {
                s/[^─═]/|/g;
                s/[─═]/-/g;
                $grid[$i] = 1;

            } elsif (/[│║]/) {
                tr/│║/||/;

            } elsif (/^\s*\|[-=:]+(?:\+[-=:]+)+\|\s*$/) {
                tr/+=/|\-/;

            } elsif (/^\s*\|\|.*\|\|\s*$/) {
                s/\|\|/|/g;

            } elsif (!/\|/ && /\S\s*\t\s*\S/) {
                s/^\t(?=\S)//;
                s/\t/ | /g;

            } elsif (!/\|/ && /^\s{0,3}\S.*?\S?\s{2,}\S/ && aligned(\@line, $i)) {
                s/(?<=\S)\s{2,}(?=\S)/ | /g;
            }
        }
    }

    return { line => \@line, fenced => \@fenced, grid => \@grid };
}


# rows between pipes with a bare "---" below each: only the first one is a rule

sub ruled {
    my ($line) = @_;
    my $rule = qr/^\s*-{3,}\s*$/;

    for my $i (reverse 1 .. $#$line - 1) {
        next if $line->[$i] !~ $rule || $line->[$i - 1] !~ /\|/
                || $line->[$i + 1] !~ /\|/;

        if ($i > 1 && $line->[$i - 2] =~ $rule) {
            splice @$line, $i, 1;
            push @$line, '';

        } else {
            $line->[$i] = '---' . '|---' x ($line->[$i - 1] =~ tr/|//);
        }
    }
}


# a table of plain text that is indented: its lines around a rule of dashes

sub outdent {
    my ($line) = @_;

    for my $i (0 .. $#$line) {
        my ($indent) = $line->[$i] =~ /^(\s{4,})-{2,}(?:\s{2,}-{2,})+\s*$/ or next;
        my ($first, $last) = ($i, $i);

        $first-- while $first > 0 && $line->[$first - 1] =~ /^$indent\S/;
        $last++ while $last < $#$line && $line->[$last + 1] =~ /^$indent/;

        s/^$indent// for @$line[$first .. $last];
    }

    # ... or lines whose second columns all begin at one place

    for my $i (0 .. $#$line) {
        my ($indent, $first) = ($line->[$i] // '') =~ /^(\s{4,})(\S+\s{2,})\S/ or next;
        my $width = length $first;
        my $last = $i;

        $last++ while $last < $#$line
                      && $line->[$last + 1] =~ /^$indent(?=.{$width}\S)\S.*?\s{2,}\S/;

        next if $last < $i + 2;
        s/^$indent// for @$line[$i .. $last];
    }
}


# the tables of MediaWiki, with one row in a line

sub wiki {
    my ($line) = @_;
    my ($inside, $row, $names);

    for my $i (0 .. $#$line) {
        my $text = $line->[$i];

        if ($text =~ /^\{\|/) {
            ($inside, $row, $names) = (1, undef, 0);
            $line->[$i] = '';

        } elsif ($inside && $text =~ /^\|[-}+]/) {
            $line->[$i] = $names ? '|' . '---|' x $names : undef;
            $names = 0;
            undef $row;
            $inside = 0 if $text =~ /^\|\}/;

        } elsif ($inside && $text =~ /^([!|])\s*(.*)/) {
            my ($kind, $cells) = ($1, $2);

            $cells =~ s/(?:^|(?<=[!|]))\s*(?:\w+="[^"]*"\s*)+\|(?!\|)//g;
            $cells =~ s/\s*(?:\|\||!!)\s*/ | /g;

            if (defined $row) {
                $line->[$row] .= " $cells |";
                $line->[$i] = undef;

            } else {
                $row = $i;
                $line->[$i] = "| $cells |";
            }

            $names = () = $line->[$row] =~ /\|/g if $kind eq '!';
            $names-- if $kind eq '!';
        }
    }

    # lines that are gone go to the end of the table, where they are blank

    for my $i (reverse 0 .. $#$line) {
        next if defined $line->[$i];

        splice @$line, $i, 1;
        push @$line, '';
    }
}


# whether a line of plain text is one of a table whose columns begin below one
# another

sub aligned {
    my ($line, $i) = @_;
    my $starts = starts($line->[$i]) // return 0;

    return 0 if $line->[$i] =~ /^\s*[-*•]\s/;

    for my $near (grep { $_ >= 0 && defined $line->[$_] } $i - 2 .. $i + 2) {
        next if $near == $i;

        my $text = $line->[$near];

        if ($text =~ / \| /) {
            return 1 if $text !~ /^\s*\|/
                        && (abs($near - $i) == 1
                            || $near == $i - 2 && $line->[$i - 1] =~ /^\s{4,}\S/);
            next;
        }

        my $other = starts($text) // next;

        return 1 if $other->[1] == $starts->[1];
    }

    return 0;
}


sub starts {
    my ($text) = @_;
    my @starts;

    return undef if $text =~ /^\s*$|[;{}]\s*$/;

    while ($text =~ /(?:^|\s{2,})(?=\S)/g) {
        push @starts, pos $text;
    }

    return @starts > 1 ? \@starts : undef;
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
           && !strict_code(clean((cells($line))[0] // ''))
           && grep({ role(clean($_)) =~ /code$/ } cells($line));
}


# whether a table without a header begins here: three rows that begin with codes
# of one kind

sub is_headless {
    my ($d, $i) = @_;
    my %kind;

    return 0 if $i && !$d->{fenced}[$i - 1] && $d->{line}[$i - 1] =~ /\|/;

    return 0 if $i + 2 > $#{ $d->{line} };

    for my $j ($i .. $i + 2) {
        return 0 if $d->{fenced}[$j] || $d->{line}[$j] !~ /\|/;

        my ($cell) = map { clean($_) } cells($d->{line}[$j]);

        return 0 if !strict_code($cell // '') || !has_code($cell);
        $kind{kind($cell)}++;
    }

    return keys %kind == 1;
}


# the table with the header in this line, and the line after the table

sub read_table {
    my ($d, $first, $document) = @_;
    my $t = header($d, $first);
    my ($rows, $next) = rows($d, $t);
    my @rows = map { [ map { clean($_) } cells($_) ] } @$rows;

    return ({ form => 'a table of Markdown or text',
              $document->place($first), head => $t->{head},
              rows => $t->{kind} eq 'grid' ? joined(@rows) : \@rows }, $next);
}


# the rows of a grid, between whose rules a cell goes over several lines

sub joined {
    my @rows;

    for my $row (@_) {
        if (!@$row) {
            push @rows, undef;

        } elsif (@rows && $rows[-1]) {
            for my $i (0 .. $#$row) {
                $rows[-1][$i] = join ' ', grep { ($_ // '') ne '' }
                                          $rows[-1][$i], $row->[$i];
            }

        } else {
            pop @rows if @rows;
            push @rows, $row;
        }
    }

    return [ grep { $_ } @rows ];
}


# { kind, head, code, status, closed => whether rows end with a pipe, bare => none
# begins with one, first => the line after the header }

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

    my @roles = map { role($_) } @head;
    my ($code) = grep { $roles[$_] =~ /code$/ } 0 .. $#head;
    my ($status) = grep { $roles[$_] eq 'status' } 0 .. $#head;

    if ($kind eq 'plain' && is_headless($d, $first)) {
        @head = map { '' } @head;
        $i = $first;
    }

    return { kind => $kind, head => \@head, code => $code // 0,
             status => $status, closed => scalar($line =~ /\|\s*$/),
             bare => scalar($line !~ /^\s*\|/),
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

        # a pipe after a blank has an empty cell before it

        $next =~ s/^\s+(?=\|)/\x{200b}/ if $t->{bare};

        last if $d->{fenced}[$i] || $next =~ /^\s*#+\s/ && $next !~ /\|/
                || is_header($d, $i, $t->{kind});

        if ($next !~ /\S/) {
            last if !goes_on($d, $t, $i, $row // (@rows ? $rows[-1] : undef));

        } elsif (is_rule($d, $i)) {
            push @rows, $row if defined $row;
            push @rows, '' if $t->{kind} eq 'grid';
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
    my $old = $old[$t->{code}] // '';
    my $column = $row =~ /\|\s*$/ ? @old : $#old;

    return $kind && ($kind eq kind($old) || $old !~ /\w/)
           && !(defined $t->{status} && $column == $t->{status});
}


1;
