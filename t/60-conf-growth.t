# Large configurations: time grows as their size does, memory does not grow with
# policies, and each policy still does what its rows say.

use strict;
use warnings;

use ErrorMap;
use File::Temp qw(tempdir);
use List::Util qw(shuffle);
use Test::More;

my $dir = tempdir(CLEANUP => 1);


# seconds of CPU that "nginx -t" takes, the best of three times

sub seconds {
    my ($http) = @_;

    ErrorMap::spew("$dir/nginx.conf", load_module()
                   . "\nerror_log stderr;\npid $dir/pid;\nevents {}\n"
                   . "http {\n$http}\n");

    my $best;

    for (1 .. 3) {
        my (undef, undef, $user, $system) = times;

        my $out = `@{[nginx()]} -t -e stderr -p $dir -c $dir/nginx.conf 2>&1`;
        die $out if $? != 0;

        my (undef, undef, $user2, $system2) = times;
        my $took = $user2 + $system2 - $user - $system;

        $best = $took if !defined $best || $took < $best;
    }

    return $best;
}


sub document {
    my ($name, $n, $more) = @_;

    return "error_map_document $name {\nsource json /c;\n"
           . join('', map { (2 * $_) . " 400 INTERNAL x;\n" } 1 .. $n)
           . ($more || '') . "}\n";
}


my %kinds = (

    'rows of one code' => sub {
        my ($n) = @_;

        return document('d', $n) . "error_map_policy p {\n"
               . join('', map { 'code d/' . (2 * $_) . " 502;\n" } 1 .. $n)
               . "}\n";
    },

    'rows that are all different' => sub {
        my ($n) = @_;

        return document('d', $n) . "error_map_policy p {\n"
               . join('', map { 'code d/' . (2 * $_)
                                . " 502 retry_after=${_}s;\n" } 1 .. $n)
               . "}\n";
    },

    'ranges' => sub {
        my ($n) = @_;

        return document('d', $n) . "error_map_policy p {\n"
               . join('', map { 'code d/' . (2 * $_) . '-' . (2 * $_ + 1)
                                . " 502;\n" } reverse 1 .. $n)
               . "}\n";
    },

    'success codes' => sub {
        my ($n) = @_;

        return document('d', $n, 'success '
                        . join(' ', map { 2 * $_ + 1 } 1 .. $n) . ";\n");
    },
);

for my $kind (sort keys %kinds) {
    my $few = seconds($kinds{$kind}->(4000));
    my $many = seconds($kinds{$kind}->(16000));

    cmp_ok($many, '<=', 6 * $few + 0.1,
           "$kind: four times as many take about four times as long");
}


# the memory of a master with so many policies for 40,000 rows, in kilobytes

sub memory {
    my ($npolicies) = @_;

    my $port = free_port();
    my $edge = start(port => $port, http => document('d', 20000)
        . document('e', 20000)
        . join('', map { "error_map_policy p$_ { class INTERNAL 50" . $_ % 5
                         . "; code d/" . 2 * $_ . " 429; code e/1-$_ 429; }\n" }
                   2 .. $npolicies + 1)
        . "server { listen 127.0.0.1:$port; }\n");

    my ($size) = ErrorMap::slurp("/proc/$edge->{pid}/status")
                 =~ /^VmRSS:\s+(\d+) kB/m;
    stop($edge);

    return $size;
}

my $one = memory(1);

# at 16 bytes a row it was 24 MB

cmp_ok(memory(40), '<', $one + 4096, '40 policies take what one does');


# what a policy does, against the words of README

srand 20261127;

my @classes = qw(INTERNAL NOT_FOUND UNAVAILABLE ABORTED);
my %class = (INTERNAL => 500, NOT_FOUND => 404, UNAVAILABLE => 503,
             ABORTED => 409);
my @statuses = (0, 400, 401, 402, 418);
my @edge = (0, 410 .. 431);

