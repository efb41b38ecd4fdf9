# Buffers of every kind, with every flag and every cut, from the test module
# t/injector, with the filter and without: the client gets the same bytes and
# the same end, and the filter finds the code.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream;
use File::Temp qw(tempdir);
use Test::More;

my $src = "$ErrorMap::root/build/nginx-bookworm";
my $dir = tempdir(CLEANUP => 1);

# a binary built before, for one who works on this file

my $binary = $ENV{EM_INJECTOR_NGINX} || build();

# with the parts of nginx that "make test-asan" has, for ccache knows their
# sources

sub build {
    my $asan = '-fsanitize=address,undefined -fno-omit-frame-pointer -g -O1';
    my $parts = join ' ', map { "--with-http_${_}_module" }
                qw(ssl v2 realip addition sub gunzip slice auth_request
                   stub_status);
    my $out = `CC=clang $ErrorMap::root/tools/build static $src $dir/b \\
        --with-debug --with-threads --with-pcre-jit $parts \\
        --with-ld-opt="$asan" \\
        --with-cc-opt="$asan -DNGX_DEBUG_PALLOC=1 \\
        -fsanitize-ignorelist=$ErrorMap::root/tools/sanitizer-ignore" \\
        --add-module=$ErrorMap::root/t/injector 2>&1`;

    die 'no build: ' . substr $out, -3000 if $?;

    return "$dir/b/objs/nginx";
}

$ENV{TEST_NGINX_BINARY} = $binary;

# the texts, each with the places of its code's last byte and of the next one,
# which ends a number; none has a comma

my @texts = (
    { text => '{"StatusCode":42505,"a":"xxxx"}', code => 'mapped', end => 20 },
    { text => '{"a":"xxxxxx","StatusCode":42505}', code => 'mapped',
      end => 33 },
    { text => '{"a":"xx","StatusCode":0,"b":"x"}', code => 'success',
      end => 25 },
    { text => '{"a":"xxxx","StatusCod":42505}' },

    # only the end of the response shows that there is no code

    { text => '{"a":"xxxxx","b":"StatusCode' },
    { text => '{"StatusCode":42505,"a":"' . 'x' x 9000 . '"}',
      code => 'mapped', end => 20 },
);

my %status = (mapped => 402);


# A list of calls says how a text is sent, each a list of buffers as [kind,
# flags, weight], the weight being its part of the text.

my @flags = ('', '+flush', '+recycled', '+chain');
my @empty = map { ['e', $_] } qw(+flush +sync +chain +flush+recycled);
my @data = map { my $kind = $_; map { [$kind, $_] } @flags } qw(t s m p f b);

push @data, ['f', '+temp'], ['b', '+temp+flush'], ['t', '+sync'],
            ['t', '+flush+chain'];

# how a response ends, after the last buffer with bytes or with it

my @ends = ('+last', ',e+last', '/e+last', '+last+chain', '/e+last+chain',
            ',e+flush+last', '/e+sync/e+last', '+last,e+sync',
            '+last/', '//e+last', ',e+last,e+flush', '/e+flush//e+last');

# between two buffers: a chain that goes on, a call, a call with nothing between

my @between = (',', '/', '//');


# Makes the injector's argument of a list of items and separators; the text is
# cut in the $place-th way into a part for each buffer.  Returns (argument,
# expected verdict).

sub compose {
    my ($text, $place, $subrequest, $direct, $end, @items) = @_;

    my $left = length $text->{text};
    my $parts = grep { ref && $_->[0] ne 'e' } @items;
    my ($list, $sent, $verdict) = ('', 0, undef);

    for my $item (@items) {

        if (!ref $item) {
            $list .= $item;
            next;
        }

        my ($kind, $flags) = @$item;
        my $n = 0;

        if ($kind ne 'e') {
            my $most = $left - --$parts;
            my @sizes = (int($left / ($parts + 1)), 1, $text->{end} || 9,
                         ($text->{end} || 9) - 1, $most, 14);

            $n = $parts ? $sizes[$place++ % @sizes] : $left;
            $n = $most if $n > $most;
            $n = 1 if $n < 1;
            $left -= $n;
        }

        $list .= $kind . ($n || '') . $flags;
        $sent += $n;

        next if defined $verdict;

        # the filter does not read a file, but the copy filter does before

        if ($kind eq 'f' && $direct) {
            $verdict = 'undecided';

        } elsif ($text->{code} && $sent >= $text->{end}) {
            $verdict = $text->{code};

        } elsif ($subrequest && $flags =~ /chain/) {
            $verdict = 'none';
        }
    }

    return ("$list$end", $verdict || 'none');
}


