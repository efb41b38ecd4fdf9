package Draft::Cell;

# One cell of a table: its text, the codes and the status in it.

use strict;
use warnings;
use utf8;

use Exporter qw(import);

our @EXPORT = qw(clean kind codes has_code repair strict_code status reason
                 is_status begins_with_reason is_success uniq $success_re);

# a code and a status that em_check.awk accepts, and a message of success

my $code_re = qr{[A-Za-z0-9._:/-]{1,128}};
our $success_re = qr/(?:(?:请求|操作|(?:接口)?调用|返回|处理|响应|交易|查询)?成功
                       |success|正常(?:終了)?|(?:요청\s?)?성공|успе(?:х|шно)
                       |(?:\w+\s)?(?:exitos[oa]|con\séxito)|éxito|sucesso
                       |(?:\w+\s(?:realizad[oa]\s)?)?com\ssucesso|succès
                       |(?:opération\s)?réussie?|erfolg(?:reich)?|successo|başarılı
                       |sukces|(?:transaksi\s)?(?:berhasil|sukses)
                       |(?:giao\sdịch\s)?thành\scông)/xi;

# ... of a payment, and the name of a constant

my $approved_re = qr/(?:(?:the\ |this\ )?(?:transaction|payment|request|order)\ )?
                      (?:(?:is|was|has\ been)\ )?(?:approved|accepted)\.?/xi;
my $name_re = qr/(?:\w+_)?(?:e|err|error|ret|result|code|status|rc)_(?:ok|success)/i;

my $status_re = qr/(?!204|205|206|304)[2-5][0-9][0-9]/;

# the names that RFC 9110 and others gave to statuses

my %reason = map { split /=/ } split /\n/, <<'END_REASONS';
100=continue
101=switching protocols
200=ok
201=created
202=accepted
204=no content
206=partial content
301=moved permanently
302=found
303=see other
304=not modified
307=temporary redirect
308=permanent redirect
400=bad request
401=unauthorized
402=payment required
403=forbidden
404=not found
405=method not allowed
406=not acceptable
407=proxy authentication required
408=request timeout
409=conflict
410=gone
411=length required
412=precondition failed
413=payload too large
414=uri too long
415=unsupported media type
416=range not satisfiable
417=expectation failed
418=im a teapot
422=unprocessable entity
423=locked
424=failed dependency
425=too early
426=upgrade required
428=precondition required
429=too many requests
431=request header fields too large
451=unavailable for legal reasons
500=internal server error
501=not implemented
502=bad gateway
503=service unavailable
504=gateway timeout
505=http version not supported
507=insufficient storage
END_REASONS

