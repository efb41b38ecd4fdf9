# The counters outlive workers that are killed one by one under load.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT workers logged forget);
use ErrorMapMetrics;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

my $vendor = answers('body');
my $port = free_port();
my $bad = '?body={"StatusCode":42505}';

my $edge = start(port => $port, workers => 2, http => <<"END");
    error_map_zone counters 1m;

    server {
        listen 127.0.0.1:$port reuseport;
        error_map tencent_iotvideo;
        add_header X-Pid \$pid always;
$handlers
        location / { proxy_pass http://127.0.0.1:$vendor; }
    }
END

# sends requests until each worker has answered, returns the number of answers

sub both_answer {
    my %left = map { $_ => 1 } workers($edge);
    my $n = 0;

    while (%left && $n < 500) {
        my $r = get($port, "/$bad");
        $n++ if $r->{status} == 402;
        delete $left{$r->{headers}{'x-pid'}[0]};
    }

    is(join(' ', keys %left), '', 'both workers answer');

    return $n;
}

my $mapped = qr/verdict="mapped"/;

wait_for(sub { workers($edge) == 2 }) or die 'no two workers';

my $asked = both_answer();

is(total(series($port), $mapped), $asked, 'they share the counters')
    for 1 .. 10;

# clients, which report the numbers of their requests and answers

my @clients = map {
    pipe my $read, my $write or die "pipe: $!";
    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        my ($sent, $answered, $end) = (0, 0, 0);

        $SIG{TERM} = sub { $end = 1 };

        while (!$end) {
            $sent++;
            my $r = eval { get($port, "/$bad") } || { status => 0 };
            $answered++ if $r->{status} == 402;
        }

        syswrite $write, "$sent $answered\n";
        POSIX::_exit(0);
    }

    close $write;
    { pid => $pid, read => $read };
} 1, 2;

my ($kills, $last, @bad, %killed) = (20, $asked);

for my $n (1 .. $kills) {
    my @pids = workers($edge);
    my $pid = $pids[$n % @pids];

    kill 'KILL', $pid;
    $killed{$pid} = 1;

    wait_for(sub {
        my @now = workers($edge);
        return @now == 2 && !grep { $_ == $pid } @now;
    }) or die 'no other worker';

    my ($text, $json) = map { get($port, $_) } '/metrics', '/metrics.json';
    my $now = total(from_text($text->{body}), $mapped);
    my $then = total(eval { from_json($json->{body}) } || {}, $mapped);

    push @bad, "$n: $text->{status} $last $now $then"
        if $text->{status} != 200 || $now < $last || $then < $now;

    $last = $then;
    sleep 0.05 + rand 0.05;
}

is(join("\n", @bad), '', "the counters can be read after each of $kills kills");
cmp_ok($last, '>', $asked + $kills, '... and grow');

my ($sent, $answered) = ($asked, $asked);

for (@clients) {
    kill 'TERM', $_->{pid};
    my $line = readline $_->{read};
    waitpid $_->{pid}, 0;

    my @n = split ' ', $line || '0 0';
    $sent += $n[0];
    $answered += $n[1];
}

my $after = series($port);
$last = total($after, $mapped);

# a killed worker may have counted a response that its client did not get; each
# response has three counters, and a worker handles one response at a time

cmp_ok($last, '>=', $answered, "$answered answers are counted");
cmp_ok($last, '<=', $sent, "... of $sent requests");

for (qr/code="42505"/, qr/upstream_status="200",status="402"/) {
    my $n = total($after, $_);

    cmp_ok($n, '<=', $last, 'the next counters are not larger');
    cmp_ok($n, '>=', $last - $kills, '... and lack at most one a kill');
}

# no lock is left

$asked = both_answer() for 1 .. 3;
my $before = series($port);
$asked = both_answer();
is(total(delta($before, series($port)), $mapped), $asked, '... and counts');

my $pids = join '|', keys %killed;
my $exited = qr/\[alert\]\ $edge->{pid}\#\d+:\ worker\ process\ (?:$pids)
                \ exited\ on\ signal\ 9$/x;

wait_for(sub { logged($edge, $exited) == $kills });
is(forget($edge, $exited), $kills, 'nginx logs each kill');
stop($edge);

done_testing();
