package ErrorMapSelect;

# What em_select has to answer, worked out from the whole of a body: every value
# is a node with the moments at which it begins and ends, and for each moment, in
# turn, it is asked what every line has met so far and whether that decides.
#
# It is written to be compared with the rules, not to be fast, and shares no idea
# with the scanner.  Cases are as in t/unit/em_case.h.

use strict;
use warnings;

use Exporter qw(import);
use Scalar::Util qw(weaken);

our @EXPORT = qw(select_answer select_random);

use constant { ERROR => 0, UNLISTED => 1, SUCCESS => 2, NEVER => 1e9 };


# the answer and, if it is a code, between which bytes it becomes certain

sub select_answer {
    my ($conf, $body, %option) = @_;

    my $plan = plan($conf);
    my $texts = $option{texts} || 1;
    my $stop = $option{stop} // length $body;
    my $read = 0;

    pos($body) = 0;

    while ($texts--) {

        $body =~ /\G[ \n]*/gc;

        if (pos($body) >= $stop) {
            return defined $option{stop} ? '-stopped'
                   : $read ? '-no_code' : '-empty';
        }

        my $root = node(\$body);
        number($root, \my $clock);

        my ($answer, $from, $to) = text($plan, $root, $clock, $stop,
                                        !$texts);

        return ($answer, $from, $to) if defined $answer;

        return '-no_code' if !$texts && useless($plan, $root);

        if ($root->{close} > $stop) {
            return defined $option{stop} ? '-stopped'
                   : !$read ? '-malformed'
                   : '-no_code' . fields($plan, $root, $clock, $clock, $stop);
        }

        $read = 1;
        pos($body) = $root->{close};

        return '-no_code' . fields($plan, $root, $clock, $clock, $stop)
            if !$texts;
    }
}


# --- JSON: nodes, up to where the text is cut off

sub node {
    my ($body, $parent, $name, $array) = @_;

    $$body =~ /\G[ \n]*/gc;

    my $n = { parent => $parent, name => $name, array => $array, kids => [],
              open => pos($$body), close => NEVER, first => NEVER };

    weaken($n->{parent});

    if ($$body =~ /\G([{\[])[ \n]*/gc) {
        $n->{type} = $1;

        my $i = 0;
        my $end = $1 eq '{' ? '}' : ']';

        $n->{first} = pos($$body) + 1 if pos($$body) < length $$body;

        if ($$body !~ /\G\Q$end/gc) {
            for ( ;; ) {
                my $key = $i++;

                if ($n->{type} eq '{') {
                    $$body =~ /\G[ \n]*"((?:[^"\\]|\\.)*)"[ \n]*:/gc
                        or return $n;
                    $key = unescape($1);
                }

                $$body =~ /\G[ \n]*(?=.)/gcs or return $n;

                my $kid = node($body, $n, $key, $n->{type} eq '[');

                push @{$n->{kids}}, $kid;

                return $n if $kid->{close} == NEVER;

                $$body =~ /\G[ \n]*,/gc and next;
                $$body =~ /\G[ \n]*\Q$end/gc or return $n;
                last;
            }
        }

        $n->{close} = pos($$body);

    } elsif ($$body =~ /\G"((?:[^"\\]|\\.)*)"/gcs) {
        $n->{type} = '"';
        $n->{text} = unescape($1);
        $n->{close} = pos($$body);

    } elsif ($$body =~ /\G(-?\d[\d.eE+-]*)/gc) {
        $n->{type} = '0';
        $n->{text} = $1;

        # it has ended when the next byte is seen

        $n->{close} = pos($$body) + 1 if pos($$body) < length $$body;

    } elsif ($$body =~ /\G(true|false|null)/gc) {
        $n->{type} = $n->{text} = $1;
        $n->{close} = pos($$body);
    }

    return $n;
}


sub unescape {
    my ($s) = @_;

    $s =~ s/\\(?:u00(..)|(.))/defined $1 ? chr hex $1 : $2/ge;

    return $s;
}


# the moments at which values begin and end

sub number {
    my ($n, $clock) = @_;

    $n->{begin} = $$clock++;
    number($_, $clock) for @{$n->{kids}};
    $n->{end} = $$clock++;
}


