/*
 * The handler of njs.conf.  A callback is cheaper than a promise.  The body is
 * passed on as bytes, for responseText would decode it as UTF-8.
 */

function content(r) {
    r.subrequest('/vendor', { method: r.method, body: r.requestBuffer },
                 reply => answer(r, reply));
}


function answer(r, reply) {
    let status = reply.status;
    let code;

    /* nginx sets the headers of the connection */

    for (let name in reply.headersOut) {
        if (name != 'Connection' && name != 'Transfer-Encoding') {
            r.headersOut[name] = reply.headersOut[name];
        }
    }

    if (/json/.test(reply.headersOut['Content-Type'])) {
        try {
            code = JSON.parse(reply.responseText).StatusCode;

        } catch (e) {
            /* no JSON, no code */
        }
    }

    if (code !== undefined && code != 200 && code != 0) {
        const row = codes[code];

        r.headersOut['X-Error-Source'] = 'tencent_iotvideo';
        r.headersOut['X-Error-Code'] = String(code);
        r.headersOut['X-Error-Class'] = row ? row[1] : 'UNKNOWN';
        r.headersOut['X-Upstream-Status'] = String(status);

        if (row) {
            status = row[0];
        }
    }

    r.return(status, reply.responseBuffer);
}


export default { content };
