package Draft::Literals;

# The values that source text gives to a constant: its numbers and strings, those
# that have names, simple arithmetic, and a status by its name.

use strict;
use warnings;
no warnings 'portable';    # numbers of 64 bits
use utf8;

use Draft::Cell qw(reason strict_code);
use Draft::Names qw(role);
use Exporter qw(import);

our @EXPORT = qw(literals http_status next_value unquote $string $integer);

our $string = qr/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`\n]*`/;
our $integer = qr/-?\b0[xX][0-9A-Fa-f_]+|-?\b[0-9](?:[0-9_]*[0-9])?(?![\w.])/;


# the numbers and the strings of a value, those with names, and a status by name

sub literals {
    my ($state, $entry, $value) = @_;

    $value =~ s/[,;]\s*$//;
    $value =~ s/^\s*($string)\s*=>\s*/$1, /;
    $value =~ s/^[A-Za-z_][\w.]*\s*\(\s*(\w+\s*[-+*]\s*\w+)\s*\)$/$1/;
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
        $state->{group}{annotated} = 1;
    }

    # :bad_request, "text"

    if ($value =~ /$string/) {
        for ($value =~ s/$string//gr =~ /(?<![\w:.]):([a-z_]+)\b(?!\s*=>)/g) {
            $entry->{status} //= reason($_) if reason($_);
        }
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

        # a name of this text, whatever it is like

        if (defined $http && $http =~ /(\w+)$/ && exists $state->{known}{$1}) {
            ($name, $http) = ($1, undef);
        }

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

        } elsif (defined $name && $state->{statuses} && reason($name)) {
            $entry->{status} //= reason($name);

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


sub next_value {
    my ($state) = @_;

    if (defined $state->{iota}) {
        $state->{iota}++;
        return undef if !defined $state->{expression};
        return evaluate($state, $state->{expression});
    }

    return $state->{enum} ? $state->{group}{next} // 0 : undef;
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
