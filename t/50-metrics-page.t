# conf/html/error_map.html, as conf/status.conf serves it, in a browser: the
# page shows the requests that were sent, those of a dry run by themselves, no
# text can become HTML, and it works with a keyboard, on a phone and in the
# dark.

use strict;
use warnings;

use Digest::SHA qw(sha256_base64);
use ErrorMap;
use ErrorMapBrowser;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep);

my $conf = slurp("$ErrorMap::root/conf/status.conf");
my $page = slurp("$ErrorMap::root/conf/html/error_map.html");


# the policy allows what the page has, and no more

my %hash;

for my $name (qw(script style)) {
    my @text = $page =~ m{<$name\b[^>]*>(.*?)</$name>}gs;

    is(scalar @text, 1, "one $name");
    $hash{$name} = "$name-src 'sha256-" . sha256_base64($text[0]) . "='";
}

my ($meta) = $page =~ /<meta\ http-equiv="Content-Security-Policy"\s+
                       content="([^"]*)">/x;

sub policy { join '; ', sort split /;\s*/, $_[0] }

my @policy = ("default-src 'none'", "connect-src 'self'", "base-uri 'none'",
              "form-action 'none'", values %hash);

is(policy($meta), policy(join ';', @policy), 'the policy in the page');

unlike($page, qr/$_/, "nothing like $_ in the page") for
    qr{\bhttps?://(?!www\.w3\.org/2000/svg')}, qr/\bsrc\s*=/, qr/\burl\(/,
    qr/\@import/, qr/<link/, qr/<[^>]*\son\w+\s*=/, qr/<[^>]*\sstyle\s*=/,
    qr/\b(?:inner|outer)HTML|insertAdjacentHTML|document\.write/,
    qr/\beval\b|\bFunction\(|setTimeout\(['"`]|createContextualFragment/;

is(join(',', grep { length > 100 } split /\n/, $page), '', 'no long lines');


# the edge

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my ($late, $body) = $request =~ m{^GET /(late)?(\S*) };
    $body =~ s/%(..)/chr hex $1/ge;

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             . 'Content-Length: ' . length($body) . "\r\n\r\n";
    sleep 0.05 if $late;
    print $s $body;
});

my ($status, $port) = (free_port(), free_port());

is($conf =~ s/127\.0\.0\.1:8405;/127.0.0.1:$status;/, 1, 'one status server');
is($conf =~ s{root +html;}{root $ErrorMap::root/conf/html;}, 1, 'one page');

my $html = '<img src=x onerror=alert(1)>';
my @edge = (port => $status, http => $conf . <<"END");
    error_map_document hostile {
        source   json  /code;
        success  0;
        1        -  RESOURCE_EXHAUSTED  "$html";
    }

    error_map_policy other { unknown 502; code tencent_iotvideo/42505 503; }

    upstream accounts {
        server 127.0.0.1:$vendor max_fails=0;
        server 127.0.0.1:$vendor max_fails=0 backup;
    }

    server {
        listen 127.0.0.1:$port;

        location /video/ {
            error_map tencent_iotvideo;
            proxy_pass http://127.0.0.1:$vendor/;
        }

        location /retry/ {
            error_map tencent_iotvideo policy=other;
            error_map_upstream on;
            proxy_next_upstream http_502 http_503;
            proxy_pass http://accounts/;
        }

        location /dry/ {
            error_map tencent_iotvideo;
            error_map_dry_run on;
            error_map_upstream on;
            proxy_next_upstream http_502 http_503;
            proxy_pass http://accounts/;
        }

        location /dry/any/ {
            error_map \$arg_document;
            error_map_dry_run on;
            proxy_pass http://127.0.0.1:$vendor/;
        }

        location /hostile/ {
            error_map hostile policy=other;
            proxy_pass http://127.0.0.1:$vendor/;
        }
    }
END

my $edge = start(@edge);

for my $uri (qw(error_map.html error_map.json metrics nosuch)) {
    my $headers = get($status, "/$uri")->{headers};

    is(policy($headers->{'content-security-policy'}[0]),
       policy(join ';', @policy, "frame-ancestors 'none'"), "$uri: the policy");
    is_deeply([map { $headers->{$_}[0] }
               qw(x-content-type-options referrer-policy)],
              ['nosniff', 'no-referrer'], '... and other headers');
}

like(get($status, '/error_map.html')->{headers}{'content-type'}[0],
     qr{^text/html}, 'the page is HTML');
like(get($status, '/metrics')->{body}, qr/^nginx_error_map_info/m,
     'Prometheus is served, too');


# the page

my $browser = ErrorMapBrowser->new;
my $state = "document.getElementById('state').textContent";

sub live {
    $browser->wait_for("document.body.dataset.state === 'live' && $state");
}

# the texts of the cells of a table's body, without the small ones

sub table {
    return $browser->run(<<'END', @_);
        return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)]
            .map((row) => [...row.cells].flatMap((cell) =>
                cell.querySelector('small')
                    ? [...cell.firstChild.children].map((e) => e.textContent)
                    : [cell.textContent]));
END
}

