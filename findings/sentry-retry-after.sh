#!/bin/sh
#
# Expected: Retry-After counts with 429, and perhaps 503; what is not sent is
# reported, or kept.
# Seen: it counts with each status, 200 too: no event is sent for that time,
# they are gone, and flush() says that all were sent.  429 without it is the
# same for a minute; 402, 456 and 503 without it change nothing, and 0 is
# "at once".
# Why it matters: a Retry-After that an edge adds to one refused event turns
# off error reports of the process for that time.  Map to 402 or 503, and add
# no Retry-After; "base keep" with one is as bad.

set -eu

packages="@sentry/node@11.12.0"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, port } from './ask.mjs';
import * as Sentry from '@sentry/node';

const wait = { 'retry-after': '3600' };

// the client's clock can be put forward

const now = Date.now;
let clock;
Date.now = () => now() + clock;

const seen = {};
for (const [status, headers] of [[200, {}], [200, wait], [402, {}],
                                 [402, wait], [456, {}], [503, {}],
                                 [503, wait], [429, {}],
                                 [429, { 'retry-after': '0' }]])
{
    Sentry.init({ dsn: `http://x@127.0.0.1:${port}/1`,
                  sendClientReports: false, defaultIntegrations: false });
    const send = () => {
        Sentry.captureMessage('a');
        return Sentry.flush(3000);
    };

    clock = 0;
    const first = await ask(send, [status, {}, headers]);
    clock = 59e3;
    const next = await ask(send, [200, {}]);
    clock = 61e3;
    const last = await ask(send, [200, {}]);
    assert.equal(first.requests, 1);
    assert.equal(next.value, true);
    const name = [status, headers['retry-after']].filter(Boolean).join(', ');
    seen[name] = [next.requests, last.requests];
    console.log(`59 and 61 seconds after ${name}: ${next.requests} and `
                + `${last.requests} requests, flush() says ${next.value}`);
    await Sentry.close();
}

assert.deepEqual(seen, { 200: [1, 1], '200, 3600': [0, 0], 402: [1, 1],
                         '402, 3600': [0, 0], 456: [1, 1], 503: [1, 1],
                         '503, 3600': [0, 0], 429: [0, 1],
                         '429, 0': [1, 1] });

process.exit(0);
EOF

node run.mjs
