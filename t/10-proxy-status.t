# error_map_proxy_status appends a member with the vendor's status and code to
# Proxy-Status, RFC 9209.

use strict;
use warnings;

use ErrorMap;
use ErrorMapConf;
use Test::More;

my $port = free_port();

my $vendor = vendor(sub {
    my ($s, $head) = @_;
    my ($status, $code) = $head =~ m{/(\d+)/(\S+)};
    my $body = "{\"StatusCode\":$code}";

    print $s "HTTP/1.1 $status X\r\nContent-Type: application/json\r\n",
             "Proxy-Status: \"a, b\"; error=dns_error\r\n",
             "Proxy-Status: other\r\nContent-Length: ", length $body,
             "\r\n\r\n", $body;
    return 0;
});

my $edge = start(port => $port, http => <<"END");
    error_map tencent_iotvideo;
    error_map_proxy_status edge.example;

    server {
        listen 127.0.0.1:$port;

        location / { proxy_pass http://127.0.0.1:$vendor; }

        location /off/ {
            error_map_proxy_status off;
            proxy_pass http://127.0.0.1:$vendor/;
        }

        location /string/ {
            error_map_proxy_status "my edge (1)";
            error_map_header off;
            proxy_pass http://127.0.0.1:$vendor/;
        }

        location /dry/ {
            error_map_dry_run on;
            proxy_pass http://127.0.0.1:$vendor/;
        }
    }
END

my @there = ('"a, b"; error=dns_error', 'other');

for (
    ['/200/42505', 402, 'edge.example; received-status=200; '
     . 'details="tencent_iotvideo 42505 RESOURCE_EXHAUSTED"'],
    ['/503/52501', 456, 'edge.example; received-status=503; '
     . 'details="tencent_iotvideo 52501 INTERNAL"'],
    ['/200/77', 200, 'edge.example; received-status=200; '
     . 'details="tencent_iotvideo 77 UNKNOWN"'],
    ['/200/"a\\"\\u000d\\u000ab\\\\"', 200, 'edge.example; '
     . 'received-status=200; '
     . 'details="tencent_iotvideo a%22%0D%0Ab%5C UNKNOWN"'],
    ['/200/200', 200], ['/200/null', 200], ['/off/200/42505', 402],
    ['/string/200/42505', 402, '"my edge (1)"; received-status=200; '
     . 'details="tencent_iotvideo 42505 RESOURCE_EXHAUSTED"'],
    ['/dry/200/42505', 200],
) {
    my ($uri, $status, $member) = @$_;
    my $r = get($port, $uri);

    is_deeply([$r->{status}, @{ $r->{headers}{'proxy-status'} }],
              [$status, @there, defined $member ? $member : ()], $uri);
}

stop($edge);

is(refusal("error_map_proxy_status \"$_\";"),
   "invalid name \"$_\" in \"error_map_proxy_status\", it must be off or "
   . 'printable ASCII characters without ", $ and \\ in nginx.conf:6',
   "refused: $_")
    for '', 'on', '$hostname', 'edge $host', "\xc3\xa9", "a\tb";

is(refusal("error_map_proxy_status a;\nerror_map_proxy_status off;"),
   '"error_map_proxy_status" directive is duplicate in nginx.conf:7',
   'refused: twice');

done_testing();
