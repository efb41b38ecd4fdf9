package ErrorMapPrometheus;

# A Prometheus with a configuration of the test, and the answers to queries.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT child);
use Exporter qw(import);
use JSON::PP ();
use POSIX ();
use Test::More;

our @EXPORT = qw(prometheus api values_of answer_ok);

my ($port, $dir);


# prometheus(directory): starts it with DIRECTORY/prometheus.yml, its log is
# DIRECTORY/log; it ends with the test

sub prometheus {
    ($dir) = @_;

    $port = free_port();

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        open STDOUT, '>', "$dir/log";
        open STDERR, '>&', \*STDOUT;
        exec 'prometheus', "--config.file=$dir/prometheus.yml",
             "--storage.tsdb.path=$dir/data",
             "--web.listen-address=127.0.0.1:$port"
            or syswrite STDOUT, "prometheus: $!\n";
        POSIX::_exit(1);
    }

    child($pid);
}


# api(path, name => argument, ...): the answer as text, '' if there is none

sub api {
    my ($path, %arg) = @_;

    my $query = join '&', map {
        "$_=" . $arg{$_} =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ger
    } sort keys %arg;

    my $r = eval { get($port, "/api/v1/$path?$query") };

    return $r ? $r->{body} : '';
}


# values_of(answer as text, label, ...) => { 'value of each label' => number }

sub values_of {
    my ($text, @labels) = @_;

    my $data = eval { JSON::PP->new->utf8->decode($text)->{data} } || {};

    return { map { my $of = $_;
                   join(' ', @{ $of->{metric} }{@labels}) => $of->{value}[1] }
             @{ $data->{result} || [] } };
}


# answer_ok(sub that asks, [label, ...], values as of values_of(), name): one
# test, the answer becomes that one within 30 seconds

sub answer_ok {
    my ($ask, $labels, $answer, $name) = @_;

    my $text = sub { join ', ', map { "$_: $_[0]{$_}" } sort keys %{ $_[0] } };
    my $got;

    wait_for(sub {
        $got = values_of($ask->(), @$labels);
        return $text->($got) eq $text->($answer);
    }, 30);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply($got, $answer, $name)
        or diag($dir ? slurp("$dir/log") =~ s/.*level=info.*\n//gr : ());
}


1;
