package Draft::Formats;

# Formats that few documents have, written as ones that the readers know: tables
# of LaTeX and DocBook, comments of Doxygen and apiDoc, enumerations of XML Schema
# and of Visual Basic, constants of Pascal, errors of Smithy, responses of API
# Blueprint, strings of applications.

use strict;
use warnings;
use utf8;

my @formats = (\&docbook, \&latex, \&doxygen, \&apidoc, \&schema, \&smithy,
               \&blueprint, \&strings, \&basic, \&pascal);


# known(text): the text, or what is the same in a format that is known

sub known {
    my ($text) = @_;

    $text = $_->($text) for @formats;

    return $text;
}


sub docbook {
    my ($text) = @_;

    if ($text =~ /<tgroup\b/ && $text =~ /<entry\b/) {
        $text =~ s{(<thead\b.*?</thead>)}{$1 =~ s/<(\/?)entry\b/<$1th/gr}gse;
        $text =~ s/<(\/?)entry\b/<$1td/g;
        $text =~ s/<(\/?)row\b/<$1tr/g;
        $text =~ s/<(\/?)informaltable\b/<$1table/g;
        $text =~ s/<(\/?)(?:literal|constant|errorcode|varname)\b/<$1code/g;
        $text =~ s/<\/?(?:tgroup|colspec|para|simpara)\b[^>]*>//g;
        $text =~ s{(<table\b[^>]*>\s*)<title>(.*?)</title>}{$1<caption>$2</caption>}gs;
        $text =~ s/<(\/?)title\b/<$1h2/g;
    }

    return $text;
}


sub latex {
    my ($text) = @_;

    $text =~ s{\\begin\{(tabularx?|tabulary|longtable|tblr)\}(.*?)\\end\{\1\}}
              {latex_table($2)}gse;

    return $text;
}


