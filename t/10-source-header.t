# source header: a code in a vendor's header is found before the body is read,
# and nothing is held.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp qw(connection ask);
use ErrorMapStream qw(summary);
use File::Temp qw(tempdir);
use IO::Select;
use Test::More;
use Time::HiRes qw(time);

my $port = free_port();
my $long = '9' x 128;
my $json = '{"code":1002}';
my $quiet = '{"note":"ERR"}';

my $rows = <<'END';
        success  0 OK;
        1001     401  UNAUTHENTICATED     "token missing";
        1002     -    RESOURCE_EXHAUSTED  "quota used up";
        1003     404  NOT_FOUND           "no such thing";
END

# headers come before the body, whatever the order of the sources is

my %documents = (
    head => 'source header X-Code;',
    two  => 'source header X-Code; source header X-Fault;',
    all  => 'source regex "ERR=(\d+)"; source json /code;'
            . ' source header X-Code;',
    own  => 'source header X-Error-Code;',
    type => 'source header content-type;',
    back => 'source header Location;',
);


# The vendor sends the headers and the body of a case: name, document, headers,
# body, status, verdict and code, and more directives of its location.

my $filler = join '', map { "X-Filler-$_: 0\r\n" } 1 .. 50;

my @cases = (
    ['a code', 'head', 'X-Code: 1001', $quiet, 401, 'mapped 1001'],
    ['a code without a status', 'head', 'X-Code: 1002', $quiet, 429,
     'mapped 1002'],
    ['a success code', 'head', 'X-Code: OK', $quiet, 200, 'success OK'],
    ['an unknown code', 'head', 'X-Code: 9 "%"', $quiet, 200,
     'unknown 9 %22%25%22'],
    ['a code with something after it', 'head', 'X-Code: 1001, 1002', $quiet,
     200, 'unknown 1001, 1002'],
    ['no code', 'head', 'X-Codes: 1001', $json, 200, 'none '],
    ['a longer name', 'head', 'X-Code-2: 1001', $json, 200,
     'none '],
    ['an empty body', 'head', 'X-Code: 1001', '', 401, 'mapped 1001'],
    ['a name in upper case', 'head', 'X-CODE: 1001', $quiet, 401,
     'mapped 1001'],
    ['a name in lower case', 'head', 'x-code: 1001', $quiet, 401,
     'mapped 1001'],
    ['white space', 'head', "X-Code:    1001  ", $quiet, 401, 'mapped 1001'],
    ['after many headers', 'head', "${filler}X-Code: 1001", $quiet, 401,
     'mapped 1001'],
    ['a header known to nginx', 'type', 'X-Code: 1001', $quiet, 200,
     'unknown application/json'],

    # the first usable value of a repeated header counts

    ['the first of two', 'head', "X-Code: 1001\r\nX-Code: 1002", $quiet, 401,
     'mapped 1001'],
    ['the first of two, success', 'head', "X-Code: 0\r\nX-Code: 1001", $quiet,
     200, 'success 0'],
    ['the first of two, unknown', 'head', "X-Code: 7\r\nX-Code: 1001", $quiet,
     200, 'unknown 7'],
    ['an empty one before it', 'head', "X-Code:\r\nX-Code: 1001", $quiet, 401,
     'mapped 1001'],
    ['one too long before it', 'head', "X-Code: 9$long\r\nX-Code: 1001",
     $quiet, 401, 'mapped 1001'],
    ['far apart', 'head', "X-Code:\r\n${filler}X-Code: 1001", $quiet, 401,
     'mapped 1001'],
    ['an empty one only', 'head', 'X-Code:', $quiet, 200, 'none '],
    ['the longest code', 'head', "X-Code: $long", $quiet, 200, "unknown $long"],
    ['one too long only', 'head', "X-Code: 9$long", $quiet, 200, 'none '],

    # several headers: the order of the sources decides, not the vendor's

    ['the first source', 'two', "X-Fault: 1002\r\nX-Code: 1001", $quiet, 401,
     'mapped 1001'],
    ['the second source', 'two', 'X-Fault: 1002', $quiet, 429, 'mapped 1002'],
    ['a success first', 'two', "X-Fault: 1002\r\nX-Code: 0", $quiet, 200,
     'success 0'],
    ['an unknown one first', 'two', "X-Fault: 1002\r\nX-Code: 8", $quiet, 200,
     'unknown 8'],
    ['the first source is empty', 'two', "X-Code:\r\nX-Fault: 1002", $quiet,
     429, 'mapped 1002'],

    # and the body

    ['before the body', 'all', 'X-Code: 1001', $json, 401, 'mapped 1001'],
    ['success, an error in the body', 'all', 'X-Code: 0', $json, 200,
     'success 0'],
    ['success, an error in a text', 'all', 'X-Code: 0', 'ERR=1003', 200,
     'success 0'],
    ['unknown, an error in the body', 'all', 'X-Code: 9', $json, 200,
     'unknown 9'],
    ['none, an error in the body', 'all', 'X-Codes: 0', $json, 429,
     'mapped 1002'],
    ['empty, an error in the body', 'all', 'X-Code:', $json, 429,
     'mapped 1002'],
    ['none, an error in a text', 'all', 'X-Codes: 0', 'ERR=1003', 404,
     'mapped 1003'],
    ['none, nor in the body', 'all', 'X-Codes: 0', $quiet, 200, 'none '],
    ['beside those of a base', 'based', 'X-Code: 1001', '{"error_code":1000}',
     401, 'mapped 1001'],
    ['one of a base, in its body', 'based', 'X-Codes: 0',
     '{"error_code":1000}', 404, 'mapped 1000'],

    # directives of the edge do not change the code

    ['hidden', 'head', 'X-Code: 1001', $quiet, 401, 'mapped 1001',
     'proxy_hide_header X-Code;'],
    ['a spoofed one is its own', 'own', 'X-Error-Code: 1001', $quiet, 401,
     'mapped 1001'],
    ['the edge adds one itself', 'head', 'X-Codes: 1001', $quiet, 200, 'none ',
     'add_header X-Code 1001 always;'],
    ['a policy', 'head policy=edge', 'X-Code: 1001', $quiet, 503,
     'mapped 1001'],
    ['dry run', 'head', 'X-Code: 1001', $quiet, 200, 'mapped 1001',
     'error_map_dry_run on;'],
    ['no time to hold', 'head', 'X-Code: 1001', $quiet, 401, 'mapped 1001',
     'error_map_hold_timeout 0;'],

    # responses that are not inspected

    ['another type', 'head', "Content-Type: text/html\r\nX-Code: 1001", $quiet,
     200, 'skipped '],
    ['no type', 'head', "Content-Type:\r\nX-Code: 1001", $quiet, 200,
     'skipped '],
    ['any type', 'head', "Content-Type: text/html\r\nX-Code: 1001", $quiet,
     401, 'mapped 1001', 'error_map_types *;'],
    ['another coding', 'head', "Content-Encoding: compress\r\nX-Code: 1001",
     $quiet, 200, 'skipped '],
    ['gzip without error_map_gunzip', 'head',
     "Content-Encoding: gzip\r\nX-Code: 1001", $quiet, 200, 'skipped ',
     'error_map_gunzip off;'],
    ['not gzip, though labelled so', 'head',
     "Content-Encoding: gzip\r\nX-Code: 1001", $quiet, 401, 'mapped 1001'],
);

