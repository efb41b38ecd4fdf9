#!/bin/sh
#
# Expected: a function's error, which Lambda sends as 200 with
# X-Amz-Function-Error, can be mapped as any other vendor's.
# Seen: mapped to 402, the client throws "UnknownError" of the name
# "Unknown", as the body has no code in a member that it knows.  Mapped to
# 503, it runs the function three times.  In the 200 it returns the error's
# kind and payload.
# Why it matters: a status in 500, 502, 503, 504 doubles work that was done,
# by a client that never repeats a function's error by itself: keep 200.

set -eu

packages="@aws-sdk/client-lambda@3.1164.0"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, url } from './ask.mjs';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';

const client = new LambdaClient({
    endpoint: url, region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
const invoke = () => client.send(new InvokeCommand({ FunctionName: 'f' }));
const body = { errorMessage: 'no credit', errorType: 'V42' };
const headers = { 'x-amz-function-error': 'Unhandled' };

const seen = {};
for (const status of [200, 402, 503, 529]) {
    const { requests, value, error } = await ask(invoke,
                                                 [status, body, headers]);
    seen[status] = [requests, value?.FunctionError ?? error.message];
    console.log(`${status}: run ${requests} times, ${seen[status][1]}`);
}

assert.deepEqual(seen, {
    200: [1, 'Unhandled'], 402: [1, 'UnknownError'], 503: [3, 'UnknownError'],
    529: [1, 'UnknownError'] });

process.exit(0);
EOF

node run.mjs
