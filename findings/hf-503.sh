#!/bin/sh
#
# Expected: a 503 with Retry-After is repeated a few times with pauses.
# Seen: @huggingface/inference repeats a POST that gets 503 without a pause,
# without a bound, and never reads Retry-After.  40 answers of 503 are 41
# requests in a moment; only another status ends it.  402 and 529 are final.
# Why it matters: a row that says 503 turns an error of this vendor into a
# flood. 529 says the same to people, and is asked once.

set -eu

packages="@huggingface/inference@4.13.30"

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

import { InferenceClient } from '@huggingface/inference';

const client = new InferenceClient('hf_x', { endpointUrl: url });
const chat = () => client.chatCompletion({
    model: 'm', messages: [{ role: 'user', content: 'x' }] });

const busy = await ask(chat, (n) => n <= 40
    ? [503, json, { 'retry-after': '10' }] : [200, { choices: [] }]);
console.log(`503 x 40, Retry-After: 10: ${busy.requests} POSTs, `
            + `${busy.ms} ms from the first to the last`);

const other = await ask(chat, [529, json, { 'retry-after': '10' }]);
console.log(`529, Retry-After: 10: ${other.requests} POST`);

assert.equal(busy.requests, 41);
assert(busy.ms < 10000);
assert.equal(other.requests, 1);

process.exit(0);
EOF

node run.mjs
