#!/bin/sh
#
# Expected: Retry-After: 0 or a fraction falls back to the exporter's own
# backoff of 1 to 5 seconds.
# Seen: either switches every pause off: six POSTs of the same batch in a
# moment. One of 30 is beyond the exporter's 10 seconds and means no repeat
# at all. An error in a 200 is a success, and the batch is gone without a
# word.
# Why it matters: a Retry-After of 0 is the worst that an edge can send to a
# collector's clients, no Retry-After is better, and a long one ends the
# repeats.

set -eu

packages="@opentelemetry/exporter-trace-otlp-http@0.223.1
    @opentelemetry/api@1.9.0"

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

import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';

const exporter = new OTLPTraceExporter({ url });
const send = () => new Promise((done) => exporter.export([], done));

const seen = {};
for (const wait of ['0', '0.9', '30']) {
    const r = await ask(send, [503, json, { 'retry-after': wait }]);
    seen[wait] = r.requests;
    assert(r.ms < 3000);
    console.log(`503, Retry-After: ${wait}: ${r.requests} requests in `
                + `${r.ms} ms, ${r.value.error.message}`);
}
const ok = await ask(send, [200, json]);
console.log(`200 with an error: result code ${ok.value.code} (0: success)`);

assert.deepEqual(seen, { 0: 6, 0.9: 6, 30: 1 });
assert.equal(ok.value.code, 0);

process.exit(0);
EOF

node run.mjs
