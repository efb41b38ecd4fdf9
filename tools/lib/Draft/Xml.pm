package Draft::Xml;

# The reader of XML: elements of one name whose attributes and children are the
# cells of a row.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(clean);
use Draft::Names qw(role);


# whole(document): the tables, if the document is XML

sub whole {
    my ($document) = @_;
    my $text = join "\n", @{ $document->lines };

    return () if $text !~ /^\s*<(?:\?xml|[A-Za-z][\w:.-]*)[^>]*>/
                 || $text !~ /^\s*<\?xml/
                    && $text =~ /<(?:!doctype html|html|table|div|h[1-6]|body|dl|ul|br)\b
                                 |^\s*(?:```|\#{1,6}\s|[-*]\s|\|.*\|\s*$)/xim;

    my (%rows, @order);

    while ($text =~ m{<([A-Za-z][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*
                      (?:/>|>((?:(?!<\1[\s>]).)*?)</\1\s*>)}gsx)
    {
        my ($element, $attributes, $inside) = ($1, $2, $3 // '');
        my $start = $-[3];
        my %cell;

        # an element of elements that have more is not a row

        if ($attributes eq '' && $inside =~ m{<[\w:.-]+(?:\s+[\w:.-]+\s*=|[^<>]*>\s*<\w)}
            || $inside =~ m{<([\w:.-]+)\s(?=[^<>]*\b(?:code|id|no|key)=)[^<>]*>.*<\1\s}s
            || grep { $_ ne $element && $inside =~ /<\Q$_\E\s/ } @order)
        {
            pos($text) = $start;
            next;
        }

        $cell{$1} = $2 // $3 while $attributes =~ /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

        while ($inside =~ m{<([\w:.-]+)[^>]*>([^<]*)</\1>}g) {
            $cell{$1} //= $2;
        }

        $cell{text} //= $inside if $inside !~ /</;
        next if keys %cell < 2;

        push @order, $element if !$rows{$element};
        push @{ $rows{$element} }, \%cell;
    }

    return () if !@order;

    my @tables = map { table($document, $_, @{ $rows{$_} }) }
                 grep { @{ $rows{$_} } > 1 } @order;

    $document->take(0, $#{ $document->lines }) if @tables;

    return @tables;
}


sub table {
    my ($document, $element, @rows) = @_;
    my %times;

    $times{$_}++ for map { keys %$_ } @rows;

    my @head = sort { role($b) =~ /code$/ <=> role($a) =~ /code$/ || $a cmp $b }
               keys %times;

    return { $document->place(0), form => 'elements of XML',
             where => "<$element>", heading => $element, headings => [],
             head => \@head,
             rows => [ map { my $row = $_;
                             [ map { clean($row->{$_} // '') } @head ] } @rows ] };
}


1;
