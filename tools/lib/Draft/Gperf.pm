package Draft::Gperf;

# The text of tables/NAME.gperf.

use strict;
use warnings;

use Draft::Cell qw(uniq);

my $head = <<'END';
%{
/* TODO: the vendor, the document and its date */

#include "em_table.h"
%}
%compare-lengths
%readonly-tables
%global-table
%struct-type
%omit-struct-type
%language=ANSI-C
%define slot-name code
%define initializer-suffix ,0,0,""
%define word-array-name entries
%define lookup-function-name find_code
struct em_entry_s;
%%
END


# text(name, rows, pointers, success): the last two are arrays of the source of
# a guess, or "", and the values

sub text {
    my ($name, $rows, $pointers, $success) = @_;
    my $lines = lines($rows);

    return $head . rows($rows) . "%%\n" . sources(@$pointers)
           . array('em_str_t  success', '%s', @$success) . $lines
           . 'em_document' . ($lines ne '' ? '_lines' : '') . "($name);\n";
}


# a row ends with a mark as long as its class and its title are suggestions; the
# build rejects it

sub rows {
    my ($rows) = @_;
    my ($text, $width, $class_width) = ('', 0, 0);

    for (grep { !defined range($_) } $rows->entries) {
        $width = length $_->{code} if length $_->{code} > $width;
        $class_width = length $_->{class} if length $_->{class} > $class_width;
    }

    for my $entry ($rows->all) {
        if (defined $entry->{comment}) {
            $text .= "# $entry->{comment}\n";
            next;
        }

        next if defined range($entry);

        $text .= "# $_\n" for @{ $entry->{said} };
        $text .= "# TODO: $_\n" for uniq(@{ $entry->{mark} });
        $text .= sprintf "%-*s %3s, %-*s \"%s\"  /* ? */\n", $width + 1,
                         "$entry->{code},", $entry->{status}, $class_width + 4,
                         "EM_$entry->{class},", $entry->{title};
    }

    return $text;
}


# "first-last" of an entry that is a range as nginx takes it, or undef

sub range {
    my ($entry) = @_;

    return undef if !defined $entry->{code};

    my $number = qr/0|-?[1-9][0-9]{0,17}/;

    return $entry->{code} =~ /^($number)~($number)\z/ && $1 <= $2
           ? "$1-$2" : undef;
}


# ranges of codes are lines beside the rows

sub lines {
    my ($rows) = @_;
    my @lines;

    for my $entry ($rows->entries) {
        my $range = range($entry) // next;
        my @notes = (@{ $entry->{said} },
                     map({ "TODO: $_" } grep { $_ ne 'a range of codes' }
                                        uniq(@{ $entry->{mark} })));

        s{/\*|\*/}{}g for @notes;

        push @lines, join '', map({ "    /* $_ */\n" } @notes),
            sprintf '    em_line("range", "%s", "%s", "%s", "%s")', $range,
                    $entry->{status} || '-', @$entry{qw(class title)};
    }

    return '' if !@lines;

    my $last = pop @lines;

    return "static const em_line_t  lines[] = {\n"
           . join('', map { "$_,  /* ? */\n" } @lines) . "$last  /* ? */\n"
           . "};\n\n";
}


# a table without sources must not compile

sub sources {
    my ($guess, @pointers) = @_;

    return "#error \"TODO: which member of a body holds the code?\"\n\n"
        if !@pointers;

    return array('em_source_t  sources', '{ EM_SOURCE_JSON, %s }', $guess,
                 @pointers);
}


# an array in C; a guess is marked

sub array {
    my ($head, $row, $guess, @values) = @_;

    for (@values) {
        s/(["\\])/\\$1/g;
        $_ = sprintf "    $row", "em_string(\"$_\")";
    }

    $guess =~ s{/\*|\*/}{}g;
    $guess = "/* TODO: a guess from $guess */\n" if $guess ne '';

    return "${guess}static const $head\[] = {\n" . join(",\n", @values)
           . "\n};\n\n";
}


1;
