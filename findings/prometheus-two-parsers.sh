#!/bin/sh
#
# Prometheus 2.42.0 (Debian 12): a label value with an unknown escape, as an exporter writes that copies
# nginx's "~^50\d$" without doubling the backslash.
#
# Expected: all readers in one program refuse it, or all take it.
# Seen:     "promtool check metrics" refuses it; "promtool tsdb create-blocks-from openmetrics" takes it and keeps the
#           backslash and "d", so it is the same series as the one written with two backslashes.  "~^50\n" is taken by
#           both, as a line feed.
#
# Samples that were read do not prove an exporter's escapes: patterns with \n change silently, others do not.

set -eu

packages="prometheus=2.42.0+ds-5+deb12u1"

. "$(dirname "$0")/lib/debian.sh"

promtool=$dir/usr/bin/promtool
"$promtool" --version 2>&1 | sed -n 1p

check() { printf '# HELP m_total M.\n# TYPE m_total counter\nm_total{code="%s"} 1\n' "$1" | "$promtool" check metrics 2>&1 |
    grep -o 'invalid escape sequence.*' || echo accepted; }
server() {
    rm -rf "$dir/db"
    printf '# TYPE m counter\nm_total{code="%s"} 1 1700000000\n# EOF\n' "$1" > "$dir/page"
    "$promtool" tsdb create-blocks-from openmetrics "$dir/page" "$dir/db" > /dev/null
    mkdir -p "$dir/db/wal"
    "$promtool" tsdb dump "$dir/db" 2>/dev/null | sed 's/.*code="\(.*\)"}.*/\1/'
}

see 'check metrics: ~^50\d$'     "$(check '~^50\d$')"      "invalid escape sequence '\d'"
see 'check metrics: ~^50\\d$'    "$(check '~^50\\d$')"     'accepted'
see 'tsdb, as stored: ~^50\d$'   "$(server '~^50\d$')"     '~^50\\d$'
see 'tsdb, as stored: ~^50\\d$'  "$(server '~^50\\d$')"    '~^50\\d$'
see 'tsdb, as stored: ~^50\n$'   "$(server '~^50\n$')"     '~^50\n$'
see 'check metrics: ~^50\n$'     "$(check '~^50\n$')"      'accepted'

exit $bad
