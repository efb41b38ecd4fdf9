package Draft::Constants;

# The reader of constants in programming languages: assignments, enumerations
# with and without values, constructors, maps, and macros.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(is_status);
use Draft::Codes qw(entries);
use Draft::Names qw(role about_others);
use Draft::Source qw(groups);

# lines of source text: by their end, or by their beginning

my $closed = qr{[;\{\}\(,\[\]]\s*(?:(?://|/\*|\#).*)?$};
my $comment = qr{^\s*(?://|/?\*|\#\s|\#!|--\s|"""|'''|%)};
my $keyword = qr{^\s*(?:import|from|package|using|namespace|class|enum|def|const
                 |module|object|require|use|end|type|pub|syntax|public|case|let|var
                 |export|sealed|final|abstract|private|internal|override|fun|val|super|raise|throw|\@\w+|\[\w+\(|return)\b}x;
my $directive = qr{^\#(?:define|if|endif|include|ifndef|undef|pragma|\[)
                   |^-(?:define|ifn?def|endif|include|module|export)\b|^<\?php}x;
my $assigned = qr{^\s*[A-Za-z_][\w.]*(?:\s+[\w.*]+)?\s*=\s*\S};
my $other = qr{`(?:json|db):.*`$|^\s*\|\s*['"]|^\s*[|?]?[\w.:\s]*\s*->\s*\S|^\s*\#\[|^\t+\w+$|^\s*\)$};

# lines that only source text has

my $declaration = qr/^\s*(?:\#define\s|-define\(|<\?php|import\s|from\s+\w+\s+import
    |(?:(?:public|export|pub|private|internal|static|open|final|abstract|sealed|partial
        |data|typedef)\s+)*
     (?:enum|class|struct|interface|object|namespace|trait|impl)\s+\w+.*?[{:(]?\s*$
    |(?:typedef\s+)?enum\s*\{\s*$
    |(?:def)?module\s+[\w.:]+(?:\s+do)?\s*$|package\s+[\w.:]+;?\s*$
    |(?:const|var)\s*\(|syntax\s*=|using\s|\w[\w.\s*%\$\@]*=\s*[\[{(]\s*$
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

        my $numbered = grep { $_->{implicit} } @{ $group->{entries} };

        $group->{entries} = []
            if @mapped && 2 * @mapped >= @{ $group->{entries} }
               || @mapped > 1 && $numbered >= $#{ $group->{entries} };
    }
}


sub is_mapped {
    my ($entry, @groups) = @_;

    return 0 if $entry->{code} eq $entry->{name} || $entry->{status} ne '';
    return grep { $_->{name} eq $entry->{name} && $_->{code} ne $_->{name}
                  && ($_->{number} != $entry->{number}
                      || $entry->{implicit} && !$_->{implicit}) }
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

    my $entries = $group->{entries};

    return !grep({ !is_status($_->{code}) } @$entries)
           && (!@$entries || grep { $_->{code} ne $_->{name} } @$entries);
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
    return 1.5 if $numbers && $texts >= 0.6 * @entries;
    return $numbers ? 1.1 : 0.8;
}


1;
