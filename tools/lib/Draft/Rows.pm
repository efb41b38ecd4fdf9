package Draft::Rows;

# The rows of a draft.  Takes the tables that Draft::Choice has left, whatever
# the form of the document, as { where => 'line 8', heading => text or "", head
# => [names of the columns], rows => [[cells], ...], columns => those of
# Draft::Columns }, and makes an entry for each code:
#
#     { code, said => [rows of the document], mark => [text for a person],
#       status => 0, a status or "TODO", class => one or "TODO", title, success
#       => whether it is one }
#
# finish() sets status, class, title and success.  Between the entries are
# comments, as { comment => text }.

use strict;
use warnings;
use utf8;

use Draft::Above qw(status_above);
use Draft::Cell qw(begins_with_reason codes has_code is_status is_success repair
                   status reason uniq);
use Draft::Class qw(suggest_class);
use Draft::Columns qw(describe heads_rows);
use Draft::Names qw(role);
use Draft::Title qw(english texts name words plain);

my $title_max = 80;


# new(title): the number of the column of titles is found by its name

sub new {
    my ($class, $title) = @_;

    return bless { order => [], row => {}, skipped => [], no_code => [],
                   twice => [], no_status => [], no_title => [],
                   no_class => [], title => $title }, $class;
}


# all entries and comments in the order of the document

sub all {
    return @{ $_[0]{order} };
}


sub entries {
    return grep { defined $_->{code} } $_[0]->all;
}


sub has {
    my ($self, $code) = @_;

    return exists $self->{row}{$code};
}


# add(table): takes its codes, or skips it if it has none

sub add {
    my ($self, $table) = @_;
    my $columns = $table->{columns};

    if (!$columns) {
        push @{ $self->{skipped} },
             join ': ', $table->{where}, grep { $_ ne '' } describe($table),
                        $table->{why} // '';
        return;
    }

    my $heading = $table->{heading};
    my $like_status = !defined $columns->{status} && $columns->{like_status};

    $self->comment("== $heading") if $heading ne '';
    $self->comment('TODO: are these HTTP statuses?')
        if $like_status && !$columns->{is_status};
    $self->comment('the finer of two columns of codes, ' . join ' and ', map {
                       '"' . $table->{head}[$_] . '"' } @$columns{qw(code over)})
        if defined $columns->{over};

    $columns->{is_status} &&= $like_status;
    @$columns{qw(above said)} = status_above($table)
        if !defined $columns->{status};

    $self->add_rows($table, $columns);
}


sub comment {
    my ($self, $text) = @_;

    push @{ $self->{order} }, { comment => $text };
}


