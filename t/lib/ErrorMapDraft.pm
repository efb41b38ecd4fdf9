package ErrorMapDraft;

# What tools/draft finds in a document, compared with what is there.

use strict;
use warnings;

use ErrorMap qw(slurp);
use Exporter qw(import);

our @EXPORT = qw(classes drafted expected score);


# drafted(text of a table): { code or "first-last" of a range => status }

sub drafted {
    my ($table) = @_;
    my $rows = (split /^%%\n/m, $table)[1] // '';
    my %status = $rows =~ /^([^,#\s]+),\s*(\w+),\s*EM_/mg;

    while ($table =~ /em_line\("range", "([^"]+)", "([^"]+)"/g) {
        $status{$1} = $2 eq '-' ? 0 : $2;
    }

    return \%status;
}


# expected(file): the same from lines "code status"

sub expected {
    my ($file) = @_;

    return { map { (split)[0, 1] } grep { /\S/ } split /\n/, slurp($file) };
}


# classes(file, text of a table): "code has CLASS, not CLASS" for each line "code
# status CLASS" of a file that the table does not follow

sub classes {
    my ($file, $table) = @_;
    my %class = $table =~ /^([^,#\s]+),\s*\w+,\s*EM_(\w+),/mg;

    return map {
        my ($code, undef, $class) = split;
        my $got = $class{$code} // 'none';

        defined $class && $got ne $class ? "$code has $got, not $class" : ();
    } split /\n/, slurp($file);
}


# score(drafted, expected): { missing, wrong => [codes], status => [text],
# found, drafted, expected, right => numbers }

sub score {
    my ($got, $want) = @_;
    my @found = grep { exists $got->{$_} } sort keys %$want;
    my @right = grep { $got->{$_} eq $want->{$_} } @found;

    return { missing => [grep { !exists $got->{$_} } sort keys %$want],
             wrong => [grep { !exists $want->{$_} } sort keys %$got],
             status => [map { "$_ has $got->{$_}, not $want->{$_}" }
                        grep { $got->{$_} ne $want->{$_} } @found],
             found => scalar @found, right => scalar @right,
             drafted => scalar keys %$got, expected => scalar keys %$want };
}


1;
