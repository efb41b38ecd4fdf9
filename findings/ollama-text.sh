#!/bin/sh
#
# Expected: an error object in the body is shown; a problem document is lost,
# as with most SDKs.
# Seen: the other way round.  With {"error":{...}} the message is "[object
# Object]".  With application/problem+json the message is the whole document,
# for any other type than application/json is taken as text; and the library
# writes a line to the standard output of the application.
# Why it matters: error_map_body problem helps here, but spoils the output of
# a program that prints JSON.

set -eu

packages="ollama@0.6.4"

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

import { Ollama } from 'ollama';

const client = new Ollama({ host: url });
const chat = () => client.chat({ model: 'm', messages: [] });

const printed = [], log = console.log;
console.log = (...args) => printed.push(args.join(' '));
const a = await ask(chat, [402, json]);
const quiet = printed.length;
const b = await ask(chat, problem);
console.log = log;

console.log(`402, JSON: message "${a.error.message}"`);
console.log(`402, problem: message ${b.error.message}`);
console.log(`402, problem: printed to standard output: "${printed}"`);

assert.equal(a.error.message, '[object Object]');
assert.match(b.error.message, /V42/);
assert.equal(quiet, 0);
assert.equal(printed.length, 1);

process.exit(0);
EOF

node run.mjs
