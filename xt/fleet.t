# A fleet, each machine of it a network namespace: clients, a balancer that is
# a plain nginx, two edges with the same configuration, two vendors.  While
# clients look at each answer whole, edges are lost in three ways, a policy is
# rolled out, and one edge is a canary; a Prometheus adds the counters up.
#
# It needs root, and leaves no namespace.

use strict;
use warnings;

use Test::More;

use lib 'xt/fleet';

use Answers;
use ErrorMap qw(:DEFAULT reload replace);
use ErrorMapMetrics qw(from_text);
use ErrorMapPrometheus qw(answer_ok);
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep time);

die "a fleet needs root\n" if $> != 0;

system("$ErrorMap::root/tools/deps", qw(curl iproute2 nginx prometheus)) == 0
    or die "packages are missing\n";

my $connections = 8;

# the balancer's timeouts in ms, to connect and to read

my ($connect, $read) = (200, 1500);

my %address = (vendors => '192.0.2.10', edge1 => '192.0.2.21',
               edge2 => '192.0.2.22', balancer => '192.0.2.30',
               client => '192.0.2.40');
my @edges = qw(edge1 edge2);

my $dir = tempdir(CLEANUP => 1);
chmod 0755, $dir;

my $begin = time;
my (%pids, @made);

# $$ differs in forked processes

my $main = $$;

$SIG{INT} = $SIG{TERM} = sub { exit 130 };

END {
    my $status = $?;

    if ($main && $$ == $main) {
        ended($_, 'KILL') for keys %pids;
        system 'ip', 'netns', 'del', $_ for @made;
    }

    $? = $status;
}


# namespaces

sub run {
    system(@_) == 0 or die "@_: $?\n";
}


sub ns {
    return "em$main-$_[0]";
}


sub make_network {

    for my $name ('switch', sort keys %address) {
        push @made, ns($name);
        run('ip', 'netns', 'add', ns($name));
        run('ip', '-n', ns($name), 'link', 'set', 'lo', 'up');
    }

    my @switch = ('ip', '-n', ns('switch'), 'link');

    run(@switch, 'add', 'bridge', 'type', 'bridge');
    run(@switch, 'set', 'bridge', 'up');

    for my $name (sort keys %address) {
        run(@switch, 'add', $name, 'type', 'veth', 'peer', 'name', 'eth0',
            'netns', ns($name));
        run(@switch, 'set', $name, 'master', 'bridge', 'up');
        run('ip', '-n', ns($name), 'address', 'add', "$address{$name}/24",
            'dev', 'eth0');
        run('ip', '-n', ns($name), 'link', 'set', 'eth0', 'up');
    }
}


# sets the state of a machine's port of the switch

sub link_of {
    my ($name, $state) = @_;

    run('ip', '-n', ns('switch'), 'link', 'set', $name, $state);
}


# processes, each a group of its own; $pids{$pid} is its name

sub spawn {
    my ($name, $ns, @command) = @_;

    my $pid = fork;
    die "fork: $!\n" if !defined $pid;

    if ($pid == 0) {
        setpgrp;
        open STDOUT, '>>', "$dir/$name.out";
        open STDERR, '>>', "$dir/$name.err";
        exec 'ip', 'netns', 'exec', ns($ns), @command or POSIX::_exit(1);
    }

    $pids{$pid} = $name;
    return $pid;
}


# sends a signal, to all of its group if it is KILL, and waits for the end

sub ended {
    my ($pid, $signal) = @_;

    kill $signal, $pid if $signal;
    kill 'KILL', -$pid if $signal && $signal eq 'KILL';

    wait_for(sub { waitpid($pid, POSIX::WNOHANG) != 0 }, 30) or return 0;
    delete $pids{$pid};
    return 1;
}


sub until_true {
    my ($sub, $what) = @_;

    wait_for($sub, 30) or die "$what: not in 30 s\n";
}


# curl on the machine of the clients, returns its output

