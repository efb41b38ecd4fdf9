package Draft::Source;

# Source text of whatever language as groups of entries: what stands between the
# braces of an enumeration or in one list of macros, without comments.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(reason strict_code);
use Draft::Names qw(role);
use Exporter qw(import);

our @EXPORT = qw(groups);

my $string = qr/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`\n]*`/;
my $integer = qr/-?\b0[xX][0-9A-Fa-f_]+|-?\b[0-9](?:[0-9_]*[0-9])?(?![\w.])/;

# words before the name of a constant

my %modifier = map { $_ => 1 } qw(export default public private protected internal
    static final readonly const constexpr let var val inline override case def
    unsigned signed long short int Integer String string str char bool double
    float auto extern pub enum local my our declare open lazy define byte uint
    int32 int64 uint32 uint64 i32 i64 u32 u64 u16 i16 Int Long Short number
    NSInteger NSString HRESULT DWORD indirect sealed data abstract new object);


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


# throw new NAME(1001, "text"): an error that a function makes

sub made {
    my ($state, $text, $comment) = @_;

    $text =~ /^\s*(?:(?:else\b|if\b.*?[):{])\s*\{?\s*)?(?:return|throw|raise)\s
              (?:[^"'(]*,)?\s*(?:new\s+)?&?[\w.:\\]*?
              (?:err(?:or)?|exception|fail(?:ure)?|reject|abort|fault)\w*\s*
              \(\s*(($string|$integer)\s*,.*?)\)\s*(?:if\b.*)?[;,}\s]*$/xi
        or return 0;

    my ($arguments, $first) = ($1, $2);

    return 0 if $first =~ /^\D/ && !strict_code(unquote($first));

    $state->{made} //= { name => 'errors', heading => '', flags => 0, base => '',
                         line => $state->{at} + 1, entries => [], next => undef };

    local $state->{group} = $state->{made};

    add($state, '', $arguments, $comment);
    $state->{made}{entries}[-1]{first_string} ||= $first !~ /^-?[0-9]/
        if @{ $state->{made}{entries} };

    return 1;
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


# the status of a comment that has nothing but its number and its name, or undef

sub status_in {
    my ($comment) = @_;
    my ($status) = $comment =~ /(?<![0-9.])([2-5][0-9][0-9])(?![0-9])/ or return undef;

    return (reason($comment =~ s/$status//r) // 0) == $status ? $status : undef;
}


sub comment {
    my $text = join ' ', @_;

    for ($text) {
        s{^\s*(?:/\*+!?|//+[!<]*|\#+|--+|;+|"""|\*)\s*}{};
        s{\*/|"""}{}g;
        s{\s+\*\s+}{ }g;
        s{\@\w+(?:\s\w+)?}{}g;
        s/^\s*\*?\s*|[\s.。]+$//g;
        s/\s+/ /g;
    }

    return $text;
}


# a line without the comment at its end, and that

sub strip {
    my ($text) = @_;
    my $comment = '';

    $text =~ s{(,)?\s*/\*[!*<]*\s*(.*?)\s*\*/}{$comment = $2; $1 // ''}ge;

    if ($text =~ m{^((?:$string|[^"'`/#-]|/(?![/*])|(?<!\s)\#|^\s*\#|\#\[|-(?!-\s)|["'`](?!.*["'`]))*?)
                   (?://+[!<]*|(?<=\s)\#(?!\[)|--\s|/\*)\s*(.*)$}x)
    {
        my ($code, $rest) = ($1, $2);

        if ($code =~ /\S/ || $rest =~ /\S/) {
            ($text, $comment) = ($code, $rest =~ s{\s*\*/\s*$}{}r);
        }
    }

    return ($text =~ s/\s+$//r, $comment);
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


# E(NAME, 1001, "text") and { 1001, "text" }, one or more in a line

sub entry_of_rows {
    my ($state, $text, $comment) = @_;

    return 0 if $text !~ /^\s*[{\[(].*[}\])]\s*[,;]?\s*$/ || $text =~ /^\s*\[\w+\]/;

    my $inside = $text =~ s/^\s*[{\[(]+|[}\])]+\s*[,;]?\s*$//gr;

    # the mark at the end of an array

    return 1 if $inside =~ /^\s*(?:0|NULL)\s*(?:,\s*(?:0|NULL|nullptr)\s*)+$/;

    my ($first) = $inside =~ /^\s*&?($string|$integer|[A-Za-z_][\w.:]*)/ or return 0;

    $first = unquote($first);

    if ($inside =~ /^\s*['"]?\w+['"]?\s*(?:=>|[:=])/) {
        add($state, '', $inside, $comment);

    } elsif ($first =~ /^[A-Za-z]/ && !strict_code($first) && $first !~ /::|\./) {
        return 0;

    } else {
        add($state, $first =~ s/.*(?:::|\.)//r,
            $inside =~ s/^\s*(?:$string|$integer|[\w.:&]+)\s*[,:]?//r, $comment);
    }

    $state->{comment} = '';

    return 1;
}


sub name_of {
    my ($text) = @_;

    return $1 if $text =~ /\bNS_(?:\w+_)?ENUM\s*\(\s*\w+\s*,\s*(\w+)/;
    return $1 if $text =~ /\b(?:enum\s+(?:class|struct)|enum|class|struct|interface|object|namespace|module|extension|trait|record|type|message|service|oneof|union)\s+([A-Za-z_]\w*)/;
    return $1 if $text =~ /([A-Za-z_]\w*)\s*(?::[^=]*)?(?:=|:|=>)\s*[^=]*[\[{(]\s*$/;
    return $1 if $text =~ /\b(?:func|fn|function|def|fun)\s+(?:\([^)]*\)\s*)?(\w+)/;
    return '';
}


# one constant, in whatever form

sub entry {
    my ($state, $text, $comment) = @_;
    my $group = $state->{group};

    $text =~ s/^[\s,]+(?=\w)|^\s+|\s+$//g;

    # X[X["NAME"] = 1] = "NAME", as TypeScript's compiler writes it

    $text =~ s/^\w+\[(?:\w+\[)?"(\w+)"\]\s*=\s*([\w-]+)\]\s*=\s*"\1"/$1 = $2/;
    $text =~ s/^\w+\["(\w+)"\]\s*=\s*(?=")/$1 = /;
    $text =~ s/^:(?=\w+\s*=>)//;
    return if $text eq '' || $text =~ /^(?:import|from|package|using|use|require|include|return\s+\w+;|if|for|while|\}|else)\b/
              || $text =~ /^#\s*(?:if|endif|else|include|pragma|undef|el)/;
    return if $text =~ /^(?:private|protected)\b/ && $text !~ /=/
              || $text =~ /^(?:syntax|option|reserved|package)\b/;

    if ($text =~ /^#\s*define\b/) {
        add($state, $1, $2, $comment) if $text =~ /^#\s*define\s+(\w+)\s+(.+)$/;
        return;
    }

    if ($text =~ /^-?define\s*\(\s*(['"]?)(\w+)\1\s*,\s*(.+)\)\s*[;.]?$/) {
        add($state, $2, $3, $comment);
        return;
    }

    # case 1001: return "text"; case NAME = 1

    $text =~ s/^(?:case|when)\s+\.?(?=\S+\s*(?::|=|->|=>|$))//;

    if ($text =~ /^\|?\s*($string)\s*[|;,]?$/) {
        my $word = unquote($1);

        add($state, $word, '', $comment) if strict_code($word);
        return;
    }

    # 1001: "text", "1001" => "text", [1001] = "text", Self::Name => 1001

    if ($text =~ /^(?:return\s+)?\[?($string|$integer)\]?\s*(?:=>|:|=|->|,)\s*(.+)$/
        || $text =~ /^\[?([A-Za-z_][\w.]*(?:::|\.)\w+)\]?\s*(?:\([^)]*\)\s*|\{[^}]*\}\s*)?(?:=>|:|->)\s*(.+)$/)
    {
        my ($key, $value) = ($1, $2);

        $state->{keyed} = $key =~ /^["'`]/;
        $key = unquote($key) =~ s/.*(?:::|\.)(?=[A-Za-z_]\w*$)//r;
        add($state, $key, $value =~ s/^return\s+//r, $comment)
            if $key =~ /^[\w.:\/-]+$/;
        return;
    }

    if (my ($function, $of, $value) = clause($text)) {
        begin($state, $function, $state->{at} + 1) if $group->{name} ne $function;
        add($state, $of, $value, $comment);
        return;
    }

    # put(1001, "text")

    if ($text =~ /^[\w.\[\]]*\b(?:put|set|add|register|emplace|insert|append|entry|of)\w*\s*\((.*)\)\s*[;,]?$/
        || !$state->{enum} && $text =~ /^(?:[A-Z][A-Z_]*|[a-z_]*err\w*|def\w*)\s*\(\s*((?:[A-Z][A-Z0-9_]{2,}|$integer)\s*,.*)\)\s*[;,\\]*$/)
    {
        my $arguments = $1;
        my ($first, $rest) = $arguments =~ /^\s*($string|$integer|[\w.:]+)\s*,\s*(.*)$/ or return;

        add($state, unquote($first) =~ s/.*(?:::|\.)(?=[A-Za-z_]\w*$)//r, $rest, $comment);
        return;
    }

    # NAME(1001, "text")

    if ($text =~ /^(?:case\s+|static\s+|const\s+)?
                  (?!(?:if|for|while|switch|super|this|return|print\w*|constructor
                        |__init__|\w+Error)\b)
                  ([A-Za-z_]\w*)\s*\((.+)\)\s*(?:\{\s*)?[,;{}]*$/x)
    {
        my ($callee, $arguments) = ($1, $2);

        add($state, $callee, $arguments, $comment)
            if $arguments =~ /["'0-9]|HttpStatus|HTTP|Status/
               && ($callee !~ /^[a-z]/ || $state->{enum});
        return;
    }

    # A = 1, B, C = 3

    my $one = qr/[A-Za-z_]\w*(?:\s*=\s*(?:$string|$integer|\w+))?/;

    if ($state->{enum} && $text =~ /^$one(?:\s*,\s*$one)+\s*,?$/) {
        entry($state, $_, '') for $text =~ /$one/g;
        return;
    }

    # a local variable, or a container that is still empty

    return if $text =~ /^[\w\s,]+:=/ || $text =~ /(?:\{\s*\}|\[\s*\]|\(\s*\))\s*[;,]?$/
              && $text !~ /["'0-9]/;

    # modifiers NAME: type = value

    if ($text =~ /^([\w\s\$:<>\[\]\?.*&'"@-]*?)\s*(?<![=!<>])(?:=>|:=|=)(?!=)\s*(.+)$/) {
        my $name = constant_name($1);

        return if !defined $name;
        return if defined $state->{function} && $name !~ /^[A-Z][A-Z0-9_]+$/
                  && role($name) eq '' && $2 !~ /\bcode\W*[:=]/i;

        add($state, $name, $2, $comment);
        return;
    }

    if ($text =~ /^['"]?([A-Za-z_]\w*)['"]?\s*:\s*(.+)$/) {
        add($state, $1, $2, $comment);
        return;
    }

    # A bare name has the next value, or itself

    if ($state->{words} && $text =~ /^([A-Za-z]\w*)\s*(?:\@.*|[,;])?$/) {
        add($state, $1, "\"$1\"", $comment);

    } elsif ($text =~ /^(?:case\s+)?([A-Za-z_]\w*)\s*,?$/
        && ($state->{enum} || defined $state->{iota}))
    {
        add($state, $1, undef, $comment);

    }
}


# def code(:name), do: 1001; code(name) -> 1001; text(1001) -> <<"text">>: the
# function, its argument and its value

sub clause {
    my ($text) = @_;

    $text =~ /^(?:defp?\s+)?([a-z]\w*)\s*\(\s*(?:<<)?(:?\w+|$string|$integer)(?:>>)?\s*\)\s*
              (?:,\s*do:|->)\s*(?:\{\s*)?(.+?)[.;]?$/x or return ();

    my ($function, $of, $value) = ($1, $2, $3);

    return () if $of =~ /^_|^[A-Z]\w*$/;
    return ($function, unquote($of) =~ s/^://r, $value);
}


# the name among modifiers and types

sub constant_name {
    my ($text) = @_;

    $text =~ s/:\s*[^:]*$// if $text !~ /::/;
    $text =~ s/^['"]|['"]$//g;
    $text =~ s/<[^>]*>|\[\]//g;

    my @words = grep { /^\$?[A-Za-z_][\w.:]*$/ } split /[\s*&]+/, $text;
    my @names = grep { !$modifier{$_} } @words;

    return undef if !@names;

    # the type comes last in Go, and first elsewhere

    my $name = @names == 1 ? $names[0]
               : $text =~ /\b(?:static|final|public|extern|private)\b/ ? $names[-1]
               : $names[0] =~ /^(?:Err|E[A-Z]|Code|[A-Z0-9_]+$)/ ? $names[0] : $names[-1];

    return $name =~ s/^\$|.*(?:::|\.)//gr;
}


sub add {
    my ($state, $name, $value, $comment) = map { $_ } @_;
    my $group = $state->{group};
    my $entry = { name => $name, numbers => [], strings => [], named => {},
                  comment => $comment ne '' ? $comment : $state->{comment} };

    $entry->{section} = status_in($comment) // $state->{section};
    $entry->{keyed} = delete $state->{keyed} || $name =~ /^[a-z]+(?:_[a-z]+)+$/;
    $entry->{status} = delete $state->{status} if defined $state->{status};
    $state->{comment} = '';

    if (!defined $value) {
        my $next = next_value($state) // '';

        return if $name eq '_';
        $entry->{numbers} = [$next] if $next ne '';
        $group->{next} = $next + 1 if $next ne '' && !defined $state->{iota};

    } else {
        literals($state, $entry, $value);
    }

    $state->{known}{$name} = $entry->{numbers}[0] if @{ $entry->{numbers} };

    if (@{ $entry->{numbers} } == 1 && $state->{enum} && !@{ $entry->{strings} }) {
        $group->{next} = $entry->{numbers}[0] + 1;
    }

    push @{ $group->{entries} }, $entry if $name ne '_'
        && (@{ $entry->{numbers} } || @{ $entry->{strings} }
            || %{ $entry->{named} } || defined $entry->{status}
            || ($entry->{keyed} || ($value // '') eq '') && $name =~ /^\w+$/);
}


sub next_value {
    my ($state) = @_;

    if (defined $state->{iota}) {
        $state->{iota}++;
        return undef if !defined $state->{expression};
        return evaluate($state, $state->{expression});
    }

    return $state->{enum} ? $state->{group}{next} // 0 : undef;
}


# the numbers and the strings of a value, those with names, and a status by name

sub literals {
    my ($state, $entry, $value) = @_;

    $value =~ s/[,;]\s*$//;
    $value =~ s/^\s*($string)\s*=>\s*/$1, /;
    $state->{iota}++ if defined $state->{iota};

    if ($value !~ /["'`]|\w\s*\(|[{,:]/ || $value =~ /\biota\b/) {
        $state->{expression} = $value =~ /iota/ ? $value : undef;

        my $number = evaluate($state, $value);

        $state->{group}{flags} = 1 if $value =~ /<<\s*(?:\d|iota|\()/;

        if (defined $number) {
            $entry->{numbers} = [$number];
            return;
        }
    }

    # NAME = 1 [(errors.code) = 400]

    if ($value =~ s/^\s*-?\d+\s*\[\s*\([\w.]+\)\s*=\s*([1-5]\d\d)\b.*$//) {
        $entry->{named} = { code => $entry->{name}, status => $1 };
    }

    $value =~ s/\(\s*(-?\s*(?:0x[0-9a-fA-F]+|\d+))[uUlL]*\s*\)/ $1 /g;
    $value =~ s/\b(\d+)[uUlL]+\b|\b(0x[0-9a-fA-F]+)[uUlL]+\b/$1 \/\/ $2/ge;

    while ($value =~ /(?:['":]?\b([A-Za-z_]\w*)['"]?\s*(?:=>|[:=](?![:=]))\s*)?
                      (?:($string)|($integer)
                         |\b((?:\w+(?:\.|::))*(?:Http\w*|http|HTTP\w*|Status\w*|status
                             |\w*Response\w*(?=\.|::))(?:\.|::|_)?\w*)
                         |\b([A-Za-z_]\w*)(?!\s*[\(\w]))/gx)
    {
        my ($key, $text, $number, $http, $name) = ($1, $2, $3, $4, $5);
        my $role = defined $key ? role($key) : '';

        if (defined $http) {
            my $status = http_status($http);

            $entry->{status} //= $status if defined $status;

        } elsif (defined $text) {
            my $said = unquote($text);

            if ($role eq 'status' && $said =~ /^[1-5]\d\d$/) {
                $entry->{named}{status} //= $said;

            } elsif ($role =~ /code$/ || $key && $key =~ /^(?:id|key|type|errorType)$/ && strict_code($said)) {
                $entry->{named}{code} //= $said;

            } elsif ($role =~ /message|text/) {
                $entry->{named}{text} //= $said;

            } else {
                $entry->{first_string} = 1
                    if !@{ $entry->{numbers} } && !@{ $entry->{strings} };
                push @{ $entry->{strings} }, $said;
            }

        } elsif (defined $number) {
            $number =~ tr/_//d;
            $number = $number =~ /^-0x/i ? -hex substr $number, 1
                      : $number =~ /^0x/i ? hex $number : $number;
            $role eq 'status' && $number =~ /^[1-5]\d\d$/
                ? ($entry->{named}{status} //= $number)
                : $role =~ /code$/ ? ($entry->{named}{code} //= $number)
                : push @{ $entry->{numbers} }, $number;

        } elsif (defined $name && exists $state->{known}{$name}
                 && !@{ $entry->{numbers} })
        {
            push @{ $entry->{numbers} }, $state->{known}{$name};
        }
    }
}


# HttpStatus.NOT_FOUND, http.StatusNotFound, StatusCode::NOT_FOUND, HTTP_404

sub http_status {
    my ($name) = @_;

    return $1 if $name =~ /(?<!\d)([1-5][0-9][0-9])(?!\d)/;

    $name =~ s/.*(?:\.|::)//;
    $name =~ s/^(?:HTTP|Http|http)?_?(?:STATUS|Status|SC)?_?//;

    return reason($name);
}


# the value of simple arithmetic with known names, or undef

sub evaluate {
    my ($state, $text) = @_;

    $text =~ s/\biota\b/$state->{iota}/g if defined $state->{iota};
    $text =~ s/\(\s*\(?\s*[A-Za-z_]\w*\s*\)\s*(?=[\w(-])/(/g if $text =~ /^\(\s*\(/;
    $text =~ s/^\s*\(\s*[A-Za-z_]\w*\s*\)\s*(?=[\w(-])//;
    $text =~ s/^[A-Za-z_]\w*\s*\(([^()]*)\)$/$1/;
    $text =~ s/\b(0[xX][0-9A-Fa-f_]+)[uUlL]*\b/hex($1 =~ tr{_}{}dr)/ge;
    $text =~ s/\b([0-9][0-9_]*)[uUlL]*\b/($1 =~ tr{_}{}dr) =~ s{^0+(?=\d)}{}r/ge;
    $text =~ s/\b(?:\w+(?:\.|::))*([A-Za-z_]\w*)\b/exists $state->{known}{$1} ? "($state->{known}{$1})" : $&/ge;

    return undef if $text !~ /^[-+*|()<\s0-9]+$/ || $text !~ /[0-9]/
                    || length $text > 80 || $text =~ /\*\*|\d\s+\d|[0-9]{16}/;

    my $value = eval $text; ## no critic

    return defined $value && $value =~ /^-?[0-9]+$/ ? $value : undef;
}


sub unquote {
    my ($text) = @_;

    return "$text" if $text !~ s/^(["'`])(.*)\1$/$2/s;

    $text =~ s/\\u\{?([0-9a-fA-F]{4})\}?/chr hex $1/ge;
    $text =~ s/\\(.)/$1 eq 'n' ? ' ' : $1/ge;

    return $text;
}


1;
