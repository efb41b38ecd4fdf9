package Bench;

# Shared by bench/peers and bench/growth: servers from the templates of this
# folder, the CPU time of their workers, wrk, and statistics.
#
# Every process that is started here is ended by its pid when the script ends,
# for whatever reason.

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

use lib abs_path(dirname(__FILE__)) . '/../t/lib';

use ErrorMap;

our @EXPORT = qw(vendor_server edge records cpu measure median quartiles
                 resident clean spawn end);

my $here = abs_path(dirname(__FILE__));

my $modules = '/usr/lib/nginx/modules';

our %running;

# so that END runs

$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);


# vendor_server({ name => body, ... }): files at /name

sub vendor_server {
    my ($bodies) = @_;

    my $dir = directory();

    mkdir "$dir/bodies" or die "$dir/bodies: $!";
    ErrorMap::spew("$dir/bodies/$_", $bodies->{$_}) for keys %$bodies;

    return server('vendor', slurp("$here/vendor.conf"), $dir, {});
}


# edge('lua.conf', $vendor, keepalive => n, edit => sub { changes $_ },
#      haproxy => [its command])
#
# Starts a proxy from a template, with a vendor's port as its upstream.  Returns
# { name, port, pid, workers => [pids], dir }.

sub edge {
    my ($file, $vendor, %arg) = @_;

    my $dir = directory();
    my %value = (VENDOR => $vendor, KEEPALIVE => $arg{keepalive} || 32);

    local $_ = slurp("$here/$file");
    $arg{edit}->() if $arg{edit};

    codes($dir);
    ErrorMap::spew("$dir/common.conf",
                   fill(slurp("$here/common.conf"), $dir, \%value));

    return server($file, $_, $dir, \%value, @{ $arg{haproxy} || ['haproxy'] });
}


sub server {
    my ($name, $text, $dir, $value, @haproxy) = @_;

    my $port = free_port();
    my $conf = "$dir/edge.conf";

    ErrorMap::spew($conf, fill($text, $dir, { %$value, PORT => $port }));

    # settings of this run are on the command line, not in the templates

    my $user = $> == 0 ? ' user root;' : '';
    my @command = $name =~ /haproxy/
        ? (@haproxy, '-db', '-q', '-f', $conf)
        : (nginx(), '-p', $dir, '-c', $conf, '-e', "$dir/error.log", '-g',
           "daemon off; pid $dir/pid; error_log $dir/error.log warn;$user");

    my $pid = spawn("$dir/stderr", @command);
    my $server = { name => $name, port => $port, pid => $pid, dir => $dir };

    for (1 .. 500) {
        last if listens($port);

        if (waitpid($pid, POSIX::WNOHANG) == $pid) {
            delete $running{$pid};
            die "$name does not start: ", slurp("$dir/stderr"),
                slurp("$dir/error.log");
        }

        sleep 0.02;
    }

    # without a master, HAProxy has no children

    my @children = split ' ', slurp("/proc/$pid/task/$pid/children");
    $server->{workers} = @children ? \@children : [ $pid ];

    return $server;
}


sub directory {
    my $dir = tempdir(CLEANUP => 1);

    chmod 0755, $dir;

    return $dir;
}


sub listens {
    my ($port) = @_;

    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
}


sub fill {
    my ($text, $dir, $value) = @_;

    my %all = (DIR => $dir, BENCH => $here, MODULES => $modules,
               LOAD_MODULE => ErrorMap::load_module(), %$value);

    $text =~ s/%([A-Z_]+)%/defined $all{$1} ? $all{$1} : die "no value: $1"/ge;

    return $text;
}


# writes the table of this module in the formats of its peers, so that all have
# the same codes

sub codes {
    my ($dir) = @_;

    my (@lua, @json, @status, @class);

    for (split /\n/, slurp("$here/../tables/tencent_iotvideo.gperf")) {
        /^([0-9]+),\s*([0-9]+),\s*EM_(\w+),/ or next;
        next if $3 eq 'OK';

        push @lua, "[$1] = { $2, \"$3\" }", "[\"$1\"] = { $2, \"$3\" }";
        push @json, "\"$1\": [$2, \"$3\"]";
        push @status, "$1 $2\n";
        push @class, "$1 $3\n";
    }

    ErrorMap::spew("$dir/error_map.lua", 'return {' . join(",\n", @lua) . "}");
    ErrorMap::spew("$dir/codes.json", '{' . join(",\n", @json) . '}');
    ErrorMap::spew("$dir/status.map", join '', @status);
    ErrorMap::spew("$dir/class.map", join '', @class);
}


# an array of records as APIs send it, at least so many bytes of JSON

