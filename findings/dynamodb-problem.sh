#!/bin/sh
#
# Expected: in a problem document the vendor's code is lost; 529 is repeated
# like all 5xx; the header x-amzn-errortype names the error.
# Seen: the exception's name is the problem's "code", and it rules retries: a
# 402 whose problem says ThrottlingException is sent four times.  The header
# is not read here.  529 and 520 are sent once, 503 four times.
# Why it matters: with this client the code, not the status, says "ask
# again"; mapping a throttle to 402 does not stop the repeats, other codes it
# does.

set -eu

packages="@aws-sdk/client-dynamodb@3.1169.0"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, url } from './ask.mjs';

const problem = [402, { type: 'about:blank', title: 'Payment Required',
                        status: 402, detail: 'no credit', code: 'V42' },
                 { 'content-type': 'application/problem+json' }];

import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';

const client = new DynamoDBClient({
    endpoint: url, region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
const get = () => client.send(new GetItemCommand({
    TableName: 't', Key: { k: { S: '1' } } }));
const throttled = 'ThrottlingException';
const [, document, type] = problem;

const seen = {};
for (const [name, reply] of Object.entries({
    'problem V42': problem,
    'problem V42, header': [402, document, { ...type,
                                             'x-amzn-errortype': throttled }],
    'problem throttled': [402, { ...document, code: throttled }, type],
    520: [520, { __type: 'V42' }], 529: [529, { __type: 'V42' }],
    503: [503, { __type: 'V42' }] }))
{
    const { requests, error } = await ask(get, reply);
    seen[name] = [requests, error.name];
    console.log(`${name}: ${requests} requests, ${error.name}`);
}

assert.deepEqual(seen, {
    'problem V42': [1, 'V42'], 'problem V42, header': [1, 'V42'],
    'problem throttled': [4, throttled],
    520: [1, 'V42'], 529: [1, 'V42'], 503: [4, 'V42'] });

process.exit(0);
EOF

node run.mjs
