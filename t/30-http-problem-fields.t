# Header fields with a problem body: what describes the vendor's body goes with
# it, and all else stays.  Which is which is said of each field name of IANA's
# registry in t/data/http-fields.

use strict;
use warnings;

use ErrorMap;
use Test::More;

my %field = slurp("$ErrorMap::root/t/data/http-fields")
            =~ /^([^\s#]\S*) +(body|other)$/mg;
my @lines = slurp("$ErrorMap::root/t/data/http-fields") =~ /^([^\s#].*)/mg;

is(scalar @lines, scalar keys %field, 'each field has its line, and a class');
is(join(' ', @lines), join(' ', sort { lc $a cmp lc $b } @lines),
   '... in the order of their names');

# the names of today, for whoever looks after the list

if ($ENV{EM_HTTP_FIELDS}) {
    my %known = map { lc $_ => 1 } keys %field;
    my @today = slurp($ENV{EM_HTTP_FIELDS}) =~ /^([\w-]+),/mg;

    cmp_ok(scalar @today, '>', 200, "$ENV{EM_HTTP_FIELDS} is IANA's");
    is(join(' ', grep { !$known{lc $_} } @today), '', '... and all are known');
}


# a vendor sends all but what frames this body, and nginx what it passes on

my @names = sort grep { !/^(?:Connection|Content-(?:Encoding|Length|Type)
                             |Keep-Alive|Transfer-Encoding|Upgrade)$/x }
                 keys %field;

my @others = ('X-Request-Id', 'X-Content-Digested', 'X-Digests', 'Signatures',
              'Signature-Id', 'Contents', 'X-Content-Language');

my $body = '{"StatusCode":42505}';
my $head = join '', map { "$_: vendor\r\n" } @names, @others, 'digest',
                    'SIGNATURE', 'Content-Not-Yet-Registered', 'New-Digest';

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             . 'Content-Length: ' . length($body) . "\r\n$head\r\n$body";

    return 1;
});

my $port = free_port();

my $edge = start(port => $port, http => <<"END");
error_map_policy keep { base keep; }

server {
    listen 127.0.0.1:$port;
    proxy_buffer_size 64k;
    proxy_buffers 4 64k;
    proxy_busy_buffers_size 64k;
    error_map tencent_iotvideo policy=keep;
    error_map_header off;

    location /keep { proxy_pass http://127.0.0.1:$vendor; }

    location /problem {
        error_map_body problem always;
        proxy_pass http://127.0.0.1:$vendor;
    }
}
END

my $keep = get($port, '/keep');
my $problem = get($port, '/problem');

is($keep->{status}, 200, 'the same status, with the vendor\'s body');
is($keep->{body}, $body, '... which is as it was');
is($problem->{status}, 200, '... and with a problem body');
like($problem->{body}, qr/^\{"type":"about:blank",/, '... which is one');

my %class = map { lc $_ => $field{$_} } keys %field;

$class{$_} = 'body' for 'content-not-yet-registered', 'new-digest';

my @vendors = sort grep { grep { $_ eq 'vendor' } @{$keep->{headers}{$_}} }
                        keys %{$keep->{headers}};

cmp_ok(scalar @vendors, '>', 230, 'nginx passes nearly all of them');

is(join(' ', grep { ($class{$_} || '') eq 'body'
                    && grep { $_ eq 'vendor' } @{$problem->{headers}{$_}} }
             @vendors),
   '', 'no field stays that describes the vendor\'s body');

is(join(' ', grep { ($class{$_} || 'other') eq 'other'
                    && !$problem->{headers}{$_} } @vendors),
   '', '... and none goes that does not');

stop($edge);
done_testing();
