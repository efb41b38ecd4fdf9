package Draft::Title;

# The title of a code, from the texts of its row or from its name.

use strict;
use warnings;
use utf8;

use Draft::Names qw(role);
use Exporter qw(import);

our @EXPORT = qw(english texts name words plain);

my %rank = (message => 0, text => 1, '' => 2, name => 3, other => 4);


# texts(table, cells, columns): the texts of a row, the best first; columns of
# advice, fields and statuses have none

sub texts {
    my ($table, $cells, $columns, $named) = @_;
    my %not = map { $_ => 1 } grep { defined } @$columns{qw(code status over)};
    my @found;

    if (defined $named) {
        return grep { ($_ // '') ne '' } $cells->[$named];
    }

    for my $i (grep { !$not{$_} } 0 .. $#$cells) {
        my $name = $table->{head}[$i] // '';
        my $rank = $rank{role($name)} // next;

        next if $name =~ /^(?:index|no\.?|id|序号|类型|type|级别|level)$/i;
        push @found, [$rank, $cells->[$i]] if ($cells->[$i] // '') =~ /\w/;
    }

    return map { $_->[1] } sort { $a->[0] <=> $b->[0] } @found;
}


# english(text, ...): the first that is English, or has a part that is, or ""; the
# words of a language in Latin script are no such part

sub english {
    my (@texts) = @_;

    for (@texts) {
        my $title = plain($_);

        return $title if $title =~ /^[ -~]+$/ && $title =~ /[A-Za-z]{2}/
                         && $title =~ /[a-z ]/ && !is_symbol($title);
    }

    # the words of other Latin alphabets would be cut

    for (grep { !/(?![a-z])\p{Latin}/i } @texts) {
        my ($part) = sort { length $b <=> length $a }
                     /([A-Za-z][A-Za-z0-9 ,.'_\/-]*[A-Za-z0-9])/g;

        return plain($part) if defined $part && $part =~ / / && /[^\x00-\x7f]/
                               && $part =~ /[a-z]{2,} [A-Za-z]/
                               && 3 * length $part > length $_;
    }

    return '';
}


# one word such as INVALID_TOKEN

sub is_symbol {
    my ($text) = @_;

    return $text !~ / / && $text =~ /[_.0-9:-]|[a-z][A-Z]/
           || $text =~ /^[A-Z]{2,}$/;
}


# name(text, ...): the first that is a name, as words, or ""

sub name {
    for (@_) {
        my $words = words($_);

        return $words if $words ne '';
    }

    return '';
}


# words(name): INVALID_TOKEN or InvalidToken as "invalid token", or ""

sub words {
    my ($name) = @_;

    return '' if $name !~ /^[A-Za-z][A-Za-z0-9_.:\/-]*$/;

    $name =~ s/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/ /g;
    $name =~ s/[_.:\/\s-]+/ /g;
    $name = lc $name;
    $name =~ s/^(?:err|error|errors|e|code|errcode|ret|kerr|k)\s(?=.)//;
    $name =~ s/^\s+|\s+$//g;

    return $name =~ /(?:^| )[a-z]{3,}(?: |$)/ && $name !~ /^[a-z]{1,12} ?[0-9]+$/ ? $name : '';
}


# with the punctuation that a title may contain

sub plain {
    my ($title) = @_;

    $title =~ s/~~//g;
    $title =~ tr/‘’“”：，。（）！？；–—/'''':,.()!?;\-\-/;
    $title =~ tr/"\\/'\//;
    $title =~ s/\?+/?/g;
    $title =~ tr/\x00-\x1f\x7f-\x9f//d;
    $title =~ s/^\s+|[\s.!*]+$//g;

    return $title;
}


1;
