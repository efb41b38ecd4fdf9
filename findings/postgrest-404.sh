#!/bin/sh
#
# Expected: a mapped 404 is an error with status 404.
# Seen: if the body is a JSON array, the client turns the 404 into a success:
# data is empty, error null, status 200 "OK", for an insert as well.  A 404
# without a body becomes 204.  With 402 or an object all is well.  A 503
# whose Retry-After is a date is sent four times without a pause, as for 0.
# Why it matters: vendors that send errors as a list must not be mapped to
# 404, nor may the body be dropped; choose 402.

set -eu

packages="@supabase/postgrest-js@2.109.0"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, json, url } from './ask.mjs';
import { PostgrestClient } from '@supabase/postgrest-js';

const client = new PostgrestClient(url);
const insert = () => client.from('t').insert({ a: 1 });
const select = () => client.from('t').select();
const list = [{ code: 'V42', message: 'no' }];

const seen = {};
for (const [name, reply] of Object.entries({
    '404 list': [404, list], '404 empty': [404, ''], '402 list': [402, list],
    '404 object': [404, list[0]] }))
{
    const { value } = await ask(insert, reply);
    seen[name] = [value.status, value.error !== null];
    console.log(`insert, ${name}: status ${value.status}, error `
                + JSON.stringify(value.error));
}
const date = new Date(Date.now() + 60000).toUTCString();
const busy = await ask(select, [503, json, { 'retry-after': date }]);
console.log(`select, 503, Retry-After in a minute, as a date: ${busy.requests} `
            + `requests in ${busy.ms} ms`);

assert.deepEqual(seen, {
    '404 list': [200, false], '404 empty': [204, false],
    '402 list': [402, true], '404 object': [404, true] });
assert.equal(busy.requests, 4);
assert(busy.ms < 2000);

process.exit(0);
EOF

node run.mjs
