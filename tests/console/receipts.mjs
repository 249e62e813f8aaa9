// SPDX-License-Identifier: Apache-2.0
// The console's verifier without a browser: reads replies, one a line, and writes true or false.
//
//     node receipts.mjs JWKS VKEYS
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { verifyReceipt } from '../../api/console/verify.js'

const [jwks, vkeys] = process.argv.slice(2).map((path) => readFileSync(path, 'utf8'))
const trust = { jwks: JSON.parse(jwks), vkeys: vkeys.trim().split('\n') }
for await (const line of createInterface({ input: process.stdin })) {
  const { receipt, opening, log } = JSON.parse(line)
  const verdict = await verifyReceipt({ receipt, opening, proof: log.proof }, trust).catch(() => ({ valid: false }))
  console.log(verdict.valid)
}
