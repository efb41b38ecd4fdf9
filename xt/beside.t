# The module beside every other module that Debian has packages of, loaded
# before them and after them: the status and headers of a vendor's error, and
# what the neighbour makes of it, depend neither on the order nor on how the
# vendor's body comes; a response without an error is the same as without the
# filter.
#
# xt/beside/Neighbours.pm has the neighbours.  Packages that are not named there
# are loaded only, new ones too.

use strict;
use warnings;

use lib 'xt/beside';

use ErrorMap qw(:DEFAULT child reload shell);
use ErrorMapHttp qw(shown);
use ErrorMapMetrics qw(from_text);
use ErrorMapStream qw(exchange_all request responses);
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use Neighbours;
use POSIX ();
use Storable ();
use Test::More;
use Time::HiRes qw(sleep time);
use Vendor;

my $build = "$ErrorMap::root/build";
my $tools = "$ErrorMap::root/tools";
my $begin = time;

# all suites and neighbours, or some of them during work on this file

my @suites = $ENV{EM_BESIDE_SUITE} || qw(bookworm forky);
my $only = $ENV{EM_BESIDE_ONLY} || '.';

sub must {
    my ($command) = @_;

    my ($status, $out) = shell($command);
    die "$command: $out" if $status != 0;
}


must("$tools/deps brotli zstd");


# A directory with the suite's nginx, all of its modules and the libraries that
# they run on; nothing is installed on this machine.

