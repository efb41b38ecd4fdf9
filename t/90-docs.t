# The examples of README.md, CONTRIBUTING.md, SECURITY.md and docs/*.md work.
# By the tag of a fenced block:
#
# nginx    The test starts it and requests each of its locations.  It is a
#          complete file if it has load_module, http or events; otherwise its
#          statements tell whether it belongs into http, a server or a location.
#          Missing declarations come from earlier blocks of its section or from
#          conf/; unknown hosts are a vendor of this test.
# console  A transcript of commands to all nginx blocks before it in its
# section;          the later one of two equal declarations counts.  A block
# without a          server is at localhost:8080.  It shows all that a command
# prints;          "..." is any text in a line or, as a line, any lines. sh
# Commands that other tests run, see @elsewhere. yaml     A part of a file of
# conf/, which other tests run. json     Valid JSON; text may be anything; other
# tags are refused.

use strict;
use warnings;

use lib 't/lib';

use ErrorMap qw(:DEFAULT launch quit);
use ErrorMapDocs;
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use JSON::PP ();
use Storable qw(dclone);
use Test::More;
use Time::HiRes qw(sleep);

my $root = $ErrorMap::root;


# the commands in "sh" blocks, and the test that runs them: a file and its line

my @elsewhere = (
    [qr/^make$/,                    'Makefile', qr{^\ttools/build dynamic}m],
    [qr/^make NGINX_SRC=\S+$/,      'Makefile', qr{^\ttools/build dynamic}m],
    [qr/^make (?:demo|serve)$/,     't/90-demo.t', qr{tools/demo}],
    [qr/^make test( NGINX=\S+)?$/,  '.ci/run', qr/^make test$/m],
    [qr/^make (?:test-\w+|bench-check)(?: \w+=\S+)*$/,
                                    '.ci/run', qr/^make test-static$/m],
    [qr/^make deb$/,                'xt/deb.t', qr{tools/deb}],
    [qr{^apt install \./build/deb/}, 'xt/deb.t', qr/apt-get .*install/],
    [qr/^make (?:bench|bench-quick|fuzz|soak)(?: \w+=\S+)*$/,
                                    'Makefile', qr/^bench:/m],
    [qr/^\.ci\/run$/,               '.ci/run', qr/^make test$/m],
    [qr{^(?:\./)?configure .*--add-(?:dynamic-)?module=},
                                    'tools/build', qr/--add-/],
    [qr{^tools/draft },             't/00-unit-draft.t', qr{tools/draft}],
    [qr{^tools/prove },             'Makefile', qr{tools/prove t$}m],
    [qr{^grep .* \| jq -rsf conf/log\.jq$}, 't/50-log-query.t',
                                    qr{jq -rsf .*conf/log\.jq}],
    [qr/^promtool (?:check|test) rules /,
                                    't/50-metrics-prometheus.t',
                                    qr/promtool test rules/],
);

# the commands that a transcript may have

my $tools = qr{^(?:curl|grep|tail|head|cat|cut|sort|uniq|sed|tr|wc|printf
                  |sleep|jq|tools/draft)$}x;


sub conf_text {
    my ($list, $indent) = @_;
    $indent //= '';

    return join '', map {
        "$indent@{$_->{words}}"
        . ($_->{block} ? " {\n" . conf_text($_->{block}, "$indent    ")
                         . "$indent}\n" : ";\n")
    } @$list;
}


sub port {
    my ($listen) = @_;

    return $listen =~ /(?:^|:)(\d+)$/ ? $1 : $listen =~ /^unix:/ ? $listen : 80;
}

sub ports {
    my ($server) = @_;

    my @listen = grep { name($_) eq 'listen' } @{ $server->{block} };
    return @listen ? map { port(arg($_, 1)) } @listen : 80;
}


# The declaration of a statement of http as "kind name"; a later one of the same
# key replaces an earlier one.

