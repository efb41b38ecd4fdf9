package Draft::Constants;

# The reader of constants in programming languages: assignments, enumerations
# with and without values, constructors, maps, and macros.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(clean is_status strict_code uniq);
use Draft::Names qw(role about_errors about_others);
use Draft::Source qw(groups);

# lines of source text: by their end, or by their beginning

my $closed = qr{[;\{\}\(,\[\]]\s*(?:(?://|/\*|\#).*)?$};
my $comment = qr{^\s*(?://|/?\*|\#\s|\#!|--\s|"""|'''|%)};
my $keyword = qr{^\s*(?:import|from|package|using|namespace|class|enum|def|const
                 |module|object|require|use|end|type|pub|syntax|public|case|let|var
                 |export|\@\w+|\[\w+\(|return)\b}x;
my $directive = qr{^\#(?:define|if|endif|include|ifndef|undef|pragma|\[)
                   |^-(?:define|ifn?def|endif|include|module|export)\b|^<\?php}x;
my $assigned = qr{^\s*[A-Za-z_][\w.]*(?:\s+[\w.*]+)?\s*=\s*\S};
my $other = qr{`(?:json|db):.*`$|^\s*\|\s*['"]|^\s*[|?]?[\w.:\s]*\s*->\s*\S|^\s*\#\[};

# lines that only source text has

my $declaration = qr/^\s*(?:\#define\s|-define\(|<\?php|import\s|from\s+\w+\s+import
    |(?:(?:public|export|pub|private|internal|static|open|final|abstract|sealed|partial
        |data|typedef)\s+)*
     (?:enum|class|struct|interface|object|namespace|trait|impl)\s+\w+.*?[{:(]?\s*$
    |(?:typedef\s+)?enum\s*\{\s*$
    |(?:def)?module\s+[\w.:]+(?:\s+do)?\s*$|package\s+[\w.:]+;?\s*$
    |const\s*\(|syntax\s*=|using\s|\w[\w.\s*]*=\s*[\[{(]\s*$
    |(?:export\s+)?(?:const|let|var|final|val)\s+\w)/x;


# whole(document): the tables, if the document is a source file

sub whole {
    my ($document) = @_;
    my @tables = is_source($document) ? of(0, @{ $document->lines }) : ();

    $document->take(0, $#{ $document->lines }) if @tables;

    return @tables;
}


# tables(document): those of the examples in a text, or of its lines

sub tables {
    my ($document) = @_;

    return of(1, map { /^\s*(?:```|~~~)/ ? '' : $_ } @{ $document->lines });
}


# most lines of a source file end or begin as no text does, some as only source

sub is_source {
    my ($document) = @_;
    my @line = grep { /\S/ } @{ $document->lines };

    return 0 if grep { /^\s*[-*]\s+\*\*|^```|^\|.*\|\s*$/ } @line;
    return grep({ /$declaration/ } @line)
           && grep({ /$closed|$comment|$keyword|$directive|$assigned|$other/ } @line)
              >= 0.7 * @line;
}


sub of {
    my ($in_text, @line) = @_;
    my @source = groups(@line);
    my @groups = map { { %$_, entries => [entries($_, $in_text)] } }
                 classes(@source), grep { !$_->{class} } @source;

    drop_mapped(@groups);

    my %code;

    for my $group (grep { !has_statuses($_) } @groups) {
        for (@{ $group->{entries} }) {
            $code{$_->{name}} //= $_ if $_->{code} ne $_->{name};
        }
    }

    # words that are codes themselves

    for my $group (@groups) {
        $code{$_->{name}} //= $_ for grep { $_->{status} eq '' && $_->{text} eq '' }
                                     @{ $group->{entries} };
    }

    my %owner;

    for my $group (@groups) {
        $owner{$_} = $group for @{ $group->{entries} };
    }

    # a map of texts or of statuses by the names of the constants

    for my $group (@groups) {
        my $statuses = has_statuses($group);
        my @texts = grep { $code{$_->{name}} && $code{$_->{name}} != $_
                           && ($statuses || $_->{code} eq $_->{name}) }
                    @{ $group->{entries} };

        $_->{status} = $_->{code} for $statuses ? @texts : ();

        for (@texts) {
            my $entry = $code{$_->{name}};

            $owner{$entry}{also} = $group->{name} if !$statuses;
            $entry->{text} = $_->{text} if $entry->{text} eq '';
            $entry->{status} = $_->{status} if $entry->{status} eq '';
        }

        my %done = map { $_ => 1 } grep { @texts == @{ $group->{entries} }
                                          || $_->{code} eq $_->{name} } @texts;

        $group->{entries} = [ grep { !$done{$_} } @{ $group->{entries} } ];
    }

    # types of errors beside their codes

    if (grep { named_all($_, qr/Code/) } @groups) {
        $_->{entries} = [] for grep { named_all($_, qr/Err(?:or)?Type/) } @groups;
    }

    # a word or a setting alone beside lists of codes

    if (grep { @{ $_->{entries} } > 2 } @groups) {
        $_->{entries} = [] for grep { @{ $_->{entries} } == 1 && $_->{name} eq ''
                                      && ($_->{entries}[0]{code} =~ /^[a-z.]+[a-z0-9.]*$/
                                          || $_->{entries}[0]{name} =~ /^[a-z]\w*$/)
                                    } @groups;
    }

    return grep { $_ } map { table($_, @{ $_->{entries} }) } @groups;
}


# the numbers of an enumeration are no codes if a later map by its names has
# words, nor its words if that has numbers

sub drop_mapped {
    my (@groups) = grep { !has_statuses($_) } @_;

    while (my $group = shift @groups) {
        my @mapped = grep { is_mapped($_, @groups) } @{ $group->{entries} };

        $group->{entries} = [] if @mapped && 2 * @mapped >= @{ $group->{entries} };
    }
}


sub is_mapped {
    my ($entry, @groups) = @_;

    return 0 if $entry->{code} eq $entry->{name} || $entry->{status} ne '';
    return grep { $_->{name} eq $entry->{name} && $_->{code} ne $_->{name}
                  && $_->{number} != $entry->{number} }
           map { @{ $_->{entries} } } @groups;
}


# whether the names of a group, all of them, have a word

sub named_all {
    my ($group, $word) = @_;
    my $entries = $group->{entries};

    return @$entries && !grep { $_->{name} !~ $word } @$entries;
}


# whether the codes of a group are HTTP statuses, all of them

sub has_statuses {
    my ($group) = @_;

    return !grep { !is_status($_->{code}) } @{ $group->{entries} };
}


# classes of errors, whose members are "code" and others, become one group

sub classes {
    my (@groups) = @_;
    my %base = map { ($_->{base} // '') => 1 } @groups;
    my @entries;

    for my $group (@groups) {
        my %member;

        for (@{ $group->{entries} }) {
            my $role = role($_->{name});
            my ($value) = (@{ $_->{numbers} }, @{ $_->{strings} }, $_->{status} // ());

            $member{$role =~ s/^(?:errcode|subcode)$/code/r =~ s/^message$/text/r} //= $value
                if $_->{name} =~ /^[a-z]/ && $role =~ /code$|status|message|text/;
        }

        next if $group->{flags} || !defined $member{code} || $group->{name} eq ''
                || @{ $group->{entries} } > 8;

        $group->{class} = 1;
        push @entries, { name => $group->{name}, numbers => [], strings => [],
                         named => \%member, comment => '', line => $group->{line} }
            if !$base{$group->{name}};
    }

    return () if !@entries;
    return { name => 'errors', heading => '', line => $entries[0]{line},
             entries => \@entries };
}


# the entries of a group that have a code

sub entries {
    my ($group, $in_text) = @_;
    my %name = map { $_->{name} => 1 } @{ $group->{entries} };
    my @entry = grep { !is_limit($_, $group) && !is_bound($_->{name}, \%name) }
                @{ $group->{entries} };
    my @found;

    # HTTP statuses come first where another code follows

    my $swap = @entry && !grep { my $e = $_;
        !(defined $e->{numbers}[0] && $e->{numbers}[0] =~ /^[1-5][0-9][0-9]$/
          && (@{ $e->{numbers} } > 1 || grep { strict_code($_) } @{ $e->{strings} })) } @entry;

    # but the codes do where only the numbers after them are all statuses

    $swap = 0 if $swap && grep({ !is_status($_->{numbers}[0]) } @entry)
                 && !grep { !is_status($_->{numbers}[1] // '') } @entry;

    my $named = @entry && !grep { @{ $_->{numbers} }
                                  || grep { strict_code($_) } @{ $_->{strings} } } @entry;
    my $numbers = grep({ @{ $_->{numbers} } && !@{ $_->{strings} } } @entry) >= 0.4 * @entry;
    my $words = grep({ !@{ $_->{numbers} } && strict_code($_->{strings}[0] // '') }
                     @entry) >= 0.6 * (@entry || 1);
    my $coded = grep({ !@{ $_->{numbers} } && strict_code($_->{strings}[0] // '')
                       && $_->{strings}[0] =~ /[0-9]/ } @entry) > 0.5 * @entry;
    my $statuses = @entry && @entry == grep { my $n = $_->{numbers};
                                  @$n == 1 && $n->[0] =~ /^[1-5][0-9][0-9]$/ } @entry;
    my $name_with_status = $statuses && !$swap
        && ($group->{parameters} =~ /\bstatus/i && $group->{parameters} !~ /code/i
            || (uniq(map { $_->{numbers}[0] } @entry)) < @entry
            || !grep { !$_->{keyed} || !@{ $_->{strings} } && $_->{name} !~ /_/
                       || !is_status($_->{numbers}[0]) } @entry);

    for my $entry (@entry) {
        my %got = %{ $entry->{named} };
        my @number = @{ $entry->{numbers} };
        my @string = @{ $entry->{strings} };
        my $code = $got{code};
        my $status = $got{status} // $entry->{status};

        if (!defined $status && $swap && !defined $code) {
            $status = shift @number;
        }

        if (!defined $code && $name_with_status && !$got{code}) {
            $status //= shift @number;
            $code = $entry->{name};
        }

        if (!defined $code && $entry->{name} =~ /^-?\d+$|^0x/) {
            $code = value($entry->{name});

        } elsif (!defined $code) {
            my ($first) = $entry->{first_string} && @string
                          && (strict_code($string[0])
                              || $words && $string[0] =~ /^[a-z]+$/
                              || $coded && $string[0] =~ /^(?=.*[0-9])[A-Z0-9]{1,4}$/)
                          ? shift @string : @number ? shift @number
                          : @string && strict_code($string[0]) ? shift @string : ();

            $code = $first // ($named || @{ $entry->{strings} } || defined $status
                               ? $entry->{name} : undef);
        }

        next if !defined $code;
        next if $words && $entry->{name} =~ /[A-Z]/ && !@{ $entry->{strings} }
                && !defined $status && !$entry->{named}{code};
        next if $numbers && $code eq $entry->{name} && !@{ $entry->{numbers} }
                && !defined $status;

        if (!defined $status && @number && $number[0] =~ /^[1-5][0-9][0-9]$/
            && $code ne $number[0])
        {
            $status = $number[0];
        }

        $status //= $entry->{section};

        my $text = $got{text} // join ' | ', grep { /\S/ && $_ ne $code } @string, $entry->{comment};

        push @found, { name => $entry->{name}, code => clean($code),
                       status => $status // '', text => clean($text),
                       number => $code =~ /^-?\d+$/ ? 1 : 0 };
    }

    return () if $in_text && @found < 2;
    return @found;
}


sub value {
    my ($text) = @_;

    return $text =~ /^0x/i ? hex $text : $text;
}


# the first or the last number of a range, if a constant has the other one

sub is_bound {
    my ($name, $names) = @_;
    my %other = qw(Start End Begin End First Last Min Max);

    while (my ($first, $last) = each %other) {
        my ($stem) = $name =~ /^(.*)(?:$first|$last)$/ or next;

        return 1 if $names->{"$stem$first"} && $names->{"$stem$last"};
    }

    return 0;
}


# limits, sizes and marks beside the codes

sub is_limit {
    my ($entry, $group) = @_;
    my $name = $entry->{name};

    return 0 if $name =~ /^-?\d/
                || $name eq 'TIMEOUT' && grep({ @{ $_->{numbers} } == 1 }
                                              @{ $group->{entries} }) > 3;
    return 1 if $name =~ /(?:^|_)(?:CNT|COUNT|MAX|MIN|BASE|BEGIN|END|LAST|FIRST|START
                            |VERSION|(?:NAME|STR|MSG|TEXT|BUF|MAX)_(?:LEN|SIZE)|SIZE|LEN|LENGTH|BUFSIZE|BUF|NUM|MASK|OFFSET|SHIFT
                            |serialVersionUID|H|MAX_VALUE|SENTINEL|TOTAL)_*$/x
                && !($name =~ /ERR/ && $name !~ /(?:CNT|COUNT|MAX|BASE|BEGIN|END|LAST|START|NUM|(?:NAME|STR|MSG|TEXT|BUF|MAX)_(?:LEN|SIZE))_*$/);
    return 1 if $name =~ /^(?:MAX|MIN|NUM|DEFAULT|VERSION|TIMEOUTS?|RETRY|PORTS?|BUFFER)(?:_|$)
                          |^(?:Max|Min|Default|max|min|default)[A-Z]/x && !@{ $entry->{strings} };
    return 1 if $name =~ /^(?:CHARSET|ENCODING|LOCALE)$/;
    return 1 if $name =~ /(?:Count|Max|Base|Begin|End|Last)$/ && $name =~ /^(?:Err|E|k|e|Code)/
                && !@{ $entry->{strings} };
    return 1 if $name =~ /^(?:case|default|return|this|self|super|throw|print\w*|log
                            |version|name|description|author|syntax)$/x;
    return 0;
}


sub table {
    my ($group, @entries) = @_;

    return undef if !@entries || $group->{flags};

    my $near = join ' / ', grep { ($_ // '') ne '' } @$group{qw(name heading also)};

    return { form => 'constants', where => "line $group->{line}",
             line => $group->{line}, heading => $near, headings => [],
             head => [ 'name', 'code', 'HTTP status', 'message' ],
             rows => [ map { [ $_->{name}, $_->{code}, $_->{status}, $_->{text} ] }
                       @entries ],
             columns => { code => 1, role => 'code',
                          status => grep({ $_->{status} ne '' } @entries) ? 2
                                    : undef },
             trust => trust($group, $near, @entries) };
}


sub trust {
    my ($group, $near, @entries) = @_;
    my $numbers = grep { $_->{number} } @entries;
    my $texts = grep { $_->{text} =~ /\S/ } @entries;
    my $bad = qr/err(?:or)?(?:[_A-Z]|$)|^E_|^E[A-Z]{3,}$|fail|invalid|not_?found|denied|exceed
                 |unknown|missing|expired|forbidden|unauth|time_?out|exists?(?:_|$)
                 |illegal|not_?allow|unsupport|unavail|conflict|refused|reject/xi;
    my $errors = grep { $_->{name} =~ $bad || $_->{code} =~ /[A-Za-z]/
                        && $_->{code} =~ $bad } @entries;
    my $about = $near =~ /err|code|status|result|exception|fault|fail|reason|return|错误|码|ret(?:urn|code|val)|errno|エラー|오류/i;

    return 0.5 if about_others($near =~ s/(?<=[a-z])(?=[A-Z])/ /gr) && !($near =~ /err|fault|exception|fail|错误/i)
                  && $errors < 0.5 * @entries;
    return 3 if $near =~ /err|exception|fault|fail|错误|エラー|오류/i;
    return 2.5 if $errors >= 0.3 * @entries;
    return 2 if $about && ($numbers || $texts);
    return 1.5 if $numbers && $texts >= 0.7 * @entries;
    return $numbers ? 1.1 : 0.8;
}


1;
