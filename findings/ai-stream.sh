#!/bin/sh
#
# Expected: a mapped status throws where the text of a stream is read, as
# with the vendor's own SDK.
# Seen: the loop over textStream ends without text and without an exception,
# for 402 as for an error in the first event; the error is only printed to
# standard error, and the one in the event has a status of the client's
# making, 429.  A JSON error in a 200 is not even printed.  A 409 is asked
# three times.
# Why it matters: mapping does not repair this client; what it brings is the
# onError callback, which gets the status and the code.  409 is no final
# status.

set -eu

packages="ai@6.0.326 @ai-sdk/openai@3.0.141 zod@4.6.7"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, json, url } from './ask.mjs';
import { generateText, streamText } from 'ai';
import { createOpenAI } from '@ai-sdk/openai';

const model = createOpenAI({ apiKey: 'x', baseURL: url }).chat('m');
const stream = (onError) => async () => {
    let text = '';
    for await (const part of streamText({ model, prompt: 'x', onError })
                                 .textStream) { text += part; }
    return text;
};

const event = [200, `data: ${JSON.stringify(json)}\n\n`,
               { 'content-type': 'text/event-stream' }];
const seen = {};
for (const [name, reply] of [['JSON in a 200', [200, json]],
                             ['first event', event], ['402', [402, json]]]) {
    let reported = 'nothing';
    const r = await ask(stream(({ error }) => {
        reported = `${error.statusCode} ${JSON.stringify(error.data ?? error)}`;
    }), reply);
    seen[name] = [r.value, r.error, reported !== 'nothing'];
    console.log(`${name}: text "${r.value}", thrown ${r.error}, onError got `
                + reported);
}
const conflict = await ask(() => generateText({ model, prompt: 'x' }),
                           [409, json, { 'retry-after-ms': '20' }]);
console.log(`generateText, 409: ${conflict.requests} requests`);

assert.deepEqual(seen, { 'JSON in a 200': ['', undefined, false],
                         'first event': ['', undefined, true],
                         402: ['', undefined, true] });
assert.equal(conflict.requests, 3);

process.exit(0);
EOF

node run.mjs
