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

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, json, url } from './ask.mjs';
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
