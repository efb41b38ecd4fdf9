package Draft::Cell;

# One cell of a table: its text, the codes and the status in it.

use strict;
use warnings;
use utf8;

use Exporter qw(import);

our @EXPORT = qw(clean kind codes status uniq $success_re);

# a code and a status that em_check.awk accepts, and a message of success

my $code_re = qr{[A-Za-z0-9._:/-]{1,128}};
my $status_re = qr/(?!204|205|206|304)[2-5][0-9][0-9]/;
our $success_re = qr/(?:(?:请求|操作|调用|返回|处理|响应)?成功|success)/i;


# the text of a cell without its markup

sub clean {
    my ($cell) = @_;

    my $tag = qr/a|b|code|div|em|font|i|img|p|span|strong|su[bp]/;

    for ($cell) {
        s/<br\s*\/?>/ /gi;
        s/<\/?(?:$tag)(?:\s[^>]*)?>//gi;
        s/!?\[([^\]]*)\]\([^()\s]*\)/$1/g;
        s/\*\*|`//g;
        s/\\([|_*\[\]()#+.!<>~-])/$1/g;
        s/&lt;/</g;
        s/&gt;/>/g;
        s/&quot;/"/g;
        s/&nbsp;/ /g;
        s/&#124;/|/g;
        s/&amp;/&/g;
        s/\s+/ /g;
        s/^ | $//g;
    }

    return $cell;
}


# The form of a code, or "".  The rest of a wrapped row has another form in the
# column of codes.

sub kind {
    my $cell = clean($_[0] // '');

    return 'number' if $cell =~ /^-?[0-9]+$/;
    return 'WORD' if $cell =~ /^[A-Z][A-Z0-9_.:-]+$/;
    return 'Word' if $cell =~ /^[A-Za-z][A-Za-z0-9]*[A-Z_.][A-Za-z0-9_.:-]*$/;
    return '';
}


# the codes in a cell; a range contains "~", see Draft::Gperf

sub codes {
    my $cell = $_[0] // '';

    $cell =~ s/(?<=\S)\s*[(（].*//;
    $cell =~ s/^["'*]+|["'*]+$//g;

    return () if $cell =~ /^[0-9]xx$/i || $cell !~ /[A-Za-z0-9]/;

    if ($cell =~ /^(-?[0-9]+)\s*(?:-|~|～|–|—|至|到|to|\.\.+)\s*(-?[0-9]+)$/) {
        return ("$1~$2");
    }

    my @codes = split m{[\s,，、;；/]+}, $cell;
    my $kind = kind($codes[0]);

    return @codes if @codes > 1 && $kind && !grep { kind($_) ne $kind } @codes;
    return $cell =~ /^$code_re$/ ? ($cell) : ();
}


# the one status in a cell, or undef

sub status {
    my ($cell) = @_;

    my @found = uniq(($cell // '') =~ /(?<![0-9])[0-9]{3}(?![0-9])/g);

    return @found == 1 && $found[0] =~ /^$status_re$/ ? $found[0] : undef;
}


sub uniq {
    my %seen;

    return grep { !$seen{$_}++ } @_;
}


1;
