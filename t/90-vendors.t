# conf/vendors: each document loads, alone and with all others, without a
# warning; all together cost little; and they give the answers of t/data/vendors.

use strict;
use warnings;

use lib 't/lib';

use ErrorMap qw(:DEFAULT launch quit workers);
use ErrorMapVendors;
use File::Basename qw(basename);
use File::Temp qw(tempdir);
use POSIX ();
use Test::More;

my $root = $ErrorMap::root;
my $dir = vendors_dir();
my @names = vendor_names();

cmp_ok(scalar @names, '>=', 40, 'conf/vendors has documents');
is_deeply([map { basename($_, '.cases') } sort glob "$root/t/data/vendors/*.cases"],
          \@names, '... and each has cases');


# each alone, and all together: no word of nginx at any level

my %text = map { $_ => slurp("$dir/$_.conf") } @names;

for my $name (@names) {
    my ($out, $status) = test("include $dir/$name.conf;");

    is_deeply([$status, $out], [0, ''], "$name loads alone, and silently");
    is_deeply([$text{$name} =~ /^error_map_document (\S+) \{$/mg], [$name],
              '... is one document of that name');
    like($text{$name}, qr{\A\#\ [^\n]+\n\#\n
                          (?:\#\ Source:\ https://\S+\ \(.*\d{4}-\d\d-\d\d\)\n
                           |\#\ Source:\ https://\S+\ \(\d{4}-\d\d-\d\d\)\n)+}x,
         '... and names its API and its sources');
    like($text{$name}, qr/^    success /m, '... has a success');
    like($text{$name}, qr/^    field +message /m, '... and a message');

    my @long = grep { !/^# Source:/ && length > (/^#/ ? 80 : 120) }
               split /\n/, $text{$name};

    is("@long", '', '... in lines of 120 bytes, comments of 80');

    my $rows = () = $text{$name}
               =~ /^ {4}(?!source |success |field |retry_after ).*";$/mg;

    cmp_ok($rows, '>=', 4, '... with four rows');
}

{
    my ($out, $status) = test("include $dir/*.conf;");

    is_deeply([$status, $out], [0, ''], 'all load together, and silently');
}


# docs/vendors.md is what tools/vendors makes

is(slurp("$root/docs/vendors.md"), scalar `$^X $root/tools/vendors`,
   'docs/vendors.md is up to date');
is($?, 0, '... by tools/vendors');
like(slurp("$root/README.md"), qr/documents\sof\s@{[scalar @names]}\smore\sAPIs/x,
     'README.md has their number');


# nginx -t of a text of the http block: what it says but for its success, and
# its status

sub test {
    my ($http) = @_;

    my $tmp = tempdir(CLEANUP => 1);

    spew("$tmp/nginx.conf", load_module() . "\nerror_log stderr info;\n"
                            . "pid $tmp/pid;\nevents {}\n"
                            . "http {\naccess_log off;\n$http\n}\n");

    my $out = `@{[nginx()]} -t -e stderr -p $tmp -c $tmp/nginx.conf 2>&1`;
    my $status = $?;

    $out =~ s/^nginx: .*(?:syntax is ok|test is successful)\n//mg;

    return ($out, $status);
}


# the cost: memory of a worker and CPU time of nginx -t, with all documents and
# without; of the time the least of three runs counts.  A sanitizer keeps freed
# memory, and is slow.

{
    my %cost;

    for my $with (0, 1) {
        my $http = 'error_map off;'
                   . ($with ? "\n    include $dir/*.conf;" : '');

        for (1 .. 3) {
            my @before = POSIX::times();
            my (undef, $status) = test($http);
            my @after = POSIX::times();

            is($status, 0, 'nginx -t') if $status;
            least(\$cost{cpu}[$with], ($after[3] + $after[4]
                                       - $before[3] - $before[4])
                                      / POSIX::sysconf(POSIX::_SC_CLK_TCK()));
        }

        my $port = free_port();
        my $edge = start(port => $port, http => "$http
    server { listen 127.0.0.1:$port; return 204; }");

        get($port, '/');
        my ($rss) = slurp('/proc/' . (workers($edge))[0] . '/status')
                    =~ /^RssAnon:\s+(\d+) kB/m;

        $cost{rss}[$with] = $rss;
        stop($edge);
    }

    my $kb = $cost{rss}[1] - $cost{rss}[0];
    my $cpu = $cost{cpu}[1] - $cost{cpu}[0];

    note(sprintf '%d documents: %d KB in a worker, %.2f s of CPU time',
         scalar @names, $kb, $cpu);

    my $sanitizer = ($ENV{CC} || '') =~ /sanitize/ ? 10 : 1;

    cmp_ok($kb, '<', 4.5 * 1024 * $sanitizer, 'all documents take 4.5 MB');
    cmp_ok($cpu, '<', 0.2 * $sanitizer, '... and load in 0.2 s');
}


sub least {
    my ($least, $value) = @_;

    $$least = $value if !defined $$least || $value < $$least;
}


# the cases

my @cases;

for my $name (@names) {
    my @some = vendor_cases($name);

    cmp_ok(scalar @some, '>=', 3, "$name has three cases");
    isnt((grep { $_->{is}{verdict} =~ /success|none/ } @some), 0,
         '... and a good answer');
    push @cases, @some;
}

my $vendor = vendor(sub {
    my ($s, $request) = @_;
    my $case = $cases[($request =~ m{^GET /\w+/(\d+) })[0]];

    print $s "$case->{head}\r\nContent-Length: " . length($case->{body})
             . "\r\n\r\n$case->{body}";
});

my $port = free_port();

my $locations = join '', map {
    "        location /$_/ {
            error_map $_ policy=vendors;
            error_map_types application/json @{[vendor_types($_)]};
            proxy_pass http://127.0.0.1:$vendor;
        }\n"
} @names;


# "unknown" shows that no good answer of a vendor is one

my $edge = start(port => $port, http => <<"END");
    include $dir/*.conf;
    error_map_policy vendors { unknown 599; }

    error_map_header X-Code     \$error_map_code;
    error_map_header X-Class    \$error_map_class;
    error_map_header X-Message  \$error_map_field_message;
    error_map_header X-Id       \$error_map_field_request_id;
    error_map_header Retry-After  \$error_map_retry_after;
    add_header X-Verdict \$error_map_verdict always;

    server {
        listen 127.0.0.1:$port;
$locations
    }
END

for my $i (0 .. $#cases) {
    my $case = $cases[$i];
    my $r = get($port, "/$case->{name}/$i");
    my $has = sub { $r->{headers}{$_[0]}[0] };
    my $retry = $has->('retry-after');

    is_deeply({ verdict => $has->('x-verdict'), code => $has->('x-code'),
                status => $r->{status}, class => $has->('x-class'),
                message => $has->('x-message') // '',
                id => $has->('x-id') // '', after => $retry // '' },
              { (map { $_ => $case->{is}{$_} } qw(verdict code status class)),
                (map { $_ => $case->{is}{$_} // '' } qw(message id after)) },
              "$case->{name}, case $case->{n}");
}

stop($edge);

done_testing();
