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

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo "{}" > package.json
npm install --silent --no-audit --no-fund --ignore-scripts $packages \
    > npm.log 2>&1 || { cat npm.log; exit 1; }
echo $packages, "node $(node --version)"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import http from 'node:http';

let answer, requests;

const server = http.createServer((req, res) => {
    let body = '';
    req.on('data', (chunk) => { body += chunk; });
    req.on('end', () => {
        requests.push({ time: Date.now(), method: req.method, body });
        const [status, content, headers] = answer(requests.length);
        res.writeHead(status, { 'content-type': 'application/json',
                                ...headers });
        res.end(typeof content === 'string' ? content
                                            : JSON.stringify(content));
    });
});

await new Promise((done) => server.listen(0, '127.0.0.1', done));
const port = server.address().port, url = `http://127.0.0.1:${port}`;

async function ask(call, reply) {
    answer = typeof reply === 'function' ? reply : () => reply;
    requests = [];
    const result = {};
    try { result.value = await call(); } catch (e) { result.error = e; }
    result.requests = requests.length;
    result.ms = requests.length ? requests.at(-1).time - requests[0].time : 0;
    return result;
}

const json = { error: { code: 'V42', message: 'no credit',
                        type: 'insufficient_quota' } };

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
