package Draft::Columns;

# The columns of a table: which one has the codes, the statuses and the texts.
# The cells decide, and the names where they leave a doubt.

use strict;
use warnings;
use utf8;

use Draft::Above qw(names_status);
use Draft::Cell qw(has_code is_status repair strict_code status reason);
use Draft::Names qw(role);
use Exporter qw(import);

our @EXPORT = qw(columns describe heads_rows);

my %base = (errcode => 10, subcode => 10.5, code => 8, name => 4, '' => 3,
            status => 1, other => 0, message => -2, text => -3, field => -9,
            advice => -9);


# columns(table, options): { code, status, role of the code's column, is_status
# => codes are HTTP statuses themselves, names => [columns of names], over =>
# column of the coarser code }, or undef.  The options "code" and "status" name
# columns.

sub columns {
    my ($table, $option) = @_;

    return $table->{columns} if $table->{columns};

    my $rows = $table->{rows};
    my $head = $table->{head};
    my $last = 0;

    for ($head, @$rows) {
        $last = $#$_ if $#$_ > $last;
    }

    my @column = map { column($table, $_) } 0 .. $last;
    my $named = named($head, $option->{code});
    my $named_status = named($head, $option->{status});

    return undef if defined $option->{code} && !defined $named;

    judge(\@column);

    my ($code) = defined $named ? $column[$named]
               : grep { defined $_->{score} && $_->{score} >= 6 }
                 sort { ($b->{score} // -99) <=> ($a->{score} // -99)
                        || $a->{i} <=> $b->{i} } @column;

    my ($status) = defined $named_status ? $column[$named_status]
                 : best_status(\@column, $code);

    if (!$code) {
        return undef if !$status || $status->{role} ne 'status';
        ($code, $status) = ($status, undef);
    }

    my ($over) = grep { $_ != $code && $_->{role} =~ /^(?:err)?code$/
                        && $code->{role} eq 'subcode' } @column;

    return { code => $code->{i}, status => $status ? $status->{i} : undef,
             role => $code->{role}, told => defined $named,
             over => $over ? $over->{i} : undef,
             like_status => $code->{n} && $code->{statuses} == $code->{n} ? 1 : 0,
             plain => plain_words($code),
             is_status => $code->{role} eq 'status'
                          && lc($head->[$code->{i}]) =~ /http/ ? 1 : 0 };
}


# the number of a column by name or number, or undef

sub named {
    my ($head, $name) = @_;

    return undef if !defined $name;

    my ($found) = grep { lc $head->[$_] eq lc $name } 0 .. $#$head;

    return $found // ($name =~ /^[1-9][0-9]?$/ ? $name - 1 : undef);
}


# what the cells of a column are

sub column {
    my ($table, $i) = @_;
    my %c = (i => $i, n => 0, codes => 0, strict => 0, statuses => 0,
             status => 0, numbers => 0, blank => 0, symbols => 0,
             role => role($table->{head}[$i]), name => $table->{head}[$i] // '');
    my (%seen, @number);

    for my $row (grep { !heads_rows($_) && !is_title($_) } @{ $table->{rows} }) {
        my $cell = $row->[$i] // '';

        if ($cell !~ /\w/) {
            $c{blank}++;
            next;
        }

        next if $table->{spanned} && $table->{spanned}{$row}[$i];

        my ($plain) = repair($cell);

        $c{n}++;
        $c{codes}++ if has_code($cell);
        $c{strict}++ if strict_code($cell) || $cell =~ /[0-9]/ && has_code($cell);
        $c{statuses}++ if $plain =~ m{^[1-5][0-9][0-9](?:\s*[,/ 、]\s*[1-5][0-9][0-9])+$}
                          || $plain =~ /^[1-5](?:[0-9][0-9]|xx)
                                      (?:\s*[-(:（]?\s*[A-Z].*)?$/xi
                          && ($plain =~ /^...$/ || reason($plain)
                              || $plain =~ /^...\s*[(（]|xx/i);
        $c{status}++ if defined status($cell) && length $cell <= 40;
        $c{symbols}++ if $plain =~ /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/;
        $c{numbers}++ if $plain =~ /^(?:-?[0-9]+|0x[0-9A-F]+)$/i;
        $seen{$plain}++;
        push @number, $plain if $plain =~ /^[0-9]{1,4}$/;
    }

    # none of them is a status of HTTP

    $c{role} = 'code' if $c{role} eq 'status' && $c{n} && $c{strict} == $c{n}
                         && !$c{status} && $c{name} !~ /http/i;
    $c{distinct} = keys(%seen) / ($c{n} || 1);
    $c{words} = \%seen;
    $c{counts} = @number == $c{n} && $c{n} > 1
                 && !grep { $number[$_] != $number[0] + $_ } 0 .. $#number;
    $c{counts} &&= $number[0] =~ /^0*[01]$/;

    return \%c;
}


# whether a row has nothing but the status of those below it

sub heads_rows {
    my ($row) = @_;
    my @said = grep { ($_ // '') ne '' } @$row;

    return @$row > 1 && @said == 1 && $said[0] =~ /\D/ && names_status($said[0]);
}


# whether a row has nothing but words in its first cell

sub is_title {
    my ($row) = @_;

    return @$row > 1 && !grep({ ($_ // '') ne '' } @$row[1 .. $#$row])
           && ($row->[0] // '') =~ /^\w+ \w/ && !has_code($row->[0]);
}


# gives a score to the columns that may have codes

sub judge {
    my ($column) = @_;

    for my $c (@$column) {
        my $asked = $c->{role} =~ /code$/;
        my $n = $c->{n} || 1;
        my $part = $c->{codes} / $n;
        my $strict = $c->{strict} / $n;

        next if !$c->{n} || $part < ($asked ? 0.3 : 0.75);
        next if !$asked && $strict < ($c->{role} eq 'status' ? 0.9 : 0.6);
        next if $c->{role} eq 'status' && $c->{statuses} == $c->{n};

        $c->{score} = $base{$c->{role}} + 3 * $part + 3 * $c->{distinct};
        $c->{score} += $strict;
        $c->{score} += 4 if $c->{role} eq 'message' && $c->{symbols} == $c->{n};
        $c->{score} += 1 if $c->{role} eq '' && $c->{numbers} >= 0.8 * $n;
        $c->{score} -= 3 if $c->{blank} > $n && $c->{role} ne 'subcode';
        $c->{score} -= 2 if $c->{role} eq 'subcode' && $c->{blank} > 2 * $n;
    }

    # the names of constants, whose values are beside them

    if (my ($value) = grep { $_->{role} eq 'code' && $_->{n} && $_->{distinct} > 0.9
                             && $_->{numbers} == $_->{n} && $_->{statuses} < $_->{n}
                             && $_->{name} =~ /^(?:值|数值|返回值|values?|int|num|number|numeric.*)$/i }
                      @$column)
    {
        $_->{score} -= 6 for grep { defined $_->{score} && $_->{role} eq 'errcode'
                                    && !$_->{numbers} } @$column;
    }

    # one of the same numbers in two forms

    if (grep { defined $_->{score} && $_->{name} =~ /dec|十进制|10進/i } @$column) {
        $_->{score} -= 3 for grep { defined $_->{score} && $_->{name} =~ /hex|十六进制|16進/i }
                             @$column;
    }

    for my $c (grep { defined $_->{score} } @$column) {
        my @others = grep { $_ != $c && defined $_->{score}
                            && $_->{score} >= 6
                            && $_->{role} !~ /^(?:text|message|other)$/
                            && $_->{distinct} > 0.7 && !$_->{counts}
                            && $_->{strict} >= 0.6 * $_->{n}
                            && $_->{statuses} < $_->{n} } @$column;

        # the statuses of the finer codes beside them

        if (@others && $c->{statuses} == $c->{n} && $c->{role} ne 'subcode') {
            $c->{score} -= $c->{distinct} < 0.8 ? 9
                           : $c->{role} eq 'errcode' ? 3 : 7;
        }

        $c->{score} -= 4 if $c->{distinct} < 0.6
                            && grep { $_ != $c && ($_->{score} // 0) > 6
                                      && $_->{distinct} > 0.9 } @others;

        $c->{score} -= 7 if $c->{counts} && $c->{role} !~ /^errcode/ && @others
                            && $c->{name} !~ /code|码|碼/i;
    }
}


sub best_status {
    my ($column, $code) = @_;
    my ($status) = grep { !($code && $_ == $code) && $_->{status} }
                   grep { $_->{role} eq 'status' } @$column;

    return $status if $status || !$code || $code->{statuses} == $code->{n};

    ($status) = grep { $_ != $code && $_->{n} && $_->{role} !~ /text|message/
                       && $_->{name} !~ /\b(?:sip|smpp|smtp|ftp|grpc)\b/i
                       && $_->{statuses} >= 0.8 * $_->{n}
                       && $_->{status}
                       && ($code->{role} ne 'subcode' || all_registered($_))
                     } @$column;

    return $status;
}


# whether the numbers of a column are statuses that HTTP has

sub all_registered {
    my ($c) = @_;

    return !grep { !is_status($_) } keys %{ $c->{words} };
}


# whether most codes are numbers, so that a plain word beside them is none

sub plain_words {
    my ($c) = @_;

    return $c->{numbers} >= 0.6 * $c->{n} ? 1 : 0;
}


# describe(table): its columns as text for a person

sub describe {
    my ($table) = @_;

    return join ' | ', map { $_ eq '' ? '-' : $_ } @{ $table->{head} };
}


1;
