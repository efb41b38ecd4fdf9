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

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, json, url } from './ask.mjs';

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
