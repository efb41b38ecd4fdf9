package Draft::Entry;

# One constant of source text, in whatever form a language gives to it.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(strict_code);
use Draft::Comments;
use Draft::Literals;
use Draft::Names qw(role);
use Exporter qw(import);

our @EXPORT = qw(add clause entry entry_of_rows made);

# words before the name of a constant

my %modifier = map { $_ => 1 } qw(export default public private protected internal
    static final readonly const constexpr let var val inline override case def
    unsigned signed long short int Integer String string str char bool double
    float auto extern pub enum local my our declare open lazy define byte uint
    int32 int64 uint32 uint64 i32 i64 u32 u64 u16 i16 Int Long Short number
    NSInteger NSString HRESULT DWORD indirect sealed data abstract new object);


# one constant, in the first form that it has

my @forms = (\&macro, \&lone_string, \&arm, \&dashed, \&keyed, \&registered, \&called,
             \&several, \&assigned, \&typed, \&bare);

sub entry {
    my ($state, $text, $comment) = @_;

    $text = simplified($state, $text);
    return if $text eq '' || is_statement($text);

    for my $form (@forms) {
        return if $form->($state, $text, $comment);
    }
}


# a constant without what some languages write around it

sub simplified {
    my ($state, $text) = @_;

    for ($text) {
        s/^[\s,]+(?=\w)|^\s+|\s+$//g;

        # [EnumMember(Value = "name")] NAME, @JsonValue('name') NAME

        note($state, $1) if s/^(\@\w+\((?:$string|[^()"']*)\)|\[\w+\([^\[\]]*\)\])\s+(?=[A-Za-z])//;

        # def name; value; end

        s/^def\s+(\w+)\s*(?:;|=)\s*(.+?)(?:\s*;\s*end)?$/$1 = $2/;

        # NAME(type parameter) => new(1001, "text")

        s/^((?:\w+\s+)+\w+)\([^()"]*\)\s*=>\s*(?=new\b)/$1 = /;

        # attributes among the words of C

        s/\s(?:NS|API|CF|UI)_[A-Z_]+\([^()]*\)//g if $state->{enum};

        # NAME(Type) = 1, a variant that has data

        s/^([A-Z]\w*)\s*(?:\([^()"]*\)|\{[^{}"]*\})\s*=\s*(?=-?\d)/$1 = /;

        # X[X["NAME"] = 1] = "NAME", as TypeScript's compiler writes it

        s/^\w+\[(?:\w+\[)?"(\w+)"\]\s*=\s*([\w-]+)\]\s*=\s*"\1"/$1 = $2/;
        s/^:(?=\w+\s*=>)//;

        # case 1001: return "text"; case NAME = 1

        s/^(?:case|when)\s+\.?(?=\S+\s*(?::|=|->|=>|$))//;
    }

    return $text;
}


sub is_statement {
    my ($text) = @_;

    return $text =~ /^(?:import|from|package|using|use|require|include|option|reserved
                        |return\s+\w+;|if|for|while|else|\})\b/x
           || $text =~ /^(?:private|protected)\b/ && $text !~ /=/;
}


# #define NAME 1001; define('NAME', 1001); -define(NAME, name).

sub macro {
    my ($state, $text, $comment) = @_;

    if ($text =~ /^#\s*define\b/) {
        add($state, $1, $2, $comment) if $text =~ /^#\s*define\s+(\w+)\s+(.+)$/;
        return 1;
    }

    my (undef, $name, $value) = $text =~ /^-?define\s*\(\s*(['"]?)(\w+)\1\s*,\s*(.+)\)
                                          \s*[;.]?$/x or return 0;

    add($state, $name, $value =~ s/^([a-z]\w*)$/"$1"/r, $comment)
        if $name !~ /_H(?:RL)?_*$/;

    return 1;
}


# "NAME",

sub lone_string {
    my ($state, $text, $comment) = @_;
    my ($word) = $text =~ /^\|?\s*($string)\s*[|;,]?$/ or return 0;

    $word = unquote($word);
    add($state, $word, '', $comment) if strict_code($word);

    return 1;
}


# | Name -> 1001, ?NAME -> 1001, NAME -> Status.NAME

sub arm {
    my ($state, $text, $comment) = @_;

    return 0 if $text !~ /^\|\s*([A-Z]\w*)(?:\s+\w+)?\s*->\s*(\S.*)$/
                && $text !~ /^\??([A-Z][A-Z0-9_]*)\s*->\s*(\S.*)$/;

    add($state, $1, $2, $comment);

    return 1;
}


# 1001 - NAME

sub dashed {
    my ($state, $text, $comment) = @_;
    my ($code, $name) = $text =~ /^($integer)\s+[-–—]\s+([A-Z][A-Z0-9_]+)$/ or return 0;

    add($state, $name, $code, $comment);

    return 1;
}


# 1001: "text", "1001" => "text", [1001] = "text", Self::Name => 1001

sub keyed {
    my ($state, $text, $comment) = @_;

    $text =~ s/^\|\s*(?=(?:$string|$integer)\s*->)//;

    return 0 if $text !~ /^(?:return\s+)?\[?($string|$integer)\]?\s*(?:=>|:|=|->|,)\s*(.+)$/
                && $text !~ /^\[?([A-Za-z_][\w.]*(?:::|\.)\w+)\]?\s*
                             (?:\([^)]*\)\s*|\{[^}]*\}\s*)?(?:=>|:|->)\s*(.+)$/x;

    my ($key, $value) = ($1, $2);

    return 1 if $value =~ /^self\s*=/;

    # 1001 => Self::Name

    if ($key =~ /^$integer$/ && $value =~ /^[A-Z]\w*(?:::|\.)([A-Z]\w*)[,;]?$/
        && exists $state->{known}{$1})
    {
        add($state, $1, $key, $comment);
        return 1;
    }

    $state->{keyed} = $key =~ /^["'`]/;
    $key = last_name(unquote($key));
    add($state, $key, $value =~ s/^return\s+//r, $comment) if $key =~ /^[\w.:\/-]+$/;

    return 1;
}


# put(1001, "text"), E(NAME, 1001)

sub registered {
    my ($state, $text, $comment) = @_;
    my ($arguments) = $text =~ /^[\w.\[\]]*\b(?:put|set|add|register|emplace|insert|append
                                |entry|of)\w*\s*\((.*)\)\s*[;,]?$/x;

    ($arguments) = $text =~ /^(?:[A-Z][A-Z_]*|[a-z_]*err\w*|def\w*)\s*\(\s*
                             ((?:[A-Z][A-Z0-9_]{2,}|$integer)\s*,.*)\)\s*[;,\\]*$/x
        if !defined $arguments && !$state->{enum};

    return 0 if !defined $arguments;

    add($state, last_name(unquote($1)), $2, $comment)
        if $arguments =~ /^\s*($string|$integer|[\w.:]+)\s*,\s*(.*)$/;

    return 1;
}


# NAME(1001, "text")

sub called {
    my ($state, $text, $comment) = @_;
    my ($callee, $arguments) = $text =~ /^(?:case\s+|static\s+|const\s+)?
        (?!(?:if|for|while|switch|super|this|return|print\w*|constructor|__init__|\w+Error)\b)
        ([A-Za-z_]\w*)\s*\((.+)\)\s*(?:\{\s*)?[,;{}]*$/x or return 0;

    add($state, $callee, $arguments, $comment)
        if $arguments =~ /["'0-9]|HttpStatus|HTTP|Status/
           && ($callee !~ /^[a-z]/ || $state->{enum});

    return 1;
}


# A = 1, B, C = 3

sub several {
    my ($state, $text) = @_;
    my $one = qr/[A-Za-z_]\w*(?:\s*=\s*(?:$string|$integer|\w+))?/;

    return 0 if !$state->{enum} || $text !~ /^$one(?:\s*,\s*$one)+\s*,?$/;

    entry($state, $_, '') for $text =~ /$one/g;

    return 1;
}


# modifiers NAME: type = value

sub assigned {
    my ($state, $text, $comment) = @_;

    # a local variable, or a container that is still empty

    return 1 if $text =~ /^[\w\s,]+:=/
                || $text =~ /(?:\{\s*\}|\[\s*\]|\(\s*\))\s*[;,]?$/ && $text !~ /["'0-9]/;

    my ($left, $value) = $text =~ /^([\w\s\$:<>\[\]\?.*&'"@-]*?)\s*
                                   (?<![=!<>])(?:=>|:=|=)(?!=)\s*(.+)$/x or return 0;
    my $name = constant_name($left);

    return 1 if !defined $name
                || defined $state->{function} && $left =~ /^(?!self|this)[a-z]\w*\./
                || defined $state->{function} && $name !~ /^[A-Z][A-Z0-9_]+$/
                   && role($name) eq '' && $value !~ /\bcode\W*[:=]/i;

    add($state, $name, $value, $comment);

    return 1;
}


# NAME: value

sub typed {
    my ($state, $text, $comment) = @_;
    my ($name, $value) = $text =~ /^['"]?([A-Za-z_]\w*)['"]?\s*:\s*(.+)$/ or return 0;

    add($state, $name, $value, $comment);

    return 1;
}


# NAME, which has the next value, or itself

sub bare {
    my ($state, $text, $comment) = @_;

    if ($state->{words} && $text =~ /^([A-Za-z]\w*)\s*(?:\@.*|[,;])?$/) {
        add($state, $1, "\"$1\"", $comment);

    } elsif ($text =~ /^([A-Za-z_]\w*)\s*[,;]?$/
             && ($state->{enum} || defined $state->{iota}))
    {
        add($state, $1, undef, $comment);
    }

    return 1;
}


# Errors::NAME and Errors.NAME without what is before the name

sub last_name {
    return $_[0] =~ s/.*(?:::|\.)(?=[A-Za-z_]\w*$)//r;
}


# E(NAME, 1001, "text") and { 1001, "text" }, one or more in a line

sub entry_of_rows {
    my ($state, $text, $comment) = @_;

    return 0 if $text !~ /^\s*[{\[(].*[}\])]\s*[,;]?\s*$/ || $text =~ /^\s*\[\w+\]/;

    my $inside = $text =~ s/^\s*[{\[(]+|[}\])]+\s*[,;]?\s*$//gr;
    my $atom = $inside =~ s/^\s*:(?=[a-z]\w*\s*,)//;

    # the mark at the end of an array

    return 1 if $inside =~ /^\s*(?:0|NULL)\s*(?:,\s*(?:0|NULL|nullptr)\s*)+$/;

    my ($first) = $inside =~ /^\s*&?($string|$integer|[A-Za-z_][\w.:]*)/ or return 0;

    $first = unquote($first);

    if ($inside =~ /^\s*['"]?\w+['"]?\s*(?:=>|[:=])/) {
        add($state, '', $inside, $comment);

    } elsif ($inside =~ /^\s*["'`][^"'`]+["'`]\s*,\s*[45]\d\d\s*,(.*)$/s
             && strict_code($first))
    {
        add($state, '', "code: \"$first\", " . $inside =~ s/^[^,]*,/status:/r, $comment);

    } elsif ($first =~ /^[A-Za-z]/ && !$atom && !strict_code($first)
             && $first !~ /::|\./)
    {
        return 0;

    } else {
        add($state, $first =~ s/.*(?:::|\.)//r,
            $inside =~ s/^\s*(?:$string|$integer|[\w.:&]+)\s*[,:]?//r, $comment);
    }

    $state->{comment} = '';

    return 1;
}


# throw new NAME(1001, "text"), super(1001, "text"): an error that a function makes

sub made {
    my ($state, $text, $comment) = @_;

    my ($made, $arguments, $first) = $text =~ /^\s*
        (?:(?:(?:else\b|if\b.*?[):{])\s*\{?\s*)?(?:return|throw|raise)\s
           (?:[^"'(]*,)?\s*(?:new\s+)?&?[\w.:\\]*?
           ((?:err(?:or)?|exception|fail(?:ure)?|reject|abort|fault)\w*)
         |super|super\(\)\.__init__|parent::__construct)\s*
        \(\s*(($string|$integer)\s*,.*?)\)\s*(?:if\b.*)?[;,}\s]*$/xi or return 0;

    # of a class of errors

    return 0 if !defined $made && !grep { $_->[2] =~ /err|exception|fault|fail/i }
                                   @{ $state->{parents} };

    return 0 if $first =~ /^\D/ && !strict_code(unquote($first));

    $state->{made} //= { name => 'errors', heading => '', flags => 0, base => '',
                         line => $state->{at} + 1, entries => [], next => undef };

    local $state->{group} = $state->{made};

    add($state, '', $arguments, $comment);
    $state->{made}{entries}[-1]{first_string} ||= $first !~ /^-?[0-9]/
        if @{ $state->{made}{entries} };

    return 1;
}


# def code(:name), do: 1001; code(name) -> 1001; text(1001) -> <<"text">>: the
# function, its argument and its value

sub clause {
    my ($text) = @_;

    $text =~ /^\s*(?:defp?\s+)?([a-z]\w*)\s*\(\s*(?:<<)?(:?\w+|$string|$integer)(?:>>)?\s*\)\s*
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
    my $quoted = delete $state->{keyed};

    $entry->{keyed} = $quoted || $name =~ /^[a-z]+(?:_[a-z]+)+$/;
    $entry->{status} = delete $state->{status} if defined $state->{status};
    $state->{comment} = '';

    my $wire = delete $state->{wire};

    if (defined $wire && ($value // '') !~ /["'0-9]/) {
        $entry->{named}{code} = $wire;

    } elsif (!defined $value) {
        my $next = next_value($state) // '';

        return if $name eq '_';
        $entry->{numbers} = [$next] if $next ne '';
        $entry->{implicit} = 1;
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
            || ($quoted || ($value // '') eq '') && $name =~ /^\w+$/);
}


1;
