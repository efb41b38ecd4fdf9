#!/bin/sh
#
# Expected: an error object in the body is shown; a problem document is lost,
# as with most SDKs.
# Seen: the other way round.  With {"error":{...}} the message is "[object
# Object]".  With application/problem+json the message is the whole document,
# for any other type than application/json is taken as text; and the library
# writes a line to the standard output of the application.
# Why it matters: error_map_body problem helps here, but spoils the output of
# a program that prints JSON.

set -eu

packages="ollama@0.6.4"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, json, url } from './ask.mjs';

const problem = [402, { type: 'about:blank', title: 'Payment Required',
                        status: 402, detail: 'no credit', code: 'V42' },
                 { 'content-type': 'application/problem+json' }];

import { Ollama } from 'ollama';

const client = new Ollama({ host: url });
const chat = () => client.chat({ model: 'm', messages: [] });

const printed = [], log = console.log;
console.log = (...args) => printed.push(args.join(' '));
const a = await ask(chat, [402, json]);
const quiet = printed.length;
const b = await ask(chat, problem);
console.log = log;

console.log(`402, JSON: message "${a.error.message}"`);
console.log(`402, problem: message ${b.error.message}`);
console.log(`402, problem: printed to standard output: "${printed}"`);

assert.equal(a.error.message, '[object Object]');
assert.match(b.error.message, /V42/);
assert.equal(quiet, 0);
assert.equal(printed.length, 1);

process.exit(0);
EOF

node run.mjs
