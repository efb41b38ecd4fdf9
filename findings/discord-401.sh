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

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, url } from './ask.mjs';
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
