# Documents for the envelopes of t/data/envelopes.txt: the verdict, the code and
# the fields of each response, however its JSON is written and cut.

use strict;
use warnings;

use ErrorMap;
use ErrorMapEnvelopes;
use Test::More;

check_envelopes(slurp("$ErrorMap::root/t/data/envelopes.txt"), forms => 1);

done_testing();
