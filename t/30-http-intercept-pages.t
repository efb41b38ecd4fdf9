# error_map_intercept: the location's error page takes the place of a mapped
# response, however late its code comes.  nginx must handle a mapped response as
# it handles a real 402 with proxy_intercept_errors.

use strict;
use warnings;

use ErrorMap;
use ErrorMapIntercept;
use Test::More;

my $server = intercept(edge => <<"END");
        location = /page/own {
            error_map_header X-Own "\$error_map_code \$error_map_class";
            error_map_proxy_status edge;
            return 200 own;
        }

        location /own/ { error_page 402 /page/own; $pass; }
END

pages_ok('all pages', map {
    my $way = $_;
    map { my $mode = $_; map { [$_->[0], $mode, $way] } @pages } qw(on off)
} @ways);


# ... in the log

my @lines;

wait_for(sub {
    @lines = split /\n/, slurp("$server->{dir}/access.log");
    return @lines == 2 * @ways * @pages;
});

is(scalar @lines, 2 * @ways * @pages, 'they are logged');

for (@lines) {
    my ($uri, $status, $logged) = /^(\S+) (\d+) (.*)/;
    my ($page) = $uri =~ m{^/\w+/([\w-]+)/};

    is("$status $logged", plain($uri)->{status}
                          . " $logged{ $pages{$page}[2] }", "log of $uri");
}


# the location of the page sets the headers

for my $when (qw(early later)) {
    my $r = get($port, "/own/?when=$when");

    is($r->{status}, 402, "headers of the page, $when");
    is($r->{headers}{'x-own'}[0], '402 INTERNAL', '... are set');
    is($r->{headers}{'x-error-code'}, undef, '... without the default ones');
    is($r->{headers}{'proxy-status'}[0],
       'edge; received-status=200; details="acme 402 INTERNAL"',
       '... with Proxy-Status');
}


# compressed bodies

pages_ok('gzip', map {
    my $page = $_;
    map { [$page, 'gunzip', $_, '&gzip=1'] } @ways[0 .. 5]
} qw(return static to-200 proxied second));


# A long body after the code, and one that does not end: the client does not
# wait, and the vendor's connection is closed.

my @some = qw(return static to-200 proxied second redirect);

for my $end ('rest=1000000', 'rest=2100000&end=dribble') {
    pages_ok($end, map {
        my $way = $_;
        map { my $mode = $_; map { [$_, $mode, $way, "&$end"] } @some
            } qw(on off)
    } @ways[0 .. 5]);
}

is(await('gone', 2 * 6 * @some), 2 * 6 * @some,
   'no connection to a vendor is left');


# a vendor breaks off after the code, or after a full buffer

for my $end (qw(fin rst)) {
    pages_ok($end, map {
        my ($when, $framing) = my @way = @$_;

        map {
            my $mode = $_;
            my $more = $when eq 'later' && $mode eq 'on' ? 9000 : 0;

            map { [$_, $mode, \@way, "&rest=20000&end=$end&more=$more"] } @some
        } qw(on off)
    } @ways[0 .. 5]);
}

stop($server);
done_testing();
