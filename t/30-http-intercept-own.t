# error_map_intercept with local responses, the cache and subrequests.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp qw(ask connection shown);
use ErrorMapIntercept;
use Test::More;

my $server = intercept(both => <<"END_OF_BOTH", edge => <<"END");
        # the arguments name the location that the page includes

        location /ssi/ {
            ssi on;
            types { text/html html; }
            alias $dir/;
        }
END_OF_BOTH
        # local responses, and the cache

        location /local/return {
            error_page 402 /page/return;
            default_type application/json;
            return 200 '{"code":402}';
        }

        location /local/ {
            error_page 402 /page/return;
            default_type application/json;
            alias $dir/;
        }

        location /local-threads/ {
            sendfile off;
            aio threads;
            error_page 402 /page/return;
            default_type application/json;
            alias $dir/;
        }

        location /fill/ {
            error_map_intercept off;
            proxy_cache cache;
            proxy_cache_valid 200 1m;
            proxy_cache_key \$arg_key;
            add_header X-Cache \$upstream_cache_status always;
            $pass;
        }

        location /cached/ {
            proxy_cache cache;
            proxy_cache_valid 200 1m;
            proxy_cache_key \$arg_key;
            proxy_cache_lock on;
            error_page 402 /page/\$arg_page;
            $pass;
        }

        location /cached-threads/ {
            sendfile off;
            aio threads;
            proxy_cache cache;
            proxy_cache_valid 200 1m;
            proxy_cache_key \$arg_key;
            error_page 402 /page/\$arg_page;
            $pass;
        }

        location /ranges/ {
            proxy_cache cache;
            proxy_cache_valid 200 1m;
            proxy_cache_key \$arg_key;
            error_page 402 = /page/created;
            $pass;
        }

        location = /page/cache-status {
            add_header X-Cache \$upstream_cache_status always;
            return 200 page;
        }

        location /guarded/ {
            auth_request /guard;
            default_type text/plain;
            alias $dir/;
        }

        location = /guard { error_page 402 /page/return; $pass/?code=402; }
END

spew("$dir/small.json", '{"a":1,"code":402}');
spew("$dir/large.json",
     '{"code":402,"rest":"' . 'x' x 3_000_000 . '"}');

my $include = '<!--# include virtual="/$arg_mode/$arg_page/x?$args" ';

spew("$dir/page.html", "[$include -->]");
spew("$dir/stub.html", '[<!--# block name="stub" -->stub'
                       . "<!--# endblock -->${include}stub=\"stub\""
                       . ' -->]');


# local responses

for my $uri ('local/return', 'local/small.json', 'local/large.json',
             'local-threads/small.json', 'local-threads/large.json')
{
    my $c = connection($port);

    for my $n (1 .. 10) {
        page_ok(ask($c, "GET /$uri HTTP/1.1\r\nHost: e\r\n\r\n"),
                plain(uri('return', 'on', $ways[0])), 'return', "$uri, $n");
    }
}


# ... and the cache

my $key = 0;

for my $place (qw(cached cached-threads)) {
    for my $way (@ways[0, 1, 3, 4]) {
        for my $rest (0, 300000) {
            $key++;

            my $uri = "x?key=$key&plain=1&ranges=1&when=$way->[0]"
                      . "&framing=$way->[1]&rest=$rest&pause=0.005&page";

            my $r = get($port, "/$place/$uri=cache-status");

            is("$r->{status} $r->{body} $r->{headers}{'x-cache'}[0]",
               '402 page MISS', "$place, $way->[0], $way->[1], $rest, MISS");

            get($port, "/fill/$uri=");

            is(get($port, "/fill/$uri=")->{headers}{'x-cache'}[0], 'HIT',
               '... fills the cache');

            $r = get($port, "/$place/$uri=cache-status");

            is("$r->{status} $r->{body} $r->{headers}{'x-cache'}[0]",
               '402 page HIT', '... HIT');

            for my $page (qw(return proxied static)) {
                my $file = $page eq 'static' ? 'static.json' : $page;

                page_ok(get($port, "/$place/$uri=$file"),
                        plain(uri($page, 'on', $ways[0])), $page,
                        "... $page");
            }
        }
    }
}

# a Range for a cached response does not apply to the page

for my $when (qw(early later)) {
    for my $range ('', "Range: bytes=0-2\r\n") {
        for my $time (qw(first second)) {
            page_ok(get($port, "/ranges/x?key=r$when&plain=1&ranges=1"
                               . "&when=$when", headers => $range),
                    plain(uri('as-it-is', 'on', $ways[0])), 'as-it-is',
                    "cached, $when, the $time time, $range");

            get($port, "/fill/x?key=r$when&plain=1&ranges=1&when=$when");
        }
    }
}

# requests that wait for another one to fill the cache end

for my $r (fetch(('/cached/x?key=lock&when=later&page=return') x 3)) {
    page_ok($r, plain(uri('return', 'on', $ways[0])), 'return', 'cache lock');
}


# subrequests

for my $file (qw(page stub)) {
    my @included = map {
        my $way = $_;
        map { my $mode = $_;
              map { [$_, $mode, $way] }
                  qw(return proxied), $file eq 'page'
                  ? qw(static vars named second second-none off-vars) : ()
        } qw(on off)
    } @ways;

    my @uris = map { my ($page, $mode) = @$_;
                     uri(@$_) =~ s{^[^?]*\?}
                                  {/ssi/$file.html?mode=$mode&page=$page&}r
                   } @included;
    my %without;

    for my $with (fetch(@uris)) {
        my ($page, $mode, $way) = @{ shift @included };
        my $without = $without{$page} ||= get($plain_port, $uris[0]);

        is(shown($with), shown(expected($without, 'skipped')),
           "SSI, $file, code $way->[0], $way->[1], $mode, $page");
        shift @uris;
    }
}

is(get($port, '/ssi/page.html?mode=on&page=vars&code=402')->{body},
   "[$mapped]", '... the page is included');

my $guarded = get($port, '/guarded/static.json');

is($guarded->{status}, 200, 'auth_request is skipped');
is($guarded->{body}, slurp("$dir/static.json"), '... and grants access');

stop($server);
done_testing();
