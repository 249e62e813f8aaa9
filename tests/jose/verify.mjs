// SPDX-License-Identifier: Apache-2.0
// Checks a receipt with the npm library jose, which shares no code with munkeyd.
//
//     node verify.mjs REPLY.json JWKS.json
import { readFileSync } from 'node:fs'
import { compactVerify, createLocalJWKSet } from 'jose'

const [reply, jwks] = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path)))
const keys = createLocalJWKSet(jwks)
const { payload, protectedHeader } = await compactVerify(reply.receipt, keys, {
  algorithms: ['EdDSA'],
})
if (protectedHeader.typ !== 'munkeyd-receipt+jws')
  throw new Error(`this is a ${protectedHeader.typ}, no receipt`)
console.log(new TextDecoder().decode(payload))
