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


# groups(line, ...): { name, heading, line, flags => bits and not codes, entries
# => [ { name, numbers, strings, named => { code, status, text }, status,
# comment, first_string } ] }

sub groups {
    my $state = { lines => [@_], group => undef, groups => [], known => {},
                  comment => '', depth => 0, heading => '' };

    begin($state, '', 1);
    $state->{java} = grep { /^package\s+\w+(?:\.\w+)+\s*;?\s*$/ } @_;

    for (my $i = 0; $i < @{ $state->{lines} }; $i++) {
        $state->{at} = $i;
        $i += line($state, $i);
    }

    push @{ $state->{groups} }, $state->{made} if $state->{made};

    return grep { @{ $_->{entries} } } @{ $state->{groups} };
}


sub begin {
    my ($state, $name, $line) = @_;

    undef $state->{section};
    $state->{group} = { name => $name, line => $line, entries => [], flags => 0,
                        next => undef, heading => $state->{heading}, base => '' };
    push @{ $state->{groups} }, $state->{group};
}


# reads a line, and returns how many more were read with it

sub line {
    my ($state, $i) = @_;
    my $text = $state->{lines}[$i];

    if ($text =~ /^\s*(?:#{1,6}|=+)\s+(\S.*)$/ && $text !~ /^\s*#\s*(?:define|if|endif|include|else|undef|pragma)/) {
        my $said = $1;

        $state->{heading} = $said if $text =~ /^\S/;
        begin($state, '', $i + 1) if @{ $state->{group}{entries} }
                                     && $text =~ /^\S/ && !$state->{group}{name};
        $state->{comment} = $state->{comment} ne '' ? "$state->{comment} $said" : $said;
        return 0;
    }

    my $more = 0;

    # comments before it

    if ($text =~ m{^\s*/\*} && $text !~ m{\*/}) {
        my @comment = $text;

        while ($i + $more + 1 < @{ $state->{lines} }) {
            push @comment, $state->{lines}[$i + ++$more];
            last if $comment[-1] =~ m{\*/};
        }

        ($state->{status}) = "@comment" =~ /\@\w*(?:http|status)\w*\W{1,4}([1-5]\d\d)\b/i
            if "@comment" =~ /\@\w*(?:http|status)/i;
        $state->{comment} = comment(@comment);
        return $more;
    }

    if ($text =~ /^\s*(?:r|u)?("""|''')(?!.*\1)/) {
        my $quote = $1;

        while ($i + $more + 1 < @{ $state->{lines} }) {
            last if $state->{lines}[$i + ++$more] =~ /$quote/;
        }

        return $more;
    }

    if ($text =~ m{^\s*(?://+[!<]?|/\*.*\*/\s*$|\#(?!\s*define|\[|include|if|end|el|pragma|undef)|--\s|;;|\*\s|""")(.*)}) {
        my $comment = comment($text);
        my $status = status_in($comment);

        if (defined $status) {
            $state->{section} = $status;
            return 0;
        }

        $state->{comment} = $state->{comment} ne '' && $comment ne ''
                            ? "$state->{comment} $comment" : $comment;
        return 0;
    }

    if ($text =~ /^\s*(?:#\[|\@\w+|\[\w+)/ && $text =~ /^\s*(?:\#\[.*\]|\@[\w.]+(?:\(.*\))?|\[\w+(?:\(.*\))\])\s*$/) {
        my ($said) = $text =~ /($string)/;

        $state->{comment} = unquote($said) if defined $said && $said =~ / /;
        $state->{status} = http_status($1) // $state->{status}
            if $text =~ /\w*(?:http|status)\w*\s*\(\s*([\w.:]+)\s*\)/i;
        return 0;
    }

    return blank($state) if $text !~ /\S/;

    $text =~ s/\s(?:class|className|style|href|id)=(?:"[^"]*"|\{[^}]*\})//g
        if $text =~ /<\w/;

    my $comment = '';

    ($text, $comment) = strip($text);

    return blank($state) if $text !~ /\S/;

    my ($indent) = $text =~ /^(\s*)/;

    undef $state->{function}
        if defined $state->{function} && length $indent <= $state->{function};

    # case NAME: and below it "return 404;"

    if ($text =~ /^\s*(?:case|when)\s+($string|-?[\w.:]*\w)\s*(?::|->)\s*$/) {
        push @{ $state->{cases} }, $1;
        return 0;
    }

    if (my $cases = delete $state->{cases}) {
        if ($text =~ /^\s*return\s*[{(]\s*$/) {
            my $said = comment(($state->{lines}[$i + 1] // '') =~ s/<[^>]*>|["'`,]//gr);

            statement($state, "case $_: \"$said\"", '', $i) for @$cases;
            return closed($state, $i);
        }

        if ($text =~ /^\s*return\s+\S/) {
            statement($state, "case $_: " . ($text =~ s/^\s+//r), $comment, $i)
                for @$cases;
            return 0;
        }
    }

    # text(1001) -> and below it the value

    if ($text =~ /^\s*[a-z]\w*\s*\(.*\)\s*->\s*$/
        && ($state->{lines}[$i + 1] // '') =~ /^\s+(\S.*[.;])\s*$/)
    {
        $text .= " $1";
        $more = 1;
    }

    # a value over several lines

    if ($text =~ /[(\[{]\s*$/ && $text !~ /\bmap\[|\b(?:enum|class|struct|interface|namespace|switch|match|when|trait|impl|func|fn|function|if|for|while)\b/) {
        my ($joined, $read) = joined($state, $i, $text);

        if (defined $joined) {
            $text = $joined;
            $more = $read;
        }
    }

    statement($state, $text, $comment, $i);

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


# a bracket that is closed soon, and has values of its own, is one statement

sub joined {
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
                     && (() = $bare =~ /[{(\[]/g) > 2;

        my @keys = $joined =~ /[({,]\s*['":]*(\w+)['"]?\s*(?:=>|[:=](?!:))/g;

        if ($text =~ /\(\s*$/) {
            return () if $text =~ /(?:^|\s)(?:const|var|import|map|dict|Map\.of|array)\s*\(\s*$/
                         || $more > 8;
            return ($joined, $more);
        }

        return ($joined, $more)
            if @keys && grep { role($_) =~ /code$|status|message|text/ } @keys
               and !grep { /^[A-Z_]{4,}$/ } @keys;
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

    # case object NAME extends Error(1001, "text")

    if ($text =~ /^\s*(?:(?:public|static|final|case|data)\s+)*(?:object|class)\s+
                  (\w+)\s*(?:extends|:)\s*\w+\s*\(([^()]*["0-9][^()]*)\)\s*[;{}]*\s*$/x)
    {
        add($state, $1, $2, $comment);
        return;
    }

    if ($text =~ /\b(?:enum|class|struct|interface|object|namespace|module|extension|trait|impl|record|type|message|service|oneof|union)\b/
        && $text =~ /[{:(]\s*$/ && $text !~ /^\s*#|=\s*["'0-9]|^\s*\w+\(.*\)\s*[,;]?$/
        || $text =~ /\b(?:enum)\b\s*(?:class\s+)?\w*\s*(?::\s*\w+\s*)?$/
        || $text =~ /\bNS_(?:\w+_)?ENUM\s*\([^)]*\)\s*\{?\s*$/
        || $text =~ /^\s*(?:const|var)\s*\(\s*$/
        || $text =~ /^\s*(?:(?:public|private|internal|static|final|abstract|sealed|export|partial|open)\s+)*
                     (?:class|module|interface|struct)\s+\w+/x
        || $text =~ /(?:=|:|=>|\breturn|\()\s*(?:new\s+)?(?:[\w.<>\[\],\s*&]*?)[\[{(]\s*$/
        || $text =~ /^\s*(?:export\s+)?type\s+\w+\s*=?\s*$|\b(?:switch|match|when)\b.*\{\s*$/
        || $text =~ /\b(?:func|fn|function|def|fun)\b.*[{:]\s*$/)
    {
        begin($state, name_of($text), $i + 1);
        nest($state, $text);
        $state->{comment} = '';
        ($state->{group}{base}) = $text =~ /(?:\bclass\s+\w+\s*\(|\bextends\s+|<\s*)(\w+)/;
        $state->{group}{flags} = $text =~ /^\s*(?:message|service|oneof|union)\b
                                         |^\s*(?:export\s+)?type\s+\w+(?:\s*=\s*\{|\s+struct\b)/x;
        $state->{iota} = $text =~ /^\s*const\s*\(/ ? -1 : undef;
        $state->{expression} = undef;
        $state->{function} //= length $1
            if $text =~ /^(\s*)(?:\w+\s+)*(?:func|fn|def|fun)\b/;
        $state->{enum} = $text =~ /\benum\b|\bNS_(?:\w+_)?ENUM\b/;
        $state->{words} = $state->{enum} && has_words($state, $i);
        return;
    }

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
    $state->{parents} = [ @parents, [length $indent, $state->{group}{name}] ];
}


sub name_of {
    my ($text) = @_;

    return $1 if $text =~ /\bNS_(?:\w+_)?ENUM\s*\(\s*\w+\s*,\s*(\w+)/;
    return $1 if $text =~ /\b(?:enum\s+(?:class|struct)|enum|class|struct|interface|object|namespace|module|extension|trait|record|type|message|service|oneof|union)\s+([A-Za-z_]\w*)/;
    return $1 if $text =~ /([A-Za-z_]\w*)\s*(?::[^=]*)?(?:=|:|=>)\s*[^=]*[\[{(]\s*$/;
    return $1 if $text =~ /\b(?:func|fn|function|def|fun)\s+(?:\([^)]*\)\s*)?(\w+)/;
    return '';
}


1;
