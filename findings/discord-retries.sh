#!/bin/sh
#
# Expected: a POST is not repeated on 5xx; 429 is repeated a few times.
# Seen: a POST that sends a message is sent four times on 503 or 529, without
# a pause, Retry-After or not, and the vendor's code is not in the exception.
#  A 429 is repeated without any bound (here 30 times, then the server gives
# in), and without Retry-After also without a pause.  402 and 456 are final,
# and the code is shown.
# Why it matters: a mapped 5xx may post a message four times.  A 429 needs
# Retry-After, and never ends by itself: 402 or 456 for whatever does not
# pass.

set -eu

packages="@discordjs/rest@2.6.3"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, url } from './ask.mjs';
import { REST } from '@discordjs/rest';

const rest = new REST({ api: url }).setToken('x');
const post = () => rest.post('/channels/1/messages', { body: {} });
const body = { code: 42, message: 'no' };

const seen = {};
for (const status of [402, 456, 503, 529]) {
    const r = await ask(post, [status, body, { 'retry-after': '2' }]);
    seen[status] = [r.requests, r.error.code];
    assert(r.ms < 2000);
    console.log(`${status}, Retry-After: 2: ${r.requests} POSTs in ${r.ms} ms, `
                + `code ${r.error.code}`);
}
const limited = await ask(post, (n) => n <= 30 ? [429, body] : [200, {}]);
console.log(`429 x 30: ${limited.requests} POSTs in ${limited.ms} ms`);

assert.deepEqual(seen, { 402: [1, 42], 456: [1, 42], 503: [4, undefined],
                         529: [4, undefined] });
assert.equal(limited.requests, 31);

process.exit(0);
EOF

node run.mjs
