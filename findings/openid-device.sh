#!/bin/sh
#
# Expected: a vendor that answers "authorization_pending" in a 200 is polled,
# and a mapped odd status stops the login.
# Seen: the 200 stops it: the first poll throws "invalid response".  With
# 400, 402, 429 or 456 the login goes on and succeeds.  503, a problem
# document, and a 401 with WWW-Authenticate stop it.
# Why it matters: here the map repairs a login that cannot work without it,
# and any 4xx does; 5xx, problem and auth challenges break it again.

set -eu

packages="openid-client@6.9.0"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, json, url } from './ask.mjs';

const problem = [402, { type: 'about:blank', title: 'Payment Required',
                        status: 402, detail: 'no credit', code: 'V42' },
                 { 'content-type': 'application/problem+json' }];

import * as client from 'openid-client';

const config = new client.Configuration({
    issuer: url, token_endpoint: url }, 'id', 'secret');
client.allowInsecureRequests(config);

const pending = { error: 'authorization_pending' };
const login = () => client.pollDeviceAuthorizationGrant(config, {
    device_code: 'd', user_code: 'u', verification_uri: url,
    expires_in: 30, interval: 1 });

const seen = {};
for (const [name, status, headers] of [
    ['200', 200], ['400', 400], ['402', 402], ['429', 429], ['456', 456],
    ['503', 503],
    ['problem', 400, { 'content-type': 'application/problem+json' }],
    ['challenge', 401, { 'www-authenticate': 'Basic realm="x"' }]])
{
    const { value, error } = await ask(login, (n) => n < 2
        ? [status, pending, headers]
        : [200, { access_token: 'a', token_type: 'bearer' }]);
    seen[name] = Boolean(value);
    console.log(`${name}: ${value ? 'logged in' : error.message}`);
}

assert.deepEqual(seen, {
    200: false, 400: true, 402: true, 429: true, 456: true, 503: false,
    problem: false, challenge: false });

process.exit(0);
EOF

node run.mjs
