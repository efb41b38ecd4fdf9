#!/bin/sh
#
# Expected: GraphQL clients treat one mapped response alike, by its status.
# Seen: Apollo goes by the type.  With application/json a 402 loses errors
# and data (only text remains), with application/graphql-response+json the
# same 402 is as good as a 200: GraphQL errors with their codes.  urql does
# not look at the status: 402 and 503 are as a 200; a problem
# document leaves it "Payment Required" and no code.
# Why it matters: map GraphQL freely where the vendor sends the newer type;
# where it sends application/json, Apollo's users lose partial data by it.

set -eu

packages="@apollo/client@4.3.8 @urql/core@6.0.3 graphql@16.15.0 rxjs@7.8.2"

. "$(dirname "$0")/lib/npm.sh"

cat > run.mjs <<'EOF'
import assert from 'node:assert';
import { ask, json, url } from './ask.mjs';

const problem = [402, { type: 'about:blank', title: 'Payment Required',
                        status: 402, detail: 'no credit', code: 'V42' },
                 { 'content-type': 'application/problem+json' }];

import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { Client, fetchExchange } from '@urql/core';

const body = { data: { a: 1 },
               errors: [{ message: 'no', extensions: { code: 'V42' } }] };
const apollo = async () => {
    try {
        await new ApolloClient({ link: new HttpLink({ uri: url }),
                                 cache: new InMemoryCache() })
            .query({ query: gql`{ a }` });
    } catch (e) { return e.errors?.[0].extensions.code ?? e.message; }
};
const urql = async () => {
    const { error } = await new Client({
        url, exchanges: [fetchExchange], preferGetMethod: false })
        .query('{ a }', {}).toPromise();
    return error.graphQLErrors[0]?.extensions.code ?? error.message;
};
const newer = { 'content-type': 'application/graphql-response+json' };

const seen = {};
for (const [name, reply] of Object.entries({
    200: [200, body], 402: [402, body], '402 newer type': [402, body, newer],
    503: [503, body], problem }))
{
    seen[name] = [(await ask(apollo, reply)).value,
                  (await ask(urql, reply)).value];
    console.log(`${name}: Apollo "${seen[name][0]}", urql "${seen[name][1]}"`);
}

const coded = {};
for (const [name, pair] of Object.entries(seen)) {
    coded[name] = pair.map((text) => text === 'V42');
}
assert.deepEqual(coded, {
    200: [true, true], 402: [false, true], '402 newer type': [true, true],
    503: [false, true], problem: [false, false] });

process.exit(0);
EOF

node run.mjs
