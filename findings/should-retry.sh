#!/bin/sh
#
# Expected: the status decides what is asked again: 503 is, 402 is not.
# Seen: a response header overrules it.  x-should-retry (openai, anthropic,
# groq) and stripe-should-retry make a 402 three requests, and a 503 one.
# The first three also read retry-after-ms before Retry-After.
# Why it matters: the edge can send the status that dashboards want, and
# still decide on retries by a header of its own.  A vendor's header that
# passes the edge unseen defeats the choice of status.

set -eu

packages="openai@7.59.0 @anthropic-ai/sdk@1.14.0 groq-sdk@1.6.0 stripe@23.1.0"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, json, port, url } from './ask.mjs';
import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import Groq from 'groq-sdk';
import Stripe from 'stripe';

const options = { apiKey: 'x', baseURL: url };
const chat = { model: 'm', max_tokens: 1, messages: [] };
const openai = new OpenAI(options), groq = new Groq(options);
const anthropic = new Anthropic(options);
const stripe = new Stripe('sk_x', { host: '127.0.0.1', port,
                                    protocol: 'http' });
const calls = {
    openai: () => openai.chat.completions.create(chat),
    anthropic: () => anthropic.messages.create(chat),
    groq: () => groq.chat.completions.create(chat),
    stripe: () => stripe.charges.create({ amount: 1, currency: 'usd' }),
};
const header = (value) => ({ 'x-should-retry': value, 'retry-after-ms': '20',
                             'retry-after': '30',
                             'stripe-should-retry': value });

for (const [name, call] of Object.entries(calls)) {
    const yes = await ask(call, [402, json, header('true')]);
    const no = await ask(call, [503, json, header('false')]);
    const none = await ask(call, [402, json]);
    console.log(`${name}: 402 ${none.requests} request, 402 and "true" `
                + `${yes.requests} in ${yes.ms} ms, 503 and "false" `
                + `${no.requests}`);
    assert.deepEqual([none.requests, yes.requests, no.requests], [1, 3, 1]);
    assert(yes.ms < 10000);
}

process.exit(0);
EOF

node run.mjs