sub add_rows {
    my ($self, $table, $columns) = @_;
    my $last;

    for my $cells (@{ $table->{rows} }) {
        my @said = grep { ($_ // '') ne '' } @$cells;
        my $said = join ' | ', @said;
        my $cell = $cells->[$columns->{code}] // '';
        my @codes = $self->codes_of($table, $columns, $cells);

        if (!defined $columns->{status} && !@codes && heads_rows($cells)) {
            $columns->{above} = $said;
            $self->comment("== $said");

        } elsif (!(@codes && $cell eq '') && ($cell eq '' || $table->{spanned} && $last
             && $table->{spanned}{$cells}[$columns->{code}]) && $last
            && !has_other_status($last, $cells, $columns))
        {
            # it continues the row above

            push @{ $last->{said} }, $said if $said =~ /\w/;
            push @{ $last->{cells} }, told($table, $cells);
            add_status($last, $cells, $columns)
                if defined $columns->{status} && $said =~ /\w/;

        } elsif (!@codes) {
            $self->add_uncoded($cell, $said)
                if $said =~ /\w/
                   && lc $cell ne lc($table->{head}[$columns->{code}] // '');

        } else {
            $last = $self->add_code($_, $table, $columns, $cells, scalar @codes,
                                    $said) for @codes;
        }
    }
}


# whether a row has a status that the row above has not

sub has_other_status {
    my ($last, $cells, $columns) = @_;
    my $cell = $cells->[$columns->{status} // return 0] // '';

    return $cell =~ /^[1-5][0-9][0-9]$/ && %{ $last->{statuses} }
           && !$last->{statuses}{$cell} && grep({ ($_ // '') ne '' } @$cells) > 2;
}


# the codes of a row; the coarser one serves where the finer is missing

sub codes_of {
    my ($self, $table, $columns, $cells) = @_;
    my $cell = $cells->[$columns->{code}] // '';

    if (defined $columns->{over} && !has_code($cell)) {
        $cell = $cells->[$columns->{over}] // '';
    }

    return () if $columns->{plain} && $cell =~ /^[A-Z]?[a-z]+$/
                 && !$columns->{told};

    return () if $columns->{plain} && $cell =~ /^[0-9]+(?:[ .][0-9]+)+$/
                 && !$columns->{told} && !has_code($cell);

    return () if heads_rows($cells) && !$columns->{told};

    # a word alone in its row is a heading

    return () if !$table->{trust} && @$cells > 1 && $cell =~ /^[A-Z][a-z]+$/
                 && !grep { ($_ // '') =~ /\w/ && $_ ne $cell } @$cells;

    return codes($cell);
}


sub add_code {
    my ($self, $code, $table, $columns, $cells, $n, $said) = @_;
    my $entry = $self->entry($code);
    my $cell = $cells->[$columns->{code}] // '';
    my (undef, @repaired) = repair($cell);
    my @texts = texts($table, $cells, $columns, $self->title_column($table));

    push @{ $entry->{said} }, $said if $said ne '';
    push @{ $entry->{cells} }, told($table, $cells);
    mark($entry, 'one of several codes in one row') if $n > 1;
    mark($entry, 'a range of codes') if $code =~ /~/;
    mark($entry, "$_ in the code \"$cell\"") for @repaired;

    if ($cell =~ /[(（]\s*([^()（）]*[A-Za-z][^()（）]*?)\s*[)）]/) {
        push @texts, $1;

    } elsif ($n == 1 && $cell =~ /^(?:-?[0-9]{3,10}|[A-Z]{1,4}-?[0-9]{2,8})
                                  \s*[:：–—\s-]\s*(["']?[^\W0-9].*)$/x)
    {
        push @texts, $1;
    }

    add_status($entry, $cells, $columns);
    push @{ $entry->{texts} }, @texts;

    # the first string of a constant is its message

    @texts = map { s/^([ -~]*?[a-z] [ -~]*?) \| .*/$1/r } @texts
        if $table->{form} eq 'constants';

    add_title($entry, english(@texts));

    return $entry;
}


# the cells of a row that say what its code means, and not what to do

sub told {
    my ($table, $cells) = @_;

    return map { $cells->[$_] // '' }
           grep { role($table->{head}[$_]) !~ /^(?:advice|field)$/ } 0 .. $#$cells;
}


sub title_column {
    my ($self, $table) = @_;

    return Draft::Columns::named($table->{head}, $self->{title});
}


sub add_uncoded {
    my ($self, $cell, $said) = @_;

    push @{ $self->{no_code} }, $cell;
    $self->comment("TODO: no code: $said");
}


# the entry of a code, which is new or named once more

sub entry {
    my ($self, $code) = @_;
    my $entry = $self->{row}{$code};

    if (!$entry) {
        $entry = { code => $code, said => [], mark => [], statuses => {},
                   titles => [], texts => [], cells => [] };
        $self->{row}{$code} = $entry;
        push @{ $self->{order} }, $entry;

    } elsif (!$entry->{twice}++) {
        mark($entry, 'named twice');
        push @{ $self->{twice} }, $code;
    }

    return $entry;
}


sub mark {
    my ($entry, $text) = @_;

    push @{ $entry->{mark} }, $text;
}


sub add_status {
    my ($entry, $cells, $columns) = @_;
    my $column = $columns->{status};
    my $cell = $columns->{is_status} ? $entry->{code}
               : defined $column ? $cells->[$column] // ''
               : $columns->{said}{$entry->{code}} // $columns->{above} // '';

    if ($cell eq '' && !defined $column
        && grep { begins_with_reason($_, $entry->{code})
                  || /^[A-Za-z]+Http[A-Z]|^[A-Z_]*HTTP_/ && is_status($entry->{code})
                } @$cells)
    {
        $cell = $entry->{code};

    } elsif ($cell eq '' && !defined $column) {
        my @said = uniq(map { /\bHTTP(?:[\s-]*(?:status|code|error|response|mapping|状态码|返回码|ステータス))*
                               \s*[:：]?\s*([2-5][0-9][0-9])\b/xig } @$cells);

        @said = $1 if !@said && ($cells->[$columns->{code}] // '')
                                 =~ /^\D*\w\s*[(（\[]\s*([2-5][0-9][0-9])\s*[)）\]]$/;

        $cell = $said[0] if @said == 1;
    }

    # a blank one below a status that is left of the codes is the same

    if (defined $column && $column < $columns->{code}) {
        $cell = $columns->{same} // '' if $cell eq '';
        $columns->{same} = $cell;
    }

    $entry->{wants_status} = 1 if defined $column;
    $entry->{statuses}{$cell} = 1 if $cell =~ /[0-9０-９]/ || reason($cell);
}


sub add_title {
    my ($entry, $title) = @_;

    push @{ $entry->{titles} }, $title
        if $title ne '' && !grep { $_ eq $title } @{ $entry->{titles} };
}


# decides about each entry, once all tables are added

sub finish {
    my ($self) = @_;

    for my $entry ($self->entries) {
        $self->decide_status($entry);
        $self->decide_title($entry);

        $entry->{success} = grep({ is_success($_) } map { split / \| / } @{ $entry->{cells} })
                            || $entry->{code} =~ /^0+$/
                               && grep { is_fine($_) } @{ $entry->{said} };
        $entry->{class} = suggest_class($entry->{status}, $entry->{success},
                                        $entry->{code}, @{ $entry->{titles} },
                                        @{ $entry->{texts} });

        push @{ $self->{no_class} }, $entry->{code}
            if $entry->{class} eq 'TODO';
    }
}


# whether the text of code 0 says that all is well

sub is_fine {
    my ($text) = @_;

    return $text =~ /\b(?:ok|success\w*|succeeded|approved|no[\s_]?errors?)(?![A-Za-z])
                     |_no_?error\b|_(?:ok|success)\b|成功|正常|无错误/xi
           && $text !~ /fail|失败|不成功|unsuccess/i;
}


sub decide_status {
    my ($self, $entry) = @_;
    my @status = uniq(map { status($_) // 'TODO' }
                      keys %{ $entry->{statuses} });

    $entry->{status} = !@status ? 0 : @status == 1 ? $status[0] : 'TODO';

    return if $entry->{status} ne 'TODO'
              && (@status || !$entry->{wants_status});

    mark($entry, @status ? 'which status?' : 'no status');
    push @{ $self->{no_status} }, $entry->{code};
}


# an English text, or else a name as words, or else a text in another language

sub decide_title {
    my ($self, $entry) = @_;
    my $title = join '; ', @{ $entry->{titles} };

    $title = name(@{ $entry->{texts} }, $entry->{code}) if $title eq '';

    if ($title eq '') {
        ($title) = grep { /\w/ } map { plain($_) } @{ $entry->{texts} };
    }

    if (!defined $title) {
        mark($entry, 'no title');
        push @{ $self->{no_title} }, $entry->{code};
        $title = 'TODO';

    } elsif (length $title > $title_max) {
        mark($entry, 'the title is cut');
        $title = substr $title, 0, $title_max;
        $title =~ s/[\s;,]+\S*$// if $title =~ /^[ -~]*$/;
    }

    $entry->{title} = $title;
}


1;
