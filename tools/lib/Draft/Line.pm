package Draft::Line;

# The code at the beginning of a heading, of an item of a list or of another line.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(clean strict_code);
use Draft::Names qw(role);
use Exporter qw(import);

our @EXPORT = qw(code);

my $dash = qr/\s*(?:[-–—:：=→|]|->|=>|::)+\s*/;
my $after = qr/(?:$dash|\s+|$)/;
my $number = qr/-?[0-9]{1,10}|0x[0-9A-Fa-f]+/;
my $word = qr{[A-Za-z][A-Za-z0-9_.:/-]*[A-Za-z0-9]};
my $status = qr/[1-5][0-9][0-9]/;
my $lead = qr/(?:(?:errors?|status(?!\W+[1-5]\d\d\b)|error\s?codes?|err|codes?|ошибка|код)
                  (?=[\s:：\#])
               |错误码?|错误代码|返回码|エラー|エラーコード|코드|오류)\s*[:：\#]?\s*/xi;

# a number that counts or measures something

my $unit = qr{[/%°]|(?:px|ms|kb|mb|seconds?|minutes?|hours?|days?|times?|years?
              |characters?|of|[x×*+])\b}xi;

# The forms of a line, the first that fits decides: each returns undef, or [ code,
# text, form of the code ], or [] where there is none.

my @forms = (\&status_first, \&with_status, \&name_and_number, \&with_value,
             \&letter_and_digit, \&numbered, \&hexadecimal, \&equal, \&http_after, \&mixed,
             \&word_and_status, \&lone_word);


# code(line, kind): the code, the text and the form, or nothing; a text may begin
# with "HTTP 404 | "

sub code {
    my ($raw, $kind) = @_;
    my $text = unlabelled(clean($raw), $kind)
               =~ s/^["'“]($number|$word)["'”](?=\W|$)/$1/r;
    my $line = { raw => $raw, text => $text, kind => $kind,
                 bare => $text =~ s/^[\[(（【<]\s*($number|$word)\s*[\])）】>]/$1/r,
                 marked => scalar $raw =~ /^\s*(?:(?:\*\*|__)?`|\*\*|__)/ };

    for my $form (@forms) {
        my $found = $form->($line);

        return @$found if $found;
    }

    return ();
}


# a heading without the word for a code before it, in whatever language

sub unlabelled {
    my ($text, $kind) = @_;

    my ($label, $rest) = $text =~ /^([^\W\d_][\w' -]{0,24}?)
        (?:\s*[:：]\s*|\s+(?=\S*[0-9]))((?:$number|$word)$after.*)$/x;

    return $kind =~ /^heading/ && defined $label && role($label) =~ /^(?:err)?code$/
           ? $rest : $text;
}


# 404 - `no_such_thing`: text

sub status_first {
    my ($line) = @_;
    my ($said, $code, $text) = $line->{raw} =~ /^(?:\*\*)?([45][0-9][0-9])[\s*]*[-–—:：]
        [\s*]*`($word)`[\s*]*[-–—:：]\s*(.*)$/x or return undef;

    return strict_code($code) ? [ $code, "HTTP $said | " . clean($text), form($code) ]
           : undef;
}


# 1001 (HTTP 404): no such thing

sub with_status {
    my ($line) = @_;

    return undef if $line->{text} !~ /^$lead?($number)\s*[(（\[]\s*(?:HTTP|status)[\s\w:：]*?
                                      ($status)\b[^)）\]]*[)）\]]$after(.*)$/xi;
    return [ value($1), "HTTP $2 | $3", 'number' ];
}


# INVALID_TOKEN (1001), INVALID_TOKEN - 1001

sub name_and_number {
    my ($line) = @_;
    my ($name, $code, $text) = $line->{text} =~ /^($word)\s*[(（\[]\s*(?:code\s*[:=]?\s*)?
        ($number)\s*[)）\]]$after(.*)$/xi;

    return [ $2, "HTTP $3 | $1" . ($4 eq '' ? '' : " | $4"), 'number' ]
        if $line->{text} =~ /^($word)\s*[(（\[]\s*code\s*[:=]?\s*($number)\s*[,;]\s*
                              (?:HTTP|status)\D{0,10}($status)\s*[)）\]]$after(.*)$/xi;

    ($name, $code, $text) = ($1, $2, '')
        if !defined $code && $line->{kind} =~ /^heading/
           && $line->{text} =~ /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)$dash($number)$/;

    return undef if !defined $code;

    return $code =~ /^$status$/ ? undef
           : [ $code, $text eq '' ? $name : "$name | $text", 'number' ];
}


# INVALID_TOKEN (value: "InvalidToken")

sub with_value {
    my ($line) = @_;

    return undef if $line->{text} !~ /^($word)\s*\(value:?\s*["'“]?($number|$word)["'”]?\s*\)
                                      \s*(.*)$/xi;
    return [ $2, "$1 | $3", form($2) ];
}


# Code N7: no such thing

sub letter_and_digit {
    my ($line) = @_;

    return undef if $line->{bare} !~ /^$lead(?<=[\s:：\#])((?=[A-Z]*[0-9])(?=[0-9]*[A-Z])
                                      [0-9A-Z]{2,3})$dash(.*)$/x;
    return [ $1, $2, 'coded' ];
}


# 1001 - no such thing; not a range, nor a measure

sub numbered {
    my ($line) = @_;
    my ($code, $text) = $line->{bare} =~ /^$lead?($number)(?![.,]?[0-9A-Za-z])\W{0,3}?$after
                                          ((?![.)])\S.*)?$/x or return undef;

    $text //= '';

    return [] if $line->{kind} eq 'line' && $text eq '' && !$line->{marked}
                 || $line->{bare} =~ /^$lead?$number\s*[-–—~～至]\s*[0-9]+(?![\w.])/
                 || $text =~ /^$unit/;
    return [ $code, $text, $line->{bare} =~ /^[-0-9]/ ? 'number' : 'coded' ];
}


# INVALID_TOKEN = 0x1001 (4097): expired

sub hexadecimal {
    my ($line) = @_;

    return undef if $line->{bare} !~ /^($word)\s*=\s*0x[0-9A-F]+\s*\((-?[0-9]+)\)
                                      (?:$dash(.*))?$/xi;
    return [ $2, join(' | ', $1, $3 // ''), 'number' ];
}


# INVALID_TOKEN = 1001, -- expired

sub equal {
    my ($line) = @_;
    my ($name, $code, $text) = $line->{bare} =~ m{^($word)\s*[:=：]\s*($number)\s*[,;.]?\s*
        (?:(?://+|\#|--|/\*|-|–)\s*(.*))?$}x or return undef;

    return $code =~ /^$status$/ ? undef
           : [ value($code), join(' | ', $name, $text // ''), 'number' ];
}


# order.gone HTTP 410 - it is no more, order.gone 410 - it is no more

sub http_after {
    my ($line) = @_;
    my ($code, $said, $text) = $line->{bare} =~ /^($word)\s+(?:HTTP\s*($status)\b$after
                                                          |([45][0-9][0-9])$dash)(.*)$/x
                               ? ($1, $2 // $3, $4) : return undef;

    return strict_code($code) ? [ $code, "HTTP $said | $text", form($code) ] : undef;
}


# E1001 no such thing; `E-1` no such thing

sub mixed {
    my ($line) = @_;
    my $digits = $line->{raw} =~ /^\s*(?:\*\*)?`/ ? qr/[0-9]{1,8}/ : qr/[0-9]{2,8}/;

    return undef if $line->{kind} !~ /^(?:heading|list)/
                    || $line->{bare} !~ /^([A-Z]{1,8}[-_]?$digits)\s+([^\s\d:–—-].*)$/;
    return [ $1, $2, 'mixed' ];
}


# no_such_thing (404): text

sub word_and_status {
    my ($line) = @_;
    my ($code, $said, $text) = $line->{bare} =~ /^($word)\s*[(（\[]\s*(?:HTTP\s*)?($status)
        [^)）\]]*[)）\]]$after(.*)$/xi or return undef;

    return undef if !strict_code($code) && !$line->{marked};
    return [ $code, "HTTP $said | $text", $line->{kind} eq 'term' ? '' : form($code) ];
}


# a word that looks like a code, or is marked as one

sub lone_word {
    my ($line) = @_;
    my ($said, $code, $between, $text)
        = $line->{bare} =~ /^(?:(?:HTTP\s*)?($status)\s*[-:|\/]?\s+)?
              (?:$lead(?<=[\s:：\#]))?($word)(?:($dash)|\s{2,}|\s+(?=[(（])|$)(.*)$/x
        or return undef;

    return [] if $text eq '' && !$line->{marked} && $line->{kind} eq 'line'
                 || $code =~ m{^https?:|^www\.|//|^[a-z]+\.(?:com|org|io|md|html?)}i;
    return [] if !strict_code($code)
                 && !($line->{marked} && $line->{kind} =~ /list|term/ && defined $between
                      && $code =~ /^(?:[a-z]+|[A-Z]+)$/);
    return [ $code, ($said ? "HTTP $said | " : '') . $text, form($code) ];
}


sub value {
    my ($text) = @_;

    return $text =~ /^0x/i ? hex $text : $text;
}


sub form {
    my ($code) = @_;

    return $code =~ /[a-z]/ ? $code =~ /[A-Z]/ ? 'Word' : 'word'
           : $code =~ /[0-9]/ && $code !~ /_/ ? 'mixed' : 'WORD';
}


1;
