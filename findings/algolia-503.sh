#!/bin/sh
#
# Expected: 503 is an error with status 503 and the vendor's text.
# Seen: any 5xx, 503 or 529, makes the client ask its other hosts, writes as
# well, and then throw "Unreachable hosts - your application id may be
# incorrect", without a status.  429 is sent four times in three seconds, 402
# once, and both carry status and code.
# Why it matters: a mapped 5xx hides the vendor's error in words that send
# people looking at names and keys, and a write is sent to every host.  402
# is final.

set -eu

packages="algoliasearch@5.65.0"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, json, port } from './ask.mjs';
import { algoliasearch } from 'algoliasearch';

const seen = {};
for (const status of [402, 429, 503, 529]) {
    const client = algoliasearch('APP', 'key', {
        hosts: ['127.0.0.1', 'localhost'].map((name) => ({
            url: `${name}:${port}`, accept: 'readWrite',
            protocol: 'http' })) });
    const save = () => client.saveObject({ indexName: 'i', body: { a: 1 } });
    const { requests, ms, error } = await ask(save, [status, json]);
    seen[status] = [requests, error.status, error.error?.code];
    console.log(`${status}: ${requests} POSTs in ${ms} ms, status `
                + `${error.status}, code ${error.error?.code}, `
                + `"${error.message.slice(0, 60)}"`);
}

assert.deepEqual(seen, {
    402: [1, 402, 'V42'], 429: [4, 429, 'V42'],
    503: [2, undefined, undefined], 529: [2, undefined, undefined] });

process.exit(0);
EOF

node run.mjs
