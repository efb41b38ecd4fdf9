package ErrorMapEnvelopes;

# Envelopes of errors: documents, a vendor's responses, and their verdicts.  A
# text has
#
#     = NAME                  a document, and its lines
#     source json /code;
#     > OPTIONS {"code":1}    a response: "Name: value;" is a header,
#                             "status=404;" and "type=text/xml;" are its own
#                             (%3b is a semicolon)
#     < 404 mapped 1; m=why   its status, verdict, code, and its fields by their
#                             names; retry= is $error_map_retry_after,
#                             reason= $error_map_reason
#
# Before a response, lines with error_map_... are for its document's location.
# In bodies \xNN is a byte, \n and \r are line ends, and \@N@ repeats the byte
# before it N times more.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream;
use Exporter qw(import);
use JSON::PP ();
use Test::More ();
use Time::HiRes qw(sleep);

our @EXPORT = qw(check_envelopes envelopes);
our @EXPORT_OK = qw(envelope_edge envelope_answers);


# how a body reaches the module

my %mode = (
    buffered   => 'proxy_buffering on;',
    unbuffered => 'proxy_buffering off;',
    upstream   => 'error_map_upstream on;',
);


# check_envelopes(text, forms => 1, cuts => 1): a test for each response.  With
# forms, other forms of its JSON are responses, too; with cuts, its body is cut
# at every byte; it comes as one piece and in steps of a byte in any case, or of
# more bytes if it is long.

