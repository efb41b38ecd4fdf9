# error_map_hold_total: all responses that a worker holds together, and what slow
# clients have not taken of them yet, stay within it; a response that has no room
# is sent at once, undecided.  All of it is given back, however a response ends.

use strict;
use warnings;

use Compress::Zlib qw(memGzip);
use ErrorMap qw(:DEFAULT reload);
use ErrorMapStream qw(client query read_all request);
use Test::More;
use Time::HiRes qw(sleep);


# 60,000 bytes at once, and the code after the mark that the argument names; then
# the end, or the one that the argument "end" names

my $start = '{"a":"' . 'x' x 59990 . '","';
my %body = (none => $start . 'b":1}', error => $start . 'code":1001}',
            success => $start . 'code":0}');

my $vendor = vendor(sub {
    my ($s, $head) = @_;

    my ($what) = $head =~ m{^GET \S*/(\w+)};
    my %arg = $head =~ /\?/ ? query($head) : ();
    my $end = $arg{end} || '';
    my $body = $body{$what};
    my $coding = '';
    my $first = 60000;

    $body .= ' ' x 100 if $end eq 'more';

    if ($arg{gzip}) {
        $body = memGzip($body);
        $coding = "Content-Encoding: gzip\r\n";
        $first = length($body) - 20;
    }

    my $length = $arg{chunked} ? 'Transfer-Encoding: chunked'
                               : 'Content-Length: ' . length $body;

    my $put = sub {
        printf $s $arg{chunked} ? sprintf("%x\r\n", length $_[0]) . "%s\r\n"
                                : '%s', $_[0];
    };

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             . "$coding$length\r\n\r\n";
    $put->(substr $body, 0, $first);

    if ($arg{n}) {
        mark("$arg{n}-sent");
        await("$arg{n}-go");
    }

    if ($end eq 'reset') {
        reset_on_close($s);
        return 0;
    }

    return 0 if $end eq 'cut';

    if ($end eq 'more') {
        $put->(substr $body, $first, -100, '');
        await("$arg{n}-more");
    }

    $put->(substr $body, $first);
    print $s "0\r\n\r\n" if $arg{chunked};

    return 0;
});

my $port = free_port();
my $small = free_port();

