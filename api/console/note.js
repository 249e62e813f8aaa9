// SPDX-License-Identifier: Apache-2.0
// Signed notes and verifier keys (C2SP signed-note), checkpoints (tlog-checkpoint) and proofs
// (tlog-proof).  What cannot be read is an error whose sentence says why.
import { concat, equal, fromBase64, fromHex, utf8 } from './bytes.js'
import { sha256 } from './hashes.js'
import { ed25519 } from './signature.js'

const ED25519_TYPE = 1
const NAME = /^[!#-*,-[\]-~]{1,255}$/ // visible ASCII without " + and \
const DASH = '\u2014 '

// name+hex(key id)+base64(1 || public key)
export async function parseVkey(line) {
  const [, name, id, encoded] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/.exec(line) ?? []
  if (!name || !NAME.test(name))
    throw new Error('a verifier key is name+key id+base64 of the key')
  const typed = fromBase64(encoded)
  if (typed.length !== 33 || typed[0] !== ED25519_TYPE)
    throw new Error('the verifier key is not one of Ed25519')
  const digest = await sha256(concat(utf8(`${name}\n`), typed))
  if (!equal(digest.subarray(0, 4), fromHex(id)))
    throw new Error('the verifier key’s id is not that of its name and key')
  return { name, id: digest.slice(0, 4), key: typed.subarray(1), line }
}

// A signature line: { name, id, signature }; without the last two it is of another algorithm.
function parseSignature(line) {
  const [, name, encoded] = /^\u2014 ([^ ]+) (.+)$/.exec(line) ?? []
  if (!name) throw new Error(`a signature line begins with “${DASH}” and a name`)
  const blob = fromBase64(encoded)
  if (blob.length !== 4 + 64) return { name }
  return { name, id: blob.subarray(0, 4), signature: blob.subarray(4) }
}

// The keys that have signed the note, of those given; one whose signature is wrong is an error.
export async function signersOf(note, keys) {
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) throw new Error('a signed note is text, an empty line, signatures')
  const signed = utf8(note.slice(0, end + 1))
  const { verify } = await ed25519()
  const signers = []
  for (const line of note.slice(end + 2).split('\n').slice(0, -1)) {
    const { name, id, signature } = parseSignature(line)
    const key = id && keys.find((one) => one.name === name && equal(one.id, id))
    if (!key) continue
    if (!(await verify(key.key, signed, signature)))
      throw new Error('the signature under it is wrong: it was changed or forged')
    signers.push(key)
  }
  return signers
}

function parseNumber(digits) {
  const number = Number(digits)
  if (!/^(0|[1-9][0-9]*)$/.test(digits) || !Number.isSafeInteger(number))
    throw new Error('not a decimal number below 2^53')
  return number
}

function parseHash(line) {
  const hash = fromBase64(line)
  if (hash.length !== 32) throw new Error('a hash has 32 bytes')
  return hash
}

export function parseCheckpoint(note) {
  const [origin, size, root, empty, ...rest] = note.split('\n')
  if (!NAME.test(origin) || root === undefined || empty !== '' || rest.length === 0)
    throw new Error('a checkpoint is origin, size, root, an empty line, signatures')
  return { origin, size: parseNumber(size), root: parseHash(root), note }
}

export function parseProof(file) {
  const [first, index, ...rest] = file.split('\n')
  const end = rest.indexOf('')
  const number = /^index (.*)$/.exec(index ?? '')?.[1]
  if (first !== 'c2sp.org/tlog-proof@v1' || number === undefined || end < 0)
    throw new Error('a proof begins with the lines c2sp.org/tlog-proof@v1 and index N')
  if (end > 63) throw new Error('a proof has at most 63 hashes')
  return {
    index: parseNumber(number),
    path: rest.slice(0, end).map(parseHash),
    checkpoint: parseCheckpoint(rest.slice(end + 1).join('\n')),
  }
}
