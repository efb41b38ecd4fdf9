package ErrorMapLlm;

# Two simulated vendors of language models, and conf/llm.conf in front of them.
#
# The model of a request says what a vendor answers: "KIND" or "KIND-json",
# "KIND-until-N" (good from the N-th request of the model on), "KIND-first" (of
# the first account only); a kind is good or an error of the table.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream qw(put);
use Exporter qw(import);
use JSON::PP;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(llm_conf llm_vendor %errors);

my $json = JSON::PP->new->canonical;

our %errors = (
    openai => {
        rate => ['rate_limit_exceeded', 'requests',
                 'Rate limit reached. Please try again in 1.2s.'],
        quota => ['insufficient_quota', 'insufficient_quota', 'No credit.'],
        key => ['invalid_api_key', 'invalid_request_error', 'Wrong key.'],
        context => ['context_length_exceeded', 'invalid_request_error',
                    'Too many tokens.'],
        server => [undef, 'server_error', 'Sorry.'],
    },
    anthropic => {
        rate => ['rate_limit_error', 'Slow down.'],
        quota => ['billing_error', 'No credit.'],
        key => ['authentication_error', 'invalid x-api-key'],
        context => ['invalid_request_error', 'prompt is too long'],
        server => ['api_error', 'Sorry.'],
        overloaded => ['overloaded_error', 'Overloaded'],
    },
);

my @words = ('Good', ' morning', ", \x{fc}", ' {"error":', ' "x"}', "\n\n");


# llm_conf(edge, openai, anthropic): conf/llm.conf for these ports

sub llm_conf {
    my ($edge, $openai, $anthropic) = @_;

    my $conf = slurp("$ErrorMap::root/conf/llm.conf");
    my %port = (8408 => $edge, 8521 => $openai, 8522 => $anthropic,
                map { $_ => free_port() } 8531 .. 8534);

    $conf =~ s{^include }{include $ErrorMap::root/conf/}mg;
    $conf =~ s/127\.0\.0\.1:(\d+)/127.0.0.1:@{[$port{$1} or die "port $1"]}/g;

    return $conf;
}


# llm_vendor(name): its port

sub llm_vendor {
    my ($name) = @_;

    return vendor(sub {
        my ($s) = @_;
        my ($head, $body) = ErrorMapStream::take($s);

        return 0 if $head eq '';

        answer($s, $name, $head, decode_json($body));
        return 0;
    }, raw => 1);
}


sub answer {
    my ($s, $name, $head, $request) = @_;

    my $model = $request->{model};
    my ($kind, $how) = $model =~ /^(\w+)(?:-(.*))?$/ or die $model;
    my ($account) = $head =~ /^(?:Authorization: Bearer|X-Api-Key:) (\w+)/mi;

    $how //= '';
    mark("$name-$model-$account");
    mark("$name-$model");

    $kind = 'good' if $how =~ /^until-(\d+)/ && marks("$name-$model") >= $1;
    $kind = 'good' if $how eq 'first' && $account ne 'first';

    my $headers = $kind eq 'good' ? '' : "retry-after-ms: 10\r\n";
    my $error = $errors{$name}{$kind};

    if (!$request->{stream} || $how eq 'json') {
        my $body = $error ? error($name, $error)
                          : $json->encode(whole($name, $model));
        my $type = 'application/json';

        put($s, "HTTP/1.1 200 OK\r\nContent-Type: $type\r\n$headers"
                . 'Content-Length: ' . length($body)
                . "\r\nConnection: close\r\n\r\n$body");
        return;
    }

    put($s, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8"
            . "\r\n${headers}Transfer-Encoding: chunked\r\n"
            . "Connection: close\r\n\r\n");

    for my $event ($error ? event($name, 'error', error($name, $error))
                          : stream($name, $model))
    {
        sleep 0.005;
        put($s, sprintf "%x\r\n%s\r\n", length $event, $event) or return;
    }

    put($s, "0\r\n\r\n");
}


sub event {
    my ($name, $type, $data) = @_;

    return ($name eq 'anthropic' ? "event: $type\n" : '') . "data: $data\n\n";
}


sub error {
    my ($name, $error) = @_;

    return $json->encode($name eq 'openai'
        ? { error => { code => $error->[0], type => $error->[1],
                       message => $error->[2], param => undef } }
        : { type => 'error', request_id => 'req_1',
            error => { type => $error->[0], message => $error->[1] } });
}


# a good answer: whole, and as a stream

sub whole {
    my ($name, $model) = @_;
    my $text = join '', @words;

    return { id => 'c-1', object => 'chat.completion', created => 1,
             model => $model,
             choices => [{ index => 0, finish_reason => 'stop', message =>
                           { role => 'assistant', content => $text } }] }
        if $name eq 'openai';

    return message($model, [{ type => 'text', text => $text }]);
}


sub message {
    my ($model, $content) = @_;

    return { id => 'msg_1', type => 'message', role => 'assistant',
             model => $model, content => $content, stop_reason => undef,
             stop_sequence => undef,
             usage => { input_tokens => 1, output_tokens => 1 } };
}


sub stream {
    my ($name, $model) = @_;

    if ($name eq 'openai') {
        return ((map {
            event($name, '', $json->encode({
                id => 'c-1', object => 'chat.completion.chunk', created => 1,
                model => $model,
                choices => [{ index => 0, delta => { content => $_ },
                              finish_reason => undef }],
            }))
        } @words), event($name, '', '[DONE]'));
    }

    my @events = ({ type => 'message_start', message => message($model, []) },
                  { type => 'content_block_start', index => 0,
                    content_block => { type => 'text', text => '' } },
                  { type => 'ping' },
                  (map { { type => 'content_block_delta', index => 0, delta =>
                           { type => 'text_delta', text => $_ } } } @words),
                  { type => 'content_block_stop', index => 0 },
                  { type => 'message_delta', usage => { output_tokens => 6 },
                    delta => { stop_reason => 'end_turn' } },
                  { type => 'message_stop' });

    return map { event($name, $_->{type}, $json->encode($_)) } @events;
}


1;
