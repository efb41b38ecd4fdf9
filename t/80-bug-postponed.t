# Held bytes that wait for a subrequest: a client has them once it has ended, as
# without the filter, though the vendor sends nothing more for now.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream qw(exchange_all request);
use Test::More;
use Time::HiRes qw(sleep);

my ($port, $hold) = (free_port(), '200ms');

# SIZE bytes of a text, and then nothing for long

my $vendor = vendor(sub {
    my ($s, $head) = @_;

    my ($size) = $head =~ m{^GET \S*/(\d+) };

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
             '{"p":"', 'x' x ($size - 6);
    sleep 3;

    return 0;
});

# what others wait for

my $slow = vendor(sub {
    my ($s) = @_;

    sleep 0.7;
    print $s "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
             . "Content-Length: 4\r\n\r\nslow";

    return 0;
});

my @edges = ('off', 'on', 'upstream');
my %conf = (off => '', on => 'error_map acme;',
            upstream => 'error_map acme; error_map_upstream on;');

my $locations = join '', map { my $edge = $_; map { <<"END" } 'on', 'off';
    location /$edge/$_/ {
        $conf{$edge}
        proxy_buffering $_;
        proxy_pass http://127.0.0.1:$vendor;
    }

    location /added/$edge/$_/ {
        $conf{$edge}
        proxy_buffering $_;
        addition_types application/json;
        add_before_body /before;
        proxy_pass http://127.0.0.1:$vendor;
    }

    location /added-slow/$edge/$_/ {
        $conf{$edge}
        proxy_buffering $_;
        addition_types application/json;
        add_before_body /slow;
        proxy_pass http://127.0.0.1:$vendor;
    }
END
} @edges;

my $server = start(port => $port, http => <<"END");
    error_map_document acme {
        source  json /code;
        1001    503 UNAVAILABLE "busy";
    }

    proxy_http_version 1.1;
    error_map_hold_timeout $hold;

    server {
        listen 127.0.0.1:$port;

        $locations

        location = /before { return 200 before; }
        location = /slow { proxy_pass http://127.0.0.1:$slow; }

        location ~ ^/ssi(/.*) {
            ssi on;
            default_type text/html;
            return 200 '<!--# include virtual="/slow" --><!--# include
                        virtual="\$1" -->';
        }
    }
END

# the vendor's text in what a client has by now

sub text {
    my ($bytes) = @_;

    my (undef, $body) = split /\r\n\r\n/, $bytes, 2;

    return ($body // '') =~ tr/x//;
}


# what each edge has sent until the vendor goes on

my @cases = map { my $place = $_; map { my $buffering = $_;
                  map { [$place, $buffering, $_] } 30, 3000, 40000
            } 'off', 'on' } qw(added added-slow ssi);

sub uris {
    my ($place, $buffering, $size) = @{ $_[0] };

    return map { "/$place/$_/$buffering/$size" } @edges;
}

my @results = exchange_all(map { {
    port => $port, request => request($_), abort => 2
} } map { uris($_) } @cases);

for my $case (@cases) {
    my (undef, $buffering, $size) = @$case;
    my @uris = uris($case);
    my ($off, @on) = map { text($_->{bytes}) } splice @results, 0, 3;

    # a buffer that is not full waits, without the filter, too

    cmp_ok($off, '>', $buffering eq 'off' ? $size - 7 : $size / 2,
           "$uris[0]: a part comes")
        if $buffering eq 'off' || $size > 4096;

    cmp_ok($on[$_], '>=', $off, "$uris[$_ + 1]: as much as without the filter")
        for 0, 1;
}

stop($server);

done_testing();
