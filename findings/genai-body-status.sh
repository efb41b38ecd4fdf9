#!/bin/sh
#
# Expected: an error inside a 200 is a result without text, with or without a
# stream; an error event ends a stream with an exception.
# Seen: with a stream "code" in the body is taken for the status if it is 400
# to 599: an event with 402 throws with status 402; one with 8, which is
# gRPC's number for an exhausted quota, is a chunk like others, and the loop
# ends without an exception.  In place of a stream it is an "Incomplete JSON
# segment".  Without a stream both are a result.
# Why it matters: whether a failure is seen depends on its number and on the
# form of the call.  With a mapped status each throws, with that status.

set -eu

packages="@google/genai@2.32.0"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, url } from './ask.mjs';
import { GoogleGenAI } from '@google/genai';

const { models } = new GoogleGenAI({ apiKey: 'x',
                                     httpOptions: { baseUrl: url } });
const question = { model: 'm', contents: 'a' };
const whole = async () => (await models.generateContent(question)).text;
const stream = async () => {
    let text = '';
    for await (const chunk of await models.generateContentStream(question)) {
        text += chunk.text ?? '';
    }
    return text;
};

const error = (code) => ({ error: { code, message: 'no', status: 'V42' } });
const events = (code) => `data: ${JSON.stringify({ candidates: [{ content: {
    parts: [{ text: 'hi' }] } }] })}\n\ndata: ${JSON.stringify(error(code))}`
    + '\n\n';
const type = { 'content-type': 'text/event-stream' };

const seen = {};
for (const code of [402, 8]) {
    for (const [name, call, reply] of [
        ['200', whole, [200, error(code)]],
        ['200, stream asked for', stream, [200, error(code)]],
        ['200, event', stream, [200, events(code), type]],
        ['402', whole, [402, error(code)]],
        ['402, stream asked for', stream, [402, error(code)]] ])
    {
        const r = await ask(call, reply);
        const got = r.error ? `${r.error.name} `
                              + (r.error.status ?? `"${r.error.message}"`)
                            : `result ${JSON.stringify(r.value)}`;
        seen[`${code}: ${name}`] = got;
        console.log(`code ${code}, ${name}: ${got}`);
    }
}

const thrown = 'ApiError 402';
assert.deepEqual(seen, {
    '402: 200': 'result undefined', '402: 200, stream asked for': thrown,
    '402: 200, event': thrown,
    '402: 402': thrown, '402: 402, stream asked for': thrown,
    '8: 200': 'result undefined',
    '8: 200, stream asked for':
        'Error "Incomplete JSON segment at the end"',
    '8: 200, event': 'result "hi"',
    '8: 402': thrown, '8: 402, stream asked for': thrown });

process.exit(0);
EOF

node run.mjs