sub curl {
    my (@args) = @_;

    open my $fh, '-|', 'ip', 'netns', 'exec', ns('client'), 'curl', '-s',
                       '-m', '10', @args
        or die "curl: $!\n";
    local $/;
    return scalar <$fh> // '';
}


# nginx, which writes its pid file when it listens

my %nginx;

sub write_conf {
    my ($name, $http) = @_;

    my $load = load_module();

    mkdir "$dir/$name";
    mkdir "$dir/$name/conf";
    spew("$dir/$name/conf/nginx.conf", <<"END");
$load
user root;
daemon off;
worker_processes 2;
error_log error.log notice;
pid nginx.pid;
events { worker_connections 1024; }

http {
    keepalive_requests 1000000;
    client_body_temp_path client_body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
$http
}
END
}


sub start_nginx {
    my ($name) = @_;

    my $prefix = "$dir/$name";

    unlink "$prefix/nginx.pid";

    my $pid = spawn($name, $name, nginx(), '-p', $prefix,
                    '-c', "$prefix/conf/nginx.conf", '-e', 'error.log');

    $nginx{$name} = $pid;

    until_true(sub {
        die "$name: ", slurp("$dir/$name.err"), slurp("$prefix/error.log")
            if waitpid($pid, POSIX::WNOHANG) == $pid;
        return -s "$prefix/nginx.pid";
    }, "$name starts");
}


# a new configuration; returns when no worker has the old one

sub reload_nginx {
    my ($name) = @_;

    reload({ pid => $nginx{$name} });
}


# the vendors

my $locations = '';

for my $kind (grep { s{^a/}{} } sort keys %kinds) {
    my $text = $kinds{"a/$kind"}{text};
    my $what = "return 200 '@{[$text =~ s/%ID%/\$1/r]}';";

    if (length $text > 1000) {
        spew("$dir/a-$kind", $text);
        $what = "alias $dir/a-$kind;";
    }

    $locations .= "location ~ ^/$kind/([\\w-]+)\$ {\n"
                  . "add_header X-Id \$1;\n$what\n}\n";
}

my $pair = '';

for my $port (8001, 8002) {
    my %sent;

    $sent{$_} = $port == 8001 ? $kinds{"up/$_"}{first} || 200
                : $kinds{"up/$_"}{code} for qw(ok first both);

    $pair .= "server {\nlisten $address{vendors}:$port;\n"
             . "default_type application/json;\n"
             . "gzip on;\ngzip_types application/json;\ngzip_min_length 1;\n"
             . ($port == 8001 ? $locations : '')
             . join('', map { "location ~ ^/up/$_/([\\w-]+)\$ {\n"
                              . "add_header X-Id \$1;\n"
                              . "return 200 "
                              . "'{\"id\":\"\$1\",\"StatusCode\":$sent{$_}}';\n"
                              . "}\n" } sort keys %sent)
             . "}\n";
}

write_conf('vendors', "access_log off;\n$pair");


# the edges, which have the same configuration

