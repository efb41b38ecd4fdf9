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


# start_vendor(directory for the bodies): an nginx as of ErrorMap::start(), and
# its port

sub start_vendor {
    my ($dir) = @_;

    my $port = free_port();
    my $locations = join '', map { vendor_location($dir, $_) }
                    grep { !/$perl_only/ } sort keys %kinds;

    spew("$dir/$_", $file{$_}) for keys %file;

    return server($port, <<"END");
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
END
}


sub vendor_location {
    my ($dir, $kind) = @_;

    my ($body, $type) = @{ $kinds{$kind} }[2, 3];
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


# start_edge(port of the vendor, port of the one in Perl): as start_vendor()

sub start_edge {
    my ($vendor, $perl) = @_;

    my $port = free_port();
    my $pass = 'http://vendors/';

    return server($port, <<"END", workers => 2);
    keepalive_requests 10000000;
    error_map_zone counters 1m;

    error_map_document sms {
        source  regex "<Code>(\\w+)</Code>";
        E17     429 RESOURCE_EXHAUSTED "no credit left";
    }

    error_map_policy edge { class RESOURCE_EXHAUSTED 503; }

    upstream vendors { server 127.0.0.1:$vendor max_fails=0; keepalive 8; }

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
