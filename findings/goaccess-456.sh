#!/bin/sh
#
# GoAccess 1.7 (Debian 12): a log with statuses outside its list.
#
# Expected: 456 counts as 4xx and 529 as 5xx, without a name.
# Seen:     each unlisted status is an entry "Unknown", and all of these share one group: that of the last one in the log.
#           One 529 at the end turns every 456 into a server error, and one 456 every 529 into a client error.
#           600 and above and 000 are dropped as invalid lines, so the requests are missing from all panels.
#
# Dashboards built on such a log move between 4xx and 5xx by the order of lines.

set -eu

packages="goaccess=1:1.7-1"

. "$(dirname "$0")/lib/debian.sh"

report() {    # statuses in order -> groups with counts, and dropped lines
    for s; do
        printf '10.0.0.1 - - [28/Nov/2026:02:00:00 +0000] "GET /a HTTP/1.1" %s 10 "-" "curl/7"\n' "$s"
    done > "$dir/access.log"
    "$dir/usr/bin/goaccess" "$dir/access.log" --no-global-config --log-format=COMBINED -o "$dir/report.json" > /dev/null 2>&1
    perl -MJSON::PP -0777 -ne 'my $r = decode_json($_);
        print map({ my ($g) = $_->{data} =~ /^(\S+)/; "$g=$_->{hits}{count} " }
                  sort { $a->{data} cmp $b->{data} } @{$r->{status_codes}{data}}),
              "dropped=$r->{general}{failed_requests}"' "$dir/report.json"
}

"$dir/usr/bin/goaccess" --version | sed -n 1p
see '429 429 503'           "$(report 429 429 503)"         '4xx=2 5xx=1 dropped=0'
see '456 456 456'           "$(report 456 456 456)"         '4xx=3 dropped=0'
see '456 456 456 529'       "$(report 456 456 456 529)"     '5xx=4 dropped=0'
see '529 529 529 456'       "$(report 529 529 529 456)"     '4xx=4 dropped=0'
see '200 622 999 000'       "$(report 200 622 999 000)"     '2xx=1 dropped=3'

exit $bad
