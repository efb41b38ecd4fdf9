# Bytes after the Content-Length are no part of the body, whichever way reads
# them: neither a code nor the rest of one is found there, and the client gets
# what it gets without the filter.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream qw(put query);
use Test::More;
use Time::HiRes qw(sleep);

# the body, what follows it, the verdict, the status

my @cases = (
    ['the code follows', '{"Data":"0123456789abcdef",', '"StatusCode":42505}',
     'none malformed ', 200],
    ['a short body', '{"D":0,', '"StatusCode":42505,"Data":"0123456789abcdef"}',
     'none malformed ', 200],
    ['a digit follows', '{"Data":"0123456789abcdef","StatusCode":4250', '5}',
     'none malformed ', 200],
    ['a digit follows, blanks', '{"Data":"0123456789", "StatusCode": 4250',
     '5, "Message":"0123456789abcdef"}', 'none malformed ', 200],
    ['a string goes on', '{"Data":"0123456789abcdef","StatusCode":"4250',
     '5","a":1}', 'none malformed ', 200],
    ['a comma follows', '{"Data":"0123456789abcdef","StatusCode":42505',
     ',"StatusCode":200}', 'none malformed ', 200],
    ['another text follows', '{"StatusCode":200,"Data":"0123456789abcdef"}',
     '{"StatusCode":42505,"Data":"0123456789abcdef"}', 'success  200', 200],
    ['a success follows', '{"StatusCode":42505,"Data":"0123456789abcdef"}',
     '{"StatusCode":200,"Data":"0123456789abcdef"}', 'mapped  42505', 402],
);

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my %arg = query($request);
    my (undef, $body, $more) = @{ $cases[$arg{case}] };

    put($s, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            . 'Content-Length: ' . length($body) . "\r\n\r\n"
            . ($arg{late} ? '' : $body . $more));

    if ($arg{late}) {
        sleep 0.02;
        put($s, $body . $more);
    }

    return 0;
});

my $port = free_port();

my $server = start(port => $port, http => <<"END");
    error_map tencent_iotvideo;
    add_header X-V "\$error_map_verdict \$error_map_reason \$error_map_code"
               always;

    server {
        listen 127.0.0.1:$port;

        location /on { proxy_pass http://127.0.0.1:$vendor; }
        location /off { error_map off; proxy_pass http://127.0.0.1:$vendor; }

        location /unbuffered/on {
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /unbuffered/off {
            error_map off;
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /upstream/on {
            error_map_upstream on;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /upstream/off {
            error_map off;
            proxy_pass http://127.0.0.1:$vendor;
        }
    }
END

for my $n (0 .. $#cases) {
    my ($name, $body, undef, $verdict, $status) = @{ $cases[$n] };

    for my $place ('', '/unbuffered', '/upstream') {
        for my $late (0, 1) {
            my ($r, $bare) = map { get($port, "$place/$_?case=$n&late=$late") }
                             qw(on off);

            my $where = "$name$place" . ($late ? ', late' : '');

            is("$r->{status} " . ($r->{headers}{'x-v'}[0] // ''),
               "$status $verdict", $where);
            is($r->{body}, $bare->{body}, '... the same body');
            is($r->{body}, $body, '... of its length');
        }
    }
}

stop($server);

done_testing();
