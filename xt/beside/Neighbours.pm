package Neighbours;

# The modules that xt/beside.t uses beside this one, an entry for each use of
# one.  A package that no entry names is loaded only.
#
# An entry has
#
#     name       a word
#     packages   of Debian, without "libnginx-mod-"; what they depend on is
#                loaded before them; * is all of them
#     location   text for the locations that proxy the vendor
#     http, upstream, server
#                text for the other blocks; the servers with and without the
#                filter have the same
#     files      name => text
#     headers    request headers
#     query      appended to the URIs
#     uris       of the locations, by default those that proxy
#     cases      the vendor's answers, by default %cases
#     modes      the ways they are sent in, by default all
#     document   by default acme
#     repeat     how often each request is sent
#     reload     1 if the cases are repeated after reloads
#     stalled    1 if a part of a body passes before its end comes
#
# and about the response
#
#     body       a function of the vendor's body; undef is any body
#     coding, decode
#                a Content-Encoding, and the command that decodes it
#     but        names of headers that are not compared
#     expect     a function (response, case) that modifies the response without
#                the filter, for cases with a code
#     hidden     1 if the vendor's response is only a part of the client's, and
#                that is not mapped
#     status     a function (server, case, status without the filter): nothing
#                but the status is compared, with this one
#     refused    1 if nginx sends a page of its own, after which it closes the
#                connection
#     untold     1 if log and counters do not have the verdicts
#
# X-Seen in a response is the status that the neighbour saw, which is the mapped
# one with the filter.  In texts, %DIR% has the files and the body of each case
# as NAME.json, %VENDOR% and %MEMCACHED% are addresses; the memcached has the
# bodies by name, too.

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(%cases %stalled @neighbours);


# What the vendor says, and its verdict.  Some neighbours hide the password, and
# the name of the code.

my $json = 'application/json';
my $long = join ',', map { $_ % 50 ? "\"$_ nothing\"" : "\"$_ hunter2\"" }
                     1000 .. 1400;

our %cases = (
    denied => { body => '{"password":"hunter2","code":1002,"a":"hunter2"}',
                status => 403, verdict => 'mapped', code => 1002,
                class => 'PERMISSION_DENIED' },
    busy => { body => '{"code":1001,"password":"hunter2"}',
              status => 503, verdict => 'mapped', code => 1001,
              class => 'UNAVAILABLE' },
    last => { body => "{\"list\":[$long],\"code\":1002}",
              status => 403, verdict => 'mapped', code => 1002,
              class => 'PERMISSION_DENIED' },
    unknown => { body => '{"password":"hunter2","code":9999}',
                 verdict => 'unknown', code => 9999, class => 'UNKNOWN' },
    success => { body => '{"password":"hunter2","code":0}',
                 verdict => 'success' },
    none => { body => '{"password":"hunter2"}', verdict => 'none' },
    big => { body => "{\"list\":[$long,$long,$long,$long],\"code\":1002}",
             verdict => 'undecided' },
);

# two halves of the same length

our %stalled = (body => '{"password":"hunter2","list":[1,2,3'
                        . ',4,5,6,7],"letter":"abcde","code":9}');

$_->{type} = $json for values %cases, \%stalled;

my %xml = map {
    my %case = %{ $cases{$_} };

    $case{type} = 'text/xml';
    $case{body} = '<r><password>hunter2</password>'
                  . (defined $case{code} ? "<code>$case{code}</code>" : '')
                  . '<a>' . 'x' x 5000 . '</a></r>';

    ("xml_$_" => \%case);
} qw(denied busy unknown none);

my %image = (
    image => { type => 'image/gif', verdict => 'none', body =>
               pack 'H*', '47494638376101000100800000ffffffffffff2c'
                          . '00000000010001000002024401003b' . '00' x 1000 },
);

my %index = (index => { body => '', verdict => 'skipped' });
my @long_names = map { "\xc3\xa4" x $_ } 20, 30, 45, 60, 100;

# the modes of an edge's own content, and those without gzip

