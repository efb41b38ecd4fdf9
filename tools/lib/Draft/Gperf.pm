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

    return $head . rows($rows) . "%%\n" . sources(@$pointers)
           . array('em_str_t  success', '%s', @$success)
           . "em_document($name);\n";
}


sub rows {
    my ($rows) = @_;
    my ($text, $width) = ('', 0);

    for ($rows->entries) {
        $width = length $_->{code} if length $_->{code} > $width;
    }

    for my $entry ($rows->all) {
        if (defined $entry->{comment}) {
            $text .= "# $entry->{comment}\n";
            next;
        }

        $text .= "# $_\n" for @{ $entry->{said} };
        $text .= "# TODO: $_\n" for uniq(@{ $entry->{mark} });
        $text .= sprintf "%-*s %3s, EM_TODO, \"%s\"\n", $width + 1,
                         "$entry->{code},", @$entry{qw(status title)};
    }

    return $text;
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
