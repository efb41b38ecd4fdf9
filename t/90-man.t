# The manual page of the Debian package has every directive and variable of
# docs/directives.md, that of error-map-draft has its options, and groff has no
# complaint.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT shell);
use File::Temp qw(tempdir);
use Test::More;

my $dir = tempdir(CLEANUP => 1);
my $reference = slurp("$ErrorMap::root/docs/directives.md");

my ($status, $page) = shell("$ErrorMap::root/tools/man");

is($status, 0, 'tools/man works');
spew("$dir/page.5", $page);

my ($formatted, $text) = shell("LC_ALL=C.UTF-8 groff -man -ww -Tutf8 -rLL=500n"
                               . " $dir/page.5 2> $dir/errors");

is($formatted, 0, 'groff formats it');
is(slurp("$dir/errors"), '', '... without a warning');

$text =~ s/\e\[[\d;]*m|.\x08//g;
$text =~ s/\xe2\x80\x90/-/g;

my $draft = slurp("$ErrorMap::root/debian/error-map-draft.1");
my ($options) = slurp("$ErrorMap::root/tools/draft") =~ /\A(.*?)^use /ms;

is(join(' ', sort map { s/\\//gr } $draft =~ /^\.BI? ([\\-]+\w+)/mg),
   join(' ', sort $options =~ /^#     (--\w+)/mg), 'the options of draft');

my @directives = $reference =~ /^\* Syntax: `([^`]*)`$/mg;
my @variables = $reference =~ /^\| `(\$error_map_\w+)` \|/mg;

cmp_ok(scalar @directives, '>', 15, 'directives');
cmp_ok(scalar @variables, '>', 10, 'variables');

# a line that describes it follows, or is the rest of a short one

like($text, qr/^ *\Q$_\E\n? +\S.{5,}$/m, $_) for @directives, @variables;

is(join('', $text =~ /^.*(?:\]\(|`).*$/mg), '', 'no Markdown is left');

# the package has it

like(slurp("$ErrorMap::root/debian/rules"), qr{^\tperl tools/man > (\S+)$}m,
     'the package makes it');
like(slurp("$ErrorMap::root/debian/libnginx-mod-http-error-map.manpages"),
     qr{^debian/ngx_http_error_map\.5$}m, '... and has it');

done_testing();