my %rows = map { $_ => [ $statuses[rand @statuses], $classes[rand @classes] ] }
           (map { 1 + int rand 1000 } 1 .. 150), map { "E$_" } 1 .. 50;
my @codes = sort keys %rows;

my $http = "error_map_document d {\nsource json /c;\n"
           . join('', map { "$_ " . ($rows{$_}[0] || '-') . " $rows{$_}[1] x;\n" }
                      @codes) . "}\n";
my (@policies, $locations);

for my $n (0 .. 11) {
    my %policy = (base => [qw(document class keep)]->[rand 3], code => {},
                  range => [], status => {}, class => {});
    my $to = sub { $edge[rand @edge] };

    $policy{code}{$codes[rand @codes]} = $to->() for 1 .. rand 40;

    # ranges do not overlap, and have a code each

    for (my $first = 1; $first < 1000; $first += 100) {
        my $last = $first + int rand 100;

        push @{$policy{range}}, [ $first, $last, $to->() ]
            if rand(2) < 1 && grep { /^\d/ && $_ >= $first && $_ <= $last }
                                   @codes;
    }

    for (@statuses) { $policy{status}{$_} = $to->() if $_ && rand(3) < 1 }
    for (@classes) { $policy{class}{$_} = $to->() if rand(3) < 1 }

    my @lines = (
        (map { "code d/$_ " . ($policy{code}{$_} || 'keep') }
             keys %{$policy{code}}),
        (map { "code d/$$_[0]-$$_[1] " . ($$_[2] || 'keep') }
             @{$policy{range}}),
        (map { my $by = $_; map { "$by $_ " . ($policy{$by}{$_} || 'keep') }
                                keys %{$policy{$by}} } qw(status class)));

    # the order of rows says nothing

    @lines = shuffle(@lines);

    $http .= "error_map_policy p$n {\nbase $policy{base};\n"
             . join('', map { "$_;\n" } @lines) . "}\n";
    $locations .= "location /$n/ { error_map d policy=p$n; "
                  . "proxy_pass http://vendor; }\n";
    push @policies, \%policy;
}

my $port = free_port();

my $edge = start(port => $port, http => <<"END");
$http
upstream vendor { server unix:%DIR%/vendor.sock; }

server {
    listen unix:%DIR%/vendor.sock;
    default_type application/json;

    location ~ /([^/]*)\$ { return 200 '{"c":"\$1"}'; }
}

server {
    listen 127.0.0.1:$port;
    keepalive_requests 10000;
    $locations
}
END

for my $n (0 .. $#policies) {
    my $policy = $policies[$n];
    my @bad;

    # one connection for all codes

    my $x = exchange($port, join '', map { "GET /$n/$_ HTTP/1.1\r\n"
                     . "Host: edge\r\nConnection: "
                     . ($_ eq $codes[-1] ? 'close' : 'keep-alive')
                     . "\r\n\r\n" } @codes);
    my @got = $x->{bytes} =~ m{HTTP/1\.1 (\d{3}) }g;

    is(scalar @got, scalar @codes, "policy $n: each code has its answer");

    for my $i (0 .. $#codes) {
        my $code = $codes[$i];
        my ($status, $class) = @{$rows{$code}};
        my ($range) = $code =~ /^\d/
                      ? grep { $code >= $$_[0] && $code <= $$_[1] }
                             @{$policy->{range}} : ();

        my $want = exists $policy->{code}{$code} ? $policy->{code}{$code}
                   : $range ? $$range[2]
                   : exists $policy->{status}{$status}
                   ? $policy->{status}{$status}
                   : exists $policy->{class}{$class} ? $policy->{class}{$class}
                   : $policy->{base} eq 'keep' ? 0
                   : $policy->{base} eq 'document' && $status ? $status
                   : $class{$class};

        push @bad, "$code: $got[$i], not " . ($want || 200)
            if $got[$i] != ($want || 200);
    }

    is("@bad", '', '... by the row that says most');
}

stop($edge);
done_testing();
