# tables/ holds the vendors' documents: every code once, with the document's
# status, and with a title that fits into a quoted header value.  The codes in
# t/data were taken from the documents themselves.

use strict;
use warnings;

use ErrorMap;
use ErrorMapTables;
use File::Basename qw(basename);
use Test::More;

cmp_ok(scalar @documents, '>=', 5, 'tables/ has documents');

for my $name (@documents) {
    my $table = table($name);
    my (%row, @twice);

    for (@{ $table->{rows} }) {
        push @twice, $_->{code} if $row{$_->{code}};
        $row{$_->{code}} = "$_->{status} $_->{class}";
    }

    my @bad = (@{ $table->{bad} }, map { $_->{title} } grep {
        my $title = $_->{title};

        !utf8::decode($title)
        || $title !~ /^[^\x00-\x1f"\\\x7f-\x9f]{1,80}$/
        || $_->{title} =~ /^ | $|\?\?/
    } @{ $table->{rows} });

    is("@twice", '', "$name has no code twice");
    is(join("\n", @bad), '', "$name has titles of 1 to 80 printable "
                             . "characters of UTF-8 without \" and \\");

    SKIP: {
        my $file = "t/data/$name.codes";
        skip "there is no $file", 1 if !-e "$ErrorMap::root/$file";

        my %data = map { $_->[0] => "$_->[1] $_->[2]" } codes($name);

        is_deeply(\%row, \%data,
                  "$name has the codes, statuses and classes of $file");
    }
}

my %table = map { $_ => 1 } @documents;

is(join(' ', grep { !$table{$_} } map { basename($_, '.codes') }
             glob "$ErrorMap::root/t/data/*.codes"), '',
   'all codes in t/data have a table');

done_testing();
