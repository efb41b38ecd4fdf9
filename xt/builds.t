# Every way to build the module: as a shared object and linked in, from clean,
# with -j, by both compilers, with and without optional parts of nginx, each
# with nginx's own -Werror; a build without gperf, with an invalid table, and
# with one table more.  nginx's own sources are not optimised.

use strict;
use warnings;

use ErrorMap;
use File::Temp qw(tempdir);
use Test::More;

# each build differs from the others too much

$ENV{CCACHE_DISABLE} = 1;

my $dir = tempdir(CLEANUP => 1);
my $src = "$ErrorMap::root/build/nginx-bookworm";
my $full = '--with-http_v2_module --with-http_slice_module';


# build(copy of the project, "static" or "dynamic", nginx's tree, configure
# arguments, compiler): builds it, returns (exit status, output)

sub build {
    my ($project, $kind, $tree, $args, $cc) = @_;

    local $ENV{CC} = "$ErrorMap::root/tools/cc-quick " . ($cc || 'cc');

    my $out = `$project/tools/build $kind $tree $dir/b $args 2>&1`;

    return ($? >> 8, $out);
}


my @ways = (
    [ 'static', 'cc', "--with-compat $full" ],
    [ 'static', 'cc', "--with-debug $full" ],
    [ 'static', 'cc', '--without-http-cache' ],
    [ 'static', 'cc', '--without-pcre --without-http_rewrite_module' ],
    [ 'static', 'cc', '--without-http_proxy_module' ],
    [ 'static', 'clang', "--with-debug --with-threads $full" ],
    [ 'dynamic', 'cc', "$full" ],
    [ 'dynamic', 'clang', '--with-debug' ],
    [ 'dynamic', 'clang', '--without-http-cache --without-pcre'
                          . ' --without-http_rewrite_module' ],
);

for my $way (@ways) {
    my ($kind, $cc, $args) = @$way;
    my $name = "$kind, $cc, $args";

    system "rm -rf $dir/b";

    my ($status, $out) = build($ErrorMap::root, $kind, $src, $args, $cc);

    is($status, 0, "$name builds") or diag(substr $out, -2000);
    unlike($out, qr/warning:/, "$name builds without a warning");

    if ($kind eq 'static') {
        my $run = "$dir/b/objs/nginx -t -e stderr -p $dir/b -c conf/em.conf";

        spew("$dir/b/conf/em.conf",
                       "error_log stderr; pid $dir/b/pid; events {}\n"
                       . "http { error_map tencent_iotvideo; }\n");

        like(`$run 2>&1`, qr/test is successful/, "$name runs");

    } else {
        ok(-s "$dir/b/objs/ngx_http_error_map_filter_module.so",
           "$name makes the shared object");
    }
}


# Linked in before and after another module whose body filter follows its header
# filter: the order does not matter.

{
    my $echo = "$ErrorMap::root/build/echo-bookworm";
    my $other = "--add-module=$echo --with-cc-opt=-O0";
    my %args = (before => "--add-module=$ErrorMap::root $other",
                after => $other);

    my $vendor = vendor(sub {
        my ($s) = @_;

        print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
        select undef, undef, undef, 0.05;
        print $s '{"StatusCode":42505}';

        return 0;
    });

    system("$ErrorMap::root/tools/debian source bookworm libnginx-mod-http-echo"
           . " $echo > $dir/log 2>&1") == 0 or die slurp("$dir/log");

    for my $order ('before', 'after') {
        system "rm -rf $dir/b";

        my ($status, $out) = build($ErrorMap::root, 'static', $src,
                                   $args{$order});

        is($status, 0, "$order another module, it builds")
            or diag(substr $out, -2000);

        local $ENV{TEST_NGINX_BINARY} = "$dir/b/objs/nginx";
        my $port = free_port();

        my $edge = start(port => $port, modules => '', http => <<"END");
        server {
            listen 127.0.0.1:$port;

            location / {
                error_map tencent_iotvideo;
                echo_before_body before;
                echo_after_body after;
                proxy_pass http://127.0.0.1:$vendor;
            }
        }
END

        my $r = get($port, '/');

        is($r->{status}, 402, '... and maps');
        is($r->{body}, "before\n{\"StatusCode\":42505}after\n",
           '... and the other module has the header before the body');
        stop($edge);
    }
}


