# nginx reports an invalid configuration with the line, the error and the valid
# form, and a valid one without a word.

use strict;
use warnings;

use lib 't/lib';

use ErrorMap;
use ErrorMapConf;
use Test::More;

my $status = 'it must be keep or from 200 to 599 except 204, 205, 206 and 304';

my $rows = 'it must be base, class, status, code, unknown, none, '
           . 'retry_after_max or include';

my $parameters = 'status | keep [retry_after=time] [next_upstream[=off]] '
                 . '[fails=off];"';

my $time = 'it must be a time in whole seconds, like 30s or 5m';

my $code = 'it must be a code of the document or a range';

my $header = 'it must be "error_map_header name value" or '
             . '"error_map_header off"';


# The http block and the message, which ends with " in nginx.conf:6" unless it
# has its own line; the block begins at line 6.

refused(

    # error_map

    'error_map nosuch;',
        qq{unknown document "nosuch", it must be off or one of: $documents},
    'error_map Vzenith;',
        qq{unknown document "Vzenith", it must be off or one of: $documents},
    'error_map tencent;',
        qq{unknown document "tencent", it must be off or one of: $documents},
    'error_map on;',
        qq{unknown document "on", it must be off or one of: $documents},
    'error_map OFF;',
        qq{unknown document "OFF", it must be off or one of: $documents},
    'error_map "";',
        qq{unknown document "", it must be off or one of: $documents},
    'error_map $;',
        'invalid variable name',
    'error_map $nosuch;',
        'unknown "nosuch" variable in no line',
    'error_map vzenith vzenith;',
        'invalid parameter "vzenith", it must be policy=name',
    'error_map vzenith policy=;',
        'invalid parameter "policy=", it must be policy=name',
    'error_map vzenith policy;',
        'invalid parameter "policy", it must be policy=name',
    'error_map vzenith Policy=edge;',
        'invalid parameter "Policy=edge", it must be policy=name',
    'error_map off policy=edge;',
        'invalid parameter "policy=edge", "error_map off" has no parameters',
    'error_map off off;',
        'invalid parameter "off", "error_map off" has no parameters',
    "error_map vzenith;\nerror_map vzenith;",
        '"error_map" directive is duplicate in nginx.conf:7',
    'error_map off; error_map vzenith;',
        '"error_map" directive is duplicate',
    'error_map $host; error_map off;',
        '"error_map" directive is duplicate',

    # an unknown policy

    'error_map vzenith policy=nosuch;',
        'unknown policy "nosuch", it must be declared by '
        . '"error_map_policy nosuch { ... }"',
    "error_map_policy edge { }\nserver {\n    location / {\n"
    . "        error_map \$host policy=Edge;\n    }\n"
    . "    location /b { error_map vzenith policy=Edge; }\n}",
        'unknown policy "Edge", it must be declared by '
        . '"error_map_policy Edge { ... }" in nginx.conf:9',

    # error_map_types

    'error_map_types;',
        'invalid number of arguments in "error_map_types" directive',
    (map { (qq{error_map_types text/xml "$_" *;},
            qq{invalid type "$_" in "error_map_types", it must be like }
            . 'text/xml, or * for all types') }
         '', 'json', 'xml,text/xml', 'text/', '/xml', '/', 'text/*', '*/*',
         'text/xml;', 'text/xml,', 'text/xml; charset=utf-8', ' text/xml',
         '$type', '$type/xml', 'text//xml'),

    # error_map_statuses

    'error_map_statuses;',
        'invalid number of arguments in "error_map_statuses" directive',
    'error_map_statuses 200; error_map_statuses 404;',
        '"error_map_statuses" directive is duplicate',
    (map { (qq{error_map_statuses 404 "$_";},
            qq{invalid status "$_" in "error_map_statuses", it must be from }
            . '200 to 999, like 404 or 200-299') }
         '', '-', 'x', '0', '-1', '100', '199', '1000', '4040', '404-', '-404',
         '404-403', '100-199', '100-299', '200-1000', '200,404', '2xx', '*',
         '200 - 299', '200-299-300', '99999999999999999999'),
    (map { (qq{error_map_statuses 200 $_;},
            qq{"$_" in "error_map_statuses" has no effect, as such responses }
            . 'have no body') }
         '204', '205', '304', '204-205', '304-304'),
    (map { ("error_map_statuses 404 400-410;", $_),
           ("error_map_statuses 400-410 404;", $_) }
         'duplicate status "404" in "error_map_statuses"'),
    'error_map_statuses 200 200;',
        'duplicate status "200" in "error_map_statuses"',
    'error_map_statuses 200-299 250-350;',
        'duplicate status "250" in "error_map_statuses"',

    # error_map_hold_size and error_map_hold_timeout

    'error_map_hold_size 0;',
        '"error_map_hold_size" must be at least 1, '
        . 'use "error_map off" to disable inspection',
    "server {\n    error_map_hold_size 0m;\n}",
        '"error_map_hold_size" must be at least 1, '
        . 'use "error_map off" to disable inspection in nginx.conf:7',
    (map { ("error_map_hold_size $_;",
            '"error_map_hold_size" directive invalid value') }
         'abc', '-1', '64kb', '1g', '1.5k', '""'),
    'error_map_hold_total 0;',
        '"error_map_hold_total" must be at least 1, '
        . 'use "error_map_hold_timeout 0" to hold nothing',
    "server {\n    error_map_hold_total 1m;\n}",
        '"error_map_hold_total" directive is not allowed here in nginx.conf:7',
    (map { ("error_map_hold_timeout $_;",
            '"error_map_hold_timeout" directive invalid value') }
         'abc', '-1', '5x', '""'),

    # error_map_dry_run

    'error_map_dry_run maybe;',
        'invalid value "maybe" in "error_map_dry_run" directive, '
        . 'it must be "on" or "off"',

    # error_map_header

    'error_map_header X-A;',
        qq{no value for header "X-A", $header},
    'error_map_header OFF;',
        qq{no value for header "OFF", $header},
    'error_map_header off; error_map_header off;',
        '"error_map_header" directive is duplicate',
    "error_map_header off;\nerror_map_header X-A b;",
        '"error_map_header" directive must not follow "error_map_header off" '
        . 'in nginx.conf:7',
    "error_map_header X-A b;\nerror_map_header off;",
        '"error_map_header" directive is duplicate in nginx.conf:7',
    (map { ("error_map_header X-A $_ b;", qq{invalid parameter "b" in }
            . '"error_map_header", it must be "error_map_header name value", '
            . 'with quotes around a value with spaces') }
         'a', '$host', '""'),
    (map { (qq{error_map_header "$_" b;}, qq{invalid header name "$_", }
            . 'it must consist of letters, digits and "-"') }
         '', '$X', 'X A', 'X-A:', 'X-A ', 'X(A)', 'X/A', "X-\xc3\x89"),
    (map { ("error_map_header $_ b;",
            qq{header "$_" cannot be set by "error_map_header", }
            . 'nginx sets it itself') }
         qw(Accept-Ranges Connection Content-Encoding Content-Length
            Content-Range Content-Type Date ETag Keep-Alive Last-Modified
            Location Server Trailer Transfer-Encoding Upgrade
            content-type CONTENT-LENGTH)),
    'error_map_header X-A $nosuch;',
        'unknown "nosuch" variable in no line',
    'error_map_header X-A "$";',
        'invalid variable name',

    # error_map_policy

    'error_map_policy edge;',
        'directive "error_map_policy" has no opening "{"',
    "error_map_policy edge { }\nerror_map_policy edge { base keep; }",
        'duplicate error_map_policy "edge" in nginx.conf:7',
    'error_map_policy "" { }',
        'invalid error_map_policy name "", it must not be empty',
    "error_map_policy edge {\n    base keep;\n    nosuch 1;\n}",
        qq{unknown row "nosuch" in error_map_policy "edge", $rows in }
        . 'nginx.conf:8',
    rows(
        'Class UNAVAILABLE 503;' =>
            qq{unknown row "Class" in error_map_policy "edge", $rows},
        'UNAVAILABLE 503;' =>
            qq{unknown row "UNAVAILABLE" in error_map_policy "edge", $rows},
        'error_map vzenith;' =>
            qq{unknown row "error_map" in error_map_policy "edge", $rows},
        'include;' =>
            'invalid number of arguments in row "include" of error_map_policy '
            . '"edge", it must be "include file;"',
        'class UNAVAILABLE { }' =>
            'unexpected "{"',
        'base keep' =>
            'unexpected "}"',
    ),

    # the row base

    rows(
        'base;' =>
            'invalid number of arguments in row "base" of error_map_policy '
            . '"edge", it must be "base document | class | keep;"',
        'base document class;' =>
            'invalid number of arguments in row "base" of error_map_policy '
            . '"edge", it must be "base document | class | keep;"',
        'base keep; base document;' =>
            'duplicate row "base" in error_map_policy "edge"',
        (map { ("base $_;",
                qq{invalid base "$_" in error_map_policy "edge", }
                . 'it must be document, class or keep') }
             qw(Document off 502 tencent_iot)),
    ),

    # the row class

    rows(
        (map { ("class$_;",
                'invalid number of arguments in row "class" of '
                . "error_map_policy \"edge\", it must be \"class NAME $parameters") }
             '', ' UNAVAILABLE', ' UNAVAILABLE 503 retry_after=1s next_upstream fails=off 2'),
        (map { ("class $_ 503;",
                qq{unknown class "$_" in error_map_policy "edge", }
                . "it must be one of: $classes") }
             qw(unavailable NOSUCH UNAVAILABL UNAVAILABLES 503)),
        'class UNAVAILABLE 503; class UNAVAILABLE keep;' =>
            'duplicate row "class UNAVAILABLE" in error_map_policy "edge"',
    ),

    # the row status

    rows(
        (map { ("status$_;",
                'invalid number of arguments in row "status" of '
                . 'error_map_policy "edge", it must be "status document_status '
                . $parameters) }
             '', ' 456', ' 456 502 retry_after=1s next_upstream fails=off 2'),
        (map { ("status $_ 502;",
                qq{invalid document status "$_" in error_map_policy "edge", }
                . 'it must be a number from 200 to 599') }
             qw(0 199 600 999 -456 abc 4xx 456.0 18446744073709552072)),
        'status 456 502; status 456 502;' =>
            'duplicate row "status 456" in error_map_policy "edge"',
        'status 456 600;' =>
            qq{invalid status "600" in row "status 456" of }
            . qq{error_map_policy "edge", $status},
    ),

    # the row code

    rows(
        (map { ("code$_;",
                'invalid number of arguments in row "code" of '
                . 'error_map_policy "edge", it must be "code document/code '
                . $parameters) }
             '', ' vzenith/1000', ' vzenith/1000 404 retry_after=1s next_upstream fails=off 2'),
        (map { ("code $_ 404;",
                qq{invalid code "$_" in error_map_policy "edge", }
                . 'it must be document/code or document/first-last') }
             qw(1000 vzenith /1000 vzenith/ /)),
        'code vzenith/1000 404; code vzenith/1000 404;' =>
            'duplicate row "code vzenith/1000" in error_map_policy "edge"',
        'code vzenith/1001-1000 404;' =>
            'invalid range "vzenith/1001-1000" in error_map_policy "edge", '
            . 'its first code must not be greater than its last',
        (map { ("code vzenith/$$_[0] 404; code vzenith/$$_[1] 404;",
                qq{row "code vzenith/$$_[1]" in error_map_policy "edge" }
                . qq{overlaps with row "code vzenith/$$_[0]"}) }
             ['1000-1005', '1005-1008'], ['1005-1008', '1000-1005'],
             ['1000-1005', '1000-1005'], ['1000-1005', '1002-1003'],
             ['1002-1003', '1000-1005'], ['1000-1000', '1000-1000']),
        'code vzenith/1000 204;' =>
            qq{invalid status "204" in row "code vzenith/1000" of }
            . qq{error_map_policy "edge", $status},
        (map { ("code vzenith/$_ 404;",
                qq{unknown code "$_" of document "vzenith" in row }
                . qq{"code vzenith/$_" of error_map_policy "edge", $code}) }
             qw(9999 100 10000 01000 1000-x 1000- -1000 1000-1003-1005
                001000-1005 1000-9999999999999999999 1000/1001)),
        (map { ("code $_ 404;",
                qq{code "@{[m{/(.*)}]}" is a success code of document }
                . qq{"@{[m{(.*)/}]}", row "code $_" of error_map_policy }
                . '"edge" has no effect') }
             qw(vzenith/0 tencent_iotvideo/200 face_device/OK)),
        'code face_device/id_not_found 404;' =>
            'unknown code "id_not_found" of document "face_device" in row '
            . '"code face_device/id_not_found" of error_map_policy "edge", '
            . $code,
        (map { ("code vzenith/$_ 404;",
                'document "vzenith" has no code in the range of row '
                . qq{"code vzenith/$_" of error_map_policy "edge"}) }
             qw(0-999 1019-1100 9998-9999 10000-999999999999999999)),
        'code face_device/1-5 404;' =>
            'document "face_device" has no code in the range of row '
            . '"code face_device/1-5" of error_map_policy "edge"',
        (map { ("code $_ 404;",
                qq{unknown document "@{[m{(.*?)/}]}" in row "code $_" of }
                . qq{error_map_policy "edge", it must be one of: $documents}) }
             qw(nosuch/1000 nosuch/1000-1001 Vzenith/1000 vzenit/1000 off/1)),
    ),

    # the row unknown

    rows(
        (map { ("unknown$_;",
                'invalid number of arguments in row "unknown" of '
                . "error_map_policy \"edge\", it must be \"unknown $parameters") }
             '', ' 502 retry_after=1s next_upstream fails=off 2'),
        'unknown 502; unknown keep;' =>
            'duplicate row "unknown" in error_map_policy "edge"',
        'unknown 199;' =>
            qq{invalid status "199" in row "unknown" of }
            . qq{error_map_policy "edge", $status},
    ),

    # the rows none and retry_after_max

    rows(
        (map { ("none$_;",
                'invalid number of arguments in row "none" of '
                . "error_map_policy \"edge\", it must be \"none [reason ...] "
                . $parameters) }
             '', ' empty malformed no_code charset 502 retry_after=1s '
             . 'next_upstream fails=off 2'),
        (map { ("none $_;",
                'no status in row "none" of error_map_policy "edge", '
                . $status) }
             'empty', 'empty malformed no_code charset'),
        (map { ("none $_ 502;",
                qq{invalid reason "$_" in row "none" of error_map_policy }
                . '"edge", it must be empty, malformed, charset or no_code') }
             qw(Empty nocode type hold_size upstream skipped document)),
        'none empty nosuch 502;' =>
            'invalid reason "nosuch" in row "none" of error_map_policy "edge", '
            . 'it must be empty, malformed, charset or no_code',
        'none empty 204;' =>
            'invalid status "204" in row "none empty" of error_map_policy '
            . "\"edge\", $status",
        'none 600;' =>
            'invalid status "600" in row "none" of error_map_policy '
            . "\"edge\", $status",
        'none 502; none 503;' =>
            'duplicate row "none" in error_map_policy "edge"',
        (map { ("$_;", 'duplicate row "none empty" in error_map_policy "edge"') }
             'none empty 502; none empty 503',
             'none empty malformed 502; none no_code empty 503',
             'none empty empty 502'),

        (map { ("retry_after_max$_;",
                'invalid number of arguments in row "retry_after_max" of '
                . 'error_map_policy "edge", it must be "retry_after_max '
                . 'time;"') }
             '', ' 60s 2'),
        (map { ("retry_after_max $_;",
                qq{invalid retry_after_max "$_" in error_map_policy "edge", it }
                . 'must be a time in whole seconds, at least 1s, like 30s or '
                . '5m') }
             qw(0 0s -1 500ms 1.5s abc off 99999999999999999999s)),
        'retry_after_max 60s; retry_after_max 60s;' =>
            'duplicate row "retry_after_max" in error_map_policy "edge"',
    ),

    # statuses and parameters, in all rows but base

    rows(
        (map { ("class UNAVAILABLE $_;",
                qq{invalid status "$_" in row "class UNAVAILABLE" of }
                . qq{error_map_policy "edge", $status}) }
             qw(0 1 99 100 199 204 205 206 304 600 999 1000 -200 Keep abc 5xx
                document retry_after=5s 18446744073709552119)),
        (map { ("class UNAVAILABLE 503 $_;",
                qq{invalid parameter "$_" in row "class UNAVAILABLE" }
                . 'of error_map_policy "edge", it must be retry_after=time, '
                . 'next_upstream, next_upstream=off or fails=off') }
             qw(retry_after 5s Retry_after=5s retry-after=5s 2 next
                next_upstream= next_upstream=on next_upstream=5s
                Next_upstream fails fails=on fails=0 Fails=off)),
        (map { my ($row, $text) = ($_, $_ =~ s/ 503.*//r);
               my ($parameter) = $row =~ /(\S+);$/;
               ($row, qq{duplicate parameter "$parameter" in row "$text" of }
                . 'error_map_policy "edge"') }
             'class UNAVAILABLE 503 retry_after=5s retry_after=5s;',
             'class UNAVAILABLE 503 next_upstream next_upstream;',
             'code vzenith/1000 503 next_upstream next_upstream=off;',
             'status 456 503 next_upstream=off next_upstream;',
             'unknown 503 fails=off fails=off;',
             'none empty 503 fails=off next_upstream fails=off;',
             'none 503 retry_after=5s fails=off retry_after=6s;'),
        (map { my $row = $_;
               ($row, '"fails=off" has no effect with "next_upstream=off" in '
                . "row \"@{[$row =~ s/ 503.*//r]}\" of error_map_policy "
                . '"edge", nginx counts the failures that it tries the next '
                . 'server for') }
             'class UNAVAILABLE 503 fails=off next_upstream=off;',
             'unknown 503 next_upstream=off fails=off;'),
        (map { ("class UNAVAILABLE 503 retry_after=$_;",
                qq{invalid retry_after "$_" in row "class UNAVAILABLE" }
                . qq{of error_map_policy "edge", $time}) }
             '', qw(abc 1x 500ms 1.5s -1 $time 99999999999999999999s)),
    ),

    # the line of an error that is found at the end, after valid rows

    "error_map_policy one {\n    code vzenith/1000 404;\n}\n"
    . "error_map_policy two {\n    base keep;\n    code vzenith/9999 404;\n}",
        'unknown code "9999" of document "vzenith" in row '
        . '"code vzenith/9999" of error_map_policy "two", '
        . "$code in nginx.conf:11",
);


# too few arguments, too many, duplicates

refused(map { my ($name, $value, $more) = @$_;
              ("$name;", qq{invalid number of arguments in "$name" directive},
               "$name $value $more;",
                   qq{invalid number of arguments in "$name" directive}) }
        ['error_map', 'vzenith policy=a', 'policy=b'],
        ['error_map_hold_size', '1k', '1k'],
        ['error_map_hold_timeout', '1s', '1s'],
        ['error_map_hold_total', '1m', '1m'],
        ['error_map_dry_run', 'on', 'off'],
        ['error_map_header', 'X-A b', 'c always']);

refused('error_map_policy { }',
        'invalid number of arguments in "error_map_policy" directive',
        'error_map_policy edge more { }',
        'invalid number of arguments in "error_map_policy" directive');

refused(map { ("$_ $_", '"' . (split)[0] . '" directive is duplicate') }
        'error_map_hold_size 1k;', 'error_map_hold_timeout 1s;',
        'error_map_hold_total 1m;',
        'error_map_dry_run on;');


# wrong contexts

for my $directive ('error_map vzenith;', 'error_map off;', 'error_map_types *;',
                   'error_map_statuses 200;', 'error_map_decode br;',
                   'error_map_hold_size 1k;', 'error_map_hold_timeout 1s;',
                   'error_map_header off;', 'error_map_dry_run on;')
{
    refused(map { (sprintf($_, $directive),
                   '"' . (split ' ', $directive)[0] . '" directive is not '
                   . 'allowed here') }
            'upstream u { %s server 127.0.0.1; }',
            'server { if ($host) { %s } }',
            'server { location / { if ($host) { %s } } }',
            'server { location / { limit_except GET { %s } } }');
}

refused(map { (sprintf($_, 'error_map_policy edge { }'),
               '"error_map_policy" directive is not allowed here') }
        'server { %s }', 'server { location / { %s } }',
        'upstream u { %s server 127.0.0.1; }');


# errors in included files

is(refusal("include edge.conf;\n",
           'edge.conf' => "error_map_policy edge {\n    base nosuch;\n}\n"),
   'invalid base "nosuch" in error_map_policy "edge", it must be document, '
   . 'class or keep in edge.conf:2', 'an error in an included file');
is(refusal("include edge.conf;\n",
           'edge.conf' => "error_map_policy edge {\n\n"
                          . "    code vzenith/9 502;\n}\n"),
   'unknown code "9" of document "vzenith" in row "code vzenith/9" of '
   . qq{error_map_policy "edge", $code in edge.conf:3},
   'an unknown code in an included file');
is(refusal("error_map_policy edge {\n    base keep;\n    include rows.conf;\n}",
           'rows.conf' => "\n\nbase keep;\n"),
   'duplicate row "base" in error_map_policy "edge" in rows.conf:3',
   'an error in a file included by a policy');
is(refusal("error_map_policy edge {\n    include rows.conf;\n    base keep;\n}",
           'rows.conf' => "class UNAVAILABLE 503;\nstatus 456 502;\n"),
   '', 'a policy may include its rows');
is(refusal("include use.conf;\n",
           'use.conf' => "\nerror_map vzenith policy=p;"),
   'unknown policy "p", it must be declared by "error_map_policy p { ... }" in '
   . 'use.conf:2', 'an unknown policy used in an included file');


accepted(
    '',
    'error_map off;',
    'server { error_map vzenith; location / { error_map off; } }',
    (map { "error_map $_;" } split /, /, $documents),
    'error_map $host;',
    'error_map "tencent_${host}";',
    'error_map vzenith policy=edge; error_map_policy edge { }',
    'error_map_policy edge { } error_map $host policy=edge;',
    'error_map_policy unused { unknown 502; }',
    'error_map_policy off { } error_map vzenith policy=off;',
    'error_map_types *;',
    'error_map_types text/html text/plain application/json;',
    'error_map_types text/html; error_map_types text/plain;',
    'error_map_types application/vnd.a+xml x/y_$ *;',
    (map { "error_map_statuses $_;" } '200', '999', '206', '200-999',
         '200-299 404 500-503', '204-206', '303-305', '404-404'),
    (map { "error_map_hold_size $_;" } qw(1 1000 4k 64K 1m)),
    (map { "error_map_hold_timeout $_;" } qw(0 1 500ms 5s 1m 1h)),
    'error_map_dry_run on;',
    'error_map_dry_run off;',
    'error_map_header off;',
    'error_map_header X-A "";',
    'error_map_header X-A $error_map_code;',
    'error_map_header X-A a; error_map_header X-A b; error_map_header X-B c;',
    (map { "error_map_header $_ b;" }
         'x', '0', 'Retry-After', 'Cache-Control', 'Set-Cookie', 'Vary',
         'X_Under', q{"!#$%&'*+-.^_`|~"}),
    (map { "log_format f '\$error_map_$_';" }
         qw(document code class title status upstream_status retry_after
            verdict reason hold_size hold_time)),
    map({ "error_map_policy edge { $_ }" }
        'base document;', 'base class;', 'base keep;',
        (map { "class $_ 503;" } split /, /, $classes),
        (map { "unknown $_;" } 200, 201, 203, 207, 299, 300, 303, 305, 499,
                               500, 599, 'keep'),
        (map { "unknown 502 retry_after=$_;" } qw(0 7 30s 5m 1h30m 1d)),
        'unknown keep retry_after=5s;',
        'status 200 400; status 204 400; status 599 keep;',
        'code vzenith/1000 404; code face_device/ID_NOT_FOUND 404;',
        'code vzenith/1000 404; code vzenith/1000-1005 404;',
        'code vzenith/1000-1000 404; code vzenith/1000 404;',
        'code vzenith/1000-1005 404; code vzenith/1006-1008 404;',
        'code tencent_iot/40001-40003 404;'
        . 'code tencent_iotvideo/40002-40004 404;',
        'code vzenith/0-999999999999999999 keep retry_after=1s;'),
    'error_map_policy one { base keep; } error_map_policy two { base keep; }',
);


done_testing();


# pairs of a configuration and a message

sub refused {
    while (my ($http, $message) = splice @_, 0, 2) {

        # nginx itself finds some errors after the last line

        if ($message !~ s/ in no line$// && $message !~ /nginx\.conf:/) {
            $message .= ' in nginx.conf:6';
        }

        is(refusal("$http\n"), $message, "refused: @{[$http =~ s/\s+/ /gr]}");
    }
}


# pairs of rows, on the second line of a policy, and a message

sub rows {
    my @pairs;

    while (my ($rows, $message) = splice @_, 0, 2) {
        push @pairs, "error_map_policy edge {\n    $rows\n}",
                     "$message in nginx.conf:"
                     . ($message eq 'unexpected "}"' ? 8 : 7);
    }

    return @pairs;
}


# with a server, so that all configurations are merged

sub accepted {
    is(refusal("access_log off;\n$_\nserver { }\n"), '', "accepted: $_")
        for @_;
}
