package Draft::Items;

# The reader of codes that are not in tables: in headings, in lists, at the
# beginnings of lines, and in sections with lines such as "Code: 1001".

use strict;
use warnings;
use utf8;

use Draft::Cell qw(clean has_code reason strict_code uniq);
use Draft::Line qw(code);
use Draft::Names qw(role about_errors about_others);

my $bullet = qr/\s*(?:[-*+•·▪◦○●]|[0-9]{1,3}[.)、])\s+/;


sub tables {
    my ($document) = @_;
    my @records = records($document);

    return @records if @records;

    my (%kind, @items, $coded);

    for my $i (0 .. $#{ $document->lines }) {
        my $item = item($document, $i);

        $coded = defined $item if defined $document->{level}[$i];

        # a status below a heading that is the code

        next if !$item || $coded && $item->{kind} =~ /^line/
                          && $item->{code} =~ /^[1-5][0-9][0-9]$/;

        push @items, $item;
        push @{ $kind{$item->{kind}} }, $item;
    }

    below_statuses(\%kind);

    return map { groups($document, @$_) }
           sort { $a->[0]{line} <=> $b->[0]{line} }
           grep { is_list($document, @$_) } values %kind;
}


# a list's item that is only a status gives it to the items of the list below
# it, and is no code itself

sub below_statuses {
    my ($kind) = @_;
    my @items = sort { $a->{line} <=> $b->{line} } map { @$_ } values %$kind;
    my (@above, %used);

    for my $item (@items) {
        my ($indent) = $item->{kind} =~ /^list (\d+)/ or next;

        @above = grep { $_->[0] < $indent } @above;

        if ($item->{code} =~ /^[1-5][0-9][0-9]$/
            && ($item->{text} eq '' || reason($item->{text})))
        {
            push @above, [$indent, $item];

        } elsif ($item->{code} =~ /^[1-5][0-9][0-9]$/ && is_codes($item->{text})) {
            $item->{codes} = [ split /[,、;|\s]+/, $item->{text} ];
            $item->{text} = "HTTP $item->{code} | ";

        } elsif (@above) {
            $item->{text} = "HTTP $above[-1][1]{code} | $item->{text}"
                if $item->{text} !~ /^HTTP/;
            $used{$above[-1][1]{line}} = 1;
        }
    }

    for my $name (keys %$kind) {
        my @left = grep { !$used{$_->{line}} } @{ $kind->{$name} };

        if (@left) {
            $kind->{$name} = \@left;

        } else {
            delete $kind->{$name};
        }
    }
}


# whether a text has nothing but codes that are words

sub is_codes {
    my ($text) = @_;
    my @words = split /[,、;|\s]+/, $text;

    return @words && !grep { !strict_code($_) || !/[a-z]/i } @words;
}


# the code of a line, and its text; or undef, as for a constant below an attribute

