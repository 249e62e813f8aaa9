// SPDX-License-Identifier: Apache-2.0
// Bytes and how they are spelt.  Each run of bytes has one spelling; any other is refused, so
// that nothing can be changed in a receipt and still be read as before.
export const utf8 = (text) => new TextEncoder().encode(text)

// Text, or an error where the bytes are not UTF-8.
export const text = (bytes) =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)

export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i])

export const hex = (bytes) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

// Lower case.
export function fromHex(spelt) {
  if (!/^([0-9a-f]{2})*$/.test(spelt)) throw new Error('not lower-case hexadecimal')
  return Uint8Array.from(spelt.match(/../g) ?? [], (pair) => parseInt(pair, 16))
}

export function base64(bytes) {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

// With padding, as C2SP's notes have it.
export function fromBase64(spelt) {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(spelt)) throw new Error('not base64')
  let bytes
  try {
    bytes = Uint8Array.from(atob(spelt), (c) => c.charCodeAt(0))
  } catch {
    throw new Error('not base64')
  }
  if (base64(bytes) !== spelt) throw new Error('not the one spelling of base64')
  return bytes
}

export const base64url = (bytes) =>
  base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

// Without padding, as a JWS has it.
export function fromBase64url(spelt) {
  if (!/^[A-Za-z0-9_-]*$/.test(spelt)) throw new Error('not base64url')
  const padded = spelt + '==='.slice(0, (4 - (spelt.length % 4)) % 4)
  return fromBase64(padded.replaceAll('-', '+').replaceAll('_', '/'))
}

export function u16be(number) {
  return Uint8Array.of(number >> 8, number & 255)
}