my ($port, $locations) = (free_port(), '');
my @variants = (
    { name => 'copied' },
    { name => 'direct', direct => 1, conf => 'inject_direct on;' },
    { name => 'written', conf => 'charset_types application/json;'
          . ' source_charset one; charset two;' },
    { name => 'subrequest', sub => 1 },
    { name => 'direct-subrequest', sub => 1, direct => 1,
      conf => 'inject_direct on;' },

    # another body replaces that of an error, of which nothing may remain

    { name => 'problem', conf => 'error_map_body problem;',
      instead => qr/^\{[^x]*"code":"42505"[^x]*\}\s*$/ },
    { name => 'direct-problem', direct => 1,
      conf => 'inject_direct on; error_map_body problem;',
      instead => qr/^\{[^x]*"code":"42505"[^x]*\}\s*$/ },
    { name => 'direct-page', direct => 1,
      conf => 'inject_direct on; error_map_intercept on; error_page 402 /page;',
      instead => qr/^the page$/ },
);

for my $variant (@variants) {
    my $conf = $variant->{conf} || '';

    for my $document (qw(off tencent_iotvideo)) {
        my $place = "$variant->{name}/$document";

        # the page has the text of the subrequest within its own

        $locations .= <<"END";
        location = /$place {
            ssi on;
            ssi_types text/html;
            default_type text/html;
            return 200 '[<!--#include virtual="/in/$place?\$args" -->]';
        }

        location = /in/$place {
            internal;
            log_subrequest on;
            access_log %DIR%/verdicts verdicts;
            error_map $document;
            inject \$text;
            $conf
        }
END
        $locations =~ s/location = \/\Q$place\E \{.*?\}//s,
        $locations =~ s/\/in\/\Q$place\E \{\s+internal;/\/$place {/
            if !$variant->{sub};
    }
}

# nginx accepts parameters of at most 4096 bytes

my $map = join '', map { my $text = $texts[$_]{text};
                         $text =~ s/x{3000}/\$xs/g;
                         "$_ '$text';\n" } 0 .. $#texts;
my $xs = 'x' x 3000;

my $nginx = start(port => $port, http => <<"END");
    log_format verdicts "\$arg_id \$status \$error_map_verdict";
    charset_map one two { 78 79; }
    map \$arg_t \$xs { default $xs; }
    map \$arg_t \$text { $map }
    sendfile on;
    keepalive_requests 1000000;
    large_client_header_buffers 4 16k;

    server {
        listen 127.0.0.1:$port;
        default_type application/json;
        error_map_hold_timeout 2s;
        add_header X-V \$error_map_verdict always;

$locations
        location = /page {
            return 200 'the page';
        }
    }
END


# Sends each of the lists with the filter and without, on some connections, and
# returns the errors.

my ($requests, $id, $broken) = (0, 0, 0);

sub wrong {
    my ($variant, @cases) = @_;

    my (@lists, @bad, %wanted);

    for my $case (@cases) {
        my ($t, $length, $list) = @$case;

        push @lists, [] if !@lists || @{ $lists[-1] } >= 600;
        $requests += 2;
        $case->[4] = ++$id;

        push @{ $lists[-1] },
            map { "/$variant->{name}/$_?b=$list&t=$t&id=" . $id
                  . ($length ? '&l=1' : '') } qw(off tencent_iotvideo);
    }

    my @all;

    for my $list (@lists) {
        my ($last, @first) = reverse @$list;
        my ($x) = exchange_all({ port => $port, timeout => 30, request =>
            join '', (map { request($_, connection => 'keep-alive') }
                      reverse @first), request($last) });

        push @all, responses($x->{bytes});

        # a hang or a crash occurs again and again

        if (!$x->{closed} || @all % 2) {
            $broken = 1;
            last;
        }
    }
    my %logged;

    if ($variant->{sub}) {
        %logged = map { /^(\d+) (\d+) (\w+)$/ ? ($1 => "$2 $3") : () }
                  split /\n/, slurp("$nginx->{dir}/verdicts");
    }

    for my $case (@cases) {
        last if $broken && !@all;

        my ($t, undef, $list, $verdict, $n) = @$case;
        my ($off, $r) = splice @all, 0, 2;
        my $text = defined $case->[5] ? $case->[5] : $texts[$t]{text};

        $_ ||= { status => 0, complete => 0, body => '', headers => {} }
            for $off, $r;

        $text =~ tr/x/y/ if $variant->{name} eq 'written';
        $text = "[$text]" if $variant->{sub};

        my $status = $status{$verdict} || 200;

        # Without the filter the result must be the same, or the list is
        # useless; only nginx's chunked filter overlooks a last buffer before
        # others, unless the filter has copied it.

        my $inner = $list =~ /last[^\/]*,/;
        my $end = $inner ? $off->{complete} : 1;
        my $own = $inner && $variant->{name} eq 'written'
                  ? $r->{complete} : $end;
        my $body = $text;

        if ($verdict eq 'mapped' && $variant->{instead}) {
            ($body, $own) = ('another', 1);
            $r->{body} = $body if $r->{body} =~ $variant->{instead};
        }

        my $wanted = "200 $end $text, $status $own $body, $status $verdict";
        my $got = "$off->{status} $off->{complete} $off->{body}, "
                  . ($variant->{sub} ? $status : $r->{status})
                  . " $r->{complete} $r->{body}, "
                  . ($variant->{sub} ? $logged{$n} || ''
                     : "$r->{status} " . ($r->{headers}{'x-v'}[0] || ''));

        push @bad, "$list:\n$got\nand not\n$wanted" if $got ne $wanted;
    }

    push @bad, 'a connection broke off' if $broken;

    return @bad;
}


sub holds {
    my ($variant, $name, @cases) = @_;

    return if $broken;

    my @bad = wrong($variant, @cases);

    ok(!@bad, "$variant->{name}, $name: " . @cases . ' ways')
        or diag(scalar @bad, " are wrong, of these\n",
                join "\n", map { substr $_, 0, 600 }
                           @bad > 3 ? @bad[0 .. 2] : @bad);
}


for my $variant (@variants) {
    my ($sub, $direct) = @$variant{qw(sub direct)};

    # texts and cuts are used in turns

    my $n = 0;

    my $case = sub {
        my ($end, @items) = @_;

        $n++;

        my $t = $n % @texts;
        my ($list, $verdict) = compose($texts[$t], int($n / @texts), $sub,
                                       $direct, $end, @items);

        return [$t, $n % 3 == 0, $list, $verdict];
    };

    my @single = map { my $item = $_; map { my $end = $_;
                       map { $case->($end, $item) } 1 .. @texts } @ends } @data;

    holds($variant, 'one buffer', @single);

    # none at all

    holds($variant, 'no bytes', map { [0, 0, $_, 'none', undef, ''] }
          'e+last', '/e+last', 'e+flush/e+last', 'e+sync,e+last',
          'e+flush+recycled,e+sync/e+last', '//e+flush//e+last+chain',
          'e+sync/e+sync//e+flush/e+flush+last', 'e+last/', 'e+last//e+flush');

    # every two neighbours, of which one may be empty

    my @double;

    for my $first (@data, @empty) {
        for my $second (@data) {
            for my $between (@between) {
                push @double, $case->($ends[$n % @ends], $first, $between,
                                      $second);
            }
        }

        # ... an empty one after it is another end

        push @double, $case->($_, $first, ',', ['t', ''], '/', $empty[$n % 4])
            for grep { /^[,\/]/ } @ends;
    }

    holds($variant, 'two buffers', @double);

    # three, of fewer flags

    my @few = (map({ [$_, ''] } qw(t s m f b)), @empty[0 .. 2]);
    my @triple;

    for my $first (@few) {
        for my $second (@few) {
            for my $third (map { [$_, ''] } qw(t p f)) {
                push @triple, $case->($ends[$n % @ends], $first,
                                      $between[$n % 3], $second,
                                      $between[$n / 3 % 3], $third)
                    for 1 .. 5;
            }
        }
    }

    holds($variant, 'three buffers', @triple);
}

note("$requests requests");
cmp_ok($requests, '>', 10_000, 'many lists were sent');

stop($nginx);

done_testing();
