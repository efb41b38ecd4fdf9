package Draft::Conf;

# The text of an error_map_document block for nginx.conf.

use strict;
use warnings;

use Draft::Cell qw(uniq);
use Draft::Gperf;


# text(name, rows, pointers, success, fields): pointers and success are arrays of
# the source of a guess, or "", and the values; fields are [name, pointer].  "# ?"
# marks what a person has to decide or to confirm; nginx rejects the word "TODO".

sub text {
    my ($name, $rows, $pointers, $success, $fields) = @_;

    return "# TODO: the vendor, the document and its date\n\n"
           . "error_map_document $name {\n" . sources(@$pointers)
           . success(@$success) . fields(@$fields) . "\n"
           . join('', map { row($_) } $rows->all) . "}\n";
}


sub sources {
    my ($guess, @pointers) = @_;

    return "    source   json  TODO;    # ? which member of a body has the code\n"
        if !@pointers;

    return join '', map {
        '    source   json  ' . word($_) . ';' . guess($guess) . "\n"
    } @pointers;
}


sub success {
    my ($guess, @codes) = @_;

    return '    success  ' . join(' ', map { word($_) } @codes) . ';'
           . guess($guess) . "\n";
}


sub fields {
    return join '', map {
        sprintf "    field    %-10s  json  %s;%s\n", $_->[0], word($_->[1]),
                guess('a body')
    } @_;
}


sub guess {
    my ($guess) = @_;

    return '' if $guess eq '';

    $guess =~ s/\s+/ /g;

    return "    # ? a guess from $guess";
}


sub row {
    my ($entry) = @_;

    return "    # $entry->{comment}\n" if defined $entry->{comment};

    my $range = Draft::Gperf::range($entry);
    my $code = defined $range ? "range $range" : code($entry->{code});
    my @notes = (@{ $entry->{said} },
                 map { "TODO: $_" } uniq(@{ $entry->{mark} }));

    return join '', map({ "    # $_\n" } @notes),
                sprintf "    %-22s %-4s %-19s \"%s\";    # ?\n", $code,
                        $entry->{status} || '-', @$entry{qw(class title)};
}


# a code that is a keyword or looks like a range needs "code" before it

sub code {
    my ($code) = @_;
    my $keyword = qr/include|source|success|range|prefix|pattern|default|code
                    |field|charset|retry_after|TODO/x;

    return 'code ' . word($code) if $code =~ /^(?:$keyword)$/
                                    || $code =~ /^-?[0-9]+--?[0-9]+$/;
    return word($code);
}


sub word {
    my ($word) = @_;

    return $word if $word =~ m{^[A-Za-z0-9._:/~-]+$};

    $word =~ s/(["\\])/\\$1/g;

    return "\"$word\"";
}


1;
