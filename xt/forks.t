# The module in any nginx: in each source tree of NGINX_TREES, separated by
# blanks, it is built as a shared object and linked in, and about a hundred
# checks run on both.  Without NGINX_TREES, the tree is Debian 12's, as git and
# as a fork may have it.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT shell);
use ErrorMapSmoke;
use File::Temp qw(tempdir);
use Test::More;

my $root = $ErrorMap::root;
my $dir = tempdir(CLEANUP => 1);

my @trees = split ' ', $ENV{NGINX_TREES} // '';

if (!@trees) {
    my $tree = "$root/build/nginx-bookworm";
    my ($status, $out) = shell("$root/tools/debian source bookworm nginx $tree"
                               . " && cp -R $tree $dir/git"
                               . " && mv $dir/git/configure $dir/git/auto");

    BAIL_OUT("no source of nginx: $out") if $status != 0;
    @trees = "$dir/git";

    # a fork reads a header only if the connection is ready

    my $file = "$dir/git/src/http/ngx_http_upstream.c";
    my $text = slurp($file);

    is($text =~ s/^ +n = \Kc->recv\(c, u->buffer\.last/c->read->ready == 0
            ? NGX_AGAIN : $&/mg, 1, 'the tree has one place that reads it');
    spew($file, $text);
}


# the name and the version that a binary has, and that it is built with

sub version {
    return `$_[0] -v 2>&1` =~ s/^.*?version: //r =~ s/\n.*//sr;
}


for my $tree (@trees) {
    for my $kind (qw(dynamic static)) {
        my $built = "$dir/$kind";

        my ($status, $out) = shell("rm -rf $built && cd $root"
            . " && CC='$root/tools/cc-quick cc' tools/build $kind $tree $built"
            . " --with-http_v2_module"
            . " && make -C $built -f objs/Makefile -j 2 binary");

        is($status, 0, "$tree: the module is built, $kind")
            or diag(substr $out, -2000), next;
        unlike($out, qr/warning:/, '... without a warning');

        # forks have other names for it

        my ($nginx) = grep { -x && -f && !/\.so$|autotest/ }
                      glob "$built/objs/*";

        local $ENV{TEST_NGINX_BINARY} = $nginx;
        local $ENV{ERROR_MAP_MODULE}
            = "$built/objs/ngx_http_error_map_filter_module.so";

        my $version = version($nginx);
        my $load = $kind eq 'dynamic' ? "load_module $ENV{ERROR_MAP_MODULE};"
                                      : '';

        note("$tree: $version, $kind");
        smoke("$version, $kind", modules => $load);
    }
}

done_testing();
