# Lines of error_map_document that say where codes and fields are: invalid ones
# are refused with the file, the line, the mistake, and the right way.

use strict;
use warnings;

use lib 't/lib';

use ErrorMap;
use ErrorMapConf;
use Test::More;

my $in = 'in error_map_document "d"';
my $at = 'nginx.conf:8';

my $path = 'it must be a JSON pointer like "/error/code" or a JSONPath like '
           . '"$.errors[*].code"';
my $selectors = 'known selectors are .name, [\'name\'], [0], .*, [*], [:], '
                . '[?@.name == VALUE] and [?@.name != VALUE]';
my $filters = 'known filters are [?@.name == VALUE] and [?@.name != VALUE] '
              . 'with a string, a number, true, false or null';
my $source = "invalid source $in, it must be \"source json path ...;\", "
             . '"source header name ...;" or "source regex pattern;"';
my $field = "invalid field $in, it must be \"field name json path ...;\", "
            . '"field name header name;" or "field name regex pattern;"';
my $retry = "invalid retry_after $in, it must be \"retry_after json path ...;\""
            . ' or "retry_after header name;"';
my $name = 'it must be a header name like "X-Error-Code"';
my $variable = 'it must be of a-z, 0-9 and "_", as it is part of a variable\'s '
               . 'name';
my $condition = 'a condition must lead to one place, without any child, [:] '
                . 'and filter';
my $charset = 'it must be utf-8, gbk, gb2312, gb18030, big5 or shift_jis';

sub document { "error_map_document d {\nsource json /k;\n$_[0]\n}\n" }


# paths, wherever a line has one

my @paths = (
    ['error/code', $path],
    ['', undef],
    ['/errors/*/code', '"*" in a JSON pointer is a member of that name; did '
     . 'you mean "$.errors[*].code"?  The member itself is "$.errors[\'*\'].code"'],
    ['/*', '"*" in a JSON pointer is a member of that name; did you mean '
     . '"$[*]"?  The member itself is "$[\'*\']"'],
    ['/a b/*', '"*" in a JSON pointer is a member of that name; did you mean '
     . '"$[\'a b\'][*]"?  The member itself is "$[\'a b\'][\'*\']"'],
    ['/a~2', '"~" must be "~0" or "~1" in a JSON pointer'],
    ['$', "it has no selector; $selectors"],
    ['$x', "unknown selector at \"x\"; $selectors"],
    ['$.', "unknown selector at \".\"; $selectors"],
    ['$.l[]', "unknown selector at \"[]\"; $selectors"],
    ['$..code', "\"..\" is not supported; $selectors"],
    ['$.a[-1]', "negative indexes are not supported; $selectors"],
    ['$.a[0:2]', "slices other than [:] are not supported; $selectors"],
    ['$.a[::2]', "slices other than [:] are not supported; $selectors"],
    ['$[0,1]', "several selectors in a bracket are not supported; $selectors"],
    ['$.a-b', 'the name "a-b" must be written [\'a-b\']'],
    ['$.a[01]', 'an index must not begin with a zero'],
    ['$.a[1000000000]', 'an index is too large, at most 999999999 is allowed'],
    ['$.a[0', 'a "]" is missing at its end'],
    ['$[\'a', 'a quote is not closed'],
    ['$[\'a\x\']', 'invalid escape in quotes'],
    ['$.l[?(@.a==1)]', "unknown filter; $filters"],
    ['$.l[?length(@.a)==1]', "unknown filter; $filters"],
    ['$.l[?@.a]', "the filter has neither \"==\" nor \"!=\" after its name; "
     . $filters],
    ['$.l[?@.a>1]', "the filter has neither \"==\" nor \"!=\" after its name; "
     . $filters],
    ['$.l[?@.a.b==1]', "the filter has neither \"==\" nor \"!=\" after its "
     . "name; $filters"],
    ['$.l[?@.a==x]', "invalid VALUE of the filter; $filters"],
    ['$.l[?@.a==1 && @.b==2]', "the filter does not end after its VALUE; "
     . $filters],
    ['/a' x 17, 'it has too many selectors, at most 16 are allowed'],
    ['$' . '.a' x 17, 'it has too many selectors, at most 16 are allowed'],
);

