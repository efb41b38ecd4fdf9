# A vendor's body comes in pieces, cut anywhere: neither the verdict nor the
# client's body may depend on the cuts.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream;
use Test::More;

my $mapped = 'mapped 42505';
my $long = '9' x 128;

# name, document, body, status, verdict and code

my @cases = (
    ['code first', 'tencent_iotvideo',
     '{"StatusCode":42505,"a":[1,{"b":"c"}]}', 402, $mapped],
    ['code last', 'tencent_iotvideo',
     '{"a":{"StatusCode":200},"s":"\\"}{","StatusCode":42505}', 402, $mapped],
    ['code after nested values of two blocks', 'tencent_iotvideo',
     '{"Data":{"Item":{"Id":"' . 'i' x 60 . '"},"Name":"' . 'n' x 60
     . '"},"StatusCode":42505}', 402, $mapped],
    ['code as a string', 'tencent_iotvideo',
     "\r\n { \"StatusCode\" : \"42505\" } \n", 402, $mapped],
    ['word', 'face_device',
     '{"error_code":"DEVICE_ID_NOT_FOUND"}', 404,
     'mapped DEVICE_ID_NOT_FOUND'],
    ['nested code', 'tencent_iot',
     '{"Response":{"Id":"x","Error":{"Code":20000}}}', 500,
     'mapped 20000'],
    ['escaped name', 'tencent_iotvideo',
     '{"\\u0053tatus\\u0043ode":42505}', 402, $mapped],
    ['escaped code', 'tencent_iotvideo',
     '{"StatusCode":"\\u003425\\u0030\\u0035"}', 402, $mapped],
    ['byte order mark', 'tencent_iotvideo',
     "\xef\xbb\xbf{\"StatusCode\":42505}", 402, $mapped],
    ['first of two codes', 'tencent_iotvideo',
     '{"StatusCode":42505,"StatusCode":200}', 402, $mapped],
    ['malformed after the code', 'tencent_iotvideo',
     '{"StatusCode":42505,]', 402, $mapped],
    ['unknown code', 'tencent_iotvideo',
     '{"StatusCode":425050}', 200, 'unknown 425050'],
    ['unknown code in UTF-8', 'tencent_iotvideo',
     "{\"StatusCode\":\"\xc3\xa9\\u00e9\\ud83d\\ude00\"}", 200,
     'unknown %C3%A9%C3%A9%F0%9F%98%80'],
    ['longest code', 'tencent_iotvideo',
     "{\"StatusCode\":$long}", 200, "unknown $long"],
    ['code too long', 'tencent_iotvideo',
     "{\"StatusCode\":9$long}", 200, 'none '],
    ['success', 'tencent_iotvideo',
     '{"a":[],"StatusCode":200}', 200, 'success 200'],
    ['null', 'tencent_iotvideo', '{"StatusCode":null}', 200, 'none '],
    ['no code', 'tencent_iotvideo', '[{"StatusCode":42505}]', 200, 'none '],
    ['scalar', 'tencent_iotvideo', '42505', 200, 'none '],
    ['number as the last byte', 'tencent_iotvideo',
     '{"StatusCode":42505', 200, 'none '],
    ['malformed before the code', 'tencent_iotvideo',
     '{"a":tru,"StatusCode":42505}', 200, 'none '],
    ['half a byte order mark', 'tencent_iotvideo',
     "\xef\xbb{\"StatusCode\":42505}", 200, 'none '],
    ['empty', 'tencent_iotvideo', '', 200, 'none '],
);

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my %arg = query($request);
    my ($head, $raw) = frame($arg{framing}, $cases[$arg{case}][2],
                             chunk => $arg{chunk});

    return put_cut($s, $head, $raw, %arg);
});

my $port = free_port();
my $locations = '';

for my $document ('off', do { my %seen; grep { !$seen{$_}++ }
                                        map { $_->[1] } @cases })
{
    for my $buffering (qw(on off)) {
        $locations .= <<"END";
        location /$document/$buffering {
            error_map $document;
            proxy_buffering $buffering;
            proxy_pass http://vendor;
        }
END
    }
}

my $nginx = start(port => $port, http => <<"END");
    upstream vendor {
        server 127.0.0.1:$vendor;
        keepalive 64;
    }

    server {
        listen 127.0.0.1:$port;

        proxy_http_version 1.1;
        proxy_set_header Connection "";
        add_header X-V "\$error_map_verdict \$error_map_code" always;
        add_header X-Held \$error_map_hold_size always;

$locations
    }
END


my $held = 0;

# a response in a few words

sub seen {
    my ($r, $off, $case) = @_;

    my $verdict = $r->{headers}{'x-v'}[0] || '';

    $held++ if $r->{headers}{'x-held'}[0];

    # mapped and unknown ones have more headers

    my $same = $verdict !~ /^(?:success|none)/
               || bare($r) eq bare($off) ? 'same' : 'changed';

    return summary($r, $case->[2]) . ", $same";
}


# tests all responses of each job: one for each of the vendor's arguments,
# compared with that of the proxy without the filter

sub check {
    my ($name, @jobs) = @_;

    my @results = pipelines($port, map {
        my ($n, $framing, $buffering, @args) = @$_;

        [map { "$_&case=$n&framing=$framing" }
             "/off/$buffering?cut=0",
             map { "/$cases[$n][1]/$buffering?$_" } @args]
    } @jobs);

    for (@jobs) {
        my ($n, $framing, $buffering, @args) = @$_;

        my $case = $cases[$n];
        my ($off, @responses) = @{ shift @results };
        my %seen;

        for (@args, @responses > @args ? 'the end' : ()) {
            my $r = shift @responses;
            push @{ $seen{$r ? seen($r, $off, $case) : 'nothing'} }, $_;
        }

        my $wanted = "$case->[3], $case->[4], whole, same";

        is(join("; ", map { $_ eq $wanted ? $_ : "$_ at @{$seen{$_}}" }
                      sort keys %seen),
           $wanted, "$name: $case->[0], $framing, buffering $buffering");
    }
}


my (@cuts, @steps, @ones);

for my $n (0 .. $#cases) {
    for my $framing (@framings) {

        # cuts fall between the chunks as well

        my ($head, $raw) = frame($framing, $cases[$n][2], chunk => 16);

        for my $buffering (qw(on off)) {
            my @job = ($n, $framing, $buffering);

            push @cuts, [@job, map { "chunk=16&cut=$_" } 0 .. length $raw];
            push @steps, [@job, 'step=1', 'step=1&chunk=1', 'step=2'];

            push @ones, [@job, map { 'chunk=1&cut=' . $_ * length $raw } 0, 6]
                if $framing eq 'chunked';
        }
    }
}

held_between(500, \$held, \&check, @cuts);

check('byte by byte', @steps);
check('chunks of one byte', @ones);

stop($nginx);

done_testing();
