# docs/directives.md has every directive, variable and metric of the source, and
# the documentation no other; README is short; all links have a target.

use strict;
use warnings;

use lib 't/lib';

use ErrorMap;
use ErrorMapDocs;
use ErrorMapTables;
use File::Basename qw(dirname);
use File::Spec;
use Test::More;

my $root = $ErrorMap::root;

my %document = map { $_ => document($_) } @files;

my $source = join '', map { slurp($_) } sort glob "$root/ngx_module/{,*/}*.c";
my $readme = $document{'README.md'};
my $of_readme = join "\n", @{ $readme->{prose} };
my $reference = $document{'docs/directives.md'};
my $of_reference = join "\n", @{ $reference->{prose} };
my @in_example = map { name($_) } map { all(statements($_->{text})) }
                 grep { $_->{tag} eq 'nginx' } @{ $reference->{block} };

my %context = (MAIN => 'http', SRV => 'server', LOC => 'location',
               SIF => 'if in server', LIF => 'if in location',
               UPS => 'upstream', LMT => 'limit_except');

# the number of arguments of a directive, by its flags and by its syntax

sub by_flags {
    my ($flags) = @_;

    return join ' ', map { /^TAKE(\d+)$/ ? split //, $1 : /^FLAG$/ ? 'flag'
                           : /^1MORE$/ ? '1+' : /^2MORE$/ ? '2+'
                           : /^NOARGS$/ ? 0 : /^ANY$/ ? '0+' : () }
                     $flags =~ /NGX_CONF_(\w+)/g;
}

sub by_syntax {
    my ($syntax) = @_;
    my %n;

    return 'flag' if $syntax eq 'on | off';

    for (split / \| (?![^\[]*\])/, $syntax) {
        my $more = s/ \.\.\.//;
        my $optional = s/\s*\[[^\]]*\]//g;
        my $least = () = /\S+/g;

        $n{$more ? "$_+" : $_} = 1 for $least .. $least + $optional;
    }

    return join ' ', sort keys %n;
}

# the default of a directive in the source

sub by_default {
    my ($field) = @_;

    my ($value) = $source =~ /ngx_conf_merge_\w+\(conf->$field,
                              \s*prev->$field,\s*([^;]+)\);/x or return;

    return $value =~ /^[\d* ]+$/ ? eval $value : ();
}

# numbers of arguments that are accepted only for a helpful error

my %refused = (error_map_header => 3, error_map_zone => 1);

my %directive;