for my $edge (@edges) {
    write_conf($edge, <<"END");
    include policy.conf;

    log_format verdict '\$request_uri \$status \$error_map_status '
                       '\$error_map_verdict \$error_map_code';
    error_map_zone counters 1m;

    error_map_document acme {
        source   json /code;
        success  0;
        1001     401  UNAUTHENTICATED     "no token";
        1002     -    RESOURCE_EXHAUSTED  "quota used up";
        1003     503  UNAVAILABLE         "down";
    }

    upstream a { server $address{vendors}:8001 max_fails=0; keepalive 8; }
    upstream b { server $address{vendors}:8003 max_fails=0; keepalive 8; }

    upstream pair {
        server $address{vendors}:8001 max_fails=0;
        server $address{vendors}:8002 max_fails=0 backup;
        keepalive 8;
    }

    server {
        listen 8080;
        access_log access.log verdict;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        add_header X-Edge \$server_addr always;
        error_map tencent_iotvideo policy=fleet;

        location /a/ { proxy_pass http://a/; }

        location /b/ {
            error_map acme policy=fleet;
            proxy_pass http://b/;
        }

        location /up/ {
            error_map_upstream on;
            proxy_pass http://pair;
            proxy_next_upstream http_429 http_503;
        }
    }

    server {
        listen 8405;
        access_log off;
        location = /metrics { error_map_metrics prometheus; }
    }
END

    spew("$dir/$edge/conf/policy.conf", policy('old'));
}


# The balancer.  Its workers share the state of the edges, hence the zone.  A
# request that meets the end of a kept connection, as at a reload, is a failure
# of that edge: with nginx's max_fails=1 and 10 s two of them may leave no edge
# at all.  An edge that has lost its vendors sends 502 and 504; so no policy has
# them.

write_conf('balancer', <<"END");
    log_format asked '\$msec|\$request_uri|\$status|\$upstream_addr|'
                     '\$upstream_status|\$request_time';
    access_log access.log asked;

    upstream edges {
        zone edges 64k;
        server $address{edge1}:8080 max_fails=3 fail_timeout=1s;
        server $address{edge2}:8080 max_fails=3 fail_timeout=1s;
        keepalive 16;
    }

    server {
        listen 8080;

        location / {
            proxy_pass http://edges;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_connect_timeout ${connect}ms;
            proxy_read_timeout ${read}ms;
            proxy_next_upstream error timeout http_502 http_504;
        }
    }
END


# waits until the balancer has n more answers from each of the edges

sub answers {
    my ($n, @names) = @_;

    my $log = "$dir/balancer/access.log";
    my $at = -s $log || 0;

    until_true(sub {
        my %n;

        open my $fh, '<', $log or die "$log: $!\n";
        seek $fh, $at, 0;
        $n{(split m{[|]})[3]}++ for <$fh>;

        return !grep { ($n{"$address{$_}:8080"} || 0) < $n } @names;
    }, "@names: $n answers");
}


# clients, which end after a number of requests, or at a signal

my $n_clients = 0;

sub start_client {
    my ($how, $requests) = @_;

    my $name = 'client-' . ++$n_clients;
    my $pid = spawn($name, 'client', $^X, "$ErrorMap::root/xt/fleet/client",
                    "$address{balancer}:8080", $connections,
                    $requests || 1_000_000, $how, "$dir/$name.json");

    return { pid => $pid, name => $name, begin => time,
             log => -s "$dir/balancer/access.log" || 0 };
}


# the results of all clients; hashes and numbers are added up

sub finish_client {
    my ($client, $signal) = @_;

    ended($client->{pid}, $signal) or die "$client->{name} does not end\n";

    my $text = slurp("$dir/$client->{name}.json");

    die "$client->{name}: ", slurp("$dir/$client->{name}.err")
        if $text eq '';

    my %sum = (seconds => time - $client->{begin}, slowest => 0,
               map { $_ => {} } qw(edge policy counts));

    for my $saw (@{ JSON::PP->new->decode($text) }) {
        for my $key (keys %$saw) {
            my $value = $saw->{$key};

            if (ref $value eq 'ARRAY') {
                push @{ $sum{$key} }, @$value;

            } elsif (ref $value) {
                $sum{$key}{$_} += $value->{$_} for keys %$value;

            } elsif ($key eq 'slowest') {
                $sum{$key} = $value if $sum{$key} < $value;

            } else {
                $sum{$key} += $value;
            }
        }
    }

    # requests that the balancer sent to a second edge

    open my $fh, '<', "$dir/balancer/access.log" or die "access.log: $!\n";
    seek $fh, $client->{log}, 0;
    @sum{qw(again asked)} = (0, 0);

    while (my $line = <$fh>) {
        my ($uri, $addresses) = (split /\|/, $line)[1, 3];
        my $extra = () = $addresses =~ /,/g;

        $sum{again}++ if $extra;
        $sum{asked} += 1 + $extra;
    }

    return \%sum;
}


sub sane {
    my ($saw, $name) = @_;

    my @wrong = @{ $saw->{wrong} };

    $#wrong = 9 if @wrong > 10;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(join("\n", @wrong), '', "$name: no answer is wrong");

    note(sprintf '%s: %d requests in %.1f s, by edge %s; %d asked of a second '
         . 'edge, %d broken off, the slowest took %.2f s, %d took over 0.5 s',
         $name, $saw->{answered}, $saw->{seconds},
         join(' and ', map { $saw->{edge}{$address{$_}} || 0 } @edges),
         $saw->{again}, scalar @{ $saw->{broken} }, $saw->{slowest},
         scalar @{ $saw->{times} });
}


# the counters of both edges: { series => sum }; the seconds of holds differ

sub counters {
    my (@names) = @_;
    my %sum;

    for (@names ? @names : @edges) {
        my $of = from_text(curl("http://$address{$_}:8405/metrics"));

        die "/metrics: @{ $of->{bad} }\n" if $of->{bad};
        $sum{$_} += $of->{$_} for grep { /map_(?:responses|codes)_total/ }
                                  keys %$of;
    }

    return \%sum;
}


# ... as "document verdict" or "document code" => its increase, if any

sub grown {
    my ($series, $before, $now) = @_;
    my %grown;

    for (keys %$now) {
        my ($document, $label)
            = /map_${series}_total\{document="(.*?)",\w+="(.*?)"/ or next;
        my $n = $now->{$_} - ($before->{$_} || 0);

        $grown{"$document $label"} += $n if $n;
    }

    return \%grown;
}


# the same from the results of clients

sub seen {
    my ($series, @saw) = @_;
    my %seen;

    for my $saw (@saw) {
        for (keys %{ $saw->{counts} }) {
            my ($document, $verdict, $code) = split / /;
            my $label = $series eq 'codes' ? $code : $verdict;

            $seen{"$document $label"} += $saw->{counts}{$_}
                if defined $label && $label ne '';
        }
    }

    return \%seen;
}


sub sum {
    my $sum = 0;

    $sum += $_ for @_;
    return $sum;
}


# Prometheus with the configuration of conf/prometheus, other addresses and a
# shorter interval

sub start_prometheus {
    my $conf = "$ErrorMap::root/conf/prometheus";
    my $config = slurp("$conf/prometheus.yml");

    $config =~ s/127\.0\.0\.1:8405/$address{edge1}:8405/;
    $config =~ s/127\.0\.0\.1:8406/$address{edge2}:8405/;
    $config =~ s/_interval: 15s/_interval: 1s/g;

    mkdir "$dir/prometheus";
    spew("$dir/prometheus/prometheus.yml", $config);
    copy("$conf/error_map.rules.yml", "$dir/prometheus")
        or die "error_map.rules.yml: $!\n";

    return spawn('prometheus', 'client', 'prometheus',
                 "--config.file=$dir/prometheus/prometheus.yml",
                 "--storage.tsdb.path=$dir/prometheus/data",
                 '--web.listen-address=127.0.0.1:9090');
}


# one test: Prometheus has that answer within some scrapes

sub query_ok {
    my ($query, $labels, $answer, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    answer_ok(sub { curl('-G', '--data-urlencode', "query=$query",
                         'http://127.0.0.1:9090/api/v1/query') },
              $labels, $answer, $name);
}

my $by_code = 'sum by (document, code) (nginx_error_map_codes_total)';


# the fleet starts

make_network();
start_nginx($_) for 'vendors', @edges, 'balancer';
spawn('vendor', 'vendors', $^X, "$ErrorMap::root/xt/fleet/vendor",
      $address{vendors}, 8003, "$dir/vendor.ready");
until_true(sub { -e "$dir/vendor.ready" }, 'the vendor starts');

my $prometheus = start_prometheus();

is(slurp("$dir/edge1/conf/nginx.conf"), slurp("$dir/edge2/conf/nginx.conf"),
   'both edges have the same configuration');

note(sprintf '%.1f s', time - $begin);


# both edges serve, and their counters match the requests

my $saw = finish_client(start_client('old', 3000));

sane($saw, 'both edges');
is($saw->{answered}, 3000, '... all are answered');
is(@{ $saw->{broken} }, 0, '... none breaks off');
is($saw->{asked}, 3000, '... the balancer asks for each');
is($saw->{again}, 0, '... one edge');
cmp_ok($saw->{gzip}, '>', 100, '... some are gzip');
cmp_ok($saw->{chunked}, '>', 100, '... some are chunked');

for my $edge (@edges) {
    my $n = sum(map { $_ || 0 } values %{ grown('responses', {},
                                                counters($edge)) });

    cmp_ok($n, '>', 1000, "$edge counts a share");
    cmp_ok($saw->{edge}{$address{$edge}}, '>', 1000, '... and answers it');
}

my $now = counters();

is_deeply(grown('responses', {}, $now), seen('responses', $saw),
          'the sum of the responses, by verdict');
is_deeply(grown('codes', {}, $now), seen('codes', $saw),
          '... and by code');

# requests of /up/ that go to the second server count twice

my $twice = () = join('', map { slurp("$dir/$_/access.log") } @edges)
                 =~ m{^/up/(?:first|both)/}mg;
is(sum(values %{ grown('responses', {}, $now) }), 3000 + $twice,
   'the sum of the responses is that of the requests');
query_ok($by_code, ['document', 'code'], seen('codes', $saw),
         'Prometheus adds them up');


# One edge is lost under load, and comes back.  The other one answers requests
# whose answer had not begun; an answer that had begun breaks off, and its
# client knows.  Returns the results of the clients.

sub lose {
    my ($name, $edge, $lose, $find, $most) = @_;

    my $before = counters();
    my $client = start_client('old');

    answers(150, @edges);
    $lose->();
    sleep 2.5;
    $find->();
    answers(50, $edge);

    my $saw = finish_client($client, 'TERM');
    my @broken = @{ $saw->{broken} };

    sane($saw, $name);
    cmp_ok(scalar @broken, '<=', $most, "... at most $most break off");
    is(join(' ', grep { !m{^/\w+/(?:drip|last)/} } map { $_->[1] } @broken), '',
       '... none that fits into a packet');
    is(join(' ', map { "@$_" } grep { $_->[3] == 0 && $_->[2] } @broken), '',
       '... and none within its header');
    cmp_ok($saw->{slowest}, '<', ($connect + $read) / 1000 + 3,
           '... none waits for long');

    # in flight on each connection, one a second to see whether it is back

    cmp_ok($saw->{again}, '<=', 2 * $connections + 5,
           '... few requests go to both edges');

    for (@edges) {
        cmp_ok($saw->{edge}{$address{$_}}, '>', 100, "... $_ answers");
    }

    note("broken off: $_->[1], $_->[2] bytes, after ",
         sprintf '%.2f s', $_->[4]) for @broken;

    return ($saw, $before);
}

# the switch's port is down: packets are lost without a notice

my ($lost, $before) = lose('edge1 loses its link', 'edge1',
                           sub { link_of('edge1', 'down') },
                           sub { link_of('edge1', 'up') }, $connections);

cmp_ok($lost->{again}, '>', 0, '... some requests go to both edges');

# a request to both edges may count twice, and a broken answer counts

sleep 0.5;

my ($counted, $got) = (grown('responses', $before, counters()),
                       seen('responses', $lost));

is(join(' ', grep { $counted->{$_} < $got->{$_} } keys %$got), '',
   '... every answer counts');
cmp_ok(sum(values %$counted) - sum(values %$got), '<=',
       2 * ($lost->{again} + @{ $lost->{broken} }),
       '... a lost one may count, too');

# master and workers are killed at once

($lost) = lose('edge2 is killed', 'edge2',
               sub { ended($nginx{edge2}, 'KILL') },
               sub { start_nginx('edge2') }, $connections);

cmp_ok($lost->{again}, '>', 0, '... some requests go to both edges');

# SIGQUIT: it ends the answers that have begun

lose('edge1 is told to quit', 'edge1', sub { kill 'QUIT', $nginx{edge1} },
     sub {
         ok(ended($nginx{edge1}), 'edge1 has ended');
         start_nginx('edge1');
     }, 0);


# a new policy under load, one edge after the other

sleep 0.5;

my $settled = counters();
my $client = start_client('old,new');
my @rollout;

for my $edge (@edges) {
    answers(150, @edges);
    replace("$dir/$edge/conf/policy.conf", policy('new'));
    reload_nginx($edge);
}

answers(150, @edges);
push @rollout, finish_client($client, 'TERM');

sane($rollout[0], 'a new policy');
is(@{ $rollout[0]{broken} }, 0, '... none breaks off');

for my $edge (@edges) {
    cmp_ok($rollout[0]{policy}{"$address{$edge} $_"} || 0, '>', 20,
           "... $edge answers by the $_ one") for qw(old new);
}

push @rollout, finish_client(start_client('new', 800));

sane($rollout[1], 'then');
is(join(' ', sort keys %{ $rollout[1]{policy} }),
   "$address{edge1} new $address{edge2} new", '... both have the new policy');


# edge2 is a canary with a dry run

is(grown('codes', $settled, counters())->{'acme 1002'},
   sum(map { seen('codes', $_)->{'acme 1002'} } @rollout),
   'the counters are kept over reloads');

my $conf = "$dir/edge2/conf/nginx.conf";
my $log = "$dir/edge2/access.log";

replace($conf, slurp($conf)
                    =~ s/(policy=fleet;)/$1\nerror_map_dry_run on;/r);
reload_nginx('edge2');

my ($at, $dry_before) = (-s $log, counters('edge2'));

push @rollout, finish_client(start_client("$address{edge1}=new,"
                                          . "$address{edge2}=dry", 1600));

sane($rollout[2], 'a canary');
is(join(' ', sort keys %{ $rollout[2]{policy} }),
   "$address{edge1} new $address{edge2} dry",
   '... one edge maps, the other does not');

# its log and its counters have the verdicts

my (@other, %would);

for (split /\n/, substr slurp($log), $at) {
    my ($uri, $status, $would, $verdict, $code) = split / /;

    # error_map_upstream has no effect

    $uri =~ s{^/up/(?:first|both)/}{/a/quota/};

    my $e = expected($uri, 'new');
    my ($document, undef, $counted) = @{ $e->{counts}[-1] };

    push @other, $_ if $status != 200 || $would != $e->{status}
                       || $verdict ne $e->{counts}[-1][1];

    $would{"$document $counted"}++ if $counted;
}

is(join("\n", splice @other, 0, 10), '', '... its log has the edge status');
cmp_ok(sum(values %would), '>', 200, '... of many');
is_deeply(grown('codes', $dry_before, counters('edge2')), \%would,
          '... and its counters have it');


# all requests since the losses

my $all = grown('codes', {}, $settled);

for my $codes (map { seen('codes', $_) } @rollout) {
    $all->{$_} += $codes->{$_} for keys %$codes;
}

query_ok($by_code, ['document', 'code'], $all,
         'Prometheus has all requests since');
query_ok('up', ['instance'], { map { ("$address{$_}:8405" => 1) } @edges },
         '... both edges are up');


# the ends

for my $name ('balancer', @edges, 'vendors') {
    ok(ended($nginx{$name}, 'QUIT'), "$name ends");
    is(join("\n", grep { /\[(?:alert|emerg|crit)\]|Sanitizer|runtime error:/ }
                  split /\n/, slurp("$dir/$name/error.log")
                              . slurp("$dir/$name.err")),
       '', '... its log is clean');
}

ended($_, 'KILL') for keys %pids;
run('ip', 'netns', 'del', $_) while $_ = shift @made;

is(join('', grep { /\Qem$main-/ } `ip netns list`), '',
   'no namespace is left');
note(sprintf '%.0f s', time - $begin);

done_testing();
