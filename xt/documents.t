# A contributor adds a table and nothing else: the module builds, and the tests
# that mention documents pass.

use strict;
use warnings;

use ErrorMap;
use File::Temp qw(tempdir);
use Test::More;

my $dir = tempdir(CLEANUP => 1);

system("cd $ErrorMap::root && cp -R *.md CHANGES LICENSE bench conf"
       . " config config.make container debian docs findings ngx_module"
       . " t tables tools $dir") == 0 or die "no copy\n";

my $table = slurp("$dir/tables/vzenith.gperf");

is($table =~ s/(em_document(?:_lines)?)\(vzenith\)/$1(extra)/g, 1,
   'a table names its document');

spew("$dir/tables/extra.gperf", $table);

my $built = `$dir/tools/build dynamic /usr/share/nginx/src $dir/build/b 2>&1`;

is($?, 0, 'the module builds with one table more')
    or diag(substr $built, -2000);

delete @ENV{qw(ERROR_MAP_MODULE TEST_NGINX_BINARY)};
symlink 'b/objs/ngx_http_error_map_filter_module.so',
        "$dir/build/ngx_http_error_map_filter_module.so";

# the tests that have names or numbers of documents

for my $test (qw(00-unit-document 00-unit-tables 10-document 10-notice
                 30-http-codes 60-conf-errors 60-conf-mistakes 90-reference))
{
    my $out = `cd $dir && prove -I t/lib t/$test.t 2>&1`;

    is($?, 0, "$test.t passes") or diag($out);
}

done_testing();
