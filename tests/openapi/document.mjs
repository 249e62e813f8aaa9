// SPDX-License-Identifier: Apache-2.0
// What an OpenAPI document allows a reply to be.
//
//     const document = new Document(JSON.parse(text));
//     document.judge({method, target}, {status, fields, body})    undefined, or what is wrong
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

// RFC 9110 has these in any reply.
const usual = ["date", "connection", "content-length", "content-type", "cache-control"];
// What a request gets that is none of the document's, and so has no operation to say it.
const unrouted = [400, 404, 405, 408, 413, 415, 431, 503];

const escaped = (text) => text.replaceAll("~", "~0").replaceAll("/", "~1");

export class Document {
    constructor(json) {
        this.json = json;
        this.ajv = new Ajv({ strict: true, strictTypes: false, allowUnionTypes: true });
        addFormats(this.ajv);
        this.ajv.addFormat("binary", true);
        this.ajv.addVocabulary(Object.keys(json));
        this.ajv.addSchema(json, "document");
        this.paths = Object.keys(json.paths).map((path) => ({
            path,
            literal: path.replaceAll(/\{[^}]*\}/g, "").length,
            form: new RegExp(`^${path.replaceAll(/[.\\]/g, "\\$&").replaceAll(/\{[^}]*\}/g, "[^/]+")}$`),
        }));
        this.paths.sort((a, b) => b.literal - a.literal); // a name goes before braces
    }

    // A JSON pointer, followed through references.
    at(...names) {
        const value = names.reduce((object, name) => object?.[name], this.json);
        return value?.$ref ? this.at(...value.$ref.slice(2).split("/")) : { value, names };
    }

    // undefined, or how the value is not what the schema at these names wants.
    mismatch(names, value) {
        const check = this.ajv.getSchema(`document#/${names.map(escaped).map(encodeURIComponent).join("/")}`);
        if (check(value)) return undefined;
        return check.errors.map((e) => `${e.instancePath || "the whole"} ${e.message}`).join("; ");
    }

    find(target) {
        const path = target.split("?")[0];
        return this.paths.find(({ form }) => form.test(path))?.path;
    }

    // What the reply is to, as in the document; undefined: nothing of it.
    operation(request) {
        const path = request && this.find(request.target);
        const method = request?.method.toLowerCase();
        return path && this.json.paths[path][method] ? ["paths", path, method] : undefined;
    }

    judge(request, reply) {
        const operation = this.operation(request);
        if (!operation) return this.judgeUnrouted(request, reply);
        const names = [...operation, "responses", String(reply.status)];
        const said = this.at(...names);
        if (!said.value) return `the status ${reply.status} is not described`;
        return (
            this.judgeHeaders(said, reply) ??
            (request.method === "HEAD" ? undefined : this.judgeBody(said, reply)) ??
            judgeProblem(reply)
        );
    }

    judgeUnrouted(request, reply) {
        if (!unrouted.includes(reply.status)) return `${reply.status} for what is no route`;
        const path = request && this.find(request.target);
        if ((reply.status === 405) !== ("allow" in reply.fields)) return "Allow belongs to 405";
        const allow = path ? Object.keys(this.json.paths[path]).sort().join(", ").toUpperCase() : "";
        if (reply.status === 405 && reply.fields.allow.split(", ").sort().join(", ") !== allow)
            return `Allow is ${reply.fields.allow}, described are ${allow}`;
        const same = reply.status === 405 ? 400 : reply.status;
        const said = this.at("components", "responses", String(same));
        const { allow: _, ...fields } = reply.fields;
        return this.judgeHeaders(said, { ...reply, fields }) ?? this.judgeBody(said, reply) ?? judgeProblem(reply);
    }

    judgeHeaders(said, reply) {
        const described = said.value.headers ?? {};
        const lower = Object.keys(described).map((name) => name.toLowerCase());
        const unknown = Object.keys(reply.fields).find((name) => !usual.includes(name) && !lower.includes(name));
        if (unknown) return `the header ${unknown} is not described`;
        for (const name of Object.keys(described)) {
            const header = this.at(...said.names, "headers", name);
            const text = reply.fields[name.toLowerCase()];
            if (text === undefined && header.value.required) return `the header ${name} is missing`;
            if (text === undefined) continue;
            const { type } = this.at(...header.names, "schema").value;
            const value = type === "integer" ? Number(text) : text;
            const wrong = this.mismatch([...header.names, "schema"], value);
            if (wrong) return `the header ${name}: ${wrong}`;
        }
    }

    judgeBody(said, reply) {
        const type = reply.fields["content-type"];
        const media = type?.split(";")[0].toLowerCase();
        if (!said.value.content) return reply.body.length ? "a body is not described" : undefined;
        const range = [media, "*/*"].find((name) => name in said.value.content);
        if (!range) return `the media type ${media} is not described`;
        const names = [...said.names, "content", range, "schema"];
        try {
            return this.mismatch(names, valueOf(media, reply.body)) ?? this.judgeLines(names, reply.body);
        } catch (error) {
            return error.message;
        }
    }

    judgeLines(names, body) {
        if (!this.at(...names).value.contentSchema) return undefined;
        const lines = body.toString().trimEnd().split("\n");
        for (const [i, line] of lines.entries()) {
            const wrong = this.mismatch([...names, "contentSchema"], JSON.parse(line));
            if (wrong) return `line ${i + 1}: ${wrong}`;
        }
    }
}

function valueOf(media = "", body) {
    if (/[/+]json$/.test(media)) return JSON.parse(body);
    return body.toString(media.startsWith("text/") ? "utf8" : "latin1");
}

// RFC 9457, 3.1.2: status is that "generated by the origin server for this occurrence".
function judgeProblem(reply) {
    if (reply.fields["content-type"] !== "application/problem+json" || !reply.body.length) return undefined;
    const { status, instance } = JSON.parse(reply.body);
    if (status !== reply.status) return `the problem says ${status}`;
    if (instance !== `urn:uuid:${reply.fields["x-request-id"]}`) return "the problem has another request's id";
}