sub item {
    my ($document, $i) = @_;
    my $line = $document->lines->[$i];
    my $level = $document->{level}[$i];

    return undef if $document->fenced($i) || $line !~ /\S/ || $line =~ /\|.*\|/
                    || ($level // 0) == 22
                    || $i && $document->lines->[$i - 1] =~ /^\s*\[\w+\(.*\)\]\s*$/;

    my ($kind, $raw) = defined $level ? heading($line, $level) : kind($document, $i);
    my ($code, $text, $form) = code($raw, $kind) or return undef;

    return { kind => "$kind $form", line => $i, code => $code, text => $text,
             headed => defined $level };
}


# a heading without its marks and its number

sub heading {
    my ($raw, $level) = @_;

    for ($raw) {
        s/^\s*(?:#+|=+|\.)\s*|\s+[#=]+\s*$//g;
        s/^\*\*(.*)\*\*[:：]?\s*$/$1/ if $level == 20;
        s/^[0-9]+(?:(?:\.[0-9]+)*[.)、]|(?:\.[0-9]+)+)\s+//;
    }

    return ("heading $level", $raw);
}


# the kind of another line: an item of a list, a term with what is below it, a
# code alone above its text, or a plain one; and the line without marks

sub kind {
    my ($document, $i) = @_;
    my ($raw, $next, $after) = map { $document->lines->[$_] // '' } $i .. $i + 2;

    return ('list ' . length $1, $2)
        if $raw =~ /^(\s*)(?:[-*+•·▪◦○●]|[0-9]{1,3}[.)、])\s+(.*)$/;
    return ('list field', "$1 - $2") if $raw =~ /^\s*:(-?[0-9]+):\s+(\S.*)$/;

    return ('term', "$raw - $1") if $raw =~ /^\S+\s*$/ && $next =~ /^:\s+(\S.*)/;
    return ('term', "$raw - $1")
        if $raw =~ /^``?[^`]+``?(?:\s*\([^()]*\))?\s*$/ && $next =~ /^\s+(\S.*)/;

    return ('alone', "$raw - $1")
        if $raw =~ /^\s*`?((?=\S*[0-9_])[\w.-]+)`?\s*$/ && strict_code($1)
           && $next =~ /^\s*(?=.*\w[\s,.].*)([^\W\d_].*)/;
    return ('alone', "$raw - $1")
        if $raw =~ /^(?:`|\*\*|\[)\S+$/ && clean($raw) =~ /^(?=\S*[0-9_])\S+$/
           && $next eq '' && $after =~ /^([^\W\d_]\S*\s.*)/;

    $raw =~ s/^\s+//;
    $raw =~ s/^(\S+)(?:\s{3,}|\s*\.{4,}\s*)(?=[^\s=:])/$1 - /;

    return ('line', $raw);
}


# whether items of one kind are a list of codes

sub is_list {
    my ($document, @items) = @_;
    my @codes = map { $_->{code} } @items;

    return 0 if @items < ($items[0]{kind} =~ /^line/ ? 3 : 2);
    return 0 if $items[0]{kind} =~ /^line/ && !near($document, @items);
    return 0 if uniq(@codes) < 0.7 * @codes;

    # words above tables, which were read, are no codes

    if ($items[0]{kind} =~ /^heading \d+ WORD/ && !grep { /_/ && !reason($_) } @codes) {
        return 0 if !grep { $_->{text} !~ /^(?:HTTP \d+ \| )?$/
                            || grep { /\w/ } section($document, $_->{line}) } @items;
    }

    # numbers of chapters, years

    if ($items[0]{kind} =~ /number/) {
        return 0 if !grep({ !/^\d{1,2}$/ } @codes) && !grep({ /^0\d/ } @codes)
                    && $items[0]{kind} !~ /^line/ && $codes[0] =~ /^[01]$/
                    && $items[0]{kind} =~ /heading/;
        return 0 if !grep { !/^(?:19|20)\d\d$/ } @codes;
    }

    return 1;
}


# whether plain lines follow one another, or only headings are between them

sub near {
    my ($document, @items) = @_;

    my $near = grep {
        my @between = $items[$_ - 1]{line} + 1 .. $items[$_]{line} - 1;

        @between <= 2 || !grep { $document->lines->[$_] =~ /\S/
                                 && !defined $document->{level}[$_] } @between;
    } 1 .. $#items;

    return $near >= 0.6 * $#items;
}


# a table for the items below the same heading

sub groups {
    my ($document, @items) = @_;
    my (@tables, $above, $last);

    for my $item (@items) {
        my $i = $item->{line};
        my @headings = $document->headings($i);
        my $key = join "\n", @headings;
        my ($status, $text) = status($document, $item);

        if (!@tables || $key ne $above || parted($document, $last, $i)) {
            push @tables, new_table($document, $item, @headings);
            $above = $key;
        }

        $last = $i;

        push @{ $tables[-1]{rows} }, map { [ $_, $status, split / \| /, $text ] }
                                     @{ $item->{codes} || [$item->{code}] };
        $document->{line}[$i] = '' if !$item->{headed};
    }

    for my $table (@tables) {
        $table->{trust} = trust($table);
        undef $table->{columns}{status}
            if !grep { $_->[1] ne '' } @{ $table->{rows} };
    }

    # below headings of statuses, all are codes where some are

    my @alike = grep { ($_->{headings}[-1] // '') =~ /^\W*[1-5](?:[0-9][0-9]|xx)\b/ } @tables;
    my ($most) = sort { $b <=> $a } map { $_->{trust} } @alike;

    $_->{trust} = $most for @alike;

    return @tables;
}


# whether a line of text between two items ends the list

sub parted {
    my ($document, $last, $i) = @_;

    return 0 if defined $document->{level}[$i];

    for my $between ($last + 1 .. $i - 1) {
        return 1 if $document->lines->[$between] =~ /^\S.*[:：]\s*$/;
    }

    return 0;
}


sub new_table {
    my ($document, $item, @headings) = @_;
    my %place = $document->place($item->{line});
    my $near = about_errors($place{near}) ? $place{near} : '';

    $place{heading} = $headings[-1] // '' if $item->{headed};

    return { %place, form => 'a list',
             head => ['', 'HTTP status', 'text', 'text'], rows => [],
             headings => \@headings, lead => $near,
             columns => { code => 0, status => 1, role => '', like_status => 0 } };
}


# how sure it is that a list has error codes, as in Draft::Choice

sub trust {
    my ($table) = @_;
    my @headings = @{ $table->{headings} };
    my $above = join ' / ', $headings[-1] // '', $table->{lead};
    my @code = map { $_->[0] } @{ $table->{rows} };
    my $strong = 2 * grep({ /^-?\d{3,}$|^-\d|_/ } @code) >= @code;

    return 0.5 if about_others($above) && !about_errors($above);
    return 0.5 if !$strong && $table->{near} =~ /\b(?:possible|allowed|valid)\svalues\b|可选值|取值/i;
    return 2 if about_errors($above)
                || about_errors($headings[0] // '') && $strong;
    return $strong ? 1.4 : $code[0] =~ /^\d/ ? 1 : 0.6;
}


# the status in an item's text or section, and the rest of the text

sub status {
    my ($document, $item) = @_;
    my $text = $item->{text};
    my $status = '';

    if ($text =~ s/^HTTP ([1-5][0-9][0-9]) \| //) {
        $status = $1;

    } elsif ($text =~ s/\s*[(（\[]\s*(?:HTTP\s*)?(?:status\s*)?(?:code\s*)?[:：]?\s*
                        ([2-5][0-9][0-9])(?:\s[A-Za-z ]+)?[)）\]]//xi
             || $text =~ /HTTP\D{0,20}\b([2-5][0-9][0-9])\b/i
             || $text =~ /\bstatus(?:\s+code)?\s*[:：]?\s*([45][0-9][0-9])\b/i)
    {
        $status = $1;
    }

    for my $line ($item->{headed} ? section($document, $item->{line})
                                  : nested($document, $item->{line}))
    {
        # **404** at the beginning

        $status = $1 if $item->{headed} && $status eq ''
                        && $line =~ s/^\s*(?:\*\*|`)([45][0-9][0-9])(?:\*\*|`)\s+(?=\w)//;
        $status = $1 if $status eq ''
            && $line =~ /(?:http|status|状态码|ステータス|상태)\D{0,30}?
                         \b([2-5][0-9][0-9])(?![0-9])/xi
               || $item->{headed} && $status eq ''
                  && $line =~ /^\W*([45][0-9][0-9])\W*\s[-–—:]/;

        if ($item->{headed}) {
            $text = join ' | ', grep { $_ ne '' } $text,
                    clean($line =~ s/^$bullet//r) =~ s/^(?:description|meaning|描述|说明)[:：]\s*//ir
                if $text !~ / \| / && $line =~ /\w/ && $line !~ /^\s*\|/;
        }
    }

    return ($status, $text =~ s/^ \| | \| $//gr);
}


# the lines below an item of a list that are indented more

sub nested {
    my ($document, $i) = @_;
    my ($indent) = $document->lines->[$i] =~ /^(\s*)[-*+•·▪◦○●]\s/ or return ();
    my @lines;

    for my $next ($i + 1 .. $#{ $document->lines }) {
        my $line = $document->lines->[$next];

        last if $line =~ /\S/ && $line !~ /^$indent\s+\S/;
        push @lines, $line if !$document->fenced($next);
    }

    return @lines;
}


# the lines below a heading that are its own; a bold one may be its title

sub section {
    my ($document, $i) = @_;
    my @lines;

    for my $next ($i + 1 .. $#{ $document->lines }) {
        my $level = $document->{level}[$next] // 99;

        last if $level <= 20 && ($level < 20 || $document->{level}[$i] == 20
                                 || $document->{title}[$next] =~ /[:：]$/);
        push @lines, $document->lines->[$next] if !$document->fenced($next);
    }

    return grep { !/^(\W)\1+\s*$/ } @lines;
}


# whether a heading is "Code: 1001", with the word for a code in any language

sub is_labelled {
    my ($heading) = @_;

    return $heading =~ /^([^\W\d_][\w' -]{1,24}?)\s*[:：]\s*\S/ && role($1) =~ /^(?:err)?code$/;
}


# sections that have lines such as "Code: 1001" and "Status: 400"; the heading may
# be the first

sub records {
    my ($document) = @_;
    my (@records, %times, $record);
    my $heading = '';

    for my $i (0 .. $#{ $document->lines }) {
        next if $document->fenced($i);

        my $line = $document->lines->[$i];

        if (defined $document->{level}[$i]) {
            $heading = $document->{title}[$i];
            undef $record;
            next if !is_labelled($heading);

            $line = $heading;
            $heading = '';
        }

        undef $record if $line =~ /^\s*(?:[-*_]\s*){3,}$/;

        for my $part (split /[;,|]\s+(?=[A-Z][\w ]{1,24}(?:[:：]\s|\s=\s))/, $line) {
            my ($key, $value) = $part =~ /^\s*(?:(?:[-*+•]|\d{1,3}[.)])\s+)?(?:\*\*|__|`|:)?
                ([^\W\d_][\w' -]{1,24}?)(?:\*\*|__|`)?\s*
                (?:[:：](?:\*\*|__)?(?:\s+|(?<=：))|\s=\s)(\S.*)$/x or next;

            next if role($key) !~ /code$|status|text|message|name/;

            if (!$record || exists $record->{cells}{lc $key}) {
                push @records, $record = { line => $i, heading => $heading,
                                           cells => {} };
            }

            $record->{cells}{lc $key} = clean($value);
            $times{lc $key}++;
        }
    }

    my ($code) = sort { $times{$b} <=> $times{$a} || $a cmp $b }
                 grep { role($_) =~ /^(?:err)?code$/ } keys %times;

    return () if !defined $code;

    @records = grep { has_code($_->{cells}{$code} // '')
                      && ($_->{heading} ne '' || keys %{ $_->{cells} } > 1
                          || !defined $document->{level}[$_->{line}]) } @records;
    return () if @records < 2;

    my @head = grep { $_ ne $code } sort keys %times;

    return { $document->place($records[0]{line}), form => 'sections',
             head => [ $code, 'name', @head ],
             rows => [ map { my $r = $_; [ $r->{cells}{$code}, $r->{heading},
                             map { $r->{cells}{$_} // '' } @head ] } @records ] };
}


1;