# Without the libraries of br and zstd, configure says so, their names are
# rejected, and responses in these codings are skipped.

{
    my $hidden = "$dir/hidden";

    system "rm -rf $dir/b && mkdir -p $hidden/brotli";
    spew("$hidden/$_", "#error it is hidden\n") for 'brotli/decode.h', 'zstd.h';

    my ($status, $out) = build($ErrorMap::root, 'static', $src,
                               "--with-cc-opt='-g -O2 -I$hidden'");

    is($status, 0, 'it builds without brotli and zstd')
        or diag(substr $out, -2000);
    unlike($out, qr/warning:/, '... without a warning');

    my $log = slurp("$dir/b.log");

    like($log, qr/^checking for $_ decoder \.\.\. not found$/m,
         "... and says so of $_") for qw(brotli zstd);

    local $ENV{TEST_NGINX_BINARY} = "$dir/b/objs/nginx";

    for (['br', 'libbrotlidec'], ['zstd', 'libzstd']) {
        my ($coding, $library) = @$_;

        my $message = qq{coding "$coding" in "error_map_decode" requires }
                      . "$library, which this build does not have in ";

        like(configuration_error("error_map_decode $coding;\n"),
             qr/\Q$message\Enginx\.conf:6$/,
             "error_map_decode $coding is rejected");
    }

    is(configuration_error("error_map_decode gzip deflate;\n"), '',
       'error_map_decode gzip deflate is accepted');

    my $vendor = vendor(sub {
        my ($s, $request) = @_;
        my ($coding) = $request =~ m{^GET /(\w+)};

        print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                 . "Content-Encoding: $coding\r\nContent-Length: 20\r\n\r\n"
                 . '{"StatusCode":42505}';
        return 1;
    });

    my $port = free_port();

    my $edge = start(port => $port, http => <<"END");
        server {
            listen 127.0.0.1:$port;

            location / {
                error_map tencent_iotvideo;
                add_header X-Reason \$error_map_reason always;
                proxy_pass http://127.0.0.1:$vendor;
            }
        }
END

    for (['br', 'coding'], ['zstd', 'coding'], ['gzip', 'malformed'],
         ['deflate', 'malformed'], ['identity', undef])
    {
        my ($coding, $reason) = @$_;

        is(get($port, "/$coding")->{headers}{'x-reason'}[0], $reason,
           "$coding: " . ($reason || 'mapped'));
    }

    stop($edge);
}


# a copy of the project that may be changed

sub project {
    my $copy = "$dir/p";

    system "rm -rf $copy $dir/b && mkdir $copy && cd $ErrorMap::root"
           . " && cp -R config config.make ngx_module tables tools $copy";

    return $copy;
}


{
    my $copy = project();
    my $bin = "$dir/bin";

    # all commands of this machine except gperf

    mkdir $bin;
    symlink $_, "$bin/" . s{.*/}{}r
        for grep { !m{/gperf$} } map { glob "$_/*" } '/usr/bin', '/bin';

    my ($status, $out) = do {
        local $ENV{PATH} = $bin;
        build($copy, 'dynamic', $src, '');
    };

    isnt($status, 0, 'no build without gperf');
    like($out, qr/GNU gperf,\nwhich was not found/, '... and it says so');
}


