package Draft::Choice;

# Which tables of a document have its error codes.  Tables of HTTP statuses,
# operations, countries and the like are set apart when another table has the
# codes; tables of fields are never taken.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(begins_with_reason codes has_code reason);
use Draft::Columns qw(columns);
use Draft::Names qw(role about_errors about_others about_http
                    without_topics);
use Exporter qw(import);

our @EXPORT = qw(choose);

# the type of a field; only tables that describe fields have them

my $type_re = qr/(?:string|str|int(?:eger)?(?:32|64)?|u?int(?:8|16|32|64)|number
                   |long|float|double|bool(?:ean)?|object|array|list|map|json
                   |datetime|date|timestamp|decimal|text|varchar(?:\(\d+\))?
                   |字符串|整数|整型|布尔|对象|数组|文字列|数値|문자열|строка|число)
                 (?:\[\]|[\s(<,;].*)?/xi;

# the members that a body of an error often has

my $field_re = qr/(?:code|message|msg|error|errors|data|status|type|id|detail|title
                    |request_?id|trace_?id|timestamp|result|errcode|errmsg|param
                    |error_?code|error_?msg|error_?message|error_?description
                    |description|success|path|instance|doc_?url|sub_?code|sub_?msg
                    |name|value|content-type|accept|authorization)/xi;


# choose(tables, options): sets "columns" of the tables to read, and "why" of
# the others

sub choose {
    my ($tables, $option) = @_;
    my $best = 0;

    for my $table (@$tables) {
        ($table->{strength}, $table->{why}) = strength($table, $option);
        $best = $table->{strength} if $table->{strength} > $best;
    }

    for my $table (@$tables) {
        my $least = $best >= 2 ? ($table->{strength} == 1.5 ? 1.5 : 2) : $best;

        if (!$table->{strength} || $table->{strength} < $least) {
            $table->{why} ||= 'another table has the codes';
            delete $table->{columns};

        } else {
            delete $table->{why};
        }
    }
}


# from 0, it has no codes, to 3, it has the error codes; and why it is weak

sub strength {
    my ($table, $option) = @_;
    my $rows = $table->{rows};

    return (0, 'it has no rows') if !@$rows;

    my $above = join ' / ', @{ $table->{headings} || [] }, $table->{heading};
    my @near = ($table->{headings} && @{ $table->{headings} }
                ? $table->{headings}[-1] : (), $table->{heading});

    for my $skip (@{ $option->{skip} || [] }) {
        return (0, 'as told by --skip') if $above =~ /\Q$skip\E/i;
    }

    my $columns = columns($table, $option);

    return (0, 'no column has codes') if !$columns;

    $table->{columns} = $columns;

    my $code = $columns->{code};

    if (!grep { has_code($_->[$code]) } @$rows) {
        return (0, 'no cell of the column of codes has one');
    }

    return (3, '') if $columns->{told};
    return (0, 'it describes fields') if describes_fields($table, $columns);

    $columns->{like_status} = !grep { $_ !~ /^[1-5][0-9][0-9]$/ }
                               map { codes($_->[$code]) } @$rows
        if defined $table->{trust};
    $columns->{is_status} ||= $columns->{like_status} && is_http($table, @near);

    if ($columns->{like_status} && $columns->{is_status}) {
        return (2, '') if $columns->{role} eq 'errcode'
                          && lc($table->{head}[$code]) !~ /http|status/;
        return (0.5, 'it has HTTP statuses');
    }

    return (0.5, 'it has HTTP statuses') if $columns->{like_status}
        && reasons($table) && $columns->{role} ne 'errcode';
    return ($table->{trust}, 'no heading says that it has error codes')
        if defined $table->{trust};

    return by_name($table, $columns, $above, @near);
}


sub by_name {
    my ($table, $columns, $above, @near) = @_;
    my $role = $columns->{role};
    my $head = $table->{head}[$columns->{code}] // '';
    my $names = join ' ', @{ $table->{head} };
    my $near = join ' / ', @near;

    $near = $table->{heading} if about_others($table->{heading})
                                 && !about_errors($table->{heading});

    my $errors = about_errors($near =~ s/(?<![a-z])codes?(?![a-z])//gir) || about_errors($names);
    my $others = about_others($names)
                 || about_others($near =~ s/error\s+types?|错误类型/error/gir);

    return (defined $columns->{over} ? 3 : 1, '') if $role eq 'subcode';
    return (about_others($near) && !about_errors($near) ? 1.5 : 3, '')
        if $role eq 'errcode' && $head !~ /^(?:event|key)/i;
    if ($others && !about_errors($near =~ s/(?<![a-z])codes?(?![a-z])//gir)) {
        return ($role eq 'code' && $head =~ /code|码|碼|コード|코드|код/i
                && !about_others($names) && !about_others(without_topics($near))
                ? 1.5 : 0.5, 'its heading or its columns are of another kind');
    }

    if ($role eq 'code') {
        return ($errors ? 2.5 : 2, '')
            if $errors || $head !~ /^(?:val|num|int|dec|id|值|编号|編號|十|10)/i;
        return (1, 'its columns have no name of a code');
    }

    return ($errors ? 2 : 1, 'its columns have no name of a code')
        if $role =~ /^(?:name|)$/;
    return (about_errors($near) ? $role eq 'other' ? 1.2 : 1.5 : 0.8,
            'its columns have no name of a code');
}


sub is_http {
    my ($table, @near) = @_;
    my $head = $table->{head}[$table->{columns}{code}] // '';

    return about_http($head) || grep({ about_http($_) } @near)
           || reasons($table) && role($head) eq 'status' || own_reasons($table);
}


# whether most rows have a text that begins with the name of their own status

sub own_reasons {
    my ($table) = @_;
    my $code = $table->{columns}{code};

    return most_rows_have($table, sub {
        my ($row, $i) = @_;

        return begins_with_reason($row->[$i], $row->[$code] // '');
    });
}


# whether most rows have the name that RFC 9110 gives to their status

sub reasons {
    my ($table) = @_;
    my $code = $table->{columns}{code};

    return most_rows_have($table, sub {
        my ($row, $i) = @_;

        return reason($row->[$i])
               && ($i != $code || $row->[$i] =~ /[A-Za-z]{2}/);
    });
}


# whether more than half of the rows have a cell, row and column, that is wanted

sub most_rows_have {
    my ($table, $wanted) = @_;
    my $rows = $table->{rows};

    return 2 * grep({
        my $row = $_;
        grep { $wanted->($row, $_) } 0 .. $#$row
    } @$rows) > @$rows;
}


# a table with types in most of its rows describes fields, or one whose first
# column has the names of fields

sub describes_fields {
    my ($table, $columns) = @_;
    my $rows = $table->{rows};
    my $types = grep { grep { defined && /^$type_re$/ } @$_ } @$rows;
    my $code = $columns->{code};

    return 1 if $types * 2 > @$rows;
    return 1 if 3 * grep({ ($_->[$code] // '') =~ /^$field_re$/ } @$rows) > @$rows;
    return 0 if $columns->{role} =~ /^(?:err|sub)code$/;

    my @roles = map { role($_) } @{ $table->{head} };

    return $roles[0] eq 'field' && !grep { /code$/ } @roles;
}


1;