my $gate = tempdir(CLEANUP => 1);

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my ($method, $n, $how) = $request =~ m{^(\S+) /(\d+)/([\w-]+)};
    my ($headers, $body) = @{ $cases[$n] }[2, 3];

    $headers = "Content-Type: application/json\r\n$headers"
        if $headers !~ /^Content-Type:/;

    # an empty type is a missing one

    $headers =~ s/^Content-Type:\r\n//;

    my $head = "HTTP/1.1 200 Fine\r\nCache-Control: max-age=60\r\n$headers\r\n"
             . 'Content-Length: ' . length($body) . "\r\n\r\n";

    if ($how eq 'slow') {

        # the header, the first byte and the rest, each when the previous part
        # has arrived, or much later

        for my $part ($head, substr($body, 0, 1, ''), $body) {
            print $s $part;

            wait_for(sub { unlink "$gate/$n" }, 15);
        }

    } else {
        print $s $head . ($method eq 'HEAD' ? '' : $body);
    }

    return 0;
});


my $pass = "proxy_pass http://127.0.0.1:$vendor;";
my $locations = '';

for my $n (0 .. $#cases) {
    my (undef, $document, undef, undef, undef, undef, $more) = @{ $cases[$n] };

    $more ||= '';

    $locations .= <<"END";
        location /$n/ {
            error_map $document;
            $more
            add_header X-V "\$error_map_verdict \$error_map_code" always;
            add_header X-Held \$error_map_hold_size always;
            add_header X-Cache \$upstream_cache_status always;

            location /$n/at-once { $pass }
            location /$n/cached { $pass proxy_cache cache; }
            location /$n/slow { $pass proxy_buffering off; }
        }
END
}

my $edge = start(port => $port, http => <<"END");
    proxy_cache_path %DIR%/cache keys_zone=cache:1m;
    proxy_http_version 1.1;
    error_map_hold_timeout 30s;
    default_type application/json;

@{[join '', map { "    error_map_document $_ { $documents{$_}\n$rows }\n" }
            sort keys %documents]}
    error_map_document based base=vzenith { source header X-Code;
$rows }

    error_map_policy edge { code head/1001 503; }

    server {
        listen 127.0.0.1:$port;

$locations
        location = /add_header {
            error_map head;
            add_header X-Code 1001 always;
            add_header X-V "\$error_map_verdict \$error_map_code" always;
            return 200 '$json';
        }

        location = /redirect {
            error_map back;
            error_map_types *;
            add_header X-V "\$error_map_verdict \$error_map_code" always;
            return 302 /there;
        }
    }