sub check_envelopes {
    my ($text, %arg) = @_;

    my @documents = envelopes($text);

    for my $d ($arg{forms} ? @documents : ()) {
        push @{ $d->{responses} }, map {
            my $r = $_;
            my %forms = envelope_forms($r);

            map { { %$r, body => $forms{$_}, form => " ($_)" } }
            sort keys %forms
        } @{ $d->{responses} };
    }

    my $edge = envelope_edge(@documents);
    my @responses = map { @{ $_->{responses} } } @documents;

    my @jobs = map {
        my $r = $_;
        my $steps = 'step=' . (1 + int length($r->{body}) / 200);
        my @cuts = $arg{cuts} ? map { "cut=$_" } 0 .. length $r->{body} : ();

        map { my $mode = $_;
              map { [$r, $mode, $_] } undef, $steps, @cuts } sort keys %mode
    } @responses;

    my @answers = envelope_answers($edge, @jobs);
    my %seen;

    for (0 .. $#jobs) {
        my ($r, $mode, $how) = @{ $jobs[$_] };

        push @{ $seen{$r}{$answers[$_]} }, "$mode " . ($how // 'whole');
    }

    for my $r (@responses) {
        my @others = grep { $_ ne $r->{answer} } sort keys %{ $seen{$r} };

        Test::More::is(join(' | ', map { "$_ with "
                                         . join ', ', @{ $seen{$r}{$_} } }
                                   @others)
                       || $r->{answer}, $r->{answer},
                       "$r->{document}" . ($r->{form} || '') . ': '
                       . substr($r->{body}, 0, 80) =~ s/[^ -~]/?/gr);
    }

    stop($edge->{server});
}


# envelopes(text): documents as { name, lines, location, fields, responses =>
# [{ body, status, type, headers, answer }] }

sub envelopes {
    my ($text) = @_;
    my @documents;

    for (split /\n/, $text) {
        next if /^(?:#|\s*$)/;

        if (/^= (\w+)/) {
            push @documents, { name => $1, lines => '', location => '',
                               fields => [], responses => [] };
            next;
        }

        my $d = $documents[-1];

        if (s/^>(?: |$)//) {
            push @{ $d->{responses} }, response($_);

        } elsif (/^< (.*)/) {
            $d->{responses}[-1]{answer} = repeated($1)
                =~ s/\\x([0-9a-f]{2})/chr hex $1/ger;

        } elsif (/^error_map_\w+ /) {
            $d->{location} .= "$_ ";

        } else {
            $d->{lines} .= "$_\n";

            my ($field) = /^\s*field +(\w+) +(?:json|header|regex) /;

            push @{ $d->{fields} }, $field
                if $field && !grep { $_ eq $field } @{ $d->{fields} };
        }
    }

    return @documents;
}


sub response {
    my ($text) = @_;

    my $r = { status => 200, type => 'application/json', headers => [] };

    while ($text =~ s/^(status|type)=([^;]*); ?//
           || $text =~ s/^([A-Z][\w-]*: )([^;]*); ?//)
    {
        my ($name, $value) = ($1, $2);

        if ($name eq 'status' || $name eq 'type') {
            $r->{$name} = $value =~ s/%3b/;/gr;
        } else {
            push @{ $r->{headers} }, "$name$value";
        }
    }

    my %escape = (n => "\n", r => "\r");

    $text =~ s/\\(?:x([0-9a-f]{2})|([nr]))/$1 ? chr hex $1 : $escape{$2}/ge;
    $r->{body} = repeated($text);

    return $r;
}


sub repeated {
    my ($text) = @_;

    return $text =~ s/(.)\\\@(\d+)\@/$1 x ($2 + 1)/gser;
}


# envelope_forms(response): the same JSON as others would write it, by the names
# of the forms; none if it is not JSON, or has a member twice

sub envelope_forms {
    my ($r) = @_;

    my $json = JSON::PP->new->utf8->allow_bignum;
    my $value = eval { $json->decode($r->{body}) };

    return if !ref $value;

    my $canonical = JSON::PP->new->utf8->canonical->allow_bignum;
    my $sorted = $canonical->encode($value);

    return if length $sorted != length $r->{body} =~ s/("(?:[^"\\]|\\.)*")|\s+
                                                      /$1 \/\/ ''/gexr;

    my $reversed = JSON::PP->new->utf8->allow_bignum->sort_by(
        sub { $JSON::PP::b cmp $JSON::PP::a });

    return (
        sorted => $sorted,
        reversed => $reversed->encode($value),
        indented => $canonical->pretty->encode($value),
        escaped => JSON::PP->new->ascii->canonical->allow_bignum->escape_slash
                   ->encode($value),
    );
}


# envelope_edge(documents, ...): an edge, for envelope_answers()

sub envelope_edge {
    my (@documents) = @_;

    my $port = free_port();
    my (%seen, @fields, @responses);

    for my $d (@documents) {
        push @fields, grep { !$seen{$_}++ } @{ $d->{fields} };

        for my $r (@{ $d->{responses} }) {
            $r->{number} = @responses;
            $r->{document} = $d->{name};
            push @responses, $r;
        }
    }

    my $vendor = vendor(sub {
        my ($s, $request) = @_;

        my %arg = query($request);
        my $r = $responses[$arg{n}];
        my ($head, $raw) = frame('length', $r->{body}, type => $r->{type},
                                 status => "$r->{status} Fine",
                                 headers => join '', map { "$_\r\n" }
                                                     @{ $r->{headers} });

        if ($arg{step}) {
            put($s, $head);

            for (split /(.{$arg{step}})/s, $raw) {
                put($s, $_);
                sleep 0.0005;
            }

            return 1;
        }

        put($s, $head . substr $raw, 0, $arg{cut} // length $raw);

        if (defined $arg{cut}) {
            sleep 0.003;
            put($s, substr $raw, $arg{cut});
        }

        return 1;
    });

    my $declared = join '', map { "error_map_document $_->{name} {\n"
                                  . "$_->{lines}}\n" } @documents;
    my $headers = join '', map { "add_header X-F-$_ \$error_map_field_$_ "
                                 . "always;\n" } @fields;
    my $locations = join '', map { my $d = $_; map {
        "location /$d->{name}/$_ { error_map $d->{name}; "
        . ($d->{location} =~ /error_map_types/ ? '' : 'error_map_types *; ')
        . "$d->{location} $mode{$_} proxy_pass http://vendor; }\n"
    } sort keys %mode } @documents;

    my $server = start(port => $port, http => <<"END");
    $declared

    upstream vendor {
        server 127.0.0.1:$vendor;
        keepalive 64;
    }

    server {
        listen 127.0.0.1:$port;

        proxy_http_version 1.1;
        proxy_set_header Connection "";
        add_header X-V "\$error_map_verdict \$error_map_code" always;
        add_header X-Retry \$error_map_retry_after always;
        add_header X-Reason \$error_map_reason always;
        $headers
        $locations
    }
END

    return { port => $port, server => $server };
}


# envelope_answers(edge, [response, mode, how], ...): the verdict of each.
# How: "cut=N" is a pause after N bytes of the body, "step=N" one after each N.

sub envelope_answers {
    my ($edge, @jobs) = @_;

    my (@lists, @responses);

    for my $i (0 .. $#jobs) {
        my ($r, $mode, $how) = @{ $jobs[$i] };

        push @{ $lists[$i / 32] },
             "/$r->{document}/$mode?n=$r->{number}"
             . (defined $how ? "&$how" : '');
    }

    while (my @some = splice @lists, 0, 32) {
        push @responses, map { my $n = @{ shift @some }; @$_[0 .. $n - 1] }
                         pipelines($edge->{port}, @some);
    }

    return map { $responses[$_] ? seen($responses[$_], $jobs[$_][0])
                                : 'nothing' } 0 .. $#jobs;
}


sub seen {
    my ($r, $response) = @_;

    my %h = map { $_ => $r->{headers}{$_}[0] } keys %{ $r->{headers} };
    my $verdict = $h{'x-v'} // '';
    my %field = map { /^x-f-(.*)/ ? ($1 => $h{$_}) : () } keys %h;

    $field{retry} = $h{'x-retry'} if defined $h{'x-retry'};
    $field{reason} = $h{'x-reason'} if defined $h{'x-reason'};

    return join '; ', "$r->{status} $verdict" =~ s/ $//r,
                (map { "$_=$field{$_}" } sort keys %field),
                $r->{body} eq $response->{body} ? () : 'another body';
}


1;
