package Draft::Codes;

# Which of the values of a constant is its code, and which its status; which
# constants are no codes.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(clean is_status strict_code uniq);
use Exporter qw(import);

our @EXPORT = qw(entries);

my $status_re = qr/^[1-5][0-9][0-9]$/;

# the ends of names of limits, sizes and marks; those of the second list are ends
# of names of errors, too

my $size_re = qr/(?:NAME|STR|MSG|TEXT|BUF|MAX)_(?:LEN|SIZE)/;
my $end_re = qr/(?:CNT|COUNT|MAX|BASE|BEGIN|END|LAST|START|NUM|$size_re)_*$/;
my $weak_end_re = qr/(?:MIN|FIRST|VERSION|SIZE|LEN|LENGTH|BUFSIZE|BUF|MASK|OFFSET|SHIFT
                       |H|MAX_VALUE|SENTINEL|TOTAL|serialVersionUID)_*$/x;

# the first words of the names of settings

my $setting_re = qr/^(?:MAX|MIN|NUM|DEFAULT|VERSION|TIMEOUTS?|RETRY|PORTS?|BUFFER)(?:_|$)
                   |^(?:Max|Min|Default|max|min|default)[A-Z]/x;

# names that no code has

my $no_name_re = qr/^(?:(?:[A-Z]+_)?(?:VERSION|TAG)|CHARSET|ENCODING|LOCALE|case|default|return|this|self|super|throw
                      |print\w*|log|version|name|description|author|syntax)$/x;


# entries(group, in a text): { name, code, status, text, number => whether the
# code is one } of the constants that have a code; one alone in a text is none

sub entries {
    my ($group, $in_text) = @_;
    my %name = map { $_->{name} => 1 } @{ $group->{entries} };
    my @entry = grep { !is_limit($_, $group) && !is_bound($_->{name}, \%name) }
                @{ $group->{entries} };
    my $is = facts($group, @entry);
    my @found = map { decided($_, $is) } @entry;

    return $in_text && @found < 2 ? () : @found;
}


# what the values of a group are, as { status_first => the codes follow, names =>
# no other value may be a code, names_with_status => the only number is the name's
# status, numbers => many are alone, words => most are, coded => and have digits }

sub facts {
    my ($group, @entry) = @_;
    my @alone = grep { !@{ $_->{numbers} } && strict_code($_->{strings}[0] // '') } @entry;
    my %is = (status_first => status_first(@entry),
              names => !grep({ @{ $_->{numbers} } || has_strict($_) } @entry),
              numbers => grep({ @{ $_->{numbers} } && !@{ $_->{strings} } } @entry)
                         >= 0.4 * @entry,
              words => @alone >= 0.6 * (@entry || 1),
              coded => grep({ $_->{strings}[0] =~ /[0-9]/ } @alone) > 0.5 * @entry);

    $is{names_with_status} = !$is{status_first} && names_with_status($group, @entry);

    return \%is;
}


sub has_strict {
    my ($entry) = @_;

    return grep { strict_code($_) } @{ $entry->{strings} };
}


# whether HTTP statuses come first, and another code follows; the codes come first
# where only the numbers after them are all statuses

sub status_first {
    my @entry = @_;

    return 0 if grep { ($_->{numbers}[0] // '') !~ $status_re
                       || @{ $_->{numbers} } < 2 && !has_strict($_) } @entry;
    return !grep({ !is_status($_->{numbers}[0]) } @entry)
           || grep({ !is_status($_->{numbers}[1] // '') } @entry) > 0;
}


# whether the one number of each is a status: its parameter says so, or it is that
# of several, or of names with underlines only

sub names_with_status {
    my ($group, @entry) = @_;

    return 0 if !@entry || grep { @{ $_->{numbers} } != 1
                                  || $_->{numbers}[0] !~ $status_re } @entry;
    return $group->{parameters} =~ /\bstatus/i && $group->{parameters} !~ /code/i
           || (uniq(map { $_->{numbers}[0] } @entry)) < @entry
           || !grep { !$_->{keyed} || !@{ $_->{strings} } && $_->{name} !~ /_/
                      || !is_status($_->{numbers}[0]) } @entry;
}


# the entry of a constant, or nothing

sub decided {
    my ($entry, $is) = @_;
    my @number = @{ $entry->{numbers} };
    my @string = @{ $entry->{strings} };
    my $code = $entry->{named}{code};
    my $status = $entry->{named}{status} // $entry->{status};

    if (!defined $code) {
        $status //= shift @number if $is->{status_first} || $is->{names_with_status};
        $code = $is->{names_with_status} ? $entry->{name}
                : value($entry, $is, \@number, \@string);
        $code //= $entry->{name} if $is->{names} || @{ $entry->{strings} } || defined $status;
    }

    return () if !defined $code || !defined $status && is_other($entry, $is, $code);

    $status //= $number[0]
        if @number && $number[0] =~ $status_re && $code ne $number[0];
    $status //= $entry->{section} // '';

    my $text = $entry->{named}{text}
               // join ' | ', grep { /\S/ && $_ ne $code } @string, $entry->{comment};

    return { name => $entry->{name}, code => clean($code), status => $status,
             text => clean($text), implicit => $entry->{implicit}, number => $code =~ /^-?\d+$/ ? 1 : 0 };
}


# the number that is the name, or the first value that may be a code, which it
# takes away

sub value {
    my ($entry, $is, $numbers, $strings) = @_;
    my $name = $entry->{name};
    my $string = $strings->[0];

    return $name =~ /^0x/i ? hex $name : $name if $name =~ /^-?\d+$|^0x/;
    return shift @$strings
        if defined $string && $entry->{first_string}
           && (strict_code($string)
               || $is->{words} && $string =~ /^[a-z]+$/
               || $is->{coded} && $string =~ /^(?=.*[0-9])[A-Z0-9]{1,4}$/);
    return shift @$numbers if @$numbers;
    return defined $string && strict_code($string) ? shift @$strings : undef;
}


# whether a constant without a status has a value of another kind than its group

sub is_other {
    my ($entry, $is, $code) = @_;

    return $is->{words} && $entry->{name} =~ /[A-Z]/ && !defined $entry->{named}{code}
           && (!@{ $entry->{strings} }
               || $code eq $entry->{name} && $entry->{strings}[0] =~ / /)
           || $is->{numbers} && $code eq $entry->{name} && !@{ $entry->{numbers} };
}


# the first or the last number of a range, if a constant has the other one

sub is_bound {
    my ($name, $names) = @_;
    my %other = qw(Start End Begin End First Last Min Max);

    while (my ($first, $last) = each %other) {
        my ($stem) = $name =~ /^(.*)(?:$first|$last)$/ or next;

        return 1 if $names->{"$stem$first"} && $names->{"$stem$last"};
    }

    return 0;
}


# limits, sizes, marks and settings beside the codes

sub is_limit {
    my ($entry, $group) = @_;
    my $name = $entry->{name};

    return 0 if $name =~ /^-?\d/
                || $name eq 'TIMEOUT' && grep({ @{ $_->{numbers} } == 1 }
                                              @{ $group->{entries} }) > 3;
    return 1 if $name =~ /(?:^|_)$end_re/
                || $name =~ /(?:^|_)$weak_end_re/ && $name !~ /ERR/ && @{ $entry->{numbers} }
                || $name =~ $no_name_re;
    return !@{ $entry->{strings} }
           && ($name =~ $setting_re
               || $name =~ /^(?:Err|E|k|e|Code).*(?:Count|Max|Base|Begin|End|Last)$/);
}


1;
