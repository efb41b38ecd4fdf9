# Many requests to two vendors that fail now and then in various ways: no client
# gets a wrong answer, or that of another.

use strict;
use warnings;

use Compress::Zlib qw(memGunzip);
use ErrorMap qw(:DEFAULT workers);
use ErrorMapStream qw(memory);
use Test::More;

my $requests = $ENV{EM_SOAK} || 100_000;
my $clients = 4;
my $batch = 50;


# The request tells the vendors what to do, one by $arg_a, the other by $arg_b.
# With Accept-Encoding they send gzip in chunks.

my ($port, @vendors) = map { free_port() } 1 .. 3;

my $vendor = join '', map { <<"END" } 0, 1;
    server {
        listen 127.0.0.1:$vendors[$_];
        default_type application/json;
        gzip on;
        gzip_types application/json;
        gzip_min_length 1;

        location / {
            set \$do @{[$_ ? '$arg_b' : '$arg_a']};

            if (\$do = close) {
                return 444;
            }

            if (\$do = quota) {
                return 200 '{"id":"\$arg_id","StatusCode":42505}';
            }

            if (\$do = long) {
                return 200 '{"id":"\$arg_id","x":"@{['x' x 3000]}",
                            "StatusCode":42505}';
            }

            return 200 '{"id":"\$arg_id","StatusCode":200}';
        }
    }
END

my $after = start(port => $vendors[0], http => "access_log off;\n"
                   . "keepalive_requests 1000000;\n$vendor");

my $edge = start(port => $port, workers => 2, log_level => 'warn',
                 http => <<"END");
    keepalive_requests 1000000;

    error_map_policy edge {
        class  RESOURCE_EXHAUSTED  503;
    }

    upstream vendors {
        server 127.0.0.1:$vendors[0] max_fails=0;
        server 127.0.0.1:$vendors[1] max_fails=0;
        keepalive 8;
    }

    server {
        listen 127.0.0.1:$port;

        location / {
            error_map tencent_iotvideo policy=edge;
            error_map_upstream on;
            proxy_pass http://vendors;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_next_upstream error http_503;
            add_header X-Tried \$upstream_status always;
        }
    }
END


# A success if one of the two succeeds; otherwise the result of the last one,
# which may be either: the vendor's error, mapped, or the edge's own.

sub wrong {
    my ($id, $do, $gzip, $head, $body) = @_;

    my ($status) = $head =~ m{^HTTP/1\.1 (\d+)};

    $body = memGunzip($body) if $head =~ /^Content-Encoding: gzip/mi;

    my $whole = defined $body && $body =~ /"id":"\Q$id\E"/;
    my $errors = () = $head =~ /^X-Error-Code: 42505\r?$/mg;

    if (grep { $_ eq 'ok' } @$do) {
        return '' if $status == 200 && $whole && $body =~ /:200\}$/
                     && $errors == 0;

    } elsif ($status == 503) {
        return '' if $whole && $body =~ /:42505\}$/ && $errors == 1
                     && grep { $_ ne 'close' } @$do;

    } elsif ($status == 502) {
        return '' if grep { $_ eq 'close' } @$do;
    }

    return "@$do: $head " . ($body // '');
}


sub client {
    my ($number, $count) = @_;

    my @does = qw(ok ok ok quota quota long close);
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
        or return 'no connection';
    my $buf = '';

    srand $number;

    for (my $n = 0; $n < $count; $n += $batch) {
        my (@sent, $text);

        for (1 .. $batch) {
            my $id = "$number-$n-$_";
            my @do = map { $does[rand @does] } 1, 2;
            my $gzip = rand() < 0.3;

            push @sent, [$id, \@do, $gzip];
            $text .= "GET /?id=$id&a=$do[0]&b=$do[1] HTTP/1.1\r\nHost: e\r\n"
                     . ($gzip ? "Accept-Encoding: gzip\r\n" : '') . "\r\n";
        }

        syswrite $s, $text;

        for my $sent (@sent) {
            my ($head, $body);

            while (!defined $body) {

                if ($buf =~ /\A(.*?\r\n)\r\n/s) {
                    $head = $1;
                    my $from = length($head) + 2;

                    if ($head =~ /^Content-Length: (\d+)/mi) {

                        if (length $buf >= $from + $1) {
                            $body = substr $buf, $from, $1;
                            $buf = substr $buf, $from + $1;
                            last;
                        }

                    } elsif (substr($buf, $from) =~ /\A(.*?\r\n)0\r\n\r\n/s) {

                        # a chunk may have the same bytes, but is cut short then

                        my ($chunks, $text) = ($1, '');
                        my $rest = $chunks;

                        while ($rest =~ /\A([0-9a-f]+)\r\n/i
                               && length $rest >= length($1) + 4 + hex $1)
                        {
                            $text .= substr $rest, length($1) + 2, hex $1;
                            $rest = substr $rest, length($1) + 4 + hex $1;
                        }

                        return "chunks of $sent->[0]" if $rest ne '';

                        $body = $text;
                        $buf = substr $buf, $from + length($chunks) + 5;
                        last;
                    }
                }

                sysread $s, $buf, 262144, length $buf
                    or return "closed in $sent->[0]";
            }

            my $error = wrong(@$sent, $head, $body);
            return $error if $error ne '';
        }
    }

    return '';
}


sub resident {
    my $sum = 0;

    $sum += memory($_, 'VmRSS') for workers($edge);
    return $sum;
}


is(client(100, 2000), '', 'the first few');

my $before = resident();
my @pipes;

for my $number (1 .. $clients) {
    my $pid = open my $fh, '-|';
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        print client($number, $requests / $clients);
        close STDOUT;
        POSIX::_exit(0);
    }

    push @pipes, $fh;
}

my @errors = map { my $fh = $_; local $/; scalar <$fh> // '' } @pipes;

is($errors[$_], '', 'client ' . ($_ + 1) . ', ' . $requests / $clients
   . ' requests') for 0 .. $#errors;

my $grown = resident() - $before;

# a sanitizer keeps 16 MB of freed memory in each worker

my $limit = $ENV{CC} && $ENV{CC} =~ /sanitize/ ? 60_000 : 10_000;

cmp_ok($grown, '<', $limit, "the workers grew by $grown KB");

stop($edge);
stop($after);
done_testing();
