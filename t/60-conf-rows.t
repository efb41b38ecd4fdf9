# Rows of many codes in error_map_document, and the rows of policies for them:
# invalid ones are refused with the whole message, valid ones are accepted.

use strict;
use warnings;

use lib 't/lib';

use ErrorMap;
use ErrorMapConf;
use Test::More;

my $in = 'in error_map_document "d"';
my $at = 'nginx.conf:8';
my $bytes = 'it must be 1 to 128 bytes without control characters';
my $status = 'it must be "-" or from 200 to 599 except 204, 205, 206 and 304';
my $range = 'it must be first-last, integers of at most 18 digits without '
            . 'leading zeros';

my %syntax = (range => 'range first-last', prefix => 'prefix text',
              pattern => 'pattern regex', default => 'default');

sub document { "error_map_document d {\nsource json /c;\n$_[0]\n}\n" }


# rows, and the message without the line 8

for (

    # a row that may be a range or a code

    (map { ["$_ - ABORTED a;", "ambiguous code \"$_\" $in, write \"range $_ "
            . '..." for all codes from the first to the last, or "code '
            . "$_ ...\""] }
     qw(1001-1005 1005-1001 007-010 0-0 -5--3 -5-3
        1000000000000000000-1000000000000000001)),
    (map { ["success 0 $_;", "ambiguous success code \"$_\" $in, write "
            . "\"success range $_;\" for all codes from the first to the last, "
            . "or \"success code $_;\""] }
     qw(200-299 -5--3)),

    # ranges

    (map { my $text = $_;
           map { ["$_;", "invalid range \"$text\" $in, $range"] }
               "range \"$text\" - ABORTED a", "success range \"$text\"",
               "success range 1-2 \"$text\"" }
     '', '5', '-5', '1-', '-1-', 'a-b', '1..5', '1-2-3', '007-010', '-0-1',
     '1-1000000000000000000', '1 - 2', '1e3-1e4', '0x1-0x2'),
    (map { my $text = $_;
           map { ["$_;", "invalid range \"$text\" $in, its first code must not "
                  . 'be greater than its last'] }
               "range $text - ABORTED a", "success range $text" }
     '2-1', '-3--5', '1--1'),

    # prefixes

    (map { my $text = $_;
           map { ["$_;", "invalid prefix \"$text\" $in, $bytes"] }
               "prefix \"$text\" - ABORTED a", "success prefix \"$text\"" }
     '', "a\x01", "a\tb", "\x7f", 'x' x 129),

    # patterns

    (map { my ($text, $message) = @$_;
           map { ["$_;", "invalid pattern \"$text\" $in, $message"] }
               "pattern '$text' - ABORTED a", "success pattern '$text'" }
     ['(', 'missing closing parenthesis at its end'],
     ['a(?<n', 'syntax error in subpattern name (missing terminator?) at its '
               . 'end'],
     ['a{2,1}b', 'numbers out of order in {} quantifier at "}b"'],
     ["a\tb", 'it must be 1 to 512 bytes without control characters'],
     ['', 'it must be 1 to 512 bytes without control characters']),

    # the number of words

    (map { my ($word, $rest) = /^(\S+)(.*)/;
           ["$_;", "invalid row \"$word\" $in, it must be \"$syntax{$word} "
            . qq{status CLASS 'title';" with "-" for no status, or "code }
            . qq{$word status CLASS 'title';"}] }
     'range', 'range 1-2', 'range 1-2 - ABORTED', 'range 1-2 ABORTED a',
     'range 1-2 - ABORTED a b', 'prefix', 'prefix a', 'prefix a - ABORTED',
     'prefix a - ABORTED a b', 'pattern', 'pattern a', 'pattern a - ABORTED',
     'default', 'default -', 'default - ABORTED', 'default - ABORTED a b'),

    # status, class and title

    (map { my ($row, $name) = @$_;
           (map { my $text = $row =~ s/S/$_/r;
                  ["$text ABORTED a;", "invalid status \"$_\" of row \"$name\" "
                   . "$in, $status"] } qw(0 204 600 4xx)),
           ["@{[$row =~ s/S/-/r]} NONE a;", "unknown class \"NONE\" of row "
            . "\"$name\" $in, it must be one of: $classes"],
           (map { ["@{[$row =~ s/S/-/r]} ABORTED $_;",
                   "invalid title of row \"$name\" $in, it must be 1 to 80 "
                   . 'printable characters of UTF-8 without " and \\'] }
            '""', "'a\"b'", "\"\xc3\"", '"' . 'x' x 81 . '"') }
     ['range 1-2 S', 'range 1-2'], ['prefix is. S', 'prefix is.'],
     ['pattern ^a S', 'pattern ^a'], ['default S', 'default']),

    # a code with a name of a keyword that is a row

    ['range 200 NONE a;', "unknown class \"NONE\" of code \"range\" $in, it "
     . "must be one of: $classes"],
    ['code code 600 ABORTED a;', "invalid status \"600\" of code \"code\" $in, "
     . $status],
) {
    my ($rows, $message) = @$_;

    is(refusal(document($rows)), "$message in $at",
       'refused: ' . substr($rows, 0, 60) =~ s/[^ -~]/?/gr);
}


# two rows, the second is refused: its name, "overlaps", ... and the first's

sub second {
    my ($one, $two, $message) = @_;

    is(refusal(document("$one;\n$two;")), "$message in nginx.conf:9, the first "
       . "is in $at", "refused: $one; $two");
}

for (
    ['range 1-5', 'range 5-9'], ['range 5-9', 'range 1-5'],
    ['range 1-9', 'range 2-3'], ['range 2-3', 'range 1-9'],
    ['range -5--1', 'range -3-3'], ['success range 1-5', 'range 5-9'],
    ['range 1-5', 'success range 5-9'], ['success range 1-5',
                                         'success range 0-1'],
    ['range 999999999999999998-999999999999999999',
     'range 999999999999999999-999999999999999999'],
) {
    my ($one, $two) = map { /success/ ? $_ : "$_ - ABORTED a" } @$_;

    second($one, $two, "row \"$_->[1]\" $in overlaps with row \"$_->[0]\"");
}

for my $row ('range 1-5', 'prefix is.', 'pattern ^a', 'default') {
    my $error = "$row - ABORTED a";

    second($error, $error, "duplicate row \"$row\" $in");

    next if $row eq 'default';

    second($error, "success $row", "duplicate row \"success $row\" $in");
    second("success $row", $error, "duplicate row \"$row\" $in");
    second("success $row", "success $row", "duplicate row \"success $row\" $in");
}

second('prefix ~a - ABORTED a', 'pattern a* - ABORTED a',
       "row \"pattern a*\" $in has the label of row \"prefix ~a\"");

for (['range 1-5', '1-5'], ['prefix is.', 'is.*'], ['pattern ^a', '~^a'],
     ['default', 'default'])
{
    my ($row, $code) = @$_;

    is(refusal(document("code $code - ABORTED a;\n$row - ABORTED a;")),
       "row \"$row\" $in in nginx.conf:9 has the label of code \"$code\" in "
       . $at, "refused: $row beside code $code");
}

# an exact code beats groups, so it may be in any of them

is(configuration_error(document(join "\n", map { "$_;" }
   'range 1-5 - ABORTED a', '3 - INTERNAL b', 'success range 10-20',
   '11 - ABORTED a', 'success prefix a', 'ab - ABORTED a', 'success 12 4',
   'prefix ab - ABORTED a', 'pattern a - ABORTED a', 'pattern b - ABORTED a',
   'range 6-6 - ABORTED a', 'range 7-9 - ABORTED a', 'default - UNKNOWN a',
   'range - INTERNAL a', 'source 400 INTERNAL a', 'prefix - INTERNAL a',
 'code - INTERNAL a', 'code include - INTERNAL a',
   'success pattern', 'success default', "pattern @{['x' x 512]} - ABORTED a",
   "prefix @{['x' x 128]} - ABORTED a")), '', 'exact codes, and keywords');

is(refusal(document("pattern @{['x' x 513]} - ABORTED a;")),
   "invalid pattern \"@{['x' x 512]}\" $in, it must be 1 to 512 bytes without "
   . "control characters in $at", 'refused: a long pattern');


# with base=, the rows of the base give way

is(configuration_error("error_map_document d base=vzenith {\n$_;\n}\n"), '',
   "base=: $_")
    for 'range 1000-1009 - ABORTED a', 'success range 1000-1009',
        'success prefix 1', 'default - UNKNOWN a', 'success 1000',
        '1000 - ABORTED a';


# policies

my $acme = document(<<'END');
1050         -  ABORTED  a;
range 1000-1099 - ABORTED a;
range -20--10 - ABORTED a;
success range 200-299;
prefix isv. - ABORTED a;
prefix "a b/" - ABORTED a;
success prefix ok.;
pattern "^50\d" - ABORTED a;
code 1-5 - ABORTED a;
END

my $rest = $acme =~ s/error_map_document d/error_map_document rest/r
                 =~ s/\n\}/\ndefault - UNKNOWN a;\n}/r;

sub policy { "$acme$rest" . "error_map_policy p {\n$_[0]\n}\n" }

my $line = 8 + (() = "$acme$rest" =~ /\n/g) - 1;

is(configuration_error(policy("$_ 404;")), '', "accepted: $_") for
    'code d/1050', 'code d/1000-1099', 'code d/0-2000', 'code d/-20--10',
    'code d/-20-0', 'code d/-100-2000', 'code d/isv.*', 'code "d/a b/*"',
    'code "d/~^50\d"', 'code rest/default', 'code d/1050-1050',
    "code d/1000-1099 403;\ncode d/1050",
    "code d/1000-1099 403;\ncode rest/1000-1099";

my $none = 'it must be a code of the document or a range';

for (
    ['d/1-5', 'document "d" has no code in the range of row "code d/1-5" of '
     . 'error_map_policy "p"'],
    (map { ["d/$_->[0]", "code \"$_->[0]\" of document \"d\" in row \"code "
            . "d/$_->[0]\" of error_map_policy \"p\" has no row of its own, "
            . "write \"code d/$_->[1]\" or add a row for it to the document"] }
     [1001, '1000-1099'], [-10, '-20--10'], ['isv.x', 'isv.*'],
     ['isv.', 'isv.*'], [501, '~^50\d']),
    ['rest/17', 'code "17" of document "rest" in row "code rest/17" of '
     . 'error_map_policy "p" has no row of its own, write "code rest/default" '
     . 'or add a row for it to the document'],
    (map { ["d/$_", "code \"$_\" is a success code of document \"d\", row "
            . "\"code d/$_\" of error_map_policy \"p\" has no effect"] }
     '200', '299', 'ok.1', 'ok.*'),
    (map { ["d/$_", "row \"code d/$_\" of error_map_policy \"p\" has only a "
            . 'part of row "range 1000-1099" of document "d", write "code '
            . 'd/1000-1099" or add a row for the part to the document'] }
     '1000-1049', '1099-1200', '500-1000', '1051-1051'),
    (map { ["d/$_", "document \"d\" has no code in the range of row \"code "
            . "d/$_\" of error_map_policy \"p\""] }
     '200-299', '1100-1200', '-9-0', '-30--21'),
    (map { ["d/$_", "unknown code \"$_\" of document \"d\" in row \"code d/$_\""
            . " of error_map_policy \"p\", $none"] }
     17, 'is*', '~^50', 'default', '01000-1099', '~^51\d'),
) {
    my ($code, $message) = @$_;

    is(refusal(policy("base keep;\ncode '$code' 404;")),
       "$message in nginx.conf:" . ($line + 1), "refused: code $code");
}

is(refusal(policy("base keep;\ncode d/isv.* 404;\ncode d/isv.* 405;")),
   'duplicate row "code d/isv.*" in error_map_policy "p" in nginx.conf:'
   . ($line + 2), 'refused: a label twice');

is(refusal(policy("base keep;\ncode d/-20--10 404;\ncode d/-15-0 405;")),
   'row "code d/-15-0" in error_map_policy "p" overlaps with row "code '
   . 'd/-20--10" in nginx.conf:' . ($line + 2), 'refused: negative overlap');

is(refusal(policy("base keep;\ncode d/-10--20 404;")),
   'invalid range "d/-10--20" in error_map_policy "p", its first code must not '
   . 'be greater than its last in nginx.conf:' . ($line + 1),
   'refused: a negative range the other way round');

done_testing();
