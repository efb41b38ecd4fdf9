#!/bin/sh
#
# Expected: a 429 or 503 rejects one call; Retry-After says when to ask again.
# Seen: the client remembers it: for a minute, all calls for the same token
# fail unsent, and their error has the text, but no code.  It needs no
# Retry-After, and 0 is a minute, too; 529 is like 503.  402 does so only with
# a Retry-After.
# Why it matters: one failure that an edge maps to 503 is a minute without
# tokens, and only its first error has the code.  402 and 456 without a
# Retry-After reject one call.

set -eu

packages="@azure/msal-node@7.2.3"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, url } from './ask.mjs';
import { ConfidentialClientApplication } from '@azure/msal-node';

const host = 'login.microsoftonline.com';
const id = '11111111-1111-1111-1111-111111111111';
const authorityMetadata = JSON.stringify({
    issuer: `https://${host}/t/v2.0`, token_endpoint: `${url}/token`,
    authorization_endpoint: `${url}/authorize`, jwks_uri: `${url}/keys` });
const cloudDiscoveryMetadata = JSON.stringify({
    tenant_discovery_endpoint: url,
    metadata: [{ preferred_network: host, preferred_cache: host,
                 aliases: [host] }] });

// the client's clock can be put forward

const now = Date.now;
let clock;
Date.now = () => now() + clock;

const seen = {};
for (const [status, wait] of [[402], [402, '30'], [456], [429], [429, '0'],
                              [503], [529]])
{
    clock = 0;
    const client = new ConfidentialClientApplication({ auth: {
        clientId: id, clientSecret: 's', authority: `https://${host}/t`,
        authorityMetadata, cloudDiscoveryMetadata } });
    const get = () => client.acquireTokenByClientCredential({
        scopes: ['https://graph.microsoft.com/.default'] });

    const first = await ask(get, [status, { error: 'V42',
                                            error_description: 'busy' },
                                  wait ? { 'retry-after': wait } : {}]);
    const pause = wait === '30' ? 30e3 : 60e3;
    clock = pause - 1e3;
    const next = await ask(get, [200, { access_token: 't', expires_in: 3600,
                                        token_type: 'Bearer' }]);
    clock = pause + 1e3;
    const last = await ask(get, [200, { access_token: 't', expires_in: 3600,
                                        token_type: 'Bearer' }]);
    assert.equal(first.requests, 1);
    assert.equal(first.error.errorCode, 'V42');
    const name = [status, wait].filter(Boolean).join(', ');
    seen[name] = next.error ? [next.requests, next.error.errorCode,
                               next.error.errorMessage]
                            : [next.requests, 'a token'];
    assert.equal(last.error, undefined);
    console.log(`${name}, ${pause / 1e3 - 1} seconds later: `
                + `${next.requests} requests, `
                + JSON.stringify(seen[name].slice(1)));
}

const sent = [1, 'a token'];
const unsent = [0, '', 'busy'];
assert.deepEqual(seen, { 402: sent, '402, 30': unsent, 456: sent,
                         429: unsent, '429, 0': unsent, 503: unsent,
                         529: unsent });

process.exit(0);
EOF

node run.mjs
