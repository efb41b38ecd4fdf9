#!/bin/sh
#
# Expected: one SDK reads one form of error, streamed or not.
# Seen: the two ways of the same client understand opposite forms.
# chatCompletion() shows the text of a problem document and not that of
# {"error":{"message":...}}; chatCompletionStream() shows the latter, and of
# a problem document neither text nor body.  A first event with an error is
# shown.
# Why it matters: no choice of error_map_body suits both; X-Error-Code is not
# in the exception either.  Locations of streams should keep the body.

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
const problem = [402, { type: 'about:blank', title: 'Payment Required',
                        status: 402, detail: 'no credit', code: 'V42' },
                 { 'content-type': 'application/problem+json' }];

import { InferenceClient } from '@huggingface/inference';

const client = new InferenceClient('hf_x', { endpointUrl: url });
const args = { model: 'm', messages: [{ role: 'user', content: 'x' }] };
const plain = () => client.chatCompletion(args);
const stream = async () => {
    for await (const chunk of client.chatCompletionStream(args)) { chunk; }
};

const seen = {};
for (const [name, call] of Object.entries({ plain, stream })) {
    for (const [form, reply] of Object.entries({ json: [402, json],
                                                 problem })) {
        const { error } = await ask(call, reply);
        seen[`${name} ${form}`] = [/no credit/.test(error.message),
            /V42/.test(JSON.stringify(error.httpResponse.body))];
        console.log(`${name}, ${form}: ${error.message}\n    body: `
                    + JSON.stringify(error.httpResponse.body));
    }
}

assert.deepEqual(seen, {
    'plain json': [false, true], 'plain problem': [true, true],
    'stream json': [true, true], 'stream problem': [false, false] });

process.exit(0);
EOF

node run.mjs
