// SPDX-License-Identifier: Apache-2.0
// Ed25519 by WebCrypto where this browser has it, else by ed25519.js; and which of them it is.
import { fromHex } from './bytes.js'
import { verify as fallback } from './ed25519.js'

async function builtIn(key, message, signature) {
  const { subtle } = globalThis.crypto
  const imported = await subtle.importKey('raw', key, 'Ed25519', false, ['verify'])
  return subtle.verify('Ed25519', imported, signature, message)
}

// RFC 8032, 7.1, TEST 1: a signature over nothing.
const KEY = fromHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
const SIGNATURE = fromHex(
  'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b' +
    'd25bf5f0595bbe24655141438e7a100b',
)

// An implementation that does not know the name throws; one that does has to tell a good signature
// from a bad one.
async function works() {
  try {
    const forged = Uint8Array.from(SIGNATURE).fill(0, 0, 1)
    return (
      (await builtIn(KEY, new Uint8Array(), SIGNATURE)) &&
      !(await builtIn(KEY, new Uint8Array(), forged))
    )
  } catch {
    return false
  }
}

let chosen

// { name: 'webcrypto' or 'fallback', verify(key, message, signature) }
export function ed25519() {
  chosen ??= works().then((ok) =>
    ok
      ? { name: 'webcrypto', verify: (...it) => builtIn(...it).catch(() => false) }
      : { name: 'fallback', verify: fallback },
  )
  return chosen
}
