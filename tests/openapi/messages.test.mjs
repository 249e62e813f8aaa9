// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { Replies, Requests } from "./messages.mjs";

// "METHOD STATUS BODY" of each reply, the bytes of both sides coming in pieces of so many.
function exchange(asked, answered, piece) {
    const requests = new Requests();
    const seen = [];
    const replies = new Replies(requests, (request, { status, body }) =>
        seen.push(`${request?.method} ${status} ${body}`),
    );
    for (const [reader, text] of [[requests, asked], [replies, answered]])
        for (let at = 0; at < text.length; at += piece) reader.read(Buffer.from(text.slice(at, at + piece)));
    replies.end();
    return seen;
}

const cases = {
    "replies that say how long they are": [
        "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 404 -\r\nContent-Length: 0\r\n\r\n",
        ["GET 200 ab", "GET 404 "],
    ],
    "HEAD has no body": [
        "HEAD /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
        ["HEAD 200 ", "GET 200 a"],
    ],
    "bodies of requests and empty lines are none": [
        "POST /a HTTP/1.1\r\nContent-Length: 8\r\n\r\nGET / H\n\r\nPUT /b HTTP/1.1\r\n" +
            "Transfer-Encoding: chunked\r\n\r\n3\r\nGET\r\n0\r\n\r\nDELETE /c HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1".repeat(3),
        ["POST 200 1", "PUT 200 1", "DELETE 200 1"],
    ],
    "100 Continue is no reply": [
        "POST /a HTTP/1.1\r\nContent-Length: 1\r\n\r\na",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb",
        ["POST 200 b"],
    ],
    "a reply that ends with the connection": [
        "GET /a HTTP/1.0\r\n\r\n",
        "HTTP/1.1 408 -\r\n\r\nlate",
        ["GET 408 late"],
    ],
    "a reply to a request that never ends": ["GET /a HT", "HTTP/1.1 408 -\r\n\r\nlate", ["undefined 408 late"]],
    "a reply that was cut off": ["GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", []],
};
for (const [what, [asked, answered, seen]] of Object.entries(cases))
    for (const piece of [1, 7, 1000])
        test(`${what}, in pieces of ${piece}`, () => assert.deepEqual(exchange(asked, answered, piece), seen));