sub latex_table {
    my ($body) = @_;
    my $braces = qr/\{(?:[^{}]|\{[^{}]*\})*\}/;
    my @rows;

    $body =~ s/^\s*(?:\[\w*\]|$braces)+//;
    $body =~ s/\\(?:hline|toprule|midrule|bottomrule|endhead|endfirsthead|endfoot
                   |endlastfoot|cline$braces|caption$braces|label$braces)//gx;

    for (split /\\\\(?:\[[^\]]*\])?/, $body) {
        s/\\(?:textbf|texttt|textit|emph|verb|code|small)\s*\{((?:[^{}]|\\[{}])*)\}/$1/g;
        s/\\([_#&%\$\{\}])/$1 eq '&' ? "\x{1}" : $1/ge;
        s/\s+/ /g;
        push @rows, [ map { s/^ | $//gr =~ tr/\x{1}/&/r } split /&/ ] if /\w/;
    }

    return '' if !@rows;

    my @line = map { '| ' . join(' | ', map { s/\|/\\|/gr } @$_) . ' |' } @rows;

    splice @line, 1, 0, '|' . '---|' x @{ $rows[0] };

    return "\n" . join("\n", @line) . "\n";
}


# @retval -1 no such device

sub doxygen {
    my ($text) = @_;
    my $retval = qr/^[ \t]*(?:\*|\/\/[\/!]?)?[ \t]*[\@\\]retval[ \t]+/m;

    return $text if 2 > (() = $text =~ /$retval/g);

    $text =~ s/$retval([\w.:-]+)[ \t]*/\n- $1 - /g;

    return "# Error codes\n\n" . $text;
}


# @apiError (Errors) {Number} 1001 no such account

sub apidoc {
    my ($text) = @_;
    my $error = qr/^[ \t]*\*?[ \t]*\@apiError[ \t]+(?:\(([^)\n]*)\)[ \t]*)?(?:\{[^}\n]*\}[ \t]*)?/m;

    return $text if 2 > (() = $text =~ /$error/g);

    my @found;

    while ($text =~ /$error([\w.:-]+)[ \t]*(.*)$/mg) {
        my ($group, $code, $said) = ($1 // '', $2, $3);
        my ($status) = $group =~ /\b([45][0-9][0-9])\b/;

        push @found, "- `$code`" . (defined $status ? " (HTTP $status)" : '') . " - $said";
    }

    return join "\n", '# Error codes', '', @found, '';
}


sub schema {
    my ($text) = @_;
    my $value = qr/<(?:\w+:)?enumeration\s+value\s*=\s*"([^"]+)"\s*/;

    return $text if $text !~ /<(?:\w+:)?schema\b/ || 2 > (() = $text =~ /$value/g);

    my @found;

    while ($text =~ m{<(?:\w+:)?simpleType\s+name\s*=\s*"(\w+)"(.*?)</(?:\w+:)?simpleType>}gs) {
        my ($name, $inside) = ($1, $2);

        push @found, '', "# $name", '';

        while ($inside =~ m{$value(?:/>|>(.*?)</(?:\w+:)?enumeration>)}gs) {
            my ($code, $said) = ($1, $2 // '');

            $said =~ s/<[^>]*>|\s+/ /g;
            push @found, "- `$code` - $said";
        }
    }

    return join "\n", @found, '';
}


# /// text, @httpError(404), structure NAME

sub smithy {
    my ($text) = @_;

    return $text if $text !~ /^\@httpError\(/m;

    my @found;

    while ($text =~ /^((?:\/\/\/.*\n)*)((?:\@.*\n)+)structure\s+(\w+)/mg) {
        my ($said, $traits, $name) = ($1, $2, $3);
        my ($status) = $traits =~ /^\@httpError\(([1-5][0-9][0-9])\)/m;

        $said =~ s/^\/\/\/\s*//mg;
        push @found, "- `$name`" . (defined $status ? " (HTTP $status)" : '')
                     . ' - ' . $said =~ s/\s+/ /gr
            if $traits =~ /^\@error\b/m;
    }

    return join "\n", '# Errors', '', @found, '';
}


# + Response 404 (application/json)

sub blueprint {
    my ($text) = @_;

    $text =~ s/^\s*\+\s+Response\s+([1-5][0-9][0-9])\b.*\n((?:\s*\n|[ \t]{8,}.*\n)+)
              /\n##### HTTP $1\n\n```json\n$2```\n/mgx;

    return $text;
}


# "error.1001" = "no such account"; <string name="error_1001">...</string>

sub strings {
    my ($text) = @_;
    my @line = grep { /\S/ && !m{^\s*(?://|/\*.*\*/\s*$)} } split /\n/, $text;
    my $pair = qr/^\s*"([\w.-]+)"\s*=\s*"(.*)"\s*;\s*$/;

    if (@line > 1 && !grep { !/$pair/ } @line) {
        return join "\n", (map { /$pair/ ? "$1=$2" : () } @line), '';
    }

    if ($text =~ /<resources\b/) {
        my $name = qr/(?:\w+_)?(?:err|error|code|msg)\w*_-?[0-9]+/i;
        my @found;

        push @found, "$1=$2"
            while $text =~ m{<string\s+name\s*=\s*"($name)"[^>]*>([^<]*)</string>}g;

        return join "\n", @found, '' if @found > 1;
    }

    return $text;
}


# Enum Name, Member = 1001, End Enum

sub basic {
    my ($text) = @_;

    return $text if $text !~ /^\s*End\s+Enum\b/mi;

    $text =~ s/<\/?summary>//g;
    $text =~ s/^\s*\'+\s*/    \/\/ /mg;
    $text =~ s/^\s*(?:(?:Public|Private|Friend)\s+)?Enum\s+(\w+).*$/enum $1 {/mgi;
    $text =~ s/^\s*End\s+Enum\b.*$/}/mgi;
    $text =~ s/^(\s*\w+\s*=\s*)&H([0-9A-F]+)&?/${1}0x$2/mgi;
    $text =~ s/^(\s*\w+\s*=\s*-?\w+)\s*(?:'\s*(.*))?$/defined $2 ? "$1, \/\/ $2" : "$1,"/mge;

    return $text;
}


# NAME = $3EB; { text }

sub pascal {
    my ($text) = @_;

    return $text if $text !~ /^\s*const\s*$/mi;

    $text =~ s/^(\s*\w+\s*=\s*)\$([0-9A-F]+)\s*;/${1}0x$2;/mgi;
    $text =~ s/;\s*\{\s*(.*?)\s*\}\s*$/; \/\/ $1/mg;

    return $text;
}


1;
