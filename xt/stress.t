# tools/stress for 20 seconds, on Debian 12's nginx with sanitizers, and with
# nginx's own modules and lua linked in.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More tests => 2;

my $root = abs_path(dirname(__FILE__) . '/..');
my $seconds = $ENV{EM_STRESS_SECONDS} || 20;
my $seed = $ENV{EM_STRESS_SEED} || 0;

my $out = `$root/tools/stress-nginx 2>&1`;

BAIL_OUT("no nginx with sanitizers: $out") if $?;

($ENV{TEST_NGINX_BINARY}) = $out =~ /(\S+)\n\z/;

$out = `$root/tools/stress $seconds $seed 2>&1`;

is($?, 0, 'random answers of a vendor, to random clients, beside neighbours');
like($out, qr/^checked [1-9]\d/m, '... are compared to the byte');
diag($out) if $? || $out !~ /^checked/m;
