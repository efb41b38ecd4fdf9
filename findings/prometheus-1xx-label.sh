#!/bin/sh
#
# Prometheus 2.42.0 (Debian 12): a label for the class of a status, by label_replace(m, "class", "$1xx", "status", "(.).*").
#
# Expected: class="4xx" for 456, as "$1xx" gives in nginx.
# Seen:     no label, and no error: "$1xx" is a group named "1xx", which is empty.  If the series already has a label
#           "class", it is removed, so sum by (class) puts all errors in one nameless row.  "${1}xx" works.
#
# The same text is right in nginx's rewrite and wrong in PromQL and relabel_configs.

set -eu

packages="prometheus=2.42.0+ds-5+deb12u1"

. "$(dirname "$0")/lib/debian.sh"

promtool=$dir/usr/bin/promtool
"$promtool" --version 2>&1 | sed -n 1p

echo 'groups: []' > "$dir/rules.yml"
holds() {    # expression, expected samples of promtool's unit test
    cat > "$dir/test.yml" <<EOF
rule_files: [rules.yml]
tests:
- interval: 1m
  input_series:
  - { series: 'm{status="456", class="QUOTA"}', values: '2' }
  - { series: 'm{status="529", class="BUSY"}', values: '3' }
  promql_expr_test:
  - expr: '$1'
    eval_time: 0
    exp_samples: [$2]
EOF
    "$promtool" test rules "$dir/test.yml" > "$dir/out" 2>&1 && echo yes || { cat "$dir/out" >&2; echo no; }
}

see '"$1xx": one row without a class' \
    "$(holds 'sum by (class) (label_replace(m, "class", "$1xx", "status", "(.).*"))' '{labels: "{}", value: 5}')" yes
see '"${1}xx": rows 4xx and 5xx' \
    "$(holds 'sum by (class) (label_replace(m, "class", "${1}xx", "status", "(.).*"))' \
        '{labels: "{class=\"4xx\"}", value: 2}, {labels: "{class=\"5xx\"}", value: 3}')" yes

exit $bad
