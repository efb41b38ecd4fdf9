package Draft::Data;

# The reader of JSON, YAML, properties and INI: lists of objects, objects by
# code or by name, objects of texts.

use strict;
use warnings;
use utf8;

use Draft::Above qw(names_status);
use Draft::Cell qw(clean has_code is_status strict_code uniq);
use Draft::Names qw(role about_errors);
use JSON::PP ();


# whole(document): the tables, if all of it is data

sub whole {
    my ($document) = @_;
    my $text = join "\n", @{ $document->lines };
    my @tables = $text =~ /^\s*[\[{]/ ? of_json($text) : of_yaml($text);

    @tables = properties($document->lines) if !@tables;

    # a description of an API may have lists in its texts

    $document->take(0, $#{ $document->lines })
        if @tables && $text !~ /^\s*["']?(?:openapi|swagger|asyncapi)["']?\s*:/m;

    return @tables;
}


# examples(document): those of the JSON or YAML in its examples

sub examples {
    my ($document) = @_;
    my (@tables, @block, @lone);

    for my $i (0 .. @{ $document->lines }) {
        my $line = $document->lines->[$i] // '';

        if ($document->fenced($i) && $line !~ /^\s*(?:```|~~~)/) {
            push @block, $line;
            next;
        }

        my $first = $i - @block;
        my $text = join "\n", splice @block;

        my @found = map { { %$_, $document->place($i - 1) } }
                    $text =~ /^\s*[\[{]/ ? of_json($text)
                    : $text =~ /:/ ? of_yaml($text) : ();

        my @lists = grep { @{ $_->{rows} } > 1 } @found;

        $document->take($first, $i - 1) if @lists;
        push @tables, @lists;
        push @lone, lone($document, $i - 1, $text);
    }

    # bodies with one code each count if their codes differ

    return @tables if @tables || (uniq(map { $_->{rows}[0][0] } @lone)) < 2;
    return @lone;
}


# the code of the one error that an example has, as a table

sub lone {
    my ($document, $i, $text) = @_;
    my $value = $text =~ /^\s*\{/
                ? eval { JSON::PP->new->relaxed->allow_bignum->decode($text) }
                : undef;

    while (ref $value eq 'HASH') {
        my ($code) = grep { role($_) =~ /code$/ && strict_code($value->{$_} // '')
                            && !is_status($value->{$_}) } sort keys %$value;
        my ($message) = grep { role($_) =~ /message|text/ && !ref $value->{$_} }
                        sort keys %$value;

        return { form => 'an example in JSON', $document->place($i),
                 head => [ 'code', 'message' ],
                 rows => [ [ map { defined ? clean($value->{$_} // '') : '' }
                             $code, $message ] ] } if defined $code;

        ($value) = map { ref eq 'ARRAY' ? $_->[0] : $_ } grep { ref }
                   map { $value->{$_} } sort keys %$value;
    }

    return ();
}


sub of_json {
    my ($text) = @_;
    my $json = JSON::PP->new->relaxed->allow_bignum;
    my $value = eval { $json->decode($text) };

    if (!defined $value) {
        $text =~ s{(?<!:)//[^"\n]*$|/\*.*?\*/}{}mgs;
        $value = eval { $json->decode($text) } // return ();
    }

    my @answers = answers($value);

    return records([ map { [undef, $_] } @answers ], $text, 'JSON', 'answers')
        if @answers;
    return joined(walk($value, $text, 'JSON'));
}


# the errors of the answers that a collection of requests has, whose bodies are
# JSON in strings

sub answers {
    my ($value) = @_;

    return map { answers($_) } @$value if ref $value eq 'ARRAY';
    return () if ref $value ne 'HASH';

    my $body = $value->{body};
    my $status = $value->{code} // $value->{status} // '';

    return map { answers($value->{$_}) } sort keys %$value
        if !defined $body || ref $body || $body !~ /^\s*\{/ || ref $status
           || $status !~ /^[1-5][0-9][0-9]$/;

    my $error = eval { JSON::PP->new->relaxed->allow_bignum->decode($body) };

    ($error) = grep { ref eq 'HASH' && grep { /code/i } keys %$_ }
               $error, map { ref eq 'ARRAY' ? @$_ : $_ }
                       ref $error eq 'HASH'
                       ? map { $error->{$_} } sort keys %$error : ();

    return $error && $status >= 300 ? { %$error, 'HTTP status' => $status } : ();
}


sub of_yaml {
    my ($text) = @_;

    return () if $text !~ /^\s*(?:-\s+)?["'\w][^\n]{0,60}?["']?\s*:(?:\s|$)/m
                 || grep({ /\S/ && !/^\s*(?:[#-]|["']?[^\s:][^:]*:(?:\s|$)|\s|---|\.\.\.|["'}\]])/ }
                         split /\n/, $text)
                 || $text =~ /^\s*[-*]\s+\*\*|^\s*\|.*\|\s*$|^#+ .*\n+[^#\n:]+\n|[;{]\s*$/m;

    eval { require YAML::PP; 1 }
        or die "$0: YAML::PP is missing, install libyaml-pp-perl\n";

    my ($value, @more) = eval {
        YAML::PP->new(schema => ['Failsafe', 'Merge'], duplicate_keys => 1)
                ->load_string($text)
    };

    # a code in each document

    $value = [$value, @more] if @more > 1 && !grep { ref ne 'HASH' } $value, @more;

    return ref $value ? joined(walk($value, $text, 'YAML')) : ();
}


# a map of codes by their names and those of texts and statuses by the same codes
# are one table, and so are maps of texts in several languages

sub joined {
    my (@tables) = @_;
    my $language = qr/^[a-z]{2}(?:[-_][A-Za-z]{2,4})?$/;
    my ($first) = grep { "@{ $_->{head} }" eq 'name code' } @tables;

    ($first) = grep { $_->{heading} =~ $language } @tables if !$first;

    return @tables if !$first || $first->{head}[-1] !~ /^(?:code|message)$/;

    my $by_name = $first->{head}[-1] eq 'code';
    my %row = map { $_->[$by_name ? 1 : 0] => $_ } @{ $first->{rows} };
    my @more = grep { $_ != $first && "@{ $_->{head} }" =~ /^code (?:message|HTTP status)$/
                      && ($by_name || $_->{heading} =~ $language)
                      && !grep { !$row{$_->[0]} } @{ $_->{rows} } } @tables;

    for my $table (@more) {
        my $i = @{ $first->{head} };

        push @{ $first->{head} }, $table->{head}[1];
        $row{$_->[0]}[$i] = $_->[1] for @{ $table->{rows} };
    }

    return grep { my $table = $_; !grep { $_ == $table } @more } @tables;
}


# the tables of a value and of all that it has

sub walk {
    my ($value, $text, $form, @path) = @_;
    my @tables;

    # a list of objects that have one text each is an object of texts

    $value = { map { %$_ } @$value }
        if ref $value eq 'ARRAY' && @$value > 1
           && !grep { ref ne 'HASH' || keys %$_ != 1 || ref((values %$_)[0]) } @$value;

    if (ref $value eq 'HASH') {
        my @keys = ordered($value, $text);
        my @records = grep { ref $value->{$_} eq 'HASH' } @keys;
        my $alike = alike(map { $value->{$_} } @records);

        push @tables, records([ map { [$_, $value->{$_}] } @records ], $text,
                              $form, @path)
            if @records && $alike
               && (@records > 1 || !grep { is_list($value->{$_}) } @keys);
        push @tables, scalars($value, $form, \@path, @keys);

        if (my ($names, $rows) = grid($value, @keys)) {
            push @tables, table($form, \@path, $value->{$names}, $value->{$rows});
            @keys = grep { $_ ne $names && $_ ne $rows } @keys;
        }

        push @tables, tuples($value, $form, \@path, @keys);

        push @tables, map { walk($value->{$_}, $text, $form, @path, $_) }
                      grep { ref $value->{$_}
                             && !($alike && ref $value->{$_} eq 'HASH'
                                  && !grep { ref } values %{ $value->{$_} }) }
                      @keys;

    } elsif (ref $value eq 'ARRAY') {
        my @records = grep { ref eq 'HASH' } @$value;
        my @tuples = grep { ref eq 'ARRAY' && !grep { ref } @$_ } @$value;

        if (@records) {
            push @tables, records([ map { [undef, $_] } @records ], $text, $form,
                                  @path);
            push @tables, map { walk($_, $text, $form, @path) }
                          map { my $record = $_;
                                my $title = title($record);
                                map { { (defined $title ? $title : $_)
                                        => $record->{$_} } }
                                grep { ref $record->{$_} eq 'ARRAY'
                                       && grep { ref } @{ $record->{$_} }
                                       or ref $record->{$_} eq 'HASH' }
                                sort keys %$record } @records;

        } elsif (@tuples > 1) {
            push @tables, table($form, \@path, [ map { '' } @{ $tuples[0] } ],
                                [ map { [ map { $_ // '' } @$_ ] } @tuples ]);

        } elsif (@$value && !grep({ ref || !strict_code($_ // '') } @$value)) {
            push @tables, table($form, \@path, [''], [ map { [$_] } @$value ]);
        }
    }

    return @tables;
}


sub is_list {
    my ($value) = @_;

    return ref $value eq 'ARRAY' && @$value > 1 && !grep { ref ne 'HASH' } @$value;
}


# the status or the name that a record with records inside has

sub title {
    my ($record) = @_;

    for my $key (grep { role($_) eq 'status' } sort keys %$record) {
        return "HTTP $record->{$key}" if ($record->{$key} // '') =~ /^[1-5][0-9][0-9]$/;
    }

    return undef;
}


# the members of an object that have the names of columns, and the rows

sub grid {
    my ($value, @keys) = @_;
    my @lists = grep { ref $value->{$_} eq 'ARRAY' && @{ $value->{$_} } } @keys;
    my ($rows) = grep { !grep { ref ne 'ARRAY' || grep { ref } @$_ } @{ $value->{$_} } }
                 @lists;

    return () if !defined $rows;

    my $width = @{ $value->{$rows}[0] };
    my ($names) = grep { @{ $value->{$_} } == $width
                         && grep({ role($_) =~ /code$/ } @{ $value->{$_} })
                         && !grep { ref || strict_code($_ // '') && role($_) eq '' }
                                  @{ $value->{$_} } } @lists;

    return defined $names ? ($names, $rows) : ();
}


# an object of lists of scalars, by code

sub tuples {
    my ($value, $form, $path, @keys) = @_;

    @keys = grep { ref $value->{$_} eq 'ARRAY' && @{ $value->{$_} } > 1
                   && !grep { ref } @{ $value->{$_} } } @keys;

    return () if @keys < 2 || grep { !strict_code($_) } @keys;
    return table($form, $path, [ 'code', map { '' } @{ $value->{$keys[0]} } ],
                 [ map { [ $_, map { $_ // '' } @{ $value->{$_} } ] } @keys ]);
}


# whether objects have the same members, most of them

sub alike {
    my (@objects) = @_;
    my %times;

    for my $object (@objects) {
        $times{$_}++ for grep { !/^\d+$/ && !is_map($object->{$_}) } keys %$object;
    }

    return @objects == 1 ? grep({ role($_) ne '' } keys %times) > 0
           : grep({ $_ >= 0.6 * @objects } values %times) > 0;
}


sub records {
    my ($records, $text, $form, @path) = @_;
    my (%times, @rows);

    for (@$records) {
        my ($key, $object) = @$_;

        $object = flat($object);
        $times{$_}++ for keys %$object;
        push @rows, [$key, $object];
    }

    my @head = ordered(\%times, $text);
    my $keyed = defined $records->[0][0];

    return table($form, \@path, [ $keyed ? '' : (), @head ], [ map {
        my ($key, $object) = @$_;
        [ $keyed ? $key : (), map { $object->{$_} // '' } @head ]
    } @rows ]);
}


# whether a value is a map of codes, by name or by number, and no part of a record

sub is_map {
    my ($value) = @_;
    my $number = qr/^-?[0-9]+$/;

    return 0 if ref $value ne 'HASH' || keys %$value < 2
                || grep { ref || !defined } values %$value;
    return !grep({ !/$number/ } keys %$value)
           || !grep { role($_) ne '' || $value->{$_} !~ /$number/ } keys %$value;
}


# an object whose members have no objects; lists of scalars become text, and maps
# of codes are left out

sub flat {
    my ($object) = @_;
    my %flat;

    for my $key (keys %$object) {
        my $value = $object->{$key};

        next if is_map($value);

        if (ref $value eq 'HASH') {
            for (grep { !ref $value->{$_} } sort { $b =~ /^en/ <=> $a =~ /^en/
                                                   || $a cmp $b } keys %$value) {
                $flat{/^[a-z]{2}(?:[-_]\w+)?$/ ? "$key text" : $_} //= text($value->{$_});
            }

        } elsif (ref $value ne 'ARRAY') {
            $flat{$key} = text($value);

        } elsif (!grep { ref } @$value) {
            $flat{$key} = join ' ', map { text($_) } @$value;
        }
    }

    return \%flat;
}


sub text {
    my ($value) = @_;

    return '' if !defined $value || JSON::PP::is_bool($value);
    return "$value";
}


# an object of texts or of numbers: by code, or by name

sub scalars {
    my ($value, $form, $path, @keys) = @_;

    @keys = grep { !ref $value->{$_} && defined $value->{$_} } @keys;

    # a group of one code below its status is enough

    return () if @keys < (names_status($path->[-1] // '') ? 1 : 2);

    my $numbers = grep { $value->{$_} =~ /^-?(?:0x[0-9a-f]+|[0-9]+)$/i } @keys;
    my $codes = grep { strict_code($_) || /^-?[0-9]+$/ } @keys;
    my $about = about_errors(join ' ', @$path);

    # settings beside lists

    return () if $numbers == @keys && !$about && grep { ref } values %$value;

    # one text in several languages

    return () if !grep { !/^[a-z]{2}(?:[-_][A-Za-z]{2,4})?$/ } @keys;
    return () if grep({ role($_) =~ /code$|status|message|text/ && !strict_code($_) }
                      @keys) && !$about;

    my @rows = map { [$_, $value->{$_}] } @keys;
    my $numeric = !grep { !/^-?[0-9]+$/ } @keys;

    return table($form, $path, ['name', 'code'], \@rows)
        if $numbers == @keys && !$numeric
           && (uniq(map { $_->[1] } @rows)) > 0.8 * @rows
           && grep { $_->[1] !~ /^[1-5][0-9][0-9]$/ } @rows;
    return table($form, $path, ['code', 'HTTP status'], \@rows)
        if $numbers == @keys && !$numeric && $codes == @keys
           && !grep { $_->[1] !~ /^[1-5][0-9][0-9]$/ } @rows;
    return table($form, $path, ['code', 'HTTP status'], \@rows)
        if $numbers == @keys && $numeric && role($path->[-1] // '') eq 'status'
           && !grep { $_->[1] !~ /^[1-5][0-9][0-9]$/ } @rows;
    return table($form, $path, [$about || $numeric ? 'code' : '', 'message'],
                 \@rows)
        if $codes >= 0.8 * @keys || $about && !grep { !has_code($_) } @keys;
    return ();
}


sub table {
    my ($form, $path, $head, $rows) = @_;
    my $heading = join ' / ', @$path;

    return { form => "a list in $form",
             where => $heading ne '' ? "\"$heading\"" : 'line 1',
             heading => $heading, headings => [@$path], line => 1,
             head => $head,
             rows => [ map { [ map { clean($_ // '') } @$_ ] } @$rows ] };
}


# the keys of an object in the order of the text

sub ordered {
    my ($object, $text) = @_;
    my %place;

    for my $key (keys %$object) {
        $place{$key} = $text =~ /(?:^|[\s"',{])\Q$key\E["']?\s*:/ ? $-[0] : 0;
    }

    return sort { $place{$a} <=> $place{$b} || $a cmp $b } keys %$object;
}


# properties(lines): "error.1001 = text", and sections of INI

sub properties {
    my ($lines) = @_;
    my @line = grep { /\S/ && !m{^\s*(?:[#;!]|//)|^[\w.-]+\s*=\s*$} } @$lines;
    my $pair = qr/^\s*"?([\w.\/-]+)"?\s*[=:]\s*(\S.*?)\s*;?\s*$/;
    my $pairs = grep { /$pair/ } @line;
    my $sections = grep { /^\[[^\]|]+\]\s*$/ } @line;

    return () if grep({ /,\s*(?:(?:\/\/|#).*)?$|=\s*0x[0-9A-F]+\s*\(/i } @line) > 0.3 * @line;
    return () if $pairs < 2 || $pairs + $sections < 0.9 * @line
                 || grep { /[({]\s*$|^\s*(?:const|let|var|int|public|static)\b/ } @line
                 || grep({ /^[A-Z][a-z]+ |^\s*(?:[-*#]|\d+[.)])\s/ } @line)
                    > 0.3 * @line;

    return ini(\@line, $pair) if $sections > 1 || $sections == 1 && $line[0] !~ /^\[/;

    my (%record, @order, @plain);

    for (grep { !/^\[/ } @line) {
        my ($key, $value) = $_ =~ $pair or next;

        $value =~ s/^"(.*)"$/$1/;
        $value =~ s/\\u([0-9a-fA-F]{4})/chr hex $1/ge;

        if ($key =~ /^(?:.*[._-])?(-?[0-9]{1,10}|[A-Z]+[_-]?[0-9]{2,})
                     \.([a-z][\w-]*)$/xi)
        {
            push @order, $1 if !$record{$1};
            $record{$1}{$2} = $value;

        } else {
            push @plain, [$key, $value];
        }
    }

    return records([ map { [$_, $record{$_}] } @order ],
                   join("\n", @line), 'properties', 'error')
        if @order > 1;

    return pairs(@plain);
}


sub pairs {
    my (@pair) = @_;

    # the labels of sections come again

    return () if (uniq(map { $_->[0] } @pair)) < 0.7 * @pair;

    my $numbers = grep { $_->[1] =~ /^-?(?:0x[0-9a-f]+|[0-9]+)$/i } @pair;

    return table('properties', [], ['name', 'code'], \@pair)
        if $numbers > 0.8 * @pair;

    # a text and its status

    my @said = map { $_->[1] =~ /^(.*[^\s,;|])\s*[,;|]\s*([1-5][0-9]{2})$/
                     ? [ $_->[0], $1, $2 ] : () } @pair;

    return table('properties', [], ['code', 'message', 'HTTP status'], \@said)
        if @said > 0.8 * @pair;

    my @error = grep {
        $_->[0] =~ s/^(?:.*[._])?(-?[0-9]{1,10})$/$1/
            || $_->[0] =~ s/^(?:\w+\.)*?(?:errors?|err|codes?|msg|messages?
                             |exceptions?|fault|errcode|error_code)[.](?=\w)//xi
    } @pair;

    @pair = @error if @error > 1;

    # words beside numbers are the keys of other texts

    my @numbered = grep { $_->[0] =~ /^-?[0-9]+$/ } @pair;

    @pair = @numbered if 2 * @numbered >= @pair;

    return table('properties', [], ['code', 'message'], \@pair)
        if grep({ strict_code($_->[0]) } @pair) >= 0.6 * @pair;
    return ();
}


sub ini {
    my ($line, $pair) = @_;
    my @records;

    for (@$line) {
        if (/^\[+\s*"?([^\]"]+?)"?\s*\]+/) {
            push @records, [ $1 =~ s/^(?:errors?|codes?)[.\s:]"?//ir, {} ];

        } elsif (@records && $_ =~ $pair) {
            my ($key, $value) = ($1, $2);

            $records[-1][1]{$key} = $value =~ s/^"(.*)"$/$1/r;
        }
    }

    return records(\@records, join("\n", @$line), 'INI', 'errors')
        if alike(map { $_->[1] } @records);

    return map {
        my ($name, $object) = @$_;
        map { { %$_, headings => [$name], heading => $name } }
            pairs(map { [$_, $object->{$_}] } ordered($object, join "\n", @$line))
    } @records;
}


1;
