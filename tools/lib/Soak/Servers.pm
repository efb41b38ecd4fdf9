package Soak::Servers;

# The servers of tools/soak: a vendor in nginx, a vendor in Perl that sends
# slowly or too little, and the edge.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream qw(put query);
use Exporter qw(import);
use Soak::Traffic qw(%file %kinds);
use Time::HiRes qw(sleep);

our @EXPORT = qw(start_vendor start_perl_vendor start_edge);
our @EXPORT_OK = qw($cut);

# kinds that only the vendor in Perl sends, and the bytes that cut bodies lack

my $perl_only = qr/^(?:dribble|cut)/;
our $cut = 700;


# start_vendor(directory for the bodies): an nginx as of ErrorMap::start(), its
# port, and "spare", a port where all short bodies are good

sub start_vendor {
    my ($dir) = @_;

    my ($port, $spare) = (free_port(), free_port());
    my @kinds = grep { !/$perl_only/ } sort keys %kinds;
    my $locations = join '', map { vendor_location($dir, $_) } @kinds;
    my $good = join '', map { vendor_location($dir, $_, 'ok') }
               grep { !exists $file{$kinds{$_}[2]} } @kinds;

    spew("$dir/$_", $file{$_}) for keys %file;

    my $vendor = server($port, <<"END");
    keepalive_requests 10000000;
    gzip on;
    gzip_types application/json text/xml;
    gzip_min_length 1;
    gzip_comp_level 1;

    server {
        listen 127.0.0.1:$port;
        add_header X-Id \$arg_id always;
        location = /unmodified { return 304; }
        $locations
    }

    server {
        listen 127.0.0.1:$spare;
        add_header X-Id \$arg_id always;
        $good
    }
END

    $vendor->{spare} = $spare;
    return $vendor;
}


# vendor_location(directory, kind, the kind of its answer, the same by default)

sub vendor_location {
    my ($dir, $kind, $answer_kind) = @_;

    my ($body, $type) = @{ $kinds{$answer_kind || $kind} }[2, 3];
    my $limit = $kind eq 'rate' ? 'limit_rate 60k; limit_rate_after 4k;' : '';
    my $answer = exists $file{$body}
        ? "alias $dir/$body;"
        : "return 200 '@{[$body =~ s/%ID%/\$arg_id/r]}';";

    $type = 'application/json' if $type eq '';

    return "location = /$kind {\n"
           . "types { } default_type $type; $limit $answer\n}\n";
}


# returns the port

sub start_perl_vendor {
    return vendor(\&perl_answer);
}


sub perl_answer {
    my ($s, $head) = @_;

    my %arg = query($head);
    my ($kind) = $head =~ m{^GET /(\w+)};
    my $body = $kinds{$kind}[2] =~ s/%ID%/$arg{id}/r;
    my $length = length($body) + ($kind =~ /^cut/ ? $cut : 0);

    put($s, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            . "X-Id: $arg{id}\r\nContent-Length: $length\r\n"
            . "Connection: close\r\n\r\n" . ($kind eq 'dribble' ? '' : $body));

    return 0 if $kind ne 'dribble';

    for (split /(.{9})/, $body) {
        sleep 0.005;
        put($s, $_) or last;
    }

    return 0;
}


# start_edge(the vendor, port of the one in Perl): as start_vendor()

sub start_edge {
    my ($vendor, $perl) = @_;

    my $port = free_port();
    my $pass = 'http://vendors/';
    my $modules = load_module() . join '', map {
        "\nload_module /usr/lib/nginx/modules/${_}_module.so;"
    } qw(ndk_http ngx_http_lua);

    return server($port, <<"END", workers => 2, modules => $modules);
    # nginx keeps 80 bytes of each large buffer for headers, which a batch of
    # requests needs, until the connection ends
    keepalive_requests 10000;

    error_map_zone counters 1m;

    error_map_document sms {
        source  regex "<Code>(\\w+)</Code>";
        E17     429 RESOURCE_EXHAUSTED "no credit left";
    }

    error_map_policy edge { class RESOURCE_EXHAUSTED 503; }

    upstream vendors {
        server 127.0.0.1:$vendor->{port} max_fails=0;
        keepalive 8;
    }

    upstream pair {
        server 127.0.0.1:$vendor->{port} max_fails=0;
        server 127.0.0.1:$vendor->{spare} max_fails=0 backup;
        keepalive 8;
    }

    proxy_cache_path %DIR%/cache keys_zone=cache:1m;
    gzip_types application/json;
    gzip_min_length 1;
    gzip_comp_level 1;
    gzip_proxied any;

    server {
        listen 127.0.0.1:$port;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        add_header X-Verdict \$error_map_verdict always;
        error_map tencent_iotvideo;

        location /plain/ { proxy_pass $pass; }
        location /slow/ { proxy_pass http://127.0.0.1:$perl/; }

        location /upstream/ {
            error_map tencent_iotvideo policy=edge;
            error_map_upstream on;
            proxy_pass $pass;
        }

        location /problem/ { error_map_body problem; proxy_pass $pass; }

        location /policy/ {
            error_map tencent_iotvideo policy=edge;
            proxy_pass $pass;
        }

        location /unbuffered/ { proxy_buffering off; proxy_pass $pass; }
        location /small/ { error_map_hold_size 1k; proxy_pass $pass; }

        location /regex/ {
            error_map sms;
            error_map_types text/xml;
            proxy_pass $pass;
        }

        location /stream/ {
            error_map_types text/event-stream;
            proxy_buffering off;
            proxy_pass $pass;
        }

        # a mapped error has the next server asked, where it is a good one

        location /retry/ {
            error_map tencent_iotvideo policy=edge;
            error_map_upstream on;
            proxy_next_upstream error timeout http_503;
            proxy_pass http://pair/;
        }

        # neighbours that change a body, or send that of an earlier request

        location /gzip/ {
            gzip on;
            proxy_set_header Accept-Encoding "";
            proxy_set_header Connection "";
            proxy_pass $pass;
        }

        location /sub/ {
            sub_filter '"id"' '"renamed"';
            sub_filter_types application/json;
            proxy_set_header Accept-Encoding "";
            proxy_set_header Connection "";
            proxy_pass $pass;
        }

        location /added/ {
            add_before_body /part;
            add_after_body /part;
            addition_types application/json;
            proxy_set_header Accept-Encoding "";
            proxy_set_header Connection "";
            proxy_pass $pass;
        }

        location /lua/ {
            proxy_set_header Accept-Encoding "";
            proxy_set_header Connection "";
            proxy_pass $pass;

            header_filter_by_lua_block {
                ngx.header["X-Lua"] = ngx.var.error_map_verdict
            }

            body_filter_by_lua_block {
                ngx.arg[1] = ngx.arg[1]:gsub('"', "'")
            }
        }

        location /cached/ {
            rewrite ^/cached(/.*) \$1?id=cached? break;
            proxy_cache cache;
            proxy_cache_key \$uri;
            proxy_cache_valid 200 1s;
            proxy_set_header Accept-Encoding "";
            proxy_set_header Connection "";
            proxy_pass http://vendors;
        }

        location = /part { error_map off; internal; return 200 '[part]'; }
        location = /counters { error_map_metrics json; }
        location = /stub { error_map off; stub_status; }
    }
END
}


# an nginx that tools/soak stops itself, for some alerts in its log are expected

sub server {
    my ($port, $http, %arg) = @_;

    my $server = start(port => $port, log_level => 'warn', http => $http, %arg);

    @$server{qw(port stopped)} = ($port, 1);
    return $server;
}


1;
