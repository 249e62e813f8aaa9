// SPDX-License-Identifier: Apache-2.0
// Checks what tests/recorded.c has kept, on standard input.
import { readFileSync } from "node:fs";
import { Document } from "./document.mjs";
import { Replies } from "./messages.mjs";

let bytes = readFileSync(0);

// "METHOD TARGET LENGTH", and so many bytes.
function next() {
    const line = bytes.indexOf("\n");
    const [method, target, length] = bytes.toString("latin1", 0, line).split(" ");
    const end = line + 1 + Number(length);
    const kept = { method, target, reply: bytes.subarray(line + 1, end) };
    bytes = bytes.subarray(end);
    return kept;
}

const document = new Document(JSON.parse(next().reply));
let n = 0;
while (bytes.length) {
    const { method, target, reply } = next();
    const replies = new Replies({ queue: [{ method, target }] }, (request, reply) => {
        const wrong = document.judge(request, reply);
        if (wrong) console.log(`# ${method} ${document.find(target)} ${reply.status}: ${wrong}`);
        if (wrong) process.exitCode = 1;
        n++;
    });
    replies.read(reply);
}
console.log(`# ${n} replies validated`);
