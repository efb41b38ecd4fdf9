# error_map_intercept: status, verdict, location and directives decide which
# responses get the page.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp qw(ask connection shown);
use ErrorMapIntercept;
use Test::More;

my $strict = 'error_map_policy strict { unknown 502; }';

my $server = intercept(http => $strict, edge => <<"END");
        # not intercepted

        location /default/ {
            error_page 307 402 408 444 =200 /page/return;
            $pass;
        }

        location /no-page/ { error_page 403 /page/return; $pass; }

        location /intercept-off/ {
            error_map_intercept off;
            error_page 402 /page/return;
            $pass;
        }

        location /dry/ {
            error_map_dry_run on;
            error_page 402 503 /page/return;
            $pass;
        }

        location /size/ {
            error_map_hold_size 10;
            error_page 402 /page/return;
            $pass;
        }

        location /timeout/ {
            error_map_hold_timeout 200ms;
            error_page 402 /page/return;
            proxy_buffering off;
            $pass;
        }

        location /strict/ {
            error_map acme policy=strict;
            error_page 502 /page/vars;
            $pass;
        }

        location /problem/ {
            error_map_body problem;
            error_page 402 /page/return;
            $pass;
        }

        location /with-proxy/ {
            proxy_intercept_errors on;
            error_page 402 502 /page/vars;
            $pass;
        }

        # error pages of error pages

        location /recursive/ {
            recursive_error_pages on;
            error_page 402 = \@again;
            $pass;
        }

        location /not-recursive/ {
            error_page 402 = \@again;
            $pass;
        }

        location \@again {
            error_page 403 /page/vars;
            rewrite ^ /?code=403&plain=1&when=\$arg_when? break;
            $pass;
        }

        location /loop/ {
            recursive_error_pages on;
            error_page 402 /loop/?\$args;
            $pass;
        }

        location /loop-named/ {
            recursive_error_pages on;
            error_page 402 \@loop;
            $pass;
        }

        location \@loop {
            recursive_error_pages on;
            error_page 402 \@loop;
            $pass;
        }
END


# edge statuses

for my $code (@codes) {
    for my $when (qw(early later)) {
        my $uri = "/any/?code=$code&when=$when";
        my $request = "GET $uri HTTP/1.1\r\nHost: e\r\n\r\n";
        my $with = ask(connection($port), $request);

        if ($code =~ /^(?:408|444|499)$/) {
            is($with->{status}, $code, "$code, $when, is not intercepted");
            is($with->{body}, vendor_body(when => $when, code => $code),
               '... but sent as it is');
            next;
        }

        my $without = ask(connection($plain_port), $request);

        is(shown($with), shown(expected($without, 'mapped', 1, $code)),
           "$code, $when, is intercepted");
        is($with->{headers}{connection}[0],
           $without->{headers}{connection}[0], '... the connection');
    }
}


# the edge status and the verdict decide: name, arguments, the page's status

for (['a status that is kept', 'any/?code=1&status=404', 404, 1, 404],
     ['a real 402', 'any/?code=402&status=402', 402, 402, 402],
     ['a real 500 that becomes 402', 'any/?code=402&status=500', 402, 402, 500])
{
    my ($name, $args, $status, $code, $upstream) = @$_;

    for my $when (qw(early later)) {
        my $with = get($port, "/$args&when=$when");
        my $without = get($plain_port, "/any/?code=$status");

        is(shown($with), shown(expected($without, 'mapped', 1, $code,
                                        $upstream)), "$name, $when");
    }
}

for my $when (qw(early later)) {
    my $r = get($port, "/strict/?code=9999&when=$when");

    is($r->{status}, 502, "an unknown code, $when");
    is($r->{body}, '9999 502 acme UNKNOWN  unknown 200 ', '... its page');
    is($r->{headers}{'x-error-code'}[0], '9999', '... and header');

    $r = get($port, "/any/?code=9999&status=503&when=$when");

    is($r->{status}, 503, "an unknown code whose status is kept, $when");
    is($r->{body}, '{"code":403}', '... its page');
    is($r->{headers}{'x-error-code'}[0], '9999', '... and header');
}


# responses that are not intercepted: name, URI, status, verdict, and when the
# code comes if not both

my @passed = map {
    my ($name, $uri, $status, $verdict, @only) = @$_;

    map { my $when = $_;
          map { ["$name, $when, $_", "/$uri&when=$when&framing=$_",
                 "$status $verdict"] } qw(length chunked)
    } @only ? @only : qw(early later)
} (
    ['a status below 300', 'any/?code=1', 200, 'mapped'],
    ['an unknown code with a status below 300', 'any/?code=9999', 200,
     'unknown'],
    ['success', 'any/?code=0&status=503', 503, 'success'],
    ['none', 'any/?code=null&status=503', 503, 'none'],
    ['another type', 'any/?code=402&type=text/plain&status=503', 503,
     'skipped'],
    ['no page for 408', 'default/?code=408', 408, 'mapped'],
    ['no page for 444', 'default/?code=444', 444, 'mapped'],
    ['no page', 'no-page/?code=402', 402, 'mapped'],
    ['switched off', 'intercept-off/?code=402', 402, 'mapped'],
    ['dry run', 'dry/?code=402', 200, 'mapped'],
    ['dry run of a real 503', 'dry/?code=402&status=503', 503, 'mapped'],
    ['hold timeout', 'timeout/?code=402&pause=1.5', 200, 'undecided', 'later'],
    ['hold size', 'size/?code=402', 200, 'undecided', 'later'],
);