sub key {
    my ($s) = @_;
    my $name = name($s);

    return join ' ', $name, sort map { $_ // '' } ports($s),
                map { @{$_->{words}} }
                grep { name($_) eq 'server_name' } @{ $s->{block} }
        if $name eq 'server';

    return 'variable ' . arg($s, -1) if $name =~ /^(?:map|geo|split_clients)$/;
    return "cache $1" if $name =~ /_cache_path$/
                         && "@{$s->{words}}" =~ /keys_zone=(\w+)/;
    return "$name " . join ' ', @{$s->{words}}[1 .. $#{$s->{words}}]
        if $name eq 'location';

    return "$name " . arg($s, 1)
        if $name =~ /^(?:upstream|log_format|error_map_(?:policy|document))$/;

    return $name;
}

sub declares {
    my ($s) = @_;

    return name($s) eq 'server' ? map { "listen $_" } ports($s) : key($s);
}


# the declarations that statements need, as "kind name"

sub needs {
    my @need;

    for my $s (all(\@_)) {
        my $name = name($s);
        my $all = "@{$s->{words}}";

        push @need, map { "variable \$$_" } $all =~ /\$\{?(\w+)/g;
        push @need, "error_map_document " . arg($s, 1) if $name eq 'error_map';
        push @need, "error_map_policy $1"
            if $all =~ /^error_map .*policy=(\w+)/;
        push @need, "error_map_document $1" if $all =~ m{^code (\w+)/};
        push @need, 'log_format ' . arg($s, 2) if $name eq 'access_log';
        push @need, 'cache ' . arg($s, 1) if $name =~ /_cache$/;
        push @need, 'error_map_zone' if $name eq 'error_map_metrics';
        push @need, "upstream $1"
            if $name =~ /_pass$/ && arg($s, 1) =~ m{^(?:\w+://)?([\w.-]+)};
        push @need, map { "listen $_" }
                    $all =~ /(?:127\.0\.0\.1|localhost):(\d+)/g;
    }

    return @need;
}


# the declarations of conf/, without servers and upstreams

my @shared = grep { name($_) !~ /^(?:server|upstream)$/ }
             map { my $list = statements(slurp("$root/conf/$_.conf"));
                   map { name($_) eq 'http' ? @{ $_->{block} } : $_ } @$list }
             qw(edge failover log status demo);

my $of_main = qr/^(?:load_module|http|events|user|pid|env|daemon|pcre_jit
                    |worker_\w+|thread_pool)$/x;
my $of_http = qr/^(?:server|upstream|map|geo|split_clients|log_format
                    |\w+_(?:cache|temp)_path|limit_\w+_zone
                    |error_map_(?:policy|document|zone))$/x;
my $of_server = qr/^(?:location|listen|server_name)$/;


# a block's statements as { main, http }, wrapped into missing blocks

sub place {
    my @s = @{ dclone($_[0]) };

    if (grep { name($_) =~ $of_main } @s) {
        my @main = grep { name($_) =~ /$of_main|^error_log$/
                          && name($_) ne 'http' } @s;
        my @http = map { @{ $_->{block} } } grep { name($_) eq 'http' } @s;
        my @rest = grep { name($_) !~ /$of_main|^error_log$/ } @s;

        return { main => \@main,
                 http => [@http, @rest ? @{ place(\@rest)->{http} } : ()] };
    }

    my $server = { words => ['server'], fragment => 1,
                   block => statements('listen 127.0.0.1:8080;') };

    if (grep { name($_) =~ $of_http } @s) {
        my @http = grep { name($_) ne 'location' } @s;
        my @location = grep { name($_) eq 'location' } @s;

        push @{ $server->{block} }, @location;
        return { main => [], http => [@http, @location ? $server : ()] };
    }

    if (grep { name($_) =~ $of_server } @s) {
        my @listen = grep { name($_) eq 'listen' } @s;

        $server->{block} = [@listen ? () : @{ $server->{block} }, @s];
        return { main => [], http => [$server] };
    }

    my @names = map { name($_) } @s;

    unshift @s, @{ statements('error_map tencent_iotvideo;') }
        if !grep { /^error_map(?:_metrics)?$/ } @names;
    push @s, @{ statements('proxy_pass http://vendor.example;') }
        if !grep { /_pass$|^(?:return|root|alias|error_map_metrics)$/ } @names;

    push @{ $server->{block} }, { words => ['location', '/'], block => \@s };
    return { main => [], http => [$server] };
}


# puts one placed block over others

sub over {
    my ($below, $above) = map { dclone($_) } @_;
    my %out;

    for my $part (qw(main http)) {
        my @below = @{ $below->{$part} };
        my @above = @{ $above->{$part} };

        for my $fragment (grep { $_->{fragment} } @above) {
            my ($server) = grep { name($_) eq 'server'
                                  && grep { $_ eq '8080' } ports($_) }
                           @below, grep { $_ != $fragment } @above or next;

            my %is = map { key($_) => 1 } @{ $fragment->{block} };

            $server->{block} = [(grep { name($_) eq 'listen' || !$is{key($_)} }
                                 @{ $server->{block} }),
                                grep { name($_) ne 'listen' }
                                @{ $fragment->{block} }];
            @above = grep { $_ != $fragment } @above;
        }

        my %is = map { key($_) => 1 } @above;

        $out{$part} = [(grep { !$is{key($_)} } @below), @above];
    }

    return \%out;
}


# The same with the declarations it needs, from the nearest earlier block, or
# from conf/.

sub complete {
    my ($placed, @before) = @_;

    my %out = %{ over({ main => [], http => [] }, $placed) };
    my @from = reverse @shared, map { @{ $_->{http} } } @before;

    for (my $more = 1; $more; ) {
        $more = 0;

        my %have = map { map { $_ => 1 } declares($_) } @{ $out{http} };

        for my $need (grep { !$have{$_} } needs(@{ $out{http} })) {
            my ($found) = grep { grep { $_ eq $need } declares($_) } @from
                or next;

            unshift @{ $out{http} }, dclone($found);
            $more = 1;
            last;
        }
    }

    push @{ $out{http} }, @{ place([])->{http} }
        if !grep { name($_) eq 'server' } @{ $out{http} };

    return \%out;
}


my $vendor = vendor(sub {
    my ($s) = @_;

    my $body = '{"StatusCode":42505,"error_code":18,"Error":{"Code":20001}}';

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
});


# Starts an edge, and returns it: its dir, ports (those of the document and
# their real ones), servers, logs and errors.

sub edge {
    my ($placed) = @_;

    my $dir = tempdir(CLEANUP => 1);
    chmod 0755, $dir;

    my $edge = { dir => $dir, logs => ["$dir/error.log"], ports => {},
                 wrong => [] };

    my @main = grep { name($_) !~ /^(?:daemon|pid|user|worker_processes)$/
                      && "@{$_->{words}}" !~ /^load_module .*error_map/ }
               @{ $placed->{main} };
    my @http = @{ $placed->{http} };
    my @servers = grep { name($_) eq 'server' } @http;
    my %upstream = map { key($_) => 1 } grep { name($_) eq 'upstream' } @http;

    for my $server (@servers) {
        $edge->{ports}{$_} //= /^unix:/ ? $_ : free_port() for ports($server);

        # 80 and [::]:80 are one here

        my %seen;

        $server->{block} = [grep { name($_) ne 'listen'
                                   || !$seen{port(arg($_, 1))}++ }
                            @{ $server->{block} }];

        push @{ $server->{block} }, { words => ['listen', 80] } if !%seen;
    }

    my $address = sub {
        my ($port) = @_;

        return '127.0.0.1:' . ($edge->{ports}{$port} || $vendor);
    };

    for my $s (all([@main, @http])) {
        my ($name, $words) = (name($s), $s->{words});

        if ($name eq 'listen') {
            my $port = port(arg($s, 1));
            $words->[1] = $port =~ s/^unix:/unix:$dir/r =~ s{^(\d+)$}
                          {127.0.0.1:$edge->{ports}{$1}}r;

        } elsif ($name =~ /_pass$/) {
            $words->[1] =~ s{^https:}{http:};
            $words->[1] =~ s{\b(?:127\.0\.0\.1|localhost):(\d+)}
                            {$address->($1)}e;
            $words->[1] =~ s{^(\w+://|)([a-z][\w.-]*)(?::\d+)?(?=/|\z|\$)}
                            {$1$2};

            if (defined $2 && $2 ne 'unix' && !$upstream{"upstream $2"}++) {
                unshift @http, { words => ['upstream', $2], block => [
                    { words => ['server', "127.0.0.1:$vendor"] }] };
            }

        } elsif ($name eq 'server' && !$s->{block}) {
            my $to = $words->[1];

            $words->[1] = $to =~ /^(?:127\.0\.0\.1|localhost):(\d+)$/
                              ? $address->($1)
                        : $edge->{ports}{$to} ? $to =~ s/^unix:/unix:$dir/r
                        : $address->(0);

        } elsif ($name =~ /^(?:error_log|access_log|\w+_cache_path|root|alias)$/
                 && $words->[1] !~ m{^(?:off$|stderr$|syslog:|/dev/|\S*\$)})
        {
            my $path = $words->[1];

            $words->[1] = $path =~ m{^/} ? "$dir$path" : "$dir/$path";
            make_path(dirname($words->[1]));
            push @{ $edge->{logs} }, $words->[1] if $name eq 'error_log';

        } else {
            for (@$words) {
                s{\b(127\.0\.0\.1|localhost):(\d+)}
                 {"$1:" . ($edge->{ports}{$2} || $2)}ge;
            }
        }
    }

    my $user = $> == 0 ? 'user root;' : '';

    unshift @main, @{ statements('events {}') }
        if !grep { name($_) eq 'events' } @main;

    unshift @http, @{ statements('access_log off;') }
        if !grep { name($_) eq 'access_log' } @http;

    my $text = load_module() . <<"END" . conf_text(\@main) . "http {\n"
$user
daemon off;
worker_processes 1;
error_log $dir/error.log info;
pid $dir/nginx.pid;
END
               . join('', map { "    ${_}_temp_path $dir/$_;\n" }
                          qw(client_body proxy fastcgi uwsgi scgi))
               . conf_text(\@http, '    ') . "}\n";

    spew("$dir/nginx.conf", $text);

    my $out = `@{[nginx()]} -t -e stderr -p $dir -c $dir/nginx.conf 2>&1`;

    if ($? || $out =~ /\[\w+\]/) {
        $out =~ s{^.*: configuration file .*\n}{}mg;
        $out =~ s{in \Q$dir\E/nginx.conf:(\d+)}
                 {'in "' . ((split /\n/, $text)[$1 - 1] =~ s/^\s+//r) . '"'}e;
        $out =~ s{\Q$dir\E}{}g;
        push @{ $edge->{wrong} }, split /\n/, $out;
        return $edge;
    }

    $edge->{servers} = \@servers;
    my ($port) = grep { /^\d+$/ } values %{ $edge->{ports} };

    $edge->{server} = launch($dir, $port);
    return $edge if $edge->{server}{listens};

    push @{ $edge->{wrong} }, 'it does not start', slurp("$dir/stderr"),
                              slurp("$dir/error.log");
    return $edge;
}


# ends an edge, and returns the errors in its logs, and our warnings at start

sub edge_end {
    my ($edge) = @_;

    quit($edge->{server}) if $edge->{server};

    return grep { /\[(?:alert|emerg|crit)\]|Sanitizer|runtime\ error:
                   |\[warn\]\ (?!.*Accept-Encoding).*error_map.*\ in\ \S+:\d+$
                   |connect\(\)\ failed|could\ not\ be\ resolved|no\ resolver
                   |could\ not\ find\ named|rewrite\ or\ internal\ redirect/x }
           map { split /\n/, slurp($_) } @{ $edge->{logs} },
               "$edge->{dir}/stderr";
}


# requests each location of an edge that has a URI

sub ask {
    my ($edge) = @_;
    my @wrong;

    for my $server (@{ $edge->{servers} }) {
        my ($host) = map { grep { /^\w[\w.-]*$/ } @{$_->{words}}[1 .. 1] }
                     grep { name($_) eq 'server_name' } @{ $server->{block} };

        my @uri = map { arg($_, -1) }
                  grep { name($_) eq 'location' && "@{$_->{words}}" !~ /~|@/ }
                  @{ $server->{block} };

        for my $port (map { port(arg($_, 1)) }
                      grep { name($_) eq 'listen' } @{ $server->{block} })
        {
            next if $port !~ /^\d+$/;

            for my $uri (@uri ? @uri : '/') {
                my $r = parse(exchange($port, "GET $uri HTTP/1.1\r\nHost: "
                              . ($host || 'edge') . "\r\nConnection: close\r\n"
                              . "\r\n", until => qr/\r\n\r\n/)->{bytes});

                push @wrong, "no answer to $uri" if !$r->{status};
            }
        }
    }

    return @wrong;
}


# the errors of a transcript: each command's output, line by line

sub transcript {
    my ($edge, $text) = @_;
    my (@step, @wrong);

    $text =~ s/\\\n\s*/ /g;

    for (split /\n/, $text) {
        if (/^\$ (.*)/) {
            push @step, { command => $1, lines => [] };
        } elsif (@step) {
            push @{ $step[-1]{lines} }, $_;
        } else {
            return "\"$_\" comes before the first \"\$ command\"";
        }
    }

    return 'no command' if !@step;

    my %back = reverse %{ $edge->{ports} };

    for my $step (@step) {
        my $bare = $step->{command} =~ s/"(?:[^"\\]|\\.)*"|'[^']*'/''/gr;

        my $port = $edge->{ports};
        my $command = $step->{command};

        my @refused = ((map { "$_ may not be run here" }
                        grep { $_ !~ $tools }
                        map { /^\s*(\S+)/ } split /\||;|&&/, $bare),
                       map { "$command: nothing listens on $_" }
                       grep { !$port->{$_} } $command =~ /localhost:(\d+)/g);

        return @wrong, @refused if @refused;

        $command =~ s/localhost:(\d+)/localhost:$port->{$1}/g;
        $command =~ s{(?<![\w.])(/var/(?:log|cache)/)}{$edge->{dir}$1}g;
        $command =~ s{\b(tools/draft|conf/log\.jq)\b}{$root/$1}g;

        my $pattern = join '', map {
            $_ eq '...' ? '(?:.*\n)*?'
                        : join('.*', map { quotemeta } split /\.\.\./, $_, -1)
                          . '\n'
        } @{ $step->{lines} };

        my $out;

        # a line of a log is written after its client has left

        for (1 .. ($command =~ /\bcurl\b/ ? 1 : 100)) {
            $out = `cd $edge->{dir} && ( $command ) 2>stderr.command`;
            $out =~ s/\r$//mg;
            $out =~ s/\Q$edge->{dir}\E//g;
            $out =~ s/(127\.0\.0\.1|localhost):(\d+)
                     /"$1:" . ($back{$2} || $2)/gex;
            $out .= "\n" if $out =~ /[^\n]\z/;
            $out =~ s/\n+\z/\n/;

            last if $out =~ /^$pattern\n*\z/;
            sleep 0.05;
        }

        push @wrong, "\$ $step->{command}", 'prints', (split /\n/, $out),
                     (grep { !/% Total|Dload|--:--/ }
                      split /\n/, slurp("$edge->{dir}/stderr.command")),
                     'and not',
                     @{ $step->{lines} }
            if $out !~ /^$pattern\n*\z/;
    }

    return @wrong;
}


# lines without their indentation

sub bare { return $_[0] =~ s/^\s+//mgr }


my %document = map { $_ => document($_) } @files;


# the blocks

my $makefile = slurp("$root/Makefile");

for my $file (@files) {
    my $section = '';
    my (@before, $below, $edge);

    for my $block (@{ $document{$file}{block} }) {
        my $what = "$file:$block->{line}: $block->{tag}";
        my $tag = $block->{tag};

        if ($block->{section} ne $section) {
            right("$section: the edge ends well", edge_end($edge)) if $edge;

            $section = $block->{section};
            @before = ();
            undef $below;
            undef $edge;
        }

        if ($tag eq 'nginx') {
            right("$section: the edge ends well", edge_end($edge)) if $edge;
            undef $edge;

            my $placed = eval { place(statements($block->{text})) };

            if (!$placed) {
                right($what, $@);
                next;
            }

            my $one = edge(complete($placed, @before));
            my @wrong = @{ $one->{wrong} };

            push @wrong, ask($one) if !@wrong;
            push @wrong, edge_end($one);
            right($what, @wrong);

            push @before, $placed;
            $below = over($below || { main => [], http => [] }, $placed);

        } elsif ($tag eq 'console') {
            $edge ||= $below && edge(complete($below));

            right($what, !$edge ? 'there is no nginx block in its section'
                         : @{ $edge->{wrong} } ? @{ $edge->{wrong} }
                         : transcript($edge, $block->{text}));

        } elsif ($tag eq 'sh') {
            right($what, map {
                my $command = $_;
                my ($by) = grep { $command =~ $_->[0] } @elsewhere;

                !$by ? "$command: no test is known to run it"
                : $command =~ /^make ([\w-]+)(?: |$)/ && $makefile !~ /^$1:/m
                ? "$command: the Makefile has no $1"
                : slurp("$root/$by->[1]") !~ $by->[2]
                ? "$command: $by->[1] has no $by->[2]" : ()

            } grep { /\S/ } map { s/\s*(?:^|\s)#.*//r } split /\n/,
                                                     $block->{text});

        } elsif ($tag eq 'json') {
            right($what, eval { JSON::PP->new->allow_nonref
                                ->decode($block->{text}); 1 } ? () : $@);

        } elsif ($tag eq 'yaml') {
            right($what, (grep { index(bare($_), bare($block->{text})) >= 0 }
                          map { slurp($_) } glob "$root/conf/*/*.yml")
                         ? () : 'no file of conf/ has these lines');

        } elsif ($tag ne 'text') {
            right($what, 'it must be nginx, console, sh, yaml, json or text');
        }
    }

    right("$section: the edge ends well", edge_end($edge)) if $edge;

    my $prose = $document{$file}{prose};

    right("$file: all blocks have an end", $document{$file}{open}
                                           ? $document{$file}{open}{line} : ());

    right("$file: every example is in a block", map {
        $prose->[$_] =~ /^(?:\s{4,}|\t)(?:\$\ .+|(?:load_module|location|server
                         |map|upstream|proxy_pass|log_format|error_map\w*)\s
                         .*[;{]\s*(?:\#.*)?)$/x
        ? $_ + 1 . ": $prose->[$_]" : ()
    } 0 .. $#$prose);
}

done_testing();
