# A bug of nginx's own directory listings: their handler looks at the header
# that it has sent, to cut a long file name between two characters.

use strict;
use warnings;

use ErrorMap;
use File::Temp qw(tempdir);
use Test::More;

my $root = tempdir(CLEANUP => 1);
chmod 0755, $root;

# 100 characters of two bytes, and 40 of three

spew("$root/$_", '') for "a" . "\xc3\xa9" x 100, "\xe4\xb8\xad" x 40;

my $port = free_port();

my %places = (
    off => 'error_map off;',
    listed => '',
    all => 'error_map_types *;',
    dry => 'error_map_dry_run on;',
    'dry-all' => 'error_map_dry_run on; error_map_types *;',
);

my $locations = join '', map { my $format = $_; map { <<"END" }
    location /$format/$_/ {
        alias $root/;
        autoindex on;
        autoindex_format $format;
        charset utf-8;
        charset_types text/html application/json application/javascript;
        $places{$_}
    }
END
    sort keys %places } qw(html json jsonp xml);

my $edge = start(port => $port, http => <<"END");
    server {
        listen 127.0.0.1:$port;
        error_map tencent_iotvideo;
        error_map_types text/html text/xml application/javascript
                        application/json;
        add_header X-Verdict \$error_map_verdict always;
        $locations
    }
END

my %verdict = (html => 'skipped', json => 'none', jsonp => 'none',
               xml => 'none');

for my $format (sort keys %verdict) {
    my $plain = get($port, "/$format/off/");

    like($plain->{body}, qr/\xe4\xb8\xad/, "$format: there is a listing");

    for my $place (grep { $_ ne 'off' } sort keys %places) {
        my $r = get($port, "/$format/$place/");

        is($r->{body} =~ s/$place/off/gr, $plain->{body},
           "$format, $place: the listing is the same");
        is($r->{headers}{'content-type'}[0],
           $plain->{headers}{'content-type'}[0], '... and its type');
        is($r->{headers}{'x-verdict'}[0], $verdict{$format},
           '... and its verdict');
    }
}

stop($edge);
done_testing();
