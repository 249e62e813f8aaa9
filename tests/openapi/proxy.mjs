// SPDX-License-Identifier: Apache-2.0
// A proxy that lets every byte through as it is, and checks each reply against the daemon's own
// /openapi.json.
//
//     node proxy.mjs PORT FILE        PORT: the daemon's; prints its own
//
// Each reply that is not as described becomes a line of FILE when it comes.  SIGTERM ends it, and
// adds how often each operation was answered with which status; with 0, each that there is.
import { appendFileSync } from "node:fs";
import { get } from "node:http";
import net from "node:net";
import { json } from "node:stream/consumers";
import { Document } from "./document.mjs";
import { Replies, Requests } from "./messages.mjs";

const [port, file] = process.argv.slice(2);
const reply = await new Promise((resolve, reject) =>
    get({ port, path: "/openapi.json", agent: false }, resolve).on("error", reject),
);
const document = new Document(await json(reply));
const seen = {};

// No target and no body: they may name a person.
function note(request, reply) {
    const [, path, method] = document.operation(request) ?? [];
    const what = path ? `${method.toUpperCase()} ${path}` : "no route";
    const wrong = document.judge(request, reply);
    seen[`${what} ${reply.status}`] = (seen[`${what} ${reply.status}`] ?? 0) + 1;
    if (wrong) appendFileSync(file, `wrong: ${what} ${reply.status}: ${wrong}\n`);
}

// What one side does to its end happens to the other: bytes, end, reset.
function join(from, to, reader) {
    from.setNoDelay(true);
    from.pipe(to);
    from.on("data", (bytes) => reader.read(bytes));
    from.on("error", () => to.resetAndDestroy());
}

const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const daemon = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const requests = new Requests();
    const replies = new Replies(requests, note);
    join(client, daemon, requests);
    join(daemon, client, replies);
    daemon.on("end", () => replies.end());
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));

function finish() {
    for (const [path, item] of Object.entries(document.json.paths))
        for (const method of Object.keys(item)) appendFileSync(file, `0 ${method.toUpperCase()} ${path} 0\n`);
    for (const [what, times] of Object.entries(seen)) appendFileSync(file, `${times} ${what}\n`);
    process.exit();
}

// What the daemon has sent is still handed on, unless nobody takes it.
process.on("SIGTERM", () => {
    server.close(finish);
    setTimeout(finish, 1000);
});
