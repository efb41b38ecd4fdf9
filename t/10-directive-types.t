use ErrorMapSocket 'no_plan';
use ErrorMapCases;

# the vendor answers /NAME with a mapped code under this type

our %type = (
    json        => 'application/json',
    text        => 'text/json',
    problem     => 'application/problem+json',
    charset     => 'application/json; charset=utf-8',
    tight       => 'application/json;charset=utf-8',
    blank       => 'application/json ; charset=utf-8',
    tab         => "application/json\t; a=b",
    two         => 'application/json; charset=utf-8; profile="a;b"',
    upper       => 'APPLICATION/JSON',
    mixed       => 'Text/Json; Charset=UTF-8',
    hal         => 'application/hal+json',
    vendor      => 'application/vnd.vendor.v1+json; charset=utf-8',
    plusupper   => 'application/HAL+JSON',
    plus        => '+json',
    jsonp       => 'application/jsonp',
    jso         => 'application/jso',
    nosuffix    => 'application/json+xml',
    inside      => 'application/x+json.v1',
    parameter   => 'text/plain; a=application/json',
    plusparam   => 'text/plain; a=b+json',
    html        => 'text/html',
    plain       => 'text/plain',
    octets      => 'application/octet-stream',
    events      => 'text/event-stream',
    eventschar  => 'Text/Event-Stream; charset=utf-8',
    replace     => 'multipart/x-mixed-replace; boundary=b',
    grpc        => 'application/grpc',
    grpcplus    => 'application/grpc+proto',
    grpcjson    => 'application/grpc+json',
    none        => '',
);

our $vendor = join '', map {
    (my $type = $type{$_}) =~ s/"/\\"/g;
    <<"_EOC_";
location = /$_ {
    default_type "$type";
    return 200 '{"StatusCode":42505}';
}
_EOC_
} sort keys %type;

# cases of all types: some are mapped, the others skipped

sub cases {
    my ($location, $mapped) = @_;
    my %mapped = map { $_ => 1 } split ' ', $mapped;

    return join '', map {
        "/$location/$_ " . ($mapped{$_} ? "402 X-Verdict: mapped\n"
                                        : "=   X-Verdict: skipped\n")
    } sort keys %type;
}

run_tests();

__DATA__

=== TEST 1: the types that are inspected without the directive
--- vendor eval: $::vendor
--- config
add_header X-Verdict $error_map_verdict always;
error_map_header off;
location /t/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
--- cases eval
::cases('t', 'json text problem charset tight blank tab two upper mixed hal
              vendor plusupper')



=== TEST 2: listed types replace the default ones except +json
--- vendor eval: $::vendor
--- config
add_header X-Verdict $error_map_verdict always;
error_map_header off;
error_map tencent_iotvideo;
location /one/ { error_map_types text/plain; proxy_pass http://vendor/; }
location /more/ {
    error_map_types text/plain Text/HTML;
    error_map_types application/json;
    proxy_pass http://vendor/;
}
--- cases eval
::cases('one', 'plain parameter plusparam problem hal vendor plusupper')
. ::cases('more', 'plain parameter plusparam problem hal vendor plusupper html
                   json charset tight blank tab two upper')



=== TEST 3: "*" matches every type, and a missing one, but no stream
--- vendor eval: $::vendor
--- config
add_header X-Verdict $error_map_verdict always;
error_map_header off;
error_map tencent_iotvideo;
location /t/ { error_map_types *; proxy_pass http://vendor/; }
location /too/ { error_map_types text/html *; proxy_pass http://vendor/; }
--- cases eval
my $all = 'json text problem charset tight blank tab two upper mixed hal vendor
           plusupper plus jsonp jso nosuffix inside parameter plusparam html
           plain octets none';

::cases('t', $all) . ::cases('too', $all)



=== TEST 4: http, server and location inherit, and replace
--- vendor eval: $::vendor
--- http_config
error_map tencent_iotvideo;
error_map_types text/html;
error_map_header off;
--- config
add_header X-Verdict $error_map_verdict always;
location /http/ { proxy_pass http://vendor/; }
location /plain {
    error_map_types text/plain;

    location /plain/ { proxy_pass http://vendor/; }
    location /plain.all/ { error_map_types *; proxy_pass http://vendor/; }
}
--- cases
/http/html            402   X-Verdict: mapped
/http/plain           =     X-Verdict: skipped
/http/json            =     X-Verdict: skipped
/plain/html           =     X-Verdict: skipped
/plain/plain          402   X-Verdict: mapped
/plain.all/html       402   X-Verdict: mapped
/plain.all/json       402   X-Verdict: mapped



=== TEST 5: a server replaces the types of http
--- vendor eval: $::vendor
--- http_config
error_map tencent_iotvideo;
error_map_types *;
error_map_header off;
--- config
error_map_types text/html;
location /t/ { proxy_pass http://vendor/; }
--- cases
/t/html               402
/t/plain              =
/t/json               =
/t/hal                402
