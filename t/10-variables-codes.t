# $error_map_upstream_codes has one code for each attempt, in the order and with
# the separators of $upstream_status, with error_map_upstream and without.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT replace);
use ErrorMapMetrics;
use Test::More;
use Time::HiRes qw(sleep);

my ($vendor, $second) = map { answers($_) } qw(a b);
my ($port, $nobody) = (free_port(), free_port());

# the same locations in the filter and in the upstream layer

my $locations = <<"END";
        location / { proxy_pass http://127.0.0.1:$vendor; }
        location /off { error_map off; proxy_pass http://127.0.0.1:$vendor; }
        location /nobody { proxy_pass http://127.0.0.1:$nobody; }
        location /local {
            default_type application/json;
            return 200 '{"code":1}';
        }

        location /retry {
            proxy_next_upstream http_503;
            proxy_pass http://accounts;
        }

        location /page {
            error_map_intercept on;
            error_page 503 = /local;
            error_page 504 = \@second;
            error_page 505 = \@down;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location \@second { proxy_pass http://127.0.0.1:$second; }
        location \@down { proxy_pass http://127.0.0.1:$nobody; }

        location /accel { proxy_pass http://127.0.0.1:$vendor; }

        location /replaced {
            error_page 412 /local;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /cache {
            proxy_cache codes;
            proxy_cache_key \$server_port\$arg_key;
            proxy_cache_valid any 1s;
            proxy_cache_use_stale error http_503;
            proxy_pass http://\$arg_to;
        }
END

my %port = (filter => $port, upstream => free_port(), off => free_port());

my $servers = join '', map { <<"END" } sort keys %port;
    server {
        listen 127.0.0.1:$port{$_};
        access_log %DIR%/access.log codes;
        error_map @{[$_ eq 'off' ? 'off' : 'acme policy=edge']};
        error_map_upstream @{[$_ eq 'upstream' ? 'on' : 'off']};
$locations
    }
END

my $edge = start(port => $port, http => <<"END");
    error_map_document acme {
        source   json /code;
        success  0 "fine, sir" "-";
        prefix   5  -  INTERNAL  title;
        success  prefix "ok ";
    }

    error_map_policy edge {
        code     "acme/5*"  503;
        unknown  504;
    }

    log_format codes '\$upstream_status|\$error_map_upstream_codes';
    add_header X-Statuses \$upstream_status always;
    error_map_header X-Codes \$error_map_upstream_codes;
    error_map_header X-Mixed "(\$error_map_upstream_codes)";
    proxy_cache_path %DIR%/cache keys_zone=codes:1m;

    upstream accounts {
        server 127.0.0.1:$vendor max_fails=0;
        server 127.0.0.1:$second max_fails=0 backup;
    }

$servers
END


sub escaped { return $_[0] =~ s/([^\w.:-])/sprintf '%%%02X', ord $1/ger }

# the line of the log of a request

sub logged {
    my ($side, $uri, %arg) = @_;

    my $n = () = slurp("$edge->{dir}/access.log") =~ /\n/g;
    my $r = get($port{$side}, $uri, %arg);

    ErrorMap::wait_for(sub {
        (() = slurp("$edge->{dir}/access.log") =~ /\n/g) > $n;
    });

    return ((split /\n/, slurp("$edge->{dir}/access.log"))[$n], $r);
}

my $json = sub { escaped('{"code":' . ($_[0] =~ /^\d+$/ ? $_[0]
                                       : "\"$_[0]\"") . '}') };

for my $side (qw(filter upstream)) {
    for (['0', '0'], ['5001', '5001'], ['5a b', '5a%20b'], ['5 : 1', '5%20:%201'],
         ['5, 6', '5,%206'], ['5"\\\\%', '5%22%5C%25'], ["5\xc3\xa9", '5%C3%A9'],
         ['fine, sir', 'fine,%20sir'], ['-', '%2D'], ['ok 1', 'ok%201'],
         ['7', '7'])
    {
        my ($code, $want) = @$_;

        $code =~ s/"(?!\z)/\\"/ if $code =~ /^5"/;

        for my $pause (0, 0.05) {
            my ($line) = logged($side, '/?a=' . $json->($code)
                                       . "&pause=$pause");

            is($line =~ s/.*\|//r, $want, "$side, $code, $pause");
        }
    }

    is((logged($side, '/?a=%7B%7D'))[0], '200|-', "$side, none");
    is((logged($side, '/?a=x&type=text/html'))[0], '200|-', '... skipped');
    is((logged($side, '/nobody'))[0], '502|-', '... no response');
    is((logged($side, '/off?a=' . $json->(5)))[0], '200|-', '... off');
    is((logged($side, '/local'))[0], '-|', '... no upstream');

    my (undef, $r) = logged($side, '/?a=' . $json->(51));

    is("$r->{headers}{'x-codes'}[0] $r->{headers}{'x-mixed'}[0]", '51 (51)',
       '... in headers');

    # error pages

    my $bad = $side eq 'filter' ? 200 : 503;
    my $unknown = $side eq 'filter' ? 200 : 504;

    is((logged($side, '/page?a=' . $json->(51)))[0], "$bad|51",
       "$side, a page from the edge, with a code");
    is((logged($side, '/page?a=' . $json->(7) . '&b=' . $json->(52)))[0],
       "$unknown : $bad|7 : 52", "... from another upstream");
    is((logged($side, '/page?a=' . $json->(7) . '&b=%7B%7D'))[0],
       "$unknown : 200|7 : -", "... without a code");

    is((logged($side, '/accel?a=' . $json->(51)
                      . '&header=X-Accel-Redirect:/local'))[0], '200|-',
       "$side, X-Accel-Redirect");
    is((logged($side, '/replaced?a=' . $json->(51),
               headers => "If-Match: \"x\"\r\n"))[0] =~ s/^\d+//r, '|51',
       "$side, replaced by another filter");

    # a cache

    my $to = "to=127.0.0.1:$vendor&key=1";

    is((logged($side, "/cache?$to&a=" . $json->(0)))[0], '200|0',
       "$side, MISS");
    is((logged($side, "/cache?$to&a=" . $json->(51)))[0], '-|', '... HIT');
    sleep 2.1;
    is((logged($side, "/cache?to=127.0.0.1:$nobody&key=1"))[0], '502|-',
       '... STALE without a response');
    is((logged($side, "/cache?$to&a=%7B%7D&status=503"))[0], '503|-',
       '... STALE without a code');
    is((logged($side, "/cache?$to&status=503&a=" . $json->(0)))[0],
       '503|' . ($side eq 'filter' ? '-' : '0'), '... STALE after a code');
}

# what nginx passes over by the vendor's own status

is((logged('upstream', '/retry?status=503&a=' . $json->(0) . '&b='
                       . $json->(51)))[0], '503, 503|0, 51', 'a success in a 503');
is((logged('upstream', '/retry?status=503&a=%7B%7D&b=' . $json->(51)))[0],
   '503, 503|-, 51', '... no code in a 503');
is((logged('filter', '/retry?status=503&a=' . $json->(51) . '&b='
                     . $json->(52)))[0], '503, 503|-, 52',
   '... not seen by the filter');
is((logged('off', '/retry?status=503&a=' . $json->(51)))[0], '503, 503|-, -',
   '... error_map off');

stop($edge);
done_testing();
