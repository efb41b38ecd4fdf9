package Draft::Html;

# The reader of tables in HTML, alone or in Markdown.  A document in HTML becomes
# Markdown apart from its tables, for the other readers.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(clean has_code strict_code uniq);
use Draft::Names qw(role);


# what tells HTML, or components that have a title, from text

my $titled = qr/<[A-Z]\w*\s[^<>]*?\btitle=\{?(?:"([^"<>]*)"|'([^'<>]*)')\}?[^<>]*>/;
my $page = qr/<(?:html|body|h[1-6]|dl|li|summary|div|pre)\b|(?-i:$titled)/i;


# tables(document): its tables; a cell over several rows or columns has spans

sub tables {
    my ($document) = @_;
    my $text = join "\n", map { $document->fenced($_) ? '' : $document->lines->[$_] }
                          0 .. $#{ $document->lines };
    my @tables;

    $text = components(plain_jsx($text));

    return () if $text !~ /$page|<(?:table|tr)\b/i;

    eval { require HTML::TreeBuilder; 1 }
        or die "$0: HTML::TreeBuilder is missing, install libhtml-tree-perl\n";

    # from the last one on, so that the places of the others stay

    my @place;

    while ($text =~ /<table\b/gi) {
        push @place, $-[0];
    }

    @place = map { [$_, end_of($text, $_)] } @place;

    my $end = 0;

    for (@place) {
        my ($first, $last) = @$_;

        next if $first < $end;
        $end = $last;

        my $line = (substr($text, 0, $first) =~ tr/\n//);
        my $tree = tree(substr $text, $first, $last - $first);

        my @headings = headings(substr $text, 0, $first);

        push @tables, map { { %$_, @headings ? (headings => \@headings) : () } }
                      map { table($document, $line, $_) } leaves($tree);

        $document->take($line, $line + (substr($text, $first, $last - $first)
                                        =~ tr/\n//));
        $tree->delete;
    }

    push @tables, classed($document, $text) if !@tables && $text =~ /\bclass=/;

    $document->replace(markdown(plain_jsx(join "\n", @{ $document->lines })))
        if $text =~ /$page/;

    return @tables;
}


# text without the comments of JSX, and with the texts of its strings; its lines
# stay

sub plain_jsx {
    my ($text) = @_;

    return $text =~ s{\{\s*/\*(.*?)\*/\s*\}}{"\n" x ($& =~ tr/\n//)}gser
                 =~ s/(?<!=)\{(["'`])([^"'`{}\n]*)\1\}/$2/gr;
}


# the table of elements whose classes say what they have, as "error-code", and that
# are together in another element

sub classed {
    my ($document, $text) = @_;
    my $tree = tree($text);
    my (%row, %times, @rows, @head);

    for my $element ($tree->look_down(class => qr/\S/)) {
        my ($name) = grep { role($_) =~ /code$|status|message|text/ }
                     map { s/^(?:\w+-)?(?:errors?|err|faults?)[-_]+|^[a-z]+__//r }
                     split ' ', $element->attr('class');
        my $above = $element->parent;

        next if !defined $name || !$above;

        push @head, $name if !$times{$name}++;
        push @rows, $row{$above} = {} if !$row{$above};
        $row{$above}{$name} //= text($element);
    }

    my ($code) = grep { role($_) =~ /code$/ } @head;

    @rows = grep { defined $code && has_code($_->{$code} // '') && keys %$_ > 1
                   && (strict_code($_->{$code}) || $_->{$code} =~ /[0-9]/) } @rows;
    $tree->delete;

    return () if @rows < 2;

    $document->take(0, $#{ $document->lines });

    return { form => 'elements of HTML', $document->place(0), where => 'line 1',
             head => \@head,
             rows => [ map { my $row = $_; [ map { $row->{$_} // '' } @head ] } @rows ] };
}


# the headings in HTML that are above the end of a text

sub headings {
    my ($text) = @_;
    my @headings;

    while ($text =~ m{<h([1-6])\b[^>]*>(.*?)</h\1\s*>}gis) {
        my ($level, $heading) = ($1, $2);

        @headings = grep { $_->[0] < $level } @headings;
        push @headings, [ $level, clean($heading =~ s/<[^>]*>//gr) ];
    }

    return map { $_->[1] } @headings;
}


# tables of components, as <TableRow> or <Table.Cell>, with the names of HTML

sub components {
    my ($text) = @_;
    my %tag = (Header => 'thead', Body => 'tbody', Row => 'tr', Tr => 'tr', Cell => 'td', Td => 'td', Th => 'th',
               Head => 'th', HeaderCell => 'th', HeadCell => 'th');

    return $text if $text !~ /<Table|<T[rdh]\b/;

    return $text =~ s/<(\/?)(?:Table\.?)?(HeaderCell|HeadCell|Header|Body|Row|Tr|Cell|Td|Th|Head)(?=[\s>])/<$1$tag{$2}/gr;
}


sub tree {
    my ($html) = @_;
    my $tree = HTML::TreeBuilder->new;

    $tree->ignore_unknown(0);
    $tree->no_space_compacting(1);
    $tree->parse_content($html);

    return $tree;
}


# the tables that have no table in a cell

sub leaves {
    my ($tree) = @_;

    return grep {
        my $table = $_;

        !grep { $_ != $table } $table->look_down(_tag => 'table');
    } $tree->look_down(_tag => 'table');
}


# the offset after the "</table>" that closes the table at an offset

sub end_of {
    my ($text, $first) = @_;
    my $depth = 0;

    pos($text) = $first;

    while ($text =~ m{<(/?)table\b[^>]*>}gi) {
        $depth += $1 ? -1 : 1;
        return pos $text if !$depth;
    }

    return length $text;
}


sub table {
    my ($document, $line, $element) = @_;
    my (@rows, @span, $head, %spanned);

    for my $tr ($element->look_down(_tag => 'tr')) {
        my ($row, $spanned) = row($tr, \@span);
        my @cells = grep { ref && $_->tag =~ /^t[hd]$/ } $tr->content_list;

        next if !@cells && !grep { defined } @$row;

        $spanned{$row} = $spanned;

        my $named = @cells && !grep { $_->tag ne 'th' } @cells;

        $named ||= $tr->parent->tag eq 'thead';

        if ($named && !@rows) {
            $head = $head ? [ map { join ' ', uniq(grep { defined && $_ ne '' } $head->[$_],
                                         $row->[$_]) }
                              0 .. ($#$head > $#$row ? $#$head : $#$row) ]
                          : $row;

        } else {
            push @rows, $row;
        }
    }

    # a title over all columns, above their names

    undef $head if $head && @$head > 1 && 1 == grep { ($_ // '') ne '' } @$head;
    $head //= header(\@rows);

    return { form => 'a table of HTML', $document->place($line),
             where => 'line ' . ($line + 1) . ', in HTML',
             head => $head, rows => \@rows, spanned => \%spanned,
             caption($element) };
}


sub caption {
    my ($element) = @_;
    my $caption = $element->look_down(_tag => 'caption') or return ();

    return (heading => clean($caption->as_text));
}


# the cells of a row with those that span it from above, and which these are

sub row {
    my ($tr, $span) = @_;
    my (@row, @spanned);
    my $i = 0;

    for my $cell (grep { ref && $_->tag =~ /^t[hd]$/ } $tr->content_list) {
        $i += spans($span, $i, \@row, \@spanned);

        my $text = text($cell);
        my $rows = ($cell->attr('rowspan') // 1) =~ /^(\d+)/ ? $1 : 1;
        my $columns = ($cell->attr('colspan') // 1) =~ /^(\d{1,2})$/ ? $1 : 1;

        for my $n (1 .. $columns || 1) {
            $row[$i] = $n == 1 ? $text : '';
            $span->[$i] = [$rows - 1, $row[$i]];
            $i++;
        }
    }

    while (my $n = spans($span, $i, \@row, \@spanned)) {
        $i += $n;
    }

    return ([ map { $_ // '' } @row ], \@spanned);
}


sub spans {
    my ($span, $i, $row, $spanned) = @_;
    my $n = 0;

    while ($span->[$i] && $span->[$i][0] > 0) {
        $span->[$i][0]--;
        $row->[$i] = $span->[$i][1];
        $spanned->[$i++] = 1;
        $n++;
    }

    return $n;
}


# the text of a cell; marks for what clean() has to see

sub text {
    my ($cell) = @_;

    for my $element ($cell->look_down(_tag => qr/^(?:sup|del|s|strike|br|p|li|div)$/)) {
        next if $element == $cell;

        if ($element->tag eq 'sup') {
            my $note = $element->as_text;
            my $before = $element->left;

            $element->replace_with($note =~ /^\W*\w{1,3}\W*$/
                                   && length $note <= 5 ? '*' : $note)->delete
                if defined $before;

        } elsif ($element->tag =~ /^(?:del|s|strike)$/) {
            $element->replace_with('~~')->delete;

        } else {
            $element->postinsert('<br>') if $element->tag eq 'br';
            $element->push_content(' ') if $element->tag ne 'br';
        }
    }

    # an expression of a component's is no text, unless it is a string or a number

    return clean($cell->as_text =~ s/^\s*\{\s*(?:(["'`])(.*)\1|(\d+)|[^{}]*)\s*\}\s*$
                                    /$2 \/\/ $3 \/\/ ''/xer);
}


# the first row, if its cells name columns

sub header {
    my ($rows) = @_;

    return [] if !@$rows;

    my @roles = map { role($_) } @{ $rows->[0] };

    return grep({ /code$|status|text|message/ } @roles) && @roles > 1
           && !grep({ strict_code($_) && role($_) eq '' }
                    @{ $rows->[0] })
           ? shift @$rows : [ map { '' } @{ $rows->[0] } ];
}


# an example without the tags around its words

sub unmarked {
    return $_[0] =~ s/<\/?(?:span|label|font|b|i|em|strong|a|u)(?:\s[^<>]*)?>//gir;
}


# markdown(html): headings, lists and paragraphs as Markdown has them

sub markdown {
    my ($text) = @_;

    # a list in a row of Markdown stays there

    $text =~ s{^(\s*\|.*\|\s*)$}{$1 =~ s/<\/?(?:ul|ol|li|p|div|br)\b[^>]*>/ /gir}gme;

    for ($text) {
        s/<!--.*?-->//gs;
        s/<(script|style|head|nav)\b.*?<\/\1>//gis;
        s/<h([1-6])\b[^>]*>\s*(.*?)\s*<\/h\1>/"\n" . '#' x $1 . ' ' . $2 =~ s{\s+}{ }gr . "\n"/gise;
        s/$titled/"\n###### " . ($1 \/\/ $2) . "\n"/ge;
        s/<\/[A-Z]\w*>//g;
        s/(<pre\b[^>]*>)(.*?)(?=<\/pre>)/$1 . unmarked($2)/gise;
        s/<pre\b[^>]*>(?:\s*<code[^>]*>)?/\n```\n/gi;
        s/(?:<\/code>\s*)?<\/pre>/\n```\n/gi;
        s/<li\b[^>]*>\s*(?:<p>)?/\n* /gi;
        s/<summary\b[^>]*>\s*(.*?)\s*<\/summary>/"\n###### " . $1 =~ s{\s+}{ }gr . "\n"/gise;
        s/<dt\b[^>]*>\s*/\n* /gi;
        s/\s*<\/dt>\s*<dd\b[^>]*>\s*/ - /gi;
        s/<dd\b[^>]*>\s*/ - /gi;
        s/<\/?code\b[^>]*>/`/gi;
        s/<\/?(?:strong|b)(?:\s[^>]*)?>/**/gi;
        s/<\/(?:p|li|dd|div|ul|ol|dl)>/\n/gi;
        s/<br\s*\/?>/\n/gi;
        s/<\/?(?:html|body|details|p|div|ul|ol|dl|section|article|main|a|em|i|span|small)(?:\s[^>]*)?>//gi;
        s/<!doctype[^>]*>//gi;
        s/``(?!`)(?<!```)//g;
    }

    return $text;
}


1;
