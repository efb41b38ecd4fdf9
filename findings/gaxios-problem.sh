#!/bin/sh
#
# Expected: a problem document is parsed, or is text.
# Seen: gaxios, under all of Google's clients, gives error.response.data as a
# Blob, which no log shows.  error.code is "402", the status, not the
# vendor's code. The code is only in the header X-Error-Code.  With the
# vendor's JSON, error.code is the vendor's code: a numeric 429 in the body
# of a 402 makes error.code 429, while error.status is 402.
# Why it matters: keep the body for Google's clients.  An application that
# tests error.code sees the vendor's number, one that tests error.status the
# edge's.

set -eu

packages="gaxios@7.3.1"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, url } from './ask.mjs';

const problem = [402, { type: 'about:blank', title: 'Payment Required',
                        status: 402, detail: 'no credit', code: 'V42' },
                 { 'content-type': 'application/problem+json' }];

import { Gaxios } from 'gaxios';

const client = new Gaxios();
const get = () => client.request({ url });

const a = await ask(get, [problem[0], problem[1],
                          { ...problem[2], 'x-error-code': 'V42' }]);
console.log(`problem: data is a ${a.error.response.data.constructor.name}, `
            + `logged as ${JSON.stringify(a.error.response.data)}; code `
            + `${a.error.code}, message "${a.error.message}", X-Error-Code `
            + a.error.response.headers.get('x-error-code'));

const b = await ask(get, [402, { error: { code: 429, message: 'quota' } }]);
console.log(`JSON: code ${b.error.code}, status ${b.error.status}`);

assert.equal(a.error.response.data.constructor.name, 'Blob');
assert(!/V42/.test(a.error.message + a.error.code));
assert.equal(b.error.code, 429);
assert.equal(b.error.status, 402);

process.exit(0);
EOF

node run.mjs