for (@paths) {
    my ($text, $message) = @$_;

    for my $line ('source json %', 'source json /a %', 'source json % /a',
                  'success json %', 'success json % true', 'field m json %',
                  'field m json /a %', 'retry_after json %',
                  ($text eq '' ? () : ('source json /a if=%',
                                       'source json /a unless=%')))
    {
        my $got = refusal(document($line =~ s/(\S*)%/quoted("$1$text")/er
                                   . ';'));

        is($got, defined $message
                 ? "invalid path \"$text\" $in, $message in $at" : '',
           "path: $line with $text");
    }
}


# other parts of a line

for (
    (map { ["$_;", $source] } 'source', 'source json', 'source xml /a',
     'source header', 'source regex', 'source /a'),
    (map { ["$_;", $field] } 'field', 'field m', 'field m json',
     'field m header', 'field m regex', 'field m xml /a', 'field json /a',
     'field m /a /b /c'),
    (map { ["$_;", $retry] } 'retry_after', 'retry_after json',
     'retry_after header', 'retry_after regex (x)', 'retry_after 3'),

    (map { ["source json /a if=$_;", "invalid path \"$_\" $in, $condition"],
           ["source json /a unless=$_;",
            "invalid path \"$_\" $in, $condition"] }
     '$.*', '$[:].x', '$.l[?@.a==1].x'),

    (map { my ($line, $before) = @$_;
           ["$line $before;", "no path before \"$before\" $in"] }
     ['source json', 'pattern=x'], ['source json', 'if=/b'],
     ['source json', 'code=1'], ['field m json', 'pattern=x'],
     ['retry_after json', 'unit=s']),
    ['source header pattern=x;', "no header name before \"pattern=x\" $in"],

    (map { ["source json $_ /a;", "invalid path \"$_\" $in, parameters come "
            . 'after all paths'] } 'pattern=x', 'code=1', 'if=/b', 'unless=/b'),
    ['source json /a foo=1;', "invalid path \"foo=1\" $in, $path"],

    (map { my ($line, $parameter) = /^(.*) (\S+)$/;
           ["$_;",
            "invalid parameter \"$parameter\" $in, it must have a value"] }
     'source json /a pattern=', 'source json /a code=', 'source json /a if=',
     'source json /a unless=', 'source header X pattern=',
     'source regex x code=', 'field m json /a pattern=',
     'retry_after json /a unit='),

    ['source json /a pattern=x pattern=y;',
     "invalid parameter \"pattern=x\" $in, it is duplicate"],
    ['source json /a code=1 code=1;',
     "invalid parameter \"code=1\" $in, it is duplicate"],
    ['source json /a if=/b unless=/c;',
     "invalid parameter \"if=/b\" $in, a line has one \"if=\" or \"unless=\""],
    ['source json /a if=/b if=/c;',
     "invalid parameter \"if=/b\" $in, a line has one \"if=\" or \"unless=\""],

    (map { my ($line, $may) = @$_;
           my ($parameter) = $line =~ /(\S+)$/;
           ["$line;", "invalid parameter \"$parameter\" $in, this line may "
            . "have: $may"] }
     ['source json /a unit=s', 'pattern=, code=, if=, unless='],
     ['source header X if=/a', 'pattern=, code='],
     ['source header X unless=/a', 'pattern=, code='],
     ['source regex (x) pattern=y', 'code='],
     ['source regex (x) if=/a', 'code='],
     ['field m json /a code=1', 'pattern='],
     ['field m json /a if=/b', 'pattern='],
     ['field m header X unit=s', 'pattern='],
     ['retry_after json /a code=1', 'pattern=, unit='],
     ['retry_after header X if=/a', 'pattern=, unit=']),

    ['source regex (x) (y);', "invalid parameter \"(y)\" of source \"(x)\" $in, "
     . 'a pattern may be followed by "code=" only'],
    ['field m header X Y;', "invalid parameter \"Y\" $in, a line \"field\" has "
     . 'one header or pattern'],
    ['field m regex (x) (y);', "invalid parameter \"(y)\" $in, a line \"field\" "
     . 'has one header or pattern'],
    ['field m regex (x) pattern=y;', "invalid parameter \"pattern=y\" $in, a "
     . 'field has one pattern'],
    ['retry_after header X Y;', "invalid parameter \"Y\" $in, a line "
     . '"retry_after" has one header or pattern'],

    (map { ["source header \"$_\";", "invalid source \"$_\" $in, $name"],
           ["field m header \"$_\";", "invalid source \"$_\" $in, $name"] }
     'X Y', 'X:', "\xc3\xa9", ''),
    (map { ["field \"$_\" json /a;", "invalid field \"$_\" $in, $variable"] }
     'M', 'a-b', 'a b', '', "\xc3\xa9"),

    (map { ["retry_after json /a unit=$_;", "invalid parameter \"unit=$_\" $in, "
            . 'it must be unit=s or unit=ms'] } 'm', 'S', 'sec', '1'),

    (map { ["charset \"$_\";", "invalid charset \"$_\" $in, $charset"] }
     'latin1', 'utf-16', 'utf-32', 'iso-8859-1', ''),
    ['charset gbk; charset gbk;', "duplicate charset $in"],

    (map { ["source json /a \"code=$_\";", "invalid code \"$_\" $in, it must "
            . 'be 1 to 128 bytes without control characters'] }
     'x' x 129, "a\tb", "\x7f"),

    # patterns

    (map { my $line = $_;
           (["$line \"pattern=(\";", "invalid pattern \"(\" $in, missing closing "
             . 'parenthesis at its end'],
            ["$line \"pattern=a{2,1}b\";", "invalid pattern \"a{2,1}b\" $in, "
             . 'numbers out of order in {} quantifier at "}b"']) }
     'source json /a', 'source header X', 'field m json /a', 'field m header X',
     'retry_after json /a', 'retry_after header X'),
    ['source regex x;', "invalid pattern \"x\" $in, it must have a group for "
     . 'the code, the first one or one named "code"'],
    ['field m regex x;', "invalid pattern \"x\" $in, it must have a group for "
     . 'the code, the first one or one named "code"'],
    ['field m regex (x*);', "invalid pattern \"(x*)\" $in, it must not match an "
     . 'empty text'],
) {
    my ($line, $message) = @$_;

    is(refusal(document($line)), "$message in $at",
       'refused: ' . substr($line, 0, 60) =~ s/[^ -~]/?/gr);
}


