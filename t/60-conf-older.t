# Configurations of version 1.0.0 load without another warning and give the same
# answers: those of conf/, and those of t/10-*.t.
#
# t/data/1.0.0 has these files, and the answers of a build of 1.0.0.  A line
# that begins with "-" is in an answer of 1.0.0 only, one with "+" in today's;
# after "# " docs/upgrade.md is quoted, which must explain it.
#
#     ERROR_MAP_MODULE=old.so EM_RECORD=old tools/prove t/60-conf-older.t
#     EM_RECORD=new tools/prove t/60-conf-older.t
#
# The first line writes the answers of 1.0.0, the second one what differs today.

use strict;
use warnings;

use ErrorMap;
use File::Temp qw(tempdir);
use IO::Uncompress::Gunzip qw(gunzip);
use Test::More;

my $data = "$ErrorMap::root/t/data/1.0.0";
my $record = $ENV{EM_RECORD} || '';
my $notes = slurp("$ErrorMap::root/docs/upgrade.md") =~ s/\s+/ /gr;


# The blocks of a file: "=== name", then sections, "--- section words" or
# "--- section" with lines.

sub blocks {
    my ($file) = @_;

    return map {
        my ($name, @sections) = split /^--- (?=[a-z])/m;
        my %block = (text => "=== $_", name => $name =~ s/\n.*//sr);

        for (@sections) {
            my ($section, $text) = /^(\w+)(.*)\z/s;
            $block{$section} = $text =~ s/^\s//r;
        }

        \%block;
    } grep { length } split /^=== /m, slurp($file);
}


# the requests of a block, with the quotations and the lines of their answers

sub answers {
    my ($block) = @_;

    return map {
        my ($request, @lines) = split /\n/;

        { request => $request,
          notes => [map { /^# (.*)/ } @lines],
          lines => [grep { !/^#/ } @lines] };
    } split /\n(?=[A-Z0-9])/, $block->{answers} =~ s/\n+\z//r;
}


# the http block of a test; the vendor answers /STATUS/BODY

my $statuses = join '', map {
    qq{    location ~ "(?s)^/$_/(.*)\$" { return $_ \$1; }\n}
} 200, 201, 204, 400, 404, 500, 503;

sub directives_conf {
    my ($block) = @_;
    my ($vendor, $http, $server) = map { $_ // '' }
                                   @$block{qw(vendor http server)};

    return <<"END";
default_type text/plain;
merge_slashes off;

upstream vendor { server unix:%DIR%/vendor.sock; }

server {
    listen unix:%DIR%/vendor.sock;
    error_map off;
    default_type application/json;
$statuses$vendor}

$http
server {
    listen 127.0.0.1:8400;
    location /off/ { error_map off; proxy_pass http://vendor/; }
$server}
END
}


# the http block of samples: files of conf/, one edit, and servers beside them

sub samples_conf {
    my ($block) = @_;

    my $conf = join "\n", map { slurp("$data/conf/$_") }
                          split ' ', $block->{sample};

    if (my ($old, $new) = split ' ', $block->{edit} // '') {
        is($conf =~ s/$old/$new/, 1, "$block->{name} has $old");
    }

    # start() has the directives around the demo's

    if ($conf =~ /^http \{\n(.*)^\}/ms) {
        $conf = $1 =~ s/^ +(?:\w+_temp_path|access_log) .*\n//mgr;
        $conf =~ s{build/demo}{%DIR%}g;
    }

    return $conf . ($block->{http} // '');
}


# Answers as lines: the status, the headers in their order, the body.  What each
# response or each version of nginx has of its own is left out, such as a second
# Expires.

sub response {
    my ($r, $method) = @_;
    my ($line, @headers) = split /\r\n/, $r->{head};
    my $body = $r->{body};
    my $expires = 0;

    if (($r->{headers}{'content-encoding'}[0] || '') eq 'gzip'
        && $body =~ /^\x1f\x8b/)
    {
        gunzip(\(my $gzip = $body), \$body) or die 'invalid gzip';
        $body = "gunzipped: $body";
    }

    $body =~ s{nginx/[\d.]+}{nginx}g;
    $body =~ s/([^ -~\n])/sprintf '\x%02x', ord $1/ge;
    $body .= '[incomplete]' if !$r->{complete} && $method ne 'HEAD';

    return $line =~ s/^HTTP\S+ //r,
           (sort grep { !/^(?:Date|Server|Connection):/
                        && !(/^Expires:/ && $expires++) } @headers),
           map { "> $_" } split /\n/, $body;
}

sub access_log {
    my ($file) = @_;

    wait_for(sub { -s $file });

    return map { s/("(?:time|request_id|\w+_time|upstream_addr)":)[^,}]*/$1/gr }
           split /\n/, slurp($file);
}

# the counters of 1.0.0, of which there are more today, without the version

sub series {
    my ($body) = @_;

    return sort map { s/(_seconds_\w+\S* ).*/$1/r }
           $body =~ /^(nginx_error_map_(?!info|unmapped|classes|passed_over
                                          |dry_run_).*)/mgx;
}

sub warnings_of {
    my ($log) = @_;
    my %seen;

    return grep { !$seen{$_}++ } map { s/ in \S+:\d+$//r }
           slurp($log) =~ /\[warn\] \S+ (.*)/g;
}


# the lines of two answers, each with its mark

sub marked {
    my ($old, $new) = @_;
    my $dir = tempdir(CLEANUP => 1);

    spew("$dir/old", join '', map { "$_\n" } @$old);
    spew("$dir/new", join '', map { "$_\n" } @$new);

    my @lines = map { s/^(.)(.*)/$1   $2/r } grep { !/^(?:---|\+\+\+|@@)/ }
                split /\n/, `diff -U 9999 $dir/old $dir/new`;

    return @lines ? @lines : map { "    $_" } @$old;
}

sub unmarked {
    my ($lines, $mark) = @_;

    return map { /^[ $mark]   (.*)/ ? $1 : () } @$lines;
}


# one block: its nginx, and a test of each answer

sub run_block {
    my ($block, $conf) = @_;

    my %port = map { $_ => free_port() } $conf =~ /127\.0\.0\.1:(8\d\d\d)/g;
    my ($first) = sort keys %port;

    $conf =~ s/127\.0\.0\.1:(8\d\d\d)/127.0.0.1:$port{$1}/g;
    $conf =~ s/%PORT%/$port{8400}/g;
    $conf =~ s{^( *include +)(documents\.conf)}{$1$data/conf/$2}mg;

    my $edge = start(port => $port{$first}, http => $conf);
    my @answers = answers($block);

    for my $answer (@answers) {
        my ($at, $method, $uri, $headers) = $answer->{request}
            =~ /^(?:(\d+) )?([A-Z]+)(?: (\S+))?(?: \| (.*))?$/
            or die "invalid request $answer->{request}";

        my @got = $method eq 'WARNINGS' ? warnings_of("$edge->{dir}/error.log")
            : $method eq 'LOG' ? access_log("$edge->{dir}/$uri")
            : $method eq 'SERIES' ? series(get($port{$at}, $uri)->{body})
            : response(get($port{$at || 8400}, $uri, method => $method,
                           headers => $headers ? "$headers\r\n" : ''), $method);

        if ($record) {
            my @old = $record eq 'old' ? @got : unmarked($answer->{lines}, '-');

            $answer->{lines} = [marked(\@old, \@got)];
            next;
        }

        my @notes = @{ $answer->{notes} };

        is_deeply(\@got, [unmarked($answer->{lines}, '+')],
                  "$block->{name}: $answer->{request}");
        is(!!@notes, !!grep({ /^[-+]/ } @{ $answer->{lines} }),
           '... a note tells what has changed, if anything');
        is_deeply([grep { index($notes, $_) < 0 } @notes], [],
                  '... and so does docs/upgrade.md') if @notes;
    }

    stop($edge);

    return ($block->{text} =~ /(.*^--- answers\n)/ms)[0]
           . join '', map { "$_\n" } (map {
               ($_->{request}, (map { "# $_" } @{ $_->{notes} }),
                @{ $_->{lines} })
           } @answers), '';
}


for (['directives.txt', \&directives_conf], ['samples.txt', \&samples_conf]) {
    my ($file, $conf) = @$_;

    my $text = join '', map { run_block($_, $conf->($_)) }
                        blocks("$data/$file");

    spew("$data/$file", $text) if $record;
}


ok(!$record, 'answers are compared');


# what 1.0.0 accepted and is refused, the message, what to write instead

sub document_of { return "error_map_document d { $_[0] }" }
sub metrics_of { return "error_map_zone c 1m; server { $_[0] }" }

my $row = '400 INTERNAL x';
my $proxy = 'proxy_pass http://127.0.0.1:1;';

for (
    [document_of("source json /c; 1001-1005 $row;"),
     'ambiguous code "1001-1005" in error_map_document "d", write',
     document_of("source json /c; range 1001-1005 $row;"),
     document_of("source json /c; code 1001-1005 $row;")],
    [document_of("source json /c; 1 $row; success 2-5;"),
     'ambiguous success code "2-5" in error_map_document "d", write',
     document_of("source json /c; 1 $row; success range 2-5;"),
     document_of("source json /c; 1 $row; success code 2-5;")],
    [document_of("source json /a/*/c; 1 $row;"), 'invalid path "/a/*/c"',
     document_of("source json \"\$.a['*'].c\"; 1 $row;"),
     document_of("source json \$.a[*].c; 1 $row;")],
    [metrics_of("location / { error_map_metrics json; $proxy }"),
     '"error_map_metrics" directive conflicts with another content handler',
     metrics_of("location / { $proxy }"
                . ' location /m { error_map_metrics json; }')],
) {
    my ($old, $message, @instead) = @$_;

    like(configuration_error($old), qr/\Q$message\E/, "$old is refused");
    is(configuration_error($_), '', "... unlike $_") for @instead;
}


done_testing();
