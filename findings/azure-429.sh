#!/bin/sh
#
# Expected: 429 is repeated, and Retry-After only says when.
# Seen: Retry-After decides whether.  A POST that gets 429 is sent once
# without the header, and four times with it, at once for 0.  529, an odd
# 5xx, is always sent four times.  retry-after-ms beats Retry-After.  402
# with Retry-After: once.
# Why it matters: under Azure's newer clients a policy's retry_after is the
# switch for repeats of 429: leave it out, and 429 is final.

set -eu

packages="@azure/core-rest-pipeline@1.24.0"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, json, url } from './ask.mjs';
import { createDefaultHttpClient, createPipelineFromOptions,
         createPipelineRequest } from '@azure/core-rest-pipeline';

const pipeline = createPipelineFromOptions({
    retryOptions: { retryDelayInMs: 20 } });
const client = createDefaultHttpClient();
const post = () => pipeline.sendRequest(client, createPipelineRequest({
    url, method: 'POST', body: '{}', allowInsecureConnection: true }));

const seen = {};
for (const [status, headers] of [
    [429], [429, { 'retry-after': '0' }],
    [429, { 'retry-after': '60', 'retry-after-ms': '30' }],
    [402, { 'retry-after': '0' }], [529]])
{
    const r = await ask(post, [status, json, headers]);
    const name = [status, ...Object.entries(headers ?? {})].join(' ');
    seen[name] = r.requests;
    assert(r.ms < 20000);
    console.log(`${name}: ${r.requests} POSTs in ${r.ms} ms`);
}

assert.deepEqual(seen, {
    429: 1, '429 retry-after,0': 4,
    '429 retry-after,60 retry-after-ms,30': 4,
    '402 retry-after,0': 1, 529: 4 });

process.exit(0);
EOF

node run.mjs
