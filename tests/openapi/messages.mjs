// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 messages off a stream of bytes, as they come.
//
//     const requests = new Requests();
//     requests.read(bytes);                      requests.queue: {method, target}, the oldest first
//     const replies = new Replies(requests, (request, reply) => ...);
//     replies.read(bytes);
//     replies.end();                             a body without a length ends here
//
// Nothing is refused here: what cannot be understood ends the reading, since the daemon closes
// the connection then.

const gap = Buffer.from("\r\n\r\n");

// The lines of a head, and its fields by their names in lower case; of several only the last.
function parse(head) {
    const [first, ...lines] = head.toString("latin1").split("\r\n");
    const fields = {};
    for (const line of lines) {
        const colon = line.indexOf(":");
        if (colon > 0) fields[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    return { first, fields };
}

class Reader {
    bytes = Buffer.alloc(0);
    later = []; // what has come but is not needed yet
    needed = 0; // bytes, before there is anything to do
    lost = false;

    read(bytes) {
        this.later.push(bytes);
        this.needed -= bytes.length;
        if (this.lost || this.needed > 0) return;
        this.gather();
        while (!this.lost && this.bytes.length && this.step());
    }

    gather() {
        this.bytes = Buffer.concat([this.bytes, ...this.later]);
        this.later = [];
    }

    take(n) {
        const taken = this.bytes.subarray(0, n);
        this.bytes = this.bytes.subarray(n);
        return taken;
    }
}

export class Requests extends Reader {
    queue = [];
    begun = false; // the request line of what is being read stands in the queue
    skip = 0; // bytes of a body that are still to come
    chunked = false;

    // A reply may come before the head is complete, so the first line counts.
    step() {
        if (this.skip) return this.pass();
        if (this.chunked) return this.chunk();
        const line = this.bytes.indexOf("\n");
        if (line < 0) return false;
        if (!this.begun) {
            const [method, target] = this.bytes.toString("latin1", 0, line).trimEnd().split(" ");
            if (!method) return this.take(line + 1).length > 0; // RFC 9112, 2.2: may be ignored
            this.queue.push({ method, target: target ?? "" });
            this.begun = true;
        }
        const end = this.bytes.indexOf(gap);
        if (end < 0) return false;
        const { fields } = parse(this.take(end + gap.length).subarray(0, end));
        this.begun = false;
        this.chunked = "transfer-encoding" in fields;
        this.skip = Number(fields["content-length"] ?? 0);
        this.lost = Number.isNaN(this.skip) || (this.chunked && this.skip > 0);
        return true;
    }

    pass() {
        this.skip -= this.take(Math.min(this.skip, this.bytes.length)).length;
        return true;
    }

    chunk() {
        const line = this.bytes.indexOf("\r\n");
        if (line < 0) return false;
        const size = parseInt(this.take(line + 2).toString("latin1"), 16);
        this.lost = Number.isNaN(size);
        this.chunked = size > 0;
        this.skip = size + 2;
        return true;
    }
}

export class Replies extends Reader {
    constructor(requests, judge) {
        super();
        this.requests = requests;
        this.judge = judge;
    }

    step() {
        if (!this.head) return this.start();
        const { length } = this.head;
        if (length === undefined || this.bytes.length < length) {
            this.needed = length === undefined ? Infinity : length - this.bytes.length;
            return false;
        }
        this.finish(this.take(length));
        return true;
    }

    start() {
        const end = this.bytes.indexOf(gap);
        if (end < 0) return false;
        const { first, fields } = parse(this.take(end + gap.length).subarray(0, end));
        const status = Number(first.split(" ")[1]);
        if (status < 200) return true; // 100 Continue
        const request = this.requests.queue.shift();
        const empty = request?.method === "HEAD" || status === 204 || status === 304;
        const length = empty ? 0 : "content-length" in fields ? Number(fields["content-length"]) : undefined;
        this.head = { request, status, fields, length };
        if (length === 0) this.finish(Buffer.alloc(0));
        return true;
    }

    finish(body) {
        const { request, status, fields } = this.head;
        this.head = undefined;
        this.judge(request, { status, fields, body });
    }

    // A reply that says how long it is and was cut off is the work of a killed daemon.
    end() {
        this.gather();
        if (this.head && this.head.length === undefined) this.finish(this.bytes);
    }
}
