# tables/ holds what the vendors' documents say: every code once, with the
# document's status, and with a title that fits into a quoted header value.
# t/data has the codes as taken from the documents themselves.

use strict;
use warnings;

use ErrorMap;
use File::Basename qw(basename);
use Test::More;

my %expect = (face_device => 41, baidu_face => 140, vzenith => 68,
              tencent_iot => 72, tencent_iotvideo => 73);

my $total = 0;

for my $table (glob "$ErrorMap::root/tables/*.gperf") {
    my $name = basename($table, '.gperf');
    my (undef, $rows) = split /^%%\n/m, slurp($table);
    my (%row, @twice, @bad);

    for (grep { !/^#/ } split /\n/, $rows) {
        my ($code, $status, $class, $title)
            = /^([^\s,]+),\s*(\d+),\s*EM_([A-Z_]+),\s*"(.*)"$/;

        if (!defined $title) {
            push @bad, $_;
            next;
        }

        push @twice, $code if $row{$code};
        $row{$code} = "$status $class";

        push @bad, $_ if $title !~ /^[ !\x23-\x5b\x5d-\x7e]{1,80}$/
                         || $title =~ /^ | $|\?\?/;
    }

    is("@twice", '', "$name has no code twice");
    is(join("\n", @bad), '', "$name has only titles of 1 to 80 printable "
                             . "ASCII characters without \" and \\");

    my $count = delete $expect{$name} or next;

    my %data = map { split / /, $_, 2 }
               split /\n/, slurp("$ErrorMap::root/t/data/$name.codes");

    is(scalar keys %row, $count, "$name has $count codes");
    is_deeply(\%row, \%data, "$name has the codes, statuses and classes of "
                             . "t/data/$name.codes");

    $total += $count;
}

is($total, 394, 'all documents together have 394 codes');
is(join(' ', keys %expect), '', 'no document is missing');

done_testing();
