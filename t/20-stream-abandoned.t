# nginx ends an upstream that breaks its protocol with an error, and passes
# nothing on any more: the bytes held by then leave as without the module.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream qw(exchange_all request);
use ErrorMapHttp qw(version);
use Test::More;
use Time::HiRes qw(sleep);

my $part = '{"d":"0123456789","s":';
my $long = '{"s":42505,"d":"' . join '', 'abc' .. 'cde';

# HTTP/1.1: after a good chunk comes something else

my $chunked = vendor(sub {
    my ($s, $request) = @_;

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             . "Transfer-Encoding: chunked\r\n\r\n";
    sleep 0.05 if $request =~ /slow/;

    if ($request =~ /long/) {

        # the code and the invalid bytes come in two reads

        sleep 0.1;
        print $s sprintf("%x\r\n", length $long) . "$long\r\nno chunk\r\n";
        sleep 0.1;
        return 0;
    }

    print $s sprintf("%x\r\n", length $part) . "$part\r\n";
    sleep 0.3;
    print $s "no chunk\r\n";
    sleep 0.1;
    return 0;
});

# FastCGI: a record of no version

sub record {
    my ($type, $text) = @_;

    return pack('CCnnCx', 1, $type, 1, length $text, 0) . $text;
}

my $fastcgi = vendor(sub {
    my ($s) = @_;
    my $request = '';

    while ($request !~ /\x01\x05..\x00\x00.\x00$/s) {
        sysread $s, $request, 65536, length $request or return;
    }

    print $s record(6, "Content-Type: application/json\r\n\r\n");
    sleep 0.05;
    print $s record(6, $part);
    sleep 0.3;
    print $s "\0" x 64;
    sleep 0.1;
}, raw => 1);

# HTTP/2: a reset of the stream, or another length than was said

sub h2_frame {
    my ($type, $flags, $stream, $text) = @_;

    return substr(pack('N', length $text), 1) . pack('CCN', $type, $flags,
                                                     $stream) . $text;
}

sub h2_vendor {
    my ($how) = @_;

    return vendor(sub {
        my ($s) = @_;
        my $request = '';

        # up to the end of the request's header

        while ($request !~ /\x00\x00.\x01[\x05\x25]\x00\x00\x00\x01/s) {
            sysread $s, $request, 65536, length $request or return;
        }

        my $length = sprintf '%d', length($part) - ($how eq 'long' ? 4 : -9);
        my $header = "\x88\x0f\x10\x10application/json"
                     . ($how eq 'reset' ? '' : "\x0f\x0d"
                        . chr(length $length) . $length);

        print $s h2_frame(4, 0, 0, '') . h2_frame(4, 1, 0, '')
                 . h2_frame(1, 4, 1, $header);
        sleep 0.05;
        print $s h2_frame(0, 0, 1, substr $part, 0, 9);
        sleep 0.05;
        print $s h2_frame(0, 0, 1, substr $part, 9) if $how ne 'long';
        sleep 0.3;
        print $s $how eq 'reset' ? h2_frame(3, 0, 1, pack 'N', 2)
                 : $how eq 'long' ? h2_frame(0, 1, 1, substr($part, 9) . 'x')
                 : h2_frame(0, 1, 1, '');
        sleep 0.1;
    }, raw => 1);
}

my %h2 = map { $_ => h2_vendor($_) } qw(reset long short);

my %pass = (
    chunked => "proxy_http_version 1.1; proxy_pass http://127.0.0.1:$chunked;",
    fastcgi => "fastcgi_pass 127.0.0.1:$fastcgi;",
    map { ("grpc-$_" => "grpc_pass 127.0.0.1:$h2{$_};") } keys %h2,
);

if (version() >= 1029004) {
    $pass{"proxy-$_"} = "proxy_http_version 2;"
                        . " proxy_pass http://127.0.0.1:$h2{$_};" for keys %h2;
}

my %more = (
    off => 'error_map off;',
    on => '',
    dry => 'error_map_dry_run on;',
    upstream => 'error_map_upstream on;',
    problem => 'error_map_body problem;',
    page => 'error_map_intercept on; error_page 402 /page;',
);

my $locations = '';

for my $kind (sort keys %pass) {
    for my $name (sort keys %more) {
        for my $buffering (qw(on off)) {
            $locations .= "location /$kind/$name/$buffering {"
                          . " proxy_buffering $buffering;"
                          . " fastcgi_buffering $buffering; $more{$name}"
                          . " $pass{$kind} }\n";
        }
    }
}

my $port = free_port();

my $edge = start(port => $port, http => <<"END");
    error_map_document acme {
        source json /s;
        42505 402 RESOURCE_EXHAUSTED "busy";
    }

    error_map_hold_timeout 10s;
    postpone_output 0;
    proxy_buffer_size 4k;

    server {
        listen 127.0.0.1:$port;
        error_map acme;
        add_header X-Verdict \$error_map_verdict always;

        location = /page { return 402 page; }

        $locations
    }
END

my @jobs;

sub job {
    my ($uri) = @_;

    push @jobs, $uri;
}

for my $kind (sort keys %pass) {
    for my $name ('off', grep { $_ ne 'off' } sort keys %more) {
        job("/$kind/$name/$_") for qw(on off);
    }
}

job("/chunked/$_/off?slow") for sort keys %more;

my @codes = map { "/chunked/$_/off?long" } qw(on page problem);

job($_) for @codes;

my %r;

@r{@jobs} = map { parse($_->{bytes}) }
            exchange_all(map { { port => $port, request => request($_) } }
                         @jobs);

for my $uri (@codes) {
    my $r = delete $r{$uri};

    is($r->{status}, 402, "the code was there: $uri");

    # the vendor's body is dropped for the page

    like($r->{body}, $uri =~ /problem/ ? qr/"code":"42505"/
                     : $uri =~ /page/ ? qr/^$/
                     : qr/^\Q{"s":42505,"d":"abc/, '... its body');
}

for my $uri (grep { $r{$_} } @jobs) {
    my ($kind, $name, $buffering, $args)
        = $uri =~ m{^/([\w-]+)/(\w+)/(\w+)(.*)};
    my ($r, $off) = ($r{$uri}, $r{"/$kind/off/$buffering$args"});
    my $got = "$r->{status} $r->{body}";

    if ($name eq 'off') {

        # nginx itself has sent what came, if it does not buffer it

        is($got, "200 $part", "nginx alone: $uri")
            if $buffering eq 'off' && $kind !~ /long/;
        next;
    }

    # buffered bytes are lost to nginx itself

    if ($off->{body} ne '') {
        is($got, "200 $off->{body}", $uri);

    } else {
        like("$got|", qr/^(?:0 |200 (?:\Q$part\E)?)\|$/, $uri);
    }

    is($r->{complete}, $off->{complete}, '... its end');
}

stop($edge);
done_testing();
