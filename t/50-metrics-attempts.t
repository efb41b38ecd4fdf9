# With error_map_upstream, the counters have every response of a vendor: also
# those that nginx passes over for the next server, or for a stale response, by
# a row of the policy, by the edge status or by the vendor's own status.  They
# are counted as passed over, by the class of their error, if they have one.

use strict;
use warnings;

use ErrorMap;
use ErrorMapMetrics;
use Test::More;
use Time::HiRes qw(sleep);

my ($vendor, $second) = map { answers($_) } qw(a b);
my ($port, $nobody) = (free_port(), free_port());

my $edge = start(port => $port, http => <<"END");
    error_map_policy edge {
        code  acme/2001  402 next_upstream;
        code  acme/1001  503;
        none  malformed  504 next_upstream;
    }

    error_map_zone counters 1m;
    proxy_cache_path %DIR%/cache keys_zone=attempts:1m;

$acme

    upstream accounts {
        server 127.0.0.1:$vendor max_fails=0;
        server 127.0.0.1:$second max_fails=0 backup;
    }

    upstream alone {
        server 127.0.0.1:$vendor max_fails=0;
        server 127.0.0.1:$nobody fail_timeout=1h backup;
    }

    map \$arg_document \$document {
        default acme;
        off     off;
    }

    server {
        listen 127.0.0.1:$port;
        error_map acme policy=edge;
        error_map_upstream on;

        location / {
            proxy_next_upstream http_503;
            proxy_pass http://accounts;
        }

        location /variable {
            error_map \$document policy=edge;
            proxy_next_upstream http_503;
            proxy_pass http://accounts;
        }

        location /small {
            proxy_buffer_size 512;
            proxy_next_upstream http_503;
            proxy_pass http://accounts;
        }

        location /quick {
            error_map_hold_timeout 20ms;
            proxy_next_upstream http_503;
            proxy_pass http://accounts;
        }

        location /alone {
            proxy_next_upstream http_503;
            proxy_pass http://alone;
            add_header X-Verdict "\$error_map_verdict \$error_map_code" always;
            add_header X-Codes \$error_map_upstream_codes always;
        }

        location /cache {
            proxy_cache attempts;
            proxy_cache_key \$arg_key;
            proxy_cache_valid 200 1s;
            proxy_cache_revalidate on;
            proxy_cache_use_stale http_503;
            proxy_pass http://127.0.0.1:$vendor;
            add_header X-Cache \$upstream_cache_status always;
        }

        location = /metrics { error_map off; error_map_metrics prometheus; }
    }
END

my $code = sub { "%7B%22error%22:%7B%22code%22:$_[0]%7D%7D" };

# what a request adds to the counters, as "name labels", without "document"

