package Draft::Comments;

# Comments in source text: their words, and lines without them.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(reason);
use Draft::Literals;
use Exporter qw(import);

our @EXPORT = qw(comment status_in strip);


# a line without the comment at its end, and that

sub strip {
    my ($text) = @_;
    my $comment = '';

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
        s{^\s*(?:/\*+!?|//+[!<]*|\#+|--+|;+|"""|\*)\s*}{};
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
    my ($status) = $comment =~ /(?<![0-9.])([2-5][0-9][0-9])(?![0-9])/ or return undef;

    return (reason($comment =~ s/$status//r) // 0) == $status ? $status : undef;
}


1;
