package ErrorMapMetrics;

# A vendor whose response is in the request, and the counters of /metrics and
# /metrics.json as hashes that can be compared.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream;
use Exporter qw(import);
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep);

our @EXPORT = qw($handlers $acme answers series from_text from_json agree delta
                 counted passed iotvideo acme
                 total);

our $handlers = <<'END';
    location = /metrics { error_map_metrics prometheus; }
    location = /metrics.json { error_map_metrics json; }
END

our $acme = <<'END';
    error_map_document acme {
        source   header  X-Acme-Error;
        source   json    /error/code;
        success  0;
        1001     401  UNAUTHENTICATED     "token missing";
        2001     -    RESOURCE_EXHAUSTED  "quota used up";
    }
END


# answers(name): a vendor whose body is the argument of that name; other
# arguments are status, type, header, and the pause before the last byte

sub answers {
    my ($name) = @_;

    return vendor(sub {
        my ($s, $request) = @_;

        my %arg = (status => 200, type => 'application/json', $name => '',
                   header => 'X-None:', query($request));
        s/%(..)/chr hex $1/ge for values %arg;

        my $body = $arg{$name};
        my $last = $arg{pause} ? substr $body, -1, 1, '' : '';
        my $length = length "$body$last";

        $body = $last = '' if $request =~ /^HEAD /
                              || $arg{status} =~ /^(?:204|304)$/;

        put($s, "HTTP/1.1 $arg{status} Fine\r\nContent-Type: $arg{type}\r\n"
                . "$arg{header}\r\nContent-Length: $length\r\n\r\n$body");

        sleep $arg{pause} if $arg{pause};
        put($s, $last);

        return 1;
    });
}


# the samples of Prometheus' text: { 'name{labels}' => value }; "bad" has
# invalid lines and duplicates

sub from_text {
    my ($text) = @_;
    my %series;

    for (split /\n/, $text) {
        next if /^# (?:HELP|TYPE) nginx_error_map_\w+ \S/;

        if (/^(nginx_error_map_\w+\{\w+="[^"\\]*"(?:,\w+="[^"\\]*")*\})
              \ (\d+(?:\.\d{3})?)$/x && !exists $series{$1})
        {
            $series{$1} = $2 + 0;

        } else {
            push @{ $series{bad} }, $_;
        }
    }

    return \%series;
}


# the same of the JSON text

sub from_json {
    my ($text) = @_;

    my $json = JSON::PP->new->utf8->decode($text);
    my $n = 'nginx_error_map';
    my %series = ("${n}_info{version=\"$json->{version}\"}" => 1,
                  "${n}_responses_total{document=\"\",verdict=\"skipped\"}"
                  => $json->{skipped},
                  "${n}_dry_run_responses_total{document=\"\","
                  . "verdict=\"skipped\"}" => $json->{dry_run_skipped});

    for my $of ({ %$json, document => '' }, @{ $json->{documents} }) {
        $series{"${n}_passed_over_total{document=\"$of->{document}\","
                . "class=\"$_\"}"} = $of->{passed_over}{$_}
            for keys %{ $of->{passed_over} };

        $series{"${n}_unmapped_total{document=\"$of->{document}\","
                . "verdict=\"$_->{verdict}\",reason=\"$_->{reason}\","
                . "dry_run=\"$_->{dry_run}\"}"}
            = $_->{responses} for @{ $of->{unmapped} };
    }

    for my $of (@{ $json->{documents} }) {
        my $d = "document=\"$of->{document}\"";

        $series{"${n}_responses_total{$d,verdict=\"$_\"}"}
            = $of->{verdicts}{$_} for keys %{ $of->{verdicts} };

        $series{"${n}_dry_run_responses_total{$d,verdict=\"$_\"}"}
            = $of->{dry_run_verdicts}{$_} for keys %{ $of->{dry_run_verdicts} };

        $series{"${n}_classes_total{$d,class=\"$_\"}"} = $of->{classes}{$_}
            for keys %{ $of->{classes} };

        $series{"${n}_hold_bytes_total{$d}"} = $of->{hold_bytes};
        $series{"${n}_hold_seconds_total{$d}"} = $of->{hold_seconds};

        for (@{ $of->{codes} }) {
            my $code = "{$d,code=\"$_->{code}\",class=\"$_->{class}\"}";

            $series{"${n}_codes_total$code"} = $_->{responses};
            $series{"${n}_dry_run_codes_total$code"} = $_->{dry_run_responses}
                if grep { $_ } values %{ $of->{dry_run_verdicts} };
        }

        for (@{ $of->{statuses} }) {
            my ($up, $status) = map { defined $_ ? $_ : 'other' }
                                @$_{qw(upstream_status status)};

            $series{"${n}_status_total{$d,upstream_status=\"$up\","
                    . "status=\"$status\",dry_run=\"$_->{dry_run}\"}"}
                = $_->{responses};
        }
    }

    return \%series;
}


# agree(port, name): one test, both formats show the same; returns the JSON,
# decoded

sub agree {
    my ($port, $name) = @_;

    my ($text, $json) = map { get($port, $_)->{body} }
                        '/metrics', '/metrics.json';

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply(from_json($json), from_text($text), "JSON is as the text, $name");

    return JSON::PP->new->utf8->decode($json);
}


sub series {
    my ($port) = @_;

    return from_text(get($port, '/metrics')->{body});
}


# the increase of each series: { series => number }

sub delta {
    my ($before, $after) = @_;
    my %delta;

    for (keys %{ { %$before, %$after } }) {
        my $n = ($after->{$_} || 0) - ($before->{$_} || 0);

        # the seconds have three digits

        $delta{$_} = 0 + sprintf '%.3f', $n if abs $n > 0.0001;
    }

    return \%delta;
}


# counted(document, verdict or "verdict reason", code, class, upstream status,
# edge status, 1 for a dry run): the series that grow by one for such a
# response; passed(document, class): ... if nginx passes over it

sub counted {
    my ($document, $verdict, $code, $class, $up, $status, $dry_run) = @_;

    my $n = 'nginx_error_map';
    my $d = "document=\"$document\"";
    my $reason = $verdict =~ s/ (\w+)$// ? $1 : '';
    $dry_run ||= 0;

    my @parts = $dry_run ? ('', 'dry_run_') : '';
    my $label = $code ? "{$d,code=\"$code\",class=\"$class\"}" : '';

    return ((map { "${n}_${_}responses_total{$d,verdict=\"$verdict\"}" }
                 @parts),
            $reason ? "${n}_unmapped_total{$d,verdict=\"$verdict\","
                      . "reason=\"$reason\",dry_run=\"$dry_run\"}" : (),
            $class && !$dry_run ? "${n}_classes_total{$d,class=\"$class\"}"
                                : (),
            $code ? map { "${n}_${_}codes_total$label" } @parts : (),
            $up ? "${n}_status_total{$d,upstream_status=\"$up\","
                  . "status=\"$status\",dry_run=\"$dry_run\"}" : ());
}


sub passed {
    my ($document, $class) = @_;

    return "nginx_error_map_passed_over_total{document=\"$document\","
           . "class=\"$class\"}";
}


# ... for two documents of the tests

sub iotvideo { counted('tencent_iotvideo', @_) }
sub acme { counted('acme', @_) }


# the sum of the series that match

sub total {
    my ($series, $re) = @_;
    my $sum = 0;

    $sum += $series->{$_} for grep { /$re/ } keys %$series;

    return $sum;
}


1;
