# Neighbours that wait for a subrequest whose response is held: lua's
# ngx.location.capture, echo's echo_location, njs's r.subrequest, and nginx's
# own.  Each of them ends, with the status of the edge; the client's connection
# is good for another request, and SIGQUIT ends the worker.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream qw(exchange_all request responses);
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(sleep time);

# the modules of Debian's own nginx

$ENV{TEST_NGINX_BINARY} = '/usr/sbin/nginx';

my $out = `$ErrorMap::root/tools/deps libnginx-mod-http-lua libnginx-mod-http-echo \\
           libnginx-mod-http-js 2>&1`;
BAIL_OUT("no neighbours: $out") if $?;

my $modules = '/usr/lib/nginx/modules';
my $neighbours = "load_module $modules/ndk_http_module.so;\n"
    . join '', map { "load_module $modules/ngx_http_${_}_module.so;\n" }
               qw(lua echo js);

my $dir = tempdir(CLEANUP => 1);
chmod 0755, $dir;

ErrorMap::spew("$dir/edge.js", <<'END');
function content(r) {
    r.subrequest('/' + r.variables.arg_of + '/' + r.variables.arg_name)
    .then(s => r.return(200, `${s.status} ${s.responseText}`));
}
export default { content };
END


# /PLACE/NAME: what a vendor sends for NAME, with Content-Length or chunked

my %body = (error => '{"code":1001,"a":"xxxxxxxx"}',
            success => '{"code":0,"a":"xxxxxxxxxxx"}',
            none => '{"a":"xxxxxxxx","b":"xxxxxx"}');

my $vendor = vendor(sub {
    my ($s, $head) = @_;

    my ($when, $what) = $head =~ m{^GET \S*/(\w+)-(\w+)};
    my $type = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
               . "ETag: \"vendor\"\r\n";

    if (!defined $when) {
        print $s "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
                 "Content-Length: 4\r\n\r\nfine";
        return 0;
    }

    my $body = $body{$what};

    if ($when eq 'now') {
        print $s $type, 'Content-Length: ', length $body, "\r\n\r\n$body";

    } elsif ($when eq 'late') {
        print $s $type, 'Content-Length: ', length $body, "\r\n\r\n";
        sleep 0.05;
        print $s $body;

    } elsif ($when eq 'drops') {
        print $s $type, 'Content-Length: ', length $body, "\r\n\r\n";

        for (split //, $body) {
            print $s $_;
            sleep 0.004;
        }

    } elsif ($when eq 'chunked') {
        print $s $type, "Transfer-Encoding: chunked\r\n\r\n";
        sleep 0.05;
        printf $s "%x\r\n%s\r\n", length $body, $body;
        sleep 0.05;
        print $s "0\r\n\r\n";

    } elsif ($when eq 'close') {
        print $s $type, "\r\n";
        sleep 0.05;
        print $s $body;

    } elsif ($when eq 'silent') {
        return 0;

    } elsif ($when eq 'cut') {
        print $s $type, "Content-Length: 100\r\n\r\n";
        sleep 0.05;
        print $s '{"a":"xxxx';

    } elsif ($when eq 'reset') {
        print $s $type, "Content-Length: 100\r\n\r\n{\"a";
        sleep 0.05;
        reset_on_close($s);

    } elsif ($when eq 'invalid') {
        print $s $type, "Transfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n";
        sleep 0.05;
        print $s "invalid\r\n";

    } else {                     # a pause, longer than the hold

        print $s $type, 'Content-Length: ', length $body, "\r\n\r\n",
                 substr $body, 0, 3;
        sleep 1.5;
        print $s substr $body, 3;
    }

    return 0;
});

my @when = qw(now late drops chunked close pause);


# who waits: the text that it shows of a subrequest's status and body

my @waiting = qw(capture multi access echo ssi added auth js);

