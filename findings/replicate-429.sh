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
