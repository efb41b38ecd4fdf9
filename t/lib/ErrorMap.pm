package ErrorMap;

# The nginx under test, upstreams written in Perl, and a client that sees the
# bytes.
#
# Every nginx runs in a directory of its own and is stopped at the end; its
# error log must be clean then, see clean_log().

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use Fcntl qw(LOCK_EX);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_LINGER);
use Test::More ();
use Time::HiRes qw(sleep time);

our @EXPORT = qw(nginx load_module free_port start stop vendor reset_on_close
                 get exchange parse clean_log configuration_error slurp spew
                 wait_for mark marks await);
our @EXPORT_OK = qw(alerts launch quit workers reload logged forget child replace
                    shell);

our $root = abs_path(dirname(__FILE__) . '/../..');

my (@servers, @children, $load_module);
my $marks = tempdir(CLEANUP => 1);


# the binary under test

sub nginx {
    return $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
}


# the line that loads the module; empty where it is linked into the binary

sub load_module {

    if (!defined $load_module) {
        my $dir = tempdir(CLEANUP => 1);

        spew("$dir/nginx.conf", "error_log stderr; pid $dir/pid; events {}\n"
                                . "http { error_map off; }\n");

        my $out = `@{[nginx()]} -t -e stderr -p $dir -c $dir/nginx.conf 2>&1`;

        my $module = $ENV{ERROR_MAP_MODULE}
                     || "$root/build/ngx_http_error_map_filter_module.so";

        $load_module = $out =~ /unknown directive "error_map"/
            ? "load_module $module;" : '';
    }

    return $load_module;
}


# A free port that no other test gets: a file counts them, below those that the
# system gives to clients.

sub free_port {
    mkdir "$root/build";
    open my $fh, '+>>', "$root/build/ports" or die "build/ports: $!";
    flock $fh, LOCK_EX or die "build/ports: $!";
    seek $fh, 0, 0;

    my $port = <$fh> || 10000 + int rand 20000;
    my $s;

    do {
        $port = 10000 + ($port - 9999) % 20000;
        $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1',
                                   LocalPort => $port);
    } while (!$s);

    truncate $fh, 0;
    print $fh $port;
    close $fh or die "build/ports: $!";

    return $port;
}


sub spew {
    my ($file, $text) = @_;

    open my $fh, '>', $file or die "$file: $!";
    print $fh $text;
    close $fh or die "$file: $!";
}


sub slurp {
    my ($file) = @_;

    open my $fh, '<', $file or return '';
    local $/;
    return scalar <$fh>;
}


# replace(file, text): a reader finds the old text or the new one, never a part

sub replace {
    my ($file, $text) = @_;

    spew("$file.new", $text);
    rename "$file.new", $file or die "$file: $!";
}


# wait_for(sub, seconds): asks the sub until it returns true, for ten seconds
# unless told otherwise, and returns its last value

sub wait_for {
    my ($sub, $seconds) = @_;
    my $end = time + ($seconds || 10);
    my $value;

    while (!($value = $sub->()) && time < $end) {
        sleep 0.02;
    }

    return $value;
}


# Marks are signs that the processes of a test leave for each other: mark(name)
# leaves one, marks(name) counts them, and await(name, n = 1) waits until there
# are n, and counts them.

sub mark {
    my ($name) = @_;

    open my $fh, '>>', "$marks/$name" or die "$marks: $!";
    syswrite $fh, '.';
}

sub marks {
    my ($name) = @_;

    return -s "$marks/$name" || 0;
}

sub await {
    my ($name, $n) = @_;

    wait_for(sub { marks($name) >= ($n || 1) });
    return marks($name);
}


# shell(command): (exit status, or 128 and the signal; output with stderr)

sub shell {
    my ($command) = @_;

    my $out = `( $command ) 2>&1 < /dev/null`;

    return ($? & 127 ? 128 + ($? & 127) : $? >> 8, $out);
}