# ... without the rates, which change

sub totals {
    my ($name, @columns) = @_;
    return [map { my $row = $_; [@$row[@columns]] } @{ table($name) }];
}

sub text {
    return $browser->run('return document.querySelector(arguments[0])'
                         . '.textContent', @_);
}

sub ask {
    my ($n, $uri) = @_;
    get($port, $uri) for 1 .. $n;
}

$browser->open("http://127.0.0.1:$status/error_map.html");

like(live(), qr/^LiveNo responses have been counted yet/, 'no traffic yet');
ok($browser->run("return document.querySelector('main').hidden"),
   '... and no tables');
like(text('#silent'), qr/\btencent_iotvideo, .*\bhostile\b/, '... of whom');

ask(7, '/video/{"StatusCode":42505}');
ask(4, '/video/{"StatusCode":52501}');
ask(1, '/video/{"StatusCode":99999}');
ask(3, '/video/{"StatusCode":200}');
ask(4, '/video/{"x":1}');
ask(5, '/hostile/late{"code":1}');
ask(2, '/hostile/{"code":2}');
ask(2, '/hostile/{"code":0}');

ok($browser->wait_for("document.querySelector('#verdicts tfoot')"
                      . ".textContent.endsWith('28')"), 'all are counted');

is_deeply(totals('verdicts', 0 .. 7),
          [['tencent_iotvideo', 11, 1, 3, 4, 0, 0, 19],
           ['hostile', 5, 2, 2, 0, 0, 0, 9]], 'verdicts');

is(text('#verdicts tfoot'),
   join('', 'all', 16, 3, 5, 4, 0, 0, 28), '... of all');

# the order is that of the last minute

is_deeply(totals('codes', 0 .. 3, 5),
          [['42505', 'too many concurrent downloads', 'tencent_iotvideo',
            'RESOURCE_EXHAUSTED', 7],
           ['1', $html, 'hostile', 'RESOURCE_EXHAUSTED', 5],
           ['52501', 'memory error', 'tencent_iotvideo', 'INTERNAL', 4],
           ['other', 'codes that its document does not have', 'hostile',
            'UNKNOWN', 2],
           ['other', 'codes that its document does not have',
            'tencent_iotvideo', 'UNKNOWN', 1]], 'codes, a title is text');

is_deeply(totals('classes', 0, 2, 3),
          [['RESOURCE_EXHAUSTED', 12, '63.2%'], ['INTERNAL', 4, '21.1%'],
           ['UNKNOWN', 3, '15.8%']], 'classes');

is_deeply([sort { $a->[1] <=> $b->[1] } @{ totals('statuses', 0, 1, 3) }],
          [[200, 200, 10], [200, 402, 7], [200, 429, 5], [200, 456, 4],
           [200, 502, 2]], 'statuses');

is(text('#t-errors small'), '19 in all', 'errors');
is(text('#t-share small'), '67.9% in all', '... their share');

# five responses waited for 50 ms each, of 28 and of 9

cmp_ok((text('#t-hold small') =~ /^([\d.]+) on average$/)[0], '>=', 5,
       'the time held');
cmp_ok(totals('vendors', 3)->[1][0], '>=', 20, '... by vendor');

like(text('#peaks'), qr/^At most [\d.]*[1-9][\d.]* resp.*and [\d.]*[1-9]/,
     'rates of the history');
is($browser->run("return document.querySelectorAll('#plot .errors').length"),
   1, '... are plotted');