sub grown {
    my ($uri, %arg) = @_;

    my ($before, $r, $after) = map { get($port, $_, $_ eq $uri ? %arg : ()) }
                               '/metrics', $uri, '/metrics';

    ($before, $after) = map { from_text($_->{body}) } $before, $after;

    my @grown = map {
        my $n = $after->{$_} - ($before->{$_} || 0);
        my $name = s/^nginx_error_map_(\w+)_total\{document="(\w*)",/$1 $2 /r
                   =~ s/\w+=|[}"]//gr;

        $n && !/_(?:hold_\w+|classes)_total/
            ? $name . ($n > 1 ? " x$n" : '') : ();
    } sort keys %$after;

    return join(', ', @grown), $r;
}

my $ok = $code->(0);

for (

    # by a row: the code, the class, the statuses

    ['/?a=' . $code->(2001) . "&b=$ok", 200,
     'codes acme 2001,RESOURCE_EXHAUSTED, '
     . 'passed_over acme RESOURCE_EXHAUSTED, responses acme mapped, '
     . 'responses acme success, status acme 200,200,0, status acme 200,402,0'],
    ['/?a=' . $code->(2001) . '&b=' . $code->(2001), 402,
     'codes acme 2001,RESOURCE_EXHAUSTED x2, '
     . 'passed_over acme RESOURCE_EXHAUSTED, responses acme mapped x2, '
     . 'status acme 200,402,0 x2'],
    ["/?a=%7B&b=$ok", 200,
     'passed_over acme , responses acme none, responses acme success, '
     . 'status acme 200,200,0, status acme 200,504,0, '
     . 'unmapped acme none,malformed,0'],

    # by the edge status

    ['/?a=' . $code->(1001) . "&b=$ok", 200,
     'codes acme 1001,UNAUTHENTICATED, passed_over acme UNAUTHENTICATED, '
     . 'responses acme mapped, responses acme success, '
     . 'status acme 200,200,0, status acme 200,503,0'],

    # by the vendor's status, with every verdict

    ['/?status=503&a=' . $code->(2001) . "&b=$ok", 503,
     'codes acme 2001,RESOURCE_EXHAUSTED, '
     . 'passed_over acme RESOURCE_EXHAUSTED, responses acme mapped, '
     . 'responses acme success, status acme 503,402,0, status acme 503,503,0'],
    ["/?status=503&a=$ok&b=$ok", 503,
     'passed_over acme , responses acme success x2, '
     . 'status acme 503,503,0 x2'],
    ["/?status=503&a=$ok&b=$ok&pause=0.05", 503,
     'passed_over acme , responses acme success x2, '
     . 'status acme 503,503,0 x2'],
    ["/?status=503&a=" . $code->(7) . "&b=$ok", 503,
     'codes acme other,UNKNOWN, passed_over acme UNKNOWN, '
     . 'responses acme success, responses acme unknown, '
     . 'status acme 503,503,0 x2'],
    ["/?status=503&a=%7B%7D&b=$ok", 503,
     'passed_over acme , responses acme none, responses acme success, '
     . 'status acme 503,503,0 x2, unmapped acme none,no_code,0'],
    ["/?status=503&type=text/html&a=x&b=x", 503,
     'passed_over acme , responses acme skipped x2, '
     . 'unmapped acme skipped,type,0 x2'],
    ["/variable?document=off&status=503&a=$ok&b=$ok", 503,
     'passed_over  , responses  skipped x2, '
     . 'unmapped  skipped,document,0 x2'],
    ['/small?status=503&b=%7B%7D&a=%7B%22a%22:%22' . 'x' x 600 . '%22%7D', 503,
     'passed_over acme , responses acme none, responses acme undecided, '
     . 'status acme 503,503,0 x2, unmapped acme none,no_code,0, '
     . 'unmapped acme undecided,hold_size,0'],
    ["/quick?status=503&a=%7B%7D&b=&pause=0.1", 503,
     'passed_over acme , responses acme none, responses acme undecided, '
     . 'status acme 503,503,0 x2, unmapped acme none,empty,0, '
     . 'unmapped acme undecided,hold_timeout,0'],

    # the next server cannot be reached, and is not asked again

    (['/alone?a=' . $code->(2001), 502,
      'codes acme 2001,RESOURCE_EXHAUSTED, '
      . 'passed_over acme RESOURCE_EXHAUSTED, responses acme mapped, '
      . 'status acme 200,402,0']) x 2,
    ['/alone?a=' . $code->(1001), 502,
     'codes acme 1001,UNAUTHENTICATED, passed_over acme UNAUTHENTICATED, '
     . 'responses acme mapped, status acme 200,503,0'],
    ['/alone?status=503&a=' . $code->(1001), 502,
     'codes acme 1001,UNAUTHENTICATED, passed_over acme UNAUTHENTICATED, '
     . 'responses acme mapped, status acme 503,503,0'],
    ["/alone?status=503&a=$ok", 502,
     'passed_over acme , responses acme success, status acme 503,503,0'],
    ["/alone?status=503&type=text/html&a=x", 502,
     'passed_over acme , responses acme skipped, '
     . 'unmapped acme skipped,type,0'],
    ["/alone?a=$ok", 200, 'responses acme success, status acme 200,200,0'])
{
    my ($uri, $status, $want) = @$_;
    my ($grown, $r) = grown($uri);

    is($r->{status}, $status, $uri =~ s/x{9,}/.../r);
    is($grown, $want, '... counted');
}

# nginx's own 502 after it has no code, but the list of attempts has both

my $last = get($port, "/alone?status=503&a=$ok");
is_deeply([map { $last->{headers}{$_}[0] }
           qw(x-verdict x-codes x-error-code)],
          ['skipped ', '0, -', undef], 'no server is left: the variables');

my ($grown) = grown("/?status=503&a=$ok&b=$ok", method => 'HEAD');
is($grown, 'passed_over acme , responses acme skipped x2, '
           . 'unmapped acme skipped,method,0 x2',
   'HEAD, counted');


# a stale response is one that the client gets; an error before it counts, too,
# but a 304 has only refreshed it

my $etag = "header=ETag:%22a%22";

($grown) = grown("/cache?key=1&a=$ok&$etag");
is($grown, 'responses acme success, status acme 200,200,0', 'a cache, MISS');

sleep 2.1;

for (["status=503&a=" . $code->(1001), 'STALE',
      'codes acme 1001,UNAUTHENTICATED, passed_over acme UNAUTHENTICATED, '
      . 'responses acme mapped, responses acme success, '
      . 'status acme 200,200,0, '
      . 'status acme 503,503,0'],
     ['status=503&a=%7B%7D', 'STALE',
      'passed_over acme , responses acme none, responses acme success, '
      . 'status acme 200,200,0, status acme 503,503,0, '
      . 'unmapped acme none,no_code,0'],
     ['status=503&a=x&type=text/html', 'STALE',
      'passed_over acme , responses acme skipped, responses acme success, '
      . 'status acme 200,200,0, unmapped acme skipped,type,0'],
     ['status=304&a=', 'REVALIDATED',
      'responses acme success, status acme 200,200,0'])
{
    my ($arg, $cache, $want) = @$_;
    my ($counted, $r) = grown("/cache?key=1&$arg");

    is("$r->{status} $r->{headers}{'x-cache'}[0]", "200 $cache", $arg);
    is($counted, $want, '... counted');
}

stop($edge);
done_testing();
