package Draft::Rows;

# The rows of a draft.  Takes the tables that the readers have found, whatever
# the form of the document, as { where => 'line 8', heading => text or "", head
# => [names of the columns], rows => [[cells], ...] }, and makes an entry for
# each code:
#
#     { code, said => [rows of the document], mark => [text for a person],
#       status => 0, a status or "TODO", title, success => whether it is one }
#
# finish() sets status, title and success.  Between the entries are comments, as
# { comment => text }.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(codes status uniq $success_re);
use Draft::Columns qw(columns title);

my $title_max = 80;

# the type of a field; only tables that describe fields have them

my $type_re = qr/(?:string|int(?:eger)?(?:32|64)?|number|long|float|double
                   |bool(?:ean)?|object|array|list|map|json)/xi;


sub new {
    my ($class) = @_;

    return bless { order => [], row => {}, skipped => [], no_code => [],
                   twice => [], no_status => [], no_title => [] }, $class;
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
    my $rows = $table->{rows};
    my ($code, $status, $is_status) = columns(@{ $table->{head} });

    return $self->skip($table) if !defined $code || !has_codes($rows, $code);

    undef $status if defined $status && !grep { status($_->[$status]) } @$rows;

    my $heading = $table->{heading};
    my $like_status = !defined $status && all_like_status($rows, $code);

    $is_status ||= $heading =~ /http/i && $heading =~ /码|code|status/i;

    $self->comment("== $heading") if $heading ne '';
    $self->comment('TODO: are these HTTP statuses?')
        if $like_status && !$is_status;

    $self->add_rows($table, { code => $code, status => $status,
                              is_status => $like_status && $is_status });
}


sub skip {
    my ($self, $table) = @_;
    my @head = @{ $table->{head} };

    push @{ $self->{skipped} },
         join ': ', $table->{where}, @head ? join(' | ', @head) : ();
}


# a table with types in most of its rows describes fields

sub has_codes {
    my ($rows, $code) = @_;
    my $types = grep { grep { /^$type_re$/ } @$_ } @$rows;

    return $types * 2 <= @$rows && grep { codes($_->[$code]) } @$rows;
}


sub all_like_status {
    my ($rows, $code) = @_;

    return !grep { codes($_->[$code]) && $_->[$code] !~ /^[1-5][0-9][0-9]$/ }
            @$rows;
}


sub comment {
    my ($self, $text) = @_;

    push @{ $self->{order} }, { comment => $text };
}


sub add_rows {
    my ($self, $table, $columns) = @_;
    my $last;

    for my $cells (@{ $table->{rows} }) {
        my $said = join ' | ', grep { $_ ne '' } @$cells;
        my $cell = $cells->[$columns->{code}] // '';
        my @codes = codes($cell);

        if ($cell eq '' && $last) {

            # it continues the row above

            push @{ $last->{said} }, $said if $said =~ /\w/;

        } elsif (!@codes) {
            $self->add_uncoded($cell, $said) if $said =~ /\w/;

        } else {
            for my $code (@codes) {
                $last = $self->entry($code);

                push @{ $last->{said} }, $said;
                mark($last, 'one of several codes in one row') if @codes > 1;
                mark($last, 'a range of codes') if $code =~ /~/;

                add_status($last, $cells, $columns);
                add_title($last, title($table->{head}, $cells,
                                       @$columns{qw(code status)}));
            }
        }
    }
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
                   titles => [] };
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
               : defined $column ? $cells->[$column] // '' : '';

    $entry->{wants_status} = 1 if defined $column;
    $entry->{statuses}{$cell} = 1 if $cell =~ /[0-9]/;
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

        $entry->{success} = grep { /(?:^|\| )(?:$success_re|ok)(?:$| \|)/i }
                            @{ $entry->{said} };
    }
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


sub decide_title {
    my ($self, $entry) = @_;
    my $title = join '; ', @{ $entry->{titles} };

    if ($title eq '') {
        mark($entry, 'no title');
        push @{ $self->{no_title} }, $entry->{code};
        $title = 'TODO';

    } elsif (length $title > $title_max) {
        mark($entry, 'the title is cut');
        $title = substr $title, 0, $title_max;
        $title =~ s/[\s;,]+\S*$//;
    }

    $entry->{title} = $title;
}


1;
