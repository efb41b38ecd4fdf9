#!/bin/sh
#
# Expected: the status decides what is asked again: 503 is, 402 is not.
# Seen: a response header overrules it.  x-should-retry (openai, anthropic,
# groq) and stripe-should-retry make a 402 three requests, and a 503 one.
# The first three also read retry-after-ms before Retry-After.
# Why it matters: the edge can send the status that dashboards want, and
# still decide on retries by a header of its own.  A vendor's header that
# passes the edge unseen defeats the choice of status.

set -eu

packages="openai@7.59.0 @anthropic-ai/sdk@1.14.0 groq-sdk@1.6.0 stripe@23.1.0"

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

import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import Groq from 'groq-sdk';
import Stripe from 'stripe';

const options = { apiKey: 'x', baseURL: url };
const chat = { model: 'm', max_tokens: 1, messages: [] };
const openai = new OpenAI(options), groq = new Groq(options);
const anthropic = new Anthropic(options);
const stripe = new Stripe('sk_x', { host: '127.0.0.1', port,
                                    protocol: 'http' });
const calls = {
    openai: () => openai.chat.completions.create(chat),
    anthropic: () => anthropic.messages.create(chat),
    groq: () => groq.chat.completions.create(chat),
    stripe: () => stripe.charges.create({ amount: 1, currency: 'usd' }),
};
const header = (value) => ({ 'x-should-retry': value, 'retry-after-ms': '20',
                             'retry-after': '30',
                             'stripe-should-retry': value });

for (const [name, call] of Object.entries(calls)) {
    const yes = await ask(call, [402, json, header('true')]);
    const no = await ask(call, [503, json, header('false')]);
    const none = await ask(call, [402, json]);
    console.log(`${name}: 402 ${none.requests} request, 402 and "true" `
                + `${yes.requests} in ${yes.ms} ms, 503 and "false" `
                + `${no.requests}`);
    assert.deepEqual([none.requests, yes.requests, no.requests], [1, 3, 1]);
    assert(yes.ms < 10000);
}

process.exit(0);
EOF

node run.mjs
