// The SDKs of two APIs, installed in the folder of the first argument: each
// line of standard input is a request as JSON, and each answer a line of JSON.
//
//     { sdk: "openai" | "anthropic", url, model, stream, retries }
//
// An answer has "chunks", all that the SDK gave, and "error" if it failed.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(process.argv[2] + '/'));
const { OpenAI } = require('openai');
const { Anthropic } = require('@anthropic-ai/sdk');

async function ask({ sdk, url, model, stream, retries }) {
    const options = { baseURL: url, apiKey: 'client', maxRetries: retries };
    const messages = [{ role: 'user', content: 'Hello' }];

    if (sdk === 'openai') {
        return new OpenAI(options).chat.completions
            .create({ model, messages, stream });
    }

    return new Anthropic(options).messages
        .create({ model, messages, stream, max_tokens: 100 });
}

// the name of an error's class, as an application tests for it

function classOf(e) {
    const names = ['RateLimitError', 'AuthenticationError', 'BadRequestError',
                   'NotFoundError', 'PermissionDeniedError',
                   'InternalServerError', 'APIConnectionError', 'APIError'];

    for (const name of names) {
        if ([OpenAI, Anthropic].some(sdk => sdk[name]
                                     && e instanceof sdk[name]))
        {
            return name;
        }
    }

    return e.constructor.name;
}

async function answer(request) {
    const chunks = [];

    try {
        const result = await ask(request);

        if (!request.stream) {
            return { chunks: [result] };
        }

        for await (const chunk of result) {
            chunks.push(chunk);
        }

        return { chunks };

    } catch (e) {
        const header = name => e.headers?.get?.(name) ?? null;

        return { chunks, error: classOf(e), status: e.status ?? null,
                 message: e.message, code: header('x-error-code'),
                 body: e.code ?? e.error?.error?.type ?? null,
                 retry_after: header('retry-after'),
                 tried: header('x-upstream-tried') };
    }
}

for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answer(JSON.parse(line))));
}
