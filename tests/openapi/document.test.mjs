// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { Document } from "./document.mjs";

const described = {
    openapi: "3.1.0",
    paths: {
        "/healthz": {
            get: {
                responses: {
                    200: {
                        headers: {
                            "X-Request-Id": { $ref: "#/components/headers/id" },
                            Size: { schema: { $ref: "#/components/schemas/Size" } },
                        },
                        content: { "application/json": { schema: { $ref: "#/components/schemas/Health" } } },
                    },
                    400: { $ref: "#/components/responses/400" },
                },
            },
        },
        "/lines/{n}": {
            post: {
                responses: {
                    200: {
                        content: {
                            "application/x-ndjson": {
                                schema: { type: "string", contentSchema: { $ref: "#/components/schemas/Health" } },
                            },
                        },
                    },
                },
            },
        },
        "/lines/first": { get: { responses: { 204: {} } } },
    },
    components: {
        headers: { id: { required: true, schema: { type: "string", pattern: "^[0-9]+$" } } },
        responses: {
            404: { $ref: "#/components/responses/400" },
            400: {
                headers: { "X-Request-Id": { $ref: "#/components/headers/id" } },
                content: {
                    "application/problem+json": { schema: { properties: { status: true, instance: true } } },
                },
            },
        },
        schemas: {
            Size: { type: "integer" },
            Health: {
                type: "object",
                properties: { status: { const: "ok" } },
                required: ["status"],
                additionalProperties: false,
            },
        },
    },
};
const document = new Document(described);

function judge(method, target, status, fields, body) {
    return document.judge({ method, target }, { status, fields, body: Buffer.from(body) });
}

const id = { "x-request-id": "7" };
const json = { ...id, "content-type": "application/json" };
const problem = { ...id, "content-type": "application/problem+json" };
const lines = { "content-type": "application/x-ndjson" };

const right = {
    "a reply": ["GET", "/healthz", 200, json, '{"status":"ok"}'],
    "a number in a header": ["GET", "/healthz", 200, { ...json, size: "7" }, '{"status":"ok"}'],
    "a reply to a query": ["GET", "/healthz?a=/b", 200, json, '{"status":"ok"}'],
    "a problem": ["GET", "/healthz", 400, problem, '{"status":400,"instance":"urn:uuid:7"}'],
    lines: ["POST", "/lines/1", 200, lines, '{"status":"ok"}\n{"status":"ok"}\n'],
    "a name before braces": ["GET", "/lines/first", 204, {}, ""],
    "no route": ["GET", "/nothing", 404, problem, '{"status":404,"instance":"urn:uuid:7"}'],
    "another method": ["PUT", "/healthz", 405, { ...problem, allow: "GET" }, '{"status":405,"instance":"urn:uuid:7"}'],
};
for (const [what, exchange] of Object.entries(right))
    test(`${what} is right`, () => assert.equal(judge(...exchange), undefined));

const wrong = {
    "another status": ["GET", "/healthz", 201, json, '{"status":"ok"}'],
    "another media type": ["GET", "/healthz", 200, { ...id, "content-type": "text/html" }, '{"status":"ok"}'],
    "an unknown header": ["GET", "/healthz", 200, { ...json, server: "x" }, '{"status":"ok"}'],
    "a missing header": ["GET", "/healthz", 200, { "content-type": "application/json" }, '{"status":"ok"}'],
    "a header of another form": ["GET", "/healthz", 200, { ...json, "x-request-id": "a" }, '{"status":"ok"}'],
    "no number in a header": ["GET", "/healthz", 200, { ...json, size: "a" }, '{"status":"ok"}'],
    "another value": ["GET", "/healthz", 200, json, '{"status":"up"}'],
    "an unknown member": ["GET", "/healthz", 200, json, '{"status":"ok","at":1}'],
    "a missing member": ["GET", "/healthz", 200, json, "{}"],
    "half a body": ["GET", "/healthz", 200, json, '{"status"'],
    "a body where there is none": ["GET", "/lines/first", 204, {}, "x"],
    "a bad line": ["POST", "/lines/1", 200, lines, '{"status":"ok"}\n{}\n'],
    "a problem with another status": ["GET", "/healthz", 400, problem, '{"status":401,"instance":"urn:uuid:7"}'],
    "a problem of another request": ["GET", "/healthz", 400, problem, '{"status":400,"instance":"urn:uuid:8"}'],
    "success for no route": ["GET", "/nothing", 200, json, '{"status":"ok"}'],
    "a page for no route": ["GET", "/nothing", 404, { ...id, "content-type": "text/html" }, "<p>"],
    "another Allow": ["PUT", "/healthz", 405, { ...problem, allow: "PUT" }, '{"status":405,"instance":"urn:uuid:7"}'],
};
for (const [what, exchange] of Object.entries(wrong))
    test(`${what} is wrong`, () => assert.equal(typeof judge(...exchange), "string"));