for my $r (fetch(map { $_->[1] } @passed)) {
    my ($name, $uri, $status) = @{ shift @passed };
    my ($code, $when) = $uri =~ /code=(\w+).*when=(\w+)/;

    is("$r->{status} $r->{headers}{'x-verdict'}[0] $r->{complete}",
       "$status 1", $name);
    is($r->{body}, vendor_body(when => $when, code => $code), '... sent');
    is($r->{headers}{'set-cookie'}[0], 'vendor=1', '... with its headers');
}


# error pages of error pages

for my $when (qw(early later)) {
    my $r = get($port, "/recursive/?when=$when");

    is($r->{body}, '403 403 acme INTERNAL title of 403 mapped 200 ',
       "recursive, $when: the second page");
    is("$r->{status} $r->{headers}{'x-error-code'}[0]", '403 403',
       '... with its status');

    $r = get($port, "/not-recursive/?when=$when");

    is($r->{body}, vendor_body(when => $when, code => 403),
       "not recursive, $when: the second vendor's body");
    is("$r->{status} $r->{headers}{'x-error-code'}[0]", '403 403',
       '... with its status');

    for my $place (qw(loop loop-named)) {
        $r = get($port, "/$place/?code=402&when=$when");

        is($r->{status}, 500, "$place, $when, ends");
        like($r->{body}, qr/500 Internal Server Error/,
             '... with the page of nginx');
    }
}


# with problem bodies

for my $when (qw(early later)) {
    page_ok(get($port, "/problem/?code=402&when=$when"),
            plain(uri('return', 'on', $ways[0])), 'return',
            "an error page wins over a problem body, $when");

    my $r = get($port, "/problem/?code=403&when=$when");

    is("$r->{status} $r->{headers}{'content-type'}[0]",
       '403 application/problem+json',
       '... but without one there is the problem');
    like($r->{body}, qr/"code":"403"/, '... with the code');
}


# with proxy_intercept_errors

for my $when (qw(early later)) {
    my $r = get($port, "/with-proxy/?status=502&code=402&when=$when");

    is("$r->{status} $r->{body}", '502   acme   skipped  ',
       "proxy_intercept_errors handles a real 502, $when");
    is($r->{headers}{'x-error-code'}, undef, '... without a code');

    $r = get($port, "/with-proxy/?code=402&when=$when");

    is("$r->{status} $r->{body}", "402 $mapped",
       '... and a mapped 402 gets its page');
    is($r->{headers}{'x-error-code'}[0], 402, '... with its code');
}

stop($server);


# contexts, inheritance and the default

my $on = free_port();
my $off = free_port();

$server = start(port => $on, http => <<"END");
    error_map tencent_iotvideo;
    default_type application/json;
    error_map_intercept on;

    server {
        listen 127.0.0.1:$on;
        error_page 402 /page;
        location = /page { return 200 page; }
        location /body { return 200 '{"StatusCode":42505}'; }

        location /off/body {
            error_map_intercept off;
            return 200 '{"StatusCode":42505}';
        }
    }

    server {
        listen 127.0.0.1:$off;
        error_map_intercept off;
        error_page 402 /page;
        location = /page { return 200 page; }
        location /body { return 200 '{"StatusCode":42505}'; }

        location /on/body {
            error_map_intercept on;
            return 200 '{"StatusCode":42505}';
        }
    }
END

for ([$on, '/body', 'page'], [$on, '/off/body', '{"StatusCode":42505}'],
     [$off, '/body', '{"StatusCode":42505}'], [$off, '/on/body', 'page'])
{
    is(get($_->[0], $_->[1])->{body}, $_->[2], "inherited, $_->[1]");
}

stop($server);

$server = start(port => $on, http => <<"END");
    error_map tencent_iotvideo;
    default_type application/json;

    server {
        listen 127.0.0.1:$on;
        error_page 402 /page;
        location = /page { return 200 page; }
        location /body { return 200 '{"StatusCode":42505}'; }
    }
END

is(get($on, '/body')->{body}, '{"StatusCode":42505}', 'off by default');

stop($server);

like(configuration_error($_->[0]), $_->[1], $_->[0]) for
    ['error_map_intercept maybe;',
     qr/invalid value "maybe" in "error_map_intercept" directive/],
    ['error_map_intercept on; error_map_intercept on;',
     qr/"error_map_intercept" directive is duplicate/],
    ['error_map_intercept;', qr/invalid number of arguments/];

done_testing();
