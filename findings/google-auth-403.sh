#!/bin/sh
#
# Expected: 403 is final; 401 asks for a new token.
# Seen: 403 does, too: a POST that gets a 403 costs a new token, and is sent
# again at once with it.  If the token's server fails, the caller sees that
# failure, and not the one of the 403.  402, 429, 456 and 503 of a POST are
# final.
# Why it matters: this is under Google's clients for Node.js.  A quota that is
# mapped to 403 is two orders and a token for each call, and hides its own
# code when tokens fail; 402 and 429 are one order.

set -eu

packages="google-auth-library@10.9.1"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, url } from './ask.mjs';
import { OAuth2Client } from 'google-auth-library';

const order = () => {
    const client = new OAuth2Client({
        clientId: 'a', clientSecret: 'b',
        endpoints: { oauth2TokenUrl: `${url}/token` } });
    client.setCredentials({ access_token: 'x', refresh_token: 'y' });
    return client.request({ url: `${url}/orders`, method: 'POST',
                            data: { order: 1 } });
};

const error = (status, message) => [status, { error: { code: status,
                                                       message } }];
const token = [200, { access_token: 'z', expires_in: 3600 }];

const seen = {};
for (const status of [401, 402, 403, 429, 456, 503]) {
    const refused = error(status, 'V42');
    const r = await ask(order, (n) => n === 2 ? token : refused);
    seen[status] = [r.requests, r.error.message];
    console.log(`${status}: ${r.requests} requests, "${r.error.message}"`);
}

const r = await ask(order, (n) => error(...n === 2 ? [400, 'no token']
                                                   : [403, 'V42']));
console.log(`403, and no new token: ${r.requests} requests, `
            + `${r.error.status} "${r.error.message}"`);

assert.deepEqual(seen, { 401: [3, 'V42'], 402: [1, 'V42'], 403: [3, 'V42'],
                         429: [1, 'V42'], 456: [1, 'V42'],
                         503: [1, 'V42'] });
assert.deepEqual([r.requests, r.error.status, r.error.message],
                 [2, 400, 'no token']);

process.exit(0);
EOF

node run.mjs
