#!/bin/sh
#
# Expected: Retry-After: 0 or a fraction falls back to the exporter's own
# backoff of 1 to 5 seconds.
# Seen: either switches every pause off: six POSTs of the same batch in a
# moment. One of 30 is beyond the exporter's 10 seconds and means no repeat
# at all. An error in a 200 is a success, and the batch is gone without a
# word.
# Why it matters: a Retry-After of 0 is the worst that an edge can send to a
# collector's clients, no Retry-After is better, and a long one ends the
# repeats.

set -eu

packages="@opentelemetry/exporter-trace-otlp-http@0.223.1
    @opentelemetry/api@1.9.0"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, json, url } from './ask.mjs';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';

const exporter = new OTLPTraceExporter({ url });
const send = () => new Promise((done) => exporter.export([], done));

const seen = {};
for (const wait of ['0', '0.9', '30']) {
    const r = await ask(send, [503, json, { 'retry-after': wait }]);
    seen[wait] = r.requests;
    assert(r.ms < 3000);
    console.log(`503, Retry-After: ${wait}: ${r.requests} requests in `
                + `${r.ms} ms, ${r.value.error.message}`);
}
const ok = await ask(send, [200, json]);
console.log(`200 with an error: result code ${ok.value.code} (0: success)`);

assert.deepEqual(seen, { 0: 6, 0.9: 6, 30: 1 });
assert.equal(ok.value.code, 0);

process.exit(0);
EOF

node run.mjs
