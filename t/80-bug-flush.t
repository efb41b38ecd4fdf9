# Bugs of the flush after a hold: a later filter that waits for more text, as
# sub_filter does for the rest of its pattern, must know that no more comes.

use strict;
use warnings;

use ErrorMap;
use ErrorMapStream qw(exchange_all request);
use Test::More;
use Time::HiRes qw(sleep);


# /PLACE/NAME: a text whose last bytes sub_filter has to look at together with
# what comes next

my $text = '{"a":"' . 't' x 200;

my $vendor = vendor(sub {
    my ($s, $head) = @_;

    my ($name) = $head =~ m{^GET \S*/(\w+) };

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             . "Content-Length: 1000\r\n\r\n";
    sleep 0.1;

    if ($name eq 'pieces') {
        for (unpack '(a30)*', $text) {
            print $s $_;
            sleep 0.02;
        }

    } else {
        print $s $text;
    }

    sleep($name eq 'cut' ? 0.1 : 2);

    return 0;
});

my $port = free_port();

my $edge = start(port => $port, http => <<"END");
    charset_map koi8-r windows-1251 { C1 E0; }

    server {
        listen 127.0.0.1:$port;

        error_map tencent_iotvideo;
        error_map_hold_timeout 300ms;
        proxy_buffering off;
        sub_filter pattern other;
        sub_filter_types *;

        location /timeout/ { proxy_pass http://127.0.0.1:$vendor; }
        location /size/ {
            error_map_hold_size 150;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /charset/ {
            source_charset koi8-r;
            charset windows-1251;
            charset_types application/json;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /off/ {
            error_map off;
            proxy_pass http://127.0.0.1:$vendor;
        }
    }
END

# with a size smaller than the text a part of it goes after the held bytes

my @uris = map { my $place = $_; map { "/$place/$_" } qw(silent pieces cut) }
           qw(off timeout charset size);

my @x = exchange_all(map { { port => $port, request => request($_),
                             timeout => 1.6 } } @uris);

for my $i (0 .. $#uris) {
    my $bytes = $x[$i]{bytes} =~ s/^.*?\r\n\r\n//sr;

    $bytes =~ s/^[0-9a-f]+\r\n//mg;
    $bytes =~ s/\r\n//g;

    is($bytes, $text, "$uris[$i]: all that has come is sent");
}

stop($edge);
done_testing();