my %shown = (
    capture => sub { "$_[0] $_[1]" },
    multi => sub { "$_[0] $_[1] $_[0] $_[1] 200 fine" },
    access => sub { $_[0] == 200 ? 'let in' : 'kept out' },
    echo => sub { "[$_[1]]" },
    ssi => sub { "[$_[1]]" },
    added => sub { "own$_[1]" },

    # these are skipped: they have no body, or are read into memory

    auth => sub { 'let in' },
    js => sub { "$_[0] $_[1]" },
);


# what the edge does: its directives, and the status and body of an error then;
# a page is shown to those who pass a body on, others see its status only

my %edges = (
    plain => ['', 503],
    unbuffered => ['proxy_buffering off;', 503],
    any => ['error_map_types *;', 503],
    dry => ['error_map_dry_run on;', 200],
    instant => ['error_map_hold_timeout 0;', 503],
    problem => ['error_map_body problem;', 503, '{"type":"about:blank",'
                . '"title":"busy","status":503,"vendor":"acme","code":"1001",'
                . '"class":"UNAVAILABLE","upstream_status":200}'],
    page => ['error_map_intercept on; error_page 503 /page;', 503, 'page'],
    named => ['error_map_intercept on; error_page 503 @page;', 503, 'page'],
    proxied => ['error_map_intercept on; error_page 503 = /vendor;', 503,
                'fine'],
    upstream => ['error_map_upstream on;', 503],
    'upstream-page' => ['error_map_upstream on; error_map_intercept on;'
                        . 'error_page 503 /page;', 503, 'page'],
);

my @edges = $ENV{EM_ONLY} ? split " ", $ENV{EM_ONLY} : sort keys %edges;

my $hold = 'error_map_hold_timeout 1s;';

my $locations = join '', map { <<"END" } @edges;
    location /$_/ {
        error_map acme;
        @{[$edges{$_}[0] =~ /hold_timeout/ ? '' : $hold]}
        $edges{$_}[0]
        proxy_pass http://127.0.0.1:$vendor;
    }
END

# the responses to a waiting location's request, and to the one after it

sub ask_all {
    my ($port, $of, $uri) = @_;

    my ($x) = exchange_all({
        port => $port, timeout => 8,
        request => request("$uri->[0]?of=$of&name=$uri->[1]",
                           connection => 'keep-alive') . request('/own')
    });

    return responses($x->{bytes});
}


