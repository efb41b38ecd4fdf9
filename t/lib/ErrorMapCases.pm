package ErrorMapCases;

# Tables of cases for the blocks of ErrorMapSocket:
#
#     --- config
#     location /t/ { error_map vzenith; proxy_pass http://vendor/; }
#     --- cases
#     /t/200/{"error_code":1001}  401  X-Error-Code: 1001 | !ETag
#     /t/200/{"error_code":0}     =
#         X-Error-Code: 0
#
# The vendor is a server of its own, which answers /STATUS/BODY with that status
# and JSON body; the section "vendor" adds to it.  A case is a URI, with a
# method before it unless that is GET, a status, and headers, separated by "|"
# or line feeds.
#
# Each case is requested twice: as it is, and from the same vendor without the
# filter (below /off/ instead of the location's directories).  The two responses
# must be the same, byte for byte, except for the differences that the case
# lists: the status unless it is "=", added headers, and removed ones (!).

use strict;
use warnings;

use ErrorMap ();
use Test::More ();
use Test::Nginx::Socket ();
use Test::Nginx::Util ();


my $statuses = join '', map {
    qq{    location ~ "(?s)^/$_/(.*)\$" { return $_ \$1; }\n}
} 200, 201, 204, 400, 404, 500, 503;

my $vendor = <<'_EOC_';
merge_slashes off;
proxy_buffer_size 4k;
proxy_buffers 8 4k;

upstream vendor {
    server unix:$TEST_NGINX_SERVER_ROOT/html/vendor.sock;
}

server {
    listen unix:$TEST_NGINX_SERVER_ROOT/html/vendor.sock;
    error_map off;
    default_type application/json;

%s%s}

_EOC_

my $off = <<'_EOC_';
location /off/ {
    error_map off;
    proxy_pass http://vendor/;
}
_EOC_


Test::Nginx::Util::add_block_preprocessor(sub {
    my ($block) = @_;

    return if !defined $block->cases;

    $block->set_value('http_config',
                      sprintf($vendor, $statuses, $block->vendor // '')
                      . ($block->http_config // ''));
    $block->set_value('config', $off . ($block->config // ''));

    # the response to this request starts the cases

    $block->set_value('request', 'GET /off/200/ready');
});


Test::Nginx::Socket::add_response_body_check(sub {
    my ($block, undef, undef, undef, $dry_run) = @_;

    return if !defined $block->cases || $dry_run;

    for (split /\n(?=\S)/, $block->cases) {
        next if /^#/;

        my ($case, @headers) = split /\s+\|\s+|\s*\n\s+/;
        my ($method, $uri, $status, $header)
            = $case =~ /^(?:([A-Z]+)\s+)?(\S+)\s+(\d+|=)(?:\s+(.*?))?\s*$/
            or die "invalid case \"$case\"";

        unshift @headers, $header if defined $header;
        s/\s+$// for @headers;
        @headers = grep { length } @headers;

        check($block->name, $method || 'GET', $uri, $status, @headers);
    }
});


# one test: the responses with and without the filter differ as the case says

sub check {
    my ($name, $method, $uri, $status, @headers) = @_;

    my $plain = $uri;
    $plain =~ s{^/.*?/(?=\d\d\d/)}{/off/} or $plain =~ s{^/[^/]+/}{/off/};

    my ($got, $want) = map { fetch($method, $_) } $uri, $plain;

    # two equal error pages would prove nothing

    die "no vendor answers $plain" if $want->{body} =~ /<center>nginx/;

    if ($status ne '=') {
        $got->{line} =~ s/^\S+ (\d+).*/$1/;
        $want->{line} = $status;
    }

    for (@headers) {
        if (/^!([^:]+)$/) {
            @{ $want->{headers} } = grep { !/^\Q$1\E:/i } @{ $want->{headers} };

        } else {
            push @{ $want->{headers} }, $_;
        }
    }

    Test::More::is(text($got), text($want), "$name - $method $uri");
}


sub fetch {
    my ($method, $uri) = @_;

    my $r = ErrorMap::get(Test::Nginx::Util::server_port_for_client(), $uri,
                          method => $method);
    my ($line, @headers) = split /\r\n/, $r->{head};

    s/^(Date:).*/$1/ for @headers;

    # a complete response differs from one that breaks off

    return { line => $line, headers => \@headers,
             body => $r->{body} . ($r->{complete} ? '' : '[incomplete]') };
}


sub text {
    my ($r) = @_;

    return join "\n", $r->{line}, sort(@{ $r->{headers} }), '', $r->{body};
}


1;
