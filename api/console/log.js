// SPDX-License-Identifier: Apache-2.0
// The public log: its head, and its entries from the tiles (C2SP tlog-tiles), which are hashed up
// to the root that the head's signature covers.
//
//     const log = openLog(get)                get: see api.js
//     const { checkpoint, from, entries, checks } = await log.read()
//     await log.at(7)                         { before, entry, after }: texts
import { equal, text, utf8 } from './bytes.js'
import { addsUp, follows, parseEntry } from './entry.js'
import { leafHash, rootOf } from './merkle.js'
import { parseCheckpoint, parseVkey, signersOf } from './note.js'

const WIDTH = 256
const READ = 32 * WIDTH // some 3 MB

// N is written in groups of three digits, all but the last with an x.
export function tilePath(level, n, width = WIDTH) {
  const digits = String(n)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.../g)
  const index = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/')
  return `/log/tile/${level}/${index}${width < WIDTH ? `.p/${width}` : ''}`
}

// u16be length, entry, and so on.
export function splitEntries(bytes) {
  const entries = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes[at] * 256 + bytes[at + 1]
    if (!(end <= bytes.length)) throw new Error('a tile of entries was cut off')
    entries.push(text(bytes.subarray(at + 2, end)))
    at = end
  }
  return entries
}

const passed = (why) => ({ result: 'passed', why })
const failed = (why) => ({ result: 'failed', why })

async function checkHead(checkpoint, vkey) {
  try {
    const key = await parseVkey(vkey)
    if (key.name === checkpoint.origin && (await signersOf(checkpoint.note, [key])).length > 0)
      return passed('The log’s key has signed this head.')
  } catch (error) {
    return failed(`The head cannot be relied on: ${error.message}.`)
  }
  return failed('The log’s key has not signed this head.')
}

// Entries in their one form, each of which begins where the one before it ends.
function readChain(texts, from, origin) {
  const entries = []
  for (const [i, line] of texts.entries()) {
    const entry = parseEntry(line)
    const before = entries.at(-1)
    if (entry.iss !== origin || !addsUp(entry) || (before && !follows(before, entry)))
      throw new Error(`entry ${from + i} does not follow from the one before it`)
    entries.push({ ...entry, index: from + i })
  }
  return entries
}

function checkChain(texts, from, origin) {
  try {
    const entries = readChain(texts, from, origin)
    return { entries, chain: passed('Each entry begins where the one before it ended.') }
  } catch (error) {
    return { entries: [], chain: failed(`The entries contradict each other: ${error.message}.`) }
  }
}

// depth: how many entries are read unless more are asked for.
export function openLog(get, depth = READ) {
  const full = new Map() // tiles that no longer change: { texts, leaves, root }
  let head = null // what was read last
  let seen = null // the first head of this page: { size, root }

  async function readTile(n, size) {
    const width = Math.min(WIDTH, size - n * WIDTH)
    if (width === WIDTH && full.has(n)) return full.get(n)
    const texts = splitEntries(await get(tilePath('entries', n, width), 'bytes'))
    if (texts.length !== width) throw new Error('a tile of entries has another width than was asked for')
    const leaves = await Promise.all(texts.map((one) => leafHash(utf8(one))))
    const tile = { texts, leaves, root: await rootOf(leaves) }
    if (width === WIDTH) full.set(n, tile)
    return tile
  }

  // The roots of the first n tiles of entries: the hashes of level 1.
  async function readRoots(n) {
    const roots = []
    for (let i = 0; i * WIDTH < n; i++) {
      const bytes = await get(tilePath(1, i, Math.min(WIDTH, n - i * WIDTH)), 'bytes')
      for (let at = 0; at < bytes.length; at += 32) roots.push(bytes.slice(at, at + 32))
    }
    if (roots.length !== n) throw new Error('a tile of hashes has another width than was asked for')
    return roots
  }

  // Whether the head that this page saw first is of the log that it sees now.
  async function checkGrowth(checkpoint, roots) {
    if (seen?.origin !== checkpoint.origin) seen = checkpoint
    if (seen.size > checkpoint.size) return failed('The log has lost entries since this page was opened.')
    const whole = Math.floor(seen.size / WIDTH)
    const rest = seen.size % WIDTH
    const known = roots.slice(0, whole)
    if (rest > 0) {
      const { leaves } = await readTile(whole, checkpoint.size)
      known.push(await rootOf(leaves.slice(0, rest)))
    }
    return equal(await rootOf(known), seen.root)
      ? passed('The log has only grown since this page was opened.')
      : failed('The log has another past than when this page was opened: keep what you have, and tell others.')
  }

  // Reads the head, and at least the last `most` entries, from now on.
  async function read(most = depth) {
    depth = Math.max(depth, most)
    const [note, vkey] = await Promise.all([get('/log/checkpoint', 'text'), get('/log/vkey', 'text')])
    const checkpoint = parseCheckpoint(note)
    const all = Math.ceil(checkpoint.size / WIDTH)
    const first = Math.max(0, all - Math.ceil(depth / WIDTH))
    const roots = await readRoots(first)
    const tiles = []
    for (let n = first; n < all; n++) tiles.push(await readTile(n, checkpoint.size))
    roots.push(...tiles.map((tile) => tile.root))
    const from = first * WIDTH
    const { entries, chain } = checkChain(tiles.flatMap((tile) => tile.texts), from, checkpoint.origin)
    const tree = equal(await rootOf(roots), checkpoint.root)
      ? passed('The entries hash to the root that is signed.')
      : failed('The entries are not those whose root is signed.')
    const checks = {
      head: await checkHead(checkpoint, vkey.trim()),
      tree,
      chain,
      growth: await checkGrowth(checkpoint, roots),
    }
    head = { checkpoint, vkey: vkey.trim(), from, entries, checks }
    return head
  }

  async function textAt(index) {
    if (index < 0 || index >= head.checkpoint.size) return undefined
    const tile = await readTile(Math.floor(index / WIDTH), head.checkpoint.size)
    return tile.texts[index % WIDTH]
  }

  // An entry and its neighbours as they stand today; the entry is null beyond the log's end.
  async function at(index) {
    if (!head || index + 1 >= head.checkpoint.size) await read()
    const [before, entry, after] = await Promise.all([index - 1, index, index + 1].map(textAt))
    return { before, entry: entry ?? null, after }
  }

  // The present key and those before it, as `rotate` entries name them.
  function vkeys() {
    const rotations = head.entries.filter((entry) => entry.act === 'rotate' && entry.key === 'log')
    return [head.vkey, ...rotations.map((entry) => entry.old)]
  }

  // The index of the entry with these bytes, of those that were read.
  async function find(payload) {
    const wanted = text(payload)
    for (let n = Math.floor(head.from / WIDTH); n * WIDTH < head.checkpoint.size; n++) {
      const at = (await readTile(n, head.checkpoint.size)).texts.indexOf(wanted)
      if (at >= 0) return n * WIDTH + at
    }
    return undefined
  }

  return { read, at, vkeys, find, head: () => head }
}
