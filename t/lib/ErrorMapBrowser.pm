package ErrorMapBrowser;

# Chromium without a window, driven by chromedriver (WebDriver, JSON over HTTP).

use strict;
use warnings;

use ErrorMap ();
use File::Temp qw(tempdir);
use HTTP::Tiny;
use JSON::PP;
use MIME::Base64 qw(decode_base64);
use POSIX ();
use Time::HiRes qw(sleep time);

my @browsers;


sub new {
    my ($class) = @_;

    my $dir = tempdir(CLEANUP => 1);
    my $port = ErrorMap::free_port();

    # tests use no proxy of the environment

    my $self = bless {
        port => $port, url => "http://127.0.0.1:$port",
        http => HTTP::Tiny->new(timeout => 60, http_proxy => undef),
    }, $class;

    $self->{pid} = fork;
    die "fork: $!" if !defined $self->{pid};

    if ($self->{pid} == 0) {
        setpgrp;
        $ENV{HOME} = $ENV{TMPDIR} = $dir;
        open STDOUT, '>', "$dir/driver";
        open STDERR, '>&', \*STDOUT;
        exec '/usr/bin/chromedriver', "--port=$port" or POSIX::_exit(1);
    }

    push @browsers, $self;

    for my $n (1 .. 500) {
        last if $self->{http}->get("$self->{url}/status")->{success};
        die 'chromedriver: ' . ErrorMap::slurp("$dir/driver") if $n == 500;
        sleep 0.02;
    }

    my $session = $self->ask(POST => '/session', {
        capabilities => { alwaysMatch => {
            'goog:loggingPrefs' => { browser => 'ALL' },
            'goog:chromeOptions' => {
                binary => '/usr/bin/chromium',
                args => ['--headless=new', '--no-proxy-server', '--lang=en',
                         '--disable-dev-shm-usage', '--disable-gpu',
                         '--window-size=1200,900',
                         "--user-data-dir=$dir/profile",
                         $> == 0 ? '--no-sandbox' : ()],
            },
        } },
    });

    $self->{url} .= "/session/$session->{sessionId}";

    return $self;
}


# sends a command, returns its value

sub ask {
    my ($self, $method, $path, $content) = @_;

    my $r = $self->{http}->request($method, "$self->{url}$path", {
        headers => { 'Content-Type' => 'application/json' },
        $method eq 'POST' ? (content => encode_json($content || {})) : (),
    });

    die "WebDriver: $method $path: $r->{status} $r->{content}"
        if !$r->{success};

    return decode_json($r->{content})->{value};
}


sub open {
    my ($self, $url) = @_;

    $self->ask(POST => '/url', { url => $url });
}


# runs the text of a function, returns its value

sub run {
    my ($self, $script, @args) = @_;

    return $self->ask(POST => '/execute/sync',
                      { script => $script, args => \@args });
}


# waits until an expression is true, and returns its value, or 0 after 20
# seconds

sub wait_for {
    my ($self, $expression) = @_;
    my $end = time + 20;

    while (time < $end) {
        my $value = $self->run("return $expression");
        return $value if $value;
        sleep 0.1;
    }

    return 0;
}


# presses keys where the focus is

sub press {
    my ($self, @keys) = @_;

    $self->ask(POST => '/actions', { actions => [{
        type => 'key', id => 'keyboard',
        actions => [map { ({ type => 'keyDown', value => $_ },
                           { type => 'keyUp', value => $_ }) } @keys],
    }] });
}


# a command of Chromium's own protocol

sub chromium {
    my ($self, $name, %params) = @_;

    return $self->ask(POST => '/goog/cdp/execute',
                      { cmd => $name, params => \%params });
}


# the messages of the console since the last call

sub console {
    my ($self) = @_;

    return map { "$_->{level} $_->{message}" }
           @{ $self->ask(POST => '/se/log', { type => 'browser' }) };
}


sub screenshot {
    my ($self, $file) = @_;

    my $shot = $self->chromium('Page.captureScreenshot',
                               captureBeyondViewport => JSON::PP::true);
    ErrorMap::spew($file, decode_base64($shot->{data}));
}


sub quit {
    my ($self) = @_;

    return if $self->{quit}++;

    eval { $self->ask(DELETE => '') };
    kill 'TERM', $self->{pid};
    waitpid $self->{pid}, 0;
}


END {
    my $status = $?;

    $_->quit for @browsers;
    $? = $status;
}


1;
