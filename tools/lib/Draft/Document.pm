package Draft::Document;

# A document that several readers take parts of: its lines, the headings above
# each, and the lines that are examples.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(clean);


sub new {
    my ($class, $text) = @_;
    my $self = bless { line => [split /\n/, front_matter($text), -1] }, $class;

    $self->find_examples;
    $self->drop_comments;
    $self->find_headings;

    return $self;
}


# the settings above a page of Markdown say nothing of codes, but have its title

sub front_matter {
    my ($text) = @_;
    my ($matter) = $text =~ /\A(---\n(?:[\w-]+:.*\n|\s.*\n|-\s.*\n|#.*\n|\n)+?---\n)/
        or return $text;

    return $text if $matter !~ /^(?:title|layout|sidebar\w*|description|slug|weight):/m;

    my ($title) = $matter =~ /^title:\s*["']?(.*?)["']?\s*$/m;

    substr $text, 0, length $matter,
           (defined $title ? "# $title\n" : "\n") . "\n" x (($matter =~ tr/\n//) - 1);

    return $text;
}


# comments of HTML, where a text is no example, hide what is no longer true

sub drop_comments {
    my ($self) = @_;
    my $line = $self->{line};
    my $open = 0;

    for my $i (grep { !$self->{fenced}[$_] } 0 .. $#$line) {
        $line->[$i] =~ s/^.*?-->// and $open = 0 if $open;
        $line->[$i] = '' if $open;
        $line->[$i] =~ s/<!--.*?-->//g;
        $open = 1 if $line->[$i] =~ s/<!--.*//;
    }
}


sub lines {
    return $_[0]{line};
}


# whether a line is an example's

sub fenced {
    my ($self, $i) = @_;

    return $self->{fenced}[$i];
}


# fenced blocks of Markdown, and listings of AsciiDoc

sub find_examples {
    my ($self) = @_;
    my $line = $self->{line};
    my ($fence, @fenced);

    for my $i (0 .. $#$line) {
        if ($line->[$i] =~ /^\s*(?:[-*+>]\s+)?(```+|~~~~*)(?!.*`)/
            && (!$fence || $fence eq substr $1, 0, 3))
        {
            $fence = $fence ? undef : substr $1, 0, 3;
            $fenced[$i] = 1;

        } elsif ($line->[$i] =~ /^(-{4,}|\.{4,})\s*$/
                 && ($fence ? $fence eq $1 : is_listing($line, $i, $1)))
        {
            $fence = $fence ? undef : $1;
            $fenced[$i] = 1;

        } elsif ($fence) {
            $fenced[$i] = 1;
        }
    }

    $self->{fenced} = \@fenced;
}


# a listing of AsciiDoc: below [source] or ".Title", and closed

sub is_listing {
    my ($line, $i, $fence) = @_;

    return $i > 0 && $line->[$i - 1] =~ /^\[|^\.\w/
           && grep { $_ =~ /^\Q$fence\E\s*$/ } @$line[$i + 1 .. $#$line];
}


# level[i] and title[i] of the lines that are headings

sub find_headings {
    my ($self) = @_;
    my $line = $self->{line};
    my (@level, @title, %style);

    for my $i (0 .. $#$line) {
        next if $self->{fenced}[$i];

        my $text = $line->[$i];
        my $next = $line->[$i + 1] // '';

        if ($text !~ /^#(?:define|include|if|ifdef|ifndef|endif|else|undef)\b/
            && $text =~ /#\s|#[^\x00-\x7f]/
            && $text =~ /^\s{0,3}(#{1,6})\s*(\S.*?)\s*#*\s*$/)
        {
            ($level[$i], $title[$i]) = (length $1, $2);

        } elsif ($text =~ /^(={1,6})\s+(\S.*?)\s*=*$/) {
            ($level[$i], $title[$i]) = (length $1, $2);

        } elsif ($text =~ /^\S/ && $text !~ /[|]/ && length $text <= 100
                 && $next =~ /^([=~^"'`#*+:.-])\1{2,}\s*$/
                 && length $next >= length($text) / 2
                 && $text !~ /^(\W)\1+\s*$/ && $text !~ /^\s*[-*]\s/)
        {
            ($level[$i], $title[$i]) = (6 + ($style{$1} //= keys %style), $text);

        } elsif ($text =~ /^\s*(?:\*\*|__)([^*]{2,80})(?:\*\*|__)[:：]?\s*$/) {
            ($level[$i], $title[$i]) = (20, $1);

        } elsif ($text =~ /^\s*['"]?([1-5][0-9][0-9])['"]?:\s*$/) {
            ($level[$i], $title[$i]) = (22, $1);

        } elsif ($text =~ /^\.([A-Z][^.].*)$/ || $text =~ /^\.\. table::\s*(\S.*)/) {
            ($level[$i], $title[$i]) = (21, $1);
        }
    }

    $self->{level} = \@level;
    $self->{title} = [ map { defined ? clean($_) : undef } @title ];
}


# headings(i): those that a line is below, from the first level to the last

sub headings {
    my ($self, $i) = @_;
    my ($level, @headings) = ($self->{level}[$i] // 99);

    while (--$i >= 0) {
        my $found = $self->{level}[$i] // next;

        if ($found < $level) {
            unshift @headings, $self->{title}[$i];
            $level = $found;
        }
    }

    return @headings;
}


# near(i): the text right above a line, if it is short, or ""

sub near {
    my ($self, $i) = @_;
    my $line = $self->{line};

    do { $i-- } while $i >= 0 && !$self->{fenced}[$i]
                      && ($line->[$i] !~ /[^\s|:+=~^.-]/
                          || $line->[$i] =~ /^\s*(?:\[[^\]]*\]|:\w[\w-]*:.*
                                                 |\.\.\s.*|<[^>]*>)\s*$/x);

    return '' if $i < 0 || $self->{fenced}[$i]
                 || $line->[$i] =~ /\||\(\s*$|\bfunction\b.*\{\s*$|=>/;

    my $near = clean($line->[$i]);

    $near =~ s/^(?:[#*+=-]+|[0-9.]+[、.)])\s*//;
    $near =~ s/\s+[#=]+$//;

    return $near;
}


# introduction(i): the sentences between a line and the heading above it

sub introduction {
    my ($self, $i) = @_;
    my @lines;

    while (--$i >= 0 && !defined $self->{level}[$i]) {
        my $text = $self->{line}[$i];

        unshift @lines, $text
            if !$self->{fenced}[$i] && $text =~ /\w/
               && $text !~ /^\s*(?:[-*+>|<]\s?|\d+[.)]\s|[.:]|.*\|)/;
    }

    return join ' ', @lines;
}


# the sentences above the first table

sub overview {
    my ($self) = @_;

    return $self->{overview} //= do {
        my ($first) = grep { $self->{line}[$_] =~ /^\s*\||<table\b/i && !$self->{fenced}[$_] }
                      0 .. $#{ $self->{line} };

        join ' ', map { clean($_) }
                  grep { /\w/ && !/^\s*#/ }
                  map { $self->{fenced}[$_] ? () : $self->{line}[$_] } 0 .. ($first // 0) - 1;
    };
}


# place(i): what a table needs to know of the document around its first line

sub place {
    my ($self, $i) = @_;
    my $near = $self->near($i);
    my $short = length $near <= 60 && $near !~ /[。，,;；]/;

    return (where => 'line ' . ($i + 1), line => $i + 1,
            heading => $short ? $near : '', near => $near,
            introduction => $self->introduction($i), overview => $self->overview,
            headings => [ $self->headings($i) ]);
}


# replace(text): the same document in another form

sub replace {
    my ($self, $text) = @_;

    %$self = %{ Draft::Document->new($text) };
}


# take(first, last): these lines were read, and are blank for other readers

sub take {
    my ($self, $first, $last) = @_;

    $_ = '' for @{ $self->{line} }[$first .. $last];
    @{ $self->{fenced} }[$first .. $last] = ();
}


1;
