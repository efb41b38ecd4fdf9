use ErrorMapSocket 'no_plan';
use ErrorMapCases;

# the vendor answers /NNN with a mapped code and this status

our @statuses = (200 .. 203, 207, 299, 300, 399, 400, 402, 404, 429, 451,
                 499, 500, 502, 503, 599, 600, 799, 999);

our $vendor = join '', map { <<"_EOC_" } @statuses;
location = /$_ { return $_ '{"StatusCode":52501}'; }
_EOC_

# cases of all statuses: some become 456, the others are skipped

sub cases {
    my ($location, @mapped) = @_;
    my %mapped = map { $_ => 1 } @mapped;

    return join '', map {
        "/$location/$_ " . ($mapped{$_}
            ? "456 X-Verdict: mapped\n"
            : "=   X-Verdict: skipped | X-Reason: status\n")
    } @statuses;
}

sub from { grep { $_ >= $_[0] && $_ <= $_[1] } @statuses }

run_tests();

__DATA__

=== TEST 1: all statuses by default
--- vendor eval: $::vendor
--- config
error_map_header off;
add_header X-Verdict $error_map_verdict always;
add_header X-Reason $error_map_reason always;
location /all/ { error_map tencent_iotvideo; proxy_pass http://vendor/; }
--- cases eval: ::cases('all', @::statuses)



=== TEST 2: statuses and ranges
--- vendor eval: $::vendor
--- config
error_map_header off;
add_header X-Verdict $error_map_verdict always;
add_header X-Reason $error_map_reason always;
error_map tencent_iotvideo;

location /one/ {
    error_map_statuses 404;
    proxy_pass http://vendor/;
}
location /some/ {
    error_map_statuses 599 200-202 404 400-402;
    proxy_pass http://vendor/;
}
location /range/ {
    error_map_statuses 200-299;
    proxy_pass http://vendor/;
}
location /last/ {
    error_map_statuses 999;
    proxy_pass http://vendor/;
}
location /each/ {
    error_map_statuses 200-999;
    proxy_pass http://vendor/;
}
location /upstream/ {
    error_map_upstream on;
    error_map_statuses 500-599;
    proxy_pass http://vendor/;
}
--- cases eval
::cases('one', 404) . ::cases('some', 599, 200 .. 202, 400, 402, 404)
. ::cases('range', ::from(200, 299)) . ::cases('last', 999)
. ::cases('each', @::statuses) . ::cases('upstream', ::from(500, 599))



=== TEST 3: inheritance
--- vendor eval: $::vendor
--- config
error_map_header off;
add_header X-Verdict $error_map_verdict always;
add_header X-Reason $error_map_reason always;
error_map tencent_iotvideo;
error_map_statuses 200-299;

location /t/ { proxy_pass http://vendor/; }
location /o {
    error_map_statuses 404;
    location /own/ { proxy_pass http://vendor/; }
    location /over/ { error_map_statuses 500; proxy_pass http://vendor/; }
}
--- cases eval
::cases('t', ::from(200, 299)) . ::cases('own', 404) . ::cases('over', 500)