while ($source =~ /\{\s*ngx_string\("(\w+)"\),\s*
                   (NGX_HTTP_\w+(?:\s*\|\s*NGX_\w+)*),\s*
                   (\w+),\s*\w+,\s*(?:offsetof\(\w+,\s*(\w+)\))?/gx)
{
    $directive{$1} = { flags => $2, set => $3, field => $4 };
}

cmp_ok(scalar keys %directive, '>', 10, 'the source has directives');

for my $name (sort keys %directive) {
    my ($flags, $set, $field) = @{ $directive{$name} }{qw(flags set field)};
    my @wrong;

    my ($section) = $of_reference =~ /^\#\#\#\ `?\Q$name\E`?\ *\n
                                   (.*?)(?=^\#{1,3}\ |\z)/msx;

    if (!defined $section) {
        right("docs/directives.md: $name", "there is no section \"### $name\"");
        next;
    }

    my %line;

    while ($section =~ /^[*-]?\s*\**(Syntax|Default|Context)\**:\**\s*(.*)/mg) {
        push @{ $line{$1} }, $2;
    }

    push @wrong, map { "no line \"$_:\"" } grep { !$line{$_} }
                 qw(Syntax Default Context);

    # Context

    my $is = join ', ', sort split /, */, ($line{Context} || [''])->[0]
                                          =~ s/[`*]|\s+$//gr;
    my $must = join ', ', sort map { $context{$_} || $_ }
               $flags =~ /NGX_HTTP_(\w+)_CONF/g;

    push @wrong, "Context is \"$is\", in the source \"$must\""
        if $is ne $must;

    # Syntax

    my %n;

    for (map { /`([^`]+)`/g } @{ $line{Syntax} }) {
        my $syntax = $_;

        push @wrong, "Syntax does not begin with the name: $_"
            if $syntax !~ s/^\Q$name\E //;

        my $block = $flags =~ /NGX_CONF_BLOCK/;

        my $end = $block ? '{ ... }' : ';';

        push @wrong, "Syntax must end with \"$end\""
            if $syntax !~ s/ *\Q$end\E$//;

        $n{$_} = 1 for split / /, by_syntax($syntax);
    }

    $is = join ' ', sort keys %n;
    $must = join ' ', sort grep { $_ ne ($refused{$name} // '') }
                      split / /, by_flags($flags);
    push @wrong, "Syntax has arguments: $is, in the source $must"
        if $is ne $must;

    # Default

    my ($default) = ($line{Default} || [''])->[0] =~ /^`([^`]+)`/;

    if (defined $default) {
        my $error = configuration_error($default);
        push @wrong, "Default \"$default\": $error" if $error ne '';
    }

    if ($field && defined(my $value = by_default($field))) {
        my ($text) = ($default // '') =~ /^\w+ (\w+);$/;
        $text //= '';

        my $n = $text =~ /^(?:on|off)$/ ? ($text eq 'on')
              : $text =~ /^(\d+)([kmgs]?)$/
              ? $1 * { '' => 1, s => 1e3, k => 2**10, m => 2**20 }->{$2} : -1;

        push @wrong, "Default is \"$text\", in the source $value"
            if $n != $value;
    }

    push @wrong, 'no block of "nginx" has it'
        if !grep { $_ eq $name } @in_example;

    right("docs/directives.md: $name", @wrong);
}

# the reference has all names, and the other pages no others

my @variable = $source =~ /^\s*ngx_http_error_map_var\((\w+)\),$/mg;
my @metric = sort keys %{ { map { $_ => 1 }
                            $source =~ /"(?:# TYPE )?(nginx_error_map_\w+)/g
                          } };

cmp_ok(scalar @variable, '>=', 10, 'the source has variables');
cmp_ok(scalar @metric, '>=', 6, '... and metrics');

sub names_ok {
    my ($what, $pattern, @name) = @_;

    my %is = map { $_ => 1 } @name;
    my %has = map { $_ => 1 } $of_reference =~ /$pattern/g;

    right("docs/directives.md: $what",
          map { "$_ is missing" }
          grep { !$has{$_} && !/^error_map_field_[a-z]/ } @name);

    for my $file (@files) {
        my @text = (@{ $document{$file}{prose} },
                    map { $_->{text} } @{ $document{$file}{block} });
        my %own = map { $_ => 1 } map { /^map \S+ \$(\w+)/mg } @text;

        right("$file: $what exist", map { "$_ does not" }
              grep { !$is{$_} && !$own{$_} } map { /$pattern/g } @text);
    }
}

# a field's variable has the name of a field that is declared, or NAME

sub fields {
    my $text = join "\n", map { my $file = $_;
                                (@{ $document{$file}{prose} },
                                 map { $_->{text} }
                                     @{ $document{$file}{block} }) } @files;

    my %declared = (NAME => 1, map { $_ => 1 } $text =~ /\bfield\s+(\w+)\s/g);

    return map { "error_map_field_$_" }
        grep { $text =~ /\$\{?error_map_field_$_\b/ } sort keys %declared;
}


names_ok('variables', qr/\$\{?(error_map_[a-z]\w*)/,
         (map { "error_map_$_" } @variable), fields());
names_ok('metrics', qr/\b(nginx_error_map_[a-z]\w*)/, @metric);

for my $file (@files) {
    my %is = map { $_ => 1 } keys %directive, map { "error_map_$_" } @variable;

    right("$file: directives exist", map { "$_ does not" }
          grep { !$is{$_} && $file =~ /README|docs/ }
          map { /(?<![\w\$\/"{.])(error_map_[a-z]\w*)(?![\w.\/*])/g }
          map { s/\bnginx_error_map_\w+//gr } @{ $document{$file}{prose} });
}


# the documents that README shows; there may be more

my %shown = map { /^\| `(\w+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \| (\d+) \|$/
                  ? ($1 => [$2, $3, $4]) : () } @{ $readme->{prose} };

cmp_ok(scalar keys %shown, '>=', 5, 'README.md shows documents');

for my $name (sort keys %shown) {
    my $table = (grep { $_ eq $name } @documents) ? table($name)
                : { sources => [], success => [], rows => [] };

    is_deeply($shown{$name},
              [(map { join ', ', map { "`$_`" } @$_ }
                [map { $_->[1] } @{ $table->{sources} }], $table->{success}),
               scalar @{ $table->{rows} }], "README.md: document $name");
}


cmp_ok(slurp("$root/README.md") =~ tr/\n//, '<', 250, 'README.md is short');


# links, as GitHub shows the files

sub anchors {
    my ($file) = @_;
    my (%anchor, %n);

    $document{$file} ||= document($file);

    for (@{ $document{$file}{heading} }) {
        my $name = lc s/!?\[([^\]]*)\]\([^)]*\)/$1/gr;

        $name =~ s/[^\w\- ]//g;
        $name =~ s/ /-/g;
        $anchor{$name . ($n{$name}++ ? '-' . ($n{$name} - 1) : '')} = 1;
    }

    $anchor{$_} = 1 for map { /<a (?:name|id)="([^"]+)"/g }
                        @{ $document{$file}{prose} };

    return \%anchor;
}

for my $file (@files) {
    my $prose = join("\n", @{ $document{$file}{prose} })
                =~ s/(`+)[^`\n]+\1//gr;
    my @wrong;

    for my $link ($prose =~ /\]\(\s*<?([^)\s>]+)/g,
                  $prose =~ /^\[[^\]]+\]:\s*(\S+)/mg)
    {
        next if $link =~ /^[a-z][a-z+.-]*:/i;

        my ($to, $anchor) = $link =~ /^([^#]*)(?:#(.*))?$/;

        $to = $to eq '' ? $file
            : File::Spec->abs2rel("$root/" . dirname($file) . "/$to", $root);
        1 while $to =~ s{(^|/)(?!\.\.)[^/]+/\.\./}{$1};

        push @wrong, "$link has no target" if !-e "$root/$to";
        push @wrong, "$link: no such heading" if defined $anchor
            && !($to =~ /\.md$/ && anchors($to)->{$anchor});
    }

    right("$file: links", @wrong);
}


# the statuses that nginx's own directives take

{
    my $prose = join ' ', @{ $reference->{prose} };
    my ($all) = $prose =~ /accept\s+only\s+the\s+statuses\s+([\d,\sand]+)/;
    my ($not) = $prose =~ /of\s+the\s+others\s+not\s+(\d+\s+and\s+\d+)/;
    my %proxy = map { $_ => 1 } $all =~ /\d+/g;
    my %others = %proxy;

    delete @others{$not =~ /\d+/g};

    for my $protocol (qw(proxy fastcgi uwsgi scgi)) {
        my $ok = $protocol eq 'proxy' ? \%proxy : \%others;

        for my $directive ('next_upstream', 'cache_use_stale') {
            my @wrong;

            for my $status (400 .. 404, 408, 429, 500 .. 504) {
                my $name = "${protocol}_$directive http_$status";
                my $refused = ErrorMap::configuration_error("$name;\n") ne '';

                push @wrong, $name if $refused != !$ok->{$status};
            }

            right("docs/directives.md: ${protocol}_$directive", @wrong);
        }
    }
}

done_testing();