sub nodes {
    my ($n) = @_;

    return ($n, map { nodes($_) } @{$n->{kids}});
}


sub depth {
    my ($n) = @_;

    return $n->{parent} ? 1 + depth($n->{parent}) : 0;
}


# --- documents

sub plan {
    my ($conf) = @_;

    my $plan = { lines => [], marks => [], names => [], fields => {} };

    for my $statement (split /;/, $conf) {

        my @words = $statement =~ /('[^']*'|\S+)/g or next;

        for (@words) {
            s/^'(.*)'$/$1/;
        }

        my $what = shift @words;
        my $name = $what eq 'field' ? shift @words : $what;
        shift @words;

        if ($what eq 'success') {
            push @{$plan->{marks}}, { path => path(shift @words),
                                      values => [ @words ] };
            next;
        }

        my $line = { paths => [] };

        for (@words) {
            if (/^(pattern|code|unit|if|unless)=(.*)/) {
                $line->{$1} = $2;
            } else {
                push @{$line->{paths}}, path($_);
            }
        }

        for my $condition (qw(if unless)) {
            $line->{$condition} = path($line->{$condition})
                if defined $line->{$condition};
        }

        if ($what eq 'source') {
            my $p = $line->{paths};
            $line->{plain} = @$p == 1 && $p->[0]{plain} && !$line->{if}
                             && !$line->{unless};
            push @{$plan->{lines}}, $line;
            next;
        }

        push @{$plan->{names}}, $name if !$plan->{fields}{$name};
        push @{$plan->{fields}{$name}}, map { { path => $_, line => $line } }
                                            @{$line->{paths}};
    }

    return $plan;
}


sub path {
    my ($text) = @_;

    my @steps;

    if ($text =~ m{^/}) {
        @steps = map { { token => $_ } } split m{/}, substr($text, 1), -1;

    } else {
        for ($text =~ /^\$(.*)/) {

            while (length) {
                if (s/^(?:\.\*|\[\*\])//) {
                    push @steps, { any => 1 };

                } elsif (s/^\[:\]//) {
                    push @steps, { each => 1 };

                } elsif (s/^\.(\w+)// || s/^\["(.*?)"\]//) {
                    push @steps, { name => $1 };

                } elsif (s/^\[(\d+)\]//) {
                    push @steps, { index => $1 };

                } elsif (s/^\[\?\@\.(\w+)([!=])=([^\]]+)\]//) {
                    my ($name, $op, $value) = ($1, $2, $3);
                    push @steps, { filter => $name, unequal => $op eq '!',
                                   type => $value =~ /^"/ ? '"'
                                           : $value =~ /^[-\d]/ ? '0'
                                           : $value,
                                   value => $value =~ s/"//gr };

                } else {
                    die "invalid token $text";
                }
            }
        }
    }

    my $n = 0;
    $n++ while $n < @steps && !grep { $steps[$n]{$_} } qw(any each filter);

    my $plain = $n == @steps;

    return { steps => \@steps, plain => $plain,
             home => $plain && $n ? $n - 1 : $n };
}


# no path leads into the array or object