END

# a response in a few words

sub seen {
    my ($r, $body) = @_;

    return summary($r, $body) . ', held ' . ($r->{headers}{'x-held'}[0] || 0);
}


for my $n (0 .. $#cases) {
    my ($name, undef, undef, $body, $status, $v) = @{ $cases[$n] };
    my $wanted = "$status, $v, whole, held 0";

    is(seen(get($port, "/$n/at-once"), $body), $wanted, $name);

    my ($miss, $hit) = map { get($port, "/$n/cached") } 1 .. 2;

    is("$miss->{headers}{'x-cache'}[0]: " . seen($miss, $body)
       . "; $hit->{headers}{'x-cache'}[0]: " . seen($hit, $body),
       "MISS: $wanted; HIT: $wanted", "$name, cached");
}

my %case = map { $cases[$_][0] => $_ } 0 .. $#cases;


# the headers that a client gets

for (['a code', '1001'], ['hidden', undef]) {
    my ($name, $code) = @$_;
    my $headers = get($port, "/$case{$name}/at-once")->{headers};

    is_deeply([$headers->{'x-code'}, $headers->{'x-error-code'}],
              [$code && [$code], ['1001']], "$name, the headers");
}

is_deeply(get($port, "/$case{'a spoofed one is its own'}/at-once")
          ->{headers}{'x-error-code'}, ['1001'],
          'the module replaces the spoofed header');

my $head = ask(connection($port), "HEAD /$case{'a code'}/at-once HTTP/1.1\r\n"
                                  . "Host: e\r\n\r\n", head => 1);

is("$head->{status} $head->{headers}{'x-v'}[0]", '200 skipped ',
   'HEAD is skipped');


# requests a slow response, and releases each part when the previous one is
# here; returns it, and the length of the body at each part

sub parts {
    my ($n, $timeout) = @_;

    my $c = connection($port);
    my $select = IO::Select->new($c->{socket});
    my ($bytes, @parts) = ('');

    syswrite $c->{socket}, "GET /$n/slow HTTP/1.1\r\nHost: e\r\n\r\n";

    for my $size (0, 1, length $cases[$n][3]) {
        my $end = time + $timeout;
        my $raw;

        do {
            sysread $c->{socket}, $bytes, 65536, length $bytes
                if $select->can_read(0.1);

            $raw = parse($bytes)->{raw};

        } while (time < $end && !(defined $raw && length $raw >= $size));

        push @parts, defined $raw ? length $raw : 'nothing';
        spew("$gate/$n", '');
    }

    return (parse($bytes), join ' ', @parts);
}

# no part waits for the next one if headers decide

for my $name ('a code', 'a success code', 'an unknown code', 'no code',
              'before the body', 'success, an error in the body')
{
    my ($r, $parts) = parts($case{$name}, 10);
    my (undef, undef, undef, $body, $status, $v) = @{ $cases[$case{$name}] };

    is(seen($r, $body), "$status, $v, whole, held 0", "$name, slowly");
    is($parts, '0 1 ' . length $body, '... each part comes at once');
}

# ... but it waits where the document has a source in the body

my ($slow, $parts) = parts($case{'none, an error in the body'}, 0.5);

like(seen($slow, $json), qr/^429, mapped 1002, whole, held [1-9]\d*$/,
     'no code in a header, slowly');
is($parts, 'nothing nothing ' . length $json,
   '... the response waits for the body');


# local responses: the filter sees their headers before add_header adds more

my $r = get($port, '/add_header');

is("$r->{status} $r->{headers}{'x-v'}[0]", '200 none ',
   'a header of add_header has no code');

$r = get($port, '/redirect');

is("$r->{status} $r->{headers}{'x-v'}[0]", '302 unknown /there',
   'a header of a local response');


# invalid sources

my $token = 'it must be a header name like "X-Error-Code" in nginx.conf:8';

for (
    (map { my $name = $_;
           ["source header \"$name\";",
            "invalid source \"$name\" in error_map_document \"d\", $token"] }
     '', ' ', '$http_x_code', 'X Code', 'X-Code:', 'X/Code', "X-\xc3\xa9",
     'X(Code)'),
    ['source header;', 'invalid source in error_map_document "d", it must be '
     . '"source json path ...;", "source header name ...;" or "source regex '
     . 'pattern;" in nginx.conf:8'],
    ['source header X-Code X-Fault;', ''],
    ['source header X-Code;', ''],
    ['source header "!#$%&\'*+-.^_`|~aZ9";', ''],
) {
    my ($source, $message) = @$_;

    is(configuration_error("error_map_document d {\n\n$source\n}\n")
       =~ s/^.*?\[emerg\] \S+: //r, $message,
       ($message ? 'refused: ' : 'accepted: ') . $source);
}

stop($edge);
done_testing();
