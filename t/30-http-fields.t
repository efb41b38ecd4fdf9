# Fields of an error where they are used: in headers, in problem bodies, in logs,
# in error pages, inside the upstream layer, beside a policy; and where they are
# not used, a response does not wait for them.

use strict;
use warnings;

use ErrorMap;
use ErrorMapCodings;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep);

my $json = 'Content-Type: application/json';
my $error = '{"c":1,"m":"50% \\"of\\" \\u00e4\\n\\ud83d\\ude00","i":"id",'
            . '"w":7}';

# name => headers, body; "/slow" pauses after the code

my %vendor = (
    error => [[$json], $error],
    broken => [[$json], "{\"c\":1,\"m\":\"a\xff\xc3(\xe4\xb8b\",\"i\":true}"],
    none => [[$json], '{"c":1}'],
    unknown => [[$json], '{"c":5,"m":"why","w":7}'],
    success => [[$json], '{"c":0,"m":"why"}'],
    map({ ($_->{name} => [[$json, "Content-Encoding: $_->{name}"],
                          $_->{encode}($error)]) } @codings),
);

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my ($name, $how) = $request =~ m{^\S+ \S*/(\w+)\??(\w*)};

    # the JSON text ends, and the body does not

    if ($name eq 'open') {
        print $s "HTTP/1.1 200 OK\r\n$json\r\n"
                 . ($how ? "X-C: 1\r\n" : '') . "\r\n"
                 . ($how ? '{"x":[]}' : '{"c":1,"x":[]}');
        sleep 1;
        return 0;
    }

    my ($headers, $body) = @{ $vendor{$name} };
    my $first = $how ? substr $body, 0, 7, '' : '';

    print $s join("\r\n", 'HTTP/1.1 200 OK', @$headers,
                  'Content-Length: ' . length "$first$body", '', $first);
    sleep 1 if $how;
    print $s $body;

    return 1;
});

my ($port, $unused) = (free_port(), free_port());
my $document = <<'END';
    error_map_document acme {
        source       json  /c;
        source       header  X-C;
        success      0;
        field        message     json  /m;
        field        request_id  json  /i;
        retry_after  json        /w;
        1 429 RESOURCE_EXHAUSTED "one";
    }
END