sub tree {
    my ($suite) = @_;

    my $dir = "$build/beside-$suite";
    my @packages = sort grep { !/-dev$/ }
                   map { /^libnginx-mod-(\S+) - / } split /\n/,
                   `$tools/debian names $suite '^libnginx-mod-' 2>/dev/null`;
    my $list = join "\n", @packages;

    die "no modules in $suite\n" if @packages < 20;

    must("$tools/suite $suite");

    if (slurp("$dir/packages") ne $list) {
        remove_tree($dir);
        must("$tools/debian system $suite nginx memcached"
             . join('', map { " libnginx-mod-$_" } @packages) . " $dir");

        program($dir, 'nginx', 'usr/sbin/nginx');
        program($dir, 'memcached', 'usr/bin/memcached');
        spew("$dir/packages", $list);
    }

    # the packages of modules that others depend on

    my ($package, %depends);

    for (split /\n/, `APT_CONFIG=$build/apt-$suite/apt.conf apt-cache depends \\
                      @{[ map { "libnginx-mod-$_" } @packages ]}`)
    {
        $package = $1 if /^libnginx-mod-(\S+)$/;
        push @{ $depends{$package} }, $1
            if /^\s+Depends: libnginx-mod-(\S+)$/;
    }

    # where a module looks for what it comes with

    my @perl = grep { -d } map { glob "$dir/usr/$_" }
               qw(lib/*/perl5/5.* lib/*/perl/5.* lib/*/perl-base
                  share/perl/5.* share/perl5);

    my %paths = (
        'http-lua' => ["lua_package_path $dir/usr/share/lua/5.1/?.lua;"],
        'http-perl' => [map { "perl_modules $_;" } @perl],
    );

    return { suite => $suite, dir => $dir, packages => \@packages,
             module => "$build/debian-$suite/module.so",
             depends => \%depends, paths => \%paths };
}


# what runs a program of the tree

sub program {
    my ($dir, $name, $file) = @_;

    my @lib = grep { -d } map { glob "$dir/$_/*-linux-gnu*" } 'lib', 'usr/lib';
    my ($loader) = map { glob "$_/ld-linux*.so.*" } @lib;
    my $lib = join ':', @lib;

    spew("$dir/$name", <<"END");
#!/bin/sh
exec '$loader' --library-path '$lib' --argv0 $name '$dir/$file' "\$@"
END
    chmod 0755, "$dir/$name" or die "$dir/$name: $!";
}


# the lines that load packages, after what each depends on; the module under
# test comes first, last, or in the middle

sub load {
    my ($tree, $order, @packages) = @_;

    my (@lines, %seen);
    my $add;

    $add = sub {
        my ($package) = @_;

        return if $seen{$package}++;

        $add->($_) for @{ $tree->{depends}{$package} || [] };

        my $conf = slurp("$tree->{dir}/usr/share/nginx/modules-available"
                         . "/mod-$package.conf");
        my @modules = $conf =~ /^\s*load_module\s+modules\/(\S+);/mg;

        die "$package loads nothing\n" if !@modules;

        push @lines, map { "load_module $tree->{dir}/usr/lib/nginx/modules/$_;"
                     } @modules;
    };

    $add->($_) for @packages;

    my $at = $order eq 'first' ? 0 : $order eq 'last' ? @lines : @lines / 2;

    splice @lines, $at, 0, "load_module $tree->{module};";

    return join "\n", @lines, '';
}


# what nginx has against packages

sub complaint {
    my ($tree, $order, @packages) = @_;

    my $dir = tempdir(CLEANUP => 1);
    my $paths = join "\n", map { @{ $tree->{paths}{$_} || [] } } @packages;

    spew("$dir/nginx.conf", load($tree, $order, @packages)
                            . "error_log stderr; pid $dir/pid; events {}\n"
                            . "http { error_map vzenith;\n$paths\n}\n");

    my $out = `@{[nginx()]} -t -e stderr -p $dir -c $dir/nginx.conf 2>&1`;

    return $? == 0 && $out !~ /\[(?:alert|emerg|crit)\]/ ? '' : $out;
}


# a memcached; returns its port

sub memcached {
    my ($tree) = @_;

    my $port = free_port();
    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        open STDERR, '>', '/dev/null';
        exec "$tree->{dir}/memcached", qw(-u root -l 127.0.0.1 -U 0 -p), $port
            or POSIX::_exit(1);
    }

    child($pid);

    wait_for(sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                         PeerPort => $port) })
        or die 'memcached does not start';

    return $port;
}


# gives it the bodies

sub store {
    my ($port) = @_;

    my $text = join '', map {
        "set $_ 0 0 " . length($cases{$_}{body}) . "\r\n$cases{$_}{body}\r\n"
    } keys %cases;

    exchange($port, "${text}quit\r\n");
}


# The servers: without the filter, with it, and with its verdicts in nginx's
# upstream layer.

my $log = 'access_log %DIR%/log beside;';
my @servers = ({ name => 'off', conf => 'error_map off;' },
               { name => 'on', conf => "error_map %DOCUMENT%; $log" },
               { name => 'upstream', conf => "error_map %DOCUMENT%; $log"
                                             . ' error_map_upstream on;' });

my @uris = ('/buffered/%s', '/unbuffered/%s');
my ($vendor, $vendor_pid) = start_vendor(
    stalled => \%stalled, map { %{ $_->{cases} || \%cases } } @neighbours);

child($vendor_pid);


sub configuration {
    my ($tree, $entry, $dir, @ports) = @_;

    my %text = map { $_ => $entry->{$_} || '' }
               qw(http upstream server location);
    my $verdict = 'add_header X-Verdict $error_map_verdict always;';
    my $servers = '';

    for my $i (0 .. $#servers) {
        $servers .= <<"END";

server {
    listen 127.0.0.1:$ports[$i] backlog=1024;
    $servers[$i]{conf}
    $verdict
$text{server}

    location /buffered/ {
        $verdict
        proxy_pass http://vendor;
$text{location}
    }

    location /unbuffered/ {
        $verdict
        proxy_buffering off;
        proxy_pass http://vendor;
$text{location}
    }

    location /stalled/ {
        $verdict
        access_log off;
        error_map_hold_timeout 200ms;
        proxy_buffering off;
        proxy_pass http://vendor;
$text{location}
    }

    location = /alive {
        error_map off;
        access_log off;
        return 200 alive;
    }

    location = /metrics {
        access_log off;
        error_map_metrics prometheus;
    }
}
END
    }

    my $paths = join "\n", map { @{ $tree->{paths}{$_} || [] } }
                               packages($tree, $entry);

    my $http = <<"END";
log_format beside '\$server_port \$request_uri \$error_map_verdict '
                  '\$error_map_code';
error_map_zone counters 1m;
error_map_hold_timeout 40s;
error_map_hold_size 16k;

error_map_document acme {
    source   json /code;
    success  0;
    1001     503 UNAVAILABLE        "busy";
    1002     403 PERMISSION_DENIED  "denied";
}

error_map_document acme_xml {
    source   regex "<code>(\\d+)</code>";
    success  0;
    1001     503 UNAVAILABLE        "busy";
    1002     403 PERMISSION_DENIED  "denied";
}

upstream vendor {
    server 127.0.0.1:$vendor;
    $text{upstream}
}

$paths
$text{http}
$servers
END

    my %value = (DIR => $dir, MEMCACHED => $tree->{memcached},
                 DOCUMENT => $entry->{document} || 'acme',
                 VENDOR => "127.0.0.1:$vendor");

    return $http =~ s/%([A-Z]+)%/$value{$1}/gr;
}


# decoded(entry, response): with a body that can be read

my %decoded;

sub decoded {
    my ($entry, $r) = @_;

    my $coding = $r->{headers}{'content-encoding'} || [''];

    return $r if !$entry->{decode} || $coding->[0] ne $entry->{coding};

    if (!defined $decoded{ $r->{body} }) {
        my $file = "$entry->{dir}/encoded";

        spew($file, $r->{body});
        $decoded{ $r->{body} } = `$entry->{decode} < $file 2>&1`;
    }

    return { %$r, body => $decoded{ $r->{body} } };
}


# what the neighbour makes of a body

sub effect {
    my ($entry, $body) = @_;

    return $entry->{body} ? $entry->{body}->($body) : $body;
}


# what a response without the filter is with it

sub expected {
    my ($entry, $server, $case, $r) = @_;

    $r = { %$r, headers => { %{ $r->{headers} } } };

    my $headers = $r->{headers};

    $headers->{'x-seen'} &&= [$case->{status} || $r->{status}];

    if ($entry->{status}) {
        $r->{status} = $entry->{status}->($server, $case, $r->{status});

    } elsif ($case->{code} && !$entry->{hidden}) {

        if (my $status = $case->{status}) {
            my %phrase = (403 => 'Forbidden', 503 => 'Service Temporarily'
                                                     . ' Unavailable');
            $r->{line} = "HTTP/1.1 $status $phrase{$status}";
            delete @$headers{qw(etag last-modified accept-ranges)};
        }

        $headers->{'x-error-source'} = [$entry->{document} || 'acme'];
        $headers->{'x-error-code'} = [$case->{code}];
        $headers->{'x-error-class'} = [$case->{class}];
        $headers->{'x-upstream-status'} = [200];
    }

    $entry->{expect}->($r, $case) if $entry->{expect} && $case->{code};

    return $r;
}


# every case in every way: returns what is wrong, by the case

sub responses_of {
    my ($entry, @ports) = @_;

    my $cases = $entry->{cases} || \%cases;
    my (%wrong, @jobs);

    for my $name (sort keys %$cases) {
        for my $mode (@{ $entry->{modes} || \@modes }) {
            for my $uri (@{ $entry->{uris} || \@uris }) {
                my $way = sprintf $uri, "$mode/$name";

                push @jobs, { name => $name, mode => $mode,
                              uri => $way . ($entry->{query} || '') };
            }
        }
    }

    for my $k (1 .. $entry->{repeat} || 1) {
        my @all;

        push @{ $entry->{jobs} }, @jobs;

        for my $i (0 .. $#servers) {
            my @answers = exchange_all(map {
                { port => $ports[$i], timeout => 40, request =>
                  request($_->{uri}, connection => 'keep-alive',
                          headers => $entry->{headers})
                  . request('/alive') }
            } @jobs);

            $all[$_][$i] = $answers[$_] for 0 .. $#answers;
        }

        for my $n (0 .. $#jobs) {
            wrong(\%wrong, $entry, $k, $jobs[$n], @{ $all[$n] });
        }
    }

    return \%wrong;
}


# what is wrong with the k-th answers of the servers to one request

sub wrong {
    my ($wrong, $entry, $k, $job, @answers) = @_;

    my $case = ($entry->{cases} || \%cases)->{ $job->{name} };
    my $add = sub {
        my ($i, $what) = @_;
        push @{ $wrong->{ $job->{name} } },
             "$servers[$i]{name} $job->{uri} #$k: $what";
    };
    my @r;

    for my $i (0 .. $#servers) {
        my ($r, $next) = (responses($answers[$i]{bytes}), map { parse('') }
                                                          1 .. 2);

        if (!$answers[$i]{closed}) {
            $add->($i, 'it has no end: ' . ($r->{head} || 'no header'));

        } elsif (!$r->{complete}
                 || $next->{body} ne 'alive' && !$entry->{refused})
        {
            $add->($i, 'not whole, or no next one: '
                       . substr $answers[$i]{bytes}, 0, 400);
        }

        $r[$i] = decoded($entry, $r);
    }

    # without the filter the neighbour does its part

    $entry->{first}{ $job->{uri} } = $r[0] if $k == 1;

    if ($job->{mode} !~ /^gzip/ && !$entry->{status}) {
        my $body = effect($entry, $case->{body});
        $add->(0, 'its body is ' . $r[0]{body})
            if defined $body && $r[0]{body} ne $body;
    }

    my @but = ('x-verdict', @{ $entry->{but} || [] });
    my $from = $case->{status} && !$entry->{hidden}
               ? $entry->{first}{ $job->{uri} } : $r[0];
    my $shown = $entry->{status} ? sub { "status $_[0]{status}" } : \&shown;

    for my $i (1, 2) {
        my $got = $shown->($r[$i], @but);
        my $expected = $shown->(expected($entry, $servers[$i]{name}, $case,
                                         $from), @but);

        $add->($i, "it is\n$got\ninstead of\n$expected")
            if $got ne $expected;

        my $verdict = $r[$i]{headers}{'x-verdict'}[0] || '';

        $add->($i, "the verdict is \"$verdict\"")
            if !$entry->{hidden} && !$entry->{status}
               && $verdict ne $case->{verdict};
    }
}


# an nginx with a neighbour

sub beside {
    my ($tree, $entry, $order) = @_;

    my $cases = $entry->{cases} || \%cases;
    my %files = (%{ $entry->{files} || {} },
                 map { ("$_.json" => $cases->{$_}{body}) } keys %$cases);
    my $dir = $entry->{dir} = tempdir(CLEANUP => 1);

    chmod 0755, $dir;

    for my $file (keys %files) {
        mkdir "$dir/$1" if $file =~ /(.*)\//;
        spew("$dir/$file", $files{$file} =~ s/%DIR%/$dir/gr);
    }

    my $name = "$tree->{suite}, $entry->{name}, ours $order";
    my @packages = packages($tree, $entry);
    my @ports = map { free_port() } @servers;
    my $server = eval {
        start(modules => load($tree, $order, @packages), port => $ports[0],
              http => configuration($tree, $entry, $dir, @ports));
    };

    ok($server, "$name: nginx starts") or diag($@), return;

    as_expected($entry, $name, @ports);

    for my $place ($entry->{reload} ? ('first', 'last', 'middle') : ()) {
        my $conf = slurp("$server->{dir}/nginx.conf");

        reload($server, load($tree, $place, @packages)
                        . $conf =~ s/^load_module .*\n//mgr);
        as_expected($entry, "$name, $place after a reload", @ports);
    }

    told($entry, "$dir/log", $name, @ports)
        if !$entry->{hidden} && !$entry->{untold};
    stalled($entry, $name, @ports) if $entry->{stalled};

    my $time = time;

    stop($server);
    cmp_ok(time - $time, '<', 4, "... $name: QUIT ends it");
}


# A vendor sends a part and then nothing: after the hold timeout the client has
# of it what it has without the filter.

sub stalled {
    my ($entry, $name, @ports) = @_;

    my @answers = map { parse($_->{bytes}) } exchange_all(map {
        { port => $_, abort => 0.9, request =>
          request("/stalled/stall/stalled" . ($entry->{query} || ''),
                  headers => $entry->{headers}) } } @ports);

    # some neighbours keep the header, too, as long as they have no body for it

    my @shown = map { $answers[0]{line} ? shown($_, 'x-verdict') : $_->{body}
                    } @answers;

    is($shown[$_], $shown[0], "... $name: a part comes, $servers[$_]{name}")
        for 1, 2;
}


# two tests: log and counters have each response, once

sub told {
    my ($entry, $log, $name, @ports) = @_;

    my (@lines, %counts);

    for my $job (@{ $entry->{jobs} }) {
        my $case = ($entry->{cases} || \%cases)->{ $job->{name} };

        $counts{ $case->{verdict} } += 2;
        push @lines, map { "$_ $job->{uri} $case->{verdict} "
                           . (defined $case->{code} ? $case->{code}
                              : $case->{verdict} eq 'success' ? 0 : '')
                         } @ports[1, 2];
    }

    my $metrics = from_text(get($ports[0], '/metrics')->{body});
    my %counted = map { /^nginx_error_map_responses_total\{.*verdict="(\w+)"/
                        && $metrics->{$_} ? ($1 => $metrics->{$_}) : ()
                      } keys %$metrics;

    # subrequests of neighbours are among the skipped

    delete $_->{skipped} for $entry->{refused} ? () : (\%counted, \%counts);

    my @logged = split /\n/, slurp($log);

    is(join("\n", sort @logged), join("\n", sort @lines),
       "... $name: the log has each verdict");
    is_deeply(\%counted, \%counts, "... $name: each is counted once");
}


# a test for each case

sub as_expected {
    my ($entry, $name, @ports) = @_;

    my $wrong = responses_of($entry, @ports);

    for my $case (sort keys %{ $entry->{cases} || \%cases }) {
        my @wrong = @{ $wrong->{$case} || [] };

        is(scalar @wrong, 0, "... $name, $case: as without the filter, but"
                             . ' mapped')
            or diag(join("\n", splice @wrong, 0, 3) =~ s/[^\n -~]/?/gr);
    }
}


sub packages {
    my ($tree, $entry) = @_;

    return map { $_ eq '*' ? @{ $tree->{packages} } : $_ }
           @{ $entry->{packages} || [] };
}


# Most of the time is spent waiting, so some processes run at the same time.
# Each does one thing; its tests are reported here.

my @running;

sub collect {
    my ($most) = @_;

    while (@running > $most) {
        my ($pid, $fh, $name) = @{ shift @running };
        my $bytes = do { local $/; <$fh> };

        waitpid $pid, 0;

        my $result = eval { Storable::thaw($bytes) };

        ok($result, "$name ends"), next if !$result;

        ok($_->{ok}, $_->{name}) for @{ $result->{tests} };
        diag($result->{text} =~ s/^# //mgr) if $result->{text} ne '';
    }
}


sub parallel {
    my ($name, $sub) = @_;

    collect(3);

    pipe my $in, my $out or die "pipe: $!";
    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid) {
        push @running, [$pid, $in, $name];
        return;
    }

    my $text = '';
    my $builder = Test::More->builder;
    my $done = $builder->current_test;

    $builder->output('/dev/null');
    $builder->failure_output(\$text);

    eval { $sub->(); 1 } or ok(0, "$name: $@");

    my @tests = $builder->details;

    print $out Storable::freeze({
        text => $text,
        tests => [map { { ok => $_->{ok}, name => $_->{name} } }
                  @tests[$done .. $#tests]],
    });
    close $out;
    File::Temp::cleanup();
    POSIX::_exit(0);
}


my %known = ('*' => 1);

for my $suite (@suites) {
    my $tree = tree($suite);

    $ENV{TEST_NGINX_BINARY} = "$tree->{dir}/nginx";
    $tree->{memcached} = memcached($tree);

    store($tree->{memcached});

    my %there = map { $_ => 1 } '*', @{ $tree->{packages} };

    %known = (%known, %there);

    if ($only eq '.') {
        for my $order ('first', 'last') {
            parallel("$suite, modules", sub {
                is(complaint($tree, $order, $_), '',
                   "$suite, $_ loads, ours $order") for @{ $tree->{packages} };
            });
        }
    }

    for my $entry (grep { $_->{name} =~ /$only/ } @neighbours) {
        my @missing = grep { !$there{$_} } @{ $entry->{packages} || [] };

        if (@missing) {
            diag("$suite has no @missing");
            next;
        }

        for my $order ('first', 'last') {
            parallel("$suite, $entry->{name}, $order",
                     sub { beside($tree, $entry, $order) });
        }
    }

    collect(0);
}

if (!$ENV{EM_BESIDE_SUITE}) {
    my @unknown = grep { !$known{$_} }
                  map { @{ $_->{packages} || [] } } @neighbours;

    is("@unknown", '', 'each neighbour is a package of a suite');
}

diag(sprintf 'it took %d s', time - $begin);

done_testing();
