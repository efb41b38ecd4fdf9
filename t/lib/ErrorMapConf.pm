package ErrorMapConf;

# nginx.conf and its errors: quoted parameters, the names in messages, and the
# message of an invalid configuration.

use strict;
use warnings;

use ErrorMap ();
use ErrorMapTables qw($documents);
use Exporter qw(import);

our @EXPORT = qw($documents $classes refusal quoted);

our $classes = 'OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, '
              . 'NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, '
              . 'RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, '
              . 'OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, '
              . 'DATA_LOSS, UNAUTHENTICATED';


# a text as a parameter of nginx.conf

sub quoted {
    my ($text) = @_;

    return '"' . $text =~ s/(["\\])/\\$1/gr . '"';
}


# configuration_error() without the time, the process and notices

sub refusal {
    return ErrorMap::configuration_error(@_)
               =~ s/^\S+ \S+ \[notice\] .*\n//mgr
               =~ s/^\S+ \S+ \[emerg\] \S+ //r;
}


1;
