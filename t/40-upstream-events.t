# error_map_upstream and event streams: an error in the first event asks the
# next server, wherever it is cut; a good stream goes at the vendor's pace, and
# nobody else is asked.

use strict;
use warnings;

use Compress::Zlib ();
use ErrorMap;
use ErrorMapStream;
use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

my $sse = 'text/event-stream';

my %first = (
    good => "data: {\"choices\":[{}]}\n\n",
    quota => "event: error\ndata: {\"error\":{\"code\":\"quota\"}}\n\n",
    busy => "data: {\"type\":\"error\",\"error\":\n"
            . "data: {\"type\":\"busy\"}}\n\n",
    context => "data: {\"error\":{\"code\":\"context\"}}\n\n",
    new => "data: {\"error\":{\"code\":\"new\"}}\n\n",
    done => "data: [DONE]\n\n",
    comments => ": wait\n\n:\n\ndata: {\"error\":{\"code\":\"quota\"}}\n\n",
    second => "data: {}\n\ndata: {\"error\":{\"code\":\"quota\"}}\n\n",
    late => "data: {\"choices\":[{}]}\n\n"
            . "data: {\"error\":{\"code\":\"quota\"}}\n\n",
    large => 'data: {"a":"' . 'x' x 6000
             . "\",\"error\":{\"code\":\"quota\"}}\n\n",
    empty => '',
);

my %lines = map { $_ => join '', map { "$_\n" } $first{$_} =~ /^data: (.*)/mg }
            keys %first;

# what a vendor sends after the first event, with its name

my @tokens = map { "data: {\"choices\":[{\"token\":$_}],\"of\":\"NAME\"}\n\n" }
             1 .. 4;

sub vendors_answer {
    my ($name) = @_;

    return vendor(sub {
        my ($s, $request) = @_;

        my %arg = query($request);
        my $id = $arg{id};
        my $what = $arg{$name};
        my $type = $arg{type} || $sse;
        my $chunked = ($arg{framing} || '') ne 'close';
        my $first = $type eq $sse ? $first{$what} : $lines{$what};

        mark("asked-$id-$name");

        my @parts = map { s/NAME/$name/r } $first, @tokens;
        my $headers = "X-Vendor: $name\r\n";

        if ($arg{gzip}) {
            my $d = Compress::Zlib::deflateInit(-WindowBits => 31);

            @parts = map { ($d->deflate($_))[0]
                           . ($d->flush(Compress::Zlib::Z_SYNC_FLUSH()))[0] }
                     @parts;
            $headers .= "Content-Encoding: gzip\r\n";
        }

        my ($head) = frame($chunked ? 'chunked' : 'close', '', type => $type,
                           headers => $headers);

        my $cut = $arg{cut};

        if (defined $cut) {

            # as one chunk that is cut

            my $raw = $chunked ? sprintf("%x\r\n%s\r\n", length $parts[0],
                                         $parts[0]) : $parts[0];

            $cut = length $raw if $cut > length $raw;
            put($s, $head . substr $raw, 0, $cut);
            sleep 0.002;
            put($s, substr $raw, $cut);
            shift @parts;
            $head = '';
        }

        for my $n (0 .. $#parts) {
            my $part = $parts[$n];

            put($s, $head . ($chunked && length $part
                             ? sprintf "%x\r\n%s\r\n", length $part, $part
                             : $part));
            $head = '';

            return 0 if $arg{break};

            if ($arg{paced}) {
                await("seen-$id-$n") or return 0;
            }
        }

        put($s, "0\r\n\r\n") if $chunked;

        # newer versions of nginx keep the connection

        return $chunked;
    });
}

my %port = map { $_ => vendors_answer($_) } qw(a b);
my $port = free_port();

my $locations = '';

for my $buffering (qw(on off)) {
    for my $events (1, 2) {
        $locations .= <<"END";
        location /$buffering/$events/ {
            error_map_events $events;
            proxy_buffering $buffering;
            proxy_pass http://vendors;
        }
END
    }
}

my $nginx = start(port => $port, http => <<"END");
    error_map_document llm {
        source  json  /error/code /error/type;
        success json  /choices;
        quota    429  RESOURCE_EXHAUSTED  "quota";
        busy     503  UNAVAILABLE         "busy";
        context  400  INVALID_ARGUMENT    "too long";
    }

    upstream vendors {
        server 127.0.0.1:$port{a} max_fails=0;
        server 127.0.0.1:$port{b} max_fails=0 backup;
    }

    upstream fails {
        server 127.0.0.1:$port{a} max_fails=1 fail_timeout=60s;
        server 127.0.0.1:$port{b} max_fails=0 backup;
    }

    server {
        listen 127.0.0.1:$port;

        error_map llm;
        error_map_types $sse application/x-ndjson;
        error_map_upstream on;
        error_map_hold_timeout 30s;
        proxy_next_upstream error timeout http_429 http_503 non_idempotent;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        add_header X-V "\$error_map_verdict \$error_map_code" always;
        add_header X-Tried \$upstream_status always;

$locations
        location /fails/ {
            proxy_pass http://fails;
        }
    }
END

my $id = 0;

# the response, and who was asked

sub answer {
    my ($where, $args, %arg) = @_;

    $id++;

    my $r = parse(exchange($port, request("/$where/?id=$id&$args"), %arg)
                  ->{bytes});

    return ($r, join '', map { $_ x marks("asked-$id-$_") } qw(a b));
}