# why there is no code; nothing was passed over, and there was no dry run

my ($name, $text) = ('no_code', 'no code, or no match of a pattern');

is_deeply(totals('reasons', 0 .. 3, 5),
          [[$name, $text, 'tencent_iotvideo', 'none', 4]], 'reasons');

sub hidden {
    return join ' ', map { s/^h-//r } @{ $browser->run(<<'END') };
        return [...document.querySelectorAll('main section')]
            .filter((section) => !section.getClientRects().length)
            .map((section) => section.getAttribute('aria-labelledby'));
END
}

is(hidden(), 'passed dry', '... and nothing else');


# a rate is shown for two seconds

ask(30, '/video/{"StatusCode":42505}');

my $rates = $browser->wait_for(<<'END');
    ['#t-responses b', '#t-errors b', '#vendors td:nth-child(2)',
     '#classes td:nth-child(2)', '#codes td:nth-child(2)',
     '#statuses td:nth-child(3)'].every((name) =>
         parseFloat(document.querySelector(name).textContent) > 0)
END

ok($rates, 'live rates, by vendor, class, code and status');

ok($browser->wait_for("document.querySelector('#verdicts tfoot')"
                      . ".textContent.endsWith('58')"),
   '... and all are added');

# a dry run adds to no other number

sub others {
    return [(map { text("#$_") } 't-responses small', 't-errors small',
                                 't-share small', 'verdicts'),
            map { totals(@$_) } ['codes', 0 .. 3, 5], ['classes', 0, 2, 3],
                                ['statuses', 0, 1, 3], ['reasons', 0 .. 3, 5]];
}

sub dry_shown { $browser->wait_for(<<"END") }
    document.querySelector('#dry-verdicts tfoot').textContent.endsWith('$_[0]')
END

my $others = others();

ask(6, '/dry/{"StatusCode":52501}');
ask(3, '/dry/{"StatusCode":42505}');
ask(2, '/dry/{"StatusCode":88888}');
ask(1, '/dry/{"StatusCode":200}');
ask(5, '/dry/{"x":1}');
ask(1, '/dry/any/{}?document=off');

ok(dry_shown(18), 'a dry run is shown');
is_deeply(others(), $others, '... and added to no other number');
is(hidden(), 'passed', '... in its own section');

is_deeply(totals('dry-verdicts', 0 .. 7),
          [['tencent_iotvideo', 9, 2, 1, 5, 0, 0, 17],
           ['(none named)', 0, 0, 0, 0, 0, 1, 1]], '... its verdicts');
is(text('#dry-verdicts tfoot'), 'all92150118', '... of all');
is_deeply(totals('dry-codes', 0 .. 4),
          [['52501', 'memory error', 'tencent_iotvideo', 'INTERNAL', 6],
           ['42505', 'too many concurrent downloads', 'tencent_iotvideo',
            'RESOURCE_EXHAUSTED', 3],
           ['other', 'codes that its document does not have',
            'tencent_iotvideo', 'UNKNOWN', 2]], '... its codes');
is_deeply(totals('dry-statuses', 0 .. 2),
          [[200, 200, 8], [200, 456, 6], [200, 402, 3]],
          '... the statuses that it would send');
is_deeply(totals('dry-reasons', 0 .. 4),
          [[$name, $text, 'tencent_iotvideo', 'none', 5],
           ['document', 'a document that is not named', '(none named)',
            'skipped', 1]], '... and its reasons');


# what was passed over for the next server

ask(2, '/retry/{"StatusCode":42505}');
ask(1, '/retry/{"StatusCode":77777}');

ok($browser->wait_for("document.querySelector('#verdicts tfoot')"
                      . ".textContent.endsWith('64')"), 'retries are counted');
is_deeply(totals('passed', 0, 1, 3),
          [['RESOURCE_EXHAUSTED', 'tencent_iotvideo', 2],
           ['UNKNOWN', 'tencent_iotvideo', 1]],
          '... and what they passed over');
is(hidden(), '', '... is shown');
like(text('#dry-verdicts tfoot'), qr/18$/, '... not in the dry run');

is($browser->run("return document.images.length"), 0, 'the page has no image');
is($browser->run(<<'END'), 'error_map.json', '... and fetches nothing else');
    return [...new Set(performance.getEntriesByType('resource').map((e) =>
        e.name.replace(/.*\//, '')))].join();
END
is(join("\n", $browser->console), '', 'the console is empty');


# by keyboard: the first stop is the only control

$browser->press("\x{e004}");

is($browser->run('return document.activeElement.id'), 'pause', 'Tab');
is($browser->run("return getComputedStyle(document.activeElement)"
                 . ".outlineStyle"), 'solid', '... visibly');

$browser->press(' ');
like(text('#state'), qr/^Paused/, 'Space pauses');
is(text('#pause'), 'Resume', '... and the button says Resume');

my $begin = text('#who');

ask(1, '/video/{"StatusCode":42505}');
sleep 3;
is(text('#who'), $begin, '... nothing is requested');
like(text('#verdicts tfoot'), qr/64$/, '... and nothing changes');

$browser->press(' ');
ok(live(), 'Space resumes');
like(text('#verdicts tfoot'), qr/65$/, '... with new numbers');


# contrast, a dark scheme, a phone

for my $scheme (qw(light dark)) {
    $browser->chromium('Emulation.setEmulatedMedia', features => [
        { name => 'prefers-color-scheme', value => $scheme }]);
    sleep 0.3;

    # the contrast of each text with the nearest background

    is($browser->run(<<'END'), '', "$scheme: the contrast is at least 4.5");
        const light = (colour) => colour.match(/[\d.]+/g).slice(0, 3)
            .map((c) => c / 255)
            .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
        const walk = document.createTreeWalker(document.body,
                                               NodeFilter.SHOW_TEXT);
        const bad = [];

        for (let node; (node = walk.nextNode()); ) {
            let e = node.parentElement;

            if (!node.data.trim() || !e.getClientRects().length) {
                continue;
            }

            const style = getComputedStyle(e);
            const text = light(e.closest('svg') ? style.fill : style.color);

            while (e && / 0\)$/.test(getComputedStyle(e).backgroundColor)) {
                e = e.parentElement;
            }

            const back = light(getComputedStyle(e).backgroundColor);
            const ratio = (Math.max(text, back) + 0.05)
                          / (Math.min(text, back) + 0.05);

            if (ratio < 4.5) {
                bad.push(`${node.data}: ${ratio.toFixed(2)}`);
            }
        }

        return bad.join();
END
}

isnt($browser->run("return getComputedStyle(document.body).backgroundColor"),
     'rgb(244, 245, 246)', 'the dark is dark');

$browser->chromium('Emulation.setDeviceMetricsOverride', width => 360,
                   height => 740, deviceScaleFactor => 1,
                   mobile => JSON::PP::true);

is($browser->run('return [innerWidth, document.documentElement.scrollWidth]'
                 . '.join()'), '360,360',
   'the page fits a phone');
ok($browser->wait_for("document.querySelector('.scroll').tabIndex === 0"),
   '... and the keyboard scrolls the wide table');

is($browser->run(<<'END'), '', 'every table has a caption and scopes');
    return [...document.querySelectorAll('table')].filter((table) =>
        !table.caption || [...table.querySelectorAll('th')].some((th) =>
            th.scope !== (th.closest('thead') ? 'col' : 'row')))
        .map((table) => table.id).join();
END

is(join("\n", $browser->console), '', 'the console is still empty');


# without the edge

stop($edge);

ok($browser->wait_for("document.body.dataset.state === 'lost'"),
   'edge stopped');
like(text('#state'), qr/^No answer.*cannot be reached/, '... the page says so');
is(text('#t-responses b'), "\x{2013}", '... has no rates');
like(text('#verdicts tfoot'), qr/65$/, '... and the last totals');

$browser->console;
$edge = start(@edge);
ask(2, '/video/{"StatusCode":42505}');

like(live(), qr/Counting began at zero at \d\d:\d\d:\d\d/, 'started again');
ok($browser->wait_for("document.querySelector('#verdicts tfoot')"
                      . ".textContent === 'all2000002'"), '... it goes on');
ok($browser->wait_for("document.querySelectorAll('#plot .zero').length"),
   '... and the plot shows it');
is(join("\n", grep { !/ERR_CONNECTION/ } $browser->console), '',
   'the console has only the lost connection');

$browser->quit;
stop($edge);
done_testing();
