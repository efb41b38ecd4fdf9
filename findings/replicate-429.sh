#!/bin/sh
#
# Expected: a 429 of a POST is repeated after Retry-After, else with backoff:
# the source of the client has both.
# Seen: six POSTs at once.  Both delays are lost: the pause is skipped unless
# it is a whole number of milliseconds, and the random part makes it a
# fraction. A 503 of a POST is final, a 503 of a GET is six requests.
# Why it matters: 429 for "create a prediction" costs five more requests, at
# once, whatever Retry-After says.  402 or 503 costs none.

set -eu

packages="replicate@1.4.0"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, json, url } from './ask.mjs';
import Replicate from 'replicate';

const client = new Replicate({ auth: 'x', baseUrl: url });
const post = () => client.predictions.create({ version: 'v', input: {} });
const get = () => client.predictions.get('p');
const wait = { 'retry-after': '5' };

const seen = {};
for (const [name, call, status] of [['POST', post, 429], ['POST', post, 503],
                                    ['POST', post, 402], ['GET', get, 503]]) {
    const r = await ask(call, [status, json, wait]);
    seen[`${name} ${status}`] = r.requests;
    assert(r.ms < 5000);
    console.log(`${name} ${status}, Retry-After: 5: ${r.requests} requests `
                + `in ${r.ms} ms`);
}

assert.deepEqual(seen, { 'POST 429': 6, 'POST 503': 1, 'POST 402': 1,
                         'GET 503': 6 });

process.exit(0);
EOF

node run.mjs
