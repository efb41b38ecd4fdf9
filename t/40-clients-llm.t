# conf/llm.conf and the clients that it is for: the SDKs of two APIs of language
# models, installed from npm, and a browser.  A good stream is token for token
# the vendor's; an error in the first event is raised as the SDK's own; with a
# second account the SDK does not see it.

use strict;
use warnings;

use ErrorMap;
use ErrorMapBrowser;
use ErrorMapLlm;
use File::Temp qw(tempdir);
use IPC::Open2 qw(open2);
use JSON::PP;
use Test::More;

my @packages = ('openai@6.49.0', '@anthropic-ai/sdk@1.14.0');

# Debian's npm is a package of its own, others have it beside node

my $deps = 'nodejs ' . (`sh -c 'command -v npm'` eq '' ? 'npm' : '');
my $dir = tempdir(CLEANUP => 1);
my $out = `cd $ErrorMap::root && tools/deps $deps 2>&1 && cd $dir \\
           && npm install --no-audit --no-fund --ignore-scripts \\
                          --cache $dir/cache @packages 2>&1 < /dev/null`;

is($?, 0, "npm installs @packages") or BAIL_OUT($out);

my ($port, $page) = (free_port(), free_port());
my %vendor = map { $_ => llm_vendor($_) } qw(openai anthropic);

my $nginx = start(port => $port,
                  http => llm_conf($port, @vendor{qw(openai anthropic)})
                          . <<"END");
    server {
        listen 127.0.0.1:$page;
        default_type text/html;

        location / { return 200 "<!DOCTYPE html><title>t</title>"; }

        location /events/ {
            error_map openai;
            error_map_types text/event-stream;
            proxy_buffering off;
            proxy_pass http://127.0.0.1:@{[events()]}/;
        }
    }
END


# a vendor whose streams a browser reads with GET

sub events {
    return vendor(sub {
        my ($s, $request) = @_;

        print $s "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                 . "Connection: close\r\n\r\n";

        my @data = $request =~ m{^GET /error}
            ? '{"error":{"code":"rate_limit_exceeded"}}'
            : map { "{\"choices\":[$_]}" } 1 .. 3;

        mark('browser' . ($request =~ m{^GET /error} ? '-error' : ''));
        print $s ": hello\n\n", map { "data: $_\n\n" } @data;

        return 0;
    });
}


my ($from, $to);
my $pid = open2($from, $to, 'node',
                "$ErrorMap::root/t/clients/llm.mjs", $dir);

