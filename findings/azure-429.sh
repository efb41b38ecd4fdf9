#!/bin/sh
#
# Expected: 429 is repeated, and Retry-After only says when.
# Seen: Retry-After decides whether.  A POST that gets 429 is sent once
# without the header, and four times with it, at once for 0.  529, an odd
# 5xx, is always sent four times.  retry-after-ms beats Retry-After.  402
# with Retry-After: once.
# Why it matters: under Azure's newer clients a policy's retry_after is the
# switch for repeats of 429: leave it out, and 429 is final.

set -eu

packages="@azure/core-rest-pipeline@1.24.0"

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

import { createDefaultHttpClient, createPipelineFromOptions,
         createPipelineRequest } from '@azure/core-rest-pipeline';

const pipeline = createPipelineFromOptions({
    retryOptions: { retryDelayInMs: 20 } });
const client = createDefaultHttpClient();
const post = () => pipeline.sendRequest(client, createPipelineRequest({
    url, method: 'POST', body: '{}', allowInsecureConnection: true }));

const seen = {};
for (const [status, headers] of [
    [429], [429, { 'retry-after': '0' }],
    [429, { 'retry-after': '60', 'retry-after-ms': '30' }],
    [402, { 'retry-after': '0' }], [529]])
{
    const r = await ask(post, [status, json, headers]);
    const name = [status, ...Object.entries(headers ?? {})].join(' ');
    seen[name] = r.requests;
    assert(r.ms < 20000);
    console.log(`${name}: ${r.requests} POSTs in ${r.ms} ms`);
}

assert.deepEqual(seen, {
    429: 1, '429 retry-after,0': 4,
    '429 retry-after,60 retry-after-ms,30': 4,
    '402 retry-after,0': 1, 529: 4 });

process.exit(0);
EOF

node run.mjs
