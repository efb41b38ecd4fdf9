package Answers;

# The answers of the vendors of xt/fleet.t, a function of the URI, and those of
# the edges: for the vendor, the clients and the test.
#
# A URI is /a/KIND/ID, /b/KIND/ID or /up/KIND/ID.  Vendor a is an nginx, vendor
# b is xt/fleet/vendor; /up/ goes to two servers of vendor a, to the second one
# if the first one fails.

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(%kinds body expected policy);


# some 60 KB

my $numbers = join '', map { sprintf '%07d,', $_ } 1 .. 7500;

# kind => { document, code or 0, share of the requests, the text, %ID% being the
# request's id, and vendor b's pieces of it: [bytes, pause] }

our %kinds = (
    'a/ok' => { share => 22, code => 200,
                text => '{"id":"%ID%","StatusCode":200}' },
    'a/none' => { share => 4, code => 0,
                  text => '{"id":"%ID%","Data":[{"StatusCode":42505}]}' },
    'a/quota' => { share => 10, code => 42505,
                   text => '{"id":"%ID%","StatusCode":42505}' },
    'a/broken' => { share => 6, code => 52501,
                    text => '{"id":"%ID%","StatusCode":52501}' },
    'a/unknown' => { share => 4, code => 99999,
                     text => '{"id":"%ID%","StatusCode":99999}' },

    # from a file, with no place for the id

    'a/last' => { share => 4, code => 42505,
                  text => "{\"Data\":\"$numbers\",\"StatusCode\":42505}" },

    'b/ok' => { share => 14, code => 0,
                text => '{"code":0,"id":"%ID%"}' },
    'b/token' => { share => 6, code => 1001,
                   text => '{"id":"%ID%","code":1001}' },
    'b/quota' => { share => 6, code => 1002,
                   text => '{"id":"%ID%","code":1002}' },
    'b/last' => { share => 4, code => 1002, chunked => 8000,
                  text => "{\"id\":\"%ID%\",\"data\":\"$numbers\","
                          . '"code":1002}' },

    # the edge waits for the code of this one ...

    'b/slow' => { share => 4, code => 1003, chunked => 20, pause => 0.02,
                  text => '{"id":"%ID%","text":"' . 'slow ' x 12
                          . '","code":1003}' },

    # ... but not for the rest of that one

    'b/drip' => { share => 4, code => 1001, cut => 12_000, pause => 0.04,
                  text => "{\"code\":1001,\"id\":\"%ID%\","
                          . "\"data\":\"$numbers\"}" },

    'up/ok' => { share => 6, code => 200,
                 text => '{"id":"%ID%","StatusCode":200}' },
    'up/first' => { share => 3, code => 200, first => 42505,
                    text => '{"id":"%ID%","StatusCode":200}' },
    'up/both' => { share => 3, code => 42505, first => 42505,
                   text => '{"id":"%ID%","StatusCode":42505}' },
);

my %class = (
    42505 => 'RESOURCE_EXHAUSTED',
    52501 => 'INTERNAL',
    99999 => 'UNKNOWN',
    1001 => 'UNAUTHENTICATED',
    1002 => 'RESOURCE_EXHAUSTED',
    1003 => 'UNAVAILABLE',
);

# the document's status of a code, unless a policy has another

my %document_status = (42505 => 402, 52501 => 456, 1001 => 401, 1003 => 503);

# The old policy and the new one: class => [status, seconds].  Where both have
# the class, a mix of the two is neither.

my %policies = (
    old => {
        RESOURCE_EXHAUSTED => [429, 7],
        UNAVAILABLE => [503, 3],
        INTERNAL => [500, ''],
    },
    new => {
        RESOURCE_EXHAUSTED => [503, 31],
        UNAVAILABLE => [500, ''],
        UNAUTHENTICATED => [403, 60],
        UNKNOWN => [500, ''],
    },
);


# the text of a policy

sub policy {
    my ($name) = @_;

    my $text = '';

    for (sort keys %{ $policies{$name} }) {
        my ($status, $retry_after) = @{ $policies{$name}{$_} };

        $text .= $_ eq 'UNKNOWN' ? "unknown $status;\n"
                 : "class $_ $status"
                   . ($retry_after ? " retry_after=${retry_after}s" : '')
                   . ";\n";
    }

    return "error_map_policy fleet {\n$text}\n";
}


sub body {
    my ($uri) = @_;

    my ($kind, $id) = $uri =~ m{^/(\w+/\w+)/([\w-]+)$} or die "URI $uri\n";

    return $kinds{$kind}{text} =~ s/%ID%/$id/r;
}


# a client's answer with a policy, or, with "dry", that of the vendor:
# { status, body, headers => { name => value, '' if it must be missing },
#   counts => [[document, verdict, code], ...] }

sub expected {
    my ($uri, $policy) = @_;

    my ($where, $name, $id) = split m{/}, substr $uri, 1;
    my $kind = $kinds{"$where/$name"};
    my $document = $where eq 'b' ? 'acme' : 'tencent_iotvideo';

    # without the mapping the answer of the first server is the answer

    if ($policy eq 'dry' && $kind->{first}) {
        my $e = expected("/a/quota/$id", 'dry');
        return $e;
    }

    my @counts = map { count($document, $_) }
                 ($kind->{first} || (), $kind->{code} || $name);
    my $class = $class{$kind->{code}} || '';
    my $e = { body => body($uri), counts => \@counts };

    if (!$class || $policy eq 'dry') {
        $e->{status} = 200;
        $e->{headers} = { map { $_ => '' }
                          qw(x-error-source x-error-code x-error-class
                             x-upstream-status retry-after) };
        return $e;
    }

    my ($status, $retry_after) = @{ $policies{$policy}{$class} || [] };

    $e->{status} = $status || $document_status{$kind->{code}} || 200;
    $e->{headers} = { 'x-error-source' => $document,
                      'x-error-code' => $kind->{code},
                      'x-error-class' => $class,
                      'x-upstream-status' => 200,
                      'retry-after' => $retry_after || '' };

    return $e;
}


# the counters that a vendor's response adds to

sub count {
    my ($document, $code) = @_;

    return [$document, 'none', ''] if $code eq 'none';
    return [$document, 'success', ''] if $code eq 'ok' || $code eq 200;
    return [$document, 'unknown', 'other'] if $class{$code} eq 'UNKNOWN';
    return [$document, 'mapped', $code];
}


1;
