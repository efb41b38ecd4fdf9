package ErrorMapHttp;

# One body for each verdict and size, the expected response as compared with the
# same proxy without the filter, and a client for connections that stay open.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use ErrorMap ();
use Exporter qw(import);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(@cases %cases verdict case_vendor @ports both edge edge_ok
                 same_ok shown connection ask h2 version);

# the ports for both(): with the filter, and without

our @ports;


# Bodies of the document tencent_iotvideo, for the default hold size: "late"
# ones are longer than the part that comes with the header.

our @cases = (
    { name => 'mapped', status => 402, code => 42505,
      class => 'RESOURCE_EXHAUSTED',
      body => '{"Code":500,"StatusCode":42505,"Message":"busy"}' },

    { name => 'mapped-to-200', status => 200, code => 40001,
      class => 'INVALID_ARGUMENT',
      body => '{"Code":500,"StatusCode":40001,"Message":"bad"}' },

    { name => 'unknown', code => 99999, class => 'UNKNOWN',
      body => '{"Code":500,"StatusCode":99999,"Message":"?"}' },

    { name => 'success',
      body => '{"Code":0,"StatusCode":200,"Message":"","Data":"fine"}' },

    { name => 'none', body => '{"Code":0,"Data":[1,2,{"StatusCode":42505}]}' },

    { name => 'late-mapped', status => 402, code => 42505,
      class => 'RESOURCE_EXHAUSTED',
      body => '{"Data":"' . 'x' x 20000 . '","StatusCode":42505}' },

    { name => 'late-success',
      body => '{"Data":"' . 'x' x 20000 . '","StatusCode":200}' },

    { name => 'late-none', body => '{"Data":"' . 'x' x 20000 . '"}' },

    { name => 'undecided',
      body => '{"Data":"' . 'x' x 200000 . '","StatusCode":42505}' },

    { name => 'long-mapped', status => 402, code => 42505,
      class => 'RESOURCE_EXHAUSTED',
      body => '{"StatusCode":42505,"Data":"' . 'x' x 500000 . '"}' },

    { name => 'long-success',
      body => '{"StatusCode":0,"Data":"' . 'x' x 500000 . '"}' },
);

our %cases = ((map { $_->{name} => $_ } @cases),
              empty => { name => 'empty', body => '' });

for my $case (@cases) {

    # all parts of a body differ

    $case->{body} =~ s{(x{7,})}
                      {substr join('', map { sprintf '%07d', $_ }
                                       0 .. length($1) / 7), 0, length $1}e;
}


sub verdict {
    my ($case) = @_;

    return $case->{name} =~ /(mapped|unknown|success|undecided)/ ? $1 : 'none';
}


# case_vendor(sub { my ($request, $n) = @_; return 'headers' })
#
# A vendor, as of ErrorMap::vendor(), that answers /framing/case: with a
# Content-Length ("length"), in chunks ("chunked"), until it closes ("close") or
# over HTTP/1.0 ("old").  The argument "wait" delays the body, "status=404" sets
# the status.  The sub, if any, returns more headers.

sub case_vendor {
    my ($headers) = @_;

    return ErrorMap::vendor(sub {
        my ($s, $request, $n) = @_;

        my ($method, $framing, $name, $args)
            = $request =~ m{^(\S+) /(\w+)/([\w-]+)\??(\S*)};

        my $status = $args =~ /status=(\d+)/ ? $1 : 200;
        my $body = $cases{$name}{body};
        my $head = ($framing eq 'old' ? 'HTTP/1.0' : 'HTTP/1.1')
            . " $status Fine\r\nContent-Type: application/json\r\n"
            . "ETag: \"$name\"\r\nAccept-Ranges: bytes\r\n"
            . "Last-Modified: Mon, 28 Sep 1970 06:00:00 GMT\r\n"
            . ($headers ? $headers->($request, $n) : '');

        if ($framing eq 'length') {
            $head .= 'Content-Length: ' . length($body) . "\r\n";

        } elsif ($framing eq 'chunked') {
            $head .= "Transfer-Encoding: chunked\r\n";
            $body =~ s/(.{1,3000})/sprintf "%x\r\n%s\r\n", length $1, $1/gse;
            $body .= "0\r\n\r\n";

        } else {
            $head .= "Connection: close\r\n";
        }

        $head .= "\r\n";
        $body = '' if $method eq 'HEAD';

        if ($args =~ /wait/) {
            print $s $head;
            sleep 0.02;
            $head = '';
        }

        print $s $head . $body;

        return $framing eq 'length' || $framing eq 'chunked';
    });
}


# edge(response without the filter, case, body if not the case's)
#
# The expected response with the filter, which always has X-Verdict.

sub edge {
    my ($r, $case, $body) = @_;

    return $r if !$r->{line};

    my $status = $case->{status} || $r->{status};
    my $edge = { %$r, headers => { %{ $r->{headers} } },
                 body => defined $body ? $body : $case->{body} };

    $edge->{headers}{'x-verdict'} = [verdict($case)];

    return $edge if !$case->{code};

    if ($status != $r->{status}) {
        my $phrase = $status == 402 ? 'Payment Required'
                     : $status == 403 ? 'Forbidden' : 'OK';

        $edge->{status} = $status;
        $edge->{line} =~ s{^(HTTP/1\.\d) .*}{$1 $status $phrase}
            or $edge->{line} =~ s{ \d+}{ $status};

        delete @{ $edge->{headers} }{qw(accept-ranges cache-control
                                          content-range etag last-modified)};
    }

    $edge->{headers}{'x-error-source'} = ['tencent_iotvideo'];
    $edge->{headers}{'x-error-code'} = [$case->{code}];
    $edge->{headers}{'x-error-class'} = [$case->{class}];
    $edge->{headers}{'x-upstream-status'} = [$r->{status}];

    return $edge;
}


