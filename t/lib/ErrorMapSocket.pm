package ErrorMapSocket;

# Test::Nginx::Socket for this module: loads it unless it is linked in, and
# tests in every block that the error log has no alert, emerg or crit.
#
#     use ErrorMapSocket;
#     plan tests => repeat_each() * (blocks() * 2 + ...);

use strict;
use warnings;

use ErrorMap ();

BEGIN {
    my $line = ErrorMap::load_module();

    if ($line =~ /^load_module (\S+);$/) {
        $ENV{TEST_NGINX_LOAD_MODULES} = $1;
    }
}

use Test::Nginx::Socket -Base;

our @EXPORT = @Test::Nginx::Socket::EXPORT;

add_block_preprocessor(sub {
    my $block = shift;

    if (!defined $block->no_error_log) {
        $block->set_value('no_error_log',
                          "[alert]\n[emerg]\n[crit]\nSanitizer\n"
                          . "runtime error:");
    }
});

no_long_string();
no_shuffle();

1;