my %status = map { (($reason{$_} =~ s/ //gr) => $_) } keys %reason;

@status{qw(unprocessablecontent contenttoolarge requestentitytoolarge
           requesttimedout badrequests gatewaytimedout
           requestedrangenotsatisfiable requesturitoolong requesttoolong)}
    = (422, 413, 413, 408, 400, 504, 416, 414, 413);


# the text of a cell without its markup; a footnote's mark becomes "*"

sub clean {
    my ($cell) = @_;

    my $tag = qr/a|b|br|code|div|em|font|i|img|kbd|nobr|p|s|samp|small|span|
                 strong|tt|u|var/xi;

    for ($cell) {
        s/^\s*<(?!br\b)(\w+)>\s*$/$1/i;
        s/^(\s*[A-Z]*-?[0-9]+)\*{2,4}\s*$/$1xx/;
        s/~~.*?~~/~~/g;
        s/<(del|s|strike)>.*?<\/\1>/~~/gi;
        s/<sup(?:\s[^>]*)?>\s*[\[(]?[0-9a-z*†‡,]{0,5}[\])]?\s*<\/sup>/*/gi;
        s/<su[bp](?:\s[^>]*)?>(.*?)<\/su[bp]>/$1/gi;
        s/(?<=[A-Za-z0-9`_*])\[\^[^\]]*\]_?/*/g;
        s/(?<=[A-Za-z0-9`])\s?\[(?:[0-9]{1,2}|\#\w*|\*)\]_(?!\w)/*/g;
        s/(?<=[A-Za-z0-9`])[⁰¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᶜ†‡※＊]+/*/g;
        s/\s*<br\s*\/?>\s*/, /gi if /^\s*[\w.-]+(?:\s*<br\s*\/?>\s*[\w.-]+)+\s*$/i;
        s/<br\s*\/?>/ /gi;
        s/<\/?(?:$tag)(?:\s[^>]*)?\/?>//g;
        s/!\[\]\(https?:\/\/img\.shields\.io\/badge\/([^-)\/]+)-[^)]*\)/$1/g;
        s/!?\[([^\]]*)\]\((?:[^()\s]|\([^()]*\))*(?:\s+"[^"]*")?\)/$1/g;
        s/\[([^\]]+)\]\[[^\]]*\]/$1/g;
        s/:[a-z]+(?::[a-z]+)?:`([^`<]*?)(?:\s*<[^`>]*>)?`/$1/g;
        s/\*\*|``?|\+{2}//g;
        s/(?<![A-Za-z0-9_])__(?=\S)([^_].*?[^_\s])__(?![A-Za-z0-9_])/$1/g;
        s/(?<![A-Za-z0-9_*\\])([_*])(?=\S)([^_*]+)(?<=\S)\1(?![A-Za-z0-9_*])/$2/g;
        s/(?<![A-Za-z0-9_*\\])_(\S[^*\s]*[^*\s_])_(?![A-Za-z0-9_*])/$1/g;
        s/\\([|_*\[\]()#+.!<>~{}`-])/$1/g;
        s/&lt;/</g;
        s/&gt;/>/g;
        s/&quot;/"/g;
        s/&(?:nbsp|\#160|thinsp);/ /g;
        s/&lowbar;/_/g;
        s/&[mn]dash;/–/g;
        s/&[lr]squo;/'/g;
        s/&[lr]dquo;/"/g;
        s/&hellip;/.../g;
        s/&[rx]arr;/→/gi;
        s/&#([0-9]{2,4});/chr $1/ge;
        s/&amp;/&/g;
        s/[\x{200b}-\x{200d}\x{2060}\x{feff}\x{ad}]//g;
        s/[\s\x{a0}\x{3000}]+/ /g;
        s/^ | $//g;
    }

    return $cell;
}


# The form of a code, or "".  The rest of a wrapped row has another form in the
# column of codes.

sub kind {
    my $cell = clean($_[0] // '');

    return 'number' if $cell =~ /^-?[0-9]+$/;
    return 'WORD' if $cell =~ /^[A-Z][A-Z0-9_.:-]+$/;
    return 'Word' if $cell =~ /^[A-Za-z][A-Za-z0-9]*[A-Z_.][A-Za-z0-9_.:-]*$/;
    return '';
}


# repair(cell): what is left of a cell of codes without notes, in plain digits,
# and the words for what was done

sub repair {
    my $cell = $_[0] // '';
    my @said;

    $cell =~ s/^(["'“”‘’「『\[<({]+)(.*?)["'“”‘’」』\]>)}]+$/$2/;

    if ($cell =~ tr/０-９Ａ-Ｚａ-ｚ＿．－，：／/0-9A-Za-z_.\-,:\//) {
        push @said, 'full-width characters';
    }

    $cell =~ tr/−‐‑﹣/-/;

    if ($cell =~ s/(?<=[A-Za-z0-9])\s*(?:\*+|\[\^?[0-9a-z]{1,2}\]|\^[0-9a-z]\^?
                                        |[#†‡§]+)$//x)
    {
        push @said, 'a footnote';
    }

    $cell =~ s/^(?:\*|†|‡)\s*(?=[A-Za-z0-9-])//;
    # Error 1001, 错误码1001; but ERR1001 and ERR-1 are codes

    $cell =~ s/^(?:(?:error|err|errcode|code)(?=\s|[:：=\#])|错误码?|エラー|코드|오류)?\s*
                (?:(?:code|no\.?)(?=\s|[:：=\#]))?\s*[:：=\#]?\s*(?=-?[0-9]+$)//xi;

    # code: 1001, reason: "no such thing"

    $cell =~ s/^code\s*[:=]\s*(["']?)([\w.-]+)\1(?:\s*,\s*\w+\s*[:=].*)?$/$2/i;

    # 400,403 and 400 403 are two statuses

    if ($cell =~ /^-?[0-9]{1,3}(?:[,' ][0-9]{3})+$/ && $cell !~ /^0/
        && $cell !~ /^[1-5][0-9][0-9][, ]/)
    {
        $cell =~ tr/0-9-//cd;
        push @said, 'separated thousands';
    }

    $cell =~ s/\s*[,;、，；:：。]$//;

    return ($cell, @said);
}


# the codes in a cell; a range contains "~", see Draft::Gperf

sub codes {
    return () if is_placeholder($_[0] // '');

    my ($cell) = repair($_[0]);

    if ($cell =~ /^0x[0-9A-F]+\s*[(（]\s*(-?[0-9]+)\s*[)）]$/i) {
        $cell = $1;
    }

    $cell =~ s/(?<=\S)\s*[(（].*//;
    $cell =~ s/^["'*]+|(?<![_.])["'*]+$//g;
    $cell =~ s/^(-?[0-9]{3,10}|[A-Z]{1,4}-?[0-9]{2,8})(?:\s*[:：–—]|\s+-|\s)\s*(?=[^\W0-9]|['"])
               (?![A-Z]{1,4}-?[0-9]{2,8}\b|(?:to|through|thru|bis|or|and|xx|x)\b|[至到或和]).*//x
        and $cell = $1 if !reason($cell);

    return () if is_family($cell) || $cell !~ /[A-Za-z0-9]/
                 || $cell =~ /^(?:19|20)[0-9]{2}([-\/.])[0-9]{1,2}\1[0-9]{1,2}$/
                 || $cell =~ m{^(?:n/?a|none|null|tbd|various|any|all)$}i
                 || $cell =~ m{^(?:https?:)?//|^/} && !is_problem($cell)
                 || $cell =~ /^[\w+-]+\.(?:h|c|cc|cpp|java|py|go|[jt]s|md|html?|json|xml|ya?ml
                              |proto|cs|swift|kt|rs|php|rb|pdf|txt)$/x;

    if ($cell =~ /^(-?[0-9]+)\s*
                  (?:-|~|～|–|—|〜|至|到|から|to|through|thru|bis|à|до|\.\.+|…)
                  \s*(-?[0-9]+)$/x)
    {
        my ($first, $last) = ($1, $2);

        ($first, $last) = ($last, $first) if $first < 0 && $last < $first;

        return "$first~$last" if (length $first > 1 || length $last > 1)
                                 && ($last !~ /^0./ || $first =~ /^0/);
    }

    my @codes = split m{\s*(?:[,，、;；/|]|\bor\b|\band\b|或|和)\s*|\s+}, $cell;
    my $kind = kind($codes[0]);

    return uniq(@codes)
        if @codes > 1 && $kind && !grep { kind($_) ne $kind } @codes
           and $kind ne 'number' || !grep({ length $_ < 3 } @codes)
               || $cell =~ /^-?\d+(?:\s*[,，、]\s+-?\d+)+$/
           and $cell !~ m{^[A-Z]+/[A-Z]+$};

    # Throttling, Throttling.User

    return uniq(@codes)
        if @codes > 1 && $cell !~ /[^,]\s+[^,\s]/
           && !grep({ !/^[A-Z][A-Za-z.]{3,}$/ } @codes) && grep { /\./ } @codes;

    return $cell =~ /^$code_re$/ ? ($cell) : ();
}


# the URI of a type of problems, as RFC 9457 has it

sub is_problem {
    my ($cell) = @_;

    return $cell =~ m{^https?://[\w.:-]+/(?:[\w.-]+/)*(?:errors?|problems?|probs?)/[\w./-]+$};
}


# whether a cell has a code; 0 is one

sub has_code {
    my @codes = codes($_[0]);

    return @codes > 0;
}


# EXXXXX, ERR-NNNN, E####: the form of a code, with marks in place of its digits

sub is_placeholder {
    my ($cell) = @_;

    return $cell =~ /(?:X{3,}|x{3,}|N{3,}|n{3,}|\#{2,})(?![A-Za-z])
                     |^(?!HTTP).*[0-9](?:XX|xx|NN|nn)$/x;
}


# 4xxx, 50**, 5000+, isv.*: many codes of which none is named

sub is_family {
    my ($cell) = @_;

    return $cell =~ /^-?[0-9]+[xX*?n#]+$|^[0-9]*[xX]{2,}$|^-?[0-9]+\s*\+$
                     |^[0-9]+_?[X]+$|[*]|\.\.\.$|…|\{\w*\}|^[<>≥≤]
                     |^[0-9]+[xX]{2,}[0-9]*$|以上$|以下$|其他|其它/x;
}


# whether it is a code by its form, whatever its column's name is

sub strict_code {
    my ($cell) = repair($_[0]);

    return 0 if is_placeholder($_[0] // '');
    return $cell =~ /^-?[0-9]{1,12}$/
           || $cell =~ /^0x[0-9A-F]{1,10}$/i
           || $cell =~ /^[A-Z][A-Z0-9]*(?:[_-][A-Z0-9]+)+$/
           || $cell =~ /^[A-Z]{3,}$/
           || $cell =~ /^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)+$/
           || $cell =~ /^[A-Za-z]{1,12}[_.-]?[0-9]{2,10}$/
           || $cell =~ /^[0-9]{2,6}(?:[.-][0-9A-Z]{1,6}){1,3}$|^[0-9](?:\.[0-9]){2,3}$/
           || $cell =~ /^[0-9A-F]{2}[0-9A-Z]{3}$/
           || $cell =~ /^[A-Za-z][a-z0-9]+(?:[A-Z]+[a-z0-9]*)+$/
           || $cell =~ /^[A-Za-z][A-Za-z0-9_-]*(?:[.:\/]+[A-Za-z0-9_-]+)+$/
           || $cell =~ /^[A-Z][A-Z0-9]+_[A-Za-z0-9_]+$/;
}


# the one status in a cell, or undef

sub status {
    my ($cell) = @_;

    my $text = ($cell // '') =~ tr/０-９/0-9/r;
    my @found = uniq($text =~ /(?<![0-9.])[0-9]{3}(?![0-9])/g);

    @found = reason($text) // () if !@found;

    return @found == 1 && $found[0] =~ /^$status_re$/ ? $found[0] : undef;
}


# reason(text): the status with this name, as "Bad Request", or undef

sub reason {
    my ($text) = @_;

    $text = lc($text // '');
    $text =~ s/^[1-5][0-9][0-9]\b//;
    $text =~ s/[^a-z]//g;

    return $status{$text};
}


# whether a text begins with the name of a status

sub begins_with_reason {
    my ($text, $status) = @_;
    my $name = ($reason{$status} // return 0) =~ s/ /[\\s_-]*/gr
               =~ s/timeout/time[\\s-]?out/r;

    return ($text // '') =~ /^\W*(?:\Q$status\E\W*)?$name(?![a-z]|[\w\s]*\w\s*$|\s+[a-z])/i;
}


# whether a number is a status that has a name

sub is_status {
    my ($number) = @_;

    return exists $reason{$number};
}


# whether a cell has nothing but a message of success

sub is_success {
    my ($cell) = @_;

    return $cell =~ /^(?:$success_re|$approved_re|$name_re|ok)$/i;
}


sub uniq {
    my %seen;

    return grep { !$seen{$_}++ } @_;
}


1;