my $edge = start(port => $port, http => <<"END");
    $document

    error_map_document ours {
        source  json  /c;
        field   other  json  /m;
        1 429 RESOURCE_EXHAUSTED "one";
    }

    error_map_policy ours {
        code  acme/1  503 retry_after=2s;
    }

    log_format fields '\$error_map_verdict "\$error_map_field_message" '
                      '"\$error_map_field_no_such"';

    server {
        listen 127.0.0.1:$port;

        access_log %DIR%/access.log fields;
        error_map_hold_timeout 5s;
        error_map acme;
        proxy_http_version 1.1;
        error_map_header X-Message \$error_map_field_message;
        error_map_header X-Id \$error_map_field_request_id;
        error_map_header X-Other "<\$error_map_field_other>";
        error_map_header X-None \$error_map_field_no_such;
        error_map_header Retry-After \$error_map_retry_after;
        add_header X-Raw \$error_map_field_message always;

        location /plain/ {
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /problem/ {
            error_map_body problem;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /upstream/ {
            error_map_upstream on;
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /dry/ {
            error_map_dry_run on;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /ours/ {
            error_map ours;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /policy/ {
            error_map acme policy=ours;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /page/ {
            error_map_intercept on;
            error_page 429 \@page;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location \@page { return 429 "\$error_map_field_message\\n"; }
    }
END

my $raw = "50% \"of\" \xc3\xa4 \xf0\x9f\x98\x80";
my $quoted = '50%25 "of" %C3%A4 %F0%9F%98%80';

sub header { $_[0]{headers}{lc $_[1]}[0] // 'none' }

for my $where (qw(plain upstream dry)) {
    for my $name (qw(error error?slow), map { $_->{name} } @codings) {
        my $r = get($port, "/$where/$name");

        is(header($r, 'X-Raw'), $raw, "$where, $name: the value");
        is(header($r, 'X-Message'), $where eq 'dry' ? 'none' : $quoted,
           '... in a header');
        is(header($r, 'X-Id'), $where eq 'dry' ? 'none' : 'id', '... another');
        is(header($r, 'Retry-After'), $where eq 'dry' ? 'none' : 7,
           '... how long to wait');
        is(header($r, 'X-None'), 'none', '... a field that no document has');
        is(header($r, 'X-Other'), $where eq 'dry' ? 'none' : '<>',
           '... a field that another document has');
    }

    my $r = get($port, "/$where/none");
    is(header($r, 'X-Message'), 'none', "$where: an error without fields");
    is(header($r, 'X-Raw'), 'none', '...');

    $r = get($port, "/$where/success");
    is(header($r, 'X-Raw'), 'none', "$where: a success has no field");

    $r = get($port, "/$where/unknown");
    is(header($r, 'X-Raw'), 'why', "$where: an unknown code has one");
}

my $r;

for my $where ('plain', 'upstream') {
    for my $name ('open', 'open?header') {
        $r = get($port, "/$where/$name", until => qr/\r\n\r\n/);
        is($r->{status}, 429, "$where, $name: the text ends without fields");
        cmp_ok($r->{exchange}{first}, '<', 0.7, '... and nothing waits');
    }
}

$r = get($port, '/ours/error');
is(header($r, 'X-Message'), 'none', 'a document without the field');
is(header($r, 'X-Other'), "<$quoted>", '... has its own');

$r = get($port, '/policy/error');
is("$r->{status} " . header($r, 'Retry-After'), '503 2',
   'the retry_after of a policy comes first');

$r = get($port, '/page/error');
is("$r->{status} $r->{body}", "429 $raw\n", 'an error page has the field');

my $problem = JSON::PP->new->utf8->decode(get($port, '/problem/error')->{body});
is($problem->{detail}, "50% \"of\" \x{e4} \x{1f600}", 'a problem has "detail"');
is($problem->{request_id}, 'id', '... and "request_id"');

$problem = JSON::PP->new->utf8->decode(get($port, '/problem/none')->{body});
is(join(' ', grep { /detail|request_id/ } sort keys %$problem), '',
   '... if the vendor says them');

$problem = JSON::PP->new->utf8->decode(get($port, '/problem/broken')->{body});
is($problem->{detail}, "a\x{fffd}\x{fffd}(\x{fffd}\x{fffd}b",
   '... what is not UTF-8 is U+FFFD');
is($problem->{request_id}, 'true', '... true is a text');

stop($edge);

my @log = split /\n/, slurp("$edge->{dir}/access.log");

is($log[0], 'mapped "50% \x22of\x22 \xC3\xA4 \xF0\x9F\x98\x80" ""',
   'the log has the value, and nothing for others');


# without a variable that names them, the header does not wait

$edge = start(port => $unused, http => <<"END");
    $document

    server {
        listen 127.0.0.1:$unused;
        error_map_hold_timeout 5s;
        error_map acme;
        add_header X-Code \$error_map_code always;

        location / {
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$vendor;
        }
    }
END

(my $other = slurp("$edge->{dir}/nginx.conf")) =~ s/.*retry_after.*\n//;

$r = get($unused, '/error?slow', until => qr/\r\n\r\n/);
cmp_ok($r->{exchange}{first}, '>', 0.9, 'retry_after is waited for');

ErrorMap::reload($edge, $other);

$r = get($unused, '/error?slow', until => qr/\r\n\r\n/);
is(header($r, 'X-Code'), 1, 'without it, the code is there');
cmp_ok($r->{exchange}{first}, '<', 0.7, '... at once');

stop($edge);

done_testing();
