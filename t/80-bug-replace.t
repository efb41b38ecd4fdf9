# Bugs of error_map_body problem, each with its test: a problem replaces the
# vendor's body while another feature of nginx is at work.

use strict;
use warnings;

use ErrorMap;
use ErrorMapHttp qw(ask connection);
use ErrorMapStream qw(request);
use Test::More;
use Time::HiRes qw(sleep);


# the vendor's response to /PLACE/NAME, by NAME

my $vendor = vendor(sub {
    my ($s, $head) = @_;

    my ($name) = $head =~ m{^GET \S*/(\w+) };
    my $type = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

    if ($name eq 'early') {
        print $s $type, "Content-Length: 13\r\n\r\n{\"code\":1001}";

    } elsif ($name eq 'late') {
        print $s $type, "Content-Length: 13\r\n\r\n{\"co";
        sleep 0.1;
        print $s 'de":1001}';

    } elsif ($name eq 'rest') {

        # the code, and more when the client has the whole problem

        print $s $type, "Transfer-Encoding: chunked\r\n\r\n",
                 "d\r\n{\"code\":1001,\r\n";
        sleep 0.5;
        print $s "6\r\n\"a\":1}\r\n0\r\n\r\n";

    } elsif ($name eq 'text') {

        # nothing of the body comes with the header

        print $s $type, "Content-Length: 9\r\n\r\n";
        sleep 0.1;
        print $s 'xx E1001;';

    } else {
        sleep 0.3 if $name eq 'slow';
        print $s "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
                 "Content-Length: 4\r\n\r\n$name";
    }

    return 0;
});

my $port = free_port();

my $edge = start(port => $port, http => <<"END");
    error_map_document acme {
        source   json /code;
        success  0;
        1001     503 UNAVAILABLE "busy";
    }

    error_map_document text {
        source   json /code;
        source   regex "E(\\d+);";
        success  0;
        1001     503 UNAVAILABLE "busy";
    }

    # nginx adds only to a 200, and to pages with that status

    error_map_policy keep { base keep; }

    proxy_http_version 1.1;

    server {
        listen 127.0.0.1:$port;

        error_map acme policy=keep;
        error_map_body problem always;
        addition_types *;

        location / {
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /after/ {
            add_after_body /fine;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /before/ {
            add_before_body /slow;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /both/ {
            add_before_body /fine;
            add_after_body /slow;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /page/ {
            ssi on;
            default_type text/html;
            return 200 '<!--# include virtual="/slow" -->\$arg_between<!--#
                        include virtual="/\$arg_name" -->';
        }

        location /limited/ {
            limit_rate 20k;
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$vendor;
        }

        location /text {
            error_map text policy=keep;
            proxy_pass http://127.0.0.1:$vendor;
        }
    }
END

my $problem = '{"type":"about:blank","title":"busy","status":200,'
              . '"vendor":"acme","code":"1001","class":"UNAVAILABLE",'
              . '"upstream_status":200}';


sub shown { join ' ', map { $_[0]{$_} } qw(status complete body) }

# two tests: a response, and the next one on its connection

sub page_ok {
    my ($uri, $body, $name) = @_;

    my $r = get($port, $uri, timeout => 6);

    is(shown($r) . " $r->{exchange}{closed}", "200 1 $body 1", $name);

    my $c = connection($port);
    my @r = map { ask($c, request($_, connection => 'keep-alive'),
                      timeout => 6) } $uri, '/fine';

    is(join(' ', map { shown($_) } @r), "200 1 $body 200 1 fine",
       '... and the connection is reused');
}


# the rest of the vendor's body is dropped, but not the text that nginx adds

for my $name (qw(early late)) {
    page_ok("/after/$name", "${problem}fine", "$name, add_after_body");
    page_ok("/before/$name", "slow$problem", "$name, add_before_body");
    page_ok("/both/$name", "fine${problem}slow", "$name, both");
}


# a problem that is ready early does not wait for a timeout at its turn

for my $name (qw(early late)) {
    page_ok("/page/?name=$name", "slow$problem", "$name, second on a page");
    page_ok("/page/?name=$name&between=-", "slow-$problem",
            "$name, after a text");
}


# the rate limit of the problem does not delay the end of the request

page_ok('/limited/rest', $problem, 'limited and not buffered');


# a pattern searches the body, not the empty buffer before it

page_ok('/text', $problem =~ s/acme/text/r, 'header, body, pattern');

stop($edge);
done_testing();