sub records {
    my ($size) = @_;

    my @cities = ("Berlin", "S\\u00e3o Paulo", "Zürich", "Den \\\"Haag\\\"");
    my ($text, $n) = ('[', 0);

    while (length $text < $size - 1) {
        $text .= ',' if $n;
        $text .= sprintf '{"DeviceId":"cam-%06d","Name":"Camera %d, %s",'
                         . '"Online":%s,"Channel":%d,"Ratio":%.4f,'
                         . '"Location":{"City":"%s","Floor":%d,'
                         . '"Point":[%.5f,%.5f]},"Tags":["a%d","night",null],'
                         . '"Updated":"2024-03-%02dT12:%02d:00Z"}',
                         $n, $n, ('front', 'back')[$n % 2],
                         ('true', 'false')[$n % 3 == 0], $n % 16,
                         $n % 97 / 97, $cities[$n % 4], $n % 9,
                         52.5 + $n / 1e4, 13.4 - $n / 1e4, $n % 7,
                         1 + $n % 28, $n % 60;
        $n++;
    }

    return "$text]";
}


# the CPU time of all threads of the workers, in nanoseconds

sub cpu {
    my ($server) = @_;

    my $sum = 0;

    for my $pid (@{ $server->{workers} }) {
        for my $file (glob "/proc/$pid/task/*/schedstat") {
            $sum += (split ' ', slurp($file))[0];
        }
    }

    return $sum;
}


# the resident memory of the workers, in kilobytes

sub resident {
    my ($server) = @_;

    my $sum = 0;

    for my $pid (@{ $server->{workers} }) {
        slurp("/proc/$pid/status") =~ /^VmRSS:\s+(\d+)/m or die "no VmRSS";
        $sum += $1;
    }

    return $sum;
}


# measure($server, $path, connections => n, seconds => s, script => file,
#         failed => whether the answers must be errors)
#
# Returns the microseconds of CPU time per request, and requests per second.
# Requests in flight at the end are not counted although their time is; there is
# at most one per connection.

sub measure {
    my ($server, $path, %arg) = @_;

    my $connections = $arg{connections} || 16;
    my $before = cpu($server);
    my $dir = $server->{dir};

    # wrk accepts whole seconds only; on SIGINT it ends and prints its sums

    my $pid = spawn("$dir/wrk", 'wrk', '-t1', "-c$connections", '-d600s',
                    '--timeout', '30s',
                    $arg{script} ? ('-s', $arg{script}) : (),
                    "http://127.0.0.1:$server->{port}$path");

    sleep($arg{seconds} || 1);
    kill 'INT', $pid;
    waitpid $pid, 0;
    delete $running{$pid};

    # closing connections takes CPU time, too

    sleep 0.02;

    my $spent = cpu($server) - $before;
    my $out = slurp("$dir/wrk");

    my ($n, $s, $unit) = $out =~ /(\d+) requests in ([\d.]+)(ms|s|m),/
        or die "$server->{name}$path: wrk says: $out";

    $s *= { ms => 0.001, s => 1, m => 60 }->{$unit};

    my $failed = $out =~ /Non-2xx or 3xx responses: (\d+)/ ? $1 : 0;

    die "$server->{name}$path: wrk says: $out" if !$n || $out =~ /Socket err/;

    die "$server->{name}$path: $failed of $n answers are errors\n"
        if defined $arg{failed} && $failed != ($arg{failed} ? $n : 0);

    return ($spent / 1000 / $n, $n / $s);
}


sub median {
    return (quartiles(@_))[1];
}


# with linear interpolation

sub quartiles {
    my @sorted = sort { $a <=> $b } @_;

    return map {
        my $at = $_ * $#sorted;
        my $low = int $at;
        my $high = $low < $#sorted ? $low + 1 : $low;

        $sorted[$low] + ($at - $low) * ($sorted[$high] - $sorted[$low])
    } 0.25, 0.5, 0.75;
}


# the trouble in a server's log, or ""

sub clean {
    my ($server) = @_;

    my @bad = grep { /\[(?:warn|error|alert|emerg|crit)\]|WARNING|ALERT/i }
              split /\n/, slurp("$server->{dir}/error.log")
                          . slurp("$server->{dir}/stderr");

    splice @bad, 5 if @bad > 5;

    return join '', map { "$server->{name}: $_\n" } @bad;
}


# spawn($file, @command): starts a command with its output in the file

sub spawn {
    my ($file, @command) = @_;

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        open STDOUT, '>', $file;
        open STDERR, '>&', \*STDOUT;
        exec { $command[0] } @command
            or do { print STDERR "$command[0]: $!\n"; POSIX::_exit(1) };
    }

    $running{$pid} = 1;

    return $pid;
}


# ends a server, or a process by its pid

sub end {
    my ($pid) = @_;

    $pid = $pid->{pid} if ref $pid;
    delete $running{$pid} or return;

    # nginx, wrk and HAProxy end at once

    kill 'TERM', $pid;

    for (1 .. 250) {
        return if waitpid($pid, POSIX::WNOHANG) != 0;
        sleep 0.02;
    }

    kill 'KILL', $pid;
    waitpid $pid, 0;
}


END {
    my $status = $?;

    end($_) for keys %running;
    $? = $status;
}


1;
