#!/bin/sh
#
# Expected: .retry(3) leaves POST alone, as got, ky and axios-retry do, and
# pauses.
# Seen: the POST is sent four times at once on 408, 413, 429 and 503, and
# Retry-After is not read.  425, 456, 520 and 529 are sent once.
# Why it matters: a mapped 429 or 503 delivers a payment or a message four
# times. 456, 520 and 529 do not.

set -eu

packages="superagent@10.4.2"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, json, url } from './ask.mjs';
import superagent from 'superagent';

const post = () => superagent.post(url).send({ pay: 1 }).retry(3);

const seen = {};
for (const status of [402, 408, 413, 425, 429, 456, 503, 520, 529]) {
    const r = await ask(post, [status, json, { 'retry-after': '2' }]);
    seen[status] = r.requests;
    assert.equal(r.error.response.body.error.code, 'V42');
    assert(r.ms < 2000);
    console.log(`${status}, Retry-After: 2: ${r.requests} POSTs in ${r.ms} ms`);
}

assert.deepEqual(seen, { 402: 1, 408: 4, 413: 4, 425: 1, 429: 4, 456: 1,
                         503: 4, 520: 1, 529: 1 });

process.exit(0);
EOF

node run.mjs