sub ask {
    my ($sdk, $model, $stream, %arg) = @_;

    my $url = $arg{url} || "http://127.0.0.1:$port/$sdk";

    $url .= '/v1' if $sdk eq 'openai';

    print $to encode_json({ sdk => $sdk, url => $url, model => $model,
                            stream => $stream ? JSON::PP::true
                                              : JSON::PP::false,
                            retries => $arg{retries} || 0 }), "\n";
    $to->flush;

    return decode_json(readline $from // die 'node has ended');
}

# how often each account has been asked

sub asked {
    my ($sdk, $model) = @_;

    return join ', ', map { marks("$sdk-$model-$_") } qw(first second);
}

for my $sdk (qw(openai anthropic)) {
    for my $stream (0, 1) {
        my $how = $stream ? "$sdk, stream" : $sdk;
        my $only = $stream ? '' : '-json';

        # as from the vendor itself

        my $edge = ask($sdk, "good$only", $stream);
        my $bare = ask($sdk, "good$only", $stream,
                       url => "http://127.0.0.1:$vendor{$sdk}");

        is_deeply($edge->{chunks}, $bare->{chunks},
                  "$how: all chunks are the vendor's");
        is($edge->{error}, undef, '... without an error');
        cmp_ok(scalar @{ $edge->{chunks} }, $stream ? '>' : '==',
               $stream ? 5 : 1, '... so many');

        # the SDK's own classes, whose requests go to both accounts where
        # another one could do it

        for (
            ['rate', 'RateLimitError', 429, '1, 1'],
            ['quota', 'APIError', 402, '1, 1'],
            ['key', 'AuthenticationError', 401, '1, 0'],
            ['context', 'BadRequestError', 400, '1, 0'],
            ['server', 'InternalServerError', 500, '1, 0'],
            $sdk eq 'anthropic'
                ? ['overloaded', 'InternalServerError', 529, '1, 1'] : (),
        ) {
            my ($kind, $class, $status, $asked) = @$_;
            my $model = "$kind$only";
            my $r = ask($sdk, $model, $stream);
            my ($code, $type) = @{ $errors{$sdk}{$kind} };

            is_deeply([@$r{qw(error status code)}, scalar @{ $r->{chunks} }],
                      [$class, $status, $code // $type, 0],
                      "$how: $kind is a $class");
            like($r->{message}, qr/\Q$errors{$sdk}{$kind}[-1]/,
                 '... with the message');
            is($r->{body}, $code // $type, '... and the code in the body');
            is(asked($sdk, $model), $asked, '... of so many requests');

            is($r->{retry_after}, 2, '... with Retry-After of the message')
                if $kind eq 'rate' && $sdk eq 'openai';
        }
    }

    # the SDK repeats what failed with both accounts

    my $r = ask($sdk, 'rate-until-3', 1, retries => 2);

    is($r->{error}, undef, "$sdk: the SDK repeats a request");
    cmp_ok(scalar @{ $r->{chunks} }, '>', 5, '... and has the stream');
    is(asked($sdk, 'rate-until-3'), '2, 1', '... of the third one');

    # the first account's error is not seen

    for my $kind (qw(rate quota)) {
        $r = ask($sdk, "$kind-first", 1);

        is($r->{error}, undef, "$sdk: $kind, the other account answers");
        cmp_ok(scalar @{ $r->{chunks} }, '>', 5, '... with the stream');
        is(asked($sdk, "$kind-first"), '1, 1', '... and each is asked once');
    }
}

close $to;
waitpid $pid, 0;
is($?, 0, 'node ends well');


# a browser: EventSource and fetch()

my $browser = ErrorMapBrowser->new;

$browser->open("http://127.0.0.1:$page/");

my $read = <<'END';
    const done = arguments[arguments.length - 1], seen = [];

    (async () => {
        const source = new EventSource(arguments[0]);

        await new Promise(resolve => {
            source.onmessage = e => {
                seen.push(e.data);
                if (seen.length === 3) { resolve(); }
            };
            source.onerror = () => {
                seen.push('error ' + source.readyState);
                resolve();
            };
        });

        source.close();

        const r = await fetch(arguments[0]), decoder = new TextDecoder();
        let text = '';

        for (const reader = r.body.getReader(); ; ) {
            const { done, value } = await reader.read();
            if (done) { break; }
            text += decoder.decode(value, { stream: true });
        }

        done([seen, r.status, r.headers.get('X-Error-Code'), text]);
    })();
END

my @data = map { "{\"choices\":[$_]}" } 1 .. 3;

is_deeply($browser->ask(POST => '/execute/async',
                        { script => $read =~ s/arguments\[0\]/'\/events\/'/gr,
                          args => [] }),
          [\@data, 200, undef,
           ": hello\n\n" . join '', map { "data: $_\n\n" } @data],
          'a browser reads the stream');

is_deeply($browser->ask(POST => '/execute/async',
                        { script => $read
                                    =~ s/arguments\[0\]/'\/events\/error'/gr,
                          args => [] }),
          [['error 2'], 429, 'rate_limit_exceeded',
           ": hello\n\ndata: {\"error\":{\"code\":"
           . "\"rate_limit_exceeded\"}}\n\n"],
          'EventSource fails at an error, fetch() has the status');
is(marks('browser-error'), 2, '... and neither asks again');

$browser->quit;
stop($nginx);

done_testing();