my $http = <<"END";
    error_map_document acme {
        source   json /code;
        success  0;
        1001     503 UNAVAILABLE "busy";
    }

    error_map_document text {
        source   regex "CODE=(\\d+)";
        success  0;
    }

    log_format reason '\$request_uri \$error_map_verdict \$error_map_reason';
    proxy_http_version 1.1;
    proxy_read_timeout 20s;
    access_log %DIR%/access.log reason;

    server {
        listen 127.0.0.1:%PORT% sndbuf=4k;

        error_map acme;
        error_map_hold_timeout 15s;
        add_header X-Verdict \$error_map_verdict always;
        add_header X-Reason \$error_map_reason always;

        location / { proxy_pass http://127.0.0.1:$vendor; }

        location /unbuffered/ {
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /problem/ {
            error_map_body problem;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /page/ {
            error_map_intercept on;
            error_page 503 \@page;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location \@page { return 503 page; }

        location /short/ {
            error_map_hold_timeout 100ms;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /sub/ {
            sub_filter_types *;
            sub_filter zzz yyy;
            source_charset koi8-r;
            charset utf-8;
            charset_types application/json;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /text/ {
            error_map text;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location = /ssi {
            ssi on;
            default_type text/html;
            return 200 '<!--# include virtual="/none?n=\$arg_n" -->';
        }
    }
END

my $edge = start(port => $port, http => "error_map_hold_total 256k;\n"
                                        . "charset_map koi8-r utf-8 { C1 D0B0; }"
                                        . $http =~ s/%PORT%/$port/r);


sub told {
    my ($r) = @_;

    return join ' ', $r->{status}, map { $r->{headers}{$_}[0] // '-' }
                                   qw(x-verdict x-reason);
}

my $n = 0;

sub fill {
    my ($port, $uri, $count, %arg) = @_;

    my $mark = ++$n;
    my $args = ($uri =~ /\?/ ? '&' : '?') . "n=$mark";
    my @s = map { client($port, request("$uri$args"), $arg{slow} && 4096) }
            1 .. $count;

    await("$mark-sent", $count);
    sleep 0.15;

    return ($mark, @s);
}


# one test, or two: nothing is held, so that four responses have room, but not a
# fifth one

sub room_ok {
    my ($name) = @_;

    my ($mark, @s) = fill($port, '/none', 4);
    my ($other, $fifth) = fill($port, '/none', 1);

    # the fifth has its header, and does not wait for the mark

    my $bytes = '';
    sysread $fifth, $bytes, 4096;
    like($bytes, qr/X-Verdict: undecided\r\nX-Reason: hold_total\r/,
         "$name: a fifth response has no room");

    mark("$other-go");
    mark("$mark-go");

    is(join(', ', map { told(read_all($_)) } @s),
       join(', ', ('200 none no_code') x 4), '... four had');
}

room_ok('at first');


# a response without room is sent as it came

{
    my ($mark, @s) = fill($port, '/none', 4);

    for my $what (qw(none error success)) {
        for my $place ('', '/unbuffered', '/problem', '/sub') {
            my ($other, $s) = fill($port, "$place/$what", 1);
            mark("$other-go");

            my $r = read_all($s);

            is(told($r), '200 undecided hold_total', "$place/$what: undecided");
            is($r->{body}, $body{$what}, '... with all of its body');
        }
    }

    my $r = get($port, '/none?gzip=1');
    is(told($r), '200 undecided hold_total', 'gzip: undecided');

    mark("$mark-go");
    read_all($_) for @s;
}

room_ok('after these');


# what slow clients have not taken yet is in memory, too

for my $uri (qw(/none /success /error /unbuffered/none /sub/none
                /none?chunked=1 /unbuffered/success?chunked=1))
{
    my ($mark, @s) = fill($port, $uri, 4, slow => 1);

    mark("$mark-go");
    sleep 0.15;

    my ($other, $fifth) = fill($port, '/none', 1);
    mark("$other-go");

    is(told(read_all($fifth)), '200 undecided hold_total',
       "$uri: slow clients keep the held bytes");

    my ($what) = $uri =~ m{(\w+)(?:\?|$)};
    my $bodies = grep { read_all($_)->{body} eq $body{$what} } @s;

    is($bodies, 4, '... and get all of it');

    room_ok('... after them');
}


# what a client has taken is no longer in memory, though its response goes on

for my $uri (qw(/success /error /none?chunked=1 /unbuffered/success)) {
    my $sep = $uri =~ /\?/ ? '&' : '?';
    my ($mark, @s) = fill($port, $uri =~ s/none/success/r . "${sep}end=more", 4);

    mark("$mark-go");

    # all but the end

    for my $s (@s) {
        my $bytes = '';
        local $SIG{ALRM} = sub { die "timeout\n" };
        alarm 20;
        1 while $bytes !~ /"code":/
                && sysread $s, $bytes, 65536, length $bytes;
        alarm 0;
    }

    room_ok("$uri goes on");
    mark("$mark-more");
    read_all($_) for @s;
}


# every other end

my %ends = (
    'vendor resets' => ['/none?end=reset', sub { mark("$_[0]-go") }],
    'vendor cuts' => ['/none?end=cut', sub { mark("$_[0]-go") }],
    'client aborts' => ['/none', sub { reset_on_close($_) for @_[1 .. $#_] }],
    'client aborts, unbuffered' => ['/unbuffered/none',
                         sub { reset_on_close($_) for @_[1 .. $#_] }],
    'problem' => ['/problem/error', sub { mark("$_[0]-go") }],
    'error page' => ['/page/error', sub { mark("$_[0]-go") }],
    'timeout' => ['/short/none', sub { sleep 0.3; mark("$_[0]-go") }],
    'gzip' => ['/none?gzip=1', sub { mark("$_[0]-go") }],
    'pattern' => ['/text/none', sub { mark("$_[0]-go") }],
    'pattern, client aborts' => ['/text/none',
                         sub { reset_on_close($_) for @_[1 .. $#_] }],
    'gzip, client aborts' => ['/none?gzip=1',
                         sub { reset_on_close($_) for @_[1 .. $#_] }],
    'subrequest' => ['/ssi', sub { mark("$_[0]-go") }],
);

for my $end (sort keys %ends) {
    my ($uri, $sub) = @{ $ends{$end} };
    my ($mark, @s) = fill($port, $uri, 2);

    $sub->($mark, @s);

    if ($end =~ /client/) {
        close $_ for @s;
        sleep 0.15;
        mark("$mark-go");

    } else {
        read_all($_) for @s;
    }

    room_ok($end);
}

# slow clients that go away

{
    my ($mark, @s) = fill($port, '/none', 4, slow => 1);

    mark("$mark-go");
    sleep 0.15;
    reset_on_close($_) for @s;
    close $_ for @s;
    sleep 0.15;

    room_ok('slow clients abort');
}


# a worker has its own total, also after a reload

{
    my ($mark, @s) = fill($port, '/none', 4);

    reload($edge);
    room_ok('the new worker');

    mark("$mark-go");
    is(join(', ', map { told(read_all($_)) } @s),
       join(', ', ('200 none no_code') x 4), '... and the old one');
}


# decoders and texts count

my $other = start(port => $small, http => "error_map_hold_total 40k;\n"
                                          . "charset_map koi8-r utf-8 { }"
                                          . $http =~ s/%PORT%/$small/r);

is(told(get($small, '/none?gzip=1')), '200 undecided hold_total',
   'there is no room for a decoder');
is(told(get($small, '/text/none')), '200 undecided hold_total',
   '... for a text');

# an alert tells if a worker ends with anything left

stop($_) for $edge, $other;
done_testing();