# start(http => 'text of the http block', port => a port it listens on,
#       main => 'text before it', workers => 1, connections => 1024,
#       log_level => 'info', modules => lines that load modules, instead of
#       load_module()'s)
#
# Starts an nginx and waits for its port.  Returns a hash with dir (where
# error.log is) and pid.  %DIR% in the text stands for that directory.

sub start {
    my (%arg) = @_;

    my $dir = tempdir(CLEANUP => 1);
    chmod 0755, $dir;
    my $user = $> == 0 ? 'user root;' : '';
    my $workers = $arg{workers} || 1;
    my $connections = $arg{connections} || 1024;
    my $level = $arg{log_level} || 'info';
    my $main = $arg{main} || '';
    my $modules = defined $arg{modules} ? $arg{modules} : load_module();

    # a page may be larger than the 4 KB that nginx's buffers have here

    my %buffers = (client_body_buffer_size => '8k', map {
        ("${_}_buffer_size" => '4k', "${_}_buffers" => '8 4k')
    } qw(proxy fastcgi uwsgi scgi));

    my $buffers = join "\n    ", map { "$_ $buffers{$_};" }
                  grep { $arg{http} !~ /^ {0,4}$_\b/m } sort keys %buffers;

    my $text = $modules . <<"END";

$user
daemon off;
worker_processes $workers;
error_log %DIR%/error.log $level;
pid %DIR%/nginx.pid;
$main
events { worker_connections $connections; }

http {
    access_log off;
    $buffers
    client_body_temp_path %DIR%/client_body;
    proxy_temp_path %DIR%/proxy;
    fastcgi_temp_path %DIR%/fastcgi;
    uwsgi_temp_path %DIR%/uwsgi;
    scgi_temp_path %DIR%/scgi;
$arg{http}
}
END

    $text =~ s/%DIR%/$dir/g;
    spew("$dir/nginx.conf", $text);

    my $server = launch($dir, $arg{port});

    die "nginx does not listen on $arg{port}: " . slurp("$dir/stderr")
        . slurp("$dir/error.log") if !$server->{listens};

    return $server;
}


# launch(directory, port): runs an nginx with DIRECTORY/nginx.conf, waits for
# its port, and returns it as start() does, with "listens" if it does

sub launch {
    my ($dir, $port) = @_;

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        open STDOUT, '>', "$dir/stdout";
        open STDERR, '>', "$dir/stderr";
        exec { nginx() } nginx(), '-p', $dir, '-c', "$dir/nginx.conf",
                         '-e', "$dir/error.log"
            or POSIX::_exit(1);
    }

    my $server = { pid => $pid, dir => $dir };
    push @servers, $server;

    wait_for(sub {
        $server->{listens} = $port
            && IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $port) ? 1 : 0;
        $server->{stopped} = 1 if waitpid($pid, POSIX::WNOHANG) == $pid;

        return $server->{listens} || $server->{stopped};
    }, 60);

    return $server;
}


# stops an nginx gently and tests that its log is clean

sub stop {
    my ($server) = @_;

    return if $server->{stopped};

    quit($server);
    clean_log($server);
}


# stops an nginx gently, or after five seconds at once: a worker leaks then

sub quit {
    my ($server) = @_;

    return if $server->{stopped}++;

    my $ended = sub { waitpid($server->{pid}, POSIX::WNOHANG) != 0 };

    kill 'QUIT', $server->{pid};
    wait_for($ended, 5) and return;

    kill 'TERM', $server->{pid};
    wait_for($ended, 5);
}


# the process ids of an nginx's workers, without those that manage a cache

