#!/bin/sh
#
# Expected: a function's error, which Lambda sends as 200 with
# X-Amz-Function-Error, can be mapped as any other vendor's.
# Seen: mapped to 402, the client throws "UnknownError" of the name
# "Unknown", as the body has no code in a member that it knows.  Mapped to
# 503, it runs the function three times.  In the 200 it returns the error's
# kind and payload.
# Why it matters: a status in 500, 502, 503, 504 doubles work that was done,
# by a client that never repeats a function's error by itself: keep 200.

set -eu

packages="@aws-sdk/client-lambda@3.1164.0"

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

import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';

const client = new LambdaClient({
    endpoint: url, region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
const invoke = () => client.send(new InvokeCommand({ FunctionName: 'f' }));
const body = { errorMessage: 'no credit', errorType: 'V42' };
const headers = { 'x-amz-function-error': 'Unhandled' };

const seen = {};
for (const status of [200, 402, 503, 529]) {
    const { requests, value, error } = await ask(invoke,
                                                 [status, body, headers]);
    seen[status] = [requests, value?.FunctionError ?? error.message];
    console.log(`${status}: run ${requests} times, ${seen[status][1]}`);
}

assert.deepEqual(seen, {
    200: [1, 'Unhandled'], 402: [1, 'UnknownError'], 503: [3, 'UnknownError'],
    529: [1, 'UnknownError'] });

process.exit(0);
EOF

node run.mjs