my @bad = (
    [ '42505, 402, EM_OK, "again"', qr/duplicate code "42505", .* line \d+/ ],
    [ '1, 402, EM_NONE, "x"', qr/unknown class "EM_NONE" of code "1", / ],
    [ '1, 42, EM_OK, "x"', qr/invalid status "42" of code "1", it / ],
    [ '1, 600, EM_OK, "x"', qr/invalid status "600" of code "1"/ ],
    [ '1, 204, EM_OK, "x"', qr/invalid status "204" of code "1"/ ],
    [ '1, 200, EM_OK, "a"b"', qr/invalid title of code "1", it/ ],
    [ '1, 200, EM_OK, "a\\\\b"', qr/invalid title of code "1", it/ ],
    [ "1, 200, EM_OK, \"a\tb\"", qr/invalid title of code "1", it/ ],
    [ "1, 200, EM_OK, \"\xe9\"", qr/invalid title of code "1", it/ ],
    [ '1, 200, EM_OK, "' . 'x' x 81 . '"',
      qr/title of code "1" has 81 characters, .* at most 80/ ],
    [ '1, 200, EM_OK, ""', qr/empty title of code "1"/ ],
    [ 'a b, 200, EM_OK, "x"', qr/invalid code "a b", it must be 1 to 128/ ],
    [ '1, 200, EM_OK', qr/invalid row, .*: code, status, EM_CLASS, "title"/ ],
);

{
    my $copy = project();
    my $table = "$copy/tables/tencent_iotvideo.gperf";
    my @lines = split /^/, slurp($table);
    my ($last) = grep { $lines[$_] =~ /^52514,/ } 0 .. $#lines;

    # the first build configures, the others run make only

    for my $case (@bad) {
        my ($row, $message) = @$case;
        my $line = $last + 2;

        spew($table, join '', @lines[0 .. $last], "$row\n",
                                        @lines[$last + 1 .. $#lines]);

        my ($status, $out) = build($copy, 'dynamic', $src, '');

        isnt($status, 0, "no build with the row $row");
        like($out, qr{tables/tencent_iotvideo\.gperf:$line: $message},
             '... and the file, the line and the reason');
    }

    spew($table, join '', @lines);

    my ($status, $out) = build($copy, 'dynamic', $src, '');
    is($status, 0, 'it builds again when the row is gone') or diag($out);
}


# Forks have versions of their own: one that calls itself 1.27.2 has what an
# older nginx has.  In it, the project has a table more.

{
    my $copy = project();
    my $fork = "$dir/fork";

    system "cp -R $src $fork";

    my $version = slurp("$fork/src/core/nginx.h");
    is($version =~ s/(define nginx_version +)\d+/${1}1027002/, 1,
       'a fork has its version');
    spew("$fork/src/core/nginx.h", $version);

    spew("$copy/tables/acme.gperf", <<'END');
%{
/* Acme */

#include "em_table.h"
%}
%compare-lengths
%readonly-tables
%global-table
%struct-type
%omit-struct-type
%language=ANSI-C
%define slot-name code
%define initializer-suffix ,0,0,""
%define word-array-name entries
%define lookup-function-name find_code
struct em_entry_s;
%%
E1,  418, EM_UNAVAILABLE,  "teapot"
%%
static const em_source_t  sources[] = {
    { EM_SOURCE_JSON, em_string("/fault/0/id") }
};

static const em_str_t  success[] = {
    em_string("E0")
};

em_document(acme);
END

    my ($status, $out) = build($copy, 'static', $fork,
                               "$full --with-cc-opt=-O0");
    is($status, 0, 'a fork builds, whatever its version, and a vendor is one '
       . 'file more') or diag(substr $out, -2000);

    local $ENV{TEST_NGINX_BINARY} = "$dir/b/objs/nginx";
    my $port = free_port();

    my $edge = start(port => $port, http => <<"END");
        server {
            listen 127.0.0.1:$port;
            default_type application/json;

            location / {
                error_map acme;
                return 200 '{"fault":[{"id":"E1"}]}';
            }
        }
END

    my $r = get($port, '/');
    is($r->{status}, 418, '... and its codes are mapped');
    is($r->{headers}{'x-error-source'}[0], 'acme', '... by its name');
    stop($edge);
}


done_testing();
