package ErrorMapUpstream;

# Vendors that answer as a URI says, with real statuses or without, over all
# protocols of upstreams.

use strict;
use warnings;

use ErrorMap;
use Exporter qw(import);
use Time::HiRes qw(sleep);

our @EXPORT = qw(http_vendor cgi_vendor cgi_protocols cgi_complete side);


my %said = (503 => 'Busy', 429 => 'Slow down', 403 => 'No', 402 => 'Pay',
            500 => 'Oops', 200 => 'OK');

sub split_at {
    my ($s, $when, @parts) = @_;

    # the second part has the code then

    if ($when && $parts[1] ne '') {
        print $s $parts[0] . substr $parts[1], 0, 3;
        sleep 0.02;
        print $s substr $parts[1], 3;

    } else {
        print $s join '', @parts;
    }
}

# true if a request is complete

sub whole {
    my ($head, $body) = $_[0] =~ /^(.*?\r\n)\r\n(.*)/s or return 0;

    return $head !~ /^Content-Length: (\d+)/mi || length $body >= $1;
}

# http_vendor(name, sub { my ($name, $uri, $real, $request_body, $n) = @_; ... })
#
# Starts an HTTP vendor.  The sub returns the status, headers and the body of a
# response, or nothing to close the connection; $real is true if the request has
# the header X-Real.  A URI with "later" splits the response, "chunked" sends it
# in a chunk, and with "reval" its ETag is matched.

sub http_vendor {
    my ($name, $answer) = @_;

    return vendor(sub {
        my ($s) = @_;
        my $bytes = '';

        for (my $n = 0; ; $n++) {
            while (!whole($bytes)) {
                sysread $s, $bytes, 65536, length $bytes or return;
            }

            my ($request, $body) = $bytes =~ /^(.*?\r\n)\r\n(.*)/s;
            my ($method, $uri) = $request =~ /^(\S+) (\S+)/;
            $bytes = '';

            my ($status, $head, $text)
                = $answer->($name, $uri, scalar($request =~ /^X-Real:/m),
                            $body, $n)
                or return;

            my $length = length $text;
            $text = '' if $method eq 'HEAD';

            if ($head =~ /^ETag: (.*)\r$/m
                && $request =~ /^If-None-Match: \Q$1\E\r$/m
                && $uri =~ /reval/)
            {
                ($status, $text) = (304, '');
            } elsif ($uri =~ /chunked/) {
                $head .= "Transfer-Encoding: chunked\r\n";
                $text = sprintf("%x\r\n%s\r\n0\r\n\r\n", length $text, $text)
                    if $text;
            } else {
                $head .= "Content-Length: $length\r\n";
            }

            split_at($s, scalar($uri =~ /later/),
                     "HTTP/1.1 $status " . ($said{$status} || 'Fine')
                     . "\r\n$head\r\n", $text);
        }
    }, raw => 1);
}

# the same for the other protocols; nginx sends the URI and X-Real in <>

my %complete = (
    uwsgi => sub { length $_[0] >= 4
                   && length $_[0] >= 4 + unpack 'x v', $_[0] },
    scgi => sub { $_[0] =~ /^(\d+):/
                  && length $_[0] >= length("$1:,") + $1 },
    fastcgi => sub { $_[0] =~ /\x01\x05..\x00\x00.\x00$/s },
);

sub cgi_complete {
    my ($protocol, $bytes) = @_;

    return $complete{$protocol}->($bytes);
}

sub cgi_protocols {
    return sort keys %complete;
}

sub cgi_vendor {
    my ($name, $protocol, $answer) = @_;

    return vendor(sub {
        my ($s) = @_;
        my $bytes = '';

        while (!cgi_complete($protocol, $bytes)) {
            sysread $s, $bytes, 65536, length $bytes or return;
        }

        my ($uri, $real) = $bytes =~ /<(\S+) (1?)>/ or return;
        my ($status, $head, $text) = $answer->($name, $uri, $real, '', 0)
            or return;

        my @parts = ("Status: $status Fine\r\n${head}Content-Length: "
                     . length($text) . "\r\n\r\n", $text);

        if ($protocol eq 'fastcgi') {

            # Records of any size, with padding, and one of stderr in between.
            # Two of them have the code's digits.

            my $at = index($text, ':') + 2;

            @parts = map { pack('CCnnCx', 1, $_->[0], 1, length $_->[1], 5)
                           . "$_->[1]....." }
                     [6, substr $parts[0], 0, 9], [7, 'warning'],
                     [6, substr($parts[0], 9) . substr $text, 0, $at],
                     [7, 'another {"code":402}'], [6, substr $text, $at];

            push @parts, pack 'CCnnCx Nx4', 1, 3, 1, 8, 0, 0;

            @parts = (join('', @parts[0 .. 2]), join('', @parts[3 .. 5]));
        }

        split_at($s, scalar($uri =~ /later/), @parts);
    }, raw => 1);
}


# side(name, setup, more): the upstreams and the locations of one side of a
# comparison, as text.  A setup is [name, servers, location, protocol or URL];
# in all of it %S is the side, and each key of more its value.

sub side {
    my ($side, $setup, $more) = @_;
    my ($upstreams, $locations) = ('', '');

    for (@$setup) {
        my ($name, $servers, $location, $pass) = @$_;

        my $upstream = "$side-$name";

        $pass = 'http://%U' if !defined $pass;
        $pass = $pass =~ /^\w+$/ ? "${pass}_pass $upstream"
                                 : "proxy_pass $pass";
        $pass =~ s/%U/$upstream/;
        $pass =~ s/%N/$name/;

        $upstreams .= "upstream $upstream { $servers }\n";
        $locations .= "location = /$name { $location $pass; }\n";
    }

    for my $text ($upstreams, $locations) {
        for my $key (sort keys %$more) {
            $text =~ s/$key/$more->{$key}/g;
        }

        $text =~ s/%S/$side/g;
    }

    return ($upstreams, $locations);
}

1;
