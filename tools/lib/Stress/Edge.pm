package Stress::Edge;

# The edge of tools/stress: the same locations in servers without the filter and
# with it in every mode, and neighbours in most of them.

use strict;
use warnings;

use ErrorMap;
use Exporter qw(import);
use File::Temp qw(tempdir);

our @EXPORT = qw(@servers %locations start_edge);


# the first has no filter; [name, directives]

our @servers = (
    [off => ''],
    [on => 'error_map acme;'],
    [upstream => 'error_map acme; error_map_upstream on;'],
    [problem => 'error_map acme; error_map_body problem always;'],
    ['upstream-problem' => 'error_map acme; error_map_upstream on;'
                           . 'error_map_body problem always;'],
    [dry => 'error_map acme; error_map_dry_run on;'],
    [page => 'error_map acme; error_map_intercept on;'
             . 'error_page 402 403 503 /page;'],
    ['upstream-page' => 'error_map acme; error_map_upstream on;'
                        . 'error_map_intercept on; error_page 402 403 503'
                        . ' @page;'],
    [small => 'error_map acme; error_map_hold_size 1k;'],
    [short => 'error_map acme; error_map_hold_timeout 20ms;'],
    [never => 'error_map never; error_map_types *;'],
);

# Locations.  "loose" ones change what a client gets by the status, or by what
# came before, so that only the framing, and the log, are checked.

our %locations = (
    plain => { conf => '' },
    unbuffered => { conf => 'proxy_buffering off;' },
    tiny => { conf => 'proxy_buffers 2 4k; proxy_busy_buffers_size 4k;'
                      . 'proxy_max_temp_file_size 0;' },
    file => { conf => 'proxy_buffers 2 4k; proxy_busy_buffers_size 4k;'
                      . 'aio threads; aio_write on; output_buffers 1 4k;' },
    rate => { conf => 'limit_rate 400k; limit_rate_after 8k;' },
    gzip => { conf => 'gzip on; gzip_types *; gzip_min_length 0;'
                      . 'gzip_proxied any;', loose => 'encoded' },
    gunzip => { conf => 'gunzip on;', loose => 'encoded' },
    sub => { conf => 'sub_filter_types *; sub_filter_once off;'
                     . 'sub_filter hunter2 *******;' },
    ssi => { conf => 'ssi on; ssi_types application/json;', loose => 'parts' },
    added => { conf => 'addition_types *; add_before_body /part/1;'
                       . 'add_after_body /part/2;', loose => 'parts' },
    'added-vendor' => { conf => 'addition_types *; add_before_body /plain/3;'
                       . 'add_after_body /unbuffered/8;', loose => 'parts' },
    image => { conf => 'image_filter resize 1 1;', loose => 'replaced' },
    'image-test' => { conf => 'image_filter test;', loose => 'replaced' },
    xslt => { conf => 'xslt_stylesheet %FILES%/to.xslt;', loose => 'replaced' },
    slice => { conf => 'slice 1k; proxy_set_header Range $slice_range;',
               loose => 'parts' },
    auth => { conf => 'auth_request /auth/$seed;' },
    'auth-lua' => { conf => 'access_by_lua_block { '
                        . 'ngx.location.capture("/plain/" .. ngx.var.seed) }' },
    mirror => { conf => 'mirror /mirrored/$seed; mirror_request_body on;' },
    lua => { conf => 'header_filter_by_lua_block { ngx.header["X-Lua"] ='
                     . ' ngx.status } body_filter_by_lua_block {'
                     . ' ngx.arg[1] = ngx.arg[1] }' },
    'lua-exit' => { conf => 'header_filter_by_lua_block { if'
                     . ' ngx.header["X-Error-Code"] then'
                     . ' return ngx.exit(404) end }', loose => 'replaced' },
    cache => { conf => 'proxy_cache stress; proxy_cache_valid 200 403 1s;'
                       . 'proxy_cache_use_stale updating error timeout'
                       . ' http_503; proxy_cache_background_update on;'
                       . 'proxy_cache_revalidate on;'
                       . 'proxy_cache_lock on; proxy_cache_key'
                       . ' $server_port$uri;', loose => 'cached' },
    'cache-slice' => { conf => 'slice 4k; proxy_cache stress;'
                       . 'proxy_set_header Range $slice_range;'
                       . 'proxy_cache_key $server_port$uri$slice_range;'
                       . 'proxy_cache_valid 200 206 1s;', loose => 'parts' },
    stored => { conf => 'proxy_store %DIR%/stored/$server_port-$seed;' },
    intercepted => { conf => 'proxy_intercept_errors on;'
                       . 'error_page 404 500 = /part/9;', loose => 'pages' },
    next => { conf => 'proxy_next_upstream error timeout http_503 http_403'
                      . ' invalid_header;', upstream => 'vendors' },
    if => { conf => 'if ($arg_a) { add_header X-If yes; } if ($arg_b) {'
                    . ' set $c 1; } ' },
    redirected => { conf => 'error_page 502 504 = /part/5;', loose => 'pages' },
);


