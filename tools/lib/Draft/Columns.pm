package Draft::Columns;

# The columns of a table, known by their names: which one has the codes, the
# statuses and the messages.

use strict;
use warnings;
use utf8;

use Exporter qw(import);

our @EXPORT = qw(columns title);


# columns(name, ...): the number of the column of codes and of that of
# statuses, each or undef, and whether the codes are HTTP statuses themselves

sub columns {
    my ($code, $status);

    for my $i (0 .. $#_) {
        my $name = lc $_[$i];

        $name =~ s/[\s_-]//g;

        if (names_status($name)) {
            $status //= $i;

        } elsif (names_code($name)) {
            $code //= $i;
        }
    }

    return ($code, $status) if defined $code || !defined $status;
    return ($status, undef, $_[$status] =~ /http/i);
}


sub names_status {
    my ($name) = @_;

    return $name =~ /http/ && $name =~ /码|code|status|^http$/
           || $name =~ /^(?:status(?:code)?|状态码?)$/;
}


sub names_code {
    my ($name) = @_;

    return $name !~ /描述|说明|信息|含义|消息|message|msg|desc/
           && ($name =~ /(?:错误|返回|响应|结果|业务)(?:代?码|编[码号]|值)
                         |(?:err|error|ret|return|result|reason)codes?/x
               || $name =~ /^(?:代码|编码|码|code|error|errno)(?:\W|$)/);
}


# title(names, cells, column of codes, column of statuses): the message of a
# row if it is English, or "".  The column named so comes first, columns of
# advice never.

sub title {
    my ($names, $cells, $code, $status) = @_;

    my $message = qr/message|msg|信息|消息/i;
    my $other = qr/^(?:index|no\.?|id|序号|类型|type|级别|level)$
                   |建议|处理|解决|方案|措施|advice|solution|action|suggest/xi;

    my @columns = grep { $_ != $code && !(defined $status && $_ == $status)
                         && ($names->[$_] // '') !~ $other } 0 .. $#$cells;

    for my $i (sort { (($names->[$b] // '') =~ $message)
                      <=> (($names->[$a] // '') =~ $message) || $a <=> $b }
               @columns)
    {
        my $title = ascii($cells->[$i]);

        return $title if $title =~ /^[ -~]+$/ && $title =~ /[A-Za-z]{2}/;
    }

    return '';
}


# with the punctuation that a title may contain

sub ascii {
    my ($title) = @_;

    $title =~ tr/‘’“”：，。（）！？；–—/'''':,.()!?;\-\-/;
    $title =~ tr/"\\/'\//;
    $title =~ s/\?+/?/g;
    $title =~ s/^\s+|[\s.!]+$//g;

    return $title;
}


1;
