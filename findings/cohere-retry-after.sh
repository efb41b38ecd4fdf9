#!/bin/sh
#
# Expected: Retry-After: 0 repeats at once, and 0.9 waits about a second at
# most.
# Seen: neither is read; 0 and 0.9 both give the client's own waits, 1 s and
# 2 s, longer than Retry-After: 1, which gives twice 1 s.  An error in the
# first event is a ParseError about a "discriminant", and the code is lost;
# JSON in a 200 is a stream without events; mapped to 429, both are
# TooManyRequestsError.  A POST that gets 501 is repeated.
# Why it matters: to shorten waits send 1, not 0.  Mapping is the only way to
# see the code of a stream.

set -eu

packages="cohere-ai@8.1.0"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, json, url } from './ask.mjs';
import { CohereClientV2 } from 'cohere-ai';

const client = new CohereClientV2({ token: 'x', environment: url });
const chat = () => client.chat({ model: 'm', messages: [] });
const stream = async () => {
    let count = 0;
    for await (const e of await client.chatStream({ model: 'm', messages: [] }))
    { count += 1; }
    return count;
};

const ms = {};
for (const wait of ['0', '0.9', '1']) {
    const r = await ask(chat, [429, json, { 'retry-after': wait }]);
    ms[wait] = r.ms;
    console.log(`429, Retry-After: ${wait}: ${r.requests} POSTs in ${r.ms} ms`);
}
const event = await ask(stream, [200, `data: ${JSON.stringify(json)}\n\n`,
                                 { 'content-type': 'text/event-stream' }]);
const empty = await ask(stream, [200, json]);
const mapped = await ask(stream, [429, json, { 'retry-after': '1' }]);
const odd = await ask(chat, [501, json, { 'retry-after': '1' }]);
console.log(`first event: ${event.error.name}: ${event.error.message}`);
console.log(`JSON in a 200: ${empty.value} events, no exception`);
console.log(`429: ${mapped.error.name}, code ${mapped.error.body.error.code}`);
console.log(`501: ${odd.requests} POSTs`);

assert(ms[0] > 2400 && ms[0.9] > 2400 && ms[1] > 1900);
assert(!/V42/.test(event.error.message + JSON.stringify(event.error)));
assert.equal(empty.value, 0);
assert.equal(mapped.error.body.error.code, 'V42');
assert.equal(odd.requests, 3);

process.exit(0);
EOF

node run.mjs