# start_edge(port of the vendor): an nginx as of ErrorMap::start(), with the
# ports of its servers

sub start_edge {
    my ($vendor, %arg) = @_;

    my @ports = map { free_port() } @servers;
    my @h2 = map { free_port() } @servers;
    my ($text, $i) = ('', 0);
    my $files = tempdir(CLEANUP => 1);

    chmod 0755, $files;
    spew("$files/to.xslt", <<'END');
<xsl:stylesheet version="1.0"
                xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:output method="text"/>
<xsl:template match="/">code <xsl:value-of select="//code"/></xsl:template>
</xsl:stylesheet>
END

    for my $server (@servers) {
        $text .= server($server, $ports[$i], $h2[$i], $arg{without})
                 =~ s/%FILES%/$files/gr;
        $i++;
    }

    my $lua = $arg{without}{lua} ? '' : 'lua_load_resty_core off;';

    my $edge = start(port => $ports[0], workers => 2, connections => 4096,
                     log_level => $ENV{STRESS_LOG} || 'info',
                     main => 'thread_pool default threads=2;',
                     http => <<"END");
    $lua
    log_format stress '\$msec \$remote_port \$connection_requests \$request '
                      '\$status \$body_bytes_sent \$upstream_status '
                      '\$error_map_verdict \$error_map_reason';
    keepalive_requests 50;
    keepalive_timeout 20s;
    lingering_timeout 1s;
    lingering_time 2s;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_read_timeout 4s;
    proxy_connect_timeout 4s;
    send_timeout 20s;
    error_map_hold_timeout 3s;
    error_map_zone counters 1m;
    proxy_cache_path %DIR%/cache keys_zone=stress:10m inactive=5s
                     max_size=50m;

    error_map_document acme {
        source   json /code;
        success  0;
        1001     503 UNAVAILABLE        "busy";
        1002     403 PERMISSION_DENIED  "denied";
        1003     402 RESOURCE_EXHAUSTED "pay";
        1004     200 UNKNOWN            "odd";
    }

    error_map_document never {
        source  regex "never_(\\d+)_matches";
        1       500 INTERNAL "never";
    }

    upstream vendor { server 127.0.0.1:$vendor max_fails=0; keepalive 8; }
    upstream vendors {
        server 127.0.0.1:$vendor max_fails=0;
        server localhost:$vendor max_fails=0;
    }

    $text
END

    $edge->{ports} = \@ports;
    $edge->{h2} = \@h2;
    return $edge;
}


sub server {
    my ($server, $port, $h2, $without) = @_;

    my ($name, $conf) = @$server;
    my $headers = $name eq 'off' ? ''
                  : 'add_header X-V $error_map_verdict always;'
                    . 'add_header X-R $error_map_reason always;';
    my $locations = '';

    for my $at (sort keys %locations) {
        my $l = $locations{$at};

        next if $without && grep { $l->{conf} =~ /\Q$_\E/ } keys %$without;

        my $upstream = $l->{upstream} || 'vendor';

        $locations .= <<"END";
        location ~ ^/$at/(?<seed>\\d+) {
            $headers
            $l->{conf}
            proxy_pass http://$upstream;
        }
END
    }

    my $capture = $without->{lua} ? '' : <<"END";
        location ~ ^/capture/(?<seed>\\d+) {
            $headers
            content_by_lua_block {
                local r = ngx.location.capture("/plain/" .. ngx.var.seed)

                ngx.status = r.status
                ngx.header["Content-Type"] = r.header["Content-Type"]
                ngx.print(r.body)
            }
        }

        location ~ ^/captures/(?<seed>\\d+) {
            $headers
            content_by_lua_block {
                local a, b = ngx.location.capture_multi({
                    { "/unbuffered/" .. ngx.var.seed }, { "/auth/1" } })

                ngx.print(a.body, b.body)
            }
        }
END

    return <<"END";
    server {
        listen 127.0.0.1:$port backlog=1024;
        listen 127.0.0.1:$h2 http2 backlog=1024;
        access_log %DIR%/access.log stress;
        $conf

$locations
$capture
        location /part/ { error_map off; return 200 part; }
        location = /page { return 200 page; }
        location \@page { return 200 page; }
        location /auth/ { return 204; }
        location /mirrored/ { internal; proxy_pass http://vendor; }

        location /ssi-page/ {
            ssi on;
            default_type text/html;
            return 200 '[<!--# include virtual="/plain/\$arg_a" --><!--#
                        include virtual="/unbuffered/\$arg_b" --><!--# include
                        virtual="/cache/\$arg_a" -->]';
        }

        location = /stub { error_map off; stub_status; }
        location = /metrics { error_map_metrics json; }
    }
END
}


1;
