package Draft::Above;

# The status that a heading or an introduction above a table gives to its codes.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(codes is_status reason uniq);
use Draft::Names qw(about_errors);
use Exporter qw(import);

our @EXPORT = qw(status_above names_status);

my $status_re = qr/(?<![A-Za-z0-9_.])([45][0-9][0-9])(?![0-9.]\d|[0-9])/;
my $word_re = qr/http|status|状态|狀態|ステータス|상태|статус|estado|statut/i;

# words of a sentence about some of the codes; those of a condition are enough
# where the heading is about all errors

my $some_re = qr/\b(?:most|mostly|some|usually|often|others?|otherwise|depend\w*|except
                   |unless|but|only|may|might|can|sometimes|vary|varies|example
                   |e\.g)\b|其他|其它|一般|通常|大多|部分|除|例如/xi;
my $if_re = qr/\b(?:if|when|whenever|where|for)\b|如果|若|当|時|場合/i;
my $all_re = qr/\b(?:all|every|each|any|always|these|this|following|below)\b|所有|全部|均|以下
               |すべて|全て/xi;

# words of a sentence about errors wherever they are

my $always_re = qr/\b(?:all|any|every)\s(?:\w+\s)?(?:errors?|failures?)\b
                  |\bon\s(?:errors?|failures?)\b|(?:出错|失败|错误|异常)[时時]
                  |(?:異常|エラー)(?:時|の場合)|所有错误/xi;


# status_above(table): the text with the status that all codes of a table have,
# or "", and { code => status } of those that the introduction names

sub status_above {
    my ($table) = @_;

    for ($table->{heading}, reverse @{ $table->{headings} || [] }) {
        return ($_, {}) if names_status($_);
    }

    my @near = sentences($table->{near});
    my @sentences = sentences($table->{introduction});
    my $named = named_codes($table, @sentences);

    return ('', $named) if %$named;
    return (introduced($table, @near) || introduced($table, @sentences)
            || introduced($table, grep { /$always_re/ } sentences($table->{overview})), {});
}


sub sentences {
    my ($text) = @_;

    return split /(?<=[.!?])\s+|(?<=[。！？])/, $text // '';
}


# the status of the codes that a sentence names beside it

sub named_codes {
    my ($table, @sentences) = @_;
    my @codes = map { codes($_->[$table->{columns}{code}] // '') }
                @{ $table->{rows} };
    my %status;

    for my $sentence (@sentences) {
        my @named = uniq($sentence =~ /$status_re/g);

        next if @named != 1 || $sentence !~ $word_re || !is_status($named[0]);

        $status{$_} = $named[0] for grep {
            $_ ne $named[0] && $sentence =~ /(?<![\w.-])\Q$_\E(?![\w-]|\.\w)/
        } @codes;
    }

    return keys %status < @codes ? \%status : {};
}


# the one status that an introduction names for all codes, or ""

sub introduced {
    my ($table, @sentences) = @_;
    my $said = join ' ', @sentences;
    my ($status, @more) = uniq($said =~ /$status_re/g);

    return '' if !defined $status || @more || !is_status($status)
                 || $said !~ /$word_re\D{0,40}$status
                             |$status\W+(?:\w+\W+){0,3}status/xi;

    my ($sentence) = grep { /$status/ } @sentences;

    return $status if $sentence =~ /$all_re|$always_re/ && $sentence !~ $some_re;
    return '' if $sentence =~ $some_re
                 || $sentence =~ $if_re && about_errors($table->{headings}[-1] // '');
    return $status;
}


# names_status(text): whether a heading has nothing but a status, or names one

sub names_status {
    my ($text) = @_;

    return 0 if $text =~ /[1-5][0-9][0-9]\s*(?:-|~|–|to|至)\s*[1-5][0-9][0-9]/;

    return $text =~ /^\W*(?:(?:https?\s*)?(?:errors?|status|状态码|状态)?\s*
                     (?:code)?)?\s*[:：]?\s*[2-5][0-9][0-9](?![0-9.])\W*(.*)$/xi
           && ($1 eq '' || reason($1) || $text =~ /http|status|状态/i
               || $1 =~ /^(?:errors?|错误码?)$/i)
           || $text =~ /(?:http|status|状态码)\D{0,20}[2-5][0-9][0-9](?![0-9])/i
           || $text =~ /[(（][2-5][0-9][0-9](?:\s[A-Za-z ]*)?[)）]\s*$/
           || $text =~ /[(（][2-5][0-9][0-9]\s+([A-Za-z ]+)[)）]/ && reason($1)
           || reason($text) && $text =~ /\s/;
}


1;
