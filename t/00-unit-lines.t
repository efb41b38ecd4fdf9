# The lines of a table: em_check.awk refuses the wrong ones with their place, as
# far as it can, and gperf and the compiler take the right ones.

use strict;
use warnings;

use ErrorMapUnit;
use File::Temp qw(tempdir);
use Test::More;

my $dir = tempdir(CLEANUP => 1);

my $head = <<'END';
%{
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
1001, 0, EM_INTERNAL, "exact"
%%
static const em_source_t  sources[] = { { EM_SOURCE_JSON, em_string("/c") } };
static const em_str_t  success[] = { em_string("0") };

static const em_line_t  lines[] = {
END

my $first = 1 + (() = $head =~ /\n/g);


# build(text of the lines, end of the table): what the build says

sub build {
    my ($lines, $end) = @_;

    open my $out, '>', "$dir/acme.gperf" or die "$dir: $!";
    print $out "$head$lines\n};\n\n", $end // 'em_document_lines(acme);', "\n";
    close $out or die "$dir: $!";

    my $cc = $ENV{CC} || 'cc';

    return `exec 2>&1; cd $dir
            LC_ALL=C awk -f $root/ngx_module/document/em_check.awk acme.gperf &&
            gperf --output-file=acme.c acme.gperf &&
            $cc -W -Wall -Wextra -Werror -Wno-unused-parameter \\
                -I $root/ngx_module/document -fsyntax-only acme.c &&
            echo built`;
}


for (
    'em_line("range", "1000-1099", "-", "RESOURCE_EXHAUSTED", "quota")',
    'em_line("range", "-1099--1000", "429", "RESOURCE_EXHAUSTED", "quota")',
    'em_line("prefix", "isv.", "-", "INVALID_ARGUMENT", "caller")',
    'em_line("pattern", "^\"50\\\\d$", "502", "UNAVAILABLE", "busy")',
    'em_line("default", "-", "UNKNOWN", "any other")',
    'em_line("default", "-", "UNKNOWN", "' . "\xc3\xa9" x 80 . '")',
    'em_line("code", "a b", "-", "UNKNOWN", "a blank")',
    'em_line("code", "1-5", "-", "UNKNOWN", "one code")',
    'em_line("range", "-", "UNKNOWN", "a code of this name")',
    'em_line("success", "range", "200-299", "1-2")',
    'em_line("field", "message", "json", "/message")',
    "em_line(\"prefix\", \"isv.\", \"-\",\n\"INVALID_ARGUMENT\", \"caller\")",
    "em_line(\"success\", \"OK\"),\nem_line(\"default\", \"-\", \"UNKNOWN\", \"x\")",
    'em_line(' . join(', ', map { "\"$_\"" } 'success', 1 .. 23) . ')',
) {
    is(build($_), "built\n", "taken: $_");
}

my $classes = 'it must be one of: OK CANCELLED UNKNOWN INVALID_ARGUMENT '
              . 'DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED '
              . 'RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE '
              . 'UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED';

my $status = 'it must be "-" or from 200 to 599 except 204, 205, 206 and 304';

sub must { "invalid em_line() of \"$_[0]\", it must be: \"$_[0]\", $_[1]status "
           . 'or "-", class, title' }

for (
    ['"range", "1000~1099", "-", "INTERNAL", "a"',
     'invalid row "range 1000~1099", it must be first-last'],
    ['"range", "1-2", "-", "INTERNAL"', must('range', 'what, ')],
    ['"prefix", "a", "-", "INTERNAL", "a", "b"', must('prefix', 'what, ')],
    ['"pattern", "^a"', must('pattern', 'what, ')],
    ['"code", "a"', must('code', 'what, ')],
    ['"default", "x", "-", "INTERNAL", "a"', must('default', '')],
    (map { ["\"prefix\", \"a\", \"$_\", \"INTERNAL\", \"a\"",
            "invalid status \"$_\" of row \"prefix a\", $status"] }
     qw(0 204 600 4xx)),
    ['"default", "-", "EM_INTERNAL", "a"',
     "unknown class \"EM_INTERNAL\" of row \"default\", $classes"],
    ['"default", "-", "TODO", "a"',
     "unknown class \"TODO\" of row \"default\", $classes"],
    ['"default", "-", "INTERNAL", ""', 'empty title of row "default"'],
    ['"default", "-", "INTERNAL", "TODO"',
     'title of row "default" is still "TODO"'],
    ['"default", "-", "INTERNAL", "' . 'x' x 81 . '"',
     'title of row "default" has 81 characters, it must have at most 80'],
    ['"code", "a", "-", "INTERNAL", "a\"b"',
     'invalid title of row "code a", it must be printable UTF-8 without " '
     . 'and \\'],
    ["\"code\", \"a\", \"-\", \"INTERNAL\", \"a\xe9b\"",
     'invalid title of row "code a", it must be printable UTF-8 without " '
     . 'and \\'],
    ["\"code\", \"a\", \"-\", \"INTERNAL\", \"" . "\xc3\xa9" x 81 . '"',
     'title of row "code a" has 81 characters, it must have at most 80'],
    [join(', ', map { "\"$_\"" } 'success', 1 .. 24),
     'em_line() has 25 words, it must have at most 24'],
) {
    my ($words, $message) = @$_;

    is(build("em_line($words)"), "acme.gperf:$first: $message\n",
       "refused: $words");
}

is(build("em_line(\"success\", \"1\"),\nem_line(\"success\", \"2\")",
         'em_document(acme);'),
   'acme.gperf:' . ($first + 1) . ': "em_document(acme);" leaves lines out, it '
   . "must be \"em_document_lines(acme);\"\n", 'refused: lines left out');

is(build('em_line("success", "1")', 'em_document_lines(other);'),
   'acme.gperf:' . ($first + 3) . ': no "em_document(acme);" after the second '
   . "\"%%\"\n", 'refused: lines of another document');

done_testing();
