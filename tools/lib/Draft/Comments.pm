package Draft::Comments;

# Comments and attributes in source text: their words and statuses, and lines
# without them.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(reason);
use Draft::Literals;
use Exporter qw(import);

our @EXPORT = qw(attribute comment note remark status_in strip);


# remark(state, i, line): how many lines more a comment before a constant has, or
# undef

sub remark {
    my ($state, $i, $text) = @_;

    return block($state, $i, $text, qr{\*/}, 1) if $text =~ m{^\s*/\*} && $text !~ m{\*/};
    return block($state, $i, $text, qr/$1/, 0)
        if $text =~ /^\s*(?:r|u)?("""|''')(?!.*\1)/;

    return undef if $text !~ m{^\s*(?://+[!<]?|/\*.*\*/\s*$
                               |\#(?!\s*define|\[|include|if|end|el|pragma|undef)
                               |--\s|;;|%|\*\s|""")}x;

    my $comment = comment($text);
    my $status = status_in($comment);

    if (defined $status) {
        $state->{section} = $status;

    } else {
        $state->{comment} = $state->{comment} ne '' && $comment ne ''
                            ? "$state->{comment} $comment" : $comment;
    }

    return 0;
}


# a comment of several lines, or a string that is one and says nothing

sub block {
    my ($state, $i, $text, $end, $says) = @_;
    my @comment = $text;
    my $more = 0;

    while ($i + $more + 1 < @{ $state->{lines} }) {
        push @comment, $state->{lines}[$i + ++$more];
        last if $comment[-1] =~ $end;
    }

    return $more if !$says;

    ($state->{status}) = "@comment" =~ /\@\w*(?:http|status)\w*\W{1,4}([1-5]\d\d)\b/i
        if "@comment" =~ /\@\w*(?:http|status)/i;
    $state->{comment} = comment(@comment);

    return $more;
}


# attribute(state, i, line): 0 after an attribute or an annotation, or undef

sub attribute {
    my ($state, undef, $text) = @_;

    return undef if $text !~ /^\s*(?:\#\[.*\]|\@[\w.]+(?:\(.*\))?|\[\w+(?:\(.*\))\])\s*$/;

    note($state, $text);

    return 0;
}


# note(state, attribute): what it says of the constant below: its text, its status,
# or the word that stands for it on the wire

sub note {
    my ($state, $text) = @_;
    my ($said) = $text =~ /($string)/;

    $state->{comment} = unquote($said) if defined $said && $said =~ / /;
    $state->{wire} = unquote($said)
        if defined $said && $said !~ / / && ($state->{enum} || $text =~ /Enum/)
           && $text =~ /(?:Json|Serial|Enum|Xml)\w*(?:Value|Name|Property|Member|Const)\b
                        |\bserde\b.*\brename\b/x;
    $state->{wire} = $1
        if $text =~ s/"[^"]* [^"]*"/""/gr =~ /\b(?:err(?:or)?|fault)?_?code\s*[(=]\s*
                                              (?:value\s*=\s*)?"?([\w.-]+)"?\s*[,)]/xi;
    $state->{status} = http_status($1) // $state->{status}
        if $text =~ /\w*(?:http|status)\w*\s*\(\s*([\w.:]+)\s*\)/i;
}


# a line without the comment at its end, and that

sub strip {
    my ($text) = @_;
    my $comment = '';

    $text =~ s/^(-define\(.*\)\.)\s*%+\s*(.*)$/$1/ and $comment = $2;
    $text =~ s{(,)?\s*/\*[!*<]*\s*(.*?)\s*\*/}{$comment = $2; $1 // ''}ge;

    if ($text =~ m{^((?:$string|[^"'`/#-]|/(?![/*])|(?<!\s)\#|^\s*\#|\#\[|-(?!-\s)|["'`](?!.*["'`]))*?)
                   (?://+[!<]*|(?<=\s)\#(?!\[)|--\s|/\*)\s*(.*)$}x)
    {
        my ($code, $rest) = ($1, $2);

        if ($code =~ /\S/ || $rest =~ /\S/) {
            ($text, $comment) = ($code, $rest =~ s{\s*\*/\s*$}{}r);
        }
    }

    return ($text =~ s/\s+$//r, $comment);
}


sub comment {
    my $text = join ' ', @_;

    for ($text) {
        s/\@\w+\(\s*["']([^"']*)["']\s*\)/$1/g;
        s/\@\w*(?:http|status)\w*\(\s*([1-5][0-9][0-9])\s*\)/HTTP $1/gi;
        s{^\s*(?:/\*+!?|//+[!<]*|\#+|--+|;+|%+|"""|\*)\s*}{};
        s{\*/|"""}{}g;
        s{\s+\*\s+}{ }g;
        s{\@\w+(?:\s\w+)?}{}g;
        s/^\s*\*?\s*|[\s.。]+$//g;
        s/\s+/ /g;
    }

    return $text;
}


# the status of a comment that has nothing but its number and its name, or undef

sub status_in {
    my ($comment) = @_;

    return $1 if $comment =~ /^\s*(?:HTTP\s*)?([45][0-9][0-9])\s*$/i;

    my ($status) = $comment =~ /(?<![0-9.])([2-5][0-9][0-9])(?![0-9])/ or return undef;

    return (reason($comment =~ s/$status//r) // 0) == $status ? $status : undef;
}


1;
