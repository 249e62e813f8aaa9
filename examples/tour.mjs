#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// A tour of munkeyd with fetch, which Node has since 18: predict a picture, enrol it for somebody, see
// what is held, forget them, have the receipt checked, predict again.
//
//     set -a && . ./quickstart.env && set +a     MUNKEYD_URL, MUNKEYD_TOKEN
//     examples/tour.mjs PICTURE [PERSON]         PNG, JPEG or raw pixels of the model's size
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { env, argv, exit } from 'node:process'
import { isDeepStrictEqual } from 'node:util'

const [picture, person = 'a guest of the tour'] = argv.slice(2)
const media = { '.png': 'image/png', '.jpg': 'image/jpeg', '.jpeg': 'image/jpeg' }
const image = {
  body: readFileSync(picture),
  headers: { 'Content-Type': media[extname(picture)] ?? 'application/octet-stream' }
}

async function call (method, target, { headers, body } = {}) {
  const reply = await fetch(env.MUNKEYD_URL + target, {
    method,
    body,
    headers: { ...headers, Authorization: `Bearer ${env.MUNKEYD_TOKEN}` },
    signal: AbortSignal.timeout(60_000)
  })
  const json = await reply.json()
  if (reply.ok) return json
  console.error(json.detail)
  exit(1)
}

const before = await call('POST', '/predict', image)
const { label, probability } = before.predictions[0]
console.log(`predicted: ${label}, ${probability}, by a memory of ${before.memory.n}`)

// Bytes that may not stand in a URL are encoded; `/` is one of them inside an id.
const subject = `/subjects/${encodeURIComponent(person)}`
const enrolled = await call('POST',
  `${subject}/instances?label=${encodeURIComponent(label)}&lawful_basis=consent`, image)
console.log(`enrolled: ${enrolled.instances.length}, now a memory of ${enrolled.memory.n}`)

const held = await call('GET', subject)
const instance = held.instances[0]
console.log(`held: ${held.total}, ${instance.label}, ${instance.class}, ${instance.lawful_basis}`)

// The same key gives the same receipt: a request without an answer can be sent again.
const erased = await call('DELETE', subject, { headers: { 'Idempotency-Key': randomUUID() } })
console.log(`${erased.status}: ${erased.erased}, receipt ${erased.receipt_id}`)

const { receipt, opening, log: { proof } } = erased
const verified = await call('POST', '/receipts/verify', {
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ receipt, opening, proof })
})
const checks = Object.entries(verified.checks).map(([name, { result }]) => `${name} ${result}`)
console.log(`verified: ${verified.valid}, ${checks.join(', ')}`)

const same = isDeepStrictEqual(await call('POST', '/predict', image), before)
console.log(`as if nobody had come: ${same}`)
exit(verified.valid && same ? 0 : 1)
