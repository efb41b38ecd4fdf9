# "nginx -t" warns, once and with file and line, where a configuration cannot do
# what it seems to; and it does not warn where it can.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT forget logged reload);
use File::Temp qw(tempdir);
use Test::More;

my $dir = tempdir(CLEANUP => 1);

# nothing is said of a location's Accept-Encoding until the tests of it

my $default = 'proxy_set_header Accept-Encoding "";';


# warnings_of(http block from its second line, which is nginx.conf:6): all
# warnings of "nginx -t", a line each

sub warnings_of {
    my ($http) = @_;

    spew("$dir/nginx.conf", load_module() . "\nerror_log stderr;\n"
                            . "pid $dir/pid;\nevents {}\n"
                            . "http { access_log off; $default\n$http}\n");

    my $out = `@{[nginx()]} -t -e stderr -p $dir -c $dir/nginx.conf 2>&1`;

    return "refused: $out" if $? != 0;

    $out =~ s{\Q$dir/\E}{}g;

    return join "\n", map { s/^.*\[warn\] (?:\d+#\d+: )?//r }
                      grep { /\[warn\]/ } split /\n/, $out;
}

sub warns {
    my ($name, $http, @messages) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is(warnings_of($http), join("\n", @messages),
              (@messages ? 'warns: ' : 'does not warn: ') . $name);
}

my $pass = 'proxy_pass http://127.0.0.1:1;';


# A document without a success, with a policy that has "unknown"

sub policy {
    my ($document, $policy) = @_;

    return <<"END";
error_map_document d {
    $document
    1 500 INTERNAL "one";
}
error_map_policy p { $policy }
server {
    location / { error_map d policy=p; $pass }
    location /a { $pass error_map d policy=p; }
}
END
}

my $no_success = 'document "d" has no success, so that "unknown" of '
                 . 'error_map_policy "p" applies to good responses with a '
                 . 'code, too, add a line "success" to the document in '
                 . 'nginx.conf:';

for ('source json /code;', 'source json /error_code;', 'source json $.code;',
     'source json /meta/code;', 'source json /error/code /code;',
     'source json $.items[*].code;', 'source json /err;',
     'source header X-Code; source json /code;',
     'source json /code; source json /other code=X;')
{
    warns("no success, $_", policy($_, 'unknown 502;'), "${no_success}12",
          "${no_success}13");
}

for ('source json /code; success 0;',
     'source json /code; success json /ok true;',
     'source json /code; success range 200-299;',
     'source json /code; success prefix OK;',
     'source json /code; default - UNKNOWN "any";',
     'source json /error/code;', 'source json $.errors[*].code;',
     'source json /Errors/0/code;', 'source json /Fault/faultcode;',
     'source json /exception/type;',
     'source json /code if=/error;', 'source json /code unless=/data;',
     'source json /code pattern=^E.*;', 'source json /errors code=1;',
     "source json '\$.items[?\@.failed==true].code';",
     'source header X-Acme-Error;')
{
    warns("a success or only errors, $_", policy($_, 'unknown 502;'));
}

warns("policy $_", policy('source json /code;', $_))
    for 'base class;', 'unknown keep;', 'unknown keep retry_after=5s;',
        'class INTERNAL 502;', '';

warns('compiled documents have a success', join '',
      "error_map_policy p { unknown 502; }\nserver {\n",
      (map { "location /$_ { error_map $_ policy=p; $pass }\n" }
           'tencent_iot', 'vzenith', 'baidu_face'),
      "}\n");

# the documents of conf/vendors tell good answers apart, or have codes of errors
# only

my @vendors = sort glob "$ErrorMap::root/conf/vendors/*.conf";
my @documents = map { slurp($_) =~ /^error_map_document (\S+)/mg } @vendors;

cmp_ok(scalar @documents, '>', 50, 'documents of vendors');

warns('documents of vendors', join '', 'error_map_types *; '
      . 'error_map_policy p { unknown 502; }',
      (map { "include $_;\n" } @vendors), "server {\n",
      (map { "location /$_ { error_map $_ policy=p; $pass }\n" } @documents),
      "}\n");

warns('a document in a variable', <<"END");
error_map_document d { source json /code; 1 500 INTERNAL "one"; }
error_map_policy p { unknown 502; }
server { location / { error_map \$arg_d policy=p; $pass } }
END

warns('a document that is not used', <<"END");
error_map_document d { source json /code; 1 500 INTERNAL "one"; }
error_map_policy p { unknown 502; }
server { location / { error_map vzenith policy=p; $pass } }
server { listen 127.0.0.1:8001; error_map d policy=p;
    location / { error_map off; $pass } }
END

warns('once for all locations that inherit', <<"END", "${no_success}8");
error_map_document d { source json /code; 1 500 INTERNAL "one"; }
error_map_policy p { unknown 502; }
server { error_map d policy=p;
    location / { $pass }
    location /a { $pass location /a/b { $pass } }
    location ~ x { $pass if (\$arg_x) { $pass } }
}
END


# A pattern for text where only JSON is inspected

sub regex {
    my ($regex, $types, $more) = @_;

    return <<"END";
error_map_document d { source regex $regex; success 0; 1 500 INTERNAL "one"; }
server {
    error_map d;
    $types
    location /a { $pass } @{[$more // '']}
}
END
}

for (['"<Code>(\w+)</Code>"', '<Code>(\w+)</Code>'],
     ['"code=(\d+)"', 'code=(\d+)'],
     ['"<a code=\"(?<code>\d+)\""', '<a code="(?<code>\d+)"'])
{
    my ($written, $read) = @$_;

    warns("types, $written, $_", regex($written, $_),
          "\"source regex $read\" of document \"d\" is searched in responses "
          . 'of JSON types only, add the type of the text to '
          . '"error_map_types" in nginx.conf:8')
        for '', 'error_map_types application/json;',
            'error_map_types text/json application/vnd.acme+json;';

    warns("types, $written, $_", regex($written, $_))
        for 'error_map_types *;', 'error_map_types text/xml;',
            'error_map_types application/json text/plain;';

    warns("types, $written, of a location",
          regex($written, '',
                "location /b { error_map_types text/xml; $pass }"));
}

warns("a pattern for JSON, $_", regex($_, ''))
    for q{'"code":"(?<code>\w+)"'}, q{'"(\w+)"'}, q{'(?<=")(\w+)"'};

warns('a document without a pattern', <<"END");
error_map_document d { source json /code; success 0; 1 500 INTERNAL "one"; }
server { location / { error_map d; $pass } }
END


# The upstream layer where nothing acts on it

sub layer {
    my ($in_location, $more, $location) = @_;

    return <<"END";
proxy_cache_path cache keys_zone=c:1m;
error_map_policy edge { class RESOURCE_EXHAUSTED 429; }
server {
    listen 127.0.0.1:8001;
    location @{[$location // '/vendor']} {
        error_map vzenith policy=edge;
        error_map_upstream on;
        $pass
        $in_location
    }
    @{[$more // '']}
}
END
}

sub no_effect {
    my ($of, $location) = @_;

    $location //= '/vendor';

    return "\"error_map_upstream\" has no effect in location \"$location\", "
           . "which has no ${of}_next_upstream of a status, no ${of}_cache and "
           . "no ${of}_intercept_errors in nginx.conf:12";
}

warns("the upstream layer, $_", layer($_), no_effect('proxy'))
    for '', 'proxy_next_upstream error timeout;', 'proxy_next_upstream off;',
        'proxy_next_upstream error invalid_header non_idempotent;',
        'proxy_intercept_errors off;', 'proxy_cache off;',
        'fastcgi_next_upstream http_503;', 'error_page 429 /busy;',
        'auth_request off;', 'ssi off;';

warns("the upstream layer, $_", layer($_))
    for 'proxy_next_upstream error timeout http_429;',
        'proxy_next_upstream http_503;', 'proxy_cache c;', 'proxy_store on;',
        'proxy_intercept_errors on; error_page 429 /busy;',
        'error_map_intercept on; error_page 429 /busy;', 'internal;',
        'limit_except GET { deny all; }  proxy_cache c;';

warns('the upstream layer, fastcgi',
      layer('', 'location /f { error_map vzenith; fastcgi_pass 127.0.0.1:1; }'),
      no_effect('proxy'));

for my $of (qw(fastcgi uwsgi scgi)) {
    my $http = layer('')
        =~ s/\Q$pass/${of}_pass 127.0.0.1:1;/r;

    warns("the upstream layer, $of", $http, no_effect($of));

    warns("the upstream layer, $of, $_", $http =~ s/(_pass [^;]+;)/$1 $_/r)
        for "${of}_next_upstream error http_503;", "${of}_store on;",
            "${of}_intercept_errors on; error_page 429 /busy;";

    warns("the upstream layer, $of with a directive of proxy",
          $http =~ s/(_pass [^;]+;)/$1 proxy_next_upstream http_429;/r,
          no_effect($of));
}

warns('the upstream layer, a variable in proxy_pass',
      layer('') =~ s/127\.0\.0\.1:1;/\$arg_x;/r, no_effect('proxy'));

warns('the upstream layer of a subrequest', layer('', $_))
    for 'location /x { auth_request /vendor; }',
        'location /x { auth_request /vendor/check; }',
        'location /x { mirror /vendor; }', 'location /x { ssi on; }';

warns('the upstream layer of a subrequest, a pattern',
      layer('', 'location /x { auth_request /check; }', '~ ^/check'));

warns('the upstream layer, another subrequest',
      layer('', 'location /x { auth_request /check; }'), no_effect('proxy'));

warns('the upstream layer of a named location',
      layer('', '', '@vendor'));

warns('the upstream layer, $upstream_status in a log',
      'log_format s "$upstream_status"; ' . layer(''));

warns('the upstream layer, $error_map_upstream_codes in a log',
      'log_format s "$error_map_upstream_codes"; ' . layer(''));

my $row = 'class RESOURCE_EXHAUSTED 429 next_upstream';

warns('the upstream layer, a row with next_upstream',
      layer('') =~ s/class \w+ 429/$row/r);
warns('the upstream layer, a row with next_upstream=off',
      layer('') =~ s/class \w+ 429/$row=off/r, no_effect('proxy'));
warns('the upstream layer, a row with next_upstream where it is off',
      layer('proxy_next_upstream off;') =~ s/class \w+ 429/$row/r,
      no_effect('proxy'));

warns('the upstream layer, useful in one location', <<"END");
error_map vzenith;
error_map_upstream on;
server {
    location / { $pass }
    location /a { proxy_next_upstream http_503; $pass }
}
END

warns('the upstream layer, in no location', <<"END",
error_map vzenith;
error_map_upstream on;
server {
    location / { $pass }
    location /a { $pass }
    location /b { error_map_upstream off; proxy_next_upstream http_503; $pass }
    location /c { return 200 x; }
}
END
      no_effect('proxy', '/') =~ s/12$/7/r);


# error_map_intercept without an error_page

my $no_page = '"error_map_intercept" has no effect in location "/", which has '
              . 'no "error_page" in nginx.conf:';

warns('error_map_intercept', <<"END", "${no_page}8");
server {
    location / { error_map vzenith;
        error_map_intercept on; $pass }
    location /a { error_page 500 /x; $pass }
}
END

warns('error_map_intercept, inherited', <<"END", "${no_page}7");
error_map vzenith;
error_map_intercept on;
server { location / { $pass } location /a { $pass } }
server { listen 127.0.0.1:8001;
    location / { error_map off; error_page 500 /x; $pass } }
END

warns("error_map_intercept, $_", "error_map vzenith;\n$_\n")
    for "server { error_page 500 /x; "
        . "location / { error_map_intercept on; $pass } }",
        "error_page 500 /x; "
        . "server { location / { error_map_intercept on; $pass } }",
        "server { location / { error_map_intercept on; error_page 429 \@a; "
        . "$pass } location \@a { return 200 a; } }",
        "server { error_map_intercept on; location / { $pass } location /a { "
        . "error_page 500 /x; $pass } }",
        "server { error_map_intercept on; location / { root html; } }",
        "server { location / { error_map_intercept off; $pass } }",
        "server { error_map_intercept on; "
        . "location / { error_map off; $pass } }";


# proxy_intercept_errors knows the vendor's status only

sub intercept {
    my ($in_location) = @_;

    return <<"END";
proxy_cache_path cache keys_zone=c:1m; server {
    error_page 429 /busy;
    location /a {
        error_map vzenith;
        proxy_intercept_errors on;
        $in_location
    }
}
END
}

my $not_found = '_intercept_errors" in location "/a" does not apply to errors '
                . 'that "error_map" finds, use "error_map_intercept on" or '
                . '"error_map_upstream on" in nginx.conf:9';

warns('proxy_intercept_errors', intercept($pass), "\"proxy$not_found");
warns('scgi_intercept_errors',
      intercept('scgi_intercept_errors on; scgi_pass 127.0.0.1:1;'),
      "\"scgi$not_found");

warns("proxy_intercept_errors, $_", intercept($_))
    for "error_map_intercept on; $pass",
        "error_map_upstream on; proxy_cache c; $pass", 'return 200 a;',
        'scgi_pass 127.0.0.1:1;';

warns('proxy_intercept_errors without error_map',
      intercept($pass) =~ s/error_map vzenith;//r);
warns('proxy_intercept_errors without an error_page',
      intercept($pass) =~ s/error_page .*//r);


# a row with "next_upstream" where nothing can ask the next server

{
    my $policy = "error_map_policy p {\n    class INTERNAL 502;\n"
                 . "    $row;\n}\n";

    my $location = sub {
        my ($uri, $more) = @_;
        return "location $uri { error_map vzenith policy=p; $more $pass }\n";
    };

    my $at_row = '"next_upstream" in policy "p" has no effect in location "/a",'
                 . ' use "error_map_upstream on" in nginx.conf:';

    my $conf = sub { $policy . "server {\n" . join('', @_) . "}\n" };

    warns('a row with next_upstream', $conf->($location->('/a', '')),
          $at_row . 8);
    warns('... useful in another location',
          $conf->($location->('/a', ''),
                  $location->('/b', 'error_map_upstream on;')));
    warns("... $_", $conf->($location->('/a', $_)))
        for 'error_map_upstream on;', 'error_map_dry_run on;';
    warns('... without next_upstream',
          $conf->($location->('/a', '')) =~ s/ next_upstream//r);
}


# Accept-Encoding asks for a coding that is not inspected

$default = '';

sub coding {
    my ($header, $more) = @_;

    return <<"END";
server {
    location /a {
        error_map vzenith;
        @{[$more // '']}
        proxy_set_header Accept-Encoding $header;
        $pass
    }
}
END
}

sub asks {
    my ($coding, $line) = @_;

    return "\"proxy_set_header Accept-Encoding\" asks for \"$coding\", but "
           . 'such responses are not inspected by "error_map" in location '
           . '"/a" in nginx.conf:' . ($line // 10);
}

my %built = map { my $coding = $_;
                  $coding => configuration_error("error_map_decode $coding;\n"
                                                 . "server { }\n") eq '' }
            qw(gzip deflate br zstd);

warns("Accept-Encoding, $_->[0]", coding($_->[0]), asks($_->[1]))
    for ['compress', 'compress'], ['"gzip, compress"', 'compress'],
        ['"gzip,xz"', 'xz'], ['"gzip;q=1.0 , dcz ;q=0.5"', 'dcz'],
        ['"bzip2;q=0.001"', 'bzip2'], ['dcb,compress', 'dcb'];

warns("Accept-Encoding, $_", coding($_))
    for 'gzip', '""', '"gzip, deflate"', 'identity', '"GZIP, x-gzip"',
        '"gzip, compress;q=0"', '"gzip, xz; Q=0.000"', '"gzip,,"', '"*"',
        '"gzip, *;q=0"', '$arg_coding', '"compress$arg_x"',
        (grep { $built{$_} } sort keys %built);

warns("Accept-Encoding, $_ is not built in", coding($_), asks($_))
    for grep { !$built{$_} } sort keys %built;

warns('Accept-Encoding, inherited', <<"END", asks('compress', 6));
proxy_set_header Accept-Encoding compress;
error_map vzenith;
server {
    location /a { $pass }
    location /b { $pass }
    location /c { proxy_set_header Accept-Encoding ""; $pass }
}
END

my $any = $built{br} && $built{zstd} ? undef
          : $built{br} ? 'zstd' : $built{zstd} ? 'br' : 'br and zstd';

my @any = $any ? ("location \"/a\" passes the client's Accept-Encoding, but "
                  . "responses in $any are not inspected by this build, use "
                  . '"proxy_set_header Accept-Encoding gzip" in nginx.conf:')
               : ();

warns('Accept-Encoding, not inherited', <<"END", map { "${_}7" } @any);
proxy_set_header Accept-Encoding compress;
error_map vzenith;
server { location /a { proxy_set_header X-A b; $pass } }
END

warns('Accept-Encoding, the client\'s', coding('$http_accept_encoding'),
      map { $_ . 10 } @any);
warns('Accept-Encoding, by default',
      coding('') =~ s/proxy_set_header [^;]*;//r, map { $_ . 8 } @any);
warns('Accept-Encoding, no header of the client',
      coding('')
          =~ s/proxy_set_header [^;]*;/proxy_pass_request_headers off;/r);
warns('Accept-Encoding without error_map',
      coding('compress') =~ s/error_map vzenith;//r);
warns('Accept-Encoding, fastcgi',
      coding('compress') =~ s/\Q$pass/fastcgi_pass 127.0.0.1:1;/r);


# The directives of other modules are as before after an invalid configuration,
# and after a valid one.

my $port = free_port();

my $edge = start(port => $port, http => <<"END");
server {
    listen 127.0.0.1:$port;
    location / { return 200 one; }
    location /a {
        error_map vzenith;
        proxy_set_header Accept-Encoding xz;
        $pass
    }
}
END

my $conf = slurp("$edge->{dir}/nginx.conf");

is(logged($edge, qr/\[warn\] .*asks for "xz"/), 1, 'logged at start');

for my $broken ("$conf\nunknown;\n",
                $conf =~ s/return 200 one;/proxy_pass nonsense;/r,
                $conf =~ s/return 200 one;/proxy_set_header a;/r)
{
    spew("$edge->{dir}/nginx.conf", $broken);
    kill 'HUP', $edge->{pid};

    ok(wait_for(sub { logged($edge, qr/\[emerg\]/) }, 30), 'an invalid one');
    is(forget($edge, qr/\[emerg\]/), 1, '... is refused once');
    is(get($port, '/')->{body}, 'one', '... and the old one stays in use');
}

for my $n (1, 2) {
    reload($edge, $conf =~ s/200 one/200 two-$n/r);
    is(get($port, '/')->{body}, "two-$n", 'a valid one');
}

stop($edge);

done_testing();