my @pieces = qw(once drops);
my @plain = qw(once late drops chunked chunked-late close);


# texts that several entries have

my $capture = <<'END';
    location ~ ^/capture(/.*)$ {
        content_by_lua_block {
            local res = ngx.location.capture(ngx.var[1])

            ngx.header["Content-Type"] = "text/plain"
            ngx.header["X-Seen"] = res.status
            ngx.print(res.body)
        }
    }
END

my $lua_content = <<'END';
    location ~ ^/lua/([a-z]+)/(\w+)$ {
        default_type application/json;

        content_by_lua_block {
            local file = io.open("%DIR%/" .. ngx.var[2] .. ".json")
            local text = file:read("*a")
            local size = ngx.var[1] == "once" and #text or #text / 5

            file:close()

            for i = 1, #text, math.ceil(size) do
                ngx.print(text:sub(i, i + math.ceil(size) - 1))
                ngx.flush(true)
                ngx.sleep(0.005)
            end
        }
    }
END

my $page = 'location = /page { default_type text/plain; return 200 page; }';


sub masked {
    return $_[0] =~ s/hunter2/*******/gr;
}


sub hidden {
    return masked($_[0]) =~ s/"code"/"kind"/gr;
}


our @neighbours = (

    # none, and nginx's own

    { name => 'nothing', stalled => 1 },

    { name => 'sub', stalled => 1, body => \&masked,
      location => <<'END' },
        sub_filter_types application/json;
        sub_filter_once off;
        sub_filter hunter2 *******;
END

    { name => 'gzip', stalled => 1, headers => "Accept-Encoding: gzip\r\n",
      coding => 'gzip', decode => 'gzip -dc',
      modes => \@plain,
      but => [qw(content-length transfer-encoding)],
      location => <<'END',
        gzip on;
        gzip_types application/json;
        gzip_min_length 0;
        gzip_proxied any;
END
      expect => sub { uncompressed(@_, 'gzip') } },

    { name => 'ssi', stalled => 1,
      location => 'ssi on; ssi_types application/json;' },

    # it adds to responses with the status 200

    { name => 'addition', stalled => 1, body => sub { "before$_[0]after" },
      but => [qw(content-length transfer-encoding)],
      server => <<'END',
    location = /before { error_map off; return 200 before; }
    location = /after { error_map off; return 200 after; }
END
      location => <<'END',
        addition_types application/json;
        add_before_body /before;
        add_after_body /after;
END
      expect => sub {
          my ($r, $case) = @_;
          $r->{body} =~ s/^before(.*)after$/$1/s if $case->{status};
      } },

    { name => 'subs_filter', stalled => 1, packages => ['http-subs-filter'],
      location => <<'END', body => \&masked },
        subs_filter_types application/json;
        subs_filter hunter2 *******;
END

    { name => 'subs_filter_regex', stalled => 1,
      packages => ['http-subs-filter'],
      location => <<'END', body => \&hidden },
        subs_filter_types application/json;
        subs_filter 'hunter\d' ******* gir;
        subs_filter '"code"' '"kind"';
END

    { name => 'lua', packages => ['http-lua'],
      location => <<'END', body => \&hidden },
        header_filter_by_lua_block {
            ngx.header.content_length = nil
            ngx.header["X-Seen"] = ngx.status
        }

        body_filter_by_lua_block {
            local parts = ngx.ctx.parts or {}

            ngx.ctx.parts = parts
            parts[#parts + 1] = ngx.arg[1]

            if ngx.arg[2] then
                ngx.arg[1] = table.concat(parts):gsub("hunter2", "*******")
                                                :gsub('"code"', '"kind"')
            else
                ngx.arg[1] = nil
            end
        }
END

    { name => 'lua_content', packages => ['http-lua'], modes => \@pieces,
      uris => ['/lua/%s'],
      server => $lua_content },

    { name => 'lua_phases', stalled => 1, packages => ['http-lua'],
      location => <<'END' },
        set_by_lua_block $set { return "set" }
        rewrite_by_lua_block { ngx.sleep(0.001) }
        access_by_lua_block { ngx.sleep(0.001) }
        log_by_lua_block { ngx.log(ngx.INFO, ngx.status) }
        add_header X-Set $set always;
END

    { name => 'js', packages => ['http-js'],
      http => 'js_import beside from %DIR%/beside.js;',
      files => { 'beside.js' => <<'END' },
var text = '';

function header(r) {
    delete r.headersOut['Content-Length'];
    r.headersOut['X-Seen'] = String(r.status);
}

function body(r, data, flags) {
    if (r.headersOut['Content-Encoding']) {
        r.sendBuffer(data, flags);
        return;
    }

    text += data.toString();

    if (flags.last) {
        r.sendBuffer(text.replace(/hunter2/g, '*******')
                         .replace(/"code"/g, '"kind"'), flags);
    }
}

export default { header, body };
END
      location => <<'END', body => \&hidden },
        js_header_filter beside.header;
        js_body_filter beside.body buffer_type=buffer;
END

    { name => 'js_content', packages => ['http-js'], modes => \@pieces,
      http => 'js_import beside from %DIR%/beside.js;',
      uris => ['/js/%s'],
      files => { 'beside.js' => <<'END' },
var fs = require('fs');

function content(r) {
    var part = r.uri.split('/'),
        text = fs.readFileSync('%DIR%/' + part[3] + '.json').toString(),
        size = part[2] == 'once' ? text.length : Math.ceil(text.length / 5),
        i;

    r.status = 200;
    r.headersOut['Content-Type'] = 'application/json';
    r.sendHeader();

    for (i = 0; i < text.length; i += size) {
        r.send(text.slice(i, i + size));
    }

    r.finish();
}

export default { content };
END
      server => <<'END' },
    location /js/ { js_content beside.content; }
END

    { name => 'echo', stalled => 1, packages => ['http-echo'],
      location => <<'END', body => sub { "before\n$_[0]after\n" } },
        echo_before_body before;
        echo_after_body after;
END

    { name => 'echo_exec', packages => ['http-echo'],
      uris => ['/exec/%s'],
      server => <<'END' },
    location ~ ^/exec(/.*) { echo_exec /buffered$1; }
END

    { name => 'echo_content', packages => ['http-echo'],
      cases => { echo => { %{ $cases{denied} },
                           body => '{"a":"hunter2",' . "\n\"code\":1002}\n" } },
      modes => ['once'],
      uris => ['/flushed/%s', '/unflushed/%s'],
      server => <<'END' },
    default_type application/json;

    location /flushed/ {
        echo '{"a":"hunter2",';
        echo_flush;
        echo_sleep 0.05;
        echo '"code":1002}';
    }

    location /unflushed/ {
        echo '{"a":"hunter2",';
        echo_sleep 0.05;
        echo '"code":1002}';
    }
END

    { name => 'headers_more', stalled => 1,
      packages => ['http-headers-more-filter'],
      location => <<'END',
        more_set_headers 'X-Seen: $status' 'Content-Type: text/plain';
        more_set_headers -s '403 503' 'X-Bad: yes';
        more_clear_headers 'X-Vendor';
END
      expect => sub {
          my ($r, $case) = @_;
          $r->{headers}{'x-bad'} = ['yes'] if $case->{status};
      } },

    { name => 'brotli', stalled => 1, packages => ['http-brotli-filter'],
      headers => "Accept-Encoding: br\r\n", coding => 'br',
      decode => 'brotli -dc',
      but => [qw(content-length transfer-encoding)],
      location => <<'END',
        brotli on;
        brotli_types application/json;
        brotli_min_length 0;
END
      expect => sub { uncompressed(@_, 'br') } },

    { name => 'zstd', stalled => 1, packages => ['http-zstd-filter'],
      headers => "Accept-Encoding: zstd\r\n", coding => 'zstd',
      decode => 'zstd -dcq',
      but => [qw(content-length transfer-encoding)],
      location => <<'END',
        zstd on;
        zstd_types application/json;
        zstd_min_length 1;
END
      expect => sub { uncompressed(@_, 'zstd') } },

    { name => 'xss', packages => ['http-xss'], query => '?f=call',
      location => <<'END', body => sub { "call($_[0]);" },
        xss_get on;
        xss_callback_arg f;
        xss_check_status off;
        xss_input_types application/json;
END
      expect => sub { $_[0]{line} = 'HTTP/1.1 200 OK' } },

    { name => 'srcache', packages => ['http-srcache-filter', 'http-memc'],
      repeat => 3,
      server => <<'END',
    location = /memc {
        internal;
        default_type text/plain;
        set $memc_key $query_string;
        memc_connect_timeout 2s;
        memc_pass 127.0.0.1:%MEMCACHED%;
    }
END
      location => <<'END',
        set $key $server_port$request_uri;
        srcache_fetch GET /memc $key;
        srcache_store PUT /memc $key;
        add_header X-Cache $srcache_fetch_status always;
END
      expect => sub {
          my ($r, $case) = @_;
          $r->{headers}{'x-cache'} = ['MISS'] if $case->{status};
      } },

    { name => 'memc', packages => ['http-memc'], modes => ['once'],
      uris => ['/memc/%s'],
      server => <<'END' },
    location ~ ^/memc/once/(\w+)$ {
        default_type application/json;
        set $memc_key $1;
        memc_pass 127.0.0.1:%MEMCACHED%;
    }
END

    { name => 'perl', packages => ['http-perl'], modes => \@pieces,
      uris => ['/perl/%s'],
      http => 'perl_modules %DIR%; perl_require Beside.pm;',
      files => { 'Beside.pm' => <<'END' },
package Beside;

use nginx;

sub handler {
    my ($r) = @_;
    my ($mode, $name) = $r->uri =~ m{^/perl/(\w+)/(\w+)};

    open my $fh, '<', "%DIR%/$name.json" or return DECLINED;
    my $text = do { local $/; <$fh> };
    close $fh;

    my $size = $mode eq 'once' ? length $text : int(length($text) / 5) + 1;

    $r->send_http_header('application/json');

    while ($text ne '') {
        $r->print(substr $text, 0, $size, '');
        $r->flush;
    }

    return OK;
}

1;
END
      server => 'location /perl/ { perl Beside::handler; }' },

    { name => 'perl_redirect', packages => ['http-perl'],
      uris => ['/perl/%s'],
      server => <<'END' },
    location /perl/ {
        perl 'sub {
            my ($r) = @_;
            $r->internal_redirect("/buffered" . substr $r->uri, 5);
            return OK;
        }';
    }
END

    { name => 'xslt', packages => ['http-xslt-filter'],
      cases => \%xml, document => 'acme_xml',
      modes => \@plain,
      files => { 'mask.xslt' => <<'END' },
<xsl:stylesheet version="1.0"
                xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:output method="text"/>
<xsl:template match="/">code <xsl:value-of select="/r/code"/>.</xsl:template>
</xsl:stylesheet>
END
      server => 'error_map_types text/xml;',
      location => 'xslt_stylesheet %DIR%/mask.xslt;',
      body => sub { my ($code) = $_[0] =~ /<code>(\d+)/;
                    'code ' . ($code || '') . '.' } },

    # an empty buffer is no image to it, and nginx sends one if an unbuffered
    # body comes late

    { name => 'image', packages => ['http-image-filter'], cases => \%image,
      uris => ['/buffered/%s'],
      modes => \@plain,
      server => 'error_map_types *;',
      location => 'image_filter test;' },

    { name => 'modsecurity', stalled => 1, packages => ['http-modsecurity'],
      location => <<'END' },
        modsecurity on;
        modsecurity_rules '
            SecRuleEngine On
            SecRequestBodyAccess On
            SecResponseBodyAccess On
            SecResponseBodyMimeType application/json
            SecAuditEngine Off
            SecRule RESPONSE_BODY "@contains nowhere" "id:1,phase:4,deny"
        ';
END

    { name => 'upload_progress', stalled => 1,
      packages => ['http-uploadprogress'],
      http => 'upload_progress beside 1m;',
      location => 'track_uploads beside 1s;' },

    { name => 'fair', stalled => 1, packages => ['http-upstream-fair'],
      upstream => 'fair;' },

    { name => 'cache_purge', stalled => 1, repeat => 2,
      packages => ['http-cache-purge'],
      http => 'proxy_cache_path %DIR%/cache keys_zone=beside:1m;',
      location => <<'END',
        proxy_cache beside;
        proxy_cache_key $server_port$request_uri;
        proxy_cache_valid 200 1m;
        proxy_cache_purge PURGE from 127.0.0.1;
END
    },

    { name => 'set_misc', packages => ['http-set-misc'],
      location => <<'END' },
        set_md5 $md5 hunter2;
        add_header X-MD5 $md5 always;
END

    { name => 'dav_ext', packages => ['http-dav-ext'],
      location => 'dav_ext_methods PROPFIND;' },

    # neighbours that read the response to a request of their own

    { name => 'echo_location', packages => ['http-echo'], hidden => 1,
      uris => ['/echo/buffered/%s', '/echo/unbuffered/%s',
               '/async/buffered/%s', '/async/unbuffered/%s'],
      server => <<'END', body => sub { "before\n$_[0]after\n" } },
    location ~ ^/echo(/.*)$ {
        default_type text/plain;
        echo before;
        echo_location $1;
        echo after;
    }

    location ~ ^/async(/.*)$ {
        default_type text/plain;
        echo before;
        echo_location_async $1;
        echo after;
    }
END

    { name => 'eval', packages => ['http-eval'], hidden => 1,
      uris => ['/eval/%s'],
      server => <<'END' },
    location /eval/ {
        eval_subrequest_in_memory off;
        eval_override_content_type text/plain;
        eval_buffer_size 1m;
        eval $answer { proxy_pass http://vendor; }
        default_type text/plain;
        return 200 $answer;
    }
END

    { name => 'lua_capture', packages => ['http-lua'], hidden => 1,
      uris => ['/capture/buffered/%s', '/capture/unbuffered/%s'],
      server => $capture },

    { name => 'lua_access', packages => ['http-lua', 'http-echo'], hidden => 1,
      uris => ['/access/buffered/%s', '/access/unbuffered/%s'],
      server => <<'END', body => sub { "in\n" } },
    location ~ ^/access(/.*)$ {
        access_by_lua_block {
            local res = ngx.location.capture(ngx.var[1])

            ngx.header["X-Seen"] = res.status
        }

        default_type text/plain;
        echo in;
    }
END

    { name => 'lua_capture_multi', packages => ['http-lua'], hidden => 1,
      uris => ['/capture/buffered/%s', '/capture/unbuffered/%s'],
      body => sub { "$_[0]$_[0]" },
      server => <<'END' },
    location ~ ^/capture(/.*)$ {
        content_by_lua_block {
            local a, b = ngx.location.capture_multi({ { ngx.var[1] },
                                                      { ngx.var[1] } })

            ngx.header["Content-Type"] = "text/plain"
            ngx.header["X-Seen"] = a.status
            ngx.print(a.body, b.body)
        }
    }
END

    # it gets the page's status, but no body, as with proxy_intercept_errors

    { name => 'lua_capture_page', packages => ['http-lua'], hidden => 1,
      uris => ['/capture/buffered/%s', '/capture/unbuffered/%s'],
      location => 'error_map_intercept on; error_page 403 503 /page;',
      but => [qw(content-length transfer-encoding)],
      expect => sub { $_[0]{body} = '' if $_[1]{status} },
      server => $page . $capture },

    { name => 'echo_location_page', packages => ['http-echo'], hidden => 1,
      uris => ['/echo/buffered/%s', '/echo/unbuffered/%s'],
      location => 'error_map_intercept on; error_page 403 503 /page;',
      expect => sub { $_[0]{body} = 'page' if $_[1]{status} },
      server => $page . <<'END' },

    location ~ ^/echo(/.*)$ {
        default_type text/plain;
        echo_location $1;
    }
END

    { name => 'lua_capture_content', packages => ['http-lua'], hidden => 1,
      uris => ['/capture/lua/%s'], modes => \@pieces,
      server => $capture . $lua_content },

    { name => 'js_subrequest', packages => ['http-js'], hidden => 1,
      http => 'js_import beside from %DIR%/beside.js;',
      uris => ['/js/buffered/%s', '/js/unbuffered/%s'],
      files => { 'beside.js' => <<'END' },
function content(r) {
    r.subrequest(r.uri.slice(3), (reply) => {
        r.headersOut['Content-Type'] = 'text/plain';
        r.return(200, reply.responseText);
    });
}

export default { content };
END
      server => <<'END' },
    subrequest_output_buffer_size 1m;
    location /js/ { js_content beside.content; }
END

    # It reads no body, so only the upstream layer finds errors.  Any error
    # status refuses the client.

    { name => 'nchan', packages => ['nchan'],
      status => sub {
          my ($server, $case, $status) = @_;
          return $server eq 'upstream' && $case->{status}
                 && length $case->{body} < 4000 ? 403 : $status;
      },
      modes => \@plain,
      untold => 1,
      uris => ['/publish/buffered/%s', '/publish/unbuffered/%s'],
      server => <<'END' },
    location ~ ^/publish(/.*)$ {
        nchan_publisher;
        nchan_channel_id beside;
        nchan_authorize_request $1;
    }
END

    # neighbours that replace the response

    { name => 'image_refused', refused => 1,
      packages => ['http-image-filter'],
      location => 'image_filter test;', body => sub { undef },
      status => sub { 415 } },

    { name => 'lua_exit', refused => 1,
      packages => ['http-lua'],
      status => sub { $_[1]{code} ? 404 : $_[2] },
      location => <<'END' },
        header_filter_by_lua_block {
            if ngx.header["X-Error-Code"] then
                return ngx.exit(404)
            end
        }
END

    { name => 'modsecurity_deny', refused => 1,
      packages => ['http-modsecurity'],
      status => sub { $_[1]{status} ? 404 : $_[2] },
      location => <<'END' },
        modsecurity on;
        modsecurity_rules '
            SecRuleEngine On
            SecAuditEngine Off
            SecRule RESPONSE_STATUS "@rx ^(403|503)$"
                    "id:1,phase:3,deny,status:404"
        ';
END

    # listings, whose names are cut by the charset of the header that was sent

    { name => 'autoindex', cases => \%index, modes => ['once'],
      uris => ['/files/?%s'], body => sub { undef },
      files => { map { ("files/$_" => '') } @long_names },
      server => <<'END' },
    error_map_types *;
    charset utf-8;

    location /files/ {
        alias %DIR%/files/;
        autoindex on;
    }
END

    { name => 'fancyindex', packages => ['http-fancyindex'],
      cases => \%index, modes => ['once'],
      uris => ['/files/?%s'], body => sub { undef },
      files => { map { ("files/$_" => '') } @long_names },
      server => <<'END' },
    error_map_types *;
    charset utf-8;

    location /files/ {
        alias %DIR%/files/;
        fancyindex on;
    }
END

    # all packages together

    { name => 'all', stalled => 1, packages => ['*'], reload => 1, body => sub {
          "before\n" . masked($_[0]) . "after\n" },
      location => <<'END' },
        subs_filter_types application/json;
        subs_filter hunter2 *******;
        echo_before_body before;
        echo_after_body after;
        more_set_headers 'X-Seen: $status';

        header_filter_by_lua_block { ngx.header["X-Lua"] = "yes" }
        body_filter_by_lua_block { ngx.arg[1] = ngx.arg[1] }
END
);


# compressing filters want the status 200, 403 or 404

sub uncompressed {
    my ($r, $case, $coding) = @_;

    delete @{ $r->{headers} }{qw(content-encoding vary)}
        if ($case->{status} || 0) == 503
           && $r->{headers}{'content-encoding'}[0] eq $coding;
}


1;
