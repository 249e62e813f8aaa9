// SPDX-License-Identifier: Apache-2.0
// Hashes, by WebCrypto.  Browsers have it in secure contexts only: https, or this machine.
export const available = () => Boolean(globalThis.crypto?.subtle)

const digest = async (name, bytes) =>
  new Uint8Array(await globalThis.crypto.subtle.digest(name, bytes))

export const sha256 = (bytes) => digest('SHA-256', bytes)
export const sha512 = (bytes) => digest('SHA-512', bytes)

export async function hmacSha256(key, message) {
  const { subtle } = globalThis.crypto
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await subtle.importKey('raw', key, algorithm, false, ['sign'])
  return new Uint8Array(await subtle.sign('HMAC', imported, message))
}
