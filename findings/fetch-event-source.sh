#!/bin/sh
#
# Expected: a status of 4xx ends the stream with an error, as in browsers'
# EventSource.
# Seen: the status is never read, only the type.  A 429 with an event stream
# is a success: its error event is delivered as a message and the promise
# resolves.  A 402 with JSON or a problem document is "Expected
# content-type", without status or code, and is asked again each second for
# ever.
# Why it matters: a mapped status means nothing here.  Clients need an onopen
# of their own, and an edge that replaces the body gets one request a second.

set -eu

packages="@microsoft/fetch-event-source@2.0.1"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, json, url } from './ask.mjs';

const problem = [402, { type: 'about:blank', title: 'Payment Required',
                        status: 402, detail: 'no credit', code: 'V42' },
                 { 'content-type': 'application/problem+json' }];

import { fetchEventSource } from '@microsoft/fetch-event-source';

globalThis.window = globalThis;
globalThis.document = { removeEventListener() {} };

const messages = [], errors = [];
const open = (stop) => () => {
    const abort = new AbortController();
    return fetchEventSource(url, {
        openWhenHidden: true, signal: abort.signal,
        onmessage: (event) => messages.push(event.data),
        onerror: (error) => {
            errors.push(error.message);
            if (errors.length === stop) { abort.abort(); }
        },
    });
};

const sse = await ask(open(1), [429, `data: ${JSON.stringify(json)}\n\n`,
                                { 'content-type': 'text/event-stream' }]);
console.log(`429, event stream: ${sse.error ?? 'resolved'}, `
            + `messages ${messages}`);
assert.equal(sse.error, undefined);
assert.deepEqual(messages, [JSON.stringify(json)]);

const doc = await ask(open(4), problem);
console.log(`402, problem: ${doc.requests} requests in ${doc.ms} ms, stopped `
            + `by the test; ${errors[0]}`);
assert.equal(doc.requests, 4);
assert(!/402|V42/.test(errors.join()));

process.exit(0);
EOF

node run.mjs
