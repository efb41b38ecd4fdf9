// A vendor on loopback.  ask(call, reply) makes a call of a client and answers
// it by reply, [status, content, headers] or a function of the number of the
// request; it returns the value or error, the number of requests and the
// milliseconds from the first to the last.

import http from 'node:http';

let answer;

// of the last call: time, method and body of each

let requests;

const server = http.createServer((req, res) => {
    let body = '';
    req.on('data', (chunk) => { body += chunk; });
    req.on('end', () => {
        requests.push({ time: Date.now(), method: req.method, body });
        const [status, content, headers] = answer(requests.length);
        res.writeHead(status, { 'content-type': 'application/json',
                                ...headers });
        res.end(typeof content === 'string' ? content
                                            : JSON.stringify(content));
    });
});

await new Promise((done) => server.listen(0, '127.0.0.1', done));
export const port = server.address().port;
export const url = `http://127.0.0.1:${port}`;

export async function ask(call, reply) {
    answer = typeof reply === 'function' ? reply : () => reply;
    requests = [];
    const result = {};
    try { result.value = await call(); } catch (e) { result.error = e; }
    result.requests = requests.length;
    result.ms = requests.length ? requests.at(-1).time - requests[0].time : 0;
    return result;
}

// the error of a vendor

export const json = { error: { code: 'V42', message: 'no credit',
                               type: 'insufficient_quota' } };
