# tools/draft makes the draft of a table from a vendor's document.  The vendors'
# own documents are not here; the test reads them, too, from the folder named by
# ERROR_MAP_VENDOR_DOCS, or from one beside the checkout.

use strict;
use warnings;

use ErrorMap qw(slurp spew);
use ErrorMapDraft;
use ErrorMapUnit;
use File::Basename qw(basename);
use File::Temp qw(tempdir);
use lib "$root/tools/lib";
use POSIX qw(_exit);
use Test::More;

my $dir = tempdir(CLEANUP => 1);

# what tools/draft loads is loaded once, for hundreds of documents are drafted

require 'Draft/' . basename($_) for glob "$root/tools/lib/Draft/*.pm";
require HTML::TreeBuilder;
require YAML::PP;


# draft(document, argument, ...): the draft, the report, the exit status

sub draft {
    my ($document, @arguments) = @_;

    spew("$dir/in", $document);

    my $pid = fork // die "fork: $!";

    run(@arguments ? @arguments : 'acme') if !$pid;
    waitpid $pid, 0;

    return (slurp("$dir/out"), slurp("$dir/err"), $? >> 8);
}

# tools/draft, in this process

sub run {
    open STDIN, '<', "$dir/in" or _exit(254);
    open STDOUT, '>', "$dir/out" or _exit(254);
    open STDERR, '>', "$dir/err" or _exit(254);

    ($0, @ARGV) = ("$root/tools/draft", @_);

    do $0;

    print STDERR $@;
    _exit($@ eq '' ? 0 : 255);
}

# the lines between the two "%%", and of them the rows as "code status title"

sub lines {
    return split /\n/, (split /^%%\n/m, $_[0])[1] // '';
}