sub words {
    my ($r, $asked) = @_;

    return join ', ', $r->{status}, $r->{headers}{'x-v'}[0],
                      $r->{headers}{'x-tried'}[0], $asked;
}

sub inflated {
    my ($bytes) = @_;
    my $inflate = Compress::Zlib::inflateInit(-WindowBits => 31);

    return ($inflate->inflate($bytes))[0] // '';
}

sub text {
    my ($name, $what, $lines) = @_;

    return join '', map { s/NAME/$name/r } $lines ? $lines{$what}
                                                  : $first{$what}, @tokens;
}


# the first server's first event, events, who answers and how

for my $case (
    ['good', 1, 'a', '200, success , 200, a'],
    ['quota', 1, 'b', '200, success , 429, 200, ab'],
    ['busy', 1, 'b', '200, success , 503, 200, ab'],
    ['comments', 1, 'b', '200, success , 429, 200, ab'],
    ['context', 1, 'a', '400, mapped context, 400, a'],
    ['new', 1, 'a', '200, unknown new, 200, a'],
    ['done', 1, 'a', '200, none , 200, a'],
    ['second', 1, 'a', '200, none , 200, a'],
    ['second', 2, 'b', '200, success , 429, 200, ab'],
    ['late', 2, 'a', '200, success , 200, a'],

    # nginx has no room for it while it reads the header

    ['large', 1, 'a', '429, mapped quota, 200, a'],
) {
    my ($what, $events, $who, $wanted) = @$case;

    for my $buffering (qw(on off)) {
        for my $framing (qw(chunked close)) {
            my ($r, $asked) = answer("$buffering/$events",
                                     "a=$what&b=good&framing=$framing");

            is(words($r, $asked), $wanted,
               "$what, $events events, buffering $buffering, $framing");
            is($r->{body}, text($who, $who eq 'a' ? $what : 'good'),
               "... with the stream of $who");
        }
    }
}

for my $what (qw(quota busy)) {
    my ($r, $asked) = answer('off/1', "a=$what&b=$what");
    my $status = $what eq 'quota' ? 429 : 503;

    is(words($r, $asked), "$status, mapped $what, $status, $status, ab",
       "$what of both servers");
    is($r->{body}, text('b', $what), '... with the stream of the last');
}

for my $what (qw(good quota context)) {
    my ($r, $asked) = answer('off/1', "a=$what&b=good&gzip=1");

    is($asked, $what eq 'quota' ? 'ab' : 'a', "$what, in gzip");
    is(inflated($r->{body}),
       text($what eq 'quota' ? ('b', 'good') : ('a', $what)),
       '... with the whole stream');

    ($r, $asked) = answer('off/1',
                          "a=$what&b=good&type=application/x-ndjson");

    is($asked, $what eq 'quota' ? 'ab' : 'a', "$what, in lines");
}


# wherever the event is cut

for my $what (qw(quota busy comments)) {
    for my $buffering (qw(on off)) {
        my %seen;

        for my $cut (0 .. length($first{$what}) + 6) {
            my ($r, $asked) = answer("$buffering/1",
                                     "a=$what&b=good&cut=$cut");

            my $words = words($r, $asked);

            $words .= ', broken' if $r->{body} ne text('b', 'good');
            push @{ $seen{$words =~ s/503/429/r} }, $cut;
        }

        is(join('; ', sort keys %seen), '200, success , 429, 200, ab',
           "$what, cut anywhere, buffering $buffering");
    }
}


# token for token: the client has each before the vendor sends the next

for my $case (['good', 'a'], ['quota', 'b']) {
    my ($what, $who) = @$case;

    for my $gzip (0, 1) {
        $id++;

        my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                      PeerPort => $port) or die "connect: $!";
        my $select = IO::Select->new($s);
        my ($bytes, $came) = ('', 0);
        my @parts = map { s/NAME/$who/r } $first{good}, @tokens;

        # the first server need not wait for anybody after its error

        put($s, request("/off/1/?id=$id&a=$what&b=good&paced=1&gzip=$gzip"));

        for my $n (0 .. $#parts) {
            my $wanted = join '', @parts[0 .. $n];
            my $end = time + 8;
            my $has = sub {
                my $body = parse($bytes)->{body};

                return $gzip ? inflated($body) : $body;
            };

            while (time < $end && $has->() ne $wanted) {
                $select->can_read($end - time) or last;
                sysread $s, $bytes, 65536, length $bytes or last;
            }

            last if $has->() ne $wanted;

            $came++;
            mark("seen-$id-$n");
        }

        is($came, scalar @parts, "$what: each token of $who at once"
                                 . ($gzip ? ', in gzip' : ''));
    }
}


# the server that had the error is not used for a while

{
    my ($r, $asked) = answer('fails', 'a=quota&b=good');
    is(words($r, $asked), '200, success , 429, 200, ab', 'a server fails');

    ($r, $asked) = answer('fails', 'a=good&b=good');
    is(words($r, $asked), '200, success , 200, b', '... and is not asked');
}


# a stream that breaks off before its first event is passed as it is

{
    my ($r, $asked) = answer('off/1', 'a=empty&b=good&break=1');
    is(words($r, $asked), '200, undecided , 200, a',
       'a stream that breaks off');
    is($r->{complete}, 0, '... is broken off for the client, too');
}

stop($nginx);

done_testing();
