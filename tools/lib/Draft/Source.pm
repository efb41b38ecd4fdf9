package Draft::Source;

# Source text of whatever language as groups of entries: what stands between the
# braces of an enumeration or in one list of macros, without comments.

use strict;
use warnings;
use utf8;

use Draft::Comments;
use Draft::Entry;
use Draft::Literals;
use Draft::Names qw(role);
use Exporter qw(import);

our @EXPORT = qw(groups);

# what has members and a name

my $kind = qr/(?:enum|class|struct|interface|object|namespace|module|extension|trait|impl
                |record|type|message|service|oneof|union)/x;


# _("text"), i18n.t('text'): what translates a text

my $translated = qr/(?<![\w.])(?:_|__|_l|N_|n?p?gettext(?:_lazy|_noop)?|ugettext\w*|tr
                       |trans|(?:i18n\.)?t)\(\s*($string)\s*\)/x;


# a key of a map that has a number

my $key = qr/["']?(?:-?[0-9]+|[A-Z]+[_-]?[0-9]+)["']?\s*(?::|=>)/;


# groups(line, ...): { name, heading, line, flags => bits and not codes, entries
# => [ { name, numbers, strings, named => { code, status, text }, status,
# comment, first_string } ] }

sub groups {
    my $state = { lines => [ map { s/$translated/$1/gr } @_ ], group => undef, groups => [], known => {},
                  comment => '', heading => '' };

    begin($state, '', 1);
    $state->{java} = grep { /^package\s+\w+(?:\.\w+)+\s*;?\s*$|^\s*fun\s+\w+\(/ } @_;

    $state->{statuses} = grep { /^import\s.*\bHttpStatus\.[A-Z*]/ } @_;

    for (my $i = 0; $i < @{ $state->{lines} }; $i++) {
        $state->{at} = $i;
        $i += line($state, $i);
    }

    push @{ $state->{groups} }, $state->{made} if $state->{made};

    # where some names are codes, all are

    for my $group (grep { $_->{annotated} } @{ $state->{groups} }) {
        $_->{named}{code} //= $_->{name} for @{ $group->{entries} };
    }

    return grep { @{ $_->{entries} } } @{ $state->{groups} };
}


sub begin {
    my ($state, $name, $line) = @_;

    undef $state->{section};
    $state->{group} = { name => $name, line => $line, entries => [], flags => 0,
                        next => undef, heading => $state->{heading}, base => '',
                        parameters => '' };
    push @{ $state->{groups} }, $state->{group};
}


# reads a line, and returns how many more were read with it

sub line {
    my ($state, $i) = @_;
    my $text = $state->{lines}[$i];

    for my $read (\&heading, \&remark, \&attribute) {
        my $more = $read->($state, $i, $text);

        return $more if defined $more;
    }

    $text =~ s/\s(?:class|className|style|href|id)=(?:"[^"]*"|\{[^}]*\})//g
        if $text =~ /<\w/;

    ($text, my $comment) = strip($text);

    return blank($state) if $text !~ /\S/;

    my ($indent) = $text =~ /^(\s*)/;

    undef $state->{function}
        if defined $state->{function} && length $indent <= $state->{function};

    my $more = cases($state, $i, $text, $comment);

    return $more if defined $more;

    ($text, $more) = joined($state, $i, $text);
    statement($state, $text, $comment, $i);

    return $more;
}


# a heading of Markdown or AsciiDoc is also a comment to what follows

sub heading {
    my ($state, $i, $text) = @_;

    my ($said) = $text =~ /^\s*(?:#{1,6}|=+)\s+(\S.*)$/ or return undef;

    return undef if $said =~ /^(?:define|if|endif|include|else|undef|pragma)/;

    $state->{heading} = $said if $text =~ /^\S/;
    begin($state, '', $i + 1) if @{ $state->{group}{entries} }
                                 && $text =~ /^\S/ && !$state->{group}{name};
    $state->{comment} = $state->{comment} ne '' ? "$state->{comment} $said" : $said;

    return 0;
}


# case NAME: and below it "return 404;" or "return {"

sub cases {
    my ($state, $i, $text, $comment) = @_;

    if ($text =~ /^\s*(?:case|when)\s+($string|-?[\w.:]*\w)\s*(?::|->)\s*$/) {
        push @{ $state->{cases} }, $1;
        return 0;
    }

    my $cases = delete $state->{cases} // return undef;

    return undef if $text !~ /^\s*return\s+(\S.*)/;

    my $value = $1;
    my $more = 0;

    if ($value =~ /^[{(]\s*$/) {
        $value = comment(($state->{lines}[$i + 1] // '') =~ s/<[^>]*>|["'`,]//gr);
        $value = "\"$value\"";
        $more = closed($state, $i);
    }

    statement($state, "case $_: return $value", $comment, $i) for @$cases;

    return $more;
}


# the lines up to the bracket that closes this one's

sub closed {
    my ($state, $i) = @_;
    my ($indent) = $state->{lines}[$i] =~ /^(\s*)/;

    for my $more (1 .. $#{ $state->{lines} } - $i) {
        return $more if $state->{lines}[$i + $more] =~ /^$indent[})\]]/;
    }

    return 1;
}


sub blank {
    my ($state) = @_;

    $state->{comment} = '' if !$state->{group} || $state->{lines}[$state->{at}] !~ /\S/;

    return 0;
}


# a statement and how many lines more it goes on: the value below a clause of a
# function, or a bracket that is closed soon and has values of its own

sub joined {
    my ($state, $i, $text) = @_;

    # the parameters of an enumeration

    if ($text =~ /\benum\s+class\s+\w+\s*\([^)]*$/) {
        my @line = @{ $state->{lines} }[$i + 1 .. $#{ $state->{lines} }];
        my ($last) = grep { $line[$_] =~ /\{\s*$/ } 0 .. ($#line < 12 ? $#line : 12);

        return (join(' ', $text, @line[0 .. $last]), $last + 1) if defined $last;
    }

    if ($text =~ /^\s*[a-z]\w*\s*\(.*\)\s*->\s*$/
        && ($state->{lines}[$i + 1] // '') =~ /^\s+(\S.*[.;])\s*$/)
    {
        return ("$text $1", 1);
    }

    return ($text, 0) if $text !~ /[(\[{]\s*$|=\s*[\w.:&]+\([^()]*,\s*$/
        || $text =~ /\bmap\[|^\s*(?:\w+\s+)*object\s+\w+|\b(?:enum|class|struct|interface
                     |namespace|switch|match|when|trait|impl|func|fn|function|if|for
                     |while)\b/x;

    my @found = bracket($state, $i, $text);

    return @found ? @found : ($text, 0);
}


sub bracket {
    my ($state, $i, $text) = @_;
    my $joined = $text;

    for my $more (1 .. 14) {
        my $next = $state->{lines}[$i + $more] // return ();

        ($next) = strip($next);
        $joined .= " $next";

        my $bare = $joined =~ s/$string//gr;
        my $open = () = $bare =~ /[(\[{]/g;
        my $close = () = $bare =~ /[)\]}]/g;

        next if $open > $close;

        # members with values of their own are a group

        return () if $bare =~ /[{\[]\s*[\w.:'"-]*\s*[:=]?>?\s*[{\[(].*[{\[(]/
                     && (() = $bare =~ /[{(\[]/g) > 2
                  || (() = $bare =~ /(?<!\w)[(\[]\s*[^()\[\],]*,[^()\[\]]*[)\]]/g) > 1;

        my @keys = $joined =~ /[({,]\s*['":]*(\w+)(?:-\w+)?['"]?\s*(?:=>|[:=](?!:))/g;

        if ($text =~ /\((?:[^()]*,)?\s*$/) {
            return () if $text =~ /(?:^|\s)(?:const|var|import|map|dict|(?:Map|List|Set)\.of\w*
                                              |\w*asList|\w*(?:[mM]ap|[lL]ist)Of|array)\s*\(\s*$/x;
            return ($joined, $more);
        }

        return ($joined, $more)
            if @keys && grep { role($_) =~ /code$|status|message|text/ } @keys
               and !grep { /^(?:[A-Z_]{3,}|\d+)$/ } @keys
            or @keys && !grep { !/^[a-z]{2}$/ } @keys;
        return ();
    }

    return ();
}


sub statement {
    my ($state, $text, $comment, $i) = @_;
    my $group = $state->{group};

    return if made($state, $text, $comment);

    # a statement of SQL

    $text =~ s/^\s*INSERT\s+INTO\b.*?\bVALUES\s*(?=\()//i;

    # several entries in one line: enum X { A = 1, B = 2 }

    if ($text =~ /^(.*\benum\b[^{]*)\{(.+)\}/ && $2 !~ /[{(]/) {
        my ($head, $body) = ($1, $2);

        begin($state, name_of($head), $i + 1);
        entry($state, $_, '') for split /,(?=(?:[^"]*"[^"]*")*[^"]*$)/, $body;
        begin($state, '', $i + 1);
        return;
    }

    # en: { 1001: "text", 1002: "text" }, of which other languages have the same codes

    if ($text =~ /^\s*(['"]?)(\w+)\1\s*[:=]\s*\{\s*((?:$key\s*$string\s*,?\s*){2,})\}\s*[,;]*\s*$/) {
        my ($name, $inside) = ($2, $3);

        begin($state, $name, $i + 1);

        while ($inside =~ /(['"]?)([\w.-]+)\1\s*(?::|=>)\s*($string)/g) {
            add($state, $2, $3, $comment) if !$state->{told}{$2}++;
        }

        begin($state, '', $i + 1);
        return;
    }

    # case object NAME extends Error(1001, "text")

    if ($text =~ /^\s*(?:(?:public|static|final|case|data)\s+)*(?:object|class)\s+
                  (\w+)(?:\([^()]*\))?\s*(?:extends|:)\s*\w+\s*\(([^()]*["0-9][^()]*)\)\s*[;{}]*\s*$/x)
    {
        add($state, $1, $2, $comment);
        return;
    }

    return open_group($state, $text, $i) if opens_group($text);

    if ($text =~ /^\s*(?:[}\])]+[;,)]*(?:\.freeze|\s*\w*|\s*as\s+const)\s*;?|end)\s*$/) {
        $group->{name} ||= $1 if $text =~ /^\s*\}\s*(\w+)\s*;/;
        begin($state, '', $i + 1);
        $state->{iota} = undef;
        $state->{enum} = 0;
        return;
    }

    # the end of the constants of an enumeration of Java

    my $last = $state->{enum} && $text =~ /\)\s*;\s*$/;

    if (my ($function, $of, $value) = clause($text)) {
        begin($state, $function, $state->{at} + 1) if $group->{name} ne $function;
        add($state, $of, $value, $comment);
        return;
    }

    return if entry_of_rows($state, $text, $comment);

    entry($state, $text, $comment);
    $state->{comment} = '';

    if ($last || $text =~ /^\s*;\s*$/) {
        begin($state, '', $i + 1);
        $state->{enum} = 0;
    }
}


# whether a statement begins a group: a type, a block of constants, a container, a
# function, or a choice by a value

sub opens_group {
    my ($text) = @_;

    return $text =~ /\b$kind\b/ && $text =~ /[{:(]\s*$/
           && $text !~ /^\s*#|=\s*["'0-9]|^\s*\w+\(.*\)\s*[,;]?$/
           || $text =~ /\benum\b\s*(?:class\s+)?\w*\s*(?::\s*\w+\s*)?$
                        |\bNS_(?:\w+_)?ENUM\s*\([^)]*\)\s*\{?\s*$
                        |^\s*(?:\w+\s+)*(?:class|module|interface|struct)\s+\w+
                        |^\s*(?:export\s+)?type\s+\w+\s*=?\s*$
                        |^\s*(?:const|var)\s*\(\s*$/x
           || $text =~ /(?:=|:|=>|\breturn|\()\s*(?:new\s+)?[\w.<>\[\],\s*&]*?[\[{(]\s*$/
           || $text =~ /\b(?:func|fn|function|def|fun)\b.*[{:]\s*$
                        |\b(?:switch|match|when)\b.*\{\s*$|^\s*case\s+\S+\s+of\s*$
                        |^\s*let\s.*=\s*(?:function|match\s.*\swith)\s*$/x;
}


sub open_group {
    my ($state, $text, $i) = @_;

    # '404' => [ with texts by other words

    my ($code) = $text =~ /^\s*['"]?(-?\d{3,})['"]?\s*(?:=>|:)\s*[\[{(]\s*$/;

    add($state, $code, '', '')
        if defined $code && @{ $state->{group}{entries} }
           && ($state->{lines}[$i + 1] // '') =~ /^\s*['":]?[a-z]\w*['"]?\s*(?:=>|:)\s*['"]/;

    begin($state, name_of($text), $i + 1);
    nest($state, $text);

    my $group = $state->{group};

    ($group->{base}) = $text =~ /(?:\bclass\s+\w+\s*\(|\bextends\s+|<\s*)(\w+)/;
    $group->{flags} = $text =~ /^\s*(?:message|service|oneof|union)\b
                               |^\s*(?:export\s+)?type\s+\w+(?:\s*=\s*\{|\s+struct\b)/x;
    $group->{parameters} = $1 =~ s/:\s*[\w.?]+//gr
        if $text =~ /\benum\s+class\s+\w+\s*(\(.*\))/;

    $state->{comment} = '';
    $state->{iota} = $text =~ /^\s*const\s*\(/ ? -1 : undef;
    $state->{expression} = undef;
    $state->{function} //= length $1
        if $text =~ /^(\s*)(?:\w+\s+)*(?:func|fn|def|fun)\b/;
    $state->{enum} = $text =~ /\benum\b|\bNS_(?:\w+_)?ENUM\b/;
    $state->{words} = $state->{enum} && ($text =~ /:\s*String\b/ || has_words($state, $i));
}


# whether the names of an enumeration are its values, as in Java, or where no
# comma is after them

sub has_words {
    my ($state, $i) = @_;
    my @names;

    for my $line (@{ $state->{lines} }[$i + 1 .. $#{ $state->{lines} }]) {
        last if $line =~ /^\s*\}/;
        push @names, $line if $line =~ /^\s*[A-Za-z]\w*\s*(?:\@.*|,.*|;.*)?$/;
    }

    return @names > 1 && ($state->{java} || !grep { /,/ } @names);
}


# a group in another one has that one's name as its heading

sub nest {
    my ($state, $text) = @_;
    my ($indent) = $text =~ /^(\s*)/;
    my @parents = grep { $_->[0] < length $indent } @{ $state->{parents} };

    $state->{group}{heading} ||= join ' / ', map { $_->[1] } @parents;
    $state->{parents} = [ @parents, [length $indent, $state->{group}{name}, $text] ];
}


sub name_of {
    my ($text) = @_;

    return $1 if $text =~ /\bNS_(?:\w+_)?ENUM\s*\(\s*\w+\s*,\s*(\w+)/;
    return $1 if $text =~ /\b(?:enum\s+(?:class|struct)|$kind)\s+([A-Za-z_]\w*)/;
    return $1 if $text =~ /([A-Za-z_]\w*)\s*(?::[^=]*)?(?:=|:|=>)\s*[^=]*[\[{(]\s*$/;
    return $1 if $text =~ /\b(?:func|fn|function|def|fun)\s+(?:\([^)]*\)\s*)?(\w+)/;
    return '';
}


1;