# an included file has its own name and lines

is(refusal(document('include d.lines;'),
           'd.lines' => "# sources\n\nsource json /a/*;\n"),
   "invalid path \"/a/*\" $in, \"*\" in a JSON pointer is a member of that name; "
   . 'did you mean "$.a[*]"?  The member itself is "$.a[\'*\']" in d.lines:3',
   'refused: a line of an included file');


# limits: 64 paths in a document, of all lines, and 63 fields

my $sixty = 'source json ' . '/a ' x 60 . ';';

is(refusal(document("$sixty\nfield m json /b;\nsuccess json /c;\n"
                    . 'source json /d;')), '', 'accepted: 64 paths');

is(refusal(document("$sixty\nfield m json /b;\nsuccess json /c;\n"
                    . "source json /d;\nretry_after json /e;")),
   "invalid path \"/e\" $in, it is one too many, at most 64 are allowed in a "
   . 'document in nginx.conf:12', 'refused: 65 paths');

sub fields { join "\n", map { "field f$_ header X;" } 1 .. $_[0] }

is(refusal(document(fields(63))), '', 'accepted: 63 fields');
is(refusal(document(fields(64))), "too many fields $in, at most 63 are allowed "
   . 'in nginx.conf:71', 'refused: 64 fields');


# what is valid, and codes that have the names of lines

is(refusal(document(join "\n", map { "$_;" }
   'field - INTERNAL a', 'retry_after 400 INTERNAL a', 'charset - INTERNAL a',
   'field m json /a', 'field m json /a', 'field json json /a',
   'source json /k /k', 'source json /k', 'success json /k', 'success json /k',
   'success json', 'source json "$[\'error-codes\'][0]"', 'charset gbk',
   'source json "$.l[?@.a == \'x\'].b" "$.l[?@[\'@t\'] != -1.5e3].c"',
   'source json /a \'pattern=^\d{3}$\' code=X if=/b',
   'field m header X pattern=x', 'retry_after header X unit=ms pattern=\d+')),
   '', 'accepted');

done_testing();