sub useless {
    my ($plan, $root) = @_;

    my $type = $root->{type} // '';
    my $array = $type eq '[';

    return $type =~ /[{\[]/ && !grep {
        my $step = $_->{steps}[0];

        $step->{any} || $step->{filter} || ($array
            ? $step->{each} || defined $step->{index}
              || ($step->{token} // '') =~ /^(?:0|[1-9]\d*)\z/
            : defined $step->{name} || defined $step->{token})
    } map({ @{$_->{paths}}, grep { $_ } @$_{qw(if unless)} }
          @{$plan->{lines}}),
      map({ $_->{path} } @{$plan->{marks}}, map { @$_ }
                         values %{$plan->{fields}});
}


# does the step lead to the node from the one around it?

sub leads {
    my ($step, $n) = @_;

    return 1 if $step->{any} || $step->{filter};
    return $n->{array} if $step->{each};
    return $n->{name} eq $step->{token} if defined $step->{token};
    return !$n->{array} && $n->{name} eq $step->{name}
        if defined $step->{name};
    return $n->{array} && $n->{name} == $step->{index};
}


sub led {
    my ($path, $n) = @_;

    my $d = depth($n);

    return 0 if $d > @{$path->{steps}};

    for ( ; $d; $d--, $n = $n->{parent}) {
        return 0 if !leads($path->{steps}[$d - 1], $n);
    }

    return 1;
}


# whether the filter selects the node, and from when that is known

sub filtered {
    my ($step, $n) = @_;

    my ($member) = grep { !$_->{array} && $_->{name} eq $step->{filter} }
                        @{$n->{kids}};

    return ($step->{unequal}, $n->{end}) if !$member;

    my $same = $member->{type} eq $step->{type}
               && ($member->{type} !~ /["0]/
                   || $member->{text} eq $step->{value});

    return ($same xor $step->{unequal}) ? (1, $member->{end}) : (0, NEVER);
}


# the values that a path selects: [ node, known from when ]

sub selected {
    my ($path, $all) = @_;

    my @found;

    for my $n (grep { depth($_) == @{$path->{steps}} && led($path, $_) } @$all)
    {
        my ($passed, $when, $at) = (1, $n->{begin}, $n);

        for my $step (reverse @{$path->{steps}}) {

            if ($step->{filter}) {
                my ($yes, $known) = filtered($step, $at);
                $passed &&= $yes;
                $when = $known if $known > $when;
            }

            $at = $at->{parent};
        }

        push @found, [ $n, $when ] if $passed;
    }

    return @found;
}


# its home, or a value on the way to it, is closed for the first time

sub home_closed {
    my ($path, $all) = @_;

    my @ends = sort { $a <=> $b } map { $_->{end} }
               grep { depth($_) <= $path->{home} && led($path, $_) } @$all;

    return @ends ? $ends[0] : NEVER;
}


sub there {
    my ($n) = @_;

    return $n->{type} eq 'true'
           || ($n->{type} eq '"' && length $n->{text})
           || ($n->{type} eq '0' && $n->{text} ne '0')
           || ($n->{type} =~ /[{\[]/ && @{$n->{kids}});
}


# --- the rows of em_case.h

sub kind {
    my ($code) = @_;

    return $code =~ /^(?:0|OK)\z/ ? SUCCESS
           : $code =~ /^(?:1|2|true|e\..*|1\d\d)\z/s ? ERROR : UNLISTED;
}


sub matched {
    my ($pattern, $text) = @_;

    return $text if !defined $pattern;
    return if substr($text, 0, 1024) !~ /$pattern/;
    return $1 // $&;
}


sub code {
    my ($line, $n) = @_;

    my ($word, $pattern) = @$line{qw(code pattern)};

    return there($n) ? $word : undef if defined $word && !defined $pattern;
    return if $n->{type} =~ /[{\[]|null|false/;
    return if $n->{type} eq 'true' && defined $word;

    my $code = matched($pattern, $n->{text});

    return if !defined $code;

    $code = $word if defined $word;

    return length $code && length $code <= 128 ? $code : undef;
}


# --- one text; nothing if it has no code

sub text {
    my ($plan, $root, $last, $stop, $lastly) = @_;

    my @all = nodes($root);
    my @lines = map { line($_, \@all) } @{$plan->{lines}};
    my ($waiting, @marks) = (0);

    for my $mark (@{$plan->{marks}}) {
        my $closed = home_closed($mark->{path}, \@all);
        $waiting = $closed if $closed > $waiting;

        push @marks, map { $_->[1] } grep {
            my $n = $_->[0];
            @{$mark->{values}}
                ? $n->{type} !~ /[{\[]/
                  && grep { $n->{text} eq $_ } @{$mark->{values}}
                : there($n)
        } selected($mark->{path}, \@all);
    }

    # a number is at once followed by what ends it, but has to be seen

    my @moments = sort { $a->[0] <=> $b->[0] } map {
        my $nested = $_->{type} =~ /[{\[]/;
        [ $_->{begin}, $nested ? $_->{first} : $_->{open} + 1,
                       $nested ? $_->{first} : $_->{close} ],
        [ $_->{end}, $nested ? $_->{close} : $_->{open} + 1, $_->{close} ]
    } @all;

    my @hands;

    for my $moment (@moments) {
        my ($now, $from, $to) = @$moment;

        if ($to > $stop) {

            # the search ends: the value in hand counts, if it is an error

            my ($error) = grep { $_ && $_->{kind} == ERROR } @hands;
            return $error ? $error->{code}
                            . fields($plan, $root, $last, $now - 1, $stop)
                          : ();
        }

        @hands = map { hand($_, $now) } @lines;

        my $what = decision($now, \@lines, \@hands, $waiting,
                            scalar grep { $_ == $now } @marks);

        return answer($what, $root, $now)
               . ($what->{kind} == SUCCESS ? ''
                  : fields($plan, $root, $last, $now, $stop)), $from, $to
            if $what;
    }

    return;
}


sub answer {
    my ($what, $root, $now) = @_;

    return ($what->{kind} == SUCCESS ? 'ok'
            : ($what->{kind} == UNLISTED ? '?' : '') . $what->{code})
           . ($now < $root->{end} ? '!' : '');
}


# what a line meets, and from when it counts

sub line {
    my ($line, $all) = @_;

    my $l = { plain => $line->{plain}, met => [], done => [],
              counts => -1, never => NEVER };

    if (my $condition = $line->{if} || $line->{unless}) {

        my $known = home_closed($condition, $all);
        my $is = 0;

        for (selected($condition, $all)) {
            if (there($_->[0]) && $_->[0]{begin} < $known) {
                ($known, $is) = ($_->[0]{begin}, 1);
            }
        }

        if ($line->{if} ? $is : !$is) {
            $l->{counts} = $known;
        } else {
            ($l->{counts}, $l->{never}) = (NEVER, $known);
        }
    }

    for my $order (0 .. $#{$line->{paths}}) {

        my $path = $line->{paths}[$order];
        my $done = home_closed($path, $all);

        for (selected($path, $all)) {
            my ($n, $when) = @$_;
            my $code = code($line, $n);

            next if !defined $code;

            push @{$l->{met}}, { kind => kind($code), order => $order,
                                 begin => $n->{begin}, when => $when,
                                 code => $code };

            # of one place the first code counts

            if ($path->{plain}) {
                $done = $n->{begin} if $n->{begin} < $done;
                last;
            }
        }

        push @{$l->{done}}, $done;
    }

    return $l;
}


sub better {
    my ($a, $b) = @_;

    return $a->{kind} <=> $b->{kind} || $a->{order} <=> $b->{order}
           || $a->{begin} <=> $b->{begin};
}


sub hand {
    my ($l, $now) = @_;

    return undef if $l->{counts} > $now;

    my ($best) = sort { better($a, $b) } grep { $_->{when} <= $now }
                 @{$l->{met}};

    return $best;
}


sub done {
    my ($l, $now, $paths) = @_;

    $paths //= @{$l->{done}};

    return !grep { $_ > $now } @{$l->{done}}[0 .. $paths - 1];
}


sub decision {
    my ($now, $lines, $hands, $waiting, $marked) = @_;

    my @has = map { $_ ? $_->{kind} : -1 } @$hands;
    my ($errors, $unlisted) = map { my $k = $_; scalar grep { $_ == $k } @has }
                                  ERROR, UNLISTED;

    return { kind => SUCCESS } if $marked && !$errors;

    for my $i (0 .. $#$lines) {

        my ($l, $h) = ($lines->[$i], $hands->[$i]);

        next if !$h;

        if ($errors) {
            return $h if $h->{kind} == ERROR && done($l, $now, $h->{order});
            next;
        }

        my $certain = $l->{plain} || done($l, $now);

        if ($unlisted) {
            return $h if $h->{kind} == UNLISTED && $certain
                         && $waiting <= $now;
            next;
        }

        return $h if $l->{plain};

        return $h if $certain && !grep {
            my ($other, $has) = ($lines->[$_], $hands->[$_]);

            !($other->{never} <= $now
              || ($other->{counts} <= $now
                  && (($other->{plain} && $has) || done($other, $now))))
        } 0 .. $#$lines;
    }

    return;
}


# --- the fields of a text that is decided at a moment

sub fields {
    my ($plan, $root, $last, $decided, $stop) = @_;

    my @all = nodes($root);
    my %found;

    for my $name (@{$plan->{names}}) {

        for my $alternative (@{$plan->{fields}{$name}}) {

            my ($path, $line) = @$alternative{qw(path line)};
            my $alternate = { closed => home_closed($path, \@all), hits => [] };

            push @{$found{$name}}, $alternate;

            for (selected($path, \@all)) {
                my ($n, $when) = @$_;

                next if $n->{type} =~ /[{\[]|null/ || $n->{text} eq '';

                my $value = matched($line->{pattern},
                                    substr($n->{text}, 0, 1024));

                next if !defined $value || $value eq '';

                if ($name eq 'retry_after') {
                    $value = seconds($value, $line->{unit}) or next;
                }

                push @{$alternate->{hits}}, [ $when, $value ];
            }
        }
    }

    my %seen = map { $_->{end} => $_->{close}, $_->{begin}
                     => $_->{type} =~ /[{\[]/ ? $_->{first} : $_->{close} }
               @all;
    my (%value, %certain);

    # from moment to moment, until each is certain, or cannot come

    for my $now (0 .. $last - 1) {

        last if ($seen{$now} // NEVER) > $stop;

        my $open = 0;

        for my $name (keys %found) {

            next if $certain{$name};

            my ($before, $has) = (1, 0);

            for my $alternate (@{$found{$name}}) {

                my ($hit) = grep { $_->[0] <= $now } @{$alternate->{hits}};

                if ($hit) {
                    $value{$name} = $hit->[1];
                    $certain{$name} = $before;
                    $has = 1;
                    last;
                }

                $before = 0 if $alternate->{closed} > $now;
            }

            $open = 1 if !$before;
        }

        last if $now >= $decided && !$open;
    }

    return join '', map { defined $value{$_} ? " $_=$value{$_}" : () }
                        @{$plan->{names}};
}


sub seconds {
    my ($text, $unit) = @_;

    $text =~ /^(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)(ms|s)?)?\z/ or return 0;

    my $n = ($2 // 0) / (($3 // $unit // 's') eq 'ms' ? 1000 : 1);
    my $whole = int $n;

    $whole++ if $whole < $n;
    $whole += 60 * ($1 // 0);

    return $whole > 86400 ? 86400 : $whole;
}


# --- random cases

sub one { return $_[rand @_] }


# the body and values of it; most paths lead to one of them

my ($tree, @targets);


sub select_random {
    my ($long) = @_;

    my $body = join one('', ' '), map { random_nested(4, $long) }
                                      1 .. one(1, 1, 1, 2);

    pos($body) = 0;
    $tree = node(\$body);
    @targets = grep { my $d = depth($_); $d > 0 && $d < 5 } nodes($tree);

    my @lines = map { random_source() } 1 .. 1 + rand 3;

    push @lines, map { random_mark() } 1 .. one(0, 0, 0, 1, 2);
    push @lines, map { random_field() } 1 .. one(0, 0, 1, 2, 4);

    my $conf = join '; ', @lines;
    my %option;

    $option{texts} = 2 if rand() < 0.1;

    my $cut = rand();

    if ($cut < 0.2) {

        # after a comma or a bracket the value before it is complete

        my @places;

        pos($body) = 0;
        push @places, pos $body while $body =~ /[,{}\[\]]/g;

        my $place = one(@places);

        if ($cut < 0.1) {
            $option{stop} = $place;
        } else {
            $body = substr $body, 0, $place;
        }
    }

    my ($answer, $from, $to) = select_answer($conf, $body, %option);

    my $gbk = $body =~ /ZZ/ && $conf !~ /ZZ/ && rand() < 0.5;
    $option{charset} = one(qw(gbk big5 gb18030 shift_jis)) if $gbk;

    $option{at} = "$from-$to" if defined $from && $to < NEVER;

    if ($gbk) {
        $body =~ s/ZZ/\\x81\\x5c/g;
        $answer =~ s/ZZ/\x81\x5c/g;
    }

    return join(' | ', "$conf;", $body, $answer,
                join ' ', map { "$_=$option{$_}" } sort keys %option) . "\n";
}


sub random_path {
    my ($plain) = @_;

    return random_way($plain) if @targets && rand() < 0.7;

    return join '', map { '/' . one(qw(a b s 0 1)) } 1 .. 1 + rand 3
        if rand() < 0.3;

    return '$' . join '', map {
        my $r = rand;
        $plain || $r < 0.5 ? one('.a', '.b', '.s', '["a"]', '[0]', '[1]')
        : $r < 0.7 ? one('[*]', '.*')
        : $r < 0.8 ? '[:]'
        : one('[?@.s=="e"]', '[?@.s!="w"]', '[?@.a==1]', '[?@.b!=true]',
              '[?@.b!=null]', '[?@.s==1.0]')
    } 1 .. 1 + rand 3;
}


# a path to a value that is there

sub random_way {
    my ($plain) = @_;

    my $n = one(@targets);
    my ($way, $r) = ('', rand);

    for ( ; $n->{parent}; $n = $n->{parent}) {

        my ($filter) = grep { !$_->{array} && $_->{name} =~ /^[abs]\z/
                              && defined $_->{text}
                              && $_->{text} =~ /^[\w.]{0,9}\z/ } @{$n->{kids}};

        if ($plain || $r < 0.3 || rand() < 0.5) {
            $way = ($n->{array} ? "[$n->{name}]" : ".$n->{name}") . $way;

        } elsif ($filter && rand() < 0.6) {
            my $value = $filter->{type} eq '"' ? "\"$filter->{text}\""
                                               : $filter->{text};
            $way = "[?@.$filter->{name}" . one('==', '==', '!=') . "$value]"
                   . $way;

        } else {
            $way = one('[*]', '.*', $n->{array} ? '[:]' : (),
                       '[?@.s!="w"]', '[?@.b==1]') . $way;
        }
    }

    return "\$$way";
}


sub random_source {
    my $r = rand;

    return 'source json ' . join(' ', map { random_path() } 1 .. 1 + rand 3)
           . ($r < 0.1 ? ' code=' . one(qw(2 2 x 0))
              : $r < 0.15 ? ' code=2 pattern=' . one('^e', '1')
              : $r < 0.2 ? ' pattern=' . one('^1', '([0-9])$', 'e')
              : $r < 0.3 ? ' if=' . random_path(1)
              : $r < 0.4 ? ' unless=' . random_path(1) : '');
}


sub random_mark {
    return 'success json ' . random_path()
           . one('', ' true', ' 1 e', ' null', ' ""' =~ s/"//gr, ' 0 ZZ');
}


sub random_field {
    return one('field m', 'field m', 'field r', 'field q', 'retry_after')
           . ' json ' . join(' ', map { random_path() } 1 .. 1 + rand 3)
           . one('', '', '', ' pattern=([0-9]+m?)', ' pattern=e');
}


sub random_value {
    my ($depth, $long) = @_;

    return random_nested($depth - 1, $long) if $depth && rand() > 0.45;

    return '"' . one('x', 'ZZ', '1', 'e.') x one(64, 65, 128, 129, 300, 1030)
           . '"'
        if $long && rand() < 0.1;

    return one(qw(0 1 2 7 150 1.0 -1 0.5 10 true true false null),
               map { "\"$_\"" } qw(1 0 e w e.q OK 3s 750ms 1m30s ZZ 1ZZ ZZe),
                                '', '\\u0065', '1\\u0030', '\\"e');
}


sub random_nested {
    my ($depth, $long) = @_;

    my $blank = rand() < 0.1 ? ' ' : '';

    return "[${blank}" . join("$blank,$blank", map { random_value($depth, $long) }
                                                 1 .. rand 4) . "${blank}]"
        if rand() < 0.35;

    return "{${blank}" . join(",$blank", map {
        '"' . one(qw(a b s a b s a b s \\u0061 ZZ aZZ)) . "\"$blank:$blank"
        . random_value($depth, $long)
    } 1 .. rand 5) . "${blank}}";
}


1;
