// SPDX-License-Identifier: Apache-2.0
// node verify.mjs SECRET LETTER: whether a receiver's own library takes a callback that
// tests/receiver.py wrote down.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const [secret, file] = process.argv.slice(2);
const letter = JSON.parse(readFileSync(file, "utf8"));
new Webhook(secret).verify(letter.body, letter.headers);