sub workers {
    my ($server) = @_;
    my $pid = $server->{pid};

    # a module, such as perl's, may take the title of a worker away

    return grep {
        (slurp("/proc/$_/cmdline") // '') !~ /: cache (?:manager|loader) process/
    } split ' ', slurp("/proc/$pid/task/$pid/children");
}


# reload(server, text of nginx.conf if it is to change): returns when new
# workers run and no old one is left

sub reload {
    my ($server, $text) = @_;
    my %old = map { $_ => 1 } workers($server);

    spew("$server->{dir}/nginx.conf", $text) if defined $text;
    kill 'HUP', $server->{pid};

    wait_for(sub {
        my @now = workers($server);
        return @now && !grep { $old{$_} } @now;
    }, 30) or die 'no other workers';
}


# logged(server, pattern): how many lines of the error log match

sub logged {
    my ($server, $re) = @_;

    return scalar grep { /$re/ } split /\n/, slurp("$server->{dir}/error.log");
}


# forget(server, pattern): removes lines that must be in the error log, and
# returns how many; nginx appends to the file, so it is cut and written again

sub forget {
    my ($server, $re) = @_;

    my @lines = split /^/, slurp("$server->{dir}/error.log");
    my @others = grep { !/$re/ } @lines;

    spew("$server->{dir}/error.log", join '', @others);

    return @lines - @others;
}


# the lines of a server's logs that are an alert, emerg or crit, or a sanitizer's

sub alerts {
    my ($server) = @_;

    return grep { /\[(?:alert|emerg|crit)\]|Sanitizer|runtime error:/ }
           split /\n/, slurp("$server->{dir}/error.log")
                       . slurp("$server->{dir}/stderr");
}


# one test: there is none

sub clean_log {
    my ($server) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    Test::More::is(join("\n", alerts($server)), '', 'the error log is clean');
}


# child(pid): the process ends with the test

sub child {
    push @children, @_;
}


# vendor(sub { my ($socket, $request, $n) = @_; ... })
#
# Starts an upstream, and returns its port.  The sub is called for each request
# (its head as text, its number on the connection from 0) and writes the
# response; unless it returns true the connection is closed then.  With raw => 1
# the sub is called once for a connection, and reads the requests itself.

sub vendor {
    my ($sub, %arg) = @_;

    my $listen = IO::Socket::INET->new(Listen => 128, ReuseAddr => 1,
                                       LocalAddr => '127.0.0.1')
        or die "listen: $!";

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid) {
        child($pid);
        return $listen->sockport;
    }

    $SIG{CHLD} = 'IGNORE';
    $SIG{PIPE} = 'IGNORE';
    $SIG{TERM} = sub { POSIX::_exit(0) };

    while (my $s = $listen->accept) {
        next if fork;

        close $listen;
        setsockopt $s, IPPROTO_TCP, TCP_NODELAY, 1;
        $s->autoflush(1);

        if ($arg{raw}) {
            $sub->($s);
            close $s;
            POSIX::_exit(0);
        }

        my $buf = '';

        for (my $n = 0; ; $n++) {
            while ($buf !~ /\r\n\r\n/) {
                sysread($s, $buf, 65536, length $buf) or POSIX::_exit(0);
            }

            $buf =~ s/^(.*?\r\n\r\n)//s;
            my $head = $1;

            if ($head =~ /^Content-Length: (\d+)/mi) {
                while (length $buf < $1) {
                    sysread($s, $buf, 65536, length $buf) or POSIX::_exit(0);
                }

                substr($buf, 0, $1) = '';
            }

            $sub->($s, $head, $n) or last;
        }

        close $s;
        POSIX::_exit(0);
    }

    POSIX::_exit(0);
}


# makes close() send a RST

sub reset_on_close {
    my ($s) = @_;

    setsockopt $s, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
}


# exchange(port, request, timeout => s, until => qr//, slow => bytes a read)
#
# Sends a request as it is, and reads until the connection ends or the pattern
# matches.  Returns { bytes, first => seconds to the first byte, time => to the
# last, closed => whether the server closed }.