sub rows {
    return join "\n", map {
        m{^([^,]*),\s*(\S+), EM_\w+, +"(.*)"  /\* \? \*/$} ? "$1 $2 $3"
                                                        : "bad: $_"
    } grep { !/^#/ } lines($_[0]);
}

# the messages of em_check.awk, gperf and the compiler, as in the build

sub build {
    my ($draft, $name) = @_;

    spew("$dir/$name.gperf", $draft);

    my $cc = $ENV{CC} || 'cc';
    my $said = `exec 2>&1; cd $dir
                LC_ALL=C awk -f $root/ngx_module/document/em_check.awk $name.gperf &&
                gperf --output-file=$name.c $name.gperf &&
                $cc -W -Wall -Wextra -Werror -Wno-unused-parameter \\
                    -I $root/ngx_module/document -fsyntax-only $name.c`;

    return $said . ($? && $said eq '' ? "exit $?" : '');
}

sub decided {
    my ($draft) = @_;

    $draft =~ s/EM_TODO/EM_INTERNAL/g;
    $draft =~ s/("range", .*, )"TODO"/$1"INTERNAL"/g;
    $draft =~ s{ +/\* \? \*/$}{}mg;
    $draft =~ s/ "TODO"$/ "a title"/mg;

    return $draft;
}

my ($draft, $report, $status);


# Markdown, the code in the second column, a byte order mark, CRLF

($draft, $report, $status) = draft(<<"END" =~ s/\n/\r\n/gr);
\xef\xbb\xbf| Index | 错误码 | message | 描述 |
| ----- | ------ | ------- | ---- |
| 1 | NO\\_FACE_ERROR | | 没有<br />找到 \\|<br/>人脸 |
| 2 | `ID_NOT_FOUND` | no such "ID" in C:\\Users! | ID未找到 |
END

is(rows($draft), join("\n", 'NO_FACE_ERROR 0 no face error',
                      "ID_NOT_FOUND 0 no such 'ID' in C:/Users"),
   'codes in the second column, cleaned titles');
is((lines($draft))[0], '# 1 | NO_FACE_ERROR | 没有 找到 | 人脸',
   'the description above the row, without breaks and escapes');
unlike($draft, qr/\r/, 'no CR is left');
like($draft, qr{^ID_NOT_FOUND, +0, EM_NOT_FOUND, +"no such .*"  /\* \? \*/$}m,
     'a suggested class and title are marked');
like($report, qr/without class: 1 \(NO_FACE_ERROR\)/,
     'a code without a class is reported');
is($status, 0, 'exit status 0');

like($draft, qr/^#error "TODO: which member/m, 'no source could be guessed');
like(build($draft, 'acme'),
     qr/^acme\.gperf:19: unknown class "EM_TODO" of code "NO_FA/,
     'the build refuses an undecided class with file and line');
like(build($draft, 'acme'),
     qr{^acme\.gperf:21:\ class\ and\ title\ of\ code\ "ID_NOT_FOUND"\ are
        \ suggestions,\ remove\ "/\*\ \?\ \*/"}mx, '... and a suggestion');
like(build(decided($draft), 'acme'), qr/error.*TODO: which member/,
     'the build refuses a document without sources');


# options

($draft) = draft(<<'END', 'acme', '--pointer', '/Error/Code', '--success', '0',
错误码 | 描述
---|---
1 | bad
END
                 '--pointer', '/a"b\\', '--success', 'OK');

like($draft, qr/em_string\("\/Error\/Code"\) \},\n.*em_string\("\/a\\"b\\\\"\)/,
     'sources as told');
like($draft, qr/em_string\("0"\),\n    em_string\("OK"\)\n\};/,
     'success codes as told');
unlike($draft, qr/a guess/, '... and no guess');
like($draft, qr/^em_document\(acme\);$/m, 'the name');
is(build(decided($draft), 'acme'), '', 'the build takes it once decided');

for my $bad ([], ['Acme'], ['acme', '--pointer', 'code'], ['a', 'b', 'c']) {
    (undef, undef, $status) = @$bad ? draft('', @$bad) : draft('', '--success');
    isnt($status, 0, "refused: \"@$bad\"");
}


# no leading pipes, rows wrapped over lines, several tables, an example body

($draft, $report) = draft(<<'END');
返回的JSON文本:
{
"error_code": 110,
"error_msg": "expired"
}
接口错误码
错误码 | 错误信息 | 描述 | 处理建议 |
---|---|---|---|
4 | limit reached | 超限额 | 提交工单 |
110 | expired |
已过期 | 重新获取 |
111 | a
long message | 说明 (最小值
大于最大值) |
修改参数 |
112 | denied |
业务错误码
错误码 | 错误信息 | 描述 | 处理建议 |
---|---|---|---|
222 | busy | 繁忙 | |
4 | another meaning | 其他 | |
5 | limit reached | | |
4 | limit reached | | |
END

is(rows($draft), join("\n", '4 0 limit reached; another meaning',
                      '110 0 expired', '111 0 a long message', '112 0 denied',
                      '222 0 busy', '5 0 limit reached'),
   'wrapped rows, a short one, two tables, one row for each code');
like($draft, qr/^# 111 \| a long message \| 说明 \(最小值 大于最大值\) \| 修/m,
     'a wrapped description is one line');
like($draft, qr/^(?:# 4 \| .*\n){3}# TODO: named twice\n4,/m,
     'a code named twice has all its descriptions and a mark');
like($draft, qr/^# == 业务错误码\n# 222/m, 'headings');
like($draft, qr/guess from a body with such a code \*\/\n.*\n.*"\/error_code"/,
     'the source is guessed from the body, and marked');
like($draft, qr/a guess from habit \*\/\n.*\n    em_string\("0"\)\n/,
     'the success code is 0, and marked');
like($report, qr/codes found: 6\n.*named twice: 1 \(4\)\n.*without status: 0\n/,
     'the report counts them');


# a column of statuses, a table of fields, bodies and tables in fences

my $fields = <<'END';
```json
{ "Code": 0, "StatusCode": 4001, "Data": { "x": [ 1 ] } }
错误码 | 描述
---|---
9 | an example
```

| 节点名称 | 描述 | 类型 |
| :--- | --- | ---: |
| Code | 返回码，0为成功响应 | int |
| StatusCode | 错误码，见下文 | int |

| Code | Type | Meaning |
| --- | --- | --- |
| user | string | who |
| age | int | how old |
END

($draft, $report) = draft(<<"END");
$fields
## 错误码列表

| 错误码 | 描述 | HTTP状态码 |
| - | - | - |
| 200 | 请求成功 | 200 |
| 4001 | 参数 | 400 Bad Request |
| 4002 | 没有 | - |
| 4003 |
忙 | 456 |
| 4004 | 其他 | 4xx |
| 4005 | 无内容 | 204 |
| 4001 | 又 | 403 |
END

is(rows($draft), join("\n", '200 200 请求成功', '4001 TODO 参数',
                      '4002 0 没有', '4003 456 忙', '4004 TODO 其他',
                      '4005 TODO 无内容'),
   'statuses, and only the codes of the table of codes');
like($draft, qr/^# TODO: no status\n4002,/m, 'a missing status is marked');
like($draft, qr/^# TODO: which status\?\n4005,/m, 'an unusable one, too');
like($draft, qr/em_string\("\/StatusCode"\) \}\n\};/,
     'the body shows the source');
like($draft, qr/em_string\("200"\),\n    em_string\("0"\)\n/,
     'the successes that the document names');
like($report, qr/tables skipped.*: 2 \(line 8: .*类型: .*; line 13: Code/,
     'tables of fields are reported');
like(build($draft =~ s/EM_TODO/EM_INTERNAL/gr, 'acme'),
     qr/:\d+: invalid status "TODO" of code "4001"/,
     'the build refuses an unusable status');


# a list of codes in JSON is no body that has one

($draft) = draft('{"faults": {"NO_INK": {"code": 1101, "message": "No ink"},
                              "NO_PEN": {"code": 1102, "message": "No pen"}}}');
is(rows($draft), "1101 0 No ink\n1102 0 No pen", 'a list in JSON');
unlike($draft, qr/sources\[\]/, '... is no body that shows a source');


# codes that are statuses themselves

($draft) = draft(<<'END');
如果存在 Error 字段，则失败。 Error 中的 Code 字段表示错误码。

- HTTP返回码

| 错误码 | 错误描述 |
| :----: | :------: |
| 400 | 不合法 |
| 503 | 不可用 |

- 逻辑错误码

| 错误码 | 错误描述 |
| :----: | :------: |
| 404 | 不存在 |
| 1000 | 未登录 |
END

is(rows($draft),
   "400 400 不合法\n503 503 不可用\n404 0 不存在\n1000 0 未登录",
   'codes below a heading of HTTP codes are statuses');
like($draft, qr/em_string\("\/Error\/Code"\) \}/, 'a source from prose');
is(build(decided($draft), 'acme'), '', 'the build takes it once decided');

($draft) = draft("| HTTP状态码 | 描述 |\n|--|--|\n| 404 | none |\n");
is(rows($draft), '404 404 none', 'codes in a column of HTTP codes are, too');

($draft) = draft("| 错误码 | 描述 |\n|--|--|\n| 404 | none |\n");
is(rows($draft), '404 0 none', 'codes in another column are not');
like($draft, qr/^# TODO: are these HTTP statuses\?$/m,
     '... but the draft asks');


# cells without a code, or with several

($draft, $report) = draft(<<'END');
| Error code | Description |
|------------|-------------|
| 1001 (old) | first |
| 1002, 1003 | both |
| 1004-1009 | range */ a |
| -20~-10 | negative |
| 1009-1004 | no range |
| 其他 | what else there is |
| 1010 | third ?? |
| | goes on |
| -1 | x |
| 0 | success |
END

is(rows($draft), join("\n", '1001 0 first', '1002 0 both', '1003 0 both',
                      '1009~1004 0 no range', '1010 0 third ?', '-1 0 x',
                      '0 0 success'), 'notes and lists');
like($draft, qr{^static\ const\ em_line_t\ \ lines\[\]\ =\ \{\n
                \ \ \ \ /\*\ 1004-1009\ \|\ range\ \ a\ \*/\n
                \ \ \ \ em_line\("range",\ "1004-1009",\ "-",\ "TODO",
                \ "range\ \*/\ a"\),\ \ /\*\ \?\ \*/\n}mx, 'a range is a line, below what it is');
like($draft, qr/^em_document_lines\(acme\);\n\z/m, '... of the document');
like($draft, qr/^# TODO: no code: 其他 \| what else there is$/m,
     'a row without a code is kept as a comment');
like($report, qr/rows skipped.*: 1 \(其他\)/, '... and reported');
like($draft, qr/^# goes on\n1010,/m, 'a row without a code cell goes on');
like($draft, qr/^# TODO: one of several codes in one row\n1003,/m, 'a mark');
like(build(decided($draft), 'acme'), qr/:\d+: invalid code "1009~1004", it/,
     'the build refuses an invalid range');
$draft =~ s/^1009~.*\n//m;
like(build($draft, 'acme'),
     qr/:\d+: unknown class "TODO" of row "range 1004-1009"/,
     'the build refuses an undecided range');
like(build($draft, 'acme'),
     qr/:\d+: class and title of row "range -20--10" are suggestions/,
     '... and a suggested one');
is(build(decided($draft =~ s/#error.*/static const em_source_t  sources[] = {
                            { EM_SOURCE_JSON, em_string("\/c") } };/r),
         'acme'), '', 'the build takes it once decided');


# long titles, other tables, no final line feed, other encodings

($draft) = draft("Code | Message\n---|---\n1 | " . 'word ' x 30);
is(rows($draft), '1 0 ' . join(' ', ('word') x 16), 'a long title is cut');
like($draft, qr/^# TODO: the title is cut$/m, '... and marked');

($draft) = draft("错误码\t描述\n1\tone\n2\ttwo\n\n文字\n");
is(rows($draft), "1 0 one\n2 0 two", 'a table with tabs');

($draft) = draft(<<'END');
+------+------------+
| Code | Message    |
+======+============+
| 1    | one and    |
|      | a half     |
+------+------------+
| 2    | two        |
+------+------------+
END
is(rows($draft), "1 0 one and a half\n2 0 two", 'a grid with wrapped cells');

# "code" and "meaning" in GBK

($draft, $report) = draft("\xb4\xed\xce\xf3\xc2\xeb | \xc3\xe8\xca\xf6\n"
                          . "---|---\n7 | \xc3\xe8\xca\xf6\xb4\xed\xce\xf3\n");
is(rows($draft), '7 0 描述错误', 'a document in GBK');
like($draft, qr/^# 7 \| 描述错误$/m, '... becomes UTF-8');

($draft) = draft("错误码 | 描述\n---|---\n7 | broken \xff byte\n8 | 描述\n");
is(rows($draft), "7 0 broken \xef\xbf\xbd byte\n8 0 描述", 'a broken byte');


# every form of documents: what is there, and nothing else; the whole of each
# kind counts

my (%sum, %kind);

for my $file (glob "$root/t/data/drafts/*.txt") {
    my ($name) = $file =~ m{([^/]+)\.txt$};

    ($draft, $report, $status) = draft(slurp($file));

    my $codes = $file =~ s/txt$/codes/r;
    my $s = score(drafted($draft), expected($codes));

    $sum{$_} += $s->{$_} for qw(found right drafted expected);

    is("missing @{$s->{missing}}, wrong @{$s->{wrong}}, @{$s->{status}}",
       'missing , wrong , ', "drafts/$name: the codes and their statuses");
    is(join('; ', classes($codes, $draft)), '', '... and the classes, if named');
    unlike($report, qr/ at \S+ line \d/, '... without a warning of perl');
}

cmp_ok($sum{expected}, '>', 200, 'documents of many forms');
diag(sprintf 'recall %.1f %%, precision %.1f %%, statuses %.1f %% of %d codes',
     100 * $sum{found} / $sum{expected}, 100 * $sum{found} / $sum{drafted},
     100 * $sum{right} / $sum{expected}, $sum{expected});

($draft) = draft(slurp("$root/t/data/drafts/words-of-codes-in-lists.txt"));
like($draft, qr/^ERR-001, .* "No ink"/m, 'a title has no dash before it');

($draft) = draft(slurp("$root/t/data/drafts/go-errors-over-lines.txt"));
like($draft, qr/^20002, .* "track is taken"/m, 'a title is the first string');

($draft) = draft(slurp("$root/t/data/drafts/jsx-items-with-blanks.txt"));
unlike($draft, qr/^# ==/m, 'a line of source is no heading');

# what one place of a document says is said once

for my $name (qw(json-columns-and-data json-maps-in-a-body json-maps-of-languages
                 yaml-maps-by-one-code))
{
    (undef, $report) = draft(slurp("$root/t/data/drafts/$name.txt"));
    like($report, qr/named twice: 0$/m, "$name: no code is named twice");
}

# each draft is a table that the build takes, and a block that nginx takes

for my $name (qw(aws-http-line c-enum-auto full-width range-rows kakao-korean)) {
    ($draft) = draft(slurp("$root/t/data/drafts/$name.txt"), 'acme',
                     '--pointer', '/code');
    is(build(decided($draft), 'acme'), '', "$name: a table");
}


# codes that are not what they seem

($draft, $report) = draft(<<'EOT');
| Error code | Description |
|---|---|
| 10,001 | separated |
| 1002<sup>1</sup> | a footnote |
| 1003[^2] | another |
| 1004* | a star |
| １００５ | wide |
| ~~1006~~ | no longer sent |
| 4xxx | a family |
| 5000+ | another |
| 10 07 | with a blank |
EOT

is(rows($draft), join("\n", '10001 0 separated', '1002 0 a footnote',
                      '1003 0 another', '1004 0 a star', '1005 0 wide'),
   'codes are repaired or refused');
like($draft, qr/^# TODO: separated thousands in the code "10,001"\n10001,/m,
     '... with a word');
like($draft, qr/^# TODO: a footnote in the code "1002\*"\n1002,/m, '... each');
like($draft, qr/^# TODO: full-width characters in .*\n1005,/m, '... again');
like($report, qr/rows skipped.*: 4 \(~~, 4xxx, 5000\+, 10 07\)/, '... or listed');


# the words of a language with accents are a title, and no part of it is English

($draft) = draft("Código | Descripción\n---|---\n"
                 . "7 | No hay más vino para la cena\n8 | 無効 no such wine bar\n");
is(rows($draft), "7 0 No hay más vino para la cena\n8 0 no such wine bar",
   'a title in Spanish is whole, an English part of one in Japanese is taken');


# options

my $two = <<'EOT';
## One

| Name | Key | Num | What |
|---|---|---|---|
| a | X1 | 401 | first thing |
| b | X2 | 404 | second thing |

## Two

| Code | Text |
|---|---|
| 9001 | other |
EOT

($draft) = draft($two, 'acme', '--code', 'Key', '--status', 'Num', '--skip', 'Two');
is(rows($draft), "X1 401 first thing\nX2 404 second thing",
   '--code, --status and --skip');
($draft) = draft($two, 'acme', '--code', 2, '--title', 'Name', '--skip', 'two');
is(rows($draft), "X1 401 a\nX2 404 b", '--title, and a column by its number');


# a block for nginx.conf

($draft) = draft(<<'EOT', 'acme', '--conf', '--pointer', '/code');
| Error code | HTTP status | Description |
|---|---|---|
| 1001 | 404 | no such thing |
| 1002 | | something |
| 2000-2099 | 400 | a bad request |
EOT

is($draft, <<'EOT', '--conf');
# TODO: the vendor, the document and its date

error_map_document acme {
    source   json  /code;
    success  0;    # ? a guess from habit

    # 1001 | 404 | no such thing
    1001                   404  NOT_FOUND           "no such thing";    # ?
    # 1002 | something
    # TODO: no status
    1002                   -    TODO                "something";    # ?
    # 2000-2099 | 400 | a bad request
    # TODO: a range of codes
    range 2000-2099        400  INVALID_ARGUMENT    "a bad request";    # ?
}
EOT

# ... with the vendor's message and the request's id, of bodies with a code

($draft) = draft(<<'EOT', 'acme', '--conf');
    {"ret":{"errno":0,"errmsg":"success","traceid":"a1"},"data":{"msg":"hi"}}
    {"ret":{"errno":1001,"errmsg":"no such thing"},"data":null}
    {"message":"not an answer of the API"}

| Error code | Description |
|---|---|
| 1001 | no such thing |
| 1002 | 图片过大 |
| 1003 | 数据已被修改 |
| 1004 | 人脸库已满 |
EOT

is(join("\n", $draft =~ /^( +field .*)$/mg), <<'EOT' =~ s/\n\z//r, '... fields');
    field    message     json  /ret/errmsg;    # ? a guess from a body
    field    request_id  json  /ret/traceid;    # ? a guess from a body
EOT

is(join(' ', $draft =~ /^ +\d+ +- +(\w+)/mg),
   'NOT_FOUND INVALID_ARGUMENT ABORTED RESOURCE_EXHAUSTED',
   '... and classes by Chinese words');

# The classes by words of other languages in Latin script, and titles that are
# not cut at a letter with a diacritic.

my %said = (
    'Demasiadas solicitudes por minuto' => 'RESOURCE_EXHAUSTED',
    'Límite diario excedido' => 'RESOURCE_EXHAUSTED',
    'Tiempo de espera agotado' => 'DEADLINE_EXCEEDED',
    'El pedido ya existe' => 'ALREADY_EXISTS',
    'Commande introuvable' => 'NOT_FOUND',
    'Cliente não encontrado' => 'NOT_FOUND',
    'Mot de passe erroné' => 'UNAUTHENTICATED',
    'Ungültiger Schlüssel' => 'UNAUTHENTICATED',
    'Zugriff für dieses Konto verboten' => 'PERMISSION_DENIED',
    'Bu işlem için yetkiniz yok' => 'PERMISSION_DENIED',
    'Método no soportado' => 'UNIMPLEMENTED',
    'Usługa chwilowo niedostępna' => 'UNAVAILABLE',
    'Serviço em manutenção' => 'UNAVAILABLE',
    'Conflit de mise à jour' => 'ABORTED',
    'Giao dịch đã hủy' => 'CANCELLED',
    'Saldo non sufficiente' => 'FAILED_PRECONDITION',
    'Le compte a expiré' => 'FAILED_PRECONDITION',
    'Falta el parámetro' => 'INVALID_ARGUMENT',
    'Eksik alan' => 'INVALID_ARGUMENT',
    'Erreur interne du système' => 'TODO',
    'Giao dịch thành công' => 'OK',
    'Operación exitosa' => 'OK',
    'Operação realizada com sucesso' => 'OK',
    'Opération réussie' => 'OK',
    'Trừ tiền thành công, nghi ngờ' => 'TODO',
    'Connected to the internet cafe' => 'TODO',
    'Authorizing, provide the brakes' => 'TODO',
);

my @said = sort keys %said;

($draft) = draft("| Error code | Text |\n|---|---|\n"
                 . join '', map { '| ' . (2001 + $_) . " | $said[$_] |\n" }
                                0 .. $#said);

is_deeply({ reverse $draft =~ /^2\d+, +0, EM_(\w+), +"(.*)" /mg },
          \%said, 'classes by words of other Latin languages, and whole titles');


# code 0 is a success by what its text says, and only then

($draft) = draft(<<'EOT', 'acme', '--conf', '--pointer', '/code');
| Code | Message |
|---|---|
| 00 | Approved or completed |
| 01 | unknown error |
| 02 | the card is unknown |
EOT

like($draft, qr/^    success  00;    # \? a guess from the document$/m,
     'a code 00 that is approved is a success');
like($draft, qr/^    00 +- +OK /m, '... whose row nginx takes');
like($draft, qr/^    01 +- +TODO .*\n.*\n    02 +- +NOT_FOUND /m,
     'an unknown error is not one that something unknown causes');

($draft) = draft("| Code | Message |\n|---|---|\n| 0 | no luck |\n| 1 | bad |\n",
                 'acme', '--conf', '--pointer', '/code');
unlike($draft, qr/^    0 +- +OK /m, 'a code 0 with another text is none');


# as a program

spew("$dir/in", "| Code | Message |\n|---|---|\n| 1 | bad |\n");
like(`$^X $root/tools/draft acme <$dir/in 2>$dir/err`,
     qr/^1, +0, EM_INVALID_ARGUMENT, +"bad" /m, 'a program');
like(slurp("$dir/err"), qr/^acme: codes found: 1$/m, '... with its report');


# nothing found

($draft, $report, $status) = draft($fields);
is($draft, '', 'no draft of a document without codes');
like($report, qr/codes found: 0\n.*no code was found$/s,
     '... the report says so');
like($report, qr/^acme:\ line\ 13:\ a\ table\ of\ Markdown\ or\ text,\ 2\ rows,\ column\ 1
                 \ is\ "Code",\ 2\ is\ "Type",\ 3\ is\ "Meaning":\ it\ describes/mx,
     '... and what each table has');
like($report, qr/--code COLUMN.*--status COLUMN.*--title COLUMN.*--skip HEADING/,
     '... and which options may help');
isnt($status, 0, '... the draft fails');

(undef, undef, $status) = draft('');
isnt($status, 0, 'an empty document fails');


# the vendors' own

my $vendors = $ENV{ERROR_MAP_VENDOR_DOCS} || "$root/../shared/vendor-docs";

if ($ENV{ERROR_MAP_VENDOR_DOCS} || -d $vendors) {
    my @names = qw(face_device baidu_face vzenith tencent_iot tencent_iotvideo);

    for my $i (0 .. $#names) {
        my ($name, $number) = ($names[$i], sprintf '%03d', $i);
        my ($file) = glob "$vendors/${number}_*.txt";

        if (!defined $file) {
            fail("document $number of $name is in $vendors");
            next;
        }

        diag("$name: document $number");

        ($draft, $report) = draft(slurp($file), $name, '--pointer', '/code');

        my @want = map { join ' ', (split)[0, 1] }
                   split /\n/, slurp("$root/t/data/$name.codes");
        my @got = map { join ' ', (split)[0, 1] } split /\n/, rows($draft);

        is_deeply([ sort @got ], [ sort @want ],
                  "$name: all @{[scalar @want]} codes and their statuses");
        like(build($draft, $name),
             qr/^$name\.gperf:\d+: class and title of code .* suggest/m,
             "$name: the build refuses the draft");
        is(build(decided($draft), $name), '',
           "$name: the build takes it once decided");
    }
}

done_testing();