# edge_ok(with, without, case, name, body as of edge()): one test, a response is
# the expected one

sub edge_ok {
    my ($with, $without, $case, $name, $body) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is(shown($with), shown(edge($without, $case, $body)), $name);
}


# same_ok(with, without, name, header, ...): one test, a response is the one
# without the filter, except X-Verdict and the headers named in lower case

sub same_ok {
    my ($with, $without, $name, @but) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is(shown($with, 'x-verdict', @but),
              shown($without, 'x-verdict', @but), $name);
}


# shown(response, header, ...): a response as text that can be compared: its
# status line, its headers sorted by name, without Date, Connection and those
# named in lower case, and its body; every multipart boundary is the same

sub shown {
    my ($r, @but) = @_;

    my $headers = $r->{headers};
    my %but = map { $_ => 1 } 'date', 'connection', @but;
    my $body = $r->{body};
    my ($boundary) = ($headers->{'content-type'}[0] || '') =~ /boundary=(\d+)/;

    $body =~ s/$boundary/boundary/g if $boundary;

    $body = length($body) . ' bytes, MD5 ' . md5_hex($body)
        if length $body > 300;

    return join "\n", $r->{line} || 'no response',
        (map { my $name = $_; map { s/(?<=boundary=)\d+//r }
                              map { "$name: $_" } @{ $headers->{$name} } }
         grep { !$but{$_} } sort keys %$headers),
        '', $body, $r->{complete} ? () : 'incomplete';
}


# connection(port): one for ask(), which stays open

sub connection {
    my ($port) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
        or die "connect: $!";

    return { socket => $s, bytes => '' };
}


# ask(connection, request, head => 1 if no body follows, timeout => s)
#
# Sends a request on a connection, and reads one response, as parse() returns
# it; the bytes after it are kept for the next call, whose request may be empty.

sub ask {
    my ($c, $request, %arg) = @_;

    my $select = IO::Select->new($c->{socket});
    my $end = time + ($arg{timeout} || 10);

    local $SIG{PIPE} = 'IGNORE';
    syswrite $c->{socket}, $request if $request ne '';

    for ( ;; ) {
        my ($rest, $r);

        if ($c->{bytes} =~ /\r\n\r\n/) {
            $r = ErrorMap::parse($c->{bytes});

            if ($arg{head} || $r->{status} =~ /^(?:1..|204|304)$/) {
                $rest = $r->{raw};

            } elsif (defined $r->{trailer}) {
                $rest = $1 if $r->{trailer} =~ /^(?:[^\r]+\r\n)*\r\n(.*)/s;

            } elsif (defined(my $n = $r->{headers}{'content-length'}[0])) {
                $rest = substr $r->{raw}, $n if length $r->{raw} >= $n;
            }
        }

        if (defined $rest) {
            $c->{bytes} = $rest;
            $r->{complete} = 1;

            $r->{body} = substr $r->{raw}, 0,
                                length($r->{raw}) - length($rest)
                if !defined $r->{trailer};

            return $r;
        }

        my $left = $end - time;

        if ($left <= 0 || !$select->can_read($left)
            || !sysread $c->{socket}, $c->{bytes}, 65536, length $c->{bytes})
        {
            return { status => 0, headers => {}, body => $c->{bytes},
                     complete => 0 };
        }
    }
}


# both(uri, method => 'GET', headers => "Name: value\r\n...")
#
# The responses to one request with and without the filter, over connections
# that stay open until nginx closes them.

my %connection;

sub both {
    my ($uri, %arg) = @_;

    my $method = $arg{method} || 'GET';
    my @r;

    for my $port (@ports) {
        my $c = $connection{$port} ||= connection($port);
        my $r = ask($c, "$method $uri HTTP/1.1\r\nHost: e\r\n"
                        . ($arg{headers} || '') . "\r\n",
                    head => $method eq 'HEAD');

        delete $connection{$port}
            if !$r->{complete}
               || ($r->{headers}{connection}[0] || '') eq 'close';

        push @r, $r;
    }

    return @r;
}


# h2(port, uri, head => 1): one request over HTTP/2, with curl; the response as
# parse() returns it, without raw

sub h2 {
    my ($port, $uri, %arg) = @_;

    my $dir = tempdir(CLEANUP => 1);
    my $status = system 'curl', '-s', '-m', '20', '--http2-prior-knowledge',
        '-D', "$dir/head", '-o', "$dir/body",
        $arg{head} ? '-I' : (), "http://127.0.0.1:$port$uri";

    my ($line, @lines) = split /\r\n/, ErrorMap::slurp("$dir/head");
    my $r = { line => $line, status => (split / /, $line || '0 0')[1],
              body => $arg{head} ? '' : ErrorMap::slurp("$dir/body"),
              headers => {}, complete => $status == 0 };

    for (@lines) {
        my ($name, $value) = split /: /, $_, 2;
        push @{ $r->{headers}{lc $name} }, $value;
    }

    return $r;
}


# nginx's version as a number: 1.22.1 is 1022001

sub version {
    my @v = qx(@{[ErrorMap::nginx()]} -v 2>&1) =~ m{/(\d+)\.(\d+)\.(\d+)};

    return $v[0] * 1000000 + $v[1] * 1000 + $v[2];
}


1;