sub exchange {
    my ($port, $request, %arg) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
        or die "connect: $!";

    my $timeout = $arg{timeout} || 10;
    my $begin = time;
    my $r = { bytes => '', closed => 0 };
    my $select = IO::Select->new($s);

    local $SIG{PIPE} = 'IGNORE';
    syswrite $s, $request;

    while ((my $left = $begin + $timeout - time) > 0) {

        last if !$select->can_read($left);

        my $n = sysread $s, my $part, $arg{slow} || 65536;

        if (!$n) {
            $r->{closed} = 1;
            $r->{reset} = 1 if !defined $n;
            last;
        }

        $r->{first} = time - $begin if $r->{bytes} eq '';
        $r->{bytes} .= $part;
        $r->{time} = time - $begin;

        last if $arg{until} && $r->{bytes} =~ $arg{until};
        sleep $arg{pause} if $arg{pause};
    }

    return $r;
}


# parse(bytes): { status, head, headers => { lower-case name => [values] }, raw,
# body (dechunked), complete => whether the response is complete }

sub parse {
    my ($bytes) = @_;

    my ($head, $raw) = split /\r\n\r\n/, $bytes, 2;
    my $r = { status => 0, head => $head, headers => {}, body => '',
              complete => 0, raw => $raw };

    return $r if !defined $raw;

    my ($line, @lines) = split /\r\n/, $head;
    $r->{status} = $1 if $line =~ m{^HTTP/1\.[01] (\d{3})};
    $r->{line} = $line;

    for (@lines) {
        my ($name, $value) = /^([^:]+): ?(.*)$/ or next;
        push @{ $r->{headers}{lc $name} }, $value;
    }

    if (($r->{headers}{'transfer-encoding'}[0] || '') eq 'chunked') {
        my $rest = $raw;

        while ($rest =~ s/^([0-9a-f]+)[^\r]*\r\n//i) {
            my $n = hex $1;

            if ($n == 0) {
                $r->{complete} = $rest =~ /^(?:[^\r]+\r\n)*\r\n/ ? 1 : 0;
                $r->{trailer} = $rest;
                last;
            }

            $r->{body} .= substr($rest, 0, $n);
            last if length $rest < $n + 2;
            $rest = substr($rest, $n + 2);
        }

    } else {
        $r->{body} = $raw;
        my $n = $r->{headers}{'content-length'}[0];
        $r->{complete} = !defined $n || length $raw == $n ? 1 : 0;
    }

    return $r;
}


# get(port, uri, headers => "Name: value\r\n...", method => 'GET',
#     version => '1.1', timeout ... as in exchange()): the response to one
#     request, as parse() returns it

sub get {
    my ($port, $uri, %arg) = @_;

    my $method = $arg{method} || 'GET';
    my $version = $arg{version} || '1.1';
    my $headers = $arg{headers} || '';

    my $x = exchange($port, "$method $uri HTTP/$version\r\nHost: edge\r\n"
                            . "Connection: close\r\n$headers\r\n", %arg);
    my $r = parse($x->{bytes});
    $r->{exchange} = $x;

    return $r;
}


# configuration_error(http block, file => text, ...): the message of "nginx -t",
# "" if the configuration is valid; file names have no directory

sub configuration_error {
    my ($http, %file) = @_;

    my $dir = tempdir(CLEANUP => 1);

    spew("$dir/$_", $file{$_}) for keys %file;
    spew("$dir/nginx.conf", load_module() . "\nerror_log stderr;\n"
                            . "pid $dir/pid;\nevents {}\n"
                            . "http { access_log off;\n$http}\n");

    my $out = `@{[nginx()]} -t -e stderr -p $dir -c $dir/nginx.conf 2>&1`;

    return '' if $? == 0;

    $out =~ s{\Q$dir/\E}{}g;
    $out =~ s{^nginx: }{}mg;
    $out =~ s{^.*(?:configuration file|could not open error log).*\n}{}mg;
    chomp $out;

    return $out;
}


# ends only processes that the test started

END {
    my $status = $?;

    for (@servers) {
        stop($_) if !$_->{stopped};
    }

    my @left = grep { waitpid($_, POSIX::WNOHANG) == 0 } @children;

    kill 'TERM', @left if @left;
    waitpid $_, 0 for @left;

    $? = $status;
}


1;
