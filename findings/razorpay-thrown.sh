#!/bin/sh
#
# Expected: what is thrown is an Error with the vendor's code in it.
# Seen: it is a bare object, no Error: no message, no stack, and logs print
# "[object Object]".  With the vendor's JSON the code is in it; with a
# problem document only {statusCode: 402} is left, as error is undefined.  No
# header is kept.  In a 200 the error is returned as an order.
# Why it matters: map it, for a 200 creates orders that are none, but keep
# the body: the problem form leaves nothing but the status.

set -eu

packages="razorpay@2.9.8"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, json, url } from './ask.mjs';

const problem = [402, { type: 'about:blank', title: 'Payment Required',
                        status: 402, detail: 'no credit', code: 'V42' },
                 { 'content-type': 'application/problem+json' }];

import Razorpay from 'razorpay';

const client = new Razorpay({ key_id: 'a', key_secret: 'b' });
client.api.rq.defaults.baseURL = url;
const order = () => client.orders.create({ amount: 1, currency: 'INR' });

const a = await ask(order, [402, json]);
const b = await ask(order, [402, problem[1], { ...problem[2],
                                               'x-error-code': 'V42' }]);
const c = await ask(order, [200, json]);
console.log(`402, JSON: "${a.error}", ${JSON.stringify(a.error)}`);
console.log(`402, problem: "${b.error}", ${JSON.stringify(b.error)}`);
console.log(`200, JSON: returned ${JSON.stringify(c.value)}`);

assert(!(a.error instanceof Error));
assert.equal(a.error.error.code, 'V42');
assert.equal(JSON.stringify(b.error), '{"statusCode":402}');
assert.equal(c.value.error.code, 'V42');

process.exit(0);
EOF

node run.mjs