for my $order (qw(before after)) {
    my $port = free_port();

    my $edge = start(port => $port, modules => $order eq 'before'
                     ? $neighbours . load_module()
                     : load_module() . $neighbours, http => <<"END");
    error_map_document acme {
        source   json /code;
        success  0;
        1001     503 UNAVAILABLE "busy";
    }

    map \$request_uri \$sub { "~of=([^&]+)&name=(.+)" /\$1/\$2; }

    lua_load_resty_core off;
    js_import edge from $dir/edge.js;
    proxy_http_version 1.1;

    server {
        listen 127.0.0.1:$port;

        $locations

        location /off/ { proxy_pass http://127.0.0.1:$vendor; }
        location /off-unbuffered/ {
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /denied/ {
            error_map acme;
            error_map_types *;
            deny all;
        }

        location /off-denied/ { deny all; }

        location = /vendor { proxy_pass http://127.0.0.1:$vendor/fine; }
        location = /page { return 503 page; }
        location \@page { return 503 page; }
        location = /own { return 200 own; }

        location = /capture {
            content_by_lua_block {
                local r = ngx.location.capture('/' .. ngx.var.arg_of .. '/'
                                               .. ngx.var.arg_name)
                ngx.print(r.status, ' ', r.body)
            }
        }

        location = /multi {
            content_by_lua_block {
                local uri = '/' .. ngx.var.arg_of .. '/' .. ngx.var.arg_name
                local r = { ngx.location.capture_multi({ { uri }, { uri },
                                                         { '/vendor' } }) }
                for i = 1, 3 do
                    ngx.print(i > 1 and ' ' or '', r[i].status, ' ', r[i].body)
                end
            }
        }

        location = /access {
            access_by_lua_block {
                local r = ngx.location.capture('/' .. ngx.var.arg_of .. '/'
                                               .. ngx.var.arg_name)
                if r.status ~= 200 then
                    ngx.status = 200
                    ngx.print('kept out')
                    ngx.exit(200)
                end
            }

            echo -n "let in";
        }

        location = /echo {
            echo -n [;
            echo_location /\$arg_of/\$arg_name;
            echo -n ];
        }

        location = /ssi {
            ssi on;
            default_type text/html;
            return 200 '[<!--# include virtual="/\$arg_of/\$arg_name" -->]';
        }

        location = /added {
            addition_types *;
            add_after_body /sub;
            return 200 own;
        }

        location = /sub { rewrite ^ \$sub last; }

        location = /auth {
            auth_request /sub;
            echo -n "let in";
        }

        location = /js { js_content edge.content; }
    }
END

    for my $of (@edges) {
        my (undef, $status, $page) = @{ $edges{$of} };

        my @uris = map { my $when = $_; map { "$when-$_" }
                         qw(error success none) } @when;

        # the second request is asked on the same connection

        my @who = grep { !/auth|js/ || $of !~ /upstream/ } @waiting;

        my @x = exchange_all(map { my $who = $_; map { {
            port => $port, timeout => 8,
            request => request("/$who?of=$of&name=$_",
                               connection => 'keep-alive') . request('/own')
        } } @uris } @who);

        for my $who (@who) {
            my @wrong;

            for my $uri (@uris) {
                my ($when, $what) = split /-/, $uri;
                my @is = (200, $body{$what});

                # the code comes when the hold is over

                my $seen = $what eq 'error' && $when ne 'pause'
                           && ($of ne 'instant' || $when eq 'now')
                           && $who !~ /auth|js/;

                @is = ($status, $page // $is[1]) if $seen;

                # who captures takes a page's place

                $is[1] = '' if $seen && $of =~ /page|named|proxied/
                               && $who =~ /capture|multi/;

                my $got = join ' ', map { "$_->{status} $_->{body}" }
                             responses((shift @x)->{bytes});
                my $expect = '200 ' . $shown{$who}->(@is) . ' 200 own';

                # a loaded machine may have both at once

                next if $of eq 'instant' && $what eq 'error'
                        && $got eq '200 ' . $shown{$who}->($status, $is[1])
                                   . ' 200 own';

                push @wrong, "$uri: $got, not $expect"
                    if $got ne $expect;
            }

            is(join("\n", @wrong), '', "$order, $of, $who");
        }
    }

    # a vendor that breaks off is seen as it is without the filter

    for my $of (grep { /^(?:plain|unbuffered|any)$/ } @edges) {
        my $off = $of eq 'unbuffered' ? 'off-unbuffered' : 'off';
        my @uris = map { my $who = $_; map { ["/$who", "$_-none"] }
                                       qw(cut reset invalid silent) }
                   qw(capture multi access);

        my @texts = map { my $place = $_; join "\n", map {
            join(' ', @$_) . ': ' . join ' ', map { "$_->{status} $_->{body}" }
                              ask_all($port, $place, $_)
        } @uris } $of, $off;

        is($texts[0], $texts[1], "$order, $of, broken off");
    }

    # ... and what nginx itself refuses

    my @texts = map { my $place = $_; join ' ', map {
        map { "$_->{status} $_->{body}" } ask_all($port, $place, ["/$_", 'a'])
    } qw(capture multi access) } 'denied', 'off-denied';

    is($texts[0], $texts[1], "$order, denied");

    my $begin = time;
    stop($edge);
    cmp_ok(time - $begin, '<', 4, "$order: SIGQUIT ends the worker");
}

done_testing();
