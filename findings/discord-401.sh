#!/bin/sh
#
# Expected: a 401 rejects the call that got it.
# Seen: it also removes the token from the client.  All later calls of the
# process fail before a request is sent, until setToken() is called again.
# Why it matters: a vendor's code for one refused action, mapped to 401,
# switches a whole bot off.  403 has the same meaning to people and does no
# such thing.

set -eu

packages="@discordjs/rest@2.6.3"

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

import { REST } from '@discordjs/rest';

const seen = {};
for (const status of [403, 401]) {
    const rest = new REST({ api: url }).setToken('x');
    const post = () => rest.post('/channels/1/messages', { body: {} });

    await ask(post, [status, { code: 42, message: 'no' }]);
    const next = await ask(post, [200, { id: '1' }]);
    seen[status] = next.requests;
    console.log(`after a ${status}, the next call: ${next.requests} requests, `
                + (next.error?.message ?? 'answered'));
}

assert.deepEqual(seen, { 401: 0, 403: 1 });

process.exit(0);
EOF

node run.mjs
