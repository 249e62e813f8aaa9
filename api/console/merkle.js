// SPDX-License-Identifier: Apache-2.0
// The tree of RFC 9162: leaves, roots, and whether a leaf stands under a root.
import { concat, equal } from './bytes.js'
import { sha256 } from './hashes.js'

export const leafHash = (entry) => sha256(concat(Uint8Array.of(0), entry))
export const parentHash = (left, right) => sha256(concat(Uint8Array.of(1), left, right))

// The root over subtrees of equal height, of which the last may be smaller; or over leaves.
export async function rootOf(hashes) {
  if (hashes.length === 0) return sha256(new Uint8Array())
  if (hashes.length === 1) return hashes[0]
  let split = 1 // "the largest power of two smaller than n"
  while (split * 2 < hashes.length) split *= 2
  const halves = [hashes.slice(0, split), hashes.slice(split)]
  return parentHash(...(await Promise.all(halves.map(rootOf))))
}

const half = (number) => Math.floor(number / 2)
const isOdd = (number) => number % 2 === 1

// RFC 9162, 2.1.3.2, with its names.
export async function isIncluded(leaf, index, size, path, root) {
  if (index >= size) return false
  let [fn, sn, r] = [index, size - 1, leaf]
  for (const p of path) {
    if (sn === 0) return false
    if (isOdd(fn) || fn === sn) {
      r = await parentHash(p, r)
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else {
      r = await parentHash(r, p)
    }
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && equal(r, root)
}
