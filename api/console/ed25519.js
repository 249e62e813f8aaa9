// SPDX-License-Identifier: Apache-2.0
// Ed25519 signatures, checked with big integers: for browsers whose WebCrypto does not know them.
// After RFC 8032, 5.1; SHA-512 comes from WebCrypto.  It checks what is public, so that it need
// not take the same time for everything.
import { concat } from './bytes.js'
import { sha512 } from './hashes.js'

const P = 2n ** 255n - 19n
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n // L of RFC 8032

const mod = (a, m = P) => ((a % m) + m) % m

function power(base, exponent) {
  let result = 1n
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % P
    base = (base * base) % P
  }
  return result
}

const inverse = (a) => power(mod(a), P - 2n)

const D = mod(-121665n * inverse(121666n))
const ROOT_OF_MINUS_1 = power(2n, (P - 1n) / 4n)

function integer(bytes) {
  let number = 0n
  for (let i = bytes.length; i-- > 0; ) number = (number << 8n) | BigInt(bytes[i])
  return number
}

// Points are [X, Y, Z, T] with x = X/Z, y = Y/Z, x y = T/Z (RFC 8032, 5.1.4).
const IDENTITY = [0n, 1n, 1n, 0n]

function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2))
  const b = mod((y1 + x1) * (y2 + x2))
  const c = mod(2n * D * t1 * t2)
  const d = mod(2n * z1 * z2)
  const [e, f, g, h] = [b - a, d - c, d + c, b + a]
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)]
}

const negated = ([x, y, z, t]) => [mod(-x), y, z, mod(-t)]

const isSame = ([x1, y1, z1], [x2, y2, z2]) =>
  mod(x1 * z2 - x2 * z1) === 0n && mod(y1 * z2 - y2 * z1) === 0n

// The point of 32 bytes, or null: RFC 8032, 5.1.3, "decoding fails" where y is not below p, where
// no x belongs to it, and where x is 0 and its sign is set.
export function decode(bytes) {
  const sign = bytes[31] >> 7
  const y = integer(bytes) & (2n ** 255n - 1n)
  if (y >= P) return null
  const [u, v] = [mod(y * y - 1n), mod(D * y * y + 1n)]
  let x = mod(u * power(v, 3n) * power(mod(u * power(v, 7n)), (P - 5n) / 8n))
  if (mod(v * x * x) !== u) {
    x = mod(x * ROOT_OF_MINUS_1)
    if (mod(v * x * x) !== u) return null
  }
  if (x === 0n && sign === 1) return null
  if (Number(x & 1n) !== sign) x = P - x
  return [x, y, 1n, mod(x * y)]
}

const BASE = decode(Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 0x58 : 0x66)))

// [m]p + [n]q: both products in one run over the bits.
function sumOfProducts(m, p, n, q) {
  const both = add(p, q)
  let sum = IDENTITY
  for (let bit = 255n; bit >= 0n; bit--) {
    sum = add(sum, sum)
    const [one, other] = [(m >> bit) & 1n, (n >> bit) & 1n]
    if (one && other) sum = add(sum, both)
    else if (one) sum = add(sum, p)
    else if (other) sum = add(sum, q)
  }
  return sum
}

// A key that fits anything: 8 times the point is the identity.
function isOfSmallOrder(point) {
  let eightfold = point
  for (let i = 0; i < 3; i++) eightfold = add(eightfold, eightfold)
  return isSame(eightfold, IDENTITY)
}

// Whether the signature is the key's over the message.
export async function verify(key, message, signature) {
  if (key.length !== 32 || signature.length !== 64) return false
  const r = signature.subarray(0, 32)
  const s = integer(signature.subarray(32))
  if (s >= ORDER) return false // else s + L would be a second signature
  const [point, a] = [decode(r), decode(key)]
  if (!point || !a || isOfSmallOrder(point) || isOfSmallOrder(a)) return false
  const k = integer(await sha512(concat(r, key, message))) % ORDER
  return isSame(sumOfProducts(s, BASE, k, negated(a)), point) // [S]B = R + [k]A
}
